//! One end of a WebSocket, heard without promises: each event calls straight into Rust.
//!
//! `worker`'s `events()` puts every message through an unbounded queue and wakes a future, which costs a promise and a
//! microtask for each frame. Here the listeners are made once for each socket, and a frame costs one call.
//!
//! A text is fetched by `encodeInto` into one buffer that all sockets of the isolate share: handed over as a `String` it
//! would be copied by a loop over its characters into memory of its own, which takes four times as long (functions/README.md).

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::WebSocket;
use worker::worker_sys::ext::WebSocketExt as _;

// Why JavaScript: the event and its `data` do not become values that Rust has to hold and free. And a wasm instance that
// has died of a panic cannot hear any more: then the socket is closed here, so that the carrier asks what comes next and
// the call goes on in a new instance, instead of hearing silence for ever. (A listener that throws does not help: workerd
// then leaves the socket open and silent. `__worker_init_state` is `worker`'s own record of dead instances.) And a text that
// is too long must not come into wasm memory, which never shrinks: its socket is closed, and told of as closed (1009).
#[wasm_bindgen(inline_js = r#"
const encoder = new TextEncoder();
const instances = () => globalThis.__worker_init_state;
export class Listeners {
  constructor(socket, group, maxUnits) {
    this.socket = socket;
    this.group = group;
    this.maxUnits = maxUnits;
    this.text = "";
    this.instance = instances().instanceId;
  }
  add(onText, onBinary, onClose) {
    const guarded = (listener) => (event) => {
      try {
        const { criticalError, instanceId } = instances();
        if (criticalError || instanceId !== this.instance) throw new Error("the wasm instance died");
        listener(event);
      } catch (error) {
        console.error("the sockets of an actor are closed:", String(error));
        for (const each of [...this.group]) {
          each.remove();
          try { each.socket.close(1011); } catch {}
        }
      }
    };
    this.message = guarded(({ data }) => {
      if (typeof data === "string") {
        if (data.length > this.maxUnits) {
          this.remove();
          try { this.socket.close(1009); } catch {}
          onClose(1009, "");
          return;
        }
        this.text = data;
        onText(data.length);
        this.text = "";
      } else onBinary(data.byteLength ?? data.size ?? 0);
    });
    this.close = guarded(({ code, reason }) => onClose(code, reason));
    this.error = guarded(() => onClose(1006, ""));
    this.socket.addEventListener("message", this.message);
    this.socket.addEventListener("close", this.close);
    this.socket.addEventListener("error", this.error);
    this.group.add(this);
  }
  encodeInto(bytes) {
    return encoder.encodeInto(this.text, bytes).written;
  }
  remove() {
    this.group.delete(this);
    this.socket.removeEventListener("message", this.message);
    this.socket.removeEventListener("close", this.close);
    this.socket.removeEventListener("error", this.error);
  }
}
"#)]
extern "C" {
    type Listeners;
    #[wasm_bindgen(constructor)]
    fn new(socket: &WebSocket, group: &js_sys::Set, max_units: u32) -> Listeners;
    #[wasm_bindgen(method)]
    fn add(this: &Listeners, on_text: &JsValue, on_binary: &JsValue, on_close: &JsValue);
    #[wasm_bindgen(method)]
    fn remove(this: &Listeners);
    /// Writes the text of the event that is being heard, and gives its length in bytes.
    #[wasm_bindgen(method, js_name = encodeInto)]
    fn encode_into(this: &Listeners, bytes: &mut [u8]) -> u32;
}

/// Room that is kept for texts. Frames of a call are far shorter; a longer text gets room of its own, up to the limit of its
/// socket.
const KEPT_TEXT_BYTES: usize = 64 * 1024;
/// A UTF-16 unit, which is what JavaScript counts, becomes three bytes at most.
const BYTES_PER_UNIT: usize = 3;

thread_local! {
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Calls `hear` with the text of the event that is being heard, which has `units` UTF-16 units.
fn with_text(listeners: &Listeners, units: usize, hear: impl FnOnce(&str)) {
    // Taken, not borrowed: whatever `hear` does cannot collide with it.
    let mut bytes = TEXT.take();
    if bytes.len() < units * BYTES_PER_UNIT {
        bytes.resize(units * BYTES_PER_UNIT, 0);
    }
    let written = listeners.encode_into(&mut bytes) as usize;
    if let Some(text) = bytes.get(..written).and_then(|bytes| std::str::from_utf8(bytes).ok()) {
        hear(text);
    }
    bytes.truncate(KEPT_TEXT_BYTES);
    bytes.shrink_to(KEPT_TEXT_BYTES);
    TEXT.set(bytes);
}

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
/// The sockets of one actor, which are closed together when the wasm instance that heard them has died.
#[derive(Clone)]
pub(crate) struct SocketGroup(js_sys::Set);

impl Default for SocketGroup {
    fn default() -> Self {
        Self(js_sys::Set::new(&JsValue::UNDEFINED))
    }
}

/// A socket with its listeners. Dropping it closes the socket and removes them: a socket cannot outlive the call it
/// belongs to (pitfall 43), and nothing is heard of one that was replaced.
pub(crate) struct Socket {
    ears: Option<Ears>,
}

impl Socket {
    /// Listens on `socket`, then accepts it: it delivers nothing before, so nothing is missed.
    ///
    /// A text of more than `max_units` UTF-16 units is not heard: the socket is closed with 1009, and `on_event` told so.
    /// `on_event` is called from the runtime's event loop, never from within a method of this type.
    pub(crate) fn accept(
        socket: &WebSocket,
        group: &SocketGroup,
        max_units: u32,
        on_event: impl Fn(SocketEvent<'_>) + Clone + 'static,
    ) -> worker::Result<Self> {
        let this = Self::listen(socket.clone(), group, max_units, on_event);
        socket.accept()?;
        Ok(this)
    }

    /// Listens on a socket that is accepted already, like [`Socket::accept`].
    pub(crate) fn listen(
        socket: WebSocket,
        group: &SocketGroup,
        max_units: u32,
        on_event: impl Fn(SocketEvent<'_>) + Clone + 'static,
    ) -> Self {
        Self { ears: Some(Ears::new(socket, group, max_units, on_event)) }
    }

    /// Sends a text frame. On a socket that is closing it is lost: its end has been told, or will be.
    pub(crate) fn send(&self, text: &str) {
        if let Some(ears) = &self.ears {
            let _ = ears.socket.send_with_str(text);
        }
    }

    /// Closes the socket.
    pub(crate) fn close(mut self, code: u16) {
        self.close_now(code);
    }

    /// Takes the listeners off and leaves the socket open, for others to listen.
    pub(crate) fn detach(mut self) -> Option<WebSocket> {
        self.ears.take().map(|ears| ears.socket.clone())
    }

    fn close_now(&mut self, code: u16) {
        if let Some(ears) = self.ears.take() {
            // Fails on a socket that is closed: that was wanted.
            let _ = ears.socket.close_with_code(code);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.close_now(NORMAL_CLOSURE);
    }
}

/// The listeners of one socket, with what they call.
struct Ears {
    socket: WebSocket,
    listeners: Rc<Listeners>,
    _on_text: Closure<dyn FnMut(u32)>,
    _on_binary: Closure<dyn FnMut(u32)>,
    _on_close: Closure<dyn FnMut(u16, String)>,
}

impl Ears {
    fn new(
        socket: WebSocket,
        group: &SocketGroup,
        max_units: u32,
        on_event: impl Fn(SocketEvent<'_>) + Clone + 'static,
    ) -> Self {
        let listeners = Rc::new(Listeners::new(&socket, &group.0, max_units));
        let (source, text_event, binary_event) =
            (Rc::downgrade(&listeners), on_event.clone(), on_event.clone());
        let on_text = move |units: u32| {
            if let Some(listeners) = source.upgrade() {
                with_text(&listeners, units as usize, |text| text_event(SocketEvent::Text(text)));
            }
        };
        let on_binary = move |bytes: u32| binary_event(SocketEvent::Binary(bytes as usize));
        let on_close =
            move |code: u16, reason: String| on_event(SocketEvent::Closed { code, reason: &reason });
        let on_text: Closure<dyn FnMut(u32)> = Closure::wrap_assert_unwind_safe(Box::new(on_text));
        let on_binary: Closure<dyn FnMut(u32)> = Closure::wrap_assert_unwind_safe(Box::new(on_binary));
        let on_close: Closure<dyn FnMut(u16, String)> = Closure::wrap_assert_unwind_safe(Box::new(on_close));
        listeners.add(on_text.as_ref(), on_binary.as_ref(), on_close.as_ref());
        Self { socket, listeners, _on_text: on_text, _on_binary: on_binary, _on_close: on_close }
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.listeners.remove();
    }
}
