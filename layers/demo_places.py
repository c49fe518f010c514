"""Where demo records lie: units, hubs of activity, and points that never leave their unit.

Everything follows from the polygons of the reporting units, their industrial towns and the plan's
targets, so any city pack gets demo data that looks like a city: activity gathers round the seats
of units and round industrial towns, and is denser where the plan asks for more.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.crs import STORED_CRS, project, project_xy
from geo.errors import InputError
from layers.query import Query
from layers.store import Store

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SOURCE = "示例数据"
_EDGE_M = 30.0  # points keep so far from their unit's edge, where it is wide enough
_SLIVER_M = 10.0
_SEAT_SPREAD_M, _TOWN_SPREAD_M = 2500.0, 1100.0
_SEAT_SHARE = 0.45  # of a unit's activity that gathers round its seat when it has towns
# What becomes of industrial towns, so that every state of coverage occurs.
_FATES = ("none", "planned", "small", "large")
_FATE_SHARES = (0.20, 0.12, 0.18, 0.50)
_ROUNDS = 16  # of drawing again what fell outside, each time closer to the hub


@dataclass(frozen=True)
class World:
    """What demo data are made for.

    `land` is the area of all units in metres. `units` has a row for every reporting unit with a
    polygon: name, weight (share of the plan's targets, summing to 1) and `shape` in metres. `hubs`
    has a row for every centre of activity: unit, town, town_code, lead_industries, fate, weight,
    x, y, spread_m and the `shape` that its points stay in.
    """

    crs: str
    as_of: date
    seed: int
    land: shapely.Geometry
    units: pd.DataFrame
    hubs: pd.DataFrame
    rules: dict[str, dict[str, Any]]
    city: dict[str, Any]
    targets: pd.DataFrame
    progress: pd.DataFrame

    def rng(self, purpose: str) -> np.random.Generator:
        """Return random numbers of their own for one purpose: sizes of others do not change it."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])

    @property
    def today(self) -> np.datetime64:
        """The day that dates are drawn around."""
        return np.datetime64(self.as_of, "D")


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


def allot(total: int, weights: npt.ArrayLike, *, at_least: npt.ArrayLike = 0) -> Ints:
    """Share a number out by weights, by largest remainders.

    >>> allot(10, [3, 1, 1]).tolist(), allot(5, [1, 0, 0], at_least=1).tolist()
    ([6, 2, 2], [3, 1, 1])
    """
    shares = np.asarray(weights, dtype=np.float64)
    least = np.broadcast_to(np.asarray(at_least, dtype=np.int64), shares.shape)
    rest = total - int(least.sum())
    if rest < 0:
        return allot(total, shares)
    exact = rest * shares / shares.sum()
    counts = np.floor(exact).astype(np.int64)
    order = np.argsort(counts - exact, kind="stable")  # the largest remainders first
    counts[order[: rest - int(counts.sum())]] += 1
    allotted: Ints = counts + least
    return allotted


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
        drawn = centre[at] + rng.normal(size=(len(at), 2)) * (width[at] * 0.8**turn)[:, None]
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
    for _ in range(4 * _ROUNDS):
        low, high = bounds[pending, :2], bounds[pending, 2:]
        drawn = low + rng.random((len(pending), 2)) * (high - low)
        inside = within(shapes, units[pending], drawn)
        xy[pending[inside]] = drawn[inside]
        pending = pending[~inside]
        if not len(pending):
            break
    return xy[:, 0], xy[:, 1]


def within(shapes: npt.NDArray[Any], which: Ints, xy: Floats) -> npt.NDArray[np.bool_]:
    """Say for each point (x and y in metres) whether it lies within the shape named for it."""
    inside = np.zeros(len(which), dtype=bool)
    for number in np.unique(which):
        mine = which == number
        shapely.prepare(shapes[number])
        inside[mine] = shapely.contains_xy(shapes[number], xy[mine, 0], xy[mine, 1])
    return inside


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
    """Add the hubs: the seat of each unit, and its industrial towns with the fate of each."""
    rng = world.rng("towns")
    units = world.units.set_index("name")
    towns = towns[towns["unit"].isin(units.index)].sort_values("code", ignore_index=True)
    # A town that is a whole unit (its code is the unit's) is the seat's own business.
    towns = towns[~towns["code"].isin(units["code"])].reset_index(drop=True)
    fates = np.repeat(_FATES, allot(len(towns), _FATE_SHARES))
    polygons = dict(
        zip(divisions["code"], project(divisions.geometry, target=world.crs), strict=True)
    )
    rows = [_seat(world.crs, name, unit) for name, unit in units.iterrows()]
    for town, fate in zip(towns.itertuples(), rng.permutation(fates), strict=True):
        rows.append(
            _town(world.crs, units.loc[town.unit], town, str(fate), polygons.get(town.code))
        )
    hubs = pd.DataFrame(rows)
    busy = (hubs["fate"] != "none").astype(float)
    parts = busy.where(hubs["town_code"].notna(), 0).groupby(hubs["unit"]).transform("sum")
    seat = hubs["town_code"].isna()
    share = np.where(
        seat,
        np.where(parts > 0, _SEAT_SHARE, 1.0),
        busy * (1 - _SEAT_SHARE) / parts.clip(lower=1),
    )
    hubs["weight"] = share * units.loc[hubs["unit"], "weight"].to_numpy()
    return World(**{**world.__dict__, "hubs": hubs})


def _seat(crs: str, name: Any, unit: pd.Series) -> dict[str, Any]:
    point = _point(crs, unit["centre_lon"], unit["centre_lat"], unit["shape"], unit["inner"])
    return {
        "unit": name,
        "town": None,
        "town_code": None,
        "lead_industries": [],
        "fate": "large",
        "x": point.x,
        "y": point.y,
        "spread_m": _SEAT_SPREAD_M,
        "shape": unit["shape"],
    }


def _town(
    crs: str, unit: pd.Series, town: Any, fate: str, polygon: shapely.Geometry | None
) -> dict[str, Any]:
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
        "fate": fate,
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
