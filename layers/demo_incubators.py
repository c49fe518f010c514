"""Demo incubators: fictional ones in realistic number, size, age, industry and state."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from layers.demo_places import frame_points, scatter
from layers.demo_world import Ints, World, allot

_STATUSES = {
    "operating": 0.76, "rectifying": 0.03, "completed": 0.05, "under_construction": 0.08,
    "planned": 0.06, "withdrawn": 0.02,
}  # fmt: skip
_LEVELS = {
    "national": 0.05, "provincial": 0.16, "municipal": 0.32, "county": 0.25, "unrated": 0.22,
}  # fmt: skip
_KINDS = {
    "incubator": 0.46, "maker_space": 0.18, "accelerator": 0.10, "park": 0.12, "micro_park": 0.12,
    "university_park": 0.02,
}  # fmt: skip
_ORIGINS = {
    "park_built": 0.36, "renewal": 0.34, "leader_built": 0.14, "university": 0.07, "other": 0.09,
}  # fmt: skip
_NAMES = {
    "incubator": "孵化器", "maker_space": "众创空间", "accelerator": "加速器", "park": "产业园",
    "micro_park": "小微园", "university_park": "大学科技园",
}  # fmt: skip
_STAGES = ("nursery", "incubation", "acceleration", "industrialisation")
_WORKING = ("operating", "rectifying")
_MEDIAN_M2, _SIGMA = 17_000.0, 0.85
_NO_DAY = np.datetime64("NaT", "D")


def make_incubators(world: World, count: int) -> gpd.GeoDataFrame:
    """Make demo incubators: at least one in every busy town, the rest by the hubs' weights.

    Parameters
    ----------
    world
        As `demo_hubs.read_world` gives it.
    count
        How many.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of the layer `incubators`; areas add up: occupied and vacant make the incubation
        area, which with the public area stays within the total.
    """
    rng = world.rng("incubators")
    hub = _choose_hubs(world, count)
    hubs = world.hubs.iloc[hub].reset_index(drop=True)
    status = _choose_status(rng, hubs["fate"].to_numpy())
    kind = pick(rng, _KINDS, count)
    level = np.where(np.isin(status, _WORKING), pick(rng, _LEVELS, count), "unrated")
    lead = _choose_industries(world, rng, hubs)
    batch, way = _choose_twenty(world, rng, hubs["unit"].to_numpy(), status)
    x, y = scatter(world, rng, hub)
    columns = {
        "name": _names(hubs, lead, kind),
        "unit": hubs["unit"],
        "town_code": hubs["town_code"],
        "town": hubs["town"],
        "address": _addresses(rng, hubs),
        "setting": np.where(hubs["town"].isna() | (rng.random(count) < 0.6), "urban", "rural"),
        "level": level,
        "kind": kind,
        "stages": _stages(rng, count),
        "status": status,
        **_dates(world, rng, status),
        "space_origin": pick(rng, _ORIGINS, count),
        "lead_industries": lead,
        "industry_codes": [[c for c in industry_codes(world, own) if c] for own in lead],
        "operator": [f"示例运营机构{number:02d}" for number in rng.integers(1, 60, count)],
        "professional_operator": (rng.random(count) < 0.55) | pd.notna(batch),
        "chain_leader_built": rng.random(count) < 0.14,
        "twenty_batch": batch,
        "twenty_kind": way,
        "services": _services(world, rng, count),
        "school": [f"示例学院{n:02d}" if n <= 24 else None for n in rng.integers(1, 40, count)],
        "funds": [["示例孵化基金"] if has else [] for has in rng.random(count) < 0.5],
        "note": "虚构的示例记录",
        **_sizes(world, rng, hubs["fate"].to_numpy(), status),
    }
    return frame_points(world, "incubators", columns, x, y)


def pick(rng: np.random.Generator, shares: dict[str, float], count: int) -> npt.NDArray[Any]:
    """Draw names by their shares."""
    chances = np.array(list(shares.values()))
    return rng.choice(np.array(list(shares), dtype=object), count, p=chances / chances.sum())


def industry_codes(world: World, names: list[str]) -> list[str | None]:
    """Give the first code of the standard for each industry named, None where it has none."""
    codes = {i["name"]: i.get("codes", []) for i in world.rules["industries"]["industries"]}
    return [next(iter(codes.get(name, [])), None) for name in names]


def _choose_hubs(world: World, count: int) -> Ints:
    weights = world.hubs["weight"].to_numpy()
    least = ((weights > 0) & world.hubs["town_code"].notna().to_numpy()).astype(np.int64)
    return np.repeat(np.arange(len(weights)), allot(count, weights, at_least=least))


def _choose_status(rng: np.random.Generator, fate: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Draw states; towns fated to have only plans get only those."""
    status = pick(rng, _STATUSES, len(fate))
    early = rng.choice(np.array(["planned", "under_construction"], dtype=object), len(fate))
    return np.where(fate == "planned", early, status)


def _choose_industries(
    world: World, rng: np.random.Generator, hubs: pd.DataFrame
) -> list[list[str]]:
    """Take an industry of the town, else one favoured by the unit; at times a second."""
    known = [industry["name"] for industry in world.rules["industries"]["industries"]]
    if not known:
        return [[] for _ in range(len(hubs))]
    favours = {unit: rng.dirichlet(np.full(len(known), 0.7)) for unit in world.units["name"]}
    chosen = []
    for unit, own in zip(hubs["unit"], hubs["lead_industries"], strict=True):
        local = [name for name in own if name in known]
        first = local[0] if local and rng.random() < 0.7 else rng.choice(known, p=favours[unit])
        second = [str(rng.choice(known))] if rng.random() < 0.35 else []
        chosen.append(list(dict.fromkeys([str(first), *second])))
    return chosen


def _choose_twenty(
    world: World, rng: np.random.Generator, unit: npt.NDArray[Any], status: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Name one incubator of every unit, and a second of some, for each year of the plan so far."""
    batch = np.full(len(unit), None, dtype=object)
    way = np.full(len(unit), None, dtype=object)
    years = [
        year for year in world.city.get("plan", {}).get("years", []) if year <= world.as_of.year
    ]
    for year in years:
        for name in world.units["name"]:
            free = np.flatnonzero((unit == name) & np.isin(status, _WORKING) & pd.isna(batch))
            chosen = rng.permutation(free)[: 1 + int(rng.random() < 0.5)]
            batch[chosen] = year
            way[chosen] = np.where(rng.random(len(chosen)) < 0.5, "upgrade", "new")
    return batch, way


def _dates(
    world: World, rng: np.random.Generator, status: npt.NDArray[Any]
) -> dict[str, npt.NDArray[Any]]:
    """Draw the days of start, completion, opening and end that fit the state."""
    count = len(status)
    ago = np.clip(rng.gamma(1.6, 900.0, count), 60, 6000).astype(np.int64)
    opened = world.today - ago
    completed = opened - rng.integers(20, 300, count)
    ready = status == "completed"
    completed = np.where(ready, world.today - rng.integers(5, 200, count), completed)
    started = completed - rng.integers(300, 900, count)
    building = status == "under_construction"
    started = np.where(building, world.today - rng.integers(30, 500, count), started)
    has_opened = np.isin(status, (*_WORKING, "withdrawn"))
    closed = opened + (ago * rng.uniform(0.3, 0.95, count)).astype(np.int64)
    return {
        "started_on": np.where(status == "planned", _NO_DAY, started),
        "completed_on": np.where(has_opened | ready, completed, _NO_DAY),
        "opened_on": np.where(has_opened, opened, _NO_DAY),
        "closed_on": np.where(status == "withdrawn", closed, _NO_DAY),
    }


def _sizes(
    world: World, rng: np.random.Generator, fate: npt.NDArray[Any], status: npt.NDArray[Any]
) -> dict[str, Any]:
    """Draw areas, and from them tenants, people and what they achieve."""
    count = len(status)
    area = np.clip(rng.lognormal(np.log(_MEDIAN_M2), _SIGMA, count), 1200, 300_000)
    limit = world.rules["towns"]["large_area_m2"]
    area = np.where(fate == "small", np.minimum(area, limit * rng.uniform(0.1, 0.9, count)), area)
    area = np.round(area, -1)
    incubation = np.round(area * rng.uniform(0.68, 0.82, count))
    works = np.isin(status, _WORKING)
    occupied = np.round(incubation * np.where(works, rng.beta(6, 2.2, count), 0.0))
    vacant = incubation - occupied
    usable = works | (status == "completed")
    tenants = np.where(works, np.round(occupied / rng.uniform(150, 650, count)), 0).astype(np.int64)
    people = np.round(tenants * rng.uniform(7, 13, count)).astype(np.int64)
    graduates = rng.poisson(tenants * 0.35)
    return {
        "area_m2": area,
        "incubation_area_m2": incubation,
        "public_area_m2": np.round(area * rng.uniform(0.06, 0.14, count)),
        "occupied_area_m2": occupied,
        "vacant_area_m2": vacant,
        "ready_area_m2": np.round(vacant * np.where(usable, rng.uniform(0.4, 1.0, count), 0.0)),
        "lead_tenant_share": np.round(rng.beta(7, 3, count), 2),
        "lead_revenue_share": np.round(rng.beta(5, 4, count), 2),
        "tenants": tenants,
        "new_tenants": rng.binomial(tenants, 0.3),
        "people": people,
        "rd_staff_share": np.round(rng.beta(4, 7, count), 2),
        "talent_projects": rng.binomial(tenants, 0.04),
        "e_class_talents": rng.binomial(people, 0.012),
        "ip_count": rng.poisson(tenants * 1.1),
        "transformations": rng.binomial(tenants, 0.02),
        "financing_cny": np.round(tenants * rng.gamma(0.6, 900_000, count), -4),
        "revenue_cny": np.round(tenants * rng.gamma(2.0, 1_600_000, count), -4),
        "graduates": graduates,
        "local_graduates": rng.binomial(graduates, 0.7),
        "tech_firms": rng.binomial(tenants, 0.18),
    }


def _names(hubs: pd.DataFrame, lead: list[list[str]], kind: npt.NDArray[Any]) -> list[str]:
    place = hubs["town"].where(hubs["town"].notna(), hubs["unit"])
    number = place.groupby(place).cumcount() + 1
    return [
        f"示例·{where}{own[0] if own else ''}{_NAMES[what]}{n:02d}"
        for where, own, what, n in zip(place, lead, kind, number, strict=True)
    ]


def _addresses(rng: np.random.Generator, hubs: pd.DataFrame) -> list[str]:
    place = hubs["unit"] + hubs["town"].fillna("")
    numbers = rng.integers(1, 900, len(hubs))
    return [f"{where}示例路{number}号" for where, number in zip(place, numbers, strict=True)]


def _stages(rng: np.random.Generator, count: int) -> list[list[str]]:
    first = rng.integers(0, 3, count)
    length = rng.integers(1, 3, count)
    return [list(_STAGES[a : a + n]) for a, n in zip(first, length, strict=True)]


def _services(world: World, rng: np.random.Generator, count: int) -> list[list[str]]:
    chance = {"basic": 0.86, "added": 0.35, "professional": 0.12}
    services = world.rules["services"]["services"]
    has = rng.random((count, len(services))) < np.array([chance[s["group"]] for s in services])
    return [[s["name"] for s, offered in zip(services, row, strict=True) if offered] for row in has]
