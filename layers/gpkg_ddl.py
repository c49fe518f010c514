"""What makes an SQLite file a GeoPackage 1.3 (OGC 12-128r17): its own tables, types, R-trees."""

from __future__ import annotations

from functools import cache
from typing import Any

from pyproj import CRS
from sqlalchemy import REAL, Connection, Integer, Table, Text
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeEngine, UserDefinedType

from layers.catalog import Layer, layers
from layers.gpkg_geometry import SRS_ID
from layers.tables import KEY, SHAPE, Tables, declare_tables

APPLICATION_ID = int.from_bytes(b"GPKG", "big")
USER_VERSION = 10300

_CORE = (
    """CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT)""",
    """CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id))""",
    """CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id))""",
    """CREATE TABLE gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
  scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))""",
)
_RTREE_SPEC = "http://www.geopackage.org/spec120/#extension_rtree"
_DESCRIPTIONS = {
    "meta": "Hatchmap: facts about this store, JSON by key",
    "rules": "Hatchmap: rules in force, with version and source",
    "batches": "Hatchmap: edits by layer: when, who, why, how many records",
    "history": "Hatchmap: what edits changed, record by record",
    "versions": "Hatchmap: how often each layer has changed",
}


class Named(UserDefinedType[Any]):
    """A column type of a GeoPackage (clause 1.1.1.1.3) whose values go in and out as they are."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        """Name the type in a table's definition."""
        return self.name


KINDS: dict[str, TypeEngine[Any]] = {
    "text": Text(),
    "integer": Integer(),
    "number": REAL(),
    "boolean": Named("BOOLEAN"),
    "date": Named("DATE"),
    "list": Text(),
    "json": Text(),
}


def geometry_type(layer: Layer) -> str:
    """Name the geometry type of a layer's table.

    >>> [geometry_type(layers()[name]) for name in ("incubators", "divisions", "projects")]
    ['POINT', 'MULTIPOLYGON', 'GEOMETRY']
    """
    if len(layer.geometry) == 1:
        return layer.geometry[0].upper()
    return f"MULTI{layer.geometry[0].upper()}" if promotes(layer) else "GEOMETRY"


def shape_type(layer: Layer) -> TypeEngine[Any]:
    """Return the SQL type of a layer's geometry."""
    return Named(geometry_type(layer))


def promotes(layer: Layer) -> bool:
    """Whether a layer's single geometries are stored as multiple ones, so that all are of one type.

    GIS programs draw a table of one declared type as one layer, and a mixed one as several.
    """
    first = layer.geometry[0] if layer.geometry else ""
    return set(layer.geometry) == {first, f"Multi{first}"}


@cache
def full_tables() -> Tables:
    """Declare the tables of a store that has everything of the catalogue."""
    return declare_tables(KINDS, shape_type)


def create_schema(connection: Connection) -> None:
    """Make an empty file a GeoPackage with every table of the store."""
    for statement in _CORE:
        connection.exec_driver_sql(statement)
    _add_systems(connection)
    tables = full_tables()
    for name, table in zip(_DESCRIPTIONS, tables.private, strict=True):
        connection.execute(CreateTable(table))
        _create_indexes(connection, table)
        _register(connection, table.name, "attributes", f"Hatchmap {name}", _DESCRIPTIONS[name])
    complete_schema(connection, {})
    # application_id and user_version belong to the transaction, like every page of the file.
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {USER_VERSION}")


def present_columns(connection: Connection) -> dict[str, set[str]]:
    """List the columns that the file has, by table."""
    found: dict[str, set[str]] = {}
    for table, column in connection.exec_driver_sql(
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c "
        "WHERE m.type = 'table' AND m.name NOT LIKE 'rtree\\_%' ESCAPE '\\'"
    ):
        found.setdefault(table, set()).add(column)
    return found


def lacks_something(present: dict[str, set[str]]) -> bool:
    """Whether the catalogue has gained layers or columns since the file was made."""
    return any(
        name not in present or not {column.name for column in layer.columns} <= present[name]
        for name, layer in layers().items()
    )


def complete_schema(connection: Connection, present: dict[str, set[str]]) -> None:
    """Add the layers and columns of the catalogue that the file lacks."""
    tables = full_tables()
    for name, layer in layers().items():
        if name not in present:
            _create_layer(connection, tables, layer)
            continue
        for column in layer.columns:
            if column.name not in present[name]:
                kind = KINDS[column.kind].compile(connection.dialect)
                connection.exec_driver_sql(
                    f'ALTER TABLE "{name}" ADD COLUMN "{column.name}" {kind}'
                )
    known = [*layers(), "meta", "rules"]
    connection.exec_driver_sql(
        "INSERT OR IGNORE INTO hatchmap_versions (name, version, numbered) VALUES (?, 0, 0)",
        [(name,) for name in known],
    )


def _add_systems(connection: Connection) -> None:
    """Register the coordinate systems that clause 1.1.2.1.2 requires, and the stored one."""
    rows: list[tuple[str, int, str, int, str, str]] = [
        ("Undefined Cartesian", -1, "NONE", -1, "undefined", "any Cartesian coordinates"),
        ("Undefined geographic", 0, "NONE", 0, "undefined", "any longitude and latitude"),
    ]
    for code in (4326, SRS_ID):
        crs = CRS.from_epsg(code)
        definition = crs.to_wkt("WKT1_GDAL")
        rows.append((crs.name, code, "EPSG", code, definition, "longitude, latitude in degrees"))
    connection.exec_driver_sql("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", rows)


def _create_layer(connection: Connection, tables: Tables, layer: Layer) -> None:
    connection.execute(CreateTable(tables.layers[layer.name]))
    _create_indexes(connection, tables.layers[layer.name])
    kind = "features" if layer.spatial else "attributes"
    _register(connection, layer.name, kind, layer.zh, layer.en)
    if layer.spatial:
        connection.exec_driver_sql(
            "INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, 0, 0)",
            (layer.name, SHAPE, geometry_type(layer), SRS_ID),
        )
        _create_rtree(connection, layer.name)


def _create_indexes(connection: Connection, table: Table) -> None:
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        connection.execute(CreateIndex(index))


def _register(
    connection: Connection, table: str, kind: str, identifier: str, description: str
) -> None:
    connection.exec_driver_sql(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) "
        "VALUES (?, ?, ?, ?, ?)",
        (table, kind, identifier, description, SRS_ID if kind == "features" else None),
    )


def create_tree(connection: Connection, table: str) -> None:
    """Make the R-tree of a layer's table, empty and without triggers."""
    connection.exec_driver_sql(
        f'CREATE VIRTUAL TABLE "rtree_{table}_{SHAPE}" USING rtree(id, minx, maxx, miny, maxy)'
    )


def _create_rtree(connection: Connection, table: str) -> None:
    """Add the spatial index with its triggers, as annex F.3 writes them."""
    rtree, new, old = f"rtree_{table}_{SHAPE}", f'NEW."{SHAPE}"', f'OLD."{SHAPE}"'
    create_tree(connection, table)
    shown = f"({new} NOTNULL AND NOT ST_IsEmpty({new}))"
    hidden = f"({new} ISNULL OR ST_IsEmpty({new}))"
    same, moved = f"OLD.{KEY} = NEW.{KEY}", f"OLD.{KEY} != NEW.{KEY}"
    box = f"ST_MinX({new}), ST_MaxX({new}), ST_MinY({new}), ST_MaxY({new})"
    # Every name in these statements is one of the catalogue's.
    put = f'INSERT OR REPLACE INTO "{rtree}" VALUES (NEW.{KEY}, {box});'  # noqa: S608 - see above
    drop = f'DELETE FROM "{rtree}" WHERE id = OLD.{KEY};'  # noqa: S608 - see above
    drop_both = f'DELETE FROM "{rtree}" WHERE id IN (OLD.{KEY}, NEW.{KEY});'  # noqa: S608 - see above
    for name, event, condition, action in (
        ("insert", "INSERT", shown, put),
        ("update1", f'UPDATE OF "{SHAPE}"', f"{same} AND {shown}", put),
        ("update2", f'UPDATE OF "{SHAPE}"', f"{same} AND {hidden}", drop),
        ("update3", "UPDATE", f"{moved} AND {shown}", f"{drop} {put}"),
        ("update4", "UPDATE", f"{moved} AND {hidden}", drop_both),
        ("delete", "DELETE", f"{old} NOTNULL", drop),
    ):
        connection.exec_driver_sql(
            f'CREATE TRIGGER "{rtree}_{name}" AFTER {event} ON "{table}" '
            f"WHEN {condition} BEGIN {action} END"
        )
    connection.exec_driver_sql(
        "INSERT INTO gpkg_extensions VALUES (?, ?, 'gpkg_rtree_index', ?, 'write-only')",
        (table, SHAPE, _RTREE_SPEC),
    )
