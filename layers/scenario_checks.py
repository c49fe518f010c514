"""Checking what someone wants to change in a scenario, as the real layers would check it.

Values are brought to their kinds, names to the city's own; unit and town follow from the place
where they are not stated. All faults come at once.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import STORED_CRS, project
from geo.errors import Fault, InputError, NotFoundError
from layers import schema
from layers.casting import list_series
from layers.catalog import Layer, layers
from layers.catalog import layer as find_layer
from layers.checking.places import TOLERANCE_M
from layers.ingest.fill import fill_records
from layers.ingest.gazetteer import Gazetteer, read_gazetteer
from layers.query import GEOMETRY, Query
from layers.rows import record_of, store_column
from layers.rule_values import put_values, take_values
from layers.scenario_edits import new_record_id, with_change
from layers.scenarios import (
    RULES,
    Scenario,
    ScenarioChange,
    SeenScenario,
    Values,
    plain_record,
    read_shape,
    see_scenario,
)
from layers.store import Store
from layers.street_ends import join_streets

ACTIONS = {"add": "insert", "change": "update", "remove": "delete"}
_CITY_LAYERS = ("reporting_units", "divisions", "incubators", "rules", "meta")
_KEPT = 4
_gazetteers: dict[tuple[str, str], Gazetteer] = {}
_lock = threading.Lock()
_OF_PLACE = ("unit", "town_code", "town")  # what moves with a record


@dataclass(frozen=True)
class Wish:
    """What someone wants changed.

    Parameters
    ----------
    layer
        A public layer, or `rules`.
    action
        `add`, `change` or `remove`.
    record
        Which record; for `add` empty, of a rule its name.
    wanted
        Columns and their new values, the geometry as GeoJSON under `geometry`; of a rule, values
        by path.
    """

    layer: str
    action: str
    record: str = ""
    wanted: Values | None = None


@dataclass(frozen=True)
class Site:
    """A site that siting chose: its name, place in degrees, year and area."""

    name: str
    lon: float
    lat: float
    year: int | None = None
    area_m2: float | None = None


def changeable_layers() -> tuple[str, ...]:
    """Name the layers that scenarios can change: those that are public."""
    return tuple(name for name, one in layers().items() if not (one.staff or one.aside))


def check_changeable(layer: str) -> None:
    """Refuse a layer that scenarios cannot change.

    Raises
    ------
    NotFoundError
        When they cannot; the message lists those that they can.
    """
    if layer not in changeable_layers():
        known = ", ".join((*changeable_layers(), RULES))
        raise NotFoundError(f"scenarios cannot change layer {layer[:60]!r}; they can: {known}")


def has_outline(store: Store) -> bool:
    """Tell whether the city has an outline, so that places outside it are refused."""
    return len(_gazetteer(store).city_areas) > 0


def check_wishes(
    base: Store, seen: SeenScenario, wishes: Sequence[Wish]
) -> tuple[tuple[ScenarioChange, ...], SeenScenario]:
    """Turn wishes into changes that the layers allow, each made after the one before.

    Parameters
    ----------
    base
        The real store.
    seen
        The scenario as it is.
    wishes
        What is wanted.

    Returns
    -------
    tuple of ScenarioChange, SeenScenario
        The changes, and the scenario as it would be with them.

    Raises
    ------
    InputError
        With every fault of the first wish that the layers do not allow.
    NotFoundError
        When there is no such record, rule or layer.
    """
    scenario, view = seen.scenario, seen
    touched: set[str] = set()
    for wish in wishes:
        # Only what an earlier wish touched needs to be looked at through it.
        if touched & {wish.record, str((wish.wanted or {}).get("incubator"))}:
            view, touched = see_scenario(base, scenario), set()
        change = check_wish(view.store, scenario, wish)
        scenario = with_change(scenario, [change])
        touched.add(change.record)
    after = see_scenario(base, scenario)
    known = {stale.change.record for stale in seen.stale}
    new = [stale for stale in after.stale if stale.change.record not in known]
    if new:
        faults = [Fault(f"{one.change.layer}/{one.change.record}", one.why) for one in new]
        raise InputError(str(faults[0]), faults)
    return scenario.changes[len(seen.scenario.changes) :], after


def site_wishes(sites: Sequence[Site]) -> list[Wish]:
    """Return what makes a programme of sites a scenario.

    Each site becomes a planned incubator, and a planned project of its year.

    >>> [wish.layer for wish in site_wishes([Site("A", 120.6, 28.0, year=2027, area_m2=9.0)])]
    ['incubators', 'projects']
    """
    wishes = []
    for site in sites:
        place = {"type": "Point", "coordinates": [site.lon, site.lat]}
        common: dict[str, Any] = {"name": site.name, "status": "planned", "geometry": place}
        if site.area_m2 is not None:
            common["area_m2"] = site.area_m2
        wishes.append(Wish("incubators", "add", wanted=common))
        year = {} if site.year is None else {"year": site.year}
        wishes.append(Wish("projects", "add", wanted={**common, **year}))
    return wishes


def check_wish(seen: Store, scenario: Scenario, wish: Wish) -> ScenarioChange:
    """Turn a wish into a change that the layers allow.

    Parameters
    ----------
    seen
        The store seen through the scenario so far.
    scenario
        The scenario.
    wish
        What is wanted.

    Raises
    ------
    InputError
        With every fault of the values.
    NotFoundError
        When there is no such record, rule or layer.
    """
    if wish.action not in ACTIONS:
        fault = Fault("action", "is not known", wish.action, f"give one of {', '.join(ACTIONS)}")
        raise InputError(str(fault), (fault,))
    if wish.layer == RULES:
        return _check_rule(seen, wish)
    check_changeable(wish.layer)
    if wish.action == "remove":
        held = plain_record(wish.layer, seen.get(wish.layer, wish.record))
        return ScenarioChange(wish.layer, wish.record, "delete", before=held)
    return _check_record(seen, scenario, wish, _gazetteer(seen))


def _check_rule(seen: Store, wish: Wish) -> ScenarioChange:
    if wish.action != "change":
        raise InputError(f"rules {wish.record}: can only be changed, by values at their paths")
    body = seen.rules(wish.record).body
    values = dict(wish.wanted or {})
    changed = put_values(body, values)
    paths = tuple(values)
    before, after = take_values(body, paths), take_values(changed, paths)
    return ScenarioChange(RULES, wish.record, "update", before, after)


def _check_record(
    seen: Store, scenario: Scenario, wish: Wish, gazetteer: Gazetteer
) -> ScenarioChange:
    layer = find_layer(wish.layer)
    held: dict[str, Any] = {}
    if wish.action == "change":
        held = plain_record(layer.name, seen.get(layer.name, wish.record))
    values = {name: value for name, value in (wish.wanted or {}).items() if name != "id"}
    emptied = GEOMETRY in held and GEOMETRY in values and values[GEOMETRY] is None
    shape = read_shape(values.pop(GEOMETRY, None))
    if layer.name == "streets" and shape is not None:
        shape = join_streets(seen, shape)
    told, faults = _named(layer, held, values, shape, gazetteer)
    placed = None if emptied else shape or read_shape(held.get(GEOMETRY))
    moved = emptied or shape is not None
    given = {*values, *([GEOMETRY] if moved else ())} if held else None
    looked_at = None if given is None else {*given, *(_OF_PLACE if moved else ())}
    conformed, wrong = _examine(layer, told, placed, looked_at)
    faults += [
        Fault(fault.column, fault.what, fault.value, fault.fix)
        for fault in wrong
        if (given is None or fault.column in given)
        and fault.column not in {known.where for known in faults}
    ]
    if shape is not None:
        faults += _outside(seen, layer, shape, gazetteer)
    faults += _orphaned(seen, layer, told)
    if not (faults or held or told or shape is not None):
        faults.append(Fault("values", "are missing", None, "give at least one column"))
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InputError(f"layer {layer.name}: {faults[0]}{more}", faults)
    whole = _plain_row(layer, conformed)
    if not held:
        record = new_record_id(scenario, layer.name)
        return ScenarioChange(layer.name, record, "insert", after={**whole, "id": record})
    names = [*values, *(name for name in _OF_PLACE if shape is not None and name in told)]
    if moved:
        names.append(GEOMETRY)
    after = {name: whole.get(name) for name in dict.fromkeys(names)}
    after = {name: value for name, value in after.items() if held.get(name) != value}
    if not after:
        raise InputError(f"layer {layer.name}: nothing changes in {wish.record!r}")
    before = {name: held.get(name) for name in after}
    return ScenarioChange(layer.name, wish.record, "update", before, after)


def _named(
    layer: Layer,
    held: Mapping[str, Any],
    values: Mapping[str, Any],
    shape: shapely.Geometry | None,
    gazetteer: Gazetteer,
) -> tuple[dict[str, Any], list[Fault]]:
    """Complete a record with names that the city knows; list names that it does not."""
    columns = {column.name for column in layer.public_columns}
    unknown = [name for name in values if name not in columns]
    faults = [
        Fault(name, "the layer has no such column", None, "see hatchmap layers") for name in unknown
    ]
    kept = {name: value for name, value in held.items() if name != GEOMETRY}
    if shape is not None:
        kept = {name: value for name, value in kept.items() if name not in _OF_PLACE}
    told = {**kept, **{name: value for name, value in values.items() if name in columns}}
    row = pd.DataFrame({name: list_series([value]) for name, value in told.items()}, index=[0])
    filled = fill_records(layer, row, np.array([shape], dtype=object), gazetteer)
    faults += [
        Fault(name, fault.what, fault.value, fault.fix)
        for name, fault in filled.faults
        if name in values
    ]
    cells = {name: filled.frame[name].iloc[0] for name in columns}
    return {
        name: value for name, value in cells.items() if name in values or not _blank(value)
    }, faults


def _blank(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and value != value)  # noqa: PLR0124


def _examine(
    layer: Layer,
    told: Mapping[str, Any],
    shape: shapely.Geometry | None,
    looked_at: Collection[str] | None,
) -> tuple[pd.DataFrame, list[Any]]:
    columns = {
        name: list_series([None if value == "" else value])
        for name, value in told.items()
        if name != "batch"
    }
    frame = pd.DataFrame(columns, index=[0])
    if layer.spatial:
        frame = gpd.GeoDataFrame(frame, geometry=[shape], crs=STORED_CRS)
    return schema.examine(layer.name, frame, columns=looked_at)


def _outside(
    seen: Store, layer: Layer, shape: shapely.Geometry, gazetteer: Gazetteer
) -> list[Fault]:
    """Find a place outside the city, beyond what its outline may be off."""
    if layer.name in ("reporting_units", "divisions") or not len(gazetteer.city_areas):
        return []
    crs = seen.metric_crs.to_string()
    if not np.isfinite(shapely.bounds(shape)).all():
        return []
    areas = shapely.make_valid(project(gazetteer.city_areas, target=crs))
    placed = project(np.array([shape], dtype=object), target=crs)
    away_m = float(shapely.distance(areas, placed[0]).min())
    if away_m <= TOLERANCE_M:
        return []
    middle = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
    value = f"{middle[0]:.5f}, {middle[1]:.5f}"
    what = f"lies {away_m / 1000:,.1f} km outside the city"
    return [Fault(GEOMETRY, what, value, "choose a place inside the outline of the city")]


def _orphaned(seen: Store, layer: Layer, told: Mapping[str, Any]) -> list[Fault]:
    """Find an incubator that does not exist."""
    named = told.get("incubator")
    if not named or "incubator" not in {column.name for column in layer.columns}:
        return []
    if seen.count("incubators", Query(ids=(str(named),))):
        return []
    fix = "give the id of an incubator of the store or of this scenario"
    return [Fault("incubator", "does not exist", named, fix)]


def _plain_row(layer: Layer, frame: pd.DataFrame) -> dict[str, Any]:
    stored = {
        column.name: store_column(column, frame[column.name])[0]
        for column in layer.columns
        if column.name in frame
    }
    if GEOMETRY in frame:
        stored[GEOMETRY] = frame[GEOMETRY].iloc[0]
    return plain_record(layer.name, record_of(layer, stored))


def _gazetteer(store: Store) -> Gazetteer:
    """Read what a store knows of its city, once for each state."""
    key = (store.url, store.token(*_CITY_LAYERS))
    with _lock:
        known = _gazetteers.pop(key, None) or read_gazetteer(store)
        _gazetteers[key] = known
        while len(_gazetteers) > _KEPT:
            _gazetteers.pop(next(iter(_gazetteers)))
        return known
