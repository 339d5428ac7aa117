-- How long callers waited for each answer: from the end of what they said to the first sound of the assistant. Written with the words
-- of a call when it is over, so that figures over many calls need not read their transcripts. When the call came in, to which business
-- and in which department, is known by its row in calls. Calls that were over before there was this table have no rows here.
create table call_latencies (
  tenant_id text not null,
  call_id text not null,
  -- The place of the answer in the transcript.
  seq bigint not null,
  latency_ms bigint not null,
  primary key (tenant_id, call_id, seq)
);
