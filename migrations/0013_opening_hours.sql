-- When a business is open.

-- Name of the zone of the place in the tz database. Null: nobody has said when it is open, and the assistant does not say either.
alter table businesses add column time_zone text;
-- Spans of a week by the clock of that zone, such as monday 09:00-17:00, with semicolons between them. Empty: always closed. Null
-- together with the zone.
alter table businesses add column opening_hours text;
