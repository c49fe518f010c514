"""Checks of records by themselves: names, areas, dates, duplicates, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from layers.catalog import layers
from layers.checking.world import Found, World, show

_ROUNDING = 1.001
LEAD_INDUSTRIES_MAX = 2
_DATE_ORDER = ("started_on", "completed_on", "opened_on", "closed_on")
_NAMED = ("incubators", "universities", "platforms", "stations", "industrial_towns")


def find_unknown_units(world: World) -> Iterator[Found]:
    """Find units that records name and the city does not have."""
    if world.gazetteer.units.empty:
        return
    known = {*world.gazetteer.units["name"], *world.gazetteer.city_names}
    for name, layer in layers().items():
        if "unit" not in {column.name for column in layer.columns}:
            continue
        frame = world.frame(name)
        bad = frame[frame["unit"].notna() & ~frame["unit"].isin(known)]
        if len(bad):
            names = show(bad["unit"].unique())
            yield Found(
                "unknown_unit",
                "error",
                name,
                tuple(bad["id"]),
                f"{layer.zh}: {len(bad)} 条记录的责任单位不存在: {names}",
                f"{layer.en}: {len(bad)} record(s) name a unit that does not exist: {names}",
            )


def find_unknown_towns(world: World) -> Iterator[Found]:
    """Find town codes that no division has, once divisions of towns are there."""
    towns = world.gazetteer.towns
    if towns.empty:
        return
    for name, layer in layers().items():
        if "town_code" not in {column.name for column in layer.columns}:
            continue
        frame = world.frame(name)
        bad = frame[frame["town_code"].notna() & ~frame["town_code"].isin(set(towns["code"]))]
        if len(bad):
            codes = show(bad["town_code"].unique())
            yield Found(
                "unknown_town",
                "warning",
                name,
                tuple(bad["id"]),
                f"{layer.zh}: {len(bad)} 条记录的乡镇代码不在行政区划图层中: {codes}",
                f"{layer.en}: {len(bad)} record(s) with a town code that no division has: {codes}",
            )


def find_area_contradictions(world: World) -> Iterator[Found]:
    """Find incubators and spaces whose parts are larger than the whole."""
    frame = world.frame("incubators")
    total = frame["area_m2"] * _ROUNDING
    parts = frame["incubation_area_m2"].fillna(0) + frame["public_area_m2"].fillna(0)
    used = frame["occupied_area_m2"].fillna(0) + frame["vacant_area_m2"].fillna(0)
    ready = frame["ready_area_m2"] > frame["vacant_area_m2"] * _ROUNDING
    wrong = (parts > total) | (used > total) | ready
    yield from _areas_told(frame[wrong], "incubators", "孵化器", "Incubators")
    spaces = world.frame("spaces")
    whole = spaces["area_m2"] * _ROUNDING
    wrong = (spaces["vacant_area_m2"] > whole) | (spaces["min_area_m2"] > whole)
    yield from _areas_told(spaces[wrong], "spaces", "可用空间", "Spaces")


def _areas_told(bad: pd.DataFrame, layer: str, zh: str, en: str) -> Iterator[Found]:
    if len(bad):
        yield Found(
            "areas",
            "warning",
            layer,
            tuple(bad["id"]),
            f"{zh}: {len(bad)} 条记录的分项面积大于总面积: {show(bad['id'])}",
            f"{en}: {len(bad)} record(s) whose parts exceed the whole area: {show(bad['id'])}",
        )


def find_lead_industries(world: World) -> Iterator[Found]:
    """Find incubators with more lead industries than one may have, or none.

    How many is the rule `industries`' `lead_industries_max`, two where it says nothing.
    """
    frame = world.frame("incubators")
    limit = int(world.rule("industries").get("lead_industries_max", LEAD_INDUSTRIES_MAX))
    counts = frame["lead_industries"].map(len)
    many, none = frame[counts > limit], frame[counts == 0]
    if len(many):
        yield Found(
            "lead_industries",
            "warning",
            "incubators",
            tuple(many["id"]),
            f"{len(many)} 家孵化器的主导产业多于{limit}个: {show(many['name'])}",
            f"{len(many)} incubators of more than {limit} lead industries: {show(many['name'])}",
        )
    if len(none):
        yield Found(
            "lead_industries",
            "info",
            "incubators",
            tuple(none["id"]),
            f"{len(none)} 家孵化器未填主导产业: {show(none['name'])}",
            f"{len(none)} incubator(s) without a lead industry: {show(none['name'])}",
        )


def find_orphan_spaces(world: World) -> Iterator[Found]:
    """Find spaces, projects and tenants of an incubator that does not exist."""
    known = set(world.frame("incubators")["id"])
    for name in ("spaces", "projects", "tenants"):
        frame = world.frame(name)
        bad = frame[frame["incubator"].notna() & ~frame["incubator"].isin(known)]
        if len(bad):
            layer, named = layers()[name], show(bad["incubator"].unique())
            yield Found(
                "unknown_incubator",
                "error",
                name,
                tuple(bad["id"]),
                f"{layer.zh}: {len(bad)} 条记录的孵化器编号不存在: {named}",
                f"{layer.en}: {len(bad)} record(s) of an incubator that does not exist: {named}",
            )


def find_duplicates(world: World) -> Iterator[Found]:
    """Find records of one layer and unit that bear the same name."""
    for name in _NAMED:
        frame = world.frame(name)
        keys = frame[["name", "unit"]].fillna("")
        bad = frame[keys.duplicated(keep=False) & frame["name"].notna()]
        if len(bad):
            layer, names = layers()[name], show(bad["name"].unique())
            yield Found(
                "duplicate",
                "warning",
                name,
                tuple(bad["id"]),
                f"{layer.zh}: {len(bad)} 条记录重名: {names}",
                f"{layer.en}: {len(bad)} records share their name with another: {names}",
            )


def find_date_contradictions(world: World) -> Iterator[Found]:
    """Find dates out of order, and records of a state that their dates deny."""
    for name in ("incubators", "projects"):
        frame = world.frame(name)
        layer = layers()[name]
        dates = [column for column in _DATE_ORDER if column in frame]
        wrong = pd.Series(data=False, index=frame.index)
        for place, earlier in enumerate(dates):
            for later in dates[place + 1 :]:
                wrong |= frame[earlier] > frame[later]
        if "opened_on" in frame:
            wrong |= (frame["status"] == "operating") & (frame["opened_on"] > world.today)
            wrong |= (frame["status"] == "operating") & (frame["closed_on"] <= world.today)
        wrong |= (frame["status"] == "completed") & (frame["completed_on"] > world.today)
        bad = frame[wrong]
        if len(bad):
            yield Found(
                "dates",
                "warning",
                name,
                tuple(bad["id"]),
                f"{layer.zh}: {len(bad)} 条记录的日期先后或状态有矛盾: {show(bad['id'])}",
                f"{layer.en}: {len(bad)} record(s) with contradictory dates: {show(bad['id'])}",
            )
