alter table memberships drop column last_login_at;
