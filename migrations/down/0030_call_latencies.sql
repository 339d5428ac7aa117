drop table call_latencies;
