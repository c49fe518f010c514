"""A layer as column arrays, held by each worker for as long as the layer does not change.

Reading 100,000 records takes seconds, asking arrays about them less than a millisecond. What is
held is keyed by the version token of the layers behind it, so that an edit is seen by the next
question.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely

from geo.columns import Coded, Columns, Flags, Floats, Rows, encode
from geo.textindex import TextIndex, index_texts
from layers.catalog import Column
from layers.catalog import layer as find_layer
from layers.query import Query
from layers.store import Store

_KEPT = 4  # tables a process holds
_DIGITS = 6  # decimals of a degree: 0.1 m
_FEATURES_KEPT = 200_000  # records kept as JSON

# What a space takes over from its incubator, and the column it is kept in.
_OF_INCUBATOR = {"name": "incubator_name", "level": "level"}
# What a search by text looks into.
SEARCHED = ("name", "industries", "address", "incubator_name", "town", "unit")


@dataclass(frozen=True, eq=False)
class SpaceTable:
    """The spaces of a store as arrays, with what is worked out of them once.

    Parameters
    ----------
    token
        The state of the layers that it was read from.
    columns
        The arrays. `level` and `incubator_name` come from the incubator.
    declared
        The public columns, for writing records.
    """

    token: str
    columns: Columns
    declared: tuple[Column, ...]
    _features: dict[int, bytes] = field(default_factory=dict, repr=False)
    _found: dict[str, dict[str, Flags]] = field(default_factory=dict, repr=False)

    def feature(self, row: int) -> bytes:
        """Return a record as a GeoJSON feature of its public columns."""
        made = self._features.get(row)
        if made is None:
            made = orjson.dumps(self._feature(row))
            if len(self._features) < _FEATURES_KEPT:
                self._features[row] = made
        return made

    def properties(self, row: int) -> dict[str, Any]:
        """Return the public columns of a record that it has a value of."""
        columns = self.columns
        said: dict[str, Any] = {"id": columns.ids[row]}
        for column in self.declared:
            name = column.name
            if name in columns.numbers:
                number = float(columns.numbers[name][row])
                if number == number:  # noqa: PLR0124 - NaN differs from itself
                    said[name] = _plain(column, number)
            elif name in columns.coded:
                coded = columns.coded[name]
                code = int(coded.codes[row])
                if code >= 0:
                    value = coded.known[code]
                    said[name] = list(value) if isinstance(value, tuple) else value
        return said

    def _feature(self, row: int) -> dict[str, Any]:
        lon, lat = float(self.columns.lon[row]), float(self.columns.lat[row])
        point = {"type": "Point", "coordinates": [round(lon, _DIGITS), round(lat, _DIGITS)]}
        said = self.properties(row)
        for name in _OF_INCUBATOR.values():
            coded = self.columns.coded[name]
            if coded.codes[row] >= 0:
                said[name] = coded.known[coded.codes[row]]
        return {
            "type": "Feature",
            "id": said["id"],
            "properties": said,
            "geometry": point if lon == lon else None,  # noqa: PLR0124 - NaN
        }

    def word(self, column: str, row: int) -> str:
        """Return the text of a record; empty where it has none."""
        coded = self.columns.coded[column]
        code = int(coded.codes[row])
        return str(coded.known[code]) if code >= 0 else ""

    def find_text(self, word: str) -> dict[str, Flags]:
        """Tell for each column searched which of its values hold a word."""
        found = self._found.get(word)
        if found is None:
            found = {name: index.find(word) for name, index in self._texts.items()}
            if len(self._found) < 1_000:
                self._found[word] = found
        return found

    @cached_property
    def _texts(self) -> dict[str, TextIndex]:
        coded = self.columns.coded
        return {
            name: index_texts([" ".join(coded[name].parts(v)) for v in coded[name].known])
            for name in SEARCHED
        }

    @cached_property
    def demo(self) -> Flags:
        """Which records are demo records."""
        provenance = self.columns.coded["provenance"]
        allowed = provenance.matching(lambda value: value == "demo")
        return np.asarray(allowed[provenance.codes])

    @cached_property
    def places(self) -> tuple[Rows, Floats, Floats]:
        """The different places: which one each record is at (-1 for none), and their degrees."""
        lon, lat = self.columns.lon, self.columns.lat
        known = np.isfinite(lon)
        at = np.full(len(lon), -1, dtype=np.int64)
        places, where = np.unique(
            np.column_stack([lon[known], lat[known]]), axis=0, return_inverse=True
        )
        at[known] = where.reshape(-1)
        return at, places[:, 0], places[:, 1]


_tables: dict[tuple[str, str], SpaceTable] = {}
_lock = threading.Lock()


def space_table(store: Store) -> SpaceTable:
    """Return the spaces of a store as it stands now, as arrays.

    The same object for as long as neither spaces nor incubators change.
    """
    key = (store.url, store.token("spaces", "incubators"))
    with _lock:
        table = _tables.pop(key, None) or _read_table(store, key[1])
        _tables[key] = table  # the last asked stands last
        while len(_tables) > _KEPT:
            _tables.pop(next(iter(_tables)))
        return table


def _read_table(store: Store, token: str) -> SpaceTable:
    declared = find_layer("spaces").public_columns
    names = [column.name for column in declared]
    frame = store.read("spaces", Query(columns=[*names, "geometry"]))
    columns = column_arrays(gpd.GeoDataFrame(frame), declared)
    incubators = store.read("incubators", Query(columns=list(_OF_INCUBATOR)))
    coded = dict(columns.coded)
    for name, kept in _OF_INCUBATOR.items():
        of = dict(zip(incubators["id"], _texts_of(incubators[name]), strict=True))
        owner = coded["incubator"]
        values = [of.get(value) for value in owner.known]
        coded[kept] = encode([values[code] if code >= 0 else None for code in owner.codes.tolist()])
    return SpaceTable(
        token,
        Columns(columns.ids, columns.lon, columns.lat, columns.numbers, coded),
        tuple(column for column in declared if column.name != "id"),
    )


def column_arrays(frame: gpd.GeoDataFrame, declared: Sequence[Column]) -> Columns:
    """Turn the records of a layer into arrays.

    Parameters
    ----------
    frame
        Records as a store reads them; a shape that is no point counts as its inner point.
    declared
        Its columns; those that hold JSON are left out.
    """
    frame = gpd.GeoDataFrame(frame.sort_values("id", kind="stable"))
    shapes = np.asarray(frame.geometry.array, dtype=object)
    points = shapely.point_on_surface(shapes)
    numbers: dict[str, Floats] = {}
    coded: dict[str, Coded] = {}
    for column in declared:
        values = frame[column.name]
        match column.kind:
            case "number" | "integer":
                numbers[column.name] = values.to_numpy(dtype=np.float64, na_value=np.nan)
            case "date":
                numbers[column.name] = days_of(values)
            case "list":
                coded[column.name] = encode([tuple(value) if value else None for value in values])
            case "boolean":
                coded[column.name] = encode(
                    [None if pd.isna(value) else bool(value) for value in values]
                )
            case "text" if column.name != "id":
                coded[column.name] = encode(_texts_of(values))
    return Columns(tuple(frame["id"]), shapely.get_x(points), shapely.get_y(points), numbers, coded)


def days_of(values: pd.Series) -> Floats:
    """Return dates as days since 1970; NaN where missing."""
    days = values.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64)).astype(np.float64)


def _texts_of(values: pd.Series) -> list[str | None]:
    missing = values.isna().to_numpy()
    return [None if gone else value for value, gone in zip(values.tolist(), missing, strict=True)]


def _plain(column: Column, number: float) -> Any:
    if column.kind == "date":
        return str(np.datetime64(int(number), "D"))
    return int(number) if column.kind == "integer" else number
