-- The parts of a tenant, and who sees which.

-- A tree. That it has no cycle is seen to by the statement that moves a department.
create table departments (
  id text primary key,
  tenant_id text not null references tenants (id),
  -- Null: it stands at the top.
  parent_id text references departments (id),
  name text not null,
  created_at bigint not null,
  updated_at bigint not null
);

create unique index departments_name on departments (tenant_id, name);
create index departments_parent on departments (parent_id);

-- Who belongs to which. Somebody whose role does not let them see all departments sees these and what is below them.
create table membership_departments (
  tenant_id text not null references tenants (id),
  user_id text not null,
  department_id text not null references departments (id),
  primary key (tenant_id, user_id, department_id)
);

create index membership_departments_department on membership_departments (department_id);

-- Null: it belongs to no department, and only those who see all departments see it.
alter table businesses add column department_id text references departments (id);

create index businesses_department on businesses (department_id);

-- The department of the business at the time. No references: history outlives what is configured.
alter table calls add column department_id text;
alter table messages add column department_id text;
