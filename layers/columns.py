"""The spaces as column arrays, held by each worker and kept in step with the store.

Reading 100,000 records takes seconds, asking arrays about them less than a millisecond. What is
held is keyed by the version token of the layers behind it, so that an edit is seen by the next
question; of an edit only the records that it wrote are read again.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import orjson

from geo.bundles import Bundle, Tally, bundle_columns, tally_columns
from geo.columns import Coded, Columns, Flags, Floats, Rows, Slim, merge_columns, slim_codes
from geo.spacefinder import ByCode
from geo.textindex import TextIndex, index_texts
from layers.arrays import column_arrays
from layers.catalog import Column
from layers.catalog import layer as find_layer
from layers.features import Features
from layers.query import Query
from layers.spaceparts import DERIVED, derive_columns
from layers.store import Bookmark, Store

_KEPT = 4  # tables a process holds
_WORDS_KEPT = 500
_SHORTEST_SPOKEN = 3  # letters of a piece of pinyin: fewer are in almost every text
_LAYERS = ("spaces", "incubators", "reporting_units", "structure", "zones", "meta")

# What a search by text looks into.
SEARCHED = ("name", "industries", "address", "incubator_name", "town", "unit")
# The columns whose choices are counted.
COUNTED = (
    "unit", "town", "level", "role", "zones", "stages", "industries", "services", "kind", "status",
    "water", "gas", "exhaust", "lab_grade",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SpaceTable:
    """The spaces of a store as arrays, with what is worked out of them once.

    Parameters
    ----------
    token
        The state of the layers that it was read from.
    columns
        The arrays. `level` and `incubator_name` come from the incubator, `role` and `zones` from
        the parts of the city around it.
    features
        Writes its records.
    own
        The columns of the layer itself, as they were read.
    bookmark
        How far the edits of the layer had come; None through a scenario.
    around
        The state of all that the other columns come from.
    """

    token: str
    columns: Columns
    features: Features
    own: Columns
    bookmark: Bookmark | None
    around: str
    _found: dict[str, ByCode] = field(default_factory=dict, repr=False)

    def properties(self, row: int) -> dict[str, Any]:
        """Return the public columns of a record that it has a value of."""
        (feature,) = self.features.write([row])
        said: dict[str, Any] = orjson.loads(feature)["properties"]
        return said

    def word(self, column: str, row: int) -> str:
        """Return the text of a record; empty where it has none."""
        coded = self.columns.coded[column]
        code = int(coded.codes[row])
        return str(coded.known[code]) if code >= 0 else ""

    def find_text(self, word: str) -> ByCode:
        """Tell which values of the columns searched hold a word, as codes of the records."""
        found = self._found.get(word)
        if found is None:
            found = ByCode(tuple(self._find(word)), lasting=True)
            if len(self._found) < _WORDS_KEPT:
                self._found[word] = found
        return found

    def part_word(self, word: str) -> tuple[str, ...]:
        """Part a word that nothing holds as it stands into the longest pieces that something holds.

        The names of the records are the dictionary: 瓯海实验室 becomes 瓯海 and 实验室, the one of
        a unit, the other of a space. What cannot be parted stays whole, and is not found.
        """
        if self.find_text(word).parts:
            return (word,)
        pieces, rest = [], word
        while rest:
            shortest = _SHORTEST_SPOKEN if rest[0].isascii() else 1
            lengths = range(len(rest), shortest - 1, -1)
            held = next((length for length in lengths if self.find_text(rest[:length]).parts), 0)
            if not held:
                return (word,)
            pieces.append(rest[:held])
            rest = rest[held:]
        return tuple(pieces) if any(len(piece) > 1 for piece in pieces) else (word,)

    def _find(self, word: str) -> list[tuple[Slim, Flags]]:
        parts = []
        for bundle in self._searched:
            allowed = np.zeros(bundle.size, dtype=np.bool_)
            for column in bundle.of:
                held = self._texts[column].find(word)
                if held.any():
                    allowed |= bundle.spread(column, np.append(held, False))
            if allowed.any():
                parts.append((bundle.codes, allowed))
        return parts

    @cached_property
    def _texts(self) -> dict[str, TextIndex]:
        coded = self.columns.coded
        return {
            name: index_texts([" ".join(coded[name].parts(v)) for v in coded[name].known])
            for name in SEARCHED
        }

    @cached_property
    def _searched(self) -> tuple[Bundle, ...]:
        coded = self.columns.coded
        fewest = sorted(SEARCHED, key=lambda name: len(coded[name].known))
        return bundle_columns(coded, fewest)

    @cached_property
    def tally(self) -> Tally:
        """Counts the choices of every column that has any."""
        return tally_columns(self.columns.coded, COUNTED)

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
        places, where = np.unique(lon[known] + 1j * lat[known], return_inverse=True)
        at[known] = where.reshape(-1)
        return at, places.real.copy(), places.imag.copy()

    def at_places(self, inside: Flags) -> tuple[Slim, Flags]:
        """Return what holds of places as codes of the records; of those without place, not."""
        return self._at, np.append(inside, False)

    @cached_property
    def _at(self) -> Slim:
        at, lon, _ = self.places
        return slim_codes(at, len(lon))

    def warm_up(self) -> None:
        """Work out what the first questions would have to wait for."""
        self.find_text("a")
        _ = self.tally, self.demo, self.places
        for column in ("lon", "lat"):
            self.columns.ranked(column)
        self.features.warm_up()


_tables: dict[tuple[str, str], SpaceTable] = {}
_lock = threading.Lock()


def space_table(store: Store) -> SpaceTable:
    """Return the spaces of a store as it stands now, as arrays.

    The same object for as long as nothing behind it changes.
    """
    key = (store.url, _token(store))
    kept = _tables.get(key)
    if kept is not None:
        return kept
    with _lock:
        kept = _tables.pop(key, None)
        if kept is None:
            before = _latest(store)
            kept = _make_table(store, key[1], before)
            if before is not None:
                _tables.pop((store.url, before.token), None)
        _tables[key] = kept
        while len(_tables) > _KEPT:
            _tables.pop(next(iter(_tables)))
        return kept


def table_at_hand(store: Store) -> SpaceTable | None:
    """Return the spaces where they are held as they stand now, so that asking takes no time."""
    return _tables.get((store.url, _token(store)))


def _latest(store: Store) -> SpaceTable | None:
    """Return the spaces of a store as they stood before; nothing for a scenario, read but once."""
    if store.lens is not None:
        return None
    held = (one for (url, _), one in _tables.items() if url == store.url and one.bookmark)
    return max(held, key=lambda one: one.bookmark.version if one.bookmark else 0, default=None)


def _token(store: Store) -> str:
    # Readings of the structure come into force on a day.
    return f"{store.token(*_LAYERS)} {time.strftime('%Y-%m-%d')}"


def _make_table(store: Store, token: str, before: SpaceTable | None) -> SpaceTable:
    around = f"{store.token(*_LAYERS[1:])} {token.rpartition(' ')[2]}"
    # Read first: what is written meanwhile is read once more next time, never left out.
    bookmark = store.bookmark("spaces") if store.lens is None else None
    since = before and before.bookmark
    changed = store.changed_since("spaces", since) if since else None
    declared = tuple(c for c in find_layer("spaces").public_columns if c.kind != "json")
    if before is None or changed is None:
        own, kept = _read(store, declared, None), {}
    else:
        gone = set(changed)
        own = before.own
        if changed:
            own = merge_columns(own, _read(store, declared, changed), changed)
        same = before.features.kept if before.around == around else {}
        kept = {key: feature for key, feature in same.items() if key not in gone}
    derived = derive_columns(store, own)
    columns = Columns(own.ids, own.lon, own.lat, own.numbers, {**own.coded, **derived})
    written = (*(column for column in declared if column.name != "id"), *DERIVED)
    table = SpaceTable(token, columns, Features(columns, written, kept), own, bookmark, around)
    if before is not None:
        _take_over(table, before)
    return table


def _read(store: Store, declared: tuple[Column, ...], ids: tuple[str, ...] | None) -> Columns:
    query = Query(columns=[*(column.name for column in declared), "geometry"], ids=ids)
    return column_arrays(gpd.GeoDataFrame(store.read("spaces", query)), declared)


def _take_over(table: SpaceTable, before: SpaceTable) -> None:
    """Keep what was worked out of texts where those are the same as before."""
    if "_texts" not in vars(before):
        return
    new, old = table.columns.coded, before.columns.coded
    texts = vars(before)["_texts"]
    # A cached property keeps its value in the dictionary of its object.
    vars(table)["_texts"] = {
        name: texts[name] if new[name].known == old[name].known else _index(new[name])
        for name in SEARCHED
    }


def _index(coded: Coded) -> TextIndex:
    return index_texts([" ".join(coded.parts(value)) for value in coded.known])
