"""Walking zones: the ground within a few steps of every street that a walk reaches in time.

The zone of a limit is all ground within `buffer_m` of a street piece reached by then. It is drawn
from a raster: the exact distance to the reached pieces at the corners of square cells, turned into
outlines by marching squares. Hulls over reached points would fill what lies between two streets
and lose the holes; a raster does neither, and takes a time that hardly grows with the streets.

A piece stamps its distance onto the few corners near it, into the field of the first limit that it
is reached in. The field of a limit is then the minimum over the fields up to it, so that fields
fall from limit to limit, and with them the zones grow: 5 minutes lie inside 10 inside 15.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol, cast

import contourpy
import numpy as np
import shapely
from numba import njit
from shapely import MultiPolygon

from geo.costs import SpeedProfile, WalkCosts, walk_costs
from geo.cover import Covered, cover_edges
from geo.errors import InputError
from geo.graph import Positions, WalkNetwork, positions_at_nodes
from geo.nearby import NearIndex, lower_to_near
from geo.network import network_from_lines
from geo.places import edges_of, limit_in_ms
from geo.stamp import (
    CLEARANCE_M,
    Box,
    Floats,
    Grid,
    Ints,
    Singles,
    blank_fields,
    finish,
    lay_grid,
    stamp_edges,
    stamp_pieces,
)

CELL_M = 15.0
DENSE_CELL_M = 25.0
BUFFER_M = 50.0

# Stamping a straight segment costs about as much as looking up so many corners.
_CORNERS_A_SEGMENT = 10


class Reached(Protocol):
    """Straight street pieces reached by a walk: metres, and seconds linear along each piece."""

    @property
    def x0(self) -> Floats:
        """Eastings of the starts, m."""

    @property
    def y0(self) -> Floats:
        """Northings of the starts, m."""

    @property
    def x1(self) -> Floats:
        """Eastings of the ends, m."""

    @property
    def y1(self) -> Floats:
        """Northings of the ends, m."""

    @property
    def t0_s(self) -> Singles:
        """Times at the starts, s."""

    @property
    def t1_s(self) -> Singles:
        """Times at the ends, s."""


def zones(
    reached: Reached,
    limits_s: Sequence[float],
    *,
    cell_m: float = CELL_M,
    buffer_m: float = BUFFER_M,
) -> list[MultiPolygon]:
    """Draw the zone of each limit.

    Parameters
    ----------
    reached
        Pieces reached, in a metric coordinate system; those beyond a limit are cut at it.
    limits_s
        Limits in seconds, in any order.
    cell_m
        Side of a raster cell in metres, at most 0.7 of the buffer, so that every reached street
        lies inside. Nothing farther from one than `buffer_m` and the diagonal of a cell does.
    buffer_m
        How far from a reached street the zone goes, in metres.

    Returns
    -------
    list of shapely.MultiPolygon
        One zone for each limit, in the order given: valid, with its holes, each zone inside those
        of longer limits; empty where nothing is reached.

    Raises
    ------
    InputError
        When a limit, the cell or the buffer is not above 0, the cells are too large for the
        buffer, or the raster would be too large.

    Notes
    -----
    Common area with `exact_zone` over their union, walks of 15 minutes at 4 km/h on real streets,
    the worst of all and the median of the sparsest town: cells of 25 m 0.958 and 0.984, 20 m 0.973
    and 0.989, 15 m 0.985 and 0.994, 10 m 0.994 and 0.997.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> street = SimpleNamespace(
    ...     x0=np.array([0.0]), y0=np.array([0.0]), x1=np.array([1000.0]), y1=np.array([0.0]),
    ...     t0_s=np.array([0.0], np.float32), t1_s=np.array([900.0], np.float32))
    >>> short, long = zones(street, [300, 900])
    >>> long.covers(short), [round(side) for side in long.bounds]
    (True, [-50, -50, 1050, 50])
    """
    limits = _check(limits_s, cell_m, buffer_m)
    order = np.unique(limits)
    table = _as_table(reached)
    box = _bounds(*table, order[-1])
    if box[0] > box[2]:
        return [MultiPolygon() for _ in limits]
    # Corners beyond the outline matter only where a cell edge crosses it, so up to one cell away.
    grid = lay_grid(box, cell_m, buffer_m + cell_m + CLEARANCE_M)
    x, y, fields = _measure(*table, order, grid, buffer_m)
    drawn = [_outline(x, y, field, buffer_m) for field in fields]
    return [drawn[i] for i in np.searchsorted(order, limits)]


def walk_zones(
    network: WalkNetwork,
    costs: WalkCosts,
    position: Positions,
    limits_s: Sequence[float],
    *,
    cell_m: float | None = None,
    buffer_m: float = BUFFER_M,
) -> list[MultiPolygon]:
    """Walk from one place and draw the zone of each limit.

    Gives what `zones` draws of `geo.reach.reached_edges`, several times sooner: streets that are
    reached from end to end are not cut into pieces, and where they are dense the distances to them
    are looked up (see `geo.nearby`).

    Parameters
    ----------
    network, costs
        The network, and the times of a profile on it.
    position
        One place.
    limits_s, buffer_m
        As `zones` takes them.
    cell_m
        As `zones` takes it. When None, `CELL_M`, or `DENSE_CELL_M` where the streets reached lie
        so dense that zones have little outline for their ground; half the buffer at most.

    Returns
    -------
    list of shapely.MultiPolygon
        As `zones` gives them; all empty when the place is off the network.

    Raises
    ------
    InputError
        As `zones` does, and when a limit is too long or `position` is not one place.

    Notes
    -----
    Common area with `exact_zone` over their union with `cell_m` of None, at 4 km/h in three towns,
    the worst of all and the median of the worst town: of 15 minutes 0.983 and 0.992, of 5 minutes
    0.975 and 0.987.
    """
    limits = _check(limits_s, buffer_m / 2.0 if cell_m is None else cell_m, buffer_m)
    limits_ms = np.array([limit_in_ms(limit) for limit in limits], dtype=np.int32)
    if len(position) != 1:
        raise InputError(f"walk_zones starts from one place, not from {len(position)}")
    order = np.unique(limits_ms)
    if position.edge[0] < 0:
        return [MultiPolygon() for _ in limits]
    edges = edges_of(network, costs)
    near = network.near_edges
    with costs.workspace() as space:
        covered = cover_edges(
            edges,
            costs.arcs,
            int(position.edge[0]),
            float(position.offset_m[0]),
            order,
            near.boxes,
            space,
        )
    if covered.box[0] > covered.box[2]:
        return [MultiPolygon() for _ in limits]
    segments = len(covered.edge) * (len(network.vertex_x) / network.edge_count - 1.0)
    fine = min(CELL_M, buffer_m / 2.0) if cell_m is None else cell_m
    grid = lay_grid(covered.box, fine, buffer_m + fine + CLEARANCE_M)
    dense = segments * _CORNERS_A_SEGMENT > grid[2] * grid[3]
    if dense and cell_m is None:
        coarse = min(DENSE_CELL_M, buffer_m / 2.0)
        grid = lay_grid(covered.box, coarse, buffer_m + coarse + CLEARANCE_M)
    if dense:
        x, y, fields = _look_up(
            covered, near.cover(grid), network.edge_count, order, grid, buffer_m
        )
    else:
        streets = (network.vertex_x, network.vertex_y, network.parts)
        x, y, fields = _stamp_all(covered, *streets, order, grid, buffer_m)
    drawn = [_outline(x, y, field, buffer_m) for field in fields]
    return [drawn[i] for i in np.searchsorted(order, limits_ms)]


def exact_zone(reached: Reached, limit_s: float, *, buffer_m: float = BUFFER_M) -> MultiPolygon:
    """Draw the zone of one limit exactly, slowly: the buffer of the reached parts themselves.

    Parameters
    ----------
    reached, buffer_m
        As `zones` takes them.
    limit_s
        The limit in seconds.

    Returns
    -------
    shapely.MultiPolygon
        The zone, its round parts drawn with 16 chords to the quarter circle.
    """
    _check([limit_s], buffer_m / 2, buffer_m)
    (x0, y0, x1, y1), (t0, t1) = _as_table(reached)
    late = t1 < t0
    x0, x1 = np.where(late, x1, x0), np.where(late, x0, x1)
    y0, y1 = np.where(late, y1, y0), np.where(late, y0, y1)
    first, last = np.minimum(t0, t1).astype(float), np.maximum(t0, t1).astype(float)
    kept = first <= limit_s
    spent = np.maximum(last - first, 1e-9)
    share = np.clip((limit_s - first) / spent, 0.0, 1.0)
    ends = np.column_stack([x0, y0, x0 + share * (x1 - x0), y0 + share * (y1 - y0)])[kept]
    # One by one, then together: the buffer of many crossing lines at once takes GEOS far longer.
    lines = shapely.linestrings(ends.reshape(-1, 2, 2))
    return _as_multi(shapely.union_all(shapely.buffer(lines, buffer_m, quad_segs=16)))


def warm_up() -> None:
    """Compile the kernels into their cache, so that no first zone waits for it."""
    table = np.zeros((4, 1)), np.zeros((2, 1), dtype=np.float32)
    _bounds(*table, np.float64(1.0))
    grid = lay_grid((0.0, 0.0, 0.0, 0.0), 1.0, 2.0)
    _measure(*table, np.ones(1), grid, 1.0)
    # Three streets of short pieces: on a coarse raster they are looked up, on a fine one not.
    along, here = np.linspace(0.0, 30.0, 20), np.full(20, 30.0)
    x, y = np.concatenate([along, along + 30.0, here]), np.concatenate([here * 0, here * 0, along])
    line = np.repeat(np.arange(3, dtype=np.int32), 20)
    network = network_from_lines(x, y, line, crs="EPSG:3857")
    costs = walk_costs(network, SpeedProfile("warm-up", 4.0))
    place = positions_at_nodes(network, [0])
    for cell_m in (1.0, 35.0):
        walk_zones(network, costs, place, [60.0], cell_m=cell_m)


def _check(limits_s: Sequence[float], cell_m: float, buffer_m: float) -> Floats:
    limits = np.asarray(limits_s, dtype=np.float64)
    if limits.ndim != 1 or not limits.size or not (np.isfinite(limits) & (limits > 0)).all():
        raise InputError(f"limits_s is {limits_s!r}: give seconds above 0, at least one")
    for name, value in (("cell_m", cell_m), ("buffer_m", buffer_m)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value!r}: give metres above 0")
    if cell_m * math.sqrt(2) > buffer_m:
        raise InputError(
            f"cell_m is {cell_m!r}, too large for a buffer of {buffer_m:g} m: "
            f"give at most {buffer_m / math.sqrt(2):.1f}"
        )
    return limits


def _as_table(reached: Reached) -> tuple[Floats, Singles]:
    """Give the rows x0, y0, x1, y1 and the rows t0, t1."""
    r = reached
    ends = np.array([r.x0, r.y0, r.x1, r.y1], dtype=np.float64)
    return ends, np.array([r.t0_s, r.t1_s], dtype=np.float32)


@njit(cache=True, nogil=True)
def _bounds(ends: Floats, times: Singles, limit_s: float) -> Box:
    """Bound the pieces that begin within the limit; west above east when there is none."""
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    for i in range(ends.shape[1]):
        if min(times[0, i], times[1, i]) <= limit_s:
            west, east = min(west, ends[0, i], ends[2, i]), max(east, ends[0, i], ends[2, i])
            south, north = min(south, ends[1, i], ends[3, i]), max(north, ends[1, i], ends[3, i])
    return west, south, east, north


@njit(cache=True, nogil=True)
def _measure(
    ends: Floats, times: Singles, limits: Floats, grid: Grid, level: float
) -> tuple[Floats, Floats, Floats]:
    """Measure the distance from every corner to the pieces of each limit, as `finish` gives it."""
    fields = blank_fields(len(limits), grid)
    stamp_pieces(fields, ends, times, limits, grid)
    return finish(fields, grid, level)


@njit(cache=True, nogil=True)
def _stamp_all(
    covered: Covered, x: Floats, y: Floats, parts: Ints, limits_ms: Ints, grid: Grid, level: float
) -> tuple[Floats, Floats, Floats]:
    """Measure the distance to what a walk covers, street by street."""
    fields = blank_fields(len(limits_ms), grid)
    stamp_edges(fields, x, y, parts, covered.edge, covered.at, grid)
    stamp_pieces(fields, covered.ends, covered.times, limits_ms / 1000.0, grid)
    return finish(fields, grid, level)


@njit(cache=True, nogil=True)
def _look_up(
    covered: Covered, index: NearIndex, edge_count: int, limits_ms: Ints, grid: Grid, level: float
) -> tuple[Floats, Floats, Floats]:
    """Measure the distance to what a walk covers, looking up that to whole streets."""
    fields = blank_fields(len(limits_ms), grid)
    reached_at = np.full(edge_count, np.uint8(255))
    for i in range(len(covered.edge)):
        reached_at[covered.edge[i]] = covered.at[i]
    lower_to_near(fields, index, reached_at, grid)
    stamp_pieces(fields, covered.ends, covered.times, limits_ms / 1000.0, grid)
    return finish(fields, grid, level)


def _outline(x: Floats, y: Floats, field: Floats, level: float) -> MultiPolygon:
    """Draw where the field is at most `level`: marching squares, saddles told by their mean."""
    # The class rather than `contour_generator`, whose checks of masks cost more than the drawing.
    generator = contourpy.SerialContourGenerator(
        x,
        y,
        field,
        cast("Any", None),  # no mask
        corner_mask=False,
        line_type=contourpy.LineType.SeparateCode,
        fill_type=contourpy.FillType.ChunkCombinedOffsetOffset,
        quad_as_tri=False,
        z_interp=contourpy.ZInterp.Linear,
    )
    drawn = cast("Any", generator.filled(-1.0, level))
    points, rings, polygons = (chunk[0] for chunk in drawn)
    if points is None:
        return MultiPolygon()
    parts = np.array([0, len(polygons) - 1], dtype=np.uint32)
    zone: MultiPolygon = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON, points, (rings, polygons, parts)
    )[0]
    return zone


def _as_multi(zone: Any) -> MultiPolygon:
    if zone.is_empty:
        return MultiPolygon()
    return zone if isinstance(zone, MultiPolygon) else MultiPolygon([zone])
