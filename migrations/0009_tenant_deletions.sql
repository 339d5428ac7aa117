-- Tenants that are being deleted, and the report that is kept of each. It names the tenant by its id, and holds nothing of it:
-- how many rows, objects and actors there were, and what remains elsewhere until when.
create table tenant_deletions (
  tenant_id text primary key,
  requested_at bigint not null,
  -- What kind of actor asked for it (operator, user), and which one.
  requested_by_kind text not null,
  requested_by_id text,
  -- access, calls, hub, objects, rows, settling, done. What has been done of a stage is seen from what is left.
  stage text not null,
  -- Grows by one with every step: of two who would do the same one does it.
  step bigint not null default 0,
  -- Not before then: late writers are waited for.
  due_at bigint not null,
  -- JSON.
  report text not null,
  finished_at bigint
);

-- What the deleting job looks through.
create index tenant_deletions_open on tenant_deletions (due_at) where finished_at is null;

-- The links that were sent to somebody: deleted with the last tenant that they work for.
create index setup_tokens_email on setup_tokens (email);
