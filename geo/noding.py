"""From drawn lines to junctions and chains: the compiled steps of building a street network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def number_vertices(x: Floats, y: Floats) -> tuple[Ints, Ints]:
    """Give equal vertices one number.

    Returns the number of each vertex, in order of first sight, and the vertex first seen for each
    number. An open-addressed hash table keeps this linear.
    """
    size = 16
    while size < 2 * len(x):
        size *= 2
    table = np.full(size, -1, dtype=np.int32)
    numbers = np.empty(len(x), dtype=np.int32)
    firsts = np.empty(len(x), dtype=np.int32)
    x_bits = x.view(np.uint64)
    y_bits = y.view(np.uint64)
    count = 0
    for i in range(len(x)):
        mixed = x_bits[i] * np.uint64(0x9E3779B97F4A7C15) ^ y_bits[i]
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(32)
        slot = np.int64(mixed & np.uint64(size - 1))
        while True:
            number = table[slot]
            if number < 0:
                table[slot] = count
                firsts[count] = i
                numbers[i] = count
                count += 1
                break
            if x[firsts[number]] == x[i] and y[firsts[number]] == y[i]:
                numbers[i] = number
                break
            slot = (slot + 1) & (size - 1)
    return numbers, firsts[:count].copy()


@njit(cache=True, nogil=True)
def find_junctions(
    numbers: Ints, line: Ints, kind: Ints, one_way: Flags, count: int
) -> tuple[Flags, Ints]:
    """Tell the vertices where a chain must end.

    Parameters
    ----------
    numbers, line
        Number and line of each drawn vertex; lines follow one another.
    kind
        Class of each line: chains go on only over lines of one class.
    one_way
        Whether each line may be walked one way only: such chains do not run over to other lines.
    count
        Number of numbers.

    Returns
    -------
    tuple
        Whether each number is a junction, and the two segments that meet at each that is not,
        (count, 2); a segment is named by its first drawn vertex.
    """
    degree = np.zeros(count, dtype=np.int32)
    pair = np.full((count, 2), -1, dtype=np.int32)
    for i in range(len(numbers) - 1):
        if line[i] != line[i + 1] or numbers[i] == numbers[i + 1]:
            continue
        for v in (numbers[i], numbers[i + 1]):
            if degree[v] < 2:
                pair[v, degree[v]] = i
            degree[v] += 1
    junction = np.zeros(count, dtype=np.bool_)
    for v in range(count):
        if degree[v] == 2:
            a, b = line[pair[v, 0]], line[pair[v, 1]]
            junction[v] = a != b and (kind[a] != kind[b] or one_way[a])
        else:
            junction[v] = degree[v] > 0
    return junction, pair


@njit(cache=True, nogil=True)
def walk_chains(  # noqa: C901 - one walk; calls would hide its state
    numbers: Ints, line: Ints, junction: Flags, pair: Ints
) -> tuple[Ints, Ints, Ints, Flags]:
    """Follow every chain of segments from junction to junction.

    A ring without a junction is cut at the first vertex met, which becomes one (`junction` is
    changed).

    Returns
    -------
    tuple
        Vertex numbers along the chains; compressed rows of them by chain; the line that each chain
        was first drawn by; and whether the chain goes against that line's course.
    """
    segments = 0
    for i in range(len(numbers) - 1):
        if line[i] == line[i + 1] and numbers[i] != numbers[i + 1]:
            segments += 1
    via = np.empty(2 * segments, dtype=np.int32)
    parts = np.zeros(segments + 1, dtype=np.int32)
    lines = np.empty(segments, dtype=np.int32)
    against = np.zeros(segments, dtype=np.bool_)
    seen = np.zeros(len(numbers), dtype=np.bool_)
    chains = 0
    size = 0
    for rings in range(2):
        for first in range(len(numbers) - 1):
            if seen[first] or line[first] != line[first + 1]:
                continue
            a, b = numbers[first], numbers[first + 1]
            if a == b:
                continue
            if rings:
                junction[a] = True
            elif not (junction[a] or junction[b]):
                continue
            # From the end that is a junction; against the course when only the far one is.
            against[chains] = not junction[a]
            lines[chains] = line[first]
            at, segment = (a, first) if junction[a] else (b, first)
            via[size] = at
            size += 1
            while True:
                seen[segment] = True
                ahead = numbers[segment] + numbers[segment + 1] - at
                via[size] = ahead
                size += 1
                at = ahead
                if junction[at]:
                    break
                segment = pair[at, 0] + pair[at, 1] - segment
            chains += 1
            parts[chains] = size
    return via[:size].copy(), parts[: chains + 1].copy(), lines[:chains].copy(), against[:chains]


@njit(cache=True, nogil=True)
def hilbert_keys(x: Floats, y: Floats) -> npt.NDArray[np.uint32]:
    """Give each point its place along a Hilbert curve of 65,536 x 65,536 cells over them all."""
    keys = np.empty(len(x), dtype=np.uint32)
    if len(x) == 0:
        return keys
    west, south = x.min(), y.min()
    extent = max(x.max() - west, y.max() - south)
    scale = 65535.0 / extent if extent > 0.0 else 0.0
    for k in range(len(x)):
        i, j = np.int64((x[k] - west) * scale), np.int64((y[k] - south) * scale)
        key = np.int64(0)
        side = np.int64(32768)
        while side > 0:
            right, up = np.int64((i & side) > 0), np.int64((j & side) > 0)
            key += side * side * ((3 * right) ^ up)
            if up == 0:
                if right:
                    i, j = 65535 - i, 65535 - j
                i, j = j, i
            side >>= 1
        keys[k] = key
    return keys


@njit(cache=True, nogil=True)
def gather_rows(values: Ints, parts: Ints, order: Longs) -> tuple[Ints, Ints]:
    """Put compressed rows into another order."""
    new_parts = np.empty(len(parts), dtype=np.int32)
    gathered = np.empty(len(values), dtype=np.int32)
    new_parts[0] = 0
    size = 0
    for row in range(len(order)):
        for at in range(parts[order[row]], parts[order[row] + 1]):
            gathered[size] = values[at]
            size += 1
        new_parts[row + 1] = size
    return gathered, new_parts


@njit(cache=True, nogil=True)
def measure_along(x: Floats, y: Floats, parts: Ints) -> tuple[Floats, Floats]:
    """Give each vertex its distance from the start of its line, and each line its length."""
    along = np.zeros(len(x))
    lengths = np.zeros(len(parts) - 1)
    for row in range(len(parts) - 1):
        for k in range(parts[row] + 1, parts[row + 1]):
            along[k] = along[k - 1] + np.hypot(x[k] - x[k - 1], y[k] - y[k - 1])
        lengths[row] = along[parts[row + 1] - 1]
    return along, lengths


@njit(cache=True, nogil=True)
def compress_ends(start: Ints, end: Ints, count: int) -> tuple[Ints, Ints, Ints, Flags]:
    """Give each node the rows of the edges that end there, by the node at the other end.

    Edges sorted twice by counting (other end, then own end) keep this linear.
    """
    rows = 2 * len(start)
    offsets = np.zeros(count + 1, dtype=np.int32)
    for e in range(len(start)):
        offsets[start[e] + 1] += 1
        offsets[end[e] + 1] += 1
    for i in range(count):
        offsets[i + 1] += offsets[i]
    # A row is 2 e (along the course) or 2 e + 1 (against it).
    by_head = np.empty(rows, dtype=np.int32)
    fill = offsets[:-1].copy()
    for e in range(len(start)):
        by_head[fill[end[e]]] = 2 * e
        fill[end[e]] += 1
        by_head[fill[start[e]]] = 2 * e + 1
        fill[start[e]] += 1
    heads = np.empty(rows, dtype=np.int32)
    edge = np.empty(rows, dtype=np.int32)
    backward = np.empty(rows, dtype=np.bool_)
    fill = offsets[:-1].copy()
    for at in range(rows):
        e, against = by_head[at] >> 1, bool(by_head[at] & 1)
        tail, head = (end[e], start[e]) if against else (start[e], end[e])
        heads[fill[tail]] = head
        edge[fill[tail]] = e
        backward[fill[tail]] = against
        fill[tail] += 1
    return offsets, heads, edge, backward


@njit(cache=True, nogil=True)
def label_islands(start: Ints, end: Ints, count: int) -> tuple[Ints, Ints]:
    """Give each node its connected part, the largest being 0, and each part its size in nodes."""
    parent = np.arange(count).astype(np.int32)
    for e in range(len(start)):
        a, b = start[e], end[e]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        # The lower number leads, so that every parent precedes its children.
        if a < b:
            parent[b] = a
        else:
            parent[a] = b
    sizes = np.zeros(count, dtype=np.int32)
    for i in range(count):
        parent[i] = parent[parent[i]]
        sizes[parent[i]] += 1
    roots = np.flatnonzero(sizes)
    roots = roots[np.argsort(-sizes[roots], kind="mergesort")]
    label = np.empty(count, dtype=np.int32)
    label[roots] = np.arange(len(roots)).astype(np.int32)
    for i in range(count):
        label[i] = label[parent[i]]
    return label, sizes[roots]


@njit(cache=True, nogil=True)
def level_spans(z: Floats, along: Floats, parts: Ints, spans: Flags) -> Floats:
    """Run heights evenly from end to end of the lines named by `spans`."""
    levelled = z.copy()
    for row in range(len(parts) - 1):
        first, last = parts[row], parts[row + 1] - 1
        if spans[row] and last > first and along[last] > 0.0:
            for k in range(first + 1, last):
                share = along[k] / along[last]
                levelled[k] = (1.0 - share) * z[first] + share * z[last]
    return levelled
