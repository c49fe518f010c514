"""What a change does: towns won and lost, goals, and targets before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]

COVERED = ("operating_large", "operating")  # the states that cover a town
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class TownChange:
    """A town whose state changes: what it was and what it becomes."""

    code: str
    name: str
    unit: str | None
    before: str | None
    after: str | None

    @property
    def won(self) -> bool:
        """Whether it becomes covered."""
        return self.after in COVERED and self.before not in COVERED

    @property
    def lost(self) -> bool:
        """Whether it is covered no more."""
        return self.before in COVERED and self.after not in COVERED

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "won": self.won, "lost": self.lost}


@dataclass(frozen=True)
class FigureChange:
    """A figure before and after, and the words for it."""

    key: tuple[Any, ...]
    label: Row
    before: float | None
    after: float | None

    @property
    def difference(self) -> float | None:
        """By how much it grows; None where one of the two is not known."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **self.label,
            "before": self.before,
            "after": self.after,
            "difference": self.difference,
        }


@dataclass(frozen=True)
class Effect:
    """What a change does.

    Parameters
    ----------
    towns
        Towns whose state changes.
    covered
        How many towns are covered, and of how many.
    targets
        Targets whose value or share changes: `value` rows, one a unit, year and indicator.
    zone
        The place's walking zones: `minutes`, `area_m2`, `amenities` by category, `population`;
        with `network` and `missing`, the categories that 15 minutes do not reach. None without a
        place.
    demo_counted
        Whether demo records count in it.
    """

    towns: tuple[TownChange, ...]
    covered: FigureChange
    total_towns: int
    targets: tuple[FigureChange, ...]
    zone: Row | None = None
    demo_counted: bool = False
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "towns": [town.to_json() for town in self.towns],
            "won": [town.to_json() for town in self.towns if town.won],
            "lost": [town.to_json() for town in self.towns if town.lost],
            "covered": {**self.covered.to_json(), "total": self.total_towns},
            "targets": [row.to_json() for row in self.targets],
            "zone": None if self.zone is None else dict(self.zone),
            "demo_counted": self.demo_counted,
            "notes": list(self.notes),
        }


def change_towns(before: Sequence[Row], after: Sequence[Row]) -> tuple[TownChange, ...]:
    """List the towns whose state differs between two answers.

    Parameters
    ----------
    before, after
        Rows of 一镇一器: `code`, `name`, `unit`, `state`.

    >>> one = {"code": "1", "name": "A", "unit": "U", "state": "none"}
    >>> [town.won for town in change_towns([one], [{**one, "state": "operating"}])]
    [True]
    >>> change_towns([one], [one])
    ()
    """
    old = {row["code"]: row for row in before}
    new = {row["code"]: row for row in after}
    changed = []
    for code in dict.fromkeys((*old, *new)):
        was, becomes = old.get(code), new.get(code)
        known = becomes or was or {}
        states = [None if row is None else str(row["state"]) for row in (was, becomes)]
        if states[0] != states[1]:
            changed.append(TownChange(code, known["name"], known.get("unit"), *states))
    return tuple(changed)


def change_figures(
    before: Mapping[tuple[Any, ...], float | None],
    after: Mapping[tuple[Any, ...], float | None],
    labels: Mapping[tuple[Any, ...], Row],
) -> tuple[FigureChange, ...]:
    """List the figures that differ.

    Parameters
    ----------
    before, after
        Figures by key.
    labels
        What each is called.

    >>> change_figures({("a",): 1.0, ("b",): 2.0}, {("a",): 1.0, ("b",): 3.0}, {})[0].difference
    1.0
    """
    changed = []
    for key in dict.fromkeys((*before, *after)):
        one, other = before.get(key), after.get(key)
        if differs(one, other):
            changed.append(FigureChange(key, labels.get(key, {}), one, other))
    return tuple(changed)


def add_to_shares(
    shares: Mapping[tuple[Any, ...], float | None],
    targets: Mapping[tuple[Any, ...], float | None],
    added: Mapping[tuple[Any, ...], float],
) -> dict[tuple[Any, ...], float | None]:
    """Add to shares of targets what a change brings beyond reports that stand as they are.

    Parameters
    ----------
    shares, targets
        Share reached and target, by key; the key begins with unit, year and indicator.
    added
        What the change brings, by unit, year and indicator.

    >>> add_to_shares({("U", 2026, "area", "x"): 0.5}, {("U", 2026, "area", "x"): 40.0},
    ...               {("U", 2026, "area"): 2.0})
    {('U', 2026, 'area', 'x'): 0.55}
    """
    found = dict(shares)
    for key, share in shares.items():
        more, target = added.get(key[:3], 0.0), targets.get(key)
        if more and target and share is not None:
            found[key] = share + more / target
    return found


def differs(one: float | None, other: float | None) -> bool:
    """Tell whether two figures are not the same, beyond what computing may be off.

    >>> differs(0.1 + 0.2, 0.3), differs(None, 0.0), differs(None, None)
    (False, True, False)
    """
    if one is None or other is None:
        return one is not other
    return abs(one - other) > _TOLERANCE * max(1.0, abs(one), abs(other))
