"""Vector tiles: a layer's geometries and a few of its columns as Mapbox Vector Tiles (v2.1).

A `TileSource` is prepared once per version of a layer (projected, indexed, texts encoded); a tile
is then cut from it. Near zoom levels show every feature; far ones thin points to one per cell,
which says how many it stands for, and simplify lines and polygons to a quarter of a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from vtzero.tile import Layer, Linestring, Point, Polygon, Tile

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
    properties: tuple[tuple[bytes, list[bytes | None]], ...]
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
            (column.encode(), [_text(value) for value in placed[column]])
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
    """Writes features of one source into one tile."""

    def __init__(self, source: TileSource) -> None:
        self._source = source
        self._tile = Tile()
        self._layer = Layer(self._tile, source.name.encode())
        self._written = 0

    def serialize(self) -> bytes:
        return bytes(self._tile.serialize()) if self._written else b""

    def write_points(self, points: Geometries, rows: Indices, *, thin: bool, cap: int) -> None:
        xy = shapely.get_coordinates(points)
        inside = np.all((xy >= -BUFFER) & (xy < EXTENT + BUFFER), axis=1)
        xy, rows = xy[inside], rows[inside]
        kept, counts = thin_points(xy, cell=_CELL if thin else 0, cap=cap)
        places = np.rint(xy[kept]).astype(int).tolist()
        for (px, py), row, count in zip(places, rows[kept].tolist(), counts.tolist(), strict=True):
            feature = Point(self._layer)
            feature.set_id(row)
            feature.add_point(px, py)
            if count > 1:
                feature.add_property(b"point_count", str(count).encode())
            self._close(feature, row)

    def write_shapes(self, shapes: Geometries, rows: Indices, *, cap: int) -> None:
        edge = EXTENT + BUFFER
        cut = shapely.clip_by_rect(shapes, -BUFFER, -BUFFER, edge, edge)
        snapped = shapely.set_precision(shapely.simplify(cut, _TOLERANCE), 1.0)
        keep = np.flatnonzero(~shapely.is_empty(snapped))
        if len(keep) > cap:
            size = shapely.length(snapped[keep])
            keep = np.sort(keep[np.argsort(-size, kind="stable")[:cap]])
        # Exterior rings turn clockwise on the screen, whose y points down (MVT 2.1, 4.3.3.3).
        oriented = shapely.orient_polygons(snapped[keep], exterior_cw=False)
        for shape, row in zip(oriented, rows[keep].tolist(), strict=True):
            self._write_shape(shape, row)

    def _write_shape(self, shape: shapely.Geometry, row: int) -> None:
        parts = shapely.get_parts(shape)
        kinds = shapely.get_type_id(parts)
        polygons = parts[kinds == shapely.GeometryType.POLYGON]
        lines = parts[
            (kinds == shapely.GeometryType.LINESTRING) | (kinds == shapely.GeometryType.LINEARRING)
        ]
        if polygons.size:
            feature = Polygon(self._layer)
            feature.set_id(row)
            for ring in shapely.get_rings(polygons):
                corners = _whole(ring)
                feature.add_ring(len(corners))
                for cx, cy in corners:
                    feature.set_point(cx, cy)
            self._close(feature, row)
        elif lines.size:
            feature = Linestring(self._layer)
            feature.set_id(row)
            for line in lines:
                corners = _whole(line)
                feature.add_linestring(len(corners))
                for cx, cy in corners:
                    feature.set_point(cx, cy)
            self._close(feature, row)

    def _close(self, feature: Point | Linestring | Polygon, row: int) -> None:
        for key, texts in self._source.properties:
            text = texts[row]
            if text is not None:
                feature.add_property(key, text)
        feature.commit()
        self._written += 1


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


def _whole(line: shapely.Geometry) -> list[list[int]]:
    corners: list[list[int]] = np.rint(shapely.get_coordinates(line)).astype(int).tolist()
    return corners


def _text(value: object) -> bytes | None:
    if isinstance(value, list):
        return "、".join(map(str, value)).encode() or None
    missing = value is None or value != value  # noqa: PLR0124  NaN differs from itself
    return None if missing or str(value) in {"<NA>", "NaT", ""} else str(value).encode()
