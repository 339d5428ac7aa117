-- Who signs in, and as what.

-- A tenant whose calls are answered with an apology and whose credentials are refused, from this moment on. Null: it works.
alter table tenants add column suspended_at bigint;

alter table users add column name text not null default '';
-- A PHC string (argon2id). Null: the user has never chosen a password, so none is right.
alter table users add column password_hash text;
alter table users add column password_changed_at bigint;
alter table users add column last_login_at bigint;
-- 1: runs the installation. Nothing but the operator of the database and another such user may set it.
alter table users add column super_admin bigint not null default 0;
-- Set by a super admin: the user signs in nowhere any more.
alter table users add column deactivated_at bigint;

-- A role that a tenant has made. Those that every tenant has stand in voicecore-domain (BuiltinRole).
create table roles (
  id text primary key,
  tenant_id text not null references tenants (id),
  name text not null,
  -- As with a key: words with blanks between them.
  permissions text not null,
  created_at bigint not null,
  updated_at bigint not null
);

create unique index roles_name on roles (tenant_id, name);

-- The role of the tenant itself. When it is set, the word in role is custom.
alter table memberships add column role_id text references roles (id);
-- Set by an administrator of the tenant: the user does nothing there any more. Their other tenants do not notice.
alter table memberships add column deactivated_at bigint;

create index memberships_role on memberships (role_id);

-- Somebody who is signed in on one device. An access token names the session and nothing else, so that what is changed here
-- holds for the very next request.
create table sessions (
  id text primary key,
  user_id text not null references users (id),
  -- The tenant that the session works in. Null: of somebody who works for none, such as a super admin.
  tenant_id text references tenants (id),
  -- login, or impersonation: a super admin who looks into a tenant.
  kind text not null,
  -- SHA-256 of the refresh token, and of the one before it, which is taken for a few seconds after rotated_at: two tabs may
  -- ask at once. Null: the session cannot be refreshed.
  refresh_hash text,
  previous_hash text,
  rotated_at bigint not null,
  -- What the browser calls itself, shortened. No address of the network is kept.
  label text not null,
  created_at bigint not null,
  last_used_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint
);

create index sessions_user on sessions (user_id, created_at);
create index sessions_tenant on sessions (tenant_id);
-- Those that are long over are deleted.
create index sessions_expiry on sessions (expires_at);

-- An invitation to work for a tenant, redeemed by a token that is mailed. It says nothing about whether there is a user
-- with this address: it is no business of one tenant what others do.
create table invitations (
  id text primary key,
  tenant_id text not null references tenants (id),
  -- Lower case.
  email text not null,
  name text not null,
  -- As in memberships.
  role text not null,
  role_id text references roles (id),
  -- Ids of departments with blanks between them.
  departments text not null,
  -- Null until the mail is on its way. Only the hash of the token is here.
  token_hash text unique,
  created_at bigint not null,
  expires_at bigint not null,
  accepted_at bigint,
  revoked_at bigint
);

create index invitations_recent on invitations (tenant_id, created_at, id);
create index invitations_role on invitations (role_id);

-- The one-use token of a mail by which somebody chooses a new password. Only its hash is here.
create table password_resets (
  token_hash text primary key,
  user_id text not null references users (id),
  created_at bigint not null,
  expires_at bigint not null,
  used_at bigint
);

create index password_resets_user on password_resets (user_id);
create index password_resets_expiry on password_resets (expires_at);

-- How often somebody has failed to sign in. The key is a keyed hash of what was tried: an e-mail address (of a user or of
-- nobody: the two are not told apart) or a device that is known. Rows that nobody touched for a day are deleted.
create table login_throttles (
  throttle_key text primary key,
  failures bigint not null,
  blocked_until bigint not null,
  updated_at bigint not null
);

create index login_throttles_updated on login_throttles (updated_at);

-- To the minute, so that a key that is used often is not written as often.
alter table api_keys add column last_used_at bigint;
-- The user who made it. Null: set-up, or the operator.
alter table api_keys add column created_by text;
