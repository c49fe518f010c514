"""Snapping: from a place to the street nearest to it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.errors import InputError
from geo.graph import Flags, Floats, Ints, Positions, WalkNetwork
from geo.grid import SegmentGrid, crosses, nearest_segment

# How many segments beyond a barrier are passed over before a place counts as cut off.
_MAX_TRIES = 64


def snap(
    network: WalkNetwork,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    max_snap_m: float,
    edges: Flags | None = None,
) -> Positions:
    """Bring places to the nearest point of the nearest street.

    The straight way there never crosses a barrier of the network: a place on a river bank goes to
    its own bank, or nowhere.

    Parameters
    ----------
    network
        The network.
    x, y
        Places in the network's coordinate system, metres.
    max_snap_m
        The farthest way to a street that is taken.
    edges
        Which edges may be snapped to; all when None.

    Returns
    -------
    Positions
        One a place; `edge` is -1 where no street lies within `max_snap_m`.

    Raises
    ------
    InputError
        When a coordinate or the limit is not a number, or `x` and `y` differ in length.
    """
    px = np.atleast_1d(np.asarray(x, dtype=np.float64))
    py = np.atleast_1d(np.asarray(y, dtype=np.float64))
    if px.shape != py.shape or px.ndim != 1:
        raise InputError(f"x and y must be equally long lists; they are {px.shape} and {py.shape}")
    wrong = ~(np.isfinite(px) & np.isfinite(py))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"place {at} has the coordinates ({px[at]}, {py[at]}); give finite metres in "
            f"{network.crs}"
        )
    if not math.isfinite(max_snap_m) or max_snap_m < 0.0:
        raise InputError(f"max_snap_m is {max_snap_m!r}; give metres, 0 or more")
    usable = np.ones(network.edge_count, dtype=np.bool_) if edges is None else edges
    segment, share, away_m = _snap_all(
        px, py, float(max_snap_m), usable, network.grid, network.barrier_grid
    )
    on = segment >= 0
    edge = np.full(len(px), -1, dtype=np.int32)
    offset_m = np.zeros(len(px))
    near_x, near_y = px.copy(), py.copy()
    first: Ints = segment[on]
    edge[on] = network.grid.line[first]
    offset_m[on] = _between(network.vertex_m, first, share[on])
    near_x[on] = _between(network.vertex_x, first, share[on])
    near_y[on] = _between(network.vertex_y, first, share[on])
    return Positions(edge, offset_m, np.where(on, away_m, np.inf), near_x, near_y)


def _between(values: Floats, first: Ints, share: Floats) -> Floats:
    """Interpolate between each vertex and the next; exact at both."""
    between: Floats = (1.0 - share) * values[first] + share * values[first + 1]
    return between


@njit(cache=True, nogil=True)
def _snap_all(
    px: Floats,
    py: Floats,
    max_snap_m: float,
    usable: Flags,
    streets: SegmentGrid,
    barriers: SegmentGrid,
) -> tuple[Ints, Floats, Floats]:
    """Find the nearest segment of each place that can be gone to straight."""
    segment = np.full(len(px), -1, dtype=np.int32)
    shares = np.zeros(len(px))
    away = np.zeros(len(px))
    beyond = np.empty(_MAX_TRIES, dtype=np.int32)
    for i in range(len(px)):
        for tries in range(_MAX_TRIES):
            k, at, away_m = nearest_segment(
                streets,
                usable,
                beyond[:tries],
                px[i],
                py[i],
                max_snap_m,
            )
            if k < 0:
                break
            near_x = (1.0 - at) * streets.x[k] + at * streets.x[k + 1]
            near_y = (1.0 - at) * streets.y[k] + at * streets.y[k + 1]
            if barriers.columns == 0 or not crosses(
                barriers,
                px[i],
                py[i],
                near_x,
                near_y,
            ):
                segment[i] = k
                shares[i] = at
                away[i] = away_m
                break
            beyond[tries] = k
    return segment, shares, away
