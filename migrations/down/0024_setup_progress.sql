alter table tenants drop column setup_completed_at;
drop table setup_progress;
