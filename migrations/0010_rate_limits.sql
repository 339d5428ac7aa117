-- Counters of rate limits, on platforms without a counter of their own. The key names a limit and an id of ours, nothing that could
-- be personal. Rows that say nothing any more are deleted by the job of every minute.
create table rate_limits (
  limit_key text primary key,
  -- When all of the quota will be there again (generic cell rate algorithm).
  full_at bigint not null
);

create index rate_limits_full on rate_limits (full_at);
