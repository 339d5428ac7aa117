use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::{Rc, Weak};

use voicecore_api::AppState;
use voicecore_api::live::{self, CallSetup};
use voicecore_call::{Input, OpenModel};
use worker::{AbortController, Fetch, Headers, Method, Request, RequestInit, WebSocket};

use super::session::Session;
use crate::socket::{NORMAL_CLOSURE, Socket, SocketEvent};

/// How much of a refusal's body the machine is shown: an error document of the provider is shorter.
const MAX_REFUSAL_BYTES: usize = 4_096;
/// The longest event, in UTF-16 units. The largest honest ones carry audio: a delta is a second of it or less (11 kB in
/// Base64), a whole response's end repeats its texts.
const MAX_EVENT: u32 = 1024 * 1024;

/// The call's socket to the model, which may be on its way.
#[derive(Default)]
pub(super) struct ModelLink {
    state: RefCell<Link>,
    generation: Cell<u32>,
}

#[derive(Default)]
enum Link {
    #[default]
    Closed,
    Opening(AbortController),
    Open {
        socket: Socket,
        /// What this model wants around the caller's audio.
        audio_frame: [&'static str; 2],
    },
}

/// One try to open a socket. When another was begun, or the link closed, what comes of it is closed at once.
pub(super) struct Attempt {
    generation: u32,
    signal: worker::AbortSignal,
}

/// There is no socket.
pub(super) struct Refusal {
    status: u16,
    body: String,
}

impl Refusal {
    const UNREACHABLE: Self = Self { status: 0, body: String::new() };
}

impl ModelLink {
    /// Begins to open a socket; one that is open or on its way is given up.
    pub(super) fn opening(&self) -> Attempt {
        self.close();
        let abort = AbortController::default();
        let signal = abort.signal();
        self.state.replace(Link::Opening(abort));
        Attempt { generation: self.generation.get(), signal }
    }

    /// Takes what came of an attempt and tells the machine.
    pub(super) fn opened(
        &self,
        session: &Rc<Session>,
        attempt: &Attempt,
        audio_frame: [&'static str; 2],
        outcome: Result<WebSocket, Refusal>,
    ) {
        if attempt.generation != self.generation.get() {
            if let Ok(socket) = outcome {
                // It must be accepted to be closed.
                let _ = socket.accept();
                let _ = socket.close::<&str>(Some(NORMAL_CLOSURE), None);
            }
            return;
        }
        let socket = outcome.and_then(|socket| {
            let on_event = listener(Rc::downgrade(session));
            Socket::accept(socket.as_ref(), session.sockets(), MAX_EVENT, on_event)
                .map_err(|_| Refusal::UNREACHABLE)
        });
        match socket {
            Ok(socket) => {
                socket.set_frame(audio_frame);
                self.state.replace(Link::Open { socket, audio_frame });
                session.handle(Input::ModelOpened);
            }
            Err(Refusal { status, body }) => {
                self.state.replace(Link::Closed);
                session.handle(Input::ModelRefused { status, body: &body });
            }
        }
    }

    /// Sends a text frame, if the socket is open.
    pub(super) fn send(&self, text: &str) {
        if let Link::Open { socket, .. } = &*self.state.borrow() {
            socket.send(text);
        }
    }

    /// Sends audio, which is a part of the text that `carrier` is being heard with.
    pub(super) fn relay(&self, carrier: &Socket, audio: Range<usize>) {
        if let Link::Open { socket, .. } = &*self.state.borrow() {
            carrier.relay(socket, audio);
        }
    }

    /// Sends audio.
    pub(super) fn send_audio(&self, audio: &str) {
        if let Link::Open { socket, audio_frame: [before, behind] } = &*self.state.borrow() {
            socket.send(&[before, audio, behind].concat());
        }
    }

    /// Closes the socket, or stops opening it.
    pub(super) fn close(&self) {
        self.generation.set(self.generation.get().wrapping_add(1));
        match self.state.take() {
            Link::Opening(abort) => abort.abort(),
            // A socket is closed by being dropped.
            Link::Open { .. } | Link::Closed => {}
        }
    }
}

fn listener(session: Weak<Session>) -> impl Fn(SocketEvent<'_>) + Clone + 'static {
    move |event| {
        let Some(session) = session.upgrade() else { return };
        match event {
            SocketEvent::Text(text) => session.handle(Input::ModelText(text)),
            SocketEvent::Binary(bytes) => session.handle(Input::ModelBinary(bytes)),
            SocketEvent::Closed { code, reason } => {
                session.model().close();
                session.handle(Input::ModelClosed { code, reason });
            }
        }
    }
}

impl Attempt {
    /// Asks the provider for a socket. It is not accepted yet, so it delivers nothing.
    pub(super) async fn connect(
        &self,
        app: &AppState,
        setup: &CallSetup,
        open: &OpenModel,
    ) -> Result<WebSocket, Refusal> {
        let target = live::model_request(app, setup, open).map_err(|trouble| {
            worker::console_error!("no model: {trouble}");
            Refusal::UNREACHABLE
        })?;
        let request = upgrade_request(&target.url, target.authorization.expose());
        let request = request.map_err(|_| Refusal::UNREACHABLE)?;
        let fetch = Fetch::Request(request).send_with_signal(&self.signal).await;
        let mut response = fetch.map_err(|_| Refusal::UNREACHABLE)?;
        let status = response.status_code();
        if status != 101 {
            let mut body = response.text().await.unwrap_or_default();
            let end = (0..=MAX_REFUSAL_BYTES.min(body.len())).rev().find(|at| body.is_char_boundary(*at));
            body.truncate(end.unwrap_or(0));
            return Err(Refusal { status, body });
        }
        response.websocket().ok_or(Refusal::UNREACHABLE)
    }
}

/// `worker`'s `WebSocket::connect` sets no headers, and the runtime opens sockets by `http(s)` addresses only.
fn upgrade_request(url: &str, authorization: &str) -> worker::Result<Request> {
    let headers = Headers::new();
    headers.set("Upgrade", "websocket")?;
    headers.set("Authorization", authorization)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Get).with_headers(headers);
    Request::new_with_init(url, &init)
}
