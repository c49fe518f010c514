"""Sums over everything within a walking time of every node: facilities counted, people added."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geo.costs import WalkCosts
from geo.edges import Places, end_times
from geo.errors import InputError
from geo.graph import Floats, Ints, Positions, WalkNetwork
from geo.places import edges_of, join_places, limit_in_ms, sort_places
from geo.pool import Cancel, Progress, run_pieces
from geo.sweeps import Sum, Weights, count_from_places, sum_block

# Origins side by side on the Hilbert curve that share one search for what they can reach.
_BLOCK = 128
# Searching back from a place visits the nodes that reach it one by one. Sweeping forward costs a
# node a fixed amount, as much as so many visits, and of what each node reaches a small part.
_SWEEP_VISITS = 9.0
_SWEEP_SHARE = 0.05
_SAMPLE = 4


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
    limit_ms = limit_in_ms(limit_s)
    edges = edges_of(network, costs)
    groups = len(facilities)
    if _forward_pays(network, costs, facilities, limit_ms):
        group = np.repeat(np.arange(groups), [len(places) for places in facilities])
        places = sort_places(network, facilities, group)
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
        places = sort_places(network, [], np.empty(0, dtype=np.int64))
        table = Weights(
            np.searchsorted(node, np.arange(network.node_count + 1)).astype(np.int32),
            row.astype(np.int32),
            rows[row, node],
            np.empty(0),
        )
    else:
        row, place = np.nonzero(rows)
        places = sort_places(network, [at.take(place)], row)
        table = Weights(
            np.zeros(network.node_count + 1, dtype=np.int32),
            np.empty(0, dtype=np.int32),
            np.empty(0),
            rows[row, place][places.number],
        )
    sums = _sum_all(network, costs, places, table, len(rows), limit_s, progress, cancel)
    return sums[0] if given.ndim < 2 else sums


def _forward_pays(
    network: WalkNetwork, costs: WalkCosts, facilities: Sequence[Positions], limit_ms: int
) -> bool:
    """Say whether counting from all nodes is quicker than counting back from all places."""
    edge, offset_m = join_places(facilities)
    if not len(edge):
        return False
    some = np.linspace(0, len(edge) - 1, _SAMPLE).astype(np.int64)
    nodes, _, ms = end_times(edges_of(network, costs), edge[some], offset_m[some])
    visits = np.zeros(network.node_count, dtype=np.int32)
    with costs.workspace() as space:
        count_from_places(costs.reverse, nodes, ms, limit_ms, space, visits)
    reach = int(visits.sum()) / _SAMPLE
    forward = network.node_count * (_SWEEP_VISITS + _SWEEP_SHARE * reach)
    return len(edge) * reach > forward


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
        edges_of(network, costs),
        costs.arcs,
        costs.hierarchy(limit_s),
        places,
        weights,
        limit_in_ms(limit_s),
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
