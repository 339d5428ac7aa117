-- Calls that are held turn by turn, by questions of the carrier and answers of ours, without a media stream.

-- How a business answers: streaming or turn_based. Null means the default of the installation.
alter table businesses add column voice_mode text;

-- The state of such a call: all that is needed to go on with it, because whoever answers the next question of the carrier
-- may be a process that has never heard of it. A call that was held over a media stream until that could not be had
-- any more gets a row when it is taken over.
create table dialogues (
  call_id text primary key references calls (id),
  tenant_id text not null,
  -- Sealed: what was configured when the call came in, and what has been said and done since.
  setup text not null,
  state text not null,
  -- Grows by one with every change: whoever changes it says what it was, so that of two one wins. Addresses name it, so that
  -- a question that comes twice is told from the next one.
  step bigint not null,
  -- Until then somebody is at work on it (asks the model, runs a tool), unless they died. Null when nobody is.
  busy_until bigint,
  -- What the media streams used before the call was taken over has been added to the call.
  streams_counted bigint not null default 0,
  updated_at bigint not null,
  -- Set when the summary of the whole call has been stored.
  finished_at bigint
);

create index dialogues_tenant on dialogues (tenant_id);
-- Those that go on: what the closing job looks through.
create index dialogues_open on dialogues (updated_at) where finished_at is null;
