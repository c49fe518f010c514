"""A tiny country drawn by hand near 120 east 28 north; 0.01 degree is about a kilometre.

    28.03 +-----------+-----------+-----------+
          |  Ash  A1  |  Birch A2 |  Cedar A3 |     Ash, Birch and Dell are industrial towns,
    28.02 +-----------+-----------+-----------+     Cedar is a town that is not listed.
          |  Dell A4  |       Port  B         |     Port is a unit without towns.
    28.01 +-----------+-----------+-----------+
        120.00      120.01      120.02      120.03

Unit North (code A) holds the towns A1 to A4; Port (code B) is its own town. Elm (code C9) is an
industrial town of unit West, known only as the point (119.98, 28.02).
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

CRS = "EPSG:4490"
METRIC = "EPSG:4549"

TOWNS_RULE: dict[str, Any] = {
    "name": "towns",
    "version": 1,
    "large_area_m2": 20000,
    "operating_statuses": ["operating", "rectifying"],
    "planned_statuses": ["planned", "under_construction", "completed"],
    "nearest": {"walk_km_h": 4.0, "drive_km_h": 30.0, "detour_factor": 1.3},
    "clause": "made up",
}


def square(column: int, row: int, width: int = 1) -> shapely.Polygon:
    """A cell of the drawing, counted from the lower left."""
    west, east = 120.0 + column / 100, 120.0 + (column + width) / 100
    return shapely.box(west, 28.0 + (row + 1) / 100, east, 28.0 + (row + 2) / 100)


def frame(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)


def divisions() -> gpd.GeoDataFrame:
    cells = {"A1": (0, 1), "A2": (1, 1), "A3": (2, 1), "A4": (0, 0)}
    names = {"A1": "Ash", "A2": "Birch", "A3": "Cedar", "A4": "Dell"}
    rows = [
        {"id": f"d-{code}", "code": code, "name": names[code], "level": "town",
         "geometry": square(*cell)}
        for code, cell in cells.items()
    ]  # fmt: skip
    port = {
        "id": "d-B",
        "code": "B",
        "name": "Port",
        "level": "county",
        "geometry": square(1, 0, 2),
    }
    return frame([*rows, port])


def units() -> gpd.GeoDataFrame:
    return frame(
        [
            {"id": "u1", "code": "A", "name": "North", "aliases": ["N"], "has_towns": True,
             "division_codes": ["A"], "rank": 1, "geometry": None},
            {"id": "u2", "code": "B", "name": "Port", "aliases": [], "has_towns": False,
             "division_codes": ["B"], "rank": 2, "geometry": None,
             "centre_lon": 120.02, "centre_lat": 28.015},
            {"id": "u3", "code": "C", "name": "West", "aliases": [], "has_towns": True,
             "division_codes": ["C"], "rank": 3, "geometry": None},
        ]
    )  # fmt: skip


def towns() -> gpd.GeoDataFrame:
    seats = {"A1": (120.005, 28.025), "A2": (120.015, 28.025), "A4": (120.005, 28.015)}
    names = {"A1": "Ash", "A2": "Birch", "A4": "Dell"}
    rows = [
        {"id": f"t-{code}", "code": code, "name": names[code], "unit": "North",
         "status": "official", "geometry": shapely.Point(*seats[code])}
        for code in names
    ]  # fmt: skip
    elm = {"id": "t-C9", "code": "C9", "name": "Elm", "unit": "West", "status": "proxy",
           "geometry": shapely.Point(119.98, 28.02)}  # fmt: skip
    return frame([*rows, elm])


def incubator(key: str, lon: float, lat: float, **columns: Any) -> dict[str, Any]:
    """A record of an incubator that operates and is small, unless told otherwise."""
    defaults = {"name": key, "status": "operating", "area_m2": 5000.0, "provenance": "imported"}
    return {"id": key, **defaults, **columns, "geometry": shapely.Point(lon, lat)}


def incubators(*records: dict[str, Any]) -> gpd.GeoDataFrame:
    if not records:
        return frame([incubator("none", 0, 0)]).iloc[:0]
    return frame(list(records))


def shuffled(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)
