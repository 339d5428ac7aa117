-- The human beings of a tenant who take calls.
create table agents (
  id text primary key,
  tenant_id text not null references tenants (id),
  -- Who they are when they sign in. Null: they never do. One user is one agent at most.
  user_id text,
  name text not null,
  email text,
  -- Digits.
  extension text,
  -- Where they are rung. Sealed.
  phone_number text,
  -- Words with blanks between them, and ISO 639-1 codes likewise.
  skills text not null,
  languages text not null,
  -- How many calls they take at once.
  max_concurrent_calls bigint not null default 1,
  -- available, busy or offline, and until when, if that is known.
  availability text not null default 'offline',
  availability_until bigint,
  availability_changed_at bigint not null,
  -- Grows by one with every change but those of the availability.
  version bigint not null default 1,
  created_at bigint not null,
  updated_at bigint not null
);

create index agents_tenant on agents (tenant_id, name, id);
create unique index agents_user on agents (tenant_id, user_id);

-- Which departments they take calls for.
create table agent_departments (
  tenant_id text not null references tenants (id),
  agent_id text not null references agents (id),
  department_id text not null references departments (id),
  primary key (tenant_id, agent_id, department_id)
);

create index agent_departments_agent on agent_departments (agent_id);
create index agent_departments_department on agent_departments (department_id);
