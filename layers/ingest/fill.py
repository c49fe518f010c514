"""Filling what a record leaves out and its place or code tells; names brought to the city's own.

What a record states is never overwritten: where it and its polygon disagree, the check says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.errors import NotFoundError
from layers.catalog import Layer
from layers.ingest.units import plain
from layers.ingest.values import CellFault, is_blank
from layers.store import Store

WHOLE_CITY = "全市"
_INDUSTRY_COLUMNS = ("lead_industries", "industries", "industry")

Geometries = npt.NDArray[np.object_]
Cells = dict[str, list[Any]]  # the columns of a frame, completed in place


@dataclass(frozen=True)
class Gazetteer:
    """The names and polygons of a city that records refer to.

    Attributes
    ----------
    units
        Reporting units: `name`, `aliases`, `inside`, `division_codes`, `geometry`.
    towns
        Divisions of level town: `code`, `name`, `parent_code`, `geometry`.
    industries
        Plain spelling to the name of an industry.
    city_names
        Names of the city as a whole, which the unit of a table may be.
    """

    units: gpd.GeoDataFrame
    towns: gpd.GeoDataFrame
    industries: Mapping[str, str]
    city_names: tuple[str, ...]

    @property
    def unit_words(self) -> dict[str, str]:
        """Plain spelling to the name of a unit."""
        words: dict[str, str] = {}
        for name, aliases in zip(self.units["name"], self.units["aliases"], strict=True):
            words |= {plain(alias): str(name) for alias in aliases if plain(alias) not in words}
        return words | {plain(name): name for name in (*self.city_names, *self.units["name"])}

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
    """Read the names and polygons of a store's city."""
    divisions = store.read("divisions")
    industries: dict[str, str] = {}
    try:
        listed = store.rules("industries").body.get("industries", [])
    except NotFoundError:
        listed = []
    for industry in listed:
        words = (industry.get("key"), industry.get("name_en"), *industry.get("aliases", ()))
        for word in (*words, industry["name"]):
            industries[plain(str(word))] = industry["name"]
    city = store.meta("city") or {}
    names = tuple(filter(None, (WHOLE_CITY, city.get("name"), city.get("name_en"))))
    towns = divisions[divisions["level"] == "town"].reset_index(drop=True)
    return Gazetteer(store.read("reporting_units"), towns, industries, names)


@dataclass(frozen=True)
class Filled:
    """A frame completed, what is wrong with its names, and what was filled."""

    frame: pd.DataFrame
    faults: list[tuple[str, CellFault]]
    notes: list[str] = field(default_factory=list)


def fill_records(
    layer: Layer, frame: pd.DataFrame, geometry: Geometries, gazetteer: Gazetteer
) -> Filled:
    """Bring names to the city's own and fill unit, town and codes where they are missing.

    Parameters
    ----------
    layer
        The layer of the records.
    frame
        Columns of the layer, on the rows of the file.
    geometry
        Place of each record in the stored datum, or None.
    gazetteer
        Names and polygons of the city.

    Returns
    -------
    Filled
        A new frame; a unit that the city does not have is a fault.
    """
    names = {column.name for column in layer.columns}
    nothing = [None] * len(frame)
    cells = {name: list(frame[name]) if name in frame else list(nothing) for name in names}
    faults: list[tuple[str, CellFault]] = []
    notes: list[str] = []
    if layer.name == "divisions":
        notes += _fill_divisions(cells, frame.index)
    notes += _name_industries(cells, gazetteer)
    if "unit" in names and len(gazetteer.units):
        faults += _name_units(cells, frame.index, gazetteer)
        notes += _fill_units(cells, geometry, gazetteer)
    if "town_code" in names and len(gazetteer.towns):
        notes += _fill_towns(cells, geometry, gazetteer)
    columns = {
        column.name: pd.Series(cells[column.name], index=frame.index, dtype=object)
        for column in layer.columns
    }
    return Filled(pd.DataFrame(columns, index=frame.index), faults, notes)


# --- Units and industries --------------------------------------------------------------------


def _name_units(cells: Cells, rows: pd.Index, gazetteer: Gazetteer) -> list[tuple[str, CellFault]]:
    words = gazetteer.unit_words
    faults = []
    for position, stated in enumerate(cells["unit"]):
        if is_blank(stated):
            continue
        name = words.get(plain(str(stated)))
        if name is None:
            fix = f"give one of {'、'.join(gazetteer.units['name'])}, or leave it empty"
            fault = CellFault(int(rows[position]), "is no unit of the city", stated, fix)
            faults.append(("unit", fault))
        else:
            cells["unit"][position] = name
    return faults


def _fill_units(cells: Cells, geometry: Geometries, gazetteer: Gazetteer) -> list[str]:
    """Take the unit from the polygon that holds the record, the smallest where several do."""
    polygons = np.asarray(gazetteer.units.geometry.array)
    order = np.argsort(shapely.area(polygons), kind="stable")
    names = gazetteer.units["name"].to_numpy()[order]
    empty = np.array([is_blank(value) for value in cells["unit"]], dtype=bool)
    found = _holders(geometry, empty, polygons[order])
    for position, holders in found.items():
        cells["unit"][position] = names[holders[0]]
    return [f"unit: {len(found)} missing name(s) taken from the unit's polygon"] if found else []


def _name_industries(cells: Cells, gazetteer: Gazetteer) -> list[str]:
    """Bring names of industries to those of the rules; others stay as they are, and are told."""
    words = gazetteer.industries
    unknown: dict[str, None] = {}

    def name(text: str) -> str:
        found = words.get(plain(text))
        if found is None:
            unknown[text] = None
        return found or text

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return list(dict.fromkeys(name(item) for item in value))
        return value if is_blank(value) else name(str(value))

    if not words:
        return []
    for column in cells.keys() & set(_INDUSTRY_COLUMNS):
        cells[column] = [named(value) for value in cells[column]]
    told = "、".join(list(unknown)[:10]) + ("…" if len(unknown) > 10 else "")
    note = f"{len(unknown)} industry name(s) are not in the city's list and were kept: {told}"
    return [note] if unknown else []


# --- Towns -----------------------------------------------------------------------------------


def _fill_towns(cells: Cells, geometry: Geometries, gazetteer: Gazetteer) -> list[str]:
    """Take the town from its code, its name within the unit, or the polygon of the record."""
    towns = gazetteer.towns
    by_code = dict(zip(towns["code"], towns["name"], strict=True))
    prefixes = dict(zip(gazetteer.units["name"], gazetteer.units["division_codes"], strict=True))
    codes, units = cells["town_code"], cells["unit"]
    names = cells.get("town", [None] * len(codes))
    counts = {"name": 0, "polygon": 0}
    for position, (code, name) in enumerate(zip(codes, names, strict=True)):
        if is_blank(code) and not is_blank(name):
            own = _own(towns[towns["name"] == name], prefixes.get(units[position], ()))
            if len(own) == 1:
                codes[position] = own["code"].iloc[0]
                counts["name"] += 1
        elif is_blank(name) and code in by_code:
            names[position] = by_code[code]
    pairs = zip(codes, names, strict=True)
    empty = np.array([is_blank(code) and is_blank(name) for code, name in pairs], dtype=bool)
    for position, holders in _holders(geometry, empty, np.asarray(towns.geometry.array)).items():
        inside = towns.iloc[holders]
        own = _own(inside, prefixes.get(units[position], ()))
        chosen = (own if len(own) else inside).iloc[0]
        codes[position], names[position] = chosen["code"], chosen["name"]
        counts["polygon"] += 1
    return [
        f"town: {count} missing code(s) taken from the town's {source}"
        for source, count in counts.items()
        if count
    ]


def _own(towns: pd.DataFrame, prefixes: Sequence[str]) -> pd.DataFrame:
    """Keep the towns that belong to a unit made of divisions; all when it is not known."""
    if not len(prefixes):
        return towns
    starts = tuple(prefixes)
    pairs = zip(towns["code"], towns["parent_code"], strict=True)
    return towns[[str(code).startswith(starts) or parent in starts for code, parent in pairs]]


def _holders(
    geometry: Geometries, wanted: npt.NDArray[np.bool_], polygons: Geometries
) -> dict[int, list[int]]:
    """List by position the polygons that hold each wanted record, in the order of the polygons."""
    positions = np.flatnonzero(wanted & ~shapely.is_missing(geometry))
    found: dict[int, list[int]] = {}
    if not len(positions):
        return found
    tree = shapely.STRtree(polygons)
    inner = shapely.point_on_surface(geometry[positions])
    for record, polygon in sorted(zip(*tree.query(inner, predicate="intersects"), strict=True)):
        found.setdefault(int(positions[record]), []).append(int(polygon))
    return found


# --- Divisions -------------------------------------------------------------------------------


def read_code(code: str) -> tuple[str | None, str | None]:
    """Read level and parent from a division code (GB/T 2260 and GB/T 10114).

    >>> read_code("330302006"), read_code("330302"), read_code("330300")
    (('town', '330302'), ('county', '330300'), ('city', None))
    >>> read_code("330302006001"), read_code("330302000000"), read_code("x")
    (('village', '330302006'), ('county', '330300'), (None, None))
    """
    if not re.fullmatch(r"\d{6}|\d{9}|\d{12}", code):
        return None, None
    for length, level, parent in ((12, "village", code[:9]), (9, "town", code[:6])):
        if len(code) >= length and code[length - 3 : length] != "000":
            return level, parent
    return ("city", None) if code[4:6] == "00" else ("county", f"{code[:4]}00")


def _fill_divisions(cells: Cells, rows: pd.Index) -> list[str]:
    """Fill level and parent from the code; give a code of its own to a record without one.

    A code made up is the parent's with the record's id (or row) behind a hyphen, which no official
    code has.
    """
    below = {"city": "county", "county": "town", "town": "village"}
    made = []
    for position, (code, parent) in enumerate(
        zip(cells["code"], cells["parent_code"], strict=True)
    ):
        if is_blank(code) and not is_blank(parent):
            key = cells["id"][position]
            own = f"{parent}-{rows[position] if is_blank(key) else key}"
            cells["code"][position] = own
            made.append(f"{cells['name'][position]} {own}")
            level, above = below.get(read_code(str(parent))[0] or ""), parent
        else:
            level, above = read_code(str(code))
        cells["parent_code"][position] = above if is_blank(parent) else parent
        if is_blank(cells["level"][position]):
            cells["level"][position] = level
    if not made:
        return []
    told = "、".join(made[:10])
    return [f"{len(made)} division(s) without a code got the parent's with their id: {told}"]
