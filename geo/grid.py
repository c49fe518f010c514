"""An even grid over straight segments: the index that finds the street nearest to a place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

_SEGMENTS_A_CELL = 2.0

# Cells this near to a segment count as passed through, so that rounding leaves none out.
_SLACK_M = 1e-3


class SegmentGrid(NamedTuple):
    """Segments by the square cells that they pass through.

    Parameters
    ----------
    west, south
        Corner of the grid in metres.
    cell_m
        Side of a cell.
    columns, rows
        Cells in each direction; 0 when there are no segments.
    offsets, segments
        Compressed rows: the segments of each cell, cell by cell from the south-west. A segment is
        named by its first vertex.
    line
        Line of each vertex.
    x, y
        Vertices in metres.
    """

    west: float
    south: float
    cell_m: float
    columns: int
    rows: int
    offsets: npt.NDArray[np.int64]
    segments: Ints
    line: Ints
    x: Floats
    y: Floats


def index_segments(x: Floats, y: Floats, parts: Ints) -> SegmentGrid:
    """Index the segments of lines.

    Parameters
    ----------
    x, y
        Vertices in metres.
    parts
        Compressed rows: line `i` has the vertices `parts[i]` to `parts[i + 1] - 1`.

    Returns
    -------
    SegmentGrid
        With about two segments a cell.
    """
    line = np.repeat(np.arange(len(parts) - 1, dtype=np.int32), np.diff(parts))
    if len(x) == 0:
        none = np.empty(0, dtype=np.int32)
        return SegmentGrid(0.0, 0.0, 1.0, 0, 0, np.zeros(1, np.int64), none, line, x, y)
    west, south = float(x.min()), float(y.min())
    width, height = float(x.max()) - west, float(y.max()) - south
    # No cell below a metre, and no more cells than segments call for even along a single line.
    area_cell = np.sqrt(width * height * _SEGMENTS_A_CELL / len(x))
    cell_m = max(1.0, float(area_cell), max(width, height) / len(x))
    columns, rows = int(width / cell_m) + 1, int(height / cell_m) + 1
    offsets, segments = _fill_cells(x, y, line, west, south, cell_m, columns, rows)
    return SegmentGrid(west, south, cell_m, columns, rows, offsets, segments, line, x, y)


@njit(cache=True, nogil=True)
def _fill_cells(
    x: Floats,
    y: Floats,
    line: Ints,
    west: float,
    south: float,
    cell_m: float,
    columns: int,
    rows: int,
) -> tuple[npt.NDArray[np.int64], Ints]:
    """Count, then place: the cells that each segment passes through."""
    offsets = np.zeros(columns * rows + 1, dtype=np.int64)
    segments = np.empty(0, dtype=np.int32)
    for placing in range(2):
        for i in range(len(x) - 1):
            if line[i] != line[i + 1]:
                continue
            bottom = int((min(y[i], y[i + 1]) - south) / cell_m)
            top = int((max(y[i], y[i + 1]) - south) / cell_m)
            for row in range(bottom, top + 1):
                low = south + row * cell_m
                left_x, right_x = _span_within(x, y, i, low, low + cell_m)
                left = max(0, int((left_x - _SLACK_M - west) / cell_m))
                right = min(columns - 1, int((right_x + _SLACK_M - west) / cell_m))
                for column in range(left, right + 1):
                    cell = row * columns + column
                    if placing:
                        offsets[cell] -= 1
                        segments[offsets[cell]] = i
                    else:
                        offsets[cell] += 1
        if not placing:
            # Ends of the rows now; placing from the back leaves their beginnings.
            for cell in range(1, columns * rows + 1):
                offsets[cell] += offsets[cell - 1]
            segments = np.empty(offsets[-1], dtype=np.int32)
    return offsets, segments


@njit(cache=True, nogil=True)
def _span_within(x: Floats, y: Floats, i: int, low: float, high: float) -> tuple[float, float]:
    """Give the least and greatest x of a segment between two heights that it reaches."""
    dx, dy = x[i + 1] - x[i], y[i + 1] - y[i]
    if dy == 0.0:
        return min(x[i], x[i + 1]), max(x[i], x[i + 1])
    a, b = (low - y[i]) / dy, (high - y[i]) / dy
    first, last = max(0.0, min(a, b)), min(1.0, max(a, b))
    return min(x[i] + first * dx, x[i] + last * dx), max(x[i] + first * dx, x[i] + last * dx)


@njit(cache=True, nogil=True)
def nearest_segment(
    grid: SegmentGrid,
    usable: Flags,
    barred: Ints,
    px: float,
    py: float,
    max_m: float,
) -> tuple[int, float, float]:
    """Find the segment nearest to a point, ring of cells by ring of cells.

    Returns the segment's first vertex (-1 when none lies within `max_m`), the share of the way
    along it, and the distance. Of equals the lowest vertex wins. `barred` names segments to pass
    over.
    """
    west, south, cell_m, columns, rows, offsets, segments, line, x, y = grid
    best, best_share, best_m = -1, 0.0, max_m
    column, row = int(np.floor((px - west) / cell_m)), int(np.floor((py - south) / cell_m))
    # Rings before the first that touches the grid are empty.
    ring = max(0, -column, column - columns + 1, -row, row - rows + 1)
    last = max(column, columns - 1 - column, row, rows - 1 - row)
    while ring <= last and (ring - 1) * cell_m <= best_m:
        for j in range(max(0, row - ring), min(rows - 1, row + ring) + 1):
            step = 1 if abs(j - row) == ring else 2 * ring
            for i in range(column - ring, column + ring + 1, max(1, step)):
                if i < 0 or i >= columns:
                    continue
                cell = j * columns + i
                for at in range(offsets[cell], offsets[cell + 1]):
                    k = segments[at]
                    if not usable[line[k]]:
                        continue
                    dx, dy = x[k + 1] - x[k], y[k + 1] - y[k]
                    square = dx * dx + dy * dy
                    share = 0.0
                    if square > 0.0:
                        share = ((px - x[k]) * dx + (py - y[k]) * dy) / square
                        share = min(1.0, max(0.0, share))
                    near_x = (1.0 - share) * x[k] + share * x[k + 1]
                    near_y = (1.0 - share) * y[k] + share * y[k + 1]
                    away_m = np.hypot(near_x - px, near_y - py)
                    nearer = away_m < best_m or (away_m == best_m and (best < 0 or k < best))
                    if nearer and not _contains(barred, k):
                        best, best_share, best_m = k, share, away_m
        ring += 1
    return best, best_share, best_m


@njit(cache=True, nogil=True)
def _contains(values: Ints, value: int) -> bool:
    for i in range(len(values)):  # noqa: SIM110 - numba has no any() over a generator
        if values[i] == value:
            return True
    return False


@njit(cache=True, nogil=True)
def crosses(
    grid: SegmentGrid,
    ax: float,
    ay: float,
    bx: float,
    by: float,
) -> bool:
    """Say whether the way from a to b meets any segment of the grid."""
    west, south, cell_m, columns, rows, offsets, segments, _, x, y = grid
    left = max(0, int(np.floor((min(ax, bx) - west) / cell_m)))
    right = min(columns - 1, int(np.floor((max(ax, bx) - west) / cell_m)))
    bottom = max(0, int(np.floor((min(ay, by) - south) / cell_m)))
    top = min(rows - 1, int(np.floor((max(ay, by) - south) / cell_m)))
    for row in range(bottom, top + 1):
        for column in range(left, right + 1):
            cell = row * columns + column
            for at in range(offsets[cell], offsets[cell + 1]):
                k = segments[at]
                if _meet(ax, ay, bx, by, x[k], y[k], x[k + 1], y[k + 1]):
                    return True
    return False


@njit(cache=True, nogil=True)
def _meet(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float
) -> bool:
    """Say whether the straight lines ab and cd share a point (touching counts)."""
    a = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx)
    b = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx)
    c = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    d = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax)
    if a == 0.0 and b == 0.0 and c == 0.0 and d == 0.0:
        # On one line: they meet where their boxes do.
        apart_x = max(ax, bx) < min(cx, dx) or max(cx, dx) < min(ax, bx)
        apart_y = max(ay, by) < min(cy, dy) or max(cy, dy) < min(ay, by)
        return not (apart_x or apart_y)
    return a * b <= 0.0 and c * d <= 0.0
