"""The names and polygons of a city that records refer to, and the words for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import NotFoundError
from layers.ingest.units import plain
from layers.query import Query
from layers.store import Store

Geometries = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Vocabulary:
    """The words under which files name the values of a column.

    Attributes
    ----------
    words
        Plain spelling to the value.
    strict
        Whether other words are faults; else they are kept and told.
    examples
        Values to show to a user who wrote another.
    what
        What a value is, for messages.
    labels
        The Chinese and the English word of each value, to offer and to show.
    """

    words: Mapping[str, str]
    strict: bool
    examples: tuple[str, ...]
    what: str
    labels: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Gazetteer:
    """What a store knows of its city.

    Attributes
    ----------
    units
        Reporting units: `name`, `aliases`, `inside`, `division_codes`, `geometry`.
    towns
        Divisions of level town: `code`, `name`, `parent_code`, `geometry`.
    incubators
        `id`, `name`, `geometry` of the incubators, for what belongs to one.
    vocabularies
        The words of a column, by its name in any layer.
    city_names
        Names of the city as a whole, which the unit of a table may be.
    """

    units: gpd.GeoDataFrame
    towns: gpd.GeoDataFrame
    incubators: gpd.GeoDataFrame
    vocabularies: Mapping[str, Vocabulary]
    city_names: tuple[str, ...]

    @property
    def city_areas(self) -> Geometries:
        """The polygons that make up the city: of its units, else of its towns."""
        for frame in (self.units, self.towns):
            placed = frame.geometry[frame.geometry.notna()]
            if len(placed):
                return np.asarray(placed.array)
        return np.array([], dtype=object)

    @property
    def areas(self) -> dict[str, shapely.Geometry]:
        """Name of a unit, or code or unambiguous name of a town, to its polygon."""
        towns = self.towns[self.towns.geometry.notna()]
        single = towns[~towns["name"].duplicated(keep=False)]
        units = self.units[self.units.geometry.notna()]
        return {
            **dict(zip(single["name"], single.geometry, strict=True)),
            **dict(zip(towns["code"], towns.geometry, strict=True)),
            **dict(zip(units["name"], units.geometry, strict=True)),
        }


def read_gazetteer(store: Store) -> Gazetteer:
    """Read what a store knows of its city: units, towns, incubators and the words of its rules."""
    units = store.read("reporting_units")
    divisions = store.read("divisions", Query(where={"level": "town"}))
    incubators = store.read("incubators", Query(columns=["id", "name", "geometry"]))
    city = store.meta("city") or {}
    total = _rules(store, "targets").get("total_unit")
    city_names = tuple(filter(None, (total, city.get("name"), city.get("name_en"))))
    industries = _listed(_rules(store, "industries").get("industries", ()), value="name")
    vocabularies = {
        "unit": _units(units, city_names),
        "lead_industries": Vocabulary(
            industries, False, (), "industry", _labels(_rules(store, "industries"), "industries")
        ),
        "category": _keyed(store, "amenities", "categories", what="category", strict=True),
        "indicator": _keyed(store, "targets", "indicators", what="indicator", strict=False),
        "incubator": _incubators(incubators),
    }
    for column in ("industries", "industry"):
        vocabularies[column] = vocabularies["lead_industries"]
    return Gazetteer(units, divisions, incubators, vocabularies, city_names)


def _rules(store: Store, name: str) -> Mapping[str, Any]:
    try:
        return store.rules(name).body
    except NotFoundError:
        return {}


def _listed(entries: Iterable[Mapping[str, Any]], *, value: str) -> dict[str, str]:
    """Words of the entries of a rule: their key, names and aliases; the value's own beat others."""
    words: dict[str, str] = {}
    own: dict[str, str] = {}
    for entry in entries:
        named = (entry.get(word) for word in ("key", "name", "name_en", "zh", "en"))
        for word in (*named, *entry.get("aliases", ())):
            if word:
                words.setdefault(plain(str(word)), str(entry[value]))
        own[plain(str(entry[value]))] = str(entry[value])
    return words | own


def _keyed(store: Store, rule: str, entries: str, *, what: str, strict: bool) -> Vocabulary:
    listed = _rules(store, rule).get(entries, ())
    examples = tuple(str(entry.get("zh") or entry["key"]) for entry in listed)
    labels = _labels(_rules(store, rule), entries)
    return Vocabulary(_listed(listed, value="key"), strict, examples, what, labels)


def _labels(rule: Mapping[str, Any], entries: str) -> dict[str, tuple[str, str]]:
    """Return the words of each entry of a rule: by its key, or by its name where that is stored."""
    found: dict[str, tuple[str, str]] = {}
    for entry in rule.get(entries, ()):
        value = entry["name"] if "name" in entry else entry["key"]
        chinese = str(entry.get("zh") or entry.get("name") or value)
        found[str(value)] = chinese, str(entry.get("en") or entry.get("name_en") or chinese)
    return found


def _units(units: gpd.GeoDataFrame, city_names: tuple[str, ...]) -> Vocabulary:
    words: dict[str, str] = {}
    for name, aliases in zip(units["name"], units["aliases"], strict=True):
        for alias in aliases:
            words.setdefault(plain(alias), str(name))
    if len(units):
        words |= {plain(name): str(name) for name in (*city_names, *units["name"])}
    labels = {
        str(name): (str(name), english if isinstance(english, str) else str(name))
        for name, english in zip(units["name"], units["name_en"], strict=True)
    }
    for name in city_names[:1] if len(units) else ():
        labels[name] = (name, name)
    return Vocabulary(words, True, tuple(units["name"]), "unit of the city", labels)


def _incubators(incubators: gpd.GeoDataFrame) -> Vocabulary:
    """Ids, and names that only one incubator bears."""
    single = incubators[~incubators["name"].duplicated(keep=False)]
    words = {plain(name): str(key) for name, key in zip(single["name"], single["id"], strict=True)}
    words |= {plain(key): str(key) for key in incubators["id"]}
    examples = tuple(incubators["id"][:3])
    own = dict(zip(single["id"], single["name"], strict=True))
    labels = {str(key): (str(own.get(key, key)),) * 2 for key in incubators["id"]}
    return Vocabulary(words, True, examples, "id or unambiguous name of an incubator", labels)
