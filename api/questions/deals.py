"""Deals: what became of pairs of demand and space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.deals import FOLLOWS, SIGNED, STATES
from geo.errors import InputError, NotFoundError
from geo.letting import Room, round_area
from geo.plain import plain
from layers.query import Query
from layers.store import Store

MAX_LIMIT = 1000
_SHOWN = (
    "id", "demand", "space", "incubator", "unit", "area_m2", "state", "reason", "note", "score",
    "basis", "proposed_on", "changed_on", "signed_on", "provenance",
)  # fmt: skip


@dataclass(frozen=True)
class DealPage:
    """Some deals, the latest change first.

    Parameters
    ----------
    deals
        The record of each, with the names of its demand and space, its steps, the states that may
        follow, and what of its space is vacant.
    total
        How many there are in all of those asked for.
    next
        Cursor of the next page; None at the end.
    counts
        Deals by state, whatever state was asked for.
    signed_area_m2
        Area of all that are signed.
    demo_counted
        Whether demo records are among them.
    """

    deals: tuple[Mapping[str, Any], ...]
    total: int
    next: str | None
    counts: Mapping[str, int]
    signed_area_m2: float
    demo_counted: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "deals": [dict(deal) for deal in self.deals],
            "total": self.total,
            "next": self.next,
            "counts": dict(self.counts),
            "signed_area_m2": self.signed_area_m2,
            "demo_counted": self.demo_counted,
        }


def ask_deals(
    store: Store,
    *,
    states: Sequence[str] = (),
    demand: str | None = None,
    space: str | None = None,
    unit: str | None = None,
    limit: int = 100,
    after: str | None = None,
    demo: bool = True,
) -> DealPage:
    """List deals, the latest change first.

    Parameters
    ----------
    store
        The store.
    states
        Only those in one of these states.
    demand, space, unit
        Only those of this demand, space or unit.
    limit, after
        How many, and the cursor of the page before.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When a state is not known, or the limit is out of range.
    """
    for state in states:
        if state not in STATES:
            raise InputError(f"state {state!r} is not known; give some of {', '.join(STATES)}")
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit: {limit} is out of range; give 1 to {MAX_LIMIT}")
    of = {"demand": demand, "space": space, "unit": unit}
    where: dict[str, Any] = {name: value for name, value in of.items() if value is not None}
    whole = store.read("deals", Query(where=where, demo=demo, columns=["state", "area_m2"]))
    if states:
        where = {**where, "state": list(states)}
    asked = Query(
        where=where, demo=demo, order_by="changed_on", descending=True, limit=limit, after=after
    )
    page = store.page("deals", asked)
    signed = whole[whole["state"] == SIGNED]
    return DealPage(
        tuple(_describe(store, page.frame)),
        int(page.total or 0),
        page.next,
        {state: int((whole["state"] == state).sum()) for state in STATES},
        round_area(float(signed["area_m2"].sum())),
        bool((page.frame["provenance"] == "demo").any()),
    )


def ask_deal(store: Store, deal: str) -> dict[str, Any]:
    """Return one deal with its whole history, steps taken back included.

    Raises
    ------
    NotFoundError
        When there is no such deal.
    """
    frame = store.read("deals", Query(ids=(deal,)))
    if frame.empty:
        raise NotFoundError(f"there is no deal {deal!r}")
    history = [
        {
            "at": change.at,
            "who": change.who,
            "what": change.note,
            "action": change.action,
            **{
                name: plain((change.after or {}).get(name))
                for name in ("state", "area_m2", "reason", "note")
            },
        }
        for change in store.history("deals", deal)
    ]
    return {**_describe(store, frame)[0], "history": history}


def deals_of_pairs(store: Store, *, demo: bool = True) -> dict[tuple[str, str], dict[str, Any]]:
    """Return id, state and reason of the deal of every pair of demand and space that has one."""
    columns = ["demand", "space", "state", "reason"]
    frame = store.read("deals", Query(columns=columns, demo=demo))
    return {(row.pop("demand"), row.pop("space")): row for row in _records(frame)}


def _describe(store: Store, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return deals as results print them, beside what demand and space say of themselves."""
    demands, spaces = (
        _by_id(store, layer, frame[name], columns)
        for layer, name, columns in (
            ("demands", "demand", ["title", "industry", "status"]),
            ("spaces", "space", ["name", "area_m2", "vacant_area_m2", "min_area_m2", "status"]),
        )
    )
    rows = []
    for said in _records(frame):
        demand, space = demands.get(said["demand"], {}), spaces.get(said["space"], {})
        room = Room.of(space) if space else None
        rows.append(
            {
                **{name: said[name] for name in _SHOWN},
                "demand_title": demand.get("title"),
                "demand_status": demand.get("status"),
                "industry": demand.get("industry"),
                "space_name": space.get("name"),
                "free_m2": None if room is None else room.free_m2,
                "least_m2": None if room is None else room.least_m2,
                "steps": (said["steps"] or {}).get("taken", []),
                "allowed": list(FOLLOWS[said["state"]]),
            }
        )
    return rows


def _by_id(
    store: Store, layer: str, ids: pd.Series, columns: Sequence[str]
) -> dict[str, dict[str, Any]]:
    wanted = tuple(dict.fromkeys(ids))
    rows = _records(store.read(layer, Query(ids=wanted, columns=columns)))
    return {row["id"]: row for row in rows}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): plain(value) for name, value in row.items()} for row in frame.to_dict("records")
    ]
