"""Coverage of industrial towns (一镇一器): which of them have an operating incubator.

Towns and incubators come as frames in EPSG:4490; distances are measured in the metric system given.
The same question for industries stands in `geo.industries`, for reporting units in
`geo.unit_coverage`; both can be called from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from geo.errors import InputError
from geo.frames import Shapes, is_demo, points
from geo.industries import IndustryCoverage, cover_industries
from geo.lifecycle import OPERATING
from geo.locate import (
    DECLARED,
    DISTANCE,
    POLYGON,
    BoundaryCase,
    Disagreement,
    list_places,
    locate,
)
from geo.nearest import find_nearest, to_metres
from geo.plain import plain
from geo.states import Fleet, Member, Tally, muster, operating_area_m2, state_of, tally
from geo.towns import Town, list_towns
from geo.unit_coverage import UnitCoverage, cover_units
from geo.units import UnitIndex, index_units

__all__ = [
    "IndustryCoverage",
    "TownCoverage",
    "TownRow",
    "UnitCoverage",
    "cover_industries",
    "cover_towns",
    "cover_units",
]

_METRES_PER_MINUTE = 1000.0 / 60.0  # of 1 km/h


@dataclass(frozen=True)
class Nearest:
    """The operating incubator nearest to a town's seat, in a straight line.

    `measured_from` is `seat` (the town's point) or `middle` (of its outline, where no seat inside
    it is known). `approximate` says that the incubator's own place is only known to its town or
    unit. The minutes are estimates: the straight line times the detour factor of the rule.
    """

    id: str
    name: str | None
    distance_m: float
    walk_minutes: float
    drive_minutes: float
    measured_from: str
    approximate: bool
    demo: bool
    basis: str = "straight_line_detour"


@dataclass(frozen=True)
class Found:
    """An incubator that counts for a town, and what says so."""

    id: str
    name: str | None
    state: str
    area_m2: float | None
    evidence: str
    precision: str | None
    demo: bool


@dataclass(frozen=True)
class TownRow:
    """One industrial town, or a unit without towns (`is_unit`), and its state.

    `evidence` is what the state rests on: `polygon` (the town's outline decided, also when nothing
    lies inside; a record that is known to its town only lies in the outline of that town),
    `declared` (a record names the town) or `distance` (the town is a bare point that
    no record names; the nearest incubator is all that can be told). `incubators` lists those that
    operate or are planned there; `disagreements` those whose point and record differ about it;
    `boundary` says that one stands on the town's boundary.
    """

    code: str
    name: str
    unit: str | None
    status: str | None
    state: str
    evidence: str
    incubators: tuple[str, ...]
    nearest: Nearest | None
    operating_area_m2: float
    found: tuple[Found, ...]
    disagreements: tuple[str, ...]
    disagrees: bool
    boundary: bool
    lead_industries: tuple[str, ...]
    list_name: str | None
    has_outline: bool
    is_unit: bool
    lon: float | None
    lat: float | None


@dataclass(frozen=True)
class UnitTally:
    """The towns of one unit by state."""

    unit: str
    summary: Tally


@dataclass(frozen=True)
class TownCoverage:
    """一镇一器 on a day: every town, the sums by unit and for the city, and what is in doubt."""

    rule: Mapping[str, Any]
    as_of: pd.Timestamp
    demo_counted: bool
    summary: Tally
    towns: tuple[TownRow, ...]
    units: tuple[UnitTally, ...]
    boundary: tuple[BoundaryCase, ...]
    disagreements: tuple[Disagreement, ...]

    def select(self, unit: str) -> TownCoverage:
        """Return the towns of one unit, with their own sums."""
        rows = tuple(row for row in self.towns if row.unit == unit)
        codes = {row.code for row in rows}
        return replace(
            self,
            demo_counted=_has_demo(rows),
            summary=tally(row.state for row in rows),
            towns=rows,
            units=tuple(row for row in self.units if row.unit == unit),
            boundary=tuple(case for case in self.boundary if codes & set(case.towns)),
            disagreements=tuple(
                doubt for doubt in self.disagreements if codes & {doubt.record, *doubt.polygon}
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON holds it."""
        answer: dict[str, Any] = plain(self)
        answer["units"] = [{"unit": row.unit, **plain(row.summary)} for row in self.units]
        return answer


def cover_towns(
    towns: pd.DataFrame,
    incubators: pd.DataFrame,
    *,
    units: pd.DataFrame,
    rule: Mapping[str, Any],
    as_of: Any,
    metric_crs: Any,
    divisions: pd.DataFrame | None = None,
) -> TownCoverage:
    """Tell which industrial towns have an incubator, and how it is known.

    Parameters
    ----------
    towns
        Records of `industrial_towns`: `code`, `name`, `unit`; a point is the seat, a polygon the
        outline. A unit without towns is a row of its own, whether listed or not.
    incubators
        Records of `incubators` with points.
    units
        Records of `reporting_units`.
    rule
        The rule `towns`. With `nearest.covers_within_m`, an incubator so near to the seat of a
        town without outline counts for it (evidence `distance`), unless it stands in another town;
        without it distance never covers a town.
    as_of
        The day asked about.
    metric_crs
        The coordinate system to measure in, metres.
    divisions
        Records of `divisions`: outlines of the towns by code, and of the towns around them.

    Returns
    -------
    TownCoverage
        Towns in the order of units and codes, whatever the order of the frames.

    Raises
    ------
    InputError
        When the day is not a date or the rule lacks a part.
    """
    _check_rule(rule)
    index = index_units(units)
    fleet = muster(incubators, as_of=as_of, rule=rule)
    listed = list_towns(towns, units, divisions, index)
    places = list_places([town.place for town in listed], divisions, index)
    locations = locate(fleet.present, places, index)
    nearest = _find_nearest(listed, fleet, rule=rule, metric_crs=metric_crs)
    within = _within_radius(listed, fleet, locations.placed, rule=rule, metric_crs=metric_crs)
    doubts: dict[str, list[str]] = defaultdict(list)
    for doubt in locations.disagreements:
        for code in {doubt.record, *doubt.polygon}:
            doubts[code].append(doubt.id)
    on_boundary = {code for case in locations.boundary for code in case.towns}
    rows = tuple(
        _town_row(
            town,
            {**within.get(town.place.code, {}), **locations.found.get(town.place.code, {})},
            fleet=fleet,
            rule=rule,
            nearest=near,
            disagreements=tuple(doubts.get(town.place.code, ())),
            boundary=town.place.code in on_boundary,
        )
        for town, near in zip(listed, nearest, strict=True)
    )
    asked = {town.place.code for town in listed}
    return TownCoverage(
        rule=rule,
        as_of=fleet.as_of,
        demo_counted=bool(is_demo(towns).any()) or _has_demo(rows),
        summary=tally(row.state for row in rows),
        towns=rows,
        units=tuple(_tally_units(rows, index)),
        boundary=tuple(case for case in locations.boundary if asked & set(case.towns)),
        disagreements=tuple(
            doubt for doubt in locations.disagreements if asked & {doubt.record, *doubt.polygon}
        ),
    )


def _has_demo(rows: Iterable[TownRow]) -> bool:
    return any(
        (row.nearest is not None and row.nearest.demo) or any(found.demo for found in row.found)
        for row in rows
    )


def _check_rule(rule: Mapping[str, Any]) -> None:
    wanted = ("large_area_m2", "operating_statuses", "planned_statuses", "nearest")
    missing = [key for key in wanted if key not in rule]
    if missing:
        raise InputError(f"rule towns lacks {', '.join(missing)}; add it to the rules in force")


def _find_nearest(
    listed: Sequence[Town], fleet: Fleet, *, rule: Mapping[str, Any], metric_crs: Any
) -> list[Nearest | None]:
    running = fleet.operating
    ids = running["id"].tolist()
    seats = to_metres(_as_shapes(town.seat for town in listed), metric_crs)
    at, distance_m = find_nearest(seats, to_metres(points(running), metric_crs), ids=ids)
    return [
        _nearest(town, fleet.members[ids[place]], float(metres), rule) if place >= 0 else None
        for town, place, metres in zip(listed, at, distance_m, strict=True)
    ]


def _nearest(town: Town, member: Member, metres: float, rule: Mapping[str, Any]) -> Nearest:
    speeds = rule["nearest"]
    way_m = metres * speeds["detour_factor"]
    return Nearest(
        id=member.id,
        name=member.name,
        distance_m=round(metres, 1),
        walk_minutes=round(way_m / (speeds["walk_km_h"] * _METRES_PER_MINUTE), 1),
        drive_minutes=round(way_m / (speeds["drive_km_h"] * _METRES_PER_MINUTE), 1),
        measured_from=town.measured_from,
        approximate=member.precision in ("town", "unit"),
        demo=member.demo,
    )


def _within_radius(
    listed: Sequence[Town],
    fleet: Fleet,
    placed: frozenset[str],
    *,
    rule: Mapping[str, Any],
    metric_crs: Any,
) -> dict[str, dict[str, str]]:
    """Return the incubators near the seats of towns without outline, where the rule says so."""
    radius_m = rule["nearest"].get("covers_within_m")
    bare = [town for town in listed if town.place.outline is None and town.seat is not None]
    free = fleet.operating
    free = free.loc[~free["id"].isin(list(placed))].reset_index(drop=True)
    if radius_m is None or not bare or free.empty:
        return {}
    seats = to_metres(_as_shapes(town.seat for town in bare), metric_crs)
    places = to_metres(points(free), metric_crs)
    metres = np.hypot(*(seats[:, None, :] - places[None, :, :]).transpose(2, 0, 1))
    ids = free["id"].tolist()
    return {
        town.place.code: {ids[at]: DISTANCE for at in np.flatnonzero(near)}
        for town, near in zip(bare, metres <= radius_m, strict=True)
    }


def _as_shapes(geometries: Iterable[Any]) -> Shapes:
    listed = list(geometries)
    array = np.full(len(listed), None, dtype=object)
    array[:] = listed
    return array


def _town_row(
    town: Town,
    members: Mapping[str, str],
    *,
    fleet: Fleet,
    rule: Mapping[str, Any],
    nearest: Nearest | None,
    disagreements: tuple[str, ...],
    boundary: bool,
) -> TownRow:
    here = [fleet.members[key] for key in sorted(members)]
    state = state_of(here, rule)
    place = town.place
    return TownRow(
        code=place.code,
        name=place.name,
        unit=place.unit,
        status=town.status,
        state=state,
        evidence=_evidence(town, here, members),
        incubators=tuple(member.id for member in here),
        nearest=nearest,
        operating_area_m2=operating_area_m2(here),
        found=tuple(
            Found(m.id, m.name, m.state, m.area_m2, members[m.id], m.precision, m.demo)
            for m in here
        ),
        disagreements=disagreements,
        disagrees=bool(disagreements),
        boundary=boundary,
        lead_industries=town.lead_industries,
        list_name=town.list_name,
        has_outline=place.outline is not None,
        is_unit=place.is_unit,
        lon=None if town.seat is None else float(town.seat.x),
        lat=None if town.seat is None else float(town.seat.y),
    )


def _evidence(town: Town, here: Sequence[Member], members: Mapping[str, str]) -> str:
    """Name the strongest ground among the incubators that decide the state."""
    operating = [member for member in here if member.state == OPERATING]
    grounds = {members[member.id] for member in operating or here}
    strongest = next((kind for kind in (POLYGON, DECLARED, DISTANCE) if kind in grounds), None)
    return strongest or (POLYGON if town.place.outline is not None else DISTANCE)


def _tally_units(rows: Sequence[TownRow], index: UnitIndex) -> Iterable[UnitTally]:
    """Count the towns of every unit, units without any included."""
    present = {row.unit or "" for row in rows}
    for unit in [*index.names, *sorted(present - set(index.names))]:
        yield UnitTally(unit, tally(row.state for row in rows if (row.unit or "") == unit))
