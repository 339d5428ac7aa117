-- What has happened that somebody should know: one row for each event, written with it, and seen by all whom it concerns.
create table notifications (
  -- That of what it is about, so that an event is told once.
  id text primary key,
  tenant_id text not null references tenants (id),
  -- voicecore-domain has the list, and who is told of which.
  kind text not null,
  -- The call, message, user or key that it is about.
  subject_id text not null,
  -- As that of the call. Null: it concerns those who see all departments.
  department_id text,
  created_at bigint not null
);

create index notifications_recent on notifications (tenant_id, created_at, id);
-- Those that are long over are deleted.
create index notifications_age on notifications (created_at);

-- What one user has done with one of them.
create table notification_states (
  tenant_id text not null references tenants (id),
  user_id text not null,
  notification_id text not null,
  read_at bigint,
  -- Set when they have put it away.
  hidden_at bigint,
  primary key (tenant_id, user_id, notification_id)
);

create index notification_states_notification on notification_states (notification_id);

-- Up to which moment a user has read everything.
create table notification_marks (
  tenant_id text not null references tenants (id),
  user_id text not null,
  read_until bigint not null,
  primary key (tenant_id, user_id)
);

-- Keys whose end can come near.
create index api_keys_expiry on api_keys (expires_at) where revoked_at is null and expires_at is not null;
