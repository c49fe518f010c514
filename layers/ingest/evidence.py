"""What a file and a store know about the places of records, for the datum vote."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from layers.ingest.datum import Evidence
from layers.ingest.gazetteer import Gazetteer
from layers.ingest.places import Places, parse_degrees
from layers.ingest.units import plain
from layers.query import Query
from layers.store import Store

Array = npt.NDArray[np.float64]

MAX_STREETS = 200_000
_PAIRS = (("longitude", "latitude"), ("经度", "纬度"), ("lon", "lat"), ("lng", "lat"))
_HINTS = (
    ("bd09", r"bd-?_?09|baidu|百度"),
    ("gcj02", r"gcj|火星|高德|amap|gaode|腾讯"),
    ("wgs84", r"wgs|gps"),
    ("cgcs2000", r"cgcs|国家2000|天地图"),
)


def gather_evidence(
    store: Store, raw: pd.DataFrame, frame: pd.DataFrame, places: Places, gazetteer: Gazetteer
) -> Evidence:
    """Gather what is known about the records of a file beside their coordinates.

    Parameters
    ----------
    store
        Its streets are used, demo streets apart.
    raw
        The file as read, which may hold a second pair of coordinates.
    frame
        The records as stated, before anything was filled in.
    places
        Where the records are, as declared.
    gazetteer
        Names and polygons of the city.
    """
    return Evidence(
        areas=gazetteer.areas,
        named=_named(frame, gazetteer),
        streets=_streets(store, places),
        pair=_second_pair(raw, places),
    )


def _named(frame: pd.DataFrame, gazetteer: Gazetteer) -> list[str | None]:
    """Name the smallest area that each record states: its town, else its unit."""
    areas, words = gazetteer.areas, gazetteer.vocabularies["unit"].words

    def column(name: str) -> list[str]:
        cells = frame[name] if name in frame else [None] * len(frame)
        return ["" if cell is None or cell is pd.NA else str(cell) for cell in cells]

    named: list[str | None] = []
    for code, town, unit in zip(column("town_code"), column("town"), column("unit"), strict=True):
        own = (code, town, words.get(plain(unit), ""))
        named.append(next((name for name in own if name in areas), None))
    return named


def _streets(store: Store, places: Places) -> npt.NDArray[np.object_] | None:
    west, south, east, north = shapely.total_bounds(places.geometry)
    if not np.isfinite(west):
        return None
    margin = 0.02  # degrees, wider than any shift
    bbox = (
        max(west - margin, -180),
        max(south - margin, -90),
        min(east + margin, 180),
        min(north + margin, 90),
    )
    query = Query(bbox=bbox, demo=False, limit=MAX_STREETS, columns=["id", "geometry"])
    streets = store.read("streets", query)
    return np.asarray(streets["geometry"].array) if len(streets) else None


def _second_pair(raw: pd.DataFrame, places: Places) -> tuple[Array, Array] | None:
    """Find a longitude and latitude in the file other than the one read, such as `lon_gcj`."""
    spelled = {str(name).lower(): name for name in raw.columns if name != "geometry"}
    for heading in spelled:
        for across, up in _PAIRS:
            partner = heading.replace(across, up)
            if across not in heading or partner == heading or partner not in spelled:
                continue
            x, y = (_numbers(raw[spelled[name]]) for name in (heading, partner))
            with np.errstate(invalid="ignore"):
                same = np.abs(x - places.x) + np.abs(y - places.y) < 1e-9
            if np.isfinite(x + y).any() and not same.any():
                return x, y
    return None


def _numbers(cells: pd.Series) -> Array:
    texts = ("" if cell is None or cell is pd.NA else str(cell) for cell in cells.array)
    numbers = (parse_degrees(text) if text.strip() else None for text in texts)
    return np.array([np.nan if number is None else number for number in numbers])


def doubt_headings(place: Mapping[str, str], datum: str) -> str | None:
    """Say when the headings of the coordinates name another datum than the declared one.

    >>> doubt_headings({"lon": "lon_gcj", "lat": "lat_gcj"}, "wgs84")
    "heading 'lon_gcj' names gcj02, declared is wgs84; check the datum"
    >>> doubt_headings({"lon": "lon", "lat": "lat"}, "wgs84")
    """
    for heading in place.values():
        for named, pattern in _HINTS:
            if re.search(pattern, heading, re.IGNORECASE):
                if named == datum or {named, datum} == {"wgs84", "cgcs2000"}:
                    break
                return f"heading {heading!r} names {named}, declared is {datum}; check the datum"
    return None
