"""Readings of the spatial structure: which there are, what is wrong, what another changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely.ops import split

from geo.crs import project
from geo.errors import Fault, InputError, NotFoundError
from geo.frames import days, lists, numbers, polygons, texts
from geo.lifecycle import OPERATING
from geo.parts import Parts, choose_version, code_sets
from geo.plain import plain
from geo.structure import (
    CityLayers,
    Figures,
    Ledger,
    StructureReport,
    find_places,
    open_ledger,
    roll_up,
)
from geo.units import index_units, short_code

_LEAST_M2 = 10_000.0  # a hectare: below it outlines drawn by hand differ by their strokes


@dataclass(frozen=True)
class Reading:
    """One version of the structure; `drawn` of its parts are outlines and not made of divisions."""

    version: str
    valid_from: pd.Timestamp | None
    confidence: float | None
    source: str | None
    parts: int
    drawn: int
    in_force: bool


@dataclass(frozen=True)
class PartFault:
    """What is wrong with a reading: `kind`, the parts, and how much.

    `crossing` an outline that crosses itself (`detail` says where); `overlap` and `gap` with
    `area_m2`; `claimed_twice` and `unknown_code` with the code in `detail`; `empty` a part of
    nothing; `role` a role that the city does not declare; `unclaimed` a unit without any role.
    """

    kind: str
    parts: tuple[str, ...]
    detail: str = ""
    area_m2: float | None = None


@dataclass(frozen=True)
class UnitMove:
    """A unit whose role another reading changes; None where no part claims it."""

    unit: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class TownMove:
    """An industrial town whose role another reading changes."""

    code: str
    name: str | None
    unit: str | None
    state: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class IncubatorMove:
    """An incubator whose role another reading changes, with the space that goes with it."""

    id: str
    name: str | None
    unit: str | None
    before: str | None
    after: str | None
    operating: bool
    area_m2: float | None
    vacant_area_m2: float | None
    tenants: int | None


@dataclass(frozen=True)
class RoleChange:
    """One role under both readings."""

    role: str | None
    zh: str | None
    en: str | None
    before: Figures | None
    after: Figures | None


@dataclass(frozen=True)
class StructureComparison:
    """What one reading of the structure changes against another."""

    as_of: pd.Timestamp
    demo_counted: bool
    before: Reading
    after: Reading
    roles: tuple[RoleChange, ...]
    units: tuple[UnitMove, ...]
    towns: tuple[TownMove, ...]
    incubators: tuple[IncubatorMove, ...]

    @property
    def summary(self) -> dict[str, Any]:
        """Count what changes role, and the space that goes with it; of operating incubators."""
        moved = [one for one in self.incubators if one.operating]
        return {
            "units": len(self.units),
            "towns": len(self.towns),
            "incubators": len(self.incubators),
            "area_m2": sum(one.area_m2 or 0.0 for one in moved),
            "vacant_area_m2": sum(one.vacant_area_m2 or 0.0 for one in moved),
            "tenants": sum(one.tenants or 0 for one in moved),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON holds it."""
        return {**plain(self), "summary": self.summary}


@dataclass(frozen=True)
class StructureVersions:
    """All readings, the one in force, and what is wrong with the one looked at."""

    as_of: pd.Timestamp
    shown: str | None
    readings: tuple[Reading, ...]
    faults: tuple[PartFault, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the versions as JSON holds them."""
        answer: dict[str, Any] = plain(self)
        return answer


def list_readings(structure: pd.DataFrame, day: pd.Timestamp) -> list[Reading]:
    """List the readings, the latest first, and mark the one in force on a day."""
    versions = texts(structure, "version")
    current = next(iter(texts(choose_version(structure, day, None), "version")), None)
    found = []
    for version in dict.fromkeys(name for name in versions if name):
        records = structure.loc[[name == version for name in versions]]
        starts, sure = days(records, "valid_from"), numbers(records, "confidence")
        known = np.isfinite(sure)
        start = starts.min() if len(starts) else np.datetime64("NaT")
        found.append(
            Reading(
                version=version,
                valid_from=None if pd.isna(start) else pd.Timestamp(start),
                confidence=float(sure[known].min()) if known.any() else None,
                source=next(iter(texts(records, "source")), None),
                parts=len(records),
                drawn=sum(not codes for codes in lists(records, "division_codes")),
                in_force=version == current,
            )
        )
    found.sort(key=lambda one: (one.valid_from or pd.Timestamp.min, one.version), reverse=True)
    return found


def check_version(structure: pd.DataFrame, version: str | None) -> None:
    """Refuse a version that there is none of; None asks for the one in force.

    Raises
    ------
    NotFoundError
        When there is none; the message lists those that are.
    """
    known = dict.fromkeys(name for name in texts(structure, "version") if name)
    if version is not None and version not in known:
        raise NotFoundError(
            f"there is no version {version!r} of the structure; versions: "
            f"{', '.join(known) or 'none'}"
        )


def outline_parts(reading: pd.DataFrame, divisions: pd.DataFrame, units: pd.DataFrame) -> list[Any]:
    """Return the outline of each part: as drawn, else put together from what it names; or None."""
    known = {
        **dict(zip(_codes(units), polygons(units), strict=True)),
        **dict(zip(_codes(divisions), polygons(divisions), strict=True)),
    }
    outlines = []
    for drawn, codes in zip(polygons(reading), lists(reading, "division_codes"), strict=True):
        named = [known.get(short_code(code)) for code in codes]
        whole = [one for one in named if one is not None]
        outlines.append(drawn if drawn is not None else shapely.union_all(whole) if whole else None)
    return outlines


def _codes(frame: pd.DataFrame) -> list[str]:
    return [short_code(code or "") for code in texts(frame, "code")]


def check_parts(
    reading: pd.DataFrame,
    *,
    units: pd.DataFrame,
    divisions: pd.DataFrame,
    roles: Sequence[str],
    metric_crs: Any,
) -> list[PartFault]:
    """Find what is wrong with a reading of the structure.

    Parameters
    ----------
    reading
        The records of one version.
    units, divisions
        Records of `reporting_units` and `divisions`.
    roles
        The keys of the roles that the city declares.
    metric_crs
        What areas are measured in.

    Returns
    -------
    list
        Nothing where all is well. Parts may overlap or leave gaps by less than a hectare.
    """
    names = [name or f"{at + 1}" for at, name in enumerate(texts(reading, "name"))]
    faults = list(_check_records(reading, names, units, divisions, roles))
    outlines = outline_parts(reading, divisions, units)
    for name, outline in zip(names, outlines, strict=True):
        if outline is not None and not outline.is_valid:
            faults.append(PartFault("crossing", (name,), shapely.is_valid_reason(outline)))
    sound = [
        None if one is None else project(shapely.make_valid(one), target=metric_crs)
        for one in outlines
    ]
    faults += _check_overlaps(sound, names)
    return faults + list(_check_gaps(reading, sound, units, metric_crs))


def _check_records(
    reading: pd.DataFrame,
    names: Sequence[str],
    units: pd.DataFrame,
    divisions: pd.DataFrame,
    roles: Sequence[str],
) -> Iterable[PartFault]:
    claimed = [[short_code(code) for code in codes] for codes in lists(reading, "division_codes")]
    index = index_units(units)
    known = {*_codes(units), *_codes(divisions), *index.codes}
    drawn = polygons(reading)
    rows = zip(names, claimed, drawn, texts(reading, "role"), strict=True)
    for name, codes, outline, role in rows:
        if not codes and outline is None:
            yield PartFault("empty", (name,))
        if role not in roles:
            yield PartFault("role", (name,), role or "")
        yield from (PartFault("unknown_code", (name,), code) for code in codes if code not in known)
    counts = Counter(code for codes in claimed for code in codes)
    for code, count in counts.items():
        if count > 1:
            holders = tuple(
                name for name, codes in zip(names, claimed, strict=True) if code in codes
            )
            yield PartFault("claimed_twice", holders, code)


def _check_overlaps(outlines: Sequence[Any], names: Sequence[str]) -> list[PartFault]:
    faults = []
    for at, one in enumerate(outlines):
        for other in range(at + 1, len(outlines)):
            if one is None or outlines[other] is None:
                continue
            area_m2 = float(one.intersection(outlines[other]).area)
            if area_m2 > _LEAST_M2:
                faults.append(
                    PartFault("overlap", (names[at], names[other]), area_m2=round(area_m2, 1))
                )
    return faults


def _check_gaps(
    reading: pd.DataFrame, outlines: Sequence[Any], units: pd.DataFrame, metric_crs: Any
) -> Iterable[PartFault]:
    """Find units that no part claims, and ground of the city in none."""
    held = unit_roles(reading, units)
    covered = shapely.union_all([one for one in outlines if one is not None])
    index = index_units(units)
    for unit, outline in zip(texts(units, "name"), polygons(units), strict=True):
        name = unit or ""
        if outline is None:
            if held.get(name) is None:
                yield PartFault("unclaimed", (name,))
            continue
        ground = project(shapely.make_valid(outline), target=metric_crs)
        area_m2 = float(ground.difference(covered).area)
        if held.get(name) is None and area_m2 > 0.99 * ground.area:
            yield PartFault("unclaimed", (name,))
        elif area_m2 > _LEAST_M2 and name in index.names:
            yield PartFault("gap", (name,), area_m2=round(area_m2, 1))


def unit_roles(reading: pd.DataFrame, units: pd.DataFrame) -> dict[str, str | None]:
    """Return the role of every unit: of the part that names its code, else around its middle."""
    index = index_units(units)
    names = list(index.names)
    outlines = dict(zip(texts(units, "name"), polygons(units), strict=True))
    middles = np.full(len(names), None, dtype=object)
    for at, name in enumerate(names):
        if outlines.get(name) is not None:
            middles[at] = shapely.point_on_surface(outlines[name])
    sets = code_sets([None] * len(names), names, index)
    by_code = Parts(reading.assign(geometry=None), index).find_roles(
        np.full(len(names), None, dtype=object), sets
    )
    by_place = Parts(reading, index).find_roles(middles, [[] for _ in names])
    return {
        name: drawn or named for name, drawn, named in zip(names, by_place, by_code, strict=True)
    }


def compare_readings(
    layers: CityLayers,
    *,
    roles: Sequence[Mapping[str, Any]],
    rule: Mapping[str, Any],
    as_of: Any,
    before: str | None,
    after: str,
) -> StructureComparison:
    """Tell what one reading of the structure changes against another.

    Parameters
    ----------
    layers, roles, rule, as_of
        As `roll_up`.
    before, after
        The versions; `before` None is the one in force on the day.

    Returns
    -------
    StructureComparison
        Only what changes role is listed; roles stand in their order with the figures of both.
    """
    reports = [
        roll_up(layers, roles=roles, rule=rule, as_of=as_of, version=version)
        for version in (before, after)
    ]
    day = reports[0].as_of
    index = index_units(layers.units)
    ledger = open_ledger(layers.incubators, layers.units, index, rule=rule, as_of=as_of)
    known = {one.version: one for one in list_readings(layers.structure, day)}
    used = [report.version or "" for report in reports]
    frames = [choose_version(layers.structure, day, version) for version in used]
    places = [find_places(frame, ledger, layers.towns, index) for frame in frames]
    units = [unit_roles(frame, layers.units) for frame in frames]
    return StructureComparison(
        as_of=day,
        demo_counted=reports[0].demo_counted,
        before=known[used[0]],
        after=known[used[1]],
        roles=tuple(_role_changes(*reports)),
        units=tuple(
            UnitMove(unit, units[0][unit], units[1][unit])
            for unit in index.names
            if units[0][unit] != units[1][unit]
        ),
        towns=tuple(_town_moves(layers.towns, *(found[1] for found in places))),
        incubators=tuple(_incubator_moves(ledger, *(found[0] for found in places))),
    )


def _role_changes(before: StructureReport, after: StructureReport) -> Iterable[RoleChange]:
    olds, news = ({row.role: row for row in report.roles} for report in (before, after))
    for role in dict.fromkeys([*olds, *news]):
        old, new = olds.get(role), news.get(role)
        said = new or old
        if said is not None:
            yield RoleChange(
                role,
                said.zh,
                said.en,
                None if old is None else old.figures,
                None if new is None else new.figures,
            )


def _town_moves(
    towns: pd.DataFrame | None, before: Sequence[str | None], after: Sequence[str | None]
) -> Iterable[TownMove]:
    if towns is None:
        return
    names = ("code", "name", "unit", "state")
    columns = zip(*(texts(towns, name) for name in names), before, after, strict=True)
    for code, name, unit, state, old, new in columns:
        if old != new:
            yield TownMove(code or "", name, unit, state or "", old, new)


def _incubator_moves(
    ledger: Ledger, before: Sequence[str | None], after: Sequence[str | None]
) -> Iterable[IncubatorMove]:
    frame = ledger.fleet.frame
    figures = {name: numbers(frame, name) for name in ("area_m2", "vacant_area_m2", "tenants")}

    def held(name: str, row: int) -> float | None:
        value = figures[name][row]
        return None if np.isnan(value) else float(value)

    for row, key in enumerate(frame["id"].tolist()):
        if before[row] == after[row] or key not in ledger.fleet.members:
            continue
        member, tenants = ledger.fleet.members[key], held("tenants", row)
        yield IncubatorMove(
            id=key,
            name=member.name,
            unit=ledger.unit[row],
            before=before[row],
            after=after[row],
            operating=member.state == OPERATING,
            area_m2=held("area_m2", row),
            vacant_area_m2=held("vacant_area_m2", row),
            tenants=None if tenants is None else int(tenants),
        )


def split_outline(outline: Any, line: Any) -> list[Any]:
    """Cut an outline by a line that runs right through it.

    Raises
    ------
    InputError
        When the line does not part it.

    Examples
    --------
    >>> halves = split_outline(shapely.box(0, 0, 2, 1), shapely.LineString([(1, -1), (1, 2)]))
    >>> sorted(half.area for half in halves)
    [1.0, 1.0]
    """
    pieces = list(split(shapely.make_valid(outline), line).geoms)
    if len(pieces) < 2:
        fault = Fault(
            "line", "does not cut the outline in two", None,
            "draw it from outside through the part to the outside again",
        )  # fmt: skip
        raise InputError(str(fault), [fault])
    return pieces
