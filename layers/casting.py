"""Casting: values as files and callers write them, to the kinds that the catalogue declares."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from layers.catalog import Column

Objects = npt.NDArray[np.object_]
BAD = object()  # stands for a value that cannot be cast

_DATE = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[T ][\d:.Z+-]*)?"
)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SEPARATORS = re.compile(r"[、,，;；|/\n]")
_BOOLEANS = {
    **dict.fromkeys(("true", "1", "1.0", "yes", "y", "是", "有", "√"), True),
    **dict.fromkeys(("false", "0", "0.0", "no", "n", "否", "无", "×"), False),
}
_INT64 = 2**63

DTYPES = {
    "text": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "date": "datetime64[s]",
    "list": "object",
    "json": "object",
}
_EXPECTED = {
    "text": ("is not a text that can be stored", "give a plain text"),
    "integer": ("is not a whole number", "give a whole number"),
    "number": ("is not a number", "give a number without unit"),
    "boolean": ("is neither yes nor no", "give true or false, 是 or 否"),
    "date": ("is not a date", "give a date like 2026-11-24"),
    "list": ("is not a list of texts", 'separate texts by 、 or give JSON like ["a", "b"]'),
    "json": ("is not a JSON object", 'give JSON like {"key": "value"}'),
}


@dataclass(frozen=True)
class RowFault:
    """One value of one row that cannot be taken; `row` counts from 0 in the frame given."""

    row: int
    column: str
    what: str
    value: Any
    fix: str


def missing_column(kind: str, rows: int) -> pd.Series:
    """Make a column of a kind in which every value is missing.

    >>> missing_column("list", 2).tolist()
    [[], []]
    """
    if kind == "list":
        return list_series([[] for _ in range(rows)])
    nothing = {"date": pd.NaT, "integer": pd.NA, "boolean": pd.NA, "json": None}.get(kind, np.nan)
    return pd.Series(nothing, index=pd.RangeIndex(rows), dtype=DTYPES[kind])


def list_series(values: Sequence[Any]) -> pd.Series:
    """Hold Python objects one by one: plain numpy would make a table of lists equally long."""
    return pd.Series(np.fromiter(values, dtype=object, count=len(values)), dtype="object")


def join_columns(columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Make a frame of columns as long as each other, on a fresh index, faster than pandas would.

    Columns with an index of their own are aligned one by one; arrays are not. Python objects stay
    columns, because of arrays of them pandas would guess the dtype.

    >>> join_columns({"a": pd.Series([1.0]), "b": list_series(["x"])}).dtypes.astype(str).tolist()
    ['float64', 'object']
    """
    return pd.DataFrame(
        {
            name: column if column.dtype == object else column.array
            for name, column in columns.items()
        }
    )


def cast_column(column: Column, values: pd.Series) -> tuple[pd.Series, list[RowFault]]:
    """Cast one column to its kind.

    Parameters
    ----------
    column
        As the catalogue declares it; words of its choices become their values.
    values
        As read: texts, numbers, dates or Python objects.

    Returns
    -------
    tuple
        The new column, missing where a value could not be cast, and a fault for each of those.

    Examples
    --------
    >>> from layers.catalog import layer
    >>> status = layer("incubators").column("status")
    >>> cast_column(status, pd.Series(["运营", "planned"]))[0].tolist()
    ['operating', 'planned']
    >>> area = layer("incubators").column("area_m2")
    >>> cast_column(area, pd.Series(["1,250.5", "n/a"]))[1]
    [RowFault(row=1, column='area_m2', what='is not a number', value='n/a', fix='give a number \
without unit')]
    """
    ready = _already(column, values)
    if ready is not None:
        return ready, []
    given: Objects = values.to_numpy(dtype=object)
    absent = np.asarray(pd.isna(given))
    cast = _remembering(_caster(column))
    plain = [None if nothing else cast(value) for value, nothing in zip(given, absent, strict=True)]
    if column.kind == "text" and not _storable("".join(v for v in plain if isinstance(v, str))):
        plain = [v if v is None or v is BAD or _storable(v) else BAD for v in plain]
    what, fix = _EXPECTED[column.kind]
    faults = [
        RowFault(row, column.name, what, given[row], fix)
        for row, value in enumerate(plain)
        if value is BAD
    ]
    if faults:
        plain = [None if value is BAD else value for value in plain]
    return build_column(column.kind, plain), faults


def build_column(kind: str, values: Sequence[Any]) -> pd.Series:
    """Make a column of a kind from Python values, None where missing; dates as ISO text."""
    if all(value is None for value in values):
        return missing_column(kind, len(values))
    if kind == "date":
        dates = ["NaT" if value is None else value for value in values]
        return pd.Series(np.array(dates, dtype="datetime64[s]"))
    if kind == "list":
        return list_series([[] if value is None else value for value in values])
    if kind == "json":
        return list_series(values)
    if kind == "number":
        return pd.Series(np.array(values, dtype=np.float64))
    return pd.Series(values, dtype=DTYPES[kind])


def _already(column: Column, values: pd.Series) -> pd.Series | None:
    """Return a column whose dtype leaves nothing to cast, else None."""
    dtype = values.dtype
    if column.kind == "number" and pd.api.types.is_numeric_dtype(dtype) and dtype != "bool":
        return pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan))
    if column.kind == "integer" and pd.api.types.is_integer_dtype(dtype):
        return values.astype("Int64").reset_index(drop=True)
    if column.kind == "boolean" and pd.api.types.is_bool_dtype(dtype):
        return values.astype("boolean").reset_index(drop=True)
    if column.kind == "date" and isinstance(dtype, np.dtype) and dtype.kind == "M":
        return pd.Series(values.to_numpy().astype("datetime64[D]").astype("datetime64[s]"))
    return None


def _storable(text: str) -> bool:
    """Whether a text is whole Unicode without the NUL at which C programs stop reading."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _caster(column: Column) -> Callable[[Any], Any]:
    """Return what casts one value; it puts the value of a choice where one of its words stands."""
    cast = _CASTS[column.kind]
    if not column.choices:
        return cast
    words = {word.lower(): c.value for c in column.choices for word in (c.en, c.zh, c.value)}

    def choose(value: Any) -> Any:
        plain = cast(value)
        if isinstance(plain, list):
            return [words.get(part.lower(), part) for part in plain]
        return words.get(plain.lower(), plain) if isinstance(plain, str) else plain

    return choose


def _remembering(cast: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Cast each text once: columns of files say the same over and over."""
    known: dict[str, Any] = {}

    def recall(value: Any) -> Any:
        if type(value) is not str:  # 1, 1.0 and True would be one key
            return cast(value)
        if value not in known:
            known[value] = cast(value)
        plain = known[value]
        return [*plain] if type(plain) is list else plain  # a list of its own for every row

    return recall


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return str(value)
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return BAD


def _number(value: Any) -> Any:
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return BAD
    text = value.strip()
    if not text:
        return None
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    try:
        number = float(text)
    except ValueError:
        return BAD
    return number if np.isfinite(number) else BAD


def _integer(value: Any) -> Any:
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value) if -_INT64 <= value < _INT64 else BAD
    number = _number(value)
    if number is None or number is BAD:
        return number
    return int(number) if number.is_integer() and abs(number) < _INT64 else BAD


def _boolean(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        return None
    return _BOOLEANS.get(str(value).strip().lower(), BAD)


def read_date(value: Any) -> Any:
    """Read a date as ISO text: None when blank, `BAD` when it is none.

    >>> read_date("2026年5月1日"), read_date(dt.date(2026, 5, 1)), read_date("soon") is BAD
    ('2026-05-01', '2026-05-01', True)
    """
    if isinstance(value, (dt.date, np.datetime64)):
        return pd.Timestamp(value).isoformat()[:10]
    if not isinstance(value, (str, int)):
        return BAD
    text = str(value).strip()
    if not text:
        return None
    found = _DATE.fullmatch(text)
    if found is None:
        return BAD
    year, *rest = (int(part) for part in found.groups() if part is not None)
    try:
        return dt.date(year, *rest).isoformat()
    except ValueError:
        return BAD


def _list(value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith("["):
            return [part.strip() for part in _SEPARATORS.split(text) if part.strip()]
        value = _parsed(text)
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        parts = [None if part is None else _text(part) for part in value]
        return BAD if BAD in parts else [part for part in parts if part]
    return BAD


def _json(value: Any) -> Any:
    if isinstance(value, str):
        if not value.strip():
            return None
        value = _parsed(value)
    if not isinstance(value, dict):
        return BAD
    try:
        return value if _storable(json.dumps(value, allow_nan=False)) else BAD
    except (TypeError, ValueError):
        return BAD


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return BAD


_CASTS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": read_date,
    "list": _list,
    "json": _json,
}
