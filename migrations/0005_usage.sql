-- What a tenant used on one day, kept as a running sum because it is read for every incoming call.
create table usage_daily (
  tenant_id text not null references tenants (id),
  -- Days since 1970-01-01, UTC.
  day bigint not null,
  calls bigint not null default 0,
  cost_micros bigint not null default 0,
  primary key (tenant_id, day)
);

-- Who did what. Names ids and fields, never values, for it outlives what it speaks of.
create table audit_log (
  id text primary key,
  tenant_id text not null references tenants (id),
  at bigint not null,
  -- What kind of actor (setup, api_key) and which one.
  actor_kind text not null,
  actor_id text,
  -- <noun>.<verb>, e.g. tenant.provision.
  action text not null,
  subject_id text
);

create index audit_log_recent on audit_log (tenant_id, at);
