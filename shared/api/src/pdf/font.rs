//! The font that is embedded (`fonts/README.md`): which character has which glyph, and how wide it is.

/// As it lies in the file.
pub(super) const FILE: &[u8] = include_bytes!("../../fonts/latin.ttf.zlib");
/// Its length before it was compressed.
pub(super) const FILE_LENGTH: i32 = 21_440;
/// Its name: a tag that says that it is a subset, and what it is a subset of.
pub(super) const NAME: &[u8] = b"VCLATN+DejaVuSans";
/// In thousandths of its size: what all glyphs lie in, how high they go, and how deep.
pub(super) const BOX: [f32; 4] = [-411.0, -250.0, 1_287.0, 946.0];
pub(super) const ASCENT: f32 = 928.0;
pub(super) const DESCENT: f32 = -236.0;
pub(super) const CAP_HEIGHT: f32 = 729.0;
/// Stands for every character that the font lacks.
const REPLACEMENT: char = '\u{FFFD}';

const MAP: &[u8] = include_bytes!("../../fonts/latin.map");
const ENTRY: usize = 6;

/// A shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) id: u16,
    /// In thousandths of the font's size.
    pub(super) advance: u16,
}

/// How a character is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Glyph(Glyph),
    /// The font lacks it.
    Replaced(Glyph),
    /// Nothing is to be seen of it: it joins, or turns the direction, or varies what stands before it.
    Unseen,
}

/// How `character` is shown.
pub(super) fn shown(character: char) -> Shown {
    match (find(character), find(REPLACEMENT)) {
        _ if is_unseen(character) => Shown::Unseen,
        (Some(glyph), _) => Shown::Glyph(glyph),
        (None, Some(glyph)) => Shown::Replaced(glyph),
        (None, None) => Shown::Unseen,
    }
}

/// Every character, with its glyph, in order of the characters.
pub(super) fn all() -> impl Iterator<Item = (char, Glyph)> {
    MAP.chunks_exact(ENTRY).filter_map(entry)
}

fn find(character: char) -> Option<Glyph> {
    let (mut low, mut high) = (0, MAP.len() / ENTRY);
    while low < high {
        let middle = low.midpoint(high);
        let (found, glyph) = entry(MAP.get(middle * ENTRY..(middle + 1) * ENTRY)?)?;
        match found.cmp(&character) {
            std::cmp::Ordering::Equal => return Some(glyph),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

fn entry(bytes: &[u8]) -> Option<(char, Glyph)> {
    let number = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let character = char::from_u32(u32::from(number(0)?))?;
    Some((character, Glyph { id: number(2)?, advance: number(4)? }))
}

fn is_unseen(character: char) -> bool {
    matches!(character, '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_languages_of_the_product_are_whole() {
        let needed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,;:!?…'\"()[]{}/\\@#&%*+-=<>|~_^$`\
            áéíóúüñÁÉÍÓÚÜÑ¿¡ äöüßÄÖÜẞ àâæçèêëîïôœùûÿÀÂÆÇÈÊËÎÏÔŒÙÛŸ ãõêàâôçÃÕ „“”‚‘’«»‹›–—•€£§°ºª";
        for character in needed.chars() {
            assert!(matches!(shown(character), Shown::Glyph(glyph) if glyph.id > 0), "{character}");
        }
        assert!(all().is_sorted_by_key(|(character, _)| character));
        assert_eq!(all().count(), MAP.len() / ENTRY);
    }

    #[test]
    fn what_the_font_lacks_is_seen_and_what_has_no_shape_is_not() {
        for character in ['я', '你', '👍', 'ש', '\u{301}', '\u{10FFFF}'] {
            assert!(matches!(shown(character), Shown::Replaced(_)), "{character}");
        }
        for character in ['\u{200D}', '\u{202E}', '\u{FE0F}', '\u{FEFF}'] {
            assert_eq!(shown(character), Shown::Unseen);
        }
        assert!(matches!(shown(REPLACEMENT), Shown::Glyph(_)));
    }
}
