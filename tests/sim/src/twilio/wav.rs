//! µ-law WAV files, sample for sample what was heard.

use crate::speech::SAMPLE_RATE;

/// Format code of µ-law in a WAV header.
const WAVE_FORMAT_MULAW: u16 = 7;

/// `audio` as a WAV file of one channel.
pub(super) fn wav(audio: &[u8]) -> Vec<u8> {
    let length = u32::try_from(audio.len()).unwrap_or(u32::MAX - 50);
    let mut file = Vec::with_capacity(audio.len() + 58);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(length + 50).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&18_u32.to_le_bytes());
    file.extend_from_slice(&WAVE_FORMAT_MULAW.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    file.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&8_u16.to_le_bytes());
    file.extend_from_slice(&0_u16.to_le_bytes());
    file.extend_from_slice(b"fact");
    file.extend_from_slice(&4_u32.to_le_bytes());
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(audio);
    file
}

#[cfg(test)]
mod tests {
    use super::wav;

    #[test]
    fn the_header_counts_what_follows_it() {
        let file = wav(&[0xff; 100]);
        let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!((file.len(), number(4), number(54)), (158, file.len() - 8, 100));
        assert_eq!(
            (&file[..4], &file[8..16], &file[50..54]),
            (b"RIFF".as_slice(), b"WAVEfmt ".as_slice(), b"data".as_slice())
        );
    }
}
