"""Drawn streets joined to those that are there: lines meet where they share a vertex."""

from __future__ import annotations

import numpy as np
import shapely

from geo.crs import project_xy
from layers.query import GEOMETRY, Query
from layers.store import Store

JOIN_M = 25.0  # as near as a click on a map meets a corner
_DEGREES_A_METRE = 1.0 / 111_000.0


def join_streets(
    store: Store, shape: shapely.Geometry, *, within_m: float = JOIN_M
) -> shapely.Geometry:
    """Move the vertices of a drawn street onto the vertices of streets that are near.

    A street that was drawn by hand would else lie beside the network as an island, as a bridge
    lies over what it crosses.

    Parameters
    ----------
    store
        The store whose streets are joined.
    shape
        The street as it was drawn, in degrees; other shapes than lines are returned as they are.
    within_m
        How near, in metres.

    Returns
    -------
    shapely.Geometry
        The street, each vertex on the nearest one of another street where that is near enough.
    """
    if shapely.get_type_id(shape) not in (1, 5) or not np.isfinite(shapely.bounds(shape)).all():
        return shape
    west, south, east, north = shapely.bounds(shape)
    high = within_m * _DEGREES_A_METRE
    wide = high / max(0.1, float(np.cos(np.radians((south + north) / 2))))
    box = (west - wide, south - high, east + wide, north + high)
    streets = store.read("streets", Query(bbox=box, columns=[GEOMETRY]))
    vertices = shapely.get_coordinates(np.asarray(streets[GEOMETRY], dtype=object))
    if not len(vertices):
        return shape
    crs = store.metric_crs.to_string()
    places = np.asarray(shapely.points(np.column_stack(project_xy(*vertices.T, target=crs))))
    tree = shapely.STRtree(places)

    def join(drawn: np.ndarray) -> np.ndarray:
        ends = shapely.points(np.column_stack(project_xy(*drawn.T, target=crs)))
        at, nearest = tree.query_nearest(ends, max_distance=within_m, all_matches=False)
        joined = drawn.copy()
        joined[at] = vertices[nearest]
        return joined

    moved: shapely.Geometry = shapely.transform(shapely.force_2d(shape), join)
    return moved if shapely.is_valid(moved) and shapely.length(moved) > 0 else shape
