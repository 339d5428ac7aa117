use std::sync::Once;

static INSTALLED: Once = Once::new();

/// Makes a panic log its place and nothing else: a panic's message may quote what was said in a call.
pub(crate) fn install_hook() {
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(|info| match info.location() {
            Some(place) => eprintln!("panic at {}:{}", place.file(), place.line()),
            None => eprintln!("panic"),
        }));
    });
}
