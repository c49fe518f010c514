"""Adopting a scenario: its net changes go into the real layers in one edit, or none do.

Where a record is no longer what the scenario was made over, or another scenario that changes it
was adopted meanwhile, someone must choose. Conflicts are told record by record and column by
column, and nothing is written until each is decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from geo.errors import ConflictError, Fault, InputError
from layers.scenario_edits import require_draft
from layers.scenarios import (
    Scenario,
    ScenarioChange,
    apply_changes,
    current_values,
    read_scenarios,
)
from layers.store import Edit, Store

Choice = Literal["scenario", "real"]
_WHOLE = "*"  # the column of a conflict about the record itself


@dataclass(frozen=True)
class Conflict:
    """One thing to decide before a scenario can be adopted.

    Parameters
    ----------
    layer, record, column
        What it is about; the column is `*` where it is the record itself.
    why
        `changed` (the real record is another than it was), `gone`, `exists`, or `adopted` (another
        scenario that was adopted changes it too).
    was, now, wanted
        The value that the scenario was made over, the real one now, and the scenario's.
    other
        The name of the other scenario.
    """

    layer: str
    record: str
    column: str
    why: str
    was: Any = None
    now: Any = None
    wanted: Any = None
    other: str = ""

    @property
    def key(self) -> str:
        """What a choice names it by."""
        return f"{self.layer}/{self.record}/{self.column}"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"key": self.key, **vars(self)}


class AdoptionConflictError(ConflictError):
    """A scenario cannot be adopted until conflicts are decided.

    Parameters
    ----------
    scenario
        The scenario.
    conflicts
        Those not decided.
    """

    def __init__(self, scenario: Scenario, conflicts: Sequence[Conflict]) -> None:
        self.conflicts = tuple(conflicts)
        faults = tuple(_fault(conflict) for conflict in conflicts)
        super().__init__(
            f"scenario {scenario.name}: {len(faults)} conflict(s) with the real layers must be "
            f"decided first: {faults[0]}",
            faults,
        )


_WORDS = {
    "changed": "was changed since",
    "gone": "is no longer there",
    "exists": "is there already",
    "adopted": "was changed by another scenario that is adopted",
}


def _fault(conflict: Conflict) -> Fault:
    other = f" ({conflict.other})" if conflict.other else ""
    return Fault(
        conflict.key, _WORDS[conflict.why] + other, conflict.now, "choose scenario or real"
    )


@dataclass(frozen=True)
class Adoption:
    """What an adoption wrote: how many changes by layer, and what was left to the real layers."""

    scenario: str
    written: Mapping[str, int]
    left: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "scenario": self.scenario, "written": dict(self.written), "left": list(self.left)
        }  # fmt: skip


def find_conflicts(store: Store, scenario: Scenario) -> list[Conflict]:
    """List what must be decided before a scenario can be adopted.

    Parameters
    ----------
    store
        The real store.
    scenario
        The scenario.
    """
    others = _adopted_columns(store, scenario)
    return [
        conflict for change in scenario.net for conflict in _conflicts_of(store, change, others)
    ]


def _adopted_columns(store: Store, scenario: Scenario) -> dict[tuple[str, str], dict[str, str]]:
    """Name by record and column the adopted scenarios that were made beside this one."""
    own = {(change.layer, change.record) for change in scenario.net}
    found: dict[tuple[str, str], dict[str, str]] = {}
    if not own:
        return found
    for other in read_scenarios(store):
        if other.state != "adopted" or other.id == scenario.id:
            continue
        for change in other.net:
            key = (change.layer, change.record)
            if key in own:
                named = found.setdefault(key, {})
                named |= dict.fromkeys((*change.after, _WHOLE), other.name)
    return found


def _conflicts_of(
    store: Store,
    change: ScenarioChange,
    others: Mapping[tuple[str, str], Mapping[str, str]],
) -> list[Conflict]:
    now = current_values(store, change)
    where = (change.layer, change.record)
    named = others.get(where, {})
    if change.action == "insert":
        there = now is not None
        return [Conflict(*where, _WHOLE, "exists", other=named.get(_WHOLE, ""))] if there else []
    if now is None:
        return [Conflict(*where, _WHOLE, "gone", other=named.get(_WHOLE, ""))]
    if change.action == "delete":
        differ = [name for name in change.before if now.get(name) != change.before[name]]
        return [
            Conflict(*where, name, "changed", change.before[name], now.get(name), None,
                     named.get(name, ""))
            for name in differ
        ]  # fmt: skip
    found = []
    for name, wanted in change.after.items():
        was, real = change.before.get(name), now.get(name)
        if real == wanted:
            continue
        if real != was or name in named:
            why = "changed" if real != was else "adopted"
            found.append(Conflict(*where, name, why, was, real, wanted, named.get(name, "")))
    if named and not found:
        # Two scenarios touch the record in different columns: someone should know.
        found.append(Conflict(*where, _WHOLE, "adopted", other=named[_WHOLE]))
    return found


def adopt_scenario(
    edit: Edit,
    store: Store,
    scenario: Scenario,
    *,
    choices: Mapping[str, Choice] | None = None,
    everywhere: Choice | None = None,
) -> Adoption:
    """Write a scenario into the real layers.

    Parameters
    ----------
    edit, store
        The edit, whose note names the scenario, and the store that it is of.
    scenario
        The scenario.
    choices
        For a conflict's key, whether the value of the scenario or the real one counts.
    everywhere
        The choice for every conflict not named.

    Raises
    ------
    AdoptionConflictError
        When a conflict is not decided.
    InputError
        When the scenario is no draft, or the layers do not allow a change.
    """
    require_draft(scenario)
    conflicts = find_conflicts(store, scenario)
    decided = {
        conflict.key: (choices or {}).get(conflict.key, everywhere) for conflict in conflicts
    }
    _check_choices(choices or {}, decided)
    open_ones = [conflict for conflict in conflicts if decided[conflict.key] is None]
    if open_ones:
        raise AdoptionConflictError(scenario, open_ones)
    left = [
        conflict
        for conflict in conflicts
        if decided[conflict.key] == "real" or conflict.why in ("gone", "exists")
    ]
    kept = _without(scenario.net, left)
    stale = apply_changes(edit, kept, store)
    if stale:
        faults = [Fault(f"{one.layer}/{one.record}", why) for one, why in stale]
        raise InputError(f"scenario {scenario.name}: {faults[0]}", faults)
    edit.update("scenarios", scenario.id, state="adopted")
    written: dict[str, int] = {}
    for change in kept:
        written[change.layer] = written.get(change.layer, 0) + 1
    return Adoption(scenario.id, written, tuple(conflict.key for conflict in left))


def _check_choices(choices: Mapping[str, str], known: Mapping[str, Any]) -> None:
    faults = [
        Fault(key, "is no conflict of this scenario", None, "leave it out")
        for key in choices
        if key not in known
    ]
    faults += [
        Fault(key, "is no choice", value, "give scenario or real")
        for key, value in choices.items()
        if value not in ("scenario", "real")
    ]
    if faults:
        raise InputError(str(faults[0]), faults)


def _without(changes: Sequence[ScenarioChange], left: Sequence[Conflict]) -> list[ScenarioChange]:
    """Take out of changes what is left to the real layers."""
    by_record: dict[tuple[str, str], set[str]] = {}
    for conflict in left:
        by_record.setdefault((conflict.layer, conflict.record), set()).add(conflict.column)
    kept = []
    for change in changes:
        columns = by_record.get((change.layer, change.record), set())
        if _WHOLE in columns or (columns and change.action == "delete"):
            continue
        after = {name: value for name, value in change.after.items() if name not in columns}
        if after or change.action == "delete":
            kept.append(replace(change, after=after))
    return kept
