"""Frames of a layer as column arrays."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.columns import Coded, Columns, Floats, encode
from layers.catalog import Column


def column_arrays(frame: gpd.GeoDataFrame, declared: Sequence[Column]) -> Columns:
    """Turn the records of a layer into arrays.

    Parameters
    ----------
    frame
        Records as a store reads them; a shape that is no point counts as its inner point.
    declared
        Its columns; those that hold JSON are left out.
    """
    frame = gpd.GeoDataFrame(frame.sort_values("id", kind="stable"))
    shapes = np.asarray(frame.geometry.array, dtype=object)
    if (shapely.get_type_id(shapes) > 0).any():
        shapes = shapely.point_on_surface(shapes)
    numbers: dict[str, Floats] = {}
    coded: dict[str, Coded] = {}
    for column in declared:
        values = frame[column.name]
        match column.kind:
            case "number" | "integer":
                numbers[column.name] = values.to_numpy(dtype=np.float64, na_value=np.nan)
            case "date":
                numbers[column.name] = days_of(values)
            case "list":
                coded[column.name] = encode([tuple(value) if value else None for value in values])
            case "boolean" | "text" if column.name != "id":
                codes, known = pd.factorize(values)
                coded[column.name] = Coded(codes.astype(np.int32), tuple(known.tolist()))
    return Columns(tuple(frame["id"]), shapely.get_x(shapes), shapely.get_y(shapes), numbers, coded)


def days_of(values: pd.Series) -> Floats:
    """Return dates as days since 1970; NaN where missing."""
    days = values.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64)).astype(np.float64)


def texts_of(values: pd.Series) -> list[str | None]:
    """Return texts; None where missing."""
    missing = values.isna().to_numpy()
    return [None if gone else value for value, gone in zip(values.tolist(), missing, strict=True)]
