-- The rules that the calls of a tenant are held against when they are over. A tenant without a row (made before there was this table,
-- and nothing was changed since) has those of the product.
create table qa_rules (
  tenant_id text not null primary key,
  -- A list of rules, as JSON.
  rules text not null,
  -- Grows by one with every change. 0 is what a tenant without a row has.
  version bigint not null,
  updated_at bigint not null
);

-- What a call came to by the rules: written with its words when it is over, and again when somebody asks for it.
create table qa_results (
  tenant_id text not null,
  call_id text not null,
  -- The share of the rules that the call keeps, by weight, in thousandths. Null: there were no rules.
  score_permille bigint,
  -- The version of the rules that it was held against.
  rules_version bigint not null,
  evaluated_at bigint not null,
  -- A list, as JSON: by each rule, with what the rule was like then. Holds phrases of the rules, and else nothing that was said.
  outcomes text not null,
  primary key (tenant_id, call_id)
);
