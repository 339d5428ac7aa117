-- Jobs for later, of a platform without a queue: jobs/run takes them out (functions/spin/src/jobs.rs).
create table jobs (
  id text primary key,
  -- JSON of at most 64 KiB. Belongs to whatever tenant the job names inside.
  job text not null,
  -- From when on it may be taken. Taking it moves this on by the lease, so a runner that dies gives it back.
  due_at bigint not null,
  -- How often it was taken.
  attempts bigint not null default 0,
  -- Given up, kept for people to look at. Null: still to be done.
  dead_at bigint
);

create index jobs_by_due on jobs (due_at) where dead_at is null;

-- Objects by key, of a platform without an object store. Keys begin with t/<tenant>/, so a tenant is a range of the key.
create table blobs (
  key text primary key,
  bytes bytea not null
);
