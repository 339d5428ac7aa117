-- What a tenant answers the telephone for, and on which numbers.

-- A line of business and the assistant that answers for it. Null means the default of the installation, so that
-- a better default reaches everybody who did not choose.
create table businesses (
  id text primary key,
  tenant_id text not null references tenants (id),
  name text not null,
  -- What the assistant says first, word for word.
  greeting text,
  -- Persona, facts, rules: what the model is told.
  instructions text,
  -- ISO 639-1.
  language text,
  -- As the provider of the model names them.
  voice text,
  model text,
  -- The human being or desk that a call is transferred to. Sealed.
  fallback_number text,
  -- A call is ended politely after this long.
  call_length_ms bigint not null default 3600000,
  created_at bigint not null,
  updated_at bigint not null
);

create index businesses_tenant on businesses (tenant_id);

-- A telephone number that the tenant owns, and who answers it. The number is sealed, its look-up hash is unique over
-- all tenants, so that a number rings in one place only.
create table phone_numbers (
  id text primary key,
  tenant_id text not null references tenants (id),
  business_id text not null references businesses (id),
  number text not null,
  number_hash text not null unique,
  created_at bigint not null
);

create index phone_numbers_tenant on phone_numbers (tenant_id);
create index phone_numbers_business on phone_numbers (business_id);
