use std::fmt;
use std::str::FromStr;

/// A telephone number in ITU-T E.164 form: `+`, then 2 to 15 digits, the first not 0.
///
/// `Debug` shows only the length, so a number cannot slip into a log; there is no `Display`. Storing one means
/// encrypting it (see `voicecore-store`), so there is no `Serialize` either.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct E164(String);

/// The text is not a number in E.164 form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a telephone number in E.164 form: '+' and 2 to 15 digits, the first not 0")]
pub struct E164Error;

impl E164 {
    /// The number with its leading `+`.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for E164 {
    type Err = E164Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('+').ok_or(E164Error)?;
        let well_formed = (2..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit());
        if well_formed { Ok(Self(text.to_owned())) } else { Err(E164Error) }
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E164({} digits)", self.0.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::E164;

    #[test]
    fn accepts_only_e164() {
        for good in ["+12", "+15005550006", "+442071838750", "+123456789012345"] {
            assert!(good.parse::<E164>().is_ok(), "{good}");
        }
        for bad in
            ["", "+", "+1", "15005550006", "+05005550006", "+1500555000a", "+1234567890123456", "+1 500"]
        {
            assert!(bad.parse::<E164>().is_err(), "{bad}");
        }
    }

    #[test]
    fn debug_hides_the_number() {
        let number: E164 = "+15005550006".parse().unwrap();
        assert_eq!(format!("{number:?}"), "E164(11 digits)");
    }
}
