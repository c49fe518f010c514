"""Statements: queries as SQL, one builder for every store; a dialect says what differs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from layers.catalog import Layer
from layers.query import GEOMETRY, Bounds, Position, Query, Range, searched
from layers.tables import KEY, SHAPE

Condition = ColumnElement[bool]
SORT = "sort_value"  # the label under which a page carries what it was sorted by


class Dialect(ABC):
    """What one kind of SQL store says in its own way."""

    @abstractmethod
    def among(self, column: ColumnElement[Any], values: Sequence[Any]) -> Condition:
        """Say that a column holds one of many values."""

    @abstractmethod
    def holds_any(self, column: ColumnElement[Any], values: Sequence[str]) -> Condition:
        """Say that a list column holds at least one of the values."""

    @abstractmethod
    def overlaps(self, table: Table, bbox: Bounds) -> Condition:
        """Say that the envelope of a geometry meets a box, by way of the spatial index."""

    @abstractmethod
    def write_shapes(self, layer: Layer, shapes: npt.NDArray[np.object_]) -> list[Any]:
        """Turn geometries into what the geometry column stores, None where missing."""

    @abstractmethod
    def read_shapes(self, layer: Layer, stored: Sequence[Any]) -> npt.NDArray[np.object_]:
        """Turn stored geometries back."""


class Statements:
    """The statements about one layer.

    Parameters
    ----------
    layer
        The layer.
    table
        Its table, which may lack columns that the catalogue has gained since.
    dialect
        What the store says in its own way.
    """

    def __init__(self, layer: Layer, table: Table, dialect: Dialect) -> None:
        self.layer = layer
        self.table = table
        self.dialect = dialect

    def names(self, query: Query) -> list[str]:
        """Name the columns that a query gives, `id` first, without the geometry."""
        if query.columns is None:
            return [column.name for column in self.layer.columns]
        return ["id", *(name for name in query.columns if name not in ("id", GEOMETRY))]

    def wants_shapes(self, query: Query) -> bool:
        """Whether a query gives the geometry."""
        return self.layer.spatial and (query.columns is None or GEOMETRY in query.columns)

    def select(self, query: Query, position: Position | None = None) -> Select[Any]:
        """Select key, sort value, geometry if wanted, and columns, in the order of the query."""
        sort = self._column(query.order_by or KEY)
        shape = [self.table.c[SHAPE]] if self.wants_shapes(query) else []
        wanted = [self._column(name).label(name) for name in self.names(query)]
        statement = select(self.table.c[KEY], sort.label(SORT), *shape, *wanted)
        statement = statement.where(*self.conditions(query))
        if position is not None:
            statement = statement.where(self._beyond(query, position))
        if query.limit is not None:
            statement = statement.limit(query.limit)
        if query.order_by is None:
            key = self.table.c[KEY]
            return statement.order_by(key.desc() if query.descending else key)
        ordered = sort.desc() if query.descending else sort.asc()
        return statement.order_by(ordered.nulls_last(), self.table.c["id"])

    def count(self, query: Query) -> Select[Any]:
        """Count the records of a query."""
        return select(func.count()).select_from(self.table).where(*self.conditions(query))

    def conditions(self, query: Query) -> list[Condition]:
        """List what a checked query asks of each record."""
        conditions = [self._meets(name, wanted) for name, wanted in query.where.items()]
        if query.bbox is not None:
            conditions.append(self.dialect.overlaps(self.table, query.bbox))
        if query.ids is not None:
            conditions.append(self.dialect.among(self.table.c["id"], tuple(query.ids)))
        if query.text:
            within = (self._column(name) for name in searched(self.layer))
            conditions.append(or_(*(c.icontains(query.text, autoescape=True) for c in within)))
        if not query.demo:
            conditions.append(self._column("provenance").is_distinct_from("demo"))
        return conditions

    def equals(self, where: Mapping[str, Any]) -> list[Condition]:
        """List the conditions of `where` alone."""
        return self.conditions(Query(where=where))

    def _column(self, name: str) -> ColumnElement[Any]:
        """Return a column, or NULL where the store is older than the column."""
        return self.table.c[name] if name in self.table.c else literal_column("NULL")

    def _meets(self, name: str, wanted: Any) -> Condition:
        column = self._column(name)
        if wanted is None:
            return column.is_(None)
        if isinstance(wanted, Range):
            low = [] if wanted.low is None else [column >= wanted.low]
            high = [] if wanted.high is None else [column <= wanted.high]
            return and_(column.is_not(None), *low, *high)
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        known = [value for value in values if value is not None]
        options: list[Condition] = [column.is_(None)] if len(known) < len(values) else []
        if known and self.layer.column(name).kind == "list":
            options.append(self.dialect.holds_any(column, known))
        elif known:
            options.append(self.dialect.among(column, known))
        return or_(*options) if options else false()

    def _beyond(self, query: Query, position: Position) -> Condition:
        """Say that a record comes after a position, in terms that an index on the column serves."""
        if query.order_by is None:
            key = self.table.c[KEY]
            return _further(key, position.key, descending=query.descending)
        column, later = self._column(query.order_by), self.table.c["id"] > position.key
        if position.value is None:
            return and_(column.is_(None), later)
        further = _further(column, position.value, descending=query.descending)
        return or_(further, and_(column == position.value, later), column.is_(None))


def _further(column: ColumnElement[Any], value: Any, *, descending: bool) -> Condition:
    return column < literal(value) if descending else column > literal(value)
