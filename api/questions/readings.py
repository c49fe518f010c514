"""Readings of the spatial structure: which there are, what is wrong, what another changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from api.questions.common import read_layer, read_rule, today
from api.questions.structure import gather_layers
from geo.errors import Fault, InputError, NotFoundError
from geo.evidence import SUM
from geo.frames import numbers, texts
from geo.goal_board import FigureRecords, RecordRow
from geo.lifecycle import OPERATING, parse_day
from geo.parts import choose_version
from geo.plain import plain
from geo.readings import (
    PartFault,
    StructureComparison,
    StructureVersions,
    check_parts,
    check_version,
    compare_readings,
    list_readings,
    split_outline,
)
from geo.structure import find_places, open_ledger
from geo.units import index_units
from layers.readings import Draft, check_draft, read_outline
from layers.store import Store

_DRAFT = "\N{BULLET} draft"  # no version of a store is named so


@dataclass(frozen=True)
class DraftReport:
    """What is wrong with a draft, and what it would change against the reading in force."""

    faults: tuple[PartFault, ...]
    comparison: StructureComparison

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON holds it."""
        return {"faults": plain(self.faults), "comparison": self.comparison.to_json()}


def ask_structure_versions(
    store: Store, *, version: str | None = None, as_of: Any = None
) -> StructureVersions:
    """List the readings of the structure, and what is wrong with one of them.

    Parameters
    ----------
    store
        The store.
    version
        The one to check; the one in force on the day when None.
    as_of
        The day asked about; today when None.

    Raises
    ------
    InputError
        When the day is not a date.
    NotFoundError
        When there is no such version.
    """
    day = parse_day(as_of or today())
    structure = read_layer(store, "structure")
    check_version(structure, version)
    reading = choose_version(structure, day, version)
    return StructureVersions(
        as_of=day,
        shown=next(iter(texts(reading, "version")), None),
        readings=tuple(list_readings(structure, day)),
        faults=tuple(_check(store, reading)),
    )


def ask_structure_comparison(
    store: Store, after: str, *, before: str | None = None, as_of: Any = None, demo: bool = True
) -> StructureComparison:
    """Tell what one version changes against another: units, towns, incubators, space, coverage.

    Parameters
    ----------
    store
        The store.
    after
        The version looked at.
    before
        What it is held against; the version in force on the day when None.
    as_of
        The day asked about; today when None.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When the day is not a date.
    NotFoundError
        When there is no such version.
    """
    layers = gather_layers(store, as_of=as_of or today(), demo=demo)
    check_version(layers.structure, before)
    check_version(layers.structure, after)
    return compare_readings(
        layers,
        roles=_roles(store),
        rule=read_rule(store, "towns"),
        as_of=as_of or today(),
        before=before,
        after=after,
    )


def ask_draft(store: Store, draft: Draft, *, as_of: Any = None) -> DraftReport:
    """Tell what is wrong with a draft and what it would change, before it is written.

    Parameters
    ----------
    store
        The store.
    draft
        The draft.
    as_of
        The day asked about; today when None.

    Raises
    ------
    InputError
        When it could not be written.
    """
    keys = [role["key"] for role in _roles(store)]
    structure = read_layer(store, "structure")
    check_draft(draft, roles=keys, taken=[one or "" for one in texts(structure, "version")])
    frame = draft.to_frame()
    frame = frame.assign(version=_DRAFT, id=[f"draft-{at}" for at in range(len(frame))])
    layers = gather_layers(store, as_of=as_of or today())
    tried = type(layers)(
        **{**layers.__dict__, "structure": pd.concat([layers.structure, frame], ignore_index=True)}
    )
    comparison = compare_readings(
        tried,
        roles=_roles(store),
        rule=read_rule(store, "towns"),
        as_of=as_of or today(),
        before=_in_force(structure, as_of),
        after=_DRAFT,
    )
    return DraftReport(tuple(_check(store, frame)), comparison)


def _in_force(structure: pd.DataFrame, as_of: Any) -> str | None:
    reading = choose_version(structure, parse_day(as_of or today()), None)
    return next(iter(texts(reading, "version")), None)


def _check(store: Store, reading: pd.DataFrame) -> list[PartFault]:
    return check_parts(
        reading,
        units=read_layer(store, "reporting_units"),
        divisions=read_layer(store, "divisions"),
        roles=[role["key"] for role in _roles(store)],
        metric_crs=store.metric_crs.to_string(),
    )


def _roles(store: Store) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (store.meta("city") or {}).get("roles") or []
    return found


def ask_role_records(
    store: Store,
    role: str,
    *,
    version: str | None = None,
    as_of: Any = None,
    demo: bool = True,
) -> FigureRecords:
    """List the incubators behind the space of a role.

    Parameters
    ----------
    store
        The store.
    role
        The key of a role; empty for what no role claims.
    version, as_of, demo
        As `ask_structure`.

    Raises
    ------
    InputError
        When the day is not a date.
    NotFoundError
        When there is no such role or version.
    """
    layers = gather_layers(store, as_of=as_of or today(), demo=demo)
    check_version(layers.structure, version)
    known = {one["key"]: one for one in _roles(store)}
    if role and role not in known:
        raise NotFoundError(f"there is no role {role!r}; roles: {', '.join(known) or 'none'}")
    rule = read_rule(store, "towns")
    index = index_units(layers.units)
    ledger = open_ledger(layers.incubators, layers.units, index, rule=rule, as_of=as_of or today())
    reading = choose_version(layers.structure, ledger.fleet.as_of, version)
    roles, _ = find_places(reading, ledger, None, index)
    frame, area_m2 = ledger.fleet.frame, numbers(ledger.fleet.frame, "area_m2")

    def rows() -> Iterable[RecordRow]:
        said = {name: texts(frame, name) for name in ("source", "provenance")}
        for at, key in enumerate(frame["id"].tolist()):
            member = ledger.fleet.members.get(key)
            if member is None or (roles[at] or "") != role:
                continue
            yield RecordRow(
                layer="incubators",
                id=key,
                name=member.name,
                unit=ledger.unit[at],
                amount=None if pd.isna(area_m2[at]) else float(area_m2[at]),
                counts=member.state == OPERATING,
                part="",
                source=said["source"][at],
                as_of=plain(frame["as_of"].iloc[at]) if "as_of" in frame else None,
                provenance=said["provenance"][at],
                details={},
            )

    records = tuple(rows())
    named = known.get(role, {})
    return FigureRecords(
        goal=None,
        indicator=None,
        zh=named.get("zh", ""),
        en=named.get("en", ""),
        measure="㎡",
        unit=None,
        year=None,
        as_of=ledger.fleet.as_of,
        value=sum(one.amount or 0.0 for one in records if one.counts),
        how=SUM,
        clause=next(iter(texts(reading, "version")), None),
        demo_counted=any(one.counts and one.provenance == "demo" for one in records),
        records=records,
    )


def ask_split(outline: Mapping[str, Any], line: Mapping[str, Any]) -> list[Any]:
    """Cut an outline by a line, both GeoJSON geometries; return the pieces.

    Raises
    ------
    InputError
        When one is no GeoJSON, the line is no line, or it does not cut the outline in two.
    """
    area, cut = read_outline(outline, "geometry"), read_outline(line, "line")
    if cut.geom_type != "LineString":
        fault = Fault("line", "is no line", cut.geom_type, "give a LineString")
        raise InputError(str(fault), [fault])
    return split_outline(area, cut)
