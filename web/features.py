"""Features: layers as GeoJSON for the map, and shapes for records that only name divisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely

from layers.catalog import layer

DIGITS = 6  # decimals of a degree: 0.1 m
MAP_TOLERANCE_DEG = 0.0002  # about 20 m: what outlines on the city map may be simplified by


def collection(
    layer_name: str,
    frame: gpd.GeoDataFrame,
    *,
    columns: Sequence[str] | None = None,
    tolerance_deg: float = 0.0,
) -> bytes:
    """Return a layer as GeoJSON (RFC 7946) with its public columns.

    Parameters
    ----------
    layer_name
        The layer's name in the catalogue; staff columns never leave.
    frame
        Records in longitude and latitude; extra columns that the catalogue lacks (a coverage
        state, say) are carried along.
    columns
        Only these columns, beside `id`.
    tolerance_deg
        How far lines and outlines may be simplified, degrees.

    Notes
    -----
    Values that are missing are left out, and so are records without a place.
    """
    staff = {column.name for column in layer(layer_name).columns if column.staff}
    wanted = [
        str(name)
        for name in frame.columns
        if name not in staff and name not in {"id", "geometry"}
        if columns is None or name in columns
    ]
    placed = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
    shapes = np.asarray(placed.geometry.array, dtype=object)
    if tolerance_deg:
        shapes = shapely.simplify(shapes, tolerance_deg)
    texts = shapely.to_geojson(shapely.set_precision(shapes, 10.0**-DIGITS, mode="pointwise"))
    values = {name: [_plain(value) for value in placed[name]] for name in wanted}
    features = [
        {
            "type": "Feature",
            "id": key,
            "properties": {"id": key}
            | {name: values[name][row] for name in wanted if values[name][row] is not None},
            "geometry": orjson.Fragment(texts[row]),
        }
        for row, key in enumerate(placed["id"])
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def with_shapes(frame: gpd.GeoDataFrame, divisions: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give records without a geometry the union of the divisions that they are made of.

    Parameters
    ----------
    frame
        Records with `division_codes` (lists of codes).
    divisions
        The divisions, with `code` and polygons.
    """
    shapes = dict(zip(divisions["code"], divisions.geometry, strict=True))

    def shape(row: Any) -> Any:
        if row.geometry is not None and not row.geometry.is_empty:
            return row.geometry
        parts = [shapes[code] for code in row.division_codes or [] if code in shapes]
        return shapely.union_all(parts) if parts else None

    drawn = [shape(row) for row in frame.itertuples()]
    return frame.set_geometry(gpd.GeoSeries(drawn, index=frame.index, crs=frame.crs))


def town_shapes(towns: gpd.GeoDataFrame, divisions: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give each town the polygon of the division with its code, where there is one."""
    shapes = dict(zip(divisions["code"], divisions.geometry, strict=True))
    drawn = [shapes.get(code, own) for code, own in zip(towns["code"], towns.geometry, strict=True)]
    return towns.set_geometry(gpd.GeoSeries(drawn, index=towns.index, crs=towns.crs))


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; `None` for what is missing.

    >>> _plain(pd.Timestamp("2026-01-31")), _plain(np.float64("nan")), _plain([])
    ('2026-01-31', None, None)
    """
    if isinstance(value, list):
        return value or None
    if isinstance(value, dict):
        return value
    if value is None or pd.isna(value):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    return value.item() if hasattr(value, "item") else value
