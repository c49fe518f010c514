"""Entries: what staff type or fill in, held against the store cell by cell before it is written.

A plan says what would be new, changed and unchanged, every value before and after, and every fault.
It is written in one edit, exactly as it was shown: where the store has changed since, it is refused
and a new plan is needed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely

from geo.errors import ConflictError, Fault, InputError
from layers.catalog import Layer
from layers.catalog import layer as find_layer
from layers.entrychecks import find_entry_faults
from layers.formats import plain_values
from layers.ingest.datum import Vote, weigh_votes
from layers.ingest.draft import Draft
from layers.ingest.values import CellFault, is_blank
from layers.preparing import LEFT_WHEN_BLANK, prepare_records
from layers.query import GEOMETRY, Query
from layers.rows import frame_records
from layers.schema import RowFault
from layers.store import Edit, Store

Record = dict[str, Any]
Kind = Literal["file", "new", "change"]

SAME_PLACE_DEG = 1e-6  # 0.1 m: what writing and reading coordinates back may move a place by
PLACE = (GEOMETRY, "declared_datum", "declared_x", "declared_y")
_SETTLED = frozenset({"id", "batch", "provenance", *PLACE})
# What is read beside the layer itself: an edit there may change what a plan comes to.
_READ = ("reporting_units", "divisions", "incubators", "meta", "rules")


@dataclass(frozen=True)
class CellChange:
    """One value that an entry changes, with the row of the file and the name of the record."""

    row: int
    id: str
    name: str
    column: str
    before: Any
    after: Any


@dataclass(frozen=True)
class EntryPlan:
    """What entries would do to a layer.

    Attributes
    ----------
    layer, rows
        Where they go, and how many there are.
    new, changed
        Records as they would be, by row of the file.
    unchanged, faulty
        Rows that say nothing new; rows that cannot be taken.
    cells
        Every value that changes, of records that the store has.
    faults, warnings, votes
        As `layers.imports.ImportReport` has them.
    token
        The state of the store that the plan was made for.
    """

    layer: str
    rows: int
    new: Mapping[int, Record]
    changed: Mapping[int, Record]
    unchanged: tuple[int, ...]
    faulty: tuple[int, ...]
    cells: tuple[CellChange, ...]
    faults: tuple[RowFault, ...]
    warnings: tuple[str, ...]
    votes: tuple[Vote, ...]
    token: str

    @property
    def writes(self) -> int:
        """How many records it would write."""
        return len(self.new) + len(self.changed)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "layer": self.layer,
            "rows": self.rows,
            "new": [
                {"row": row, "id": record["id"], "name": record_name(record)}
                for row, record in self.new.items()
            ],
            "changed": [
                {"row": row, "id": record["id"], "name": record_name(record)}
                for row, record in self.changed.items()
            ],
            "unchanged": len(self.unchanged),
            "faulty": list(self.faulty),
            "cells": [
                vars(cell) | {"before": _told(cell.before), "after": _told(cell.after)}
                for cell in self.cells
            ],
            "faults": [vars(fault) | {"value": _told(fault.value)} for fault in self.faults],
            "warnings": list(self.warnings),
            "datum_votes": [vars(vote) for vote in self.votes],
            "token": self.token,
        }


def plan_entries(
    store: Store,
    layer_name: str,
    raw: pd.DataFrame,
    *,
    datum: str | None,
    name: str = "",
    kind: Kind = "file",
) -> EntryPlan:
    """Hold entries against the store.

    Parameters
    ----------
    store
        The store, which is only read.
    layer_name
        A layer of the catalogue.
    raw
        Rows as `layers.ingest.tables.read_file` gives them, or made from a form.
    datum
        Of the coordinates, as `geo.crs.parse_datum` names it.
    name
        Of the file, as the source of records that name none.
    kind
        `file` for rows of a file; `new` for records typed by hand, which are none of the store's,
        whatever they are called; `change` for changes by hand of records named by their id.

    Returns
    -------
    EntryPlan
        Columns that the rows do not state keep their values; what they state as empty is emptied.

    Raises
    ------
    InputError
        When the rows as a whole cannot be taken.
    """
    layer = find_layer(layer_name)
    token = entry_token(store, layer_name)
    draft, frame = prepare_records(
        store,
        layer,
        raw,
        datum,
        name=name,
        replace=kind != "new",
        known_again=kind == "file",
        keep=kind != "new",
    )
    fresh = records_of(layer, frame)
    known = tuple(str(record["id"]) for record in fresh if not is_blank(record["id"]))
    held = store.records(layer_name, Query(ids=known)) if known else {}
    merged = [
        _merge(layer, draft, place, record, held[record["id"]])
        if record["id"] in held
        else _sign(record, by_hand=kind != "file")
        for place, record in enumerate(fresh)
    ]
    _check(layer, draft, merged, held)
    return _sort_out(layer, draft, merged, held, token=token, datum=datum)


def write_entries(
    store: Store, plan: EntryPlan, *, who: str, note: str = "", skip_faulty: bool = False
) -> int:
    """Write what a plan showed, in one edit.

    Returns
    -------
    int
        Number of the batch.

    Raises
    ------
    ConflictError
        When the store has changed since the plan was made.
    InputError
        When rows are faulty and are not to be left out, or nothing would be written.
    """
    if plan.faults and not skip_faulty:
        raise refuse_entries(plan)
    if not plan.writes:
        raise InputError("nothing would be written: every row is as the store has it, or faulty")
    with store.edit(who, note) as edit:
        if entry_token(store, plan.layer) != plan.token:
            raise ConflictError(
                f"{plan.layer}: somebody has changed the store since this was shown; look at it "
                "again and confirm anew"
            )
        apply_plan(edit, plan)
    return max(batch.number for batch in store.batches() if batch.layer == plan.layer)


def apply_plan(edit: Edit, plan: EntryPlan) -> list[str]:
    """Write the records of a plan within an edit; return the ids of the new ones."""
    ids: list[str] = []
    if plan.new:
        ids = edit.insert(plan.layer, frame_records([_without_batch(r) for r in plan.new.values()]))
    if plan.changed:
        columns = {"id", *(column for cell in plan.cells for column in _written(cell.column))}
        rows = [{name: record[name] for name in columns} for record in plan.changed.values()]
        edit.upsert(plan.layer, frame_records(rows))
    return ids


def refuse_entries(plan: EntryPlan) -> InputError:
    """Say what keeps a plan from being written."""
    told = [Fault(f"row {f.row}, {f.column}", f.what, f.value, f.fix) for f in plan.faults]
    rows = f"{len(plan.faulty)} of {plan.rows} row(s) are faulty, nothing was written"
    return InputError(f"{plan.layer}: {rows}; {told[0]}", told)


def entry_token(store: Store, layer_name: str) -> str:
    """Return the state of everything that entries of a layer are held against."""
    return store.token(layer_name, *_READ)


def record_name(record: Mapping[str, Any]) -> str:
    """Return the name of a record, else what stands for it.

    >>> record_name({"id": "a", "title": "T"}), record_name({"id": "a", "name": None})
    ('T', 'a')
    """
    for column in ("name", "title"):
        if not is_blank(record.get(column)):
            return str(record[column])
    parts = [str(record[c]) for c in ("unit", "year", "indicator") if not is_blank(record.get(c))]
    return " ".join(parts) or str(record.get("id") or "")


def records_of(layer: Layer, frame: pd.DataFrame) -> list[Record]:
    """Turn a conformed frame into records as `Store.get` returns them."""
    columns = {column.name: _plain(plain_values(frame[column.name])) for column in layer.columns}
    if layer.spatial:
        columns[GEOMETRY] = list(np.asarray(frame[GEOMETRY], dtype=object))
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _plain(values: list[Any]) -> list[Any]:
    return [value.isoformat() if isinstance(value, dt.date) else value for value in values]


def _merge(layer: Layer, draft: Draft, place: int, fresh: Record, old: Record) -> Record:
    """Lay what a row states over the record that the store has."""
    merged = dict(old)
    moved = layer.spatial and _moved(draft, place, fresh, old)
    for column in layer.columns:
        name = column.name
        if name in _SETTLED:
            continue
        if name in draft.stated:
            # What was empty and stays empty is filled only where the place is new.
            stays = is_blank(old[name]) and not moved
            left = stays or name in LEFT_WHEN_BLANK
            if not (left and is_blank(draft.read[name].iloc[place])):
                merged[name] = fresh[name]
        elif name not in LEFT_WHEN_BLANK and is_blank(old[name]):
            merged[name] = fresh[name]
    if moved:
        merged |= {name: fresh[name] for name in PLACE}
    return merged


def _moved(draft: Draft, place: int, fresh: Record, old: Record) -> bool:
    """Whether a row says that a record is elsewhere than the store has it."""
    before, after = old[GEOMETRY], fresh[GEOMETRY]
    if before is None or after is None or not draft.placed[place]:
        return before is None and after is not None
    return not bool(shapely.equals_exact(before, after, tolerance=SAME_PLACE_DEG))


def _sign(record: Record, *, by_hand: bool) -> Record:
    """Say of a new record how it came."""
    if by_hand and record["provenance"] != "demo":
        return record | {"provenance": "entered"}
    return record


def _check(
    layer: Layer, draft: Draft, merged: Sequence[Record], held: Mapping[str, Record]
) -> None:
    """Add what entries must not say beyond what the schema forbids, where a row says it anew."""
    today = dt.datetime.now(tz=dt.UTC).astimezone().date()
    for place, record in enumerate(merged):
        old = held.get(record["id"])
        said = {name for name, value in record.items() if old is None or old[name] != value}
        row = int(draft.rows[place])
        for column, what, fix in find_entry_faults(layer, record, said, today=today):
            draft.blame(column, [CellFault(row, what, _short(record[column]), fix)])


def _sort_out(
    layer: Layer,
    draft: Draft,
    merged: Sequence[Record],
    held: Mapping[str, Record],
    *,
    token: str,
    datum: str | None,
) -> EntryPlan:
    """Part the rows into new, changed, unchanged and faulty ones."""
    bad = {fault.row for fault in draft.faults}
    new: dict[int, Record] = {}
    changed: dict[int, Record] = {}
    unchanged: list[int] = []
    cells: list[CellChange] = []
    for row, record in zip(map(int, draft.rows), merged, strict=True):
        if row in bad:
            continue
        old = held.get(record["id"])
        if old is None:
            new[row] = record
            continue
        columns = [name for name, value in record.items() if old[name] != value]
        if not columns:
            unchanged.append(row)
            continue
        changed[row] = record
        shown = [name for name in columns if name not in PLACE[1:]]
        cells += [
            CellChange(row, str(old["id"]), record_name(old), name, old[name], record[name])
            for name in shown or columns
        ]
    # Where no place is new, the vote tells nothing about the file.
    placed = bool(new) or any(cell.column == GEOMETRY for cell in cells)
    verdict = weigh_votes(draft.votes, datum) if draft.votes and datum else None
    return EntryPlan(
        layer.name,
        len(draft.rows),
        new,
        changed,
        tuple(unchanged),
        tuple(sorted(bad)),
        tuple(cells),
        tuple(sorted(draft.faults, key=lambda fault: fault.row)),
        tuple(warning for warning in draft.warnings if warning != verdict or placed),
        tuple(draft.votes or ()) if placed else (),
        token,
    )


def _written(column: str) -> tuple[str, ...]:
    """Name the columns that are written when one changes: a place brings its declared pair."""
    return PLACE if column == GEOMETRY else (column,)


def _without_batch(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "batch"}


def _short(value: Any) -> Any:
    return f"{value[:60]}…" if isinstance(value, str) and len(value) > 60 else value


def _told(value: Any) -> Any:
    """Return a value as JSON can hold it, a place as WKT."""
    if hasattr(value, "wkt"):
        return shapely.to_wkt(value, rounding_precision=6)
    plain = value is None or isinstance(value, str | int | float | bool | list | dict)
    return value if plain else str(value)
