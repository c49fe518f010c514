"""Street lines and barriers as they come in frames: read, checked, and cut where they cross."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from geo.crs import project
from geo.errors import Fault, InputError
from geo.graph import Flags, Floats

_FOOT = {"both": 0, "forward": 1, "backward": -1}

# Half the gap that a barrier makes in a street: enough that rounding cannot close it.
_CUT_M = 0.05

# Streets of which most steps from vertex to vertex are shorter than this are not in metres.
_SHORTEST_STEP_M = 0.5


def explode(streets: gpd.GeoDataFrame) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
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


def read_columns(streets: gpd.GeoDataFrame) -> dict[str, npt.NDArray[Any]]:
    """Give the columns that count as arrays, one value a row; check them all before raising."""
    faults: list[Fault] = []
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in ("steps", "bridge", "tunnel"):
        columns[name], wrong = _read_flags(streets, name)
        faults += wrong
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
        given = streets["speed_factor"].where(streets["speed_factor"].notna(), other=1.0)
        factor = pd.to_numeric(given, errors="coerce").to_numpy(dtype=np.float64)
        faults += [
            Fault(
                f"streets, row {row}, speed_factor",
                "is not a number above 0",
                given.iloc[row],
                "correct it",
            )
            for row in np.flatnonzero(~(np.isfinite(factor) & (factor > 0.0)))
        ]
        columns["speed_factor"] = factor
    if faults:
        raise InputError(f"{faults[0]} ({len(faults)} faults in all)", faults)
    return columns


def _read_flags(streets: gpd.GeoDataFrame, name: str) -> tuple[Flags, list[Fault]]:
    """Give a column of true and false, false where nothing stands; text such as "no" is a fault."""
    if name not in streets:
        return np.zeros(len(streets), dtype=bool), []
    given = streets[name]
    if pd.api.types.is_bool_dtype(given.dtype):
        return given.fillna(value=False).to_numpy(dtype=bool), []
    if pd.api.types.is_numeric_dtype(given.dtype):
        return given.fillna(0).to_numpy(dtype=bool), []
    given = given.where(given.notna(), other=False)
    faults = [
        Fault(f"streets, row {row}, {name}", "is neither true nor false", value, "correct it")
        for row, value in enumerate(given)
        if not isinstance(value, (bool, np.bool_, int, float))
    ]
    return np.zeros(len(streets), dtype=bool) if faults else given.to_numpy(dtype=bool), faults


def source_crs(frame: gpd.GeoDataFrame | gpd.GeoSeries, name: str) -> str:
    """Give the declared coordinate system, or refuse a frame without one."""
    if frame.crs is None:
        raise InputError(
            f"{name} have no coordinate system; declare it, for example EPSG:4490 for degrees"
        )
    return str(frame.crs.to_string())


def check_metric(crs: str) -> None:
    """Refuse a system that does not measure in metres."""
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


def check_not_degrees(x: Floats, y: Floats, source: str, *, name: str = "streets") -> None:
    """Refuse degrees of streets, or of what `name` says, that are declared as a projected system.

    They lie within the range of degrees, and their vertices are far less than a metre apart.
    """
    if not len(x) or CRS.from_user_input(source).is_geographic:
        return
    in_range = np.abs(x).max() <= 180.0 and np.abs(y).max() <= 90.0
    if in_range and np.median(np.hypot(np.diff(x), np.diff(y))) < _SHORTEST_STEP_M:
        raise InputError(
            f"{name} are declared as {source}, in metres, but their coordinates such as "
            f"({x[0]:.6f}, {y[0]:.6f}) look like degrees; declare them as EPSG:4490 or EPSG:4326"
        )


def project_barriers(
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | None, crs: str
) -> npt.NDArray[np.object_]:
    """Give barriers as single lines in `crs`; an area counts by its outline."""
    if barriers is None or not len(barriers):
        return np.empty(0, dtype=object)
    source = source_crs(barriers, "barriers")
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
    x, y = shapely.get_coordinates(shapes).T
    check_not_degrees(x, y, source, name="barriers")
    lines: npt.NDArray[np.object_] = shapely.get_parts(project(shapes, source=source, target=crs))
    return lines


def cut_at_barriers(
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
