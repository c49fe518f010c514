"""Plain road lines of any file read into the frame of the layer `streets`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from geo.crs import STORED_CRS, to_cgcs2000
from geo.errors import InputError
from layers.catalog import Layer
from layers.catalog import layer as find_layer
from layers.pack import load_pack
from layers.schema import conform

_WGS84 = ("EPSG:4326", "OGC:CRS84", STORED_CRS)
_LINES = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)


def read_lines(
    path: str | Path,
    *,
    rules: Mapping[str, Any] | None = None,
    layer: str | None = None,
    datum: str | None = None,
) -> gpd.GeoDataFrame:
    """Read road lines, leaving out those whose names say that one may not walk on them.

    Parameters
    ----------
    path
        GeoPackage, Shapefile, GeoJSON, FlatGeobuf or another file of lines that GDAL reads.
    rules
        Body of the rules `streets`, whose `exclude_name_contains` lists parts of names; those that
        come with the program, which leave out nothing, when None.
    layer
        Layer of the file; its first when None.
    datum
        What the coordinates are, as `geo.crs.parse_datum` takes it; what the file says when None.

    Returns
    -------
    GeoDataFrame
        The layer `streets`, EPSG:4490. Columns are taken by name, Chinese label or alias; others
        are left out. Lines that are missing or empty are left out too.

    Raises
    ------
    InputError
        When the file cannot be read, does not say where it lies, or holds no lines.
    """
    body = load_pack("none").rules["streets"][0] if rules is None else rules
    read = _read(path, layer)
    lines = read[shapely.get_type_id(read.geometry.to_numpy()) >= 0]
    _check_lines(path, lines)
    frame = _take_columns(lines, find_layer("streets"))
    frame = frame[~_is_excluded(frame, body["exclude_name_contains"])]
    if frame.empty:
        raise InputError(
            f"{path}: holds no street to walk on; give a file of lines, or see the rules 'streets'"
        )
    declared = datum or _datum_of(path, read)
    return conform(
        "streets",
        frame.set_geometry(to_cgcs2000(frame.geometry.to_numpy(), declared), crs=STORED_CRS)
        .assign(declared_datum=declared, provenance="imported")
        .reset_index(drop=True),
    )


def _read(path: str | Path, layer: str | None) -> gpd.GeoDataFrame:
    try:
        read = pyogrio.read_dataframe(path, layer=layer, force_2d=True)
    except (DataSourceError, DataLayerError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a file of road lines") from error
    if not isinstance(read, gpd.GeoDataFrame):
        raise InputError(f"{path}: is a table without lines; give a file of road lines")
    return read


def _datum_of(path: str | Path, read: gpd.GeoDataFrame) -> str:
    if read.crs is None:
        raise InputError(
            f"{path}: does not say its coordinate system; declare the datum, such as wgs84"
        )
    code = ":".join(read.crs.to_authority() or ())
    if not code:
        raise InputError(
            f"{path}: its coordinate system {read.crs.name!r} has no EPSG code; declare the datum"
        )
    return "wgs84" if code in _WGS84 else code


def _check_lines(path: str | Path, lines: gpd.GeoDataFrame) -> None:
    kinds = shapely.get_type_id(lines.geometry.to_numpy())
    others = np.flatnonzero(~np.isin(kinds, _LINES))
    if others.size:
        kind = lines.geometry.iloc[others[0]].geom_type
        raise InputError(
            f"{path}: {others.size} of {len(lines)} records are no lines (the first, number "
            f"{others[0] + 1}, is a {kind}); give the road lines alone"
        )


def _take_columns(lines: gpd.GeoDataFrame, streets: Layer) -> gpd.GeoDataFrame:
    names: dict[str, str] = {}
    for column in streets.columns:
        for heading in (column.name, column.zh, *column.aliases):
            if heading in lines.columns and column.name not in names.values():
                names[heading] = column.name
    kept = lines[[*names, lines.geometry.name]].rename(columns=names)
    return kept.rename_geometry("geometry") if kept.geometry.name != "geometry" else kept


def _is_excluded(frame: gpd.GeoDataFrame, words: list[str]) -> Any:
    if "name" not in frame or not words:
        return np.zeros(len(frame), dtype=bool)
    names = frame["name"].fillna("").astype(str)
    excluded = np.zeros(len(frame), dtype=bool)
    for word in words:
        excluded |= names.str.contains(word, regex=False).to_numpy(dtype=bool)
    return excluded
