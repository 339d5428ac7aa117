-- Which words were said in which call: full-text search that is the same on every engine, because words are found in Rust. The
-- tenant stands first and the moment before the call, so that a search is a walk along this key, newest first, in one tenant.
create table call_words (
  tenant_id text not null,
  -- Lower case, at most 24 characters.
  word text not null,
  -- When the call came in, as in calls.
  at bigint not null,
  call_id text not null references calls (id),
  primary key (tenant_id, word, at, call_id)
);

create index call_words_call on call_words (call_id);

-- Filters of the list of calls, and its order by length. The length is that of the connection, 0 while it
-- lasts, and where the carrier has set its end before its beginning.
create index calls_direction on calls (tenant_id, direction, started_at, id);
create index calls_number on calls (tenant_id, phone_number_id, started_at, id);
create index calls_length on calls (tenant_id, (case when ended_at > answered_at then ended_at - answered_at else 0 end), id);
