"""An elimination hierarchy over the walking graph, and sweeps over it for many sources at once.

Nodes are taken out of the graph one by one, those with the fewest neighbours first, and shortcuts
between the neighbours keep all distances (contraction hierarchies: R. Geisberger, P. Sanders,
D. Schultes, D. Delling, 2008). Every shortest path then has an equally long one that first climbs
and then descends in the order of removal, so that two passes over the arcs, one up and one down,
give exact distances from any set of sources (PHAST: D. Delling, A. Goldberg, A. Nowatzyk,
R. Werneck, 2011). The passes need no queue, run through memory in order, and treat sixteen
searches side by side in one vector instruction.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.search import UNREACHABLE, Arcs

Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

# A detour over one other node is looked for only beside nodes with few neighbours: elsewhere it
# costs more time than the shortcuts that it saves.
_MAX_WITNESS_DEGREE = 10
_PRIORITIES = 512


class Hierarchy(NamedTuple):
    """Arcs and shortcuts from each node to those removed after it.

    Nodes are renumbered: `node[p]` is the node at place `p`, `place` its inverse. A place's
    neighbours upwards all have higher places.

    Parameters
    ----------
    node, place
        Node at each place, and place of each node.
    offsets, heads
        Compressed rows: the places above each place.
    up_ms, down_ms
        Time from the place to the one above, and back; `UNREACHABLE` when there is no way.
    """

    node: Ints
    place: Ints
    offsets: Ints
    heads: Ints
    up_ms: Ints
    down_ms: Ints


def build_hierarchy(arcs: Arcs, reverse: Arcs, *, horizon_ms: int = UNREACHABLE) -> Hierarchy:
    """Eliminate all nodes and give the arcs they had then, in an order that is kind to memory.

    Parameters
    ----------
    arcs, reverse
        The graph and its transpose, heads ascending in each row.
    horizon_ms
        Longest distance of interest, in milliseconds. Shortcuts beyond it are left out, which keeps
        the work the same for each node however large the graph is.

    Returns
    -------
    Hierarchy
        Sweeps over it give exact distances up to the horizon.
    """
    rank, offsets, up = _eliminate(arcs, reverse, min(horizon_ms, UNREACHABLE - 1))
    place = _order_by_depth(rank, offsets, up)
    return Hierarchy(*_renumber(place, rank, offsets, up))


class _Rows(NamedTuple):
    """Where the neighbours of each node stand in a table, and for how many there is room."""

    begin: Ints
    size: Ints
    room: Ints


class _Queue(NamedTuple):
    """Nodes in linked lists by priority; the first come first served."""

    first: Ints
    last: Ints
    before: Ints
    after: Ints
    priority: Ints


# Columns of the table of neighbours: the neighbour, the time there, the time back, and where this
# node stands in the neighbour's row.
_HEAD, _THERE, _BACK, _TWIN = 0, 1, 2, 3


@njit(cache=True, nogil=True)
def _both_ways(arcs: Arcs, reverse: Arcs, horizon_ms: int) -> tuple[_Rows, Ints, int]:
    """Merge arcs and their transpose into a table of neighbours; also give its used length."""
    count = len(arcs.offsets) - 1
    begin = np.zeros(count, dtype=np.int32)
    size = np.zeros(count, dtype=np.int32)
    room = np.zeros(count, dtype=np.int32)
    top = 0
    for i in range(count):
        begin[i] = top
        room[i] = arcs.offsets[i + 1] - arcs.offsets[i] + 2
        room[i] += reverse.offsets[i + 1] - reverse.offsets[i]
        top += room[i]
    table = np.empty((top + top // 4 + 16, 4), dtype=np.int32)
    for i in range(count):
        a, b = arcs.offsets[i], reverse.offsets[i]
        while a < arcs.offsets[i + 1] or b < reverse.offsets[i + 1]:
            there = arcs.heads[a] if a < arcs.offsets[i + 1] else UNREACHABLE
            back = reverse.heads[b] if b < reverse.offsets[i + 1] else UNREACHABLE
            row = table[begin[i] + size[i]]
            row[_HEAD] = min(there, back)
            row[_THERE] = arcs.ms[a] if there <= back else UNREACHABLE
            row[_BACK] = reverse.ms[b] if back <= there else UNREACHABLE
            a += there <= back
            b += back <= there
            size[i] += min(row[_THERE], row[_BACK]) <= horizon_ms
    # Rows ascend, so the neighbours of any node are met in the order of its row.
    fill = begin.copy()
    for i in range(count):
        for at in range(begin[i], begin[i] + size[i]):
            head = table[at, _HEAD]
            table[fill[head], _TWIN] = at - begin[i]
            fill[head] += 1
    return _Rows(begin, size, room), table, top


@njit(cache=True, nogil=True)
def _enqueue(queue: _Queue, node: int, priority: int) -> None:
    last = queue.last[priority]
    queue.priority[node] = priority
    queue.before[node] = last
    queue.after[node] = -1
    if last >= 0:
        queue.after[last] = node
    else:
        queue.first[priority] = node
    queue.last[priority] = node


@njit(cache=True, nogil=True)
def _dequeue(queue: _Queue, node: int) -> None:
    before, after = queue.before[node], queue.after[node]
    if before >= 0:
        queue.after[before] = after
    else:
        queue.first[queue.priority[node]] = after
    if after >= 0:
        queue.before[after] = before
    else:
        queue.last[queue.priority[node]] = before


@njit(cache=True, nogil=True)
def _eliminate(arcs: Arcs, reverse: Arcs, horizon_ms: int) -> tuple[Ints, Ints, Ints]:
    """Take nodes out one by one.

    Returns the rank of each node in the order of removal; and by rank in compressed rows the
    neighbours that it still had, as neighbour, time there and time back.
    """
    rows, table, top = _both_ways(arcs, reverse, horizon_ms)
    count = len(rows.size)
    lists = np.full((2, _PRIORITIES), -1, dtype=np.int32)
    links = np.empty((3, count), dtype=np.int32)
    queue = _Queue(lists[0], lists[1], links[0], links[1], links[2])
    for i in range(count):
        _enqueue(queue, i, min(rows.size[i], _PRIORITIES - 1))
    depth = np.zeros(count, dtype=np.int32)
    mark = np.full(count, -1, dtype=np.int32)
    rank = np.empty(count, dtype=np.int32)
    offsets = np.zeros(count + 1, dtype=np.int32)
    up = np.empty((4 * count + 16, 3), dtype=np.int32)
    least = 0
    for step in range(count):
        while queue.first[least] < 0:
            least += 1
        node = queue.first[least]
        _dequeue(queue, node)
        rank[node] = step
        end = offsets[step] + rows.size[node]
        offsets[step + 1] = end
        if end > len(up):
            larger = np.empty((2 * end, 3), dtype=np.int32)
            larger[: offsets[step]] = up[: offsets[step]]
            up = larger
        above = up[offsets[step] : end]
        _detach(rows, table, node, above)
        table, top = _bridge(rows, table, top, above, horizon_ms, mark)
        for k in range(len(above)):
            head = above[k, 0]
            depth[head] = max(depth[head], depth[node] + 1)
            # Few neighbours first; among many layers below, later: so removals spread evenly.
            priority = min(rows.size[head] + depth[head] // 4, _PRIORITIES - 1)
            if priority != queue.priority[head]:
                _dequeue(queue, head)
                _enqueue(queue, head, priority)
                least = min(least, priority)
    return rank, offsets, up[: offsets[count]]


@njit(cache=True, nogil=True)
def _detach(rows: _Rows, table: Ints, node: int, above: Ints) -> None:
    """Copy a node's row to `above` and take the node out of its neighbours' rows."""
    for k in range(rows.size[node]):
        row = table[rows.begin[node] + k]
        above[k] = row[:_TWIN]
        head = row[_HEAD]
        # The last of the neighbour's row moves into the gap.
        rows.size[head] -= 1
        gap, last = rows.begin[head] + row[_TWIN], rows.begin[head] + rows.size[head]
        if gap != last:
            table[gap] = table[last]
            table[rows.begin[table[gap, _HEAD]] + table[gap, _TWIN], _TWIN] = row[_TWIN]


@njit(cache=True, nogil=True)
def _bridge(
    rows: _Rows, table: Ints, top: int, above: Ints, horizon_ms: int, mark: Ints
) -> tuple[Ints, int]:
    """Join every two former neighbours of a node by a shortcut as long as the way over it.

    `mark` must be all -1. Gives the table, which may have grown, and its used length.
    """
    for k in range(len(above) - 1):
        a = above[k, 0]
        for at in range(rows.size[a]):
            mark[table[rows.begin[a] + at, _HEAD]] = at
        for m in range(k + 1, len(above)):
            b = above[m, 0]
            there = min(above[k, _BACK] + above[m, _THERE], UNREACHABLE)
            back = min(above[m, _BACK] + above[k, _THERE], UNREACHABLE)
            if mark[b] >= 0:
                _shorten(rows, table, a, mark[b], there, back)
            elif min(there, back) <= horizon_ms and not _has_detour(
                rows, table, a, b, there, back, mark
            ):
                table, top = _make_room(rows, table, top, a)
                table, top = _make_room(rows, table, top, b)
                mark[b] = rows.size[a]
                _append(rows, table, a, b, there, back, rows.size[b])
                _append(rows, table, b, a, back, there, mark[b])
        for at in range(rows.size[a]):
            mark[table[rows.begin[a] + at, _HEAD]] = -1
    return table, top


@njit(cache=True, nogil=True)
def _shorten(rows: _Rows, table: Ints, a: int, at: int, there: int, back: int) -> None:
    """Lower the times of an entry of a's row, and of its twin."""
    row = table[rows.begin[a] + at]
    twin = table[rows.begin[row[_HEAD]] + row[_TWIN]]
    row[_THERE] = twin[_BACK] = min(row[_THERE], there)
    row[_BACK] = twin[_THERE] = min(row[_BACK], back)


@njit(cache=True, nogil=True)
def _has_detour(
    rows: _Rows, table: Ints, a: int, b: int, there: int, back: int, mark: Ints
) -> bool:
    """Say whether ways over one other node are as short, both ways; `mark` has a's neighbours."""
    known_there, known_back = there >= UNREACHABLE, back >= UNREACHABLE
    if rows.size[b] > _MAX_WITNESS_DEGREE:
        return False
    for at in range(rows.begin[b], rows.begin[b] + rows.size[b]):
        other = mark[table[at, _HEAD]]
        if other >= 0:
            beside = table[rows.begin[a] + other]
            known_there |= beside[_THERE] + table[at, _BACK] <= there
            known_back |= table[at, _THERE] + beside[_BACK] <= back
    return known_there and known_back


@njit(cache=True, nogil=True)
def _make_room(rows: _Rows, table: Ints, top: int, node: int) -> tuple[Ints, int]:
    """Move a full row to the end of the table, with room for twice as many."""
    if rows.size[node] < rows.room[node]:
        return table, top
    wider = 2 * rows.room[node]
    if top + wider > len(table):
        larger = np.empty((2 * len(table) + wider, 4), dtype=np.int32)
        larger[:top] = table[:top]
        table = larger
    begin = rows.begin[node]
    table[top : top + rows.size[node]] = table[begin : begin + rows.size[node]]
    rows.begin[node] = top
    rows.room[node] = wider
    return table, top + wider


@njit(cache=True, nogil=True)
def _append(
    rows: _Rows, table: Ints, node: int, head: int, there: int, back: int, twin: int
) -> None:
    row = table[rows.begin[node] + rows.size[node]]
    row[_HEAD], row[_THERE], row[_BACK], row[_TWIN] = head, there, back, twin
    rows.size[node] += 1


@njit(cache=True, nogil=True)
def _order_by_depth(  # noqa: C901 - one walk; calls would hide its state
    rank: Ints, offsets: Ints, up: Ints
) -> Ints:
    """Give each node a place after all nodes below it, near to them (depth first)."""
    count = len(rank)
    node = np.empty(count, dtype=np.int32)
    for i in range(count):
        node[rank[i]] = i
    below = np.zeros(count + 1, dtype=np.int32)
    for at in range(len(up)):
        below[rank[up[at, 0]] + 1] += 1
    for i in range(count):
        below[i + 1] += below[i]
    fill = below[:-1].copy()
    lower = np.empty(len(up), dtype=np.int32)
    for r in range(count):
        for at in range(offsets[r], offsets[r + 1]):
            h = rank[up[at, 0]]
            lower[fill[h]] = r
            fill[h] += 1
    place = np.full(count, -1, dtype=np.int32)
    stack = np.empty(count, dtype=np.int32)
    seen = np.zeros(count, dtype=np.bool_)
    cursor = below[:-1].copy()
    given = 0
    for root in range(count - 1, -1, -1):
        if seen[root]:
            continue
        stack[0] = root
        seen[root] = True
        depth = 1
        while depth > 0:
            r = stack[depth - 1]
            if cursor[r] < below[r + 1]:
                child = lower[cursor[r]]
                cursor[r] += 1
                if not seen[child]:
                    seen[child] = True
                    stack[depth] = child
                    depth += 1
            else:
                place[node[r]] = given
                given += 1
                depth -= 1
    return place


@njit(cache=True, nogil=True)
def _renumber(
    place: Ints, rank: Ints, offsets: Ints, up: Ints
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    """Put rows by rank into rows by place."""
    count = len(place)
    node = np.empty(count, dtype=np.int32)
    for i in range(count):
        node[place[i]] = i
    new_offsets = np.zeros(count + 1, dtype=np.int32)
    new_up = np.empty((3, len(up)), dtype=np.int32)
    size = 0
    for p in range(count):
        r = rank[node[p]]
        for at in range(offsets[r], offsets[r + 1]):
            new_up[0, size] = place[up[at, 0]]
            new_up[1, size] = up[at, 1]
            new_up[2, size] = up[at, 2]
            size += 1
        new_offsets[p + 1] = size
    return node, place, new_offsets, new_up[0], new_up[1], new_up[2]
