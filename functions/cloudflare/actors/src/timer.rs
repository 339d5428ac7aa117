use std::cell::Cell;

use voicecore_types::Millis;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &js_sys::Function, delay_ms: f64) -> f64;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(handle: f64);
}

/// The longest that `setTimeout` keeps count of: 2^31-1 ms.
const MAX_DELAY: Millis = Millis(i32::MAX as u64);

/// One deadline, with one callback that is made once.
///
/// Deadlines move far more often than they come (each frame may postpone one), so the JavaScript timer is set again only
/// for an earlier moment. It may fire early: whoever is called looks at the clock and calls [`Timer::ensure`] again.
pub(crate) struct Timer {
    callback: Closure<dyn FnMut()>,
    armed: Cell<Option<Armed>>,
}

#[derive(Clone, Copy)]
struct Armed {
    handle: f64,
    at: Millis,
}

impl Timer {
    pub(crate) fn new(callback: impl FnMut() + 'static) -> Self {
        Self { callback: Closure::wrap_assert_unwind_safe(Box::new(callback)), armed: Cell::new(None) }
    }

    /// The callback comes at `deadline` or before. `None`: it is not needed, but may come.
    pub(crate) fn ensure(&self, deadline: Option<Millis>, now: Millis) {
        let Some(at) = deadline else { return };
        if self.armed.get().is_some_and(|armed| armed.at <= at) {
            return;
        }
        self.cancel();
        let delay = at.since(now).min(MAX_DELAY);
        let handle = set_timeout(self.callback.as_ref().unchecked_ref(), delay.0 as f64);
        self.armed.set(Some(Armed { handle, at }));
    }

    /// The callback says that it was called.
    pub(crate) fn fired(&self) {
        self.armed.set(None);
    }

    fn cancel(&self) {
        if let Some(armed) = self.armed.take() {
            clear_timeout(armed.handle);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.cancel();
    }
}
