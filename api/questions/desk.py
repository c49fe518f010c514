"""The staff's desk: the layers that they enter, the records of one, and what an upload would do."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo.errors import InputError
from layers.catalog import Layer, layers
from layers.entries import EntryPlan, plan_entries
from layers.ingest.gazetteer import Vocabulary, read_gazetteer
from layers.ingest.units import plain
from layers.query import TEXT_COLUMNS, Query
from layers.store import Store
from layers.templates import desk_layer, write_template
from layers.uploads import read_upload

PAGE_ROWS = 50
_MAX_COLUMNS = 8
_FIRST_COLUMNS = ("name", "title")
_TELLING = (
    *("unit", "incubator", "year", "indicator", "kind", "category", "status", "area_m2"),
    *("value", "rent_cny_m2_month", "reported_on", "confirmed_on", "issuer", "as_of"),
)
_FILTERS = ("unit", "incubator", "year", "indicator", "category", "kind", "status", "level")


@dataclass(frozen=True)
class DeskLayer:
    """A layer at the desk: how many records it has, and how many of them are demo."""

    layer: Layer
    records: int
    demo: int


@dataclass(frozen=True)
class TableReport:
    """Records of a layer as the desk lists them.

    Attributes
    ----------
    layer
        The layer.
    columns, filters
        Names of the columns shown, and of those that can be filtered by.
    rows
        Records by column.
    total, next
        How many meet the filter; the cursor to go on, None at the end.
    vocabularies
        Words of the columns that refer to something.
    searchable
        Whether the layer has names to search.
    demo
        Whether a row shown is a demo record.
    """

    layer: Layer
    columns: tuple[str, ...]
    filters: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    total: int
    next: str | None
    vocabularies: Mapping[str, Vocabulary]
    searchable: bool
    demo: bool


def ask_desk(store: Store) -> list[DeskLayer]:
    """List the layers that staff enter."""
    demo = Query(where={"provenance": "demo"})
    return [
        DeskLayer(layer, store.count(name), store.count(name, demo))
        for name, layer in layers().items()
        if layer.desk
    ]


def ask_table(
    store: Store,
    layer_name: str,
    *,
    where: Mapping[str, str],
    text: str = "",
    sort: str = "",
    after: str = "",
) -> TableReport:
    """List records of a layer, with everything that its filter needs.

    Parameters
    ----------
    store
        The store.
    layer_name
        A layer of the desk.
    where
        Column to the value asked for; empty ones are not asked.
    text
        Part of a name.
    sort
        Column, `-` before it for falling; as entered where empty.
    after
        Cursor of the page before.

    Raises
    ------
    InputError
        When the layer is none of the desk, or a filter makes no sense.
    """
    layer = desk_layer(layer_name)
    names = {column.name for column in layer.columns}
    filters = tuple(name for name in _FILTERS if name in names)
    query = Query(
        text=text or None,
        where={name: where[name] for name in filters if where.get(name)},
        order_by=sort.removeprefix("-") or None,
        descending=sort.startswith("-"),
        limit=PAGE_ROWS,
        after=after or None,
    )
    page = store.page(layer_name, query)
    found = store.records(layer_name, Query(ids=tuple(page.frame["id"])))
    rows = tuple(found[key] for key in page.frame["id"] if key in found)
    return TableReport(
        layer,
        _columns(layer),
        filters,
        rows,
        page.total or 0,
        page.next,
        read_gazetteer(store).vocabularies,
        any(name in names for name in TEXT_COLUMNS),
        any(row["provenance"] == "demo" for row in rows),
    )


def _columns(layer: Layer) -> tuple[str, ...]:
    """Choose the columns that tell records apart, in the order in which people read them."""
    own = [column for column in layer.columns if not column.staff]
    names = [column.name for column in own]
    wanted = [name for name in (*_FIRST_COLUMNS, *_TELLING) if name in names]
    required = [c.name for c in own if c.required and c.name not in wanted]
    return tuple((wanted[:1] + required + wanted[1:])[:_MAX_COLUMNS])


def ask_upload(
    store: Store, path: Path, layer_name: str, *, name: str, datum: str = ""
) -> EntryPlan:
    """Tell what an uploaded file would do to a layer.

    Raises
    ------
    InputError
        When the file as a whole cannot be taken; it is called by the name it was sent under.
    """
    desk_layer(layer_name)
    try:
        upload = read_upload(path, layer_name, datum=datum or None)
        return plan_entries(store, layer_name, upload.raw, datum=upload.datum, name=name)
    except InputError as error:
        message = str(error).replace(str(path), name).replace(path.name, name)
        raise InputError(message, error.faults) from error


def ask_template(
    store: Store,
    layer_name: str,
    *,
    filled: bool = False,
    unit: str = "",
    incubator: str = "",
    datum: str = "wgs84",
) -> bytes:
    """Return the XLSX template of a layer, with current records where asked.

    Parameters
    ----------
    store
        The store.
    layer_name
        A layer of the desk.
    filled
        Whether its records are filled in.
    unit, incubator
        Only those of this unit, of this incubator (by id or its name).
    datum
        What the coordinates are in.

    Raises
    ------
    InputError
        When the layer has no such column, or the city no such unit or incubator.
    """
    layer = desk_layer(layer_name)
    names = {column.name for column in layer.columns}
    where: dict[str, Any] = {}
    vocabularies = read_gazetteer(store).vocabularies
    for column, value in (("unit", unit), ("incubator", incubator)):
        if not value:
            continue
        if column not in names:
            raise InputError(f"template: {layer_name} has no column {column}; leave it out")
        words = vocabularies[column].words
        found = words.get(plain(value), value)
        if found not in vocabularies[column].labels:
            raise InputError(f"template: there is no {column} {value[:60]!r}")
        where[column] = found
    query = Query(where=where) if filled or where else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.xlsx"
        write_template(store, layer_name, path, query=query, datum=datum)
        return path.read_bytes()
