"""Stores on SQL: everything that does not depend on which database it is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pandas as pd
import shapely
from sqlalchemy import Connection, Engine, Row, Table, delete, insert, select

from geo.errors import InputError, NotFoundError, StoreReadOnlyError
from layers import changes, schema
from layers.catalog import Layer, layers
from layers.catalog import layer as find_layer
from layers.changes import Known, Versions
from layers.edits import SqlEdit
from layers.history import Entry, State, replay
from layers.query import (
    GEOMETRY,
    Bounds,
    Position,
    Query,
    check_query,
    read_cursor,
    write_cursor,
)
from layers.rows import frame_of, held_only, record_of, restore_value
from layers.statements import SORT, Condition, Dialect, Statements
from layers.store import (
    ALL_RECORDS,
    Batch,
    Bookmark,
    Change,
    Edit,
    Page,
    Rules,
    Store,
    Trace,
    no_record,
)
from layers.tables import KEY, Tables

SqlRow = Row[*tuple[Any, ...]]

STORE_LAYERS = ("meta", "rules")  # what has versions and history beside the layers


class SqlStore(Store):
    """A store on SQL.

    Parameters
    ----------
    url
        Where it is.
    reader
        Connections that only read.
    writer
        Connections whose transactions lock out other writers; None when opened for reading.
    tables
        The tables that the store has.
    dialect
        What its database says in its own way.
    """

    def __init__(
        self,
        url: str,
        *,
        reader: Engine,
        writer: Engine | None,
        tables: Tables,
        dialect: Dialect,
    ) -> None:
        self.url = url
        self.tables = tables
        self.dialect = dialect
        self._reader = reader
        self._writer = writer
        self._known: Known | None = None
        self._extents: dict[str, tuple[str, Bounds | None]] = {}

    @abstractmethod
    def translating(self) -> AbstractContextManager[None]:
        """Turn errors of the database into errors of this program."""

    @abstractmethod
    def versions(self, connection: Connection) -> Versions:
        """Return for every layer how often it was written, and when it was last."""

    @abstractmethod
    def stamp(self) -> Hashable | None:
        """Return what changes whenever anything is written, asked in a moment; None if unknown."""

    @abstractmethod
    def instant(self, at: str) -> str:
        """Write an instant of UTC as `versions` does."""

    @abstractmethod
    def measure(self, connection: Connection, table: Table) -> Bounds | None:
        """Return the extent of a layer's records."""

    @abstractmethod
    def touch(self, connection: Connection, names: Sequence[str], at: str) -> None:
        """Note in the database's own catalogue that layers changed at an instant."""

    def scrub(self) -> None:
        """Rid the database's own logs of what an edit has erased, as far as it can now."""

    def write_rows(
        self, connection: Connection, table: Table, stored: Mapping[str, list[Any]]
    ) -> None:
        """Insert many rows, given as stored values by column."""
        held = {
            name: values for name, values in stored.items() if any(v is not None for v in values)
        }
        rows = zip(*held.values(), strict=True)
        connection.execute(insert(table), [dict(zip(held, row, strict=True)) for row in rows])

    def remove_rows(
        self, connection: Connection, table: Table, conditions: Sequence[Condition]
    ) -> None:
        """Remove the rows that meet conditions."""
        connection.execute(delete(table).where(*conditions))

    def close(self) -> None:
        """Let go of the store; closing twice does no harm."""
        self._reader.dispose()
        if self._writer is not None:
            self._writer.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection in a transaction, so that several statements see one state."""
        with self.translating(), self._reader.connect() as connection:
            yield connection

    def statements(self, layer: Layer) -> Statements | None:
        """Return the statements about a layer, None when the store is older than the layer."""
        table = self.tables.layers.get(layer.name)
        return None if table is None else Statements(layer, table, self.dialect)

    def read(self, layer: str, query: Query = ALL_RECORDS) -> pd.DataFrame:
        """Read the records of a query as a frame."""
        with self.reading() as connection:
            return self.read_by(connection, layer, query)

    def read_by(self, connection: Connection, layer: str, query: Query) -> pd.DataFrame:
        """Read the records of a query in the transaction of a connection."""
        declared = find_layer(layer)
        checked = check_query(declared, query)
        statements = self.statements(declared)
        if statements is None:
            return _nothing_of(layer, checked)
        position = read_cursor(declared, checked)
        return self._frame(
            statements, checked, self._rows(connection, statements, checked, position)
        )

    def page(self, layer: str, query: Query) -> Page:
        """Read the next records after the cursor of a query, and the cursor to go on."""
        declared = find_layer(layer)
        checked = check_query(declared, query)
        statements = self.statements(declared)
        if statements is None:
            return Page(_nothing_of(layer, checked), 0, None)
        position = read_cursor(declared, checked)
        one_more = replace(checked, limit=checked.limit + 1) if checked.limit else checked
        with self.reading() as connection:
            total = position.total if position else self._count(connection, statements, checked)
            rows = self._rows(connection, statements, one_more, position)
        kept = rows if checked.limit is None else rows[: checked.limit]
        cursor = None
        if len(rows) > len(kept):
            last = kept[-1]
            cursor = write_cursor(declared, checked, _position(checked, last, total))
        return Page(self._frame(statements, checked, kept), total, cursor)

    def count(self, layer: str, query: Query = ALL_RECORDS) -> int:
        """Count the records of a query, whatever its limit and cursor."""
        declared = find_layer(layer)
        checked = check_query(declared, query)
        statements = self.statements(declared)
        if statements is None:
            return 0
        with self.reading() as connection:
            return self._count(connection, statements, checked)

    def get(self, layer: str, id: str) -> dict[str, Any]:  # noqa: A002 - the column's name
        """Return one record by column."""
        with self.reading() as connection:
            return self.get_by(connection, layer, id)

    def get_by(self, connection: Connection, layer: str, id: str) -> dict[str, Any]:  # noqa: A002 - the column's name
        """Return one record in the transaction of a connection."""
        state = self.states(connection, layer, Query(ids=(id,))).get(id)
        if state is None:
            raise no_record(layer, id)
        return _record(find_layer(layer), state)

    def records(self, layer: str, query: Query = ALL_RECORDS) -> dict[str, dict[str, Any]]:
        """Return the records of a query by id."""
        declared = find_layer(layer)
        with self.reading() as connection:
            states = self.states(connection, layer, check_query(declared, query))
        return {key: _record(declared, state) for key, state in states.items()}

    def extent(self, layer: str | None = None) -> Bounds | None:
        """Return west, south, east, north of a layer or of all."""
        if layer is None:
            found = [self.extent(name) for name, one in layers().items() if one.spatial]
            boxes = np.array([box for box in found if box is not None])
            if not len(boxes):
                return None
            west, south = boxes[:, :2].min(axis=0).tolist()
            east, north = boxes[:, 2:].max(axis=0).tolist()
            return west, south, east, north
        if not find_layer(layer).spatial or layer not in self.tables.layers:
            return None
        token = self.token(layer)
        known = self._extents.get(layer)
        if known is None or known[0] != token:
            with self.reading() as connection:
                known = (token, self.measure(connection, self.tables.layers[layer]))
            self._extents[layer] = known
        return known[1]

    def token(self, *layers: str) -> str:
        """Return a text that changes whenever one of the layers does, or anything that counts."""
        # The stamp is read first: what is written meanwhile shows at the next call.
        stamp, known = self.stamp(), self._known
        if known is None or stamp is None or known.stamp != stamp:
            with self.reading() as connection:
                known = Known(stamp, self.versions(connection))
            self._known = known
        token = known.tokens.get(layers)
        if token is None:
            for name in layers:
                if name not in STORE_LAYERS:
                    find_layer(name)
            token = known.tokens[layers] = known.digest(layers)
        return token

    def bookmark(self, layer: str) -> Bookmark:
        """Return how far the edits of a layer have come."""
        with self.reading() as connection:
            return changes.read_bookmark(self, connection, layer)

    def changed_since(self, layer: str, bookmark: Bookmark) -> tuple[str, ...] | None:
        """Return the ids of the records written since; None where that cannot be told."""
        with self.reading() as connection:
            return changes.read_changed(self, connection, layer, bookmark)

    def history(self, layer: str, id: str) -> list[Change]:  # noqa: A002 - the column's name
        """List the edits of one record, oldest first."""
        kept, batches = self.tables.history, self.tables.batches
        statement = (
            select(kept.c.batch, kept.c.action, kept.c.before, kept.c.after)
            .where(kept.c.layer == layer, kept.c.record == id)
            .order_by(kept.c.number)
        )
        with self.reading() as connection:
            entries = [
                Entry(batch, action, _state(before), _state(after))
                for batch, action, before, after in connection.execute(statement)
            ]
            if layer not in STORE_LAYERS:
                current = self.states(connection, layer, Query(ids=(id,))).get(id)
                entries = replay(entries, current)
            numbers = {entry.batch for entry in entries}
            made = {
                row.number: row
                for row in connection.execute(select(batches).where(batches.c.number.in_(numbers)))
            }
        return [_change(layer, entry, made[entry.batch]) for entry in entries]

    def batches(self) -> list[Batch]:
        """List every edit by layer, oldest first."""
        table = self.tables.batches
        with self.reading() as connection:
            rows = connection.execute(select(table).order_by(table.c.number)).all()
        return [Batch(r.number, r.layer, r.at, r.who, r.note, r.rows) for r in rows]

    def traces(self, batch: int) -> list[Trace]:
        """List what the history keeps of a batch."""
        kept = self.tables.history
        statement = select(kept).where(kept.c.batch == batch).order_by(kept.c.number)
        with self.reading() as connection:
            rows = connection.execute(statement).all()
        return [
            Trace(
                row.record,
                row.action,
                _shown(row.layer, _state(row.before)),
                _shown(row.layer, _state(row.after)),
            )
            for row in rows
        ]

    def meta(self, key: str, default: Any = None) -> Any:
        """Return a fact about the store."""
        table = self.tables.meta
        with self.reading() as connection:
            row = connection.execute(select(table.c.value).where(table.c.key == key)).first()
        return default if row is None else orjson.loads(row.value)

    def rules(self, name: str) -> Rules:
        """Return the rules in force."""
        table = self.tables.rules
        with self.reading() as connection:
            row = connection.execute(select(table).where(table.c.name == name)).first()
        if row is None:
            known = ", ".join(self.rules_names()) or "none"
            raise NotFoundError(f"the store has no rules {name!r}; it has: {known}")
        return Rules(row.name, row.version, orjson.loads(row.body), row.source)

    def rules_names(self) -> list[str]:
        """List the names of the rules in force, sorted."""
        table = self.tables.rules
        with self.reading() as connection:
            return list(connection.scalars(select(table.c.name).order_by(table.c.name)))

    @contextmanager
    def edit(self, who: str, note: str = "") -> Iterator[Edit]:
        """Begin changes that are written together at the end of the `with` block."""
        if self._writer is None:
            raise StoreReadOnlyError(f"store {self.url} is open for reading only")
        if not who.strip():
            raise InputError("an edit needs a name: say who makes it")
        with self.translating(), self._writer.begin() as connection:
            edit = SqlEdit(self, connection, who=who.strip(), note=note.strip())
            yield edit
            edit.finish()
        if edit.erased:
            self.scrub()

    def states(self, connection: Connection, layer: str, query: Query) -> dict[str, dict[str, Any]]:
        """Read records as stored values by id, what is missing left out, geometry as WKB in hex."""
        declared = find_layer(layer)
        statements = self.statements(declared)
        if statements is None:
            return {}
        rows = self._rows(connection, statements, query, None)
        names, start = statements.names(query), 2
        states = [held_only(names, row[-len(names) :]) for row in rows]
        if declared.spatial and rows:
            shapes = self.dialect.read_shapes(declared, [row[start] for row in rows])
            texts = shapely.to_wkb(shapes, hex=True)
            for state, text in zip(states, texts, strict=True):
                if text is not None:
                    state[GEOMETRY] = text
        return {state["id"]: state for state in states}

    def _rows(
        self,
        connection: Connection,
        statements: Statements,
        query: Query,
        position: Position | None,
    ) -> Sequence[SqlRow]:
        return connection.execute(statements.select(query, position)).all()

    def _frame(self, statements: Statements, query: Query, rows: Sequence[SqlRow]) -> pd.DataFrame:
        """Build the frame of selected rows: key, sort value, geometry if wanted, columns."""
        names, shapes, layer = statements.names(query), None, statements.layer
        placed = statements.wants_shapes(query)
        values = list(zip(*rows, strict=True)) or [()] * (2 + placed + len(names))
        if placed:
            shapes = self.dialect.read_shapes(layer, values[2])
        columns = dict(zip(names, values[-len(names) :], strict=True))
        return frame_of(layer, columns, shapes)

    def _count(self, connection: Connection, statements: Statements, query: Query) -> int:
        return int(connection.execute(statements.count(query)).scalar_one())


def _position(query: Query, last: SqlRow, total: int | None) -> Position:
    """Say where a page ended: by key as stored, or by sort value and id."""
    if query.order_by is None:
        return Position(None, getattr(last, KEY), total)
    return Position(getattr(last, SORT), last.id, total)


def _nothing_of(layer: str, query: Query) -> pd.DataFrame:
    """Make the empty frame of a query to a layer that the store does not have yet."""
    frame = schema.empty(layer)
    if query.columns is None:
        return frame
    names = ["id", *(name for name in query.columns if name not in ("id", GEOMETRY))]
    return frame[[*names, GEOMETRY] if GEOMETRY in query.columns else names]


def _record(layer: Layer, state: State) -> dict[str, Any]:
    shape = state.get(GEOMETRY)
    return record_of(layer, {**state, GEOMETRY: None if shape is None else shapely.from_wkb(shape)})


def _state(text: str | None) -> dict[str, Any] | None:
    return None if text is None else orjson.loads(text)


def _change(layer: str, entry: Entry, batch: SqlRow) -> Change:
    before, after = (_shown(layer, state) for state in (entry.before, entry.after))
    return Change(batch.at, batch.who, batch.note, entry.action, before, after)


def _shown(layer: str, state: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Show a state of the history as a record of what had a value."""
    if state is None or layer in STORE_LAYERS:
        return None if state is None else dict(state)
    declared = find_layer(layer)
    shown = {
        column.name: restore_value(declared, column, state[column.name])
        for column in declared.columns
        if column.name in state
    }
    if GEOMETRY in state:
        shown[GEOMETRY] = shapely.from_wkb(state[GEOMETRY])
    return shown
