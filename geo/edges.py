"""Times along the edges: from places inside an edge to its ends, and between places on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.search import UNREACHABLE, Arcs, Workspace, forget, search

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

# What a barred segment adds to the time along its edge: more than any limit, and little enough
# that the milliseconds of the other segments survive beside it.
BARRED_MS = 1e12


class Edges(NamedTuple):
    """What the compiled steps need of a network and its costs; named as there."""

    offsets: Ints
    heads: Ints
    edge: Ints
    backward: Flags
    start: Ints
    end: Ints
    length_m: Floats
    parts: Ints
    vertex_x: Floats
    vertex_y: Floats
    vertex_m: Floats
    forward_ms: Ints
    backward_ms: Ints
    along_forward: Floats
    along_backward: Floats


class Places(NamedTuple):
    """Places on edges, sorted by edge, with the group (category) and first number of each.

    `rows` compresses them by edge: those of edge `e` are `rows[e]` to `rows[e + 1] - 1`.
    """

    rows: Ints
    edge: Ints
    offset_m: Floats
    group: Ints
    number: Ints


@njit(cache=True, nogil=True, inline="always")
def span_ms(edges: Edges, edge: int, from_m: float, to_m: float) -> float:
    """Give the time between two places on one edge without leaving it; from `BARRED_MS` barred."""
    if from_m == to_m:
        return 0.0
    if len(edges.along_forward):
        along = edges.along_forward if to_m > from_m else edges.along_backward
        there: float = _time_at(edges, along, edge, to_m)
        return float(there - _time_at(edges, along, edge, from_m))
    whole = edges.forward_ms[edge] if to_m > from_m else edges.backward_ms[edge]
    if whole >= UNREACHABLE:
        return BARRED_MS
    part: float = whole * abs(to_m - from_m) / edges.length_m[edge]
    return part


@njit(cache=True, nogil=True, inline="always")
def _time_at(edges: Edges, along: Floats, edge: int, at_m: float) -> float:
    """Interpolate the time along an edge."""
    first, last = edges.parts[edge], edges.parts[edge + 1] - 1
    if at_m <= 0.0:
        return float(along[first])
    if at_m >= edges.vertex_m[last]:
        return float(along[last])
    k = first + np.searchsorted(edges.vertex_m[first : last + 1], at_m, side="right") - 1
    step_m = edges.vertex_m[k + 1] - edges.vertex_m[k]
    share = (at_m - edges.vertex_m[k]) / step_m
    return float(along[k] + share * (along[k + 1] - along[k]))


@njit(cache=True, nogil=True, inline="always")
def whole_ms(edges: Edges, edge: int, from_m: float, to_m: float) -> int:
    """Give `span_ms` in whole milliseconds, `UNREACHABLE` at most."""
    return int(min(np.rint(span_ms(edges, edge, from_m, to_m)), UNREACHABLE))


@njit(cache=True, nogil=True)
def end_times(edges: Edges, edge: Ints, offset_m: Floats) -> tuple[Ints, Ints, Ints]:
    """Give the two ends of each place's edge, and the times from the place to them and back.

    Two entries a place; those off the network have node 0 and `UNREACHABLE`.
    """
    nodes = np.zeros(2 * len(edge), dtype=np.int32)
    out_ms = np.full(2 * len(edge), UNREACHABLE, dtype=np.int32)
    in_ms = np.full(2 * len(edge), UNREACHABLE, dtype=np.int32)
    for i in range(len(edge)):
        e, at = edge[i], offset_m[i]
        if e >= 0:
            length = edges.length_m[e]
            nodes[2 * i], nodes[2 * i + 1] = edges.start[e], edges.end[e]
            out_ms[2 * i] = whole_ms(edges, e, at, 0.0)
            out_ms[2 * i + 1] = whole_ms(edges, e, at, length)
            in_ms[2 * i] = whole_ms(edges, e, 0.0, at)
            in_ms[2 * i + 1] = whole_ms(edges, e, length, at)
    return nodes, out_ms, in_ms


@njit(cache=True, nogil=True)
def times_to_places(
    edges: Edges,
    arcs: Arcs,
    origin_edge: Ints,
    origin_offset_m: Floats,
    places: Places,
    limit_ms: int,
    space: Workspace,
    times: Ints,
) -> None:
    """Write the time from each origin to each place, (origins, places) in the places' own order.

    `times` must be all `UNREACHABLE`. Direct ways on a shared edge and ways round both count.
    """
    nodes, out_ms, _ = end_times(edges, origin_edge, origin_offset_m)
    ms = space.ms
    for i in range(len(origin_edge)):
        own = origin_edge[i]
        if own < 0:
            continue
        two = slice(2 * i, 2 * i + 2)
        reached = search(arcs, nodes[two], out_ms[two], limit_ms, space)
        for node in reached:
            for at in range(edges.offsets[node], edges.offsets[node + 1]):
                e = edges.edge[at]
                if places.rows[e] == places.rows[e + 1]:
                    continue
                from_m = edges.length_m[e] if edges.backward[at] else 0.0
                for p in range(places.rows[e], places.rows[e + 1]):
                    later = ms[node] + whole_ms(edges, e, from_m, places.offset_m[p])
                    if later <= limit_ms:
                        number = places.number[p]
                        times[i, number] = min(times[i, number], later)
        for p in range(places.rows[own], places.rows[own + 1]):
            direct = whole_ms(edges, own, origin_offset_m[i], places.offset_m[p])
            if direct <= limit_ms:
                number = places.number[p]
                times[i, number] = min(times[i, number], direct)
        forget(space, reached)


@njit(cache=True, nogil=True)
def summarise(times: Ints, group: Ints, counts: Ints, nearest: Ints, numbers: Ints) -> None:
    """Write by origin and group the number of places reached, the nearest's time and number."""
    for i in range(len(times)):
        for p in range(len(group)):
            at = group[p]
            if times[i, p] < UNREACHABLE:
                counts[i, at] += 1
            if times[i, p] < nearest[i, at]:
                nearest[i, at] = times[i, p]
                numbers[i, at] = p


@njit(cache=True, nogil=True)
def reach_pieces(
    edges: Edges,
    arcs: Arcs,
    origin: int,
    origin_m: float,
    limit_ms: int,
    space: Workspace,
) -> tuple[Floats, npt.NDArray[np.float32]]:
    """Walk from a place on edge `origin` and cut the streets into the pieces reached.

    Returns the rows x0, y0, x1, y1 in metres, and the rows t0, t1 in seconds.
    """
    start = np.array([origin], dtype=np.int32)
    nodes, out_ms, _ = end_times(edges, start, np.array([origin_m]))
    reached = search(arcs, nodes, out_ms, limit_ms, space)
    ms = space.ms
    stretches, stretch_ms = _list_stretches(edges, reached, ms, origin, origin_m)
    edge = stretches[:, 0].astype(np.int32)
    room = 0
    for e in edge:
        room += 2 * (edges.parts[e + 1] - edges.parts[e])
    ends = np.empty((4, room))
    times = np.empty((2, room), dtype=np.float32)
    size = 0
    for i in range(len(edge)):
        size = cut_stretch(edges, edge[i], stretches[i], stretch_ms[i], limit_ms, ends, times, size)
    forget(space, reached)
    return ends[:, :size].copy(), times[:, :size].copy()


@njit(cache=True, nogil=True)
def _list_stretches(
    edges: Edges, reached: Ints, ms: Ints, origin: int, origin_m: float
) -> tuple[Floats, Ints]:
    """Give the edges with a reached end: edge, low and high end in metres; and times at both.

    The edge of the origin makes two stretches, which begin there.
    """
    room = 2
    for node in reached:
        room += edges.offsets[node + 1] - edges.offsets[node]
    stretches = np.empty((room, 3))
    stretch_ms = np.empty((room, 2), dtype=np.int32)
    length = edges.length_m[origin]
    stretches[0, 0], stretches[0, 1], stretches[0, 2] = origin, 0.0, origin_m
    stretch_ms[0, 0], stretch_ms[0, 1] = ms[edges.start[origin]], 0
    stretches[1, 0], stretches[1, 1], stretches[1, 2] = origin, origin_m, length
    stretch_ms[1, 0], stretch_ms[1, 1] = 0, ms[edges.end[origin]]
    size = 2
    for node in reached:
        for at in range(edges.offsets[node], edges.offsets[node + 1]):
            e = edges.edge[at]
            # Each edge once: from its start, or from its end when the start is not reached.
            if e == origin or (edges.backward[at] and ms[edges.start[e]] < UNREACHABLE):
                continue
            stretches[size, 0], stretches[size, 1], stretches[size, 2] = e, 0.0, edges.length_m[e]
            stretch_ms[size, 0], stretch_ms[size, 1] = ms[edges.start[e]], ms[edges.end[e]]
            size += 1
    return stretches[:size], stretch_ms[:size]


@njit(cache=True, nogil=True)
def cut_stretch(
    edges: Edges,
    edge: int,
    stretch: Floats,
    stretch_ms: Ints,
    limit_ms: int,
    ends: Floats,
    times: npt.NDArray[np.float32],
    size: int,
) -> int:
    """Add the pieces reached of a stretch of an edge.

    Times from the low end rise along the edge and times from the high end fall, so that within
    each straight segment one point parts what is reached first from either end.
    """
    low_m, high_m = stretch[1], stretch[2]
    up_b = float(stretch_ms[0])
    down_b = stretch_ms[1] + span_ms(edges, edge, high_m, low_m)
    sloping = len(edges.along_forward) > 0
    pace_up = pace_down = 0.0
    if not sloping and high_m > low_m:
        pace_up = edges.forward_ms[edge] / edges.length_m[edge]
        pace_down = edges.backward_ms[edge] / edges.length_m[edge]
        # Nobody comes in from the end of a barred way.
        if edges.forward_ms[edge] >= UNREACHABLE:
            up_b, pace_up = BARRED_MS, 0.0
        if edges.backward_ms[edge] >= UNREACHABLE:
            down_b, pace_down = BARRED_MS, 0.0
    for k in range(edges.parts[edge], edges.parts[edge + 1] - 1):
        step_m = edges.vertex_m[k + 1] - edges.vertex_m[k]
        a_m, b_m = max(low_m, edges.vertex_m[k]), min(high_m, edges.vertex_m[k + 1])
        if b_m <= a_m:
            continue
        there, back = pace_up * (b_m - a_m), pace_down * (b_m - a_m)
        if sloping:
            share = (b_m - a_m) / step_m
            there = share * (edges.along_forward[k + 1] - edges.along_forward[k])
            back = share * (edges.along_backward[k] - edges.along_backward[k + 1])
        up_a, down_a = up_b, down_b
        up_b, down_b = up_a + there, down_a - back
        up = _share_reached(up_a, up_b, down_a, down_b, limit_ms)
        down = _share_reached(down_b, down_a, up_b, up_a, limit_ms)
        for side in range(2):
            share = down if side else up
            if share <= 0.0:
                continue
            from_m = b_m if side else a_m
            to_m = from_m + share * ((a_m if side else b_m) - from_m)
            a, b = (from_m - edges.vertex_m[k]) / step_m, (to_m - edges.vertex_m[k]) / step_m
            ends[0, size] = (1.0 - a) * edges.vertex_x[k] + a * edges.vertex_x[k + 1]
            ends[1, size] = (1.0 - a) * edges.vertex_y[k] + a * edges.vertex_y[k + 1]
            ends[2, size] = (1.0 - b) * edges.vertex_x[k] + b * edges.vertex_x[k + 1]
            ends[3, size] = (1.0 - b) * edges.vertex_y[k] + b * edges.vertex_y[k + 1]
            # Counting down from the far end may leave a rounding error below the origin's 0.
            near = max(0.0, down_b if side else up_a)
            times[0, size] = near / 1000.0
            times[1, size] = (near + share * (back if side else there)) / 1000.0
            size += 1
    return size


@njit(cache=True, nogil=True)
def _share_reached(near: float, far: float, other: float, other_far: float, limit: float) -> float:
    """Give the share of a segment reached first from its near end.

    `near` and `far` are the times from that side at the segment's two ends, `other` and
    `other_far` those from the other side at the same ends.
    """
    if near > limit or near > other or far - near >= BARRED_MS / 2:
        return 0.0
    share = 1.0
    if far > limit:
        share = (limit - near) / (far - near)
    if far > other_far:
        share = min(share, (other - near) / ((other - near) + (far - other_far)))
    return share
