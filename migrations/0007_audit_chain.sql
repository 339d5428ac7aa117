-- The audit log as a chain: once sealed, an entry can be neither changed nor removed without being found out.

-- Names of the fields that a change touched, with blanks between them. Never their values. Null: the action says it all.
alter table audit_log add column fields text;
-- The place of the entry in the chain of its tenant, from 1, and a keyed hash over it and the hash before it. Null until the
-- job of every minute has sealed it.
alter table audit_log add column seq bigint;
alter table audit_log add column hash text;

create unique index audit_log_chain on audit_log (tenant_id, seq);
-- What the sealing job looks through.
create index audit_log_unsealed on audit_log (tenant_id, at, id) where seq is null;
-- Each list is newest first and ends in at and id, so that a page is a walk along an index.
create index audit_log_newest on audit_log (tenant_id, at, id);
create index audit_log_actor on audit_log (tenant_id, actor_id, at, id);
create index audit_log_action on audit_log (tenant_id, action, at, id);
create index audit_log_subject on audit_log (tenant_id, subject_id, at, id);

-- The end of each chain: without it, entries could be cut off there. Of two who seal at once, the one who moves it wins.
create table audit_chains (
  tenant_id text primary key references tenants (id),
  seq bigint not null,
  hash text not null,
  sealed_at bigint not null
);
