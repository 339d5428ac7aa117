-- Calls that one number may have made to the tenant within an hour: somebody who rings without end must not use up the day of all others.
-- Callers who withhold their number are not counted.
alter table tenants add column max_hourly_calls_per_caller bigint not null default 60;
