drop index setup_tokens_email;
drop table tenant_deletions;
