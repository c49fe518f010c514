"""A report as a workbook: a sheet a question, real numbers, their units and what they mean."""

from __future__ import annotations

import datetime as dt
import re
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from geo.report import CityReport
from web.report.document import Column, Document, Section, Table, Tell
from web.words import words

_FORMATS = {"whole": "#,##0", "number": "#,##0.0##", "percent": "0.0%"}
_HEAD = PatternFill("solid", fgColor="E8EFF0")
_LINE = Border(bottom=Side("thin", color="C9D3D6"))
_WARN = PatternFill("solid", fgColor="FFF0C8")
_BOLD, _TITLE = Font(bold=True), Font(bold=True, size=14)
_WIDEST, _NARROWEST = 60, 8
_EPOCH = (1980, 1, 1, 0, 0, 0)
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")


def write(document: Document, report: CityReport, tell: Tell) -> bytes:
    """Write a document as a workbook; the day of the answers behind it dates the file."""
    w = words(document.lang)
    book = Workbook()
    cover = book.active
    if not isinstance(cover, Worksheet):
        raise TypeError(cover)
    cover.title = w("report.cover")
    _cover(cover, document)
    meanings: list[tuple[str, str, Column]] = []
    for at, section in enumerate(document.sections):
        tell("writing", at / len(document.sections))
        sheet = book.create_sheet(_NOT_IN_NAMES.sub(" ", section.title)[:31])
        _section(sheet, section, document)
        meanings += [
            (section.title, table.title, column)
            for table in section.tables
            for column in table.columns
            if column.meaning or column.unit
        ]
    _meanings(book.create_sheet(w("report.definitions")), meanings, document)
    book.properties.title = document.title
    book.properties.subject = document.flag or None
    book.properties.creator = "Hatchmap"
    tell("writing", 1.0)
    return _fixed(book, dt.date.fromisoformat(report.as_of))


def _cover(sheet: Worksheet, document: Document) -> None:
    sheet.append([document.title])
    sheet["A1"].font = _TITLE
    sheet.append([document.subtitle])
    sheet.append([document.as_of])
    if document.badge:
        sheet.append([document.badge])
        sheet.cell(sheet.max_row, 1).fill = _WARN
    sheet.append([])
    for pair in document.facts:
        sheet.append([_clean(part) for part in pair])
        sheet.cell(sheet.max_row, 1).font = _BOLD
        sheet.cell(sheet.max_row, 2).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions["A"].width = 22
    sheet.column_dimensions["B"].width = 90


def _section(sheet: Worksheet, section: Section, document: Document) -> None:
    w = words(document.lang)
    lines = [section.title, *section.texts]
    if section.clause:
        lines.append(w("report.clause_line", clause=section.clause))
    if document.badge:
        lines.append(document.badge)
    for line in lines:
        sheet.append([_clean(line)])
    sheet["A1"].font = _TITLE
    widths: dict[int, int] = {}
    for table in section.tables:
        sheet.append([])
        sheet.append([table.title])
        sheet.cell(sheet.max_row, 1).font = _BOLD
        _table(sheet, table, widths)
    for column, width in widths.items():
        letter = get_column_letter(column)
        sheet.column_dimensions[letter].width = min(_WIDEST, max(_NARROWEST, width + 2))


def _table(sheet: Worksheet, table: Table, widths: dict[int, int]) -> None:
    sheet.append([column.heading for column in table.columns])
    for cell in sheet[sheet.max_row]:
        cell.font, cell.fill, cell.border = _BOLD, _HEAD, _LINE
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for row in table.rows:
        sheet.append(
            [_value(column, value) for column, value in zip(table.columns, row, strict=True)]
        )
        at = sheet.max_row
        for number, (column, value) in enumerate(zip(table.columns, row, strict=True), 1):
            cell = sheet.cell(at, number)
            if column.kind in _FORMATS:
                cell.number_format = _FORMATS[column.kind]
            widths[number] = max(widths.get(number, 0), _width(column.show(value)))
    for number, column in enumerate(table.columns, 1):
        widths[number] = max(widths.get(number, 0), min(18, _width(column.heading)))
    if table.note:
        sheet.append([_clean(table.note)])


def _meanings(
    sheet: Worksheet, meanings: list[tuple[str, str, Column]], document: Document
) -> None:
    w = words(document.lang)
    heads = ("section", "table", "column", "unit", "meaning")
    sheet.append([w(f"report.definition_{head}") for head in heads])
    for cell in sheet[1]:
        cell.font, cell.fill = _BOLD, _HEAD
    for section, table, column in meanings:
        sheet.append([section, table, column.label, column.unit, column.meaning])
    for letter, width in zip("ABCDE", (20, 34, 24, 12, 80), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"


def _value(column: Column, value: Any) -> Any:
    """Return a value as a cell holds it: numbers as numbers, texts never as formulas."""
    if value is None:
        return None
    if column.kind == "mark":
        return "✓" if value else "×"
    if column.numeric:
        return float(value) if column.kind != "whole" else round(float(value))
    return _clean(value) if isinstance(value, str) else value


def _clean(text: str) -> str:
    """Return a text that a cell can hold and that no program takes for a formula."""
    held = ILLEGAL_CHARACTERS_RE.sub("", text)
    return f"'{held}" if held[:1] in ("=", "+", "@") else held


def _width(text: str) -> int:
    return sum(2 if character > "\u2e80" else 1 for character in text)


def _fixed(book: Workbook, day: dt.date) -> bytes:
    """Save a workbook with the day in place of every clock."""
    made, fixed = BytesIO(), BytesIO()
    book.save(made)
    stamp = f"{day.isoformat()}T00:00:00Z".encode()
    with ZipFile(made) as source, ZipFile(fixed, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            body = source.read(name)
            if name == "docProps/core.xml":
                body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, body)
            target.writestr(ZipInfo(name, _EPOCH), body, ZIP_DEFLATED)
    return fixed.getvalue()
