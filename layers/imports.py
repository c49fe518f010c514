"""Importing a file into a layer: read, checked as a whole, and written as a whole or not at all."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geo.crs import parse_datum
from layers.boundaries import refresh_units
from layers.catalog import layer as find_layer
from layers.ingest.datum import Vote
from layers.ingest.draft import Draft
from layers.ingest.tables import read_file
from layers.ingest.values import is_blank
from layers.preparing import prepare_records
from layers.query import Query
from layers.schema import RowFault
from layers.store import Store
from layers.uploads import read_mark

Progress = Callable[[float, str], None]


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
        What the coordinates are in, as `geo.crs.parse_datum` takes it; needed where there are any,
        but for a template, which says it.
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
    datum = datum or _template_datum(Path(path))
    declared = None if datum is None else parse_datum(datum)
    tell(0.0, "reading")
    raw = read_file(path, layer_name=layer_name, sheet=sheet)
    tell(0.2, "checking")
    name = Path(path).name
    draft, records = prepare_records(
        store, layer, raw, declared, columns=columns, name=name, replace=replace
    )
    bad = np.isin(draft.rows, [fault.row for fault in draft.faults])
    good = records[~bad].reset_index(drop=True)
    write = not dry_run and len(good) > 0 and (skip_bad or not draft.faults)
    batch = None
    if write:
        tell(0.7, "writing")
        batch = _write(store, draft, good, who=who, note=note or f"import {name}", change=replace)
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


def _template_datum(path: Path) -> str | None:
    if path.suffix.lower() != ".xlsx" or not zipfile.is_zipfile(path):
        return None
    mark = read_mark(path)
    return None if mark is None else mark.datum


def _tell_nobody(share: float, stage: str) -> None:
    del share, stage


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
