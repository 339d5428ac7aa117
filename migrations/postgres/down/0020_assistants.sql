-- As above: the portable part finds no business where there are policies.
select set_config('voicecore.every_tenant', 'on', true);
update businesses set
  greeting = (select v.greeting from assistants a join assistant_versions v on v.assistant_id = a.id and v.number = a.published_version
    where a.id = businesses.assistant_id),
  instructions = (select v.instructions from assistants a join assistant_versions v on v.assistant_id = a.id
    and v.number = a.published_version where a.id = businesses.assistant_id),
  language = (select v.language from assistants a join assistant_versions v on v.assistant_id = a.id and v.number = a.published_version
    where a.id = businesses.assistant_id),
  voice = (select v.voice from assistants a join assistant_versions v on v.assistant_id = a.id and v.number = a.published_version
    where a.id = businesses.assistant_id),
  model = (select v.model from assistants a join assistant_versions v on v.assistant_id = a.id and v.number = a.published_version
    where a.id = businesses.assistant_id);
