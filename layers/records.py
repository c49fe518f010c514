"""Single records: entered, changed and deleted one at a time, never over somebody else's change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson
import pandas as pd
import shapely

from geo.crs import parse_datum, to_cgcs2000
from geo.errors import ConflictError, Fault, InputError
from layers.casting import list_series
from layers.catalog import layer as find_layer
from layers.entries import EntryPlan, apply_plan, plan_entries
from layers.ingest.headings import SETTLED
from layers.query import Query
from layers.schema import RowFault
from layers.store import Store, no_record

COORDINATES = ("lon", "lat")
CONFIRMED = "confirmed_on"


class StaleRecordError(ConflictError):
    """A record was changed or deleted since the one who changes it now has read it."""


def record_tag(record: Mapping[str, Any]) -> str:
    """Return a text that changes whenever the record does.

    >>> record_tag({"id": "a", "name": "A"}) == record_tag({"name": "A", "id": "a"})
    True
    """
    plain = orjson.dumps(
        dict(record), default=lambda value: getattr(value, "wkt", str(value)),
        option=orjson.OPT_SORT_KEYS,
    )  # fmt: skip
    return blake2b(plain, digest_size=9).hexdigest()


def enter_record(
    store: Store,
    layer_name: str,
    values: Mapping[str, Any],
    *,
    who: str,
    note: str = "",
    key: str | None = None,
    tag: str | None = None,
    datum: str = "wgs84",
) -> str:
    """Add a record, or change the columns given of one.

    Parameters
    ----------
    store
        Open for writing.
    layer_name
        A layer of the catalogue.
    values
        By column, as typed or as JSON has them; `lon` and `lat` give the place. What is given as
        empty is emptied.
    who, note
        For the history.
    key
        Id of the record to change; None adds one.
    tag
        `record_tag` of the record as it was read; None for whatever it is.
    datum
        What `lon` and `lat` are in; the pair is kept as given.

    Returns
    -------
    str
        Its id.

    Raises
    ------
    InputError
        With every fault; nothing is written.
    StaleRecordError
        When the record is no longer as it was read.
    NotFoundError
        When there is no record of that id.
    """
    with store.edit(who, note) as edit:
        if key is not None:
            require_tag(store, layer_name, key, tag)
        plan = plan_record(store, layer_name, values, key=key, datum=datum)
        if plan.faults:
            raise refuse_record(plan)
        ids = apply_plan(edit, plan)
    return ids[0] if ids else str(key)


def plan_record(
    store: Store,
    layer_name: str,
    values: Mapping[str, Any],
    *,
    key: str | None = None,
    datum: str = "wgs84",
) -> EntryPlan:
    """Hold one record against the store; arguments as `enter_record` takes them.

    Raises
    ------
    InputError
        When a column is not the layer's, or not to be entered.
    """
    layer = find_layer(layer_name)
    names = {column.name for column in layer.columns} - SETTLED - {"provenance"}
    allowed = names | (set(COORDINATES) if layer.spatial else set())
    unknown = [name for name in values if name not in allowed]
    if unknown:
        offered = ", ".join(sorted(allowed))
        faults = [Fault(name, "cannot be entered", None, f"give of {offered}") for name in unknown]
        raise InputError(f"{layer_name}: {faults[0]}", faults)
    given = {name: values[name] for name in values if name != "id" or key is None}
    if key is not None:
        given["id"] = key
    # A row has an id and, in a layer with places, coordinates, if only empty ones.
    always = ("id", *COORDINATES) if layer.spatial else ("id",)
    cells = {name: list_series([given.get(name, "")]) for name in (*given, *always)}
    raw = pd.DataFrame(cells)
    raw.index = pd.Index([1], name="row")
    return plan_entries(
        store, layer_name, raw, datum=datum, kind="new" if key is None else "change"
    )


def remove_record(
    store: Store, layer_name: str, key: str, *, who: str, note: str = "", tag: str | None = None
) -> int:
    """Delete a record, and return the number of the batch.

    Raises
    ------
    StaleRecordError
        When the record is no longer as it was read.
    NotFoundError
        When there is none.
    """
    with store.edit(who, note) as edit:
        require_tag(store, layer_name, key, tag)
        edit.delete(layer_name, key)
    return max(batch.number for batch in store.batches() if batch.layer == layer_name)


def confirm_records(
    store: Store, layer_name: str, ids: Sequence[str], *, day: dt.date, who: str
) -> None:
    """Note that records were confirmed as true on a day.

    Raises
    ------
    InputError
        When records of the layer are not confirmed.
    NotFoundError
        When one of the records does not exist.
    """
    layer = find_layer(layer_name)
    if not any(column.name == CONFIRMED for column in layer.columns):
        raise InputError(f"{layer_name}: records of this layer are not confirmed")
    with store.edit(who, f"confirmed as true on {day.isoformat()}") as edit:
        held = store.records(layer_name, Query(ids=tuple(ids)))
        missing = [key for key in ids if key not in held]
        if missing:
            raise no_record(layer_name, missing[0])
        edit.upsert(layer_name, pd.DataFrame({"id": list(held), CONFIRMED: day.isoformat()}))


def convert_place(lon: float, lat: float, datum: str) -> tuple[float, float]:
    """Bring a place to WGS-84 (CGCS2000 is taken as equal), longitude and latitude in degrees.

    >>> convert_place(120.5, 28.0, "wgs84")
    (120.5, 28.0)
    """
    moved = to_cgcs2000(np.array([shapely.Point(lon, lat)], dtype=object), parse_datum(datum))[0]
    return float(moved.x), float(moved.y)


def faults_by_column(error: InputError) -> list[RowFault]:
    """Return the faults of an error by the column that they are about."""
    faults = error.faults or (Fault("", str(error)),)
    return [
        RowFault(1, fault.where.rpartition(", ")[2], fault.what, fault.value, fault.fix)
        for fault in faults
    ]


def require_tag(store: Store, layer_name: str, key: str, tag: str | None) -> None:
    """Refuse to go on when a record is not as it was read."""
    record = store.get(layer_name, key)
    if tag is None or record_tag(record) == tag:
        return
    life = store.history(layer_name, key)
    by = f" by {life[-1].who} at {life[-1].at}" if life else ""
    raise StaleRecordError(
        f"{layer_name} {key}: was changed{by} since you read it; read it again and repeat yours"
    )


def refuse_record(plan: EntryPlan) -> InputError:
    """Say every fault of one record by its column."""
    told = [Fault(fault.column, fault.what, fault.value, fault.fix) for fault in plan.faults]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return InputError(f"{plan.layer}: {told[0]}{more}", told)
