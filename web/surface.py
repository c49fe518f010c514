"""The city surface: streets painted by walking minutes, as transparent map tiles.

One class of minutes, one colour (ColorBrewer YlGnBu, four classes, safe for colour-blind readers),
the same everywhere. A pixel that several streets cross shows the shortest time.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]

TILE_PX = 256
CLASS_MINUTES = (5.0, 10.0, 15.0)
CLASS_COLOURS = ("#225ea8", "#41b6c4", "#a1dab4", "#b0a8a0")  # the last: beyond 15 minutes
_HALF_WIDTH_PX = 1


@dataclass(frozen=True)
class Surface:
    """Straight street pieces with minutes at both ends, ready to be painted.

    Parameters
    ----------
    x0, y0, x1, y1
        Ends in the unit square of Web Mercator, y downwards from the north.
    minutes0, minutes1
        Walking minutes at the ends; infinity where nothing is in reach.
    tree
        Index of the pieces.
    """

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    minutes0: Floats
    minutes1: Floats
    tree: shapely.STRtree


def mercator_unit(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Degrees to the unit square of Web Mercator tiles.

    >>> x, y = mercator_unit(np.array([0.0]), np.array([0.0]))
    >>> float(x[0]), float(y[0])
    (0.5, 0.5)
    """
    x = (np.asarray(lon) + 180.0) / 360.0
    y = 0.5 - np.arcsinh(np.tan(np.radians(lat))) / (2.0 * np.pi)
    return x, y


def make_surface(
    lon0: Floats, lat0: Floats, lon1: Floats, lat1: Floats, minutes0: Floats, minutes1: Floats
) -> Surface:
    """Index street pieces given by their ends in WGS-84 degrees and the minutes there."""
    x0, y0 = mercator_unit(lon0, lat0)
    x1, y1 = mercator_unit(lon1, lat1)
    boxes = shapely.box(
        np.minimum(x0, x1), np.minimum(y0, y1), np.maximum(x0, x1), np.maximum(y0, y1)
    )
    return Surface(x0, y0, x1, y1, minutes0, minutes1, shapely.STRtree(boxes))


def _splat(surface: Surface, pieces: NDArray[np.intp], z: int, x: int, y: int) -> Floats:
    """Minutes a pixel, infinity where no street is; pixels along each piece take its minutes."""
    scale = TILE_PX * 2.0**z
    left, top = x * TILE_PX, y * TILE_PX
    ax, ay = surface.x0[pieces] * scale - left, surface.y0[pieces] * scale - top
    bx, by = surface.x1[pieces] * scale - left, surface.y1[pieces] * scale - top
    # Deep zooms: long pieces are sampled only as far as a tile's diagonal needs.
    steps = np.clip(np.ceil(np.maximum(abs(bx - ax), abs(by - ay))), 1, 8 * TILE_PX).astype(int)
    piece = np.repeat(np.arange(len(pieces)), steps + 1)
    first = np.cumsum(steps + 1) - (steps + 1)
    share = (np.arange(len(piece)) - first[piece]) / steps[piece]
    column = np.rint(ax[piece] + share * (bx - ax)[piece]).astype(int)
    row = np.rint(ay[piece] + share * (by - ay)[piece]).astype(int)
    start, end = surface.minutes0[pieces], surface.minutes1[pieces]
    both = np.isfinite(start) & np.isfinite(end)
    # Where one end is out of reach, the piece keeps the class of its worse end.
    slope = np.where(both, end - np.where(both, start, 0.0), 0.0)
    minutes = np.where(both, start, np.inf)[piece] + share * slope[piece]
    margin = _HALF_WIDTH_PX
    painted = np.full((TILE_PX + 2 * margin, TILE_PX + 2 * margin), np.nan)
    inside = (
        (column >= -margin)
        & (column < TILE_PX + margin)
        & (row >= -margin)
        & (row < TILE_PX + margin)
    )
    column, row, minutes = column[inside] + margin, row[inside] + margin, minutes[inside]
    order = np.argsort(-minutes, kind="stable")  # the shortest is written last and stays
    painted[row[order], column[order]] = minutes[order]
    shifts = range(2 * margin + 1)
    windows = [painted[i : i + TILE_PX, j : j + TILE_PX] for i in shifts for j in shifts]
    result: Floats = np.fmin.reduce(windows)
    return result


def paint_tile(surface: Surface, z: int, x: int, y: int) -> bytes:
    r"""Paint one tile as a PNG with a transparent ground.

    >>> ends = [np.array([value]) for value in (-10.0, 0.0, 10.0, 0.0, 2.0, 30.0)]
    >>> paint_tile(make_surface(*ends), 0, 0, 0)[:4]
    b'\x89PNG'
    """
    side = 2.0**-z
    margin = side * _HALF_WIDTH_PX / TILE_PX
    box = shapely.box(
        x * side - margin,
        y * side - margin,
        (x + 1) * side + margin,
        (y + 1) * side + margin,
    )
    classes = np.zeros((TILE_PX, TILE_PX), dtype=np.uint8)
    pieces = surface.tree.query(box)
    if len(pieces):
        minutes = _splat(surface, np.sort(pieces), z, x, y)
        street = ~np.isnan(minutes)
        classes[street] = 1 + np.searchsorted(CLASS_MINUTES, minutes[street], side="left")
    image = Image.fromarray(classes)
    palette = [0, 0, 0]
    for colour in CLASS_COLOURS:
        palette += [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    image.putpalette(palette)
    file = io.BytesIO()
    image.save(file, format="PNG", transparency=0, optimize=False)
    return file.getvalue()
