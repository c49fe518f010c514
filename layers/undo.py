"""Undo: one batch of the history taken back, as an edit of its own that can be undone as well.

What a batch did to a record is taken back as a whole: inserted records are deleted, changed columns
put back, deleted records inserted again. It is refused, with the records named, where something has
changed since: taking back an older change must never lose a newer one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from geo.errors import ConflictError, Fault, NotFoundError
from layers.catalog import layer as find_layer
from layers.query import Query
from layers.rows import frame_records
from layers.store import Batch, Edit, Store, Trace

Record = Mapping[str, Any]

FACTS = ("rules", "meta")  # batches that changed no layer
_NAMED = 20  # conflicts whose last editor is looked up


@dataclass(frozen=True)
class Undo:
    """What taking back a batch does, or has done.

    Attributes
    ----------
    batch
        The batch that is taken back.
    deletes
        Ids of the records that it inserted.
    reverts
        Ids of the records that it changed, with the columns and values put back.
    restores
        Ids of the records that it deleted, with their values.
    conflicts
        What has changed since, and keeps the batch from being taken back.
    done
        Number of the batch that took it back; None when it was only asked about.
    """

    batch: Batch
    deletes: tuple[str, ...] = ()
    reverts: Mapping[str, Record] | None = None
    restores: Mapping[str, Record] | None = None
    conflicts: tuple[Fault, ...] = ()
    done: int | None = None

    @property
    def records(self) -> int:
        """How many records it touches."""
        return len(self.deletes) + len(self.reverts or ()) + len(self.restores or ())

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "batch": vars(self.batch),
            "deletes": list(self.deletes),
            "reverts": list(self.reverts or ()),
            "restores": list(self.restores or ()),
            "conflicts": [vars(fault) for fault in self.conflicts],
            "done": self.done,
        }


def find_batch(store: Store, number: int) -> Batch:
    """Return the batch of a number.

    Raises
    ------
    NotFoundError
        When the history has none.
    """
    for batch in store.batches():
        if batch.number == number:
            return batch
    raise NotFoundError(f"there is no batch {number}; `hatchmap history` lists those there are")


def plan_undo(store: Store, number: int) -> Undo:
    """Tell what taking back a batch would do, and what stands against it.

    Raises
    ------
    NotFoundError
        When the history has no such batch.
    """
    batch = find_batch(store, number)
    if batch.layer in FACTS:
        return _plan_fact(store, batch)
    traces: dict[str, list[Trace]] = defaultdict(list)
    for trace in store.traces(number):
        traces[trace.id].append(trace)
    born = store.read(batch.layer, Query(where={"batch": number}, columns=["id"]))["id"].tolist()
    touched = store.records(batch.layer, Query(ids=tuple(traces)))
    deletes: list[str] = list(born)
    reverts: dict[str, Record] = {}
    restores: dict[str, Record] = {}
    wrong: list[tuple[str, str]] = [*_later(store, batch, set(born))]
    for key, steps in traces.items():
        before, after = _net(steps, batch.number)
        if before is None or not (before or after):
            continue  # it came into being in this very batch
        if any(step.action == "erase" for step in steps):
            wrong.append((key, "was erased, which cannot be taken back"))
        if any(step.action == "delete" for step in steps):
            restores[key] = before
            if key in touched and key not in born:
                wrong.append((key, "is there again"))
        elif key in born:
            continue
        elif key not in touched:
            wrong.append((key, "was deleted since"))
        else:
            reverts[key] = before
            columns = [name for name, value in after.items() if touched[key][name] != value]
            wrong += [(f"{key}, {name}", "was changed since") for name in columns]
    faults = (*_of_deal(store, batch),)
    faults += tuple(_explain(store, batch.layer, *one) for one in wrong[:_NAMED])
    faults += tuple(Fault(where, what) for where, what in wrong[_NAMED:])
    return Undo(batch, tuple(deletes), reverts, restores, faults)


def _of_deal(store: Store, batch: Batch) -> Iterator[Fault]:
    """Find out whether a step of a deal moved area in several layers at once.

    Taken back in one of them alone, what is signed and what is vacant would no longer agree.
    """
    edit = {one.layer for one in store.batches() if (one.at, one.who) == (batch.at, batch.who)}
    if "deals" in edit:
        yield Fault(batch.layer, "was moved by a step of a deal", fix="undo the step at /deals")


def undo_batch(store: Store, number: int, *, who: str, note: str = "") -> Undo:
    """Take back one batch.

    Parameters
    ----------
    store
        Open for writing.
    number
        Of the batch, as `Store.batches` counts them.
    who, note
        For the history; the note says by itself which batch was taken back.

    Returns
    -------
    Undo
        What was done, with the number of the new batch.

    Raises
    ------
    NotFoundError
        When the history has no such batch.
    ConflictError
        When a later edit touched the same; nothing is written.
    """
    batch = find_batch(store, number)
    with store.edit(who, note or f"undo of batch {number}: {batch.note}".rstrip(": ")) as edit:
        plan = plan_undo(store, number)  # under the lock: nobody changes anything from here on
        if plan.conflicts:
            raise _refuse(plan)
        _apply(edit, plan)
    made = [b.number for b in store.batches() if b.layer == batch.layer] if plan.records else []
    return replace(plan, done=made[-1] if made else None)


def _net(steps: Sequence[Trace], number: int) -> tuple[Record | None, Record]:
    """Put the steps of one batch on one record together: values before it, and after it.

    Before is None for a record that the batch made and did away with again.

    >>> steps = [Trace("a", "update", {"n": 1}, {"n": 2}), Trace("a", "update", {"n": 2}, {"n": 3})]
    >>> _net(steps, 7)
    ({'n': 1}, {'n': 3})
    """
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for step in reversed(steps):
        if step.action == "delete":
            if (step.before or {}).get("batch") == number:
                return None, {}
            before = dict(step.before or {})
        else:
            before |= step.before or {}
            after = {**(step.after or {}), **after}
    return before, after


def _later(store: Store, batch: Batch, born: set[str]) -> list[tuple[str, str]]:
    """Find what later batches did to the records that this one inserted."""
    found: dict[str, str] = {}
    for later in store.batches():
        if later.layer != batch.layer or later.number <= batch.number:
            continue
        for trace in store.traces(later.number):
            made_here = (trace.before or {}).get("batch") == batch.number
            if trace.action == "delete" and made_here:
                found[trace.id] = "was deleted since"
            elif trace.id in born:
                found.setdefault(trace.id, "was changed since")
    return list(found.items())


def _plan_fact(store: Store, batch: Batch) -> Undo:
    """Tell what taking back rules or facts about the store would do."""
    reverts: dict[str, Record] = {}
    wrong: list[Fault] = []
    for trace in store.traces(batch.number):
        if trace.before is None or trace.after is None:
            fix = "put other rules in their place"
            wrong.append(
                Fault(trace.id, "was put there first; there is nothing before it", fix=fix)
            )
            continue
        reverts[trace.id] = trace.before
        if _fact(store, batch.layer, trace.id) != _content(trace.after):
            wrong.append(_explain(store, batch.layer, trace.id, "was changed since"))
    return Undo(batch, reverts=reverts, restores={}, conflicts=tuple(wrong))


def _fact(store: Store, kind: str, name: str) -> Record:
    if kind == "meta":
        return {"value": store.meta(name)}
    rules = store.rules(name)
    return {"body": rules.body, "source": rules.source}


def _content(state: Record) -> Record:
    return {name: value for name, value in state.items() if name != "version"}


def _explain(store: Store, layer: str, where: str, what: str) -> Fault:
    """Say who changed a record last."""
    life = store.history(layer, where.partition(",")[0])
    last = f"{life[-1].who}, {life[-1].at}, {life[-1].note}" if life else None
    return Fault(where, what, last, "undo the later edit first, or change the record by hand")


def _refuse(plan: Undo) -> ConflictError:
    faults = plan.conflicts
    names = "; ".join(f"{fault.where} {fault.what}" for fault in faults[:5])
    more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
    return ConflictError(f"batch {plan.batch.number} cannot be undone: {names}{more}", faults)


def _apply(edit: Edit, plan: Undo) -> None:
    layer, reverts = plan.batch.layer, plan.reverts or {}
    if layer == "meta":
        for key, state in reverts.items():
            edit.set_meta(key, state["value"])
        return
    if layer == "rules":
        for name, state in reverts.items():
            edit.set_rules(name, state["body"], state["source"])
        return
    if plan.deletes:
        edit.delete(layer, plan.deletes)
        personal = find_layer(layer).personal_columns
        if personal:
            edit.erase(layer, plan.deletes, personal)
    alike: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for key, state in reverts.items():
        alike[tuple(sorted(state))].append({**state, "id": key})
    for group in alike.values():
        edit.upsert(layer, frame_records(group))
    if plan.restores:
        edit.insert(
            layer, frame_records([*plan.restores.values()]).drop(columns="batch", errors="ignore")
        )
