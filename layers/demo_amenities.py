"""Demo amenities round the hubs, and demo population to weigh demand by."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geo.crs import project
from layers.demo_incubators import pick
from layers.demo_places import frame_points, scatter, spread_evenly
from layers.demo_world import Floats, Ints, World, within

# Weight, names, and shares of (required cultural venue, public cultural space) by category; a
# category of the rules that is not here counts as an everyday one.
_KNOWN: dict[str, tuple[float, tuple[str, ...], tuple[float, float]]] = {
    "youth_housing": (4, ("青年公寓", "人才公寓"), (0, 0)),
    "transport": (14, ("公交站", "公共自行车点", "停车场"), (0, 0)),
    "commerce": (26, ("便利店", "餐馆", "超市", "商场"), (0, 0)),
    "education_health": (13, ("幼儿园", "诊所", "药店", "小学"), (0, 0)),
    "leisure": (9, ("健身房", "口袋公园", "球场"), (0, 0)),
    "learning": (6, ("图书馆", "文化站", "培训中心"), (0.35, 0.25)),
    "pub": (5, ("小酒馆",), (0, 0)),
    "theatre": (1.5, ("小剧场",), (0.1, 0.3)),
    "cafe": (10, ("小茶咖", "咖啡馆", "茶室"), (0, 0)),
    "bookshop": (3.5, ("小书吧", "书房"), (0, 0.7)),
    "cinema": (2, ("小影厅",), (0, 0)),
    "studio": (6, ("小练室", "画室", "琴房"), (0, 0.1)),
}
_EVERYDAY = (5.0, ("设施",), (0.0, 0.0))
_NEAR_HUB, _NEAR_INCUBATOR = 0.68, 0.18  # the rest lies anywhere in its unit
_NEAR_INCUBATOR_M = 450.0


def make_amenities(world: World, incubators: gpd.GeoDataFrame, count: int) -> gpd.GeoDataFrame:
    """Make demo amenities: most round seats and towns, some beside incubators, few elsewhere.

    Parameters
    ----------
    world
        As `demo_hubs.read_world` gives it.
    incubators
        Demo incubators, as `demo_incubators.make_incubators` gives them.
    count
        How many.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of the layer `amenities`.
    """
    rng = world.rng("amenities")
    keys = [category["key"] for category in world.rules["amenities"]["categories"]]
    known = {key: _KNOWN.get(key, _EVERYDAY) for key in keys}
    category = pick(rng, {key: weight for key, (weight, _, _) in known.items()}, count)
    hub = _choose_hubs(world, rng, count)
    x, y = scatter(world, rng, hub, spread=0.8)
    unit = world.hubs["unit"].to_numpy()[hub].copy()
    way = rng.random(count)
    anywhere = np.flatnonzero(way > _NEAR_HUB + _NEAR_INCUBATOR)
    rows = _unit_rows(world, unit[anywhere])
    x[anywhere], y[anywhere] = spread_evenly(world, rng, rows)
    beside = np.flatnonzero((way > _NEAR_HUB) & (way <= _NEAR_HUB + _NEAR_INCUBATOR))
    if len(incubators):
        x[beside], y[beside], unit[beside] = _beside(world, rng, incubators, len(beside))
    columns = {
        "name": _names(rng, category, known),
        "category": category,
        "cultural_kind": _cultural(rng, category, known),
        "unit": unit,
    }
    return frame_points(world, "amenities", columns, x, y)


def make_population(world: World, count: int) -> gpd.GeoDataFrame:
    """Make demo population points, two in three round the hubs; columns of `population`."""
    rng = world.rng("population")
    hub = _choose_hubs(world, rng, count)
    x, y = scatter(world, rng, hub, spread=1.6)
    unit = world.hubs["unit"].to_numpy()[hub]
    anywhere = np.flatnonzero(rng.random(count) < 0.34)
    x[anywhere], y[anywhere] = spread_evenly(world, rng, _unit_rows(world, unit[anywhere]))
    people = rng.lognormal(np.log(3200), 0.7, count)
    people[anywhere] *= 0.25
    return frame_points(world, "population", {"people": np.round(people), "unit": unit}, x, y)


def _choose_hubs(world: World, rng: np.random.Generator, count: int) -> Ints:
    """Draw hubs; towns without incubators have shops and people all the same."""
    quiet = world.hubs["weight"].max() / 8
    weights = np.maximum(world.hubs["weight"].to_numpy(dtype=np.float64), quiet)
    return rng.choice(len(weights), count, p=weights / weights.sum())


def _unit_rows(world: World, names: npt.NDArray[Any]) -> Ints:
    row = {name: number for number, name in enumerate(world.units["name"])}
    return np.array([row[name] for name in names], dtype=np.int64)


def _beside(
    world: World, rng: np.random.Generator, incubators: gpd.GeoDataFrame, count: int
) -> tuple[Floats, Floats, npt.NDArray[Any]]:
    """Draw points beside incubators, kept in the incubator's unit."""
    of = rng.integers(0, len(incubators), count)
    unit = incubators["unit"].to_numpy()[of]
    place = project(incubators.geometry, target=world.crs)[of]
    centre = shapely.get_coordinates(place)
    drawn = centre + rng.normal(0, _NEAR_INCUBATOR_M, (count, 2))
    stays = within(world.units["shape"].to_numpy(), _unit_rows(world, unit), drawn)
    x, y = np.where(stays[:, None], drawn, centre).T
    return x, y, unit


def _names(
    rng: np.random.Generator, category: npt.NDArray[Any], known: dict[str, Any]
) -> list[str]:
    words = {key: names for key, (_, names, _) in known.items()}
    which = rng.random(len(category))
    return [
        f"示例{words[key][int(part * len(words[key]))]}{number:05d}"
        for number, (key, part) in enumerate(zip(category, which, strict=True), 1)
    ]


def _cultural(
    rng: np.random.Generator, category: npt.NDArray[Any], known: dict[str, Any]
) -> npt.NDArray[Any]:
    shares = {key: parts for key, (_, _, parts) in known.items()}
    venue, space = np.array([shares[key] for key in category], dtype=np.float64).reshape(-1, 2).T
    drawn = rng.random(len(category))
    kind = np.full(len(category), None, dtype=object)
    kind[drawn < venue] = "venue"
    kind[(drawn >= venue) & (drawn < venue + space)] = "space"
    return kind
