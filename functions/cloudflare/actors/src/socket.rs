//! One end of a WebSocket, heard without promises: each event calls straight into Rust.
//!
//! `worker`'s `events()` puts every message through an unbounded queue and wakes a future, which costs a promise and a
//! microtask for each frame. Here the listeners are made once for each socket, and a frame costs one call.
//!
//! A text is written by `encodeInto` into one buffer that all sockets of the isolate share, before Rust is called: handed over as a
//! `String` it would be copied by a loop over its characters into memory of its own, which takes four times as long. And the caller's
//! audio goes on as a part of the text it came in, which never leaves JavaScript (functions/README.md).

use std::cell::RefCell;
use std::ops::Range;
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
// The view of the buffer is made anew when memory has grown, which detaches it.
// `pace`: what is thrown away with each message makes V8's young collections come oftener, and each shorter, so that none of them
// stops the audio of all calls for 25 ms (functions/README.md, "The pace of the collector").
#[wasm_bindgen(inline_js = r#"
const encoder = new TextEncoder();
const PACE = 600;
let pace = [];
const instances = () => globalThis.__worker_init_state;
export class Listeners {
  constructor(socket, group, maxUnits, memory, at, length) {
    this.socket = socket;
    this.group = group;
    this.maxUnits = maxUnits;
    this.text = this.before = this.behind = "";
    this.roomFor = Math.floor(length / 3);
    this.view = () => new Uint8Array(memory.buffer, at, length);
    this.room = this.view();
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
        pace = new Array(PACE);
        this.text = data;
        let written = 0;
        if (data.length <= this.roomFor) {
          if (this.room.length === 0) this.room = this.view();
          written = encoder.encodeInto(data, this.room).written;
        }
        onText(data.length, written);
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
  frame(before, behind) {
    this.before = before;
    this.behind = behind;
  }
  relay(to, start, end) {
    try { to.socket.send(to.before + this.text.slice(start, end) + to.behind); } catch {}
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
    fn new(
        socket: &WebSocket,
        group: &js_sys::Set,
        max_units: u32,
        memory: &JsValue,
        at: *mut u8,
        length: usize,
    ) -> Listeners;
    #[wasm_bindgen(method)]
    fn add(this: &Listeners, on_text: &JsValue, on_binary: &JsValue, on_close: &JsValue);
    #[wasm_bindgen(method)]
    fn remove(this: &Listeners);
    /// Writes the text of the event that is being heard, and gives its length in bytes.
    #[wasm_bindgen(method, js_name = encodeInto)]
    fn encode_into(this: &Listeners, bytes: &mut [u8]) -> u32;
    /// What stands around what is relayed to this socket.
    #[wasm_bindgen(method)]
    fn frame(this: &Listeners, before: &str, behind: &str);
    /// Sends a part of the text of the event that is being heard, in UTF-16 units, to another socket.
    #[wasm_bindgen(method)]
    fn relay(this: &Listeners, to: &Listeners, start: usize, end: usize);
}

/// Room that is kept for texts. Frames of a call are far shorter; a longer text gets room of its own, up to the limit of its
/// socket.
const KEPT_TEXT_BYTES: usize = 64 * 1024;
/// A UTF-16 unit, which is what JavaScript counts, becomes three bytes at most.
const BYTES_PER_UNIT: usize = 3;

thread_local! {
    /// Written by the listeners before they call, so it never moves: its pages are those of the instance from beginning to end.
    static TEXT: RefCell<Box<[u8]>> = RefCell::new(vec![0; KEPT_TEXT_BYTES].into_boxed_slice());
    /// Where it is, also while somebody reads it.
    static PLACE: *mut u8 = TEXT.with_borrow_mut(|text| text.as_mut_ptr());
}

/// Calls `hear` with the text of the event that is being heard, of `units` UTF-16 units; `written` bytes of it are in the room that is
/// kept, unless it is too small for so many units.
fn with_text(listeners: &Listeners, units: usize, written: usize, hear: impl FnOnce(&str)) {
    let text = |bytes: &[u8], written: usize| {
        if let Some(text) = bytes.get(..written).and_then(|bytes| std::str::from_utf8(bytes).ok()) {
            hear(text);
        }
    };
    if units <= KEPT_TEXT_BYTES / BYTES_PER_UNIT {
        // Taken, not borrowed: whatever `hear` does cannot collide with it.
        let bytes = TEXT.take();
        text(&bytes, written);
        TEXT.set(bytes);
    } else {
        let mut bytes = vec![0; units * BYTES_PER_UNIT];
        let written = listeners.encode_into(&mut bytes) as usize;
        text(&bytes, written);
    }
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

    /// What stands before and behind whatever is relayed to this socket.
    pub(crate) fn set_frame(&self, [before, behind]: [&str; 2]) {
        if let Some(ears) = &self.ears {
            ears.listeners.frame(before, behind);
        }
    }

    /// Sends a part of the text that this socket is being heard with to another one, as a text frame. The text must be ASCII.
    pub(crate) fn relay(&self, to: &Self, part: Range<usize>) {
        if let (Some(from), Some(to)) = (&self.ears, &to.ears) {
            from.listeners.relay(&to.listeners, part.start, part.end);
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
    _on_text: Closure<dyn FnMut(u32, u32)>,
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
        let at = PLACE.with(|place| *place);
        let memory = wasm_bindgen::memory();
        let listeners = Rc::new(Listeners::new(&socket, &group.0, max_units, &memory, at, KEPT_TEXT_BYTES));
        let (source, text_event, binary_event) =
            (Rc::downgrade(&listeners), on_event.clone(), on_event.clone());
        let on_text = move |units: u32, written: u32| {
            if let Some(listeners) = source.upgrade() {
                with_text(&listeners, units as usize, written as usize, |text| {
                    text_event(SocketEvent::Text(text));
                });
            }
        };
        let on_binary = move |bytes: u32| binary_event(SocketEvent::Binary(bytes as usize));
        let on_close =
            move |code: u16, reason: String| on_event(SocketEvent::Closed { code, reason: &reason });
        let on_text: Closure<dyn FnMut(u32, u32)> = Closure::wrap_assert_unwind_safe(Box::new(on_text));
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
