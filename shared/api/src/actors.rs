//! What actors are asked and what they answer: one typed table for both ends. The `Actors` port carries it as JSON.
//!
//! Commands are idempotent: whoever did not hear the answer asks again.

use serde::{Deserialize, Serialize};
use voicecore_call::{AfterStream, Interaction, Intervention, LiveEvent};
use voicecore_domain::hub::Watcher;
use voicecore_ports::{ActorError, Actors};
use voicecore_types::{CallId, Millis, TenantId};

/// What a `CallActor` is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum CallCommand {
    /// The media stream of this attempt has ended (`<Connect action>`): what comes next? The answer is the same however
    /// often one attempt is asked for.
    AfterStream {
        /// Which stream, from 1.
        attempt: u32,
    },
    /// Somebody steps in.
    Intervene {
        /// Who, and what they want. Its name makes it one, however often it is asked for.
        intervention: Intervention,
    },
    /// What has been said so far.
    Transcript,
    /// The carrier says that the call is over, whatever the sockets say: finish it.
    CarrierEnded,
    /// The end of the call never came and is long overdue: finish it as abandoned.
    Abandon,
    /// The tenant is being deleted: close the sockets and forget everything, without storing anything anywhere.
    Erase,
}

/// What a `CallActor` answers. Serialized by variant, not by a field that names it: replies are read where size counts
/// (functions/README.md, "Size"), and a field that may come last makes serde keep all others until then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallReply {
    /// To `AfterStream`.
    AfterStream {
        /// What comes next.
        after: AfterStream,
    },
    /// To `Intervene`: it is done, now or before. To `CarrierEnded` and `Abandon`: the call is being ended. To `Erase`: nothing is
    /// left of it.
    Accepted,
    /// To `Intervene`: the call is over, or saying goodbye.
    TooLate,
    /// To `Transcript`.
    Transcript {
        /// The entries by `seq`, the last one possibly still growing.
        interactions: Vec<Interaction>,
        /// The call is over and this is all of it.
        complete: bool,
    },
    /// To anything: this actor holds no call. It never saw a stream, or the call is over and its storage deleted.
    NotRunning,
}

/// What a `HubActor` is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum HubCommand {
    /// Append these events of one call to the tenant's stream and send them to everyone who listens.
    Publish {
        /// Which call.
        call_id: CallId,
        /// What happened, in order.
        events: Vec<HubEvent>,
    },
    /// Note a ticket that opens the live stream once (see `voicecore_domain::hub::Tickets`).
    Ticket {
        /// Hash of the ticket, as `live::open_ticket` gives it.
        ticket_hash: String,
        /// Who asked for it.
        watcher: Watcher,
    },
    /// Somebody's rights were changed or taken: look without delay who may still listen.
    LookAgain,
    /// The tenant is being deleted: close the sockets and forget everything.
    Erase,
}

/// One event on its way to the hub, which gives it its `seq`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HubEvent {
    /// When it happened.
    pub at: Millis,
    /// What.
    pub event: LiveEvent,
}

/// What a `HubActor` tells a call over the socket on which the call publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum HubNotice {
    /// Told first, and whenever it changes: is anybody connected who sees events as they come?
    Watched {
        /// Somebody is.
        watched: bool,
    },
}

/// What a `HubActor` answers, serialized as [`CallReply`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HubReply {
    /// To `Publish`.
    Published {
        /// `seq` of the last event.
        seq: u64,
    },
    /// To `Ticket`: it is good until this moment.
    TicketIssued {
        /// From when on it opens nothing.
        expires_at: Millis,
    },
    /// To `Ticket`: too many are open.
    TooManyTickets,
    /// To `LookAgain`: it is about to look.
    Accepted,
    /// To `Erase`: nothing is left.
    Erased,
}

/// Asks the actor of `call`.
pub async fn ask_call(
    actors: &dyn Actors,
    call: CallId,
    command: &CallCommand,
) -> Result<CallReply, ActorError> {
    let command = serde_json::to_value(command).map_err(|_| ActorError::Unavailable)?;
    let reply = match actors.call(call, command).await {
        // Where there are no actors, none holds a call.
        Err(ActorError::Unsupported) => return Ok(CallReply::NotRunning),
        reply => reply?,
    };
    // An actor of another version may answer what we don't know: as good as no answer.
    serde_json::from_value(reply).map_err(|_| ActorError::Unavailable)
}

/// Asks the hub of `tenant`.
pub async fn ask_hub(
    actors: &dyn Actors,
    tenant: TenantId,
    command: &HubCommand,
) -> Result<HubReply, ActorError> {
    let command = serde_json::to_value(command).map_err(|_| ActorError::Unavailable)?;
    let reply = actors.hub(tenant, command).await?;
    serde_json::from_value(reply).map_err(|_| ActorError::Unavailable)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use voicecore_call::OperatorCommand;

    use super::*;

    fn check<T: Serialize + for<'a> Deserialize<'a> + PartialEq + std::fmt::Debug>(
        value: &T,
        wire: serde_json::Value,
    ) {
        assert_eq!(serde_json::to_value(value).unwrap(), wire);
        assert_eq!(serde_json::from_value::<T>(wire).unwrap(), *value);
    }

    /// Two versions of the worker speak this with each other during a deployment: a change here is a decision.
    #[test]
    fn wire_format_is_fixed() {
        check(&CallCommand::AfterStream { attempt: 2 }, json!({"command": "after_stream", "attempt": 2}));
        let by = |command| Intervention {
            id: "i1".to_owned(),
            actor_kind: "user".to_owned(),
            actor_id: "u1".to_owned(),
            command,
        };
        for (command, wire) in [
            (
                OperatorCommand::Message { text: "Be brief.".to_owned() },
                json!({"action": "message", "text": "Be brief."}),
            ),
            (OperatorCommand::Pause, json!({"action": "pause"})),
            (OperatorCommand::Resume, json!({"action": "resume"})),
            (
                OperatorCommand::Override { instructions: "Sing.".to_owned() },
                json!({"action": "override", "instructions": "Sing."}),
            ),
            (OperatorCommand::End { at_once: true }, json!({"action": "end", "at_once": true})),
        ] {
            let mut intervention = json!({"id": "i1", "actor_kind": "user", "actor_id": "u1"});
            intervention.as_object_mut().unwrap().extend(wire.as_object().unwrap().clone());
            check(
                &CallCommand::Intervene { intervention: by(command) },
                json!({"command": "intervene", "intervention": intervention}),
            );
        }
        check(&CallReply::TooLate, json!("too_late"));
        check(&CallCommand::Transcript, json!({"command": "transcript"}));
        check(&CallCommand::CarrierEnded, json!({"command": "carrier_ended"}));
        check(&CallCommand::Abandon, json!({"command": "abandon"}));
        check(&CallCommand::Erase, json!({"command": "erase"}));
        check(
            &CallReply::AfterStream { after: AfterStream::Reconnect { attempt: 3 } },
            json!({"after_stream": {"after": {"reconnect": {"attempt": 3}}}}),
        );
        let after = AfterStream::Goodbye;
        check(&CallReply::AfterStream { after }, json!({"after_stream": {"after": "goodbye"}}));
        check(&CallReply::Accepted, json!("accepted"));
        check(&CallReply::NotRunning, json!("not_running"));
        check(
            &CallReply::Transcript { interactions: vec![], complete: true },
            json!({"transcript": {"interactions": [], "complete": true}}),
        );
        let call_id: CallId = "01939a2b-0000-7000-8000-000000000001".parse().unwrap();
        check(
            &HubCommand::Publish {
                call_id,
                events: vec![HubEvent { at: Millis(7), event: LiveEvent::CallerSpeaking }],
            },
            json!({"command": "publish", "call_id": call_id, "events": [{"at": 7, "event": {"type": "caller_speaking"}}]}),
        );
        check(&HubNotice::Watched { watched: true }, json!({"notice": "watched", "watched": true}));
        check(&HubReply::Published { seq: 9 }, json!({"published": {"seq": 9}}));
        let watcher = Watcher::Session("01939a2b-0000-7000-8000-000000000002".parse().unwrap());
        check(
            &HubCommand::Ticket { ticket_hash: "ab12".to_owned(), watcher },
            json!({"command": "ticket", "ticket_hash": "ab12",
                "watcher": {"kind": "session", "id": "01939a2b-0000-7000-8000-000000000002"}}),
        );
        check(&HubCommand::LookAgain, json!({"command": "look_again"}));
        check(&HubReply::Accepted, json!("accepted"));
        check(
            &HubReply::TicketIssued { expires_at: Millis(30_000) },
            json!({"ticket_issued": {"expires_at": 30_000}}),
        );
        check(&HubReply::TooManyTickets, json!("too_many_tickets"));
        check(&HubCommand::Erase, json!({"command": "erase"}));
        check(&HubReply::Erased, json!("erased"));
    }
}
