use serde::Deserialize;
use voicecore_api_types::LiveEnvelope;
use voicecore_domain::hub::{CatchUp, LogBounds, Tickets};
use voicecore_types::Millis;
use worker::{SqlStorage, SqlStorageValue};

/// The hub's storage did not do what it should.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(super) enum LogError {
    /// A statement failed.
    #[error("a statement failed")]
    Sql,
    /// What is stored cannot be read.
    #[error("a stored value cannot be read")]
    Unreadable,
}

const SCHEMA: [&str; 2] = [
    "create table if not exists events (seq integer primary key, message text not null)",
    "create table if not exists state (name text primary key, value text not null)",
];
const BOUNDS: &str = "bounds";
const TICKETS: &str = "tickets";

/// A tenant's newest events and its open tickets, in the object's SQL storage; the rules are `voicecore_domain::hub`'s.
///
/// SQL here is synchronous, and what one event of the object writes is one transaction.
pub(super) struct EventLog {
    sql: SqlStorage,
    bounds: Option<LogBounds>,
}

#[derive(Deserialize)]
struct ValueRow {
    value: String,
}

#[derive(Deserialize)]
struct MessageRow {
    message: String,
}

impl EventLog {
    pub(super) fn new(sql: SqlStorage) -> Self {
        for statement in SCHEMA {
            if sql.exec(statement, None).is_err() {
                worker::console_error!("the hub's tables could not be made");
            }
        }
        Self { sql, bounds: None }
    }

    /// Stores events under the next numbers and gives them as the texts that subscribers are sent.
    pub(super) fn append<F>(&mut self, events: impl Iterator<Item = F>) -> Result<Vec<String>, LogError>
    where
        F: FnOnce(u64) -> LiveEnvelope,
    {
        let mut bounds = self.bounds()?;
        let (mut messages, mut evicted) = (Vec::new(), None);
        for event in events {
            let appended = bounds.append();
            evicted = appended.evicted.or(evicted);
            let message = serde_json::to_string(&event(appended.seq)).map_err(|_| LogError::Unreadable)?;
            let args = vec![integer(appended.seq), message.clone().into()];
            self.exec("insert into events (seq, message) values (?, ?)", args)?;
            messages.push(message);
        }
        if let Some(newest) = evicted {
            self.exec("delete from events where seq <= ?", vec![integer(newest)])?;
        }
        self.save(BOUNDS, &bounds)?;
        self.bounds = Some(bounds);
        Ok(messages)
    }

    /// The newest number given out.
    pub(super) fn last(&self) -> Result<u64, LogError> {
        self.bounds().map(|bounds| bounds.last())
    }

    /// What a subscriber has to be sent that has seen everything up to `after`.
    pub(super) fn catch_up(&self, after: Option<u64>) -> Result<CatchUp, LogError> {
        self.bounds().map(|bounds| bounds.catch_up(after))
    }

    /// The events `from` to `to`, both included, in order.
    pub(super) fn between(&self, from: u64, to: u64) -> Result<Vec<String>, LogError> {
        let rows = self.exec(
            "select message from events where seq between ? and ? order by seq",
            vec![integer(from), integer(to)],
        )?;
        let rows: Vec<MessageRow> = rows.to_array().map_err(|_| LogError::Unreadable)?;
        Ok(rows.into_iter().map(|row| row.message).collect())
    }

    /// Notes a ticket; `false` when too many are open.
    pub(super) fn issue_ticket(&mut self, now: Millis, ticket_hash: String) -> Result<bool, LogError> {
        let mut tickets: Tickets = self.load(TICKETS)?;
        let issued = tickets.issue(now, ticket_hash).is_ok();
        self.save(TICKETS, &tickets)?;
        Ok(issued)
    }

    /// Takes a ticket; `false` when it is not good (any more).
    pub(super) fn redeem_ticket(&mut self, now: Millis, ticket_hash: &str) -> Result<bool, LogError> {
        let mut tickets: Tickets = self.load(TICKETS)?;
        let redeemed = tickets.redeem(now, ticket_hash);
        self.save(TICKETS, &tickets)?;
        Ok(redeemed)
    }

    fn bounds(&self) -> Result<LogBounds, LogError> {
        self.bounds.map_or_else(|| self.load(BOUNDS), Ok)
    }

    fn load<T: serde::de::DeserializeOwned + Default>(&self, name: &str) -> Result<T, LogError> {
        let rows = self.exec("select value from state where name = ?", vec![name.into()])?;
        let rows: Vec<ValueRow> = rows.to_array().map_err(|_| LogError::Unreadable)?;
        match rows.first() {
            None => Ok(T::default()),
            Some(row) => serde_json::from_str(&row.value).map_err(|_| LogError::Unreadable),
        }
    }

    fn save<T: serde::Serialize>(&self, name: &str, value: &T) -> Result<(), LogError> {
        let text = serde_json::to_string(value).map_err(|_| LogError::Unreadable)?;
        let sql = "insert into state (name, value) values (?, ?) on conflict (name) do update set value = excluded.value";
        self.exec(sql, vec![name.into(), text.into()]).map(drop)
    }

    fn exec(&self, sql: &str, args: Vec<SqlStorageValue>) -> Result<worker::SqlCursor, LogError> {
        self.sql.exec(sql, args).map_err(|_| LogError::Sql)
    }
}

/// Numbers of events stay far below 2^53.
fn integer(number: u64) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
