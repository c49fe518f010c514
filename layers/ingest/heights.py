"""Heights of the ground, from a raster or from points, for walks up and down.

They are kept in a file beside the store, and go into the street network when it is built. A copy of
the store does not hold them: import them again where it is restored.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError
from scipy.ndimage import distance_transform_edt
from scipy.spatial import QhullError

from geo.crs import STORED_CRS, parse_datum
from geo.errors import InputError
from layers.heights import Floats, Heights, heights_at, heights_path, save_heights
from layers.imports import ImportReport
from layers.ingest.headings import PLACE_HEADINGS
from layers.ingest.tables import read_file
from layers.ingest.units import plain
from layers.query import Query
from layers.store import Store

Progress = Callable[[str, float], None]

LAYER = "heights"  # what `hatchmap import` calls them

_GRID_ENDINGS = (".asc", ".grd")
_CORNERS = {"x": {"xllcorner", "xllcenter"}, "y": {"yllcorner", "yllcenter"}}
_HEADER = {"ncols", "nrows", "cellsize", "nodata_value", *_CORNERS["x"], *_CORNERS["y"]}
_HEADINGS = {
    "lon": PLACE_HEADINGS["lon"],
    "lat": PLACE_HEADINGS["lat"],
    "z": (
        *("z", "height", "elevation", "elev", "ele", "dem", "altitude", "alt"),
        *("高程", "海拔", "海拔高度", "高度", "标高"),
    ),
}
_MAX_CELLS = 100_000_000
_DATUM_CRS = {"wgs84": "EPSG:4326", "cgcs2000": STORED_CRS}


def read_heights(
    path: str | Path, *, datum: str | None = None, sheet: str | None = None
) -> tuple[Heights, list[str]]:
    """Read heights from a file.

    Parameters
    ----------
    path
        An ESRI ASCII grid (`.asc`), whose cells without data take the height of the nearest with
        data; or points with a column of heights (`z`, `elevation`, 高程 …) or three coordinates:
        a table, GeoPackage, Shapefile or GeoJSON.
    datum
        What the coordinates are in: `wgs84`, `cgcs2000` or `EPSG:n`; what the file, or the `.prj`
        beside a grid, says when None.
    sheet
        Sheet or layer of the file.

    Returns
    -------
    tuple
        The heights, and what the user should know.

    Raises
    ------
    InputError
        When the file cannot be read, does not say where it lies, or lacks heights.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{file}: there is no such file")
    if file.suffix.lower() in _GRID_ENDINGS:
        return _read_grid(file, _crs_of(file, datum, _beside(file)))
    return _read_points(file, datum, sheet), []


def _crs_of(file: Path, datum: str | None, declared: str | None) -> str:
    if datum is not None:
        named = parse_datum(datum)
        crs = _DATUM_CRS.get(named, named)
        if not crs.startswith("EPSG:"):
            raise InputError(f"{file}: heights in {named} cannot be used; have them in wgs84")
        return crs
    if declared is None:
        raise InputError(
            f"{file} does not say what its coordinates are in; give --datum wgs84, cgcs2000 or "
            "EPSG:n"
        )
    return declared


def _beside(file: Path) -> str | None:
    """Return the coordinate system that the `.prj` beside a grid declares."""
    prj = file.with_suffix(".prj")
    if not prj.is_file():
        return None
    try:
        return str(CRS.from_user_input(prj.read_text(encoding="utf-8", errors="replace")).to_wkt())
    except CRSError:
        return None


def _read_grid(file: Path, crs: str) -> tuple[Heights, list[str]]:
    header, body = _split_header(file)
    columns, rows = (int(header[name]) for name in ("ncols", "nrows"))
    cell = header["cellsize"]
    if not (columns > 1 and rows > 1 and columns * rows <= _MAX_CELLS and cell > 0.0):
        raise InputError(
            f"{file}: {columns} × {rows} cells of {cell:g} cannot be used; give 2 × 2 to "
            f"{_MAX_CELLS:,} cells of a size above 0"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            values = np.fromstring(body, sep=" ")
        except (DeprecationWarning, ValueError) as error:
            raise InputError(f"{file}: not all cells are numbers; write it anew") from error
    if len(values) != columns * rows:
        raise InputError(
            f"{file}: has {len(values):,} cells where the header says {columns} × {rows}; it is "
            "cut off or its header is wrong"
        )
    # The first line of the file is the northernmost row.
    z = values.reshape(rows, columns)[::-1]
    missing = ~np.isfinite(z) | (z == header.get("nodata_value", np.nan))
    if missing.all():
        raise InputError(f"{file}: no cell has a height")
    notes = []
    if missing.any():
        nearest = distance_transform_edt(missing, return_distances=False, return_indices=True)
        z = z[tuple(nearest)]
        notes.append(f"{missing.sum():,} cells without data take the height of the nearest")
    west = header["xllcenter"] if "xllcenter" in header else header["xllcorner"] + cell / 2.0
    south = header["yllcenter"] if "yllcenter" in header else header["yllcorner"] + cell / 2.0
    x = west + cell * np.arange(columns, dtype=np.float64)
    y = south + cell * np.arange(rows, dtype=np.float64)
    return Heights(crs, x, y, np.ascontiguousarray(z)), notes


def _split_header(file: Path) -> tuple[dict[str, float], str]:
    """Part an ESRI ASCII grid into the numbers of its header and the text of its cells."""
    header: dict[str, float] = {}
    with file.open(encoding="ascii", errors="replace") as lines:
        while True:
            start = lines.tell()
            name, *values = lines.readline().split() or [""]
            if name.lower() not in _HEADER:
                break
            try:
                header[name.lower()] = float(*values)
            except (ValueError, TypeError) as error:
                raise InputError(f"{file}: {name} is {values}, not one number") from error
        lines.seek(start)
        body = lines.read()
    lacks = [name for name in ("ncols", "nrows", "cellsize") if name not in header]
    lacks += [f"{axis}llcorner" for axis, names in _CORNERS.items() if not names & header.keys()]
    if lacks:
        raise InputError(
            f"{file}: the header lacks {', '.join(lacks)}; give an ESRI ASCII grid, or points"
        )
    return header, body


def _read_points(file: Path, datum: str | None, sheet: str | None) -> Heights:
    frame = read_file(file, sheet=sheet)
    if isinstance(frame, gpd.GeoDataFrame):
        crs = _crs_of(file, datum, None if frame.crs is None else str(frame.crs.to_string()))
        xyz = shapely.get_coordinates(frame.geometry.to_numpy(), include_z=True)
        if len(xyz) != len(frame):
            raise InputError(f"{file}: is not made of points; give points, or an ESRI ASCII grid")
        column = _find(frame, _HEADINGS["z"])
        x, y = xyz[:, 0], xyz[:, 1]
        z = xyz[:, 2] if column is None else _numbers(frame[column])
    else:
        crs = _crs_of(file, datum, None)
        found = {name: _find(frame, headings) for name, headings in _HEADINGS.items()}
        lacks = [name for name, heading in found.items() if heading is None]
        if lacks:
            raise InputError(f"{file}: has no column for {', '.join(lacks)}; name the columns so")
        x, y, z = (_numbers(frame[heading]) for heading in found.values())
    wrong = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y) & np.isfinite(z)))
    if len(wrong):
        raise InputError(
            f"{file}: {len(wrong)} of {len(frame)} points have no place or height, the first in "
            f"row {frame.index[wrong[0]]}; correct them or leave them out"
        )
    heights = Heights(crs, x, y, z)
    try:
        heights.sample(x[:1], y[:1], crs=crs)
    except (QhullError, ValueError) as error:
        raise InputError(
            f"{file}: its points span no area; give at least three that are not in line"
        ) from error
    return heights


def _find(frame: pd.DataFrame, headings: Iterable[str]) -> str | None:
    """Find the first column that bears one of some headings."""
    by_plain = {plain(str(heading)): str(heading) for heading in reversed(frame.columns)}
    return next((by_plain[heading] for heading in headings if heading in by_plain), None)


def _numbers(values: pd.Series) -> Floats:
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)


def import_heights(
    store: Store,
    path: str | Path,
    *,
    datum: str | None = None,
    sheet: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import heights, in place of those there are.

    Parameters
    ----------
    store
        The store; its streets, where it has any, must all lie in the area of the heights.
    path, datum, sheet
        As `read_heights` takes them.
    dry_run
        Only try.
    progress
        Called with a stage and the share done.

    Raises
    ------
    InputError
        When the file cannot be used, or the folder of the store cannot be written.
    """
    tell = progress or (lambda _stage, _share: None)
    tell("reading", 0.0)
    heights, notes = read_heights(path, datum=datum, sheet=sheet)
    tell("checking", 0.5)
    streets = store.read("streets", Query(columns=["geometry"]))
    xy = shapely.get_coordinates(gpd.GeoDataFrame(streets).geometry.to_numpy())
    if len(xy):
        heights_at(heights, xy[:, 0], xy[:, 1], crs=STORED_CRS, name=path)
    if not dry_run:
        tell("writing", 0.8)
        save_heights(heights, heights_path(store))
    tell("done", 1.0)
    return ImportReport(
        layer=LAYER,
        path=str(path),
        rows=heights.z.size,
        written=0 if dry_run else heights.z.size,
        faults=[],
        warnings=notes,
        datum_votes=None,
        dry_run=dry_run,
        batch=None,
    )
