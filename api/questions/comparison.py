"""Scenarios side by side: every question asked of each, on one day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from api.questions.amenities import ask_amenities
from api.questions.common import today
from api.questions.coverage import (
    ask_industry_coverage,
    ask_town_coverage,
)
from api.questions.kept import Kept, state_key
from api.questions.structure import ask_structure
from api.questions.targets import ask_targets
from api.questions.unit_coverage import ask_unit_coverage
from geo.comparison import Comparison, Figure, State
from geo.errors import InputError
from geo.pool import check_cancel
from layers.query import Query
from layers.store import Store

MOST = 3
_KEPT = 8
_STATES = {
    "operating_large": ("运营且面积达标的镇", "Towns with a large operating incubator"),
    "operating": ("运营但面积不足的镇", "Towns with a smaller operating incubator"),
    "planned_only": ("仅有规划在建的镇", "Towns with planned ones only"),
    "none": ("没有孵化器的镇", "Towns without"),
}
_STRUCTURE = {
    "incubators": ("孵化器", "incubators", ""),
    "area_m2": ("面积", "area", "㎡"),
    "vacancy": ("空置率", "vacancy", "share"),
    "tenants": ("在孵企业", "tenants", ""),
}

QUESTIONS = ("towns", "industries", "targets", "units", "structure", "amenities")
Tell = Callable[[str, float], None]
Cancel = Callable[[], bool]

_states = Kept[State](_KEPT)


def ask_comparison(
    stores: Sequence[Store],
    *,
    as_of: dt.date | None = None,
    progress: Tell | None = None,
    cancel: Cancel | None = None,
) -> Comparison:
    """Ask every question of several states of the city and lay the answers side by side.

    Parameters
    ----------
    stores
        Two or three: the real layers, or stores seen through scenarios.
    as_of
        The day asked about; today when None.
    progress
        Called with the question and the share done.
    cancel
        Asked before each question.

    Raises
    ------
    InputError
        When there are not two or three different ones.
    CancelledError
        When `cancel` said yes.
    """
    check_states([store.lens.id if store.lens else "" for store in stores])
    day = as_of or today()
    states = []
    for at, store in enumerate(stores):

        def tell(question: str, share: float, at: int = at) -> None:
            check_cancel(cancel)
            if progress is not None:
                progress(question, (at + share) / len(stores))

        states.append(_state(store, day, tell))
    return Comparison(tuple(states), day.isoformat())


def check_states(ids: Sequence[str]) -> None:
    """Refuse a comparison of other than two or three different states.

    Raises
    ------
    InputError
        When there are more or fewer, or one stands there twice.
    """
    if not 2 <= len(ids) <= MOST or len(set(ids)) < len(ids):
        raise InputError("ids: give two or three different scenarios, `base` for the real layers")


def _state(store: Store, day: dt.date, tell: Tell) -> State:
    """Return a state, asked once for each state of the store."""
    known = _states.recall(state_key(store, (), day), lambda: _ask_state(store, day, tell))
    lens = store.lens
    return replace(known, id=lens.id if lens else "", name=lens.name if lens else "")


def _ask_state(store: Store, day: dt.date, tell: Tell) -> State:
    asked: dict[str, Callable[[], Any]] = {
        "towns": lambda: ask_town_coverage(store, as_of=day),
        "industries": lambda: ask_industry_coverage(store, as_of=day),
        "targets": lambda: ask_targets(store, as_of=day),
        "units": lambda: ask_unit_coverage(store, as_of=day),
        "structure": lambda: ask_structure(store, as_of=day),
        "amenities": lambda: ask_amenities(store),
    }
    answers: dict[str, dict[str, Any]] = {}
    for at, key in enumerate(QUESTIONS):
        tell(key, at / len(QUESTIONS))
        answers[key] = asked[key]().to_json()
    figures = (
        *_coverage(answers["towns"], answers["industries"], answers["units"]),
        *_goals(answers["units"]),
        *_targets(answers["targets"]),
        *_structure(answers["structure"]),
        *_amenities(answers["amenities"]),
    )
    return State(
        "",
        "",
        tuple(figures),
        _placed_towns(store, answers["towns"]),
        _placed_incubators(store),
        any(answer["demo_counted"] for answer in answers.values()),
    )


def _coverage(
    towns: dict[str, Any], industries: dict[str, Any], units: dict[str, Any]
) -> Iterator[Figure]:
    def figure(key: str, zh: str, en: str, value: Any, unit: str = "") -> Figure:
        return Figure("coverage", key, zh, en, value, unit)

    for key, (zh, en) in _STATES.items():
        yield figure(f"towns.{key}", zh, en, towns["summary"][key])
    yield figure(
        "towns.share", "一镇一器覆盖率", "Towns covered", towns["summary"]["covered_share"], "share"
    )
    yield figure(
        "industries.share", "一产一器覆盖率", "Industries covered",
        industries["summary"]["covered_share"], "share",
    )  # fmt: skip
    city = units["city"]
    for key, zh, en, unit in (
        ("operating", "运营的孵化器", "Operating incubators", ""),
        ("planned", "规划在建的孵化器", "Planned incubators", ""),
        ("large", "大型孵化器", "Large incubators", ""),
        ("operating_area_m2", "运营面积", "Operating area", "㎡"),
    ):
        yield figure(f"city.{key}", zh, en, city[key], unit)
    for row in towns["units"]:
        covered = row["operating_large"] + row["operating"]
        zh, en = f"{row['unit']}已覆盖的镇", f"{row['unit']}: towns covered"
        yield figure(f"unit.{row['unit']}", zh, en, covered)


def _goals(units: dict[str, Any]) -> Iterator[Figure]:
    for goal in units["goals"]:
        zh, en = f"{goal['id']} {goal['zh']}", f"{goal['id']} {goal['en']}"
        unit = "share" if goal["unit"] == "占比" else goal["unit"]
        yield Figure("goals", goal["id"], zh, en, goal["value"], unit)
        # Parts by year or place; how many records are known is no goal.
        for part in (one for one in goal.get("parts") or () if one["name"] != "known"):
            key = f"{goal['id']}.{part['name']}"
            yield Figure(
                "goals",
                key,
                f"{zh} · {part['name']}",
                f"{en} · {part['name']}",
                part["value"],
                unit,
            )


def _targets(report: dict[str, Any]) -> Iterator[Figure]:
    for row in report["rows"]:
        key = "/".join(str(row[name]) for name in ("unit", "year", "indicator", "issuer", "kind"))
        said = [f"{row['unit']} {row['year']} {row[lang]}" for lang in ("zh", "en")]
        yield Figure("targets", f"{key}/target", f"{said[0]} 目标", f"{said[1]}, target",
                     row["target"], row["measure"] or "")  # fmt: skip
        yield Figure("targets", f"{key}/share", f"{said[0]} 完成率", f"{said[1]}, share reached",
                     row["share"], "share")  # fmt: skip


def _structure(report: dict[str, Any]) -> Iterator[Figure]:
    rows = [("city", "全市", "City", report["city"])]
    rows += [(str(row["role"]), str(row["zh"]), str(row["en"]), row) for row in report["roles"]]
    for key, zh, en, row in rows:
        for name, (zh_what, en_what, unit) in _STRUCTURE.items():
            yield Figure("structure", f"{key}.{name}", f"{zh}{zh_what}", f"{en}: {en_what}",
                         row.get(name), unit)  # fmt: skip


def _amenities(report: dict[str, Any]) -> Iterator[Figure]:
    summary = report["summary"]
    compliance, planning = summary.get("compliance") or {}, summary.get("categories") or {}
    for key, zh, en, value, unit in (
        ("ok", "达标圈合格的孵化器", "Incubators whose circle complies", compliance.get("ok"), ""),
        ("ok_share", "达标圈合格率", "Share that complies", compliance.get("ok_share"), "share"),
        ("complete", "步行15分钟配套齐全的孵化器", "Incubators with all within 15 minutes",
         planning.get("complete"), ""),
        ("mean_score", "步行配套平均得分", "Mean score on foot",
         planning.get("mean_score"), "share"),
    ):  # fmt: skip
        yield Figure("amenities", key, zh, en, value, unit)


def placed_towns(store: Store) -> list[dict[str, Any]]:
    """Tell where the industrial towns are: code, name, longitude and latitude."""
    frame = gpd.GeoDataFrame(
        store.read("industrial_towns", Query(columns=["code", "name", "geometry"]))
    )
    places = zip(frame["code"], frame["name"], _middles(frame), strict=True)
    return [{"code": code, "name": name, **place} for code, name, place in places if place]


def _placed_towns(store: Store, answer: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    at = {place["code"]: place for place in placed_towns(store)}
    return tuple(
        {name: row[name] for name in ("code", "name", "unit", "state")} | at.get(row["code"], {})
        for row in answer["towns"]
    )


def _placed_incubators(store: Store) -> tuple[dict[str, Any], ...]:
    names = ("name", "status", "level", "area_m2")
    frame = gpd.GeoDataFrame(store.read("incubators", Query(columns=[*names, "geometry"])))
    plain = frame[["id", *names]].astype(object)
    rows = plain.where(plain.notna(), None).to_dict("records")
    return tuple(row | place for row, place in zip(rows, _middles(frame), strict=True))


def _middles(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return longitude and latitude of a point of each record, nothing where it has no place."""
    points = shapely.point_on_surface(np.asarray(frame.geometry.array, dtype=object))
    pairs = zip(shapely.get_x(points).tolist(), shapely.get_y(points).tolist(), strict=True)
    return [
        {"lon": round(lon, 6), "lat": round(lat, 6)} if lon == lon else {}  # noqa: PLR0124 - NaN
        for lon, lat in pairs
    ]
