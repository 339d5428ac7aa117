-- Whoever owns the tables is bound by their policies as well: where there are any, the portable part has found no business.
select set_config('voicecore.every_tenant', 'on', true);

insert into assistants (id, tenant_id, name, greeting, instructions, language, voice, model, published_version, created_at, updated_at)
  select id, tenant_id, name, greeting, instructions, language, voice, model, 1, created_at, updated_at from businesses
  where assistant_id is null;

insert into assistant_versions (tenant_id, assistant_id, number, name, greeting, instructions, language, voice, model,
  published_at, published_by_kind)
  select tenant_id, id, 1, name, greeting, instructions, language, voice, model, updated_at, 'carried_over' from assistants a
  where not exists (select 1 from assistant_versions v where v.assistant_id = a.id);

update businesses set assistant_id = id where assistant_id is null;
