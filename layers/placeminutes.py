"""Walking minutes of the places where spaces are: from a chosen place, and to daily life.

Over the streets of the store. Where it has none, straight ahead at the walker's speed, and the
answer says so: that is a floor, never an estimate of the way.
"""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from scipy.spatial import cKDTree

from geo.columns import Floats
from geo.crs import project_xy
from geo.graph import Ints
from geo.matrix import matrix, one_to_many
from geo.search import UNREACHABLE
from geo.snap import snap
from layers.columns import SpaceTable
from layers.walking import WalkWorld

MAX_MINUTES = 60.0

_kept: WeakKeyDictionary[SpaceTable, tuple[WalkWorld, dict[Any, Floats]]] = WeakKeyDictionary()
_lock = threading.Lock()


def minutes_from(
    table: SpaceTable, world: WalkWorld, lon: float, lat: float, *, profile: str | None = None
) -> Floats:
    """Return the minutes from a place to every record; infinite beyond `MAX_MINUTES`.

    Parameters
    ----------
    table
        The records.
    world
        The walking world.
    lon, lat
        The place, in WGS-84 degrees.
    profile
        Who walks; as the rules say when None.
    """

    def walk() -> Floats:
        x, y = project_xy(np.array([lon]), np.array([lat]), target=world.crs)
        px, py = _metres(table, world)
        if world.network is None:
            return np.asarray(np.hypot(px - x, py - y) / _metres_a_minute(world, profile))
        origin = snap(world.network, x, y, max_snap_m=world.max_snap_m)
        targets = snap(world.network, px, py, max_snap_m=world.max_snap_m)
        times = one_to_many(
            world.network, world.costs(profile), origin, targets, limit_s=MAX_MINUTES * 60.0
        )
        return _minutes(times[0])

    return _spread(table, world, ("from", lon, lat, profile), walk)


def minutes_to(
    table: SpaceTable, world: WalkWorld, category: str, *, profile: str | None = None
) -> Floats:
    """Return the minutes from every record to the nearest amenity of a category.

    Infinite beyond `MAX_MINUTES`, and where there is none.
    """

    def walk() -> Floats:
        amenities = world.amenities
        px, py = _metres(table, world)
        if amenities.codes is None or not len(px):
            return np.full(len(px), np.inf)
        chosen = np.flatnonzero(amenities.codes == world.categories.index(category))
        if not len(chosen):
            return np.full(len(px), np.inf)
        if world.network is None or amenities.positions is None:
            tree = cKDTree(np.column_stack([amenities.x[chosen], amenities.y[chosen]]))
            metres, _ = tree.query(np.column_stack([px, py]))
            return np.asarray(metres / _metres_a_minute(world, profile))
        origins = snap(world.network, px, py, max_snap_m=world.max_snap_m)
        facilities = [amenities.positions.take(chosen)]
        limit_s = MAX_MINUTES * 60.0
        found = matrix(world.network, world.costs(profile), origins, facilities, limit_s=limit_s)
        return _minutes(found.nearest_ms[:, 0])

    return _spread(table, world, ("to", category, profile), walk)


def life_scores(table: SpaceTable, world: WalkWorld) -> Floats:
    """Return for every record how complete daily life is within a walk, from 0 to 100.

    The share of the categories of amenities of which at least one lies within the walking minutes
    of the rules; NaN without a place.
    """
    limit = float(world.rules["planning"]["minutes"])

    def walk() -> Floats:
        near = [minutes_to(table, world, category) <= limit for category in world.categories]
        at, lon, _ = table.places
        scores = np.zeros(len(lon) + 1)
        scores[at] = 100.0 * np.mean(near, axis=0)
        return scores[:-1]

    scores = _spread(table, world, ("score",), walk)
    return np.where(np.isfinite(scores), scores, np.nan)


def _spread(table: SpaceTable, world: WalkWorld, key: Any, walk: Any) -> Floats:
    """Give every record the minutes of its place; places are walked once a world and question."""
    with _lock:
        kept = _kept.get(table)
        if kept is None or kept[0] is not world or len(kept[1]) > 256:
            kept = _kept[table] = (world, {})
        by_place = kept[1].get(key)
    if by_place is None:
        by_place = walk()
        with _lock:
            kept[1][key] = by_place
    at, _, _ = table.places
    return np.append(by_place, np.inf)[at]


def _metres(table: SpaceTable, world: WalkWorld) -> tuple[Floats, Floats]:
    _, lon, lat = table.places
    x, y = project_xy(lon, lat, target=world.crs)
    return np.asarray(x), np.asarray(y)


def _minutes(times: Ints) -> Floats:
    return np.where(times < UNREACHABLE, times / 60_000.0, np.inf)


def _metres_a_minute(world: WalkWorld, profile: str | None) -> float:
    return world.profile(profile).speed_km_h * 1000.0 / 60.0
