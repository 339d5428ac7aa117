//! What a model's provider charges, in millionths of a US dollar.
//!
//! Prices per million tokens, in dollars, are at the same time micro-dollars per token; to keep tenths of a cent exact
//! they are held as micro-dollars per million tokens. Source: protocols.md §4.1 (OpenAI's model pages, checked July 2026).

use serde::{Deserialize, Serialize};

/// Tokens of a call, as `response.done` reports them, cached ones taken out of the fresh ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Text in, not from the cache.
    pub text_in: u64,
    /// Text in, from the cache.
    pub text_cached: u64,
    /// Text out.
    pub text_out: u64,
    /// Audio in, not from the cache.
    pub audio_in: u64,
    /// Audio in, from the cache.
    pub audio_cached: u64,
    /// Audio out.
    pub audio_out: u64,
}

/// Micro-dollars per million tokens, in the order of [`TokenUsage`].
struct Prices([u64; 6]);

const REALTIME_2: Prices = Prices([4_000_000, 400_000, 24_000_000, 32_000_000, 400_000, 64_000_000]);
const REALTIME_1: Prices = Prices([4_000_000, 400_000, 16_000_000, 32_000_000, 400_000, 64_000_000]);
const REALTIME_MINI: Prices = Prices([600_000, 60_000, 2_400_000, 10_000_000, 300_000, 20_000_000]);
const PREVIEW: Prices = Prices([5_000_000, 2_500_000, 20_000_000, 40_000_000, 2_500_000, 80_000_000]);
const PREVIEW_MINI: Prices = Prices([600_000, 300_000, 2_400_000, 10_000_000, 300_000, 20_000_000]);
/// Models that read and write. They use no audio tokens; should one, it is charged at the dearest price.
const fn text(fresh: u64, cached: u64, out: u64) -> Prices {
    Prices([fresh, cached, out, 40_000_000, 2_500_000, 80_000_000])
}
const GPT_4_1: Prices = text(2_000_000, 500_000, 8_000_000);
const GPT_4_1_MINI: Prices = text(400_000, 100_000, 1_600_000);
const GPT_4_1_NANO: Prices = text(100_000, 25_000, 400_000);
const GPT_4O: Prices = text(2_500_000, 1_250_000, 10_000_000);
const GPT_4O_MINI: Prices = text(150_000, 75_000, 600_000);
/// The dearest of each kind: a model nobody has told us the price of must not slip under a cost cap.
const UNKNOWN: Prices = Prices([5_000_000, 2_500_000, 24_000_000, 40_000_000, 2_500_000, 80_000_000]);

/// By name, the longest fitting beginning first: dated names (`gpt-realtime-mini-2025-10-06`) cost what their family does.
const FAMILIES: [(&str, &Prices); 11] = [
    ("gpt-4o-mini-realtime-preview", &PREVIEW_MINI),
    ("gpt-realtime-2.1-mini", &REALTIME_MINI),
    ("gpt-4o-realtime-preview", &PREVIEW),
    ("gpt-realtime-mini", &REALTIME_MINI),
    ("gpt-realtime-2", &REALTIME_2),
    ("gpt-realtime", &REALTIME_1),
    ("gpt-4.1-mini", &GPT_4_1_MINI),
    ("gpt-4.1-nano", &GPT_4_1_NANO),
    ("gpt-4o-mini", &GPT_4O_MINI),
    ("gpt-4.1", &GPT_4_1),
    ("gpt-4o", &GPT_4O),
];

/// What `usage` costs with `model`, rounded up to a whole micro-dollar; saturating. Transcription is billed apart and
/// not contained. A model that is not in the price list is charged at the dearest price known.
pub fn cost_micros(model: &str, usage: &TokenUsage) -> u64 {
    let Prices(prices) = family(model);
    let tokens = [
        usage.text_in,
        usage.text_cached,
        usage.text_out,
        usage.audio_in,
        usage.audio_cached,
        usage.audio_out,
    ];
    let total = tokens
        .iter()
        .zip(prices)
        .fold(0_u128, |sum, (tokens, price)| sum.saturating_add(u128::from(*tokens) * u128::from(*price)));
    u64::try_from(total.div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn family(model: &str) -> &'static Prices {
    // `gpt-realtime-2025-08-28` is a date, not version 2.
    let dated_first = model.strip_prefix("gpt-realtime-").is_some_and(|rest| rest.starts_with("20"));
    if dated_first {
        return &REALTIME_1;
    }
    FAMILIES.iter().find(|(name, _)| model.starts_with(name)).map_or(&UNKNOWN, |(_, prices)| prices)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_minute_of_speech_costs_what_the_provider_says() {
        // protocols.md §4.1: a caller makes one token per 100 ms, an assistant one per 50 ms; one minute of each is
        // 1.92 and 7.68 cents on 2.1.
        let caller = TokenUsage { audio_in: 600, ..TokenUsage::default() };
        let assistant = TokenUsage { audio_out: 1_200, ..TokenUsage::default() };
        assert_eq!(cost_micros("gpt-realtime-2.1", &caller), 19_200);
        assert_eq!(cost_micros("gpt-realtime-2.1", &assistant), 76_800);
        assert_eq!(cost_micros("gpt-realtime-2.1-mini", &caller), 6_000);
        assert_eq!(cost_micros("gpt-realtime-2.1-mini", &assistant), 24_000);
    }

    #[test]
    fn families_are_told_apart() {
        let text_out = TokenUsage { text_out: 1_000_000, ..TokenUsage::default() };
        for (model, dollars) in [
            ("gpt-realtime-2.1", 24_000_000),
            ("gpt-realtime-2", 24_000_000),
            ("gpt-realtime", 16_000_000),
            ("gpt-realtime-1.5", 16_000_000),
            ("gpt-realtime-2025-08-28", 16_000_000),
            ("gpt-realtime-mini", 2_400_000),
            ("gpt-realtime-mini-2025-10-06", 2_400_000),
            ("gpt-realtime-2.1-mini", 2_400_000),
            ("gpt-4o-realtime-preview-2024-12-17", 20_000_000),
            ("gpt-4o-mini-realtime-preview", 2_400_000),
            ("gpt-4.1-mini-2025-04-14", 1_600_000),
            ("gpt-4.1", 8_000_000),
            ("gpt-4o-mini", 600_000),
            ("gpt-4o-2024-11-20", 10_000_000),
            ("somebody-elses-model", 24_000_000),
        ] {
            assert_eq!(cost_micros(model, &text_out), dollars, "{model}");
        }
    }

    proptest! {
        /// No token is free, more is never cheaper, a part rounds up, and nothing overflows.
        #[test]
        fn costs_rise_with_use(a in any::<[u64; 6]>(), more in any::<u64>(), place in 0_usize..6) {
            let usage = |t: [u64; 6]| TokenUsage {
                text_in: t[0], text_cached: t[1], text_out: t[2], audio_in: t[3], audio_cached: t[4], audio_out: t[5],
            };
            let mut b = a;
            b[place] = b[place].saturating_add(more);
            for model in ["gpt-realtime-2.1", "gpt-realtime-mini", "unheard-of"] {
                prop_assert!(cost_micros(model, &usage(a)) <= cost_micros(model, &usage(b)));
                prop_assert!(cost_micros(model, &usage(a)) <= cost_micros("unheard-of", &usage(a)));
                prop_assert_eq!(cost_micros(model, &usage(a)) == 0, a == [0; 6]);
            }
        }
    }
}
