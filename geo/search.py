"""Bounded shortest-path search: the compiled heart of every answer that starts at one place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]

# In milliseconds: 12 days. Two of them still fit 32 bits, so that sums need no check.
UNREACHABLE = (1 << 30) - 1

_BUCKETS = 128


class Arcs(NamedTuple):
    """Directed arcs between nodes, the quickest of parallel ones, in compressed rows.

    Parameters
    ----------
    offsets, heads, ms
        Node `i` has the arcs `offsets[i]` to `offsets[i + 1] - 1`, each with its head and its time
        in milliseconds.
    """

    offsets: Ints
    heads: Ints
    ms: Ints


class Workspace(NamedTuple):
    """Arrays that one search after another uses.

    Parameters
    ----------
    ms
        Time to each node; all `UNREACHABLE` between searches.
    reached
        Room for the nodes reached, in order.
    """

    ms: Ints
    reached: Ints


def make_workspace(node_count: int) -> Workspace:
    """Make the arrays for searches on a graph."""
    return Workspace(
        np.full(node_count, UNREACHABLE, dtype=np.int32), np.empty(node_count, dtype=np.int32)
    )


@njit(cache=True, nogil=True)
def push(heap: Longs, size: int, entry: int) -> None:
    """Put an entry into a heap of `size` entries with four children each; room must be there."""
    at = size
    while at > 0:
        up = (at - 1) >> 2
        if heap[up] <= entry:
            break
        heap[at] = heap[up]
        at = up
    heap[at] = entry


@njit(cache=True, nogil=True)
def pop(heap: Longs, size: int) -> np.int64:
    """Take the least entry out of a heap of `size` entries."""
    least: np.int64 = heap[0]
    last = size - 1
    entry = heap[last]
    at = 0
    while True:
        child = 4 * at + 1
        if child >= last:
            break
        best = child
        for other in range(child + 1, min(child + 4, last)):
            if heap[other] < heap[best]:
                best = other
        if heap[best] >= entry:
            break
        heap[at] = heap[best]
        at = best
    heap[at] = entry
    return least


@njit(cache=True, nogil=True)
def search(
    arcs: Arcs,
    seeds: Ints,
    seed_ms: Ints,
    limit_ms: int,
    space: Workspace,
) -> Ints:
    """Run Dijkstra's algorithm from seeds with their times, up to a limit.

    The workspace holds the times afterwards, until `forget`. Returns the nodes reached, in order of
    time (a view into the workspace).
    """
    ms, reached = space
    heap = np.empty(256, dtype=np.int64)
    size = 0
    for k in range(len(seeds)):
        if seed_ms[k] <= limit_ms and seed_ms[k] < ms[seeds[k]]:
            ms[seeds[k]] = seed_ms[k]
            if size == len(heap):
                heap = _grow(heap)
            push(heap, size, (np.int64(seed_ms[k]) << 32) | seeds[k])
            size += 1
    count = 0
    while size > 0:
        entry = pop(heap, size)
        size -= 1
        now = entry >> 32
        node = entry & 0xFFFFFFFF
        if now > ms[node]:
            continue
        reached[count] = node
        count += 1
        for at in range(arcs.offsets[node], arcs.offsets[node + 1]):
            later = now + arcs.ms[at]
            head = arcs.heads[at]
            if later < ms[head] and later <= limit_ms:
                ms[head] = later
                if size == len(heap):
                    heap = _grow(heap)
                push(heap, size, (later << 32) | head)
                size += 1
    return reached[:count]


@njit(cache=True, nogil=True)
def flood(  # noqa: C901 - one loop; calls would hide its state
    arcs: Arcs,
    seeds: Ints,
    seed_ms: Ints,
    limit_ms: int,
    space: Workspace,
) -> Ints:
    """Find what `search` finds, sooner where much is reached, but in no order.

    Nodes wait in buckets of about a hundredth of the limit. Within a bucket the last come is the
    first served, and a node that gets a lower time there is served again (delta-stepping: U. Meyer,
    P. Sanders, 2003).
    """
    ms, reached = space
    shift = 0
    while limit_ms >> shift >= _BUCKETS:
        shift += 1
    first = np.full(_BUCKETS, -1, dtype=np.int32)
    waiting = np.empty(1024, dtype=np.int64)  # the time, and in the lower half the node
    after = np.empty(1024, dtype=np.int32)
    size = count = 0
    for k in range(len(seeds)):
        if seed_ms[k] <= limit_ms and seed_ms[k] < ms[seeds[k]]:
            if ms[seeds[k]] == UNREACHABLE:
                reached[count] = seeds[k]
                count += 1
            ms[seeds[k]] = seed_ms[k]
            if size == len(waiting):
                waiting, after = _grow(waiting), np.append(after, after)
            waiting[size] = (np.int64(seed_ms[k]) << 32) | seeds[k]
            after[size] = first[seed_ms[k] >> shift]
            first[seed_ms[k] >> shift] = size
            size += 1
    for bucket in range(_BUCKETS):
        while first[bucket] >= 0:
            entry = waiting[first[bucket]]
            first[bucket] = after[first[bucket]]
            now = entry >> 32
            node = entry & 0xFFFFFFFF
            if now > ms[node]:
                continue
            for at in range(arcs.offsets[node], arcs.offsets[node + 1]):
                later = now + arcs.ms[at]
                head = arcs.heads[at]
                known = ms[head]
                if later < known and later <= limit_ms:
                    if known == UNREACHABLE:
                        reached[count] = head
                        count += 1
                    ms[head] = later
                    if size == len(waiting):
                        waiting, after = _grow(waiting), np.append(after, after)
                    waiting[size] = (later << 32) | head
                    after[size] = first[later >> shift]
                    first[later >> shift] = size
                    size += 1
    return reached[:count]


@njit(cache=True, nogil=True)
def _grow(heap: Longs) -> Longs:
    larger = np.empty(2 * len(heap), dtype=np.int64)
    larger[: len(heap)] = heap
    return larger


@njit(cache=True, nogil=True)
def forget(space: Workspace, reached: Ints) -> None:
    """Make the times of the nodes reached `UNREACHABLE` again."""
    for node in reached:
        space.ms[node] = UNREACHABLE
