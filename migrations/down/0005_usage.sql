drop table audit_log;
drop table usage_daily;
