"""How every counted goal of the plan stands, and which records stand behind a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from api.questions.common import find_unit, plan_of, read_layer, read_rule, today
from api.questions.coverage import ask_industry_coverage, ask_town_coverage
from api.questions.plan_data import PlanData
from geo.coverage import IndustryCoverage, TownCoverage
from geo.errors import Fault, InputError
from geo.evidence import Evidence
from geo.forecast import Period
from geo.frames import numbers, texts
from geo.goal_board import GoalBoard
from geo.goals import GoalFacts, GoalRow, GoalTime, measure_goals
from geo.lifecycle import parse_day
from geo.states import COVERED
from geo.targets import TargetReport
from geo.unit_coverage import UnitRow
from geo.units import assign_units
from layers.store import Store


def ask_goals(
    store: Store,
    *,
    unit: str | None = None,
    year: int | None = None,
    as_of: Any = None,
    demo: bool = True,
) -> GoalBoard:
    """Tell how every counted goal of the plan stands: value, target, pace, forecast, what lacks.

    Parameters
    ----------
    store
        The store.
    unit
        One reporting unit, by name, alias or code; the whole city when None. A goal that the plan
        does not divide between the units has no target there.
    year
        One year of the plan; the whole plan when None. A year that is over is looked at on its
        last day; of a year to come only the targets are known.
    as_of
        The day asked about; today when None.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When the day is not a date, or the year none of the plan.
    NotFoundError
        When there is no such unit.
    """
    desk = GoalDesk(store, unit=unit, year=year, as_of=as_of, demo=demo)
    rows = desk.measure()
    return GoalBoard(
        rule=read_rule(store, "goals"),
        unit=desk.unit,
        year=year,
        as_of=desk.day,
        demo_counted=any(row.demo for row in rows),
        goals=tuple(rows),
    )


def check_year(store: Store, year: int | None) -> None:
    """Refuse a year that is none of the plan's.

    Raises
    ------
    InputError
        When it is not; the message lists those that are.
    """
    years = [int(one) for one in plan_of(store).get("years", ())]
    if year is not None and years and year not in years:
        known = ", ".join(str(one) for one in years)
        fault = Fault("year", "is no year of the plan", year, f"give one of {known}")
        raise InputError(str(fault), [fault])


@dataclass
class GoalDesk:
    """What the goals of one place and time are computed from, read once.

    Parameters
    ----------
    store
        The store.
    unit, year, as_of, demo
        As `ask_goals`.
    shared
        What another desk has read of the same store.
    """

    store: Store
    unit: str | None = None
    year: int | None = None
    as_of: Any = None
    demo: bool = True
    shared: PlanData | None = None

    def __post_init__(self) -> None:
        """Settle the unit and the day."""
        check_year(self.store, self.year)
        if self.unit is not None and self.unit != self.report.rule["total_unit"]:
            self.unit = find_unit(self.units, self.unit)
        else:
            self.unit = None

    def beside(self, unit: str | None, year: int | None) -> GoalDesk:
        """Return the desk of another unit and year, which reads nothing twice."""
        return replace(self, unit=unit, year=year, shared=self.data)

    @cached_property
    def data(self) -> PlanData:
        """What the goals rest on."""
        return self.shared or PlanData(self.store, demo=self.demo)

    @cached_property
    def day(self) -> pd.Timestamp:
        """The day that is looked at: the one asked about, or the last of a year that is over."""
        asked = parse_day(self.as_of or today())
        if self.year is not None and self.year < asked.year:
            return pd.Timestamp(self.year, 12, 31)
        return asked

    @cached_property
    def goals(self) -> Sequence[Mapping[str, Any]]:
        """The goals of the rule."""
        found: Sequence[Mapping[str, Any]] = self.store.rules("goals").body["goals"]
        return found

    @property
    def units(self) -> pd.DataFrame:
        """The reporting units."""
        return self.data.units

    @property
    def incubators(self) -> pd.DataFrame:
        """All incubators."""
        return self.data.incubators

    @property
    def unit_of(self) -> Mapping[str, str | None]:
        """The unit of each incubator."""
        return self.data.unit_of

    @property
    def report(self) -> TargetReport:
        """The targets on the day."""
        return self.data.report_on(self.day)

    @cached_property
    def years(self) -> tuple[int, ...]:
        """The years of the plan."""
        return self.report.years

    @cached_property
    def here(self) -> str:
        """The unit under whose name the targets stand."""
        return self.unit or str(self.report.rule["total_unit"])

    def measure(self) -> list[GoalRow]:
        """Compute every goal."""
        return measure_goals(self.goals, self.facts, time=self.time)

    @cached_property
    def time(self) -> GoalTime:
        """When the goals are asked about, and how they stood at earlier ends of half-years."""
        days = _half_years(self.now.plan.start, self.day)
        return replace(self.now, past=[(day, self._opened_by(day)) for day in days])

    @cached_property
    def now(self) -> GoalTime:
        """When the goals are asked about."""
        years = self.years or (self.day.year,)
        plan = Period(pd.Timestamp(min(years), 1, 1), pd.Timestamp(max(years) + 1, 1, 1))
        asked = self.year or self.day.year
        keys = dict.fromkeys(key for goal in self.goals for key in goal.get("indicators", ()))
        rows = {key: self.report.find_row(self.here, key, year=self.year) for key in keys}
        return GoalTime(
            day=self.day,
            plan=plan,
            year=Period(pd.Timestamp(asked, 1, 1), pd.Timestamp(asked + 1, 1, 1)),
            rows={key: row for key, row in rows.items() if row is not None},
            of_unit=self.unit is not None,
            of_year=self.year is not None,
        )

    @cached_property
    def facts(self) -> GoalFacts:
        """The data of the day."""
        circles = self.data.circles
        opened = self._opened_by(self.day)
        tested = [
            row
            for row in circles.rows
            if not row.approximate and row.compliance is not None and self._is_here(row.id)
        ]
        ok = [bool(row.compliance and row.compliance.ok) for row in tested]
        circle = tuple(
            Evidence("incubators", row.id, counts=held)
            for row, held in zip(tested, ok, strict=True)
        )
        rows = self._unit_rows(self.day)
        keys = dict.fromkeys(row.indicator for row in self.report.rows if not row.cumulative)
        indicators = {key: self._indicator(key) for key in keys}
        services = self.store.rules("services").body["services"]
        batches = {year: sum(self._chosen_in(row, year) for row in rows) for year in self.years}
        present = self._keep(self.data.fleet_on(self.day).present)
        batch = numbers(present, "twenty_batch")
        return GoalFacts(
            incubators=opened.incubators,
            chosen=present[batch <= self.day.year].reset_index(drop=True),
            chosen_units=batches,
            year=self.day.year,
            large_area_m2=opened.large_area_m2,
            unit_count=opened.unit_count,
            leader_built_units=opened.leader_built_units,
            towns_share=opened.towns_share,
            industries_share=opened.industries_share,
            circle_share=sum(ok) / len(ok) if ok else None,
            indicators=indicators,
            basic_services=[item["name"] for item in services if item["group"] == "basic"],
            evidence={**opened.evidence, **self._traces(indicators), "circle": circle},
            of_year=self.year is not None,
            demo=circles.demo_counted or self.report.demo_counted,
            **{name: self._read(name) for name in ("projects", "zones", "baselines")},
        )

    def _opened_by(self, day: pd.Timestamp) -> GoalFacts:
        """Gather what the dates of incubators tell of any day."""
        towns = self.towns_on(day)
        industries = self.industries_on(day)
        rows = self._unit_rows(day)
        running = self.data.fleet_on(day).operating
        return GoalFacts(
            incubators=self._keep(running),
            year=day.year,
            large_area_m2=self.data.towns_rule["large_area_m2"],
            unit_count=len(rows),
            leader_built_units=sum(row.chain_leader_built > 0 for row in rows),
            towns_share=towns.summary.covered_share,
            industries_share=industries.summary.covered_share,
            evidence={
                "towns": tuple(
                    Evidence(
                        "industrial_towns", row.code, float(len(row.found)), row.state in COVERED
                    )
                    for row in towns.towns
                ),
                "industries": tuple(
                    Evidence(
                        "industries", row.key, float(len(row.incubators)), row.state in COVERED
                    )
                    for row in industries.industries
                ),
                "leader_built": tuple(
                    Evidence(
                        "reporting_units",
                        row.unit or "",
                        float(row.chain_leader_built),
                        row.chain_leader_built > 0,
                    )
                    for row in rows
                ),
            },
        )

    def towns_on(self, day: pd.Timestamp) -> TownCoverage:
        """Tell which industrial towns have an incubator on a day."""
        return ask_town_coverage(self.store, as_of=day, unit=self.unit, demo=self.demo)

    def industries_on(self, day: pd.Timestamp) -> IndustryCoverage:
        """Tell which key industries have an incubator on a day."""
        return ask_industry_coverage(self.store, as_of=day, unit=self.unit, demo=self.demo)

    def _unit_rows(self, day: pd.Timestamp) -> list[UnitRow]:
        rows = self.data.unit_rows_on(day, self.years)
        return [row for row in rows if self.unit in (None, row.unit)]

    @staticmethod
    def _chosen_in(row: UnitRow, year: int) -> bool:
        return any(batch.year == year and batch.count for batch in row.twenty_years)

    def _is_here(self, incubator: str) -> bool:
        return self.unit is None or self.unit_of.get(incubator) == self.unit

    def _keep(self, incubators: pd.DataFrame) -> pd.DataFrame:
        here = [self._is_here(key) for key in incubators["id"]]
        return incubators.loc[here].reset_index(drop=True)

    def _read(self, layer: str) -> pd.DataFrame:
        """Read a layer, of a unit only what it names."""
        frame = read_layer(self.store, layer, demo=self.demo)
        if self.unit is None:
            return frame
        held = texts(frame, "unit")
        if layer == "projects":
            held = assign_units(frame, self.units)
        return frame.loc[[one == self.unit for one in held]].reset_index(drop=True)

    def _indicator(self, key: str) -> dict[int, tuple[float | None, float | None]]:
        """Return year to value and target of the city's own issuer."""
        years = self.years if self.year is None else (self.year,)
        rows = ((year, self.report.find_row(self.here, key, year=year)) for year in years)
        return {year: (row.value, row.target) for year, row in rows if row is not None}

    def _traces(self, indicators: Mapping[str, Mapping[int, Any]]) -> dict[str, tuple[Any, ...]]:
        return {
            f"{key}:{year}": self.report.trace(self.here, year, key)
            for key, years in indicators.items()
            for year in years
        }


def _half_years(start: pd.Timestamp, day: pd.Timestamp) -> list[pd.Timestamp]:
    """Return the day before the plan, and the ends of its half-years before a day."""
    first = start - pd.Timedelta(days=1)
    ends = pd.date_range(start, day, freq="QE-DEC")
    return [first, *(end for end in ends if end.month in (6, 12) and end < day)]
