"""Boundaries: the polygons of reporting units and of the structure, put together from divisions.

A unit names the divisions that it is made of. Its polygon is their union, minus the units that lie
inside it and are counted apart; while one of its divisions has no polygon, it has none either, and
the report says which are wanting. Units that bring their own polygon name no divisions and keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
import shapely

from layers import tianditu
from layers.schema import conform
from layers.store import Edit, Store

_SNAP_DEGREES = 1e-9  # a tenth of a millimetre: joins what differs by rounding only


@dataclass(frozen=True)
class BoundaryReport:
    """What was done: divisions added, units that have a polygon, and those without, with why."""

    divisions_added: int
    with_polygon: tuple[str, ...]
    without_polygon: Mapping[str, str]


def refresh_units(store: Store, who: str = "setup") -> BoundaryReport:
    """Work out the polygons of reporting units and of the structure again.

    Divisions that units or the structure name, that the store does not have and that the installed
    boundaries of China hold (`layers.tianditu`), are added first. Run it after importing divisions:
    a unit inside another gets its polygon only then, and is cut out of the other.

    Parameters
    ----------
    store
        Open for writing.
    who
        The name that the history of the records shows.

    Returns
    -------
    BoundaryReport
        Names of the units with a polygon; of those without, and why.
    """
    units, structure = store.read("reporting_units"), store.read("structure")
    divisions = store.read("divisions")
    added = _installed_divisions(units, structure, divisions)
    shapes = _shapes_by_code(pd.concat([divisions, added], ignore_index=True))
    unit_shapes, wanting = union_units(units, shapes)
    with store.edit(who, "polygons from divisions") as edit:
        if len(added):
            edit.insert("divisions", added)
        _write_units(edit, units, unit_shapes)
        _write_structure(edit, structure, shapes)
    has = units["name"].isin(unit_shapes)
    return BoundaryReport(
        divisions_added=len(added),
        with_polygon=tuple(units.loc[has, "name"]),
        without_polygon={name: wanting[name] for name in units.loc[~has, "name"]},
    )


def union_units(
    units: gpd.GeoDataFrame, shapes: Mapping[str, shapely.Geometry]
) -> tuple[dict[str, shapely.Geometry], dict[str, str]]:
    """Put the polygons of units together.

    Parameters
    ----------
    units
        Records of the layer `reporting_units`.
    shapes
        Polygon in EPSG:4490 by division code.

    Returns
    -------
    tuple
        Polygon by unit name, and for each unit without one the reason by its name.
    """
    whole: dict[str, shapely.Geometry] = {}
    wanting: dict[str, str] = {}
    for unit in units.itertuples():
        missing = [code for code in unit.division_codes if code not in shapes]
        if unit.division_codes and not missing:
            whole[unit.name] = _union([shapes[code] for code in unit.division_codes])
        elif not unit.division_codes and unit.geometry is not None:
            whole[unit.name] = unit.geometry
        else:
            wanting[unit.name] = (
                f"no polygon of division {', '.join(missing)}; import the divisions"
                if missing
                else "neither a polygon of its own nor divisions that it is made of"
            )
    inner = units.loc[units["inside"].notna() & units["name"].isin(whole), ["name", "inside"]]
    cut = {
        outer: shapely.difference(whole[outer], _union([whole[name] for name in names]))
        for outer, names in inner.groupby("inside")["name"]
        if outer in whole
    }
    return {**whole, **{name: _polygonal(shape) for name, shape in cut.items()}}, wanting


def _installed_divisions(
    units: pd.DataFrame, structure: pd.DataFrame, divisions: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Read the divisions that are named, not there yet, and installed with the program."""
    named = {
        code for codes in [*units["division_codes"], *structure["division_codes"]] for code in codes
    }
    found = tianditu.read_divisions(sorted(named - set(divisions["code"])))
    return conform(
        "divisions",
        found.assign(
            id="div-" + found["code"],
            source=tianditu.SOURCE,
            provenance="sourced",
            geom_precision="unit",
        ),
    )


def _shapes_by_code(divisions: gpd.GeoDataFrame) -> dict[str, shapely.Geometry]:
    placed = divisions[divisions.geometry.notna()]
    return dict(zip(placed["code"], placed.geometry, strict=True))


def _write_units(
    edit: Edit, units: gpd.GeoDataFrame, shapes: Mapping[str, shapely.Geometry]
) -> None:
    for unit in units.itertuples():
        shape = shapes.get(unit.name)
        if _same(shape, unit.geometry):
            continue
        centre = None if shape is None else shapely.point_on_surface(shape)
        columns = (
            {"centre_lon": centre.x, "centre_lat": centre.y}
            if centre is not None and pd.isna(unit.centre_lon)
            else {}
        )
        edit.update("reporting_units", unit.id, geometry=shape, **columns)


def _write_structure(
    edit: Edit, structure: gpd.GeoDataFrame, shapes: Mapping[str, shapely.Geometry]
) -> None:
    for part in structure.itertuples():
        codes = part.division_codes
        if not codes or any(code not in shapes for code in codes):
            continue
        shape = _union([shapes[code] for code in codes])
        if not _same(shape, part.geometry):
            edit.update("structure", part.id, geometry=shape)


def _union(shapes: list[shapely.Geometry]) -> shapely.Geometry:
    return _polygonal(shapely.union_all(shapes, grid_size=_SNAP_DEGREES))


def _polygonal(shape: shapely.Geometry) -> shapely.Geometry:
    """Keep the areas of a geometry, and leave the lines and points that a cut can leave behind."""
    parts = shapely.get_parts(shape)
    areas = parts[shapely.get_dimensions(parts) == 2]
    return shape if len(areas) == len(parts) else shapely.union_all(areas)


def _same(one: shapely.Geometry | None, other: shapely.Geometry | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(shapely.equals_exact(one, other, tolerance=_SNAP_DEGREES, normalize=True))
