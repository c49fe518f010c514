"""Files of every kind: the same records come out, and what is wrong is said in one line."""

import zipfile

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

from geo.errors import InputError
from layers.ingest import limits, sheets, tables
from layers.ingest.tables import read_file

TEXT = '名称,面积(㎡),备注\n甲园,2000,a\n\n乙园,,"多行\n文字"\n'
POINTS = gpd.GeoDataFrame(
    {"名称": ["甲园", "乙园"], "年份": [2020, 2021]},
    geometry=[shapely.Point(120.7, 28.0), shapely.Point(120.71, 28.01)],
    crs=4326,
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_every_encoding(tmp_path, encoding):
    file = tmp_path / "a.csv"
    file.write_text(TEXT, encoding=encoding)
    frame = read_file(file)
    assert list(frame.columns) == ["名称", "面积(㎡)", "备注"]
    assert list(frame.index) == [2, 4]  # the rows a person counts: headings, and an empty one
    assert list(frame["名称"]) == ["甲园", "乙园"]
    assert list(frame["面积(㎡)"]) == ["2000", ""]
    assert any("GB18030" in note for note in frame.attrs["notes"]) == (encoding == "gb18030")


@pytest.mark.parametrize(("ending", "separator"), [(".tsv", "\t"), (".csv", ";"), (".txt", "|")])
def test_other_separators(tmp_path, ending, separator):
    file = tmp_path / f"a{ending}"
    file.write_text(separator.join("ab") + "\n" + separator.join(["1,5", "2"]) + "\n")
    assert read_file(file).to_dict("list") == {"a": ["1,5"], "b": ["2"]}


def test_a_title_above_the_headings_is_passed_over(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("孵化器名单\n名称,面积\n甲园,2000\n")
    frame = read_file(file)
    assert list(frame.columns) == ["名称", "面积"]
    assert list(frame.index) == [3]
    assert frame.attrs["notes"] == ["row 1 was taken as a title"]


def test_notes_between_title_and_headings_are_passed_over(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(
        "孵化器名单,,,\n填报单位：市科技局,,,单位：㎡\n名称,级别,状态,面积\n甲园,,,2000\n"
    )
    frame = read_file(file)
    assert list(frame.columns) == ["名称", "级别", "状态", "面积"]
    assert list(frame.index) == [4]
    assert frame.attrs["notes"] == ["row 1 was taken as a title", "row 2 was taken as a title"]


def test_columns_without_heading_are_passed_over_unless_they_hold_values(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("name,area,,,\na,1,,,\n")
    assert list(read_file(file).columns) == ["name", "area"]
    file.write_text("name,,,area\na,,,1\n")
    assert list(read_file(file).columns) == ["name", "area"]
    file.write_text("name,,,area\na,,2,1\n")
    with pytest.raises(InputError, match="column 3 has values but no heading"):
        read_file(file)


def test_a_table_of_one_column(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("name\na\nb\n")
    assert list(read_file(file)["name"]) == ["a", "b"]


def write_xlsx(file, rows, sheets_more=()):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, more in sheets_more:
        sheet = book.create_sheet(name)
        for row in more:
            sheet.append(row)
    book.save(file)


def test_xlsx_cells_become_text_as_seen(tmp_path):
    file = tmp_path / "a.xlsx"
    day = pd.Timestamp("2025-03-01").to_pydatetime()
    head = ["名称", "代码", "面积", "日期", "是否"]
    rows = [["名单", None, None, None, None], head, ["甲园", 330302006, 1.5, day, True]]
    write_xlsx(file, rows, [("说明", [["x", "y"]])])
    frame = read_file(file)
    assert frame.iloc[0].to_list() == ["甲园", "330302006", "1.5", "2025-03-01", "true"]
    assert list(frame.index) == [3]
    assert "not read: '说明'" in frame.attrs["notes"][1]
    with pytest.raises(InputError, match="no records"):
        read_file(file, sheet="说明")
    with pytest.raises(InputError, match="has no layer or sheet 'x'; it has: Sheet, 说明"):
        read_file(file, sheet="x")


def test_ods(tmp_path):
    file = tmp_path / "a.ods"
    pyogrio.write_dataframe(pd.DataFrame({"名称": ["甲园"], "面积": ["2000"]}), file, driver="ODS")
    assert read_file(file).to_dict("list") == {"名称": ["甲园"], "面积": ["2000"]}


@pytest.mark.parametrize("ending", [".geojson", ".gpkg", ".fgb", ".shp"])
def test_geographic_files(tmp_path, ending):
    file = tmp_path / f"a{ending}"
    pyogrio.write_dataframe(POINTS, file)
    frame = read_file(file)
    assert list(frame.index) == [1, 2]
    assert frame.crs.to_epsg() == 4326
    by_name = frame.set_index("名称").geometry  # FlatGeobuf sorts by place
    assert by_name["甲园"].equals(POINTS.geometry[0])
    assert by_name["乙园"].equals(POINTS.geometry[1])


def test_kml(tmp_path):
    file = tmp_path / "a.kml"
    pyogrio.write_dataframe(POINTS.rename(columns={"名称": "Name"}), file, driver="KML")
    assert list(read_file(file)["Name"]) == ["甲园", "乙园"]


@pytest.mark.parametrize("declared", [True, False])
def test_shapefile_in_gbk_with_and_without_saying_so(tmp_path, declared):
    file = tmp_path / "a.shp"
    pyogrio.write_dataframe(POINTS, file, encoding="GBK")
    if not declared:
        file.with_suffix(".cpg").unlink()
        content = bytearray(file.with_suffix(".dbf").read_bytes())
        content[29] = 0  # the language driver byte
        file.with_suffix(".dbf").write_bytes(content)
    assert list(read_file(file)["名称"]) == ["甲园", "乙园"]


def test_zipped_shapefile_with_a_chinese_name(tmp_path):
    pyogrio.write_dataframe(POINTS, tmp_path / "点.shp", encoding="GBK")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for part in tmp_path.glob("点.*"):
            archive.write(part, f"数据/{part.name}")
    assert list(read_file(tmp_path / "a.zip")["名称"]) == ["甲园", "乙园"]


def test_geojson_in_gbk(tmp_path):
    file = tmp_path / "a.geojson"
    file.write_text(POINTS.to_json(ensure_ascii=False), encoding="gb18030")
    frame = read_file(file)
    assert list(frame["名称"]) == ["甲园", "乙园"]
    assert frame.attrs["notes"] == ["the text was read as GB18030"]


def test_nan_in_geojson_is_kept_and_not_taken_as_missing(tmp_path):
    file = tmp_path / "a.geojson"
    text = POINTS.to_json(ensure_ascii=False).replace("2020", "NaN").replace("2021", "null")
    file.write_text(text, encoding="utf-8")
    frame = read_file(file)
    assert frame["年份"].iloc[0] == "NaN"
    assert pd.isna(frame["年份"].iloc[1])


def test_the_layer_of_that_name_is_preferred(tmp_path):
    file = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(POINTS, file, layer="stations")
    pyogrio.write_dataframe(POINTS.iloc[:1], file, layer="other")
    assert len(read_file(file, layer_name="stations")) == 2
    assert len(read_file(file, sheet="other")) == 1
    with pytest.raises(InputError, match="several layers; say which: stations, other"):
        read_file(file)


def write(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n\n  \n", "holds no records"),
        ("a.csv", "名称,面积\n".encode(), "holds no records"),
        ("a.csv", b"a,b\n1,2,3\n", "row 2: has 3 cells where the headings are 2"),
        ("a.csv", b"a,a\n1,2\n", "heading 'a' stands twice"),
        ("a.csv", b"a,,c\n1,2,3\n", "column 2 has values but no heading"),
        ("a.csv", b'a,b\n"1,2\n', "line 2"),
        ("a.csv", b"\xff\xff\x00\x01", "neither UTF-8 nor GB18030"),
        ("a.xlsx", b"PK not a zip", "damaged"),
        ("a.ods", b"nothing", "damaged"),
        ("a.zip", b"nothing", "damaged"),
        ("a.gpkg", b"SQLite format 3\0 broken", "damaged"),
        ("a.gpkg", b"no database at all", "damaged"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [', "damaged"),
        ("a.geojson", b'{"type":"FeatureCollection","features":[]}', "holds no records"),
        ("a.shp", b"nothing", "damaged"),
        ("a.xls", b"x", r"old Excel format; save it as \.xlsx"),
        ("a.pdf", b"x", "no known kind"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(tmp_path, name, content, said):
    with pytest.raises(InputError, match=said) as error:
        read_file(write(tmp_path / name, content))
    assert "\n" not in str(error.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_file(tmp_path / "none.csv")
    with pytest.raises(InputError, match="no known kind"):
        read_file(tmp_path)


def test_a_file_of_200_mb_is_refused_before_it_is_read(tmp_path):
    file = tmp_path / "a.csv"
    with file.open("wb") as stream:
        stream.truncate(200 * limits.MIB)
    with pytest.raises(InputError, match=r"200 MB and the limit for \.csv is 100 MB; split it"):
        read_file(file)


def test_rows_are_bounded(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("a,b\n" + "1,2\n" * 11)
    with pytest.raises(InputError, match="more than 10 rows"):
        read_file(file, max_rows=10)
    pyogrio.write_dataframe(POINTS, tmp_path / "a.gpkg")
    with pytest.raises(InputError, match="more than 1 features"):
        read_file(tmp_path / "a.gpkg", max_rows=1)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setitem(limits.MAX_BYTES, "zip", 1000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "0" * 2000)
    with pytest.raises(InputError, match="unpacks to"):
        read_file(tmp_path / "a.zip")


def test_no_path_in_a_zip_leads_out_of_it(tmp_path):
    inner = tmp_path / "in"
    inner.mkdir()
    with zipfile.ZipFile(inner / "a.zip", "w") as archive:
        archive.writestr("../../evil.csv", "a,b\n1,2\n")
    assert len(read_file(inner / "a.zip")) == 1
    assert not list(tmp_path.glob("**/evil.csv"))


def test_several_files_in_a_zip_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
        archive.writestr("b.csv", "a,b\n1,2\n")
    with pytest.raises(InputError, match=r"it holds: a\.csv, b\.csv"):
        read_file(tmp_path / "a.zip")


def test_every_reader_is_named():
    assert set(tables._READERS) | {".zip"} == set(tables._KINDS)
    assert sheets.read_text is tables._READERS[".csv"]
