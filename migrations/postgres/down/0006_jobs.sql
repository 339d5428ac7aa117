drop table blobs;
drop table jobs;
