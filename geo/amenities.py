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

from geo.errors import InputError
from geo.frames import Floats, is_demo, points, sort_by_id, texts
from geo.nearest import count_within, find_nearest, to_metres
from geo.plain import plain, share

VENUE, SPACE = "venue", "space"
NO_STREETS, NOT_ON_STREETS = "no_streets", "no_street_within_reach"

_METRES_PER_MINUTE = 1000.0 / 60.0  # of 1 km/h


@dataclass(frozen=True)
class Compliance:
    """The standard's circle: what lies inside, and what is short of the rule.

    `setting_known` is False where the record does not say urban or rural and the smaller, urban
    circle is taken. Distances are straight metres to the nearest of each, None where there is none.
    """

    test: str
    setting: str
    setting_known: bool
    radius_m: float
    venues: int
    spaces: int
    ok: bool
    missing: tuple[str, ...]
    nearest_venue_m: float | None
    nearest_space_m: float | None


@dataclass(frozen=True)
class ComplianceRow:
    """One incubator and its circle; `approximate` when its place is known to town or unit only."""

    id: str
    name: str | None
    unit: str | None
    approximate: bool
    demo: bool
    compliance: Compliance


@dataclass(frozen=True)
class Reached:
    """How many of one category are within reach on foot, and minutes to the nearest (or None)."""

    count: int
    nearest_minutes: float | None


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
class Encircled:
    """How many of one category lie in the circle, and straight metres to the nearest (or None)."""

    count: int
    nearest_m: float | None


@dataclass(frozen=True)
class Circle:
    """The stand-in for the planning test: a circle as wide as the walk would be on open ground."""

    test: str
    minutes: float
    speed_km_h: float
    radius_m: float
    network: bool
    categories: Mapping[str, Encircled]
    missing: tuple[str, ...]
    score: float


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


def test_compliance(
    incubators: pd.DataFrame,
    amenities: pd.DataFrame,
    *,
    rule: Mapping[str, Any],
    metric_crs: Any,
) -> list[ComplianceRow]:
    """Draw the circle of the standard round each incubator and count cultural places in it.

    The circle is 1 km in the city and 1.5 km in the country, with at least one required cultural
    venue and two public cultural spaces ("15分钟品质文化生活圈"); all are numbers of the rule.

    Parameters
    ----------
    incubators
        Records with points; `setting` is `urban` or `rural`.
    amenities
        Records with points; `cultural_kind` is `venue` or `space`.
    rule
        The part `compliance` of the rule `amenities`: `urban_radius_m`, `rural_radius_m`,
        `min_venues`, `min_spaces`.
    metric_crs
        The coordinate system to measure in, metres. The rim of the circle is inside.

    Returns
    -------
    list
        A row per incubator, in the order of ids. An incubator without a point has nothing around.
    """
    frame = sort_by_id(incubators)
    here = to_metres(points(frame), metric_crs)
    settings = texts(frame, "setting")
    rural = np.array([setting == "rural" for setting in settings], dtype=bool)
    radius_m = np.where(rural, rule["rural_radius_m"], rule["urban_radius_m"]).astype(np.float64)
    places = _places_by_kind(amenities, "cultural_kind", (VENUE, SPACE), metric_crs)
    counts = {kind: count_within(here, where, radius_m) for kind, where in places.items()}
    nearest = {kind: find_nearest(here, where)[1] for kind, where in places.items()}
    names, units, rough, demo = _identity(frame)
    return [
        ComplianceRow(
            id=key,
            name=names[row],
            unit=units[row],
            approximate=rough[row],
            demo=bool(demo[row]),
            compliance=_judge_circle(
                rule,
                setting=settings[row],
                radius_m=float(radius_m[row]),
                counts={kind: int(found[row]) for kind, found in counts.items()},
                nearest_m={kind: _metres(found[row]) for kind, found in nearest.items()},
            ),
        )
        for row, key in enumerate(frame["id"].tolist())
    ]


test_compliance.__test__ = False  # type: ignore[attr-defined]  # it is not a test of pytest


def _identity(
    frame: pd.DataFrame,
) -> tuple[list[str | None], list[str | None], list[bool], npt.NDArray[np.bool_]]:
    rough = [precision in ("town", "unit") for precision in texts(frame, "geom_precision")]
    return texts(frame, "name"), texts(frame, "unit"), rough, is_demo(frame)


def _judge_circle(
    rule: Mapping[str, Any],
    *,
    setting: str | None,
    radius_m: float,
    counts: Mapping[str, int],
    nearest_m: Mapping[str, float | None],
) -> Compliance:
    wanted = {"venues": (VENUE, rule["min_venues"]), "spaces": (SPACE, rule["min_spaces"])}
    missing = tuple(name for name, (kind, least) in wanted.items() if counts[kind] < least)
    return Compliance(
        test="compliance",
        setting=setting or "urban",
        setting_known=setting is not None,
        radius_m=radius_m,
        venues=counts[VENUE],
        spaces=counts[SPACE],
        ok=not missing,
        missing=missing,
        nearest_venue_m=nearest_m[VENUE],
        nearest_space_m=nearest_m[SPACE],
    )


def _places_by_kind(
    amenities: pd.DataFrame, column: str, kinds: Sequence[str], metric_crs: Any
) -> dict[str, Floats]:
    held = np.array([text or "" for text in texts(amenities, column)], dtype=object)
    metres = to_metres(points(amenities), metric_crs)
    return {kind: metres[held == kind] for kind in kinds}


def _metres(value: float) -> float | None:
    return round(float(value), 1) if np.isfinite(value) else None


def draw_circles(
    incubators: pd.DataFrame,
    amenities: pd.DataFrame,
    *,
    rule: Mapping[str, Any],
    metric_crs: Any,
) -> dict[str, Circle]:
    """Count the amenities of every category in a circle round each incubator.

    The stand-in for the planning test where no streets are loaded: the radius is the way that the
    default profile walks in the minutes of the rule, without any detour; it flatters.

    Parameters
    ----------
    incubators, amenities, metric_crs
        As `test_compliance`; amenities have a `category`.
    rule
        The rule `amenities` with `planning`, `categories` and `profiles`.

    Returns
    -------
    dict
        A circle per incubator's id.
    """
    frame = sort_by_id(incubators)
    minutes, speed_km_h = _walk(rule, None)
    radius_m = minutes * speed_km_h * _METRES_PER_MINUTE
    keys = [category["key"] for category in rule["categories"]]
    here = to_metres(points(frame), metric_crs)
    places = _places_by_kind(amenities, "category", keys, metric_crs)
    counts = [count_within(here, places[key], radius_m) for key in keys]
    nearest = [find_nearest(here, places[key])[1] for key in keys]
    circles = {}
    for row, ident in enumerate(frame["id"].tolist()):
        found = {
            key: Encircled(int(counts[at][row]), _metres(nearest[at][row]))
            for at, key in enumerate(keys)
        }
        missing = _missing({key: held.count for key, held in found.items()}, rule)
        circles[ident] = Circle(
            test="circle",
            minutes=minutes,
            speed_km_h=speed_km_h,
            radius_m=round(radius_m, 1),
            network=False,
            categories=found,
            missing=missing,
            score=_score(missing, keys),
        )
    return circles


def _walk(rule: Mapping[str, Any], profile: str | None) -> tuple[float, float]:
    """Return the minutes and the speed of a profile, the default one when None."""
    planning = rule["planning"]
    key = profile or planning["default_profile"]
    speeds = {item["key"]: float(item["speed_km_h"]) for item in rule["profiles"]}
    if key not in speeds:
        raise InputError(f"walking profile {key!r} is not known; give one of {', '.join(speeds)}")
    return float(planning["minutes"]), speeds[key]


def _missing(counts: Mapping[str, int], rule: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the categories with fewer than their least count."""
    usual = rule["planning"]["min_count"]
    least = {item["key"]: item.get("min_count", usual) for item in rule["categories"]}
    return tuple(key for key, count in counts.items() if count < least[key])


def _score(missing: Sequence[str], keys: Sequence[str]) -> float:
    """Return the share of categories that are within reach, 0 to 1."""
    return round(1.0 - len(missing) / len(keys), 4) if keys else 0.0


def plan_walks(
    ids: Sequence[str],
    counts: npt.ArrayLike,
    nearest_minutes: npt.ArrayLike,
    *,
    rule: Mapping[str, Any],
    profile: str | None = None,
    snap_m: npt.ArrayLike | None = None,
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
    minutes, speed_km_h = _walk(rule, profile)
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
            key: Reached(int(reached[row, at]), _minutes(nearest[row, at]))
            for at, key in enumerate(keys)
        }
        missing = _missing({key: held.count for key, held in found.items()}, rule)
        plans[ids[row]] = Planning(
            test="planning",
            minutes=minutes,
            speed_km_h=speed_km_h,
            profile=profile or rule["planning"]["default_profile"],
            network=True,
            categories=found,
            missing=missing,
            score=_score(missing, keys),
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
        identity = zip(frame["id"].tolist(), *_identity(frame), strict=True)
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
