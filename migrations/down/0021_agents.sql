drop table agent_departments;
drop table agents;
