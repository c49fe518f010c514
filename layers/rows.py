"""Rows: frames of a layer as the plain values that SQL stores, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd

from geo.crs import STORED_CRS
from geo.errors import StoreCorruptError
from layers.casting import build_column, join_columns, list_series
from layers.catalog import Column, Layer
from layers.query import GEOMETRY

Objects = npt.NDArray[np.object_]


def store_column(column: Column, values: pd.Series) -> list[Any]:
    """Turn a conformed column into plain values: dates as ISO text, lists and JSON as text."""
    if column.kind == "date":
        texts = np.datetime_as_string(values.to_numpy().astype("datetime64[s]"), unit="D")
        return [None if text == "NaT" else text for text in texts.tolist()]
    if column.kind in ("list", "json"):
        return [orjson.dumps(value).decode() if value else None for value in values]
    if column.kind == "number":
        numbers = values.to_numpy(dtype=np.float64)
        return _blank(numbers.astype(object), np.isnan(numbers))
    given = values.to_numpy(dtype=object)
    return _blank(given, np.asarray(pd.isna(given)))


def _blank(values: Objects, absent: npt.NDArray[np.bool_]) -> list[Any]:
    blanked = values.copy()
    blanked[absent] = None
    return list(blanked)


def restore_value(layer: Layer, column: Column, value: Any) -> Any:
    """Turn one stored value into what Python calls it: dates stay ISO text, lists become lists."""
    if column.kind in ("list", "json"):
        try:
            return orjson.loads(value) if value else ([] if column.kind == "list" else None)
        except ValueError as error:
            raise _spoiled(layer, column, error) from error
    return bool(value) if column.kind == "boolean" and value is not None else value


def frame_of(
    layer: Layer, columns: Mapping[str, Sequence[Any]], shapes: Objects | None
) -> pd.DataFrame:
    """Build the frame of stored values.

    Parameters
    ----------
    layer
        Their layer.
    columns
        Stored values by column, record by record.
    shapes
        Geometries of the records, or None for a frame without.
    """
    table = join_columns(
        {name: _restore_column(layer, layer.column(name), held) for name, held in columns.items()}
    )
    if shapes is None:
        return table
    placed: pd.DataFrame = gpd.GeoDataFrame(table, geometry=shapes, crs=STORED_CRS)
    return placed


def _restore_column(layer: Layer, column: Column, values: Sequence[Any]) -> pd.Series:
    try:
        if column.kind == "list":
            # Records say the same over and over: each text is parsed once, each list made anew.
            known = {text: orjson.loads(text) for text in set(values) if text}
            return list_series([[*known[text]] if text else [] for text in values])
        if column.kind == "json":
            return list_series([orjson.loads(text) if text else None for text in values])
        if column.kind == "boolean":
            values = [None if value is None else bool(value) for value in values]
        return build_column(column.kind, values)
    except (TypeError, ValueError) as error:
        raise _spoiled(layer, column, error) from error


def _spoiled(layer: Layer, column: Column, error: Exception) -> StoreCorruptError:
    return StoreCorruptError(
        f"layer {layer.name}, column {column.name}: a stored value is not of kind {column.kind} "
        f"({error}); mend it with the program that wrote it"
    )


def record_of(layer: Layer, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Turn one stored row into a record by column, the geometry last."""
    record = {
        column.name: restore_value(layer, column, stored.get(column.name))
        for column in layer.columns
    }
    if layer.spatial:
        record[GEOMETRY] = stored.get(GEOMETRY)
    return record


def held_only(names: Iterable[str], values: Iterable[Any]) -> dict[str, Any]:
    """Pair names with values and leave out what is missing."""
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def frame_records(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Make a frame of records given by column, missing where one has no value.

    >>> frame_records([{"id": "a", "tags": ["x"]}, {"id": "b"}])["tags"].tolist()
    [['x'], None]
    """
    names = dict.fromkeys(name for record in records for name in record)
    return pd.DataFrame(
        {name: list_series([record.get(name) for record in records]) for name in names}
    )
