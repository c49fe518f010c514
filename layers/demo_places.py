"""Where demo records lie: points round hubs and in units, never outside; and their frames."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import STORED_CRS, project_xy
from layers.demo_world import Floats, Ints, World, within

SOURCE = "示例数据"
_ROUNDS = 30  # of drawing again what fell outside, each time closer to the hub
_CLOSER = 0.93


def scatter(
    world: World, rng: np.random.Generator, hubs: Ints, *, spread: float = 1.0
) -> tuple[Floats, Floats]:
    """Draw a point round each hub named, inside the hub's shape.

    Parameters
    ----------
    world, rng
        Where, and by which random numbers.
    hubs
        Row of `world.hubs` for every point wanted.
    spread
        Factor on the spread of each hub.

    Returns
    -------
    tuple
        x and y in the metric system of the world.
    """
    table = world.hubs
    centre = table[["x", "y"]].to_numpy(dtype=np.float64)
    width = table["spread_m"].to_numpy(dtype=np.float64) * spread
    shapes = table["shape"].to_numpy()
    xy = centre[hubs].copy()
    pending = np.arange(len(hubs))
    for turn in range(_ROUNDS):
        at = hubs[pending]
        drawn = centre[at] + rng.normal(size=(len(at), 2)) * (width[at] * _CLOSER**turn)[:, None]
        inside = within(shapes, at, drawn)
        xy[pending[inside]] = drawn[inside]
        pending = pending[~inside]
        if not len(pending):
            break
    return xy[:, 0], xy[:, 1]


def spread_evenly(world: World, rng: np.random.Generator, units: Ints) -> tuple[Floats, Floats]:
    """Draw a point anywhere in each unit named (rows of `world.units`); x and y in metres."""
    shapes = world.units["shape"].to_numpy()
    bounds = shapely.bounds(shapes)[units]
    xy = np.array([(p.x, p.y) for p in world.units["inner"]], dtype=np.float64)[units]
    pending = np.arange(len(units))
    for _ in range(2 * _ROUNDS):
        low, high = bounds[pending, :2], bounds[pending, 2:]
        drawn = low + rng.random((len(pending), 2)) * (high - low)
        inside = within(shapes, units[pending], drawn)
        xy[pending[inside]] = drawn[inside]
        pending = pending[~inside]
        if not len(pending):
            break
    return xy[:, 0], xy[:, 1]


def frame_points(
    world: World, layer: str, columns: dict[str, Any], x: Floats, y: Floats
) -> gpd.GeoDataFrame:
    """Put demo records at points into a frame, with id, source, date and mark."""
    lon, lat = project_xy(x, y, source=world.crs, target=STORED_CRS)
    frame = frame_table(world, layer, {**columns, "geom_precision": "building"}, len(lon))
    return gpd.GeoDataFrame(frame, geometry=shapely.points(lon, lat), crs=STORED_CRS)


def frame_table(world: World, layer: str, columns: dict[str, Any], count: int) -> pd.DataFrame:
    """Put demo records without place into a frame, with id, source, date and mark."""
    stem = layer.replace("_", "-")
    common = {
        "id": [f"demo-{stem}-{number:06d}" for number in range(1, count + 1)],
        "source": SOURCE,
        "as_of": world.today.astype("datetime64[s]"),
        "provenance": "demo",
    }
    return pd.DataFrame({**common, **columns}, index=pd.RangeIndex(count))
