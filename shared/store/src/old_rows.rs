//! What was written before there were tables by which it is found: the words of messages and notes, the words and answer latencies of
//! calls. Each tenant is gone through once, in steps of a limited number of rows, for the job of every minute.
//!
//! How far that has come is a row of `text_words` itself, of a noun that nobody searches: with the tenant it is deleted. Every step
//! may be repeated, and two may run at once: what is there already is stored as it is.

use std::sync::Arc;

use voicecore_domain::words::words;
use voicecore_ports::{Db, DbError, Stmt, Value};
use voicecore_types::{CallId, Millis};

use crate::directory::across_tenants;
use crate::row::{self, Reader, count_arg};
use crate::text_words::{self, TextNoun};
use crate::{Scope, StoreError};

/// Rows looked at in one step.
pub const ROWS_AT_ONCE: u32 = 100;
/// Texts whose words are stored in one step: three statements each, in one batch.
const TEXTS_AT_ONCE: usize = 12;

/// What is gone through, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Messages,
    Notes,
    Calls,
    /// Nothing is left to do.
    Done,
}

impl Stage {
    /// As it is stored.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Notes => "notes",
            Self::Calls => "calls",
            Self::Done => "done",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Messages => Self::Notes,
            Self::Notes => Self::Calls,
            Self::Calls | Self::Done => Self::Done,
        }
    }
}

/// How far a tenant has been gone through: everything up to a row, by its moment and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    stage: Stage,
    at: Millis,
    id: String,
}

/// What a step came upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Texts: their words are stored, and that is noted.
    Stored,
    /// Calls without latencies, whose transcripts the caller has to read. When what they say is stored, `then` is to be
    /// [noted](note).
    Calls {
        /// Which.
        calls: Vec<CallId>,
        /// How far that is.
        then: Progress,
    },
    /// All has been gone through.
    Done,
}

statements! {
    /// One probe for each tenant, at the key of `text_words`.
    UNFINISHED = "select t.id from tenants t where not exists (select 1 from text_words w
        where w.tenant_id = t.id and w.noun = 'old_rows' and w.word = 'done')
        and not exists (select 1 from tenant_deletions d where d.tenant_id = t.id) order by t.id limit ?1";

    PROGRESS = "select word, at, subject_id from text_words where tenant_id = ?1 and noun = 'old_rows'";

    FORGET = "delete from text_words where tenant_id = ?1 and noun = 'old_rows'";

    NOTE = "insert into text_words (tenant_id, noun, word, at, subject_id)
        select t.id, 'old_rows', cast(?2 as text), cast(?3 as bigint), cast(?4 as text) from tenants t where t.id = ?1
        on conflict (tenant_id, noun, word, at, subject_id) do nothing";

    MESSAGES = "select m.id, m.body, '' as tags, m.created_at, m.version,
        case when exists (select 1 from text_words w where w.tenant_id = m.tenant_id and w.subject_id = m.id) then 1 else 0 end as known
        from messages m where m.tenant_id = ?1 and (m.created_at, m.id) > (cast(?2 as bigint), ?3)
        order by m.created_at, m.id limit ?4";

    NOTES = "select m.id, m.body, m.tags, m.created_at, m.version,
        case when exists (select 1 from text_words w where w.tenant_id = m.tenant_id and w.subject_id = m.id) then 1 else 0 end as known
        from call_notes m where m.tenant_id = ?1 and (m.created_at, m.id) > (cast(?2 as bigint), ?3)
        order by m.created_at, m.id limit ?4";

    CALLS = "select c.id, c.started_at, case when c.finished_at is null or c.interaction_count = 0
        or exists (select 1 from call_latencies l where l.tenant_id = c.tenant_id and l.call_id = c.id) then 1 else 0 end as known
        from calls c where c.tenant_id = ?1 and (c.started_at, c.id) > (cast(?2 as bigint), ?3)
        order by c.started_at, c.id limit ?4";

    /// Changes nothing; where the text is another one by now, or gone, the batch is rolled back.
    SAME_MESSAGE = "update messages set version = version where id = ?1 and tenant_id = ?2 and version = ?3";

    SAME_NOTE = "update call_notes set version = version where id = ?1 and tenant_id = ?2 and version = ?3";
}

/// A text as it was found.
struct Text {
    id: String,
    body: String,
    tags: String,
    created_at: Millis,
    version: u64,
    known: bool,
}

fn map_text(r: &Reader<'_>) -> Result<Text, StoreError> {
    Ok(Text {
        id: r.text("id")?,
        body: r.text("body")?,
        tags: r.text("tags")?,
        created_at: r.moment("created_at")?,
        version: r.count("version")?,
        known: r.count("known")? > 0,
    })
}

/// Tenants that have not been gone through to the end, at most `limit`.
pub async fn unfinished(db: &Arc<dyn Db>, limit: u32) -> Result<Vec<Scope>, StoreError> {
    let rows = db.query(across_tenants(UNFINISHED, vec![limit.into()])).await?;
    row::all(&rows, |r| Ok(Scope::new(Arc::clone(db), r.parsed("id")?)))
}

/// Goes on where the last step has stopped. Of a limited number of calls at most, those are named that have to be looked into.
pub async fn step(scope: &Scope, max_calls: usize) -> Result<Step, StoreError> {
    let from = progress(scope).await?;
    match from.stage {
        Stage::Messages => texts(scope, from, MESSAGES, SAME_MESSAGE).await,
        Stage::Notes => texts(scope, from, NOTES, SAME_NOTE).await,
        Stage::Calls => calls(scope, from, max_calls).await,
        Stage::Done => Ok(Step::Done),
    }
}

/// Notes how far a tenant has been gone through.
pub async fn note(scope: &Scope, progress: &Progress) -> Result<(), StoreError> {
    scope.batch(noted(scope, progress).into()).await?;
    Ok(())
}

fn noted(scope: &Scope, progress: &Progress) -> [Stmt; 2] {
    let stage = progress.stage.as_str();
    let args = vec![scope.tenant_arg(), stage.into(), progress.at.into(), progress.id.as_str().into()];
    [Stmt::new(FORGET, vec![scope.tenant_arg()]), Stmt::new(NOTE, args)]
}

async fn progress(scope: &Scope) -> Result<Progress, StoreError> {
    let rows = scope.query(Stmt::new(PROGRESS, vec![scope.tenant_arg()])).await?;
    let found = row::one(&rows, |r| Ok((r.text("word")?, r.moment("at")?, r.text("subject_id")?)))?;
    let Some((word, at, id)) = found else { return Ok(Progress::at_the_start_of(Stage::Messages)) };
    let stages = [Stage::Messages, Stage::Notes, Stage::Calls, Stage::Done];
    let stage = stages.into_iter().find(|stage| stage.as_str() == word);
    Ok(Progress { stage: stage.ok_or(StoreError::OddRow { column: "word" })?, at, id })
}

impl Progress {
    fn at_the_start_of(stage: Stage) -> Self {
        Self { stage, at: Millis::ZERO, id: String::new() }
    }

    /// After these rows of `looked_at`: there are no more when those were not as many as could be.
    fn after(&self, last: Option<(Millis, String)>, looked_at: usize, stopped: bool) -> Self {
        let more = stopped || u32::try_from(looked_at).is_ok_and(|rows| rows == ROWS_AT_ONCE);
        match last {
            Some((at, id)) if more => Self { stage: self.stage, at, id },
            _ => Self::at_the_start_of(self.stage.next()),
        }
    }

    fn args(&self, scope: &Scope) -> Vec<Value> {
        vec![scope.tenant_arg(), self.at.into(), self.id.as_str().into(), ROWS_AT_ONCE.into()]
    }
}

async fn texts(
    scope: &Scope,
    from: Progress,
    unread: &'static str,
    same: &'static str,
) -> Result<Step, StoreError> {
    let noun = if from.stage == Stage::Notes { TextNoun::Note } else { TextNoun::Message };
    let rows = row::all(&scope.query(Stmt::new(unread, from.args(scope))).await?, |r| map_text(&r))?;
    let (mut stmts, mut stored, mut last) = (Vec::new(), 0, None);
    let stopped = rows.iter().any(|text| {
        if !text.known && stored == TEXTS_AT_ONCE {
            return true;
        }
        last = Some((text.created_at, text.id.clone()));
        if !text.known {
            stored += 1;
            stmts.extend(words_of(scope, noun, text, same));
        }
        false
    });
    stmts.extend(noted(scope, &from.after(last, rows.len(), stopped)));
    match scope.batch(stmts).await {
        // What was changed meanwhile is looked at again.
        Ok(_) | Err(DbError::Unexpected { .. }) => Ok(Step::Stored),
        Err(other) => Err(other.into()),
    }
}

fn words_of(scope: &Scope, noun: TextNoun, text: &Text, same: &'static str) -> Vec<Stmt> {
    let args = vec![text.id.as_str().into(), scope.tenant_arg(), count_arg(text.version)];
    let insert =
        |noun, words: &[String]| text_words::insert(scope, noun, text.id.clone(), text.created_at, words);
    let mut stmts = vec![Stmt::new(same, args).exactly(1), insert(noun, &words(&text.body))];
    if noun == TextNoun::Note {
        let tags: Vec<_> = text.tags.split_ascii_whitespace().map(str::to_owned).collect();
        stmts.push(insert(TextNoun::NoteTag, &tags));
    }
    stmts
}

async fn calls(scope: &Scope, from: Progress, max_calls: usize) -> Result<Step, StoreError> {
    let rows = scope.query(Stmt::new(CALLS, from.args(scope))).await?;
    let rows =
        row::all(&rows, |r| Ok((r.parsed::<CallId>("id")?, r.moment("started_at")?, r.count("known")? > 0)))?;
    let (mut calls, mut last) = (Vec::new(), None);
    let stopped = rows.iter().any(|(id, at, known)| {
        if !known && calls.len() == max_calls {
            return true;
        }
        last = Some((*at, id.to_string()));
        calls.extend((!known).then_some(*id));
        false
    });
    Ok(Step::Calls { calls, then: from.after(last, rows.len(), stopped) })
}
