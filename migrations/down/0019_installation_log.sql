drop index users_super_admins;
drop table installation_log;
