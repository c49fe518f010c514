"""A store seen through changes: the same file, with a few records added, changed or gone.

SQLite resolves a name in the schema `temp` first. So every layer that changes is shadowed there by
a view of the same name: the rows of the file but those that changed, and the changed rows from a
small database in memory. The R-tree is shadowed alike. Every statement of the store then works as
it is, on the file's own indexes, and nothing is copied or written.

What the changed rows look like is not worked out here: an ordinary edit writes them, in a
connection whose views pass its rows on to memory. They equal what the edit would have written
to the file.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Table

from geo.errors import StoreError, StoreReadOnlyError
from layers import gpkg_geometry
from layers.edits import SqlEdit
from layers.geopackage import BUSY_S, GeoPackageStore, make_engine
from layers.sqlstore import SqlStore
from layers.statements import Condition
from layers.store import Edit, Lens
from layers.tables import KEY, SHAPE

_MEMORY = "overlay"  # the schema that holds the changed rows
_PRIVATE_KEY = "number"


class _Shadow:
    """What is put over a file: opens connections that see both.

    Parameters
    ----------
    path
        The file.
    tables
        The tables that may differ from it.
    """

    def __init__(self, path: Path, tables: Sequence[Table]) -> None:
        self._path = path.absolute()
        self._tables = tables
        self._image = b""

    def open(self) -> sqlite3.Connection:
        """Connect for reading: the file, and its changed rows in memory."""
        raw = self._connect()
        raw.deserialize(self._image, name=_MEMORY)
        self._view(raw)
        raw.execute("PRAGMA query_only = ON")
        return raw

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Connect so that what is written to the views is kept in memory."""
        raw = self._connect()
        try:
            for table in self._tables:
                for statement in _making(table):
                    raw.execute(statement)
            self._view(raw)
            for table in self._tables:
                for statement in _passing_on(table):
                    raw.execute(statement)
            yield raw
            self._image = raw.serialize(name=_MEMORY)
        finally:
            raw.close()

    def _connect(self) -> sqlite3.Connection:
        """Connect so that the file cannot be written to, whatever is asked."""
        writable = os.access(self._path, os.W_OK) and os.access(self._path.parent, os.W_OK)
        mode = "ro" if writable or Path(f"{self._path}-wal").exists() else "ro&immutable=1"
        raw = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode={mode}",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )
        gpkg_geometry.add_functions(raw)
        raw.execute("PRAGMA cache_size = -32000")
        raw.execute(f"ATTACH ':memory:' AS {_MEMORY}")
        return raw

    def _view(self, raw: sqlite3.Connection) -> None:
        for table in self._tables:
            for statement in _showing(table):
                raw.execute(statement)


class OverlayStore(GeoPackageStore):
    """A store seen through changes; made by `overlay_store`, read like any other."""

    def __init__(self, base: GeoPackageStore, marks: Mapping[str, str], lens: Lens) -> None:
        changed = [table for name, table in base.tables.layers.items() if name in marks]
        self._shadow = _Shadow(Path(base.url), (*changed, *base.tables.private))
        self._base, self._marks = base, marks
        reader = make_engine(self._shadow.open, "BEGIN")
        super().__init__(
            base.url, reader=reader, writer=None, tables=base.tables, dialect=base.dialect
        )
        self.lens: Lens = lens
        # Nobody closes it while answers may still read from it: it goes with its last reader.
        weakref.finalize(self, reader.dispose)

    def apply(self, change: Callable[[Edit], Any], *, who: str) -> None:
        """Let an edit write its rows over those of the file."""
        with self.translating(), self._shadow.writing() as raw:
            engine = make_engine(lambda: raw, "BEGIN")
            with engine.begin() as connection:
                edit = SqlEdit(self, connection, who=who, note=self.lens.name)
                change(edit)
                edit.finish()

    def versions(self, connection: Connection) -> dict[str, tuple[int, str]]:
        """Return how often every layer was written and when it was last, with what is put over it.

        A layer without changes has the state of the file, so that what is kept of it serves both.
        """
        rows = connection.exec_driver_sql(
            "SELECT v.name, v.version, coalesce(c.last_change, '') "
            "FROM main.hatchmap_versions v LEFT JOIN gpkg_contents c ON c.table_name = v.name"
        )
        return {row[0]: (row[1], row[2] + self._marks.get(row[0], "")) for row in rows}

    def stamp(self) -> int | None:
        """Return what changes with every write to the file."""
        return self._base.stamp()

    def touch(self, connection: Connection, names: Sequence[str], at: str) -> None:
        """Leave the file's table of contents alone."""

    def write_rows(
        self, connection: Connection, table: Table, stored: Mapping[str, list[Any]]
    ) -> None:
        """Insert rows; there is no R-tree to fill."""
        self._write(connection, table, stored)

    def remove_rows(
        self, connection: Connection, table: Table, conditions: Sequence[Condition]
    ) -> None:
        """Remove the rows that meet conditions; there is no R-tree to mend."""
        SqlStore.remove_rows(self, connection, table, conditions)

    @contextmanager
    def edit(self, who: str, note: str = "") -> Iterator[Edit]:
        """Refuse: what is seen through changes is changed by changing these."""
        del who, note
        yield from ()  # a context manager like those of other stores
        raise StoreReadOnlyError(
            "a scenario is not written to like a store: add to its changes, or adopt it"
        )

    def backup(self, path: str | PathLike[str]) -> None:
        """Refuse: there is no file of its own to copy."""
        raise StoreError(f"{path}: a scenario has no file of its own; back up the store itself")


def overlay_store(
    base: GeoPackageStore,
    change: Callable[[Edit], Any],
    *,
    marks: Mapping[str, str],
    lens: Lens,
    who: str,
) -> OverlayStore:
    """Return a store as it would be after an edit, without making it.

    Parameters
    ----------
    base
        The store in the file.
    change
        The edit: called once with what takes changes.
    marks
        The layers that it changes (`rules` too), each with a text that tells this change of it
        from any other, for the version tokens.
    lens
        The scenario that makes the changes.
    who
        Who would make them, for the history.

    Raises
    ------
    InputError, NotFoundError
        As the edit itself would.
    """
    store = OverlayStore(base, marks, lens)
    store.apply(change, who=who)
    return store


def _key(table: Table) -> str:
    return KEY if KEY in table.c else _PRIVATE_KEY


def _columns(table: Table, owner: str = "") -> str:
    """Name the columns of a table, the key first; every name is one of the catalogue's."""
    names = [_key(table), *(column.name for column in table.c if column.name != _key(table))]
    return ", ".join(f'{owner}"{name}"' for name in names)


def _making(table: Table) -> Iterator[str]:
    """Make room for the changed rows of a table, and for the keys of those that are no more."""
    key = _key(table)
    declared = ", ".join(
        f'"{column.name}" {_type(column)}' for column in table.c if column.name != key
    )
    yield f'CREATE TABLE {_MEMORY}."over_{table.name}" ("{key}" INTEGER PRIMARY KEY, {declared})'
    yield f'CREATE TABLE {_MEMORY}."gone_{table.name}" ("{key}" INTEGER PRIMARY KEY)'


def _type(column: Any) -> str:
    """Return the declared type of a column, so that values compare as they do in the file."""
    spec: str = getattr(column.type, "get_col_spec", column.type.compile)()
    return spec


def _showing(table: Table) -> Iterator[str]:
    """Show a table as it is after the changes, under its own name."""
    key, columns = _key(table), _columns(table)
    gone, over = f'{_MEMORY}."gone_{table.name}"', f'{_MEMORY}."over_{table.name}"'
    kept = f'NOT IN (SELECT "{key}" FROM {gone})'  # noqa: S608 - names of the catalogue
    yield (
        f'CREATE TEMP VIEW "{table.name}" AS SELECT {columns} FROM main."{table.name}" '  # noqa: S608 - names of the catalogue
        f'WHERE "{key}" {kept} UNION ALL SELECT {columns} FROM {over}'
    )
    if SHAPE in table.c:
        tree = f"rtree_{table.name}_{SHAPE}"
        edges = ", ".join(f"ST_{edge}({SHAPE})" for edge in ("MinX", "MaxX", "MinY", "MaxY"))
        yield (
            f'CREATE TEMP VIEW "{tree}" AS SELECT id, minx, maxx, miny, maxy FROM main."{tree}" '  # noqa: S608 - names of the catalogue
            f"WHERE id {kept} UNION ALL SELECT {key}, {edges} FROM {over} "
            f"WHERE {SHAPE} NOTNULL AND NOT ST_IsEmpty({SHAPE})"
        )


def _passing_on(table: Table) -> Iterator[str]:
    """Pass rows that an edit writes to the view on to memory."""
    name, key = table.name, _key(table)
    over, gone, columns = f'"over_{name}"', f'"gone_{name}"', _columns(table)
    others = _columns(table, "NEW.").partition(", ")[2]
    # Beyond every key of the file, so that new rows come last there too.
    fresh = (
        f'coalesce(NEW."{key}", 1 + max(coalesce((SELECT max("{key}") FROM main."{name}"), 0), '  # noqa: S608 - names of the catalogue
        f'coalesce((SELECT max("{key}") FROM {over}), 0)))'
    )
    body = {
        "INSERT": f"INSERT INTO {over} ({columns}) VALUES ({fresh}, {others});",  # noqa: S608 - names of the catalogue
        "UPDATE": (
            f'INSERT OR IGNORE INTO {gone} VALUES (OLD."{key}"); '  # noqa: S608 - names of the catalogue
            f"INSERT OR REPLACE INTO {over} ({columns}) VALUES ({_columns(table, 'NEW.')});"
        ),
        "DELETE": (
            f'INSERT OR IGNORE INTO {gone} VALUES (OLD."{key}"); '  # noqa: S608 - names of the catalogue
            f'DELETE FROM {over} WHERE "{key}" = OLD."{key}";'
        ),
    }
    for event, statements in body.items():
        yield (
            f'CREATE TEMP TRIGGER "{event.lower()}_{name}" INSTEAD OF {event} ON temp."{name}" '
            f"BEGIN {statements} END"
        )
