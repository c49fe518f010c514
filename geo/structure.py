"""Roll-up of incubation space by the role of a place in the city, and by zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.concentration import Concentration, concentrate
from geo.frames import Bools, days, numbers, points, polygons, texts
from geo.lifecycle import OPERATING, parse_day
from geo.parts import Parts, choose_version, code_sets
from geo.plain import plain, share
from geo.states import COVERED, Fleet, muster
from geo.units import UnitIndex, assign_units, index_units


@dataclass(frozen=True)
class CoveredTowns:
    """Industrial towns of a part of the city, and how many of them are covered."""

    total: int
    covered: int
    covered_share: float | None


@dataclass(frozen=True)
class Opened:
    """What was opened in one year."""

    year: int
    incubators: int
    area_m2: float


@dataclass(frozen=True)
class Figures:
    """What stands in a part of the city on a day.

    `incubators` counts those that operate or are planned, `operating` the former; areas, tenants
    and people are of those that operate and report them. `share` is the part of the city's
    operating area. `vacancy` is vacant over vacant and occupied area, of incubators that report
    both. `growth` is the area opened in the twelve months up to the day over the area that
    operated before.
    """

    incubators: int
    operating: int
    area_m2: float
    incubation_area_m2: float
    occupied_area_m2: float
    vacant_area_m2: float
    vacancy: float | None
    tenants: int
    people: int
    share: float | None
    growth: float | None
    opened: tuple[Opened, ...]
    towns: CoveredTowns | None


@dataclass(frozen=True)
class RoleRow:
    """One role of the structure; the row without role holds what no role claims."""

    role: str | None
    zh: str | None
    en: str | None
    members: tuple[str, ...]
    figures: Figures


@dataclass(frozen=True)
class ZoneRow:
    """One zone; its figures are None where no outline of it is known (`mapped` False)."""

    id: str
    name: str
    kind: str | None
    unit: str | None
    mapped: bool
    figures: Figures | None


@dataclass(frozen=True)
class StructureReport:
    """Space, tenants, vacancy, coverage and growth by role and zone, and concentration by unit.

    `version`, `valid_from` and `confidence` are those of the reading of the structure that was
    used. Zones may overlap, so their shares need not add up.
    """

    rule: Mapping[str, Any]
    as_of: pd.Timestamp
    demo_counted: bool
    version: str | None
    valid_from: pd.Timestamp | None
    confidence: float | None
    city: Figures
    roles: tuple[RoleRow, ...]
    zones: tuple[ZoneRow, ...]
    concentration: Concentration

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON holds it, the figures of a row beside its name."""
        answer: dict[str, Any] = plain(self)
        for name in ("roles", "zones"):
            answer[name] = [{**row, **(row["figures"] or {})} for row in answer[name]]
            for row in answer[name]:
                del row["figures"]
        return answer


@dataclass(frozen=True)
class CityLayers:
    """The layers that a roll-up adds up.

    Parameters
    ----------
    incubators, units
        Records of `incubators` and `reporting_units`.
    structure
        Records of `structure`: a polygon, or the codes of the divisions that a part is made of.
    zones
        Records of `zones`; those without polygon are listed and not counted.
    towns
        `code`, `unit`, `state` and points of the industrial towns, as `cover_towns` found them.
    """

    incubators: pd.DataFrame
    units: pd.DataFrame
    structure: pd.DataFrame
    zones: pd.DataFrame
    towns: pd.DataFrame | None = None


@dataclass(frozen=True)
class Ledger:
    """The incubators of the day as arrays, in the order of ids; a place known roughly is None."""

    fleet: Fleet
    counted: Bools
    running: Bools
    unit: list[str | None]
    where: Any
    opened_on: Any

    def sum_of(self, column: str, inside: Bools) -> float:
        """Add a column up over the operating incubators inside."""
        return float(np.nansum(numbers(self.fleet.frame, column)[inside & self.running]))


def roll_up(
    layers: CityLayers,
    *,
    roles: Sequence[Mapping[str, Any]],
    rule: Mapping[str, Any],
    as_of: Any,
    version: str | None = None,
    weights: Mapping[str, float] | None = None,
) -> StructureReport:
    """Add up incubation space by role, by zone and by unit.

    Parameters
    ----------
    layers
        The layers. An incubator belongs to the part whose polygon is around it, else to the part
        that names its town's or unit's code, the longest code first.
    roles
        The roles of the city in order: `key`, `zh`, `en`.
    rule
        The rule `towns`: what counts as operating and planned.
    as_of
        The day asked about.
    version
        The reading of the structure; the latest one in force on the day when None.
    weights
        What concentration is compared with by unit, such as the plan's targets.

    Returns
    -------
    StructureReport
        A row per role, one for what no role claims (when there is any), and one per zone.
    """
    towns = layers.towns
    index = index_units(layers.units)
    day = parse_day(as_of)
    ledger = open_ledger(layers.incubators, layers.units, index, rule=rule, as_of=as_of)
    reading = choose_version(layers.structure, day, version)
    parts = Parts(reading, index)
    role_of, of_towns = find_places(reading, ledger, towns, index)
    town_roles = None if towns is None else np.array([r or "" for r in of_towns], dtype=object)
    everything = np.ones(len(role_of), dtype=bool)
    whole = _figures(ledger, everything, everything, _towns_in(towns, None))
    found = np.array([role or "" for role in role_of], dtype=object)
    listed = [*roles, *_unlisted_roles(reading, roles)]
    rows = [
        RoleRow(
            role=item["key"],
            zh=item.get("zh"),
            en=item.get("en"),
            members=parts.names_of(item["key"]),
            figures=_figures(
                ledger,
                found == item["key"],
                everything,
                _towns_in(towns, town_roles == item["key"]),
            ),
        )
        for item in listed
    ]
    unclaimed = found == ""
    if (unclaimed & ledger.counted).any():
        rest = _figures(ledger, unclaimed, everything, _towns_in(towns, town_roles == ""))
        rows.append(RoleRow(None, None, None, (), rest))
    return StructureReport(
        rule=rule,
        as_of=day,
        demo_counted=ledger.fleet.demo_counted,
        **_reading_facts(reading),
        city=whole,
        roles=tuple(rows),
        zones=tuple(_zone_rows(layers.zones, ledger, towns)),
        concentration=concentrate(
            {
                unit: ledger.sum_of(
                    "area_m2", np.array([one == unit for one in ledger.unit], dtype=bool)
                )
                for unit in index.names
            },
            weights=weights,
        ),
    )


def open_ledger(
    incubators: pd.DataFrame,
    units: pd.DataFrame,
    index: UnitIndex,
    *,
    rule: Mapping[str, Any],
    as_of: Any,
) -> Ledger:
    """Gather the incubators of a day, their units and places.

    Parameters
    ----------
    incubators, units
        Records of these layers.
    index
        `index_units(units)`.
    rule
        The rule `towns`.
    as_of
        The day.
    """
    fleet = muster(incubators, as_of=as_of, rule=rule)
    states = [fleet.members[key].state if key in fleet.members else "" for key in fleet.frame["id"]]
    where = points(fleet.frame)
    rough = np.array([word in ("town", "unit") for word in texts(fleet.frame, "geom_precision")])
    where[rough.astype(bool)] = None  # a place known to its town or unit lies in no zone for sure
    return Ledger(
        fleet=fleet,
        counted=np.array([bool(state) for state in states], dtype=bool),
        running=np.array([state == OPERATING for state in states], dtype=bool),
        unit=assign_units(fleet.frame, units, index=index),
        where=where,
        opened_on=days(fleet.frame, "opened_on"),
    )


def _reading_facts(reading: pd.DataFrame) -> dict[str, Any]:
    confidence = numbers(reading, "confidence")
    starts = days(reading, "valid_from")
    known = np.isfinite(confidence)
    return {
        "version": next(iter(texts(reading, "version")), None),
        "valid_from": pd.Timestamp(starts.min())
        if len(starts) and not pd.isna(starts.min())
        else None,
        "confidence": float(confidence[known].min()) if known.any() else None,
    }


def _unlisted_roles(
    reading: pd.DataFrame, roles: Sequence[Mapping[str, Any]]
) -> Iterable[dict[str, Any]]:
    """Name the roles that records use though the city does not declare them."""
    known = {item["key"] for item in roles}
    used = dict.fromkeys(role for role in texts(reading, "role") if role is not None)
    return ({"key": role} for role in used if role not in known)


def find_places(
    reading: pd.DataFrame, ledger: Ledger, towns: pd.DataFrame | None, index: UnitIndex
) -> tuple[list[str | None], list[str | None]]:
    """Return the role of every incubator of a ledger and of every town, under one reading.

    Parameters
    ----------
    reading
        The records of one version.
    ledger
        The incubators.
    towns
        As in `CityLayers`; no roles of towns where None.
    index
        `index_units` of the units.
    """
    parts = Parts(reading, index)
    codes = texts(ledger.fleet.frame, "town_code")
    of_incubators = parts.find_roles(ledger.where, code_sets(codes, ledger.unit, index))
    if towns is None:
        return of_incubators, []
    units = [index.find(unit) for unit in texts(towns, "unit")]
    sets = code_sets(texts(towns, "code"), units, index)
    return of_incubators, parts.find_roles(points(towns), sets)


def _towns_in(towns: pd.DataFrame | None, inside: Any) -> CoveredTowns | None:
    if towns is None:
        return None
    covered = np.array([state in COVERED for state in texts(towns, "state")], dtype=bool)
    here = np.ones(len(towns), dtype=bool) if inside is None else np.asarray(inside, dtype=bool)
    total, held = int(here.sum()), int((covered & here).sum())
    return CoveredTowns(total, held, share(held, total))


def _figures(ledger: Ledger, inside: Bools, city: Bools, towns: CoveredTowns | None) -> Figures:
    frame, running = ledger.fleet.frame, inside & ledger.running
    occupied, vacant = numbers(frame, "occupied_area_m2"), numbers(frame, "vacant_area_m2")
    both = running & np.isfinite(occupied) & np.isfinite(vacant)
    vacant_m2, used_m2 = float(vacant[both].sum()), float(occupied[both].sum())
    area_m2 = ledger.sum_of("area_m2", inside)
    return Figures(
        incubators=int((inside & ledger.counted).sum()),
        operating=int(running.sum()),
        area_m2=area_m2,
        incubation_area_m2=ledger.sum_of("incubation_area_m2", inside),
        occupied_area_m2=ledger.sum_of("occupied_area_m2", inside),
        vacant_area_m2=ledger.sum_of("vacant_area_m2", inside),
        vacancy=share(vacant_m2, vacant_m2 + used_m2),
        tenants=int(ledger.sum_of("tenants", inside)),
        people=int(ledger.sum_of("people", inside)),
        share=share(area_m2, ledger.sum_of("area_m2", city)),
        growth=_growth(ledger, running),
        opened=tuple(_openings(ledger, running)),
        towns=towns,
    )


def _growth(ledger: Ledger, running: Bools) -> float | None:
    year_ago = np.datetime64(ledger.fleet.as_of - pd.DateOffset(years=1), "s")
    area_m2 = numbers(ledger.fleet.frame, "area_m2")
    young = running & (ledger.opened_on > year_ago)
    before_m2 = float(np.nansum(area_m2[running & ~young]))
    return share(float(np.nansum(area_m2[young])), before_m2)


def _openings(ledger: Ledger, running: Bools) -> Iterable[Opened]:
    years = pd.DatetimeIndex(ledger.opened_on[running]).year
    area_m2 = np.nan_to_num(numbers(ledger.fleet.frame, "area_m2")[running])
    for year in sorted({int(year) for year in years if not pd.isna(year)}):
        yield Opened(year, int((years == year).sum()), float(area_m2[years == year].sum()))


def _zone_rows(
    zones: pd.DataFrame, ledger: Ledger, towns: pd.DataFrame | None
) -> Iterable[ZoneRow]:
    everything = np.ones(len(ledger.counted), dtype=bool)
    names = ("id", "name", "kind", "unit")
    columns = zip(*(texts(zones, name) for name in names), polygons(zones), strict=True)
    for key, name, kind, unit, outline in columns:
        figures = None
        if outline is not None:
            inside = np.asarray(shapely.intersects(outline, ledger.where), dtype=bool)
            seats = None if towns is None else shapely.intersects(outline, points(towns))
            figures = _figures(
                ledger, inside, everything, None if towns is None else _towns_in(towns, seats)
            )
        yield ZoneRow(key or "", name or "", kind, unit, outline is not None, figures)
