"""The programme: which site opens in which year, at least cost.

Every unit needs so much new area by the end of each year, every town a site by the end of a given
one, and each year has its budget. Sites have a capacity, a cost and an earliest year; some are
fixed or forbidden. A mixed-integer model (yes or no for each site and year) answers. Where it has
no answer the smallest conflict is named (`geo.conflict`) and the programme comes as close as it
can.

Areas accumulate: what a year is short of, or has in excess, goes into the next (`carry_over`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from geo.conflict import Conflict, find_conflicts
from geo.covering import Alternative
from geo.errors import InputError
from geo.programme_model import Model, Task, build_model
from geo.solver import Solution, Status, Watch, gap_of, solve

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_TIE = 1e-9
_PRICE_GAP = 1e-4


@dataclass(frozen=True)
class OpenedSite:
    """A site of the programme and why it is there.

    Parameters
    ----------
    site, year
        Number of the site, and the year in which it opens.
    adds_m2, cost_cny
        Its capacity and cost.
    towns
        Towns that only it covers in time.
    breaks
        Without it: unit, year and m² that would be short.
    """

    site: int
    year: int
    adds_m2: float
    cost_cny: float
    towns: tuple[int, ...]
    breaks: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True)
class YearRow:
    """How a programme stands at the end of a year, accumulated but for `spent_cny`."""

    year: int
    sites: int
    area_m2: float
    need_m2: float
    spent_cny: float
    towns_covered: int


@dataclass(frozen=True)
class Shortage:
    """Area that a unit is short of at the end of a year."""

    unit: int
    year: int
    need_m2: float
    short_m2: float


@dataclass(frozen=True)
class Price:
    """What a unit's target costs: savings if it were one step lower in every year.

    `saves_cny` is what the best programme found for the lower target saves; no programme saves more
    than `saves_at_most_cny`.
    """

    unit: int
    step_m2: float
    saves_cny: float
    saves_at_most_cny: float


@dataclass(frozen=True)
class Programme:
    """The answer: sites and years, cost and bound, and what stands against it."""

    status: Status
    objective: float | None
    bound: float | None
    gap: float | None
    opened: tuple[OpenedSite, ...] = ()
    years: tuple[YearRow, ...] = ()
    shortages: tuple[Shortage, ...] = ()
    open_towns: tuple[int, ...] = ()
    prices: tuple[Price, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def carry_over(targets_m2: Floats, reached_m2: Floats) -> Floats:
    """Accumulate yearly targets, less what is reached: the new area needed by each year's end.

    Parameters
    ----------
    targets_m2, reached_m2
        Units × years, not accumulated; what is not known to be reached counts as nothing.

    Returns
    -------
    numpy.ndarray
        Units × years, never below 0. What one year lacks the next must make up; what it has in
        excess the next need not.

    >>> carry_over(np.array([[10.0, 20.0, 30.0]]), np.array([[4.0, np.nan, 60.0]]))
    array([[ 6., 26.,  0.]])
    """
    done = np.nan_to_num(reached_m2, nan=0.0)
    return np.maximum(np.cumsum(targets_m2, axis=1) - np.cumsum(done, axis=1), 0.0)


def plan_programme(
    task: Task,
    *,
    alternatives: int = 2,
    slack: float = 0.1,
    step_m2: float = 10_000.0,
    watch: Watch | None = None,
) -> Programme:
    """Choose sites and years that do everything asked, at least cost.

    Each site opens as late as that allows. Half of the time goes to the programme, the rest to the
    prices and alternatives.

    Parameters
    ----------
    task
        What is asked, and of what.
    alternatives
        How many other sets of sites to look for, each within `slack` (a share) of the best cost.
    step_m2
        The step of `Price`.
    watch
        Limits; a minute by default.

    Raises
    ------
    InputError
        When the task contradicts itself, or a step is not above 0.
    """
    watch = watch or Watch.start()
    task.check()
    if not step_m2 > 0:
        raise InputError(f"step_m2: {step_m2!r} is not above 0; give square metres")
    model = build_model(task)
    solution = solve(model.problem, watch=_in_cny(model, watch.within(watch.left_s * 0.5)))
    if solution.status == "infeasible":
        return _come_close(model, watch)
    if solution.objective is None:
        close = _come_close(model, watch, conflicts=False)
        return replace(close, status=solution.status, bound=_bound(model, solution))
    opened = _postpone(task, model.opened(solution.values))
    answer = _describe(task, opened, solution.status, bound=_bound(model, solution))
    return replace(
        answer,
        prices=_price(model, answer, step_m2, watch.within(watch.left_s * 0.6)),
        alternatives=_others(model, opened, alternatives, slack, watch),
    )


def _in_cny(model: Model, watch: Watch) -> Watch:
    tell = watch.progress
    if tell is None:
        return watch
    return replace(
        watch, progress=lambda cost, low: tell(model.cost_cny(cost), model.cost_cny(low))
    )


def _bound(model: Model, solution: Solution) -> float | None:
    return None if solution.bound is None else max(0.0, model.cost_cny(solution.bound))


def _postpone(task: Task, opened: Ints) -> Ints:
    """Move each site to the latest year in which the programme still does everything."""
    opened = opened.copy()
    for site in sorted(np.flatnonzero(opened >= 0), key=lambda one: -task.cost_cny[one]):
        for year in range(len(task.years) - 1, int(opened[site]), -1):
            moved = opened.copy()
            moved[site] = year
            if task.can_keep(moved):
                opened = moved
                break
    return opened


def _describe(task: Task, opened: Ints, status: Status, *, bound: float | None) -> Programme:
    cost = float(task.spent_cny(opened).sum())
    bound = None if bound is None else min(bound, cost)
    short = task.short_m2(opened)
    sites = np.flatnonzero(opened >= 0)
    return Programme(
        status=status,
        objective=cost,
        bound=bound,
        gap=gap_of(cost, bound),
        opened=tuple(
            sorted(
                (_explain(task, opened, int(site)) for site in sites),
                key=lambda one: (one.year, -one.adds_m2, one.site),
            )
        ),
        years=tuple(_year_rows(task, opened)),
        shortages=tuple(
            Shortage(
                int(unit),
                task.years[year],
                float(task.need_m2[unit, year]),
                float(short[unit, year]),
            )
            for unit, year in zip(*np.nonzero(short), strict=True)
        ),
        open_towns=tuple(task.open_towns(opened).tolist()),
    )


def _explain(task: Task, opened: Ints, site: int) -> OpenedSite:
    without = opened.copy()
    without[site] = -1
    more = task.short_m2(without) - task.short_m2(opened)
    lost = np.setdiff1d(task.open_towns(without), task.open_towns(opened))
    return OpenedSite(
        site=site,
        year=task.years[int(opened[site])],
        adds_m2=float(task.capacity_m2[site]),
        cost_cny=float(task.cost_cny[site]),
        towns=tuple(lost.tolist()),
        breaks=tuple(
            (int(unit), task.years[year], float(more[unit, year]))
            for unit, year in zip(*np.nonzero(more > 0), strict=True)
        ),
    )


def _year_rows(task: Task, opened: Ints) -> list[YearRow]:
    area = task.area_m2(opened).sum(axis=0)
    spent = task.spent_cny(opened)
    rows = []
    for number, year in enumerate(task.years):
        there = ((opened >= 0) & (opened <= number)).astype(np.float64)
        covered = int((task.towns.astype(np.float64) @ there > 0.5).sum())
        need = float(task.need_m2[:, number].sum())
        rows.append(
            YearRow(
                year, int(there.sum()), float(area[number]), need, float(spent[number]), covered
            )
        )
    return rows


def _come_close(model: Model, watch: Watch, *, conflicts: bool = True) -> Programme:
    """Name the conflict, and miss as little as can be: towns first, then area, then cost."""
    task = model.task
    found = find_conflicts(task, watch=watch.within(watch.left_s * 0.5)) if conflicts else ()
    nothing = Programme("infeasible", None, None, None, conflicts=found)
    quiet = replace(watch, progress=None)
    missing = model.missing().problem
    least = solve(missing, watch=quiet.within(quiet.left_s * 0.5))
    if least.objective is None:
        return nothing
    cheapest = model.at_least_missed(missing, least.objective)
    solution = solve(cheapest.problem, watch=quiet)
    values = solution.values if len(solution.values) else least.values
    close = _describe(task, model.opened(values), "infeasible", bound=None)
    return replace(close, conflicts=found)


def _price(model: Model, answer: Programme, step_m2: float, watch: Watch) -> tuple[Price, ...]:
    """Solve again with the target of each unit one step lower."""
    task = model.task
    asked = np.flatnonzero((task.need_m2 > 0).any(axis=1))
    # One step is a small part of the whole: a loose gap would hide it.
    quiet = replace(watch, progress=None, gap=min(watch.gap, _PRICE_GAP))
    found = []
    for place, unit in enumerate(asked):
        if watch.over or answer.objective is None:
            break
        need = task.need_m2.copy()
        need[unit] = np.maximum(need[unit] - step_m2, 0.0)
        lower = build_model(replace(task, need_m2=need))
        share = quiet.within(quiet.left_s / (len(asked) - place))
        solution = solve(lower.problem, watch=share)
        cost = answer.objective
        if len(solution.values):
            cost = min(cost, float(task.spent_cny(lower.opened(solution.values)).sum()))
        bound = _bound(lower, solution) or 0.0
        saves = answer.objective - cost
        at_most = max(saves, answer.objective - bound)
        found.append(Price(int(unit), step_m2, round(saves, 2), round(at_most, 2)))
    return tuple(found)


def _others(
    model: Model, opened: Ints, wanted: int, slack: float, watch: Watch
) -> tuple[Alternative, ...]:
    """Find other sets of sites within `slack` of the cost: each found set is cut off."""
    task = model.task
    best = np.flatnonzero(opened >= 0)
    limit = float(task.spent_cny(opened).sum()) * (1.0 + slack) + _TIE
    site, _ = task.pairs
    problem, last = model.problem, best
    quiet = replace(watch, progress=None)
    found: list[Alternative] = []
    for place in range(wanted):
        if watch.over or not len(last):
            break
        cut = np.zeros(len(problem.costs))
        cut[: len(site)] = np.isin(site, last)
        problem = problem.with_row(cut, upper=len(last) - 1.0)
        solution = solve(problem, watch=quiet.within(quiet.left_s / (wanted - place)))
        if not len(solution.values):
            break
        other = model.opened(solution.values)
        cost = float(task.spent_cny(other).sum())
        if cost > limit:
            break
        last = np.flatnonzero(other >= 0)
        found.append(
            Alternative(
                tuple(last.tolist()),
                cost,
                tuple(np.setdiff1d(best, last).tolist()),
                tuple(np.setdiff1d(last, best).tolist()),
            )
        )
    return tuple(found)
