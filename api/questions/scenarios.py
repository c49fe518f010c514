"""Scenarios: which there are, and what one of them changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from layers.query import Query
from layers.scenario_checks import check_changeable
from layers.scenarios import Scenario, SeenScenario, plain_record, read_scenarios, see_scenario
from layers.store import Store

_SUGGESTED = 20


@dataclass(frozen=True)
class ScenarioList:
    """All scenarios, the newest first."""

    scenarios: tuple[Scenario, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, without their changes."""
        rows = []
        for one in self.scenarios:
            row = one.to_json()
            row["changes"] = len(one.net)
            rows.append(row)
        return {"scenarios": rows}


@dataclass(frozen=True)
class ScenarioReport:
    """One scenario: its changes in order, their net effect, and those that hold no more."""

    seen: SeenScenario

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **self.seen.scenario.to_json(),
            "net": [change.to_json() for change in self.seen.scenario.net],
            "stale": [
                {"layer": one.change.layer, "record": one.change.record, "why": one.why}
                for one in self.seen.stale
            ],
        }


def ask_scenarios(store: Store) -> ScenarioList:
    """List the scenarios of a store."""
    return ScenarioList(tuple(reversed(read_scenarios(store))))


def ask_scenario(store: Store, scenario: Scenario) -> ScenarioReport:
    """Tell what a scenario changes, and which of its changes hold no more."""
    return ScenarioReport(see_scenario(store, scenario))


@dataclass(frozen=True)
class FoundRecords:
    """Records of a layer that a text may mean: ids and names."""

    layer: str
    records: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        rows = [{"id": key, "name": name} for key, name in self.records]
        return {"layer": self.layer, "records": rows}


@dataclass(frozen=True)
class RecordReport:
    """What is public of one record, as a scenario has it."""

    layer: str
    id: str
    values: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"layer": self.layer, "id": self.id, "values": dict(self.values)}


def ask_scenario_records(store: Store, layer: str, text: str = "") -> FoundRecords:
    """Find records that a scenario can change, by part of their name or address, or by id.

    Parameters
    ----------
    store
        The store seen through the scenario.
    layer
        One of the layers that scenarios can change.
    text
        What is looked for; the first records by name when empty.

    Raises
    ------
    NotFoundError
        When scenarios cannot change such a layer.
    """
    check_changeable(layer)
    asked = text.strip()
    exact = store.read(layer, Query(ids=[asked], columns=["name"]))
    named = store.read(
        layer, Query(text=asked or None, columns=["name"], order_by="name", limit=_SUGGESTED)
    )
    found: dict[str, str] = {}
    for frame in (exact, named):
        for row in frame.to_dict("records"):
            found.setdefault(row["id"], row["name"] if isinstance(row["name"], str) else "")
    return FoundRecords(layer, tuple(found.items()))


def ask_scenario_record(store: Store, layer: str, record: str) -> RecordReport:
    """Tell what is public of one record that a scenario can change.

    Raises
    ------
    NotFoundError
        When there is no such record, or scenarios cannot change its layer.
    """
    check_changeable(layer)
    return RecordReport(layer, record, plain_record(layer, store.get(layer, record)))
