"""Records on their way from a file to the store: headings, cells and places read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.crs import DATUMS
from geo.errors import InputError
from layers.catalog import Layer
from layers.ingest.datum import Vote
from layers.ingest.evidence import doubt_headings
from layers.ingest.headings import HeadingMatch, match_headings
from layers.ingest.places import Places, read_places
from layers.ingest.values import CellFault, parse_column
from layers.schema import RowFault


@dataclass
class Draft:
    """Records on their way from a file to the store, completed step by step.

    Attributes
    ----------
    layer
        Where they go.
    rows
        Row of each record in the file.
    frame
        Columns of the layer that the file has, later all.
    places
        Where they are.
    stated
        Names of the columns that the file has.
    read
        Those columns as the file has them, before anything is filled in.
    placed
        Whether the file itself says where a record is.
    faults, warnings, votes
        What was found so far, as the report tells it.
    """

    layer: Layer
    rows: pd.Index
    frame: pd.DataFrame
    places: Places
    stated: frozenset[str]
    read: pd.DataFrame
    placed: npt.NDArray[np.bool_]
    faults: list[RowFault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    votes: list[Vote] | None = None

    def blame(self, column: str, faults: Iterable[CellFault]) -> None:
        """Add faults, one at most for each cell."""
        told = {(fault.row, fault.column) for fault in self.faults}
        for fault in faults:
            if (fault.row, column) not in told:
                told.add((fault.row, column))
                self.faults.append(RowFault(fault.row, column, fault.what, fault.value, fault.fix))


def draft_records(
    layer: Layer, raw: pd.DataFrame, declared: str | None, columns: Mapping[str, str] | None
) -> Draft:
    """Read headings, cells and places of a raw frame.

    Parameters
    ----------
    layer
        Where the records go.
    raw
        As `read_file` gives it.
    declared
        The datum, as `parse_datum` names it; None when it was not said.
    columns
        What the user said about headings.

    Raises
    ------
    InputError
        When the headings mean nothing, or the places cannot be read.
    """
    placed = isinstance(raw, gpd.GeoDataFrame)
    headings = [str(name) for name in raw.columns if not (placed and name == raw.geometry.name)]
    match = match_headings(layer, headings, columns=columns, placed=placed)
    _require_sense(layer, match, headings, declared, placed=placed)
    frame = pd.DataFrame(index=raw.index)
    faults: list[tuple[str, list[CellFault]]] = []
    warnings = [*raw.attrs.get("notes", ()), *match.notes]
    for heading, meaning in match.columns.items():
        column = layer.column(meaning.column)
        parsed = parse_column(raw[heading], column, factor=meaning.factor)
        frame[column.name] = parsed.series
        faults.append((column.name, parsed.faults))
        warnings += parsed.notes
    nowhere = np.full(len(raw), np.nan)
    places = Places(np.full(len(raw), None, dtype=object), nowhere, nowhere, [])
    if layer.spatial and declared is not None and (placed or match.place):
        places = read_places(raw, match.place, declared)
        doubt = doubt_headings(match.place, declared)
        warnings += [doubt] if doubt else []
    if match.ignored:
        warnings.append(f"headings that were not read: {', '.join(match.ignored)}")
    stated = frozenset(meaning.column for meaning in match.columns.values())
    placed_rows = ~shapely.is_missing(places.geometry)
    draft = Draft(
        layer, raw.index, frame, places, stated, frame.copy(), placed_rows, warnings=warnings
    )
    for name, wrong in faults:
        draft.blame(name, wrong)
    draft.blame("geometry", places.faults)
    return draft


def _require_sense(
    layer: Layer,
    match: HeadingMatch,
    headings: list[str],
    declared: str | None,
    *,
    placed: bool,
) -> None:
    """Refuse a file whose headings mean nothing, or whose places cannot be read."""
    shown = ", ".join(headings[:20])
    if not match.columns:
        names = ", ".join(column.name for column in layer.columns if column.required)
        raise InputError(
            f"none of the headings means a column of {layer.name}: {shown}; needed are "
            f"{names or 'any of its columns'}; say which is which by HEADING=COLUMN"
        )
    if not layer.spatial:
        return
    by_incubator = "incubator" in {meaning.column for meaning in match.columns.values()}
    if layer.geometry_required and not (placed or match.place or by_incubator):
        raise InputError(
            f"{layer.name} need a place and the headings name none: {shown}; say which hold it by "
            "lon=HEADING and lat=HEADING"
        )
    if declared is None and (placed or match.place):
        raise InputError(
            f"the datum of the coordinates is not said; give one of {', '.join(DATUMS)} or an EPSG "
            "code"
        )
