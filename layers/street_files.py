"""Importing streets and amenities: OpenStreetMap extracts, and plain road lines.

Such files are read by the rules of the store rather than by headings. Records of the same source
are replaced as a whole or refused; demo streets go when real ones come, because a walk must not
lead over both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from geo.errors import InputError
from layers.imports import ImportReport
from layers.ingest.osm import read_amenities, read_lines, read_streets
from layers.query import Query
from layers.schema import RowFault, find_faults
from layers.store import Edit, Store

Progress = Callable[[str, float], None]

_EXTRACT_ENDINGS = (".pbf", ".osm", ".osm.gz", ".osm.bz2", ".o5m")
_LAYERS = ("streets", "amenities")


def takes(layer_name: str, path: str | Path) -> bool:
    """Tell whether a file of a layer is read here, and not by its headings.

    >>> takes("amenities", "city.osm.pbf"), takes("streets", "roads.gpkg")
    (True, True)
    >>> takes("amenities", "cafes.csv")
    False
    """
    return layer_name == "streets" or (layer_name in _LAYERS and is_extract(path))


def is_extract(path: str | Path) -> bool:
    """Tell whether a file is an OpenStreetMap extract, by its name."""
    return Path(path).name.lower().endswith(_EXTRACT_ENDINGS)


def import_street_file(  # noqa: PLR0913 - options of one act, each with its default
    store: Store,
    layer_name: str,
    path: str | Path,
    *,
    datum: str | None = None,
    sheet: str | None = None,
    dry_run: bool = False,
    skip_bad: bool = False,
    replace: bool = False,
    who: str = "import",
    progress: Progress | None = None,
) -> ImportReport:
    """Import an OpenStreetMap extract, or lines for the layer `streets`.

    Parameters
    ----------
    store
        Open for writing, unless `dry_run`.
    layer_name
        `streets` or `amenities`.
    path
        The extract, or a file of lines.
    datum
        What the coordinates of lines are in; what the file says when None. Extracts are WGS-84.
    sheet
        Layer of the file of lines.
    dry_run, skip_bad
        Write nothing; write the records without fault.
    replace
        Put the records in the place of those of the same source.
    who
        For the records' history.
    progress
        Called with a stage and the share done.

    Raises
    ------
    InputError
        When the file cannot be read, or its source is in the store already.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such file")
    tell = progress or _tell_nobody
    tell("reading", 0.0)
    frame, warnings = _read(store, layer_name, path, datum=datum, sheet=sheet, tell=tell)
    source = str(frame["source"].iloc[0])
    _require_new(store, layer_name, source, replace=replace)
    tell("checking", 0.6)
    faults = find_faults(layer_name, frame)
    bad = np.isin(np.arange(len(frame)), [fault.row for fault in faults])
    good = frame[~bad].reset_index(drop=True)
    write = not dry_run and len(good) > 0 and (skip_bad or not faults)
    batch = max((done.number for done in store.batches()), default=0) + 1
    if write:
        tell("writing", 0.7)
        with store.edit(who, f"import {Path(path).name}") as edit:
            warnings += _clear(edit, layer_name, source)
            edit.insert(layer_name, good.assign(batch=batch))
    tell("done", 1.0)
    return ImportReport(
        layer=layer_name,
        path=str(path),
        rows=len(frame),
        written=len(good) if write else 0,
        faults=_number_from_one(faults),
        warnings=warnings,
        datum_votes=None,
        dry_run=dry_run,
        batch=batch if write else None,
    )


def _read(
    store: Store,
    layer_name: str,
    path: str | Path,
    *,
    datum: str | None,
    sheet: str | None,
    tell: Progress,
) -> tuple[gpd.GeoDataFrame, list[str]]:
    if is_extract(path):
        read = read_streets if layer_name == "streets" else read_amenities
        frame = read(path, rules=store.rules("osm").body, progress=lambda s, _: tell(s, 0.3))
        return frame, []
    rules = store.rules("streets").body
    frame = read_lines(path, rules=rules, layer=sheet, datum=datum)
    today = pd.Timestamp(datetime.now(tz=UTC).astimezone().date())
    signed = frame.assign(
        source=frame["source"].where(frame["source"].notna(), Path(path).name),
        as_of=frame["as_of"].where(frame["as_of"].notna(), today),
    )
    left_out = _count(path, sheet) - len(frame)
    words = "、".join(rules["exclude_name_contains"])
    warned = (
        [f"{left_out} line(s) were left out: names with {words or 'nothing'}, or without a line"]
        if left_out > 0
        else []
    )
    return signed, warned


def _count(path: str | Path, sheet: str | None) -> int:
    return int(pyogrio.read_info(path, layer=sheet, force_feature_count=True)["features"])


def _require_new(store: Store, layer_name: str, source: str, *, replace: bool) -> None:
    held = store.count(layer_name, Query(where={"source": source}, demo=False))
    if held and not replace:
        raise InputError(
            f"{layer_name} of {source!r} are in the store already ({held} records); import with "
            "--replace to put the new ones in their place"
        )


def _clear(edit: Edit, layer_name: str, source: str) -> Iterable[str]:
    """Remove what the new records take the place of, and say so."""
    gone = edit.clear(layer_name, {"source": source, "provenance": "imported"})
    demo = edit.clear(layer_name, {"provenance": "demo"}) if layer_name == "streets" else 0
    told = [f"{gone} record(s) of the same source were replaced"] if gone else []
    return [*told, *([f"{demo} demo street(s) were removed"] if demo else [])]


def _number_from_one(faults: list[RowFault]) -> list[RowFault]:
    return [
        RowFault(fault.row + 1, fault.column, fault.what, fault.value, fault.fix)
        for fault in faults
    ]


def _tell_nobody(stage: str, share: float) -> None:
    del stage, share
