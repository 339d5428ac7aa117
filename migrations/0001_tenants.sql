-- Who VoiceCore works for, and who may act for them.

-- A tenant is a customer of this installation. Everything below that carries a tenant_id belongs to one and is never
-- read without naming it. The limits protect its wallet: they are checked when a call comes in, within the statement that
-- stores it.
create table tenants (
  id text primary key,
  name text not null,
  max_concurrent_calls bigint not null default 10,
  max_daily_calls bigint not null default 1000,
  -- Millionths of a US dollar, per day in UTC: 50 dollars.
  max_daily_cost_micros bigint not null default 50000000,
  created_at bigint not null
);

-- The data key of a tenant, wrapped by MASTER_KEY: AES-256-GCM, readable by no one who has only the database.
create table tenant_keys (
  tenant_id text primary key references tenants (id),
  wrapped_key text not null,
  created_at bigint not null
);

-- Keys of the whole installation, wrapped likewise. The one named lookup hashes phone numbers so that they can be found without
-- being readable. It stays when MASTER_KEY is rotated (only its wrapping changes), or no number would be found again.
create table platform_keys (
  name text primary key,
  wrapped_key text not null,
  created_at bigint not null
);

-- A person. Global: one e-mail address is one user, whatever the number of tenants they work for. Lower case.
create table users (
  id text primary key,
  email text not null unique,
  created_at bigint not null
);

-- What a user may do in a tenant. Role: owner, so far.
create table memberships (
  user_id text not null references users (id),
  tenant_id text not null references tenants (id),
  role text not null,
  created_at bigint not null,
  primary key (tenant_id, user_id)
);

create index memberships_user on memberships (user_id);

-- The one-use link by which the first administrator of a deployed system comes in. Only the hash of the token is here.
create table setup_tokens (
  token_hash text primary key,
  email text not null,
  created_at bigint not null,
  expires_at bigint not null,
  used_at bigint
);

-- A key for programs: vc_<prefix>_<secret>. The prefix finds the row, the hash (SHA-256 of the whole key, which is
-- random enough to need no slow hash) proves it.
create table api_keys (
  id text primary key,
  tenant_id text not null references tenants (id),
  name text not null,
  prefix text not null unique,
  key_hash text not null,
  -- What it allows: words with blanks between them, such as calls:read (voicecore-domain has the list). No word means everything.
  permissions text not null,
  created_at bigint not null,
  -- From then on it opens nothing. Null: it does not expire.
  expires_at bigint,
  -- Set when somebody took it back.
  revoked_at bigint
);

create index api_keys_tenant on api_keys (tenant_id);
