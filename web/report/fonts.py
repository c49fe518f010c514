"""The font of reports: cut down to the characters used, so that every reader sees right Chinese.

Noto Sans CJK comes with the program, whatever the machine has installed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from io import BytesIO
from pathlib import Path

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, newTable
from noto_cjk_sans_otc import FONT_PATH

_SIMPLIFIED = 2  # of the faces of the collection: JP, KR, SC, TC, HK
_CURVE_ERROR = 1.0  # of 1000 to the em: no eye sees it
_ALWAYS = "".join(map(chr, range(0x20, 0x7F))) + "·–—…、。，；：（）“”《》%‰✓≥≤≈→①②③④⑤●○▲■□△×㎡㎞－"


def cut_font(texts: Iterable[str], *, web: bool = False) -> bytes:
    """Return the font with the characters of some texts, the same bytes every time.

    Parameters
    ----------
    texts
        All that is to be written with it.
    web
        Whether it goes into a page (WOFF) rather than into a file.
    """
    return _cut("".join(sorted(set(_ALWAYS).union(*texts))), web=web)


@cache
def _cut(characters: str, *, web: bool) -> bytes:
    options = Options(
        layout_features=[],
        name_IDs=[1, 2],
        notdef_outline=True,
        hinting=False,
        drop_tables=["vhea", "vmtx", "VORG", "BASE", "GPOS", "GSUB", "DSIG"],
    )
    cutter = Subsetter(options)
    cutter.populate(text=characters)
    made = BytesIO()
    with TTFont(
        Path(str(FONT_PATH)), fontNumber=_SIMPLIFIED, lazy=True, recalcTimestamp=False
    ) as font:
        cutter.subset(font)
        _to_truetype(font)
        font.flavor = "woff" if web else None
        font.save(made)
    return made.getvalue()


def _to_truetype(font: TTFont) -> None:
    """Turn the outlines of a font into those of TrueType, which every reader and program takes."""
    glyphs, order = font.getGlyphSet(), font.getGlyphOrder()
    drawn = {}
    for name in order:
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, _CURVE_ERROR, reverse_direction=True))
        drawn[name] = pen.glyph()
    del font["CFF "]
    font["loca"] = newTable("loca")
    font["glyf"] = outlines = newTable("glyf")
    outlines.glyphOrder, outlines.glyphs = order, drawn
    for name, glyph in drawn.items():
        glyph.recalcBounds(outlines)
        font["hmtx"].metrics[name] = (font["hmtx"][name][0], getattr(glyph, "xMin", 0))
    font["maxp"] = most = newTable("maxp")
    most.tableVersion, most.numGlyphs = 0x00010000, len(order)
    most.maxZones = 1
    for field in (
        "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs",
        "maxStackElements", "maxSizeOfInstructions", "maxComponentElements", "maxComponentDepth",
        "maxPoints", "maxContours", "maxCompositePoints", "maxCompositeContours",
    ):  # fmt: skip
        setattr(most, field, 0)
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"
