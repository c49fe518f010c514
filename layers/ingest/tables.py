"""Reading files of any usual kind into one raw frame, every cell as the file has it.

Text tables (CSV, TSV), sheets (XLSX, ODS) and geographic files (GeoJSON, GeoPackage, Shapefile,
KML, FlatGeobuf), also inside a zip. Nothing is interpreted here: cells of tables stay text, and
the index holds the row number by which a person finds the record in the file.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from geo.errors import InputError
from layers.ingest.limits import MAX_BYTES, MAX_ROWS, MIB, choose_layer, open_zip, refuse_damaged
from layers.ingest.sheets import find_encoding, read_ods, read_text, read_xlsx

_TABLES = {".csv": "text", ".tsv": "text", ".txt": "text"}
_VECTORS = {
    ".geojson": "text",
    ".json": "text",
    ".gpkg": "binary",
    ".shp": "binary",
    ".kml": "text",
    ".fgb": "binary",
}
_KINDS = _TABLES | _VECTORS | {".xlsx": "sheet", ".xlsm": "sheet", ".ods": "sheet", ".zip": "zip"}
_READABLE = "CSV, TSV, XLSX, ODS, GeoJSON, GeoPackage, Shapefile, KML, FlatGeobuf or a zip of one"


def read_file(
    path: str | Path,
    *,
    layer_name: str | None = None,
    sheet: str | None = None,
    max_rows: int = MAX_ROWS,
) -> pd.DataFrame | gpd.GeoDataFrame:
    """Read a file into a raw frame.

    Parameters
    ----------
    path
        The file; its ending says the kind.
    layer_name
        Which of several layers or sheets is preferred, when one bears that name.
    sheet
        The layer or sheet to read; it must exist.
    max_rows
        The most records that are taken.

    Returns
    -------
    DataFrame or GeoDataFrame
        Headings as in the file; index `row`: the row of the sheet (headings included) or the number
        of the feature, from 1. Geometries keep the file's own coordinate system in `crs`.
        `attrs["notes"]` says what a reader should know, such as the encoding found.

    Raises
    ------
    InputError
        When the file is missing, of unknown kind, too large, empty or damaged.
    """
    file = Path(path)
    kind = _check_file(file)
    if kind == "zip":
        return _read_zip(file, layer_name=layer_name, sheet=sheet, max_rows=max_rows)
    try:
        frame = _READERS[file.suffix.lower()](file, layer_name, sheet, max_rows)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from error
    if frame.empty:
        raise InputError(f"{file} holds no records; give a file with headings and at least one row")
    return frame


def _check_file(file: Path) -> str:
    """Say how a file is to be weighed, or refuse it."""
    if not file.exists():
        raise InputError(f"there is no file {file}; check the path")
    kind = _KINDS.get(file.suffix.lower())
    if file.suffix.lower() == ".xls":
        raise InputError(f"{file} is in the old Excel format; save it as .xlsx and import that")
    if not file.is_file() or kind is None:
        raise InputError(f"{file} is of no known kind; give {_READABLE}")
    size = file.stat().st_size
    if size == 0:
        raise InputError(f"{file} is empty (0 bytes); give a file with headings and records")
    if size > MAX_BYTES[kind]:
        raise InputError(
            f"{file} has {size / MIB:,.0f} MB and the limit for {file.suffix} is "
            f"{MAX_BYTES[kind] // MIB} MB; split it, or save it as GeoPackage (.gpkg)"
        )
    return kind


def _read_vector(
    file: Path, layer_name: str | None, sheet: str | None, max_rows: int
) -> pd.DataFrame | gpd.GeoDataFrame:
    source: Path | bytes = file
    notes = []
    encoding = None
    if file.suffix.lower() in {".geojson", ".json", ".kml"}:
        found = find_encoding(file)
        if found != "utf-8":
            text = file.read_text(found)
            source = re.sub(r'(<\?xml[^>]*encoding=")[^"]+', r"\1UTF-8", text, count=1).encode()
            notes.append(f"the text was read as {found.upper()}")
    if file.suffix.lower() == ".shp":
        encoding = _shapefile_encoding(file)
    name: str | int = choose_layer(_layers(source, file), file, layer_name=layer_name, wanted=sheet)
    if isinstance(source, bytes):
        name = 0  # the name of its one layer is made anew at each opening
    try:
        frame = pyogrio.read_dataframe(
            source, layer=name, max_features=max_rows + 1, encoding=encoding
        )
    except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError) as error:
        refuse_damaged(file, error)
    if len(frame) > max_rows:
        raise InputError(f"{file} has more than {max_rows:,} features, the limit; split it")
    if file.suffix.lower() in {".geojson", ".json"}:
        _keep_constants(frame, file if isinstance(source, Path) else source)
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    frame.attrs["notes"] = notes
    return frame


def _keep_constants(frame: pd.DataFrame, source: Path | bytes) -> None:
    """Put NaN and Infinity of a GeoJSON in the cells as text: GDAL reads them as missing.

    They are no JSON (RFC 8259), but many programs write them, and a missing value is not meant.
    """
    content = source.read_bytes() if isinstance(source, Path) else source
    if not re.search(rb":\s*(NaN|-?Infinity)\b", content):
        return
    features = json.loads(content, parse_constant=_Constant).get("features", ())
    for row, feature in enumerate(features):
        for name, value in (feature.get("properties") or {}).items():
            if isinstance(value, _Constant) and name in frame:
                frame[name] = frame[name].astype(object)
                frame.loc[row, name] = str(value)


class _Constant(str):
    """A number that JSON cannot write, by its name."""

    __slots__ = ()


def _layers(source: Path | bytes, file: Path) -> list[str]:
    try:
        return [str(name) for name, _ in pyogrio.list_layers(source)]
    except (DataSourceError, ValueError) as error:
        refuse_damaged(file, error)


def _shapefile_encoding(file: Path) -> str | None:
    """Find the encoding of a Shapefile's table that does not declare one; None when it does."""
    table = next(
        (t for t in (file.with_suffix(".dbf"), file.with_suffix(".DBF")) if t.exists()), None
    )
    declared = any(file.with_suffix(ending).exists() for ending in (".cpg", ".CPG"))
    if table is None or declared:
        return None
    with table.open("rb") as stream:
        language = stream.read(30)[29:30]
    if language not in {b"\0", b""}:
        return None
    return "UTF-8" if _table_is_utf8(table) else "GB18030"


def _table_is_utf8(table: Path) -> bool:
    """Whether every record of a dBASE table is UTF-8 (a cut last character apart)."""
    with table.open("rb") as stream:
        head = stream.read(32)
        stream.seek(int.from_bytes(head[8:10], "little"))
        content = stream.read(4 * MIB)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(content) - error.start < 4
    return True


def _read_zip(
    file: Path, *, layer_name: str | None, sheet: str | None, max_rows: int
) -> pd.DataFrame | gpd.GeoDataFrame:
    """Unpack the one readable file of a zip, with its sidecars, and read it."""
    with open_zip(file) as archive, tempfile.TemporaryDirectory() as folder:
        entries = [e for e in archive.infolist() if not e.is_dir() and "__MACOSX" not in e.filename]
        mains = [e for e in entries if Path(e.filename).suffix.lower() in _KINDS.keys() - {".zip"}]
        if len(mains) != 1:
            names = ", ".join(entry.filename for entry in mains) or "none"
            raise InputError(f"{file} must hold one file to import; it holds: {names}")
        stem = Path(mains[0].filename).with_suffix("")
        for entry in entries:
            member = Path(entry.filename)
            if member.with_suffix("") == stem:
                # A plain name: no path of the archive can lead out of the folder.
                (Path(folder) / f"data{member.suffix.lower()}").write_bytes(archive.read(entry))
        inner = Path(folder) / f"data{Path(mains[0].filename).suffix.lower()}"
        try:
            return read_file(inner, layer_name=layer_name, sheet=sheet, max_rows=max_rows)
        except InputError as error:
            message = str(error).replace(str(inner), f"{file} / {mains[0].filename}")
            raise InputError(message, error.faults) from error


_READERS = {
    **dict.fromkeys(_TABLES, read_text),
    ".xlsx": read_xlsx,
    ".xlsm": read_xlsx,
    ".ods": read_ods,
    **dict.fromkeys(_VECTORS, _read_vector),
}
