-- What super admins do that is the business of no single tenant, such as to deactivate somebody, who may work for none. As in
-- audit_log: ids and actions, never values. Written with the change, and kept: nothing of ours changes or deletes a row.
create table installation_log (
  id text primary key,
  at bigint not null,
  -- What kind of actor (super_admin) and which one.
  actor_kind text not null,
  actor_id text,
  -- <noun>.<verb>, e.g. user.deactivate.
  action text not null,
  subject_id text
);

-- Those who run the installation, a handful: before one of them is deactivated it is looked whether another one is left.
create index users_super_admins on users (id) where super_admin = 1;
