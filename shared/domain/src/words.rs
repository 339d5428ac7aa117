//! The words of a text, for search. Every engine is given the same words, so every engine finds the same.

/// Longer words are cut, where they are stored and where they are looked for.
pub const MAX_WORD_CHARS: usize = 24;
/// The most different words that are kept of one text.
pub const MAX_WORDS: usize = 3_000;

/// The different words of `text`, in the order of the alphabet: lower case, letters and digits, each at most
/// [`MAX_WORD_CHARS`] long. Scripts without blanks between words (Chinese, Japanese) give a word for each character.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut found = std::collections::BTreeSet::new();
    let mut word = String::new();
    let mut chars = 0;
    for c in text.chars().flat_map(char::to_lowercase).chain([' ']) {
        let alone = stands_alone(c);
        if !word.is_empty() && (alone || !c.is_alphanumeric()) {
            found.insert(std::mem::take(&mut word));
            chars = 0;
        }
        if found.len() >= MAX_WORDS {
            break;
        }
        if alone {
            found.insert(c.to_string());
        } else if c.is_alphanumeric() && chars < MAX_WORD_CHARS {
            word.push(c);
            chars += 1;
        }
    }
    found.into_iter().collect()
}

/// Kana and Chinese characters.
pub(crate) fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        && c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_found_in_every_script() {
        assert_eq!(words("Hello, hello WORLD-42!"), ["42", "hello", "world"]);
        assert_eq!(words("Grüße, ПРИВЕТ"), ["grüße", "привет"]);
        assert_eq!(words("予約を"), ["を", "予", "約"]);
        assert_eq!(words(" ,.!"), [""; 0]);
        assert_eq!(words(&"a".repeat(100)), ["a".repeat(MAX_WORD_CHARS)]);
    }

    proptest! {
        #[test]
        fn words_of_words_are_the_same(text in ".{0,200}") {
            for word in words(&text) {
                prop_assert!(word.chars().count() <= MAX_WORD_CHARS);
                prop_assert!(!word.contains(char::is_whitespace));
                prop_assert!(text.is_empty() || !word.is_empty());
            }
        }
    }
}
