-- Conversations in which somebody tries an assistant, in writing. They are no calls: no carrier, no caller, in no list and no figure.
create table test_calls (
  id text primary key,
  tenant_id text not null references tenants (id),
  -- Who is tried and what was configured when it began, and what has happened since. Sealed, as with dialogues.
  setup text not null,
  state text not null,
  -- Grows by one with every change: whoever changes it says what it was.
  step bigint not null,
  -- Until when somebody is at work on it.
  busy_until bigint,
  -- From then on it is not among those that go on, and a day later it is forgotten.
  expires_at bigint not null,
  finished_at bigint
);

create index test_calls_tenant on test_calls (tenant_id, expires_at);
create index test_calls_expired on test_calls (expires_at);
