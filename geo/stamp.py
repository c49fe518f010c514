"""Distances to street pieces at the corners of a raster: the compiled heart of drawing zones."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.errors import InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Singles = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]  # west, south, east, north
Grid = tuple[float, float, int, int, float, float]  # west, south, columns, rows, cell, reach

MAX_CELLS = 10_000_000  # 47 km on a side at 15 m; 120 MB of distances a limit

# Corners measured at once: two AVX registers of float32; fewer are not vectorised by LLVM.
LANES = 16
# Corners this near the outline move away from it: an outline through a corner would touch itself.
CLEARANCE_M = 1e-3


def lay_grid(box: Box, cell_m: float, reach_m: float) -> Grid:
    """Lay corners at whole cells of the coordinate system, so that a zone never depends on others.

    Returns west and south of the first corner in metres, columns, rows, and cell and reach again.
    """
    west, south = (math.floor((low - reach_m) / cell_m) for low in box[:2])
    east, north = (math.ceil((high + reach_m) / cell_m) for high in box[2:])
    columns, rows = east - west + 1, north - south + 1
    if columns * rows > MAX_CELLS:
        raise InputError(
            f"a zone of {columns * cell_m / 1000:.0f} × {rows * cell_m / 1000:.0f} km in cells of "
            f"{cell_m:g} m is too large; take larger cells or a shorter limit"
        )
    return west * cell_m, south * cell_m, columns, rows, float(cell_m), float(reach_m)


@njit(cache=True, nogil=True, fastmath=True)
def stamp(
    field: Singles,
    columns: int,
    ax: np.float32,
    ay: np.float32,
    bx: np.float32,
    by: np.float32,
    cell: np.float32,
    reach: np.float32,
) -> None:
    """Lower the squared distances of the corners near the piece a-b (float32, metres from 0, 0)."""
    zero, one = np.float32(0.0), np.float32(1.0)
    dx, dy = bx - ax, by - ay
    squared = dx * dx + dy * dy
    inverse = one / squared if squared > np.float32(1e-6) else zero
    cells, per_dy = one / cell, one / dy if dy != zero else zero
    first_row = max(0, int((min(ay, by) - reach) * cells))
    last_row = min(field.shape[0] - 1, int((max(ay, by) + reach) * cells) + 1)
    for row in range(first_row, last_row + 1):
        py = np.float32(row) * cell - ay
        # The part of the piece whose northing is within reach of this row bounds the columns.
        head, tail = zero, one
        if dy != zero:
            s, e = (py - reach) * per_dy, (py + reach) * per_dy
            head = min(max(min(s, e), zero), one)
            tail = max(min(max(s, e), one), zero)
        xs, xe = ax + head * dx, ax + tail * dx
        first = max(0, int((min(xs, xe) - reach) * cells))
        last = min(columns - 1, int((max(xs, xe) + reach) * cells) + 1)
        along = py * dy
        for start in range(first, last + 1, LANES):
            corners = field[row, start : start + LANES]
            px0 = np.float32(start) * cell - ax
            for lane in range(LANES):
                px = px0 + np.float32(lane) * cell
                share = min(max((px * dx + along) * inverse, zero), one)
                ex, ey = px - share * dx, py - share * dy
                corners[lane] = min(corners[lane], ex * ex + ey * ey)


@njit(cache=True, nogil=True)
def blank_fields(count: int, grid: Grid) -> Singles:
    """Make fields of squared distances that nothing has come near.

    Returns float32 (count, rows, columns and `LANES` more that are never read).
    """
    _, _, columns, rows, _, reach_m = grid
    reach = np.float32(reach_m)
    return np.full((count, rows, columns + LANES), np.float32(4.0) * reach * reach)


@njit(cache=True, nogil=True)
def stamp_pieces(fields: Singles, ends: Floats, times: Singles, limits: Floats, grid: Grid) -> None:
    """Lower the squared distances of each limit's field to those from the pieces reached by then.

    `ends` has the rows x0, y0, x1, y1 in metres and `times` the rows t0, t1 in the unit of the
    limits, which rise. A piece that a limit cuts goes on in the field of the next. Distances are
    right up to the reach.
    """
    x0, y0, x1, y1 = ends[0], ends[1], ends[2], ends[3]
    t0, t1 = times[0], times[1]
    west, south, columns, _, cell_m, reach_m = grid
    cell, reach = np.float32(cell_m), np.float32(reach_m)
    for i in range(x0.size):
        ax, ay, bx, by = x0[i] - west, y0[i] - south, x1[i] - west, y1[i] - south
        begin, end = np.float64(t0[i]), np.float64(t1[i])
        if end < begin:
            ax, ay, bx, by, begin, end = bx, by, ax, ay, end, begin
        done = 0.0
        for k in range(limits.size):
            if begin > limits[k]:
                continue
            share = 1.0 if end <= limits[k] else (limits[k] - begin) / (end - begin)
            stamp(
                fields[k],
                columns,
                np.float32(ax + done * (bx - ax)),
                np.float32(ay + done * (by - ay)),
                np.float32(ax + share * (bx - ax)),
                np.float32(ay + share * (by - ay)),
                cell,
                reach,
            )
            done = share
            if done >= 1.0:
                break


@njit(cache=True, nogil=True)
def stamp_edges(
    fields: Singles, x: Floats, y: Floats, parts: Ints, edge: Ints, at: Ints, grid: Grid
) -> None:
    """Lower the squared distances of field `at[i]` to those from all of edge `edge[i]`."""
    west, south, columns, _, cell_m, reach_m = grid
    cell, reach = np.float32(cell_m), np.float32(reach_m)
    for i in range(len(edge)):
        for k in range(parts[edge[i]], parts[edge[i] + 1] - 1):
            stamp(
                fields[at[i]],
                columns,
                np.float32(x[k] - west),
                np.float32(y[k] - south),
                np.float32(x[k + 1] - west),
                np.float32(y[k + 1] - south),
                cell,
                reach,
            )


@njit(cache=True, nogil=True)
def finish(fields: Singles, grid: Grid, level: float) -> tuple[Floats, Floats, Floats]:
    """Turn squares into metres, limit below limit; with the corners' x and y, all float64."""
    west, south, columns, rows, cell_m, _ = grid
    shape = (rows, columns)
    x, y, metres = np.empty(shape), np.empty(shape), np.empty((len(fields), rows, columns))
    for row in range(rows):
        for column in range(columns):
            x[row, column] = west + column * cell_m
            y[row, column] = south + row * cell_m
            least = np.float32(np.inf)
            for k in range(len(fields)):
                least = min(least, fields[k, row, column])
                value = math.sqrt(np.float64(least))
                if abs(value - level) < CLEARANCE_M:
                    value = level + (CLEARANCE_M if value > level else -CLEARANCE_M)
                metres[k, row, column] = value
    return x, y, metres
