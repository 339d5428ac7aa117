-- What kind of business it is (customer_support, sales, appointments, custom): for lists and templates, no rule depends on it.
alter table businesses add column kind text not null default 'custom';
-- Grows by one with every change by the API: whoever changes it says what it was.
alter table businesses add column version bigint not null default 1;
