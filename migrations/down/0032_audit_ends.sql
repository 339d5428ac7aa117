delete from audit_chains;
update audit_log set seq = null, hash = null where seq is not null;
alter table audit_chains rename column end_hash to hash;
