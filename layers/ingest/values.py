"""Reading the cells of a column by its kind: numbers, dates, choices, lists. Nothing is guessed.

A cell that can be read in one way only is read; everything else is a fault that says why.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from layers.catalog import Choice, Column
from layers.ingest.units import known_units, plain, unit_factor

# What stands in cells of which nothing is known; in texts these stay as they are.
_UNKNOWN = frozenset(
    {"-", "--", "—", "——", "/", "n/a", "na", "null", "none", "暂无", "不详", "未知"}
)
_TRUE = frozenset({"是", "有", "true", "t", "yes", "y", "1", "√", "✓", "对", "需", "需要"})
_FALSE = frozenset(
    {"否", "无", "false", "f", "no", "n", "0", "×", "x", "错", "不需", "不需要", "没有"}
)
_SEPARATORS = re.compile(r"[、，,;；/|\n]+")
_NUMBER = re.compile(
    r"([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:e[+-]?\d+)?)\s*(.*)", re.DOTALL
)
_NOT_NUMBERS = re.compile(r"nan|[+-]?inf(inity)?|#(div/0!|n/a|value!|ref!|name\?|num!|null!)")
_YEARS = range(1900, 2101)


class CellError(ValueError):
    """A cell cannot be read; `fix` says the way out."""

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.fix = fix


@dataclass(frozen=True)
class CellFault:
    """A cell that cannot be read: its row in the file, what is wrong, the value, the way out."""

    row: int
    what: str
    value: Any
    fix: str


@dataclass(frozen=True)
class Parsed:
    """A column read: a series on the index given (None where not known), faults and remarks."""

    series: pd.Series
    faults: list[CellFault]
    notes: list[str] = field(default_factory=list)


def parse_column(cells: pd.Series, column: Column, *, factor: float = 1.0) -> Parsed:
    """Read the cells of one column.

    Parameters
    ----------
    cells
        As `read_file` gives them; the index holds the rows of the file.
    column
        What they are to become.
    factor
        From the unit that the heading states to the column's own; a unit in a cell beats it.

    Returns
    -------
    Parsed
        Values of Python types by the column's kind, as objects.

    Examples
    --------
    >>> from layers.catalog import layer
    >>> area = layer("incubators").column("area_m2")
    >>> list(parse_column(pd.Series(["２，０００", "1.5万㎡", "3亩", "-"]), area).series)
    [2000.0, 15000.0, 2000.0, None]
    >>> parse_column(pd.Series(["many"], index=[7]), area).faults[0].what
    'is not a number'
    """
    read = _reader(column, factor)
    remarks: Counter[str] = Counter()
    known: dict[Any, tuple[Any, str, CellError | None]] = {}
    values: list[Any] = []
    faults: list[CellFault] = []
    for row, cell in zip(cells.index, cells.array, strict=True):
        key = cell if isinstance(cell, str) else (type(cell), repr(cell))
        if key not in known:
            known[key] = _read_cell(cell, read, column)
        value, remark, error = known[key]
        if error is not None:
            faults.append(CellFault(int(row), str(error), cell, error.fix))
        if remark:
            remarks[remark] += 1
        values.append(list(value) if isinstance(value, list) else value)
    notes = [f"{column.name}: {count} cell(s) {remark}" for remark, count in remarks.items()]
    series = pd.Series(values, index=cells.index, dtype=object, name=column.name)
    return Parsed(series, faults, notes)


Read = Callable[[Any], tuple[Any, str]]


def _read_cell(cell: Any, read: Read, column: Column) -> tuple[Any, str, CellError | None]:
    nothing: Any = [] if column.kind == "list" else None
    if is_blank(cell):
        return nothing, "", None
    free_text = column.kind == "text" and not column.choices
    if isinstance(cell, str) and not free_text and cell.strip().lower() in _UNKNOWN:
        return nothing, "with a sign for 'not known' were left empty", None
    try:
        value, remark = read(cell)
    except CellError as error:
        return nothing, "", error
    return value, remark, None


def is_blank(cell: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, NaT, an empty list or only white space.

    >>> [is_blank(cell) for cell in (None, float("nan"), pd.NaT, [], " ", 0, False)]
    [True, True, True, True, True, False, False]
    """
    if isinstance(cell, str):
        return not cell.strip()
    if isinstance(cell, list | tuple | dict | np.ndarray):
        return len(cell) == 0
    return cell is None or bool(pd.isna(cell))


def _reader(column: Column, factor: float) -> Read:
    """Return the function that reads a cell of the column to a value and a remark."""
    if column.kind == "list":
        return lambda cell: (_list(cell, column.choices), "")
    if column.choices:
        return lambda cell: (_choice(_plain_text(cell), column.choices), "")
    if column.kind == "number":
        return lambda cell: (_number(cell, column.name, factor), "")
    if column.kind == "integer":
        return lambda cell: (_integer(cell, column.name, factor), "")
    simple: Mapping[str, Read] = {
        "text": lambda cell: (_plain_text(cell), ""),
        "boolean": lambda cell: (_boolean(cell), ""),
        "date": _date,
        "json": lambda cell: (_json(cell), ""),
    }
    return simple[column.kind]


def _plain_text(cell: Any) -> str:
    """Text as it stands, markup included; whole numbers without a point."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bytes):
        raise CellError("holds binary data", "give text")
    text = str(cell).strip()
    if "\0" in text:
        raise CellError("holds a zero byte", "save the file anew as UTF-8")
    return text


def _half_width(cell: Any) -> str:
    return unicodedata.normalize("NFKC", str(cell)).strip()


def _number(cell: Any, column: str, factor: float) -> float:
    if isinstance(cell, bool | np.bool_):
        raise CellError("is not a number", "give a number, or leave the cell empty")
    if isinstance(cell, int | float | np.integer | np.floating):
        return _finite(float(cell) * factor)
    text = _half_width(cell).lower().lstrip("¥")
    if _NOT_NUMBERS.fullmatch(text):
        raise CellError("is not a finite number", "leave the cell empty when it is not known")
    match = _NUMBER.fullmatch(text)
    if match is None or not re.search(r"\d", match[1]):
        raise CellError("is not a number", "give a number, or leave the cell empty")
    number, unit = float(match[1].replace(",", "")), match[2]
    if not unit:
        return _finite(number * factor)
    unit_of = unit_factor(unit, column)
    if unit_of is None:
        units = ", ".join(filter(None, known_units(column)))
        raise CellError(f"has {unit!r} behind the number", f"units read here: {units}")
    return _finite(number * unit_of)


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise CellError("is not a finite number", "leave the cell empty when it is not known")
    # Twelve digits: what multiplying by a unit adds behind them is no measurement.
    return float(f"{number:.12g}")


def _integer(cell: Any, column: str, factor: float) -> int:
    number = _number(cell, column, factor)
    if not number.is_integer():
        raise CellError("is not a whole number", "give a whole number")
    return int(number)


def _boolean(cell: Any) -> bool:
    if isinstance(cell, bool | np.bool_):
        return bool(cell)
    text = _half_width(_plain_text(cell)).lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise CellError("is neither yes nor no", "give 是 or 否")


def _date(cell: Any) -> tuple[pd.Timestamp, str]:
    """Read a date, year first; a month or a year alone is taken as its first day, and said."""
    if isinstance(cell, datetime | date | np.datetime64):
        return pd.Timestamp(cell).tz_localize(None).normalize(), ""
    text = _half_width(cell)
    match = re.fullmatch(
        r"(\d{4})(?:[-/.年]\s?(\d{1,2})(?:[-/.月]\s?(\d{1,2})日?|月)?|年)?", text
    ) or re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text)
    if match is None:
        match = re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ]\d{1,2}:\d{2}.*", text)
    if match is None:
        hint = "give year first, as 2025-03-01 or 2025年3月1日"
        if re.fullmatch(r"[34]\d{4}", text):
            raise CellError("looks like a spreadsheet's day count", f"format it as a date; {hint}")
        raise CellError("is not a date that reads one way only", hint)
    year, month, day = (int(part) if part else None for part in match.groups())
    if year not in _YEARS:
        raise CellError(f"lies outside the years {_YEARS[0]} to {_YEARS[-1]}", "check the year")
    try:
        value = pd.Timestamp(year=year, month=month or 1, day=day or 1)
    except ValueError:
        raise CellError("is no day of the calendar", "check month and day") from None
    if day is not None:
        return value, ""
    part = "year" if month is None else "month"
    return value, f"give only the {part}: its first day was taken"


def _choice(text: str, choices: tuple[Choice, ...]) -> str:
    """Read one of the allowed values, written as itself or by its Chinese or English words."""
    wanted = plain(text)
    for choice in choices:
        if wanted in {plain(choice.value), plain(choice.zh), plain(choice.en)}:
            return choice.value
    words = "、".join(choice.zh for choice in choices)
    raise CellError("is none of the allowed values", f"give one of {words}")


def _list(cell: Any, choices: tuple[Choice, ...]) -> list[str]:
    """Split a list at 、，,;；/| or take a JSON list; each item once."""
    if isinstance(cell, list | tuple | np.ndarray):
        parts = [_plain_text(part) for part in cell]
    else:
        text = _plain_text(cell)
        if text.startswith("[") and text.endswith("]"):
            try:
                parts = [_plain_text(part) for part in json.loads(text)]
            except ValueError:
                parts = _SEPARATORS.split(text)
        else:
            parts = _SEPARATORS.split(text)
    items = list(dict.fromkeys(part.strip() for part in parts if part.strip()))
    return [_choice(item, choices) for item in items] if choices else items


def _json(cell: Any) -> dict[str, Any]:
    if isinstance(cell, dict):
        return cell
    try:
        value = json.loads(str(cell))
    except ValueError as error:
        raise CellError("is not JSON", 'give an object such as {"key": "value"}') from error
    if not isinstance(value, dict):
        raise CellError("is not a JSON object", 'give an object such as {"key": "value"}')
    return value
