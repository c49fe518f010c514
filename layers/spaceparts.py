"""What a space takes over: from its incubator, and from the parts of the city around it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
import shapely

from geo.columns import Coded, Codes, Columns, Rows, encode
from geo.frames import polygons, texts
from geo.parts import Parts, choose_version, code_sets
from geo.units import index_units
from layers.arrays import texts_of
from layers.catalog import Column
from layers.catalog import layer as find_layer
from layers.query import Query
from layers.store import Store

_OF_INCUBATOR = {"name": "incubator_name", "level": "level"}
_ROUGH = ("town", "unit")  # such a place lies in no polygon for sure


def _like(layer: str, column: str, name: str, zh: str, en: str) -> Column:
    like = find_layer(layer).column(column)
    return Column(name, like.kind, zh, en, choices=like.choices)


DERIVED: tuple[Column, ...] = (
    _like("incubators", "name", "incubator_name", "孵化器名称", "Name of the incubator"),
    _like("incubators", "level", "level", "级别", "Level"),
    _like("structure", "role", "role", "空间结构", "Role in the structure"),
    Column("zones", "list", "功能片区", "Zones"),
)


def derive_columns(store: Store, own: Columns) -> dict[str, Coded]:
    """Return the columns that spaces take over.

    Parameters
    ----------
    store
        The store.
    own
        The spaces.

    Returns
    -------
    dict
        `incubator_name` and `level` of the incubator; `role` of the part of the structure that the
        space lies in, or that names its town's or unit's code; `zones` whose outline is around it.
    """
    return {**_of_incubators(store, own), **_of_parts(store, own)}


def _of_incubators(store: Store, own: Columns) -> dict[str, Coded]:
    incubators = store.read("incubators", Query(columns=list(_OF_INCUBATOR)))
    owner = own.coded["incubator"]
    found = {}
    for name, kept in _OF_INCUBATOR.items():
        of = dict(zip(incubators["id"], texts_of(incubators[name]), strict=True))
        found[kept] = _spread(owner.codes, [of.get(value) for value in owner.known])
    return found


def _of_parts(store: Store, own: Columns) -> dict[str, Coded]:
    """Ask of every different place, town and unit, not of every record."""
    names = ("town_code", "unit", "geom_precision")
    asked = pd.DataFrame({"lon": own.lon, "lat": own.lat, **{n: own.coded[n].codes for n in names}})
    # Each combination by the number in which it first comes.
    which = asked.groupby([*asked], sort=False, dropna=False).ngroup().to_numpy().astype(np.int32)
    first = np.unique(which, return_index=True)[1].astype(np.int64)
    town, unit, precision = (_values(own.coded[name], first) for name in names)
    points = np.asarray(shapely.points(own.lon[first], own.lat[first]), dtype=object)
    rough = np.array([word in _ROUGH for word in precision], dtype=np.bool_)
    points[rough | np.isnan(own.lon[first])] = None
    units = index_units(store.read("reporting_units"))
    reading = choose_version(store.read("structure"), pd.Timestamp(_today()), None)
    codes = code_sets(town, [units.find(word) for word in unit], units)
    roles = Parts(reading, units).find_roles(points, codes)
    zones = store.read("zones")
    inside: list[list[str]] = [[] for _ in points]
    for name, outline in zip(texts(zones, "name"), polygons(zones), strict=True):
        if name is not None and outline is not None:
            for row in np.flatnonzero(shapely.intersects(outline, points)):
                inside[row].append(name)
    return {
        "role": _spread(which, roles),
        "zones": _spread(which, [tuple(sorted(names)) or None for names in inside]),
    }


def _values(coded: Coded, rows: Rows) -> list[str | None]:
    return [None if code < 0 else coded.known[code] for code in coded.codes[rows].tolist()]


def _spread(codes: Codes, values: Sequence[Hashable | None]) -> Coded:
    """Give records the values of their codes, -1 for none."""
    short = encode([*values, None])
    return Coded(short.codes[codes], short.known)


def _today() -> dt.date:
    return dt.datetime.now(tz=dt.UTC).astimezone().date()
