"""Exporting a layer to a file: formats by their ending, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.crs import STORED_CRS, parse_datum, project, wgs84_to_bd09, wgs84_to_gcj02
from geo.errors import InputError
from layers.catalog import Layer
from layers.catalog import layer as find_layer
from layers.formats import FORMATS, TITLE, Writer
from layers.query import Query
from layers.store import ALL_RECORDS, Store

Geometries = npt.NDArray[np.object_]

_SHIFTS = {"gcj02": wgs84_to_gcj02, "bd09": wgs84_to_bd09}
_CODES = {"wgs84": "EPSG:4326", "cgcs2000": STORED_CRS}


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    Attributes
    ----------
    path
        The file.
    rows
        Records in it.
    format
        Its format by name.
    notes
        What the format could not keep, one line each.
    """

    path: str
    rows: int
    format: str
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return asdict(self) | {"notes": list(self.notes)}


def export_layer(
    store: Store,
    layer_name: str,
    path: str | Path,
    *,
    query: Query = ALL_RECORDS,
    staff: bool = False,
    datum: str = "cgcs2000",
) -> ExportReport:
    """Write the records of a layer to a file, replacing a file of that name.

    Parameters
    ----------
    store
        Where the records are.
    layer_name
        A layer of the catalogue.
    path
        The file; its ending says the format: GeoPackage 1.3 (`.gpkg`), GeoJSON (RFC 7946), CSV
        (UTF-8 with mark), XLSX, Shapefile (`.shp`, or all its files in a `.zip`), FlatGeobuf.
    query
        Which records.
    staff
        Whether columns (and layers) for staff only are written.
    datum
        What the coordinates are to be in. GeoJSON is always WGS-84; GCJ-02 and BD-09 have no code
        and are written only to CSV and XLSX, whose headings name them.

    Returns
    -------
    ExportReport
        Path, number of records, format and what it could not keep.

    Raises
    ------
    NotFoundError
        When no layer has the name.
    InputError
        When the format or datum cannot be written, the layer is for staff, or the folder does not
        let itself be written to.
    """
    layer, file = find_layer(layer_name), Path(path)
    writer = _writer(layer, file, staff=staff)
    target = parse_datum(datum)
    if (target in _SHIFTS and not writer.shifted) or (writer.wgs84_only and target not in _CODES):
        raise InputError(
            f"{writer.name} cannot be written in {target}; give wgs84, or export to CSV"
        )
    if Path(store.url).resolve() == file.resolve():
        raise InputError(f"{file} is the store itself; export to another file")
    columns = layer.columns if staff else layer.public_columns
    names = [column.name for column in columns]
    if query.columns is not None:
        names = [name for name in names if name in {"id", *query.columns}]
    wanted = [*names, "geometry"] if layer.spatial else names
    frame = store.read(layer_name, replace(query, columns=wanted))
    moved = _in_datum(frame[wanted], target)
    notes = []
    if store.lens is not None:
        moved.attrs[TITLE] = f"{layer.name}: scenario {store.lens.name} ({store.lens.id})"
        notes.append(f"the records are as the scenario {store.lens.name} would have them")
    notes += _write_whole(moved, layer, file, writer, target)
    return ExportReport(str(file), len(frame), writer.name, tuple(notes))


def _writer(layer: Layer, file: Path, *, staff: bool) -> Writer:
    if layer.staff and not staff:
        raise InputError(f"layer {layer.name} is for staff only; export it as staff")
    writer = FORMATS.get(file.suffix.lower())
    if writer is None:
        endings = ", ".join(FORMATS)
        raise InputError(f"{file}: the ending names no format; give one of {endings}")
    if writer.needs_geometry and not layer.spatial:
        raise InputError(
            f"layer {layer.name} has no geometry and cannot be a {writer.name}; give .csv or .xlsx"
        )
    return writer


def _in_datum(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    """Bring the geometry of a frame from the stored datum to another."""
    if not isinstance(frame, gpd.GeoDataFrame):
        return frame
    shapes = to_datum(np.asarray(frame.geometry.array), target)
    crs = None if target in _SHIFTS else _CODES.get(target, target)
    table = pd.DataFrame(frame.drop(columns="geometry"))
    moved: pd.DataFrame = gpd.GeoDataFrame(table, geometry=shapes, crs=crs)
    return moved


def to_datum(shapes: Geometries, target: str) -> Geometries:
    """Bring geometries from the stored datum to another, as `geo.crs.parse_datum` names it."""
    shift = _SHIFTS.get(target)
    if shift is not None:
        moved = shapely.transform(shapes, lambda xy: np.column_stack(shift(xy[:, 0], xy[:, 1])))
        return np.asarray(moved, dtype=object)
    return shapes if target in _CODES else np.asarray(project(shapes, target=target), dtype=object)


def _write_whole(
    frame: pd.DataFrame, layer: Layer, file: Path, writer: Writer, datum: str
) -> list[str]:
    """Write beside the target, then put the files in their place: never a half-written file."""
    if not file.parent.is_dir():
        raise InputError(f"there is no folder {file.parent}; make it first")
    if file.is_dir():
        raise InputError(f"{file} is a folder; name a file in it")
    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=file.parent) as folder:
            notes = writer.write(frame, layer, Path(folder) / file.name, datum)
            for made in sorted(Path(folder).iterdir()):
                os.replace(made, file.parent / made.name)  # noqa: PTH105 - atomic, over a file
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror or error}") from error
    return notes


def format_names() -> Mapping[str, str]:
    """Name the format of each ending.

    >>> format_names()[".gpkg"]
    'GeoPackage'
    """
    return {ending: writer.name for ending, writer in FORMATS.items()}
