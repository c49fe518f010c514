"""Columns of a frame as plain arrays and lists, whatever dtype or gap they come with.

Frames may lack optional columns; a missing column reads as all missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]
Shapes = npt.NDArray[np.object_]

_POINT, _POLYGON, _MULTIPOLYGON = 0, 3, 6  # shapely's type numbers


def texts(frame: pd.DataFrame, column: str) -> list[str | None]:
    """Read a text column; blank and missing texts are None.

    >>> texts(pd.DataFrame({"town": [" Ash ", "", None]}), "town")
    ['Ash', None, None]
    """
    if column not in frame:
        return [None] * len(frame)
    return [_text(value) for value in frame[column].tolist()]


def _text(value: Any) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text or None


def numbers(frame: pd.DataFrame, column: str) -> Floats:
    """Read a number column; missing numbers are NaN.

    >>> numbers(pd.DataFrame({"tenants": pd.array([3, None], dtype="Int64")}), "tenants")
    array([ 3., nan])
    """
    if column not in frame:
        return np.full(len(frame), np.nan)
    values = pd.to_numeric(frame[column], errors="coerce")
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


def days(frame: pd.DataFrame, column: str) -> Days:
    """Read a date column; missing dates are NaT."""
    if column not in frame:
        return np.full(len(frame), np.datetime64("NaT", "s"))
    values = pd.to_datetime(frame[column], errors="coerce")
    return np.asarray(values.to_numpy(dtype="datetime64[s]"))


def flags(frame: pd.DataFrame, column: str, *, missing: bool = False) -> Bools:
    """Read a boolean column, with a value for what is missing."""
    if column not in frame:
        return np.full(len(frame), missing)
    return np.asarray(frame[column].astype("boolean").fillna(value=missing).to_numpy(dtype=bool))


def lists(frame: pd.DataFrame, column: str) -> list[list[str]]:
    """Read a list column; missing lists and blank parts fall away.

    >>> lists(pd.DataFrame({"services": [["a", " "], None]}), "services")
    [['a'], []]
    """
    if column not in frame:
        return [[] for _ in range(len(frame))]
    return [
        [text for part in value if (text := _text(part))]
        if isinstance(value, (list, tuple, np.ndarray))
        else []
        for value in frame[column].tolist()
    ]


def shapes(frame: pd.DataFrame) -> Shapes:
    """Read the geometries; None where a record has none."""
    if "geometry" not in frame:
        return np.full(len(frame), None, dtype=object)
    found = np.asarray(frame["geometry"].to_numpy(), dtype=object)
    return _keep(found, shapely.is_geometry(found) & ~shapely.is_empty(found))


def points(frame: pd.DataFrame) -> Shapes:
    """Read the geometries that are points; None for all others."""
    found = shapes(frame)
    return _keep(found, shapely.get_type_id(found) == _POINT)


def polygons(frame: pd.DataFrame) -> Shapes:
    """Read the geometries that are polygons or multipolygons; None for all others."""
    found = shapes(frame)
    return _keep(found, np.isin(shapely.get_type_id(found), (_POLYGON, _MULTIPOLYGON)))


def _keep(found: Shapes, wanted: Bools) -> Shapes:
    kept = np.full(len(found), None, dtype=object)
    kept[wanted] = found[wanted]
    return kept


def is_demo(frame: pd.DataFrame) -> Bools:
    """Tell which records are demo data."""
    return np.array([text == "demo" for text in texts(frame, "provenance")], dtype=bool)


def sort_by_id(frame: pd.DataFrame) -> pd.DataFrame:
    """Bring records into the order of their ids, so that no answer depends on the row order."""
    return frame.sort_values("id", kind="stable", ignore_index=True)
