//! `cargo xtask admin delete-tenant`: asks for the deletion of a tenant, and shows how far it has come.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use voicecore_types::TenantId;

use crate::proc::{self, output};
use crate::wrangler::Place;

/// Asks, if the tenant has this name, and gives what is known of its deletion.
pub(super) fn run(tenant: TenantId, name: Option<&str>, place: &Place) -> Result<String> {
    let statements = statements(tenant, name, proc::unix_time() * 1000);
    let printed = output(&mut place.query(&statements)?)
        .context("asking the database (are the migrations applied?)")?;
    let results: Vec<Value> = serde_json::from_str(printed.trim()).context("reading wrangler's answer")?;
    let row = results.last().and_then(|result| result["results"].as_array()?.first());
    let Some(row) = row else {
        bail!(
            "nobody has asked for the deletion of this tenant (it needs --name), or there is none of this id and name"
        );
    };
    Ok(describe(row))
}

/// wrangler binds no parameters: ids cannot hold a quotation mark, and the name goes as the numbers of its characters.
fn statements(tenant: TenantId, name: Option<&str>, now: u64) -> Vec<String> {
    let ask = name.map(|name| {
        let characters: Vec<String> = name.chars().map(|c| u32::from(c).to_string()).collect();
        format!(
            "insert into tenant_deletions (tenant_id, requested_at, requested_by_kind, stage, due_at, report)
            select id, {now}, 'operator', 'access', {now}, '{{}}' from tenants where id = '{tenant}' and name = char({})
            on conflict (tenant_id) do nothing",
            characters.join(", ")
        )
    });
    let look =
        format!("select stage, report, finished_at from tenant_deletions where tenant_id = '{tenant}'");
    // It does not work from now on, not only when the job of the next minute has begun.
    let suspend = format!(
        "update tenants set suspended_at = coalesce(suspended_at, {now}) where id = '{tenant}'
        and exists (select 1 from tenant_deletions d where d.tenant_id = '{tenant}')"
    );
    ask.into_iter().flat_map(|ask| [ask, suspend.clone()]).chain([look]).collect()
}

fn describe(row: &Value) -> String {
    let stage = row["stage"].as_str().unwrap_or("?");
    let report: Value =
        row["report"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let verdict = if row["finished_at"].is_null() {
        format!("being deleted (stage: {stage})")
    } else {
        "deleted".to_owned()
    };
    format!("{verdict}\n{report:#}")
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use serde_json::json;
    use voicecore_types::Millis;

    use super::*;

    #[test]
    fn a_tenant_is_asked_for_by_its_id_and_its_name() {
        let database = Connection::open_in_memory().unwrap();
        database
            .execute_batch(
                "create table tenants (id text, name text, suspended_at);
                create table tenant_deletions (tenant_id text primary key, requested_at, requested_by_kind, stage, due_at, report, finished_at)",
            )
            .unwrap();
        let tenant = TenantId::new(Millis(1), &[7; 10]);
        let name = "O'Hara \"& Söhne\"; --";
        database
            .execute("insert into tenants (id, name) values (?1, ?2)", [&tenant.to_string(), name])
            .unwrap();
        let asked = |name: Option<&str>| {
            for statement in statements(tenant, name, 5) {
                database.prepare(&statement).unwrap().query([]).unwrap().mapped(|_| Ok(())).count();
            }
            ["select count(*) from tenant_deletions", "select count(*) from tenants where suspended_at = 5"]
                .map(|sql| database.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap())
        };
        assert_eq!(asked(None), [0, 0]);
        assert_eq!(asked(Some("O'Hara")), [0, 0]);
        assert_eq!(asked(Some(name)), [1, 1]);
        assert_eq!(asked(Some(name)), [1, 1]);
    }

    #[test]
    fn the_report_is_shown() {
        let row = json!({"stage": "done", "report": "{\"objects\":3}", "finished_at": 7});
        assert_eq!(describe(&row), "deleted\n{\n  \"objects\": 3\n}");
        let row = json!({"stage": "calls", "report": "{}", "finished_at": null});
        assert!(describe(&row).starts_with("being deleted (stage: calls)"));
    }
}
