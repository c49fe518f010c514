"""The next best action for each industrial town without an operating incubator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geo.coverage import Found, TownCoverage, TownRow
from geo.frames import Floats, is_demo, lists, numbers, points, shapes, texts
from geo.nearest import to_metres
from geo.plain import plain
from geo.site_reach import town_reach
from geo.states import COVERED
from geo.towns import Town

FINISH, BUILD, ADAPT, SEEK = "finish", "build", "adapt", "seek"


@dataclass(frozen=True)
class Need:
    """One thing that an action needs, by kind, with its amount or text.

    `area_m2`, `cost_cny`, `from_year` (the earliest), `constraint` (as the record says), `settle`
    (the place lies outside the town, metres away), `extend_m2` (missing to count as large), `open`
    (the opening day on record), `confirm` (what the record leaves open, by column), `find_site`.
    """

    kind: str
    value: float | str | None = None


@dataclass(frozen=True)
class Chance:
    """A place where the town could get its incubator.

    `kind` is `planned` (an incubator under way), `site` (a candidate) or `building` (vacant space).
    `distance_m` is straight from the town's seat, None where either place is not known.
    """

    kind: str
    id: str
    name: str | None
    in_town: bool
    distance_m: float | None
    area_m2: float | None
    cost_cny: float | None
    earliest_year: int | None
    fits_industry: bool
    lon: float | None
    lat: float | None
    demo: bool


@dataclass(frozen=True)
class TownAction:
    """What to do next for one town: the action, the place that it uses, and what it needs.

    `action` is `finish` (bring the planned incubator into operation), `build` (on the candidate
    site in the town), `adapt` (the vacant building in the town) or `seek` (neither lies in the
    town: find a place). `site` and `building` are the nearest of each, wherever they lie.
    """

    code: str
    name: str
    unit: str | None
    state: str
    lon: float | None
    lat: float | None
    lead_industries: tuple[str, ...]
    action: str
    chance: Chance | None
    needs: tuple[Need, ...]
    planned: tuple[Chance, ...]
    site: Chance | None
    building: Chance | None


@dataclass(frozen=True)
class TownActions:
    """The next best action for every town that no operating incubator covers."""

    rule: Mapping[str, Any]
    as_of: pd.Timestamp
    demo_counted: bool
    towns: tuple[TownAction, ...]

    @property
    def summary(self) -> dict[str, int]:
        """Count the towns by action."""
        kinds = [row.action for row in self.towns]
        return {"total": len(kinds), **{one: kinds.count(one) for one in _ORDER}}

    def to_json(self) -> dict[str, Any]:
        """Return the actions as JSON holds them."""
        return {**plain(self), "summary": self.summary}


_ORDER = (FINISH, BUILD, ADAPT, SEEK)


@dataclass(frozen=True)
class _Places:
    """Candidates of one kind as arrays, and in which towns each lies."""

    kind: str
    frame: pd.DataFrame
    area_m2: Floats
    metres: Floats
    inside: Any  # towns × places

    def nearest(self, town: int, seat: Floats, wanted: Sequence[str]) -> Chance | None:
        """Return the nearest place, one in the town before any other."""
        if self.frame.empty:
            return None
        away = np.hypot(*(self.metres - seat).T)
        inside = self.inside[town]
        keys = [
            (not inside[at], np.inf if np.isnan(away[at]) else away[at], key)
            for at, key in enumerate(self.frame["id"].tolist())
        ]
        best = min(range(len(keys)), key=lambda at: keys[at])
        if np.isinf(keys[best][1]) and not inside[best]:
            return None
        row, spot = self.frame.iloc[[best]], points(self.frame.iloc[[best]])[0]
        cost, year = numbers(row, "cost_cny")[0], numbers(row, "earliest_year")[0]
        own = lists(row, "lead_industries")[0]
        return Chance(
            kind=self.kind,
            id=str(self.frame["id"].iloc[best]),
            name=texts(row, "name")[0],
            in_town=bool(inside[best]),
            distance_m=None if np.isnan(away[best]) else round(float(away[best]), 1),
            area_m2=None if np.isnan(self.area_m2[best]) else float(self.area_m2[best]),
            cost_cny=None if np.isnan(cost) else float(cost),
            earliest_year=None if np.isnan(year) else int(year),
            fits_industry=bool(set(own) & set(wanted)),
            lon=None if spot is None else float(spot.x),
            lat=None if spot is None else float(spot.y),
            demo=bool(is_demo(row)[0]),
        )

    def constraint(self, chance: Chance) -> str | None:
        """Return what the record says stands in the way of a place."""
        row = self.frame[(self.frame["id"] == chance.id).to_numpy(dtype=bool)]
        return texts(row, "constraints")[0]


def plan_actions(
    coverage: TownCoverage,
    towns: Sequence[Town],
    *,
    sites: pd.DataFrame,
    buildings: pd.DataFrame,
    opening: Mapping[str, pd.Timestamp | None],
    metric_crs: Any,
) -> TownActions:
    """Tell the next best action for every town without an operating incubator.

    An incubator under way in the town comes first, then a candidate site in the town, then a vacant
    building in it; where there is none of them a place must be found, and the nearest of each
    outside are told.

    Parameters
    ----------
    coverage
        一镇一器 as `cover_towns` told it.
    towns
        All towns, as `list_towns` gives them.
    sites
        Candidates: `id`, `name`, `capacity_m2`, `cost_cny`, `earliest_year`, `constraints`,
        `lead_industries`, `town_code`, points. Forbidden ones left out.
    buildings
        Buildings with vacant space: `id`, `name`, `vacant_m2`, `lead_industries`, `town_code`,
        points.
    opening
        The day on which each incubator opens or should open, by id, where recorded.
    metric_crs
        What distances are measured in.

    Returns
    -------
    TownActions
        Towns in the order of the coverage.
    """
    rows = [row for row in coverage.towns if row.state not in COVERED]
    by_code = {town.place.code: town for town in towns}
    wanted = [by_code[row.code] for row in rows]
    large_m2 = float(coverage.rule["large_area_m2"])
    seats = to_metres(_array([town.seat for town in wanted]), metric_crs)
    found = [
        _gather("site", sites, numbers(sites, "capacity_m2"), wanted, metric_crs),
        _gather("building", buildings, numbers(buildings, "vacant_m2"), wanted, metric_crs),
    ]
    answered = tuple(
        _action(row, seats[at], at, found, opening=opening, large_m2=large_m2)
        for at, row in enumerate(rows)
    )
    chances = [one for row in answered for one in (*row.planned, row.site, row.building) if one]
    return TownActions(
        rule=coverage.rule,
        as_of=coverage.as_of,
        demo_counted=coverage.demo_counted or any(one.demo for one in chances),
        towns=answered,
    )


def _array(items: Iterable[Any]) -> Any:
    listed = list(items)
    array = np.full(len(listed), None, dtype=object)
    array[:] = listed
    return array


def _gather(
    kind: str, frame: pd.DataFrame, area_m2: Floats, towns: Sequence[Town], metric_crs: Any
) -> _Places:
    frame = frame.reset_index(drop=True)
    reach = town_reach(
        towns, shapes(frame), texts(frame, "town_code"), metric_crs=metric_crs, within_m=0.0
    )
    inside = np.asarray(reach.toarray(), dtype=bool)
    return _Places(kind, frame, area_m2, to_metres(points(frame), metric_crs), inside)


def _action(
    row: TownRow,
    seat: Floats,
    at: int,
    places: Sequence[_Places],
    *,
    opening: Mapping[str, pd.Timestamp | None],
    large_m2: float,
) -> TownAction:
    planned = tuple(_under_way(one) for one in row.found)
    site, building = (one.nearest(at, seat, row.lead_industries) for one in places)
    action, chance = SEEK, None
    if planned:
        # The largest of them does most for the town.
        action, chance = FINISH, max(planned, key=lambda one: (one.area_m2 or 0.0, one.id))
    elif site is not None and site.in_town:
        action, chance = BUILD, site
    elif building is not None and building.in_town:
        action, chance = ADAPT, building
    needs = list(_needs(action, chance, site, building, large_m2=large_m2))
    if action == FINISH and chance is not None:
        day = opening.get(chance.id)
        needs.insert(0, Need("open", None if day is None else day.date().isoformat()))
    if action == BUILD and chance is not None:
        held = places[0].constraint(chance)
        needs += [Need("constraint", held)] if held else []
    return TownAction(
        code=row.code,
        name=row.name,
        unit=row.unit,
        state=row.state,
        lon=row.lon,
        lat=row.lat,
        lead_industries=row.lead_industries,
        action=action,
        chance=chance,
        needs=tuple(needs),
        planned=planned,
        site=site,
        building=building,
    )


def _under_way(found: Found) -> Chance:
    return Chance(
        kind="planned",
        id=found.id,
        name=found.name,
        in_town=True,
        distance_m=None,
        area_m2=found.area_m2,
        cost_cny=None,
        earliest_year=None,
        fits_industry=False,
        lon=None,
        lat=None,
        demo=found.demo,
    )


def _needs(
    action: str,
    chance: Chance | None,
    site: Chance | None,
    building: Chance | None,
    *,
    large_m2: float,
) -> Iterable[Need]:
    if action == SEEK or chance is None:
        yield Need("find_site")
        nearest = min(
            (one for one in (site, building) if one is not None and one.distance_m is not None),
            key=lambda one: one.distance_m or 0.0,
            default=None,
        )
        if nearest is not None:
            yield Need("settle", nearest.distance_m)
        return
    if chance.area_m2 is None:
        yield Need("confirm", "area_m2")
    else:
        yield Need("area_m2", chance.area_m2)
        if chance.area_m2 < large_m2:
            yield Need("extend_m2", large_m2 - chance.area_m2)
    if action != BUILD:
        return
    for kind, value in (("cost_cny", chance.cost_cny), ("from_year", chance.earliest_year)):
        column = "earliest_year" if kind == "from_year" else kind
        yield Need("confirm", column) if value is None else Need(kind, value)
