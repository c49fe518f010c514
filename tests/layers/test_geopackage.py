"""The store in a GeoPackage: a file that others can read, and that nothing half-writes."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from pyproj import CRS

from geo.errors import (
    InputError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreMissingError,
    StoreReadOnlyError,
)
from layers import geopackage
from layers.catalog import layers
from layers.geopackage import GeoPackageStore
from layers.gpkg_geometry import add_functions, edges, is_empty, read_shapes, write_shapes
from layers.query import Query
from layers.statements import Statements
from layers.store import create_store, open_store
from tests.contract.worlds import make_incubators, make_spaces

ROOT = Path(__file__).resolve().parents[2]
_NOBODY = 65534
BOX = Query(bbox=(120.4, 27.4, 120.6, 27.6))


@pytest.fixture
def path(tmp_path):
    """A store of three incubators and a hundred spaces, closed."""
    path = tmp_path / "城市 #1.gpkg"
    with create_store(path) as store, store.edit("tests") as edit:
        edit.insert("incubators", make_incubators("A", "B", "C"))
        edit.insert("spaces", make_spaces(100))
    return path


def sql(path, statement, *values):
    connection = sqlite3.connect(path)
    add_functions(connection)
    try:
        with connection:
            return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def test_the_file_is_a_geopackage_1_3(path):
    head = path.read_bytes()[:100]
    assert head[68:72] == b"GPKG"
    assert int.from_bytes(head[60:64], "big") == 10300
    assert sql(path, "PRAGMA integrity_check") == [("ok",)]
    assert sql(path, "PRAGMA foreign_key_check") == []
    systems = dict(sql(path, "SELECT srs_id, definition FROM gpkg_spatial_ref_sys"))
    assert set(systems) == {-1, 0, 4326, 4490}
    assert CRS.from_wkt(systems[4490]).to_epsg() == 4490
    extended = sql(path, "SELECT table_name, extension_name, scope FROM gpkg_extensions")
    spatial = {name for name, layer in layers().items() if layer.spatial}
    assert set(extended) == {(name, "gpkg_rtree_index", "write-only") for name in spatial}
    box = sql(path, "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name=?",
              "incubators")[0]  # fmt: skip
    assert box == pytest.approx((120, 28, 120.2, 28), abs=2e-5)


def test_gdal_reads_every_layer_as_declared(path):
    listed = dict(pyogrio.list_layers(path))
    for name, layer in layers().items():
        info = pyogrio.read_info(path, layer=name)
        assert [*info["fields"]] == [column.name for column in layer.columns]
        if layer.spatial:
            assert info["crs"] == "EPSG:4490"
            assert info["geometry_name"] == "geom"
        else:
            assert listed[name] is None
        frame = pyogrio.read_dataframe(path, layer=name)
        assert len(frame) == {"incubators": 3, "spaces": 100}.get(name, 0)
    assert listed["divisions"] == "MultiPolygon"
    assert listed["incubators"] == "Point"
    read = pyogrio.read_dataframe(path, layer="spaces", bbox=BOX.bbox)
    dtypes = read.dtypes
    assert str(dtypes["available_from"]).startswith("datetime64")
    assert dtypes["area_m2"] == np.float64
    with open_store(path) as store:
        assert set(read["id"]) == set(store.read("spaces", BOX)["id"])


def test_a_box_is_looked_up_in_the_r_tree(path):
    with open_store(path) as store:
        layer = layers()["spaces"]
        statements = Statements(layer, store.tables.layers["spaces"], store.dialect)
        for query in (BOX, Query(bbox=BOX.bbox, where={"unit": "North"}, order_by="area_m2")):
            statement = statements.select(query)
            with store.reading() as connection:
                compiled = statement.compile(connection, compile_kwargs={"literal_binds": True})
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all()
            told = " | ".join(row[-1] for row in plan)
            assert "VIRTUAL TABLE INDEX 2:" in told  # 2: the R-tree searched by its coordinates
            assert "SCAN spaces" not in told.replace("USING INDEX", "")


def test_points_by_a_hair_inside_or_outside_a_box_are_told_apart(tmp_path):
    edge = 120.123456789
    step = np.spacing(edge)
    frame = make_incubators("in", "on", "out")
    frame["geometry"] = shapely.points([edge - step, edge, edge + step], 28.0)
    with create_store(tmp_path / "s.gpkg") as store:
        with store.edit("tests") as edit:
            edit.insert("incubators", frame)
        found = store.read("incubators", Query(bbox=(120, 27, edge, 29)))
    assert found["name"].tolist() == ["in", "on"]


def test_the_r_tree_follows_inserts_many_at_once_and_edits(tmp_path):
    path = tmp_path / "s.gpkg"
    frame = make_spaces(geopackage.MANY + 500)
    with create_store(path) as store, store.edit("tests") as edit:
        ids = edit.insert("spaces", frame)
        edit.update("spaces", ids[5], geometry=shapely.Point(125, 30))
        edit.delete("spaces", ids[6:9])
    held = sql(path, "SELECT s.fid, ST_MinX(geom), ST_MinY(geom) FROM spaces s ORDER BY fid")
    tree = sql(path, "SELECT id, minx, miny FROM rtree_spaces_geom ORDER BY id")
    assert [row[0] for row in held] == [row[0] for row in tree]
    assert np.allclose(held, tree, atol=2e-5)
    triggers = sql(path, "SELECT count(*) FROM sqlite_master WHERE type='trigger' AND tbl_name=?",
                   "spaces")  # fmt: skip
    assert triggers == [(6,)]
    assert sql(path, "SELECT rtreecheck('rtree_spaces_geom')") == [("ok",)]


def test_the_r_tree_follows_when_most_records_go(tmp_path):
    path = tmp_path / "s.gpkg"
    frame = make_spaces(2 * geopackage.MANY)
    frame["provenance"] = np.where(np.arange(len(frame)) < 100, "imported", "demo")
    with create_store(path) as store:
        with store.edit("tests") as edit:
            edit.insert("spaces", frame)
        with store.edit("tests") as edit:
            assert edit.clear("spaces", {"provenance": "demo"}) == len(frame) - 100
            edit.insert("spaces", make_spaces(1).assign(id="last"))
        assert store.read("spaces")["id"].tolist() == [*frame["id"].head(100), "last"]
        assert store.count("spaces", Query(bbox=(0, 0, 180, 90))) == 101
        assert len(store.history("spaces", frame["id"].iloc[-1])) == 2
    held = sql(path, "SELECT fid FROM spaces ORDER BY fid")
    assert sql(path, "SELECT id FROM rtree_spaces_geom ORDER BY id") == held
    assert sql(path, "SELECT rtreecheck('rtree_spaces_geom')") == [("ok",)]
    pyogrio.write_dataframe(make_spaces(1).assign(id="gis"), path, layer="spaces", append=True)
    assert sql(path, "SELECT count(*) FROM rtree_spaces_geom") == [(102,)]


def test_what_gdal_appends_is_seen(path):
    added = gpd.GeoDataFrame(
        {"id": ["gis"], "name": ["From a GIS"], "status": ["operating"]},
        geometry=[shapely.Point(120.5, 27.5)],
        crs="EPSG:4490",
    )
    with open_store(path) as store:
        before = store.token("incubators")
        pyogrio.write_dataframe(added, path, layer="incubators", append=True)
        assert store.token("incubators") != before
        assert store.read("incubators", BOX)["id"].tolist() == ["gis"]
        assert store.history("incubators", "gis") == []
    with open_store(path, write=True) as store:
        with store.edit("tests") as edit:
            edit.update("incubators", "gis", note="checked")
        assert [change.action for change in store.history("incubators", "gis")] == ["update"]


def test_a_value_that_another_program_spoiled_is_named(path):
    sql(path, "UPDATE incubators SET services = 'no list' WHERE id = 'incubators-1'")
    with open_store(path) as store:
        with pytest.raises(StoreCorruptError, match="incubators, column services"):
            store.read("incubators")
        with pytest.raises(StoreCorruptError, match="services"):
            store.get("incubators", "incubators-1")
    blob = write_shapes(np.array([shapely.box(1, 2, 3, 4)]))[0][:-20]
    sql(path, "UPDATE incubators SET services = NULL, geom = ?", blob)
    with open_store(path) as store, pytest.raises(StoreCorruptError, match="geometry"):
        store.read("incubators")


def test_one_writer_at_a_time_while_readers_go_on(path):
    with open_store(path, write=True) as first, first.edit("tests") as edit:
        edit.update("incubators", "incubators-1", name="A2")
        with (
            GeoPackageStore.open(path, write=True, busy_s=0.1) as second,
            pytest.raises(StoreBusyError, match="wait until it has finished"),
            second.edit("other"),
        ):
            pass
        with open_store(path) as reader:
            assert reader.get("incubators", "incubators-1")["name"] == "A"
    with open_store(path) as reader:
        assert reader.get("incubators", "incubators-1")["name"] == "A2"


def test_writers_in_threads_wait_for_each_other(path):
    with open_store(path, write=True) as store:

        def rename(number):
            with store.edit(f"writer {number}") as edit:
                edit.update("incubators", "incubators-1", tenants=number)
            store.read("spaces", BOX)

        threads = [threading.Thread(target=rename, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = store.history("incubators", "incubators-1")
        assert {change.who for change in told} == {"tests", *(f"writer {n}" for n in range(6))}


CRASH = """
import os, signal, sys
from layers.store import open_store
from tests.contract.worlds import make_spaces
store = open_store(sys.argv[1], write=True)
with store.edit("crash") as edit:
    edit.clear("incubators")
    for step in range(4):
        edit.insert("spaces", make_spaces(3000).drop(columns="id"))
    edit._connection.exec_driver_sql("PRAGMA cache_spill = 1")
    print("written", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_in_the_middle_the_old_state_stands(path):
    with open_store(path) as store:
        before = store.token()
    done = subprocess.run(
        [sys.executable, "-c", CRASH, path], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout == "written\n"
    with open_store(path, write=True) as store:
        assert store.token() == before
        assert (store.count("incubators"), store.count("spaces")) == (3, 100)
        assert store.count("spaces", BOX) == len(store.read("spaces", BOX))
        with store.edit("tests") as edit:
            edit.delete("incubators", "incubators-1")
    assert sql(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_missing_store_says_how_to_make_one(tmp_path):
    with pytest.raises(StoreMissingError, match=r"no store at .*x\.gpkg.*`hatchmap init"):
        open_store(tmp_path / "x.gpkg")
    with pytest.raises(InputError, match=r"store mysql://…: this kind of store is not known"):
        open_store("mysql://user:secret@host/x")


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(200), os.urandom(5000)],
    ids=["empty", "short", "stub", "no geopackage", "noise"],
)
def test_a_file_that_is_no_store_is_refused(tmp_path, content):
    path = tmp_path / "x.gpkg"
    path.write_bytes(content)
    for write in (False, True):
        with pytest.raises(StoreCorruptError, match="is not a GeoPackage, or is damaged"):
            open_store(path, write=write)
    assert path.read_bytes() == content


def test_a_folder_is_no_store(tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        open_store(tmp_path)


def test_a_geopackage_of_others_is_no_store(tmp_path):
    path = tmp_path / "other.gpkg"
    pyogrio.write_dataframe(make_incubators("A"), path, VERSION="1.3")
    content = path.read_bytes()
    for write in (False, True):
        with pytest.raises(StoreCorruptError, match="no store of Hatchmap"):
            open_store(path, write=write)
    assert path.read_bytes() == content


@pytest.mark.parametrize("damage", ["cut", "scrambled"])
def test_a_damaged_store_says_so(path, damage):
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 3]
    else:
        content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)

    def use():
        with open_store(path) as store:
            store.read("spaces")
            store.token()

    with pytest.raises(StoreCorruptError, match="restore it from a backup"):
        use()


def test_where_nothing_can_be_written_reading_works(path, monkeypatch):
    monkeypatch.setattr(geopackage.os, "access", lambda *_: False)
    content, beside = path.read_bytes(), sorted(path.parent.iterdir())
    with pytest.raises(StoreReadOnlyError, match="change the permissions"):
        open_store(path, write=True)
    with open_store(path) as store:
        assert store.count("spaces") == 100
        assert sorted(path.parent.iterdir()) == beside
    assert path.read_bytes() == content


@contextlib.contextmanager
def without_power():
    """Act as a user whom permissions bind: root may write everywhere."""
    users = os.getresuid()
    if os.geteuid() == 0:
        os.setresuid(_NOBODY, _NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(*users)


def test_a_folder_without_leave_to_write(path):
    # Not below `tmp_path`, which nobody but its owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "s.gpkg"
        shutil.copyfile(path, copy)
        copy.chmod(0o444)
        copy.parent.chmod(0o555)
        try:
            with without_power():
                with open_store(copy) as store:
                    assert store.count("spaces") == 100
                with pytest.raises(StoreReadOnlyError):
                    open_store(copy, write=True)
                with pytest.raises(StoreReadOnlyError, match="cannot be made"):
                    create_store(copy.parent / "new.gpkg")
        finally:
            copy.parent.chmod(0o755)


def test_creating_never_writes_over_a_file(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "s.gpkg"
    create_store(path).close()
    content = path.read_bytes()
    with pytest.raises(InputError, match="exists already"):
        create_store(path)
    assert path.read_bytes() == content
    assert [entry.name for entry in path.parent.iterdir()] == ["s.gpkg"]
    with pytest.raises(StoreReadOnlyError, match="cannot be made"):
        create_store(path / "below.gpkg")

    def fail(_):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(geopackage.gpkg_ddl, "create_schema", fail)
    with pytest.raises(StoreError, match="disk I/O error"):
        create_store(tmp_path / "t.gpkg")
    assert not (tmp_path / "t.gpkg").exists()


def test_a_store_older_than_the_catalogue_is_read_and_completed(path):
    sql(path, "ALTER TABLE incubators DROP COLUMN website")
    for table in ("spaces", "lists"):
        sql(path, f"DROP TABLE {table}")
        sql(path, f"DROP TABLE rtree_{table}_geom")
        for register in ("gpkg_extensions", "gpkg_geometry_columns", "gpkg_contents"):
            sql(path, f"DELETE FROM {register} WHERE table_name = ?", table)
    sql(path, "DELETE FROM hatchmap_versions WHERE name IN ('spaces', 'lists')")
    with open_store(path) as old:
        assert old.read("incubators")["website"].isna().all()
        assert old.count("incubators", Query(where={"website": None})) == 3
        assert old.count("incubators", Query(where={"website": "x"}, text="a")) == 0
        assert old.page("incubators", Query(order_by="website", limit=2)).next
        assert old.get("incubators", "incubators-1")["website"] is None
        assert len(old.read("spaces", BOX)) == old.count("spaces") == 0
        assert list(old.read("lists", Query(columns=("title",)))) == ["id", "title"]
        assert old.page("lists", Query(limit=1)).total == 0
        assert old.extent("spaces") is None
        assert old.token("spaces")
    with open_store(path, write=True) as store, store.edit("tests") as edit:
        edit.update("incubators", "incubators-1", website="https://example.org")
        edit.insert("spaces", make_spaces(5))
    with open_store(path) as store:
        assert store.get("incubators", "incubators-1")["website"] == "https://example.org"
        assert store.count("spaces") == 5


def test_a_backup_is_a_whole_store_of_one_file(path, tmp_path):
    target = tmp_path / "backups" / "b.gpkg"
    target.parent.mkdir()
    with open_store(path, write=True) as store, store.edit("tests") as edit:
        edit.delete("incubators", "incubators-1")
        store.backup(target)  # of what is written, not of what is being written
        with pytest.raises(InputError, match="exists already"):
            store.backup(target)
    assert [entry.name for entry in target.parent.iterdir()] == ["b.gpkg"]
    assert sql(target, "PRAGMA journal_mode") == [("delete",)]
    with open_store(target) as copy:
        assert (copy.count("incubators"), copy.count("spaces")) == (3, 100)
    with open_store(path) as store, pytest.raises(StoreError, match="cannot be written"):
        store.backup(tmp_path / "nowhere" / "b.gpkg")


def test_a_log_left_beside_a_store_is_read(path):
    with open_store(path, write=True) as store:
        with store.edit("tests") as edit:
            edit.update("incubators", "incubators-1", name="A2")
        assert Path(f"{path}-wal").stat().st_size > 0
        with open_store(path) as other:
            assert other.get("incubators", "incubators-1")["name"] == "A2"
    assert not Path(f"{path}-wal").exists()


def test_stored_geometries_hold_what_gdal_reads():
    shapes = np.array(
        [shapely.Point(120, 28), None, shapely.box(1, 2, 3, 4), shapely.Point()], dtype=object
    )
    blobs = write_shapes(shapes)
    assert [blob and edges(blob) for blob in blobs[:3]] == [
        (120, 120, 28, 28),
        None,
        (1, 3, 2, 4),
    ]
    assert [is_empty(blob) for blob in blobs if blob] == [False, False, True]
    assert [str(shape) for shape in read_shapes(blobs)] == [str(shape) for shape in shapes]
    big_endian = b"GP\0\0" + (4490).to_bytes(4, "big") + shapely.to_wkb(shapes[0], byte_order=0)
    assert edges(big_endian) == (120, 120, 28, 28)
    assert read_shapes([big_endian])[0] == shapes[0]


def test_reading_does_not_import_what_only_checking_needs(path):
    code = (
        "import sys; from layers.store import open_store; "
        "print(len(open_store(sys.argv[1]).read('spaces')), 'pandera' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "100 False\n"


def test_a_frame_of_a_file_with_missing_values_is_stored(tmp_path):
    frame = pd.DataFrame({"unit": ["北", None], "indicator": ["a", "b"], "value": [1.0, np.nan]})
    with create_store(tmp_path / "s.gpkg") as store:
        with store.edit("tests") as edit:
            edit.insert("baselines", frame)
        assert store.read("baselines")["unit"].isna().tolist() == [False, True]
        assert store.count("baselines", Query(where={"value": None})) == 1
