"""Straight distances in metres: the nearest of many places, and how many lie within a radius."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS

from geo.crs import project_xy
from geo.frames import Floats, Shapes

Indices = npt.NDArray[np.int64]


def to_metres(points: Shapes, crs: Any) -> Floats:
    """Project points in EPSG:4490 to metres.

    Parameters
    ----------
    points
        Shapely points or None.
    crs
        A metric coordinate system, as pyproj takes it.

    Returns
    -------
    numpy.ndarray
        (n, 2) x and y in metres; NaN for None.
    """
    lon, lat = shapely.get_x(points), shapely.get_y(points)
    metres = np.full((len(lon), 2), np.nan)
    known = np.isfinite(lon) & np.isfinite(lat)
    if known.any():
        target = CRS.from_user_input(crs).to_string()
        metres[known] = np.column_stack(project_xy(lon[known], lat[known], target=target))
    return metres


def find_nearest(
    origins: Floats, places: Floats, *, ids: Sequence[str] | None = None
) -> tuple[Indices, Floats]:
    """Find the nearest place of each origin.

    Parameters
    ----------
    origins, places
        (n, 2) and (m, 2) metres; rows with NaN are passed over.
    ids
        Names of the places; of places equally near, the one with the smallest name is taken, so
        that the order of rows never decides. The order of `places` when None.

    Returns
    -------
    tuple
        Index of the place, -1 where there is none, and the distance in metres, NaN there.

    Examples
    --------
    >>> at, metres = find_nearest(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 9.0]]))
    >>> at.tolist(), metres.tolist()
    ([0], [5.0])
    """
    nearest = np.full(len(origins), -1, dtype=np.int64)
    distance_m = np.full(len(origins), np.nan)
    known = np.flatnonzero(np.isfinite(places).all(axis=1)) if len(places) else np.empty(0, int)
    asked = np.flatnonzero(np.isfinite(origins).all(axis=1)) if len(origins) else known[:0]
    if not len(known) or not len(asked):
        return nearest, distance_m
    if ids is not None:
        known = np.array(sorted(known.tolist(), key=lambda place: ids[place]), dtype=np.int64)
    tree = _index(places[known])
    (origin, place), metres = tree.query_nearest(
        shapely.points(origins[asked]), all_matches=True, return_distance=True
    )
    first = np.full(len(asked), len(known), dtype=np.int64)
    np.minimum.at(first, origin, place)
    nearest[asked] = known[first]
    distance_m[asked[origin]] = metres
    return nearest, distance_m


def _index(places: Floats) -> shapely.STRtree:
    points: Any = shapely.points(places)
    return shapely.STRtree(points)


def count_within(origins: Floats, places: Floats, radius_m: float | Floats) -> Indices:
    """Count the places within a radius of each origin, the rim included.

    Parameters
    ----------
    origins, places
        (n, 2) and (m, 2) metres; rows with NaN are passed over (an origin's count is then 0).
    radius_m
        One radius, or one per origin.

    Returns
    -------
    numpy.ndarray
        A count per origin.

    Examples
    --------
    >>> count_within(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 9.0]]), 5.0).tolist()
    [1]
    """
    counts = np.zeros(len(origins), dtype=np.int64)
    known = places[np.isfinite(places).all(axis=1)] if len(places) else places
    asked = np.isfinite(origins).all(axis=1) if len(origins) else np.zeros(0, dtype=bool)
    if len(known) and asked.any():
        radii = np.broadcast_to(np.asarray(radius_m, dtype=np.float64), counts.shape)[asked]
        tree = _index(known)
        found = tree.query(shapely.points(origins[asked]), predicate="dwithin", distance=radii)
        counts[asked] = np.bincount(found[0], minlength=len(radii))
    return counts
