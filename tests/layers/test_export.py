"""Exports: what comes out goes in again, nothing for staff leaks, no half-written file stays."""

import csv
import json
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from layers.catalog import layer as find_layer
from layers.export import export_layer, format_names
from layers.formats import FORMATS
from layers.imports import import_file
from layers.ingest.tables import read_file
from layers.query import Query
from tests.layers.tiny import make_tiny, place

NAME = '=HYPERLINK("http://x")'


@pytest.fixture
def store(tmp_path):
    with make_tiny(tmp_path / "tiny.gpkg") as made:
        rows = pd.DataFrame(
            {
                "id": ["a1", "a2"],
                "name": [NAME, "<b>乙</b>, “园”\n二"],
                "status": ["operating", "planned"],
                "area_m2": [20000.5, None],
                "tenants": [3, None],
                "chain_leader_built": [True, None],
                "opened_on": [pd.Timestamp("2025-03-01"), None],
                "lead_industries": [["泵阀", "a/b"], []],
                "contact": ["13800000000", None],
                "provenance": ["sourced", "demo"],
            }
        )
        points = [shapely.Point(120.65, 28.05), shapely.Point(120.75, 28.05)]
        with made.edit("t") as edit:
            edit.insert("incubators", place(rows, points))
        yield made


@pytest.mark.parametrize("ending", sorted(format_names()))
def test_what_comes_out_goes_in_again(store, tmp_path, ending):
    file = tmp_path / f"out{ending}"
    report = export_layer(store, "incubators", file)
    assert (report.rows, report.format) == (2, format_names()[ending])
    with make_tiny(tmp_path / "again.gpkg") as again:
        back = import_file(again, "incubators", file, datum="wgs84")
        assert back.faults == []
        own = ["id", "name", "status", "area_m2", "tenants", "chain_leader_built", "opened_on"]
        pd.testing.assert_frame_equal(
            again.read("incubators", Query(columns=own, order_by="id")),
            store.read("incubators", Query(columns=own, order_by="id")),
        )
        assert again.get("incubators", "a1")["lead_industries"] == ["泵阀", "a/b"]
        assert again.get("incubators", "a1")["geometry"] == shapely.Point(120.65, 28.05)
        assert again.get("incubators", "a2")["provenance"] == "demo"


@pytest.mark.parametrize("ending", sorted(format_names()))
def test_records_without_a_place_come_out_too(tmp_path, ending):
    rows = pd.DataFrame({"id": ["z1", "z2"], "name": ["甲", "乙"], "kind": ["park", "park"]})
    shapes = [None, shapely.box(120.6, 28.0, 120.7, 28.1)]
    with make_tiny(tmp_path / "t.gpkg") as store:
        with store.edit("t") as edit:
            edit.insert("zones", place(rows, shapes))
        assert export_layer(store, "zones", tmp_path / f"out{ending}").rows == 2
    with make_tiny(tmp_path / "again.gpkg") as again:
        report = import_file(again, "zones", tmp_path / f"out{ending}", datum="wgs84")
        assert report.faults == []
        placed = [again.get("zones", key)["geometry"] is not None for key in ("z1", "z2")]
        assert placed == [False, ending != ".xlsx"]  # cells are too short for outlines


@pytest.mark.parametrize("ending", [".shp", ".zip"])
def test_shapefile_tells_the_names_it_cut(store, tmp_path, ending):
    report = export_layer(store, "incubators", tmp_path / f"out{ending}")
    assert "lead_industries as lead_indus" in report.notes[0]
    frame = pyogrio.read_dataframe(tmp_path / f"out{ending}")
    assert frame["name"][1] == "<b>乙</b>, “园”\n二"
    assert frame["area_m2"][0] == 20000.5
    assert not list(tmp_path.glob(".export*"))


def test_nothing_for_staff_leaks(store, tmp_path):
    for ending in format_names():
        file = tmp_path / f"out{ending}"
        export_layer(store, "incubators", file)
        parts = [file] if ending != ".shp" else tmp_path.glob("out.*")
        assert not any(b"13800000000" in part.read_bytes() for part in parts)
    heads = openpyxl.load_workbook(tmp_path / "out.xlsx").active[1]
    assert "contact" not in [cell.value for cell in heads]
    export_layer(store, "incubators", tmp_path / "out.csv", staff=True)
    assert "13800000000" in (tmp_path / "out.csv").read_text("utf-8-sig")
    with pytest.raises(InputError, match="for staff only"):
        export_layer(store, "tenants", tmp_path / "tenants.csv")
    assert export_layer(store, "tenants", tmp_path / "tenants.csv", staff=True).rows == 0


def test_formulas_are_disarmed(store, tmp_path):
    export_layer(store, "incubators", tmp_path / "out.csv")
    content = (tmp_path / "out.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0]["name"] == f"'{NAME}"
    assert (rows[0]["lon"], rows[0]["lat"]) == ("120.65", "28.05")
    export_layer(store, "incubators", tmp_path / "out.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    cell = next(
        below for above, below in zip(sheet[1], sheet[2], strict=True) if above.value == "name"
    )
    assert (cell.value, cell.data_type) == (NAME, "s")


@settings(max_examples=8)
@given(
    names=st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), min_size=1)
)
@example(names=["'=1", "=1", "''", '"', "-", "+86", "@a", "a,b", "；", "﹣1"])
def test_any_name_survives_a_table(names):
    layer = find_layer("progress")
    frame = pd.DataFrame({"unit": pd.Series(names, dtype="str"), "evidence": "x"})
    with TemporaryDirectory() as folder:
        for ending in (".csv", ".xlsx"):
            FORMATS[ending].write(frame, layer, Path(folder) / f"a{ending}", "wgs84")
            back = read_file(Path(folder) / f"a{ending}")
            assert back["unit"].to_list() == names


def test_geojson_by_the_rfc(store, tmp_path):
    export_layer(store, "divisions", tmp_path / "out.geojson")
    collection = json.loads((tmp_path / "out.geojson").read_text("utf-8"))
    assert "crs" not in collection
    for feature in collection["features"]:
        assert shapely.geometry.shape(feature["geometry"]).exterior.is_ccw
        assert feature["id"] == feature["properties"]["id"]
    with pytest.raises(InputError, match="GeoJSON cannot be written in gcj02"):
        export_layer(store, "divisions", tmp_path / "x.geojson", datum="gcj02")


def test_geopackage_is_version_1_3_with_its_crs(store, tmp_path):
    export_layer(store, "divisions", tmp_path / "out.gpkg", datum="EPSG:4549")
    connection = sqlite3.connect(tmp_path / "out.gpkg")
    assert connection.execute("pragma user_version").fetchone() == (10300,)
    connection.close()
    frame = pyogrio.read_dataframe(tmp_path / "out.gpkg", layer="divisions")
    assert frame.crs.to_epsg() == 4549
    assert frame.geometry.area.sum() == pytest.approx(3 * 109e6, rel=0.01)


def test_shifted_datums_go_to_tables_whose_headings_say_so(store, tmp_path):
    export_layer(store, "incubators", tmp_path / "out.csv", datum="bd09")
    head = (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()[0]
    assert head.endswith("lon_bd09,lat_bd09")
    with make_tiny(tmp_path / "again.gpkg") as again:
        columns = {"lon": "lon_bd09", "lat": "lat_bd09"}
        import_file(again, "incubators", tmp_path / "out.csv", datum="bd09", columns=columns)
        home = again.get("incubators", "a1")["geometry"]
        assert home.distance(shapely.Point(120.65, 28.05)) < 1e-7


def test_only_what_is_asked(store, tmp_path):
    query = Query(demo=False, columns=["name"])
    report = export_layer(store, "incubators", tmp_path / "out.csv", query=query)
    assert report.rows == 1
    head = (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()[0]
    assert head == "id,name,lon,lat"


def test_polygons_and_tables(store, tmp_path):
    export_layer(store, "divisions", tmp_path / "out.csv")
    assert "POLYGON" in (tmp_path / "out.csv").read_text("utf-8-sig")
    assert "left out" in export_layer(store, "divisions", tmp_path / "out.xlsx").notes[0]
    assert export_layer(store, "baselines", tmp_path / "none.csv").rows == 0
    assert export_layer(store, "baselines", tmp_path / "none.gpkg").rows == 0
    assert export_layer(store, "stations", tmp_path / "none.shp").rows == 0


@pytest.mark.parametrize(
    ("layer", "name", "said"),
    [
        ("incubators", "out.pdf", "the ending names no format"),
        ("incubators", "none/out.csv", "there is no folder"),
        ("incubators", "tiny.gpkg", "is the store itself"),
        ("baselines", "out.shp", "has no geometry"),
    ],
)
def test_what_cannot_be_written(store, tmp_path, layer, name, said):
    with pytest.raises(InputError, match=said):
        export_layer(store, layer, tmp_path / name)


def test_a_failed_export_leaves_the_old_file(store, tmp_path, monkeypatch):
    file = tmp_path / "out.csv"
    file.write_text("old")
    monkeypatch.setattr("layers.formats.csv.writer", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_layer(store, "incubators", file)
    assert file.read_text() == "old"
    assert not list(tmp_path.glob(".export*"))
