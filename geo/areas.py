"""Areas that people draw: read from GeoJSON, checked, and asked which places lie inside."""

from __future__ import annotations

import math

import numpy as np
import shapely

from geo.columns import Flags, Floats
from geo.errors import InputError

MAX_TEXT = 50_000
_EARTH_M = 6_371_008.8  # mean radius
_KINDS = ("Polygon", "MultiPolygon")


def read_area(text: str) -> shapely.Geometry:
    """Read a drawn area from GeoJSON, a geometry or a feature.

    Parameters
    ----------
    text
        GeoJSON of a polygon in WGS-84 degrees.

    Raises
    ------
    InputError
        When it is no polygon, crosses itself, is empty or leaves the earth.

    >>> read_area('{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}')
    Traceback (most recent call last):
    geo.errors.InputError: polygon: Self-intersection[0.5 0.5]; draw it without crossing itself
    """
    if len(text) > MAX_TEXT:
        raise InputError(f"polygon: {len(text)} characters; give at most {MAX_TEXT}")
    try:
        shape = shapely.from_geojson(text)
    except (shapely.errors.GEOSException, ValueError, TypeError) as error:
        raise InputError("polygon: is not GeoJSON; give a Polygon with coordinates") from error
    if isinstance(shape, shapely.GeometryCollection) and len(shape.geoms) == 1:
        shape = shape.geoms[0]
    if shape is None or shape.geom_type not in _KINDS or shape.is_empty:
        kind = "nothing" if shape is None or shape.is_empty else shape.geom_type
        raise InputError(f"polygon: is {kind}; give a GeoJSON Polygon or MultiPolygon")
    west, south, east, north = shape.bounds
    inside = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    if not (inside and np.isfinite(shapely.get_coordinates(shape)).all()):
        raise InputError("polygon: leaves the earth; give longitude, latitude in degrees")
    if not shape.is_valid:
        reason = shapely.is_valid_reason(shape)
        raise InputError(f"polygon: {reason}; draw it without crossing itself")
    return shape


def within_area(shape: shapely.Geometry, lon: Floats, lat: Floats) -> Flags:
    """Tell which places lie in an area, its edge included."""
    shapely.prepare(shape)
    return np.asarray(shapely.intersects_xy(shape, lon, lat))


def metres_from(lon: float, lat: float, to_lon: Floats, to_lat: Floats) -> Floats:
    """Return the straight distances from a place in metres, on the sphere.

    >>> bool(abs(metres_from(120.0, 28.0, np.array([120.0]), np.array([28.01]))[0] - 1112) < 1)
    True
    """
    a, b = math.radians(lat), np.radians(to_lat)
    across = np.sin((b - a) / 2) ** 2
    along = math.cos(a) * np.cos(b) * np.sin(np.radians(to_lon - lon) / 2) ** 2
    return np.asarray(2 * _EARTH_M * np.arcsin(np.sqrt(across + along)))
