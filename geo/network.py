"""Street networks to walk on, built from drawn lines.

Lines meet where they share a vertex, and nowhere else: a bridge does not meet the street that it
crosses. Chains of vertices between junctions become one edge that keeps its course, so that the
graph stays small while places lie exactly where they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.costs import SpeedProfile, WalkCosts, walk_costs
from geo.crs import project, project_xy
from geo.errors import Fault, InputError
from geo.graph import (
    Flags,
    Floats,
    Ints,
    Positions,
    ReachedEdges,
    WalkNetwork,
    positions_at_nodes,
)
from geo.noding import (
    compress_ends,
    find_junctions,
    gather_rows,
    hilbert_keys,
    label_islands,
    level_spans,
    measure_along,
    number_vertices,
    walk_chains,
)
from geo.search import Arcs
from geo.snap import snap

__all__ = [
    "Arcs",
    "Positions",
    "ReachedEdges",
    "SpeedProfile",
    "WalkCosts",
    "WalkNetwork",
    "build_network",
    "network_from_lines",
    "positions_at_nodes",
    "snap",
    "walk_costs",
]

Heights = Callable[[Floats, Floats], npt.ArrayLike]
Progress = Callable[[str, float], None]

_FOOT = {"both": 0, "forward": 1, "backward": -1}

# Half the gap that a barrier makes in a street: enough that rounding cannot close it.
_CUT_M = 0.05

# Streets of which most steps from vertex to vertex are shorter than this are not in metres.
_SHORTEST_STEP_M = 0.5


def build_network(
    streets: gpd.GeoDataFrame,
    *,
    crs: str,
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    heights: Heights | str | None = None,
    snap_m: float = 0.0,
    progress: Progress | None = None,
) -> WalkNetwork:
    """Build the walking network of street lines.

    Parameters
    ----------
    streets
        LineStrings or MultiLineStrings in any coordinate system; missing and empty ones are left
        out. Columns that count, each optional: `foot` (`both`, `forward`, `backward`), `steps`,
        `bridge`, `tunnel` (true or false), `speed_factor` (share of normal speed, above 0).
    crs
        Coordinate system to measure in, `EPSG:n` in metres.
    barriers
        Lines or areas that cut every street that is neither bridge nor tunnel, and that no way
        from a place to its street may cross.
    heights
        Function of x and y (metres in `crs`) giving heights in metres, or `"z"` for the third
        coordinate of the lines; None for level ground. Bridges and tunnels run evenly from end to
        end.
    snap_m
        Vertices within this distance of one another become one; 0 joins equal ones only.
    progress
        Called with the name of each stage and the share done.

    Returns
    -------
    WalkNetwork
        Without nodes when there are no lines.

    Raises
    ------
    InputError
        For lines in degrees declared as metres, unknown coordinate systems, other geometries than
        lines, wrong columns, or heights that are not numbers: all faults found.
    """
    report = progress or (lambda _stage, _share: None)
    report("reading lines", 0.0)
    _check_metric(crs)
    lines, rows = _explode(streets)
    columns = _read_columns(streets)
    barrier_lines = _project_barriers(barriers, crs)
    source = _source_crs(streets, "streets")
    if len(barrier_lines):
        lines = project(lines, source=source, target=crs) if source != crs else lines
        source = crs
        report("cutting at barriers", 0.2)
        free = columns["bridge"] | columns["tunnel"]
        lines, rows = _cut(lines, rows, barrier_lines, free[rows])
    xyz, line = shapely.get_coordinates(lines, include_z=heights == "z", return_index=True)
    x, y = np.ascontiguousarray(xyz[:, 0]), np.ascontiguousarray(xyz[:, 1])
    _check_not_degrees(x, y, source)
    report("projecting", 0.4)
    x, y = project_xy(x, y, source=source, target=crs)
    z = None
    if heights is not None:
        z = xyz[:, 2] if isinstance(heights, str) else np.asarray(heights(x, y), dtype=np.float64)
    report("joining lines", 0.6)
    return network_from_lines(
        x,
        y,
        line.astype(np.int32),
        crs=crs,
        z=z,
        snap_m=snap_m,
        barriers=barrier_lines,
        **{name: values[rows] for name, values in columns.items()},
    )


def network_from_lines(  # noqa: PLR0913 - one array a property of a line
    x: Floats,
    y: Floats,
    line: Ints,
    *,
    crs: str,
    z: Floats | None = None,
    foot: npt.NDArray[np.int8] | None = None,
    steps: Flags | None = None,
    bridge: Flags | None = None,
    tunnel: Flags | None = None,
    speed_factor: Floats | None = None,
    snap_m: float = 0.0,
    barriers: npt.NDArray[np.object_] | None = None,
) -> WalkNetwork:
    """Build the walking network of lines given as plain vertices.

    Parameters
    ----------
    x, y
        Vertices, line after line, in metres.
    line
        Line of each vertex, ascending from 0.
    crs
        Coordinate system of the vertices.
    z
        Heights of the vertices; None for level ground.
    foot, steps, bridge, tunnel, speed_factor
        One value a line, as `WalkNetwork` has them; None for plain streets.
    snap_m
        Vertices within this distance of one another become one.
    barriers
        Lines that snapping does not cross. They cut nothing here.

    Returns
    -------
    WalkNetwork
        The network.

    Raises
    ------
    InputError
        When coordinates or heights are not finite.

    Examples
    --------
    Two streets that cross at a shared vertex make one junction and four dead ends.

    >>> import numpy as np
    >>> network = network_from_lines(
    ...     np.array([0.0, 50.0, 100.0, 50.0, 50.0, 50.0]),
    ...     np.array([0.0, 0.0, 0.0, -50.0, 0.0, 50.0]),
    ...     np.array([0, 0, 0, 1, 1, 1]),
    ...     crs="EPSG:4549",
    ... )
    >>> network.node_count, network.edge_count, network.length_m.tolist()
    (5, 4, [50.0, 50.0, 50.0, 50.0])
    """
    _check_finite(x, y, z)
    line = np.ascontiguousarray(line, dtype=np.int32)
    count = int(line[-1]) + 1 if len(line) else 0
    foot = np.zeros(count, dtype=np.int8) if foot is None else foot
    steps = np.zeros(count, dtype=np.bool_) if steps is None else steps
    speed_factor = np.ones(count) if speed_factor is None else speed_factor
    numbers, ux, uy, uz = _number(x, y, z, snap_m)
    if uz is not None and bridge is not None and tunnel is not None:
        uz = _level(numbers, line, ux, uy, uz, bridge | tunnel)
    kind = _classes(foot, steps, speed_factor)
    junction, pair = find_junctions(numbers, line, kind, foot != 0, len(ux))
    via, parts, drawn_by, against = walk_chains(numbers, line, junction, pair)
    picked = np.flatnonzero(junction)
    picked = picked[np.argsort(hilbert_keys(ux[picked], uy[picked]), kind="stable")]
    node = np.full(len(ux), -1, dtype=np.int32)
    node[picked] = np.arange(len(picked), dtype=np.int32)
    start, end = node[via[parts[:-1]]], node[via[parts[1:] - 1]]
    order = np.argsort(np.minimum(start, end), kind="stable")
    via, parts = gather_rows(via, parts, order)
    start, end, drawn_by, against = start[order], end[order], drawn_by[order], against[order]
    vertex_x, vertex_y = ux[via], uy[via]
    vertex_m, length_m = measure_along(vertex_x, vertex_y, parts)
    component, component_size = label_islands(start, end, len(picked))
    barrier_x, barrier_y, barrier_parts = _barrier_rows(barriers)
    return WalkNetwork(
        crs,
        ux[picked],
        uy[picked],
        *compress_ends(start, end, len(picked)),
        start=start,
        end=end,
        length_m=length_m,
        steps=steps[drawn_by],
        speed_factor=speed_factor[drawn_by],
        foot=np.where(against, -foot[drawn_by], foot[drawn_by]).astype(np.int8),
        parts=parts,
        vertex_x=vertex_x,
        vertex_y=vertex_y,
        vertex_m=vertex_m,
        vertex_z=np.empty(0) if uz is None else uz[via],
        component=component,
        component_size=component_size,
        barrier_x=barrier_x,
        barrier_y=barrier_y,
        barrier_parts=barrier_parts,
    )


def _number(
    x: Floats, y: Floats, z: Floats | None, snap_m: float
) -> tuple[Ints, Floats, Floats, Floats | None]:
    """Give each distinct vertex a number; with `snap_m`, those near one another share one."""
    # Adding 0 turns a negative zero into the plain one, which has other bits.
    numbers, firsts = number_vertices(
        np.ascontiguousarray(x, np.float64) + 0.0, np.ascontiguousarray(y, np.float64) + 0.0
    )
    if snap_m > 0.0 and len(firsts):
        near = cKDTree(np.column_stack([x[firsts], y[firsts]])).query_pairs(
            snap_m, output_type="ndarray"
        )
        links = coo_array(
            (np.ones(len(near), dtype=np.int8), (near[:, 0], near[:, 1])), (len(firsts),) * 2
        )
        _, group = connected_components(links, directed=False)
        _, leaders, regrouped = np.unique(group, return_index=True, return_inverse=True)
        numbers, firsts = regrouped[numbers].astype(np.int32), firsts[leaders]
    return numbers, x[firsts], y[firsts], None if z is None else z[firsts]


def _level(numbers: Ints, line: Ints, ux: Floats, uy: Floats, uz: Floats, spans: Flags) -> Floats:
    """Run the heights of bridges and tunnels evenly from end to end."""
    parts = np.searchsorted(line, np.arange(len(spans) + 1)).astype(np.int32)
    along, _ = measure_along(ux[numbers], uy[numbers], parts)
    levelled = uz.copy()
    on_span = spans[line]
    levelled[numbers[on_span]] = level_spans(uz[numbers], along, parts, spans)[on_span]
    # Where a span ends it takes the height of the ground there.
    ends = np.concatenate([parts[:-1][spans], parts[1:][spans] - 1])
    levelled[numbers[ends]] = uz[numbers[ends]]
    return levelled


def _classes(foot: npt.NDArray[np.int8], steps: Flags, speed_factor: Floats) -> Ints:
    """Give each kind of line a number; chains go on only within one kind."""
    if not len(foot):
        return np.empty(0, dtype=np.int32)
    _, factor = np.unique(speed_factor, return_inverse=True)
    kind: Ints = (factor * 6 + steps * 3 + (foot + 1)).astype(np.int32)
    return kind


def _barrier_rows(barriers: npt.NDArray[np.object_] | None) -> tuple[Floats, Floats, Ints]:
    """Give barrier lines as vertices and compressed rows."""
    if barriers is None or not len(barriers):
        return np.empty(0), np.empty(0), np.zeros(1, dtype=np.int32)
    xy, line = shapely.get_coordinates(barriers, return_index=True)
    parts = np.searchsorted(line, np.arange(len(barriers) + 1)).astype(np.int32)
    return np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1]), parts


def _explode(streets: gpd.GeoDataFrame) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """Give the single lines and the row of each."""
    geometries = np.asarray(streets.geometry.array, dtype=object)
    present = ~(shapely.is_missing(geometries) | shapely.is_empty(geometries))
    kinds = shapely.get_type_id(geometries)
    wrong = np.flatnonzero(present & ~np.isin(kinds, (1, 2, 5)))
    if len(wrong):
        faults = [
            Fault(
                f"streets, row {row}",
                "is not a line",
                geometries[row].geom_type,
                "give LineString or MultiLineString",
            )
            for row in wrong[:100]
        ]
        raise InputError(f"{len(wrong)} of the streets are not lines; {faults[0]}", faults)
    rows = np.flatnonzero(present)
    lines, part_of = shapely.get_parts(geometries[rows], return_index=True)
    return lines, rows[part_of]


def _read_columns(streets: gpd.GeoDataFrame) -> dict[str, npt.NDArray[Any]]:
    """Give the columns that count as arrays, one value a row; check them all before raising."""
    faults: list[Fault] = []
    columns: dict[str, npt.NDArray[Any]] = {
        name: (
            streets[name].fillna(value=False).to_numpy(dtype=bool)
            if name in streets
            else np.zeros(len(streets), dtype=bool)
        )
        for name in ("steps", "bridge", "tunnel")
    }
    columns["foot"] = np.zeros(len(streets), dtype=np.int8)
    if "foot" in streets:
        given = streets["foot"].where(streets["foot"].notna(), "both")
        mapped = given.map(_FOOT)
        faults += [
            Fault(f"streets, row {row}, foot", "is not known", value, f"give one of {[*_FOOT]}")
            for row, value in enumerate(given)
            if value not in _FOOT
        ]
        columns["foot"] = mapped.fillna(0).to_numpy(dtype=np.int8)
    columns["speed_factor"] = np.ones(len(streets))
    if "speed_factor" in streets:
        factor = streets["speed_factor"].fillna(1.0).to_numpy(dtype=np.float64)
        faults += [
            Fault(f"streets, row {row}, speed_factor", "is not above 0", factor[row], "correct it")
            for row in np.flatnonzero(~(np.isfinite(factor) & (factor > 0.0)))
        ]
        columns["speed_factor"] = factor
    if faults:
        raise InputError(f"{faults[0]} ({len(faults)} faults in all)", faults)
    return columns


def _source_crs(frame: gpd.GeoDataFrame | gpd.GeoSeries, name: str) -> str:
    if frame.crs is None:
        raise InputError(
            f"{name} have no coordinate system; declare it, for example EPSG:4490 for degrees"
        )
    return str(frame.crs.to_string())


def _check_metric(crs: str) -> None:
    try:
        system = CRS.from_user_input(crs)
    except CRSError as error:
        raise InputError(f"{crs!r} is not a coordinate system; give EPSG:n in metres") from error
    units = {axis.unit_name for axis in system.axis_info}
    if not system.is_projected or units != {"metre"}:
        raise InputError(
            f"{crs} ({system.name}) measures in {', '.join(sorted(units))}; a network needs a "
            "projected system in metres"
        )


def _check_not_degrees(x: Floats, y: Floats, source: str) -> None:
    """Refuse degrees that are declared as a projected system.

    They lie within the range of degrees, and their vertices are far less than a metre apart.
    """
    if not len(x) or CRS.from_user_input(source).is_geographic:
        return
    in_range = np.abs(x).max() <= 180.0 and np.abs(y).max() <= 90.0
    if in_range and np.median(np.hypot(np.diff(x), np.diff(y))) < _SHORTEST_STEP_M:
        raise InputError(
            f"streets are declared as {source}, in metres, but their coordinates such as "
            f"({x[0]:.6f}, {y[0]:.6f}) look like degrees; declare them as EPSG:4490 or EPSG:4326"
        )


def _check_finite(x: Floats, y: Floats, z: Floats | None) -> None:
    wrong = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if len(wrong):
        raise InputError(
            f"{len(wrong)} street vertices have no finite metres, the first is vertex {wrong[0]}; "
            "correct the coordinates or the declared coordinate system"
        )
    if z is None:
        return
    if np.shape(z) != x.shape:
        raise InputError(f"heights: got {np.shape(z)} for {len(x)} vertices; give one a vertex")
    wrong = np.flatnonzero(~np.isfinite(z))
    if len(wrong):
        at = wrong[0]
        raise InputError(
            f"heights are missing at {len(wrong)} of {len(x)} street vertices, the first at "
            f"({x[at]:.1f}, {y[at]:.1f}) m; fill the gaps or build the network without heights"
        )


def _project_barriers(
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | None, crs: str
) -> npt.NDArray[np.object_]:
    """Give barriers as single lines in `crs`; an area counts by its outline."""
    if barriers is None or not len(barriers):
        return np.empty(0, dtype=object)
    source = _source_crs(barriers, "barriers")
    shapes = np.asarray(barriers.geometry.array, dtype=object)
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    areas = np.isin(shapely.get_type_id(shapes), (3, 6))
    shapes = np.where(areas, shapely.boundary(shapes), shapes)
    wrong = ~np.isin(shapely.get_type_id(shapes), (1, 2, 5))
    if wrong.any():
        raise InputError(
            f"barriers: {int(wrong.sum())} are neither lines nor areas, the first a "
            f"{shapes[wrong][0].geom_type}; leave them out"
        )
    lines: npt.NDArray[np.object_] = shapely.get_parts(project(shapes, source=source, target=crs))
    return lines


def _cut(
    lines: npt.NDArray[np.object_],
    rows: npt.NDArray[np.int64],
    barriers: npt.NDArray[np.object_],
    free: Flags,
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """Take out of every line that is not free a short gap where a barrier crosses it."""
    hit, barrier = shapely.STRtree(barriers).query(lines, predicate="intersects")
    wanted = ~free[hit]
    hit, barrier = hit[wanted], barrier[wanted]
    if not len(hit):
        return lines, rows
    touched, first = np.unique(hit, return_index=True)
    gaps = shapely.buffer(barriers, _CUT_M, quad_segs=2)
    walls = np.array(
        [shapely.union_all(gaps[group]) for group in np.split(barrier, first[1:])], dtype=object
    )
    pieces, piece_of = shapely.get_parts(
        shapely.difference(lines[touched], walls), return_index=True
    )
    kept = np.ones(len(lines), dtype=bool)
    kept[touched] = False
    kept_pieces = ~shapely.is_empty(pieces)
    return (
        np.concatenate([lines[kept], pieces[kept_pieces]]),
        np.concatenate([rows[kept], rows[touched][piece_of[kept_pieces]]]),
    )
