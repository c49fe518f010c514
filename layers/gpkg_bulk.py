"""Many rows at once: the R-tree of a GeoPackage filled beside its triggers, not by them.

A trigger costs some eighty microseconds a row, most of it for the savepoint that SQLite sets around
each. Here the triggers are taken away, the R-tree is written in one go, and they are put back, all
in the transaction of the edit: others never see the table without them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Table, delete, select

from layers.gpkg_ddl import create_tree
from layers.gpkg_geometry import edges, is_empty
from layers.statements import Condition
from layers.tables import KEY, SHAPE


@contextmanager
def indexed_at_once(
    connection: Connection, table: Table, shapes: Sequence[bytes | None]
) -> Iterator[list[int]]:
    """Let the block insert rows under the keys given; index their stored geometries after it."""
    first = next_key(connection, table)
    keys = list(range(first, first + len(shapes)))
    with without_triggers(connection, table):
        yield keys
        fill_tree(connection, table, keys, shapes)
    # Else SQLite takes every index for selective, and looks into a column's before the R-tree.
    connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
    connection.exec_driver_sql(f'ANALYZE "{table.name}"')


def remove_at_once(connection: Connection, table: Table, conditions: Sequence[Condition]) -> None:
    """Remove most rows of a table, and index the rest anew instead of thinning out the R-tree."""
    with without_triggers(connection, table):
        connection.execute(delete(table).where(*conditions))
        connection.exec_driver_sql(f'DROP TABLE "rtree_{table.name}_{SHAPE}"')
        create_tree(connection, table.name)
        rest = connection.execute(select(table.c[KEY], table.c[SHAPE])).all()
        fill_tree(connection, table, [row[0] for row in rest], [row[1] for row in rest])


def next_key(connection: Connection, table: Table) -> int:
    """Return a key that no row of a table has ever had."""
    row = connection.exec_driver_sql(
        "SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)
    ).first()
    return 1 if row is None else int(row[0]) + 1


@contextmanager
def without_triggers(connection: Connection, table: Table) -> Iterator[None]:
    """Take the R-tree's triggers away for a block."""
    triggers = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? "
        "AND name LIKE 'rtree\\_%' ESCAPE '\\'",
        (table.name,),
    ).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    yield
    for _, statement in triggers:
        connection.exec_driver_sql(statement)


def fill_tree(
    connection: Connection, table: Table, keys: Sequence[int], shapes: Sequence[bytes | None]
) -> None:
    """Write the envelopes of stored geometries into the R-tree of their table."""
    rows = [
        (key, *edges(shape))
        for key, shape in zip(keys, shapes, strict=True)
        if shape is not None and not is_empty(shape)
    ]
    if rows:
        tree = f'"rtree_{table.name}_{SHAPE}"'
        connection.exec_driver_sql(f"INSERT INTO {tree} VALUES (?, ?, ?, ?, ?)", rows)  # noqa: S608 - a name of the catalogue
