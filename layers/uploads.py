"""Uploads: a filled-in template or table, refused before it can do harm, and read."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException

from geo.crs import DATUMS, parse_datum
from geo.errors import Fault, InputError
from layers.catalog import layer as find_layer
from layers.catalog import layers
from layers.ingest.limits import MIB, open_zip, refuse_damaged
from layers.ingest.tables import read_file
from layers.templates import DATUM_CELL, GUIDE, LAYER_CELL

MAX_ROWS = 20_000
MAX_UNPACKED = 64 * MIB
ENDINGS = (".xlsx", ".csv")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # old Excel, and any workbook locked by a password


@dataclass(frozen=True)
class TemplateMark:
    """What a template says of itself: the layer, and the datum of its coordinates."""

    layer: str
    datum: str


@dataclass(frozen=True)
class Upload:
    """Rows as read, the datum of their coordinates, and whether they came in a template."""

    raw: pd.DataFrame
    datum: str | None
    template: bool


def read_upload(path: Path, layer_name: str, *, datum: str | None = None) -> Upload:
    """Read what was uploaded for a layer.

    Parameters
    ----------
    path
        An .xlsx or .csv.
    layer_name
        The layer that it is for.
    datum
        What the coordinates are in, where the file does not say it itself.

    Raises
    ------
    InputError
        When the file is of another kind or layer, holds macros, is locked, damaged or too large,
        or has no rows.
    """
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path.name} is neither .xlsx nor .csv; save it as .xlsx")
    mark = None
    if path.suffix.lower() == ".xlsx":
        _refuse_harm(path)
        mark = read_mark(path)
    if mark is not None and mark.layer != layer_name:
        said = find_layer(mark.layer).zh if mark.layer in layers() else mark.layer[:40]
        wanted = find_layer(layer_name).zh
        raise InputError(f"{path.name} is the template of {said}, not of {wanted}; upload it there")
    raw = read_file(path, layer_name=layer_name, max_rows=MAX_ROWS)
    if mark is not None:
        raw.attrs["notes"] = []  # its other sheets are its own
    given = mark.datum if mark is not None else datum
    return Upload(raw, None if not given else parse_datum(given), mark is not None)


def _refuse_harm(path: Path) -> None:
    """Refuse a workbook that is locked, holds macros, unpacks to too much, or computes nothing."""
    with path.open("rb") as stream:
        if stream.read(8) == _OLE:
            raise InputError(
                f"{path.name} is locked by a password or in the old Excel format; save it as "
                ".xlsx without a password"
            )
    with open_zip(path) as archive:
        names = [entry.filename.lower() for entry in archive.infolist()]
        size = sum(entry.file_size for entry in archive.infolist())
    if any("vbaproject" in name or name.startswith("xl/macrosheets") for name in names):
        raise InputError(f"{path.name} holds macros; save it as .xlsx without macros")
    if size > MAX_UNPACKED:
        raise InputError(
            f"{path.name} unpacks to {size / MIB:,.0f} MB, the limit is {MAX_UNPACKED // MIB} MB; "
            "delete what does not belong to the table"
        )
    found = find_uncomputed(path)
    if found:
        told = [
            Fault(f"row {row}", "holds a formula without a value", formula[:60], "type the value")
            for row, formula in found[:50]
        ]
        raise InputError(f"{path.name}: {told[0]}", told)


def read_mark(path: Path) -> TemplateMark | None:
    """Read what a template says of itself; None for a workbook that is none."""
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (KeyError, ValueError, SyntaxError, InvalidFileException) as error:
        refuse_damaged(path, error)
    try:
        if GUIDE not in book.sheetnames:
            return None
        said = {
            str(row[0]): str(row[1])
            for row in book[GUIDE].iter_rows(max_row=4, max_col=2, values_only=True)
            if len(row) > 1 and row[0] and row[1]
        }
    finally:
        book.close()
    if LAYER_CELL not in said or said.get(DATUM_CELL) not in DATUMS:
        return None
    return TemplateMark(said[LAYER_CELL], said[DATUM_CELL])


def find_uncomputed(path: Path, sheet: str | None = None) -> list[tuple[int, str]]:
    """Find cells with a formula that no spreadsheet has computed yet: row, and the formula.

    A workbook made by a program holds formulas without values; read by value they would be empty.
    """
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        if not any(re.search(rb"<f[ />]", archive.read(name)) for name in sheets):
            return []
    formulas = openpyxl.load_workbook(path, read_only=True, data_only=False)
    values = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        name = sheet or formulas.sheetnames[0]
        return [
            (number, str(formula))
            for number, (row, known) in enumerate(
                zip(
                    formulas[name].iter_rows(values_only=True),
                    values[name].iter_rows(values_only=True),
                    strict=False,
                ),
                1,
            )
            for formula, value in zip(row, known, strict=False)
            if isinstance(formula, str) and formula.startswith("=") and value is None
        ]
    finally:
        formulas.close()
        values.close()
