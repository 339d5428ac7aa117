-- What somebody who is signed in has chosen for themselves, wherever they sign in: one document for each tenant they work for.
create table preferences (
  tenant_id text not null references tenants (id),
  user_id text not null,
  -- JSON, an object.
  document text not null,
  -- The number of the write that made it. The last one stays.
  version bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, user_id)
);
