"""Data in and out by the command, and every wrong input that a new user would try."""

import shutil
import sqlite3
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from layers.store import open_store
from tests.api.city import SIZES, TINYTOWN, make_city
from tests.api.command import assert_refused, run

HEADINGS = "名称,状态,经度,纬度,总面积,级别"
GOOD = "港口创业园,运营,-56.05,-34.65,21000,省级"


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Tinytown without demo data."""
    path = tmp_path_factory.mktemp("bare") / "town.gpkg"
    assert run("init", "--city", TINYTOWN, "--no-demo", "--store", path).code == 0
    return path


@pytest.fixture
def store(bare, tmp_path):
    """Tinytown without demo data, to be written to."""
    return Path(shutil.copy(bare, tmp_path / "town.gpkg"))


@pytest.fixture
def write(tmp_path):
    """Write a file of incubators."""

    def write(*lines, encoding="utf-8", name="园区.csv"):
        path = tmp_path / name
        path.write_text("\n".join([HEADINGS, *lines]) + "\n", encoding)
        return path

    return write


def token(path):
    with open_store(path) as store:
        return store.token()


def bring(store, layer, file, *more):
    return run("import", layer, file, "--store", store, "--datum", "wgs84", *more)


# --- importing --------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_incubators_with_chinese_headings(store, write, encoding):
    answer = bring(store, "incubators", write(GOOD, encoding=encoding))
    assert answer.code == 0, answer.err
    listed = run("incubators", "--store", store, "--json").json
    properties = listed["features"][0]["properties"]
    assert properties["name"] == "港口创业园"
    assert properties["level"] == "provincial"
    assert properties["unit"] == "Harbour"
    assert properties["provenance"] == "imported"


def test_faulty_rows_are_a_table_and_nothing_is_written(store, write):
    before = token(store)
    file = write(GOOD, "坏园区,运营,-56.05,-34.65,-3,特级", "无处园区,运营,,,100,")
    answer = bring(store, "incubators", file, "--lang", "en")
    assert_refused(answer, "2 of 3 rows", "nothing was written", "--skip-bad")
    assert "What is wrong" in answer.out
    assert "特级" in answer.out
    assert token(store) == before
    report = bring(store, "incubators", file, "--json")
    assert report.code == 2
    assert {fault["column"] for fault in report.json["faults"]} == {"area_m2", "level", "geometry"}


def test_the_rows_without_fault_are_written_when_asked(store, write):
    file = write(GOOD, "坏园区,运营,-56.05,-34.65,-3,特级")
    answer = bring(store, "incubators", file, "--skip-bad", "--json")
    assert answer.code == 0
    assert (answer.json["rows"], answer.json["written"]) == (2, 1)


def test_dry_run_writes_nothing(store, write):
    before = token(store)
    answer = bring(store, "incubators", write(GOOD), "--dry-run", "--json")
    assert (answer.code, answer.json["written"], answer.json["dry_run"]) == (0, 0, True)
    assert token(store) == before


def test_skipping_bad_rows_can_be_tried(store, write):
    file = write(GOOD, "坏园区,运营,-56.05,-34.65,-3,特级")
    assert bring(store, "incubators", file, "--skip-bad", "--dry-run").code == 0
    all_bad = write("坏园区,运营,-56.05,-34.65,-3,特级")
    answer = bring(store, "incubators", all_bad, "--skip-bad")
    assert_refused(answer, "1 of 1 rows")
    assert "--skip-bad" not in answer.err


def test_headings_by_hand(store, tmp_path):
    file = tmp_path / "odd.csv"
    file.write_text("Wer,Wie,Wo_x,Wo_y\nHaus,运营,-56.05,-34.65\n", "utf-8")
    assert_refused(bring(store, "incubators", file), "Wer")
    pairs = [
        word
        for pair in ("name=Wer", "status=Wie", "lon=Wo_x", "lat=Wo_y")
        for word in ("--map", pair)
    ]
    assert bring(store, "incubators", file, *pairs).code == 0
    assert_refused(bring(store, "incubators", file, "--map", "name"), "A=B")
    assert_refused(bring(store, "incubators", file, *pairs, "--map", "name=x"), "twice")


def test_markup_in_names_is_text(store, write):
    name = "<script>alert(1)</script> [bold]园[/bold]"
    assert bring(store, "incubators", write(GOOD.replace("港口创业园", name))).code == 0
    assert name in run("incubators", "--store", store).out


WRONG = {
    "swapped": ("A,运营,-34.65,-56.05,100,", "-34.65"),
    "far away": ("A,运营,120.7,28.0,100,", "120.7"),
    "no number": ("A,运营,-56.05,-34.65,viel,", "viel"),
    "negative": ("A,运营,-56.05,-34.65,-1,", "area_m2"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_values(store, write, case):
    line, word = WRONG[case]
    before = token(store)
    answer = bring(store, "incubators", write(line))
    assert_refused(answer, "nothing was written")
    assert word in answer.out + answer.err
    assert token(store) == before


def test_duplicate_ids(store, tmp_path):
    file = tmp_path / "twice.csv"
    file.write_text(
        "id,name,状态,lon,lat\na,A,运营,-56.05,-34.65\na,B,运营,-56.05,-34.65\n", "utf-8"
    )
    assert_refused(bring(store, "incubators", file), "id")


def test_negative_rent(store, tmp_path):
    file = tmp_path / "rent.csv"
    file.write_text("名称,经度,纬度,租金\nA,-56.05,-34.65,-5\n", "utf-8")
    assert_refused(bring(store, "spaces", file), "nothing was written")


def test_wrong_files(store, tmp_path, write):
    before = token(store)
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    binary = tmp_path / "picture.png"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert_refused(bring(store, "incubators", tmp_path / "no.csv"), "no.csv")
    assert_refused(bring(store, "streets", tmp_path / "no.pbf"), "no.pbf")
    assert_refused(bring(store, "incubators", empty), "empty.csv")
    assert_refused(bring(store, "incubators", binary), "picture.png")
    assert_refused(bring(store, "incubators", tmp_path))
    assert_refused(bring(store, "incubatorz", write(GOOD)), "incubators")
    file = write(GOOD)
    assert_refused(run("import", "incubators", file, "--store", store), "datum")
    assert_refused(run("import", "incubators", file, "--store", store, "--datum", "mars"), "gcj02")
    assert token(store) == before


# --- streets ----------------------------------------------------------------------------------


def make_roads(path, names=("Main", "Hill 高速", "Quay")):
    lines = [
        shapely.LineString([(-56.05, -34.65 + at / 1000), (-56.04, -34.65 + at / 1000)])
        for at in range(len(names))
    ]
    gpd.GeoDataFrame({"name": names}, geometry=lines, crs="EPSG:4326").to_file(path)
    return path


def test_roads_by_the_rules(store, tmp_path):
    with open_store(store, write=True) as opened, opened.edit("test") as edit:
        edit.set_rules("streets", {"exclude_name_contains": ["高速"]}, "drawn for the tests")
    roads = make_roads(tmp_path / "roads.gpkg")
    answer = run("import", "streets", roads, "--store", store, "--json")
    assert answer.code == 0, answer.err
    assert answer.json["written"] == 2
    assert any("1 line(s)" in warning and "高速" in warning for warning in answer.json["warnings"])
    with open_store(store) as opened:
        frame = opened.read("streets")
    assert frame["source"].tolist() == ["roads.gpkg"] * 2
    assert set(frame["provenance"]) == {"imported"}
    assert frame["as_of"].notna().all()
    assert run("reach", "-56.045", "-34.65", "--store", store, "--json").json["network"] is True


def test_roads_of_one_source_are_not_doubled(store, tmp_path):
    roads = make_roads(tmp_path / "roads.gpkg")
    assert run("import", "streets", roads, "--store", store).code == 0
    assert_refused(run("import", "streets", roads, "--store", store), "--replace")
    make_roads(roads, names=("Main",))
    answer = run("import", "streets", roads, "--store", store, "--replace", "--json")
    assert answer.json["written"] == 1
    with open_store(store) as opened:
        assert opened.count("streets") == 1


def test_real_streets_take_the_place_of_demo_streets(store, tmp_path):
    assert run("demo", "add", "--store", store, "--incubators", 5, "--spaces", 5, "--amenities", 20,
               "--demands", 2).code == 0  # fmt: skip
    roads = make_roads(tmp_path / "roads.gpkg")
    dry = run("import", "streets", roads, "--store", store, "--dry-run", "--json").json
    assert dry["written"] == 0
    answer = run("import", "streets", roads, "--store", store, "--json").json
    assert any("demo street" in warning for warning in answer["warnings"])
    with open_store(store) as opened:
        assert set(opened.read("streets")["provenance"]) == {"imported"}


def test_extracts_that_are_none(store, tmp_path):
    pbf = tmp_path / "city.osm.pbf"
    pbf.write_bytes(b"not a pbf")
    before = token(store)
    for layer in ("streets", "amenities"):
        assert_refused(run("import", layer, pbf, "--store", store), "city.osm.pbf")
    assert token(store) == before


def test_extract_of_openstreetmap(store, tmp_path):
    extract = tmp_path / "town.osm"
    extract.write_text(
        """<osm version="0.6">
        <node id="1" lat="-34.65" lon="-56.05"/><node id="2" lat="-34.65" lon="-56.04"/>
        <node id="3" lat="-34.65" lon="-56.045"><tag k="amenity" v="cafe"/></node>
        <way id="7"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way>
        </osm>""",
        "utf-8",
    )
    streets = run("import", "streets", extract, "--store", store, "--json")
    assert (streets.code, streets.json["written"]) == (0, 1), streets.err
    places = run("import", "amenities", extract, "--store", store, "--json")
    assert (places.code, places.json["written"]) == (0, 1), places.err
    zone = run("reach", "-56.045", "-34.65", "--store", store, "--json").json["features"][0]
    assert zone["properties"]["amenities"]["cafe"] == 1


# --- exporting, demo data, copies -------------------------------------------------------------


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "csv", "xlsx", "zip"])
def test_export(city, tmp_path, ending):
    file = tmp_path / f"out.{ending}"
    answer = run("export", "incubators", file, "--store", city, "--json")
    assert (answer.code, answer.json["rows"]) == (0, 20), answer.err
    assert file.is_file()


def test_export_mistakes(city, tmp_path):
    assert_refused(run("export", "incubators", tmp_path / "a.doc", "--store", city), ".gpkg")
    assert_refused(run("export", "moons", tmp_path / "a.csv", "--store", city), "moons")
    assert_refused(run("export", "tenants", tmp_path / "a.csv", "--store", city), "staff")
    assert run("export", "tenants", tmp_path / "a.csv", "--store", city, "--staff").code == 0
    assert_refused(run("export", "incubators", city, "--store", city), "the store itself")


def test_export_of_a_unit(city, tmp_path):
    file = tmp_path / "harbour.csv"
    assert run("export", "incubators", file, "--store", city, "--unit", "Harbour").code == 0
    assert 0 < len(pd.read_csv(file)) < 20


def test_demo_data_come_and_go(store):
    before = run("coverage", "towns", "--store", store, "--json").json
    sizes = [word for name in ("spaces", "amenities", "incubators", "demands")
             for word in (f"--{name}", SIZES[name])]  # fmt: skip
    added = run("demo", "add", "--store", store, *sizes, "--seed", 7, "--json")
    assert added.json["incubators"] == SIZES["incubators"]
    removed = run("demo", "remove", "--store", store, "--json")
    assert removed.json["incubators"] == SIZES["incubators"]
    assert run("coverage", "towns", "--store", store, "--json").json == before
    assert run("demo", "remove", "--store", store).code == 0
    assert_refused(run("demo", "add", "--store", store, "--spaces", "-1"), "spaces")


def test_backup_and_restore(store, write, tmp_path):
    copy = tmp_path / "copy.gpkg"
    assert run("backup", copy, "--store", store).code == 0
    assert_refused(run("backup", copy, "--store", store))
    assert bring(store, "incubators", write(GOOD)).code == 0
    answer = run("restore", copy, "--store", store, "--json")
    assert answer.code == 0
    with open_store(store) as opened:
        assert opened.count("incubators") == 0
    with open_store(answer.json["kept"]) as kept:
        assert kept.count("incubators") == 1


def test_restore_refuses_what_is_no_store(store, tmp_path):
    text = tmp_path / "notes.gpkg"
    text.write_text("no store")
    before = token(store)
    assert_refused(run("restore", text, "--store", store), "notes.gpkg")
    assert_refused(run("restore", tmp_path / "none.gpkg", "--store", store), "none.gpkg")
    assert_refused(run("restore", store, "--store", store), "the store itself")
    assert token(store) == before


# --- stores that cannot be used ---------------------------------------------------------------


def test_no_store(tmp_path, write):
    missing = tmp_path / "none.gpkg"
    for typed in (("coverage", "towns"), ("check",), ("demo", "remove"), ("backup", "x.gpkg")):
        assert_refused(run(*typed, "--store", missing), "hatchmap init")
    assert_refused(bring(missing, "incubators", write(GOOD)), "hatchmap init")
    assert not missing.exists()


def test_corrupt_store(tmp_path):
    bad = tmp_path / "bad.gpkg"
    bad.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4000)
    assert_refused(run("coverage", "towns", "--store", bad), "bad.gpkg")
    bad.write_bytes(b"")
    assert_refused(run("coverage", "towns", "--store", bad), "bad.gpkg")
    assert_refused(run("coverage", "towns", "--store", tmp_path))


def test_locked_store(store, write):
    before = token(store)
    other = sqlite3.connect(store)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert_refused(bring(store, "incubators", write(GOOD)), "by another program")
    finally:
        other.rollback()
        other.close()
    assert token(store) == before


def test_the_part_of_a_unit_comes_out_and_a_wrong_unit_is_refused(store, tmp_path):
    file = tmp_path / "out.csv"
    assert_refused(run("export", "incubators", file, "--unit", "Nowhere", "--store", store), "Nowh")
    assert not file.exists()
    assert (
        run("export", "industrial_towns", file, "--unit", "Northbank", "--store", store).code == 0
    )
    assert file.read_text("utf-8-sig").count("\n") == 3


# --- places in doubt --------------------------------------------------------------------------


def test_the_table_of_towns_tells_what_holds_where_point_and_record_differ(tmp_path):
    path = make_city(tmp_path / "hatchmap.gpkg")
    with open_store(path, write=True) as store:
        frame = store.read("incubators")
        towns = store.read("divisions").query("level == 'town'")
        outlined, away = towns["code"].iloc[0], shapely.Point(0.5, 0.5)
        next_door = frame.within(towns.geometry.iloc[1])
        renamed, moved = frame.loc[next_door, "id"].iloc[0], frame.loc[~next_door, "id"].iloc[0]
        with store.edit("test") as edit:
            running = {"status": "operating", "geom_precision": "building"}
            edit.update("incubators", moved, geometry=away, town_code=outlined, **running)
            edit.update("incubators", renamed, town_code=outlined, **running)
    said = run("coverage", "towns", "--store", path, "--lang", "en").out
    assert "2 incubators stand outside the town that they name: 1 count where they stand" in said
    assert "1 by their record" in said


def test_what_is_known_to_its_town_only_is_marked_and_not_judged(tmp_path):
    path = make_city(tmp_path / "hatchmap.gpkg")
    with open_store(path, write=True) as store:
        keys = store.read("incubators")["id"].tolist()
        with store.edit("test") as edit:
            for key in keys:
                edit.update("incubators", key, geom_precision="town")
    one = run("amenities", keys[0], "--store", path, "--test", "compliance").out
    every = run("amenities", "--store", path, "--test", "compliance").out
    towns = run("coverage", "towns", "--store", path).out
    assert "≈" in one
    assert not {"✓", "✗"} & set(one + every)
    assert "≈" in towns
