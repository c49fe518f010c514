"""Demo projects, candidate sites and this year's progress against the plan."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from layers.demo_incubators import pick
from layers.demo_places import frame_points, frame_table, scatter
from layers.demo_world import Ints, World, allot

_ORIGINS = {"park_built": 0.42, "renewal": 0.40, "leader_built": 0.12, "university": 0.06}
_DECISIONS = {"candidate": 0.9, "fixed": 0.05, "forbidden": 0.05}
_CONSTRAINTS = (None, None, None, "示例: 需调整用地性质", "示例: 限高24米", "示例: 消防改造")


def make_projects(world: World, count: int) -> gpd.GeoDataFrame:
    """Make demo projects with days of start and completion about now; columns of `projects`."""
    rng = world.rng("projects")
    hub = np.repeat(np.arange(len(world.hubs)), allot(count, world.hubs["weight"]))
    hubs = world.hubs.iloc[hub].reset_index(drop=True)
    x, y = scatter(world, rng, hub)
    started = world.today - rng.integers(-200, 700, count)
    ends = started + rng.integers(250, 800, count)
    done, begun = ends <= world.today, started <= world.today
    status = np.where(done, "completed", np.where(begun, "under_construction", "planned"))
    no_day = np.datetime64("NaT", "D")
    columns = {
        "name": [f"示例重点项目{number:03d}" for number in range(1, count + 1)],
        "unit": hubs["unit"],
        "town_code": hubs["town_code"],
        "status": status,
        "started_on": np.where(begun, started, no_day),
        "completed_on": np.where(done, ends, no_day),
        "year": world.as_of.year,
        "area_m2": np.round(np.clip(rng.lognormal(np.log(45_000), 0.7, count), 4000, 400_000), -2),
        "space_origin": pick(rng, _ORIGINS, count),
        "note": "虚构的示例记录",
    }
    return frame_points(world, "projects", columns, x, y)


def make_sites(world: World, count: int) -> gpd.GeoDataFrame:
    """Make demo candidate sites: first one in each town without an incubator, then by weight.

    Parameters
    ----------
    world
        As `demo_hubs.read_world` gives it.
    count
        How many.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of the layer `sites`.
    """
    rng = world.rng("sites")
    hub = _site_hubs(world, count)
    hubs = world.hubs.iloc[hub].reset_index(drop=True)
    x, y = scatter(world, rng, hub, spread=0.8)
    capacity = np.round(np.clip(rng.lognormal(np.log(38_000), 0.6, count), 5000, 300_000), -2)
    columns = {
        "name": [f"示例候选地块{number:03d}" for number in range(1, count + 1)],
        "unit": hubs["unit"],
        "town_code": hubs["town_code"],
        "space_origin": pick(rng, _ORIGINS, count),
        "capacity_m2": capacity,
        "cost_cny": np.round(capacity * rng.uniform(1800, 4200, count), -4),
        "earliest_year": world.as_of.year + rng.integers(0, 3, count),
        "decision": pick(rng, _DECISIONS, count),
        "lead_industries": hubs["lead_industries"].tolist(),
        "constraints": rng.choice(np.array(_CONSTRAINTS, dtype=object), count),
    }
    return frame_points(world, "sites", columns, x, y)


def make_progress(world: World) -> pd.DataFrame:
    """Make demo progress of the current year, for units and indicators without a real report.

    Values lie about what the day of the year lets expect of the target; columns of `progress`.
    """
    rng = world.rng("progress")
    yearly = {i["key"] for i in world.rules["targets"]["indicators"] if not i.get("cumulative")}
    targets = world.targets
    rows = targets[
        (targets["year"] == world.as_of.year)
        & targets["indicator"].isin(yearly)
        & (targets["unit"] != world.rules["targets"].get("total_unit"))
        & targets["value"].notna()
    ].drop_duplicates(["unit", "indicator"])
    keys = ["unit", "year", "indicator"]
    reported = pd.MultiIndex.from_frame(world.progress[keys])
    rows = rows[~pd.MultiIndex.from_frame(rows[keys]).isin(reported)].reset_index(drop=True)
    month_end = world.today.astype("datetime64[M]").astype("datetime64[D]") - 1
    start = np.datetime64(f"{world.as_of.year}-01-01", "D")
    reported_on = max(month_end, start)
    elapsed = ((reported_on - start).astype(int) + 1) / 366
    pace = elapsed * np.clip(rng.normal(1.0, 0.22, len(rows)), 0.3, 1.6)
    columns = {
        **{key: rows[key] for key in keys},
        "value": np.floor(rows["value"].to_numpy(dtype=np.float64) * pace),
        "reported_on": reported_on,
        "definition": "虚构的示例记录",
        "evidence": "示例数据",
    }
    return frame_table(world, "progress", columns, len(rows))


def _site_hubs(world: World, count: int) -> Ints:
    bare = np.flatnonzero(world.hubs["fate"].isin(["none", "planned"]))[:count]
    rest = allot(count - len(bare), world.hubs["weight"])
    return np.concatenate([bare, np.repeat(np.arange(len(world.hubs)), rest)])
