"""What makes a programme impossible: the smallest sets of demands and limits that conflict.

First what cannot be done alone (a unit's sites are too small, a town has no site), which is a
conflict of one. Where there is none, demands are left out one after another as long as the rest
stays impossible (the deletion filter of Chinneck and Dravnieks 1991): what remains is a conflict of
which no part can be spared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from geo.programme_model import Asked, Task, build_model
from geo.solver import Watch, solve

_STEP_S = 2.0  # what is not proven impossible in so long is not left out


@dataclass(frozen=True)
class Conflict:
    """Things asked that cannot all be done.

    Parameters
    ----------
    asked
        What conflicts.
    smallest
        Whether it is proven that nothing of it can be spared.
    needs_m2, has_m2
        For a single target: the area needed, and what all sites of the unit could give by then.
    needs_cny, has_cny
        With budgets in it: what all else of it costs at least, and the budgets of all years.
    """

    asked: tuple[Asked, ...]
    smallest: bool
    needs_m2: float | None = None
    has_m2: float | None = None
    needs_cny: float | None = None
    has_cny: float | None = None


def find_conflicts(task: Task, *, watch: Watch) -> tuple[Conflict, ...]:
    """Return the conflicts of an impossible task: every single one, else the smallest set found."""
    single = _find_single(task)
    return tuple(single) if single else (_filter(task, watch),)


def _find_single(task: Task) -> list[Conflict]:
    """Find what cannot be done even alone; of a unit only the worst year."""
    site, year = task.pairs
    found: dict[object, Conflict] = {}
    for one in task.asked:
        if one.kind == "target" and one.unit is not None and one.year is not None:
            usable = np.unique(site[(task.unit[site] == one.unit) & (year <= one.year)])
            has = float(task.capacity_m2[usable].sum())
            needs = float(task.need_m2[one.unit, one.year])
            known = found.get(one.unit)
            worst = 0.0 if known is None else (known.needs_m2 or 0.0) - (known.has_m2 or 0.0)
            if needs - has > max(worst, 0.5):
                found[one.unit] = Conflict((one,), smallest=True, needs_m2=needs, has_m2=has)
        elif one.kind == "town" and one.town is not None:
            serves = task.towns[[one.town]].toarray()[0]
            if not (serves[site] & (year <= task.cover_index)).any():
                found["town", one.town] = Conflict((one,), smallest=True)
    return list(found.values())


def _filter(task: Task, watch: Watch) -> Conflict:
    kept = list(task.asked)
    # Whole kinds and units first: what is not part of the conflict goes in few steps.
    for group in _groups(task):
        rest = [one for one in kept if one not in group]
        if len(rest) < len(kept) and rest and not watch.over and _impossible(task, rest, watch):
            kept = rest
    smallest = not watch.over
    for one in list(kept):
        rest = [other for other in kept if other != one]
        if watch.over:
            smallest = False
            break
        if _impossible(task, rest, watch):
            kept = rest
    return _with_costs(task, Conflict(tuple(kept), smallest=smallest), watch)


def _with_costs(task: Task, conflict: Conflict, watch: Watch) -> Conflict:
    """Say what the conflict costs without its budgets, where it has any."""
    rest = [one for one in conflict.asked if one.kind != "budget"]
    if len(rest) == len(conflict.asked):
        return conflict
    model = build_model(task, rest)
    relaxed = solve(model.problem.relaxed(), watch=replace(watch, progress=None))
    needs = None if relaxed.objective is None else model.cost_cny(relaxed.objective)
    budget = float(task.budget_cny.sum())
    return replace(conflict, needs_cny=needs, has_cny=budget if np.isfinite(budget) else None)


def _groups(task: Task) -> list[set[Asked]]:
    """Return what may be left out together: all towns, the targets of each unit."""
    towns = {one for one in task.asked if one.kind == "town"}
    units = [{one for one in task.asked if one.unit == unit} for unit in range(len(task.units))]
    return [towns, *units]


def _impossible(task: Task, asked: Sequence[Asked], watch: Watch) -> bool:
    problem = build_model(task, asked).problem
    problem = replace(problem, costs=np.zeros(len(problem.costs)))
    quiet = replace(watch.within(_STEP_S), progress=None)
    if solve(problem.relaxed(), watch=quiet).status == "infeasible":
        return True
    return solve(problem, watch=quiet).status == "infeasible"
