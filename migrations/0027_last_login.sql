-- When somebody signed in to work for this tenant, last. The column of users says when they signed in at all, which concerns whoever runs the
-- installation and no tenant.
alter table memberships add column last_login_at bigint;
