-- Objects by key, of a platform without an object store. Keys begin with t/<tenant>/, so a tenant is a range of the key.
create table blobs (
  key text primary key,
  bytes blob not null
);
