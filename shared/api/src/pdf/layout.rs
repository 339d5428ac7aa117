//! Which line stands where.

use super::font::{Shown, shown};
use super::{Document, MAX_PAGES};

/// A4, in points.
pub(super) const PAGE: (f32, f32) = (595.28, 841.89);
/// On every side.
const MARGIN: f32 = 56.0;
/// The baseline of the foot.
const FOOT: f32 = 32.0;
/// Words stand so far to the right of who said them.
const INDENT: f32 = 14.0;
/// From baseline to baseline, in sizes of the font.
const LEADING: f32 = 1.35;

const TITLE: f32 = 16.0;
const BODY: f32 = 10.0;
const SMALL: f32 = 8.0;

/// A line of a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// Of its first character's baseline, in points from the lower left corner.
    pub(super) at: (f32, f32),
    pub(super) size: f32,
    /// 0 is black.
    pub(super) gray: f32,
    pub(super) text: String,
}

/// The pages, each with its lines from the top down. There is one at least, and at most [`MAX_PAGES`].
pub(super) fn pages(document: &Document<'_>) -> Vec<Vec<Line>> {
    let mut flow = Flow { pages: vec![vec![]], y: PAGE.1 - MARGIN, full: false };
    flow.paragraph(document.title, TITLE, 0.0, 0.0);
    flow.gap(4.0);
    for fact in document.facts {
        flow.paragraph(fact, SMALL, 0.35, 0.0);
    }
    flow.gap(8.0);
    for entry in document.entries {
        if flow.full {
            break;
        }
        flow.gap(5.0);
        flow.keep_together(SMALL + BODY);
        flow.paragraph(&entry.head, SMALL, 0.35, 0.0);
        flow.paragraph(&entry.text, BODY, 0.0, INDENT);
        if let Some(note) = entry.note {
            flow.paragraph(note, SMALL, 0.35, INDENT);
        }
    }
    flow.finish(document)
}

struct Flow {
    pages: Vec<Vec<Line>>,
    /// The lower edge of what there is.
    y: f32,
    /// No more pages.
    full: bool,
}

impl Flow {
    fn gap(&mut self, height: f32) {
        self.y -= height;
    }

    /// Begins a page unless lines of such sizes together fit on this one.
    fn keep_together(&mut self, sizes: f32) {
        if self.y - sizes * LEADING < MARGIN {
            self.next_page();
        }
    }

    fn next_page(&mut self) {
        // The last page keeps a line for what is said instead of the rest.
        if self.pages.len() >= MAX_PAGES {
            self.full = true;
        } else {
            self.pages.push(vec![]);
            self.y = PAGE.1 - MARGIN;
        }
    }

    fn paragraph(&mut self, text: &str, size: f32, gray: f32, indent: f32) {
        let width = PAGE.0 - 2.0 * MARGIN - indent;
        for part in text.lines() {
            for line in wrapped(part, width * 1_000.0 / size) {
                self.keep_together(size);
                if self.full {
                    return;
                }
                self.y -= size * LEADING;
                self.put(Line { at: (MARGIN + indent, self.y), size, gray, text: line });
            }
        }
    }

    fn put(&mut self, line: Line) {
        if let Some(page) = self.pages.last_mut() {
            page.push(line);
        }
    }

    fn finish(mut self, document: &Document<'_>) -> Vec<Vec<Line>> {
        if self.full {
            let at = (MARGIN, MARGIN - SMALL);
            self.put(Line { at, size: SMALL, gray: 0.0, text: document.too_long.to_owned() });
        }
        let count = self.pages.len();
        for (number, page) in (1..).zip(&mut self.pages) {
            let foot = |text: String, x: f32| Line { at: (x, FOOT), size: SMALL, gray: 0.35, text };
            let number = format!("Page {number} of {count}");
            let x = PAGE.0 - MARGIN - width(&number) * SMALL / 1_000.0;
            let room = (x - 2.0 * MARGIN) * 1_000.0 / SMALL;
            let name = wrapped(document.foot, room).next().unwrap_or_default();
            page.push(foot(name, MARGIN));
            page.push(foot(number, x));
        }
        self.pages
    }
}

/// The lines that a text becomes in a column of this width, in thousandths of the font's size: broken between words, and within
/// one that is too long. What is not a line break and controls something is a blank.
fn wrapped(text: &str, room: f32) -> impl Iterator<Item = String> {
    let mut rest: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    std::iter::from_fn(move || {
        let blanks = rest.iter().take_while(|c| **c == ' ').count();
        rest.drain(..blanks);
        if rest.is_empty() {
            return None;
        }
        let (mut used, mut end, mut blank) = (0.0, 0, None);
        for (place, character) in rest.iter().enumerate() {
            used += advance(*character);
            // At least one character, however narrow the column is.
            if used > room && end > 0 {
                break;
            }
            end = place + 1;
            if *character == ' ' {
                blank = Some(place);
            }
        }
        let whole = rest.get(end).is_none_or(|next| *next == ' ');
        let end = if whole { end } else { blank.unwrap_or(end) };
        let line: String = rest.drain(..end).collect();
        Some(line.trim_end_matches(' ').to_owned())
    })
}

fn width(text: &str) -> f32 {
    text.chars().map(advance).sum()
}

fn advance(character: char) -> f32 {
    match shown(character) {
        Shown::Glyph(glyph) | Shown::Replaced(glyph) => f32::from(glyph.advance),
        Shown::Unseen => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_stay_whole_unless_they_are_too_long() {
        let lines: Vec<_> = wrapped("one two  three", width("one two") + 1.0).collect();
        assert_eq!(lines, ["one two", "three"]);
        let lines: Vec<_> = wrapped("abcdefgh ij", width("abc") + 1.0).collect();
        assert_eq!(lines[0], "abc");
        assert_eq!(lines.concat(), "abcdefghij");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        /// Nothing but blanks is lost at the ends of lines, and no line is wider than its column.
        #[test]
        fn every_character_has_its_line(text in "\\PC{0,120}|[a-z ]{0,300}", room in 0_f32..9_000.0) {
            let lines: Vec<_> = wrapped(&text, room).collect();
            let seen = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(seen(&lines.concat()), seen(&text));
            for line in lines {
                prop_assert!(width(&line) <= room || line.chars().filter(|c| advance(*c) > 0.0).count() <= 1);
            }
        }
    }
}
