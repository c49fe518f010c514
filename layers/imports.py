"""Importing a file into a layer: read, checked as a whole, and written as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.crs import DATUMS, STORED_CRS, parse_datum
from layers.boundaries import refresh_units
from layers.catalog import Layer
from layers.catalog import layer as find_layer
from layers.ingest.datum import Vote, vote_datums, weigh_votes
from layers.ingest.draft import Draft, draft_records
from layers.ingest.evidence import gather_evidence
from layers.ingest.fill import fill_records
from layers.ingest.gazetteer import Gazetteer, read_gazetteer
from layers.ingest.places import check_near
from layers.ingest.tables import read_file
from layers.ingest.units import plain
from layers.ingest.values import CellFault, is_blank
from layers.query import Query
from layers.schema import RowFault, examine
from layers.store import Store

Progress = Callable[[float, str], None]

# The layers whose polygons are the city: they are not held against themselves.
_CITY_LAYERS = frozenset({"reporting_units", "divisions"})


@dataclass(frozen=True)
class ImportReport:
    """What an import found and did.

    Attributes
    ----------
    layer, path
        Where the records went, and from which file.
    rows, written
        Records in the file, and records written (0 when it was refused or only tried).
    faults
        Everything that is wrong; `row` is the row of the sheet or the number of the feature.
    warnings
        What a user should know or look at, one line each.
    datum_votes
        The reading of coordinates that fit best comes first; None when no vote was possible.
    dry_run
        Whether nothing was to be written.
    batch
        Number of the batch in the records' history; None when nothing was written.
    """

    layer: str
    path: str
    rows: int
    written: int
    faults: list[RowFault]
    warnings: list[str]
    datum_votes: list[Vote] | None
    dry_run: bool
    batch: int | None

    @property
    def ok(self) -> bool:
        """Whether no row is faulty."""
        return not self.faults

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return {
            "layer": self.layer,
            "path": self.path,
            "rows": self.rows,
            "written": self.written,
            "faults": [vars(fault) | {"value": _plain(fault.value)} for fault in self.faults],
            "warnings": self.warnings,
            "datum_votes": self.datum_votes and [vars(vote) for vote in self.datum_votes],
            "dry_run": self.dry_run,
            "batch": self.batch,
        }


def import_file(  # noqa: PLR0913 - options of one act, each with its default
    store: Store,
    layer_name: str,
    path: str | Path,
    *,
    datum: str | None = None,
    columns: Mapping[str, str] | None = None,
    sheet: str | None = None,
    dry_run: bool = False,
    skip_bad: bool = False,
    replace: bool = False,
    who: str = "import",
    note: str = "",
    progress: Progress | None = None,
) -> ImportReport:
    """Import a file into a layer.

    Parameters
    ----------
    store
        Open for writing, unless `dry_run`.
    layer_name
        A layer of the catalogue.
    path
        A file that `layers.ingest.tables.read_file` reads.
    datum
        What the coordinates are in, as `geo.crs.parse_datum` takes it; needed where there are any.
    columns
        Headings and columns that mean each other, either way round; `lon`, `lat`, `lonlat` and
        `wkt` name the place.
    sheet
        Sheet or layer of the file to read.
    dry_run
        Only try: everything is checked, nothing is written.
    skip_bad
        Write the records without fault; else one fault keeps all out.
    replace
        Change records whose id (or other unique column) the store has; else they are faults.
    who, note
        For the records' history.
    progress
        Called with a share done, 0 to 1, and the stage.

    Returns
    -------
    ImportReport
        Faults of rows are told there, not raised.

    Raises
    ------
    NotFoundError
        When no layer has the name.
    InputError
        When the file as a whole cannot be taken.
    StoreError
        When the store cannot be written.
    """
    tell = progress or _tell_nobody
    layer = find_layer(layer_name)
    declared = None if datum is None else parse_datum(datum)
    tell(0.0, "reading")
    raw = read_file(path, layer_name=layer_name, sheet=sheet)
    tell(0.2, "checking")
    draft = draft_records(layer, raw, declared, columns)
    gazetteer = read_gazetteer(store)
    if declared is not None:
        _check_places(store, draft, raw, declared, gazetteer)
    _place_by_incubator(draft, gazetteer)
    _fill(draft, gazetteer)
    records = _examine(draft, _sign(draft, Path(path), declared))
    records = _meet_store(store, draft, records, replace=replace)
    bad = np.isin(draft.rows, [fault.row for fault in draft.faults])
    good = records[~bad].reset_index(drop=True)
    write = not dry_run and len(good) > 0 and (skip_bad or not draft.faults)
    batch = None
    if write:
        tell(0.7, "writing")
        told = note or f"import {Path(path).name}"
        batch = _write(store, draft, good, who=who, note=told, change=replace)
    tell(1.0, "done")
    return ImportReport(
        layer=layer_name,
        path=str(path),
        rows=len(raw),
        written=len(good) if write else 0,
        faults=sorted(draft.faults, key=lambda fault: fault.row),
        warnings=draft.warnings,
        datum_votes=draft.votes,
        dry_run=dry_run,
        batch=batch,
    )


def _tell_nobody(share: float, stage: str) -> None:
    del share, stage


def _check_places(
    store: Store, draft: Draft, raw: pd.DataFrame, declared: str, gazetteer: Gazetteer
) -> None:
    """Hold the places against the city, and let the records vote on their datum."""
    places, areas = draft.places, gazetteer.city_areas
    if draft.layer.name in _CITY_LAYERS or not np.isfinite(places.x).any():
        return
    crs = store.metric_crs.to_string()
    if len(areas):
        rows = draft.rows.to_numpy()
        near = check_near(places, rows, areas, metric_crs=crs, datum=declared)
        draft.blame("geometry", near.faults)
        if near.outside:
            draft.warnings.append(
                f"{near.outside} point(s) lie up to 5 km outside the city's polygons"
            )
    if declared in DATUMS:
        evidence = gather_evidence(store, raw, draft.frame, places, gazetteer)
        votes = vote_datums(places.x, places.y, evidence, declared=declared, metric_crs=crs)
        draft.votes = votes or None
        verdict = weigh_votes(votes, declared)
        draft.warnings += [verdict] if verdict else []


def _place_by_incubator(draft: Draft, gazetteer: Gazetteer) -> None:
    """Put what belongs to an incubator and has no place of its own at the incubator."""
    if not draft.layer.spatial or "incubator" not in draft.frame:
        return
    words = gazetteer.vocabularies["incubator"].words
    at = dict(zip(gazetteer.incubators["id"], gazetteer.incubators.geometry, strict=True))
    geometry = draft.places.geometry.copy()
    faulty = {fault.row for fault in draft.places.faults}
    placed = 0
    for position, stated in enumerate(draft.frame["incubator"]):
        shape = at.get(words.get(plain(str(stated)), ""))
        if geometry[position] is None and shape and int(draft.rows[position]) not in faulty:
            geometry[position] = shape
            placed += 1
    draft.places = replace_fields(draft.places, geometry=geometry)
    draft.warnings += [f"{placed} place(s) taken from the incubator"] if placed else []


def _fill(draft: Draft, gazetteer: Gazetteer) -> None:
    filled = fill_records(draft.layer, draft.frame, draft.places.geometry, gazetteer)
    draft.frame = filled.frame
    draft.warnings += filled.notes
    for column, fault in filled.faults:
        draft.blame(column, [fault])


def _sign(draft: Draft, path: Path, declared: str | None) -> pd.DataFrame:
    """Write on every record where it comes from."""
    frame = draft.frame.copy()
    is_demo = frame["provenance"].eq("demo").fillna(value=False).astype(bool)
    if is_demo.any():
        draft.warnings.append(f"{is_demo.sum()} record(s) say that they are demo data, and stay so")
    frame["provenance"] = np.where(is_demo, "demo", "imported")
    frame["source"] = frame["source"].where(frame["source"].notna(), path.name)
    today = pd.Timestamp(datetime.now(tz=UTC).astimezone().date())
    frame["as_of"] = frame["as_of"].where(frame["as_of"].notna(), today)
    if draft.layer.spatial:
        placed = np.isfinite(draft.places.x)
        datums = [None if shape is None else declared for shape in draft.places.geometry]
        frame["declared_datum"] = pd.Series(datums, index=frame.index, dtype=object)
        frame["declared_x"] = np.where(placed, draft.places.x, np.nan)
        frame["declared_y"] = np.where(placed, draft.places.y, np.nan)
    return frame


def _examine(draft: Draft, frame: pd.DataFrame) -> pd.DataFrame:
    """Hold the records against the schema; rows of faults become those of the file."""
    table = frame.reset_index(drop=True)
    if draft.layer.spatial:
        table = gpd.GeoDataFrame(table, geometry=draft.places.geometry, crs=STORED_CRS)
    conformed, faults = examine(draft.layer.name, table)
    for fault in faults:
        row = int(draft.rows[fault.row])
        draft.blame(fault.column, [CellFault(row, fault.what, fault.value, fault.fix)])
    return conformed


def _meet_store(
    store: Store, draft: Draft, records: pd.DataFrame, *, replace: bool
) -> pd.DataFrame:
    """Find records that the store has already: faults, or the ones to change.

    A record without id that shares another unique column with a stored one takes its id; so does
    one that the same file brought before, known by its name (or, where the layer has no names, its
    required columns) and by the place as the file gives it.
    """
    keys = [column.name for column in draft.layer.columns if column.unique]
    signs = _signs(draft.layer)
    held = store.read(draft.layer.name, Query(columns=["id", *keys, *signs]))
    rows = draft.rows.to_list()
    ids = records["id"].to_list()
    fix = "leave it out, or import with replace to change the stored record"
    for name in keys:
        owner = dict(zip(held[name], held["id"], strict=True))
        for position, value in enumerate(records[name].to_list()):
            stored = owner.get(value)
            if stored is None or stored == ids[position]:
                continue
            if replace and is_blank(ids[position]):
                ids[position] = stored
                continue
            what = f"is in the store already (record {stored})"
            draft.blame(name, [CellFault(rows[position], what, value, fix)])
    before = _brought_before(held, records, signs, ids)
    if replace:
        ids = [found or key for found, key in zip(before, ids, strict=True)]
    else:
        what = "was imported from a file of this name before"
        draft.blame(
            signs[0],
            [
                CellFault(row, f"{what} (record {found})", value, fix)
                for row, found, value in zip(rows, before, records[signs[0]], strict=True)
                if found is not None
            ],
        )
        stored_ids = set(held["id"])
        draft.blame(
            "id",
            [
                CellFault(row, "is in the store already", key, fix)
                for row, key in zip(rows, ids, strict=True)
                if key in stored_ids
            ],
        )
    return records.assign(id=pd.Series(ids, index=records.index, dtype="str"))


def _signs(layer: Layer) -> list[str]:
    """Return the columns by which a record of a file is known again, its name or the like first."""
    names = [column.name for column in layer.columns if column.name in ("name", "title")]
    required = [column.name for column in layer.columns if column.required]
    return [*(names[:1] or required), "source", "declared_x", "declared_y"]


def _brought_before(
    held: pd.DataFrame, records: pd.DataFrame, signs: list[str], ids: list[Any]
) -> list[Any]:
    """Return for each record without id the stored one that an earlier import of it made."""

    def keys(frame: pd.DataFrame) -> list[tuple[str, ...]]:
        columns = [frame[name].map(lambda value: "" if is_blank(value) else str(value))
                   for name in signs]  # fmt: skip
        return list(zip(*columns, strict=True))

    waiting: dict[tuple[str, ...], list[Any]] = {}
    for key, stored in zip(keys(held), held["id"], strict=True):
        waiting.setdefault(key, []).append(stored)
    return [
        waiting[key].pop(0) if is_blank(own) and key[0] and waiting.get(key) else None
        for key, own in zip(keys(records), ids, strict=True)
    ]


def _write(
    store: Store, draft: Draft, good: pd.DataFrame, *, who: str, note: str, change: bool
) -> int:
    """Write the records in one edit and return the number of its batch.

    Of records changed only what the file or their place tells is written.
    """
    name = draft.layer.name
    with store.edit(who, note) as edit:
        if change:
            told = [c for c in good.columns if c in draft.stated or not good[c].map(is_blank).all()]
            edit.upsert(name, good[told])
        else:
            edit.insert(name, good)
    batch = max(done.number for done in store.batches() if done.layer == name)
    if name == "divisions":
        report = refresh_units(store, who)
        draft.warnings += [
            f"unit {unit} has no polygon: {why}" for unit, why in report.without_polygon.items()
        ]
        if store.count("incubators", Query(where={"provenance": "demo"})):
            draft.warnings.append(
                "the demo records were placed by the former outlines and may now disagree with "
                "their towns; place them anew by `hatchmap demo add`"
            )
    return batch


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
