"""Writing scenarios: made, named, shared, duplicated, archived; changes added, undone, done again.

Each takes an edit of the real store, so that all of it is in the history.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from geo.errors import Fault, InputError, NotFoundError
from layers.casting import list_series
from layers.scenarios import MOST_CHANGES, Scenario, ScenarioChange, State
from layers.store import Edit, Store


def make_scenario(
    edit: Edit, store: Store, name: str, *, note: str = "", who: str = "", day: str = ""
) -> Scenario:
    """Make a scenario without changes.

    Parameters
    ----------
    edit, store
        The edit, and the store that it is of.
    name, note
        What it is called and what for; no other may bear the name.
    who, day
        By whom and on which day.

    Raises
    ------
    InputError
        When the name is empty or taken.
    """
    clean = check_name(store, name)
    made = Scenario(
        id=f"s{secrets.token_hex(3)}", name=clean, note=note.strip(), who=who, made_on=day,
        base=store.token(),
    )  # fmt: skip
    row = {
        "id": made.id, "name": made.name, "note": made.note or None, "who": who or None,
        "made_on": day or None, "state": made.state, "base": made.base,
    }  # fmt: skip
    edit.insert("scenarios", pd.DataFrame([row]))
    return made


def check_name(store: Store, name: str, *, own: str = "") -> str:
    """Return a name without blanks around it, checked to be free.

    Parameters
    ----------
    store
        The store.
    name
        The name.
    own
        The id of the scenario that bears it already.

    Raises
    ------
    InputError
        When it is empty, too long or taken.
    """
    clean = " ".join(name.split())
    if not 0 < len(clean) <= 100:
        fault = Fault("name", "has no or too many letters", clean[:40], "give 1 to 100 letters")
        raise InputError(str(fault), (fault,))
    taken = store.read("scenarios")
    if clean in set(taken.loc[taken["id"] != own, "name"]):
        fault = Fault("name", "is the name of another scenario", clean, "give another name")
        raise InputError(str(fault), (fault,))
    return clean


def duplicate_scenario(
    edit: Edit, store: Store, scenario: Scenario, name: str, *, who: str = "", day: str = ""
) -> Scenario:
    """Make a scenario with the changes of another, those that count."""
    made = make_scenario(edit, store, name, note=scenario.note, who=who, day=day)
    renamed = [_own(change, scenario.id, made.id) for change in scenario.net]
    return add_changes(edit, made, renamed)


def _own(change: ScenarioChange, old: str, new: str) -> ScenarioChange:
    """Give records that one scenario adds an id of the other's."""
    old_part, new_part = f"-{old}-", f"-{new}-"
    record = change.record.replace(old_part, new_part)
    after = {
        name: value.replace(old_part, new_part) if isinstance(value, str) else value
        for name, value in change.after.items()
    }
    return replace(change, record=record, after=after)


def new_record_id(scenario: Scenario, layer: str) -> str:
    """Return an id for a record that a scenario adds: of no other scenario, nor of the store's.

    >>> new_record_id(Scenario("s1", "A"), "sites")
    'sites-s1-1'
    """
    stem = f"{layer}-{scenario.id}-"
    used = [
        int(change.record.removeprefix(stem))
        for change in scenario.changes
        if change.record.startswith(stem) and change.record.removeprefix(stem).isdecimal()
    ]
    return f"{stem}{max(used, default=0) + 1}"


def add_changes(edit: Edit, scenario: Scenario, changes: Sequence[ScenarioChange]) -> Scenario:
    """Add checked changes to a scenario; return it with them.

    Raises
    ------
    InputError
        When it is not a draft, or would have too many changes.
    """
    require_draft(scenario)
    if len(scenario.changes) + len(changes) > MOST_CHANGES:
        raise InputError(
            f"scenario {scenario.name}: may have at most {MOST_CHANGES} changes; import many "
            "records into the real layers instead"
        )
    if not changes:
        return scenario
    frame = pd.DataFrame(
        {
            "scenario": [scenario.id] * len(changes),
            "layer": [change.layer for change in changes],
            "record": [change.record for change in changes],
            "action": [change.action for change in changes],
            "before": list_series([dict(change.before) or None for change in changes]),
            "after": list_series([dict(change.after) or None for change in changes]),
            "undone": [False] * len(changes),
        }
    )
    ids = edit.insert("scenario_changes", frame)
    kept = (replace(change, id=key) for change, key in zip(changes, ids, strict=True))
    return replace(scenario, changes=(*scenario.changes, *kept))


def set_undone(edit: Edit, scenario: Scenario, change: str, *, undone: bool) -> None:
    """Undo one change of a scenario, or do it again.

    Raises
    ------
    InputError
        When the scenario is not a draft.
    NotFoundError
        When it has no such change.
    """
    require_draft(scenario)
    if change not in {one.id for one in scenario.changes}:
        raise NotFoundError(f"scenario {scenario.name} has no change {change[:60]!r}")
    edit.update("scenario_changes", change, undone=undone)


def set_facts(edit: Edit, scenario: Scenario, **facts: Any) -> None:
    """Set name, note or state of a scenario."""
    edit.update("scenarios", scenario.id, **facts)


def set_state(edit: Edit, scenario: Scenario, state: State) -> None:
    """Set the state of a scenario; what is adopted stays so.

    Raises
    ------
    InputError
        When it is adopted already.
    """
    if scenario.state == "adopted":
        raise InputError(f"scenario {scenario.name}: is adopted; duplicate it to go on from there")
    edit.update("scenarios", scenario.id, state=state)


def require_draft(scenario: Scenario) -> None:
    """Refuse changes to what is archived or adopted.

    Raises
    ------
    InputError
        When the scenario is not a draft.
    """
    if scenario.state != "draft":
        raise InputError(
            f"scenario {scenario.name}: is {scenario.state} and takes no more changes; "
            "duplicate it, or take it out of the archive"
        )


def delete_scenario(edit: Edit, scenario: Scenario) -> None:
    """Remove a scenario and its changes; what it brought to the real layers by adoption stays."""
    if scenario.changes:
        edit.delete("scenario_changes", [change.id for change in scenario.changes])
    edit.delete("scenarios", scenario.id)


def share_scenario(edit: Edit, scenario: Scenario) -> str:
    """Make a new link to a scenario and return its secret; an older link ends."""
    secret = secrets.token_urlsafe(24)
    edit.update("scenarios", scenario.id, share_hash=hash_secret(secret))
    return secret


def end_sharing(edit: Edit, scenario: Scenario) -> None:
    """End the link to a scenario."""
    edit.update("scenarios", scenario.id, share_hash=None)


def hash_secret(secret: str) -> str:
    """Return what is kept of a secret: it cannot be read back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def opens(scenario: Scenario, secret: str) -> bool:
    """Tell whether a secret is that of the scenario's link."""
    return bool(scenario.share_hash) and secrets.compare_digest(
        hash_secret(secret), scenario.share_hash
    )


def with_change(scenario: Scenario, changes: Iterable[ScenarioChange]) -> Scenario:
    """Return a scenario as it would be with more changes, for a question of what if."""
    return replace(scenario, changes=(*scenario.changes, *changes))
