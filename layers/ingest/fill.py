"""Filling what a record leaves out and its place or code tells; names brought to the city's own.

What a record states is never overwritten: where it and its polygon disagree, the check says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from layers.catalog import Layer
from layers.ingest.gazetteer import Gazetteer, Vocabulary
from layers.ingest.units import plain
from layers.ingest.values import CellFault, is_blank

Geometries = npt.NDArray[np.object_]
Cells = dict[str, list[Any]]  # the columns of a frame, completed in place


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
    for name in cells.keys() & gazetteer.vocabularies.keys():
        wrong, told = _use_words(cells[name], frame.index, gazetteer.vocabularies[name])
        faults += [(name, fault) for fault in wrong]
        notes += told
    if "unit" in names and len(gazetteer.units):
        notes += _fill_units(cells, geometry, gazetteer)
    if layer.name == "industrial_towns":
        notes += _fill_towns(
            cells | {"town": cells["name"], "town_code": cells["code"]}, geometry, gazetteer
        )
    elif "town_code" in names and len(gazetteer.towns):
        notes += _fill_towns(cells, geometry, gazetteer)
    columns = {
        column.name: pd.Series(cells[column.name], index=frame.index, dtype=object)
        for column in layer.columns
    }
    return Filled(pd.DataFrame(columns, index=frame.index), faults, notes)


# --- Words and units ---------------------------------------------------------------------------


def _use_words(
    values: list[Any], rows: pd.Index, vocabulary: Vocabulary
) -> tuple[list[CellFault], list[str]]:
    """Bring names to the city's own; others are faults, or are kept and told."""
    faults: list[CellFault] = []
    unknown: dict[str, None] = {}
    words = vocabulary.words
    for position, value in enumerate(values):
        stated = value if isinstance(value, list) else [] if is_blank(value) else [str(value)]
        if not words or not stated:
            continue
        named = list(dict.fromkeys(words.get(plain(word), word) for word in stated))
        values[position] = named if isinstance(value, list) else named[0]
        others = [word for word in stated if plain(word) not in words]
        unknown |= dict.fromkeys(others)
        if others and vocabulary.strict:
            fix = f"give one of {'、'.join(vocabulary.examples)}"
            faults.append(
                CellFault(int(rows[position]), f"is no {vocabulary.what}", others[0], fix)
            )
    if vocabulary.strict or not unknown:
        return faults, []
    told = "、".join(list(unknown)[:10]) + ("…" if len(unknown) > 10 else "")
    what = f"{len(unknown)} {vocabulary.what} name(s) are not in the city's list and were kept"
    return faults, [f"{what}: {told}"]


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
    return towns.loc[[str(code).startswith(starts) or parent in starts for code, parent in pairs]]


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

    >>> read_code("110101001"), read_code("110101"), read_code("110100")
    (('town', '110101'), ('county', '110100'), ('city', None))
    >>> read_code("110101001001"), read_code("110101000000"), read_code("x")
    (('village', '110101001'), ('county', '110100'), (None, None))
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
