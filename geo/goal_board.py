"""The board of goals: every counted goal of a plan in a place and time, and the records behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.frames import days, numbers, texts
from geo.goals import GoalRow
from geo.plain import plain
from geo.targets import TargetReport
from geo.unit_ranks import UnitRank


@dataclass(frozen=True)
class GoalBoard:
    """Every counted goal of a plan: of the city (`unit` None) or a unit, the plan or a `year`."""

    rule: Mapping[str, Any]
    unit: str | None
    year: int | None
    as_of: pd.Timestamp
    demo_counted: bool
    goals: tuple[GoalRow, ...]

    @property
    def summary(self) -> dict[str, Any]:
        """Count the goals met, not met, and not to be told."""
        asked = [goal for goal in self.goals if goal.target is not None]
        return {
            "total": len(self.goals),
            "asked": len(asked),
            "met": sum(goal.ok is True for goal in asked),
            "unmet": sum(goal.ok is False for goal in asked),
            "untold": sum(goal.ok is None for goal in asked),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the board as JSON holds it."""
        return {**plain(self), "summary": self.summary}


@dataclass(frozen=True)
class PlanBoard:
    """The whole board: target rows, counted goals, units ranked by share of their own target."""

    report: TargetReport
    goals: GoalBoard
    ranks: tuple[UnitRank, ...]
    rank_year: int | None

    @property
    def demo_counted(self) -> bool:
        """Whether demo records count in anything here."""
        return self.report.demo_counted or self.goals.demo_counted

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON holds it, the goals and ranks beside its rows."""
        board = self.goals.to_json()
        return {
            **self.report.to_json(),
            "demo_counted": self.demo_counted,
            "goals": board["goals"],
            "goals_summary": board["summary"],
            "goals_rule": {key: board["rule"].get(key) for key in ("name", "version", "source")},
            "unit": board["unit"],
            "year": board["year"],
            "ranking": plain(self.ranks),
            "ranking_year": self.rank_year,
        }


@dataclass(frozen=True)
class UnitGoal:
    """A goal in one unit, in a year (its last day, or the day asked about), or as it stands now."""

    unit: str
    year: int | None
    target: float | None
    value: float | None
    share: float | None
    ok: bool | None
    demo: bool


@dataclass(frozen=True)
class GoalMap:
    """A counted goal in every unit; `years` is empty where no record dates it: one state only."""

    goal: str
    zh: str
    en: str
    measure: str
    as_of: pd.Timestamp
    years: tuple[int, ...]
    demo_counted: bool
    rows: tuple[UnitGoal, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the map as JSON holds it."""
        answer: dict[str, Any] = plain(self)
        return answer


@dataclass(frozen=True)
class RecordRow:
    """One record behind a figure: what it is, what it brings, where it comes from.

    `counts` is False for a record that was looked at and does not meet the condition. `details`
    are its public columns.
    """

    layer: str
    id: str
    name: str | None
    unit: str | None
    amount: float | None
    counts: bool
    part: str
    source: str | None
    as_of: str | None
    provenance: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True)
class FigureRecords:
    """A figure and the records behind it; `how` says how they fold into the value."""

    goal: str | None
    indicator: str | None
    zh: str
    en: str
    measure: str
    unit: str | None
    year: int | None
    as_of: pd.Timestamp
    value: float | None
    how: str
    clause: str | None
    demo_counted: bool
    records: tuple[RecordRow, ...]

    @property
    def summary(self) -> dict[str, int]:
        """Count the records looked at, and those that count."""
        counted = sum(row.counts for row in self.records)
        return {"total": len(self.records), "counted": counted}

    def to_json(self) -> dict[str, Any]:
        """Return the records as JSON holds them."""
        return {**plain(self), "summary": self.summary}


@dataclass(frozen=True)
class ProgressRow:
    """One report of progress, with what it measured and what proves it."""

    id: str
    unit: str | None
    year: int | None
    indicator: str | None
    value: float | None
    reported_on: pd.Timestamp | None
    definition: str | None
    evidence: str | None
    source: str | None
    provenance: str | None


@dataclass(frozen=True)
class ProgressHistory:
    """All reports of progress asked about, the newest first."""

    demo_counted: bool
    rows: tuple[ProgressRow, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the reports as JSON holds them."""
        answer: dict[str, Any] = plain(self)
        return answer


def list_progress(progress: pd.DataFrame) -> ProgressHistory:
    """List reports of progress, the newest first.

    Parameters
    ----------
    progress
        Records of `progress`.
    """
    on = days(progress, "reported_on")
    names = ("id", "unit", "indicator", "definition", "evidence", "source", "provenance")
    held = {name: texts(progress, name) for name in names}
    years, values = numbers(progress, "year"), numbers(progress, "value")
    order = sorted(
        range(len(progress)),
        key=lambda at: (str(on[at]) if not pd.isna(on[at]) else "", held["id"][at] or ""),
        reverse=True,
    )
    rows = tuple(
        ProgressRow(
            id=held["id"][at] or "",
            year=None if pd.isna(years[at]) else int(years[at]),
            value=None if pd.isna(values[at]) else float(values[at]),
            reported_on=None if pd.isna(on[at]) else pd.Timestamp(on[at]),
            **{name: held[name][at] for name in names if name != "id"},
        )
        for at in order
    )
    return ProgressHistory(any(row.provenance == "demo" for row in rows), rows)
