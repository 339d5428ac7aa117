-- The end of a chain gets a keyed hash of its own: that of the last entry stands in the log, so an end that was only that could
-- be moved to where the log was cut off.
--
-- No database can make that hash. So every chain begins anew: the job of every minute seals all entries again, in bounded
-- steps and in the same order. The column has another name from here on, so that a version that knows only the old kind of end
-- fails to seal instead of ending a chain wrongly.
alter table audit_chains rename column hash to end_hash;
delete from audit_chains;
update audit_log set seq = null, hash = null where seq is not null;
