"""The counted goals of a plan: each computed where the data exist, else the missing data named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geo.evidence import COUNT, FEWEST, SHARE, SUM, Evidence
from geo.forecast import Forecast, Period, forecast
from geo.frames import is_demo
from geo.goal_facts import GoalFacts, GoalPart, Measured
from geo.issuers import TargetRow
from geo.measures import MEASURES
from geo.plain import share

__all__ = ["GoalFacts", "GoalPart", "GoalRow", "GoalTime", "measure_goals", "trace_goal"]

_CITY = "city"  # the scope of a goal that the plan asks of the city and does not divide
_PLAN, _YEAR, _STATE, _FACT = "plan", "year", "state", "fact"
_BY_INDICATOR = ("indicator", "twenty", "professional", "provincial")  # measures of yearly targets
_GROWING = (COUNT, SUM, SHARE, FEWEST)  # figures that can be ahead or behind; a mean cannot
_BY_RECORD = "twenty"  # the one of them that counts records and not reports


@dataclass(frozen=True)
class GoalRow:
    """One goal: the figure against its target, its parts, and what is missing to tell more.

    `ok` is None where it cannot be told. `demo` says that demo records count in it. `period` says
    what the target is of: the whole `plan`, one `year`, a `state` to be reached by the plan's end,
    or a `fact` that nothing is asked of. `share` is value over target, `pace` that share over the
    share of the period that had passed when the value held (`expected_share`). `reported_sum` is
    what is known of a sum that lacks parts. `how` is how the `records` behind the value fold into
    it. `no_forecast` says why there is none: `no_value`, `no_dates` (the records do not tell when
    they came to be), `too_early`, `not_asked`. A target of None with `scope` `city` is one that the
    plan does not divide between the units.
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
    scope: str = "each"
    period: str = _STATE
    share: float | None = None
    pace: float | None = None
    expected_share: float | None = None
    reported_on: pd.Timestamp | None = None
    reported_sum: float | None = None
    forecast: Forecast | None = None
    no_forecast: str | None = None
    how: str = SHARE
    records: int = 0


@dataclass(frozen=True)
class GoalTime:
    """When goals are asked about, and how they stood before.

    Parameters
    ----------
    day
        The day asked about.
    plan, year
        The periods of the whole plan, and of the year asked about.
    rows
        The target row behind each indicator, of the year or of the plan as asked.
    past
        The facts of earlier days of the plan, oldest first, as far as records tell them.
    of_unit
        Whether the facts are those of one unit: goals of the city alone are then not asked.
    of_year
        Whether one year is asked about, so that indicators are held against its target.
    """

    day: pd.Timestamp
    plan: Period
    year: Period
    rows: Mapping[str, TargetRow] = field(default_factory=dict)
    past: Sequence[tuple[pd.Timestamp, GoalFacts]] = ()
    of_unit: bool = False
    of_year: bool = False


def measure_goals(
    goals: Sequence[Mapping[str, Any]], facts: GoalFacts, *, time: GoalTime | None = None
) -> list[GoalRow]:
    """Compute each goal.

    Parameters
    ----------
    goals
        The rule `goals`: `id`, `zh`, `en`, `target`, `unit`, `clause`, `indicators`, `data`; what
        to compute as `measure`, and the numbers that it takes besides the target as `params`;
        `period`, `scope`, `city_params` (those of `params` that are asked of the city alone) and,
        where records date it (`opening`, `days`), `history`.
    facts
        The data.
    time
        When; without it, goals have no pace and no forecast.

    Returns
    -------
    list
        A row per goal in their order; a goal that nothing here computes names its data as missing.
    """
    return [_goal_row(goal, facts, time) for goal in goals]


def trace_goal(goal: Mapping[str, Any], facts: GoalFacts) -> tuple[str, tuple[Evidence, ...]]:
    """Return how the records behind a goal fold into its value, and the records."""
    found = _measure(goal, facts)
    return found.how, found.evidence


def _measure(goal: Mapping[str, Any], facts: GoalFacts, *, of_unit: bool = False) -> Measured:
    measure = MEASURES.get(goal.get("measure", ""))
    if measure is None:
        return Measured(None, (), tuple(goal.get("data", ())))
    of_city = goal.get("city_params", ()) if of_unit else ()
    params = {key: value for key, value in goal.get("params", {}).items() if key not in of_city}
    return measure(facts, {**goal, **params})


def _period_of(goal: Mapping[str, Any]) -> str:
    """Tell what a goal's target is of, also for rules of before that was declared."""
    if "period" in goal:
        return str(goal["period"])
    if goal.get("measure") in _BY_INDICATOR:
        return _PLAN
    return _FACT if goal.get("target") is None else _STATE


def _goal_row(goal: Mapping[str, Any], facts: GoalFacts, time: GoalTime | None) -> GoalRow:
    to_come = time is not None and time.year.start > time.day
    of_unit = time is not None and time.of_unit
    found = (
        Measured(None, missing=("not_due",)) if to_come else _measure(goal, facts, of_unit=of_unit)
    )
    over = found.over or bool(goal.get("params", {}).get("over"))
    scope, period = goal.get("scope", "each"), _period_of(goal)
    asked = time.rows.get(next(iter(goal.get("indicators", ())), "")) if time else None
    target = goal.get("target")
    if time is not None and period == _PLAN and (time.of_unit or time.of_year):
        target = asked.target if asked else None
    elif time is not None and time.of_unit and scope == _CITY:
        target = None
    reached = None if found.at_most else share(found.value, target)
    by_report = asked if period == _PLAN and goal.get("measure") != _BY_RECORD else None
    timed = _timed(goal, found, target, time=time, asked=by_report)
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
        missing=(*found.missing, *_baselines_lacking(asked)),
        demo=bool(found.evidence or found.value is not None)
        and (facts.demo or bool(is_demo(facts.incubators).any())),
        scope=scope,
        period=period,
        share=reached,
        pace=share(reached, timed.expected) if found.how in _GROWING and timed.expected else None,
        expected_share=timed.expected,
        reported_on=timed.on,
        reported_sum=by_report.reported_sum if by_report is not None else None,
        forecast=timed.forecast,
        no_forecast=timed.why,
        how=found.how,
        records=len(found.evidence),
    )


def _baselines_lacking(asked: TargetRow | None) -> tuple[str, ...]:
    lacking = asked.missing if asked is not None else ()
    return tuple(code for code in lacking if code.startswith("baseline"))


@dataclass(frozen=True)
class _Timed:
    """How a goal stands in time: the share of its period passed, and where it leads."""

    expected: float | None = None
    on: pd.Timestamp | None = None
    forecast: Forecast | None = None
    why: str | None = None


def _timed(
    goal: Mapping[str, Any],
    found: Measured,
    target: float | None,
    *,
    time: GoalTime | None,
    asked: TargetRow | None,
) -> _Timed:
    kind = _period_of(goal)
    if time is None:
        return _Timed()
    if kind == _FACT or found.at_most:
        return _Timed(on=time.day, why="not_asked")
    if asked is not None and asked.value is not None:
        why = None if asked.forecast else "too_early"
        return _Timed(asked.expected_share, asked.reported_on, asked.forecast, why)
    if asked is not None or found.value is None:
        return _Timed(why="no_value")
    short = kind == _YEAR or (kind == _PLAN and time.of_year)
    period = time.year if short else time.plan
    ahead, why = _carry_on(goal, found, target, period=period, time=time)
    return _Timed(period.elapsed(time.day), time.day, ahead, why)


def _carry_on(
    goal: Mapping[str, Any],
    found: Measured,
    target: float | None,
    *,
    period: Period,
    time: GoalTime,
) -> tuple[Forecast | None, str | None]:
    """Forecast a figure whose records tell when they came to be, else say why not."""
    began: float | None = 0.0  # what carries its own days began at nothing
    series = list(found.series)
    if goal.get("history") == "opening":
        known = [(day, _measure(goal, then).value) for day, then in time.past]
        began = next((held for day, held in known if day < period.start), None)
        series = [(day, held) for day, held in known if day >= period.start and held is not None]
    dated = "history" in goal or goal.get("measure") == _BY_RECORD
    if not dated or began is None or found.value is None:
        return None, "no_dates"
    ahead = forecast(
        [*(one for one in series if one[0] < time.day), (time.day, found.value)],
        period,
        start_value=began,
        target=target,
        most=1.0 if found.how == SHARE else None,
    )
    return ahead, None if ahead else "too_early"


def _judge(found: Measured, target: float | None, *, over: bool) -> bool | None:
    if found.value is None or target is None:
        return None
    if found.at_most:
        reached = found.value <= target
    else:
        reached = found.value > target if over else found.value >= target
    return reached and all(part.ok is not False for part in found.parts)
