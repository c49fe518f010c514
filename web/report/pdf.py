"""A report as PDF/A4: cover, contents, sections, page numbers, the Chinese font inside."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.enums import TextMode, XPos, YPos
from fpdf.outline import OutlineSection

from geo.report import CityReport
from web.report.document import Column, Document, Figure, Section, Table, Tell
from web.report.fonts import cut_font
from web.report.pictures import Paint, painter
from web.words import words

_MARGIN, _BOTTOM, _TOP = 20.0, 18.0, 22.0
_INK, _MUTED, _RULE, _SHADE, _HEAD, _WARN = (
    (29, 43, 49), (91, 107, 114), (201, 211, 214), (246, 248, 248), (232, 239, 240), (122, 74, 0)
)  # fmt: skip
_BODY, _SMALL, _CELL = 10.5, 8.5, 8.0
_PT = 0.3528  # millimetres
_NO_START = frozenset("，。、；：！？）》」』”’％%…·,.;:!?)")  # that may not begin a line
_NO_END = frozenset("（《「『“‘(")  # that may not end one


def write(document: Document, report: CityReport, tell: Tell) -> bytes:
    """Write a document as PDF; the day of the answers behind it dates the file."""
    w = words(document.lang)
    known = (*document.texts(), *w.section("report").values())
    font = cut_font(known)
    with tempfile.TemporaryDirectory(prefix="hatchmap-") as folder:
        file = Path(folder) / "noto.ttf"
        file.write_bytes(font)
        paper = _Paper(document, file)
        paper.set_creation_date(dt.datetime.fromisoformat(report.as_of).replace(tzinfo=dt.UTC))
        _cover(paper, document)
        paper.add_page()
        paper.insert_toc_placeholder(_contents, allow_extra_pages=True)
        with painter(document, font) as paint:
            for at, section in enumerate(document.sections):
                tell("writing", at / len(document.sections))
                if at:  # the contents end with a new page
                    paper.add_page()
                _section(paper, section, at + 1, paint)
        tell("writing", 1.0)
        made = BytesIO()
        paper.output(made)
    return made.getvalue()


class _Paper(FPDF):
    """A4 with the document's head and foot on every page but the cover."""

    def __init__(self, document: Document, font: Path) -> None:
        super().__init__(format="A4")
        self.document = document
        self.words = words(document.lang)
        self.set_margins(_MARGIN, _TOP, _MARGIN)
        self.set_auto_page_break(True, _BOTTOM)
        self.set_title(document.title)
        self.set_creator("Hatchmap")
        self.set_producer("Hatchmap")
        self.set_lang("zh-CN" if document.lang == "zh" else "en")
        self.add_font("noto", "", font)
        self.set_font("noto", size=_BODY)
        self.set_text_color(*_INK)

    def header(self) -> None:
        """Name the document, and say whether demo records are counted."""
        if self.page_no() == 1:
            return
        self.set_y(10)
        self.set_font("noto", size=_SMALL)
        self.set_text_color(*_MUTED)
        self.cell(text=self.document.title)
        if self.document.flag:
            self.set_text_color(*_WARN)
            self.set_x(_MARGIN)
            self.cell(self.epw, text=self.document.flag, align="R")
        self.set_draw_color(*_RULE)
        self.line(_MARGIN, 16, self.w - _MARGIN, 16)
        self.set_xy(_MARGIN, _TOP)
        self.set_text_color(*_INK)

    def footer(self) -> None:
        """Write the number of the page."""
        if self.page_no() == 1:
            return
        self.set_y(-13)
        self.set_font("noto", size=_SMALL)
        self.set_text_color(*_MUTED)
        self.cell(self.epw, text=f"— {self.page_no()} —", align="C")
        self.set_text_color(*_INK)

    def write_lines(
        self, text: str, *, size: float = _BODY, lead: float = 1.7, colour: Any = _INK,
        strong: bool = False, align: str = "L",
    ) -> None:  # fmt: skip
        """Write a text over as many lines as it needs."""
        self.set_font("noto", size=size)
        self.set_text_color(*colour)
        with self.weight(strong):
            for line in wrap(text, self.epw, self.get_string_width):
                self.cell(self.epw, size * _PT * lead, line, align=align,
                          new_x=XPos.LMARGIN, new_y=YPos.NEXT)  # fmt: skip
        self.set_text_color(*_INK)

    def weight(self, strong: bool) -> Any:  # noqa: FBT001
        """Write heavier inside a `with` block: the one weight there is, with its outline."""
        mode = TextMode.FILL_STROKE if strong else TextMode.FILL
        return self.local_context(text_mode=mode, line_width=0.12, draw_color=self.text_color)

    def keep(self, height: float) -> None:
        """Begin a new page where less than a height is left."""
        if self.get_y() + height > self.h - _BOTTOM:
            self.add_page()


def wrap(text: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    """Part a text into lines: Chinese between any characters, other words between words.

    Parameters
    ----------
    text
        The text; its own line ends are kept.
    width
        The width of a line.
    measure
        Returns the width of a text.

    >>> list(wrap("一镇一器，全覆盖 done soon", 5, len))
    ['一镇一器，', '全覆盖 ', 'done ', 'soon']
    """
    for paragraph in text.splitlines() or [""]:
        line = ""
        for piece in _pieces(paragraph):
            if line and measure(line + piece.rstrip()) > width:
                yield line
                line = ""
            while measure(piece.rstrip()) > width and len(piece) > 1:
                fits = next(n for n in range(len(piece) - 1, 0, -1)
                            if n == 1 or measure(piece[:n]) <= width)  # fmt: skip
                yield piece[:fits]
                piece = piece[fits:]  # noqa: PLW2901 - what is left of it
            line += piece
        yield line


def _pieces(text: str) -> Iterator[str]:
    """Part a text where lines may break."""
    piece = ""
    for at, character in enumerate(text):
        piece += character
        following = text[at + 1 : at + 2]
        if not following:
            break
        between = character == " " or _wide(character) or _wide(following) or character in "/_-"
        if (
            between
            and following not in _NO_START
            and character not in _NO_END
            and (following != " ")
        ):
            yield piece
            piece = ""
    if piece:
        yield piece


def _wide(character: str) -> bool:
    return "\u2e80" <= character <= "\uffef"


def _cover(paper: _Paper, document: Document) -> None:
    paper.add_page()
    paper.set_fill_color(23, 50, 60)
    paper.rect(0, 0, paper.w, 9, style="F")
    paper.set_y(62)
    paper.write_lines(document.title, size=26, lead=1.5, strong=True, align="C")
    paper.ln(3)
    paper.write_lines(document.subtitle, size=15, colour=_MUTED, align="C")
    paper.ln(10)
    paper.set_draw_color(181, 137, 0)
    paper.set_line_width(0.8)
    paper.line(paper.w / 2 - 22, paper.get_y(), paper.w / 2 + 22, paper.get_y())
    paper.set_line_width(0.2)
    paper.ln(12)
    if document.badge:
        paper.set_fill_color(255, 240, 200)
        paper.set_draw_color(181, 137, 0)
        lines = list(wrap(document.badge, paper.epw - 16, paper.get_string_width))
        paper.set_font("noto", size=_BODY)
        height = 6.5 * len(lines) + 6
        paper.rect(_MARGIN, paper.get_y(), paper.epw, height, style="DF")
        paper.set_y(paper.get_y() + 3)
        for line in lines:
            paper.cell(paper.epw, 6.5, line, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.set_y(max(paper.get_y() + 14, 168))
    columns = (Column("", width=1.0), Column("", width=3.6))
    _rows(paper, columns, document.facts, size=10, plain=True)
    paper.set_y(-42)
    paper.write_lines(document.as_of, size=13, align="C")
    if document.review:
        paper.write_lines(document.review, size=_SMALL, colour=_MUTED, align="C")


def _contents(paper: FPDF, outline: list[OutlineSection]) -> None:
    """Draw the contents, each line a link to its page."""
    if not isinstance(paper, _Paper):
        raise TypeError(paper)
    paper.set_x(_MARGIN)
    paper.write_lines(paper.words("report.contents"), size=17, strong=True)
    paper.ln(3)
    for entry in outline:
        size = 11 if entry.level == 0 else 9
        paper.set_font("noto", size=size)
        link = paper.add_link(page=entry.page_number)
        number = str(entry.page_number)
        indent = 8.0 * entry.level
        room = paper.epw - indent - 12
        label = next(wrap(entry.name, room, paper.get_string_width))
        dots = "·" * int((room - paper.get_string_width(label)) / paper.get_string_width("·") / 1.6)
        paper.set_x(_MARGIN + indent)
        height = size * _PT * (2.0 if entry.level == 0 else 1.75)
        paper.cell(room, height, label, link=link)
        paper.set_text_color(*_RULE)
        paper.set_x(_MARGIN + indent)
        paper.cell(room, height, dots, align="R")
        paper.set_text_color(*_INK)
        paper.cell(12, height, number, align="R", link=link, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _section(paper: _Paper, section: Section, number: int, paint: Paint) -> None:
    title = f"{number}  {section.title}"
    paper.start_section(title)
    paper.write_lines(title, size=17, lead=1.6, strong=True)
    paper.ln(2)
    for text in section.texts:
        paper.write_lines(text)
        paper.ln(1)
    if section.clause:
        said = paper.words("report.clause_line", clause=section.clause)
        paper.write_lines(said, size=_SMALL, lead=1.5, colour=_MUTED)
        paper.ln(1)
    for figure in section.figures:
        _figure(paper, figure, paint)
    for table in section.tables:
        if not table.data_only:
            _table(paper, table)


def _figure(paper: _Paper, figure: Figure, paint: Paint) -> None:
    paper.keep(figure.height_mm + 16)
    paper.ln(2)
    paper.image(
        BytesIO(paint(figure)), x=_MARGIN, w=figure.width_mm, h=figure.height_mm,
        alt_text=figure.caption,
    )  # fmt: skip
    paper.ln(1)
    paper.write_lines(figure.caption, size=_SMALL, lead=1.5, colour=_MUTED, align="C")
    if paper.document.review and "map" in figure.name:
        paper.write_lines(paper.document.review, size=7.5, lead=1.4, colour=_MUTED)
    paper.ln(2)


def _table(paper: _Paper, table: Table) -> None:
    paper.keep(34)
    paper.ln(3)
    paper.start_section(table.title, level=1)
    paper.write_lines(table.title, size=11.5, lead=1.9, strong=True)
    if not table.rows:
        paper.write_lines(paper.words("report.empty"), size=_SMALL, colour=_MUTED)
        return
    rows = [
        [column.show(cell) for column, cell in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]
    _rows(paper, table.columns, rows, size=_size_for(len(table.columns)))
    meanings = [f"{column.label}：{column.meaning}" for column in table.columns if column.meaning]
    for note in (table.note, "  ".join(meanings)):
        if note:
            paper.ln(1)
            paper.write_lines(note, size=7.5, lead=1.5, colour=_MUTED)


def _size_for(columns: int) -> float:
    return _CELL if columns <= 9 else 7.2 if columns <= 11 else 6.4


def _rows(
    paper: _Paper,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    size: float,
    plain: bool = False,
) -> None:
    """Draw rows; the heading again on every page that they go on to."""
    whole = sum(column.width for column in columns)
    widths = [paper.epw * column.width / whole for column in columns]
    line_mm, pad = size * _PT * 1.35, 1.1

    def draw(cells: Sequence[str], *, head: bool = False, shade: bool = False) -> None:
        paper.set_font("noto", size=size)
        parted = [
            list(wrap(cell, width - 2 * pad, paper.get_string_width))
            for cell, width in zip(cells, widths, strict=True)
        ]
        height = line_mm * max(map(len, parted)) + 2 * pad
        if not head and paper.get_y() + height > paper.h - _BOTTOM:
            paper.add_page()
            if not plain:
                draw([column.heading for column in columns], head=True)
            paper.set_font("noto", size=size)
        top, left = paper.get_y(), _MARGIN
        if head or shade:
            paper.set_fill_color(*(_HEAD if head else _SHADE))
            paper.rect(left, top, paper.epw, height, style="F")
        for column, lines, width in zip(columns, parted, widths, strict=True):
            align = "R" if column.numeric else "C" if column.kind == "mark" else "L"
            with paper.weight(head):
                for at, line in enumerate(lines):
                    paper.set_xy(left + pad, top + pad + at * line_mm)
                    paper.cell(width - 2 * pad, line_mm, line, align=align)
            left += width
        paper.set_draw_color(*_RULE)
        paper.line(_MARGIN, top + height, _MARGIN + paper.epw, top + height)
        paper.set_xy(_MARGIN, top + height)

    if not plain:
        draw([column.heading for column in columns], head=True)
    for at, row in enumerate(rows):
        draw(row, shade=not plain and at % 2 == 1)
