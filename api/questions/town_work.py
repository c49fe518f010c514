"""What to do next for the towns without an incubator, and how coverage grew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from api.questions.common import plan_of, read_layer
from api.questions.goals import GoalDesk
from geo.coverage import TownRow
from geo.coverage_trend import CoverageTrend, choose_days, trace_trend
from geo.errors import InputError
from geo.frames import days, lists, numbers, points, shapes, texts
from geo.town_actions import TownActions, plan_actions
from geo.towns import list_towns
from geo.units import index_units
from layers.store import Store

Trend = Literal["towns", "industries"]

_LEAST_VACANT_M2 = 2_000.0  # a building with less is no place for an incubator


def ask_town_actions(
    store: Store, *, unit: str | None = None, as_of: Any = None, demo: bool = True
) -> TownActions:
    """Tell the next best action for every industrial town without an operating incubator.

    Parameters
    ----------
    store
        The store.
    unit
        Only the towns of this reporting unit, by name, alias or code.
    as_of
        The day asked about; today when None.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When the day is not a date.
    NotFoundError
        When there is no such unit.
    """
    desk = GoalDesk(store, unit=unit, as_of=as_of, demo=demo)
    listed = list_towns(
        read_layer(store, "industrial_towns", demo=demo),
        desk.units,
        read_layer(store, "divisions", demo=demo),
        index_units(desk.units),
    )
    opened = days(desk.incubators, "opened_on")
    return plan_actions(
        desk.towns_on(desk.day),
        listed,
        sites=_read_sites(store, demo=demo),
        buildings=_read_buildings(store, desk.incubators, demo=demo),
        opening={
            key: None if pd.isna(on) else pd.Timestamp(on)
            for key, on in zip(desk.incubators["id"].tolist(), opened, strict=True)
        },
        metric_crs=store.metric_crs.to_string(),
    )


def _read_sites(store: Store, *, demo: bool) -> gpd.GeoDataFrame:
    """Read the candidates that may be chosen, each at a point inside it."""
    sites = read_layer(store, "sites", demo=demo)
    found = shapes(sites)
    allowed = [decision != "forbidden" for decision in texts(sites, "decision")]
    keep = ~(shapely.is_missing(found) | shapely.is_empty(found)) & np.array(allowed, dtype=bool)
    kept = gpd.GeoDataFrame(sites[keep].reset_index(drop=True))
    return kept.set_geometry(
        gpd.GeoSeries(shapely.point_on_surface(found[keep]), index=kept.index, crs=kept.crs)
    )


def _read_buildings(store: Store, incubators: pd.DataFrame, *, demo: bool) -> gpd.GeoDataFrame:
    """Add vacant space up by the incubator whose building it is in, else take it alone."""
    spaces = read_layer(store, "spaces", demo=demo)
    # By position of rows: an empty list in plain brackets would choose no columns.
    vacant = spaces.loc[[status == "vacant" for status in texts(spaces, "status")]]
    whole, free = numbers(vacant, "area_m2"), numbers(vacant, "vacant_area_m2")
    names = dict(zip(incubators["id"].tolist(), texts(incubators, "name"), strict=True))
    leads = dict(zip(incubators["id"].tolist(), lists(incubators, "lead_industries"), strict=True))
    owners = texts(vacant, "incubator")
    keys = [owner or key for owner, key in zip(owners, vacant["id"].tolist(), strict=True)]
    table = pd.DataFrame(
        {
            "id": keys,
            "name": [
                names.get(key) or own for key, own in zip(keys, texts(vacant, "name"), strict=True)
            ],
            "vacant_m2": np.where(np.isfinite(free), free, whole),
            "town_code": texts(vacant, "town_code"),
            "lead_industries": [leads.get(key, []) for key in keys],
            "provenance": texts(vacant, "provenance"),
            "at": points(vacant),
        }
    )
    columns = ("name", "town_code", "lead_industries", "provenance", "at")
    first = {name: (name, "first") for name in columns}
    summed = table.groupby("id", sort=True).agg(vacant_m2=("vacant_m2", "sum"), **first)
    summed = summed[summed["vacant_m2"] >= _LEAST_VACANT_M2].reset_index()
    return gpd.GeoDataFrame(
        summed.drop(columns="at"),
        geometry=gpd.GeoSeries(summed["at"].tolist(), crs="EPSG:4490"),
    )


def ask_coverage_trend(
    store: Store,
    *,
    of: Trend = "towns",
    unit: str | None = None,
    as_of: Any = None,
    demo: bool = True,
) -> CoverageTrend:
    """Tell how coverage of towns or industries grew, by the opening dates of incubators.

    Every day is judged by the rules of coverage themselves, on the records as they are now.

    Parameters
    ----------
    store, unit, as_of, demo
        As `ask_town_actions`.
    of
        `towns` (一镇一器) or `industries` (一产一器).

    Raises
    ------
    InputError
        When `of` is neither, or the day is not a date.
    NotFoundError
        When there is no such unit.
    """
    if of not in ("towns", "industries"):
        raise InputError(f"of {of!r} is not known; give towns or industries")
    desk = GoalDesk(store, unit=unit, as_of=as_of, demo=demo)
    opened = [pd.Timestamp(on) for on in days(desk.incubators, "opened_on") if not pd.isna(on)]
    start = plan_of(store).get("start")
    chosen = choose_days(
        opened, plan_start=pd.Timestamp(start) if start else desk.day, day=desk.day
    )
    demo_counted = False
    states = []
    for day in chosen:
        if of == "towns":
            towns = desk.towns_on(day)
            states.append((day, _by_name(towns.towns)))
            demo_counted |= towns.demo_counted
        else:
            industries = desk.industries_on(day)
            states.append((day, {row.name: row.state for row in industries.industries}))
            demo_counted |= industries.demo_counted
    return CoverageTrend(of, desk.unit, desk.day, demo_counted, trace_trend(states))


def _by_name(towns: Sequence[TownRow]) -> dict[str, str]:
    """Return the state of each town by name, with the unit where two share one."""
    held = Counter(row.name for row in towns)
    return {
        row.name if held[row.name] == 1 else f"{row.unit} {row.name}": row.state for row in towns
    }
