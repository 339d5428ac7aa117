drop table tenant_deletions;
