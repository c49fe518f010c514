"""Tables that people download: headings and rows as CSV or as the sheets of one XLSX file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from layers.formats import guard_formula, join_list

_NAME_CHARACTERS = 31
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")


@dataclass(frozen=True)
class Sheet:
    """A table: its name, its headings, and rows of texts, numbers, truth values and None."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def write_csv(sheet: Sheet) -> bytes:
    r"""Write a table as CSV in UTF-8, so marked that spreadsheets read it.

    >>> write_csv(Sheet("t", ("a", "b"), (("=1", 2.5), (None, ["x", "y"])))).decode("utf-8-sig")
    "a,b\r\n'=1,2.5\r\n,x、y\r\n"
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([guard_formula(heading) for heading in sheet.headings])
    writer.writerows([[guard_formula(_flat(value)) for value in row] for row in sheet.rows])
    return text.getvalue().encode("utf-8-sig")


def write_xlsx(sheets: Sequence[Sheet], *, title: str = "") -> bytes:
    """Write tables as the sheets of one file; numbers stay numbers, texts never run as formulas.

    Parameters
    ----------
    sheets
        The tables.
    title
        The title that the properties of the file give.
    """
    book = openpyxl.Workbook(write_only=True)
    book.properties.title = title or None
    for sheet in sheets:
        page = book.create_sheet(_NOT_IN_NAMES.sub(" ", sheet.name)[:_NAME_CHARACTERS])
        page.freeze_panes = "A2"
        page.append([_cell(page, heading, bold=True) for heading in sheet.headings])
        for row in sheet.rows:
            page.append([_cell(page, _flat(value)) for value in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _flat(value: Any) -> Any:
    return join_list([str(item) for item in value]) if isinstance(value, list | tuple) else value


def _cell(page: Any, value: Any, *, bold: bool = False) -> Any:
    if not isinstance(value, str):
        return value
    text = ILLEGAL_CHARACTERS_RE.sub("", value)
    if not (bold or text.startswith("=")):
        return text
    made = WriteOnlyCell(page, text)
    made.data_type = "s"
    made.font = Font(bold=bold)
    return made
