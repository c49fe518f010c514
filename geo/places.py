"""Questions in the form that compiled steps take: limits, and places sorted by edge."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geo.costs import WalkCosts
from geo.edges import Edges, Places
from geo.errors import InputError
from geo.graph import Floats, Ints, Positions, WalkNetwork

MAX_LIMIT_S = 86_400.0


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


def limit_in_ms(limit_s: float) -> int:
    """Check a limit and give it in whole milliseconds."""
    if not (math.isfinite(limit_s) and 0.0 < limit_s <= MAX_LIMIT_S):
        raise InputError(
            f"a walking time of {limit_s / 60.0:g} minutes cannot be used; give more than 0 and at "
            f"most {MAX_LIMIT_S / 60.0:g} minutes"
        )
    return max(1, round(limit_s * 1000.0))


def edges_of(network: WalkNetwork, costs: WalkCosts) -> Edges:
    """Give what compiled steps need as plain arrays, of a network and times that belong together.

    Raises
    ------
    InputError
        When the times are those of another network: compiled steps check no bounds.
    """
    nodes, edges = len(costs.arcs.offsets) - 1, len(costs.forward_ms)
    if (nodes, edges) != (network.node_count, network.edge_count):
        raise InputError(
            f"the walking times are those of a network of {nodes} nodes and {edges} edges, not of "
            f"this one of {network.node_count} and {network.edge_count}; work them out anew"
        )
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


def join_places(groups: Sequence[Positions]) -> tuple[Ints, Floats]:
    """Give the edges and offsets of the places of all groups, one after another."""
    edge = np.concatenate([np.empty(0, dtype=np.int32), *(places.edge for places in groups)])
    offset_m = np.concatenate([np.empty(0), *(places.offset_m for places in groups)])
    return edge, offset_m


def sort_places(
    network: WalkNetwork, groups: Sequence[Positions], group: npt.NDArray[np.integer]
) -> Places:
    """Put the places of all groups, one after another, in order of their edges."""
    edge, offset_m = join_places(groups)
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
