"""Heights of the ground: kept beside the store, asked by the walking network."""

from __future__ import annotations

import os
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.crs import project_xy
from geo.errors import InputError
from layers.store import Store

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Heights:
    """Heights of the ground on an even grid, or at scattered points.

    Parameters
    ----------
    crs
        Coordinate system of the places.
    x, y
        Eastings of the columns and northings of the rows of a grid, ascending (centres of the
        cells); or the places of points.
    z
        Heights in metres, (rows, columns) or (points).
    """

    crs: str
    x: Floats
    y: Floats
    z: Floats

    def sample(self, x: npt.ArrayLike, y: npt.ArrayLike, *, crs: str) -> Floats:
        """Give the heights at places: between four cells bilinear, between three points linear.

        Parameters
        ----------
        x, y
            Places in `crs`.
        crs
            Their coordinate system.

        Returns
        -------
        numpy.ndarray
            Metres; NaN outside the grid or the hull of the points.

        Examples
        --------
        >>> slope = Heights("EPSG:4549", np.array([0.0, 10.0]), np.array([0.0, 10.0]),
        ...                 np.array([[0.0, 5.0], [0.0, 5.0]]))
        >>> slope.sample([0.0, 5.0, 12.0, 30.0], [0.0, 10.0, 0.0, 0.0], crs="EPSG:4549")
        array([0. , 2.5, 5. , nan])
        """
        at_x, at_y = project_xy(x, y, source=crs, target=self.crs)
        if self.z.ndim == 1:
            return np.asarray(self._surface(at_x, at_y), dtype=np.float64)
        return self._between_cells(at_x, at_y)

    def _between_cells(self, x: Floats, y: Floats) -> Floats:
        column, row = _place(self.x, x), _place(self.y, y)
        outside = np.isnan(column) | np.isnan(row)
        column, row = np.where(outside, 0.0, column), np.where(outside, 0.0, row)
        left, low = column.astype(np.int64), row.astype(np.int64)
        right = np.minimum(left + 1, len(self.x) - 1)
        high = np.minimum(low + 1, len(self.y) - 1)
        across, up = column - left, row - low
        south = (1.0 - across) * self.z[low, left] + across * self.z[low, right]
        north = (1.0 - across) * self.z[high, left] + across * self.z[high, right]
        return np.where(outside, np.nan, (1.0 - up) * south + up * north)

    @cached_property
    def _surface(self) -> Any:
        # Few stores have points as heights, and what spans a surface takes long to import.
        from scipy.interpolate import LinearNDInterpolator  # noqa: PLC0415

        return LinearNDInterpolator(np.column_stack([self.x, self.y]), self.z)


def _place(centres: Floats, at: Floats) -> Floats:
    """Give places in steps from the first centre, NaN beyond the outer cells."""
    step = (centres[-1] - centres[0]) / (len(centres) - 1)
    steps = (at - centres[0]) / step
    last = len(centres) - 1
    inside = (steps >= -0.5) & (steps <= last + 0.5)
    return np.where(inside, np.clip(steps, 0.0, last), np.nan)


def heights_path(store: Store) -> Path:
    """Return where the heights of a store are kept: beside it."""
    beside = Path(store.url)
    return beside.with_name(f"{beside.name}.heights.npz")


def heights_state(store: Store) -> str:
    """Return a text that changes whenever the heights of a store do; empty without any."""
    try:
        stat = heights_path(store).stat()
    except OSError:
        return ""
    return f"{stat.st_mtime_ns} {stat.st_size}"


def load_heights(store: Store) -> Heights | None:
    """Return the heights of a store; None when it has none.

    Raises
    ------
    InputError
        When the file is damaged.
    """
    path = heights_path(store)
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Heights(str(arrays["crs"]), arrays["x"], arrays["y"], arrays["z"])
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: the heights are damaged; import them again: hatchmap import heights FILE, or "
            "delete the file"
        ) from error


def heights_at(heights: Heights, x: Floats, y: Floats, *, crs: str, name: str | Path) -> Floats:
    """Give the heights at street vertices.

    Parameters
    ----------
    heights
        The heights.
    x, y, crs
        The vertices, and their coordinate system.
    name
        What the heights came from, for the error.

    Raises
    ------
    InputError
        When some vertices have no height: a network is built with all or with none.
    """
    z = heights.sample(x, y, crs=crs)
    missing = np.flatnonzero(np.isnan(z))
    if len(missing):
        lon, lat = project_xy(x[missing[0]], y[missing[0]], source=crs, target="EPSG:4326")
        raise InputError(
            f"{name}: gives no height for {len(missing):,} of {len(z):,} street vertices, the "
            f"first at {float(lon):.5f}, {float(lat):.5f}; give heights of the whole area of the "
            "streets: hatchmap import heights FILE"
        )
    return z


def save_heights(heights: Heights, path: Path) -> None:
    """Save heights whole or not at all.

    Raises
    ------
    InputError
        When the folder cannot be written.
    """
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".npz.part")
    except OSError as error:
        raise InputError(f"{path.parent} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(
                file, allow_pickle=False, crs=heights.crs, x=heights.x, y=heights.y, z=heights.z
            )
        Path(draft).replace(path)
    except OSError as error:
        Path(draft).unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
