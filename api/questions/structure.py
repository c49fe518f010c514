"""Space, tenants, vacancy, coverage and growth by role of the structure and by zone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import pandas as pd

from api.questions.common import find_unit, keep_unit, plan_of, read_layer, read_rule, today
from api.questions.coverage import ask_town_coverage
from geo.coverage import TownCoverage
from geo.crs import STORED_CRS
from geo.readings import check_version
from geo.structure import CityLayers, StructureReport, roll_up
from layers.store import Store


def ask_structure(
    store: Store,
    *,
    unit: str | None = None,
    as_of: Any = None,
    version: str | None = None,
    demo: bool = True,
) -> StructureReport:
    """Add incubation space up by role, by zone and by unit.

    Parameters
    ----------
    store
        The store.
    unit
        Only what stands in this unit: incubators, towns and zones; the whole city when None.
    as_of
        The day asked about; today when None.
    version
        The reading of the structure; the latest in force on the day when None.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When the day is not a date.
    NotFoundError
        When there is no such version or unit.
    """
    day = as_of or today()
    layers = gather_layers(store, as_of=day, demo=demo)
    if unit is not None:
        layers = _of_unit(layers, find_unit(layers.units, unit))
    check_version(layers.structure, version)
    return roll_up(
        layers,
        roles=(store.meta("city") or {}).get("roles", ()),
        rule=read_rule(store, "towns"),
        as_of=day,
        version=version,
        weights=_target_weights(store),
    )


def _of_unit(layers: CityLayers, unit: str) -> CityLayers:
    """Keep what stands in one unit; the units stay, for they tell where a record belongs."""
    incubators, _ = keep_unit(layers.incubators, layers.units, unit)
    towns = layers.towns
    return replace(
        layers,
        incubators=incubators,
        zones=layers.zones.loc[layers.zones["unit"] == unit],
        towns=None if towns is None else towns.loc[towns["unit"] == unit],
    )


def gather_layers(store: Store, *, as_of: Any, demo: bool = True) -> CityLayers:
    """Read what roll-ups by the structure add up, on a day.

    Raises
    ------
    InputError
        When the day is not a date.
    """
    names = {"incubators": "incubators", "units": "reporting_units", "structure": "structure"}
    frames = {key: read_layer(store, layer, demo=demo) for key, layer in names.items()}
    return CityLayers(
        **frames,
        zones=read_layer(store, "zones", demo=demo),
        towns=_town_states(ask_town_coverage(store, as_of=as_of, demo=demo)),
    )


def _town_states(coverage: TownCoverage) -> gpd.GeoDataFrame:
    rows = pd.DataFrame(
        [(row.code, row.name, row.unit, row.state, row.lon, row.lat) for row in coverage.towns],
        columns=["code", "name", "unit", "state", "lon", "lat"],
    )
    lon, lat = rows["lon"].astype(float), rows["lat"].astype(float)
    return gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(lon, lat), crs=STORED_CRS)


def _target_weights(store: Store) -> dict[str, float]:
    """Return the plan's own spread: the first indicator's targets of each unit over all years."""
    rule = store.rules("targets").body
    first = next((item["key"] for item in rule["indicators"]), None)
    targets = read_layer(store, "plan_targets")
    issuers = targets.loc[targets["unit"] == rule["total_unit"], "issuer"].unique()
    own = targets[
        (targets["indicator"] == first)
        & targets["issuer"].isin(issuers)
        & (targets["unit"] != rule["total_unit"])
        & targets["year"].isin(plan_of(store).get("years", targets["year"]))
    ]
    weights: dict[str, float] = own.groupby("unit")["value"].sum().to_dict()
    return weights
