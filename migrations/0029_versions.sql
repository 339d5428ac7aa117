-- Versions of what several people configure: each grows by one with every change.
alter table departments add column version bigint not null default 1;
alter table roles add column version bigint not null default 1;
alter table memberships add column version bigint not null default 1;
alter table phone_numbers add column version bigint not null default 1;
alter table provider_credentials add column version bigint not null default 1;

-- Calls that went on to a human being.
create index calls_escalated on calls (tenant_id, started_at, id) where end_reason = 'transferred';
