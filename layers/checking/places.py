"""Checks of places: polygons against each other, and records against the polygons they name."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.catalog import layers
from layers.checking.world import Found, World, show
from layers.query import Query

# Polygons of neighbours drawn apart overlap by slivers; those are not told.
SLIVER_SHARE = 0.01
SLIVER_M2 = 100_000.0
GRAVE_SHARE = 0.1
# Boundaries that can be had are generalised to some hundred metres.
TOLERANCE_M = 300.0


def find_overlaps(world: World) -> Iterator[Found]:
    """Find divisions of one level that cover the same ground."""
    divisions = world.frame("divisions")
    for level, frame in divisions[divisions.geometry.notna()].groupby("level", dropna=False):
        shapes = shapely.make_valid(world.metric(frame.geometry.array))
        areas = shapely.area(shapes)
        for one, other, shared_m2 in _shared(shapes):
            share = shared_m2 / min(areas[one], areas[other])
            if share < SLIVER_SHARE or shared_m2 < SLIVER_M2:
                continue
            names = [f"{frame['name'].iloc[i]} ({frame['code'].iloc[i]})" for i in (one, other)]
            yield Found(
                "overlap",
                "error" if share >= GRAVE_SHARE else "warning",
                "divisions",
                tuple(frame["id"].iloc[[one, other]]),
                f"{names[0]} 与 {names[1]} 重叠 {shared_m2 / 1e6:.1f} km²，占较小者的 {share:.0%}",
                f"{names[0]} and {names[1]}, both of level {level}, overlap by "
                f"{shared_m2 / 1e6:.1f} km², {share:.0%} of the smaller",
            )


def _shared(shapes: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Give each pair of polygons that share ground, and how much in m²."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pair = first < second
    for one, other in sorted(zip(first[pair], second[pair], strict=True)):
        shared_m2 = float(shapely.area(shapely.intersection(shapes[one], shapes[other])))
        if shared_m2 > 0:
            yield int(one), int(other), shared_m2


def find_stray_divisions(world: World) -> Iterator[Found]:
    """Find divisions that lie mostly in another division than the parent that they name."""
    divisions = world.frame("divisions")
    placed = divisions[divisions.geometry.notna()].reset_index(drop=True)
    if placed.empty:
        return
    names = dict(zip(placed["code"], placed["name"], strict=True))
    shapes = shapely.make_valid(world.metric(placed.geometry.array))
    level = dict(zip(placed["code"], placed["level"], strict=True))
    tree = shapely.STRtree(shapes)
    stray: dict[str, str] = {}
    for i, parent in enumerate(placed["parent_code"]):
        if parent not in names:
            continue
        for j in tree.query(shapes[i], predicate="intersects"):
            code = placed["code"].iloc[j]
            if code == parent or level[code] != level[parent]:
                continue
            shared_m2 = shapely.area(shapely.intersection(shapes[i], shapes[j]))
            if shared_m2 > shapely.area(shapes[i]) / 2:
                told = f"{placed['name'].iloc[i]}({names[parent]}→{names[code]})"
                stray[placed["id"].iloc[i]] = told
    if stray:
        shown = show(stray.values())
        yield Found(
            "outside_parent",
            "warning",
            "divisions",
            tuple(stray),
            f"{len(stray)} 个区划大半在所填上级区划之外(所填→所在): {shown}",
            f"{len(stray)} division(s) lie mostly in another one than named (named→found): {shown}",
        )


def find_invalid_geometries(world: World) -> Iterator[Found]:
    """Find geometries that cross themselves or are not closed."""
    for name, layer in layers().items():
        if not layer.spatial or layer.geometry == ("Point",):
            continue
        frame = world.store.read(name, Query(columns=["id", "geometry"]))
        shapes = np.asarray(frame["geometry"].array)
        bad = frame["id"][~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)]
        if len(bad):
            yield Found(
                "invalid_geometry",
                "error",
                name,
                tuple(bad),
                f"{layer.zh}: {len(bad)} 个几何图形无效: {show(bad)}",
                f"{layer.en}: {len(bad)} invalid geometries: {show(bad)}",
            )


def find_misplaced_records(world: World) -> Iterator[Found]:
    """Find points that lie outside the unit that they name, beyond the boundaries' own accuracy.

    Records placed only to their unit are left out: their point says nothing finer.
    """
    units = world.gazetteer.units
    units = units[units.geometry.notna()]
    if units.empty:
        return
    areas = dict(zip(units["name"], world.metric(units.geometry.array), strict=True))
    for name, layer in layers().items():
        if layer.geometry != ("Point",) or "unit" not in {column.name for column in layer.columns}:
            continue
        frame = world.frame(name)
        placed = frame[
            frame.geometry.notna() & frame["unit"].isin(areas) & (frame["geom_precision"] != "unit")
        ]
        away_m = _away_m(placed, areas, world)
        stray = placed[away_m > TOLERANCE_M]
        if len(stray):
            far = away_m.max() / 1000
            shown = show(
                f"{key} ({unit})" for key, unit in zip(stray["id"], stray["unit"], strict=True)
            )
            yield Found(
                "outside_unit",
                "warning",
                name,
                tuple(stray["id"]),
                f"{layer.zh}: {len(stray)} 个点不在所填责任单位内(最远 {far:.1f} km): {shown}",
                f"{layer.en}: {len(stray)} point(s) outside the unit that they name (up to "
                f"{far:.1f} km): {shown}",
            )


def _away_m(frame: gpd.GeoDataFrame, areas: dict[str, shapely.Geometry], world: World) -> pd.Series:
    """Measure how far each record lies from the unit that it names."""
    away = pd.Series(0.0, index=frame.index)
    for unit, group in frame.groupby("unit"):
        shapely.prepare(areas[str(unit)])
        away[group.index] = shapely.distance(world.metric(group.geometry.array), areas[str(unit)])
    return away
