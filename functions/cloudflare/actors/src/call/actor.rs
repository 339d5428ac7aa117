use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use futures_util::future::join;
use js_sys::futures::spawn_local;
use voicecore_api::actors::{CallCommand, CallReply};
use voicecore_api::live::{self, CallSetup, JournalLines, LoadError};
use voicecore_api::media::{self, TOKEN_PARAMETER};
use voicecore_call::{CallSummary, Input, StreamOpened};
use voicecore_cloudflare_platform::{App, app, ports};
use voicecore_types::{CallId, Millis};
use web_sys::WebSocket;
use worker::{Env, Error, Result, State};

use super::doorway::{Doorway, Start};
use super::ending::{self, Ended};
use super::session::Session;
use crate::journal::{Journal, StoredJournal};
use crate::socket::{INTERNAL_ERROR, POLICY_VIOLATION, SocketGroup};
use crate::storage::{Records, StorageError, Unconfirmed};

/// Sockets of one call that are open and not yet let in. An honest call has one.
const MAX_DOORWAYS: u32 = 4;
/// How often a running call says that it lives.
const WATCH: Millis = Millis::from_secs(60);
/// A call without a living actor is given this long to come back before it is closed.
const ORPHAN_GRACE: Millis = Millis::from_secs(30);

/// Keys of the actor's records. The journal's are in `crate::journal`.
pub(super) mod key {
    /// [`voicecore_api::live::CallSetup`]: what the call was begun with, for every attempt.
    pub(crate) const SETUP: &str = "setup";
    /// [`super::Ended`]: the call is over, and this is not yet stored where it belongs.
    pub(crate) const ENDED: &str = "ended";
    /// Batches that the journal had when no living call was found.
    pub(crate) const SUSPECT: &str = "suspect";
}

/// The state of a `CallActor`, which listeners and tasks share.
pub(super) struct Actor {
    me: Weak<Actor>,
    pub(super) app: Rc<App>,
    pub(super) records: Records,
    name: Option<CallId>,
    unconfirmed: Unconfirmed,
    session: RefCell<Option<Rc<Session>>>,
    doorways: Cell<u32>,
    /// The database kept a stream from being let in: what comes next is not to be looked up there.
    not_loaded: Cell<bool>,
    /// The tenant is being deleted: nothing is written any more.
    pub(super) erased: Cell<bool>,
    sockets: SocketGroup,
}

/// A call that cannot go on here.
enum Unavailable {
    Storage,
    Load(LoadError),
    Over,
}

impl From<StorageError> for Unavailable {
    fn from(_: StorageError) -> Self {
        Self::Storage
    }
}

impl Actor {
    pub(super) fn new(state: &State, env: &Env) -> Rc<Self> {
        Rc::new_cyclic(|me| Self {
            me: me.clone(),
            app: app(env),
            records: Records::new(state),
            name: state.id().name().and_then(|name| name.parse().ok()),
            unconfirmed: Unconfirmed::new(state),
            session: RefCell::default(),
            doorways: Cell::new(0),
            not_loaded: Cell::new(false),
            erased: Cell::new(false),
            sockets: SocketGroup::default(),
        })
    }

    /// Takes a carrier's socket. The call is loaded while its first frames arrive.
    pub(super) fn open_stream(&self, socket: &WebSocket) -> Result<()> {
        let (Some(actor), true) = (self.me.upgrade(), self.doorways.get() < MAX_DOORWAYS) else {
            return Err(Error::RustError("too many sockets at one door".to_owned()));
        };
        let (doorway, start) = Doorway::open(socket, &self.sockets)?;
        self.doorways.set(self.doorways.get() + 1);
        spawn_local(async move {
            actor.admit(&doorway, start).await;
            actor.doorways.set(actor.doorways.get().saturating_sub(1));
        });
        Ok(())
    }

    async fn admit(&self, doorway: &Doorway, start: Start) {
        let opened_at = ports::now();
        let (session, opened) = join(self.begin(), start.wait()).await;
        let Some(opened) = opened else { return doorway.refuse(POLICY_VIOLATION) };
        let session = match session {
            Ok(session) => session,
            Err(unavailable) => return doorway.refuse(close_code(&unavailable)),
        };
        let Some(attempt) = self.verified_attempt(session.setup(), &opened) else {
            return doorway.refuse(POLICY_VIOLATION);
        };
        let Some((socket, early)) = doorway.take() else { return };
        if let Err(refused) = session.attach(opened_at, attempt, &opened.stream_sid, socket, &early) {
            worker::console_warn!("a stream was not let in: {refused}");
        }
    }

    /// The attempt that the token of the stream was issued for; `None` when the stream may not speak.
    fn verified_attempt(&self, setup: &CallSetup, opened: &StreamOpened) -> Option<u32> {
        let token = opened.parameters.get(TOKEN_PARAMETER)?;
        if opened.call_sid != setup.call.carrier_call_id {
            return None;
        }
        let now = ports::now();
        let verified =
            media::verify_token(&self.app.config, setup.call.call_id, &opened.call_sid, token, now);
        verified.inspect_err(|refused| worker::console_warn!("a media token was refused: {refused}")).ok()
    }

    /// The call that runs here, revived if its actor died, begun if it is new.
    async fn begin(&self) -> std::result::Result<Rc<Session>, Unavailable> {
        if let Some(session) = self.revive().await? {
            return Ok(session);
        }
        if self.erased.get() {
            return Err(Unavailable::Over);
        }
        let call_id = self.name.ok_or(Unavailable::Load(LoadError::Unknown))?;
        let loaded = live::load_call(&self.app.state, call_id).await;
        self.not_loaded.set(matches!(loaded, Err(LoadError::Store(_))));
        let setup = loaded.map_err(Unavailable::Load)?;
        if let Some(session) = self.running() {
            return Ok(session);
        }
        if self.erased.get() {
            return Err(Unavailable::Over);
        }
        if self.app.config.journal {
            if let Ok(text) = serde_json::to_string(&setup) {
                self.unconfirmed.put(key::SETUP, &text);
            }
            self.unconfirmed.set_alarm(ports::now().plus(WATCH));
        }
        Ok(self.start_session(setup, &StoredJournal::default()))
    }

    /// The call that runs here, or whose journal is here; `None` when there is neither.
    async fn revive(&self) -> std::result::Result<Option<Rc<Session>>, Unavailable> {
        if let Some(session) = self.running() {
            return Ok(Some(session));
        }
        let Some(setup) = self.records.get::<CallSetup>(key::SETUP).await? else { return Ok(None) };
        if self.records.get::<Ended>(key::ENDED).await?.is_some() {
            return Err(Unavailable::Over);
        }
        let journal = StoredJournal::read(&self.records).await?;
        // Another event may have done the same while this one waited.
        Ok(Some(self.running().unwrap_or_else(|| self.start_session(setup, &journal))))
    }

    fn running(&self) -> Option<Rc<Session>> {
        self.session.borrow().clone()
    }

    fn start_session(&self, setup: CallSetup, stored: &StoredJournal) -> Rc<Session> {
        let lines = JournalLines::new(&self.app.state, &setup);
        let entries = stored.entries(&lines);
        let journal =
            self.app.config.journal.then(|| Journal::new(self.unconfirmed.clone(), lines, stored.batches));
        let actor = self.me.clone();
        let on_finished = move |session: Rc<Session>, summary: CallSummary| {
            if let Some(actor) = actor.upgrade() {
                spawn_local(async move { ending::end(&actor, &session, summary).await });
            }
        };
        let session = Session::new(
            Rc::clone(&self.app),
            Rc::new(setup),
            journal,
            &entries,
            self.sockets.clone(),
            on_finished,
        );
        self.session.replace(Some(Rc::clone(&session)));
        session
    }

    /// The call is over and stored where it belongs: nothing of it stays here.
    pub(super) fn forget(&self) {
        self.session.take();
    }

    /// Answers a command (`voicecore_api::actors`).
    pub(super) async fn command(&self, command: CallCommand) -> Result<CallReply> {
        if command == CallCommand::Erase {
            return self.erase().await;
        }
        let session = match self.revive().await {
            Ok(Some(session)) => session,
            Ok(None) if self.not_loaded.get() => {
                return Err(Error::RustError("the call could not be loaded".to_owned()));
            }
            Ok(None) => return Ok(CallReply::NotRunning),
            Err(Unavailable::Over) => return self.command_ended(&command).await,
            Err(_) => return Err(Error::RustError("the call cannot be revived now".to_owned())),
        };
        Ok(match command {
            CallCommand::AfterStream { attempt } => {
                CallReply::AfterStream { after: session.after_stream(attempt) }
            }
            CallCommand::Transcript => {
                let (interactions, complete) = session.transcript();
                CallReply::Transcript { interactions, complete }
            }
            CallCommand::Intervene { intervention } => session.intervene(intervention),
            CallCommand::CarrierEnded => {
                session.handle(Input::CarrierEnded);
                CallReply::Accepted
            }
            CallCommand::Abandon => {
                session.abandon();
                CallReply::Accepted
            }
            CallCommand::Erase => CallReply::Accepted,
        })
    }

    /// Nothing of the call stays here, and nothing is stored elsewhere: what is on its way finds `erased`.
    async fn erase(&self) -> Result<CallReply> {
        self.erased.set(true);
        if let Some(session) = self.running() {
            session.erase();
        }
        self.forget();
        let wiped = self.records.wipe().await;
        wiped.map_err(|_| Error::RustError("the storage of a call could not be wiped".to_owned()))?;
        Ok(CallReply::Accepted)
    }

    /// Answers for a call that ended in an earlier life of this actor and is not yet stored where it belongs.
    async fn command_ended(&self, command: &CallCommand) -> Result<CallReply> {
        let ended = self.records.get::<Ended>(key::ENDED).await;
        let Ok(Some(Ended { summary, .. })) = ended else { return Ok(CallReply::NotRunning) };
        Ok(match command {
            CallCommand::AfterStream { .. } => CallReply::AfterStream { after: summary.after_stream() },
            CallCommand::Transcript => {
                CallReply::Transcript { interactions: summary.interactions, complete: true }
            }
            CallCommand::Intervene { .. } => CallReply::TooLate,
            CallCommand::CarrierEnded | CallCommand::Abandon | CallCommand::Erase => CallReply::Accepted,
        })
    }

    /// The actor's alarm: stores the end of a call that could not be stored, and closes a call whose end never came.
    /// An error makes the runtime call again.
    pub(super) async fn alarm(&self) -> Result<()> {
        let failed = |_: StorageError| Error::RustError("the actor's storage failed".to_owned());
        if let Some(ended) = self.records.get::<Ended>(key::ENDED).await.map_err(failed)? {
            ending::settle(self, ended).await;
            return Ok(());
        }
        let now = ports::now();
        if self.running().is_some() {
            // Set within the handler, and unconfirmed: the runtime's own clearing of the alarm, which would close the
            // output gate, does not take place.
            self.unconfirmed.set_alarm(now.plus(WATCH));
            return Ok(());
        }
        let stored = StoredJournal::read(&self.records).await.map_err(failed)?;
        let suspect: Option<u32> = self.records.get(key::SUSPECT).await.map_err(failed)?;
        if suspect != Some(stored.batches) {
            self.records.put(key::SUSPECT, &stored.batches).await.map_err(failed)?;
            return self.records.set_alarm(now.plus(ORPHAN_GRACE), now).await.map_err(failed);
        }
        match self.revive().await {
            Ok(Some(session)) => session.abandon(),
            Ok(None) => self.records.wipe().await.map_err(failed)?,
            Err(_) => return Err(Error::RustError("an orphaned call cannot be revived".to_owned())),
        }
        Ok(())
    }
}

fn close_code(unavailable: &Unavailable) -> u16 {
    match unavailable {
        Unavailable::Over | Unavailable::Load(LoadError::Unknown | LoadError::Over) => POLICY_VIOLATION,
        Unavailable::Load(LoadError::Store(error)) => {
            worker::console_error!("a call could not be loaded: {error}");
            INTERNAL_ERROR
        }
        Unavailable::Storage => {
            worker::console_error!("the storage of a call could not be read");
            INTERNAL_ERROR
        }
    }
}
