use voicecore_ports::Rng;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    // Not `catch`: if the generator fails, the exception must leave the request rather than let it go on with zeros.
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]);
}

/// `crypto.getRandomValues` takes no more at once (Web Cryptography API, §10.1.1).
const QUOTA_BYTES: usize = 65_536;

/// The platform's cryptographic generator.
pub(crate) struct WebCrypto;

impl Rng for WebCrypto {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(QUOTA_BYTES) {
            get_random_values(part);
        }
    }
}
