use std::sync::Once;

use wasm_bindgen::prelude::wasm_bindgen;

// Tells `worker` that this instance is not to be used again: it makes a new one for the next event. In JavaScript and without
// arguments, for an instance that is dying can neither allocate nor make a value of JavaScript's.
#[wasm_bindgen(
    inline_js = "export function markBroken() { globalThis.__worker_init_state.criticalError = true; }"
)]
extern "C" {
    #[wasm_bindgen(js_name = markBroken)]
    fn mark_broken();
}

static INSTALLED: Once = Once::new();

/// Makes a panic log its place and nothing else: a panic's message may quote what was said in a call. And sees to it that an
/// instance that has died, of a panic or of anything else (no memory, no stack), is replaced before the next event.
///
/// `worker` installs hooks of its own, after every start function has run: so each entry point calls this first.
pub fn install_hook() {
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            match info.location() {
                Some(place) => worker::console_error!("panic at {}:{}", place.file(), place.line()),
                None => worker::console_error!("panic"),
            }
            mark_broken();
        }));
        // Instead of `worker`'s, which lets the next call of any closure make the new instance: that closure, which belongs
        // to the dead one, would then run in the new one's memory. Ours leaves it to the next event; until then every
        // closure is refused.
        wasm_bindgen::handler::set_on_abort(mark_broken);
    });
}
