drop table phone_numbers;
drop table businesses;
