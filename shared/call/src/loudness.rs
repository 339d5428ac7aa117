//! Is anybody speaking in a frame? Read off the base64 as it stands: of every third sample, the first of four
//! characters holds sign and magnitude.
//!
//! The model decides when the caller's turn is over. But a model that says nothing any more also does not say that, and
//! then silence must not be taken for a long speech: this is what tells the two apart.

use voicecore_wire::payload::Payload;

/// For each first character of a group: its sample is at least −38 dB of full scale.
///
/// µ-law is stored inverted: the bits behind the sign are `111` for the quietest samples and `000` for the loudest, and
/// each step halves the amplitude. −38 dB and louder are the five steps from `000` to `101`.
#[expect(clippy::indexing_slicing, reason = "checked when it is compiled")]
const LOUD: [bool; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [false; 256];
    let mut value = 0;
    while value < alphabet.len() {
        table[alphabet[value] as usize] = (value >> 2) & 0b111 <= 0b101;
        value += 1;
    }
    table
};

/// The sample that a group of four characters begins with is loud.
pub(crate) fn begins_loud(first: u8) -> bool {
    LOUD.get(usize::from(first)) == Some(&true)
}

/// At least a tenth of the samples looked at are loud: speech is, the noise of a line is not.
pub(crate) fn is_loud(payload: &Payload<'_>) -> bool {
    let groups = payload.as_str().as_bytes().chunks_exact(4);
    let count = groups.len();
    let loud = groups.filter(|group| group.first().is_some_and(|first| begins_loud(*first))).count();
    loud > 0 && loud * 10 >= count
}

#[cfg(test)]
mod tests {
    use super::is_loud;
    use voicecore_wire::payload::Payload;

    #[test]
    fn speech_is_loud_and_silence_is_not() {
        // Codes by amplitude: 0xff and 0x7f are nothing, 0x80 and 0x00 are full scale.
        for (code, loud) in [
            (0xff, false),
            (0x7f, false),
            (0xe8, false), // −47 dB
            (0xdf, true),  // −38 dB
            (0x5f, true),
            (0xce, true), // −30 dB
            (0x80, true),
            (0x00, true),
        ] {
            assert_eq!(is_loud(&Payload::encode(&[code; 160])), loud, "{code:#x}");
        }
        // A click is not speech.
        let mut click = [0xff; 160];
        click[60..66].fill(0x80);
        assert!(!is_loud(&Payload::encode(&click)));
        assert!(!is_loud(&Payload::encode(&[])));
    }
}
