"""Vector tiles: a layer's geometries and a few of its columns as Mapbox Vector Tiles (v2.1).

A `TileSource` is prepared once per version of a layer (projected, indexed, texts encoded); a tile
is then cut from it. Near zoom levels show every feature; far ones thin points to one per cell,
which says how many it stands for, and simplify lines and polygons to a quarter of a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from mapbox_vector_tile import encode
from mapbox_vector_tile.encoder import on_invalid_geometry_make_valid

from geo.errors import InputError

EXTENT = 4096  # units of a tile's side
BUFFER = 64  # units drawn beyond the side, so that strokes and circles are not cut
MAX_ZOOM = 22
ALL_POINTS_ZOOM = 14  # from here on no point is thinned, unless the cap says so
ALL_SHAPES_ZOOM = 12  # below it, a quarter of the cap
_CELL = 192  # units: a 12 px cell, in which one point stands for all
_TOLERANCE = 4.0  # units: a quarter of a pixel
_HALF_WORLD_M = 20037508.342789244  # half the side of the Web Mercator square, metres

Geometries = npt.NDArray[np.object_]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TileSource:
    """A layer ready to be cut into tiles.

    Parameters
    ----------
    name
        The name of the layer inside the tiles.
    geometries
        In Web Mercator metres, none of them empty.
    properties
        For each column its name and the texts of all features, `None` where there is nothing.
    tree
        The spatial index of the geometries.
    """

    name: str
    geometries: Geometries
    properties: tuple[tuple[str, list[str | None]], ...]
    tree: shapely.STRtree

    @classmethod
    def from_frame(
        cls, frame: gpd.GeoDataFrame, *, name: str, columns: Sequence[str] = ("id", "name")
    ) -> TileSource:
        """Prepare a layer: drop records without a place, project, index, encode the texts.

        Parameters
        ----------
        frame
            A layer in longitude and latitude.
        name
            The name of the layer inside the tiles.
        columns
            The columns that features carry; those that the frame lacks are left out.
        """
        placed = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
        geometries = np.asarray(placed.geometry.to_crs("EPSG:3857").array, dtype=object)
        properties = tuple(
            (column, [_text(value) for value in placed[column]])
            for column in columns
            if column in placed
        )
        return cls(name, geometries, properties, shapely.STRtree(geometries))


def tile(source: TileSource, z: int, x: int, y: int, *, cap: int = 5_000) -> bytes:
    """Return one tile, or nothing where the layer has nothing.

    Parameters
    ----------
    source
        The layer, prepared.
    z, x, y
        Zoom level, column from the west and row from the north.
    cap
        The most features in one tile: points are thinned further, of lines and polygons the
        longest are kept, and from afar a quarter as many.

    Raises
    ------
    InputError
        When the tile is outside the world.

    >>> place = gpd.GeoDataFrame(
    ...     {"id": ["a"], "name": ["甲"]}, geometry=gpd.points_from_xy([120.7], [28.0]), crs=4490)
    >>> source = TileSource.from_frame(place, name="spaces")
    >>> b"spaces" in tile(source, 0, 0, 0), tile(source, 1, 0, 0)
    (True, b'')
    """
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise InputError(
            f"there is no tile {z}/{x}/{y}; zoom 0 to {MAX_ZOOM}, x and y below 2^zoom"
        )
    side_m = 2 * _HALF_WORLD_M / 2**z
    west, north = x * side_m - _HALF_WORLD_M, _HALF_WORLD_M - y * side_m
    margin_m = side_m * BUFFER / EXTENT
    window = shapely.box(
        west - margin_m, north - side_m - margin_m, west + side_m + margin_m, north + margin_m
    )
    found = np.sort(source.tree.query(window))
    if not found.size:
        return b""

    def to_tile(metres: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        moved: npt.NDArray[np.float64] = (metres - (west, north)) * (
            EXTENT / side_m,
            -EXTENT / side_m,
        )
        return moved

    local = shapely.transform(source.geometries[found], to_tile)
    is_point = shapely.get_type_id(local) == shapely.GeometryType.POINT
    writer = _Writer(source)
    writer.write_points(local[is_point], found[is_point], thin=z < ALL_POINTS_ZOOM, cap=cap)
    # A far view of many small streets is a blot: the longest tell where they are.
    writer.write_shapes(
        local[~is_point], found[~is_point], cap=cap if z >= ALL_SHAPES_ZOOM else cap // 4
    )
    return writer.serialize()


class _Writer:
    """Gathers features of one source, and writes them as one tile."""

    def __init__(self, source: TileSource) -> None:
        self._source = source
        self._features: list[dict[str, Any]] = []

    def serialize(self) -> bytes:
        if not self._features:
            return b""
        written: bytes = encode(
            {"name": self._source.name, "features": self._features},
            default_options={
                "extents": EXTENT,
                "y_coord_down": True,
                "on_invalid_geometry": on_invalid_geometry_make_valid,
            },
        )
        return written

    def write_points(self, points: Geometries, rows: Indices, *, thin: bool, cap: int) -> None:
        xy = shapely.get_coordinates(points)
        inside = np.all((xy >= -BUFFER) & (xy < EXTENT + BUFFER), axis=1)
        xy, rows = xy[inside], rows[inside]
        kept, counts = thin_points(xy, cell=_CELL if thin else 0, cap=cap)
        places: Any = shapely.points(np.rint(xy[kept]))
        for place, row, count in zip(places, rows[kept].tolist(), counts.tolist(), strict=True):
            self._add(place, row, {"point_count": str(count)} if count > 1 else {})

    def write_shapes(self, shapes: Geometries, rows: Indices, *, cap: int) -> None:
        edge = EXTENT + BUFFER
        cut = shapely.clip_by_rect(shapes, -BUFFER, -BUFFER, edge, edge)
        snapped = shapely.set_precision(shapely.simplify(cut, _TOLERANCE), 1.0)
        keep = np.flatnonzero(~shapely.is_empty(snapped))
        if len(keep) > cap:
            size = shapely.length(snapped[keep])
            keep = np.sort(keep[np.argsort(-size, kind="stable")[:cap]])
        for shape, row in zip(snapped[keep], rows[keep].tolist(), strict=True):
            self._add(_of_one_kind(shape), row, {})

    def _add(self, shape: shapely.Geometry, row: int, more: dict[str, str]) -> None:
        properties = {key: texts[row] for key, texts in self._source.properties}
        held = {key: text for key, text in properties.items() if text is not None}
        self._features.append({"geometry": shape, "properties": held | more, "id": row})


def _of_one_kind(shape: Any) -> Any:
    """Keep the areas of a mixed shape where it has any, else its lines."""
    if shape.geom_type != "GeometryCollection":
        return shape
    parts = shapely.get_parts(shape)
    areas = parts[shapely.get_dimensions(parts) == 2]
    if areas.size:
        return shapely.union_all(areas)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 1])


def thin_points(
    xy: npt.NDArray[np.float64], *, cell: int, cap: int
) -> tuple[Indices, npt.NDArray[np.int64]]:
    """Choose one point per cell, with cells doubled until no more than `cap` are left.

    Parameters
    ----------
    xy
        Points in tile units, shape (n, 2).
    cell
        Side of a cell in tile units; 0 keeps every point while there are no more than `cap`.
    cap
        The most points to keep.

    Returns
    -------
    kept, counts
        Positions of the points kept, ascending, and how many points each stands for.

    >>> kept, counts = thin_points(np.array([[0., 0.], [1., 1.], [900., 0.]]), cell=192, cap=10)
    >>> kept.tolist(), counts.tolist()
    ([0, 2], [2, 1])
    """
    if not cell and len(xy) <= cap:
        return np.arange(len(xy)), np.ones(len(xy), np.int64)
    side = cell or 16
    while True:
        cells = np.floor(xy / side).astype(np.int64)
        keys = cells[:, 0] * (1 << 20) + cells[:, 1]
        _, first, counts = np.unique(keys, return_index=True, return_counts=True)
        if len(first) <= cap:
            order = np.argsort(first)
            return first[order], counts[order]
        side *= 2


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return "、".join(map(str, value)) or None
    missing = value is None or value != value  # noqa: PLR0124  NaN differs from itself
    return None if missing or str(value) in {"<NA>", "NaT", ""} else str(value)
