"""Coverage of reporting units: what each must have at least, and the counted goals of the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from geo.frames import flags, numbers, texts
from geo.goals import GoalRow
from geo.lifecycle import OPERATING
from geo.plain import plain
from geo.states import OPERATING_LARGE, Member, Tally, muster, operating_area_m2, state_of, tally
from geo.units import assign_units, index_units


@dataclass(frozen=True)
class YearLeast:
    """The incubators chosen in one year's batch; `ok` is None for a year that is still to come."""

    year: int
    count: int
    upgraded: int
    new: int
    target: int | None
    ok: bool | None
    incubators: tuple[str, ...]


@dataclass(frozen=True)
class UnitRow:
    """One unit (or the city, `unit` None): what it has and whether that is enough.

    A target or `ok` of None means that nothing is asked.
    """

    unit: str | None
    code: str | None
    operating: int
    planned: int
    large: int
    operating_area_m2: float
    chain_leader_built: int
    chain_leader_target: int | None
    chain_leader_ok: bool | None
    chain_leader_incubators: tuple[str, ...]
    twenty: int
    twenty_years: tuple[YearLeast, ...]
    towns: Tally | None
    industries: Tally | None
    ok: bool


@dataclass(frozen=True)
class UnitCoverage:
    """What every unit must have, by unit and for the city, and the counted goals of the plan."""

    rule: Mapping[str, Any]
    as_of: pd.Timestamp
    demo_counted: bool
    summary: Mapping[str, Any]
    city: UnitRow
    units: tuple[UnitRow, ...]
    goals: tuple[GoalRow, ...]

    def with_goals(self, goals: Sequence[GoalRow]) -> UnitCoverage:
        """Return the answer with the counted goals, as `measure_goals` found them."""
        demo = self.demo_counted or any(goal.demo for goal in goals)
        return replace(self, goals=tuple(goals), demo_counted=demo)

    def select(self, unit: str) -> UnitCoverage:
        """Return the row of one unit; the goals stay the city's."""
        rows = tuple(row for row in self.units if row.unit == unit)
        return replace(self, units=rows, summary=_summarise(rows))

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON holds it."""
        answer: dict[str, Any] = plain(self)
        return answer


@dataclass(frozen=True)
class _Held:
    """A member with what the units' goals ask of it."""

    member: Member
    unit: str | None
    leader_built: bool
    batch: int | None
    kind: str | None


def cover_units(
    incubators: pd.DataFrame,
    *,
    units: pd.DataFrame,
    rule: Mapping[str, Any],
    towns_rule: Mapping[str, Any],
    as_of: Any,
    years: Sequence[int] = (),
    tallies: Mapping[str, Mapping[str, Tally]] | None = None,
) -> UnitCoverage:
    """Tell whether each unit has what the plan asks of every unit.

    Parameters
    ----------
    incubators
        Records of `incubators`.
    units
        Records of `reporting_units`.
    rule
        The rule `industries`; its `per_unit` says how many chain-leader-built incubators a unit
        needs (those that operate count) and how many chosen in each year's batch.
    towns_rule
        The rule `towns`: what counts as operating, planned and large.
    as_of
        The day asked about; years after it are not judged.
    years
        The years of the plan.
    tallies
        Under `towns` and `industries`, those of each unit by state, as `cover_towns` and
        `cover_industries` counted them.

    Returns
    -------
    UnitCoverage
        Units in their order.
    """
    index = index_units(units)
    fleet = muster(incubators, as_of=as_of, rule=towns_rule)
    frame = fleet.frame
    columns = zip(
        frame["id"].tolist(),
        assign_units(frame, units, index=index),
        flags(frame, "chain_leader_built").tolist(),
        numbers(frame, "twenty_batch").tolist(),
        texts(frame, "twenty_kind"),
        strict=True,
    )
    held = [
        _Held(fleet.members[key], unit, built, None if np.isnan(batch) else int(batch), kind)
        for key, unit, built, batch, kind in columns
        if key in fleet.members
    ]
    needs, counted = rule.get("per_unit", {}), tallies or {}
    judge = _Judge(needs, towns_rule, tuple(years), fleet.as_of.year)
    rows = tuple(
        judge.row(
            unit,
            index.own_codes.get(unit),
            [one for one in held if one.unit == unit],
            towns=counted.get("towns", {}).get(unit),
            industries=counted.get("industries", {}).get(unit),
        )
        for unit in index.names
    )
    return UnitCoverage(
        rule={**rule, "per_unit": needs},
        as_of=fleet.as_of,
        demo_counted=fleet.demo_counted,
        summary=_summarise(rows),
        city=replace(
            judge.row(None, None, held, towns=None, industries=None),
            ok=all(row.ok for row in rows),
        ),
        units=rows,
        goals=(),
    )


@dataclass(frozen=True)
class _Judge:
    """The needs of a unit, and how they are held against what is there."""

    needs: Mapping[str, Any]
    towns_rule: Mapping[str, Any]
    years: tuple[int, ...]
    this_year: int

    def row(
        self,
        unit: str | None,
        code: str | None,
        held: Sequence[_Held],
        *,
        towns: Tally | None,
        industries: Tally | None,
    ) -> UnitRow:
        """Judge one unit, or count the city (None): what a unit needs is not asked of it."""
        members = [one.member for one in held]
        running = [member for member in members if member.state == OPERATING]
        built = [
            one.member.id for one in held if one.leader_built and one.member.state == OPERATING
        ]
        of_unit = self.needs if unit is not None else {}
        wanted = of_unit.get("chain_leader_built")
        leader_ok = _enough(len(built), wanted)
        twenty = tuple(
            self._batch(year, held, of_unit.get("twenty_incubators_per_year"))
            for year in self.years
        )
        return UnitRow(
            unit=unit,
            code=code,
            operating=len(running),
            planned=len(members) - len(running),
            large=sum(state_of([one], self.towns_rule) == OPERATING_LARGE for one in running),
            operating_area_m2=operating_area_m2(members),
            chain_leader_built=len(built),
            chain_leader_target=wanted,
            chain_leader_ok=leader_ok,
            chain_leader_incubators=tuple(built),
            twenty=sum(batch.count for batch in twenty),
            twenty_years=twenty,
            towns=towns,
            industries=industries,
            ok=leader_ok is not False and all(batch.ok is not False for batch in twenty),
        )

    def _batch(self, year: int, held: Sequence[_Held], wanted: int | None) -> YearLeast:
        chosen = [one for one in held if one.batch == year]
        return YearLeast(
            year=year,
            count=len(chosen),
            upgraded=sum(one.kind == "upgrade" for one in chosen),
            new=sum(one.kind == "new" for one in chosen),
            target=wanted,
            ok=_enough(len(chosen), wanted) if year <= self.this_year else None,
            incubators=tuple(one.member.id for one in chosen),
        )


def _enough(count: int, wanted: int | None) -> bool | None:
    return None if wanted is None else count >= wanted


def _summarise(rows: Sequence[UnitRow]) -> dict[str, Any]:
    met = tally("operating" if row.ok else "none" for row in rows)
    return {
        "total": met.total,
        "ok": met.operating,
        "ok_share": met.covered_share,
        "with_chain_leader_built": sum(row.chain_leader_built > 0 for row in rows),
        "without_operating": [row.unit for row in rows if row.operating == 0],
    }
