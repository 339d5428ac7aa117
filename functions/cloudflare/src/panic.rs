use std::sync::Once;

static INSTALLED: Once = Once::new();

/// Makes a panic log its place and nothing else: a panic's message may quote what was said in a call.
///
/// `worker` installs a hook that prints the message, after every start function has run: so each entry point calls this
/// first. As that one does, it marks the instance as broken; the runtime then makes a new one for the next event.
pub(crate) fn install_hook() {
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            match info.location() {
                Some(place) => worker::console_error!("panic at {}:{}", place.file(), place.line()),
                None => worker::console_error!("panic"),
            }
            let state = js_sys::Reflect::get(&js_sys::global(), &"__worker_init_state".into());
            if let Ok(state) = state {
                let _ = js_sys::Reflect::set(&state, &"criticalError".into(), &true.into());
            }
        }));
    });
}
