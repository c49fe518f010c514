"""Gaps: what is missing within a walk of the incubators, and which addition would mend most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from geo.costs import WalkCosts
from geo.graph import Floats, Positions, WalkNetwork, positions_at_nodes
from geo.pool import Cancel, Progress, check_cancel
from geo.reach import UNREACHABLE, nearest, one_to_many

Flags = npt.NDArray[np.bool_]

_ORIGINS_A_STEP = 32


@dataclass(frozen=True)
class Addition:
    """One amenity that could be added, and whom it would serve.

    Parameters
    ----------
    category
        Number of the category.
    node
        Street junction near which it would stand.
    x, y
        That junction, in the metres of the network.
    completes
        Origins (by number) that would then lack nothing.
    helps
        Origins that lack this category and would then have it within the walk; those completed
        are among them.
    """

    category: int
    node: int
    x: float
    y: float
    completes: tuple[int, ...]
    helps: tuple[int, ...]


def reach_nodes(
    network: WalkNetwork,
    costs: WalkCosts,
    origins: Positions,
    *,
    limit_s: float,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> sparse.csr_array:
    """Give the street junctions within a walking time of each origin.

    Parameters
    ----------
    network, costs
        The network, and the times of a profile on it.
    origins
        Places on edges; those off the network reach nothing.
    limit_s
        Longest time, in seconds.
    progress, cancel
        As for `geo.pool.run_pieces`.

    Returns
    -------
    scipy.sparse.csr_array
        Origins × nodes, 1 where reached. Memory grows with what is reached.

    Raises
    ------
    CancelledError
        When stopped on request.
    """
    nodes = positions_at_nodes(network, np.arange(network.node_count))
    rows = []
    for first in range(0, len(origins), _ORIGINS_A_STEP):
        check_cancel(cancel)
        some = origins.take(np.arange(first, min(first + _ORIGINS_A_STEP, len(origins))))
        times = one_to_many(network, costs, some, nodes, limit_s=limit_s)
        rows.append(sparse.csr_array(times < UNREACHABLE, dtype=np.int32))
        if progress is not None:
            progress(min(1.0, (first + _ORIGINS_A_STEP) / len(origins)))
    if not rows:
        return sparse.csr_array((0, network.node_count), dtype=np.int32)
    return sparse.csr_array(sparse.vstack(rows))


def rank_additions(
    network: WalkNetwork, reached: sparse.csr_array, missing: Flags, *, each: int = 10
) -> list[Addition]:
    """Rank the amenities whose addition would complete, or else help, the most origins.

    For each category junctions are taken one after another, each the one that completes most
    origins not yet served (those helped decide between equals, then the lower number): the greedy
    rule for maximal covering, at least 1 - 1/e of the best there is (Nemhauser, Wolsey and Fisher
    1978).

    Parameters
    ----------
    network
        The network.
    reached
        Origins × nodes, as `reach_nodes` gives it.
    missing
        Origins × categories: what each origin lacks.
    each
        At most so many additions a category.

    Returns
    -------
    list of Addition
        The one that completes most origins first; helped origins, then categories break ties.
    """
    lacks = missing.sum(axis=1)
    columns = sparse.csc_array(reached)
    found = []
    for category in range(missing.shape[1]):
        open_ = missing[:, category].copy()
        for _ in range(each):
            # Completing counts above any number of helped ones.
            worth = np.where(open_, 1.0, 0.0) + np.where(open_ & (lacks == 1), len(open_) + 1.0, 0)
            gain = np.asarray(columns.T @ worth)
            if not len(gain) or gain.max() <= 0:
                break
            node = int(np.argmax(gain))
            served = columns.indices[columns.indptr[node] : columns.indptr[node + 1]]
            helped = np.sort(served[open_[served]])
            found.append(
                Addition(
                    category=category,
                    node=node,
                    x=float(network.x[node]),
                    y=float(network.y[node]),
                    completes=tuple(helped[lacks[helped] == 1].tolist()),
                    helps=tuple(helped.tolist()),
                )
            )
            open_[helped] = False
    return sorted(found, key=lambda a: (-len(a.completes), -len(a.helps), a.category, a.node))


@dataclass(frozen=True, eq=False)
class StreetMinutes:
    """Straight street pieces with the walking minutes at both ends, in metres of the network.

    Minutes are infinite where nothing is in reach.
    """

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    minutes0: Floats
    minutes1: Floats


def street_minutes(
    network: WalkNetwork, costs: WalkCosts, facilities: Positions, *, limit_s: float
) -> StreetMinutes:
    """Give the minutes from every street to the nearest of some facilities.

    Times are exact at the junctions; along a street between them they follow the quickest of the
    two ways out and the way to a facility on the street itself, evenly spread over the street.

    Parameters
    ----------
    network, costs
        The network, and the times of a profile on it.
    facilities
        Places on edges.
    limit_s
        Longest time, in seconds.
    """
    at_nodes = nearest(network, costs, [facilities], limit_s=limit_s)[0, :, 0].astype(np.float64)
    at_nodes[at_nodes >= UNREACHABLE] = np.inf
    size = np.diff(network.parts)
    edge = np.repeat(np.arange(network.edge_count), size)
    share = network.vertex_m / np.maximum(network.length_m, 1e-9)[edge]
    forward = np.where(costs.forward_ms < UNREACHABLE, costs.forward_ms, np.inf).astype(np.float64)
    back = np.where(costs.backward_ms < UNREACHABLE, costs.backward_ms, np.inf).astype(np.float64)
    on, home = (1.0 - share), share  # shares of the edge still to walk to its end, to its start
    with np.errstate(invalid="ignore"):
        to_end = at_nodes[network.end[edge]] + np.where(on > 0, on * forward[edge], 0.0)
        to_start = at_nodes[network.start[edge]] + np.where(home > 0, home * back[edge], 0.0)
    ms = np.fmin(to_end, to_start)
    vertex, along_ms = _on_same_street(network, costs, facilities)
    np.minimum.at(ms, vertex, along_ms)
    minutes = np.where(ms <= limit_s * 1000.0, ms, np.inf) / 60_000.0
    first = np.flatnonzero(np.diff(edge) == 0)
    return StreetMinutes(
        network.vertex_x[first],
        network.vertex_y[first],
        network.vertex_x[first + 1],
        network.vertex_y[first + 1],
        minutes[first],
        minutes[first + 1],
    )


def _on_same_street(
    network: WalkNetwork, costs: WalkCosts, facilities: Positions
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Give the vertices of the streets that facilities stand on, and the time from each."""
    on = facilities.on_network
    edge, offset_m = facilities.edge[on], facilities.offset_m[on]
    size = (network.parts[edge + 1] - network.parts[edge]).astype(np.int64)
    facility = np.repeat(np.arange(len(edge)), size)
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    vertex = network.parts[edge][facility] + within
    ahead_m = offset_m[facility] - network.vertex_m[vertex]
    whole_ms = np.where(
        ahead_m >= 0, costs.forward_ms[edge][facility], costs.backward_ms[edge][facility]
    ).astype(np.float64)
    whole_ms[whole_ms >= UNREACHABLE] = np.inf
    share = np.abs(ahead_m) / np.maximum(network.length_m[edge][facility], 1e-9)
    return vertex, np.where(share > 0, share * np.where(share > 0, whole_ms, 0.0), 0.0)
