drop table qa_results;
drop table qa_rules;
