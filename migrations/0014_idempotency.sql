-- Changes that a client has named, so that it may ask again without making them twice. The row is written in the batch of the change:
-- either both are there or neither is.
create table idempotency_keys (
  -- SHA-256 of tenant, who asks, route and the key that the client has chosen.
  key_hash text primary key,
  tenant_id text not null references tenants (id),
  -- SHA-256 of the request. With another one the key is refused.
  body_hash text not null,
  -- The answer, to be given again. Null where it shows a secret: then it is not kept, and the client is told so.
  status bigint,
  body text,
  -- That of the ETag header.
  version bigint,
  -- From then on the key means nothing, and the job of every minute deletes the row.
  expires_at bigint not null
);

create index idempotency_keys_tenant on idempotency_keys (tenant_id);
create index idempotency_keys_expiry on idempotency_keys (expires_at);
