//! The comfort tone: a quiet beep that says "the line is alive" while nothing else can be said.

use std::f32::consts::TAU;

use voicecore_wire::payload::Payload;

/// Samples per second.
const RATE: f32 = 8_000.0;
/// Pitch: 440 Hz, well inside the telephone band and unlike any supervisory tone (those are 350 to 480 Hz in pairs).
const PITCH: f32 = 440.0;
/// Length in samples: 240 ms.
const SAMPLES: usize = 1_920;
/// Fade in and out, in samples: without it the tone clicks.
const FADE: f32 = 320.0;
/// Peak amplitude of 16 bits: about −30 dBFS, quiet.
const AMPLITUDE: f32 = 1_000.0;

/// The tone as µ-law.
pub(crate) fn comfort() -> Payload<'static> {
    let samples: Vec<u8> = (0..SAMPLES)
        .map(|n| {
            let (at, left) = (n as f32, (SAMPLES - n) as f32);
            let fade = (at / FADE).min(left / FADE).min(1.0);
            encode_mulaw((AMPLITUDE * fade * (TAU * PITCH * at / RATE).sin()) as i16)
        })
        .collect();
    Payload::encode(&samples)
}

/// One sample of 16-bit linear PCM as µ-law (ITU-T G.711): sign, three bits of exponent, four of mantissa, inverted.
fn encode_mulaw(sample: i16) -> u8 {
    const BIAS: u16 = 0x84;
    const CLIP: u16 = 32_635;
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.unsigned_abs().min(CLIP) + BIAS;
    // The bias makes bit 7 the lowest that can be the highest set one.
    let exponent = 8 - magnitude.leading_zeros().min(8) as u8;
    let mantissa = (magnitude >> (exponent + 3)) as u8 & 0x0f;
    !(sign | (exponent << 4) | mantissa)
}

#[cfg(test)]
mod tests {
    use super::{SAMPLES, comfort, encode_mulaw};

    #[test]
    fn mulaw_matches_known_values() {
        // From the tables of G.711.
        for (linear, mulaw) in [
            (0, 0xff),
            (-1, 0x7f),
            (32_635, 0x80),
            (-32_635, 0x00),
            (132, 0xef),
            (1_000, 0xce),
            (i16::MIN, 0x00),
        ] {
            assert_eq!(encode_mulaw(linear), mulaw, "{linear}");
        }
    }

    #[test]
    fn the_tone_is_short_and_quiet() {
        let tone = comfort();
        assert_eq!(tone.byte_len(), SAMPLES as u64);
        const { assert!(super::AMPLITUDE < 3_277.0, "quieter than -20 dBFS") };
    }
}
