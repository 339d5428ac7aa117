//! From the synthesiser's sample rate to the telephone's: polyphase filter with a windowed sinc.

use std::f64::consts::PI;

use super::SAMPLE_RATE;

/// Zero crossings of the sinc on either side: transition band of about 500 Hz at 8 kHz.
const ZERO_CROSSINGS: usize = 16;
/// Pass band as a share of the telephone's Nyquist frequency: 3.6 kHz.
const PASS_BAND: f64 = 0.9;

/// `input` at `from` samples per second, as 8 kHz. `from` must not be below 8 kHz.
pub(super) fn to_telephone(input: &[i16], from: u32) -> Vec<i16> {
    let divisor = gcd(from, SAMPLE_RATE);
    let (phases, stride) = ((SAMPLE_RATE / divisor) as usize, (from / divisor) as usize);
    let half =
        (ZERO_CROSSINGS as f64 * f64::from(from) / (f64::from(SAMPLE_RATE) * PASS_BAND)).ceil() as usize;
    let kernels: Vec<Vec<f64>> = (0..phases).map(|phase| kernel(phase, phases, half, from)).collect();
    let length = input.len() * phases / stride;
    (0..length)
        .map(|n| {
            let (centre, phase) = (n * stride / phases, n * stride % phases);
            let taps = kernels.get(phase).into_iter().flatten().enumerate();
            let sum: f64 = taps
                .filter_map(|(k, tap)| {
                    let sample = input.get((centre + 1 + k).checked_sub(half)?)?;
                    Some(tap * f64::from(*sample))
                })
                .sum();
            sum.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
        })
        .collect()
}

/// The taps for an output sample that lies `phase / phases` of an input sample after its centre; they sum up to one.
fn kernel(phase: usize, phases: usize, half: usize, from: u32) -> Vec<f64> {
    let cutoff = f64::from(SAMPLE_RATE) * PASS_BAND / f64::from(from);
    let offset = phase as f64 / phases as f64;
    let taps = (0..2 * half).map(|k| {
        let x = k as f64 + 1.0 - half as f64 - offset;
        let window = 0.5 + 0.5 * (PI * x / half as f64).clamp(-PI, PI).cos();
        let sinc = if x.abs() < 1e-9 { 1.0 } else { (PI * x * cutoff).sin() / (PI * x * cutoff) };
        sinc * window
    });
    let taps: Vec<f64> = taps.collect();
    let sum: f64 = taps.iter().sum();
    taps.into_iter().map(|t| t / sum).collect()
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RMS after a sine of `hz` at 22.05 kHz has been brought to 8 kHz, relative to the sine's own.
    fn gain(hz: f64) -> f64 {
        let sine: Vec<i16> = (0..22_050)
            .map(|n| (10_000.0 * (2.0 * PI * hz * f64::from(n) / 22_050.0).sin()) as i16)
            .collect();
        let out = to_telephone(&sine, 22_050);
        assert_eq!(out.len(), 8_000);
        let power: f64 = out.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / out.len() as f64;
        power.sqrt() / (10_000.0 / 2f64.sqrt())
    }

    #[test]
    fn speech_passes_and_what_would_alias_does_not() {
        for hz in [200.0, 1_000.0, 3_000.0] {
            assert!((gain(hz) - 1.0).abs() < 0.03, "{hz}");
        }
        for hz in [4_600.0, 6_000.0, 10_000.0] {
            assert!(gain(hz) < 0.01, "{hz}");
        }
    }
}
