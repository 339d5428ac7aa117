use serde::Deserialize;
use voicecore_api_types::LiveEnvelope;
use voicecore_domain::hub::{CatchUp, LogBounds, Schedule, Tickets, Watcher};
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
    "create table if not exists messages (last integer primary key, first integer not null, events text not null)",
    "create table if not exists state (name text primary key, value text not null)",
];
/// Not "tickets": those of earlier versions do not say who asked for them.
const TICKETS: &str = "open_tickets";
/// What the alarm is set for.
const SCHEDULE: &str = "schedule";
/// The newest number at the last ageing.
const AGED: &str = "aged";

/// A tenant's newest events and its open tickets, in the object's SQL storage; the rules are `voicecore_domain::hub`'s.
///
/// One message of a call is one row, under the number of its last event: one line of JSON for each event. So to store a
/// message is one statement which writes one row (that is what storage costs), it is stored whole or not at all, and what
/// the log holds can be read off it: no second value can contradict it.
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
    first: u64,
    events: String,
}

#[derive(Deserialize)]
struct BoundsRow {
    first: Option<u64>,
    last: Option<u64>,
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

    /// The log of a tenant that was deleted: without tables.
    pub(super) fn erased(sql: SqlStorage) -> Self {
        Self { sql, bounds: None }
    }

    /// Stores the events of a message under the next numbers and gives them as the texts that subscribers are sent. After an
    /// error nothing is stored and no number is used.
    pub(super) fn append<F>(&mut self, events: Vec<F>) -> Result<Vec<String>, LogError>
    where
        F: FnOnce(u64) -> LiveEnvelope,
    {
        let mut bounds = self.bounds()?;
        let before = bounds.first();
        let first = bounds.append(events.len() as u64);
        let numbered = (first..).zip(events).map(|(seq, event)| serde_json::to_string(&event(seq)));
        let messages: Vec<String> = numbered.collect::<Result<_, _>>().map_err(|_| LogError::Unreadable)?;
        if messages.is_empty() {
            return Ok(messages);
        }
        let args = vec![integer(bounds.last()), integer(first), messages.join("\n").into()];
        self.exec("insert into messages (last, first, events) values (?, ?, ?)", args)?;
        self.bounds = Some(bounds);
        if bounds.first() > before
            && self.exec("delete from messages where last < ?", vec![integer(bounds.first())]).is_err()
        {
            // They are not shown any more, and the next message deletes them.
            worker::console_error!("old events of a hub could not be deleted");
        }
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

    /// The events from `from` on, in order.
    pub(super) fn since(&self, from: u64) -> Result<Vec<String>, LogError> {
        let rows = self
            .exec("select first, events from messages where last >= ? order by last", vec![integer(from)])?;
        let rows: Vec<MessageRow> = rows.to_array().map_err(|_| LogError::Unreadable)?;
        let events = rows.iter().flat_map(|row| (row.first..).zip(row.events.split('\n')));
        Ok(events.filter(|(seq, _)| *seq >= from).map(|(_, event)| event.to_owned()).collect())
    }

    /// Deletes the events that were here at the last ageing (`voicecore_domain::hub::AGEING_INTERVAL`); `false` when none is
    /// left. The newest row stays without its events, for its number is not to be given out again.
    pub(super) fn age(&mut self) -> Result<bool, LogError> {
        let aged = integer(self.load(AGED)?);
        self.bounds = None;
        let newest = "(select max(last) from messages)";
        let empty =
            format!("update messages set first = last + 1, events = '' where last <= ? and last = {newest}");
        self.exec(&empty, vec![aged.clone()])?;
        self.exec(&format!("delete from messages where last <= ? and last < {newest}"), vec![aged])?;
        let bounds = self.bounds()?;
        self.save(AGED, &bounds.last())?;
        Ok(bounds.first() <= bounds.last())
    }

    /// Notes a ticket; `false` when too many are open.
    pub(super) fn issue_ticket(
        &mut self,
        now: Millis,
        ticket_hash: String,
        watcher: Watcher,
    ) -> Result<bool, LogError> {
        let mut tickets: Tickets = self.load(TICKETS)?;
        if tickets.issue(now, ticket_hash, watcher).is_err() {
            return Ok(false);
        }
        self.save(TICKETS, &tickets)?;
        Ok(true)
    }

    /// Takes a ticket: who asked for it; `None` when it is not good (any more).
    pub(super) fn redeem_ticket(
        &mut self,
        now: Millis,
        ticket_hash: &str,
    ) -> Result<Option<Watcher>, LogError> {
        let mut tickets: Tickets = self.load(TICKETS)?;
        let watcher = tickets.redeem(now, ticket_hash);
        if watcher.is_some() {
            // One that has expired is dropped when the next is issued.
            self.save(TICKETS, &tickets)?;
        }
        Ok(watcher)
    }

    /// What the alarm is set for.
    pub(super) fn schedule(&self) -> Result<Schedule, LogError> {
        self.load(SCHEDULE)
    }

    /// Notes what the alarm is set for.
    pub(super) fn save_schedule(&self, schedule: &Schedule) -> Result<(), LogError> {
        self.save(SCHEDULE, schedule)
    }

    fn bounds(&self) -> Result<LogBounds, LogError> {
        if let Some(bounds) = self.bounds {
            return Ok(bounds);
        }
        // Both ends of the primary key: no table is scanned.
        let sql = "select (select first from messages order by last limit 1) as first, max(last) as last from messages";
        let row: BoundsRow = self.exec(sql, vec![])?.one().map_err(|_| LogError::Unreadable)?;
        Ok(match row {
            BoundsRow { first: Some(first), last: Some(last) } => LogBounds::of(first, last),
            _ => LogBounds::default(),
        })
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
