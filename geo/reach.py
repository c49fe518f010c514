"""Reach on foot: who gets where within a walking time.

All answers are exact shortest walking times in whole milliseconds, between places that lie
anywhere on the edges of a network. Times that exceed the limit are `UNREACHABLE`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from geo.costs import SpeedProfile, WalkCosts, walk_costs
from geo.edges import Edges, Places, end_times, reach_pieces, summarise, times_to_places
from geo.errors import InputError
from geo.graph import Floats, Ints, Positions, ReachedEdges, WalkNetwork, positions_at_nodes
from geo.lanes import LANES
from geo.network import network_from_lines
from geo.pool import Cancel, Progress, core_count, run_pieces
from geo.search import UNREACHABLE
from geo.snap import snap
from geo.sweeps import (
    Sum,
    Weights,
    count_from_places,
    sum_block,
    sweep_nearest,
    sweep_nearest_k,
)

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

MAX_LIMIT_S = 86_400.0

# Origins side by side on the Hilbert curve that share one search for what they can reach.
_BLOCK = 128
# Searching back from a place costs about as much as sweeping forward from so many nodes.
_NODES_A_PLACE = 20
_ORIGINS_A_PIECE = 16


@dataclass(frozen=True, eq=False)
class ReachMatrix:
    """What each origin reaches of each category.

    Parameters
    ----------
    counts
        Facilities within the limit, (origins, categories).
    nearest_ms
        Time to the nearest in milliseconds, `UNREACHABLE` when none is within the limit.
    nearest_id
        Number of the nearest within its category; -1 when there is none.
    """

    counts: Ints
    nearest_ms: Ints
    nearest_id: Ints

    @property
    def nearest_minutes(self) -> Floats:
        """Minutes to the nearest; NaN when none is within the limit."""
        return np.where(self.nearest_ms < UNREACHABLE, self.nearest_ms / 60_000.0, np.nan)


def by_category(places: Positions, codes: npt.ArrayLike, *, count: int) -> list[Positions]:
    """Part places by category.

    Parameters
    ----------
    places
        The places.
    codes
        Category of each, from 0 to `count` - 1.
    count
        Number of categories.

    Returns
    -------
    list of Positions
        One a category.
    """
    code = np.asarray(codes)
    return [places.take(np.flatnonzero(code == category)) for category in range(count)]


def nearest(
    network: WalkNetwork,
    costs: WalkCosts,
    facilities: Sequence[Positions],
    *,
    limit_s: float,
    k: int = 1,
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
        return nearest_ids(network, costs, facilities, limit_s=limit_s, k=k)[0]
    limit_ms = _limit_ms(limit_s)
    edges = _edges(network, costs)
    hierarchy = costs.hierarchy(limit_s)
    out = np.empty((len(facilities), network.node_count), dtype=np.int32)

    def run(categories: range) -> None:
        chosen = facilities[categories.start : categories.stop]
        edge, offset_m = _join(chosen)
        nodes, _, ms = end_times(edges, edge, offset_m)
        lanes = np.repeat(np.arange(len(chosen)), [2 * len(places) for places in chosen])
        rows = out[categories.start : categories.stop]
        sweep_nearest(hierarchy, nodes, ms, lanes.astype(np.int32), limit_ms, rows)

    run_pieces(run, _lane_groups(len(facilities)))
    return out[:, :, np.newaxis]


def nearest_ids(
    network: WalkNetwork,
    costs: WalkCosts,
    facilities: Sequence[Positions],
    *,
    limit_s: float,
    k: int = 1,
) -> tuple[Ints, Ints]:
    """Give times as `nearest` does, and which facilities they lead to.

    Returns
    -------
    tuple
        Milliseconds and numbers of the facilities within their category, both
        (categories, nodes, k). Of equally near ones the lower number comes first; -1 for none.
    """
    limit_ms = _limit_ms(limit_s)
    if not 1 <= k <= 1000:
        raise InputError(f"k is {k!r}; ask for 1 to 1000 facilities of a category")
    edges = _edges(network, costs)
    hierarchy = costs.hierarchy(limit_s)
    out = np.empty((2, len(facilities), network.node_count, k), dtype=np.int32)

    def run(category: int) -> None:
        places = facilities[category]
        nodes, _, ms = end_times(edges, places.edge, places.offset_m)
        sweep_nearest_k(hierarchy, nodes, ms, limit_ms, k, out[0, category], out[1, category])

    run_pieces(run, sorted(range(len(facilities)), key=lambda c: -len(facilities[c])))
    return out[0], out[1]


def counts_within(
    network: WalkNetwork,
    costs: WalkCosts,
    facilities: Sequence[Positions],
    *,
    limit_s: float,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Ints:
    """Count the facilities of each category within a time of every node.

    Parameters
    ----------
    network, costs, facilities, limit_s
        As for `nearest`.
    progress, cancel
        As for `geo.pool.run_pieces`.

    Returns
    -------
    numpy.ndarray
        (categories, nodes).

    Raises
    ------
    InputError
        When the limit makes no sense.
    CancelledError
        When stopped on request.
    """
    limit_ms = _limit_ms(limit_s)
    edges = _edges(network, costs)
    groups = len(facilities)
    total = sum(len(places) for places in facilities)
    if total * _NODES_A_PLACE > network.node_count:
        group = np.repeat(np.arange(groups), [len(places) for places in facilities])
        places = _sort_places(network, facilities, group)
        weights = Weights(
            np.zeros(network.node_count + 1, dtype=np.int32),
            np.empty(0, dtype=np.int32),
            np.empty(0),
            np.ones(len(places.number)),
        )
        sums = _sum_all(network, costs, places, weights, groups, limit_s, progress, cancel)
        return np.rint(sums).astype(np.int32)
    counts = np.zeros((groups, network.node_count), dtype=np.int32)

    def run(category: int) -> None:
        places = facilities[category]
        nodes, _, ms = end_times(edges, places.edge, places.offset_m)
        with costs.workspace() as space:
            count_from_places(costs.reverse, nodes, ms, limit_ms, space, counts[category])

    order = sorted(range(groups), key=lambda category: -len(facilities[category]))
    run_pieces(run, order, progress=progress, cancel=cancel)
    return counts


def sums_within(
    network: WalkNetwork,
    costs: WalkCosts,
    weights: npt.ArrayLike,
    *,
    limit_s: float,
    at: Positions | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Floats:
    """Add up weights, such as people, within a time of every node.

    Parameters
    ----------
    network, costs, limit_s
        As for `nearest`.
    weights
        One weight a node, or a place of `at`; or rows of such, for several sums at once.
    at
        Places that the weights belong to; the nodes when None.
    progress, cancel
        As for `geo.pool.run_pieces`.

    Returns
    -------
    numpy.ndarray
        (nodes) or (rows, nodes), as `weights`. Memory grows with the nodes, not with what they
        reach.

    Raises
    ------
    InputError
        When the limit makes no sense, or weights are not finite or of another number.
    CancelledError
        When stopped on request.
    """
    given = np.asarray(weights, dtype=np.float64)
    rows = np.atleast_2d(given)
    expected = network.node_count if at is None else len(at)
    if given.ndim > 2 or rows.shape[1] != expected or not np.isfinite(rows).all():
        raise InputError(
            f"weights of shape {given.shape} must be finite numbers, one for each of {expected} "
            f"{'nodes' if at is None else 'places'}"
        )
    if at is None:
        node, row = np.nonzero(rows.T)
        places = _sort_places(network, [], np.empty(0, dtype=np.int64))
        table = Weights(
            np.searchsorted(node, np.arange(network.node_count + 1)).astype(np.int32),
            row.astype(np.int32),
            rows[row, node],
            np.empty(0),
        )
    else:
        row, place = np.nonzero(rows)
        places = _sort_places(network, [at.take(place)], row)
        table = Weights(
            np.zeros(network.node_count + 1, dtype=np.int32),
            np.empty(0, dtype=np.int32),
            np.empty(0),
            rows[row, place][places.number],
        )
    sums = _sum_all(network, costs, places, table, len(rows), limit_s, progress, cancel)
    return sums[0] if given.ndim < 2 else sums


def _sum_all(
    network: WalkNetwork,
    costs: WalkCosts,
    places: Places,
    weights: Weights,
    groups: int,
    limit_s: float,
    progress: Progress | None,
    cancel: Cancel | None,
) -> Floats:
    task = Sum(
        _edges(network, costs),
        costs.arcs,
        costs.hierarchy(limit_s),
        places,
        weights,
        _limit_ms(limit_s),
    )
    sums = np.zeros((groups, network.node_count))

    def run(nodes: range) -> None:
        slot = np.full(network.node_count, -1, dtype=np.int32)
        with costs.workspace() as space:
            for first in range(nodes.start, nodes.stop, _BLOCK):
                last = min(first + _BLOCK, nodes.stop)
                sum_block(task, first, last, space, slot, sums)

    piece = max(_BLOCK * 16, network.node_count // 64)
    starts = range(0, network.node_count, piece)
    pieces = [range(a, min(a + piece, network.node_count)) for a in starts]
    run_pieces(run, pieces, progress=progress, cancel=cancel)
    return sums


def one_to_many(
    network: WalkNetwork,
    costs: WalkCosts,
    origins: Positions,
    targets: Positions,
    *,
    limit_s: float,
) -> Ints:
    """Give the times from origins to targets.

    Parameters
    ----------
    network, costs, limit_s
        As for `nearest`.
    origins, targets
        Places on edges; two on one edge meet directly or by the way round, whichever is quicker.

    Returns
    -------
    numpy.ndarray
        Milliseconds, (origins, targets); `UNREACHABLE` beyond the limit or off the network.
    """
    limit_ms = _limit_ms(limit_s)
    places = _sort_places(network, [targets], np.zeros(len(targets), dtype=np.int64))
    times = np.full((len(origins), len(targets)), UNREACHABLE, dtype=np.int32)
    _time_places(network, costs, origins, places, limit_ms, times)
    return times


def matrix(
    network: WalkNetwork,
    costs: WalkCosts,
    origins: Positions,
    facilities: Sequence[Positions],
    *,
    limit_s: float,
) -> ReachMatrix:
    """Give for every origin and category the number of facilities reached and the nearest.

    Parameters
    ----------
    network, costs, facilities, limit_s
        As for `nearest`.
    origins
        Places on edges.

    Returns
    -------
    ReachMatrix
        Origins by categories.
    """
    limit_ms = _limit_ms(limit_s)
    sizes = [len(places) for places in facilities]
    group = np.repeat(np.arange(len(facilities)), sizes).astype(np.int32)
    places = _sort_places(network, facilities, group)
    shape = (len(origins), len(facilities))
    counts = np.zeros(shape, dtype=np.int32)
    nearest_ms = np.full(shape, UNREACHABLE, dtype=np.int32)
    numbers = np.full(shape, -1, dtype=np.int32)
    # A few origins at a time, so that memory does not grow with origins times facilities.
    step = 256
    for first in range(0, len(origins), step):
        rows = slice(first, min(first + step, len(origins)))
        some = origins.take(np.arange(rows.start, rows.stop))
        times = np.full((len(some), len(group)), UNREACHABLE, dtype=np.int32)
        _time_places(network, costs, some, places, limit_ms, times)
        summarise(times, group, counts[rows], nearest_ms[rows], numbers[rows])
    before = np.cumsum([0, *sizes[:-1]])[: len(sizes)]
    return ReachMatrix(
        counts, nearest_ms, np.where(numbers >= 0, numbers - before, -1).astype(np.int32)
    )


def _time_places(
    network: WalkNetwork,
    costs: WalkCosts,
    origins: Positions,
    places: Places,
    limit_ms: int,
    times: Ints,
) -> None:
    edges = _edges(network, costs)

    def run(rows: slice) -> None:
        with costs.workspace() as space:
            times_to_places(
                edges,
                costs.arcs,
                origins.edge[rows],
                origins.offset_m[rows],
                places,
                limit_ms,
                space,
                times[rows],
            )

    step = _ORIGINS_A_PIECE
    run_pieces(run, [slice(at, at + step) for at in range(0, len(origins), step)])


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
    limit_ms = _limit_ms(limit_s)
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
            _edges(network, costs),
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


def _limit_ms(limit_s: float) -> int:
    """Check a limit and give it in whole milliseconds."""
    if not (math.isfinite(limit_s) and 0.0 < limit_s <= MAX_LIMIT_S):
        raise InputError(
            f"a walking time of {limit_s / 60.0:g} minutes cannot be used; give more than 0 and at "
            f"most {MAX_LIMIT_S / 60.0:g} minutes"
        )
    return max(1, round(limit_s * 1000.0))


def _edges(network: WalkNetwork, costs: WalkCosts) -> Edges:
    """Give what compiled steps need as plain arrays."""
    return Edges(
        network.offsets,
        network.heads,
        network.edge,
        network.backward,
        network.start,
        network.end,
        network.length_m,
        network.parts,
        network.vertex_x,
        network.vertex_y,
        network.vertex_m,
        costs.forward_ms,
        costs.backward_ms,
        costs.along_forward,
        costs.along_backward,
    )


def _lane_groups(categories: int) -> list[range]:
    """Part categories into groups of no more than the lanes, evenly over the cores."""
    groups = max(-(-categories // LANES), min(core_count(), categories))
    bounds = [categories * group // max(groups, 1) for group in range(groups + 1)]
    return [range(a, b) for a, b in pairwise(bounds)]


def _join(groups: Sequence[Positions]) -> tuple[Ints, Floats]:
    """Give the edges and offsets of the places of all groups, one after another."""
    edge = np.concatenate([np.empty(0, dtype=np.int32), *(places.edge for places in groups)])
    offset_m = np.concatenate([np.empty(0), *(places.offset_m for places in groups)])
    return edge, offset_m


def _sort_places(
    network: WalkNetwork, groups: Sequence[Positions], group: npt.NDArray[np.integer]
) -> Places:
    """Put the places of all groups, one after another, in order of their edges."""
    edge, offset_m = _join(groups)
    order = np.argsort(edge, kind="stable")
    order = order[np.searchsorted(edge[order], 0) :]
    rows = np.searchsorted(edge[order], np.arange(network.edge_count + 1)).astype(np.int32)
    return Places(
        rows,
        edge[order],
        offset_m[order],
        group[order].astype(np.int32),
        order.astype(np.int32),
    )
