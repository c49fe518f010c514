"""Schemas: the form of a layer's frame, and what is wrong with one, built from the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from geo.crs import STORED_CRS
from geo.errors import Fault, InputError
from layers.casting import RowFault, cast_column, join_columns, missing_column
from layers.catalog import Column, Layer
from layers.catalog import layer as find_layer

if TYPE_CHECKING:
    import pandera.pandas as pa

__all__ = ["RowFault", "conform", "empty", "examine", "find_faults", "reject"]

GEOMETRY = "geometry"
_SAME_CRS = (STORED_CRS, "EPSG:4326", "OGC:CRS84")  # taken as equal, see geo.crs

Mask = npt.NDArray[np.bool_]


def empty(layer_name: str) -> pd.DataFrame:
    """Make a frame of a layer without records.

    >>> list(empty("stations").columns[-4:])
    ['name_en', 'lines', 'unit', 'geometry']
    """
    return conform(layer_name, pd.DataFrame())


def conform(layer_name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Bring a frame to the form of a layer, as a new frame.

    Parameters
    ----------
    layer_name
        A layer of the catalogue.
    frame
        Any of its columns, in any order; geometry in EPSG:4490 (WGS-84 is taken as equal).

    Returns
    -------
    DataFrame or GeoDataFrame
        `id` first, every column of the catalogue in its order and dtype, `geometry` (EPSG:4490)
        last where the layer can have one, on a fresh RangeIndex.

    Raises
    ------
    InputError
        When columns are unknown or values cannot be cast, with a fault for each.

    Examples
    --------
    >>> frame = conform("progress", pd.DataFrame({"year": ["2026"], "unit": [" 乐清市 "]}))
    >>> frame["year"].dtype, frame.loc[0, "unit"]
    (Int64Dtype(), '乐清市')
    """
    conformed, faults = _cast(find_layer(layer_name), frame)
    if faults:
        raise reject(layer_name, faults)
    return conformed


def reject(layer_name: str, faults: list[RowFault]) -> InputError:
    """Say in one error what is wrong with the rows of a frame; rows are counted from 1 there."""
    told = [
        Fault(f"row {fault.row + 1}, {fault.column}", fault.what, fault.value, fault.fix)
        for fault in faults
    ]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return InputError(f"layer {layer_name}: {told[0]}{more}", told)


def find_faults(
    layer_name: str, frame: pd.DataFrame, *, columns: Collection[str] | None = None
) -> list[RowFault]:
    """Find everything that a layer does not allow in a frame.

    What cannot be cast, required values missing, ids and other unique values given twice, numbers
    that are infinite or out of range, values that are no choice; geometries that are missing,
    empty, invalid, of another type, or not in degrees of longitude and latitude. Any text is
    allowed where text is.

    Parameters
    ----------
    layer_name, frame
        As `conform` takes them.
    columns
        The columns to look at; all of the layer when None.

    Returns
    -------
    list of RowFault
        By row, then column.

    Raises
    ------
    InputError
        When the frame itself is not of the layer (unknown columns, another CRS).

    Examples
    --------
    >>> faults = find_faults("progress", pd.DataFrame({
    ...     "unit": ["乐清市"], "year": [2026], "indicator": ["area"], "value": [-1.0],
    ...     "reported_on": ["2026-10-31"]}))
    >>> [(fault.column, fault.what) for fault in faults]
    [('value', 'is below 0')]
    """
    return examine(layer_name, frame, columns=columns)[1]


def examine(
    layer_name: str, frame: pd.DataFrame, *, columns: Collection[str] | None = None
) -> tuple[pd.DataFrame, list[RowFault]]:
    """Conform a frame and find its faults in one go, as `conform` and `find_faults`.

    The conformed frame has the columns that are looked at.
    """
    declared = find_layer(layer_name)
    conformed, faults = _cast(declared, frame, columns)
    told = {(fault.row, fault.column) for fault in faults}
    held: dict[str, npt.NDArray[np.object_]] = {}
    for row, column, what in _failures(layer_name, conformed):
        if (row, column) not in told:  # a value that could not be cast is not missing as well
            told.add((row, column))
            if column not in held:
                held[column] = conformed[column].to_numpy(dtype=object)
            faults.append(_fault(declared, row, column, what, held[column][row]))
    order = {name: position for position, name in enumerate(conformed.columns)}
    return conformed, sorted(faults, key=lambda fault: (fault.row, order[fault.column]))


def _cast(
    layer: Layer, frame: pd.DataFrame, among: Collection[str] | None = None
) -> tuple[pd.DataFrame, list[RowFault]]:
    frame = _plain_geometry(layer, frame)
    _check_columns(layer, frame)
    faults: list[RowFault] = []
    columns: dict[str, pd.Series] = {}
    missing: dict[str, pd.Series] = {}  # by kind: one serves all, the frame copies it
    for column in layer.columns:
        if among is not None and column.name not in among:
            continue
        if column.name in frame:
            columns[column.name], wrong = cast_column(column, frame[column.name])
            faults.extend(wrong)
        elif column.kind == "list":  # its lists are each record's own
            columns[column.name] = missing_column("list", len(frame))
        else:
            if column.kind not in missing:
                missing[column.kind] = missing_column(column.kind, len(frame))
            columns[column.name] = missing[column.kind]
    table = join_columns(columns)
    if not layer.spatial or (among is not None and GEOMETRY not in among):
        return table, faults
    shapes, wrong = _geometries(frame)
    placed: pd.DataFrame = gpd.GeoDataFrame(table, geometry=shapes, crs=STORED_CRS)
    return placed, faults + wrong


def _plain_geometry(layer: Layer, frame: pd.DataFrame) -> pd.DataFrame:
    """Name the active geometry column `geometry`, whatever the reader of a file called it."""
    if not isinstance(frame, gpd.GeoDataFrame):
        return frame
    active = frame.active_geometry_name
    if active is None:
        return pd.DataFrame(frame)
    crs: CRS | None = frame.crs
    if crs is not None and not any(crs == CRS.from_user_input(same) for same in _SAME_CRS):
        raise InputError(
            f"layer {layer.name}: geometry is in {crs.to_string()}; bring it to {STORED_CRS} first"
        )
    plain: pd.DataFrame = pd.DataFrame(frame).rename(columns={active: GEOMETRY})
    return plain


def _check_columns(layer: Layer, frame: pd.DataFrame) -> None:
    known = {column.name for column in layer.columns} | ({GEOMETRY} if layer.spatial else set())
    faults = [
        Fault("columns", "the layer has no such column", str(name), "leave it out or rename it")
        for name in frame.columns
        if name not in known
    ]
    twice = frame.columns[frame.columns.duplicated()]
    faults += [Fault("columns", "stands there twice", str(name), "keep one") for name in twice]
    if faults:
        raise InputError(f"layer {layer.name}: {faults[0]}", faults)


def _geometries(frame: pd.DataFrame) -> tuple[npt.NDArray[np.object_], list[RowFault]]:
    """Take the geometries of a frame in two dimensions, None where missing."""
    if GEOMETRY not in frame:
        return np.full(len(frame), None, dtype=object), []
    given = np.asarray(frame[GEOMETRY], dtype=object)
    absent = np.asarray(pd.isna(given)) if len(given) else np.zeros(0, dtype=bool)
    wrong = ~absent & ~shapely.is_geometry(given)
    faults = [
        RowFault(int(row), GEOMETRY, "is not a geometry", given[row], "give a shapely geometry")
        for row in np.flatnonzero(wrong)
    ]
    shapes = given.copy()
    shapes[absent | wrong] = None
    return np.asarray(shapely.force_2d(shapes)), faults


def _failures(layer_name: str, frame: pd.DataFrame) -> list[tuple[int, str, str]]:
    """Let pandera find what is wrong: row, column and what."""
    from pandera.errors import SchemaErrors  # noqa: PLC0415 - half a second that reading saves

    if frame.empty:
        return []
    try:
        _schema_of(layer_name, frame).validate(pd.DataFrame(frame), lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        return [
            (int(row), str(column), "is missing" if check == "not_nullable" else str(check))
            for row, column, check in zip(
                cases["index"], cases["column"], cases["check"], strict=True
            )
        ]
    return []


def _schema_of(layer_name: str, frame: pd.DataFrame) -> pa.DataFrameSchema:
    """Return the schema of the columns that can fail in a frame: of few records most are empty."""
    held = frame.notna().any().to_dict()
    idle = frozenset(
        name
        for name, column in _schema(layer_name).columns.items()
        if name not in held or (column.nullable and not (column.checks and held[name]))
    )
    return _schema_without(layer_name, idle)


@lru_cache(maxsize=256)
def _schema_without(layer_name: str, idle: frozenset[str]) -> pa.DataFrameSchema:
    """Leave columns out of the schema of a layer; entered one by one, records are often alike."""
    return _schema(layer_name).remove_columns(sorted(idle))


@cache
def _schema(layer_name: str) -> pa.DataFrameSchema:
    """Build the pandera schema of a layer from the catalogue."""
    import pandera.pandas as pa  # noqa: PLC0415 - half a second that reading saves

    def check(passes: Callable[[pd.Series], Any], what: str) -> pa.Check:
        return pa.Check(passes, error=what, ignore_na=False)

    layer = find_layer(layer_name)
    columns = {
        column.name: pa.Column(
            nullable=not column.required,
            checks=[check(passes, what) for what, passes in _tests(column).items()],
        )
        for column in layer.columns
    }
    if layer.spatial:
        columns[GEOMETRY] = pa.Column(
            nullable=not layer.geometry_required,
            checks=[check(passes, what) for what, passes in _shape_tests(layer).items()],
        )
    return pa.DataFrameSchema(columns)


def _tests(column: Column) -> dict[str, Callable[[pd.Series], Any]]:
    """List what a column must pass, by what is said when not; missing values pass."""
    tests: dict[str, Callable[[pd.Series], Any]] = {}
    low, high = column.minimum, column.maximum
    if column.kind == "number":
        tests["is not finite"] = lambda values: ~np.isinf(values)
    if low is not None:
        tests[f"is below {low:g}"] = lambda values: ~(values < low).fillna(value=False)
    if high is not None:
        tests[f"is above {high:.15g}"] = lambda values: ~(values > high).fillna(value=False)
    if column.unique or column.name == "id":
        tests["is given twice"] = lambda values: ~(values.duplicated(keep=False) & values.notna())
    if column.choices:
        allowed = frozenset(choice.value for choice in column.choices)
        if column.kind == "list":
            tests["holds what is no choice"] = lambda values: values.map(allowed.issuperset)
        else:
            tests["is not one of the choices"] = lambda v: v.isin(allowed) | v.isna()
    return tests


def _shape_tests(layer: Layer) -> dict[str, Callable[[pd.Series], Any]]:
    types = [shapely.GeometryType[name.upper()].value for name in layer.geometry]

    def passes(test: Callable[[Any], Any]) -> Callable[[pd.Series], Any]:
        def run(values: pd.Series) -> pd.Series:
            shapes = np.asarray(values, dtype=object)
            return pd.Series(test(shapes) | shapely.is_missing(shapes), index=values.index)

        return run

    return {
        f"is not a {' or '.join(layer.geometry)}": passes(
            lambda shapes: np.isin(shapely.get_type_id(shapes), types)
        ),
        "is empty": passes(lambda shapes: ~shapely.is_empty(shapes)),
        "is not in degrees of longitude and latitude": passes(_in_degrees),
        "is not a valid geometry": passes(shapely.is_valid),
    }


def _in_degrees(shapes: npt.NDArray[np.object_]) -> Mask:
    west, south, east, north = shapely.bounds(shapes).T
    inside = (west >= -180) & (east <= 180) & (south >= -90) & (north <= 90)
    inside &= ~_holds_infinity(shapes)
    return np.asarray(inside | shapely.is_empty(shapes))


def _holds_infinity(shapes: npt.NDArray[np.object_]) -> Mask:
    """Find geometries with a coordinate that is not finite: bounds pass over those."""
    held = np.zeros(len(shapes), dtype=bool)
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    held[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    return held


def _fault(layer: Layer, row: int, column: str, what: str, value: Any) -> RowFault:
    if column == GEOMETRY:
        return RowFault(row, column, what, _short(value), _shape_fix(layer, value, what))
    missing = what == "is missing"
    return RowFault(row, column, what, None if missing else value, _fix(layer.column(column), what))


def _fix(column: Column, what: str) -> str:
    if what == "is missing":
        return "give a value: the column is required"
    if what == "is given twice":
        return "keep one record of each"
    if column.choices:
        return f"give one of {', '.join(choice.value for choice in column.choices)}"
    if what == "is not finite":
        return "give a finite number, or leave it empty"
    low, high = column.minimum, column.maximum
    if high is None:
        return f"give {low:g} or more"
    return f"give {high:.15g} or less" if low is None else f"give {low:g} to {high:.15g}"


def _shape_fix(layer: Layer, shape: Any, what: str) -> str:
    if what == "is not in degrees of longitude and latitude":
        west, south, east, north = shapely.bounds(shape)
        if -90 <= west <= east <= 90 < max(abs(south), abs(north)) <= 180:
            return "longitude and latitude look swapped: longitude comes first"
        return "declare the datum or EPSG code that the coordinates are in"
    if what == "is not a valid geometry":
        return f"repair it: {shapely.is_valid_reason(shape)}"
    return f"give a {' or '.join(layer.geometry)}"


def _short(shape: Any) -> str | None:
    if shape is None:
        return None
    text = shapely.to_wkt(shape, rounding_precision=6)
    return text if len(text) <= 60 else f"{text[:59]}…"
