-- Telephone calls. What was said is a document in the blob store, a row here is what lists, limits and bills need.

create table calls (
  id text primary key,
  tenant_id text not null references tenants (id),
  -- Who answered, and on which number. No references: history outlives what is configured.
  business_id text not null,
  phone_number_id text not null,
  -- The name that the carrier has for the call (Twilio: CallSid). Unique, because webhooks are delivered at least once.
  carrier_call_id text not null unique,
  -- inbound, so far.
  direction text not null,
  -- queued, ringing, in_progress, completed, busy, failed, no_answer, canceled. Only ever moves forward.
  status text not null,
  -- Sealed, with its look-up hash. Null for an anonymous caller.
  caller_number text,
  caller_number_hash text,
  started_at bigint not null,
  answered_at bigint,
  -- Set exactly when the status is one of the last five: null means that the line is in use.
  ended_at bigint,
  -- Set when the actor of the call (or the job that closes what was abandoned) has handed over its summary.
  finished_at bigint,
  end_reason text,
  -- Media streams and model sessions that the call took: more than one of either means that something broke.
  attempts bigint not null default 0,
  model_sessions bigint not null default 0,
  interaction_count bigint not null default 0,
  -- What the provider of the model bills: tokens of all responses, cached ones apart from fresh ones.
  model text,
  text_in_tokens bigint not null default 0,
  text_cached_tokens bigint not null default 0,
  text_out_tokens bigint not null default 0,
  audio_in_tokens bigint not null default 0,
  audio_cached_tokens bigint not null default 0,
  audio_out_tokens bigint not null default 0,
  cost_micros bigint not null default 0
);

-- Each list is newest first, its filters end in started_at and id, so that a page is a walk along an index.
create index calls_recent on calls (tenant_id, started_at, id);
create index calls_status on calls (tenant_id, status, started_at, id);
create index calls_business on calls (tenant_id, business_id, started_at, id);
create index calls_caller on calls (tenant_id, caller_number_hash, started_at, id);

-- The calls on the line: counted for every incoming call, so the index holds nothing else.
create index calls_active on calls (tenant_id) where ended_at is null;
-- The calls without a summary: what the closing job looks through.
create index calls_unfinished on calls (started_at) where finished_at is null;

-- One row for each change of the status of a call, written in the batch that makes the change. A status is entered once
-- at most, so the key makes a second entry impossible.
create table call_events (
  call_id text not null references calls (id),
  status text not null,
  tenant_id text not null,
  at bigint not null,
  primary key (call_id, status)
);

-- A tool that the model called. The key makes it run once, however often the provider, a restarted actor or a second
-- stream asks for it.
create table tool_runs (
  call_id text not null references calls (id),
  tool_call_id text not null,
  tenant_id text not null,
  name text not null,
  -- What the model was told (JSON) and what the call had to do then. Null while it runs.
  output text,
  effect text,
  started_at bigint not null,
  finished_at bigint,
  primary key (call_id, tool_call_id)
);
