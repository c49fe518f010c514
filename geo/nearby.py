"""Which streets lie near each corner of a raster, the nearest first: made once, for many zones.

Where streets are dense, each of the corners within a zone has dozens of them near. The distance
from a corner to whole streets never changes, so it is measured once; a zone then only looks for
the first street in each corner's list that its walk has reached.

The raster of a town is parted into blocks, and a block is indexed when first needed: in some
milliseconds, and only where somebody asks.
"""

from __future__ import annotations

import math
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.stamp import LANES, Grid, Singles, stamp

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]

BLOCK = 64  # corners on a side
MAX_ENTRIES = 40_000_000  # 320 MB; beyond, indexing starts anew


class NearIndex(NamedTuple):
    """The edges near the corners of some blocks.

    Parameters
    ----------
    column, row
        Block of the first entry of `number`, counted from the origin of the coordinate system.
    number
        Number of each block, (rows, columns); -1 when it is not indexed.
    offsets
        Compressed rows by block and corner, (blocks, corners and one more).
    edge, squared
        Edges within reach of each corner, and their squared distances, ascending.
    """

    column: int
    row: int
    number: Ints
    offsets: Ints
    edge: Ints
    squared: Singles


class NearEdges:
    """Indexes of the edges of one network, by cell and reach; safe to use from many threads.

    Parameters
    ----------
    x, y, parts
        Vertices of the edges in metres, and their compressed rows.
    """

    def __init__(self, x: Floats, y: Floats, parts: Ints) -> None:
        self._x, self._y, self._parts = x, y, parts
        self.boxes = _bound_edges(x, y, parts)
        self._indexes: dict[tuple[float, float], NearIndex] = {}
        self._lock = Lock()

    def cover(self, grid: Grid) -> NearIndex:
        """Give an index that holds every corner of a raster laid by `geo.stamp.lay_grid`."""
        west, south, columns, rows, cell_m, reach_m = grid
        first_column, first_row = round(west / cell_m) // BLOCK, round(south / cell_m) // BLOCK
        last_column = (round(west / cell_m) + columns - 1) // BLOCK
        last_row = (round(south / cell_m) + rows - 1) // BLOCK
        with self._lock:
            index = self._indexes.get((cell_m, reach_m))
            if index is None or len(index.edge) > MAX_ENTRIES:
                index = self._start(cell_m, reach_m)
            for row in range(first_row - index.row, last_row - index.row + 1):
                for column in range(first_column - index.column, last_column - index.column + 1):
                    if index.number[row, column] < 0:
                        index = self._add(index, row, column, cell_m, reach_m)
            self._indexes[cell_m, reach_m] = index
        return index

    def _start(self, cell_m: float, reach_m: float) -> NearIndex:
        """Begin an index without blocks, with room for all that the network can need."""
        west, south = self.boxes[:, :2].min(axis=0)
        east, north = self.boxes[:, 2:].max(axis=0)
        side_m = BLOCK * cell_m
        # A raster ends within two cells beyond the reach of what it holds.
        margin_m = reach_m + 2.0 * cell_m
        column, row = (math.floor((low - margin_m) / side_m) for low in (west, south))
        columns = math.floor((east + margin_m) / side_m) - column + 1
        rows = math.floor((north + margin_m) / side_m) - row + 1
        return NearIndex(
            column,
            row,
            np.full((rows, columns), -1, dtype=np.int32),
            np.empty((0, BLOCK * BLOCK + 1), dtype=np.int32),
            np.empty(0, dtype=np.int32),
            np.empty(0, dtype=np.float32),
        )

    def _add(
        self, index: NearIndex, row: int, column: int, cell_m: float, reach_m: float
    ) -> NearIndex:
        """Index one more block; arrays that others may be reading stay as they are."""
        side_m = BLOCK * cell_m
        west, south = (index.column + column) * side_m, (index.row + row) * side_m
        near = _edges_in(
            self.boxes,
            west - reach_m,
            south - reach_m,
            west + side_m + reach_m,
            south + side_m + reach_m,
        )
        offsets, edge, squared = _index_block(
            self._x, self._y, self._parts, near, (west, south, BLOCK, BLOCK, cell_m, reach_m)
        )
        number = index.number.copy()
        number[row, column] = len(index.offsets)
        return NearIndex(
            index.column,
            index.row,
            number,
            np.vstack([index.offsets, (offsets + len(index.edge))[np.newaxis]]),
            np.concatenate([index.edge, edge]),
            np.concatenate([index.squared, squared]),
        )


@njit(cache=True, nogil=True)
def _bound_edges(x: Floats, y: Floats, parts: Ints) -> Floats:
    """Bound the edges: west, south, east, north of each."""
    boxes = np.empty((len(parts) - 1, 4))
    for e in range(len(parts) - 1):
        first, last = parts[e], parts[e + 1]
        boxes[e, 0], boxes[e, 2] = x[first:last].min(), x[first:last].max()
        boxes[e, 1], boxes[e, 3] = y[first:last].min(), y[first:last].max()
    return boxes


@njit(cache=True, nogil=True)
def _edges_in(boxes: Floats, west: float, south: float, east: float, north: float) -> Ints:
    """Give the edges whose boxes meet a box."""
    found = np.empty(len(boxes), dtype=np.int32)
    size = 0
    for e in range(len(boxes)):
        beside = boxes[e, 0] > east or boxes[e, 2] < west
        if not (beside or boxes[e, 1] > north or boxes[e, 3] < south):
            found[size] = e
            size += 1
    return found[:size].copy()


@njit(cache=True, nogil=True)
def _index_block(
    x: Floats, y: Floats, parts: Ints, near: Ints, grid: Grid
) -> tuple[Ints, Ints, Singles]:
    """List the edges within reach of every corner of a block, by rising distance."""
    corner, edge, squared, size = _list_near(x, y, parts, near, grid)
    offsets = np.zeros(BLOCK * BLOCK + 1, dtype=np.int32)
    for i in range(size):
        offsets[corner[i] + 1] += 1
    for at in range(BLOCK * BLOCK):
        offsets[at + 1] += offsets[at]
    fill = offsets[:-1].copy()
    sorted_edge = np.empty(size, dtype=np.int32)
    sorted_squared = np.empty(size, dtype=np.float32)
    for i in range(size):
        at, begin = fill[corner[i]], offsets[corner[i]]
        fill[corner[i]] += 1
        while at > begin and sorted_squared[at - 1] > squared[i]:
            sorted_squared[at] = sorted_squared[at - 1]
            sorted_edge[at] = sorted_edge[at - 1]
            at -= 1
        sorted_squared[at] = squared[i]
        sorted_edge[at] = edge[i]
    return offsets, sorted_edge, sorted_squared


@njit(cache=True, nogil=True)
def _list_near(
    x: Floats, y: Floats, parts: Ints, near: Ints, grid: Grid
) -> tuple[Ints, Ints, Singles, int]:
    """Give corner, edge and squared distance of all that are within reach, and their number."""
    west, south, columns, rows, cell_m, reach_m = grid
    cell, reach = np.float32(cell_m), np.float32(reach_m)
    far = np.float32(4.0) * reach * reach
    field = np.full((rows, columns + LANES), far)
    corner = np.empty(1024, dtype=np.int32)
    edge = np.empty(1024, dtype=np.int32)
    squared = np.empty(1024, dtype=np.float32)
    size = 0
    for e in near:
        bottom, top = rows, -1
        for k in range(parts[e], parts[e + 1] - 1):
            ax, ay, bx, by = x[k] - west, y[k] - south, x[k + 1] - west, y[k + 1] - south
            first = max(0, int((min(ay, by) - reach_m) / cell_m))
            last = min(rows - 1, int((max(ay, by) + reach_m) / cell_m) + 1)
            beside = max(ax, bx) + reach_m < 0.0 or min(ax, bx) - reach_m > columns * cell_m
            if last < first or beside:
                continue
            bottom, top = min(bottom, first), max(top, last)
            stamp(
                field,
                columns,
                np.float32(ax),
                np.float32(ay),
                np.float32(bx),
                np.float32(by),
                cell,
                reach,
            )
        if size + (top - bottom + 1) * columns > len(corner):
            more = max(len(corner), rows * columns)
            corner = np.append(corner, np.empty(more, dtype=np.int32))
            edge = np.append(edge, np.empty(more, dtype=np.int32))
            squared = np.append(squared, np.empty(more, dtype=np.float32))
        for row in range(bottom, top + 1):
            for column in range(columns):
                if field[row, column] <= reach * reach:
                    corner[size] = row * columns + column
                    edge[size] = e
                    squared[size] = field[row, column]
                    size += 1
            field[row] = far
    return corner, edge, squared, size


@njit(cache=True, nogil=True)
def lower_to_near(
    fields: Singles, index: NearIndex, reached_at: npt.NDArray[np.uint8], grid: Grid
) -> None:
    """Lower the squared distances to those from whole edges reached.

    Parameters
    ----------
    fields
        As `geo.stamp.blank_fields` makes them, one a limit.
    index
        An index that covers the grid.
    reached_at
        First limit by which each edge is reached as a whole; 255 for none.
    grid
        The raster.
    """
    west, south, columns, rows, cell_m, _ = grid
    first_column, first_row = round(west / cell_m), round(south / cell_m)
    edge, squared = index.edge, index.squared
    for row in range(rows):
        block_row, inner_row = divmod(first_row + row, BLOCK)
        numbers = index.number[block_row - index.row]
        column = 0
        while column < columns:
            block_column, inner = divmod(first_column + column, BLOCK)
            stop = min(columns, column + BLOCK - inner)
            at = inner_row * BLOCK + inner
            offsets = index.offsets[numbers[block_column - index.column], at:]
            end = offsets[0]
            for k in range(stop - column):
                begin, end = end, offsets[k + 1]
                best = np.uint8(len(fields))
                for i in range(begin, end):
                    limit = reached_at[edge[i]]
                    if limit < best:
                        best = limit
                        corner = fields[limit, row]
                        corner[column + k] = min(corner[column + k], squared[i])
                        if best == 0:
                            break
            column = stop
