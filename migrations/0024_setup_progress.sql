-- How far the people of a tenant have come with its set-up: what the wizard keeps between two visits.
create table setup_progress (
  tenant_id text not null references tenants (id),
  -- voicecore-domain has the list.
  step text not null,
  -- done or skipped, as somebody said. Null: open.
  state text,
  -- JSON: what has been entered so far. Sealed, because it may be a secret or a telephone number. Null: nothing.
  draft text,
  updated_at bigint not null,
  primary key (tenant_id, step)
);

-- Since when set-up is over. Null: it is not.
alter table tenants add column setup_completed_at bigint;
