-- Messages that callers left for human beings. They may outlive the call and the business.
create table messages (
  id text primary key,
  tenant_id text not null references tenants (id),
  business_id text not null,
  call_id text not null,
  caller_name text,
  -- Sealed.
  callback_number text,
  body text not null,
  created_at bigint not null
);

create index messages_recent on messages (tenant_id, created_at, id);
