"""The store in one file: a GeoPackage that GIS programs open as it is."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import orjson
import shapely
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    NullPool,
    QueuePool,
    Table,
    and_,
    column,
    create_engine,
    event,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy import table as plain_table
from sqlalchemy.exc import DBAPIError

from geo.errors import (
    InputError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreMissingError,
    StoreReadOnlyError,
)
from layers import gpkg_bulk, gpkg_ddl, gpkg_geometry
from layers.catalog import Layer
from layers.query import Bounds
from layers.sqlstore import SqlStore
from layers.statements import Condition, Dialect
from layers.tables import KEY, SHAPE, Tables, declare_tables

BUSY_S = 5.0  # how long to wait for another writer
MANY = 2000  # rows from which on an R-tree is better filled at once than by its triggers
_FEW = 500  # values that SQLite takes one by one; more come as one JSON array

_Open = Callable[[], sqlite3.Connection]


class GeoPackageDialect(Dialect):
    """What a GeoPackage says in its own way: SQLite's JSON functions and the R-tree."""

    def among(self, column: ColumnElement[Any], values: Sequence[Any]) -> Condition:
        """Say that a column holds one of many values."""
        return column.in_(values if len(values) <= _FEW else _each(orjson.dumps(values).decode()))

    def holds_any(self, column: ColumnElement[Any], values: Sequence[str]) -> Condition:
        """Say that a list column holds at least one of the values."""
        part = func.json_each(column).table_valued("value")
        return select(part.c.value).where(part.c.value.in_(values)).exists()

    def overlaps(self, table: Table, bbox: Bounds) -> Condition:
        """Say that the envelope of a geometry meets a box.

        The R-tree keeps envelopes rounded outward to 32 bits, up to two metres too large: what it
        finds wholly inside the box is right, and only the rest is measured.
        """
        west, south, east, north = bbox
        tree = plain_table(
            f"rtree_{table.name}_{SHAPE}",
            *(column(name) for name in ("id", "minx", "maxx", "miny", "maxy")),
        )
        edges, owner = tree.c, table.alias("owner")
        shape = owner.c[SHAPE]
        found = and_(
            edges.maxx >= west, edges.minx <= east, edges.maxy >= south, edges.miny <= north
        )
        inside = and_(
            edges.minx >= west, edges.maxx <= east, edges.miny >= south, edges.maxy <= north
        )
        measured = and_(
            func.ST_MaxX(shape) >= west,
            func.ST_MinX(shape) <= east,
            func.ST_MaxY(shape) >= south,
            func.ST_MinY(shape) <= north,
        )
        meets = select(owner.c[KEY]).where(owner.c[KEY] == edges.id, measured).exists()
        return table.c[KEY].in_(select(edges.id).where(found, or_(inside, meets)))

    def write_shapes(self, layer: Layer, shapes: npt.NDArray[np.object_]) -> list[Any]:
        """Encode geometries, of one type where the layer has single and multiple ones."""
        return list(gpkg_geometry.write_shapes(_promoted(layer, shapes)))

    def read_shapes(self, layer: Layer, stored: Sequence[Any]) -> npt.NDArray[np.object_]:
        """Decode geometries; a multiple one of one part comes back single."""
        shapes = gpkg_geometry.read_shapes(stored)
        if not gpkg_ddl.promotes(layer):
            return shapes
        alone = shapely.get_num_geometries(shapes) == 1
        shapes[alone] = shapely.get_geometry(shapes[alone], 0)
        return shapes


class GeoPackageStore(SqlStore):
    """A store in a GeoPackage; made by `open` and `create`."""

    _open_watch: _Open

    def __init__(self, url: str, **parts: Any) -> None:
        super().__init__(url, **parts)
        self._watching = threading.Lock()
        self._watch: sqlite3.Connection | None = None

    @classmethod
    def open(cls, path: Path, *, write: bool = False, busy_s: float = BUSY_S) -> Self:
        """Open a store, for writing if asked; layers and columns that it lacks are then added."""
        _check_file(path)
        fixed = not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
        if write and fixed:
            raise StoreReadOnlyError(
                f"store {path} cannot be written to: change the permissions of the file and its "
                "folder, or copy it elsewhere"
            )
        reader = make_engine(_opener(path, fixed=fixed, write=False, busy_s=busy_s), "BEGIN")
        writer = None
        if write:
            opened = _opener(path, fixed=False, write=True, busy_s=busy_s)
            writer = make_engine(opened, "BEGIN IMMEDIATE")
        store = cls(
            str(path),
            reader=reader,
            writer=writer,
            tables=gpkg_ddl.full_tables(),
            dialect=GeoPackageDialect(),
        )
        store._open_watch = _opener(path, fixed=fixed, write=False, busy_s=0.0)
        try:
            store.tables = store._fitting_tables(writer)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def create(cls, path: Path, *, busy_s: float = BUSY_S) -> Self:
        """Make an empty store in a new file, complete from the moment that it is there."""
        if path.exists():
            raise InputError(f"{path} exists already: give a new name, or remove it")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb"):  # take the name, so that nobody else makes a file of it
                pass
        except OSError as error:
            raise StoreReadOnlyError(
                f"store {path} cannot be made ({error.strerror}): choose another folder"
            ) from error
        try:
            with _translating(str(path)), _beside(path) as draft:
                draft.touch()
                engine = make_engine(
                    _opener(draft, fixed=False, write=True, busy_s=busy_s), "BEGIN"
                )
                with engine.begin() as connection:
                    gpkg_ddl.create_schema(connection)
                engine.dispose()
                draft.replace(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return cls.open(path, write=True, busy_s=busy_s)

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Write a complete copy, while the store is in use, to a file that is new."""
        target = Path(path)
        if target.exists():
            raise InputError(f"{target} exists already: give the backup a new name")
        try:
            with self.reading() as connection, _beside(target) as draft:
                draft.touch()
                source = connection.connection.dbapi_connection
                copy = sqlite3.connect(draft)
                try:
                    source.backup(copy)  # type: ignore[union-attr]  # it is sqlite3's own
                    copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
                finally:
                    copy.close()
                draft.replace(target)
        except OSError as error:
            raise StoreError(f"backup {target} cannot be written ({error.strerror})") from error

    def translating(self) -> AbstractContextManager[None]:
        """Turn SQLite's errors into errors of this program."""
        return _translating(self.url)

    def versions(self, connection: Connection) -> dict[str, tuple[int, str]]:
        """Return for every layer how often it was written, and when it was last.

        Other programs do not count versions, but QGIS and GDAL note the time of their changes.
        """
        rows = connection.exec_driver_sql(
            "SELECT v.name, v.version, coalesce(c.last_change, '') "
            "FROM hatchmap_versions v LEFT JOIN gpkg_contents c ON c.table_name = v.name"
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    def stamp(self) -> int | None:
        """Return a number that changes with every write to the file, in microseconds.

        SQLite keeps it for each connection; this one is never written through, so it misses
        nothing. None where the file cannot be asked at once, as while a writer holds it.
        """
        with self._watching:
            try:
                if self._watch is None:
                    self._watch = self._open_watch()
                return int(self._watch.execute("PRAGMA data_version").fetchone()[0])
            except sqlite3.Error:
                return None

    def close(self) -> None:
        """Let go of the store; closing twice does no harm."""
        super().close()
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None

    def measure(self, connection: Connection, table: Table) -> Bounds | None:
        """Return the extent of a layer's records from its R-tree."""
        row = connection.exec_driver_sql(
            f'SELECT min(minx), min(miny), max(maxx), max(maxy) FROM "rtree_{table.name}_{SHAPE}"'  # noqa: S608 - a name of the catalogue
        ).one()
        if row[0] is None:
            return None
        west, south, east, north = row
        return west, south, east, north

    def touch(self, connection: Connection, names: Sequence[str], at: str) -> None:
        """Note time and extent of changed layers in the table of contents."""
        now = self.instant(at)
        for name in names:
            table = self.tables.layers.get(name)
            spatial = table is not None and SHAPE in table.c
            box = self.measure(connection, table) if table is not None and spatial else None
            connection.exec_driver_sql(
                "UPDATE gpkg_contents SET last_change = ?, min_x = ?, min_y = ?, max_x = ?, "
                "max_y = ? WHERE table_name = ?",
                (now, *(box or (None,) * 4), name if table is not None else f"hatchmap_{name}"),
            )

    def scrub(self) -> None:
        """Empty the log: it still has pages as they were before an erasure.

        While someone reads an older state that cannot be done; the next erasure or the last
        connection to close does it then.
        """
        if self._writer is not None:
            with self.translating(), self._writer.connect() as connection:
                raw = connection.connection.dbapi_connection
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]  # it is sqlite3's own

    def instant(self, at: str) -> str:
        """Write an instant of UTC as the table of contents does."""
        return dt.datetime.fromisoformat(at).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def write_rows(
        self, connection: Connection, table: Table, stored: Mapping[str, list[Any]]
    ) -> None:
        """Insert many rows without a dictionary for each."""
        if SHAPE in stored and len(stored[SHAPE]) > MANY:
            with gpkg_bulk.indexed_at_once(connection, table, stored[SHAPE]) as keys:
                self._write(connection, table, {**stored, KEY: keys})
        else:
            self._write(connection, table, stored)

    def remove_rows(
        self, connection: Connection, table: Table, conditions: Sequence[Condition]
    ) -> None:
        """Remove the rows that meet conditions; the R-tree is made anew where most go."""
        counted = select(func.count()).select_from(table)
        going = connection.execute(counted.where(*conditions)).scalar_one()
        if (
            SHAPE in table.c
            and going > MANY
            and 2 * going > connection.execute(counted).scalar_one()
        ):
            gpkg_bulk.remove_at_once(connection, table, conditions)
        else:
            super().remove_rows(connection, table, conditions)

    def _write(self, connection: Connection, table: Table, stored: Mapping[str, list[Any]]) -> None:
        held = {name: values for name, values in stored.items() if _holds_something(values)}
        statement = insert(table).compile(dialect=connection.dialect, column_keys=list(held))
        order = statement.positiontup or list(held)
        rows = list(zip(*(held[name] for name in order), strict=True))
        connection.exec_driver_sql(str(statement), rows)

    def _fitting_tables(self, writer: Engine | None) -> Tables:
        """Check that the file is a store and declare what it holds, after adding what it lacks."""
        with self.reading() as connection:
            present = gpkg_ddl.present_columns(connection)
        if "hatchmap_meta" not in present or "gpkg_contents" not in present:
            raise StoreCorruptError(
                f"{self.url} is a GeoPackage but no store of Hatchmap: make one with `hatchmap "
                "init`, and bring the file's layers in with `hatchmap import`"
            )
        if not gpkg_ddl.lacks_something(present):
            return gpkg_ddl.full_tables()
        if writer is None:
            return declare_tables(gpkg_ddl.KINDS, gpkg_ddl.shape_type, present)
        with self.translating(), writer.begin() as connection:
            gpkg_ddl.complete_schema(connection, gpkg_ddl.present_columns(connection))
        return gpkg_ddl.full_tables()


def _promoted(layer: Layer, shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    if not gpkg_ddl.promotes(layer):
        return shapes
    one = shapely.get_type_id(shapes) == shapely.GeometryType[layer.geometry[0].upper()].value
    promoted = shapes.copy()
    make: dict[str, Callable[..., Any]] = {
        "Point": shapely.multipoints,
        "LineString": shapely.multilinestrings,
        "Polygon": shapely.multipolygons,
    }
    build = make[layer.geometry[0]]
    promoted[one] = build(shapes[one], indices=np.arange(one.sum()))
    return promoted


def _holds_something(values: Sequence[Any]) -> bool:
    return any(value is not None for value in values)


def _each(text: str) -> Any:
    return select(func.json_each(text).table_valued("value").c.value)


def _check_file(path: Path) -> None:
    """Check the first bytes of a file: clause 1.1.1 of the standard."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError as error:
        raise StoreMissingError(
            f"there is no store at {path}: make one with `hatchmap init --store {path}`"
        ) from error
    except OSError as error:
        raise StoreError(f"store {path} cannot be read: {error.strerror}") from error
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0") or head[68:72] != b"GPKG":
        raise StoreCorruptError(
            f"{path} is not a GeoPackage, or is damaged: restore it from a backup, or make a new "
            "store with `hatchmap init`"
        )


def _opener(path: Path, *, fixed: bool, write: bool, busy_s: float) -> _Open:
    """Return a function that connects to a file.

    A file that nobody here can write to is opened as immutable: SQLite could not make the files
    beside it that locks need. With a log beside it someone else is writing, so it is not.
    """
    if not fixed:
        mode = "rw"
    elif Path(f"{path}-wal").exists():
        mode = "ro"
    else:
        mode = "ro&immutable=1"
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False
        )
        gpkg_geometry.add_functions(connection)
        if write:
            # Readers then go on while one writes; where the folder's disk cannot, it stays as is.
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode = WAL")
            # What is deleted or overwritten leaves no trace in the pages of the file.
            connection.execute("PRAGMA secure_delete = ON")
        else:
            connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA cache_size = -32000")
        return connection

    return connect


def make_engine(opener: _Open, begin: str) -> Engine:
    """Make an engine whose transactions begin as said; SQLAlchemy leaves that to the driver."""
    pool: dict[str, Any] = {"poolclass": QueuePool, "pool_size": 0}  # as many as there are threads
    if begin == "BEGIN IMMEDIATE":
        pool = {"poolclass": NullPool}
    # Values may be personal: errors that reach a log name the statement alone.
    engine = create_engine("sqlite://", creator=opener, hide_parameters=True, **pool)

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a name for a draft in the folder of a file, and remove what is left of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{draft}{end}").unlink(missing_ok=True)


@contextmanager
def _translating(url: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _translate(url, error.orig or error) from error
    except sqlite3.Error as error:
        raise _translate(url, error) from error


def _translate(url: str, error: BaseException) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusyError(
            f"store {url} is being written to by another program: wait until it has finished, or "
            "end its editing (QGIS holds the file while a layer is edited), then try again"
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreCorruptError(f"store {url} is damaged ({error}): restore it from a backup")
    if code == sqlite3.SQLITE_READONLY:
        return StoreReadOnlyError(f"store {url} cannot be written to: check its permissions")
    if code == sqlite3.SQLITE_FULL:
        return StoreError(f"store {url}: the disk is full; nothing was written")
    return StoreError(f"store {url}: {error}")
