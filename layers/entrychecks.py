"""Checks of entries: what a person at a form should be told at once, though a store could hold it.

Long texts, days in the future, parts larger than the whole: an import of old lists may carry them
and the check of the data reports them; who enters a record now is asked to mend it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from layers.catalog import Column, Layer

MAX_TEXT = 2_000
MAX_ITEMS = 200
MAX_ITEM = 200

Found = tuple[str, str, str]  # column, what is wrong, the way out


def find_entry_faults(
    layer: Layer, record: Mapping[str, Any], said: Collection[str], *, today: dt.date
) -> Iterator[Found]:
    """Find what is wrong with a record, as far as it is said anew.

    Parameters
    ----------
    layer
        Its layer.
    record
        By column, dates as ISO text.
    said
        Columns that are new or changed: only what they bring is a fault.
    today
        The day after which nothing can have happened.

    Examples
    --------
    >>> from layers.catalog import layer
    >>> record = {"area_m2": 50.0, "min_area_m2": 80.0, "confirmed_on": "2030-01-01"}
    >>> for found in find_entry_faults(
    ...     layer("spaces"), record, {"min_area_m2", "confirmed_on"}, today=dt.date(2026, 1, 1)
    ... ):
    ...     print(found[:2])
    ('min_area_m2', 'is above area_m2 (50)')
    ('confirmed_on', 'lies in the future')
    """
    for column in layer.columns:
        name = column.name
        value = record.get(name)
        if value is None:
            continue
        if name in said:
            yield from _of_itself(column, value, today)
        other = record.get(column.not_above) if column.not_above else None
        if other is not None and {name, column.not_above} & set(said) and value > other:
            shown = f"{other:g}" if isinstance(other, float) else other
            fix = f"give no more than {column.not_above}, or correct that"
            yield name, f"is above {column.not_above} ({shown})", fix


def _of_itself(column: Column, value: Any, today: dt.date) -> Iterator[Found]:
    if isinstance(value, list):
        if len(value) > MAX_ITEMS or any(len(str(item)) > MAX_ITEM for item in value):
            what = f"has more than {MAX_ITEMS} items, or one of more than {MAX_ITEM} characters"
            yield column.name, what, "shorten it"
    elif isinstance(value, str) and column.kind == "text" and len(value) > MAX_TEXT:
        yield column.name, f"is longer than {MAX_TEXT} characters", "shorten it"
    if column.past and str(value)[:10] > today.isoformat():
        yield column.name, "lies in the future", f"give a day up to {today.isoformat()}"
