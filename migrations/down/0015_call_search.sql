drop index calls_length;
drop index calls_number;
drop index calls_direction;
drop table call_words;
