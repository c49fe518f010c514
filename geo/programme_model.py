"""The model of a programme: yes or no for each site and year, and what each row asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from geo.covering import Choice, as_reach
from geo.errors import Fault, InputError
from geo.solver import MixedInteger

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# The solver counts in these, so that its numbers stay near one.
_AREA_M2 = 10_000.0
_COST_CNY = 1_000_000.0
_ROUNDING_M2 = 0.5


@dataclass(frozen=True)
class Asked:
    """One thing that a programme must do: a unit's area by a year, a town, a year's budget."""

    kind: Literal["target", "town", "budget"]
    unit: int | None = None
    year: int | None = None
    town: int | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """What a programme is made from.

    Parameters
    ----------
    capacity_m2, cost_cny
        Of each site.
    earliest_year
        The first year in which each site can open.
    unit
        Number of each site's unit; -1 for none.
    units, years
        Names of the units; the years of the programme, in order.
    need_m2
        New area that each unit needs by the end of each year, units × years, accumulated.
    towns
        Towns × sites, true where the site covers the town.
    cover_by
        The year by whose end every town needs a site.
    budget_cny
        What each year may cost; infinite where there is no limit.
    choice
        Sites that are settled.
    """

    capacity_m2: Floats
    cost_cny: Floats
    earliest_year: Ints
    unit: Ints
    units: tuple[str, ...]
    years: tuple[int, ...]
    need_m2: Floats
    towns: sparse.csr_array
    cover_by: int
    budget_cny: Floats
    choice: Choice = field(default_factory=Choice)

    def check(self) -> None:
        """Check that the numbers are numbers and the choice can be kept.

        Raises
        ------
        InputError
            With all faults.
        """
        self.choice.bounds(len(self.unit))
        faults = [
            Fault(f"site {site}", f"{name} is not a number from 0 up", float(values[site]), "mend")
            for name, values in (("capacity_m2", self.capacity_m2), ("cost_cny", self.cost_cny))
            for site in np.flatnonzero(~(np.isfinite(values) & (values >= 0))).tolist()
        ]
        faults += [
            Fault(f"budget of {year}", "is not a number above 0", float(limit), "give CNY above 0")
            for year, limit in zip(self.years, self.budget_cny, strict=True)
            if not limit > 0
        ]
        faults += [
            Fault(
                f"site {site}",
                f"is fixed, but can open in {self.earliest_year[site]} at the earliest",
                fix=f"the programme ends with {self.years[-1]}",
            )
            for site in sorted(self.choice.fixed)
            if self.earliest_year[site] > self.years[-1]
        ]
        if faults:
            raise InputError(str(faults[0]), faults)

    @cached_property
    def pairs(self) -> tuple[Ints, Ints]:
        """Sites and (numbers of) years that may be chosen together."""
        _, upper = self.choice.bounds(len(self.unit))
        can = (np.asarray(self.years)[None, :] >= self.earliest_year[:, None]) & (
            upper[:, None] > 0
        )
        site, year = np.nonzero(can)
        return site.astype(np.int64), year.astype(np.int64)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """Everything that the programme must do, in a fixed order."""
        targets = [
            Asked("target", unit=int(unit), year=int(year))
            for unit, year in zip(*np.nonzero(self.need_m2 > 0), strict=True)
        ]
        towns = [Asked("town", town=town) for town in range(self.towns.shape[0])]
        budgets = [
            Asked("budget", year=int(year)) for year in np.flatnonzero(np.isfinite(self.budget_cny))
        ]
        return (*targets, *towns, *budgets)

    @cached_property
    def cover_index(self) -> int:
        """Number of the last year that still counts for towns; -1 when none does."""
        return int(np.searchsorted(self.years, self.cover_by, side="right")) - 1

    def area_m2(self, opened: Ints) -> Floats:
        """Return the area of each unit by the end of each year, accumulated.

        `opened` holds the number of each site's year, -1 where it does not open.
        """
        yearly = np.zeros((len(self.units), len(self.years)))
        counted = (opened >= 0) & (self.unit >= 0)
        np.add.at(yearly, (self.unit[counted], opened[counted]), self.capacity_m2[counted])
        area: Floats = yearly.cumsum(axis=1)
        return area

    def short_m2(self, opened: Ints) -> Floats:
        """Return what each unit is short of by the end of each year."""
        short = np.maximum(self.need_m2 - self.area_m2(opened), 0.0)
        return np.where(short > _ROUNDING_M2, short, 0.0)

    def open_towns(self, opened: Ints) -> Ints:
        """Return the towns that no site covers in time."""
        in_time = ((opened >= 0) & (opened <= self.cover_index)).astype(np.float64)
        return np.flatnonzero(self.towns.astype(np.float64) @ in_time < 0.5)

    def spent_cny(self, opened: Ints) -> Floats:
        """Return the cost of each year."""
        there = opened >= 0
        spent = np.zeros(len(self.years))
        np.add.at(spent, opened[there], self.cost_cny[there])
        return spent

    def can_keep(self, opened: Ints) -> bool:
        """Tell whether years for sites do everything that is asked."""
        return bool(
            not self.short_m2(opened).any()
            and not len(self.open_towns(opened))
            and np.all(self.spent_cny(opened) <= self.budget_cny * (1.0 + 1e-9))
        )


@dataclass(frozen=True, eq=False)
class Model:
    """The mixed-integer model of a task, and how to read its values.

    The first values are the pairs of the task; then one for each thing asked, how far it is missed
    (held at 0 unless missing is allowed).
    """

    task: Task
    problem: MixedInteger

    def opened(self, values: Floats) -> Ints:
        """Return the number of each site's year, -1 where it does not open."""
        site, year = self.task.pairs
        taken = values[: len(site)] > 0.5
        opened = np.full(len(self.task.unit), -1, dtype=np.int64)
        opened[site[taken]] = year[taken]
        return opened

    def cost_cny(self, objective: float) -> float:
        """Return an objective of the model in CNY."""
        return objective * _COST_CNY

    def missing(self) -> Model:
        """Return the model that may miss what is asked, and misses as little as it can.

        A town missed weighs more than any area; budgets stay limits.
        """
        task, pairs = self.task, len(self.task.pairs[0])
        town = 1.0 + float(task.need_m2.sum()) / _AREA_M2
        weight = [{"target": 1.0, "town": town}.get(asked.kind, 0.0) for asked in task.asked]
        upper = [0.0 if asked.kind == "budget" else np.inf for asked in task.asked]
        costs = np.r_[np.zeros(pairs), weight]
        limits = np.r_[self.problem.upper[:pairs], upper]
        return replace(self, problem=replace(self.problem, costs=costs, upper=limits))

    def at_least_missed(self, missed: MixedInteger, most: float) -> Model:
        """Return the model of least cost that misses at most so much of what is asked."""
        row = missed.costs
        problem = replace(self.problem, upper=missed.upper)
        return replace(self, problem=problem.with_row(row, upper=most + 1e-6))


def build_model(task: Task, asked: Sequence[Asked] | None = None) -> Model:
    """Write the model of a task, or of only a part of what it asks.

    Parameters
    ----------
    task
        The task.
    asked
        What counts; everything where not given.
    """
    wanted = set(task.asked if asked is None else asked)
    site, _ = task.pairs
    pairs, count = len(site), len(task.unit)
    lower, _ = task.choice.bounds(count)
    once = sparse.csr_array((np.ones(pairs), (site, np.arange(pairs))), shape=(count, pairs))
    rows, least, most = [], [], []
    for one in task.asked:
        row, low, high = _write(task, one)
        rows.append(row)
        least.append(low if one in wanted else -np.inf)
        most.append(high if one in wanted else np.inf)
    block = sparse.csr_array(np.array(rows).reshape(len(rows), pairs))
    missed = sparse.eye_array(len(rows))
    problem = MixedInteger(
        costs=np.r_[task.cost_cny[site] / _COST_CNY, np.zeros(len(rows))],
        lower=np.zeros(pairs + len(rows)),
        upper=np.r_[np.ones(pairs), np.zeros(len(rows))],
        integer=np.r_[np.ones(pairs, dtype=bool), np.zeros(len(rows), dtype=bool)],
        rows=sparse.csr_array(
            sparse.block_array([[once, None], [block, missed]]) if rows else once
        ),
        row_lower=np.r_[lower, least],
        row_upper=np.r_[np.ones(count), most],
    )
    return Model(task, problem)


def _write(task: Task, asked: Asked) -> tuple[Floats, float, float]:
    """Return the row of one thing asked over the pairs, and its limits."""
    site, year = task.pairs
    if asked.kind == "target":
        assert asked.unit is not None  # noqa: S101 - what a target is
        counts = (task.unit[site] == asked.unit) & (year <= (asked.year or 0))
        need = float(task.need_m2[asked.unit, asked.year or 0])
        row = np.where(counts, np.minimum(task.capacity_m2[site], need), 0.0) / _AREA_M2
        return row, need / _AREA_M2, np.inf
    if asked.kind == "town":
        serves = as_reach(task.towns[[asked.town]]).toarray()[0]
        return (serves[site] & (year <= task.cover_index)).astype(np.float64), 1.0, np.inf
    limit = float(task.budget_cny[asked.year or 0])
    row = np.where(year == asked.year, task.cost_cny[site], 0.0) / _COST_CNY
    return row, -np.inf, limit / _COST_CNY
