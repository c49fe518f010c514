"""Who serves whom: demand in walking reach of candidates, and the towns that they lie in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from scipy import sparse
from scipy.spatial import cKDTree

from geo.costs import WalkCosts
from geo.crs import project
from geo.errors import CancelledError
from geo.graph import Positions, WalkNetwork
from geo.matrix import one_to_many
from geo.nearest import to_metres
from geo.pool import Cancel, Progress
from geo.search import UNREACHABLE
from geo.towns import Town
from geo.units import short_code

Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]

_SITES_A_STEP = 32


def walk_reach(
    network: WalkNetwork,
    costs: WalkCosts,
    sites: Positions,
    demand: Positions,
    *,
    limit_s: float,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> sparse.csr_array:
    """Tell which demand each site reaches on foot.

    Parameters
    ----------
    network, costs
        The network, and the times of a profile on it.
    sites, demand
        Places on edges; those off the network reach nothing and are not reached.
    limit_s
        Longest time, in seconds, walked from the site.
    progress, cancel
        As for `geo.pool.run_pieces`.

    Returns
    -------
    scipy.sparse.csr_array
        Demand × sites, true where reached.

    Raises
    ------
    CancelledError
        When `cancel` said yes.
    """
    rows = []
    for first in range(0, len(sites), _SITES_A_STEP):
        if cancel is not None and cancel():
            raise CancelledError("stopped on request before the reach of the sites was known")
        some = sites.take(np.arange(first, min(first + _SITES_A_STEP, len(sites))))
        times = one_to_many(network, costs, some, demand, limit_s=limit_s)
        rows.append(sparse.csr_array(times < UNREACHABLE))
        if progress is not None:
            progress(min(1.0, (first + _SITES_A_STEP) / len(sites)))
    if not rows:
        return sparse.csr_array((len(demand), 0), dtype=bool)
    return sparse.csr_array(sparse.vstack(rows).T)


def circle_reach(sites: Floats, demand: Floats, *, radius_m: float) -> sparse.csr_array:
    """Tell which demand lies within a distance of each site, straight ahead.

    Parameters
    ----------
    sites, demand
        (n, 2) metres; rows with NaN reach nothing.
    radius_m
        The distance; a place just so far counts.

    >>> circle_reach(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [6.0, 0.0]]),
    ...     radius_m=5.0).toarray().tolist()
    [[True], [False]]
    """
    here, there = (np.flatnonzero(np.isfinite(xy).all(axis=1)) for xy in (sites, demand))
    near = cKDTree(demand[there]).query_ball_point(sites[here], radius_m) if len(there) else []
    column = np.repeat(here[: len(near)], [len(found) for found in near])
    row = there[np.concatenate([*near, []]).astype(np.int64)]
    shape = (len(demand), len(sites))
    return sparse.csr_array((np.ones(len(row), dtype=bool), (row, column)), shape=shape)


def town_reach(
    towns: Sequence[Town],
    points: Shapes,
    codes: Sequence[str | None],
    *,
    metric_crs: str,
    within_m: float = 0.0,
) -> sparse.csr_array:
    """Tell which towns each site would cover.

    A site covers the town that it lies in: the outline decides where it is known, else the code of
    the town in the site's record. With `within_m` it also covers towns whose outline (else seat) is
    no farther than that.

    Parameters
    ----------
    towns
        The towns.
    points
        Points of the sites, EPSG:4490.
    codes
        Code of the town in each site's record.
    metric_crs
        The coordinate system to measure in.
    within_m
        Distance in metres.

    Returns
    -------
    scipy.sparse.csr_array
        Towns × sites, true where covered.
    """
    short = [short_code(code) if code else None for code in codes]
    metres = np.asarray(shapely.points(to_metres(points, metric_crs)), dtype=object)
    rows = [
        _covers(town, points, short, metres, metric_crs=metric_crs, within_m=within_m)
        for town in towns
    ]
    return sparse.csr_array(np.array(rows, dtype=bool).reshape(len(towns), len(points)))


def _covers(
    town: Town,
    points: Shapes,
    codes: Sequence[str | None],
    metres: Shapes,
    *,
    metric_crs: str,
    within_m: float,
) -> npt.NDArray[np.bool_]:
    outline = town.place.outline
    if outline is not None:
        inside = np.asarray(shapely.intersects(outline, points), dtype=bool)
    else:
        inside = np.array([code == town.place.code for code in codes], dtype=bool)
    place = outline if outline is not None else town.seat
    if within_m <= 0 or place is None:
        return inside
    measured = project(np.array([place], dtype=object), target=metric_crs)[0]
    near: npt.NDArray[np.bool_] = inside | (shapely.distance(measured, metres) <= within_m)
    return near
