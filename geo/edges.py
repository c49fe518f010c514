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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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
) -> Floats:
    """Walk from a place on edge `origin` and cut the streets into the pieces reached.

    Returns rows of x0, y0, x1, y1 in metres and t0, t1 in milliseconds.
    """
    start = np.array([origin], dtype=np.int32)
    nodes, out_ms, _ = end_times(edges, start, np.array([origin_m]))
    reached = search(arcs, nodes, out_ms, limit_ms, space)
    ms = space.ms
    room = 2 * (edges.parts[origin + 1] - edges.parts[origin] + 2)
    for node in reached:
        for at in range(edges.offsets[node], edges.offsets[node + 1]):
            e = edges.edge[at]
            room += 2 * (edges.parts[e + 1] - edges.parts[e])
    pieces = np.empty((room, 6))
    size = 0
    for node in reached:
        for at in range(edges.offsets[node], edges.offsets[node + 1]):
            e = edges.edge[at]
            # Each edge once: from its start, or from its end when the start is not reached.
            if e == origin or (edges.backward[at] and ms[edges.start[e]] < UNREACHABLE):
                continue
            t0, t1 = int(ms[edges.start[e]]), int(ms[edges.end[e]])
            size = _cut_edge(edges, e, (0.0, t0), (edges.length_m[e], t1), limit_ms, pieces, size)
    t0, t1 = int(ms[edges.start[origin]]), int(ms[edges.end[origin]])
    length = edges.length_m[origin]
    size = _cut_edge(edges, origin, (0.0, t0), (origin_m, 0), limit_ms, pieces, size)
    size = _cut_edge(edges, origin, (origin_m, 0), (length, t1), limit_ms, pieces, size)
    forget(space, reached)
    return pieces[:size].copy()


@njit(cache=True, nogil=True)
def _cut_edge(
    edges: Edges,
    edge: int,
    low: tuple[float, int],
    high: tuple[float, int],
    limit_ms: int,
    pieces: Floats,
    size: int,
) -> int:
    """Add the pieces reached of an edge between two places given with their times.

    Times from the low end rise along the edge and times from the high end fall, so that within
    each straight segment one point parts what is reached first from either end.
    """
    low_m, low_ms = low
    high_m, high_ms = high
    first, last = edges.parts[edge], edges.parts[edge + 1] - 1
    for k in range(first, last):
        a_m, b_m = max(low_m, edges.vertex_m[k]), min(high_m, edges.vertex_m[k + 1])
        if b_m <= a_m:
            continue
        up_a = low_ms + span_ms(edges, edge, low_m, a_m)
        up_b = low_ms + span_ms(edges, edge, low_m, b_m)
        down_a = high_ms + span_ms(edges, edge, high_m, a_m)
        down_b = high_ms + span_ms(edges, edge, high_m, b_m)
        up = _share_reached(up_a, up_b, down_a, down_b, limit_ms)
        down = _share_reached(down_b, down_a, up_b, up_a, limit_ms)
        step_m = edges.vertex_m[k + 1] - edges.vertex_m[k]
        if up > 0.0:
            to_m = a_m + up * (b_m - a_m)
            _write_piece(edges, k, step_m, a_m, to_m, pieces[size])
            pieces[size, 4], pieces[size, 5] = up_a, up_a + up * (up_b - up_a)
            size += 1
        if down > 0.0:
            to_m = b_m - down * (b_m - a_m)
            _write_piece(edges, k, step_m, b_m, to_m, pieces[size])
            pieces[size, 4], pieces[size, 5] = down_b, down_b + down * (down_a - down_b)
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


@njit(cache=True, nogil=True)
def _write_piece(
    edges: Edges, vertex: int, step_m: float, from_m: float, to_m: float, piece: Floats
) -> None:
    """Write both ends of a piece of the segment after `vertex`."""
    a = (from_m - edges.vertex_m[vertex]) / step_m
    b = (to_m - edges.vertex_m[vertex]) / step_m
    x0, x1 = edges.vertex_x[vertex], edges.vertex_x[vertex + 1]
    y0, y1 = edges.vertex_y[vertex], edges.vertex_y[vertex + 1]
    piece[0], piece[1] = (1.0 - a) * x0 + a * x1, (1.0 - a) * y0 + a * y1
    piece[2], piece[3] = (1.0 - b) * x0 + b * x1, (1.0 - b) * y0 + b * y1
