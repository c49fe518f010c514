"""Circles round an incubator: the standard's own, and the one that stands in for a walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.categories import find_missing, find_walker, score
from geo.frames import Floats, is_demo, points, sort_by_id, texts
from geo.nearest import count_within, find_nearest, to_metres

VENUE, SPACE = "venue", "space"

_METRES_PER_MINUTE = 1000.0 / 60.0  # of 1 km/h


@dataclass(frozen=True)
class Compliance:
    """The standard's circle: what lies inside, and what is short of the rule.

    `setting_known` is False where the record does not say urban or rural and the smaller, urban
    circle is taken. Distances are straight metres to the nearest of each, None where there is none;
    `nearest_venue` and `nearest_space` are its id.
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
    nearest_venue: str | None = None
    nearest_space: str | None = None


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
class Encircled:
    """How many of one category lie in the circle; straight metres to the nearest, and its id."""

    count: int
    nearest_m: float | None
    nearest: str | None = None


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
    counts = {kind: count_within(here, found.metres, radius_m) for kind, found in places.items()}
    nearest = {kind: found.find_nearest(here) for kind, found in places.items()}
    names, units, rough, demo = identify(frame)
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
                nearest={kind: found[row] for kind, found in nearest.items()},
            ),
        )
        for row, key in enumerate(frame["id"].tolist())
    ]


test_compliance.__test__ = False  # type: ignore[attr-defined]  # it is not a test of pytest


def identify(
    frame: pd.DataFrame,
) -> tuple[list[str | None], list[str | None], list[bool], npt.NDArray[np.bool_]]:
    """Return names, units, whether the place is known to town or unit only, and whether demo."""
    rough = [precision in ("town", "unit") for precision in texts(frame, "geom_precision")]
    return texts(frame, "name"), texts(frame, "unit"), rough, is_demo(frame)


def _judge_circle(
    rule: Mapping[str, Any],
    *,
    setting: str | None,
    radius_m: float,
    counts: Mapping[str, int],
    nearest: Mapping[str, Near],
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
        nearest_venue_m=nearest[VENUE][0],
        nearest_space_m=nearest[SPACE][0],
        nearest_venue=nearest[VENUE][1],
        nearest_space=nearest[SPACE][1],
    )


Near = tuple[float | None, str | None]  # straight metres, and the id


@dataclass(frozen=True)
class _Places:
    """Places of one kind: where they are, and their ids."""

    metres: Floats
    ids: list[str]

    def find_nearest(self, here: Floats) -> list[Near]:
        at, metres = find_nearest(here, self.metres, ids=self.ids)
        return [
            (round(away, 1), self.ids[place]) if place >= 0 else (None, None)
            for place, away in zip(at.tolist(), metres.tolist(), strict=True)
        ]


def _places_by_kind(
    amenities: pd.DataFrame, column: str, kinds: Sequence[str], metric_crs: Any
) -> dict[str, _Places]:
    held = np.array([text or "" for text in texts(amenities, column)], dtype=object)
    ids = np.array(amenities["id"].tolist(), dtype=object)
    metres = to_metres(points(amenities), metric_crs)
    return {kind: _Places(metres[held == kind], ids[held == kind].tolist()) for kind in kinds}


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
    minutes, speed_km_h = find_walker(rule, None)
    radius_m = minutes * speed_km_h * _METRES_PER_MINUTE
    keys = [category["key"] for category in rule["categories"]]
    here = to_metres(points(frame), metric_crs)
    places = _places_by_kind(amenities, "category", keys, metric_crs)
    counts = [count_within(here, places[key].metres, radius_m) for key in keys]
    nearest = [places[key].find_nearest(here) for key in keys]
    circles = {}
    for row, ident in enumerate(frame["id"].tolist()):
        found = {
            key: Encircled(int(counts[at][row]), *nearest[at][row]) for at, key in enumerate(keys)
        }
        missing = find_missing({key: held.count for key, held in found.items()}, rule)
        circles[ident] = Circle(
            test="circle",
            minutes=minutes,
            speed_km_h=speed_km_h,
            radius_m=round(radius_m, 1),
            network=False,
            categories=found,
            missing=missing,
            score=score(missing, keys),
        )
    return circles
