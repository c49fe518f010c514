"""Geometry of a GeoPackage: the binary format of OGC 12-128r17, clause 2.1.3, and SQL functions.

A stored geometry is `GP`, a version, flags, the number of the coordinate system, an envelope (of
none, 4, 6 or 8 numbers) and WKB. This module writes points without an envelope, as GDAL does, and
all else with one of 4 numbers, so that the R-tree's triggers need not parse the WKB.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import StoreCorruptError

Objects = npt.NDArray[np.object_]
Edges = tuple[float, float, float, float]

SRS_ID = 4490
_ENVELOPES = (0, 32, 48, 48, 64)  # bytes of each kind of envelope
_POINT_WKB = struct.pack("<BI", 1, 1)
_POINT_HEADER = struct.pack("<2sBBi", b"GP", 0, 0b0000_0001, SRS_ID)
_SHAPE_HEADER = struct.pack("<2sBBi", b"GP", 0, 0b0000_0011, SRS_ID)
_POINT_PREFIX = _POINT_HEADER + _POINT_WKB
_POINT_BYTES = len(_POINT_PREFIX) + 16


def write_shapes(shapes: Objects) -> list[bytes | None]:
    """Encode geometries in two dimensions, None where missing.

    >>> write_shapes(np.array([shapely.Point(120, 28), None]))[0][:2]
    b'GP'
    """
    if len(shapes) and (shapely.get_type_id(shapes) == shapely.GeometryType.POINT).all():
        return list(_write_points(shapes))
    bounds = shapely.bounds(shapes)[:, [0, 2, 1, 3]].astype("<f8").tobytes()
    wkb = shapely.to_wkb(shapes, byte_order=1)
    return [
        None if body is None else _SHAPE_HEADER + bounds[start : start + 32] + body
        for start, body in zip(range(0, len(bounds), 32), wkb, strict=True)
    ]


def _write_points(points: Objects) -> list[bytes]:
    blobs = np.empty((len(points), _POINT_BYTES), dtype=np.uint8)
    blobs[:, : len(_POINT_PREFIX)] = np.frombuffer(_POINT_PREFIX, dtype=np.uint8)
    pairs = np.column_stack((shapely.get_x(points), shapely.get_y(points))).astype("<f8")
    blobs[:, len(_POINT_PREFIX) :] = pairs.view(np.uint8)
    joined = blobs.tobytes()
    return [joined[at : at + _POINT_BYTES] for at in range(0, len(joined), _POINT_BYTES)]


def read_shapes(stored: Sequence[bytes | None]) -> Objects:
    """Decode stored geometries, None where missing.

    Raises
    ------
    StoreCorruptError
        When a value is not a geometry of a GeoPackage.

    >>> read_shapes(write_shapes(np.array([shapely.Point(120, 28), None])))
    array([<POINT (120 28)>, None], dtype=object)
    """
    points = _read_points(stored)
    if points is not None:
        return points
    try:
        bodies = [None if blob is None else wkb_of(blob) for blob in stored]
        return np.asarray(shapely.from_wkb(np.array(bodies, dtype=object)))
    except (IndexError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        raise StoreCorruptError(
            f"a stored geometry cannot be read ({error}); restore the store from a backup"
        ) from error


def _read_points(stored: Sequence[bytes | None]) -> Objects | None:
    """Decode all at once where every one is a point as this module writes it, else None."""
    if not stored or any(blob is None or len(blob) != _POINT_BYTES for blob in stored):
        return None
    blobs = np.frombuffer(b"".join(stored), dtype=np.uint8).reshape(-1, _POINT_BYTES)  # type: ignore[arg-type]  # none is None
    if (blobs[:, : len(_POINT_PREFIX)] != np.frombuffer(_POINT_PREFIX, dtype=np.uint8)).any():
        return None
    pairs = np.ascontiguousarray(blobs[:, len(_POINT_PREFIX) :]).view("<f8")
    return np.asarray(shapely.points(pairs))


def wkb_of(blob: bytes) -> bytes:
    """Cut the header off a stored geometry."""
    if blob[:2] != b"GP":
        raise ValueError("it does not begin with GP")
    return blob[8 + _ENVELOPES[blob[3] >> 1 & 7] :]


def edges(blob: bytes) -> Edges:
    """Return west, east, south, north of a stored geometry."""
    flags = blob[3]
    if flags >> 1 & 7:
        west, east, south, north = struct.unpack_from("<4d" if flags & 1 else ">4d", blob, 8)
        return west, east, south, north
    if blob[8:13] == _POINT_WKB:
        x, y = struct.unpack_from("<2d", blob, 13)
        return x, x, y, y
    west, south, east, north = shapely.bounds(shapely.from_wkb(wkb_of(blob))).tolist()
    return west, east, south, north


def is_empty(blob: bytes) -> bool:
    """Whether a stored geometry has no points."""
    west = edges(blob)[0]
    return bool(blob[3] & 0b0001_0000) or west != west  # noqa: PLR0124 - NaN differs from itself


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the five functions that the R-tree's triggers of a GeoPackage call."""

    def add(name: str, function: Callable[[bytes], Any]) -> None:
        def call(blob: bytes | None) -> Any:
            return None if blob is None else function(blob)

        connection.create_function(name, 1, call, deterministic=True)

    add("ST_IsEmpty", is_empty)
    add("ST_MinX", lambda blob: edges(blob)[0])
    add("ST_MaxX", lambda blob: edges(blob)[1])
    add("ST_MinY", lambda blob: edges(blob)[2])
    add("ST_MaxY", lambda blob: edges(blob)[3])
