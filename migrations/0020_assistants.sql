-- Who answers: AI personas with versions. What people write is a draft, calls use what was published.

-- An assistant, and its draft. Null means the default of the installation, so that a better default reaches everybody who did not
-- choose.
create table assistants (
  id text primary key,
  tenant_id text not null references tenants (id),
  name text not null,
  -- What it says first. May hold variables such as {{business_name}}.
  greeting text,
  -- Persona, facts, rules: what the model is told. May hold variables.
  instructions text,
  -- ISO 639-1.
  language text,
  -- As the provider of the model names them.
  voice text,
  model text,
  -- Names of the tools that it has, with blanks between them. Empty: none. Null: all that there are.
  tools text,
  -- JSON: when the model thinks that the caller has finished.
  turn_detection text,
  -- near_field, far_field, off.
  noise_reduction text,
  -- Grows by one with every change, publication included.
  version bigint not null default 1,
  -- The number of the version that calls use. Null: it was never published, and no business can name it.
  published_version bigint,
  created_at bigint not null,
  updated_at bigint not null
);

create index assistants_tenant on assistants (tenant_id);

-- What was published. A row is never changed.
create table assistant_versions (
  tenant_id text not null references tenants (id),
  assistant_id text not null references assistants (id),
  -- From 1, without gaps.
  number bigint not null,
  name text not null,
  greeting text,
  instructions text,
  language text,
  voice text,
  model text,
  tools text,
  turn_detection text,
  noise_reduction text,
  published_at bigint not null,
  -- As in the audit log. carried_over: it was what the business had before there were assistants.
  published_by_kind text not null,
  published_by_id text,
  primary key (assistant_id, number)
);

create index assistant_versions_tenant on assistant_versions (tenant_id);

-- Null: an assistant that is in everything as the installation has it.
alter table businesses add column assistant_id text references assistants (id);

create index businesses_assistant on businesses (assistant_id);

-- Each business has an assistant that is what it had itself. The two ids are the same. The columns of businesses that this reads
-- (greeting, instructions, language, voice, model) are read and written by nobody any more, and go in a later release.
insert into assistants (id, tenant_id, name, greeting, instructions, language, voice, model, published_version, created_at, updated_at)
  select id, tenant_id, name, greeting, instructions, language, voice, model, 1, created_at, updated_at from businesses;

insert into assistant_versions (tenant_id, assistant_id, number, name, greeting, instructions, language, voice, model,
  published_at, published_by_kind)
  select tenant_id, id, 1, name, greeting, instructions, language, voice, model, updated_at, 'carried_over' from assistants;

update businesses set assistant_id = id;
