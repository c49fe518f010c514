"""Tables: what a store on SQL holds, declared from the catalogue and never read back from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, UniqueConstraint
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from layers.catalog import Layer, layers

KEY = "fid"  # the integer primary key, in the order in which records came
SHAPE = "geom"  # the geometry column

# Columns that people filter and sort by most; an index costs each of them little.
_INDEXED = ("unit", "incubator", "category", "area_m2", "rent_cny_m2_month")

# The store's own tables, each beside its integer key `number`: texts, but for those below.
_PRIVATE = {
    "meta": ("key", "value"),
    "rules": ("name", "version", "body", "source"),
    "batches": ("layer", "at", "who", "note", "rows"),
    "history": ("layer", "record", "batch", "action", "before", "after"),
    "versions": ("name", "version", "numbered"),
}
_WHOLE_NUMBERS = ("version", "rows", "batch", "numbered")
_UNIQUE = {"meta": "key", "rules": "name", "versions": "name"}
_PRIVATE_INDEX = {"history": ("layer", "record")}


@dataclass(frozen=True)
class Tables:
    """The tables of a store: one by layer, and the store's own."""

    metadata: MetaData
    layers: Mapping[str, Table]
    meta: Table
    rules: Table
    batches: Table
    history: Table
    versions: Table

    @property
    def private(self) -> tuple[Table, ...]:
        """The store's own tables."""
        return self.meta, self.rules, self.batches, self.history, self.versions


def declare_tables(
    kinds: Mapping[str, TypeEngine[Any]],
    shape: Callable[[Layer], TypeEngine[Any]],
    present: Mapping[str, Collection[str]] | None = None,
) -> Tables:
    """Declare the tables of a store.

    Parameters
    ----------
    kinds
        The SQL type of every kind of column.
    shape
        The SQL type of the geometry of a layer.
    present
        Columns that each table has in a store older than the catalogue: only these are declared.
    """
    metadata = MetaData()
    held = {
        name: _layer_table(
            metadata, layer, kinds, shape, None if present is None else present[name]
        )
        for name, layer in layers().items()
        if present is None or name in present
    }
    private = {name: _private_table(metadata, name) for name in _PRIVATE}
    return Tables(metadata=metadata, layers=held, **private)


def _layer_table(
    metadata: MetaData,
    layer: Layer,
    kinds: Mapping[str, TypeEngine[Any]],
    shape: Callable[[Layer], TypeEngine[Any]],
    present: Collection[str] | None,
) -> Table:
    columns: list[Column[Any]] = [Column(KEY, Integer, primary_key=True, autoincrement=True)]
    if layer.spatial:
        columns.append(Column(SHAPE, shape(layer)))
    columns += [
        Column(column.name, kinds[column.kind], nullable=column.name != "id")
        for column in layer.columns
        if present is None or column.name in present
    ]
    names = {column.name for column in columns}
    table = Table(layer.name, metadata, *columns, UniqueConstraint("id"), sqlite_autoincrement=True)
    for name in _INDEXED:
        if name in names:
            Index(f"{layer.name}_{name}", table.c[name], table.c["id"])
    return table


def _private_table(metadata: MetaData, name: str) -> Table:
    columns: list[SchemaItem] = [
        Column(column, Integer() if column in _WHOLE_NUMBERS else Text())
        for column in _PRIVATE[name]
    ]
    if name in _UNIQUE:
        columns.append(UniqueConstraint(_UNIQUE[name]))
    table = Table(
        f"hatchmap_{name}",
        metadata,
        Column("number", Integer, primary_key=True, autoincrement=True),
        *columns,
        sqlite_autoincrement=True,
    )
    if name in _PRIVATE_INDEX:
        indexed = _PRIVATE_INDEX[name]
        Index(f"{table.name}_{'_'.join(indexed)}", *(table.c[column] for column in indexed))
    return table
