"""What lies around each incubator: the circle of the standard, and minutes on foot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import geopandas as gpd
import pandas as pd

from api.questions.common import read_rule, today
from geo.amenities import AmenityReport, Planning, plan_walks, report_amenities
from geo.circles import SPACE, VENUE
from geo.errors import InputError, NotFoundError
from geo.lifecycle import status_at
from geo.reach import by_category, matrix
from layers.query import Query
from layers.store import Store
from layers.walking import WalkWorld, walk_world

Test = Literal["both", "compliance", "planning"]

_TESTS = {
    "both": ("compliance", "planning"),
    "compliance": ("compliance",),
    "planning": ("planning",),
}
_INCUBATOR_COLUMNS = (
    "name", "unit", "town_code", "setting", "status", "started_on", "completed_on", "opened_on",
    "closed_on", "as_of", "provenance", "geom_precision", "geometry",
)  # fmt: skip
_AMENITY_COLUMNS = ("category", "cultural_kind", "provenance", "geometry")


def ask_amenities(
    store: Store,
    *,
    incubator: str | None = None,
    test: Test = "both",
    profile: str | None = None,
    demo: bool = True,
) -> AmenityReport:
    """Run the 15-minute tests for one incubator, or for all that are not withdrawn.

    Parameters
    ----------
    store
        The store.
    incubator
        The id of one incubator; all when None.
    test
        `compliance` (the standard's circle), `planning` (walking minutes, or a circle in their
        stead where no streets are loaded) or `both`.
    profile
        Who walks, by key; as the rules say when None.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When there is no such test or profile.
    NotFoundError
        When there is no such incubator.
    """
    return gather_amenities(
        store, incubator=incubator, test=test, profile=profile, demo=demo
    ).report


@dataclass(frozen=True)
class Gathered:
    """Both tests, and the records that they are of."""

    report: AmenityReport
    incubators: pd.DataFrame
    amenities: pd.DataFrame


def gather_amenities(
    store: Store,
    *,
    incubator: str | None = None,
    test: Test = "both",
    profile: str | None = None,
    demo: bool = True,
) -> Gathered:
    """Run the tests as `ask_amenities` does, and keep what they read.

    Raises
    ------
    InputError
        When there is no such test or profile.
    NotFoundError
        When there is no such incubator.
    """
    if test not in _TESTS:
        raise InputError(f"test {test!r} is not known; give one of {', '.join(_TESTS)}")
    tests = _TESTS[test]
    rule = read_rule(store, "amenities")
    incubators = _read_incubators(store, incubator, demo=demo)
    amenities = store.read("amenities", _amenities_of(tests, demo=demo))
    world = walk_world(store) if "planning" in tests else None
    walks = world is not None and (demo or not world.demo_counted)
    planning = _walk(world, incubators, rule, profile) if world is not None and walks else None
    report = report_amenities(
        incubators,
        amenities,
        rule=rule,
        metric_crs=store.metric_crs,
        planning=planning,
        tests=tests,
    )
    streets_demo = planning is not None and world is not None and world.streets_demo
    whole = replace(report, demo_counted=report.demo_counted or streets_demo)
    return Gathered(whole, incubators, amenities)


def _amenities_of(tests: tuple[str, ...], *, demo: bool) -> Query:
    """Ask for the amenities that the tests count: the circle of the standard needs few of them."""
    where = {} if "planning" in tests else {"cultural_kind": [VENUE, SPACE]}
    return Query(where=where, demo=demo, columns=_AMENITY_COLUMNS)


def _read_incubators(store: Store, key: str | None, *, demo: bool) -> pd.DataFrame:
    ids = None if key is None else [key]
    query = Query(ids=ids, demo=demo, columns=_INCUBATOR_COLUMNS)
    frame = store.read("incubators", query)
    if key is not None and frame.empty:
        raise NotFoundError(f"there is no incubator with id {key!r}")
    if key is None:
        frame = frame.loc[status_at(frame, today()) != "withdrawn"].reset_index(drop=True)
    return frame


def _walk(
    world: WalkWorld, incubators: pd.DataFrame, rule: dict[str, Any], profile: str | None
) -> dict[str, Planning] | None:
    """Walk from each incubator to the amenities of every category; None without streets."""
    placed = gpd.GeoDataFrame(incubators[incubators.geometry.notna()])
    destinations = world.amenities
    origins = world.place(placed)
    positions, codes = destinations.positions, destinations.codes
    if world.network is None or origins is None or positions is None or codes is None:
        return None
    reached = matrix(
        world.network,
        world.costs(profile),
        origins,
        by_category(positions, codes, count=len(destinations.keys)),
        limit_s=60.0 * float(rule["planning"]["minutes"]),
    )
    ids = world.amenity_frame["id"].to_numpy(dtype=object)[world.amenity_rows]
    by_code = [ids[codes == code] for code in range(len(destinations.keys))]
    return plan_walks(
        placed["id"].tolist(),
        reached.counts,
        reached.nearest_minutes,
        rule=rule,
        profile=profile,
        snap_m=origins.snap_m,
        nearest_ids=[
            [own[at] if at >= 0 else None for own, at in zip(by_code, row, strict=True)]
            for row in reached.nearest_id.tolist()
        ],
    )
