use spin_sdk::wit_bindgen::{backpressure_dec, backpressure_inc};

/// As long as it lives, the host gives this instance no other request, and makes another instance for the next.
///
/// Spin would give an instance 16 requests at once, and a panic ends the instance with all of them. There is no way to catch
/// one in wasm, and a host's settings are not ours; but the component model lets a component say that it is busy. Instances are
/// still reused, one request after the other, and making one takes less than a millisecond.
pub(crate) struct Alone(());

impl Alone {
    pub(crate) fn begin() -> Self {
        backpressure_inc();
        Self(())
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        backpressure_dec();
    }
}
