use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use voicecore_wire::payload::{Payload, SILENCE};

use super::{BYTES_PER_MS, Pace, Speech, cut};

/// A finished answer of `characters` in `milliseconds`.
fn pace(characters: u64, milliseconds: u64) -> Pace {
    Pace { characters, milliseconds }
}

fn add_audio(speech: &mut Speech, bytes: u64) {
    speech.audio.add_speech(bytes);
    speech.note_worded(bytes);
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

#[test]
fn a21_text_is_cut_at_the_word_boundary_before_its_share() {
    let text = "Hello, this is Bob's AI assistant.";
    for (characters, expect) in [
        (0, ""),
        (5, ""),
        (6, "Hello,"),
        (7, "Hello,"),
        (10, "Hello,"),
        (11, "Hello, this"),
        (33, "Hello, this is Bob's AI"),
        (34, text),
        (99, text),
    ] {
        assert_eq!(cut(text, characters), expect, "{characters}");
    }
    // No spaces, no words: characters are what there is.
    let japanese = "お電話ありがとうございます。本日はどのようなご用件でしょうか。お気軽にお話しください。";
    assert_eq!(cut(japanese, 36).chars().count(), 36);
    assert_eq!(cut("", 3), "");
}

#[test]
fn a21_a_whole_answer_is_cut_by_its_share_alone() {
    let mut speech = Speech::default();
    speech.add_text("one two three four five six seven eight nine ten");
    add_audio(&mut speech, 4_800 * BYTES_PER_MS);
    speech.set_complete();
    // 48 characters in 4,800 ms, whatever the pace of others was.
    assert_eq!(speech.heard(1_300, pace(1, 1)), "one two three");
    assert_eq!(speech.heard(1_200, pace(1, 1)), "one two");
    assert_eq!(speech.heard(4_800, pace(1, 1)), speech.text());
    assert_eq!(speech.heard(0, pace(1, 1)), "");
}

#[test]
fn a21_words_whose_audio_never_came_are_not_counted() {
    // A second of audio is there and heard, and three seconds of text: the share of what is there would be all of it.
    let mut speech = Speech::default();
    add_audio(&mut speech, 500 * BYTES_PER_MS);
    speech.add_text("one two three four five six seven eight nine");
    add_audio(&mut speech, 500 * BYTES_PER_MS);
    assert_eq!(speech.heard(1_000, pace(150, 10_000)), "one two three");
}

#[test]
fn a21_a_pause_is_not_taken_for_words() {
    // A sentence of 2 s, a pause of 1 s, and the next sentence: interrupted in the pause, and just behind it.
    let mut speech = Speech::default();
    for (text, code, ms) in [
        ("one two three four five", 0x90, 1_500),
        (" six seven. Eight nine ten", 0x90, 700),
        ("", SILENCE, 1_000),
        (" eleven", 0x90, 300),
    ] {
        speech.add_text(text);
        speech.add_audio(&Payload::encode(&vec![code; ms * BYTES_PER_MS as usize]));
    }
    let pace = pace(150, 10_000);
    for heard_ms in [2_500, 2_800, 3_200] {
        assert_eq!(speech.heard(heard_ms, pace), "one two three four five six");
    }
    assert_eq!(speech.heard(3_500, pace), "one two three four five six seven.");
}

#[test]
fn text_has_a_limit() {
    let mut speech = Speech::default();
    for _ in 0..2_000 {
        speech.add_text("ü and so on. ");
    }
    assert!(speech.text().len() <= super::MAX_TEXT);
    speech.set_text(&"ü".repeat(20_000));
    assert!(speech.text().len() <= super::MAX_TEXT);
}

/// An even speaker, sent as a model sends it.
#[derive(Debug, Clone)]
struct Take {
    text: String,
    /// Characters a second.
    rate: u64,
    /// How far the words run ahead, in turn.
    leads: Vec<u64>,
    piece_ms: u64,
    /// Heard so much of it, in per mille of the whole.
    heard: u64,
    /// The model is further than what was heard by this much.
    ahead_ms: u64,
}

fn take() -> impl Strategy<Value = Take> {
    let words = prop::collection::vec(1..10_usize, 8..60)
        .prop_map(|words| words.into_iter().map(|letters| "x".repeat(letters)).collect::<Vec<_>>().join(" "));
    (words, 12..20_u64, prop::collection::vec(0..2_000_u64, 20..40), 20..201_u64, 1..1_000_u64, 0..6_000_u64)
        .prop_map(|(text, rate, leads, piece_ms, heard, ahead_ms)| Take {
            text,
            rate,
            leads,
            piece_ms,
            heard,
            ahead_ms,
        })
}

impl Take {
    fn total_ms(&self) -> u64 {
        self.text.len() as u64 * 1_000 / self.rate
    }

    fn heard_ms(&self) -> u64 {
        self.total_ms() * self.heard / 1_000
    }

    /// What had come when the caller interrupted.
    fn received(&self) -> Speech {
        let mut speech = Speech::default();
        let end = (self.heard_ms() + self.ahead_ms).min(self.total_ms());
        let mut audio = 0;
        let mut sent = 0;
        let pieces: Vec<&str> = self.text.split_inclusive(' ').collect();
        let mut next = 0;
        while audio < end {
            while let Some(piece) = pieces.get(next) {
                let spoken_at = sent * 1_000 / self.rate;
                let lead = self.leads[next % self.leads.len()];
                if spoken_at > audio + lead {
                    break;
                }
                speech.add_text(piece);
                sent += piece.len() as u64;
                next += 1;
            }
            let piece = self.piece_ms.min(self.total_ms() - audio);
            add_audio(&mut speech, piece * BYTES_PER_MS);
            audio += piece;
        }
        if end == self.total_ms() {
            speech.set_text(&self.text);
            speech.set_complete();
        }
        speech
    }
}

/// Words heard by the estimate, and in truth.
fn judged(take: &Take, taught: Pace) -> (usize, usize) {
    let speech = take.received();
    let truth = cut(&take.text, (take.heard_ms() * take.rate / 1_000) as usize);
    let heard = speech.heard(take.heard_ms(), taught);
    assert!(take.text.starts_with(heard));
    (words(heard), words(truth))
}

fn fits((got, truth): (usize, usize)) -> bool {
    got <= truth + 1 && got + 2 >= truth
}

/// An answer that was whole is cut within a word too many and two missing, always. One whose rest was never made can
/// only be estimated: of 2,000 such, with a pace taught that is off by up to 8 %, hardly any is outside of that.
#[test]
fn a21_the_cut_is_within_one_word_too_many_and_two_missing() {
    let mut runner = TestRunner::deterministic();
    let (mut estimated, mut outside) = (0_u64, 0);
    for n in 0..3_000_u64 {
        let take = take().new_tree(&mut runner).expect("a take").current();
        let judgement = judged(&take, pace(take.rate * (92 + n % 17), 100 * 1_000));
        if take.received().is_complete() {
            assert!(fits(judgement), "{judgement:?} of {take:?}");
        } else {
            estimated += 1;
            outside += u64::from(!fits(judgement));
        }
    }
    assert!(estimated > 2_000 && outside * 200 < estimated, "{outside} of {estimated}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// However wrong the pace is that was taught, the answer's own words hold the estimate near the truth.
    #[test]
    fn a21_a_wrong_pace_is_corrected_by_the_answer_itself(take in take(), off in 50..200_u64) {
        let (got, truth) = judged(&take, pace(take.rate * off, 100 * 1_000));
        prop_assert!(got.abs_diff(truth) <= 8, "{} of {} words", got, truth);
    }
}
