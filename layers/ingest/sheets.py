"""Tables as rows of cells: CSV, TSV, XLSX and ODS, with their headings found."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyogrio
from openpyxl.utils.exceptions import InvalidFileException
from pyogrio.errors import DataSourceError

from geo.errors import Fault, InputError
from layers.ingest.limits import MAX_BYTES, MIB, choose_layer, open_zip, refuse_damaged

Cells = Iterable[Any]
Row = tuple[int, list[str]]

# A text that a spreadsheet would run as a formula stands in a CSV behind one more apostrophe.
FORMULA = re.compile(r"'*[=+\-@\t\r]")


EXAMPLE = "示例（"  # how the first cell of a template's example row begins; it is no record


def find_encoding(file: Path) -> str:
    """Find whether a text is UTF-8 (with or without mark), UTF-16 or GB18030, by all its bytes.

    Raises
    ------
    InputError
        When it is none of them.
    """
    with file.open("rb") as stream:
        mark = stream.read(4)
    if mark.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", "gb18030"):
        if _decodes(file, encoding):
            return encoding
    raise InputError(f"{file} is neither UTF-8 nor GB18030 (GBK) text; save it as CSV UTF-8")


def _decodes(file: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with file.open("rb") as stream:
            while block := stream.read(MIB):
                if b"\0" in block:
                    return False
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def read_text(file: Path, layer_name: str | None, sheet: str | None, max_rows: int) -> pd.DataFrame:
    """Read a text table; arguments and result as `layers.ingest.tables.read_file`."""
    del layer_name, sheet
    encoding = find_encoding(file)
    csv.field_size_limit(MAX_BYTES["text"])
    with TextIOWrapper(file.open("rb"), encoding=encoding, newline="") as stream:
        sample = stream.read(64 * 1024)
        stream.seek(0)
        delimiter = "\t" if file.suffix.lower() == ".tsv" else _find_delimiter(sample)
        rows = csv.reader(stream, delimiter=delimiter, strict=True)
        try:
            frame = _frame((map(_unguard, row) for row in rows), file, max_rows)
        except csv.Error as error:
            raise InputError(
                f"{file}, line {rows.line_num}: {error}; are the quotation marks closed?"
            ) from error
    if encoding == "gb18030":
        frame.attrs["notes"].append("the text was read as GB18030 (GBK)")
    return frame


def _unguard(cell: str) -> str:
    """Take off the apostrophe that keeps a text from being run as a formula; not off a number.

    >>> [_unguard(cell) for cell in ("'=1+1", "''=x", "'tis", "-5")]
    ['=1+1', "'=x", "'tis", '-5']
    """
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def _find_delimiter(sample: str) -> str:
    """Take the sign that is most frequent in the first lines; a comma when there is none."""
    head = "\n".join(sample.splitlines()[:10])
    return max(",\t;|", key=head.count)


def read_xlsx(file: Path, layer_name: str | None, sheet: str | None, max_rows: int) -> pd.DataFrame:
    """Read a sheet of a workbook, formulas by the values last computed; as `read_text`."""
    open_zip(file).close()
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (KeyError, ValueError, SyntaxError, InvalidFileException) as error:
        refuse_damaged(file, error)
    try:
        names = [sheet.title for sheet in book.worksheets]
        filled = [name for name in names if _has_cells(book[name].iter_rows(values_only=True))]
        name = choose_layer(filled or names, file, layer_name=layer_name, wanted=sheet, first=True)
        frame = _frame(book[name].iter_rows(values_only=True), file, max_rows)
    finally:
        book.close()
    return _tell_others(frame, name, filled)


def read_ods(file: Path, layer_name: str | None, sheet: str | None, max_rows: int) -> pd.DataFrame:
    """Read a sheet of an OpenDocument workbook; as `read_text`."""
    open_zip(file).close()
    try:
        names = [str(name) for name, _ in pyogrio.list_layers(file)]
        name = choose_layer(names, file, layer_name=layer_name, wanted=sheet, first=True)
        table = pyogrio.read_dataframe(
            file,
            layer=name,
            read_geometry=False,
            max_features=max_rows + 100,
            HEADERS="DISABLE",
            FIELD_TYPES="STRING",
        )
    except DataSourceError as error:
        refuse_damaged(file, error)
    return _tell_others(_frame(table.itertuples(index=False), file, max_rows), name, names)


def _tell_others(frame: pd.DataFrame, name: str, names: Sequence[str]) -> pd.DataFrame:
    others = ", ".join(repr(other) for other in names if other != name)
    if others:
        frame.attrs["notes"].append(f"sheet {name!r} was read; not read: {others}")
    return frame


def _has_cells(rows: Iterable[Cells]) -> bool:
    return any(cell is not None for row in rows for cell in row)


def _frame(rows: Iterable[Cells], file: Path, max_rows: int) -> pd.DataFrame:
    """Make a frame of rows below their headings, which `_headings` finds."""
    numbered = ((number, [_text(cell) for cell in row]) for number, row in enumerate(rows, 1))
    filled = ((number, cells) for number, cells in numbered if any(cells))
    titles, headings, first = _headings(filled, file)
    records, numbers, faults = [], [], []
    for number, cells in (*first, *filled):
        if cells[0].startswith(EXAMPLE):
            continue
        if any(cells[len(headings) :]):
            what = f"has {len(cells)} cells where the headings are {len(headings)}"
            fix = "put text that holds the separator in quotation marks"
            faults.append(Fault(f"row {number}", what, cells[len(headings)], fix))
        records.append((cells + [""] * len(headings))[: len(headings)])
        numbers.append(number)
        if len(records) > max_rows:
            raise InputError(f"{file} has more than {max_rows:,} rows, the limit; split it")
    if faults:
        raise InputError(f"{file}: {len(faults)} row(s) do not fit; {faults[0]}", faults)
    index = pd.Index(numbers, name="row", dtype="int64")
    frame = pd.DataFrame(records, columns=headings, index=index, dtype="str")
    for column, heading in enumerate(headings):
        if not heading and frame.iloc[:, column].any():
            raise InputError(f"{file}: column {column + 1} has values but no heading; give it one")
    frame = frame[[heading for heading in headings if heading]]
    frame.attrs["notes"] = [f"row {number} was taken as a title" for number in titles]
    return frame


def _headings(filled: Iterator[Row], file: Path) -> tuple[list[int], list[str], list[Row]]:
    """Find the row of headings, below any rows with a title or notes such as who reports.

    Returns the numbers of the title rows, the headings, and the rows read ahead. A table of one
    column has no row with two cells: its first row holds the heading.
    """
    ahead = list(islice(filled, 10))
    if not ahead:
        raise InputError(f"{file} holds no records; give headings and at least one row")
    place = _find_headings([cells for _, cells in ahead])
    cells = ahead[place][1]
    width = max(i for i, cell in enumerate(cells, 1) if cell)
    headings = [" ".join(cell.split()) for cell in cells[:width]]
    twice = sorted({heading for heading in headings if heading and headings.count(heading) > 1})
    if twice:
        raise InputError(f"{file}: heading {twice[0]!r} stands twice; rename or delete one")
    return [number for number, _ in ahead[:place]], headings, ahead[place + 1 :]


def _find_headings(rows: Sequence[Sequence[str]]) -> int:
    """Find the first row that is a row of headings; notes such as who reports fill few cells.

    Headings have two filled cells, and half as many as the fullest row near them; with just half
    as many, there must be few gaps between them.

    >>> _find_headings([["List"], ["Office: A", "", "", "in m²"], ["name", "kind", "town", "area"]])
    2
    >>> _find_headings([["name", "area"], ["a", "1"]])
    0
    """
    counts = [sum(map(bool, cells)) for cells in rows]
    widths = [max((i for i, cell in enumerate(cells, 1) if cell), default=0) for cells in rows]
    several = [place for place, count in enumerate(counts) if count > 1]
    full = [p for p in several if 2 * counts[p] + (2 * counts[p] > widths[p]) > max(counts)]
    return next(iter(full or several), 0)


def _text(cell: Any) -> str:
    """Write a cell as text: whole numbers without a point, dates as ISO 8601.

    >>> _text(110101001.0), _text(True), _text(datetime(2025, 3, 1)), _text(None), _text(" a ")
    ('110101001', 'true', '2025-03-01', '', 'a')
    """
    if cell is None or cell is pd.NA or cell != cell:  # noqa: PLR0124 - only NaN differs from itself
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        midnight = cell.time().isoformat() == "00:00:00"
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).replace("\ufeff", "").strip()
