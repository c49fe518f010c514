"""The places of records: from coordinates or geometries in a file to the stored datum, checked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from geo.crs import DATUMS, project, to_cgcs2000
from geo.errors import InputError
from layers.ingest.values import CellFault

Array = npt.NDArray[np.float64]
Geometries = npt.NDArray[np.object_]

FAR_M = 5_000.0
_DEGREES = re.compile(
    r"(?:[NSEW]|[东西]经|[南北]纬)?\s*([+-]?\d+(?:\.\d+)?)\s*(?:°|度)?\s*"
    r"(?:(\d+(?:\.\d+)?)\s*(?:['′]|分)\s*)?(?:(\d+(?:\.\d+)?)\s*(?:[\"″]|''|′′|秒)\s*)?"
    r"(?:[NSEW]|[东西]经|[南北]纬)?",
    re.IGNORECASE,
)
_SWAPPED = "longitude and latitude look swapped"
_SWAPPED_FIX = "swap the two columns, by lon=HEADING and lat=HEADING"


@dataclass(frozen=True)
class Places:
    """Where the records of a file are.

    Attributes
    ----------
    geometry
        In EPSG:4490 longitude and latitude; None without a place or with a faulty one.
    x, y
        Coordinates of points as the file has them, NaN for others.
    faults
        Places that cannot be taken, with the column `geometry` in mind.
    """

    geometry: Geometries
    x: Array
    y: Array
    faults: list[CellFault]


def read_places(raw: pd.DataFrame, place: Mapping[str, str], datum: str) -> Places:
    """Read the place of each record and bring it to the stored datum.

    Parameters
    ----------
    raw
        As `read_file` gives it.
    place
        The headings of coordinates (`HeadingMatch.place`), for a frame without geometries.
    datum
        As `geo.crs.parse_datum` names it.

    Returns
    -------
    Places
        One for each row, in order.

    Raises
    ------
    InputError
        When the file itself states another coordinate system than the one declared.
    """
    rows = raw.index.to_numpy()
    faults: list[CellFault] = []
    if isinstance(raw, gpd.GeoDataFrame):
        check_declared(raw.crs, datum)
        geometry = np.asarray(raw.geometry.array)
    elif "wkt" in place:
        geometry, faults = _from_wkt(raw[place["wkt"]])
    else:
        geometry, faults = _from_numbers(raw, place)
    geometry = shapely.force_2d(geometry)
    geometry = _without(geometry, shapely.is_empty(geometry))
    for position in np.flatnonzero(_out_of_degrees(geometry, datum)):
        faults.append(_misread(int(rows[position]), geometry[position]))
    faulty = {fault.row for fault in faults}
    kept = _without(geometry, np.isin(rows, list(faulty)))
    moved = np.asarray(to_cgcs2000(kept, datum), dtype=object)
    lost = ~np.isfinite(shapely.bounds(moved)).all(axis=1) & ~shapely.is_missing(kept)
    for position in np.flatnonzero(lost):
        what, fix = f"lies outside what {datum} can express", "check the numbers and the datum"
        faults.append(CellFault(int(rows[position]), what, _shown(geometry[position]), fix))
    points = shapely.get_type_id(geometry) == 0
    x = np.where(points, shapely.get_x(geometry), np.nan)
    y = np.where(points, shapely.get_y(geometry), np.nan)
    return Places(_without(moved, lost), x, y, faults)


def _without(geometry: Geometries, mask: npt.NDArray[np.bool_]) -> Geometries:
    """Copy geometries, with None where the mask is set."""
    kept = np.array(geometry, dtype=object)
    kept[mask] = None
    return kept


def check_declared(crs: CRS | None, datum: str) -> None:
    """Hold the coordinate system that a file states against the declared datum.

    A shifted datum (GCJ-02, BD-09) has no code of its own, so files of it state WGS-84: any file in
    degrees of WGS-84 or CGCS2000 may be declared as one of the four.

    Raises
    ------
    InputError
        When both cannot be true.

    >>> check_declared(CRS("EPSG:4326"), "gcj02")
    >>> check_declared(CRS("EPSG:4549"), "wgs84")
    Traceback (most recent call last):
    geo.errors.InputError: the file says ... EPSG:4549 ..., declared is wgs84; give datum EPSG:4549
    """
    if crs is None:
        return
    code = crs.to_epsg(min_confidence=20) if crs.name else None
    stated = f"EPSG:{code}" if code else ""
    in_degrees = code in {4326, 4490, 4979, 4480} or "CRS84" in crs.name or crs.name == "WGS 84"
    if in_degrees and datum in DATUMS:
        return
    if datum == stated or (":" in datum and CRS(datum).equals(crs, ignore_axis_order=True)):
        return
    raise InputError(
        f"the file says that it is in {stated or 'a system'} ({crs.name}), declared is {datum}; "
        f"give datum {stated or 'EPSG:n of that system'}"
    )


def _from_wkt(cells: pd.Series) -> tuple[Geometries, list[CellFault]]:
    texts = [cell if isinstance(cell, str) and cell.strip() else None for cell in cells.array]
    geometry = shapely.from_wkt(np.array(texts, dtype=object), on_invalid="ignore")
    faults = [
        CellFault(int(row), "is not a geometry in WKT", _cut(text), "give for example POINT(x y)")
        for row, text, shape in zip(cells.index, texts, geometry, strict=True)
        if text is not None and shape is None
    ]
    return geometry, faults


def _from_numbers(
    raw: pd.DataFrame, place: Mapping[str, str]
) -> tuple[Geometries, list[CellFault]]:
    """Make points of two columns of coordinates, or of one that holds both."""
    if not place:
        return np.full(len(raw), None, dtype=object), []
    if "lonlat" in place:
        cells = raw[place["lonlat"]].astype("str").fillna("")
        parts = cells.str.strip("()[]（） ").str.split(r"[,，;；\s]+", n=1, regex=True, expand=True)
        pair = [parts[i] if i in parts else pd.Series("", index=raw.index) for i in (0, 1)]
    else:
        pair = [raw[place[part]] for part in ("lon", "lat")]
    faults: list[CellFault] = []
    x, y = (_degrees(cells, faults) for cells in pair)
    wrong = {fault.row for fault in faults}
    for row, one, two in zip(raw.index, x, y, strict=True):
        if np.isnan(one) != np.isnan(two) and int(row) not in wrong:
            missing = "longitude (x)" if np.isnan(one) else "latitude (y)"
            faults.append(CellFault(int(row), f"has no {missing}", None, "give both or neither"))
    placed = np.isfinite(x) & np.isfinite(y)
    points = np.full(len(raw), None, dtype=object)
    points[placed] = shapely.points(x[placed], y[placed])
    return points, faults


def _degrees(cells: pd.Series, faults: list[CellFault]) -> Array:
    """Read numbers, also with degree, minute and second signs; note what is none."""
    values = np.full(len(cells), np.nan)
    for position, (row, cell) in enumerate(zip(cells.index, cells.array, strict=True)):
        text = "" if cell is None or cell is pd.NA else str(cell).strip()
        if text in {"", "nan"} and not isinstance(cell, str):
            continue
        if not text:
            continue
        number = parse_degrees(text)
        if number is None:
            fix = "give a number such as 120.6986"
            faults.append(CellFault(int(row), "is not a coordinate", _cut(text), fix))
        else:
            values[position] = number
    return values


def parse_degrees(text: str) -> float | None:
    """Read a coordinate: a number, or degrees, minutes and seconds; None when it is neither.

    >>> parse_degrees("１２０.６９８６"), parse_degrees("120°30′36″E"), parse_degrees("abc")
    (120.6986, 120.51, None)
    """
    plain = re.sub(r"[　\s]+", " ", unicodedata.normalize("NFKC", text.replace("′", "'"))).strip()
    try:
        number = float(plain.replace("_", " "))
    except ValueError:
        pass
    else:
        return number if np.isfinite(number) else None
    match = _DEGREES.fullmatch(plain.replace("″", '"'))
    if match is None:
        return None
    whole, minutes, seconds = (float(part) if part else 0.0 for part in match.groups())
    if minutes >= 60 or seconds >= 60:
        return None
    size = round(abs(whole) + minutes / 60.0 + seconds / 3600.0, 12)
    return -size if whole < 0 or re.search(r"[SW西南]", plain, re.IGNORECASE) else size


def _out_of_degrees(geometry: Geometries, datum: str) -> npt.NDArray[np.bool_]:
    """Whether a geometry of a datum in degrees has coordinates that are none."""
    if datum.startswith("EPSG:") and not CRS(datum).is_geographic:
        return np.zeros(len(geometry), dtype=bool)
    west, south, east, north = shapely.bounds(geometry).T
    with np.errstate(invalid="ignore"):
        out: npt.NDArray[np.bool_] = (west < -180) | (east > 180) | (south < -90) | (north > 90)
    return out


def _misread(row: int, geometry: shapely.Geometry) -> CellFault:
    west, south, east, north = shapely.bounds(geometry)
    if max(-west, east) <= 90 and max(-south, north) <= 180:
        return CellFault(row, _SWAPPED, _shown(geometry), _SWAPPED_FIX)
    fix = "if they are metres, give the EPSG code of their system as the datum, such as EPSG:4549"
    return CellFault(row, "has coordinates that are no degrees", _shown(geometry), fix)


@dataclass(frozen=True)
class Nearness:
    """How records lie to the city: faults of those far away, and how many are a little outside."""

    faults: list[CellFault]
    outside: int


def check_near(
    places: Places, rows: npt.NDArray[np.int64], areas: Geometries, *, metric_crs: str, datum: str
) -> Nearness:
    """Find records that lie far outside the city.

    Parameters
    ----------
    places
        Of the records; only points are held against the city.
    rows
        Row of each record in the file.
    areas
        Polygons of the city, in the stored datum.
    metric_crs
        To measure in.
    datum
        As declared, to try the coordinates the other way round.

    Returns
    -------
    Nearness
        A fault for each point more than 5 km away, which says when it would lie inside with
        longitude and latitude swapped.
    """
    tree = shapely.STRtree(project(areas, target=metric_crs))
    is_point = shapely.get_type_id(places.geometry) == 0
    away_m = _away_m(places.geometry[is_point], tree, metric_crs)
    far = np.flatnonzero(is_point)[away_m > FAR_M]
    turned = np.array(shapely.points(places.y[far], places.x[far]), dtype=object, ndmin=1)
    turned = _without(turned, _out_of_degrees(turned, datum))
    turned_m = _away_m(to_cgcs2000(turned, datum), tree, metric_crs)
    metres = dict(zip(np.flatnonzero(is_point), away_m, strict=True))
    faults = []
    for position, swapped_m in zip(far, turned_m, strict=True):
        if swapped_m <= FAR_M:
            metres_given = datum.startswith("EPSG:")
            what = "easting and northing look swapped" if metres_given else _SWAPPED
            fix = _SWAPPED_FIX
        else:
            what = f"lies {metres[position] / 1000:,.0f} km outside the city"
            fix = "check the coordinates and the datum, or leave the record out"
        value = f"{places.x[position]:.12g}, {places.y[position]:.12g}"
        faults.append(CellFault(int(rows[position]), what, value, fix))
    return Nearness(faults, int(np.sum((away_m > 0) & (away_m <= FAR_M))))


def _away_m(points: Geometries, tree: shapely.STRtree, metric_crs: str) -> Array:
    """Measure from each point to the nearest area; infinite where the point cannot be measured."""
    away = np.full(len(points), np.inf)
    metric = np.asarray(project(points, target=metric_crs), dtype=object)
    able = np.isfinite(shapely.bounds(metric)).all(axis=1)
    if able.any():
        (nearest, _), distances = tree.query_nearest(
            metric[able], return_distance=True, all_matches=False
        )
        away[np.flatnonzero(able)[nearest]] = distances
    return away


def _shown(geometry: Any) -> str:
    return _cut(shapely.to_wkt(geometry, rounding_precision=6))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
