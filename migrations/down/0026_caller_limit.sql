alter table tenants drop column max_hourly_calls_per_caller;
