"""A comparison as files: every figure with its unit, real numbers in sheets."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font

from layers.formats import guard_formula
from web.rows import Result
from web.words import Words, words


def comparison_csv(report: Result, lang: str) -> bytes:
    """Write a comparison as CSV that spreadsheets open in UTF-8.

    Parameters
    ----------
    report
        The comparison as plain values.
    lang
        The language of its words.
    """
    file = StringIO()
    writer = csv.writer(file)
    for row in _table(report, words(lang)):
        writer.writerow(["" if cell is None else guard_formula(cell) for cell in row])
    return ("\ufeff" + file.getvalue()).encode()


def comparison_xlsx(report: Result, lang: str) -> bytes:
    """Write a comparison as a workbook: figures, and towns whose state differs.

    Parameters
    ----------
    report
        The comparison as plain values.
    lang
        The language of its words.
    """
    w = words(lang)
    book = Workbook()
    sheet: Any = book.active
    _fill(sheet, w("scenario_compare.table"), _table(report, w))
    _fill(book.create_sheet(), w("scenario_compare.town"), _towns(report, w))
    names = " / ".join(_names(report, w))
    book.properties.title = f"{w('scenario_compare.title')} {names} {report['as_of']}"
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _fill(sheet: Any, title: str, rows: list[list[Any]]) -> None:
    sheet.title = title
    for row in rows:
        sheet.append([guard_formula(cell) for cell in row])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"


def _names(report: Result, w: Words) -> list[str]:
    return [state["name"] or w("scenario.base") for state in report["states"]]


def _table(report: Result, w: Words) -> list[list[Any]]:
    names = _names(report, w)
    differences = [f"{w('scenario_compare.difference')} {name}" for name in names[1:]]
    heading = [
        w("scenario_compare.group"),
        w("scenario_compare.figure"),
        w("scenario_compare.unit_of"),
    ]
    rows: list[list[Any]] = [[*heading, *names, *differences]]
    rows += [
        [
            w(f"scenario_compare.group_{row['group']}"),
            w.pick(row),
            row["unit"],
            *row["values"],
            *row["differences"],
        ]
        for row in report["rows"]
    ]
    return rows


def _towns(report: Result, w: Words) -> list[list[Any]]:
    heading = [w("scenario_compare.town"), w("scenario_compare.unit"), *_names(report, w)]
    rows: list[list[Any]] = [heading]
    rows += [
        [row["name"], row["unit"], *(w.get(f"state.{state}", "") for state in row["states"])]
        for row in report["towns"]
    ]
    return rows
