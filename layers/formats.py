"""The formats that a layer can be written in; each writer gets a frame and writes one file."""

from __future__ import annotations

import csv
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import orjson
import pandas as pd
import pyogrio
import shapely
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from geo.errors import InputError
from layers.catalog import Layer
from layers.ingest.headings import DBF_NAME_BYTES, cut_names
from layers.ingest.sheets import FORMULA

_SEPARATED = re.compile(r"[、，,;；|/\n]")
_SHEET_ROWS = 1_048_575  # below the headings
TITLE = "title"  # of a frame's `attrs`: what files that can hold a title call themselves


@dataclass(frozen=True)
class Writer:
    """A format: its name, the function that writes it, and what it can hold."""

    name: str
    write: Callable[[pd.DataFrame, Layer, Path, str], list[str]]
    needs_geometry: bool = False
    wgs84_only: bool = False
    shifted: bool = False


# --- Values ----------------------------------------------------------------------------------


def plain_values(values: pd.Series) -> list[Any]:
    """Turn a column into plain Python values: None where missing, dates as `datetime.date`.

    >>> plain_values(pd.Series([1, None], dtype="Int64")), plain_values(pd.Series([["a"], []]))
    ([1, None], [['a'], []])
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        return [None if pd.isna(value) else value.date() for value in values]
    plain = values.to_numpy(dtype=object).tolist()
    return [value if isinstance(value, list | dict) or pd.notna(value) else None for value in plain]


def join_list(items: Sequence[str]) -> str | None:
    """Write a list as one text: separated by 、, or as JSON where an item holds a separator.

    >>> join_list(["电气", "鞋业"]), join_list(["a/b"]), join_list([])
    ('电气、鞋业', '["a/b"]', None)
    """
    if any(_SEPARATED.search(item) for item in items):
        return orjson.dumps(list(items)).decode()
    return "、".join(items) or None


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return join_list(value)
    return orjson.dumps(value).decode() if isinstance(value, dict) else value


def _columns(frame: pd.DataFrame, layer: Layer) -> dict[str, list[Any]]:
    """Columns of plain values without the geometry, in the order of the layer."""
    names = [column.name for column in layer.columns if column.name in frame]
    return {name: plain_values(frame[name]) for name in names}


def _flat(frame: pd.DataFrame, layer: Layer) -> pd.DataFrame:
    """Make a frame whose lists and objects are texts, for formats that know neither."""
    flat = frame.copy()
    for column in layer.columns:
        if column.name in flat and column.kind in {"list", "json"}:
            texts = [_cell(value) for value in flat[column.name]]
            flat[column.name] = pd.Series(texts, index=flat.index, dtype="str")
    return flat


# --- Tables ----------------------------------------------------------------------------------


def _place_columns(frame: pd.DataFrame, datum: str, *, long: bool) -> dict[str, list[Any]]:
    """Coordinates of points as two columns, other geometries as WKT when long text is allowed."""
    if not isinstance(frame, gpd.GeoDataFrame):
        return {}
    shapes = np.asarray(frame.geometry.array)
    points = shapely.get_type_id(shapes) == 0
    x, y = shapely.get_x(shapes), shapely.get_y(shapes)
    if datum.startswith("EPSG:"):
        names, digits = ("x", "y"), 4
    else:
        ending = "" if datum in {"wgs84", "cgcs2000"} else f"_{datum}"
        names, digits = (f"lon{ending}", f"lat{ending}"), 8
    if points[~shapely.is_missing(shapes)].all():
        return {
            name: [
                round(float(v), digits) if p else None for v, p in zip(axis, points, strict=True)
            ]
            for name, axis in zip(names, (x, y), strict=True)
        }
    return {"wkt": [None if s is None else shapely.to_wkt(s) for s in shapes]} if long else {}


def _write_csv(frame: pd.DataFrame, layer: Layer, file: Path, datum: str) -> list[str]:
    columns = _columns(frame, layer) | _place_columns(frame, datum, long=True)
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for row in _rows(columns):
            writer.writerow([guard_formula(value) for value in row])
    return []


def guard_formula(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would run as a formula.

    >>> guard_formula("=1+1"), guard_formula("a=1"), guard_formula(-5.0)
    ("'=1+1", 'a=1', -5.0)
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def _rows(columns: dict[str, list[Any]]) -> Iterator[list[Any]]:
    for row in zip(*columns.values(), strict=True):
        yield [_cell(value) for value in row]


def _write_xlsx(frame: pd.DataFrame, layer: Layer, file: Path, datum: str) -> list[str]:
    if len(frame) > _SHEET_ROWS:
        raise InputError(f"XLSX holds {_SHEET_ROWS:,} records, not {len(frame):,}; give .csv")
    place = _place_columns(frame, datum, long=False)
    columns = _columns(frame, layer) | place
    book = openpyxl.Workbook(write_only=True)
    book.properties.title = frame.attrs.get(TITLE)
    sheet = book.create_sheet(layer.name)
    sheet.freeze_panes = "A2"

    def cell(value: Any, *, bold: bool = False) -> Any:
        if not isinstance(value, str):
            return value
        text = ILLEGAL_CHARACTERS_RE.sub("", value)
        if not (bold or text.startswith("=")):
            return text
        made = WriteOnlyCell(sheet, text)
        made.data_type = "s"  # a text stays one, whatever sign it begins with
        made.font = Font(bold=bold)
        return made

    sheet.append([cell(name, bold=True) for name in columns])
    for row in _rows(columns):
        sheet.append([cell(value) for value in row])
    book.save(file)
    lost = isinstance(frame, gpd.GeoDataFrame) and not place
    return ["geometries were left out: XLSX cells are too short for them"] if lost else []


# --- Geographic files ------------------------------------------------------------------------


def _write_geojson(frame: pd.DataFrame, layer: Layer, file: Path, datum: str) -> list[str]:
    """Write GeoJSON by RFC 7946: WGS-84, rings anticlockwise, no member `crs`."""
    del datum
    columns = _columns(frame, layer)
    shapes: Iterable[str | None] = [None] * len(frame)
    if isinstance(frame, gpd.GeoDataFrame):
        oriented = shapely.orient_polygons(np.asarray(frame.geometry.array))
        shapes = shapely.to_geojson(oriented).tolist()
    records = zip(*columns.values(), strict=True)
    with file.open("wb") as stream:
        stream.write(b'{"type":"FeatureCollection","name":"%b","features":[' % layer.name.encode())
        for number, (values, shape) in enumerate(zip(records, shapes, strict=True)):
            properties = dict(zip(columns, values, strict=True))
            feature = {
                "type": "Feature",
                "id": properties.get("id"),
                "properties": properties,
                "geometry": None if shape is None else orjson.Fragment(shape),
            }
            stream.write((b",\n" if number else b"\n") + orjson.dumps(feature))
        stream.write(b"\n]}\n")
    return []


def _write_gpkg(frame: pd.DataFrame, layer: Layer, file: Path, datum: str) -> list[str]:
    del datum
    # Version 1.3: GDAL's own default of 1.4 makes QGIS up to 3.22 warn.
    told = {"DESCRIPTION": frame.attrs[TITLE]} if TITLE in frame.attrs else {}
    _write_ogr(_flat(frame, layer), file, driver="GPKG", layer=layer.name, VERSION="1.3", **told)
    return []


def _write_fgb(frame: pd.DataFrame, layer: Layer, file: Path, datum: str) -> list[str]:
    del datum
    # Its index has no room for records without a place.
    indexed = "YES" if frame["geometry"].notna().all() else "NO"
    _write_ogr(
        _flat(frame, layer), file, driver="FlatGeobuf", layer=layer.name, SPATIAL_INDEX=indexed
    )
    return []


def _write_ogr(frame: pd.DataFrame, file: Path, **options: Any) -> None:
    if isinstance(frame, gpd.GeoDataFrame):
        kinds = set(frame.geometry.geom_type.dropna())
        single = kinds.pop() if len(kinds) == 1 else "Unknown"
        options["geometry_type"] = single
    pyogrio.write_dataframe(frame, file, **options)


def _write_shapefile(frame: pd.DataFrame, layer: Layer, file: Path, datum: str) -> list[str]:
    """Write a Shapefile in UTF-8, telling the names that had to be cut and the values cut."""
    del datum
    placed = frame[frame["geometry"].notna()]
    kinds = {kind.removeprefix("Multi") for kind in placed.geometry.geom_type}
    if len(kinds) > 1:
        raise InputError(
            f"a Shapefile holds one kind of geometry, these are {', '.join(sorted(kinds))}; give "
            ".gpkg"
        )
    flat = _flat(frame, layer)
    names = cut_names([name for name in flat.columns if name != "geometry"])
    for column in layer.columns:
        if column.kind == "boolean" and column.name in flat:
            flat[column.name] = flat[column.name].astype("Int64")
    kind = kinds.pop() if kinds else layer.geometry[0]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        pyogrio.write_dataframe(
            flat.rename(columns=names),
            file,
            driver="ESRI Shapefile",
            encoding="UTF-8",
            geometry_type={"LineString": "MultiLineString", "Polygon": "MultiPolygon"}.get(
                kind, kind
            ),
            promote_to_multi=kind != "Point",
        )
    cut = ", ".join(f"{name} as {short}" for name, short in names.items() if name != short)
    notes = [f"names were cut to {DBF_NAME_BYTES} bytes: {cut}"] if cut else []
    if any("truncated" in str(warning.message) for warning in told):
        notes.append("texts longer than 254 bytes were cut")
    return notes


def _write_zip(frame: pd.DataFrame, layer: Layer, file: Path, datum: str) -> list[str]:
    """Write a Shapefile with all its files, and the names that were cut, into one zip."""
    parts = file.parent / "parts"
    parts.mkdir()
    notes = _write_shapefile(frame, layer, parts / f"{layer.name}.shp", datum)
    names = cut_names([name for name in frame.columns if name != "geometry"])
    listed = "".join(f"{short}\t{name}\n" for name, short in names.items())
    (parts / "fields.md").write_text(listed, encoding="utf-8")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(parts.iterdir()):
            archive.write(part, part.name)
    for part in parts.iterdir():
        part.unlink()
    parts.rmdir()
    return notes


FORMATS: dict[str, Writer] = {
    ".gpkg": Writer("GeoPackage", _write_gpkg),
    ".geojson": Writer("GeoJSON", _write_geojson, wgs84_only=True),
    ".json": Writer("GeoJSON", _write_geojson, wgs84_only=True),
    ".csv": Writer("CSV", _write_csv, shifted=True),
    ".xlsx": Writer("XLSX", _write_xlsx, shifted=True),
    ".shp": Writer("Shapefile", _write_shapefile, needs_geometry=True),
    ".zip": Writer("Shapefile (zip)", _write_zip, needs_geometry=True),
    ".fgb": Writer("FlatGeobuf", _write_fgb, needs_geometry=True),
}
