"""Scenarios: which there are, and what one of them changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from layers.scenarios import Scenario, SeenScenario, read_scenarios, see_scenario
from layers.store import Store


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
