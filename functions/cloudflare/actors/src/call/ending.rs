//! The end of a call: stored where it belongs, then forgotten here. Nothing is lost when that fails: the actor keeps what it
//! has and tries again by alarm.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use voicecore_api::actors::ask_hub;
use voicecore_api::live::{self, CallSetup, FinishError};
use voicecore_call::CallSummary;
use voicecore_cloudflare_platform::ports;
use voicecore_types::Millis;

use super::actor::{Actor, key};
use super::session::Session;
use crate::journal::StoredJournal;

/// The first pause between two tries; each next one is twice as long.
const FIRST_RETRY: Millis = Millis::from_secs(5);
/// The longest pause.
const LONGEST_RETRY: Millis = Millis::from_secs(600);
/// Tries of one ending: about a week. Then the record stays where it is, for a person to look at.
const MAX_TRIES: u32 = 1_000;

/// A call that is over, until it is stored where it belongs.
#[derive(Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) setup: CallSetup,
    pub(super) summary: CallSummary,
    /// Tries that failed.
    tries: u32,
}

/// Ends a call that the machine has finished.
pub(super) async fn end(actor: &Actor, session: &Rc<Session>, summary: CallSummary) {
    let ended = Ended { setup: session.setup().clone(), summary, tries: 0 };
    if actor.app.config.journal {
        // Should the actor die now, its alarm finds this.
        keep(actor, &ended).await;
    }
    let last_news = session.hub().finish();
    settle(actor, ended).await;
    if let Some(news) = last_news {
        // Dashboards show the end of the call a moment late, or when they load it: that costs nothing.
        let _ = ask_hub(&*actor.app.state.ports.actors, session.setup().tenant_id, &news).await;
    }
}

/// Stores the end of a call and wipes the actor; on failure, sees to another try.
pub(super) async fn settle(actor: &Actor, mut ended: Ended) {
    match store(actor, &ended).await {
        Ok(()) => {
            if actor.records.wipe().await.is_err() {
                worker::console_error!("the storage of a finished call could not be wiped");
            }
            actor.forget();
        }
        Err(error) => {
            ended.tries += 1;
            worker::console_error!("the end of a call is not stored yet (try {}): {error}", ended.tries);
            keep(actor, &ended).await;
        }
    }
}

async fn store(actor: &Actor, ended: &Ended) -> Result<(), FinishError> {
    let app = &actor.app.state;
    live::finish_call(app, &ended.setup, &ended.summary).await?;
    match StoredJournal::read(&actor.records).await {
        Ok(journal) if journal.text.is_empty() => Ok(()),
        Ok(journal) => live::archive_journal(app, &ended.setup, journal.text.as_bytes()).await,
        Err(_) => {
            // The transcript is safe, and that is what the journal was for.
            worker::console_error!("the journal of a finished call could not be read");
            Ok(())
        }
    }
}

/// Writes down that the call is over, and sets the alarm that sees to the rest.
async fn keep(actor: &Actor, ended: &Ended) {
    if actor.erased.get() {
        return;
    }
    let now = ports::now();
    let kept = actor.records.put(key::ENDED, ended).await;
    let watched = if ended.tries < MAX_TRIES {
        actor.records.set_alarm(now.plus(pause(ended.tries)), now).await
    } else {
        Ok(())
    };
    if kept.is_err() || watched.is_err() {
        worker::console_error!("the end of a call could not be kept for another try");
    }
}

fn pause(tries: u32) -> Millis {
    let doubled = FIRST_RETRY.0.saturating_mul(1 << tries.saturating_sub(1).min(16));
    Millis(doubled.min(LONGEST_RETRY.0))
}
