"""Imports into the tiny city: what is written, filled, refused, and how it is said."""

import os

import openpyxl
import pandas as pd
import pytest
import shapely

from geo.crs import wgs84_to_gcj02
from geo.errors import (
    InputError,
    NotFoundError,
    StoreBusyError,
    StoreCorruptError,
    StoreMissingError,
    StoreReadOnlyError,
)
from layers.imports import import_file
from layers.query import Query
from layers.store import open_store
from tests.layers.tiny import make_tiny, place

HEAD = "编号,孵化器名称,县(市、区),经度,纬度,状态,建筑面积(万㎡),主导产业,开业日期,楼长"
GOOD = [
    "a1,甲园,西,120.65,28.05,运营,1.5,阀门、电气,2025年3月1日,王",
    "a2,乙园,,120.72,28.05,在建,,,,",
    "a3,丙园,东区,120.78,28.05,运营,２,泵阀,2024-05,",
]


@pytest.fixture
def store(tmp_path):
    with make_tiny(tmp_path / "tiny.gpkg") as made:
        yield made


def write(folder, rows, head=HEAD, name="list.csv", encoding="utf-8"):
    file = folder / name
    file.write_text("\n".join([head, *rows]) + "\n", encoding=encoding)
    return file


def faults(report):
    return [(fault.row, fault.column, fault.what) for fault in report.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_list_with_chinese_headings(store, tmp_path, encoding):
    file = write(tmp_path, GOOD, encoding=encoding)
    report = import_file(store, "incubators", file, datum="wgs84", who="li", note="list of May")
    assert (report.rows, report.written, report.faults) == (3, 3, [])
    frame = store.read("incubators", Query(order_by="id")).set_index("id")
    assert list(frame["name"]) == ["甲园", "乙园", "丙园"]
    assert list(frame["unit"]) == ["西区", "东区", "东区"]  # by alias, by polygon, as stated
    assert list(frame["town"].fillna("")) == ["", "山镇", "海镇"]
    assert list(frame["town_code"].fillna("")) == ["", "990102101", "990102102"]
    assert list(frame["status"]) == ["operating", "under_construction", "operating"]
    assert frame["area_m2"].fillna(-1).to_list() == [15000.0, -1.0, 20000.0]
    assert list(frame["lead_industries"]) == [["泵阀", "电气"], [], ["泵阀"]]
    assert frame["opened_on"]["a3"] == pd.Timestamp("2024-05-01")
    assert set(frame["provenance"]) == {"imported"}
    assert set(frame["source"]) == {"list.csv"}
    assert frame["as_of"].notna().all()
    assert set(frame["declared_datum"]) == {"wgs84"}
    assert frame.geometry["a1"] == shapely.Point(120.65, 28.05)
    batch = store.batches()[-1]
    assert (batch.number, batch.layer, batch.who, batch.note) == (
        report.batch,
        "incubators",
        "li",
        "list of May",
    )
    assert set(frame["batch"]) == {report.batch}
    assert [change.action for change in store.history("incubators", "a1")] == ["insert"]
    for said in (
        "were not read: 楼长",
        "only the month",
        "not in the city's list",
        "from the unit",
    ):
        assert any(said in warning for warning in report.warnings), said


def test_the_declared_pair_is_kept(store, tmp_path):
    x, y = wgs84_to_gcj02(120.65, 28.05)
    file = write(tmp_path, [f"{x!r},{y!r},甲,运营"], head="lng,lat,名称,状态")
    import_file(store, "incubators", file, datum="高德")
    record = store.read("incubators").iloc[0]
    assert record.geometry.distance(shapely.Point(120.65, 28.05)) < 1e-9
    assert (record["declared_datum"], record["declared_x"], record["declared_y"]) == ("gcj02", x, y)


def test_xlsx(store, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["孵化器名单（2026年）"])
    for row in [HEAD, *GOOD]:
        book.active.append(row.split(","))
    book.save(tmp_path / "list.xlsx")
    report = import_file(store, "incubators", tmp_path / "list.xlsx", datum="wgs84")
    assert report.written == 3
    assert store.get("incubators", "a3")["area_m2"] == 20000.0


BAD = [
    *GOOD,
    "a1,,西区,120.65,28.05,运营,1,,,",
    "a5,戊园,西区,28.05,120.65,运营,1,,,",
    "a6,己园,西区,116.4,39.9,运营,1,,,",
    "a7,庚园,火星,120.65,28.05,运营,NaN,,,",
    "a8,辛园,西区,120.65,,停业,-3,,昨天,",
]


def test_every_fault_is_told_with_its_row_and_nothing_is_written(store, tmp_path):
    before = store.token()
    report = import_file(store, "incubators", write(tmp_path, BAD), datum="wgs84")
    assert report.written == 0
    assert report.batch is None
    assert store.token() == before
    assert faults(report) == [
        (2, "id", "is given twice"),
        (5, "id", "is given twice"),
        (5, "name", "is missing"),
        (6, "geometry", "longitude and latitude look swapped"),
        (7, "geometry", "lies 1,365 km outside the city"),
        (8, "area_m2", "is not a finite number"),
        (8, "unit", "is no unit of the city"),
        (9, "status", "is none of the allowed values"),
        (9, "opened_on", "is not a date that reads one way only"),
        (9, "geometry", "has no latitude (y)"),
        (9, "area_m2", "is below 0"),
    ]
    assert all(fault.fix for fault in report.faults)
    assert report.faults[6].value == "火星"
    assert "西区、东区" in report.faults[6].fix


def test_skip_bad_writes_the_others(store, tmp_path):
    report = import_file(store, "incubators", write(tmp_path, BAD), datum="wgs84", skip_bad=True)
    assert report.written == 2
    assert set(store.read("incubators")["id"]) == {"a2", "a3"}


def test_a_dry_run_writes_nothing(store, tmp_path):
    before = store.token()
    report = import_file(store, "incubators", write(tmp_path, GOOD), datum="wgs84", dry_run=True)
    assert (report.rows, report.written, report.dry_run) == (3, 0, True)
    assert store.token() == before


def test_a_second_import_meets_the_first(store, tmp_path):
    file = write(tmp_path, GOOD)
    import_file(store, "incubators", file, datum="wgs84")
    again = import_file(store, "incubators", file, datum="wgs84")
    assert faults(again) == [(row, "id", "is in the store already") for row in (2, 3, 4)]
    short = write(tmp_path, ["a1,120.66,28.05,甲园二期,运营"], head="编号,经度,纬度,名称,状态")
    changed = import_file(store, "incubators", short, datum="wgs84", replace=True)
    assert (changed.written, changed.faults) == (1, [])
    record = store.get("incubators", "a1")
    assert record["name"] == "甲园二期"
    assert record["geometry"] == shapely.Point(120.66, 28.05)
    assert record["area_m2"] == 15000.0  # the file says nothing of it
    assert [change.action for change in store.history("incubators", "a1")] == ["insert", "update"]


def test_a_file_without_ids_is_not_doubled(store, tmp_path):
    nameless = HEAD.partition(",")[2]
    file = write(tmp_path, [row.partition(",")[2] for row in GOOD], head=nameless)
    first = import_file(store, "incubators", file, datum="wgs84")
    again = import_file(store, "incubators", file, datum="wgs84")
    assert (first.written, again.written) == (3, 0)
    assert [(row, column) for row, column, _ in faults(again)] == [
        (row, "name") for row in (2, 3, 4)
    ]
    assert "imported from a file of this name before" in again.faults[0].what
    rows = [row.partition(",")[2].replace("1.5", "3") for row in GOOD]
    write(tmp_path, [*rows, "丁园,东区,120.79,28.06,运营,1,,,"], head=nameless)
    changed = import_file(store, "incubators", file, datum="wgs84", replace=True)
    assert changed.written == 4
    frame = store.read("incubators").set_index("name")
    assert sorted(frame.index) == sorted(["甲园", "乙园", "丙园", "丁园"])
    assert frame.loc["甲园", "area_m2"] == 30_000


def test_markup_stays_text_and_demo_stays_demo(store, tmp_path):
    name = '<script>alert("x")</script> & <b>'
    file = tmp_path / "a.csv"
    frame = pd.DataFrame(
        {"名称": [name], "经度": [120.65], "纬度": [28.05], "状态": ["运营"], "数据性质": ["demo"]}
    )
    frame.to_csv(file, index=False)
    report = import_file(store, "incubators", file, datum="wgs84")
    record = store.read("incubators").iloc[0]
    assert record["name"] == name
    assert record["provenance"] == "demo"
    assert any("demo data, and stay so" in warning for warning in report.warnings)


def test_negative_rent(store, tmp_path):
    import_file(store, "incubators", write(tmp_path, GOOD), datum="wgs84")
    rows = ["a1,100,-5,120.65,28.05", "a1,100,30元/㎡/月,120.65,28.05"]
    file = write(tmp_path, rows, head="所属孵化器,面积,租金,经度,纬度", name="spaces.csv")
    report = import_file(store, "spaces", file, datum="wgs84")
    assert faults(report) == [(2, "rent_cny_m2_month", "is below 0")]
    assert import_file(store, "spaces", file, datum="wgs84", skip_bad=True).written == 1


def test_tables_need_no_datum(store, tmp_path):
    head = "责任单位,年度,指标,完成值,截至日期"
    file = write(tmp_path, ["全市,2026,jobs,5,2026-06-30", "西,2026,jobs,2,2026-06-30"], head=head)
    assert import_file(store, "progress", file).written == 2
    assert set(store.read("progress")["unit"]) == {"全市", "西区"}


def test_words_of_the_rules_become_their_keys(store, tmp_path):
    head = "名称,类别,经度,纬度"
    file = write(tmp_path, ["甲,咖啡馆,120.65,28.05", "乙,酒吧,120.65,28.05"], head=head)
    report = import_file(store, "amenities", file, datum="wgs84", skip_bad=True)
    assert faults(report) == [(3, "category", "is no category")]
    assert store.read("amenities")["category"].to_list() == ["cafe"]
    head = "责任单位,年度,指标,完成值,截至日期"
    rows = ["全市,2026,新增就业,5,2026-06-30", "东,2026,幸福指数,5,2026-06-30"]
    report = import_file(store, "progress", write(tmp_path, rows, head=head))
    assert set(store.read("progress")["indicator"]) == {"jobs", "幸福指数"}
    assert any("幸福指数" in warning for warning in report.warnings)


def test_spaces_are_placed_by_their_incubator(store, tmp_path):
    import_file(store, "incubators", write(tmp_path, GOOD), datum="wgs84")
    file = write(tmp_path, ["甲园,100", "a3,50", "无名园,20"], head="所属孵化器,面积")
    report = import_file(store, "spaces", file, skip_bad=True)
    assert faults(report) == [
        (4, "incubator", "is no id or unambiguous name of an incubator"),
        (4, "geometry", "is missing"),
    ]
    frame = store.read("spaces").set_index("incubator")
    assert frame.geometry["a1"] == shapely.Point(120.65, 28.05)
    assert frame["unit"].to_dict() == {"a1": "西区", "a3": "东区"}
    assert any("2 place(s) taken from the incubator" in told for told in report.warnings)


def test_a_town_list_gets_its_codes(store, tmp_path):
    file = write(
        tmp_path, ["山镇,东区,official", "云镇,东区,官方名单"], head="乡镇,县市区,名单性质"
    )
    report = import_file(store, "industrial_towns", file, skip_bad=True)
    assert faults(report) == [(3, "code", "is missing")]
    assert store.read("industrial_towns")["code"].to_list() == ["990102101"]


def test_divisions_get_level_parent_and_code(store, tmp_path):
    file = tmp_path / "towns.csv"
    square = "POLYGON((120.6 28,120.65 28,120.65 28.1,120.6 28.1,120.6 28))"
    file.write_text(
        "id,name,street_code,county_code,wkt\n"
        f'7,河镇,990101101,990101,"{square}"\n8,湖镇,,990101,"{square}"\n'
    )
    report = import_file(store, "divisions", file, datum="wgs84", columns={"code": "street_code"})
    assert report.faults == []
    frame = store.read("divisions", Query(ids=["7", "8"])).set_index("id")
    assert list(frame["code"]) == ["990101101", "990101-8"]
    assert list(frame["level"]) == ["town", "town"]
    assert list(frame["parent_code"]) == ["990101", "990101"]
    assert any("湖镇 990101-8" in warning for warning in report.warnings)
    assert not any("demo add" in warning for warning in report.warnings)
    again = file.read_text().replace("7,", "9,", 1)
    file.write_text(again)
    report = import_file(store, "divisions", file, datum="wgs84", columns={"code": "street_code"})
    assert (2, "code", "is in the store already (record 7)") in faults(report)


def test_new_outlines_tell_that_demo_records_were_placed_by_the_former(store, tmp_path):
    demo = pd.DataFrame({"id": ["d"], "name": ["d"], "status": ["planned"], "provenance": ["demo"]})
    with store.edit("t") as edit:
        edit.insert("incubators", place(demo, [shapely.Point(120.65, 28.05)]))
    file = tmp_path / "towns.csv"
    square = "POLYGON((120.6 28,120.65 28,120.65 28.1,120.6 28.1,120.6 28))"
    file.write_text(f'id,name,code,wkt\n7,河镇,990101101,"{square}"\n')
    report = import_file(store, "divisions", file, datum="wgs84")
    assert any("hatchmap demo add" in warning for warning in report.warnings)


def test_a_shifted_file_is_caught_by_the_vote(store, tmp_path):
    # Along both sides of the border between the units, 200 m from it.
    steps = [(120.7 + side * 0.002, 28.01 + 0.01 * i) for side in (-1, 1) for i in range(8)]
    rows = [
        "{!r},{!r},{},s{}".format(*wgs84_to_gcj02(x, y), "西区" if x < 120.7 else "东区", i)
        for i, (x, y) in enumerate(steps)
    ]
    file = write(tmp_path, rows, head="lon,lat,责任单位,站名", name="s.csv")
    report = import_file(store, "stations", file, datum="wgs84", dry_run=True)
    assert report.datum_votes[0].datum == "gcj02"
    assert report.datum_votes[0].in_unit_share == 1.0
    assert any("fit gcj02 better: gcj02 100% in the unit" in told for told in report.warnings)
    right = import_file(store, "stations", file, datum="gcj02")
    assert not any("fit" in warning for warning in right.warnings)
    assert right.written == 16


@pytest.mark.parametrize(
    ("layer", "head", "rows", "datum", "said"),
    [
        ("incubators", HEAD, GOOD, "mars", "datum 'mars' is not known"),
        ("incubators", HEAD, GOOD, None, "the datum of the coordinates is not said"),
        (
            "incubators",
            "名称,状态",
            ["甲,运营"],
            "wgs84",
            "need a place and the headings name none",
        ),
        ("incubators", "foo,bar", ["1,2"], "wgs84", "none of the headings means a column"),
        ("incubators", HEAD, [], "wgs84", "holds no records"),
    ],
)
def test_what_is_wrong_as_a_whole_is_one_line(store, tmp_path, layer, head, rows, datum, said):
    before = store.token()
    with pytest.raises(InputError, match=said) as error:
        import_file(store, layer, write(tmp_path, rows, head=head), datum=datum)
    assert "\n" not in str(error.value)
    assert store.token() == before


def test_wrong_layer_and_missing_file(store, tmp_path):
    with pytest.raises(NotFoundError, match="did you mean 'incubators'"):
        import_file(store, "incubator", write(tmp_path, GOOD), datum="wgs84")
    with pytest.raises(InputError, match="there is no file"):
        import_file(store, "incubators", tmp_path / "none.csv", datum="wgs84")


def test_stores_that_cannot_be_written(tmp_path):
    path = tmp_path / "tiny.gpkg"
    file = write(tmp_path, GOOD)
    with make_tiny(path) as store:
        before = store.token()
        with store.edit("other") as edit:
            edit.set_meta("x", 1)
            with open_store(path, write=True) as second, pytest.raises(StoreBusyError):
                import_file(second, "incubators", file, datum="wgs84")
        assert store.count("incubators") == 0
        assert store.token() != before
    with open_store(path) as store, pytest.raises(StoreReadOnlyError):
        import_file(store, "incubators", file, datum="wgs84")
    with pytest.raises(StoreMissingError):
        open_store(tmp_path / "none.gpkg")
    (tmp_path / "bad.gpkg").write_bytes(os.urandom(5000))
    with pytest.raises(StoreCorruptError):
        open_store(tmp_path / "bad.gpkg", write=True)


def test_a_failure_while_writing_leaves_the_old_state(store, tmp_path, monkeypatch):
    file = write(tmp_path, GOOD)
    import_file(store, "incubators", file, datum="wgs84")
    before = store.token()

    def fail(share, stage):
        if stage == "writing":
            raise KeyboardInterrupt

    more = write(tmp_path, ["b1,新园,西区,120.65,28.05,运营,1,,,"], name="more.csv")
    with pytest.raises(KeyboardInterrupt):
        import_file(store, "incubators", more, datum="wgs84", progress=fail)
    assert store.token() == before


def test_the_report_as_json(store, tmp_path):
    report = import_file(store, "incubators", write(tmp_path, BAD), datum="wgs84").to_json()
    assert report["faults"][1] == {
        "row": 5,
        "column": "id",
        "what": "is given twice",
        "value": "a1",
        "fix": "keep one record of each",
    }
    assert report["datum_votes"] is None or report["datum_votes"][0]["datum"]
