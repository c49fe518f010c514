"""Several states of a city side by side: every figure of each, and by how much they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geo.effects import COVERED, differs

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """One figure of one state.

    Parameters
    ----------
    group
        The question that it answers: `coverage`, `goals`, `targets`, `structure`, `amenities`.
    key
        What it is within the group.
    zh, en
        Its name.
    value
        The figure; None where it is not known.
    unit
        What it is counted in; `share` for shares of one.
    """

    group: str
    key: str
    zh: str
    en: str
    value: float | None
    unit: str = ""


@dataclass(frozen=True)
class State:
    """One state of the city: its name, figures, towns and incubators.

    Parameters
    ----------
    id, name
        Of the scenario; empty id for the layers as they are.
    figures
        Its figures.
    towns
        Industrial towns: `code`, `name`, `unit`, `state`, `lon`, `lat`.
    incubators
        `id`, `name`, `status`, `level`, `area_m2`, `lon`, `lat`.
    demo_counted
        Whether demo records count.
    """

    id: str
    name: str
    figures: tuple[Figure, ...]
    towns: tuple[Row, ...]
    incubators: tuple[Row, ...]
    demo_counted: bool

    def to_json(self) -> dict[str, Any]:
        """Return what maps show of it, as plain values; the figures stand in the table."""
        return {
            "id": self.id,
            "name": self.name,
            "towns": [dict(row) for row in self.towns],
            "incubators": [dict(row) for row in self.incubators],
        }


@dataclass(frozen=True)
class FigureRow:
    """A figure of all states: values in their order, and differences to the first."""

    group: str
    key: str
    zh: str
    en: str
    unit: str
    values: tuple[float | None, ...]

    @property
    def differences(self) -> tuple[float | None, ...]:
        """By how much each later state differs from the first."""
        first = self.values[0]
        return tuple(
            None if value is None or first is None else value - first for value in self.values[1:]
        )

    @property
    def differs(self) -> bool:
        """Whether the states are not all the same."""
        return any(differs(self.values[0], value) for value in self.values[1:])

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **vars(self),
            "values": list(self.values),
            "differences": list(self.differences),
            "differs": self.differs,
        }


@dataclass(frozen=True)
class Comparison:
    """Two or three states side by side; all figures are of one day."""

    states: tuple[State, ...]
    as_of: str

    @property
    def rows(self) -> tuple[FigureRow, ...]:
        """Every figure that any state has, in the order of the first that has it."""
        held = [{(one.group, one.key): one for one in state.figures} for state in self.states]
        keys = dict.fromkeys(key for figures in held for key in figures)
        rows = []
        for key in keys:
            known = next(figures[key] for figures in held if key in figures)
            values = tuple(figures[key].value if key in figures else None for figures in held)
            rows.append(FigureRow(*key, known.zh, known.en, known.unit, values))
        return tuple(rows)

    @property
    def towns(self) -> tuple[dict[str, Any], ...]:
        """The towns whose state is not the same everywhere."""
        return tuple(
            {
                "code": code,
                "name": known["name"],
                "unit": known.get("unit"),
                "lon": known.get("lon"),
                "lat": known.get("lat"),
                "states": [None if row is None else row["state"] for row in found],
                "change": _town_change(found),
            }
            for code, known, found in _aligned([state.towns for state in self.states], "code")
            if len({None if row is None else row["state"] for row in found}) > 1
        )

    @property
    def incubators(self) -> tuple[dict[str, Any], ...]:
        """The incubators that are not the same everywhere, with what happens to them."""
        found_all = _aligned([state.incubators for state in self.states], "id")
        return tuple(
            {
                "id": key,
                "name": known.get("name"),
                "lon": known.get("lon"),
                "lat": known.get("lat"),
                "values": [None if row is None else dict(row) for row in found],
                "changes": changes,
            }
            for key, known, found in found_all
            if (changes := _incubator_changes(found))
        )

    @property
    def demo_counted(self) -> bool:
        """Whether demo records count in any state."""
        return any(state.demo_counted for state in self.states)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "as_of": self.as_of,
            "demo_counted": self.demo_counted,
            "states": [state.to_json() for state in self.states],
            "rows": [row.to_json() for row in self.rows],
            "towns": list(self.towns),
            "incubators": list(self.incubators),
        }


def _aligned(tables: Sequence[Sequence[Row]], name: str) -> list[tuple[str, Row, list[Row | None]]]:
    """Lay the records of several tables side by side, by their key."""
    held = [{row[name]: row for row in table} for table in tables]
    keys = dict.fromkeys(key for rows in held for key in rows)
    # The last that has a record tells where it stands now.
    return [
        (key, next(rows[key] for rows in reversed(held) if key in rows), [r.get(key) for r in held])
        for key in keys
    ]


def _town_change(found: Sequence[Row | None]) -> str:
    """Say what becomes of a town from the first state to the last."""
    first, last = (None if row is None else row["state"] for row in (found[0], found[-1]))
    if last in COVERED and first not in COVERED:
        return "won"
    return "lost" if first in COVERED and last not in COVERED else "other"


def _incubator_changes(found: Sequence[Row | None]) -> list[str]:
    """Say what becomes of an incubator between the first state and any later one.

    >>> here = {"lon": 1.0, "lat": 2.0, "status": "operating", "area_m2": 5.0, "name": "A"}
    >>> _incubator_changes([here, {**here, "lon": 1.1}, {**here, "area_m2": 6.0}])
    ['moved', 'resized']
    >>> _incubator_changes([None, here]), _incubator_changes([here, None])
    (['added'], ['removed'])
    """
    first, changes = found[0], []
    for row in found[1:]:
        if first is None or row is None:
            if first is not row:
                changes.append("added" if first is None else "removed")
            continue
        if (row.get("lon"), row.get("lat")) != (first.get("lon"), first.get("lat")):
            changes.append("moved")
        if row.get("area_m2") != first.get("area_m2"):
            changes.append("resized")
        if row.get("status") != first.get("status"):
            changes.append("closed" if row.get("status") == "withdrawn" else "restated")
    return list(dict.fromkeys(changes))
