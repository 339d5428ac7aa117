//! The steps of a response, and when each is taken.

use std::{ops::Range, sync::Arc};

use rand::{Rng, rngs::SmallRng};

use super::super::conversation::{Body, Item, Spoken};
use crate::{
    registry::Utterance,
    speech::{FRAME_BYTES, FRAME_MS},
};

/// Letters of one delta of arguments, and the milliseconds until the next.
const ARGUMENTS_CHUNK: usize = 16;
const ARGUMENTS_GAP_MS: u64 = 12;

/// The next thing that a response does.
#[derive(Debug, Clone)]
pub(in crate::openai::session) enum Step {
    /// Begins an item.
    Open(Item),
    /// Says words in writing.
    Words(String),
    /// Says them aloud: frames of the utterance.
    Audio(Range<usize>),
    /// Writes arguments of a call.
    Arguments(String),
    /// Ends the item, with this status.
    Close(&'static str),
    /// Ends the response: its status, and why if it is not completed.
    End(&'static str, Option<&'static str>),
    /// Fails with this code.
    Fail(String),
}

/// How fast speech is sent.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) chunk_ms: u32,
    /// Times real time.
    pub(super) speed: f64,
    /// How far words run ahead of their sound, in audio time.
    pub(super) lead_ms: u32,
}

/// A function call: item id, call id, name, arguments.
pub(super) type Call = (String, String, String, String);

/// All steps with their milliseconds from the first, in order of time. No more than `limit` frames of audio.
pub(super) fn steps(
    message: Option<(String, Arc<Utterance>)>,
    calls: Vec<Call>,
    pace: &Pace,
    limit: Option<u64>,
    rng: &mut SmallRng,
) -> Vec<(u64, Step)> {
    let mut steps = Vec::new();
    let mut at = 0;
    let mut end = Step::End("completed", None);
    if let Some((id, utterance)) = message {
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let frames = utterance.frames.len().min(limit);
        let whole = frames == utterance.frames.len();
        let body = Spoken { utterance: utterance.clone(), sent: 0, transcript: String::new(), cut_ms: None };
        steps.push((0, Step::Open(Item { id, body: Body::Spoken(body), status: "in_progress" })));
        at = speech(&utterance, frames, pace, rng, &mut steps);
        steps.push((at, Step::Close(if whole { "completed" } else { "incomplete" })));
        if !whole {
            end = Step::End("incomplete", Some("max_output_tokens"));
        }
    }
    for (id, call_id, name, arguments) in calls {
        let body = Body::Call { call_id, name, arguments: String::new() };
        steps.push((at, Step::Open(Item { id, body, status: "in_progress" })));
        let letters: Vec<char> = arguments.chars().collect();
        for chunk in letters.chunks(ARGUMENTS_CHUNK) {
            at += ARGUMENTS_GAP_MS;
            steps.push((at, Step::Arguments(chunk.iter().collect())));
        }
        steps.push((at, Step::Close("completed")));
    }
    steps.push((at, end));
    steps
}

/// Audio in chunks at `pace`, and its words up to `lead_ms` ahead of it, never behind. Gives the time of the end.
fn speech(
    utterance: &Utterance,
    frames: usize,
    pace: &Pace,
    rng: &mut SmallRng,
    steps: &mut Vec<(u64, Step)>,
) -> u64 {
    let sent_at = |audio_ms: u32| (f64::from(audio_ms) / pace.speed.max(0.001)) as u64;
    let mut timed: Vec<(u64, u8, Step)> = Vec::new();
    let chunk_frames = (pace.chunk_ms / FRAME_MS).max(1) as usize;
    let gap = sent_at(pace.chunk_ms);
    let mut at = 0;
    for from in (0..frames).step_by(chunk_frames) {
        at = sent_at(from as u32 * FRAME_MS) + rng.random_range(0..=gap / 2);
        timed.push((at, 1, Step::Audio(from..(from + chunk_frames).min(frames))));
    }
    let end_ms = frames as u32 * FRAME_MS;
    let mut earliest = 0;
    for (index, word) in utterance.words.iter().take_while(|word| word.start_ms < end_ms).enumerate() {
        let lead = rng.random_range(0..=pace.lead_ms);
        earliest = earliest.max(sent_at(word.start_ms.saturating_sub(lead)));
        let text = if index == 0 { word.text.clone() } else { format!(" {}", word.text) };
        // In the same millisecond, words come first.
        timed.push((earliest, 0, Step::Words(text)));
    }
    timed.sort_by_key(|(at, order, _)| (*at, *order));
    steps.extend(timed.into_iter().map(|(at, _, step)| (at, step)));
    at
}

/// Frames as one piece of audio.
pub(super) fn audio(utterance: &Utterance, frames: Range<usize>) -> Vec<u8> {
    let mut audio = Vec::with_capacity(frames.len() * FRAME_BYTES);
    utterance.frames.get(frames).unwrap_or_default().iter().for_each(|frame| audio.extend_from_slice(frame));
    audio
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::{
        registry::{Registry, Speaker},
        speech::{Speech, Word},
    };

    fn plan(limit: Option<u64>, seed: u64) -> Vec<(u64, Step)> {
        let word = |n: u32| Word { text: format!("w{n}"), start_ms: n * 250, end_ms: n * 250 + 250 };
        let words: Vec<Word> = (0..40).map(word).collect();
        let speech = Speech { text: String::new(), audio: vec![0x20; 80_000], words };
        let utterance = Registry::default().register(Speaker::Assistant { item: "i".into() }, &speech);
        let pace = Pace { chunk_ms: 200, speed: 4.0, lead_ms: 2_000 };
        let call =
            ("item".to_owned(), "call".to_owned(), "end_call".to_owned(), r#"{"reason":"bye"}"#.repeat(3));
        steps(Some(("i".into(), utterance)), vec![call], &pace, limit, &mut SmallRng::seed_from_u64(seed))
    }

    #[test]
    fn words_run_ahead_of_their_audio_and_never_behind() {
        for seed in 0..200 {
            let steps = plan(None, seed);
            assert!(steps.windows(2).all(|pair| pair[0].0 <= pair[1].0), "in order of time");
            let (mut sent_ms, mut word) = (0, 0);
            for (_, step) in &steps {
                match step {
                    Step::Words(_) => {
                        let start_ms = word * 250;
                        assert!(sent_ms <= start_ms + 200, "the word {word} comes after its audio");
                        assert!(start_ms <= sent_ms + 2_000 + 200, "the word {word} is too early");
                        word += 1;
                    }
                    Step::Audio(frames) => sent_ms += frames.len() as u32 * FRAME_MS,
                    _ => {}
                }
            }
            assert_eq!((sent_ms, word), (10_000, 40));
        }
    }

    #[test]
    fn speech_comes_faster_than_it_is_heard_and_calls_come_after_it() {
        let steps = plan(None, 1);
        let names: Vec<_> = steps.iter().map(|(_, s)| std::mem::discriminant(s)).collect();
        assert_eq!(names.last(), Some(&std::mem::discriminant(&Step::End("", None))));
        let closes: Vec<u64> =
            steps.iter().filter(|(_, s)| matches!(s, Step::Close("completed"))).map(|(at, _)| *at).collect();
        assert!((2_400..2_600).contains(&closes[0]) && closes[1] > closes[0], "{closes:?}");
    }

    #[test]
    fn the_limit_of_tokens_cuts_the_audio_and_its_words() {
        let steps = plan(Some(100), 1);
        let frames: usize = steps.iter().map(|(_, s)| if let Step::Audio(f) = s { f.len() } else { 0 }).sum();
        let words = steps.iter().filter(|(_, s)| matches!(s, Step::Words(_))).count();
        assert_eq!((frames, words), (100, 8));
        assert!(matches!(steps.last().unwrap().1, Step::End("incomplete", Some("max_output_tokens"))));
    }
}
