"""Small made-up worlds with known answers."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

UNITS = ("North", "South", "East")


def make_spaces(count: int, *, seed: int = 7) -> gpd.GeoDataFrame:
    """Scatter spaces over one degree, with ties, gaps and every kind of column."""
    rng = np.random.default_rng(seed)
    rent = np.round(rng.random(count) * 20) / 2  # many ties
    rent[rng.random(count) < 0.2] = np.nan
    services = [["lab"], ["lab", "canteen"], [], ["parking"]]
    return gpd.GeoDataFrame(
        {
            "id": [f"s{number:04d}" for number in rng.permutation(count)],
            "name": [f"Hall {number} <b>100%</b>" for number in range(count)],
            "incubator": [f"i{number % 7}" for number in range(count)],
            "unit": pd.Series(rng.choice([*UNITS, None], count), dtype="str"),
            "area_m2": np.round(rng.random(count) * 500, 1) + 1,
            "rent_cny_m2_month": rent,
            "services": [services[number] for number in rng.integers(0, 4, count)],
            "water": pd.array(rng.choice([True, False, None], count), dtype="boolean"),
            "min_term_months": pd.array(rng.integers(0, 24, count), dtype="Int64"),
            "available_from": np.datetime64("2026-01-01") + rng.integers(0, 90, count),
            "provenance": rng.choice(["demo", "imported"], count),
        },
        geometry=shapely.points(120 + rng.random(count), 27 + rng.random(count)),
        crs="EPSG:4490",
    )


def make_incubators(*names: str) -> gpd.GeoDataFrame:
    """Put operating incubators of these names in a row, a tenth of a degree apart."""
    return gpd.GeoDataFrame(
        {
            "name": list(names),
            "status": "operating",
            "area_m2": [1000.0 * (place + 1) for place in range(len(names))],
        },
        geometry=shapely.points([(120 + place / 10, 28.0) for place in range(len(names))]),
        crs="EPSG:4490",
    )
