"""The counted goals of a plan: each computed where the data exist, else the missing data named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geo.frames import is_demo
from geo.measures import MEASURES, GoalFacts, GoalPart, Measured

__all__ = ["GoalFacts", "GoalPart", "GoalRow", "measure_goals"]


@dataclass(frozen=True)
class GoalRow:
    """One goal: the figure against its target, its parts, and what is missing to tell more.

    `ok` is None where it cannot be told. `demo` says that demo records count in it.
    """

    id: str
    zh: str
    en: str
    unit: str
    clause: str
    target: float | None
    value: float | None
    ok: bool | None
    parts: tuple[GoalPart, ...]
    missing: tuple[str, ...]
    demo: bool


def measure_goals(goals: Sequence[Mapping[str, Any]], facts: GoalFacts) -> list[GoalRow]:
    """Compute each goal.

    Parameters
    ----------
    goals
        The rule `goals`: `id`, `zh`, `en`, `target`, `unit`, `clause`, `indicators`, `data`; what
        to compute as `measure`, and the numbers that it takes besides the target as `params`.
    facts
        The data.

    Returns
    -------
    list
        A row per goal in their order; a goal that nothing here computes names its data as missing.
    """
    return [_goal_row(goal, facts) for goal in goals]


def _goal_row(goal: Mapping[str, Any], facts: GoalFacts) -> GoalRow:
    measure = MEASURES.get(goal.get("measure", ""))
    target = goal.get("target")
    params = {**goal, **goal.get("params", {})}
    found = measure(facts, params) if measure else Measured(None, (), tuple(goal.get("data", ())))
    over = found.over or bool(params.get("over"))
    return GoalRow(
        id=goal["id"],
        zh=goal.get("zh", ""),
        en=goal.get("en", ""),
        unit=goal.get("unit", ""),
        clause=goal.get("clause", ""),
        target=target,
        value=found.value,
        ok=_judge(found, target, over=over),
        parts=found.parts,
        missing=found.missing,
        demo=found.value is not None and (facts.demo or bool(is_demo(facts.incubators).any())),
    )


def _judge(found: Measured, target: float | None, *, over: bool) -> bool | None:
    if found.value is None or target is None:
        return None
    if found.at_most:
        reached = found.value <= target
    else:
        reached = found.value > target if over else found.value >= target
    return reached and all(part.ok is not False for part in found.parts)
