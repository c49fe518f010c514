"""Industrial towns: those listed, and the units that have no towns and are one themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.frames import lists, numbers, points, polygons, texts
from geo.locate import Place, outlines_by_code
from geo.units import UnitIndex, short_code


@dataclass(frozen=True)
class Town:
    """A town asked about, and where distances to it are measured from.

    `measured_from` is `seat` (its point) or `middle` (of its outline).
    """

    place: Place
    seat: Any
    measured_from: str
    status: str | None
    list_name: str | None
    lead_industries: tuple[str, ...]


def list_towns(
    towns: pd.DataFrame, units: pd.DataFrame, divisions: pd.DataFrame | None, index: UnitIndex
) -> list[Town]:
    """List the towns asked about, and the units that are their own town.

    Parameters
    ----------
    towns, units, divisions
        Records of `industrial_towns`, `reporting_units` and `divisions`.
    index
        `index_units(units)`.

    Returns
    -------
    list
        In the order of units, then codes; each code once.
    """
    outlines = outlines_by_code(divisions)
    listed = [*_recorded_towns(towns, outlines, units, index)]
    codes = {town.place.code for town in listed}
    listed += [
        town for town in _units_as_towns(units, outlines, index) if town.place.code not in codes
    ]
    return sorted(
        listed, key=lambda t: (index.rank(t.place.unit), t.place.unit or "", t.place.code)
    )


def _recorded_towns(
    towns: pd.DataFrame, outlines: Mapping[str, Any], units: pd.DataFrame, index: UnitIndex
) -> Iterable[Town]:
    unit_outlines = _unit_outlines(units, outlines)
    bare_codes = {index.own_codes.get(unit) for unit in index.without_towns}
    columns = [texts(towns, name) for name in ("code", "name", "unit", "status", "list_name")]
    own, seats, industries = polygons(towns), points(towns), lists(towns, "lead_industries")
    for row, (code, name, unit, status, list_name) in enumerate(zip(*columns, strict=True)):
        short = short_code(code or "")
        known = index.find(unit) or unit or index.find_by_code(short)
        outline = own[row] if own[row] is not None else outlines.get(short)
        is_unit = short in bare_codes
        if outline is None and is_unit:
            outline = unit_outlines.get(known or "")
        seat, measured_from = _seat(seats[row], outline)
        place = Place(short, name or short, known, outline, is_unit)
        yield Town(place, seat, measured_from, status, list_name, tuple(industries[row]))


def _units_as_towns(
    units: pd.DataFrame, outlines: Mapping[str, Any], index: UnitIndex
) -> Iterable[Town]:
    unit_outlines = _unit_outlines(units, outlines)
    lons, lats = numbers(units, "centre_lon"), numbers(units, "centre_lat")
    for lon, lat, unit in zip(lons, lats, texts(units, "name"), strict=True):
        if unit is None or unit not in index.without_towns:
            continue
        centre = shapely.Point(lon, lat) if np.isfinite(lon + lat) else None
        outline = unit_outlines.get(unit)
        seat, measured_from = _seat(centre, outline)
        place = Place(index.own_codes.get(unit, unit), unit, unit, outline, is_unit=True)
        yield Town(place, seat, measured_from, None, None, ())


def _unit_outlines(units: pd.DataFrame, outlines: Mapping[str, Any]) -> dict[str, Any]:
    """Map the name of each unit to its outline, its own or that of the division of its code."""
    found = {}
    own = polygons(units)
    columns = zip(texts(units, "name"), texts(units, "code"), own, strict=True)
    for name, code, outline in columns:
        known = outline if outline is not None else outlines.get(short_code(code or ""))
        if name is not None and known is not None:
            found[name] = known
    return found


def _seat(point: Any, outline: Any) -> tuple[Any, str]:
    """Choose where to measure from: the town's point, unless it lies outside the town."""
    if point is not None and (outline is None or shapely.intersects(outline, point)):
        return point, "seat"
    return (None if outline is None else shapely.point_on_surface(outline)), "middle"
