"""A demo street network to walk on: jittered grids round incubators and seats, linked by roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial import KDTree

from geo.crs import STORED_CRS, project, project_xy
from layers.demo_places import frame_table
from layers.demo_world import Floats, Ints, World

_BLOCK_M = 125.0
_JITTER = 0.17  # of a block, either way
_KEPT = 0.93  # share of block edges that have a street
_INCUBATOR_REACH_M = 900.0
_HUB_REACH = 1.2  # of the spread of a hub
_SMALLEST = 25  # nodes of a piece of network that is kept
_NEIGHBOURS = 8  # pieces that a piece may be linked with
_MAIN_EVERY = 5  # every so many streets one is wider and has a name


@dataclass(frozen=True)
class _Grid:
    """Nodes by column and row of the grid with places in metres, and edges between them."""

    column: Ints
    row: Ints
    xy: Floats
    start: Ints
    end: Ints
    eastward: npt.NDArray[np.bool_]


def make_streets(world: World, incubators: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make a walkable demo network.

    Parameters
    ----------
    world
        As `demo_hubs.read_world` gives it.
    incubators
        Places to walk from, besides the hubs of the world.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of the layer `streets`; lines share vertices where they meet, lie within the units,
        and are one piece wherever a straight road over land can link them.
    """
    rng = world.rng("streets")
    grid = _prune(_make_grid(world, rng, incubators))
    lon, lat = project_xy(grid.xy[:, 0], grid.xy[:, 1], source=world.crs, target=STORED_CRS)
    lonlat = np.column_stack([lon, lat])
    nodes, line, number = _runs(grid)
    links = _links(world, grid)
    of = np.concatenate([line, number.size + np.repeat(np.arange(len(links)), 2)])
    lines = shapely.linestrings(lonlat[np.concatenate([nodes, links.ravel()])], indices=of)
    main = number % _MAIN_EVERY == 0
    names = [f"示例路{n}" if wide else None for n, wide in zip(number, main, strict=True)]
    columns = {
        "name": [*names, *(f"示例干道{n}" for n in range(1, len(links) + 1))],
        "highway": [*np.where(main, "tertiary", "residential"), *["secondary"] * len(links)],
        "foot": "both",
        "steps": False,
        "bridge": False,
        "tunnel": False,
        "geom_precision": "street",
    }
    frame = frame_table(world, "streets", columns, int(of[-1]) + 1)
    return gpd.GeoDataFrame(frame, geometry=lines, crs=STORED_CRS)


def _make_grid(world: World, rng: np.random.Generator, incubators: gpd.GeoDataFrame) -> _Grid:
    hubs = world.hubs[["x", "y"]].to_numpy(dtype=np.float64)
    near = shapely.get_coordinates(project(incubators.geometry, target=world.crs))
    origin = np.floor(np.vstack([hubs, near]).min(axis=0) / _BLOCK_M) * _BLOCK_M
    reach_m = world.hubs["spread_m"].to_numpy(dtype=np.float64) * _HUB_REACH
    discs = [_disc(hubs[reach_m == reach] - origin, reach) for reach in np.unique(reach_m)]
    cells = np.unique(np.vstack([*discs, _disc(near - origin, _INCUBATOR_REACH_M)]), axis=0)
    jitter = rng.uniform(-_JITTER, _JITTER, cells.shape)
    xy = origin + (cells + jitter) * _BLOCK_M
    shapely.prepare(world.land)
    dry = shapely.contains_xy(world.land, xy[:, 0], xy[:, 1])
    cells, xy = cells[dry], xy[dry]
    start, end, eastward = _neighbours(cells)
    kept = rng.random(len(start)) < _KEPT
    kept &= shapely.covers(world.land, shapely.linestrings(np.stack([xy[start], xy[end]], axis=1)))
    return _Grid(cells[:, 0], cells[:, 1], xy, start[kept], end[kept], eastward[kept])


def _disc(xy: Floats, radius_m: float) -> Ints:
    """Return the cells of the grid that lie within a distance of any of the points."""
    reach = int(radius_m // _BLOCK_M)
    steps = np.arange(-reach, reach + 1)
    offsets = np.array(np.meshgrid(steps, steps)).reshape(2, -1).T
    offsets = offsets[np.hypot(*offsets.T) * _BLOCK_M <= radius_m]
    cells = np.round(xy / _BLOCK_M).astype(np.int64)
    filled: Ints = (cells[:, None, :] + offsets[None, :, :]).reshape(-1, 2)
    return filled


def _neighbours(cells: Ints) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    """Pair every cell with the next to the east and the next to the north, where there is one."""
    width = int(cells[:, 0].max()) + 3
    key = cells[:, 1] * width + cells[:, 0]
    order = np.argsort(key)
    starts, ends = [], []
    for step in (1, width):
        at = np.searchsorted(key[order], key + step)
        found = key[order][np.minimum(at, len(key) - 1)] == key + step
        starts.append(np.flatnonzero(found))
        ends.append(order[at[found]])
    eastward = np.repeat([True, False], [len(starts[0]), len(starts[1])])
    return np.concatenate(starts), np.concatenate(ends), eastward


def _pieces(grid: _Grid) -> Ints:
    count = len(grid.xy)
    ones = np.ones(len(grid.start), dtype=np.int8)
    graph = coo_array((ones, (grid.start, grid.end)), shape=(count, count))
    _, piece = connected_components(graph, directed=False)
    return np.asarray(piece, dtype=np.int64)


def _prune(grid: _Grid) -> _Grid:
    """Leave out the edges of pieces too small to be a neighbourhood."""
    piece = _pieces(grid)
    kept = np.bincount(piece)[piece[grid.start]] >= _SMALLEST
    return _Grid(
        grid.column, grid.row, grid.xy, grid.start[kept], grid.end[kept], grid.eastward[kept]
    )


def _runs(grid: _Grid) -> tuple[Ints, Ints, Ints]:
    """Join edges that follow one another in a row or column into lines.

    Returns
    -------
    tuple
        Nodes of all lines in order, the line that each belongs to, and for each line the number of
        its row or column.
    """
    along = np.where(grid.eastward, grid.column[grid.start], grid.row[grid.start])
    across = np.where(grid.eastward, grid.row[grid.start], grid.column[grid.start])
    order = np.lexsort([along, across, grid.eastward])
    along, across, eastward = along[order], across[order], grid.eastward[order]
    breaks = (np.diff(along) != 1) | (np.diff(across) != 0) | (np.diff(eastward.astype(int)) != 0)
    line = np.concatenate([[0], np.cumsum(breaks)]).astype(np.int64)[: len(along)]
    last = np.append(breaks, True)[: len(along)]
    node = np.concatenate([grid.start[order], grid.end[order][last]])
    of = np.concatenate([line, line[last]])
    at = np.concatenate([along, along[last] + 1])
    sequence = np.lexsort([at, of])
    return node[sequence], of[sequence], across[last]


def _links(world: World, grid: _Grid) -> Ints:
    """Choose the shortest set of straight roads over land that joins the pieces; node pairs."""
    piece = _pieces(grid)
    used = np.unique(np.concatenate([grid.start, grid.end]))
    names, which = np.unique(piece[used], return_inverse=True)
    if len(names) < 2:
        return np.empty((0, 2), dtype=np.int64)
    members = [used[which == number] for number in range(len(names))]
    pairs = _nearest_pairs(grid.xy, members)
    dry = shapely.covers(world.land, shapely.linestrings(grid.xy[pairs[:, 2:]]))
    pairs = pairs[np.atleast_1d(dry)]
    length = np.hypot(*(grid.xy[pairs[:, 2]] - grid.xy[pairs[:, 3]]).T)
    tree = minimum_spanning_tree(
        coo_array((length, (pairs[:, 0], pairs[:, 1])), shape=(len(names), len(names)))
    ).tocoo()
    chosen = set(zip(tree.row.tolist(), tree.col.tolist(), strict=True))
    keep = [(int(a), int(b)) in chosen for a, b in pairs[:, :2]]
    return pairs[np.array(keep, dtype=bool), 2:]


def _nearest_pairs(xy: Floats, members: list[Ints]) -> Ints:
    """Pair each piece with the pieces about it: (piece, piece, node, node) of the closest nodes."""
    centres = np.array([xy[nodes].mean(axis=0) for nodes in members])
    trees = [KDTree(xy[nodes]) for nodes in members]
    _, close = KDTree(centres).query(centres, k=min(_NEIGHBOURS + 1, len(members)))
    wanted = {(min(a, b), max(a, b)) for a, row in enumerate(close.tolist()) for b in row if a != b}
    rows: list[tuple[Any, ...]] = []
    for a, b in sorted(wanted):
        distance, index = trees[b].query(xy[members[a]])
        best = int(np.argmin(distance))
        rows.append((a, b, members[a][best], members[b][int(index[best])]))
    return np.array(rows, dtype=np.int64).reshape(-1, 4)
