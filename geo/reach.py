"""Reach on foot: who gets where within a walking time.

All answers are exact shortest walking times in whole milliseconds, between places that lie
anywhere on the edges of a network. Times that exceed the limit are `UNREACHABLE`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from geo.costs import SpeedProfile, WalkCosts, walk_costs
from geo.edges import end_times, reach_pieces
from geo.errors import InputError
from geo.graph import Ints, Positions, ReachedEdges, WalkNetwork, positions_at_nodes
from geo.lanes import LANES
from geo.matrix import ReachMatrix, matrix, one_to_many
from geo.network import network_from_lines
from geo.places import by_category, edges_of, join_places, limit_in_ms
from geo.pool import Cancel, Progress, run_pieces
from geo.search import UNREACHABLE
from geo.snap import snap
from geo.sums import counts_within, sums_within
from geo.sweeps import sweep_nearest, sweep_nearest_k

__all__ = [
    "UNREACHABLE",
    "ReachMatrix",
    "by_category",
    "counts_within",
    "matrix",
    "nearest",
    "nearest_ids",
    "one_to_many",
    "reached_edges",
    "sums_within",
    "warm_up",
]


def nearest(
    network: WalkNetwork,
    costs: WalkCosts,
    facilities: Sequence[Positions],
    *,
    limit_s: float,
    k: int = 1,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Ints:
    """Give the times from every node to the nearest facilities of each category.

    Parameters
    ----------
    network, costs
        The network, and the times of a profile on it.
    facilities
        Places of each category; those off the network are never reached.
    limit_s
        Longest time, in seconds.
    k
        How many facilities of a category, distinct ones.
    progress, cancel
        As for `geo.pool.run_pieces`.

    Returns
    -------
    numpy.ndarray
        Milliseconds, (categories, nodes, k), ascending along `k`; `UNREACHABLE` beyond the limit.

    Raises
    ------
    InputError
        When the limit or `k` makes no sense.
    """
    if k != 1:
        return nearest_ids(
            network, costs, facilities, limit_s=limit_s, k=k, progress=progress, cancel=cancel
        )[0]
    limit_ms = limit_in_ms(limit_s)
    edges = edges_of(network, costs)
    hierarchy = costs.hierarchy(limit_s)
    out = np.empty((len(facilities), network.node_count), dtype=np.int32)

    def run(categories: range) -> None:
        chosen = facilities[categories.start : categories.stop]
        edge, offset_m = join_places(chosen)
        nodes, _, ms = end_times(edges, edge, offset_m)
        lanes = np.repeat(np.arange(len(chosen)), [2 * len(places) for places in chosen])
        rows = out[categories.start : categories.stop]
        sweep_nearest(hierarchy, nodes, ms, lanes.astype(np.int32), limit_ms, rows)

    run_pieces(run, _lane_groups(len(facilities)), progress=progress, cancel=cancel)
    return out[:, :, np.newaxis]


def nearest_ids(
    network: WalkNetwork,
    costs: WalkCosts,
    facilities: Sequence[Positions],
    *,
    limit_s: float,
    k: int = 1,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> tuple[Ints, Ints]:
    """Give times as `nearest` does, and which facilities they lead to.

    Returns
    -------
    tuple
        Milliseconds and numbers of the facilities within their category, both
        (categories, nodes, k). Of equally near ones the lower number comes first; -1 for none.
    """
    limit_ms = limit_in_ms(limit_s)
    if not 1 <= k <= 1000:
        raise InputError(f"k is {k!r}; ask for 1 to 1000 facilities of a category")
    edges = edges_of(network, costs)
    hierarchy = costs.hierarchy(limit_s)
    out = np.empty((2, len(facilities), network.node_count, k), dtype=np.int32)

    def run(category: int) -> None:
        places = facilities[category]
        nodes, _, ms = end_times(edges, places.edge, places.offset_m)
        sweep_nearest_k(hierarchy, nodes, ms, limit_ms, k, out[0, category], out[1, category])

    order = sorted(range(len(facilities)), key=lambda category: -len(facilities[category]))
    run_pieces(run, order, progress=progress, cancel=cancel)
    return out[0], out[1]


def reached_edges(
    network: WalkNetwork, costs: WalkCosts, position: Positions, *, limit_s: float
) -> ReachedEdges:
    """Give the straight pieces of street within a time of one place.

    Parameters
    ----------
    network, costs, limit_s
        As for `nearest`.
    position
        One place.

    Returns
    -------
    ReachedEdges
        Pieces, cut where the time runs out; empty with a note when the place is off the network.

    Raises
    ------
    InputError
        When the limit makes no sense, or `position` is not one place.
    """
    limit_ms = limit_in_ms(limit_s)
    if len(position) != 1:
        raise InputError(f"reached_edges starts from one place, not from {len(position)}")
    if position.edge[0] < 0:
        nothing = np.empty(0)
        times = np.empty(0, dtype=np.float32)
        note = "no street" if network.edge_count else "no street network"
        return ReachedEdges(
            nothing,
            nothing,
            nothing,
            nothing,
            times,
            times,
            snap_m=math.inf,
            note=f"the place has {note} within the snapping distance",
        )
    with costs.workspace() as space:
        ends, times = reach_pieces(
            edges_of(network, costs),
            costs.arcs,
            int(position.edge[0]),
            float(position.offset_m[0]),
            limit_ms,
            space,
        )
    x0, y0, x1, y1 = ends
    return ReachedEdges(
        x0,
        y0,
        x1,
        y1,
        times[0],
        times[1],
        snap_m=float(position.snap_m[0]),
        note="" if times.size else "this walker can use no street at the place",
    )


def warm_up() -> None:
    """Compile everything, so that the first question need not wait; done at set-up."""
    line = np.array([0, 0, 1, 1, 1], dtype=np.int32)
    x, y = np.array([0.0, 90.0, 90.0, 90.0, 0.0]), np.array([0.0, 0.0, 0.0, 60.0, 0.0])
    for z in (None, np.array([0.0, 2.0, 2.0, 0.0, 0.0])):
        network = network_from_lines(x, y, line, crs="EPSG:3857", z=z)
        costs = walk_costs(network, SpeedProfile("warm-up", 4.0))
        place = snap(network, [10.0], [1.0], max_snap_m=50.0)
        reached_edges(network, costs, place, limit_s=60.0)
        matrix(network, costs, place, [place], limit_s=60.0)
        for facilities in ([place], [positions_at_nodes(network, [])]):
            nearest(network, costs, facilities, limit_s=60.0)
            nearest_ids(network, costs, facilities, limit_s=60.0)
            counts_within(network, costs, facilities, limit_s=60.0)
        sums_within(network, costs, np.ones(network.node_count), limit_s=60.0)


def _lane_groups(categories: int) -> list[range]:
    """Part categories into as few groups as the lanes allow: a sweep costs the same half empty."""
    groups = -(-categories // LANES)
    bounds = [categories * group // groups for group in range(groups + 1)] if groups else []
    return [range(a, b) for a, b in pairwise(bounds)]
