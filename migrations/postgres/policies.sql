-- Who may do what in PostgreSQL. Run by `cargo xtask migrate` after every change of the schema; running it again does no harm.
--
-- The product connects as a role that owns nothing: a login role that is a member of voicecore_app. Until this file has run, that
-- role has no right to a new table at all, so no table is ever open without its policy.
--
-- Policies are made from the tables that there are: each that has a tenant_id gets one, FORCEd, so that it binds the owner as
-- well. What a transaction reaches is said by two settings that last as long as the transaction (shared/ports, Reach):
-- voicecore.tenant names the tenant whose rows there are, voicecore.every_tenant = on is for what has to find the tenant first.
-- A transaction that says nothing finds no row of any tenant.
--
-- The table of objects (of a platform without an object store) has keys instead of a tenant_id. They are t/TENANT/ and more, so the
-- second part of a key names the tenant. One without such a part is nobody's, and only the setting for every tenant finds it.

do $$
begin
  create role voicecore_app nologin;
exception
  when duplicate_object or unique_violation then null;
end
$$;

do $$
declare
  tenant_table record;
  whose text;
begin
  execute format('grant usage on schema %I to voicecore_app', current_schema());
  for tenant_table in
    select c.oid, c.relname as name,
      -- A tenant's own row is named by its id, an object by its key.
      case c.relname when 'tenants' then 'id' when 'blobs' then 'key' else 'tenant_id' end as key,
      case c.relname when 'tenants' then 'id' when 'blobs' then 'nullif(split_part(key, ''/'', 2), '''')' else 'tenant_id' end as owner
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'schema_migrations'
    order by c.relname
  loop
    if exists (
      select from pg_attribute a
      where a.attrelid = tenant_table.oid and a.attname = tenant_table.key and not a.attisdropped
    ) then
      -- In a subquery a setting is read once for a statement, not once for each row.
      whose := format(
        '%s = (select current_setting(''voicecore.tenant'', true)) or (select current_setting(''voicecore.every_tenant'', true)) = ''on''',
        tenant_table.owner
      );
      execute format('alter table %I enable row level security', tenant_table.name);
      execute format('alter table %I force row level security', tenant_table.name);
      execute format('drop policy if exists tenant on %I', tenant_table.name);
      execute format('create policy tenant on %I using (%s) with check (%s)', tenant_table.name, whose, whose);
    end if;
    execute format('grant select, insert, update, delete on %I to voicecore_app', tenant_table.name);
  end loop;
end
$$;
