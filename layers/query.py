"""Queries: which records of a layer are meant, in which order, and where a page goes on."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from geo.errors import Fault, InputError
from layers.casting import read_date
from layers.catalog import Column, Layer

Bounds = tuple[float, float, float, float]

TEXT_COLUMNS = ("name", "title", "address")  # what a text search looks into
GEOMETRY = "geometry"

_ORDERED_KINDS = ("integer", "number", "date")


@dataclass(frozen=True)
class Range:
    """A closed range of numbers or dates; an end left out is open.

    >>> Range(low=20_000)
    Range(low=20000, high=None)
    """

    low: Any = None
    high: Any = None


@dataclass(frozen=True)
class Query:
    """Which records of a layer are meant; every condition given must hold.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees: records whose envelope meets the box.
    where
        Column to a value, several (any of them), a `Range`, or None (missing). On a column that
        holds a list, a value or several ask for records that hold any of them.
    ids
        Records of these ids only.
    text
        Part of the name, title or address, whatever the case.
    order_by, descending
        Column to sort by, records without a value last, ties by id; as stored when left out.
    limit
        At most so many records.
    after
        Cursor of the page before (`Page.next`).
    demo
        Whether demo records count.
    columns
        Columns wanted (`id` always comes); with a geometry only when `geometry` is named.
    """

    bbox: Bounds | None = None
    where: Mapping[str, Any] = field(default_factory=dict)
    ids: Iterable[str] | None = None
    text: str | None = None
    order_by: str | None = None
    descending: bool = False
    limit: int | None = None
    after: str | None = None
    demo: bool = True
    columns: Sequence[str] | None = None


@dataclass(frozen=True)
class Position:
    """Where a page ended: the sort value and key of its last record, and the count of all."""

    value: Any
    key: Any
    total: int | None


def check_query(layer: Layer, query: Query) -> Query:
    """Check a query against a layer and bring its values to the form that is stored.

    Parameters
    ----------
    layer
        The layer asked.
    query
        As the caller wrote it.

    Returns
    -------
    Query
        The same with dates as ISO text, numbers as numbers, lists as tuples.

    Raises
    ------
    InputError
        With every fault found: unknown columns, values of another kind, a bad box or limit.

    Examples
    --------
    >>> from layers.catalog import layer
    >>> check_query(layer("incubators"), Query(where={"area_m2": "20000"})).where
    {'area_m2': 20000.0}
    """
    faults: list[Fault] = []
    where: dict[str, Any] = {}
    for name, wanted in query.where.items():
        column = _column(layer, name, "where", faults)
        if column is not None:
            where[name] = _condition(column, wanted, faults)
    if query.order_by is not None:
        ordered = _column(layer, query.order_by, "order_by", faults)
        if ordered is not None and ordered.kind in ("list", "json"):
            faults.append(Fault("order_by", "cannot be sorted by", query.order_by, "name another"))
    for name in query.columns or ():
        if not (name == GEOMETRY and layer.spatial):
            _column(layer, name, "columns", faults)
    faults.extend(_limits(layer, query))
    if faults:
        raise InputError(f"layer {layer.name}: {faults[0]}", faults)
    return replace(
        query,
        where=where,
        bbox=None if query.bbox is None else _bounds(query.bbox),
        ids=_ids(query.ids),
        text=(query.text or "").strip() or None,
        columns=None if query.columns is None else tuple(dict.fromkeys(query.columns)),
    )


def _ids(ids: Iterable[str] | None) -> tuple[str, ...] | None:
    if ids is None:
        return None
    return (ids,) if isinstance(ids, str) else tuple(str(key) for key in ids)


def _column(layer: Layer, name: str, where: str, faults: list[Fault]) -> Column | None:
    for column in layer.columns:
        if column.name == name:
            return column
    names = [column.name for column in layer.columns]
    close = get_close_matches(str(name), names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it has: {', '.join(names)}"
    faults.append(Fault(where, f"layer {layer.name} has no column", name, hint))
    return None


def _condition(column: Column, wanted: Any, faults: list[Fault]) -> Any:
    """Bring what is wanted of one column to its stored form; note what cannot be."""
    if wanted is None:
        return None
    if isinstance(wanted, Range):
        if column.kind not in _ORDERED_KINDS:
            fault = Fault(column.name, "takes no range", wanted, f"it holds {column.kind} values")
            faults.append(fault)
            return wanted
        return Range(
            low=_scalar(column, wanted.low, faults), high=_scalar(column, wanted.high, faults)
        )
    if isinstance(wanted, Iterable) and not isinstance(wanted, (str, bytes, Mapping)):
        return tuple(_scalar(column, value, faults) for value in wanted)
    return _scalar(column, wanted, faults)


def _scalar(column: Column, value: Any, faults: list[Fault]) -> Any:
    if value is None:
        return None
    try:
        plain = _CASTS[column.kind](value)
    except (TypeError, ValueError, OverflowError):
        expected = _EXPECTED[column.kind]
        faults.append(Fault(column.name, f"is not {expected}", value, f"give {expected}"))
        return value
    if column.choices and plain not in {choice.value for choice in column.choices}:
        known = ", ".join(choice.value for choice in column.choices)
        faults.append(
            Fault(column.name, "is not one of the choices", value, f"give one of {known}")
        )
    return plain


def _text(value: Any) -> str:
    if isinstance(value, (dict, list, tuple)):
        raise TypeError
    return str(value)


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or isinstance(value, bool):
        raise ValueError
    return number


def _integer(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError
    return int(number)


def _boolean(value: Any) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    word = str(value).lower()
    if word not in known:
        raise ValueError
    return known[word]


def _date(value: Any) -> str:
    date = read_date(value)
    if not isinstance(date, str):
        raise TypeError
    return date


def _nothing(_: Any) -> Any:
    raise ValueError


_CASTS = {
    "text": _text,
    "list": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "json": _nothing,
}
_EXPECTED = {
    "text": "a text",
    "list": "a text",
    "number": "a finite number",
    "integer": "a whole number",
    "boolean": "true or false",
    "date": "a date like 2026-11-24",
    "json": "a value to search by (only None, for missing, can be asked)",
}


def _limits(layer: Layer, query: Query) -> list[Fault]:
    """Check what does not concern columns of the table."""
    faults = []
    if query.bbox is not None:
        if not layer.spatial:
            faults.append(Fault("bbox", "the layer has no geometry", query.bbox, "leave it out"))
        elif not _is_box(query.bbox):
            fix = "give west, south, east, north in degrees"
            faults.append(Fault("bbox", "is not a box", query.bbox, fix))
    limit = query.limit
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        faults.append(Fault("limit", "is not a count", limit, "give a whole number from 1 up"))
    if query.text and not searched(layer):
        fix = f"ask a column by `where`; a search looks into {', '.join(TEXT_COLUMNS)}"
        faults.append(Fault("text", "the layer has no column to search", query.text, fix))
    return faults


def searched(layer: Layer) -> tuple[str, ...]:
    """Name the columns of a layer that a text search looks into."""
    return tuple(column.name for column in layer.columns if column.name in TEXT_COLUMNS)


def _bounds(bbox: Sequence[float]) -> Bounds:
    west, south, east, north = (float(edge) for edge in bbox)
    return west, south, east, north


def _is_box(bbox: Sequence[Any]) -> bool:
    try:
        west, south, east, north = _bounds(bbox)
    except (TypeError, ValueError):
        return False
    finite = all(math.isfinite(edge) for edge in (west, south, east, north))
    return finite and west <= east and south <= north


def write_cursor(layer: Layer, query: Query, position: Position) -> str:
    """Write the cursor of the page that follows `position`; only the same query can read it."""
    held = [position.value, position.key, position.total]
    text = json.dumps([_seal(layer, query, held), *held], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read_cursor(layer: Layer, query: Query) -> Position | None:
    """Read where the page before ended from `query.after`.

    Raises
    ------
    InputError
        When the cursor is damaged, or of another query or layer.
    """
    if query.after is None:
        return None
    try:
        padded = query.after + "=" * (-len(query.after) % 4)
        seal, *held = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        value, key, total = held
    except (binascii.Error, ValueError, TypeError) as error:
        raise _bad_cursor(query.after) from error
    if seal != _seal(layer, query, held):
        raise _bad_cursor(query.after)
    return Position(value, key, total)


def _bad_cursor(after: str) -> InputError:
    shown = after if len(after) <= 40 else after[:40] + "…"
    fault = Fault("after", "is not a cursor of this query", shown, "start again without it")
    return InputError(str(fault), (fault,))


def _seal(layer: Layer, query: Query, held: list[Any]) -> str:
    """Sum up a checked query and a position, so that a cursor fits its own query only."""
    asked = [
        layer.name, query.bbox, sorted(query.where.items()), query.ids, query.text,
        query.order_by, query.descending, query.demo,
    ]  # fmt: skip
    digest = hashlib.blake2b(repr([asked, held]).encode(), digest_size=6)
    return digest.hexdigest()
