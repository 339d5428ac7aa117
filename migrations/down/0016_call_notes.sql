drop table call_notes;
