-- Messages that callers left for human beings. They may outlive the call and the business.
create table messages (
  id text primary key,
  tenant_id text not null references tenants (id),
  business_id text not null,
  call_id text not null,
  -- message (the assistant wrote it down) or voicemail (the caller spoke it onto a recording).
  kind text not null,
  caller_name text,
  -- Sealed.
  callback_number text,
  -- Empty for a voicemail, as long as nobody has transcribed it.
  body text not null,
  -- The name that the carrier has for the recording (Twilio: RecordingSid), and how long it is. Null unless it is a voicemail.
  recording_id text,
  recording_ms bigint,
  created_at bigint not null
);

create index messages_recent on messages (tenant_id, created_at, id);
-- A recording is one message, however often the carrier tells of it.
create unique index messages_recording on messages (call_id, recording_id);
