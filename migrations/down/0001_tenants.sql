drop table api_keys;
drop table setup_tokens;
drop table memberships;
drop table users;
drop table platform_keys;
drop table tenant_keys;
drop table tenants;
