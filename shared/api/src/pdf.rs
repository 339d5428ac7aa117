//! Documents for people to read, print and keep, as PDF.
//!
//! `layout` says which line stands where, `file` writes the lines down, `font` knows the one font that is embedded. Whatever text is
//! given: no panic, and every character leaves a trace. One that the font lacks (writing other than Latin, emoji) is shown as a
//! replacement character, and is found and copied as itself. It takes time: nothing that an actor runs calls it.

mod file;
mod font;
mod layout;

/// A title, facts beneath it, then entries; at the foot of each page which document it is, and its number.
pub(crate) struct Document<'a> {
    pub(crate) title: &'a str,
    /// A line each.
    pub(crate) facts: &'a [String],
    pub(crate) entries: &'a [Entry],
    pub(crate) foot: &'a str,
    /// What is said instead of the rest, if a document becomes longer than [`MAX_PAGES`].
    pub(crate) too_long: &'a str,
}

/// Something said or done.
pub(crate) struct Entry {
    /// When, who, what kind.
    pub(crate) head: String,
    /// The words. Line breaks are kept.
    pub(crate) text: String,
    /// What there is to be said of the words, e.g. that they were interrupted.
    pub(crate) note: Option<&'static str>,
}

/// The most pages: about 800,000 characters.
pub(crate) const MAX_PAGES: usize = 300;

/// The document as a file.
pub(crate) fn render(document: &Document<'_>) -> Vec<u8> {
    file::write(document.title, &layout::pages(document))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(text: &str) -> Entry {
        Entry { head: "00:01  Caller".to_owned(), text: text.to_owned(), note: Some("interrupted") }
    }

    fn document(title: &str, entries: &[Entry]) -> Vec<u8> {
        let facts = [title.to_owned()];
        render(&Document { title, facts: &facts, entries, foot: title, too_long: "Too long." })
    }

    /// Text as nobody says it: long words, other writing, emoji, marks of direction, control characters.
    fn odd() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            "\\PC{0,40}",
            "[a-zäöüßéèçñãœ ,.!?]{0,200}",
            "[a-z]{300,600}",
            Just("مرحبا שלום \u{202E}abc\u{202C}".to_owned()),
            Just("👩‍👩‍👧‍👦🏳️‍🌈 привет 你好".to_owned()),
            Just("a\u{0}b\u{7}\u{1b}[31m\r\n\t\u{2028}\u{feff}\u{200b}".to_owned()),
            Just("e\u{301}\u{301}\u{301}\u{300}".to_owned()),
            Just("(\\) <<>> %%EOF endstream endobj".to_owned()),
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    /// Objects are where the file says that they are, and nothing of a text is taken for one.
    fn is_whole(file: &[u8]) {
        assert!(file.starts_with(b"%PDF-1.") && file.ends_with(b"%%EOF"));
        let text = String::from_utf8_lossy(file);
        let start = file.windows(9).rposition(|part| part == b"startxref").unwrap();
        let tail = String::from_utf8_lossy(&file[start + 9..]);
        let table: usize = tail.trim().strip_suffix("%%EOF").unwrap().trim().parse().unwrap();
        let table = String::from_utf8_lossy(&file[table..]).into_owned();
        let mut lines = table.lines();
        assert_eq!(lines.next(), Some("xref"));
        let count: usize = lines.next().unwrap().strip_prefix("0 ").unwrap().parse().unwrap();
        for (number, line) in lines.take(count).enumerate().skip(1) {
            let offset: usize = line[..10].parse().unwrap();
            assert!(file[offset..].starts_with(format!("{number} 0 obj").as_bytes()), "object {number}");
        }
        assert!(text.contains("/Type /Catalog"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        #[test]
        fn any_text_makes_a_whole_file(title in odd(), texts in prop::collection::vec(odd(), 0..12)) {
            let entries: Vec<_> = texts.iter().map(|text| entry(text)).collect();
            is_whole(&document(&title, &entries));
        }
    }

    #[test]
    fn a_document_that_is_too_long_says_so() {
        let entries: Vec<_> = (0..9_000).map(|_| entry("Yes.")).collect();
        let facts = [];
        let long =
            Document { title: "T", facts: &facts, entries: &entries, foot: "f", too_long: "Too long." };
        let pages = layout::pages(&long);
        assert_eq!(pages.len(), MAX_PAGES);
        let last: Vec<_> = pages.last().unwrap().iter().map(|line| line.text.as_str()).collect();
        assert!(last.contains(&"Too long."));
        is_whole(&render(&long));
    }
}
