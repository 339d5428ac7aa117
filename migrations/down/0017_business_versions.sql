alter table businesses drop column version;
alter table businesses drop column kind;
