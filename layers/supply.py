"""Supply and demand of a store as arrays, ready to be matched.

Beside the public columns only the facts that rules of entry are about are read: whom to call never
gets here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.areas import metres_from
from geo.columns import Coded, Codes, Floats
from geo.matching import TECHNICAL, Supply, Wants
from layers.arrays import days_of
from layers.catalog import layer as find_layer
from layers.columns import SpaceTable, space_table
from layers.placeminutes import minutes_from, minutes_to
from layers.query import Query
from layers.store import Store
from layers.walking import WalkWorld

AMENITY_MINUTES = 15.0
_WALKED = 50  # more demands than these are timed straight ahead at first
_DEFAULT_MINUTES = 15.0
_SAME_SECTION, _SAME_DIVISION = 0.4, 0.8  # of GB/T 4754: the letter, and two digits of the code


@dataclass(frozen=True, eq=False)
class Market:
    """Both sides of a store.

    Parameters
    ----------
    table
        The spaces.
    demands
        The public columns and the facts of the demands, in ascending order of id.
    supply, wants
        Both as arrays, in the same order.
    straight
        Whether minutes were taken straight ahead instead of over the streets.
    """

    table: SpaceTable
    demands: gpd.GeoDataFrame
    supply: Supply
    wants: Wants
    straight: bool


def read_market(
    store: Store, world: WalkWorld, *, demands: Sequence[str] | None = None, demo: bool = True
) -> Market:
    """Read both sides of a store.

    Parameters
    ----------
    store
        The store.
    world
        Its walking world.
    demands
        Ids of the demands to read; all that are open when None.
    demo
        Whether demo records count.
    """
    table = space_table(store)
    public = [column.name for column in find_layer("demands").public_columns]
    where: dict[str, Any] = {} if demands is not None else {"status": ["open"]}
    asked = Query(columns=[*public, "facts", "geometry"], ids=demands, where=where, demo=demo)
    frame = store.read("demands", asked).sort_values("id", kind="stable").reset_index(drop=True)
    wanted = gpd.GeoDataFrame(frame)
    straight = world.network is None or len(wanted) > _WALKED
    rules = store.rules("industries").body.get("industries", ())
    wants = _wants(table, wanted, world, industries=rules, straight=straight)
    return Market(table, wanted, _supply(table, demo=demo), wants, straight)


def _supply(table: SpaceTable, *, demo: bool) -> Supply:
    columns = table.columns
    numbers, coded = columns.numbers, columns.coded
    area, vacant = numbers["area_m2"], numbers["vacant_area_m2"]
    status = coded["status"]
    free = status.matching(lambda value: value == "vacant")[status.codes]
    to_let = np.where(np.isnan(vacant), area, np.fmin(vacant, area))
    part = numbers["min_area_m2"]
    usable = free if demo else free & ~table.demo
    technical = [
        numbers[name] if name in numbers else _as_numbers(coded[name]) for name in TECHNICAL
    ]
    return Supply(
        vacant_m2=np.where(usable, to_let, 0.0),
        part_m2=np.where(np.isnan(part), area, part),
        rent=numbers["rent_cny_m2_month"],
        technical=np.ascontiguousarray(np.column_stack(technical)),
        lab=coded["lab_grade"].codes,
        kind=coded["kind"].codes,
        unit=coded["unit"].codes,
        industries=coded["industries"].codes,
        stages=coded["stages"].codes,
        services=coded["services"].codes,
        available_day=numbers["available_from"],
        min_term=numbers["min_term_months"],
        max_term=numbers["max_term_months"],
        place=table.places[0],
    )


def _as_numbers(coded: Coded) -> Floats:
    """Return truth values as 1, 0 and NaN."""
    return np.array([*(float(value) for value in coded.known), np.nan])[coded.codes]


def _wants(
    table: SpaceTable,
    demands: gpd.GeoDataFrame,
    world: WalkWorld,
    *,
    industries: Sequence[Mapping[str, Any]],
    straight: bool,
) -> Wants:
    coded = table.columns.coded
    least = _numbers(demands["min_area_m2"])
    most = _numbers(demands["max_area_m2"])
    shape = demands.geometry
    return Wants(
        min_m2=least,
        max_m2=np.where(np.isnan(most), np.inf, np.fmax(most, least)),
        max_rent=_numbers(demands["max_rent_cny_m2_month"]),
        technical=_needs(demands),
        lab=_codes(demands["lab_grade"], coded["lab_grade"]),
        kind=_codes(demands["kind"], coded["kind"]),
        start_day=days_of(demands["start_on"]),
        term=_numbers(demands["term_months"]),
        by_place=np.asarray(shape.notna() & ~shape.is_empty, dtype=np.bool_),
        industry_fit=_industry_fit(demands, coded["industries"], industries),
        stage_fit=_fits(
            demands["stage"], coded["stages"], lambda stage, known: float(stage in known)
        ),
        service_fit=_fits(demands["services"], coded["services"], _share),
        unit_fit=_fits(demands["unit"], coded["unit"], lambda unit, known: float(unit in known)),
        place_fit=_place_fit(table, demands, world, straight=straight),
        amenity_fit=_amenity_fit(table, demands, world),
    )


def _numbers(values: pd.Series) -> Floats:
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _needs(demands: pd.DataFrame) -> Floats:
    """Return what is needed; a supply that is not needed is not asked for."""
    columns = []
    for name in TECHNICAL:
        needed = _numbers(demands[name])
        if name in ("water", "gas", "exhaust"):
            needed = np.where(needed == 1.0, 1.0, np.nan)
        columns.append(needed)
    return np.ascontiguousarray(np.column_stack(columns))


def _codes(values: pd.Series, coded: Coded) -> Codes:
    """Return the codes of the spaces' column; one beyond the last for what no space has."""
    code = {value: number for number, value in enumerate(coded.known)}
    return np.array(
        [code.get(value, len(code)) if isinstance(value, str) else -1 for value in values],
        dtype=np.int32,
    )


def _fits(values: pd.Series, coded: Coded, fit: Callable[[Any, tuple[str, ...]], float]) -> Floats:
    """Return how every value of a space's column suits what each demand asks; 1 for nothing."""
    known = [coded.parts(value) for value in coded.known]
    made: dict[Any, Floats] = {}
    rows = []
    for value in values:
        asked = tuple(value) if isinstance(value, list) else value
        missing = not asked if isinstance(asked, tuple) else not isinstance(asked, str)
        key = None if missing else asked
        if key not in made:
            row = [1.0] * (len(known) + 1) if key is None else [*(fit(key, k) for k in known), 0.0]
            made[key] = np.array(row)
        rows.append(made[key])
    return np.array(rows).reshape(len(values), len(known) + 1)


def _share(asked: tuple[str, ...], offered: tuple[str, ...]) -> float:
    return len(set(asked) & set(offered)) / len(asked)


def _industry_fit(
    demands: pd.DataFrame, coded: Coded, industries: Sequence[Mapping[str, Any]]
) -> Floats:
    """Return 1 for the same industry, less for a neighbour in GB/T 4754, 0 for another."""
    codes = {one["name"]: tuple(one.get("codes", ())) for one in industries}
    own = [
        (name, code if isinstance(code, str) else "")
        for name, code in zip(demands["industry"], demands["industry_code"], strict=True)
    ]
    known = [coded.parts(value) for value in coded.known]
    made: dict[tuple[str, str], list[float]] = {}
    for key in own:
        if key not in made:
            made[key] = [*(_industry(key, offered, codes) for offered in known), 0.0]
    return np.array([made[key] for key in own]).reshape(len(own), len(known) + 1)


def _industry(
    asked: tuple[str, str], offered: tuple[str, ...], codes: Mapping[str, tuple[str, ...]]
) -> float:
    name, code = asked
    if name in offered:
        return 1.0
    mine = [code] if code else list(codes.get(name, ()))
    theirs = [one for other in offered for one in codes.get(other, ())]
    return max((_kin(a, b) for a in mine for b in theirs), default=0.0)


def _kin(a: str, b: str) -> float:
    """Return how close two codes of GB/T 4754 are.

    >>> _kin("C382", "C38"), _kin("C38", "C18"), _kin("C38", "I65")
    (0.8, 0.4, 0.0)
    """
    if a[:3] == b[:3]:
        return _SAME_DIVISION
    return _SAME_SECTION if a[:1] == b[:1] else 0.0


def _place_fit(
    table: SpaceTable, demands: gpd.GeoDataFrame, world: WalkWorld, *, straight: bool
) -> Floats:
    """Return 1 within the minutes wished for, falling to 0 at twice as many."""
    _, lon, lat = table.places
    fits = np.zeros((len(demands), len(lon) + 1))
    points = shapely.point_on_surface(np.asarray(demands.geometry.array, dtype=object))
    wished = np.nan_to_num(_numbers(demands["minutes"]), nan=_DEFAULT_MINUTES)
    pace = world.profile().speed_km_h * 1000.0 / 60.0
    for row, point in enumerate(points):
        if point is None or point.is_empty:
            continue
        if straight:
            minutes = metres_from(point.x, point.y, lon, lat) / pace
        else:
            minutes = _by_place(table, minutes_from(table, world, point.x, point.y))
        late = minutes / max(float(wished[row]), 1.0) - 1.0
        fits[row, :-1] = np.clip(1.0 - late, 0.0, 1.0)
    return fits


def _amenity_fit(table: SpaceTable, demands: pd.DataFrame, world: WalkWorld) -> Floats:
    """Return the share of the amenities asked for that lie within a walk of each place."""
    count = len(table.places[1])
    asked = [[key for key in keys if key in world.categories] for keys in demands["amenities"]]
    near = {
        key: _by_place(table, minutes_to(table, world, key)) <= AMENITY_MINUTES
        for key in sorted({key for keys in asked for key in keys})
    }
    fits = np.ones((len(demands), count + 1))
    for row, keys in enumerate(asked):
        if keys:
            fits[row, :-1] = np.mean([near[key] for key in keys], axis=0)
            fits[row, -1] = 0.0
    return fits


def _by_place(table: SpaceTable, minutes: Floats) -> Floats:
    """Return by place what was given by record."""
    at, lon, _ = table.places
    by_place = np.full(len(lon) + 1, np.inf)
    by_place[at] = minutes
    return by_place[:-1]
