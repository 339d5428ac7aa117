-- Ways to look at a list that somebody has kept.
create table saved_views (
  id text primary key,
  tenant_id text not null references tenants (id),
  -- Whose it is: they alone change it.
  user_id text not null,
  name text not null,
  -- Of what the list is: calls.
  noun text not null,
  -- Since when everybody in the tenant sees it. Null: only whose it is.
  shared_at bigint,
  -- JSON: filters, columns, order. Sealed, because a filter may be a telephone number.
  document text not null,
  -- Grows by one with every change.
  version bigint not null default 1,
  created_at bigint not null,
  updated_at bigint not null
);

create index saved_views_user on saved_views (tenant_id, user_id);
create index saved_views_shared on saved_views (tenant_id, name, id) where shared_at is not null;
