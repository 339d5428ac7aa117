//! Finding the words of a phrase in what was said.

use super::{Speaker, Utterance};
use crate::words::stands_alone;

/// A word as it was written, and without case and accents.
struct Word {
    written: String,
    plain: String,
    /// A `*` follows.
    open: bool,
}

/// What somebody said until somebody else spoke: each word with the place of its utterance.
pub(super) struct Run {
    pub(super) speaker: Speaker,
    words: Vec<(u32, Word)>,
}

/// What was said, by who spoke in turn.
pub(super) fn runs(said: &[Utterance<'_>]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for utterance in said {
        let words = split(utterance.text).into_iter().map(|word| (utterance.seq, word));
        match runs.last_mut().filter(|run| run.speaker == utterance.speaker) {
            Some(run) => run.words.extend(words),
            None => runs.push(Run { speaker: utterance.speaker, words: words.collect() }),
        }
    }
    runs
}

/// Words that have to stand one after the other.
pub(super) struct Phrase {
    words: Vec<Word>,
    /// Words of capitals alone count as they stand. Both kinds of rules are read strictly: what is forbidden is so in any case.
    abbreviations: bool,
}

impl Phrase {
    pub(super) fn new(text: &str, abbreviations: bool) -> Self {
        Self { words: split(text), abbreviations }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The place of the utterance in which the phrase is first complete.
    pub(super) fn place_in(&self, run: &Run) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        let mut places = run.words.windows(self.words.len());
        let place = places
            .find(|there| self.words.iter().zip(*there).all(|(wanted, (_, word))| self.fits(wanted, word)));
        place.and_then(|there| there.last()).map(|(seq, _)| *seq)
    }

    fn fits(&self, wanted: &Word, word: &Word) -> bool {
        let (wanted_text, text) = if self.abbreviations && is_abbreviation(&wanted.written) {
            (&wanted.written, &word.written)
        } else {
            (&wanted.plain, &word.plain)
        };
        if wanted.open { text.starts_with(wanted_text.as_str()) } else { text == wanted_text }
    }
}

fn is_abbreviation(word: &str) -> bool {
    word.chars().count() > 1
        && word.chars().all(|c| c.is_uppercase() || c.is_numeric())
        && word.contains(char::is_uppercase)
}

/// Letters and digits; scripts without blanks between words give one for each character.
fn split(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut written = String::new();
    for c in text.chars().filter(|c| !is_mark(*c)).chain([' ']) {
        let alone = stands_alone(c);
        if !written.is_empty() && (alone || !c.is_alphanumeric()) {
            let whole = std::mem::take(&mut written);
            words.push(Word { plain: plain(&whole), written: whole, open: c == '*' });
        }
        if alone {
            words.push(Word { written: c.to_string(), plain: c.to_string(), open: false });
        } else if c.is_alphanumeric() {
            written.push(c);
        }
    }
    words
}

/// A mark that belongs to the letter before it: accents that are written by themselves.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Lower case without accents: letters of the Latin script that have them; others stay.
fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase).filter(|c| !is_mark(*c)) {
        match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' => plain.push('a'),
            'ç' | 'ć' | 'č' => plain.push('c'),
            'ď' | 'đ' => plain.push('d'),
            'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => plain.push('e'),
            'ğ' => plain.push('g'),
            'ì'..='ï' | 'ī' | 'į' | 'ı' => plain.push('i'),
            'ł' => plain.push('l'),
            'ñ' | 'ń' | 'ň' => plain.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ő' => plain.push('o'),
            'ř' => plain.push('r'),
            'ś' | 'ş' | 'š' | 'ș' => plain.push('s'),
            'ť' | 'ţ' | 'ț' => plain.push('t'),
            'ù'..='ü' | 'ū' | 'ů' | 'ű' => plain.push('u'),
            'ý' | 'ÿ' => plain.push('y'),
            'ź' | 'ż' | 'ž' => plain.push('z'),
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            other => plain.push(other),
        }
    }
    plain
}
