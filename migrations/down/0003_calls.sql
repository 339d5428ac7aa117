drop table tool_runs;
drop table call_events;
drop table calls;
