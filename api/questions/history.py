"""The history of edits: which batches there are, and what one of them did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from geo.errors import InputError
from layers.catalog import layer as find_layer
from layers.query import Query
from layers.store import Batch, Store
from layers.undo import FACTS, Undo, plan_undo

MAX_BATCHES = 1000
_SHOWN = 500  # cells, and inserted records, of one batch


@dataclass(frozen=True)
class HistoryReport:
    """Edits by layer, the latest first.

    Attributes
    ----------
    batches
        Those asked for.
    total
        How many meet the filter.
    next
        The number before which the following ones lie; None at the end.
    layers, people
        Layers and people of all batches, to choose from.
    """

    batches: tuple[Batch, ...]
    total: int
    next: int | None
    layers: tuple[str, ...]
    people: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; instants by the clock of the place."""
        return {
            "batches": [batch_json(batch) for batch in self.batches],
            "total": self.total,
            "layers": list(self.layers),
            "people": list(self.people),
        } | ({"next": self.next} if self.next is not None else {})


@dataclass(frozen=True)
class Cell:
    """One value that a batch changed; `column` is empty for a record that came or went."""

    id: str
    action: str
    column: str
    before: Any
    after: Any


@dataclass(frozen=True)
class BatchReport:
    """What one batch did, and what taking it back would do."""

    batch: Batch
    cells: tuple[Cell, ...]
    undo: Undo

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "batch": batch_json(self.batch),
            "cells": [vars(cell) | {"before": _plain(cell.before), "after": _plain(cell.after)}
                      for cell in self.cells],
            "undo": self.undo.to_json(),
        }  # fmt: skip


def batch_json(batch: Batch) -> dict[str, Any]:
    """Return a batch as plain values, its instant by the clock of the place."""
    at = datetime.fromisoformat(batch.at).astimezone().isoformat(timespec="seconds")
    return vars(batch) | {"at": at}


def ask_history(
    store: Store,
    *,
    layer: str | None = None,
    who: str | None = None,
    text: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> HistoryReport:
    """List edits, the latest first.

    Parameters
    ----------
    store
        The store.
    layer, who
        Only of this layer, by this person.
    text
        Only with this in their note.
    before
        Only those before this number, to go on.
    limit
        At most so many.

    Raises
    ------
    InputError
        When the limit is not 1 to 1000.
    """
    if not 1 <= limit <= MAX_BATCHES:
        raise InputError(f"limit: {limit} is not 1 to {MAX_BATCHES}")
    batches = store.batches()[::-1]
    meant = [
        batch
        for batch in batches
        if (not layer or batch.layer == layer)
        and (not who or batch.who == who)
        and (not text or text.casefold() in batch.note.casefold())
    ]
    rest = [batch for batch in meant if before is None or batch.number < before]
    return HistoryReport(
        tuple(rest[:limit]),
        len(meant),
        rest[limit - 1].number if len(rest) > limit else None,
        tuple(sorted({batch.layer for batch in batches})),
        tuple(sorted({batch.who for batch in batches})),
    )


def ask_batch(store: Store, number: int) -> BatchReport:
    """Tell what a batch did, the first of its cells one by one, and what undoing it would do.

    Raises
    ------
    NotFoundError
        When there is no such batch.
    """
    plan = plan_undo(store, number)
    return BatchReport(plan.batch, tuple(islice(_cells(store, plan), _SHOWN)), plan)


def _cells(store: Store, plan: Undo) -> Iterator[Cell]:
    """Go through what a batch did: records that came, that went, and values that changed."""
    hidden: tuple[str, ...] = ()
    if plan.batch.layer not in FACTS:
        hidden = find_layer(plan.batch.layer).personal_columns
    for trace in store.traces(plan.batch.number):
        before, after = trace.before or {}, trace.after or {}
        if trace.action == "delete":
            yield Cell(trace.id, "delete", "", before.get("name") or before.get("title"), None)
        for column, value in after.items():
            if column in hidden:
                yield Cell(trace.id, trace.action, column, None, None)
            else:
                yield Cell(trace.id, trace.action, column, before.get(column), value)
    if plan.batch.layer in FACTS or not plan.deletes:
        return
    names = [c.name for c in find_layer(plan.batch.layer).columns if c.name in ("name", "title")]
    query = Query(ids=plan.deletes[:_SHOWN], columns=["id", *names[:1]])
    for record in store.read(plan.batch.layer, query).itertuples(index=False):
        named = record[1] if names and isinstance(record[1], str) else None
        yield Cell(record[0], "insert", "", None, named)


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it, a place as WKT."""
    return value.wkt if hasattr(value, "wkt") else value
