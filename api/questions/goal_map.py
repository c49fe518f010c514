"""A counted goal in every unit, for a map of them."""

from __future__ import annotations

from typing import Any

from api.questions.goals import GoalDesk
from geo.errors import NotFoundError
from geo.goal_board import GoalMap, UnitGoal
from geo.goals import measure_goals
from geo.units import index_units
from layers.store import Store


def ask_goal_map(store: Store, goal: str, *, as_of: Any = None, demo: bool = True) -> GoalMap:
    """Tell how a counted goal stands in every unit, year by year where records date it.

    Parameters
    ----------
    store
        The store.
    goal
        The id of a counted goal.
    as_of
        The day asked about; today when None.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When the day is not a date.
    NotFoundError
        When there is no such goal.
    """
    desk = GoalDesk(store, as_of=as_of, demo=demo)
    declared = next((one for one in desk.goals if one["id"] == goal), None)
    if declared is None:
        known = ", ".join(one["id"] for one in desk.goals) or "none"
        raise NotFoundError(f"there is no goal {goal!r}; goals: {known}")
    dated = any(declared.get(key) for key in ("history", "indicators"))
    years = desk.years if dated or declared.get("period") == "year" else ()
    rows = []
    for unit in index_units(desk.units).names:
        for year in years or (None,):
            here = desk.beside(unit, year)
            # Nothing is counted of a year to come, so the facts of the city do.
            facts = desk.facts if year is not None and year > desk.day.year else here.facts
            [row] = measure_goals([declared], facts, time=here.now)
            rows.append(UnitGoal(unit, year, row.target, row.value, row.share, row.ok, row.demo))
    return GoalMap(
        goal=goal,
        zh=declared.get("zh", goal),
        en=declared.get("en", goal),
        measure=declared.get("unit", ""),
        as_of=desk.day,
        years=tuple(years),
        demo_counted=any(row.demo for row in rows),
        rows=tuple(rows),
    )
