"""The nearest value of a filter that gives results: how far the one asked lies from it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from layers.placeminutes import MAX_MINUTES

Pair = tuple[str, str]  # name and value of a field
_EPOCH = dt.date(1970, 1, 1)
_WALKED = ("minutes", "radius_m")
_OF_WHOLE = 1e-9  # a whole number that is only almost one


@dataclass(frozen=True)
class Step:
    """A change of one field.

    Parameters
    ----------
    old, new
        The field as it was asked, and as it would do.
    way
        `up` or `down`; `later` for a date.
    was, value, by
        The value asked, the one that would do, and how far it lies off, as people read them.
    """

    old: Pair
    new: Pair
    way: str
    was: str
    value: str
    by: str


def nearest_step(name: str, nearest: float, query: Sequence[Pair]) -> Step | None:
    """Return the smallest change of a filter that gives results; None where it cannot be asked.

    Parameters
    ----------
    name
        The filter.
    nearest
        The value nearest to what is asked: a number, days since 1970, or minutes and metres.
    query
        The fields of the question.

    Examples
    --------
    >>> nearest_step("rent_cny_m2_month", 24.5, [("max_rent_cny_m2_month", "20")])
    ... # doctest: +NORMALIZE_WHITESPACE
    Step(old=('max_rent_cny_m2_month', '20'), new=('max_rent_cny_m2_month', '24.5'), way='up',
         was='20', value='24.5', by='4.5')
    >>> nearest_step("minutes", 17.2, [("minutes", "15")]).value
    '18'
    >>> nearest_step("available_by", 20000.0, [("available_by", "2024-10-01")]).by
    '3'
    """
    if name == "available_by":
        return _later(nearest, query)
    if name in _WALKED or name.startswith("must."):
        return _farther(name, nearest, query)
    for field, value in query:
        if field in (f"min_{name}", f"max_{name}"):
            asked = float(value)
            up = field.startswith("max_")
            if (nearest > asked) if up else (nearest < asked):
                said = f"{nearest:.12g}"
                by = f"{abs(nearest - asked):.6g}"
                return Step((field, value), (field, said), "up" if up else "down", value, said, by)
    return None


def _later(nearest: float, query: Sequence[Pair]) -> Step | None:
    for field, value in query:
        if field == "available_by":
            day = _EPOCH + dt.timedelta(days=nearest)
            by = (day - dt.date.fromisoformat(value)).days
            return Step((field, value), (field, day.isoformat()), "later", value, str(day), str(by))
    return None


def _farther(name: str, nearest: float, query: Sequence[Pair]) -> Step | None:
    """Whole minutes and metres: what is walked is not known better."""
    whole = math.ceil(nearest - _OF_WHOLE)
    if name != "radius_m" and whole > MAX_MINUTES:
        return None
    field, _, category = name.partition(".")
    for asked, value in query:
        start, _, minutes = value.partition(":")
        if asked == field and (not category or start == category):
            was = minutes if category else value
            new = f"{category}:{whole}" if category else str(whole)
            by = f"{whole - float(was):.6g}"
            return Step((asked, value), (asked, new), "up", was, str(whole), by)
    return None
