"""What in the data is wrong or doubtful."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from geo.errors import NotFoundError
from layers.check import CheckReport, Finding, check_store
from layers.store import Change, Store

_SUMS = ("sum:", "total:", "ratio:", "repeated:")  # checks of the plan's tables
_MOST_NAMED = 3


def ask_check(store: Store) -> CheckReport:
    """Check everything in the store.

    Where the plan's tables do not add up, the records of the sum that were edited since they came
    in are named with their value before and after: the likeliest cause.

    Parameters
    ----------
    store
        The store.
    """
    report = check_store(store)
    return replace(report, findings=[_name_edits(store, one) for one in report.findings])


def _name_edits(store: Store, finding: Finding) -> Finding:
    if not finding.name.startswith(_SUMS):
        return finding
    edits = [edit for key in finding.ids for edit in _find_edits(store, finding.layer, key)]
    if not edits:
        return finding
    said = "; ".join(edits[:_MOST_NAMED])
    return replace(
        finding,
        detail_zh=f"{finding.detail_zh}; 曾被修改: {said}",
        detail_en=f"{finding.detail_en}; edited: {said}",
    )


def _find_edits(store: Store, layer: str, key: str) -> Iterator[str]:
    """Tell the last edit of a record's value."""
    try:
        changes = store.history(layer, key)
    except NotFoundError:
        return
    for change in reversed(changes):
        before, after = _value(change, "before"), _value(change, "after")
        if change.action == "update" and before != after:
            yield f"{key} ({(change.after or {}).get('unit')}): {before} → {after} ({change.who})"
            return


def _value(change: Change, side: str) -> object:
    return (getattr(change, side) or {}).get("value")
