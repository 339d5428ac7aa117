-- What people of the tenant write down about a call. Plain text, like transcripts.
create table call_notes (
  id text primary key,
  tenant_id text not null references tenants (id),
  call_id text not null references calls (id),
  -- As in audit_log: who wrote it.
  author_kind text not null,
  author_id text not null,
  -- Markdown. Nobody here makes anything else of it.
  body text not null,
  category text,
  -- With blanks between them.
  tags text not null,
  -- Grows by one with every change.
  version bigint not null default 1,
  created_at bigint not null,
  updated_at bigint not null
);

create index call_notes_call on call_notes (call_id, created_at, id);
create index call_notes_tenant on call_notes (tenant_id, call_id);
