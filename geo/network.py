"""Street networks to walk on, built from drawn lines.

Lines meet where they share a vertex, and nowhere else: a bridge does not meet the street that it
crosses. Chains of vertices between junctions become one edge that keeps its course, so that the
graph stays small while places lie exactly where they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.costs import SpeedProfile, WalkCosts, walk_costs
from geo.crs import project, project_xy
from geo.errors import InputError
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
from geo.streets import (
    check_metric,
    check_not_degrees,
    cut_at_barriers,
    explode,
    project_barriers,
    read_columns,
    source_crs,
)

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
    check_metric(crs)
    if isinstance(heights, str) and heights != "z":
        raise InputError(f"heights is {heights!r}; give a function of x and y, or 'z'")
    if not (math.isfinite(snap_m) and snap_m >= 0.0):
        raise InputError(f"snap_m is {snap_m!r}; give metres, 0 or more")
    lines, rows = explode(streets)
    columns = read_columns(streets)
    barrier_lines = project_barriers(barriers, crs)
    source = source_crs(streets, "streets")
    x, y = shapely.get_coordinates(lines).T
    check_not_degrees(x, y, source)
    if len(barrier_lines):
        lines = project(lines, source=source, target=crs) if source != crs else lines
        source = crs
        report("cutting at barriers", 0.2)
        free = columns["bridge"] | columns["tunnel"]
        lines, rows = cut_at_barriers(lines, rows, barrier_lines, free[rows])
    xyz, line = shapely.get_coordinates(lines, include_z=heights == "z", return_index=True)
    x, y = np.ascontiguousarray(xyz[:, 0]), np.ascontiguousarray(xyz[:, 1])
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
