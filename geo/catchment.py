"""Catchments: the ground that one place reaches on foot, and what lies in it.

With a street network the ground is that within a few steps of every street reached in time, and
what is counted is reached by walking itself, not by lying inside the drawn ground. Without one it
is a circle as wide as a walk straight ahead, and the answer says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geo.costs import SpeedProfile, WalkCosts
from geo.crs import project, project_xy
from geo.errors import InputError
from geo.graph import Floats, Positions, WalkNetwork
from geo.isochrone import walk_zones
from geo.reach import UNREACHABLE, one_to_many
from geo.snap import snap

MAX_MINUTES = 120.0
MAX_ZONES = 12
# An origin on an island of fewer nodes than this share of the largest is worth a warning.
_ISLAND_SHARE = 0.05
_CIRCLE_QUAD_SEGS = 32

WARNINGS = {
    "no_streets": (
        "没有步行路网：按直线圆估算。请导入路网：hatchmap import streets 文件.osm.pbf",
        "No street network: straight-line circles instead. Load one: hatchmap import streets FILE",
    ),
    "off_network": (
        "{max_snap_m:.0f} 米内没有步行道路，无法步行到达任何地方",
        "No walkable street within {max_snap_m:.0f} m: nowhere can be reached on foot",
    ),
    "island": (
        "该处道路与主路网不相连（仅 {nodes} 个路口），步行范围可能偏小",
        "The street here is cut off from the main network ({nodes} junctions): reach may be small",
    ),
    "barred": (
        "该出行方式不能使用此处的道路（如台阶）",
        "This walker can use no street here (stairs, for example)",
    ),
}


class Warned(NamedTuple):
    """Something that the reader of an answer must know: a code, and its words."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, eq=False)
class Destinations:
    """What may lie in a catchment: places with a category or a weight each.

    Parameters
    ----------
    x, y
        The places, in metres.
    positions
        The same places on the street network; None without one.
    keys
        Names of the categories, or of the one weight.
    codes
        Category of each place; empty where `weights` stand.
    weights
        Weight of each place, such as people; empty where `codes` stand.
    """

    x: Floats
    y: Floats
    positions: Positions | None
    keys: tuple[str, ...] = ()
    codes: npt.NDArray[np.int64] | None = None
    weights: Floats | None = None

    def count(self, inside: npt.NDArray[np.bool_]) -> dict[str, int]:
        """Count the places inside by category."""
        codes = np.empty(0, dtype=np.int64) if self.codes is None else self.codes[inside]
        counts = np.bincount(codes, minlength=len(self.keys))
        return dict(zip(self.keys, counts.tolist(), strict=True))

    def total(self, inside: npt.NDArray[np.bool_]) -> float:
        """Add up the weights of the places inside."""
        return 0.0 if self.weights is None else float(self.weights[inside].sum())


@dataclass(frozen=True)
class Zone:
    """The ground within one walking time, in the metric system of the catchment."""

    minutes: float
    area_m2: float
    amenities: Mapping[str, int]
    population: float | None
    geometry: shapely.MultiPolygon


@dataclass(frozen=True)
class Catchment:
    """What one place reaches on foot.

    Parameters
    ----------
    lon, lat
        The place, in WGS-84 degrees.
    profile, speed_km_h
        Who walks.
    network
        Whether streets were walked; circles otherwise.
    snap_m
        Straight way to the street, not counted as walking; None off the network or without one.
    crs
        Metric coordinate system of the zones.
    zones
        One a limit, ascending; each inside the next.
    warnings
        What the reader must know.
    demo_counted
        Whether demo records were counted.
    """

    lon: float
    lat: float
    profile: str
    speed_km_h: float
    network: bool
    snap_m: float | None
    crs: str
    zones: tuple[Zone, ...]
    warnings: tuple[Warned, ...] = ()
    demo_counted: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return a GeoJSON feature collection (RFC 7946, WGS-84), the shortest time first."""
        features = []
        for zone in self.zones:
            degrees = project(zone.geometry, source=self.crs, target="EPSG:4326")
            properties: dict[str, Any] = {
                "minutes": zone.minutes,
                "area_m2": round(zone.area_m2),
                "amenities": dict(zone.amenities),
                "population": zone.population,
            }
            features.append(
                {
                    "type": "Feature",
                    "properties": properties,
                    "geometry": shapely.geometry.mapping(shapely.set_precision(degrees, 1e-6)),
                }
            )
        return {
            "type": "FeatureCollection",
            "origin": {"lon": self.lon, "lat": self.lat},
            "profile": self.profile,
            "speed_km_h": self.speed_km_h,
            "network": self.network,
            "snap_m": None if self.snap_m is None else round(self.snap_m, 1),
            "warnings": [warned._asdict() for warned in self.warnings],
            "demo_counted": self.demo_counted,
            "features": features,
        }


def check_minutes(minutes: Sequence[float]) -> tuple[float, ...]:
    """Return the limits ascending, each once.

    Raises
    ------
    InputError
        When there are none or too many, or one is not above 0 or above `MAX_MINUTES`.

    >>> check_minutes([15, 5, 15])
    (5.0, 15.0)
    >>> check_minutes([-1])
    Traceback (most recent call last):
    geo.errors.InputError: minutes: -1 cannot be walked; give numbers above 0 and at most 120
    """
    if not 0 < len(minutes) <= MAX_ZONES:
        raise InputError(f"minutes: {len(minutes)} limits; give 1 to {MAX_ZONES}")
    for limit in minutes:
        if not (math.isfinite(limit) and 0 < limit <= MAX_MINUTES):
            raise InputError(
                f"minutes: {limit:g} cannot be walked; give numbers above 0 and at most "
                f"{MAX_MINUTES:g}"
            )
    return tuple(sorted({float(limit) for limit in minutes}))


def check_place(lon: float, lat: float) -> None:
    """Refuse what is not a place on earth in degrees.

    Raises
    ------
    InputError
        When longitude or latitude are not finite degrees.
    """
    if not (math.isfinite(lon) and abs(lon) <= 180.0):
        raise InputError(f"lon: {lon!r} is not a longitude; give degrees from -180 to 180")
    if not (math.isfinite(lat) and abs(lat) <= 90.0):
        hint = "; longitude comes first" if abs(lat) <= 180.0 else ""
        raise InputError(f"lat: {lat!r} is not a latitude; give degrees from -90 to 90{hint}")


def warn(code: str, **values: float) -> Warned:
    """Put a warning into words.

    >>> warn("island", nodes=3).en[:36]
    'The street here is cut off from the '
    """
    zh, en = WARNINGS[code]
    return Warned(code, zh.format(**values), en.format(**values))


def walk_catchment(
    network: WalkNetwork,
    costs: WalkCosts,
    lon: float,
    lat: float,
    *,
    minutes: Sequence[float],
    max_snap_m: float,
    amenities: Destinations,
    population: Destinations | None = None,
) -> Catchment:
    """Give what a place reaches over a street network.

    Parameters
    ----------
    network, costs
        The network, and the times of a profile on it.
    lon, lat
        The place, in WGS-84 degrees.
    minutes
        Limits, each above 0 and at most `MAX_MINUTES`.
    max_snap_m
        How far the next street may be.
    amenities, population
        What to count, with positions on the network.

    Raises
    ------
    InputError
        When the place or the limits make no sense.
    """
    check_place(lon, lat)
    limits = check_minutes(minutes)
    x, y = project_xy(lon, lat, source="EPSG:4326", target=network.crs)
    if not (np.isfinite(x) and np.isfinite(y)):
        raise InputError(
            f"({lon}, {lat}) lies outside the area of {network.crs}; give a place near"
        )
    origin = snap(network, [float(x)], [float(y)], max_snap_m=max_snap_m)
    drawn = walk_zones(network, costs, origin, [60.0 * limit for limit in limits])
    times = _walk_times(network, costs, origin, amenities, limits[-1])
    people = None
    if population is not None:
        people = _walk_times(network, costs, origin, population, limits[-1])
    return Catchment(
        lon=lon,
        lat=lat,
        profile=costs.profile.key,
        speed_km_h=costs.profile.speed_km_h,
        network=True,
        snap_m=float(origin.snap_m[0]) if origin.on_network[0] else None,
        crs=network.crs,
        zones=tuple(
            Zone(
                limit,
                float(zone.area),
                amenities.count(times <= limit * 60_000.0),
                None
                if population is None or people is None
                else population.total(people <= limit * 60_000.0),
                zone,
            )
            for limit, zone in zip(limits, drawn, strict=True)
        ),
        warnings=_warn_of(network, origin, max_snap_m, reached_any=not drawn[-1].is_empty),
    )


def circle_catchment(
    lon: float,
    lat: float,
    *,
    crs: str,
    profile: SpeedProfile,
    minutes: Sequence[float],
    amenities: Destinations,
    population: Destinations | None = None,
) -> Catchment:
    """Give what a place reaches straight ahead, where no streets are known.

    Parameters
    ----------
    crs
        Metric coordinate system of the destinations, `EPSG:n`.
    lon, lat, minutes, amenities, population
        As for `walk_catchment`.

    >>> nothing = Destinations(np.empty(0), np.empty(0), None)
    >>> answer = circle_catchment(120.7, 28.0, crs="EPSG:4549",
    ...     profile=SpeedProfile("adult", 4.0), minutes=[15], amenities=nothing)
    >>> round(answer.zones[0].area_m2 / 1e6, 2), answer.warnings[0].code
    (3.14, 'no_streets')
    """
    check_place(lon, lat)
    limits = check_minutes(minutes)
    x, y = project_xy(lon, lat, source="EPSG:4326", target=crs)
    if not (np.isfinite(x) and np.isfinite(y)):
        raise InputError(f"({lon}, {lat}) lies outside the area of {crs}; give a place near")
    centre = shapely.Point(float(x), float(y))
    metres_a_minute = profile.speed_km_h * 1000.0 / 60.0
    near_m = np.hypot(amenities.x - x, amenities.y - y)
    found = []
    for limit in limits:
        radius_m = limit * metres_a_minute
        circle = shapely.MultiPolygon([centre.buffer(radius_m, quad_segs=_CIRCLE_QUAD_SEGS)])
        people = None
        if population is not None:
            people = population.total(np.hypot(population.x - x, population.y - y) <= radius_m)
        found.append(
            Zone(limit, float(circle.area), amenities.count(near_m <= radius_m), people, circle)
        )
    return Catchment(
        lon=lon,
        lat=lat,
        profile=profile.key,
        speed_km_h=profile.speed_km_h,
        network=False,
        snap_m=None,
        crs=crs,
        zones=tuple(found),
        warnings=(warn("no_streets"),),
    )


def _walk_times(
    network: WalkNetwork,
    costs: WalkCosts,
    origin: Positions,
    places: Destinations,
    minutes: float,
) -> Floats:
    """Give the milliseconds to each place; infinite where not reached."""
    if places.positions is None or not len(places.positions):
        return np.full(len(places.x), np.inf)
    ms = one_to_many(network, costs, origin, places.positions, limit_s=minutes * 60.0)[0]
    return np.where(ms < UNREACHABLE, ms, np.inf)


def _warn_of(
    network: WalkNetwork, origin: Positions, max_snap_m: float, *, reached_any: bool
) -> tuple[Warned, ...]:
    if not origin.on_network[0]:
        return (warn("off_network", max_snap_m=max_snap_m),)
    warnings = []
    nodes = int(network.component_size[origin.islands(network)[0]])
    if nodes < _ISLAND_SHARE * int(network.component_size[0]):
        warnings.append(warn("island", nodes=nodes))
    if not reached_any:
        warnings.append(warn("barred"))
    return tuple(warnings)
