use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use voicecore_call::{Door, DoorRefused, StreamOpened};
use web_sys::WebSocket;
use worker::Delay;

use crate::socket::{Socket, SocketEvent, SocketGroup};

/// `start` is the second frame of an honest stream; it comes at once.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest text of a carrier's socket, in UTF-16 units: no message of Twilio's comes near it.
pub(super) const MAX_CARRIER_TEXT: u32 = 64 * 1024;
/// Frames kept between `start` and the moment when the call is known: ten seconds of audio.
const MAX_EARLY_FRAMES: usize = 500;
/// Bytes of them. An honest frame has about 350.
const MAX_EARLY_BYTES: usize = 256 * 1024;

/// A carrier's socket that is not let into the call yet.
pub(super) struct Doorway {
    state: RefCell<State>,
}

struct State {
    socket: Option<Socket>,
    door: Door,
    opened: Option<oneshot::Sender<Result<StreamOpened, DoorRefused>>>,
    early: Vec<String>,
    early_bytes: usize,
}

impl Doorway {
    /// Accepts `socket` and listens for its `start` frame.
    pub(super) fn open(socket: &WebSocket, group: &SocketGroup) -> worker::Result<(Rc<Self>, Start)> {
        let (sender, start) = oneshot::channel();
        let this = Rc::new(Self {
            state: RefCell::new(State {
                socket: None,
                door: Door::default(),
                opened: Some(sender),
                early: Vec::new(),
                early_bytes: 0,
            }),
        });
        let weak: Weak<Self> = Rc::downgrade(&this);
        let on_event = move |event: SocketEvent<'_>| {
            if let Some(doorway) = weak.upgrade() {
                doorway.heard(event);
            }
        };
        let socket = Socket::accept(socket, group, MAX_CARRIER_TEXT, on_event)?;
        this.state.borrow_mut().socket = Some(socket);
        Ok((this, Start(start)))
    }

    /// The socket and the frames that came behind `start`; `None` when it closed, or sent more than is kept.
    pub(super) fn take(&self) -> Option<(Socket, Vec<String>)> {
        let mut state = self.state.borrow_mut();
        let socket = state.socket.take()?;
        Some((socket, std::mem::take(&mut state.early)))
    }

    /// Closes the socket.
    pub(super) fn refuse(&self, code: u16) {
        if let Some(socket) = self.state.borrow_mut().socket.take() {
            socket.close(code);
        }
    }

    fn heard(&self, event: SocketEvent<'_>) {
        let Ok(mut state) = self.state.try_borrow_mut() else { return };
        match event {
            SocketEvent::Text(text) => state.text(text),
            // Twilio sends none.
            SocketEvent::Binary(_) => {}
            SocketEvent::Closed { .. } => {
                state.socket = None;
                // Whoever waits for the start frame hears that there is none.
                state.opened = None;
            }
        }
    }
}

impl State {
    fn text(&mut self, text: &str) {
        if self.opened.is_none() {
            return self.keep(text);
        }
        let outcome = match self.door.text(text) {
            Ok(None) => return,
            Ok(Some(opened)) => Ok(opened),
            Err(refused) => Err(refused),
        };
        if let Some(sender) = self.opened.take() {
            // Nobody waits any more after the timeout; the socket is closed then.
            let _ = sender.send(outcome);
        }
    }

    fn keep(&mut self, text: &str) {
        self.early_bytes += text.len();
        if self.early.len() >= MAX_EARLY_FRAMES || self.early_bytes > MAX_EARLY_BYTES {
            self.socket = None;
            return;
        }
        self.early.push(text.to_owned());
    }
}

/// The `start` frame to come.
pub(super) struct Start(oneshot::Receiver<Result<StreamOpened, DoorRefused>>);

impl Start {
    /// Waits for it; `None` when the socket closed, took too long, or sent something else.
    pub(super) async fn wait(self) -> Option<StreamOpened> {
        match select(self.0, Delay::from(START_TIMEOUT)).await {
            Either::Left((Ok(Ok(opened)), _)) => Some(opened),
            Either::Left((Ok(Err(refused)), _)) => {
                worker::console_warn!("a media socket was refused: {refused}");
                None
            }
            Either::Left((Err(_), _)) | Either::Right(_) => None,
        }
    }
}
