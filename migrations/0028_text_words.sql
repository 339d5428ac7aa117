-- Messages are dealt with: by whom, and since when nobody needs to any more.
-- Null: nobody has dealt with it yet.
alter table messages add column handled_at bigint;
-- Whose task it is: a user of the tenant. Null: nobody in particular.
alter table messages add column assignee_id text;
-- Grows by one with every change.
alter table messages add column version bigint not null default 1;

create index messages_department on messages (tenant_id, department_id, created_at, id);
create index messages_assignee on messages (tenant_id, assignee_id, created_at, id);
create index messages_open on messages (tenant_id, created_at, id) where handled_at is null;
create index messages_handled on messages (tenant_id, created_at, id) where handled_at is not null;

-- Which words are in which text that is neither a call nor too short to be looked for: the search, as with call_words.
create table text_words (
  tenant_id text not null,
  -- message, note, or note_tag: a tag of a note, as it was written.
  noun text not null,
  -- Lower case but for tags, at most 30 characters.
  word text not null,
  -- When the text was written first.
  at bigint not null,
  -- The id of the message or the note.
  subject_id text not null,
  primary key (tenant_id, noun, word, at, subject_id)
);

create index text_words_subject on text_words (tenant_id, subject_id);

-- Notes of all calls: the list, and its filters.
create index call_notes_recent on call_notes (tenant_id, created_at, id);
create index call_notes_category on call_notes (tenant_id, category, created_at, id);
create index call_notes_author on call_notes (tenant_id, author_id, created_at, id);
