//! One end of a WebSocket, heard without promises: each event calls straight into Rust.
//!
//! `worker`'s `events()` puts every message through an unbounded queue and wakes a future, which costs a promise and a
//! microtask for each frame. Here three listeners are made once for each socket, and a frame costs one call.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};
use worker::worker_sys::ext::WebSocketExt as _;

/// What a socket tells.
#[derive(Clone, Copy)]
pub(crate) enum SocketEvent<'a> {
    /// A text frame.
    Text(&'a str),
    /// A binary frame of this many bytes.
    Binary(usize),
    /// It is closed; nothing follows.
    Closed { code: u16, reason: &'a str },
}

/// The call went on without it, or is over.
pub(crate) const NORMAL_CLOSURE: u16 = 1000;
/// Who opened it may not (RFC 6455, §7.4.1).
pub(crate) const POLICY_VIOLATION: u16 = 1008;
/// A fault of ours.
pub(crate) const INTERNAL_ERROR: u16 = 1011;
/// No close frame came (RFC 6455, §7.1.5).
const ABNORMAL_CLOSURE: u16 = 1006;

/// A socket with its listeners. Dropping it closes the socket and removes them: a socket cannot outlive the call it
/// belongs to (pitfall 43), and nothing is heard of one that was replaced.
pub(crate) struct Socket {
    listeners: Option<Listeners>,
}

impl Socket {
    /// Listens on `socket`, then accepts it: it delivers nothing before, so nothing is missed.
    ///
    /// `on_event` is called from the runtime's event loop, never from within a method of this type.
    pub(crate) fn accept(
        socket: &WebSocket,
        on_event: impl Fn(SocketEvent<'_>) + Clone + 'static,
    ) -> worker::Result<Self> {
        let this = Self::listen(socket.clone(), on_event)?;
        socket.accept()?;
        Ok(this)
    }

    /// Listens on a socket that is accepted already.
    pub(crate) fn listen(
        socket: WebSocket,
        on_event: impl Fn(SocketEvent<'_>) + Clone + 'static,
    ) -> worker::Result<Self> {
        Ok(Self { listeners: Some(Listeners::add(socket, on_event)?) })
    }

    /// Sends a text frame. On a socket that is closing it is lost: its end has been told, or will be.
    pub(crate) fn send(&self, text: &str) {
        if let Some(listeners) = &self.listeners {
            let _ = listeners.socket.send_with_str(text);
        }
    }

    /// Closes the socket.
    pub(crate) fn close(mut self, code: u16) {
        self.close_now(code);
    }

    /// Takes the listeners off and leaves the socket open, for others to listen.
    pub(crate) fn detach(mut self) -> Option<WebSocket> {
        self.listeners.take().map(|listeners| listeners.socket.clone())
    }

    fn close_now(&mut self, code: u16) {
        if let Some(listeners) = self.listeners.take() {
            // Fails on a socket that is closed: that was wanted.
            let _ = listeners.socket.close_with_code(code);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.close_now(NORMAL_CLOSURE);
    }
}

struct Listeners {
    socket: WebSocket,
    message: Closure<dyn FnMut(MessageEvent)>,
    close: Closure<dyn FnMut(CloseEvent)>,
    error: Closure<dyn FnMut(Event)>,
}

impl Listeners {
    fn add(socket: WebSocket, on_event: impl Fn(SocketEvent<'_>) + Clone + 'static) -> worker::Result<Self> {
        let (on_message, on_close) = (on_event.clone(), on_event.clone());
        let message = move |event: MessageEvent| deliver(&event.data(), &on_message);
        let close = move |event: CloseEvent| {
            on_close(SocketEvent::Closed { code: event.code(), reason: &event.reason() });
        };
        let error = move |_: Event| on_event(SocketEvent::Closed { code: ABNORMAL_CLOSURE, reason: "" });
        let this = Self {
            message: Closure::wrap_assert_unwind_safe(Box::new(message)),
            close: Closure::wrap_assert_unwind_safe(Box::new(close)),
            error: Closure::wrap_assert_unwind_safe(Box::new(error)),
            socket,
        };
        for (kind, callback) in this.callbacks() {
            this.socket.add_event_listener_with_callback(kind, callback.unchecked_ref())?;
        }
        Ok(this)
    }

    fn callbacks(&self) -> [(&'static str, &JsValue); 3] {
        [("message", self.message.as_ref()), ("close", self.close.as_ref()), ("error", self.error.as_ref())]
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for (kind, callback) in self.callbacks() {
            let _ = self.socket.remove_event_listener_with_callback(kind, callback.unchecked_ref());
        }
    }
}

fn deliver(data: &JsValue, on_event: &impl Fn(SocketEvent<'_>)) {
    match data.as_string() {
        Some(text) => on_event(SocketEvent::Text(&text)),
        None => on_event(SocketEvent::Binary(binary_length(data))),
    }
}

/// Bytes of an `ArrayBuffer` or, where the runtime's flags say so, of a `Blob`.
fn binary_length(data: &JsValue) -> usize {
    let number = |name: &str| js_sys::Reflect::get(data, &name.into()).ok().and_then(|value| value.as_f64());
    number("byteLength").or_else(|| number("size")).unwrap_or(0.0) as usize
}
