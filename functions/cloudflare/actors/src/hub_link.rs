use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::futures::spawn_local;
use voicecore_api::actors::{HubCommand, HubEvent, HubNotice};
use voicecore_call::LiveEvent;
use voicecore_cloudflare_platform::ports::{self, binding, object_name};
use voicecore_types::{CallId, Millis, TenantId};
use worker::{Env, Method, Request, RequestInit};

use super::PUBLISH_PATH;
use super::socket::{Socket, SocketEvent, SocketGroup};

/// At most two messages a second go to a hub that is watched, whatever happens in the call: half of what is allowed, because
/// a tenant's hub takes those of all its calls, and nobody reads faster.
const INTERVAL: Millis = Millis(500);
/// While nobody watches, events are only collected for those who will: a message is work for the hub, and an utterance that
/// grows is then one event instead of ten. Who begins to watch gets what waits at once.
const UNWATCHED_INTERVAL: Millis = Millis::from_secs(5);
/// Events that wait for the hub. When it cannot be reached the oldest are lost: dashboards then read the call itself.
const MAX_WAITING: usize = 256;
/// A hub that could not be reached is tried again after this long.
const RETRY: Millis = Millis::from_secs(5);
/// The longest notice of a hub, in UTF-16 units: it holds one word.
const MAX_NOTICE: u32 = 4 * 1024;

/// The call's one socket to its tenant's hub. Opened with the first event. Its failure never hurts the call.
pub(crate) struct HubLink {
    me: Weak<HubLink>,
    env: Env,
    call_id: CallId,
    tenant_id: TenantId,
    sockets: SocketGroup,
    waiting: RefCell<Vec<HubEvent>>,
    link: RefCell<Link>,
    watched: Cell<bool>,
    flush_at: Cell<Option<Millis>>,
}

enum Link {
    Closed { not_before: Millis },
    Opening,
    Open(Socket),
}

impl HubLink {
    pub(crate) fn new(env: Env, call_id: CallId, tenant_id: TenantId, sockets: SocketGroup) -> Rc<Self> {
        Rc::new_cyclic(|me| Self {
            me: me.clone(),
            env,
            call_id,
            tenant_id,
            sockets,
            waiting: RefCell::default(),
            link: RefCell::new(Link::Closed { not_before: Millis::ZERO }),
            // Until the hub says otherwise: what a call begins with is seen at once.
            watched: Cell::new(true),
            flush_at: Cell::new(None),
        })
    }

    /// Notes an event for the next message. An utterance that grew replaces what was noted of it.
    pub(crate) fn push(&self, at: Millis, event: LiveEvent) {
        let mut waiting = self.waiting.borrow_mut();
        if let LiveEvent::Interaction(new) = &event {
            let same =
                |noted: &HubEvent| matches!(&noted.event, LiveEvent::Interaction(old) if old.seq == new.seq);
            waiting.retain(|noted| !same(noted));
        }
        if waiting.len() >= MAX_WAITING {
            waiting.remove(0);
        }
        waiting.push(HubEvent { at, event });
        if self.flush_at.get().is_none() {
            let interval = if self.watched.get() { INTERVAL } else { UNWATCHED_INTERVAL };
            self.flush_at.set(Some(at.plus(interval)));
        }
    }

    /// When [`HubLink::flush`] is wanted.
    pub(crate) fn flush_at(&self) -> Option<Millis> {
        self.flush_at.get()
    }

    /// Sends what waits, or sees to it that it can be sent.
    pub(crate) fn flush(&self, now: Millis) {
        self.flush_at.set(None);
        let mut link = self.link.borrow_mut();
        match &*link {
            Link::Open(socket) => {
                if let Some(message) = self.take_message() {
                    socket.send(&message);
                }
            }
            // `opened` flushes.
            Link::Opening => {}
            Link::Closed { not_before } if *not_before > now => self.flush_at.set(Some(*not_before)),
            Link::Closed { .. } => {
                *link = Link::Opening;
                self.open();
            }
        }
    }

    /// What still waits, for the end of the call; the socket is closed.
    pub(crate) fn finish(&self) -> Option<HubCommand> {
        self.flush_at.set(None);
        self.link.replace(Link::Closed { not_before: Millis(u64::MAX) });
        let events = self.waiting.take();
        (!events.is_empty()).then_some(HubCommand::Publish { call_id: self.call_id, events })
    }

    fn take_message(&self) -> Option<String> {
        let events = self.waiting.take();
        if events.is_empty() {
            return None;
        }
        serde_json::to_string(&HubCommand::Publish { call_id: self.call_id, events }).ok()
    }

    fn open(&self) {
        let Some(this) = self.me.upgrade() else { return };
        spawn_local(async move {
            let opened = connect(&this).await;
            let now = ports::now();
            let mut link = this.link.borrow_mut();
            if !matches!(&*link, Link::Opening) {
                // The call ended meanwhile; dropping the socket closes it.
                return;
            }
            *link = opened.map_or(Link::Closed { not_before: now.plus(RETRY) }, Link::Open);
            drop(link);
            this.flush(now);
        });
    }

    fn heard(&self, notice: &str) {
        // A hub of another version may say what we don't know.
        let Ok(HubNotice::Watched { watched }) = serde_json::from_str(notice) else { return };
        if watched && !self.watched.get() {
            self.flush(ports::now());
        }
        self.watched.set(watched);
    }

    fn lost(&self) {
        self.watched.set(true);
        let not_before = ports::now().plus(RETRY);
        if let Ok(mut link) = self.link.try_borrow_mut()
            && matches!(&*link, Link::Open(_))
        {
            *link = Link::Closed { not_before };
        }
    }
}

async fn connect(link: &Rc<HubLink>) -> Option<Socket> {
    let stub = ports::stub(&link.env, binding::HUB_ACTOR, &object_name(link.tenant_id))?;
    let url = format!("https://actor{PUBLISH_PATH}");
    let mut init = RequestInit::new();
    let headers = worker::Headers::new();
    headers.set("Upgrade", "websocket").ok()?;
    init.with_method(Method::Get).with_headers(headers);
    let request = Request::new_with_init(&url, &init).ok()?;
    let socket = stub.fetch_with_request(request).await.ok()?.websocket()?;
    let weak = Rc::downgrade(link);
    let on_event = move |event: SocketEvent<'_>| {
        let Some(link) = weak.upgrade() else { return };
        match event {
            SocketEvent::Text(notice) => link.heard(notice),
            SocketEvent::Binary(_) => {}
            SocketEvent::Closed { .. } => link.lost(),
        }
    };
    Socket::accept(socket.as_ref(), &link.sockets, MAX_NOTICE, on_event).ok()
}
