//! PostgreSQL's plans, read for what they walk through.

use serde_json::Value;
use voicecore_postgres::tokio_postgres::{Client, Error, SimpleQueryMessage};

/// A walk through a whole table is the last resort, and a plan is made for any argument, not for null.
const SETTINGS: &str = "set enable_seqscan = off; set plan_cache_mode = force_generic_plan";

/// The tables and indexes that the statement walks through whole.
pub(super) async fn walks(client: &Client, sql: &str) -> Result<Vec<String>, Error> {
    client.batch_execute(SETTINGS).await?;
    let parameters = client.prepare(sql).await?.params().len();
    client.batch_execute(&format!("prepare planned as {sql}")).await?;
    let nulls = vec!["null"; parameters].join(", ");
    let arguments = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    let explained = client.simple_query(&format!("explain (format json) execute planned{arguments}")).await?;
    let plan = explained.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let mut found = Vec::new();
    collect(&serde_json::from_str(plan.unwrap_or_default()).unwrap_or_default(), &mut found);
    Ok(found)
}

/// Goes through a plan, whose nodes are objects inside of one another.
fn collect(plan: &Value, found: &mut Vec<String>) {
    match plan {
        Value::Array(plans) => plans.iter().for_each(|plan| collect(plan, found)),
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
            let kind = text("Node Type");
            if kind == "Seq Scan" {
                found.push(text("Relation Name").to_owned());
            } else if kind.contains("Index") && kind.ends_with("Scan") && !fields.contains_key("Index Cond") {
                found.push(format!("{} of {}", text("Index Name"), text("Relation Name")).trim().to_owned());
            }
            fields.values().for_each(|inner| collect(inner, found));
        }
        _ => {}
    }
}
