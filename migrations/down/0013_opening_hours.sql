alter table businesses drop column opening_hours;
alter table businesses drop column time_zone;
