"""How coverage grew: the state of towns or industries on past days, by the dates of incubators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.plain import plain
from geo.states import COVERED, Tally, tally


@dataclass(frozen=True)
class TrendPoint:
    """The state at the end of a day, and whose coverage began since the point before."""

    on: pd.Timestamp
    summary: Tally
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True)
class CoverageTrend:
    """Coverage over time: of `towns` or `industries`, in the city (`unit` None) or a unit."""

    of: str
    unit: str | None
    as_of: pd.Timestamp
    demo_counted: bool
    points: tuple[TrendPoint, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the trend as JSON holds it."""
        answer: dict[str, Any] = plain(self)
        return answer


def trace_trend(
    states: Iterable[tuple[pd.Timestamp, Mapping[str, str]]],
) -> tuple[TrendPoint, ...]:
    """Turn states of past days into points.

    Parameters
    ----------
    states
        Days in order, each with the state of every town or industry by name.

    Examples
    --------
    >>> first, second = pd.Timestamp("2025-12-31"), pd.Timestamp("2026-12-31")
    >>> points = trace_trend([(first, {"a": "operating", "b": "none"}),
    ...                       (second, {"a": "operating", "b": "operating"})])
    >>> [(point.summary.covered_share, point.gained) for point in points]
    [(0.5, ('a',)), (1.0, ('b',))]
    """
    points: list[TrendPoint] = []
    before: frozenset[str] = frozenset()
    for day, found in states:
        covered = frozenset(name for name, state in found.items() if state in COVERED)
        points.append(
            TrendPoint(
                day,
                tally(found.values()),
                tuple(name for name in found if name in covered - before),
                tuple(name for name in found if name in before - covered),
            )
        )
        before = covered
    return tuple(points)


def choose_days(
    opened: Sequence[pd.Timestamp], *, plan_start: pd.Timestamp, day: pd.Timestamp, most: int = 14
) -> list[pd.Timestamp]:
    """Choose the days of a trend: ends of years before the plan, of half-years in it, and the day.

    Parameters
    ----------
    opened
        When incubators opened.
    plan_start
        When the plan began.
    day
        The day asked about, the last one.
    most
        How many days at most; the latest are kept.

    Examples
    --------
    >>> days = choose_days([pd.Timestamp("2023-03-01")], plan_start=pd.Timestamp("2025-01-01"),
    ...                    day=pd.Timestamp("2025-08-01"))
    >>> [str(one.date()) for one in days]
    ['2023-12-31', '2024-12-31', '2025-06-30', '2025-08-01']
    """
    first = min((one for one in opened if one <= day), default=plan_start)
    ends = pd.date_range(min(first, plan_start), day, freq="QE-DEC")
    kept = [
        end
        for end in ends
        if end < day and (end.month == 12 or (end.month == 6 and end >= plan_start))
    ]
    return [*kept[-(most - 1) :], day]
