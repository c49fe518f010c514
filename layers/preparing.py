"""Preparing records: what a file says brought to the form that is written, all faults told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as replace_fields
from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.crs import DATUMS, STORED_CRS
from layers.catalog import Layer
from layers.ingest.datum import vote_datums, weigh_votes
from layers.ingest.draft import Draft, draft_records
from layers.ingest.evidence import gather_evidence
from layers.ingest.fill import fill_records
from layers.ingest.gazetteer import Gazetteer, read_gazetteer
from layers.ingest.places import check_near
from layers.ingest.units import plain
from layers.ingest.values import CellFault, is_blank
from layers.query import Query
from layers.schema import examine
from layers.store import Store

# The layers whose polygons are the city: they are not held against themselves.
_CITY_LAYERS = frozenset({"reporting_units", "divisions"})

# Columns of a stored record that an empty cell leaves as they are.
LEFT_WHEN_BLANK = frozenset({"source", "as_of"})


def prepare_records(  # noqa: PLR0913 - options of one act, each with its default
    store: Store,
    layer: Layer,
    raw: pd.DataFrame,
    declared: str | None,
    *,
    columns: Mapping[str, str] | None = None,
    name: str = "",
    replace: bool = False,
    known_again: bool = True,
    keep: bool = False,
) -> tuple[Draft, pd.DataFrame]:
    """Read and check the records of a raw frame, up to the form in which they are written.

    Parameters
    ----------
    store, layer
        Where they go.
    raw
        As `read_file` gives it.
    declared
        Datum of the coordinates as `parse_datum` names it; None when it was not said.
    columns, replace
        As `import_file` takes them.
    name
        Of the file, which is the source of records that name none.
    known_again
        Whether a record without id is taken for the one that the same file brought before.
    keep
        Whether a record with an id of the store keeps what the file has no column for, or no place.

    Returns
    -------
    tuple
        The draft with all that was found, and the records in the form of the layer, row by row,
        with the ids of those that the store has.

    Raises
    ------
    InputError
        When the frame as a whole cannot be taken.
    """
    draft = draft_records(layer, raw, declared, columns)
    gazetteer = read_gazetteer(store)
    if declared is not None:
        _check_places(store, draft, raw, declared, gazetteer)
    if keep:
        _complete(store, draft)
    _place_by_incubator(draft, gazetteer)
    _fill(draft, gazetteer)
    records = _examine(draft, _sign(draft, name, declared))
    return draft, _meet_store(store, draft, records, replace=replace, known_again=known_again)


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


def _complete(store: Store, draft: Draft) -> None:
    """Take from the store what the file does not say of the records that it names by their id."""
    if "id" not in draft.frame:
        return
    ids = [None if is_blank(key) else str(key) for key in draft.frame["id"]]
    held = store.records(draft.layer.name, Query(ids=[key for key in ids if key is not None]))
    known = [(place, held[key]) for place, key in enumerate(ids) if key in held]
    frame, geometry = draft.frame.copy(), draft.places.geometry.copy()
    for column in draft.layer.columns:
        if column.name in draft.stated and column.name not in LEFT_WHEN_BLANK:
            continue
        cells = list(frame[column.name]) if column.name in frame else [None] * len(frame)
        for place, record in known:
            if is_blank(cells[place]):
                cells[place] = record[column.name]
        frame[column.name] = pd.Series(cells, index=frame.index, dtype=object)
    faulty = {fault.row for fault in draft.places.faults}
    for place, record in known:
        if geometry[place] is None and int(draft.rows[place]) not in faulty:
            geometry[place] = record.get("geometry")
    draft.frame = frame
    draft.places = replace_fields(draft.places, geometry=geometry)


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


def _sign(draft: Draft, name: str, declared: str | None) -> pd.DataFrame:
    """Write on every record where it comes from."""
    frame = draft.frame.copy()
    is_demo = frame["provenance"].eq("demo").fillna(value=False).astype(bool)
    if is_demo.any():
        draft.warnings.append(f"{is_demo.sum()} record(s) say that they are demo data, and stay so")
    frame["provenance"] = np.where(is_demo, "demo", "imported")
    frame["source"] = frame["source"].where(frame["source"].notna(), name or None)
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
    store: Store, draft: Draft, records: pd.DataFrame, *, replace: bool, known_again: bool
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
    before = [None] * len(ids)
    if known_again:
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
    owner = ["incubator"] if names and "incubator" in required else []
    return [*(names[:1] or required), *owner, "source", "declared_x", "declared_y"]


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
