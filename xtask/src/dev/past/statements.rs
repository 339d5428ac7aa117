//! The calls as rows and objects. Nothing in them was entered by anybody: ids are ours, words are those of `conversations.json`.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use voicecore_domain::words::words;
use voicecore_types::{CallId, MessageId, Millis, NoteId};

use super::conversations::{self, Conversation};
use crate::dev::demo::Demo;
use crate::dev::state::hex;

const CALLS: u64 = 64;
const DAYS: u64 = 14;
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// When a restaurant is rung, in UTC.
const HOURS: [u64; 16] = [9, 10, 10, 11, 11, 11, 12, 13, 15, 16, 16, 17, 17, 18, 18, 19];
/// From the first ring until it is answered.
const RING_MS: u64 = 1_800;
/// What a second costs, by list prices and roughly.
const MICROS_PER_SECOND: u64 = 900;

/// What is to be stored.
pub(super) struct Written {
    pub(super) statements: Vec<String>,
    /// By their keys.
    pub(super) objects: BTreeMap<String, String>,
}

/// One call.
struct Past<'a> {
    number: u64,
    id: CallId,
    /// How the carrier names the call of this caller that has just rung.
    caller: &'a str,
    at: u64,
    /// None: nobody answered.
    said: Option<&'a Conversation>,
    seed: &'a [u8; 32],
}

/// The last days of the tenant, whose callers have just rung as the carrier's `callers`.
pub(super) fn written(demo: &Demo, callers: &[String], now: Millis, seed: &[u8; 32]) -> Result<Written> {
    let conversations = conversations::all()?;
    let mut written = Written { statements: Vec::new(), objects: BTreeMap::new() };
    for number in 0..CALLS {
        let at = moment(number, now.0);
        let missed = number % 11 == 5;
        let said = conversations.get(number as usize % conversations.len()).filter(|_| !missed);
        let id = CallId::new(Millis(at), &unique(seed, number, "call"));
        let Some(caller) = callers.get((number * 5) as usize % callers.len()) else { continue };
        Past { number, id, caller, at, said, seed }.write(demo, &mut written);
    }
    let rung = callers.iter().map(|sid| format!("'{sid}'")).collect::<Vec<_>>().join(", ");
    let rung = format!("(select id from calls where carrier_call_id in ({rung}))");
    for table in ["call_events", "dialogues", "notifications"] {
        let column = if table == "notifications" { "subject_id" } else { "call_id" };
        written.statements.push(format!("delete from {table} where {column} in {rung}"));
    }
    written.statements.push(format!("delete from calls where id in {rung}"));
    written.statements.push("delete from usage_daily".to_owned());
    written.statements.push(format!(
        "insert into usage_daily (tenant_id, day, calls, cost_micros)
        select tenant_id, started_at / {DAY}, count(*), sum(cost_micros) from calls group by tenant_id, started_at / {DAY}"
    ));
    Ok(written)
}

/// When the call came in: more of them lately, none within the last minutes.
fn moment(number: u64, now: u64) -> u64 {
    let today = now - now % DAY;
    let back = number * number * DAYS / (CALLS * CALLS);
    let hour = HOURS.get((number * 7) as usize % HOURS.len()).copied().unwrap_or(12);
    let at = today - back * DAY + hour * HOUR + number * 17 % 60 * MINUTE + number * 977 % MINUTE;
    if at + 10 * MINUTE > now { at - DAY } else { at }
}

fn unique(seed: &[u8; 32], number: u64, what: &str) -> [u8; 10] {
    let hash =
        Sha256::new().chain_update(seed).chain_update(number.to_be_bytes()).chain_update(what).finalize();
    std::array::from_fn(|index| hash.get(index).copied().unwrap_or_default())
}

/// As a literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Past<'_> {
    fn write(&self, demo: &Demo, written: &mut Written) {
        let Self { id, at, number, .. } = *self;
        let (entries, length) = self.said.map(|said| said.interactions(number)).unwrap_or_default();
        let answered = at + RING_MS;
        let ended = if self.said.is_some() { answered + length } else { at + 24_000 };
        let reason = self.said.map(|said| said.reason.as_str());
        self.row(written, reason, entries.len() as u64, ended);
        let Some(said) = self.said else { return };
        let document = json!({
            "version": 1, "call_id": id, "started_at": answered, "ended_at": ended, "reason": reason, "interactions": entries,
        });
        written
            .objects
            .insert(format!("t/{}/calls/{id}/transcript.json", demo.tenant_id), document.to_string());
        let rows: Vec<String> = words(&said.text())
            .iter()
            .map(|word| format!("('{}', {}, {at}, '{id}')", demo.tenant_id, quoted(word)))
            .collect();
        written.statements.push(format!(
            "insert into call_words (tenant_id, word, at, call_id) values {}",
            rows.join(", ")
        ));
        let waits: Vec<String> = entries
            .iter()
            .filter_map(|entry| Some((&entry["seq"], entry["latency_ms"].as_u64()?)))
            .map(|(seq, wait)| format!("('{}', '{id}', {seq}, {wait})", demo.tenant_id))
            .collect();
        if !waits.is_empty() {
            written.statements.push(format!(
                "insert into call_latencies (tenant_id, call_id, seq, latency_ms) values {}",
                waits.join(", ")
            ));
        }
        self.people(written, demo, ended);
    }

    /// The call itself. Who rang is copied from a call of theirs.
    fn row(&self, written: &mut Written, reason: Option<&str>, entries: u64, ended: u64) {
        let Self { id, at, seed, number, .. } = *self;
        let answered = at + RING_MS;
        let sid = format!("CA{}", hex(&unique(seed, number, "sid")) + "000000000000");
        let (status, answered_at) = match reason {
            Some(_) => ("completed", answered.to_string()),
            None => ("no_answer", "null".to_owned()),
        };
        let seconds = if reason.is_some() { (ended - answered) / 1_000 } else { 0 };
        let model = if reason.is_some() { "'gpt-realtime-2.1'" } else { "null" };
        let reason = reason.map_or("'caller_hung_up'".to_owned(), quoted);
        let once = u64::from(seconds > 0);
        written.statements.push(format!(
            "insert into calls (id, tenant_id, business_id, phone_number_id, carrier_call_id, direction, status, caller_number,
            caller_number_hash, department_id, started_at, answered_at, ended_at, finished_at, end_reason, attempts, model_sessions,
            interaction_count, model, text_in_tokens, audio_in_tokens, audio_out_tokens, cost_micros)
            select '{id}', tenant_id, business_id, phone_number_id, '{sid}', direction, '{status}', caller_number, caller_number_hash,
            department_id, {at}, {answered_at}, {ended}, {ended}, {reason}, {once}, {once}, {entries}, {model}, {}, {}, {}, {}
            from calls where carrier_call_id = '{}'",
            seconds * 14,
            seconds * 10,
            seconds * 12,
            seconds * MICROS_PER_SECOND,
            self.caller,
        ));
        let events =
            [("ringing", Some(at)), ("in_progress", (once == 1).then_some(answered)), (status, Some(ended))];
        for (status, at) in events.into_iter().filter_map(|(status, at)| Some((status, at?))) {
            written.statements.push(format!(
                "insert into call_events (call_id, status, tenant_id, at) select id, '{status}', tenant_id, {at} from calls where id = '{id}'"
            ));
        }
    }

    /// What callers have left for people, what people have written down, and what they are told of.
    fn people(&self, written: &mut Written, demo: &Demo, ended: u64) {
        let Self { id, seed, number, said, .. } = *self;
        let Some(said) = said else { return };
        if let Some(note) = &said.note {
            let note_id = NoteId::new(Millis(ended + HOUR), &unique(seed, number, "note"));
            written.statements.push(format!(
                "insert into call_notes (id, tenant_id, call_id, author_kind, author_id, body, category, tags, created_at, updated_at)
                select '{note_id}', c.tenant_id, c.id, 'user', u.id, {}, {}, {}, {at}, {at} from calls c join users u on u.email = {}
                where c.id = '{id}'",
                quoted(&note.body),
                quoted(&note.category),
                quoted(&note.tags),
                quoted(&demo.email),
                at = ended + 5 * MINUTE,
            ));
        }
        if let Some(message) = &said.message {
            let message_id = MessageId::new(Millis(ended), &unique(seed, number, "message"));
            written.statements.push(format!(
                "insert into messages (id, tenant_id, business_id, call_id, kind, caller_name, body, created_at, department_id)
                select '{message_id}', tenant_id, business_id, id, 'message', {}, {}, {ended}, department_id from calls where id = '{id}'",
                quoted(&message.caller),
                quoted(&message.body),
            ));
            written.statements.push(format!(
                "insert into notifications (id, tenant_id, kind, subject_id, department_id, created_at)
                select id, tenant_id, 'message_received', id, department_id, created_at from messages where id = '{message_id}'"
            ));
        }
        if said.reason == "transferred" {
            written.statements.push(format!(
                "insert into notifications (id, tenant_id, kind, subject_id, department_id, created_at)
                select id, tenant_id, 'call_escalated', id, department_id, {ended} from calls where id = '{id}'"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use voicecore_types::TenantId;

    use super::*;
    use crate::dev::demo;

    const NOW: Millis = Millis(1_795_000_000_000);

    /// A tenant with one number, where two have just rung.
    fn database(tenant: &str) -> Connection {
        let database = crate::migrate::migrated();
        let rung = ["CA1", "CA2"].map(|sid| {
            format!(
                "insert into calls (id, tenant_id, business_id, phone_number_id, carrier_call_id, direction, status, caller_number, started_at)
                values ('{sid}', '{tenant}', 'b', 'p', '{sid}', 'inbound', 'ringing', 'sealed', {now});
                insert into call_events (call_id, status, tenant_id, at) values ('{sid}', 'ringing', '{tenant}', {now});",
                now = NOW.0,
            )
        });
        database
            .execute_batch(&format!(
                "insert into tenants (id, name, created_at) values ('{tenant}', 'T', 1);
                insert into users (id, email, created_at) values ('u', '{}', 1);
                insert into usage_daily (tenant_id, day, calls) values ('{tenant}', {}, 2);
                {}",
                demo::EMAIL,
                NOW.0 / DAY,
                rung.concat()
            ))
            .unwrap();
        database
    }

    #[test]
    fn past_calls_are_stored_whole_and_those_that_rang_are_gone() {
        let tenant = TenantId::new(Millis(1), &[1; 10]).to_string();
        let demo = Demo {
            tenant_id: tenant.clone(),
            api_key: "vc_a_b".into(),
            email: demo::EMAIL.into(),
            password: "p".into(),
            phone_number: demo::PHONE_NUMBER.into(),
            fallback_number: demo::FALLBACK_NUMBER.into(),
        };
        let database = database(&tenant);
        let written = written(&demo, &["CA1".into(), "CA2".into()], NOW, &[7; 32]).unwrap();
        for statement in &written.statements {
            database.execute_batch(statement).unwrap();
        }
        let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
        assert_eq!(count("select count(*) from calls where caller_number = 'sealed'"), CALLS);
        assert_eq!(count("select count(*) from calls where ended_at is null or started_at > ended_at"), 0);
        let (from, to) = (NOW.0 - (DAYS + 2) * DAY, NOW.0);
        assert_eq!(
            count(&format!("select count(*) from calls where started_at < {from} or ended_at > {to}")),
            0
        );
        assert_eq!(count("select sum(calls) from usage_daily"), CALLS);
        assert_eq!(
            count(
                "select count(*) from calls c where not exists (select 1 from call_events e where e.call_id = c.id and e.status = c.status)"
            ),
            0
        );
        let answered = count("select count(*) from calls where interaction_count > 0");
        assert_eq!(
            (answered, count("select count(distinct call_id) from call_words")),
            (written.objects.len() as u64, answered)
        );
        for table in ["call_notes", "messages", "notifications"] {
            assert!(count(&format!("select count(*) from {table}")) > 3, "{table}");
        }
        let documents: Vec<serde_json::Value> =
            written.objects.values().map(|text| serde_json::from_str(text).unwrap()).collect();
        let answers = documents.iter().flat_map(|d| d["interactions"].as_array().unwrap());
        let waits: Vec<u64> = answers.filter_map(|entry| entry["latency_ms"].as_u64()).collect();
        assert!(waits.len() as u64 > answered);
        let stored = ["select count(*) from call_latencies", "select sum(latency_ms) from call_latencies"];
        assert_eq!(stored.map(count), [waits.len() as u64, waits.iter().sum()]);
    }
}
