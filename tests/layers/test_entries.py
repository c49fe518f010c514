"""Entries by template and by hand: what they would do, said cell by cell, and done exactly so."""

import datetime as dt
import shutil
import zipfile

import openpyxl
import pandas as pd
import pytest
import shapely

from geo.crs import wgs84_to_gcj02
from geo.errors import ConflictError, InputError
from layers.catalog import layers
from layers.entries import plan_entries, write_entries
from layers.imports import import_file
from layers.ingest.headings import match_headings
from layers.query import Query
from layers.records import StaleRecordError, enter_record, plan_record, record_tag, remove_record
from layers.store import open_store
from layers.templates import heading, template_columns, write_template
from layers.undo import undo_batch
from layers.uploads import read_upload
from tests.layers.tiny import make_tiny

PARK = {"name": "甲园", "status": "运营", "area_m2": "1.5万㎡", "lon": "120.65", "lat": "28.05"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A park, and two spaces of it, one with a place of its own."""
    folder = tmp_path_factory.mktemp("filled")
    own = {"incubator": "甲园", "name": "=SUM(1)", "area_m2": 80, "lon": 120.66, "lat": 28.06}
    with make_tiny(folder / "park.gpkg") as made:
        enter_record(made, "incubators", PARK, who="li")
        made.backup(folder / "store.gpkg")
        enter_record(made, "spaces", {"incubator": "甲园", "name": "301", "area_m2": 50}, who="li")
        enter_record(made, "spaces", own, who="li", datum="gcj02")
        made.backup(folder / "spaces.gpkg")
    return folder


@pytest.fixture
def store(filled, tmp_path):
    with open_store(shutil.copy(filled / "store.gpkg", tmp_path), write=True) as opened:
        yield opened


@pytest.fixture
def spaces(filled, tmp_path):
    with open_store(shutil.copy(filled / "spaces.gpkg", tmp_path), write=True) as opened:
        yield opened


def fill(store, path, changes, *, layer="spaces", query=None, datum="wgs84"):
    """Write a template and set cells of it, by row and heading."""
    write_template(store, layer, path, query=query, datum=datum)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    at = {cell.value.removesuffix("(必填)"): cell.column for cell in sheet[1]}
    for (row, name), value in changes.items():
        sheet.cell(row, at[name], value)
    book.save(path)
    return path


def plan(store, path, layer="spaces"):
    upload = read_upload(path, layer)
    return plan_entries(store, layer, upload.raw, datum=upload.datum, name=path.name)


# --- templates --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "datum"), [("spaces", "wgs84"), ("spaces", "bd09"), ("incubators", "gcj02")]
)
def test_a_template_filled_in_and_left_alone_says_nothing_new(spaces, tmp_path, layer, datum):
    path = tmp_path / "t.xlsx"
    filled = write_template(spaces, layer, path, query=Query(), datum=datum)
    assert filled == spaces.count(layer)
    told = plan(spaces, path, layer)
    assert (len(told.unchanged), told.writes, told.faults) == (filled, 0, ())


@pytest.mark.parametrize("layer", [name for name, one in layers().items() if one.desk])
def test_headings_of_every_template_mean_their_columns(layer):
    declared = layers()[layer]
    columns = template_columns(declared)
    match = match_headings(declared, [heading(column) for column in columns])
    assert [meant.column for meant in match.columns.values()] == [c.name for c in columns]
    assert match.notes == []


def test_a_template_explains_itself(spaces, tmp_path):
    path = tmp_path / "t.xlsx"
    write_template(spaces, "spaces", path, datum="gcj02")
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    headings = [cell.value for cell in sheet[1]]
    assert headings[:3] == ["编号", "名称", "所属孵化器(必填)"]
    assert headings[-2:] == ["经度", "纬度"]
    assert "面积(㎡)(必填)" in headings
    assert all(cell.comment is not None for cell in sheet[1])
    assert sheet["A2"].value == "示例（此行不导入）"
    rules = {
        str(rule.sqref).split(":")[0]: rule.formula1
        for rule in sheet.data_validations.dataValidation
    }
    assert len(rules) >= 7
    lists = {
        column[0].value: [c.value for c in column[1:] if c.value] for column in book["选项"].columns
    }
    assert lists["状态"] == ["空置", "预订", "已租"]
    assert lists["所属孵化器"] == ["甲园"]
    assert lists["责任单位"] == ["西区", "东区", "全市"]
    assert {c.name for c in template_columns(layers()["spaces"])}.isdisjoint(
        {"batch", "provenance"}
    )


def test_texts_that_look_like_formulas_stay_texts(spaces, tmp_path):
    path = tmp_path / "t.xlsx"
    write_template(spaces, "spaces", path, query=Query())
    cell = openpyxl.load_workbook(path).worksheets[0]["B4"]
    assert (cell.value, cell.data_type) == ("=SUM(1)", "s")


def test_what_a_template_cannot_be(store, tmp_path):
    with pytest.raises(InputError, match="not entered by form"):
        write_template(store, "streets", tmp_path / "t.xlsx")
    with pytest.raises(InputError, match="no datum"):
        write_template(store, "spaces", tmp_path / "t.xlsx", datum="EPSG:4549")


# --- uploads ----------------------------------------------------------------------------------


def test_new_changed_and_unchanged_rows(spaces, tmp_path):
    changes = {
        (3, "租金(元/㎡/月)"): 35,
        (3, "适合产业"): "阀门",
        (5, "所属孵化器"): "甲园",
        (5, "面积(㎡)"): "0.02万㎡",
        (5, "状态"): "空置",
    }
    told = plan(spaces, fill(spaces, tmp_path / "t.xlsx", changes, query=Query()))
    assert (list(told.new), list(told.changed), told.unchanged) == ([5], [3], (4,))
    assert told.faults == ()
    assert {(c.row, c.name, c.column, str(c.before), str(c.after)) for c in told.cells} == {
        (3, "301", "rent_cny_m2_month", "None", "35.0"),
        (3, "301", "industries", "[]", "['泵阀']"),
    }
    before = spaces.records("spaces")
    number = write_entries(spaces, told, who="wang", note="list of May")
    batch = spaces.batches()[-1]
    assert (batch.number, batch.who, batch.rows) == (number, "wang", 2)
    after = spaces.records("spaces")
    assert after["spaces-2"] == before["spaces-2"]
    assert after["spaces-1"] == before["spaces-1"] | {
        "rent_cny_m2_month": 35.0,
        "industries": ["泵阀"],
    }
    fresh = after["spaces-3"]
    assert (fresh["area_m2"], fresh["provenance"], fresh["source"]) == (200.0, "imported", "t.xlsx")
    assert fresh["geometry"] == shapely.Point(120.65, 28.05)
    undo_batch(spaces, number, who="wang")
    assert spaces.records("spaces") == before


def test_an_emptied_cell_empties_and_an_empty_place_stays(spaces, tmp_path):
    changes = {(4, "名称"): "", (4, "经度"): None, (4, "纬度"): None}
    path = fill(spaces, tmp_path / "t.xlsx", changes, query=Query())
    told = plan(spaces, path)
    assert [(c.column, c.before, c.after) for c in told.cells] == [("name", "=SUM(1)", None)]


def test_a_moved_place_brings_its_own_pair(spaces, tmp_path):
    lon, lat = (float(x) for x in wgs84_to_gcj02(120.67, 28.07))
    changes = {(4, "经度"): lon, (4, "纬度"): lat}
    path = fill(spaces, tmp_path / "t.xlsx", changes, query=Query(), datum="gcj02")
    told = plan(spaces, path)
    assert [c.column for c in told.cells] == ["geometry"]
    write_entries(spaces, told, who="li")
    record = spaces.get("spaces", "spaces-2")
    assert record["geometry"].distance(shapely.Point(120.67, 28.07)) < 1e-9
    assert (record["declared_datum"], record["declared_x"]) == ("gcj02", pytest.approx(lon))


def test_faults_name_row_and_column_and_keep_all_out(spaces, tmp_path):
    tomorrow = dt.datetime.now(tz=dt.UTC).astimezone().date() + dt.timedelta(days=2)
    changes = {
        (3, "面积(㎡)"): "很大",
        (4, "最小分割面积(㎡)"): 500,
        (5, "所属孵化器"): "乙园",
        (5, "面积(㎡)"): 10,
        (6, "所属孵化器"): "甲园",
        (6, "面积(㎡)"): -1,
        (6, "责任单位"): "火星",
        (6, "最近确认日期"): tomorrow,
        (6, "地址"): "长" * 10_000,
        (7, "所属孵化器"): "甲园",
        (7, "面积(㎡)"): 10,
    }
    told = plan(spaces, fill(spaces, tmp_path / "t.xlsx", changes, query=Query()))
    assert {(fault.row, fault.column) for fault in told.faults} >= {
        (3, "area_m2"),
        (4, "min_area_m2"),
        (5, "incubator"),
        (6, "area_m2"),
        (6, "unit"),
        (6, "confirmed_on"),
        (6, "address"),
    }
    assert (told.faulty, list(told.new)) == ((3, 4, 5, 6), [7])
    token = spaces.token()
    with pytest.raises(InputError, match="4 of 5 row"):
        write_entries(spaces, told, who="li")
    assert spaces.token() == token
    write_entries(spaces, told, who="li", skip_faulty=True)
    assert spaces.count("spaces") == 3


def test_a_plan_is_refused_when_the_store_has_changed(spaces, tmp_path):
    path = fill(spaces, tmp_path / "t.xlsx", {(3, "租金(元/㎡/月)"): 35}, query=Query())
    told = plan(spaces, path)
    enter_record(spaces, "spaces", {"rent_cny_m2_month": 40}, key="spaces-1", who="zhou")
    with pytest.raises(ConflictError, match="somebody has changed"):
        write_entries(spaces, told, who="li")
    assert spaces.get("spaces", "spaces-1")["rent_cny_m2_month"] == 40
    again = plan(spaces, path)
    assert [(c.before, c.after) for c in again.cells] == [(40.0, 35.0)]
    write_entries(spaces, again, who="li")
    with pytest.raises(InputError, match="nothing would be written"):
        write_entries(spaces, plan(spaces, path), who="li")


def test_ids_given_twice(spaces, tmp_path):
    changes = {(5, "编号"): "spaces-1", (5, "所属孵化器"): "甲园", (5, "面积(㎡)"): 1}
    told = plan(spaces, fill(spaces, tmp_path / "t.xlsx", changes, query=Query()))
    assert {(fault.row, fault.what) for fault in told.faults} == {
        (3, "is given twice"),
        (5, "is given twice"),
    }


def test_the_command_reads_templates_too(spaces, tmp_path):
    path = fill(spaces, tmp_path / "t.xlsx", {(3, "所属孵化器"): "甲园", (3, "面积(㎡)"): 7})
    report = import_file(spaces, "spaces", path)
    assert (report.rows, report.written) == (1, 1)


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * (70 * 1024 * 1024))


def macros(path, template):
    shutil.copy(template, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")


def formulas(path, template):
    book = openpyxl.load_workbook(template)
    book.worksheets[0]["C3"] = "=1+1"
    book.save(path)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path, _: bomb(path), "unpacks to 70 MB"),
        (lambda path, _: path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"x"), "password"),
        (lambda path, _: path.write_bytes(b"PK\x03\x04 no zip"), "damaged"),
        (lambda path, _: path.write_bytes(b""), "damaged"),
        (macros, "holds macros"),
        (formulas, "row 3: holds a formula without a value"),
    ],
)
def test_harmful_files_are_refused(spaces, tmp_path, make, said):
    template = tmp_path / "template.xlsx"
    write_template(spaces, "spaces", template)
    path = tmp_path / "evil.xlsx"
    make(path, template)
    with pytest.raises(InputError, match=said):
        read_upload(path, "spaces")


def test_the_template_of_another_layer_is_refused(spaces, tmp_path):
    path = tmp_path / "t.xlsx"
    write_template(spaces, "incubators", path, query=Query())
    with pytest.raises(InputError, match="template of 孵化器, not of 可用空间"):
        read_upload(path, "spaces")
    pd.DataFrame({"楼长": ["王"]}).to_csv(tmp_path / "t.csv", index=False)
    upload = read_upload(tmp_path / "t.csv", "spaces")
    with pytest.raises(InputError, match="none of the headings"):
        plan_entries(spaces, "spaces", upload.raw, datum=None)
    with pytest.raises(InputError, match=r"neither \.xlsx nor \.csv"):
        read_upload(tmp_path / "t.exe", "spaces")


# --- one record -------------------------------------------------------------------------------


def test_a_record_by_hand(store):
    lon, lat = (float(x) for x in wgs84_to_gcj02(120.72, 28.05))
    values = PARK | {"name": "乙园", "lon": f"{lon!r}", "lat": f"{lat!r}"}
    key = enter_record(store, "incubators", values, who="li", note="new", datum="gcj02")
    record = store.get("incubators", key)
    assert (record["provenance"], record["area_m2"], record["unit"]) == ("entered", 15000.0, "东区")
    assert (record["declared_datum"], record["declared_x"]) == ("gcj02", lon)
    assert record["geometry"].distance(shapely.Point(120.72, 28.05)) < 1e-9
    enter_record(store, "incubators", {"area_m2": None, "note": "x"}, key=key, who="li")
    assert store.get("incubators", key) == record | {"area_m2": None, "note": "x"}
    remove_record(store, "incubators", key, who="li")
    assert store.count("incubators") == 1


def test_all_faults_at_once(store):
    bad = {
        "name": "",
        "status": "x",
        "area_m2": -5,
        "unit": "火星",
        "as_of": "2999-01-01",
        "note": "x" * 10_000,
        "opened_on": "2026-05-01",
        "closed_on": "2025-05-01",
        "lon": 28,
        "lat": 120,
    }
    found = {fault.column for fault in plan_record(store, "incubators", bad).faults}
    assert found == {
        *("name", "status", "area_m2", "unit", "as_of", "note", "opened_on", "geometry"),
    }
    token = store.token()
    with pytest.raises(InputError):
        enter_record(store, "incubators", bad, who="li")
    assert store.token() == token
    with pytest.raises(InputError, match="batch: cannot be entered"):
        enter_record(store, "incubators", {"batch": 1}, who="li")
    with pytest.raises(InputError, match="is in the store already"):
        enter_record(store, "incubators", PARK | {"id": "incubators-1"}, who="li")


def test_two_people_at_once(store):
    tag = record_tag(store.get("incubators", "incubators-1"))
    enter_record(store, "incubators", {"note": "a"}, key="incubators-1", tag=tag, who="li")
    with pytest.raises(StaleRecordError, match="was changed by li"):
        enter_record(store, "incubators", {"note": "b"}, key="incubators-1", tag=tag, who="zhou")
    with pytest.raises(StaleRecordError):
        remove_record(store, "incubators", "incubators-1", tag=tag, who="zhou")
    assert store.get("incubators", "incubators-1")["note"] == "a"


def test_namesakes_are_no_faults_by_hand(spaces):
    values = {"incubator": "甲园", "name": "301", "area_m2": 50}
    assert enter_record(spaces, "spaces", values, who="li") == "spaces-3"
