//! Variables in what people write for an assistant: `{{business_name}}` becomes the name of the business when a call begins.

use std::collections::BTreeSet;

/// The longest name of a variable that is repeated to whoever wrote it.
const MAX_NAME_CHARS: usize = 40;

/// What stands between two pairs of braces.
struct Braced<'a> {
    /// What comes before it.
    before: &'a str,
    /// What stands inside, without blanks at its ends.
    name: &'a str,
    /// As it was written, braces included.
    whole: &'a str,
    /// What comes after it.
    after: &'a str,
}

fn next(text: &str) -> Option<Braced<'_>> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    let whole = text.strip_prefix(before)?.strip_suffix(after)?;
    Some(Braced { before, name: name.trim(), whole, after })
}

/// `text` with each variable in its value's place, once: braces in a value mean nothing. What `value` does not know stays as it is.
#[must_use]
pub fn filled<'a>(text: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let (mut filled, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(Braced { before, name, whole, after }) = next(rest) {
        filled.push_str(before);
        filled.push_str(value(name).unwrap_or(whole));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Names in `text` that are none of `known`: those that may be repeated (small letters and `_`), and whether there are others.
#[must_use]
pub fn unknown<'a>(text: &'a str, known: &[&str]) -> (BTreeSet<&'a str>, bool) {
    let (mut names, mut others, mut rest) = (BTreeSet::new(), false, text);
    while let Some(Braced { name, after, .. }) = next(rest) {
        let is_name = (1..=MAX_NAME_CHARS).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if is_name && !known.contains(&name) {
            names.insert(name);
        }
        others |= !is_name;
        rest = after;
    }
    (names, others)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(name: &str) -> Option<&'static str> {
        match name {
            "business_name" => Some("Bella's {{other}}"),
            "empty" => Some(""),
            _ => None,
        }
    }

    #[test]
    fn variables_get_their_values_once() {
        let text =
            "You have reached {{business_name}}{{empty}}, {{ business_name }}. {{other}} {{ {not} closed";
        let filled = filled(text, value);
        assert_eq!(
            filled,
            "You have reached Bella's {{other}}, Bella's {{other}}. {{other}} {{ {not} closed"
        );
    }

    #[test]
    fn names_that_nobody_knows_are_told() {
        let (names, others) = unknown("{{a}} {{busines_name}} {{business_name}} {{a}}", &["business_name"]);
        assert_eq!((names.into_iter().collect::<Vec<_>>(), others), (vec!["a", "busines_name"], false));
        for odd in ["{{7*7}}", "{{}}", "{{+15005550006}}", "{{Business}}", "{{{business_name}}}"] {
            assert_eq!(unknown(odd, &["business_name"]), (BTreeSet::new(), true), "{odd}");
        }
        assert_eq!(unknown("{{never closed", &[]), (BTreeSet::new(), false));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Whatever is written: text without known variables stays as it is, and nothing is lost around those that are known.
        #[test]
        fn text_stays_as_it_is(parts in prop::collection::vec("[{} a-z]{0,6}|\\{\\{b\\}\\}", 0..8)) {
            let text = parts.concat();
            prop_assert_eq!(filled(&text, |_| None), text.as_str());
            let (names, _) = unknown(&text, &[]);
            let known: Vec<_> = names.into_iter().collect();
            prop_assert!(unknown(&text, &known).0.is_empty());
        }
    }
}
