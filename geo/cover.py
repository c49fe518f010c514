"""What a walk covers: streets reached from end to end, and pieces of those at its rim.

Most streets within a walk are reached as a whole, and need not be cut into pieces to be drawn.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.edges import Edges, cut_stretch, end_times
from geo.search import UNREACHABLE, Arcs, Workspace, flood, forget

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


class Covered(NamedTuple):
    """What a walk reaches within rising limits: edges as a whole, and pieces of others.

    Parameters
    ----------
    edge, at
        Edges reached as a whole, and the number of the first limit that reaches all of each.
    ends, times
        Pieces, as `reach_pieces` gives them, of edges that some limit reaches in part.
    box
        West, south, east, north of all that is reached; west above east when that is nothing.
    """

    edge: Ints
    at: Ints
    ends: Floats
    times: npt.NDArray[np.float32]
    box: tuple[float, float, float, float]


@njit(cache=True, nogil=True)
def cover_edges(
    edges: Edges,
    arcs: Arcs,
    origin: int,
    origin_m: float,
    limits_ms: Ints,
    boxes: Floats,
    space: Workspace,
) -> Covered:
    """Walk from a place on edge `origin` and part the streets into whole edges and pieces.

    `limits_ms` rise; `boxes` has west, south, east, north of every edge.
    """
    start = np.array([origin], dtype=np.int32)
    nodes, out_ms, _ = end_times(edges, start, np.array([origin_m]))
    reached = flood(arcs, nodes, out_ms, limits_ms[-1], space)
    room = 0
    for node in reached:
        room += edges.offsets[node + 1] - edges.offsets[node]
    # The edge of the origin is two stretches that begin there.
    last = len(limits_ms) - 1
    edge, at = np.empty(room + 2, dtype=np.int32), np.empty(room + 2, dtype=np.int32)
    end_ms = np.empty((room + 2, 2), dtype=np.int32)
    edge[:2] = origin
    end_ms[0, 0], end_ms[0, 1] = space.ms[edges.start[origin]], 0
    end_ms[1, 0], end_ms[1, 1] = 0, space.ms[edges.end[origin]]
    size = 2
    for node in reached:
        for row in range(edges.offsets[node], edges.offsets[node + 1]):
            head, against = edges.heads[row], edges.backward[row]
            # Each edge once, although it has a row at both ends. All are written, and those not
            # wanted written over: jumps that nobody can foresee cost more.
            edge[size] = edges.edge[row]
            end_ms[size, np.int64(against)] = space.ms[node]
            end_ms[size, np.int64(not against)] = space.ms[head]
            again = (space.ms[head] < UNREACHABLE) & (head < node) | (head == node) & against
            size += not (again | (edge[size] == origin))
    forget(space, reached)
    cut, by = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    whole = cuts = 0
    for i in range(size):
        e, up, down = edge[i], end_ms[i, 0], end_ms[i, 1]
        first = last + 1
        if i >= 2:
            latest_ms = _latest_ms(edges, e, up, down)
            first = 0
            while first <= last and latest_ms > limits_ms[first]:
                first += 1
        if first > 0:
            # An edge that is whole by some limit is cut for the limits before it.
            cut[cuts], by[cuts] = e, first - 1
            end_ms[cuts, 0], end_ms[cuts, 1] = up, down
            cuts += 1
        edge[whole], at[whole] = e, first
        whole += first <= last
    ends, times = _cut_edges(edges, cut[:cuts], origin_m, end_ms, limits_ms[by[:cuts]])
    return Covered(edge[:whole], at[:whole], ends, times, _bound(edge[:whole], boxes, ends))


@njit(cache=True, nogil=True, inline="always")
def _latest_ms(edges: Edges, edge: int, up: int, down: int) -> float:
    """Give a time by which all of an edge is reached: of a level one the least such time.

    `up` and `down` are the times at its start and end.
    """
    there, back = np.float64(edges.forward_ms[edge]), np.float64(edges.backward_ms[edge])
    latest = min(up + there, down + back)
    if len(edges.along_forward) == 0 and max(there, back) < UNREACHABLE:
        # The share of the edge that is reached sooner from its start.
        share = (down + back - up) / max(there + back, 1.0)
        latest = min(latest, up + min(max(share, 0.0), 1.0) * there)
    return latest


@njit(cache=True, nogil=True)
def _cut_edges(
    edges: Edges, cut: Ints, origin_m: float, end_ms: Ints, limits_ms: Ints
) -> tuple[Floats, npt.NDArray[np.float32]]:
    """Cut edges with the times at their ends into the pieces reached; the first two at a place."""
    room = 0
    for e in cut:
        room += 2 * (edges.parts[e + 1] - edges.parts[e])
    ends = np.empty((4, room))
    times = np.empty((2, room), dtype=np.float32)
    stretch = np.zeros(3)
    size = 0
    for i in range(len(cut)):
        e = cut[i]
        stretch[1] = origin_m if i == 1 else 0.0
        stretch[2] = origin_m if i == 0 else edges.length_m[e]
        size = cut_stretch(edges, e, stretch, end_ms[i], limits_ms[i], ends, times, size)
    return ends[:, :size].copy(), times[:, :size].copy()


@njit(cache=True, nogil=True)
def _bound(edge: Ints, boxes: Floats, ends: Floats) -> tuple[float, float, float, float]:
    """Bound edges and pieces."""
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    for e in edge:
        west, south = min(west, boxes[e, 0]), min(south, boxes[e, 1])
        east, north = max(east, boxes[e, 2]), max(north, boxes[e, 3])
    for i in range(ends.shape[1]):
        west, east = min(west, ends[0, i], ends[2, i]), max(east, ends[0, i], ends[2, i])
        south, north = min(south, ends[1, i], ends[3, i]), max(north, ends[1, i], ends[3, i])
    return west, south, east, north
