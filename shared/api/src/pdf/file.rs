//! Lines written down as a PDF file.

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

use super::font::{self, Shown, shown};
use super::layout::{Line, PAGE};

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const INFO: Ref = Ref::new(3);
const FONT: Ref = Ref::new(4);
const CID_FONT: Ref = Ref::new(5);
const DESCRIPTOR: Ref = Ref::new(6);
const FONT_FILE: Ref = Ref::new(7);
const TO_UNICODE: Ref = Ref::new(8);
/// Of the first page; each has two.
const FIRST: i32 = 9;

/// How a page calls the font.
const F: Name<'_> = Name(b"F");
/// Glyphs have the numbers that the font file gives them.
const SYSTEM: SystemInfo<'_> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// The file. `pages` are few enough for numbers of 31 bits.
pub(super) fn write(title: &str, pages: &[Vec<Line>]) -> Vec<u8> {
    let mut pdf = Pdf::new();
    pdf.catalog(CATALOG).pages(PAGES);
    pdf.document_info(INFO).title(TextStr(title)).producer(TextStr("VoiceCore"));
    write_font(&mut pdf);
    let ids: Vec<_> = (FIRST..).step_by(2).take(pages.len()).collect();
    let count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    pdf.pages(PAGES).kids(ids.iter().map(|id| Ref::new(*id))).count(count);
    for (id, lines) in ids.iter().zip(pages) {
        let content = Ref::new(id + 1);
        let mut page = pdf.page(Ref::new(*id));
        page.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).parent(PAGES).contents(content);
        page.resources().fonts().pair(F, FONT);
        page.finish();
        pdf.stream(content, &write_lines(lines));
    }
    pdf.finish()
}

/// The font with what is needed to select, search and copy text: which characters its glyphs stand for.
fn write_font(pdf: &mut Pdf) {
    let name = Name(font::NAME);
    let encoding = Name(b"Identity-H");
    pdf.type0_font(FONT)
        .base_font(name)
        .encoding_predefined(encoding)
        .descendant_font(CID_FONT)
        .to_unicode(TO_UNICODE);
    let mut cid_font = pdf.cid_font(CID_FONT);
    cid_font.subtype(CidFontType::Type2).base_font(name).system_info(SYSTEM).font_descriptor(DESCRIPTOR);
    cid_font.cid_to_gid_map_predefined(Name(b"Identity"));
    let mut widths = cid_font.widths();
    let mut to_unicode = UnicodeCmap::new(Name(b"Latin"), SYSTEM);
    for (character, glyph) in font::all() {
        widths.same(glyph.id, glyph.id, f32::from(glyph.advance));
        to_unicode.pair(glyph.id, character);
    }
    widths.finish();
    cid_font.finish();
    let [left, bottom, right, top] = font::BOX;
    pdf.font_descriptor(DESCRIPTOR)
        .name(name)
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(font::ASCENT)
        .descent(font::DESCENT)
        .cap_height(font::CAP_HEIGHT)
        .stem_v(80.0)
        .font_file2(FONT_FILE);
    let mut file = pdf.stream(FONT_FILE, font::FILE);
    file.filter(Filter::FlateDecode).pair(Name(b"Length1"), font::FILE_LENGTH);
    file.finish();
    pdf.cmap(TO_UNICODE, &to_unicode.finish());
}

fn write_lines(lines: &[Line]) -> Vec<u8> {
    let mut content = Content::new();
    for line in lines {
        content.begin_text().set_font(F, line.size).set_fill_gray(line.gray).next_line(line.at.0, line.at.1);
        write_text(&mut content, &line.text);
        content.end_text();
    }
    content.finish().into_vec()
}

/// Runs of characters that the font has, and of those that it lacks: these carry what they stand for.
fn write_text(content: &mut Content, text: &str) {
    let mut rest = text;
    while !rest.is_empty() {
        let is_plain = |c: char| matches!(shown(c), Shown::Glyph(_));
        let plain = rest.find(|c| !is_plain(c)).unwrap_or(rest.len());
        let (had, after) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        if !had.is_empty() {
            content.show(Str(&glyphs(had)));
        }
        let lacking = after.find(is_plain).unwrap_or(after.len());
        let (lacked, next) = after.split_at_checked(lacking).unwrap_or((after, ""));
        let replaced = glyphs(lacked);
        if !replaced.is_empty() {
            let mut mark = content.begin_marked_content_with_properties(Name(b"Span"));
            mark.properties().actual_text(TextStr(lacked));
            mark.finish();
            content.show(Str(&replaced));
            content.end_marked_content();
        }
        rest = next;
    }
}

fn glyphs(text: &str) -> Vec<u8> {
    let ids = text.chars().filter_map(|c| match shown(c) {
        Shown::Glyph(glyph) | Shown::Replaced(glyph) => Some(glyph.id.to_be_bytes()),
        Shown::Unseen => None,
    });
    ids.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_font_lacks_is_shown_as_lacking_and_copied_as_itself() {
        let plain = glyphs("Grüße");
        let stands_for = |id: &[u8]| font::all().find(|(_, glyph)| glyph.id.to_be_bytes() == *id).unwrap().0;
        assert_eq!(plain.chunks(2).map(stands_for).collect::<String>(), "Grüße");
        assert_eq!(glyphs("да").chunks(2).map(stands_for).collect::<String>(), "\u{FFFD}\u{FFFD}");

        let mut content = Content::new();
        write_text(&mut content, "a да b\u{200B}");
        let written = String::from_utf8_lossy(&content.finish().into_vec()).into_owned();
        // UTF-16, as PDF has it: with its mark in front.
        assert_eq!(written.matches("/ActualText").count(), 1, "{written}");
        assert_eq!(written.matches("BDC").count(), written.matches("EMC").count());
        assert_eq!(written.matches("Tj").count(), 3, "{written}");
    }
}
