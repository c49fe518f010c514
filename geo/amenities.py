"""The two 15-minute tests of an incubator's surroundings, never mixed.

*Compliance*: the circle of the standard, straight metres round the incubator, with a required
number of cultural venues and public cultural spaces in it. *Planning*: minutes on foot on the
street network to twelve categories; how far one gets is computed elsewhere and comes here as
arrays. Where no streets are loaded, a *circle* of the same minutes stands in for the planning test,
named so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.categories import find_missing, find_walker, score
from geo.circles import Circle, Compliance, ComplianceRow, draw_circles, identify, test_compliance
from geo.errors import InputError
from geo.frames import is_demo, sort_by_id
from geo.plain import plain, share

__all__ = [
    "AmenityReport",
    "AmenityRow",
    "Circle",
    "Compliance",
    "ComplianceRow",
    "Planning",
    "Reached",
    "draw_circles",
    "plan_walks",
    "report_amenities",
    "test_compliance",
    "with_planning",
]

NO_STREETS, NOT_ON_STREETS = "no_streets", "no_street_within_reach"


@dataclass(frozen=True)
class Reached:
    """How many of one category are within reach on foot; minutes to the nearest, and its id."""

    count: int
    nearest_minutes: float | None
    nearest: str | None = None


@dataclass(frozen=True)
class Planning:
    """The planning test: walking minutes on the street network."""

    test: str
    minutes: float
    speed_km_h: float
    profile: str
    network: bool
    categories: Mapping[str, Reached]
    missing: tuple[str, ...]
    score: float
    snap_m: float | None


@dataclass(frozen=True)
class AmenityRow:
    """One incubator: both tests, and the circle that stands in where there are no streets."""

    id: str
    name: str | None
    unit: str | None
    approximate: bool
    demo: bool
    compliance: Compliance | None
    planning: Planning | None
    planning_note: str | None
    circle: Circle | None


@dataclass(frozen=True)
class AmenityReport:
    """Both tests for some incubators.

    `summary` counts the incubators whose own place is known; those placed at their town or unit
    only are tested too, but their results say nothing about the incubator (`approximate`).
    """

    rows: tuple[AmenityRow, ...]
    rules: Mapping[str, Any]
    demo_counted: bool

    @property
    def summary(self) -> dict[str, Any]:
        """Count the incubators that pass, and those that lack each category."""
        known = [row for row in self.rows if not row.approximate]
        tested = [row.compliance for row in known if row.compliance is not None]
        passed = sum(result.ok for result in tested)
        walked = [row.planning for row in known if row.planning is not None]
        rounds: Sequence[Planning | Circle] = walked or [
            row.circle for row in known if row.circle is not None
        ]
        return {
            "total": len(self.rows),
            "approximate": len(self.rows) - len(known),
            "compliance": {
                "tested": len(tested),
                "ok": passed,
                "ok_share": share(passed, len(tested)),
            },
            "categories": {
                "network": bool(walked),
                "tested": len(rounds),
                "complete": sum(not result.missing for result in rounds),
                "mean_score": float(np.mean([r.score for r in rounds])) if rounds else None,
                "lacking": _count_lacking(rounds),
            },
        }

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON holds it."""
        return {
            "rules": plain(self.rules),
            "demo_counted": self.demo_counted,
            "summary": plain(self.summary),
            "rows": plain(self.rows),
        }


def _count_lacking(rounds: Sequence[Planning | Circle]) -> dict[str, int]:
    keys = rounds[0].categories if rounds else {}
    return {key: sum(key in result.missing for result in rounds) for key in keys}


def plan_walks(
    ids: Sequence[str],
    counts: npt.ArrayLike,
    nearest_minutes: npt.ArrayLike,
    *,
    rule: Mapping[str, Any],
    profile: str | None = None,
    snap_m: npt.ArrayLike | None = None,
    nearest_ids: Sequence[Sequence[str | None]] | None = None,
) -> dict[str, Planning]:
    """Make the planning results from what a walk reaches.

    Parameters
    ----------
    ids
        The incubators, n of them.
    counts
        (n, categories) amenities within the minutes of the rule, in the rule's category order.
    nearest_minutes
        (n, categories) walking minutes to the nearest, infinite or NaN where none is reached.
    rule
        The rule `amenities`.
    profile
        The walker's key; the rule's default when None.
    snap_m
        Straight metres from each incubator to its street; NaN or infinite where it is on none,
        and then it gets no result. All are on streets when None.
    nearest_ids
        (n, categories) ids of the nearest; not told when None.

    Returns
    -------
    dict
        A planning result per incubator that is on a street.

    Raises
    ------
    InputError
        When shapes do not fit or the profile is not known.

    Examples
    --------
    >>> rule = {"planning": {"minutes": 15, "min_count": 1, "default_profile": "adult"},
    ...         "profiles": [{"key": "adult", "speed_km_h": 4.0}],
    ...         "categories": [{"key": "cafe"}, {"key": "cinema"}]}
    >>> plan = plan_walks(["i1"], [[2, 0]], [[3.21, 17.0]], rule=rule)["i1"]
    >>> plan.score, plan.missing, plan.categories["cafe"].nearest_minutes
    (0.5, ('cinema',), 3.2)
    """
    keys = [category["key"] for category in rule["categories"]]
    minutes, speed_km_h = find_walker(rule, profile)
    reached = np.asarray(counts)
    nearest = np.asarray(nearest_minutes, dtype=np.float64)
    snapped = np.zeros(len(ids)) if snap_m is None else np.asarray(snap_m, dtype=np.float64)
    wanted = (len(ids), len(keys))
    if reached.shape != wanted or nearest.shape != wanted or snapped.shape != wanted[:1]:
        raise InputError(
            f"counts {reached.shape}, minutes {nearest.shape} and snapping {snapped.shape} do not "
            f"fit {wanted[0]} incubators and {wanted[1]} categories"
        )
    plans = {}
    for row in np.flatnonzero(np.isfinite(snapped)).tolist():
        found = {
            key: Reached(
                int(reached[row, at]),
                _minutes(nearest[row, at]),
                None if nearest_ids is None else nearest_ids[row][at],
            )
            for at, key in enumerate(keys)
        }
        missing = find_missing({key: held.count for key, held in found.items()}, rule)
        plans[ids[row]] = Planning(
            test="planning",
            minutes=minutes,
            speed_km_h=speed_km_h,
            profile=profile or rule["planning"]["default_profile"],
            network=True,
            categories=found,
            missing=missing,
            score=score(missing, keys),
            snap_m=None if snap_m is None else round(float(snapped[row]), 1),
        )
    return plans


def _minutes(value: float) -> float | None:
    return round(float(value), 1) if np.isfinite(value) else None


def report_amenities(
    incubators: pd.DataFrame,
    amenities: pd.DataFrame,
    *,
    rule: Mapping[str, Any],
    metric_crs: Any,
    planning: Mapping[str, Planning] | None = None,
    tests: Sequence[str] = ("compliance", "planning"),
) -> AmenityReport:
    """Put both tests of each incubator side by side.

    Parameters
    ----------
    incubators, amenities, metric_crs
        As `test_compliance`.
    rule
        The rule `amenities`.
    planning
        What `plan_walks` made; None when no streets are loaded: the circles then stand in.
    tests
        Which tests are wanted.

    Returns
    -------
    AmenityReport
        Rows in the order of ids.
    """
    if "compliance" in tests:
        judged = test_compliance(
            incubators, amenities, rule=rule["compliance"], metric_crs=metric_crs
        )
        rows = [AmenityRow(**vars(row), **_NOT_PLANNED) for row in judged]
    else:
        frame = sort_by_id(incubators)
        identity = zip(frame["id"].tolist(), *identify(frame), strict=True)
        rows = [AmenityRow(*known, compliance=None, **_NOT_PLANNED) for known in identity]
    if "planning" in tests and planning is None:
        circles = draw_circles(incubators, amenities, rule=rule, metric_crs=metric_crs)
        rows = [replace(row, circle=circles[row.id]) for row in rows]
    report = AmenityReport(
        tuple(rows), rule, bool(is_demo(incubators).any() or is_demo(amenities).any())
    )
    return (
        report if planning is None or "planning" not in tests else with_planning(report, planning)
    )


_NOT_PLANNED: dict[str, Any] = {"planning": None, "planning_note": NO_STREETS, "circle": None}


def with_planning(report: AmenityReport, planning: Mapping[str, Planning]) -> AmenityReport:
    """Fill the planning test of a report; incubators on no street are marked so.

    Parameters
    ----------
    report
        As `report_amenities` made it.
    planning
        What `plan_walks` made.

    Returns
    -------
    AmenityReport
        The same with `planning` filled and the circles gone.
    """
    rows = tuple(
        replace(
            row,
            planning=planning.get(row.id),
            planning_note=None if row.id in planning else NOT_ON_STREETS,
            circle=None,
        )
        for row in report.rows
    )
    return replace(report, rows=rows)
