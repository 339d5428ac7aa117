//! Tolerant readers: what senders get wrong in harmless ways (numbers as strings, null for nothing, escapes where none
//! are needed) is accepted here, once.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Reads an object. (Derived readers would also take a list, field by field.)
pub(crate) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    if text.trim_start().starts_with('{') { serde_json::from_str(text).ok() } else { None }
}

/// A text that may be missing, null, or escaped: borrowed whenever it stands in the input as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'a> Text<'a> {
    pub(crate) fn into_inner(self) -> Cow<'a, str> {
        self.0
    }

    pub(crate) fn into_option(self) -> Option<Cow<'a, str>> {
        if self.0.is_empty() { None } else { Some(self.0) }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or null")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text)))
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Text::default())
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

/// A count or a time, as a number or as the text of one. Negative ones are 0, fractions are cut off, and whatever is
/// neither number nor text of one is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) Option<u64>);

impl Number {
    pub(crate) fn or_zero(self) -> u64 {
        self.0.unwrap_or(0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, the text of one, or null")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(Some(number)))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(Some(u64::try_from(number).unwrap_or(0))))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
                // `as` saturates: negative and NaN become 0.
                Ok(Number(Some(number as u64)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                let text = text.trim();
                Ok(Number(text.parse::<u64>().ok().or_else(|| text.parse::<f64>().ok().map(|n| n as u64))))
            }

            fn visit_unit<E: Error>(self) -> Result<Number, E> {
                Ok(Number(None))
            }
        }

        deserializer.deserialize_any(NumberVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::{Number, Text};
    use std::borrow::Cow;

    #[test]
    fn numbers_come_in_many_spellings() {
        for (json, expect) in [
            ("5", Some(5)),
            ("\"5\"", Some(5)),
            ("\" 5.9 \"", Some(5)),
            ("5.9", Some(5)),
            ("-3", Some(0)),
            ("null", None),
            ("\"soon\"", None),
        ] {
            assert_eq!(serde_json::from_str::<Number>(json).unwrap().0, expect, "{json}");
        }
    }

    #[test]
    fn text_is_borrowed_unless_escaped() {
        assert!(matches!(serde_json::from_str::<Text>("\"a/b\"").unwrap().0, Cow::Borrowed("a/b")));
        assert!(matches!(serde_json::from_str::<Text>(r#""a\/b""#).unwrap().0, Cow::Owned(t) if t == "a/b"));
        assert_eq!(serde_json::from_str::<Text>("null").unwrap().0, "");
    }
}
