//! Marks inside the audio by which every 20 ms block is known again at the other end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of one block: 20 ms of 8 kHz µ-law.
pub(crate) const BLOCK: usize = 160;
/// Its length in milliseconds.
pub(crate) const BLOCK_MS: u64 = 20;
const MAGIC: u8 = 0xA7;
const FILL: u8 = 0x3C;

/// Which block it is: of which call, which utterance (0 for the caller), which position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) call: u16,
    pub(crate) item: u16,
    pub(crate) block: u32,
}

/// `count` blocks from `first` on, as base64.
pub(crate) fn encode(first: Tag, count: u32) -> String {
    let mut audio = vec![FILL; BLOCK * count as usize];
    for (index, chunk) in audio.chunks_exact_mut(BLOCK).enumerate() {
        let block = first.block + index as u32;
        chunk[0] = MAGIC;
        chunk[1..3].copy_from_slice(&first.call.to_be_bytes());
        chunk[3..5].copy_from_slice(&first.item.to_be_bytes());
        chunk[5..9].copy_from_slice(&block.to_be_bytes());
    }
    STANDARD.encode(audio)
}

/// The tag of each block of a payload, `None` for audio that is not ours (padding, tones); and the milliseconds of
/// the payload. Audio that was cut elsewhere than at block boundaries reads as not ours.
pub(crate) fn decode(payload: &str) -> (Vec<Option<Tag>>, u64) {
    let Ok(audio) = STANDARD.decode(payload) else { return (vec![], 0) };
    let tags = audio.chunks_exact(BLOCK).map(|chunk| {
        let number = |at: usize| u16::from_be_bytes([chunk[at], chunk[at + 1]]);
        (chunk[0] == MAGIC && chunk[9..].iter().all(|byte| *byte == FILL)).then(|| Tag {
            call: number(1),
            item: number(3),
            block: u32::from_be_bytes([chunk[5], chunk[6], chunk[7], chunk[8]]),
        })
    });
    (tags.collect(), audio.len() as u64 / 8)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::{Tag, decode, encode};

    #[test]
    fn comes_back() {
        let first = Tag { call: 513, item: 7, block: 70_000 };
        let (tags, ms) = decode(&encode(first, 2));
        assert_eq!(tags, [Some(first), Some(Tag { block: 70_001, ..first })]);
        assert_eq!(ms, 40);
        assert_eq!(decode(&super::STANDARD.encode([0xff; 160])).0, [None]);
    }
}
