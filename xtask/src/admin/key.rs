//! `cargo xtask admin key`: an API key for a tenant whose key was lost or has leaked.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use voicecore_domain::{ApiKey, Permissions};
use voicecore_types::{ApiKeyId, AuditEntryId, Millis, TenantId};

use super::{checked_email, random};
use crate::proc::{self, output};
use crate::wrangler::Place;

/// Digits of the public part of a key.
const PREFIX_DIGITS: usize = 16;

/// Whose key is made.
pub(super) enum For {
    /// The only tenant of the owner.
    OnlyTenant,
    /// This one of the owner's tenants.
    Tenant(TenantId),
    /// The one that the key with this prefix belongs to, which the new key takes the place of.
    KeyOf(Prefix),
}

/// The public part of a key: `vc_<prefix>_…`.
#[derive(Clone, Debug)]
pub(crate) struct Prefix(String);

impl std::str::FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let prefix = text.strip_prefix("vc_").unwrap_or(text);
        let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if prefix.len() != PREFIX_DIGITS || !prefix.bytes().all(digit) {
            return Err(format!(
                "a prefix is the {PREFIX_DIGITS} digits between `vc_` and the next `_` of a key"
            ));
        }
        Ok(Self(prefix.to_owned()))
    }
}

/// Makes a key that allows everything, stores its hash in the place's database, revokes the key that it replaces (if it
/// does), and returns the new one.
pub(super) fn create(email: &str, whose: &For, place: &Place) -> Result<ApiKey> {
    let key = ApiKey::new(&random()?);
    let now = Millis(proc::unix_time() * 1000);
    let ids = Ids {
        key: ApiKeyId::new(now, &random()?),
        created: AuditEntryId::new(now, &random()?),
        revoked: AuditEntryId::new(now, &random()?),
    };
    let statements = statements(&checked_email(email)?, whose, &key, &ids, now);
    let printed =
        output(&mut place.query(&statements)?).context("storing the key (are the migrations applied?)")?;
    let rows = rows(&printed)?;
    if rows.first().is_none_or(|count| *count != 1) {
        bail!(match whose {
            For::OnlyTenant => "nobody with this address owns exactly one tenant: name it with --tenant",
            For::Tenant(_) => "nobody with this address owns this tenant",
            For::KeyOf(_) =>
                "no key with this prefix, that is not revoked yet, belongs to a tenant of this address",
        });
    }
    if matches!(whose, For::KeyOf(_)) && rows.get(REVOKED).is_none_or(|count| *count != 1) {
        bail!(
            "the old key was NOT revoked; the new one has the prefix {}: revoke it, and try again",
            key.prefix()
        );
    }
    Ok(key)
}

struct Ids {
    key: ApiKeyId,
    created: AuditEntryId,
    revoked: AuditEntryId,
}

/// Which of the [`statements`] revokes the old key.
const REVOKED: usize = 2;

/// The first gives one row if there is a key now; the third one if the old key is revoked. wrangler binds no parameters:
/// every part is one that cannot hold a quotation mark.
fn statements(email: &str, whose: &For, key: &ApiKey, ids: &Ids, now: Millis) -> Vec<String> {
    let Ids { key: id, created, revoked } = ids;
    let now = now.0;
    let which = match whose {
        For::OnlyTenant => {
            "1 = (select count(*) from memberships o where o.user_id = u.id and o.role in ('owner', 'tenant_admin'))".to_owned()
        }
        For::Tenant(tenant) => format!("m.tenant_id = '{tenant}'"),
        For::KeyOf(Prefix(prefix)) => format!(
            "m.tenant_id = (select tenant_id from api_keys where prefix = '{prefix}' and revoked_at is null)"
        ),
    };
    let mut statements = vec![
        format!(
            "insert into api_keys (id, tenant_id, name, prefix, key_hash, permissions, created_at)
            select '{id}', m.tenant_id, 'operator', '{prefix}', '{hash}', '{permissions}', {now}
            from users u join memberships m on m.user_id = u.id and m.role in ('owner', 'tenant_admin')
            where u.email = '{email}' and {which} returning id",
            prefix = key.prefix(),
            hash = key.hash(),
            permissions = Permissions::of_tenant(),
        ),
        format!(
            "insert into audit_log (id, tenant_id, at, actor_kind, action, subject_id)
            select '{created}', tenant_id, {now}, 'operator', 'api_key.create', id from api_keys where id = '{id}'"
        ),
    ];
    if let For::KeyOf(Prefix(prefix)) = whose {
        statements.push(format!(
            "update api_keys set revoked_at = {now} where prefix = '{prefix}' and revoked_at is null
            and tenant_id = (select tenant_id from api_keys where id = '{id}') returning id"
        ));
        statements.push(format!(
            "insert into audit_log (id, tenant_id, at, actor_kind, action, subject_id)
            select '{revoked}', old.tenant_id, {now}, 'operator', 'api_key.revoke', old.id
            from api_keys old join api_keys new on new.tenant_id = old.tenant_id and new.id = '{id}'
            where old.prefix = '{prefix}'"
        ));
    }
    statements
}

/// How many rows each statement gave, of what wrangler prints with `--json`.
fn rows(printed: &str) -> Result<Vec<usize>> {
    let results: Vec<Value> = serde_json::from_str(printed.trim()).context("reading wrangler's answer")?;
    Ok(results.iter().map(|result| result["results"].as_array().map_or(0, Vec::len)).collect())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    const NOW: Millis = Millis(1_795_000_000_000);

    /// Two owners, of whom one owns two tenants; each tenant has one key.
    fn database() -> Connection {
        let database = crate::migrate::migrated();
        for (n, user) in [(1, "ada"), (2, "bob"), (3, "bob")] {
            let tenant = tenant(n);
            database
                .execute_batch(&format!(
                    "insert into tenants (id, name, created_at) values ('{tenant}', 'T', 1);
                    insert into users (id, email, created_at) values ('{user}', '{user}@example.org', 1)
                    on conflict (email) do nothing;
                    insert into memberships (user_id, tenant_id, role, created_at) values ('{user}', '{tenant}', 'owner', 1);
                    insert into api_keys (id, tenant_id, name, prefix, key_hash, permissions, created_at)
                    values ('old{n}', '{tenant}', 'setup', '{n:016x}', 'h', '', 1)"
                ))
                .unwrap();
        }
        database
    }

    fn tenant(n: u8) -> TenantId {
        TenantId::new(Millis(1), &[n; 10])
    }

    /// Rows that each statement gave, and the new key.
    fn run(database: &Connection, email: &str, whose: &For) -> (Vec<usize>, ApiKey) {
        let key = ApiKey::new(&random().unwrap());
        let ids = Ids {
            key: ApiKeyId::new(NOW, &random().unwrap()),
            created: AuditEntryId::new(NOW, &random().unwrap()),
            revoked: AuditEntryId::new(NOW, &random().unwrap()),
        };
        let statements = statements(email, whose, &key, &ids, NOW);
        let count =
            |sql: &String| database.prepare(sql).unwrap().query([]).unwrap().mapped(|_| Ok(())).count();
        (statements.iter().map(count).collect(), key)
    }

    fn number(database: &Connection, sql: &str) -> u32 {
        database.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_owner_gets_a_key_of_which_only_the_hash_is_kept() {
        let database = database();
        let (rows, key) = run(&database, "ada@example.org", &For::OnlyTenant);
        assert_eq!(rows, [1, 0]);
        let stored: (String, String) = database
            .query_row(
                "select tenant_id, key_hash from api_keys where prefix = ?1 and revoked_at is null",
                [key.prefix()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!(stored.0, tenant(1).to_string());
        assert!(key.matches(&stored.1));
        assert_eq!(number(&database, "select count(*) from audit_log where action = 'api_key.create'"), 1);
        assert_eq!(number(&database, "select count(*) from api_keys where revoked_at is not null"), 0);
    }

    #[test]
    fn a_leaked_key_is_replaced_within_its_tenant_once() {
        let database = database();
        let leaked = || For::KeyOf(format!("vc_{:016x}", 3).parse().unwrap());
        let (rows, key) = run(&database, "bob@example.org", &leaked());
        assert_eq!((rows[0], rows[REVOKED]), (1, 1));
        let of =
            format!("select tenant_id = '{}' from api_keys where prefix = '{}'", tenant(3), key.prefix());
        assert_eq!(number(&database, &of), 1);
        assert_eq!(number(&database, "select count(*) from api_keys where revoked_at is not null"), 1);
        assert_eq!(number(&database, "select count(*) from audit_log where subject_id = 'old3'"), 1);
        // It is revoked already; and whoever owns another tenant cannot touch it.
        for (email, prefix) in [("bob@example.org", 3), ("ada@example.org", 2)] {
            let whose = For::KeyOf(format!("{prefix:016x}").parse().unwrap());
            assert_eq!(run(&database, email, &whose).0, [0, 0, 0, 0]);
        }
    }

    #[test]
    fn nothing_is_made_for_a_stranger_or_for_one_of_several_tenants_by_chance() {
        let database = database();
        for (email, whose) in [
            ("eve@example.org", For::OnlyTenant),
            ("bob@example.org", For::OnlyTenant),
            ("ada@example.org", For::Tenant(tenant(2))),
        ] {
            assert_eq!(run(&database, email, &whose).0, [0, 0], "{email}");
        }
        assert_eq!(run(&database, "bob@example.org", &For::Tenant(tenant(2))).0, [1, 0]);
        assert_eq!(number(&database, "select count(*) from api_keys"), 4);
    }

    #[test]
    fn a_prefix_is_sixteen_digits() {
        for bad in ["", "1", "vc_", "000000000000000G", "'00000000000000'", "00000000000000000"] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
    }

    #[test]
    fn rows_of_each_statement_are_counted() {
        let printed = r#"[{"results":[{"id":"1"}],"success":true,"meta":{}},{"results":[],"success":true}]"#;
        assert_eq!(rows(printed).unwrap(), [1, 0]);
        assert!(rows("no JSON").is_err());
    }
}
