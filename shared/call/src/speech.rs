//! Which words of an answer were heard?
//!
//! The model sends an answer's audio and, 0 to 2 s ahead of it, its words; nothing says which word belongs to which
//! millisecond. Speech is taken as even but for its pauses, which are heard in the audio and left out ([`Voicing`]): a
//! word's place in the text is its place in the time spoken. All milliseconds below are of time spoken.
//!
//! - When all of text and audio is there, the heard share of the milliseconds is the heard share of the characters.
//! - When the answer was cut before the model had finished, the whole is not known, and the share of what *is* there
//!   would count words whose audio never came. Then the pace (characters a millisecond) is estimated instead, from
//!   two sources that are weighed by how exact they are: the pace of this call's finished answers (same voice, another
//!   text), and the slope of this answer's own words over its audio (a regression: by how much the words are ahead
//!   does not matter to it, only how evenly). The result is held within what is certain. The words are never behind
//!   the audio: with `x` characters and `a` milliseconds there, the pace is at most `x/a`. They are at most
//!   [`TEXT_LEAD_MS`] ahead: it is at least `x/(a + TEXT_LEAD_MS)`. Both are taken at every piece of text.
//!
//! The text is cut at the last word boundary at or before that place, so a word that was only begun is left out.

use voicecore_wire::payload::{BYTES_PER_MS, Payload};

use crate::voicing::Voicing;

/// The words run at most this much ahead of the audio, in milliseconds.
const TEXT_LEAD_MS: u64 = 2_000;
/// The words of a piece of audio come at most this much behind it, in milliseconds.
const MAX_TEXT_LAG_MS: u64 = 200;
/// Characters a second, before the call has a finished answer to learn from: unhurried English speech.
const DEFAULT_PACE: f64 = 15.0 / 1_000.0;
/// How unevenly the words run ahead, in milliseconds: a standard deviation, widened because neighbours lean on each
/// other. Of what was tried (`tests.rs`) it gives the fewest errors.
const TEXT_LEAD_SPREAD: f64 = 1_000.0;
/// How far the pace of one answer is from that of others (a relative standard deviation).
const PACE_SPREAD: f64 = 0.08;
/// An estimate errs to either side, and a word too many is worse than one missing.
const HALF_A_WORD: f64 = 3.0;
/// Longest text of one answer, in bytes; what comes after is not kept.
pub(crate) const MAX_TEXT: usize = 16 * 1024;
/// A run of characters without a space that is longer than this is not a word: the language writes none.
const LONGEST_WORD: usize = 32;

/// The pace of this call's finished answers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pace {
    characters: u64,
    milliseconds: u64,
}

impl Pace {
    /// Too short answers say little: a "yes" is mostly silence.
    const MIN_MS: u64 = 1_000;

    pub(crate) fn learn(&mut self, speech: &Speech) {
        if speech.complete && speech.spoken_ms() >= Self::MIN_MS && speech.characters > 0 {
            self.characters += speech.characters;
            self.milliseconds += speech.spoken_ms();
        }
    }

    fn per_ms(self) -> f64 {
        if self.milliseconds == 0 { DEFAULT_PACE } else { self.characters as f64 / self.milliseconds as f64 }
    }
}

/// Characters over milliseconds of audio, one point for each piece of text.
#[derive(Debug, Default)]
struct Regression {
    points: f64,
    ms: f64,
    characters: f64,
    ms_squared: f64,
    product: f64,
}

impl Regression {
    fn add(&mut self, ms: f64, characters: f64) {
        self.points += 1.0;
        self.ms += ms;
        self.characters += characters;
        self.ms_squared += ms * ms;
        self.product += ms * characters;
    }

    /// The slope and `prior`, each weighed by the inverse of its variance.
    fn weighed_against(&self, prior: f64) -> f64 {
        let spread = self.ms_squared - self.ms * self.ms / self.points;
        // Fewer points, or all at one moment, have no slope (without points this is NaN).
        if !(self.points >= 3.0 && spread > 0.0) {
            return prior;
        }
        let slope = (self.product - self.ms * self.characters / self.points) / spread;
        let slope_weight = spread / (TEXT_LEAD_SPREAD * TEXT_LEAD_SPREAD);
        let prior_weight = 1.0 / (PACE_SPREAD * PACE_SPREAD);
        (slope * slope_weight + prior * prior_weight) / (slope_weight + prior_weight)
    }
}

/// Text and audio of one answer as they come in, also what comes after it was cut.
#[derive(Debug, Default)]
pub(crate) struct Speech {
    text: String,
    characters: u64,
    audio: Voicing,
    /// Audio whose words are there for certain: those of the latest piece may come just behind it.
    worded_bytes: u64,
    words: Regression,
    least_pace: f64,
    most_pace: Option<f64>,
    /// Text and audio are whole: the model finished the answer.
    complete: bool,
}

impl Speech {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn audio_ms(&self) -> u64 {
        self.audio.bytes() / BYTES_PER_MS
    }

    fn spoken_ms(&self) -> u64 {
        self.audio.spoken_ms(self.audio.bytes())
    }

    pub(crate) fn add_audio(&mut self, payload: &Payload<'_>) {
        self.audio.add(payload);
        self.note_worded(payload.byte_len());
    }

    fn note_worded(&mut self, latest: u64) {
        self.worded_bytes = self.audio.bytes() - latest.min(MAX_TEXT_LAG_MS * BYTES_PER_MS);
    }

    pub(crate) fn add_text(&mut self, delta: &str) {
        self.note_upper_bound();
        let room = MAX_TEXT.saturating_sub(self.text.len());
        let delta = delta.get(..delta.floor_char_boundary(room)).unwrap_or_default();
        self.text.push_str(delta);
        self.characters = self.text.chars().count() as u64;
        let spoken_ms = self.spoken_ms();
        if spoken_ms > 0 {
            self.words.add(spoken_ms as f64, self.characters as f64);
        }
        let lower = self.characters as f64 / (spoken_ms + TEXT_LEAD_MS) as f64;
        self.least_pace = self.least_pace.max(lower);
    }

    /// The whole text, which may correct the pieces.
    pub(crate) fn set_text(&mut self, text: &str) {
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
        if !text.is_empty() && text != self.text {
            text.clone_into(&mut self.text);
            self.characters = text.chars().count() as u64;
        }
    }

    pub(crate) fn set_complete(&mut self) {
        self.complete = true;
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    fn note_upper_bound(&mut self) {
        if let Some(bound) = self.upper_bound() {
            self.most_pace = Some(self.most_pace.map_or(bound, |least| least.min(bound)));
        }
    }

    fn upper_bound(&self) -> Option<f64> {
        let ms = self.audio.spoken_ms(self.worded_bytes);
        (ms > 0 && self.characters > 0).then(|| self.characters as f64 / ms as f64)
    }

    /// The words heard when `heard_ms` of the audio were.
    pub(crate) fn heard(&self, heard_ms: u64, pace: Pace) -> &str {
        if heard_ms == 0 {
            return "";
        }
        let spoken_ms = self.audio.spoken_ms(heard_ms * BYTES_PER_MS);
        let characters = if self.complete {
            let whole_ms = self.spoken_ms();
            if heard_ms >= self.audio_ms() || whole_ms == 0 {
                return self.text.trim();
            }
            self.characters as f64 * spoken_ms as f64 / whole_ms as f64
        } else {
            spoken_ms as f64 * self.estimated_pace(pace) - HALF_A_WORD
        };
        cut(&self.text, characters as usize)
    }

    fn estimated_pace(&self, pace: Pace) -> f64 {
        let most = match (self.most_pace, self.upper_bound()) {
            (Some(noted), Some(now)) => noted.min(now),
            (noted, now) => noted.or(now).unwrap_or(f64::INFINITY),
        };
        // When they contradict each other, the words ran further ahead than they ought: that they are not behind the
        // audio still holds.
        self.words.weighed_against(pace.per_ms()).max(self.least_pace.min(most)).min(most)
    }
}

/// The first `characters` of `text`, back to the last word boundary.
fn cut(text: &str, characters: usize) -> &str {
    let Some((end, next)) = text.char_indices().nth(characters) else { return text.trim() };
    let head = text.get(..end).unwrap_or_default();
    if next.is_whitespace() {
        return head.trim();
    }
    let space = head.rfind(char::is_whitespace).unwrap_or(0);
    let (whole_words, begun) = head.split_at(space);
    if begun.chars().count() > LONGEST_WORD { head.trim() } else { whole_words.trim() }
}

#[cfg(test)]
mod tests;
