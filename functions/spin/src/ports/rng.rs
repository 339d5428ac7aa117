use spin_sdk::wasip3::random::random::get_random_bytes;
use voicecore_ports::Rng;

/// The host's cryptographic generator.
pub(crate) struct WasiRandom;

impl Rng for WasiRandom {
    /// The host may give fewer bytes than were asked for, but never none: a host that does would hang this request, which is
    /// better than bytes that can be guessed.
    fn fill(&self, bytes: &mut [u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let random = get_random_bytes(rest.len() as u64);
            let given = random.len().min(rest.len());
            let (now, later) = rest.split_at_mut(given);
            now.copy_from_slice(random.get(..given).unwrap_or_default());
            rest = later;
        }
    }
}
