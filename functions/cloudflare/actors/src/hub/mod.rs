mod listeners;
mod log;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use axum::response::IntoResponse as _;
use voicecore_api::ApiError;
use voicecore_api::actors::{HubCommand, HubEvent, HubNotice, HubReply};
use voicecore_api::live::{self, LiveAccess, TicketRefusal};
use voicecore_api_types::LiveEnvelope;
use voicecore_cloudflare_platform::{into_worker, path_and_query, ports};
use voicecore_domain::hub::{CatchUp, Schedule, TICKET_LIFETIME};
use voicecore_types::{CallId, Millis};
use worker::worker_sys::WebSocketRequestResponsePair;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, Socket, State, WebSocket, durable_object,
};
use worker::{WebSocketIncomingMessage, WebSocketPair};

use self::listeners::Listener;
use self::log::{EventLog, LogError};
use super::{COMMAND_PATH, PUBLISH_PATH};

/// Dashboards and softphones of one tenant that are connected at one time.
const MAX_SUBSCRIBERS: usize = 500;
/// The largest message of a call actor. An honest one holds a quarter of a second of news.
const MAX_PUBLISH_BYTES: usize = 512 * 1024;
/// Tags of the sockets, to tell them apart after hibernation.
const SUBSCRIBER: &str = "subscriber";
const CALL: &str = "call";
/// Told to a subscriber that missed more than the log holds.
const RESYNC: &str = r#"{"type":"resync"}"#;
/// Too much for one message (RFC 6455, §7.4.1).
const TOO_BIG: u16 = 1009;

/// The hub of one tenant, named by its id: it gives each event its number, keeps the newest ones, and sends them to everyone
/// who listens.
///
/// All its sockets hibernate: between two messages the object may leave memory, and a heartbeat (`ping`, answered with
/// `pong` by the runtime) does not bring it back. So everything it must know lies in its storage.
///
/// Its one alarm rings for two things (`voicecore_domain::hub::Schedule`): events age, and listeners are looked at again
/// (`listeners`).
#[durable_object]
pub struct HubActor {
    state: State,
    env: Env,
    log: RefCell<EventLog>,
    /// What the alarm is set for, once it has been read.
    schedule: Cell<Option<Schedule>>,
}

impl DurableObject for HubActor {
    fn new(state: State, env: Env) -> Self {
        voicecore_cloudflare_platform::install_hook();
        if let Ok(pair) = WebSocketRequestResponsePair::new("ping", "pong") {
            state.set_websocket_auto_response(&pair);
        }
        let log = RefCell::new(EventLog::new(state.storage().sql()));
        Self { state, env, log, schedule: Cell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let url = request.inner().url();
        let path_and_query = path_and_query(&url);
        match request.path().as_str() {
            COMMAND_PATH => {
                let command: HubCommand = request.json().await?;
                if command == HubCommand::Erase {
                    return Response::from_json(&self.erase().await?);
                }
                let look = command == HubCommand::LookAgain;
                let reply = self.command(command)?;
                if !look {
                    self.plan(Schedule::holds_events).await;
                } else if !self.listeners().is_empty() {
                    self.plan(Schedule::look_at_once).await;
                }
                Response::from_json(&reply)
            }
            PUBLISH_PATH => self.accept_call(),
            _ => match live::open_ticket(path_and_query) {
                Ok(access) => self.subscribe(&access).await,
                Err(refusal) => into_worker(refusal.into_response()).await,
            },
        }
    }

    async fn websocket_message(&self, socket: WebSocket, message: WebSocketIncomingMessage) -> Result<()> {
        if !self.has_tag(&socket, CALL) {
            // Subscribers have nothing to say; a heartbeat does not come here.
            return Ok(());
        }
        let WebSocketIncomingMessage::String(text) = message else { return Ok(()) };
        if text.len() > MAX_PUBLISH_BYTES {
            return socket.close::<&str>(Some(TOO_BIG), None);
        }
        let Ok(command) = serde_json::from_str(&text) else {
            worker::console_error!("a call's message to its hub cannot be read");
            return Ok(());
        };
        self.command(command)?;
        self.plan(Schedule::holds_events).await;
        Ok(())
    }

    async fn websocket_close(
        &self,
        socket: WebSocket,
        _code: usize,
        _reason: String,
        _clean: bool,
    ) -> Result<()> {
        self.left(&socket);
        // Completes the closing handshake; fails when the socket is gone already.
        let _ = socket.close::<&str>(Some(super::socket::NORMAL_CLOSURE), None);
        Ok(())
    }

    async fn websocket_error(&self, socket: WebSocket, _error: Error) -> Result<()> {
        self.left(&socket);
        Ok(())
    }

    async fn alarm(&self) -> Result<Response> {
        let mut schedule =
            self.schedule.get().map_or_else(|| self.log.borrow().schedule(), Ok).unwrap_or_default();
        let due = schedule.rang(ports::now());
        self.schedule.set(Some(schedule));
        if due.ageing {
            match self.log.borrow_mut().age() {
                Ok(false) => {}
                Ok(true) => self.change(Schedule::holds_events),
                Err(error) => {
                    // What is stored says still that this is due: the runtime lets the alarm ring again.
                    self.schedule.set(None);
                    return Err(storage_failed(error));
                }
            }
        }
        if due.look {
            self.look().await;
        }
        self.plan(|_, _| {}).await;
        Response::empty()
    }

    async fn connect(&self, _socket: Socket) -> Result<()> {
        Ok(())
    }
}

impl HubActor {
    /// Nothing of the tenant stays here. The tables go, too: what is still on its way to this object fails.
    async fn erase(&self) -> Result<HubReply> {
        for socket in self.state.get_websockets() {
            // Fails on a socket that is closing.
            let _ = socket.close::<&str>(Some(super::socket::NORMAL_CLOSURE), None);
        }
        let storage = self.state.storage();
        storage.delete_alarm().await?;
        storage.delete_all().await?;
        self.schedule.set(None);
        self.log.replace(EventLog::erased(storage.sql()));
        Ok(HubReply::Erased)
    }

    fn command(&self, command: HubCommand) -> Result<HubReply> {
        match command {
            // Taken before, where it can be waited for; a call does not say it.
            HubCommand::Erase => Ok(HubReply::Erased),
            // Seen to where the alarm can be waited for; a call does not say it.
            HubCommand::LookAgain => Ok(HubReply::Accepted),
            HubCommand::Publish { call_id, events } => self.publish(call_id, events),
            HubCommand::Ticket { ticket_hash, watcher } => {
                let now = ports::now();
                let issued = self.log.borrow_mut().issue_ticket(now, ticket_hash, watcher);
                Ok(if issued.map_err(storage_failed)? {
                    HubReply::TicketIssued { expires_at: now.plus(TICKET_LIFETIME) }
                } else {
                    HubReply::TooManyTickets
                })
            }
        }
    }

    /// Numbers and stores the events, then sends them. The output gate holds the sending back until the storing is
    /// confirmed, so no subscriber sees a number that could be given out again.
    fn publish(&self, call_id: CallId, events: Vec<HubEvent>) -> Result<HubReply> {
        let encoded = events.into_iter().filter_map(|HubEvent { at, event }| {
            let encoded = serde_json::to_value(&event);
            // Left out before it has a number: a gap would look like a loss.
            let event = encoded.inspect_err(|_| worker::console_error!("an event cannot be encoded")).ok()?;
            Some(move |seq| LiveEnvelope { seq, at, call_id, event })
        });
        let envelopes = encoded.collect();
        let mut log = self.log.borrow_mut();
        let messages = log.append(envelopes).map_err(storage_failed)?;
        let seq = log.last().map_err(storage_failed)?;
        drop(log);
        for subscriber in self.listeners() {
            for message in &messages {
                // Fails on a socket that is closing; its end is told by `websocket_close`.
                let _ = subscriber.send_with_str(message);
            }
        }
        Ok(HubReply::Published { seq })
    }

    fn change(&self, change: impl FnOnce(&mut Schedule, Millis)) {
        if let Some(mut schedule) = self.schedule.get() {
            change(&mut schedule, ports::now());
            self.schedule.set(Some(schedule));
        }
    }

    /// Changes what the alarm is for, and sets it if it has to ring earlier. What fails is tried again with the next change.
    async fn plan(&self, change: fn(&mut Schedule, Millis)) {
        let known = self.schedule.get();
        if known.is_none() {
            let stored = self.stored_schedule().await;
            // Another event may have read and changed it in the meantime.
            self.schedule.set(self.schedule.get().or(Some(stored)));
        }
        self.change(change);
        let mut schedule = self.schedule.get().unwrap_or_default();
        let alarm = schedule.arm();
        if known == Some(schedule) && schedule.is_armed() {
            return;
        }
        self.schedule.set(Some(schedule));
        let saved = self.log.borrow().save_schedule(&schedule);
        let set = match alarm {
            Some(at) => {
                let wait = Duration::from_millis(at.0.saturating_sub(ports::now().0));
                self.state.storage().set_alarm(wait).await
            }
            None => Ok(()),
        };
        if saved.is_err() || set.is_err() {
            self.schedule.set(None);
            worker::console_error!("the alarm of a hub could not be set");
        }
    }

    async fn stored_schedule(&self) -> Schedule {
        let mut schedule = self.log.borrow().schedule().unwrap_or_default();
        // An alarm that failed too often is not set any more.
        if let Ok(None) = self.state.storage().get_alarm().await {
            schedule.not_armed();
        }
        schedule
    }

    async fn subscribe(&self, access: &LiveAccess) -> Result<Response> {
        let redeemed = self.log.borrow_mut().redeem_ticket(ports::now(), &access.ticket_hash);
        let Some(watcher) = redeemed.map_err(storage_failed)? else {
            return into_worker(TicketRefusal::Refused.into_response()).await;
        };
        let listener = Listener { tenant_id: access.tenant_id, watcher };
        match self.may_listen(&[listener]).await {
            None => return unavailable("nobody can be asked who may listen").await,
            Some(may) if may.is_empty() => {
                return into_worker(TicketRefusal::Refused.into_response()).await;
            }
            Some(_) => {}
        }
        if self.listeners().len() >= MAX_SUBSCRIBERS {
            return unavailable("too many subscribers").await;
        }
        let begin: fn(&mut Schedule, Millis) =
            if self.listeners().is_empty() { Schedule::is_watched_anew } else { Schedule::is_watched };
        let (response, socket) = self.accept(SUBSCRIBER)?;
        listener.attach(&socket)?;
        self.tell_calls(true);
        self.catch_up(access, &socket)?;
        self.plan(begin).await;
        Ok(response)
    }

    fn catch_up(&self, access: &LiveAccess, socket: &WebSocket) -> Result<()> {
        let log = self.log.borrow();
        match log.catch_up(access.after).map_err(storage_failed)? {
            CatchUp::Resync { .. } => socket.send_with_str(RESYNC)?,
            CatchUp::Events { from, to } if from > to => {}
            CatchUp::Events { from, .. } => {
                for message in log.since(from).map_err(storage_failed)? {
                    socket.send_with_str(message)?;
                }
            }
        }
        Ok(())
    }

    fn accept_call(&self) -> Result<Response> {
        let (response, socket) = self.accept(CALL)?;
        let watched = !self.listeners().is_empty();
        if let Ok(notice) = serde_json::to_string(&HubNotice::Watched { watched }) {
            socket.send_with_str(notice)?;
        }
        Ok(response)
    }

    /// A socket is closed, and may still be listed.
    fn left(&self, socket: &WebSocket) {
        if !self.has_tag(socket, SUBSCRIBER) {
            return;
        }
        let others = self.listeners().into_iter().filter(|other| other != socket);
        if others.count() == 0 {
            self.tell_calls(false);
        }
    }

    fn has_tag(&self, socket: &WebSocket, tag: &str) -> bool {
        self.state.get_tags(socket).iter().any(|each| each == tag)
    }

    fn tell_calls(&self, watched: bool) {
        let Ok(notice) = serde_json::to_string(&HubNotice::Watched { watched }) else { return };
        for call in self.state.get_websockets_with_tag(CALL) {
            // Fails on a socket that is closing: that call has nothing more to say.
            let _ = call.send_with_str(&notice);
        }
    }

    fn accept(&self, tag: &str) -> Result<(Response, WebSocket)> {
        let pair = WebSocketPair::new()?;
        self.state.accept_websocket_with_tags(&pair.server, &[tag]);
        Ok((Response::from_websocket(pair.client)?, pair.server))
    }
}

async fn unavailable(cause: &str) -> Result<Response> {
    into_worker(ApiError::Unavailable { part: "live stream", cause: cause.to_owned() }.into_response()).await
}

fn storage_failed(error: LogError) -> Error {
    worker::console_error!("the hub's storage failed: {error}");
    Error::RustError("the hub's storage failed".to_owned())
}
