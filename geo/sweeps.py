"""Sweeps over an elimination hierarchy: distances from many sources in two passes over the arcs.

A label is the time that one search knows for one place so far; those of sixteen searches lie side
by side and are dealt with together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.edges import Edges, Places, whole_ms
from geo.hierarchy import Hierarchy
from geo.lanes import LANES, add_within, relax
from geo.search import UNREACHABLE, Arcs, Workspace, forget, search

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def sweep(
    offsets: Ints, heads: Ints, climb_ms: Ints, descend_ms: Ints, labels: Ints, labelled: Flags
) -> None:
    """Turn the times at sources into the times at all places, for sixteen searches at once.

    `labels` has sixteen times a place, `UNREACHABLE` where none is known; `labelled` says which
    places have any.
    """
    count = len(offsets) - 1
    for p in range(count):
        if labelled[p]:
            for at in range(offsets[p], offsets[p + 1]):
                labelled[heads[at]] = True
                relax(labels, heads[at], p, climb_ms[at])
    for p in range(count - 1, -1, -1):
        for at in range(offsets[p], offsets[p + 1]):
            if labelled[heads[at]]:
                labelled[p] = True
                relax(labels, p, heads[at], descend_ms[at])


@njit(cache=True, nogil=True)
def sweep_nearest(
    hierarchy: Hierarchy, nodes: Ints, seed_ms: Ints, lanes: Ints, limit_ms: int, out: Ints
) -> None:
    """Write the time from every node to the nearest seed of each group, (groups, nodes).

    `lanes` gives the group of each seed; there are no more groups than lanes.
    """
    count = len(hierarchy.node)
    labels = np.full(count * LANES, UNREACHABLE, dtype=np.int32)
    labelled = np.zeros(count, dtype=np.bool_)
    for k in range(len(nodes)):
        if seed_ms[k] <= limit_ms:
            p = hierarchy.place[nodes[k]]
            at = p * LANES + lanes[k]
            labels[at] = min(labels[at], seed_ms[k])
            labelled[p] = True
    # Towards the seeds: what climbs takes the way down to its place, and the other way round.
    sweep(
        hierarchy.offsets,
        hierarchy.heads,
        hierarchy.down_ms,
        hierarchy.up_ms,
        labels,
        labelled,
    )
    for i in range(count):
        at = hierarchy.place[i] * LANES
        for lane in range(len(out)):
            ms = labels[at + lane]
            out[lane, i] = ms if ms <= limit_ms else UNREACHABLE


@njit(cache=True, nogil=True)
def sweep_nearest_k(
    hierarchy: Hierarchy,
    nodes: Ints,
    seed_ms: Ints,
    limit_ms: int,
    k: int,
    out_ms: Ints,
    out_number: Ints,
) -> None:
    """Write the times to the nearest `k` places of one group, and their numbers, for every node.

    Two seeds make a place. Labels hold the time in the upper half and the place in the lower, so
    that they order by time, then number. Adding the same time to all keeps that order: a label
    that is not among the least `k` of a node is not needed beyond it either.
    """
    count = len(hierarchy.node)
    empty = np.int64(UNREACHABLE) << 32
    labels = np.full((count, k), empty, dtype=np.int64)
    for s in range(len(nodes)):
        if seed_ms[s] <= limit_ms:
            label = (np.int64(seed_ms[s]) << 32) | (s >> 1)
            _insert(labels[hierarchy.place[nodes[s]]], label)
    for p in range(count):
        if labels[p, 0] < empty:
            for at in range(hierarchy.offsets[p], hierarchy.offsets[p + 1]):
                _merge(
                    labels[p],
                    np.int64(hierarchy.down_ms[at]) << 32,
                    limit_ms,
                    labels[hierarchy.heads[at]],
                )
    for p in range(count - 1, -1, -1):
        for at in range(hierarchy.offsets[p], hierarchy.offsets[p + 1]):
            _merge(
                labels[hierarchy.heads[at]],
                np.int64(hierarchy.up_ms[at]) << 32,
                limit_ms,
                labels[p],
            )
    for i in range(count):
        row = labels[hierarchy.place[i]]
        for j in range(k):
            out_ms[i, j] = row[j] >> 32
            out_number[i, j] = row[j] & 0xFFFFFFFF if row[j] < empty else -1


@njit(cache=True, nogil=True)
def _merge(source: Longs, added: np.int64, limit_ms: int, target: Longs) -> None:
    """Take labels over with time added, as long as they are among the target's least."""
    bound = (np.int64(limit_ms) + 1) << 32
    for j in range(len(source)):
        label = source[j] + added
        if label >= bound or label >= target[-1]:
            break
        _insert(target, label)


@njit(cache=True, nogil=True)
def _insert(labels: Longs, label: np.int64) -> None:
    """Put a label into ascending ones, of each place the least."""
    at = len(labels) - 1
    number = label & 0xFFFFFFFF
    for j in range(len(labels)):
        if labels[j] & 0xFFFFFFFF == number and labels[j] >> 32 < UNREACHABLE:
            if labels[j] <= label:
                return
            at = j
            break
    if labels[at] <= label:
        return
    while at > 0 and labels[at - 1] > label:
        labels[at] = labels[at - 1]
        at -= 1
    labels[at] = label


class Weights(NamedTuple):
    """What is added up: weights of nodes in compressed rows with their groups, and of places."""

    rows: Ints
    group: Ints
    of_node: Floats
    of_place: Floats


class Sum(NamedTuple):
    """All that a sum over reached nodes and places is made of."""

    edges: Edges
    arcs: Arcs
    hierarchy: Hierarchy
    places: Places
    weights: Weights
    limit_ms: int


@njit(cache=True, nogil=True)
def sum_block(task: Sum, first: int, last: int, space: Workspace, slot: Ints, sums: Floats) -> None:
    """Add up by group all weights within the limit of the nodes `first` to `last` - 1.

    The nodes are neighbours, so one search from all of them finds what any of them can reach; the
    hierarchy cut down to that is swept for sixteen of them at a time. `slot` must be all -1, `sums`
    is (groups, nodes).
    """
    hierarchy, places, weights, limit_ms = task.hierarchy, task.places, task.weights, task.limit_ms
    origins = np.arange(first, last).astype(np.int32)
    reached = search(task.arcs, origins, np.zeros(len(origins), np.int32), limit_ms, space)
    count = len(reached)
    above = np.sort(hierarchy.place[reached])
    for i in range(count):
        slot[hierarchy.node[above[i]]] = i
    offsets, heads, up_ms, down_ms = _cut_hierarchy(hierarchy, above, slot, limit_ms)
    low, high, low_ms, high_ms, number = _places_reached(
        task.edges, places, reached, space.ms, slot
    )
    at_slot, at_group, at_weight = _weights_reached(weights, above, hierarchy.node)
    labels = np.empty((count + 1) * LANES, dtype=np.int32)
    labelled = np.empty(count, dtype=np.bool_)
    part = np.zeros(len(sums) * LANES)
    for begin in range(first, last, LANES):
        lanes = min(LANES, last - begin)
        labels[:] = UNREACHABLE
        labelled[:] = False
        for lane in range(lanes):
            at = slot[begin + lane]
            labels[at * LANES + lane] = 0
            labelled[at] = True
        sweep(offsets, heads, up_ms, down_ms, labels, labelled)
        part[:] = 0.0
        for k in range(len(at_slot)):
            add_within(part, at_group[k], labels, at_slot[k], limit_ms, at_weight[k])
        for k in range(len(number)):
            # The row after the last is for places within edges.
            labels[count * LANES :] = UNREACHABLE
            relax(labels, count, low[k], low_ms[k])
            relax(labels, count, high[k], high_ms[k])
            weight = weights.of_place[number[k]]
            add_within(part, places.group[number[k]], labels, count, limit_ms, weight)
        for lane in range(lanes):
            for group in range(len(sums)):
                sums[group, begin + lane] = part[group * LANES + lane]
    for node in reached:
        slot[node] = -1
    forget(space, reached)


@njit(cache=True, nogil=True)
def _cut_hierarchy(
    hierarchy: Hierarchy, above: Ints, slot: Ints, limit_ms: int
) -> tuple[Ints, Ints, Ints, Ints]:
    """Give the rows of the hierarchy among chosen places, without ways beyond the limit."""
    room = 0
    for i in range(len(above)):
        room += hierarchy.offsets[above[i] + 1] - hierarchy.offsets[above[i]]
    offsets = np.zeros(len(above) + 1, dtype=np.int32)
    heads = np.empty(room, dtype=np.int32)
    up_ms = np.empty(room, dtype=np.int32)
    down_ms = np.empty(room, dtype=np.int32)
    size = 0
    for i in range(len(above)):
        for at in range(hierarchy.offsets[above[i]], hierarchy.offsets[above[i] + 1]):
            head = slot[hierarchy.node[hierarchy.heads[at]]]
            if head >= 0 and min(hierarchy.up_ms[at], hierarchy.down_ms[at]) <= limit_ms:
                heads[size] = head
                up_ms[size] = hierarchy.up_ms[at]
                down_ms[size] = hierarchy.down_ms[at]
                size += 1
        offsets[i + 1] = size
    return offsets, heads[:size], up_ms[:size], down_ms[:size]


@njit(cache=True, nogil=True)
def _weights_reached(weights: Weights, above: Ints, node: Ints) -> tuple[Ints, Ints, Floats]:
    """Give the weights of the nodes at chosen places: slot, group and weight."""
    room = 0
    for i in range(len(above)):
        room += weights.rows[node[above[i]] + 1] - weights.rows[node[above[i]]]
    at_slot = np.empty(room, dtype=np.int32)
    at_group = np.empty(room, dtype=np.int32)
    at_weight = np.empty(room)
    size = 0
    for i in range(len(above)):
        for at in range(weights.rows[node[above[i]]], weights.rows[node[above[i]] + 1]):
            at_slot[size] = i
            at_group[size] = weights.group[at]
            at_weight[size] = weights.of_node[at]
            size += 1
    return at_slot, at_group, at_weight


@njit(cache=True, nogil=True)
def _places_reached(
    edges: Edges, places: Places, reached: Ints, ms: Ints, slot: Ints
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Give the places on edges with a reached end: the slots of both ends, and the times there."""
    room = 0
    for node in reached:
        for at in range(edges.offsets[node], edges.offsets[node + 1]):
            room += places.rows[edges.edge[at] + 1] - places.rows[edges.edge[at]]
    low = np.empty(room, dtype=np.int32)
    high = np.empty(room, dtype=np.int32)
    low_ms = np.empty(room, dtype=np.int32)
    high_ms = np.empty(room, dtype=np.int32)
    number = np.empty(room, dtype=np.int32)
    size = 0
    for node in reached:
        for at in range(edges.offsets[node], edges.offsets[node + 1]):
            e = edges.edge[at]
            # Each edge once: from its start, or from its end when the start is not reached.
            if edges.backward[at] and ms[edges.start[e]] < UNREACHABLE:
                continue
            for p in range(places.rows[e], places.rows[e + 1]):
                a, b = slot[edges.start[e]], slot[edges.end[e]]
                low[size], high[size] = max(a, 0), max(b, 0)
                low_ms[size] = high_ms[size] = UNREACHABLE
                if a >= 0:
                    low_ms[size] = whole_ms(edges, e, 0.0, places.offset_m[p])
                if b >= 0:
                    high_ms[size] = whole_ms(edges, e, edges.length_m[e], places.offset_m[p])
                number[size] = p
                size += 1
    return low[:size], high[:size], low_ms[:size], high_ms[:size], number[:size]


@njit(cache=True, nogil=True)
def count_from_places(
    arcs: Arcs,
    nodes: Ints,
    seed_ms: Ints,
    limit_ms: int,
    space: Workspace,
    counts: Ints,
) -> None:
    """Add 1 at every node within the limit of each place, searching from the places backwards."""
    for i in range(0, len(nodes), 2):
        reached = search(arcs, nodes[i : i + 2], seed_ms[i : i + 2], limit_ms, space)
        for node in reached:
            counts[node] += 1
        forget(space, reached)
