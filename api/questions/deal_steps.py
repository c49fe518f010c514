"""The steps that the staff take with a deal, each inside one edit of the store.

An edit locks other writers out, and what is vacant is read inside it: two signings at once never
let more than there is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from api.questions.common import today
from api.questions.match import rate_pairs
from geo.deals import (
    OPEN,
    SIGNED,
    RefusedError,
    Step,
    Steps,
    let_area,
    read_steps,
    take_back,
    take_step,
    write_steps,
)
from geo.errors import Fault, InputError, NotFoundError
from geo.letting import Room, give_back, let, round_area, shift_areas
from layers.query import Query
from layers.store import Edit, Store

MAX_PAIRS = 500
_LOOKING = ("open", "matched")  # statuses of demands that still look for space
_LONGEST = 2000


@dataclass(frozen=True)
class Told:
    """What the staff say of a step.

    Parameters
    ----------
    who
        Who takes it.
    area_m2
        The area that it is about; for a signing the area signed.
    reason, note
        Why a deal is lost, and what else there is to say.
    """

    who: str
    area_m2: float | None = None
    reason: str | None = None
    note: str | None = None

    def step(self, state: str) -> Step:
        """Return the step to a state, taken now."""
        note = (self.note or "").strip()
        if len(note) > _LONGEST:
            fault = Fault("note", "is too long", len(note), f"give up to {_LONGEST} characters")
            raise RefusedError("long", fault, most=_LONGEST)
        return Step(
            state,
            dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            self.who,
            None if self.area_m2 is None else round_area(self.area_m2),
            self.reason or None,
            note or None,
        )


def rate_deals(
    store: Store, pairs: Sequence[tuple[str, str]], *, weights: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rate pairs that are to become deals; see `open_deals`.

    Raises
    ------
    InputError
        When there are none, too many, or one twice.
    NotFoundError
        When a demand or space does not exist.
    """
    if not 1 <= len(pairs) <= MAX_PAIRS:
        raise InputError(f"pairs: {len(pairs)} are given; give 1 to {MAX_PAIRS}")
    if len(set(pairs)) < len(pairs):
        raise InputError("pairs: one is given twice; give each once")
    return rate_pairs(store, pairs, weights=weights)


def open_deals(
    edit: Edit, rated: Iterable[Mapping[str, Any]], told: Told, *, state: str = "proposed"
) -> list[str]:
    """Propose pairs, or decline them; return the ids of their deals.

    Parameters
    ----------
    edit
        The edit that writes them, all or none.
    rated
        The pairs, as `rate_deals` gives them.
    told
        What the staff say; an area only for a single pair.
    state
        `proposed`, or `lost` to decline.

    Raises
    ------
    RefusedError
        When a pair has a deal under way, cannot be matched, or its demand no longer looks.
    """
    return [_open_deal(edit, one, told, state) for one in rated]


def _open_deal(edit: Edit, rated: Mapping[str, Any], told: Told, state: str) -> str:
    demand, space = rated["demand"], rated["space"]
    if state == "proposed":
        _check_pair(rated)
        _check_demand(edit, demand)
    held = edit.read("deals", Query(where={"demand": demand, "space": space}))
    if len(held):
        # A pair has one deal; one that was lost is taken up again.
        return step_deal(edit, str(held["id"].iloc[0]), state, told)
    area_m2 = rated["area_m2"] if told.area_m2 is None else told.area_m2
    step = replace(told.step(state), area_m2=round_area(area_m2))
    row = {
        "demand": demand,
        "space": space,
        "incubator": rated["incubator"],
        "unit": rated["unit"],
        "score": rated["score"],
        "basis": {name: rated[name] for name in ("weights", "parts", "rule")},
        "proposed_on": today(),
        "provenance": "demo" if rated["demo"] else "entered",
        **_columns(take_step((), step)),
    }
    return edit.insert("deals", pd.DataFrame([row]))[0]


def _check_pair(rated: Mapping[str, Any]) -> None:
    pair = f"{rated['demand']} → {rated['space']}"
    if rated["eligible"] == "fail":
        fault = Fault("pairs", "the demand does not meet the rules of entry", pair, "leave it out")
        raise RefusedError("rules", fault, pair=pair)
    if rated["fails"]:
        said = ", ".join(rated["fails"])
        fault = Fault("pairs", f"the space does not suit ({said})", pair, "leave it out")
        raise RefusedError("fails", fault, pair=pair, fails=list(rated["fails"]))


def _check_demand(edit: Edit, demand: str) -> dict[str, Any]:
    record = edit.get("demands", demand)
    if record["status"] not in _LOOKING:
        fault = Fault(
            "demand", f"is {record['status']}", demand, "only one that still looks can go on"
        )
        raise RefusedError("demand", fault, status=record["status"], demand=demand)
    return record


def step_deal(edit: Edit, deal: str, state: str, told: Told) -> str:
    """Take a deal one step on; return its id.

    Signing lets the area: of the space, of its incubator where known, and the demand is signed.
    A signed deal that is lost gives all of it back.

    Raises
    ------
    RefusedError
        When the step may not follow, or the area is not there to be let.
    NotFoundError
        When there is no such deal.
    """
    record = edit.get("deals", deal)
    steps = read_steps(record["steps"])
    step = told.step(state)
    if step.area_m2 is None:
        step = replace(step, area_m2=record["area_m2"])
    if state in (*OPEN, SIGNED):
        _check_demand(edit, record["demand"])
    _rewrite(edit, record, steps, take_step(steps, step))
    return deal


def note_deal(edit: Edit, deal: str, told: Told) -> str:
    """Write a note on a deal, whatever its state; return its id."""
    edit.get("deals", deal)
    edit.update("deals", deal, note=told.step("").note, changed_on=today())
    return deal


def undo_deal(edit: Edit, deal: str) -> str | None:
    """Take back the last step of a deal; return its id, None where nothing is left of it.

    What the step let is given back; what it gave back is let again.

    Raises
    ------
    RefusedError
        When an area to be let again is no longer vacant, or its demand looks no longer.
    """
    record = edit.get("deals", deal)
    before = read_steps(record["steps"])
    after = take_back(before)
    if let_area(after):
        _check_demand(edit, record["demand"])
    if not after:
        edit.delete("deals", deal)
        return None
    _rewrite(edit, record, before, after)
    return deal


def _rewrite(edit: Edit, record: Mapping[str, Any], before: Steps, after: Steps) -> None:
    """Write a deal, and move the area that it holds."""
    change_m2 = round_area(let_area(after) - let_area(before))
    if change_m2 > 0.0:
        _refuse_demo(edit, record)
        _move_area(edit, record, change_m2)
        edit.update("demands", record["demand"], status="signed")
    elif change_m2 < 0.0:
        _move_area(edit, record, change_m2)
        _reopen(edit, record["demand"])
    edit.update("deals", record["id"], **_columns(after))


def _refuse_demo(edit: Edit, record: Mapping[str, Any]) -> None:
    """Keep figures of real space free of demo demands."""
    sides = [edit.get(f"{side}s", record[side]) for side in ("demand", "space")]
    demand, space = (side["provenance"] == "demo" for side in sides)
    if demand and not space:
        fault = Fault("demand", "is demo data", record["demand"], "let real space to real demands")
        raise RefusedError("demo", fault)


def _move_area(edit: Edit, record: Mapping[str, Any], change_m2: float) -> None:
    """Let an area of a space and its incubator; below 0 give it back, where they still exist."""
    found = edit.read("spaces", Query(ids=(record["space"],), columns=[]))
    if len(found):
        room = Room.of(edit.get("spaces", record["space"]))
        moved = let(room, change_m2) if change_m2 > 0.0 else give_back(room, -change_m2)
        edit.update("spaces", record["space"], **moved.to_columns())
    elif change_m2 > 0.0:
        raise NotFoundError(f"there is no space {record['space']!r} any more")
    incubator = record["incubator"]
    if incubator and len(edit.read("incubators", Query(ids=(incubator,), columns=[]))):
        areas = shift_areas(edit.get("incubators", incubator), change_m2)
        if areas:
            edit.update("incubators", incubator, **areas)


def _reopen(edit: Edit, demand: str) -> None:
    """Let a demand look again, unless it is gone or was withdrawn."""
    frame = edit.read("demands", Query(ids=(demand,), columns=["status"]))
    if len(frame) and frame["status"].iloc[0] == "signed":
        edit.update("demands", demand, status="open")


def _columns(steps: Steps) -> dict[str, Any]:
    """Return what steps make of the columns of a deal."""
    last = steps[-1]
    return {
        "state": last.state,
        "area_m2": last.area_m2,
        "reason": last.reason,
        "steps": write_steps(steps),
        "changed_on": today(),
        "signed_on": _day(last.taken_at) if last.state == SIGNED else None,
    }


def _day(instant: str) -> dt.date:
    """Return the day of an instant by the clock of the place."""
    return dt.datetime.fromisoformat(instant).astimezone().date()
