"""Which incubator stands in which town: by the town's outline, else by the words of its record.

The outline decides where a point is precise enough to be asked. A point on a boundary lies in both
towns. A record that names another town than its point lies in is reported, and the point holds;
only where the named town has no outline, and the point lies in no other town asked about, the
record holds: the map does not know the town.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.frames import points, polygons, texts
from geo.units import UnitIndex, short_code

# Degrees, about 0.1 mm: a point on a slanting boundary is never on it to the last digit.
_ON_EDGE = 1e-9

POLYGON, DECLARED, DISTANCE = "polygon", "declared", "distance"


@dataclass(frozen=True)
class Place:
    """A town, or a unit that is its own town, with its outline where known.

    `listed` tells the towns asked about from those that only lie around them.
    """

    code: str
    name: str
    unit: str | None
    outline: Any = None
    is_unit: bool = False
    listed: bool = True


@dataclass(frozen=True)
class BoundaryCase:
    """An incubator on the boundary of towns: it counts for each of them."""

    id: str
    towns: tuple[str, ...]


@dataclass(frozen=True)
class Disagreement:
    """An incubator whose record names another town than the one its point lies in.

    `polygon` holds the codes of the towns around the point, none when it lies in no town known;
    `counted` the codes of the towns that it counts for.
    """

    id: str
    record: str
    polygon: tuple[str, ...]
    counted: tuple[str, ...]


@dataclass(frozen=True)
class Locations:
    """`found` maps the code of a town to the incubators in it and what says so."""

    found: Mapping[str, Mapping[str, str]]
    boundary: tuple[BoundaryCase, ...]
    disagreements: tuple[Disagreement, ...]

    @property
    def placed(self) -> frozenset[str]:
        """The incubators that stand in some town."""
        return frozenset(key for members in self.found.values() for key in members)


def locate(incubators: pd.DataFrame, places: Sequence[Place], units: UnitIndex) -> Locations:
    """Find the towns of each incubator.

    Parameters
    ----------
    incubators
        Records in the order of their ids, points in EPSG:4490. A point of precision `unit` is never
        asked which town it lies in (only which unit that is its own town); one of precision `town`
        stands for the whole town that its record names, and so lies in the outline of that.
    places
        All towns known, each code once.
    units
        The reporting units.

    Returns
    -------
    Locations
        Towns by outline where the point lies in any, else by the record.
    """
    inside, touching = _places_of_points(incubators, places)
    declared = _declared_places(incubators, places, units)
    outlined = {place.code for place in places if place.outline is not None}
    listed = {place.code for place in places if place.listed}
    precisions = texts(incubators, "geom_precision")
    found: dict[str, dict[str, str]] = defaultdict(dict)
    boundary, disagreements = [], []
    for row, key in enumerate(incubators["id"].tolist()):
        located, named, precision = inside[row], declared[row], precisions[row]
        rough = precision in ("unit", "town")
        if precision == "town" and named is not None and named not in located:
            located = (named,) if named in outlined else ()
        unknown = named in listed - outlined and listed.isdisjoint(located)
        by_outline = bool(located) and not unknown
        towns = located if by_outline else (named,) if named is not None else ()
        for code in towns:
            found[code][key] = POLYGON if by_outline else DECLARED
        if touching[row] and located == inside[row]:
            boundary.append(BoundaryCase(key, located))
        outside = not located and named in outlined and not rough
        if named is not None and ((located and named not in located) or outside):
            disagreements.append(Disagreement(key, named, located, towns))
    return Locations(dict(found), tuple(boundary), tuple(disagreements))


def _places_of_points(
    incubators: pd.DataFrame, places: Sequence[Place]
) -> tuple[list[tuple[str, ...]], list[bool]]:
    """Return the codes of the towns around each point, and whether it is on a boundary."""
    outlined = [place for place in places if place.outline is not None]
    outlines = np.array([place.outline for place in outlined], dtype=object)
    places_of: list[list[str]] = [[] for _ in range(len(incubators))]
    on_edge = [False] * len(incubators)
    where = points(incubators)
    coarse = [precision == "unit" for precision in texts(incubators, "geom_precision")]
    rows, shapes = shapely.STRtree(outlines).query(where, predicate="dwithin", distance=_ON_EDGE)
    touches = shapely.dwithin(where[rows], shapely.boundary(outlines)[shapes], _ON_EDGE)
    for row, shape, touch in zip(rows, shapes, touches, strict=True):
        if coarse[row] and not outlined[shape].is_unit:
            continue
        places_of[row].append(outlined[shape].code)
        on_edge[row] |= bool(touch)
    return [tuple(sorted(codes)) for codes in places_of], on_edge


def _declared_places(
    incubators: pd.DataFrame, places: Sequence[Place], units: UnitIndex
) -> list[str | None]:
    """Return the code of the town that each record names, by code, by name or by its unit."""
    by_name: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        by_name[place.name].append(place)
    unit_towns = {place.unit: place.code for place in places if place.is_unit}
    codes = {place.code for place in places}
    columns = (texts(incubators, name) for name in ("town_code", "town", "unit"))
    return [
        _town_of_code(code, codes)
        if code is not None
        else _town_of_words(name, units.find(unit), by_name=by_name, unit_towns=unit_towns)
        for code, name, unit in zip(*columns, strict=True)
    ]


def _town_of_code(code: str, towns: AbstractSet[str]) -> str:
    """Return the town that a code names, or lies in where it is of a village."""
    short = short_code(code)
    beginnings = (short[:length] for length in range(len(short), 0, -1))
    return next((part for part in beginnings if part in towns), short)


def _town_of_words(
    name: str | None,
    unit: str | None,
    *,
    by_name: Mapping[str, Sequence[Place]],
    unit_towns: Mapping[str | None, str],
) -> str | None:
    """Return the one town of that name in the unit, or the unit that is its own town."""
    namesakes = [
        place.code
        for place in by_name.get(name or "", ())
        if unit is None or place.unit is None or place.unit == unit
    ]
    if len(namesakes) == 1:
        return namesakes[0]
    return None if namesakes or unit is None else unit_towns.get(unit)


def list_places(
    towns: Sequence[Place], divisions: pd.DataFrame | None, units: UnitIndex
) -> list[Place]:
    """List the towns asked about and every other town of the divisions, each code once."""
    asked = {town.code for town in towns}
    others = () if divisions is None else _town_divisions(divisions, units)
    return [*towns, *{place.code: place for place in others if place.code not in asked}.values()]


def _town_divisions(divisions: pd.DataFrame, units: UnitIndex) -> Iterator[Place]:
    columns = (texts(divisions, name) for name in ("code", "name", "level"))
    outlines = outlines_by_code(divisions)
    for code, name, level in zip(*columns, strict=True):
        if code is None or level not in ("town", None):
            continue
        short = short_code(code)
        if level is None and len(short) != 9:  # township codes of GB/T 2260 have nine digits
            continue
        unit = units.find_by_code(short)
        yield Place(short, name or short, unit, outlines.get(short), listed=False)


def outlines_by_code(divisions: pd.DataFrame | None) -> dict[str, Any]:
    """Map the code of each division to its polygon."""
    if divisions is None:
        return {}
    return {
        short_code(code): outline
        for code, outline in zip(texts(divisions, "code"), polygons(divisions), strict=True)
        if code is not None and outline is not None
    }
