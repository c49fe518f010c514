"""What lies around a space or an incubator, and whether its record can still be trusted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np

from api.questions.amenities import ask_amenities
from api.questions.common import today
from api.questions.reach import ask_reach
from api.questions.records import find_record
from api.questions.space_search import SpaceSearch
from api.questions.spaces import SpacePage, ask_space, ask_spaces
from geo.amenities import Planning, plan_walks
from geo.areas import metres_from
from geo.columns import Floats
from geo.crs import project_xy
from geo.errors import NotFoundError
from geo.frames import lists, points, sort_by_id, texts
from geo.graph import Positions
from geo.reach import UNREACHABLE, one_to_many
from geo.snap import snap
from geo.surroundings import (
    Neighbour,
    PlaceFacts,
    Platform,
    Spot,
    Station,
    Surroundings,
    rank_platforms,
)
from layers.store import Store
from layers.walking import WalkWorld, walk_world

FARTHEST_MINUTES = 60.0  # of a walk to a station or platform
LIFE_MINUTES = 30.0  # of a walk to the nearest of a category
_PLATFORMS, _SPOTS, _VACANT = 6, 400, 200
_ROUGH = ("town", "unit")


def ask_surroundings(
    store: Store, lon: float, lat: float, *, industries: Sequence[str] = ()
) -> Surroundings:
    """Tell what lies around a place.

    Parameters
    ----------
    store
        The store.
    lon, lat
        The place, in WGS-84 degrees.
    industries
        What is made there, for the platforms that suit.

    Raises
    ------
    InputError
        When the place is none on earth.
    """
    catchment = ask_reach(store, lon, lat)
    world = walk_world(store)
    rules = store.rules("amenities")
    stations, demo_station = _station(store, world, lon, lat)
    platforms, demo_platforms = _platforms(store, world, lon, lat, industries)
    nearest, spots, planning = _life(world, lon, lat, rules.body)
    return Surroundings(
        catchment=catchment,
        planning=planning,
        nearest=nearest,
        station=stations,
        platforms=platforms,
        spots=spots,
        demo_counted=catchment.demo_counted or demo_station or demo_platforms,
        rule={"name": rules.name, "version": rules.version, "source": rules.source},
    )


@dataclass(frozen=True)
class SpaceFacts:
    """One space: its record as a GeoJSON feature, and what its page tells beside it."""

    feature: Mapping[str, Any]
    facts: PlaceFacts

    def to_json(self) -> dict[str, Any]:
        """Return the feature, the facts as further members of it."""
        return {**self.feature, **self.facts.to_json()}


@dataclass(frozen=True)
class IncubatorFacts:
    """One incubator: its record, what its page tells beside it, and its vacant units."""

    feature: Mapping[str, Any]
    facts: PlaceFacts
    vacant: SpacePage

    def to_json(self) -> dict[str, Any]:
        """Return the feature, the facts as further members of it."""
        return {**self.feature, **self.facts.to_json(), "vacant": self.vacant.to_json()}


def ask_space_facts(store: Store, key: str, *, stale_days: int) -> SpaceFacts:
    """Tell everything public about one space.

    Parameters
    ----------
    store
        The store.
    key
        Its id.
    stale_days
        From how many days without confirmation on a record is doubted.

    Raises
    ------
    NotFoundError
        When there is none of that id.
    """
    feature = ask_space(store, key)
    record = feature["properties"]
    facts = _facts(store, feature, record.get("incubator"), "industries", stale_days)
    return SpaceFacts(feature, facts)


def ask_incubator_facts(store: Store, key: str, *, stale_days: int) -> IncubatorFacts:
    """Tell everything public about one incubator. Arguments as `ask_space_facts`."""
    feature = find_record(store, "incubators", key)
    facts = _facts(store, feature, key, "lead_industries", stale_days)
    search = SpaceSearch(incubator=(key,), status=("vacant",), sort="area_m2", limit=_VACANT)
    return IncubatorFacts(feature, facts, ask_spaces(store, replace(search, facets=False)))


def _facts(
    store: Store, feature: Mapping[str, Any], incubator: str | None, made: str, stale_days: int
) -> PlaceFacts:
    record = feature["properties"]
    tested = None
    if incubator:
        # A space may name an incubator that the store does not have.
        with suppress(NotFoundError):
            rows = ask_amenities(store, incubator=incubator, test="compliance").rows
            tested = next(iter(rows), None)
    said = record.get("confirmed_on") or record.get("as_of")
    days = None if said is None else (today() - dt.date.fromisoformat(said)).days
    point = (feature.get("geometry") or {}).get("coordinates")
    around = None
    if point is not None:
        around = ask_surroundings(store, *point, industries=record.get(made) or ())
    return PlaceFacts(
        around=around,
        compliance=None if tested is None else tested.compliance,
        approximate=tested is not None and tested.approximate,
        unconfirmed_days=days,
        stale=days is not None and days > stale_days,
    )


def _walk(world: WalkWorld, lon: float, lat: float, targets: Positions | None, limit: float) -> Any:
    """Return the minutes on foot to some places, infinite where not reached; None off streets."""
    if world.network is None or targets is None:
        return None
    x, y = project_xy(np.array([lon]), np.array([lat]), target=world.crs)
    origin = snap(world.network, x, y, max_snap_m=world.max_snap_m)
    if not origin.on_network.any():
        return None
    times = one_to_many(world.network, world.costs(), origin, targets, limit_s=limit * 60.0)[0]
    return np.where(times < UNREACHABLE, times / 60_000.0, np.inf)


def _placed(store: Store, layer: str) -> gpd.GeoDataFrame:
    frame = sort_by_id(store.read(layer))
    return gpd.GeoDataFrame(
        frame.loc[[one is not None for one in points(frame)]].reset_index(drop=True)
    )


def _distances(
    world: WalkWorld, frame: gpd.GeoDataFrame, lon: float, lat: float
) -> tuple[Floats, Floats]:
    """Return the straight metres to records, and the minutes on foot."""
    away = metres_from(lon, lat, frame.geometry.x.to_numpy(), frame.geometry.y.to_numpy())
    walked = _walk(world, lon, lat, world.place(frame), FARTHEST_MINUTES)
    return away, np.full(len(frame), np.inf) if walked is None else walked


def _told(minutes: float) -> float | None:
    return round(float(minutes), 1) if np.isfinite(minutes) else None


def _station(store: Store, world: WalkWorld, lon: float, lat: float) -> tuple[Station | None, bool]:
    frame = _placed(store, "stations")
    if frame.empty:
        return None, False
    away, walked = _distances(world, frame, lon, lat)
    row = int(np.lexsort((away, walked))[0])
    demo = texts(frame, "provenance")[row] == "demo"
    station = Station(
        id=str(frame["id"].iloc[row]),
        name=texts(frame, "name")[row] or "",
        metres=round(float(away[row])),
        minutes=_told(walked[row]),
        lines=tuple(lists(frame, "lines")[row]),
    )
    return station, demo


def _platforms(
    store: Store, world: WalkWorld, lon: float, lat: float, industries: Sequence[str]
) -> tuple[tuple[Platform, ...], bool]:
    frame = _placed(store, "platforms")
    if frame.empty:
        return (), False
    away, walked = _distances(world, frame, lon, lat)
    made = set(industries)
    columns = zip(
        frame["id"],
        *(texts(frame, name) for name in ("name", "kind", "geom_precision", "provenance")),
        *(lists(frame, name) for name in ("industries", "services")),
        strict=True,
    )
    found, demo = [], set()
    for row, (key, name, kind, precision, provenance, serves, services) in enumerate(columns):
        if provenance == "demo":
            demo.add(key)
        rough = precision in _ROUGH
        found.append(
            Platform(
                id=key,
                name=name or key,
                metres=round(float(away[row])),
                minutes=None if rough else _told(walked[row]),
                kind=kind,
                industries=tuple(serves),
                services=tuple(services),
                suits=not made.isdisjoint(serves),
                rough=rough,
            )
        )
    ranked = rank_platforms(found, most=_PLATFORMS)
    return ranked, any(one.id in demo for one in ranked)


def _life(
    world: WalkWorld, lon: float, lat: float, rule: dict[str, Any]
) -> tuple[dict[str, Neighbour], tuple[Spot, ...], Planning | None]:
    """Return the nearest of each category, what lies within the zones, and the planning test."""
    amenities = world.amenities
    codes, positions = amenities.codes, amenities.positions
    if codes is None or not len(codes):
        return {}, (), None
    x, y = project_xy(np.array([lon]), np.array([lat]), target=world.crs)
    away = np.hypot(amenities.x - x, amenities.y - y)
    pace = world.profile().speed_km_h * 1000.0 / 60.0
    # Nobody walks quicker than straight ahead: only these can be reached in time.
    close = np.flatnonzero(away <= LIFE_MINUTES * pace)
    targets = None if positions is None else positions.take(close)
    walked = _walk(world, lon, lat, targets, LIFE_MINUTES)
    minutes = away[close] / pace if walked is None else walked
    frame, known = world.amenity_frame, world.amenity_rows
    limit = float(rule["planning"]["minutes"])
    nearest, counts, best = {}, [], []
    for number, category in enumerate(world.categories):
        of = np.flatnonzero(codes[close] == number)
        counts.append(int(np.count_nonzero(minutes[of] <= limit)))
        first = of[np.argmin(minutes[of])] if len(of) else None
        best.append(np.inf if first is None else float(minutes[first]))
        if first is not None and np.isfinite(minutes[first]):
            record = frame.iloc[int(known[close[first]])]
            name = record["name"] if isinstance(record["name"], str) else ""
            nearest[category] = Neighbour(
                str(record["id"]), name, round(float(away[close[first]])), _told(minutes[first])
            )
    inside = np.flatnonzero(minutes <= limit)
    inside = inside[np.argsort(minutes[inside], kind="stable")][:_SPOTS]
    shapes = frame.geometry.iloc[known[close[inside]]].representative_point()
    spots = tuple(
        Spot(round(p.x, 6), round(p.y, 6), world.categories[code])
        for p, code in zip(shapes, codes[close[inside]].tolist(), strict=True)
    )
    plan = None
    if walked is not None:
        plan = plan_walks(["here"], [counts], [best], rule=rule)["here"]
    return nearest, spots, plan
