#!/usr/bin/env python3
"""Makes the font of our PDF files: `pip install fonttools`, then `subset.py DejaVuSans.ttf` in this folder.

Writes `latin.ttf.zlib` (the tables that PDF wants, compressed as PDF wants it) and `latin.map` (what is in it: for each
character, in order, its code, its glyph, and how far that advances in thousandths of the font's size; three big-endian numbers
of 16 bits).
"""

import io
import struct
import sys
import zlib

from fontTools import subset
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

CHARACTERS = sorted(
    set(range(0x20, 0x7F))
    | set(range(0xA0, 0x180))
    | {0x192, 0x218, 0x219, 0x21A, 0x21B, 0x2C6, 0x2C7, 0x2DC, 0x1E9E}
    | {0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2018, 0x2019, 0x201A, 0x201C, 0x201D, 0x201E}
    | {0x2020, 0x2021, 0x2022, 0x2026, 0x2030, 0x2032, 0x2033, 0x2039, 0x203A, 0x20AC, 0x2122, 0x2190, 0x2192}
    | {0x2212, 0x2248, 0x2260, 0x2264, 0x2265, 0xFFFD}
)


def main(path):
    font = TTFont(path)
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.name_IDs = []
    options.notdef_outline = True
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "FFTM", "gasp", "post", "OS/2", "name", "kern", "MATH"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    cmap, order, units = font.getBestCmap(), font.getGlyphOrder(), font["head"].unitsPerEm
    wanted = [".notdef"]
    for code in CHARACTERS:
        if cmap[code] not in wanted:
            wanted.append(cmap[code])
    # What a glyph is put together from is known by its number until it is looked at.
    for name in order:
        font["glyf"][name].expand(font["glyf"])
    # Parts of other glyphs follow behind.
    font.setGlyphOrder(wanted + [name for name in order if name not in wanted])
    font["glyf"].glyphOrder = font.getGlyphOrder()
    entries = b""
    for code in CHARACTERS:
        advance = round(font["hmtx"][cmap[code]][0] * 1000 / units)
        entries += struct.pack(">HHH", code, wanted.index(cmap[code]), advance)
    for table in ("cmap", "prep", "fpgm", "cvt "):
        if table in font:
            del font[table]
    data = io.BytesIO()
    font.save(data)
    check(TTFont(path), TTFont(io.BytesIO(data.getvalue())), entries)
    open("latin.ttf.zlib", "wb").write(zlib.compress(data.getvalue(), 9))
    open("latin.map", "wb").write(entries)
    box = [round(v * 1000 / units) for v in (font["head"].xMin, font["head"].yMin, font["head"].xMax, font["head"].yMax)]
    metrics = [round(v * 1000 / units) for v in (font["hhea"].ascent, font["hhea"].descent)]
    print(f"{len(data.getvalue())} bytes of font, {len(CHARACTERS)} characters, box {box}, ascent and descent {metrics}")


def check(original, made, entries):
    """Every character has the outline that it had."""
    cmap, order = original.getBestCmap(), made.getGlyphOrder()
    for code, glyph, _ in struct.iter_unpack(">HHH", entries):
        before = DecomposingRecordingPen(original.getGlyphSet())
        after = DecomposingRecordingPen(made.getGlyphSet())
        original.getGlyphSet()[cmap[code]].draw(before)
        made.getGlyphSet()[order[glyph]].draw(after)
        assert before.value == after.value, f"U+{code:04X} looks otherwise"


main(sys.argv[1])
