alter table messages drop column department_id;
alter table calls drop column department_id;
drop index businesses_department;
alter table businesses drop column department_id;
drop table membership_departments;
drop table departments;
