//! Sounds of the telephone network, as µ-law.

use crate::speech::{SILENCE, encode};

/// Samples of a second.
const SECOND: usize = 8_000;
/// A key sounds so long, and is followed by as much silence.
const KEY: usize = SECOND / 10;
/// Loudness of one of two frequencies.
const AMPLITUDE: f64 = 6_000.0;

/// Two frequencies at once; the second may be 0.
fn dual(first: f64, second: f64, samples: usize) -> Vec<u8> {
    let sine = |hz: f64, n: usize| AMPLITUDE * (std::f64::consts::TAU * hz * n as f64 / SECOND as f64).sin();
    (0..samples).map(|n| encode((sine(first, n) + sine(second, n)) as i16)).collect()
}

/// One ring of the North American ringing tone: two seconds, and four of silence.
pub(super) fn ring() -> Vec<u8> {
    let mut audio = dual(440.0, 480.0, 2 * SECOND);
    audio.resize(6 * SECOND, SILENCE);
    audio
}

/// Half a second of the busy signal, and half a second of silence.
pub(super) fn busy() -> Vec<u8> {
    let mut audio = dual(480.0, 620.0, SECOND / 2);
    audio.resize(SECOND, SILENCE);
    audio
}

/// The beep before a recording.
pub(super) fn beep() -> Vec<u8> {
    dual(1_000.0, 0.0, SECOND * 2 / 5)
}

/// Keys; `w` is half a second of silence, `W` a whole one.
pub(super) fn keys(digits: &str) -> Vec<u8> {
    let mut audio = Vec::new();
    for digit in digits.chars() {
        let pause = match digit {
            'w' => SECOND / 2,
            'W' => SECOND,
            key => {
                if let Some((low, high)) = frequencies(key) {
                    audio.extend(dual(low, high, KEY));
                }
                KEY
            }
        };
        audio.resize(audio.len() + pause, SILENCE);
    }
    audio
}

/// The frequencies of a key (ITU-T Q.23).
fn frequencies(key: char) -> Option<(f64, f64)> {
    let (row, column) = match key {
        '1' => (697.0, 1_209.0),
        '2' => (697.0, 1_336.0),
        '3' => (697.0, 1_477.0),
        '4' => (770.0, 1_209.0),
        '5' => (770.0, 1_336.0),
        '6' => (770.0, 1_477.0),
        '7' => (852.0, 1_209.0),
        '8' => (852.0, 1_336.0),
        '9' => (852.0, 1_477.0),
        '*' => (941.0, 1_209.0),
        '0' => (941.0, 1_336.0),
        '#' => (941.0, 1_477.0),
        _ => return None,
    };
    Some((row, column))
}

#[cfg(test)]
mod tests {
    use super::{keys, ring};
    use crate::speech::{is_silence, level_db};

    #[test]
    fn tones_sound_and_pauses_do_not() {
        let audio = keys("1w0");
        assert_eq!(audio.len(), 800 + 800 + 4_000 + 800 + 800);
        assert!(level_db(&audio[..800]) > -20.0 && is_silence(&audio[800..5_600]));
        assert!(level_db(&ring()[..16_000]) > -20.0 && is_silence(&ring()[16_000..]));
    }
}
