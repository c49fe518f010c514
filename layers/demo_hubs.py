"""Centres of activity of demo data: seats of units, quarters round them, industrial towns.

Everything follows from the polygons of the reporting units, their industrial towns and the plan's
targets, so any city pack gets demo data that look like a city, denser where the plan asks for more.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import project, project_xy
from geo.errors import InputError
from layers.demo_world import Floats, World, allot, within
from layers.query import Query
from layers.store import Store

_EDGE_M = 30.0  # points keep so far from their unit's edge, where it is wide enough
_SLIVER_M = 10.0
_SEAT_SPREAD_M, _TOWN_SPREAD_M = 2500.0, 1100.0
_QUARTERS, _QUARTERS_WITHIN_M = 3, 6000.0
_CENTRE_SHARE = 0.45  # of a unit's activity that gathers round its seat when it has towns
# What becomes of industrial towns, so that every state of coverage occurs.
_FATES = ("none", "planned", "small", "large")
_FATE_SHARES = (0.20, 0.12, 0.18, 0.50)


def read_world(store: Store, *, seed: int, as_of: date) -> World:
    """Read what demo data depend on; records of earlier demo data are left aside.

    Raises
    ------
    InputError
        When no reporting unit has a polygon to put records into.
    """
    real = Query(demo=False)
    crs = store.metric_crs.to_string()
    city = store.meta("city", {})
    targets = store.read("plan_targets", real)
    targets = targets[targets["issuer"] == city.get("issuer")].reset_index(drop=True)
    units = _read_units(store.read("reporting_units", real), targets, crs)
    world = World(
        crs=crs,
        as_of=as_of,
        seed=seed,
        land=_close(shapely.union_all(units["whole"])),
        units=units,
        hubs=pd.DataFrame(),
        rules={name: store.rules(name).body for name in store.rules_names()},
        city=city,
        targets=targets,
        progress=store.read("progress", real),
    )
    towns, divisions = store.read("industrial_towns", real), store.read("divisions", real)
    return _with_hubs(world, towns, divisions)


def _read_units(units: gpd.GeoDataFrame, targets: pd.DataFrame, crs: str) -> pd.DataFrame:
    units = units[units.geometry.notna()].reset_index(drop=True)
    if units.empty:
        raise InputError(
            "demo data need at least one reporting unit with a polygon; import reporting_units or "
            "the divisions that they are made of first"
        )
    whole = project(units.geometry, target=crs)
    shapes = np.array([_shrink(shape) for shape in whole], dtype=object)
    weighed: pd.DataFrame = units.assign(
        whole=whole,
        shape=shapes,
        inner=shapely.point_on_surface(shapes),
        weight=_weights(units["name"], targets, shapely.area(whole)),
    )
    return weighed


def _weights(names: pd.Series, targets: pd.DataFrame, areas: Floats) -> Floats:
    """Weigh units by their mean share of the plan's indicators, else by their area."""
    own = targets[targets["unit"].isin(names)]
    table = own.pivot_table(index="unit", columns="indicator", values="value", aggfunc="sum")
    shares = (table / table.sum()).mean(axis=1).reindex(names).fillna(0.0).to_numpy()
    weights = shares if shares.sum() > 0 else areas
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _close(land: shapely.Geometry) -> shapely.Geometry:
    """Fill the slivers between neighbours whose common edge bends differently in metres."""
    return shapely.buffer(shapely.buffer(land, _SLIVER_M), -_SLIVER_M)


def _shrink(shape: shapely.Geometry) -> shapely.Geometry:
    smaller = shapely.buffer(shape, -_EDGE_M)
    return shape if shapely.is_empty(smaller) else smaller


def _with_hubs(world: World, towns: gpd.GeoDataFrame, divisions: gpd.GeoDataFrame) -> World:
    """Add the hubs: the seat of each unit, quarters round it, and its industrial towns."""
    units = world.units.set_index("name")
    rows = []
    for name, unit in units.iterrows():
        seat = _seat(world.crs, name, unit)
        rows += [seat, *_quarters(world, seat)]
    rows += _towns(world, units, towns, divisions)
    hubs = pd.DataFrame(rows)
    counted = hubs.assign(part=hubs["part"].where(hubs["fate"] != "none", 0.0))
    whole = counted.groupby("unit")["part"].transform("sum")
    weight = counted["part"] / whole * units.loc[hubs["unit"], "weight"].to_numpy()
    return replace(world, hubs=hubs.drop(columns="part").assign(weight=weight))


def _towns(
    world: World, units: pd.DataFrame, towns: gpd.GeoDataFrame, divisions: gpd.GeoDataFrame
) -> list[dict[str, Any]]:
    """Make hubs of the industrial towns and draw the fate of each."""
    towns = towns[towns["unit"].isin(units.index)].sort_values("code", ignore_index=True)
    # A town that is a whole unit (its code is the unit's) is the seat's own business.
    towns = towns[~towns["code"].isin(units["code"])].reset_index(drop=True)
    fates = world.rng("towns").permutation(np.repeat(_FATES, allot(len(towns), _FATE_SHARES)))
    shapes = project(divisions.geometry, target=world.crs)
    outline = dict(zip(divisions["code"], shapes, strict=True))
    busy = towns.loc[fates != "none", "unit"].value_counts()
    return [
        {
            **_town(world.crs, units.loc[town.unit], town, outline.get(town.code)),
            "fate": str(fate),
            "part": (1 - _CENTRE_SHARE) / busy.get(town.unit, 1),
        }
        for town, fate in zip(towns.itertuples(), fates, strict=True)
    ]


def _seat(crs: str, name: Any, unit: pd.Series) -> dict[str, Any]:
    point = _point(crs, unit["centre_lon"], unit["centre_lat"], unit["shape"], unit["inner"])
    return {
        "unit": name,
        "town": None,
        "town_code": None,
        "lead_industries": [],
        "fate": "large",
        "part": _CENTRE_SHARE / 2,
        "x": point.x,
        "y": point.y,
        "spread_m": _SEAT_SPREAD_M,
        "shape": unit["shape"],
    }


def _quarters(world: World, seat: dict[str, Any]) -> list[dict[str, Any]]:
    """Put further hubs round a seat: a city has more than one centre."""
    rng = world.rng(f"quarters of {seat['unit']}")
    centre = np.array([seat["x"], seat["y"]])
    drawn = centre + rng.normal(0, _QUARTERS_WITHIN_M, (40 * _QUARTERS, 2))
    inside = within(np.array([seat["shape"]], dtype=object), np.zeros(len(drawn), int), drawn)
    chosen = drawn[inside][:_QUARTERS]
    part = _CENTRE_SHARE / 2 / max(len(chosen), 1)
    return [{**seat, "x": x, "y": y, "spread_m": _TOWN_SPREAD_M, "part": part} for x, y in chosen]


def _town(crs: str, unit: pd.Series, town: Any, polygon: shapely.Geometry | None) -> dict[str, Any]:
    if polygon is None and town.geometry is not None and town.geometry.geom_type != "Point":
        polygon = project(town.geometry, target=crs)
    shape = unit["shape"]
    if polygon is not None:
        part = shapely.intersection(_shrink(polygon), shape)
        shape = shape if shapely.is_empty(part) else part
    inner = shapely.point_on_surface(shape)
    centre = None if town.geometry is None else shapely.point_on_surface(town.geometry)
    lon, lat = (np.nan, np.nan) if centre is None else (centre.x, centre.y)
    point = _point(crs, lon, lat, shape, inner)
    return {
        "unit": town.unit,
        "town": town.name,
        "town_code": town.code,
        "lead_industries": town.lead_industries,
        "x": point.x,
        "y": point.y,
        "spread_m": _TOWN_SPREAD_M,
        "shape": shape,
    }


def _point(
    crs: str, lon: float, lat: float, shape: shapely.Geometry, inner: shapely.Point
) -> shapely.Point:
    """Return the place named, or the inner point of the shape when it is not in the shape."""
    if np.isnan([lon, lat]).any():
        return inner
    x, y = (float(axis) for axis in project_xy(lon, lat, target=crs))
    return shapely.Point(x, y) if shapely.contains_xy(shape, x, y) else inner
