//! Deletes tenants, step by step, over every store: database, objects, actors. The key-value store holds nothing of tenants.
//!
//! Any step may be interrupted or done twice. A tenant that cannot be deleted now (an actor does not answer) is left for a later
//! minute and keeps nobody else waiting.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use voicecore_domain::DeletionStage;
use voicecore_domain::deletion::{ACTORS_KEPT, SETTLING, remainders};
use voicecore_store::tenant_deletions::{self as store, ACCESS_TABLES, Deletion, DoomedCall, TABLES};
use voicecore_store::{Scope, blob_keys};
use voicecore_types::Millis;

use super::Swept;
use crate::actors::{CallCommand, HubCommand, ask_call, ask_hub};
use crate::{ApiError, AppState, carrier};

/// Deletions that go on in one run.
const MAX_DELETIONS: u32 = 5;
/// Steps of one deletion in one run.
const MAX_STEPS: u32 = 10;
/// Objects deleted in one step.
const OBJECTS_AT_ONCE: u32 = 50;
/// A step that took longer is taken for lost.
const LEASE: Millis = Millis::from_secs(300);
/// After a failure.
const RETRY: Millis = Millis::from_secs(60);

/// What is kept of a deletion. Numbers and words of ours: nothing of the tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeletionReport {
    /// Rows deleted, by table; those of calls together.
    pub rows: BTreeMap<String, u64>,
    /// Objects deleted.
    pub objects: u64,
    /// Actors of calls that were told to forget theirs.
    pub call_actors: u64,
    /// The hub was told to forget everything.
    pub hub: bool,
    /// Calls that were on the line, and were hung up.
    pub calls_ended: u64,
    /// Calls that were on the line, and that the carrier did not end for us.
    pub calls_not_ended: u64,
    /// Steps that failed and were done later.
    pub failed_steps: u64,
    /// What others keep, and until when.
    pub remains: Vec<Remains>,
}

/// Something that others keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remains {
    /// Where, and what.
    pub what: String,
    /// Until when. `None`: until somebody deletes it there.
    pub until: Option<Millis>,
}

/// Goes on with deletions that were asked for.
pub(super) async fn run(app: &AppState, swept: &mut Swept) -> Result<(), ApiError> {
    for deletion in store::due(&app.ports.db, app.now(), MAX_DELETIONS).await? {
        match advance(app, deletion).await {
            Ok(done) => swept.tenants_deleted += u32::from(done),
            Err(_) => swept.tenants_not_deleted += 1,
        }
    }
    Ok(())
}

/// Some steps of one deletion. `true`: it is done.
async fn advance(app: &AppState, mut deletion: Deletion) -> Result<bool, ApiError> {
    for _ in 0..MAX_STEPS {
        let now = app.now();
        if !store::claim(&deletion, now.plus(LEASE)).await? {
            return Ok(false);
        }
        let mut report: DeletionReport = serde_json::from_str(&deletion.report).unwrap_or_default();
        let stepped = step(app, &deletion, &mut report).await;
        let due_at = match &stepped {
            Err(_) => {
                report.failed_steps += 1;
                now.plus(RETRY)
            }
            Ok(finished) => {
                if *finished {
                    deletion.stage = deletion.stage.next();
                }
                match deletion.stage {
                    DeletionStage::Settling if *finished => now.plus(SETTLING),
                    _ => now,
                }
            }
        };
        if deletion.stage == DeletionStage::Done {
            deletion.finished_at = Some(now);
            report.remains = remains(app, now);
        }
        deletion.report = serde_json::to_string(&report)
            .map_err(|_| ApiError::Internal("a report cannot be written".to_owned()))?;
        let saved = store::save(&deletion, due_at).await?;
        stepped?;
        deletion.step += 1;
        if deletion.finished_at.is_some() || due_at > now || !saved {
            return Ok(saved && deletion.finished_at.is_some());
        }
    }
    Ok(false)
}

/// One bounded step. `true`: the stage is finished.
async fn step(app: &AppState, deletion: &Deletion, report: &mut DeletionReport) -> Result<bool, ApiError> {
    let scope = &deletion.scope;
    match deletion.stage {
        DeletionStage::Access => access(scope, report).await,
        DeletionStage::Calls => calls(app, scope, report).await,
        DeletionStage::Hub => hub(app, scope, report).await,
        DeletionStage::Objects => objects(app, scope, report).await,
        DeletionStage::Rows => rows(app, scope, report).await,
        // Not every table refers to the tenant's row: rows may come when it is gone.
        DeletionStage::Settling => Ok(rows(app, scope, report).await?
            && hub(app, scope, report).await?
            && objects(app, scope, report).await?),
        DeletionStage::Done => Ok(true),
    }
}

/// Some rows of any kind. Who comes in and calls once more: a request that was under way may have let somebody in, or stored a call,
/// after their stages, and the database would refuse to delete what they refer to.
async fn rows(app: &AppState, scope: &Scope, report: &mut DeletionReport) -> Result<bool, ApiError> {
    Ok(access(scope, report).await?
        && calls(app, scope, report).await?
        && tables(scope, &TABLES, report).await?)
}

/// Some of those who come in, and of what they come in by.
async fn access(scope: &Scope, report: &mut DeletionReport) -> Result<bool, ApiError> {
    let people = store::delete_people(scope).await?;
    *report.rows.entry("memberships".to_owned()).or_default() += u64::from(people);
    Ok(tables(scope, &ACCESS_TABLES, report).await? && people < store::CALLS_AT_ONCE)
}

/// Some rows of the first table that has any. `true`: none has.
async fn tables(
    scope: &Scope,
    tables: &[(&str, &'static str)],
    report: &mut DeletionReport,
) -> Result<bool, ApiError> {
    for (table, statement) in tables {
        let deleted =
            store::delete_rows(scope, statement).await.map_err(voicecore_store::StoreError::from)?;
        if deleted > 0 {
            *report.rows.entry((*table).to_owned()).or_default() += deleted;
            return Ok(false);
        }
    }
    Ok(true)
}

async fn calls(app: &AppState, scope: &Scope, report: &mut DeletionReport) -> Result<bool, ApiError> {
    let doomed = store::calls(scope).await?;
    for call in &doomed {
        if !call.status.is_end() {
            // Whether or not the carrier can be asked: nobody is on our end of the line any more.
            match carrier::hang_up(app, scope, &call.carrier_call_id).await {
                Ok(()) => report.calls_ended += 1,
                Err(_) => report.calls_not_ended += 1,
            }
        }
        if has_actor(call, app.now()) {
            ask_call(&*app.ports.actors, call.id, &CallCommand::Erase).await?;
            report.call_actors += 1;
        }
    }
    let ids: Vec<_> = doomed.iter().map(|call| call.id).collect();
    if !ids.is_empty() {
        *report.rows.entry("calls".to_owned()).or_default() += store::delete_calls(scope, &ids).await?;
    }
    Ok(ids.len() < store::CALLS_AT_ONCE as usize)
}

fn has_actor(call: &DoomedCall, now: Millis) -> bool {
    call.finished_at.is_none_or(|finished| now.since(finished) < ACTORS_KEPT)
}

async fn hub(app: &AppState, scope: &Scope, report: &mut DeletionReport) -> Result<bool, ApiError> {
    match ask_hub(&*app.ports.actors, scope.tenant(), &HubCommand::Erase).await {
        Ok(_) => report.hub = true,
        // Where there are no actors, there is no hub.
        Err(voicecore_ports::ActorError::Unsupported) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(true)
}

async fn objects(app: &AppState, scope: &Scope, report: &mut DeletionReport) -> Result<bool, ApiError> {
    let keys = app.ports.blob.list(&blob_keys::prefix(scope.tenant()), OBJECTS_AT_ONCE).await?;
    for key in &keys {
        app.ports.blob.delete(key).await?;
        report.objects += 1;
    }
    Ok(keys.is_empty())
}

fn remains(app: &AppState, now: Millis) -> Vec<Remains> {
    let until = |days: u64| now.plus(Millis::from_secs(days * 86_400));
    remainders(app.ports.actors.available())
        .map(|remainder| Remains { what: remainder.what.to_owned(), until: remainder.days.map(until) })
        .collect()
}
