drop index calls_escalated;
alter table provider_credentials drop column version;
alter table phone_numbers drop column version;
alter table memberships drop column version;
alter table roles drop column version;
alter table departments drop column version;
