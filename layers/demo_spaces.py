"""Demo spaces in demo incubators, and demo demands of companies that look for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.crs import project
from layers.demo_incubators import industry_codes, pick
from layers.demo_places import frame_points, scatter
from layers.demo_world import Floats, Ints, World, allot


@dataclass(frozen=True)
class Kind:
    """What spaces of a kind are like: shares, medians, and how often they have each supply."""

    zh: str
    share: float
    area_m2: float
    rent_cny_m2_month: float
    clear_height_m: float
    floor_load_kn_m2: tuple[float, ...]
    power_kw_m2: float
    water: float
    gas: float
    exhaust: float


_KINDS = {
    "rd": Kind("研发", 0.30, 260, 38, 3.9, (3.0, 3.5, 4.0), 0.08, 0.7, 0.02, 0.10),
    "production": Kind("生产", 0.24, 900, 18, 6.0, (5.0, 7.5, 10.0, 12.0), 0.12, 0.9, 0.25, 0.45),
    "suite": Kind("独立单元", 0.26, 120, 42, 3.3, (2.5, 3.0), 0.06, 0.4, 0.01, 0.04),
    "desk": Kind("开放工位", 0.10, 12, 60, 3.2, (2.5,), 0.05, 0.3, 0.0, 0.02),
    "pilot": Kind("中试", 0.06, 600, 28, 5.4, (5.0, 7.5, 10.0), 0.15, 0.95, 0.3, 0.7),
    "lab": Kind("实验室", 0.04, 180, 55, 4.0, (4.0, 5.0), 0.14, 1.0, 0.25, 0.9),
}
_SPACE_STATUSES = {"vacant": 0.58, "reserved": 0.08, "occupied": 0.34}
_DEMAND_STATUSES = {"open": 0.84, "matched": 0.08, "signed": 0.05, "withdrawn": 0.03}
_STAGES = {"nursery": 0.3, "incubation": 0.42, "acceleration": 0.2, "industrialisation": 0.08}
_LAB_GRADES = ("BSL-1", "BSL-2", "洁净室")
_DIVISIBLE_M2 = 400.0  # larger spaces are let in two halves as well
_TERMS = (6, 12, 24, 36)


def make_spaces(world: World, incubators: gpd.GeoDataFrame, count: int) -> gpd.GeoDataFrame:
    """Make demo spaces at incubators that can be moved into.

    Parameters
    ----------
    world
        As `demo_hubs.read_world` gives it.
    incubators
        As `demo_incubators.make_incubators` gives them; spaces of one never sum to more than 95 %
        of its incubation area.
    count
        How many.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of the layer `spaces`.
    """
    rng = world.rng("spaces")
    usable = incubators["status"].isin(["operating", "rectifying", "completed"]).to_numpy()
    if not usable.any():
        count = 0
    weights = np.where(usable, np.sqrt(incubators["incubation_area_m2"].to_numpy()), 0.0)
    of = np.repeat(np.arange(len(incubators)), allot(count, weights)) if count else np.empty(0, int)
    owner = incubators.iloc[of].reset_index(drop=True)
    kind = pick(rng, {name: kind.share for name, kind in _KINDS.items()}, count)
    area = _fit_areas(rng, kind, of, incubators["incubation_area_m2"].to_numpy())
    floor = np.where(kind == "production", rng.integers(1, 6, count), rng.integers(1, 13, count))
    status = pick(rng, _SPACE_STATUSES, count)
    number = pd.Series(of).groupby(of).cumcount().to_numpy() + 1
    columns = {
        "name": [
            f"示例{_KINDS[what].zh}{level}-{n:03d}"
            for what, level, n in zip(kind, floor, number, strict=True)
        ],
        "incubator": owner["id"],
        "unit": owner["unit"],
        "town_code": owner["town_code"],
        "town": owner["town"],
        "address": owner["address"],
        "floor": floor.astype(str),
        "area_m2": area,
        "min_area_m2": np.where(area > _DIVISIBLE_M2, np.floor(area / 2), area),
        "vacant_area_m2": np.where(status == "vacant", area, 0.0),
        "kind": kind,
        "stages": owner["stages"].tolist(),
        "industries": owner["lead_industries"].tolist(),
        "rent_cny_m2_month": np.round(_rents(world, rng, kind, owner["unit"]) * 2) / 2,
        **_technical(rng, kind, area),
        "lab_grade": _lab_grades(rng, kind),
        "services": owner["services"].tolist(),
        **_availability(world, rng, status),
        "status": status,
    }
    x, y = shapely.get_coordinates(project(owner.geometry, target=world.crs)).reshape(-1, 2).T
    return frame_points(world, "spaces", columns, x, y)


def make_demands(world: World, count: int) -> gpd.GeoDataFrame:
    """Make demo demands: about two in three wish for a place, the rest only for a unit.

    Parameters
    ----------
    world
        As `demo_hubs.read_world` gives it.
    count
        How many.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of the layer `demands`; contacts are plainly fictional.
    """
    rng = world.rng("demands")
    weights = world.hubs["weight"].to_numpy()
    hub = rng.choice(len(weights), count, p=weights / weights.sum())
    kind = pick(rng, {name: kind.share for name, kind in _KINDS.items()}, count)
    wanted = _column(kind, "area_m2") * rng.lognormal(0, 0.45, count)
    industry = _industries(world, rng, count)
    unit = world.hubs["unit"].to_numpy()[hub]
    columns = {
        "title": [
            f"示例需求{n:05d}: {name}{_KINDS[what].zh}空间"
            for n, (name, what) in enumerate(zip(industry, kind, strict=True), 1)
        ],
        "industry": industry,
        "industry_code": industry_codes(world, industry.tolist()),
        "stage": pick(rng, _STAGES, count),
        "kind": kind,
        "unit": unit,
        "team_size": np.clip(rng.lognormal(np.log(8), 0.8, count), 1, 300).astype(np.int64),
        "min_area_m2": np.round(np.maximum(wanted * 0.8, 4)),
        "max_area_m2": np.round(np.maximum(wanted * 1.4, 8)),
        "max_rent_cny_m2_month": np.round(
            _column(kind, "rent_cny_m2_month") * rng.lognormal(0.12, 0.2, count)
        ),
        **_needs(rng, kind, wanted),
        "lab_grade": _lab_grades(rng, kind),
        "minutes": rng.choice([10, 15, 20, 30], count),
        "services": _wishes(rng, [s["name"] for s in world.rules["services"]["services"]], count),
        "amenities": _wishes(
            rng, [c["key"] for c in world.rules["amenities"]["categories"]], count
        ),
        "start_on": world.today + rng.integers(0, 240, count),
        "term_months": rng.choice([12, 24, 36, 60], count),
        "facts": _facts(world, rng, count),
        "status": pick(rng, _DEMAND_STATUSES, count),
        "posted_on": world.today - rng.integers(0, 180, count),
        "contact_name": "示例联系人",
        "consent": "示例记录, 无真实个人信息",
    }
    x, y = scatter(world, rng, hub)
    frame = frame_points(world, "demands", columns, x, y)
    return frame.set_geometry(frame.geometry.where(rng.random(count) < 0.65, None))


def _column(kind: npt.NDArray[Any], name: str) -> Floats:
    values = {key: getattr(value, name) for key, value in _KINDS.items()}
    return np.array([values[key] for key in kind], dtype=np.float64)


def _fit_areas(
    rng: np.random.Generator, kind: npt.NDArray[Any], of: Ints, incubation_m2: Floats
) -> Floats:
    """Draw areas by kind, and shrink those of an incubator that would not fit into it."""
    area = _column(kind, "area_m2") * rng.lognormal(0, 0.5, len(kind))
    total = np.bincount(of, weights=area, minlength=len(incubation_m2))
    room = np.minimum(1.0, 0.95 * incubation_m2 / np.maximum(total, 1.0))
    return np.maximum(np.floor(area * room[of] * 10) / 10, 0.1)


def _rents(
    world: World, rng: np.random.Generator, kind: npt.NDArray[Any], unit: pd.Series
) -> Floats:
    """Draw rents by kind, up to a third higher in the units that the plan weighs most."""
    weight = world.units.set_index("name")["weight"]
    tier = 0.8 + 0.4 * (weight / weight.max())
    base = _column(kind, "rent_cny_m2_month") * unit.map(tier).to_numpy(dtype=np.float64)
    return np.asarray(np.clip(base * rng.lognormal(0, 0.18, len(kind)), 4, 150), dtype=np.float64)


def _technical(
    rng: np.random.Generator, kind: npt.NDArray[Any], area_m2: Floats
) -> dict[str, npt.NDArray[Any]]:
    count = len(kind)
    loads = np.array([len(_KINDS[what].floor_load_kn_m2) for what in kind], dtype=np.int64)
    which = (rng.random(count) * loads).astype(np.int64)
    height = _column(kind, "clear_height_m") * rng.normal(1.0, 0.08, count)
    power = _column(kind, "power_kw_m2") * area_m2 * rng.lognormal(0, 0.35, count)
    return {
        "clear_height_m": np.round(np.maximum(height, 2.6), 1),
        "floor_load_kn_m2": np.array(
            [_KINDS[what].floor_load_kn_m2[n] for what, n in zip(kind, which, strict=True)],
            dtype=np.float64,
        ),
        "power_kw": np.round(np.maximum(power, 1.0)),
        **{name: rng.random(count) < _column(kind, name) for name in ("water", "gas", "exhaust")},
    }


def _lab_grades(rng: np.random.Generator, kind: npt.NDArray[Any]) -> list[str | None]:
    grades = rng.choice(np.array(_LAB_GRADES, dtype=object), len(kind))
    return [grade if what == "lab" else None for grade, what in zip(grades, kind, strict=True)]


def _needs(
    rng: np.random.Generator, kind: npt.NDArray[Any], area_m2: Floats
) -> dict[str, npt.NDArray[Any]]:
    """Ask for somewhat less than spaces of the kind offer, and only where it matters at all."""
    offered = _technical(rng, kind, area_m2)
    heavy = np.isin(kind, ["production", "pilot", "lab"])
    factors = {"clear_height_m": 0.85, "floor_load_kn_m2": 0.7, "power_kw": 0.6}
    needed = {
        name: np.where(heavy, np.round(offered[name] * factor, 1), np.nan)
        for name, factor in factors.items()
    }
    flags = {name: offered[name] & heavy for name in ("water", "gas", "exhaust")}
    return {**needed, **flags}


def _availability(
    world: World, rng: np.random.Generator, status: npt.NDArray[Any]
) -> dict[str, npt.NDArray[Any]]:
    count = len(status)
    soon = np.where(
        rng.random(count) < 0.6, -rng.integers(0, 120, count), rng.integers(1, 180, count)
    )
    later = rng.integers(120, 900, count)
    shortest = rng.choice(_TERMS, count)
    return {
        "available_from": world.today + np.where(status == "vacant", soon, later),
        "min_term_months": shortest,
        "max_term_months": shortest * rng.choice([2, 3, 5], count),
        "confirmed_on": world.today - rng.integers(0, 120, count),
    }


def _industries(world: World, rng: np.random.Generator, count: int) -> npt.NDArray[Any]:
    known = [i["name"] for i in world.rules["industries"]["industries"]] or ["综合"]
    return rng.choice(np.array(known, dtype=object), count)


def _wishes(rng: np.random.Generator, names: list[str], count: int) -> list[list[str]]:
    wanted = rng.random((count, len(names))) < 0.12
    return [[n for n, want in zip(names, row, strict=True) if want] for row in wanted]


def _facts(world: World, rng: np.random.Generator, count: int) -> list[dict[str, Any]]:
    """State what eligibility rules ask of a company, most of it so that the rule is met."""
    conditions = {
        condition["fact"]: condition
        for rule in world.rules["eligibility"]["rules"]
        if rule["subject"] == "demand"
        for condition in [*rule.get("all", []), *rule.get("any", [])]
    }
    drawn = {name: _states(rng, condition, count) for name, condition in conditions.items()}
    return [{name: values[row] for name, values in drawn.items()} for row in range(count)]


def _states(rng: np.random.Generator, condition: dict[str, Any], count: int) -> list[Any]:
    value = condition["value"]
    if isinstance(value, bool):
        return [value if met else not value for met in rng.random(count) < 0.85]
    middle = 1.4 if condition["op"] in ("ge", "gt") else 0.7
    states = value * middle * rng.lognormal(0, 0.5, count)
    whole = isinstance(value, int)
    return [round(state) if whole else round(state, 3) for state in states.tolist()]
