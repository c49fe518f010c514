"""History: what an edit keeps of a record, and how its life is told from that.

Inserted records keep no image: the batch in their `batch` column says who, when and why. An update
keeps the columns that it changed, before and after; a delete keeps the whole record; an erasure
keeps only which columns, and takes them out of every image kept before. From the record as it is
now, or its last image, every earlier state follows, but for what was erased.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

State = Mapping[str, Any]  # stored values by column; what is missing is left out


@dataclass(frozen=True)
class Entry:
    """What the history keeps of one edit of one record; None marks a column without a value."""

    batch: int
    action: str
    before: State | None
    after: State | None


def replay(entries: Sequence[Entry], current: State | None) -> list[Entry]:
    """Tell the life of a record in whole states, oldest first.

    Parameters
    ----------
    entries
        What the history keeps of the record, oldest first.
    current
        The record as it is, None when it is gone.

    Returns
    -------
    list of Entry
        Each edit with the whole record before and after; inserts by their batch.

    Examples
    --------
    >>> kept = [Entry(2, "update", {"name": "A"}, {"name": "B"})]
    >>> for edit in replay(kept, {"name": "B", "batch": 1}):
    ...     print(edit.batch, edit.action, edit.before, edit.after)
    1 insert None {'name': 'A', 'batch': 1}
    2 update {'name': 'A', 'batch': 1} {'name': 'B', 'batch': 1}
    """
    life: list[Entry] = []
    state = current
    for entry in reversed(entries):
        if entry.action == "delete":
            life.extend(_birth(state))
            life.append(Entry(entry.batch, "delete", entry.before, None))
            state = entry.before
        elif entry.action == "erase":
            life.append(Entry(entry.batch, "erase", state, state))
        else:
            earlier = patch(state or {}, entry.before or {})
            life.append(Entry(entry.batch, entry.action, earlier, state))
            state = earlier
    life.extend(_birth(state))
    return life[::-1]


def patch(state: State, changes: State) -> dict[str, Any]:
    """Put changes over a state; None takes a column out.

    >>> patch({"name": "A", "note": "x"}, {"name": "B", "note": None})
    {'name': 'B'}
    """
    return {name: value for name, value in {**state, **changes}.items() if value is not None}


def _birth(state: State | None) -> list[Entry]:
    """Tell of the insert of a record; of one that another program inserted nothing is known."""
    if state is None or state.get("batch") is None:
        return []
    return [Entry(int(state["batch"]), "insert", None, state)]
