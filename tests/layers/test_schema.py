"""Frames are brought to one form, and every fault in them is found."""

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError, NotFoundError
from layers.casting import list_series
from layers.catalog import layers
from layers.schema import conform, empty, find_faults
from tests.contract.worlds import make_incubators, make_spaces

DTYPES = {
    "text": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "date": "datetime64[s]",
    "list": "object",
    "json": "object",
}


@pytest.mark.parametrize("name", layers())
def test_every_layer_has_one_form(name):
    layer, frame = layers()[name], empty(name)
    names = [column.name for column in layer.columns]
    assert list(frame) == ["id", *names[1:], *(["geometry"] if layer.spatial else [])]
    assert {column.name: str(frame[column.name].dtype) for column in layer.columns} == {
        column.name: DTYPES[column.kind] for column in layer.columns
    }
    assert isinstance(frame, gpd.GeoDataFrame) == layer.spatial
    if layer.spatial:
        assert frame.crs == "EPSG:4490"
    assert find_faults(name, frame) == []


def test_conforming_changes_neither_the_frame_given_nor_a_conformed_one():
    frame = make_spaces(40).set_index(pd.Index(range(100, 140)))
    kept = frame.copy(deep=True)
    conformed = conform("spaces", frame)
    pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(kept))
    pd.testing.assert_frame_equal(
        pd.DataFrame(conform("spaces", conformed)), pd.DataFrame(conformed)
    )
    assert conformed.index.equals(pd.RangeIndex(40))


@pytest.mark.parametrize(
    ("column", "given", "stored"),
    [
        ("name", "  孵化器  ", "孵化器"),
        ("name", 330302.0, "330302"),
        ("town_code", 330302001, "330302001"),
        ("status", "运营", "operating"),
        ("status", "Operating", "operating"),
        ("area_m2", "1,250.5", 1250.5),
        ("area_m2", " 20000 ", 20000.0),
        ("tenants", "12", 12),
        ("tenants", 12.0, 12),
        ("chain_leader_built", "是", True),
        ("chain_leader_built", 0, False),
        ("opened_on", "2026/5/1", "2026-05-01"),
        ("opened_on", "2026年5月1日", "2026-05-01"),
        ("opened_on", "20260501", "2026-05-01"),
        ("opened_on", dt.datetime(2026, 5, 1, 13, tzinfo=dt.UTC), "2026-05-01"),
        ("services", "检测、 中试；", ["检测", "中试"]),
        ("services", '["a", "b"]', ["a", "b"]),
        ("services", ("a", None, " "), ["a"]),
        ("stages", "孵化,苗圃", ["incubation", "nursery"]),
    ],
)
def test_values_are_read_as_people_write_them(column, given, stored):
    frame = make_incubators("A").assign(**{column: pd.Series([given], dtype=object)})
    value = conform("incubators", frame)[column].iloc[0]
    assert (value.strftime("%Y-%m-%d") if isinstance(value, pd.Timestamp) else value) == stored
    assert find_faults("incubators", frame) == []


@pytest.mark.parametrize("blank", ["", "  ", None, np.nan, pd.NA, pd.NaT])
@pytest.mark.parametrize(
    "column", ["note", "area_m2", "tenants", "professional_operator", "brand_on", "services"]
)
def test_blank_is_missing(column, blank):
    frame = make_incubators("A").assign(**{column: pd.Series([blank], dtype=object)})
    value = conform("incubators", frame)[column].iloc[0]
    assert value == [] if column == "services" else pd.isna(value)


@pytest.mark.parametrize(
    ("column", "given", "what"),
    [
        ("name", None, "is missing"),
        ("name", "a\0b", "is not a text that can be stored"),
        ("name", "\ud800", "is not a text that can be stored"),
        ("name", ["a"], "is not a text that can be stored"),
        ("status", "asleep", "is not one of the choices"),
        ("area_m2", "nan", "is not a number"),
        ("area_m2", "inf", "is not a number"),
        ("area_m2", float("inf"), "is not finite"),
        ("area_m2", "20000㎡", "is not a number"),
        ("area_m2", True, "is not a number"),
        ("area_m2", -0.5, "is below 0"),
        ("area_m2", 3e7, "is above 20000000"),
        ("lead_tenant_share", 1.2, "is above 1"),
        ("tenants", 1.5, "is not a whole number"),
        ("tenants", 2**70, "is not a whole number"),
        ("tenants", -1, "is below 0"),
        ("professional_operator", "maybe", "is neither yes nor no"),
        ("opened_on", "2026-02-30", "is not a date"),
        ("opened_on", "soon", "is not a date"),
        ("opened_on", 46000.5, "is not a date"),
        ("services", 5, "is not a list of texts"),
        ("services", "[1, 2", "is not a list of texts"),
        ("stages", ["incubation", "sleep"], "holds what is no choice"),
        ("geometry", None, "is missing"),
        ("geometry", "POINT (120 28)", "is not a geometry"),
        ("geometry", shapely.Point(), "is empty"),
        ("geometry", shapely.Point(120, np.inf), "is not in degrees of longitude and latitude"),
        ("geometry", shapely.Point(13e6, 3e6), "is not in degrees of longitude and latitude"),
        ("geometry", shapely.box(120, 27, 121, 28), "is not a Point"),
    ],
)
def test_each_fault_is_found_where_it_is(column, given, what):
    good = pd.DataFrame(make_incubators("A", "B", "C"))
    if column not in good:
        good[column] = pd.Series([None] * 3, dtype=object)
    frame = good.astype({column: object})
    frame[column] = list_series([*frame[column].iloc[:1], given, *frame[column].iloc[2:]])
    faults = find_faults("incubators", frame)
    assert [(fault.row, fault.column, fault.what) for fault in faults] == [(1, column, what)]
    assert faults[0].fix


def test_swapped_longitude_and_latitude_are_recognised():
    frame = make_incubators("A")
    frame["geometry"] = [shapely.Point(28, 120)]
    (fault,) = find_faults("incubators", frame)
    assert fault.fix == "longitude and latitude look swapped: longitude comes first"


def test_an_invalid_polygon_says_what_is_wrong_with_it():
    bow = shapely.Polygon([(120, 27), (121, 28), (121, 27), (120, 28)])
    frame = gpd.GeoDataFrame({"code": ["1"], "name": ["A"]}, geometry=[bow], crs="EPSG:4490")
    (fault,) = find_faults("divisions", frame)
    assert fault.what == "is not a valid geometry"
    assert "Self-intersection" in fault.fix


def test_unique_values_are_given_once():
    frame = make_incubators("A", "B", "C", "D").assign(id=["x", None, "x", None])
    faults = find_faults("incubators", frame)
    assert [(fault.row, fault.column, fault.value) for fault in faults] == [
        (0, "id", "x"),
        (2, "id", "x"),
    ]


def test_any_text_is_allowed_as_text():
    odd = ["<script>alert(1)</script>", "Robert'); DROP TABLE spaces;--", "空间 😀\n2"]
    frame = make_incubators(*odd)
    assert find_faults("incubators", frame) == []
    assert conform("incubators", frame)["name"].tolist() == odd


def test_heights_are_left_out():
    frame = make_incubators("A")
    frame["geometry"] = [shapely.Point(120, 28, 5)]
    assert not conform("incubators", frame).geometry.has_z.any()


def test_a_frame_that_is_not_of_the_layer_is_refused_whole():
    with pytest.raises(NotFoundError, match="did you mean"):
        conform("incubator", make_incubators("A"))
    with pytest.raises(InputError, match="no such column"):
        conform("incubators", make_incubators("A").assign(colour="red"))
    with pytest.raises(InputError, match="no such column"):
        conform("progress", make_incubators("A"))
    with pytest.raises(InputError, match="EPSG:4549"):
        conform("incubators", make_incubators("A").to_crs(4549))
    twice = make_incubators("A")
    twice = pd.concat([twice, twice[["name"]]], axis=1)
    with pytest.raises(InputError, match="stands there twice"):
        conform("incubators", twice)


def test_what_cannot_be_cast_is_said_all_at_once():
    frame = make_incubators("A", "B").astype({"area_m2": object})
    frame["area_m2"] = ["big", "vast"]
    with pytest.raises(InputError, match=r"row 1, area_m2: is not a number.*and 1 more") as caught:
        conform("incubators", frame)
    assert [fault.value for fault in caught.value.faults] == ["big", "vast"]


def test_another_name_or_none_of_the_geometry_is_understood():
    frame = make_incubators("A").rename_geometry("geom")
    assert conform("incubators", frame).geometry.iloc[0] == shapely.Point(120, 28)
    plain = pd.DataFrame(make_incubators("A")).drop(columns="geometry")
    assert conform("incubators", plain).geometry.isna().all()
    wgs84 = make_incubators("A").to_crs(4326)
    assert conform("incubators", wgs84).crs == "EPSG:4490"


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(),
    st.lists(st.text(max_size=3), max_size=3), st.dictionaries(st.text(max_size=2), st.integers()),
    st.sampled_from(["2026-01-01", "12", "1,000", "是", '{"a": 1}', "[]", "{", "rd", "研发"]),
)  # fmt: skip


@settings(max_examples=60)
@given(
    st.fixed_dictionaries(
        dict.fromkeys(
            ("name", "area_m2", "kind", "water", "min_term_months", "available_from", "services"),
            anything,
        )
        | {"stages": anything}
    )
)
def test_no_value_whatever_breaks_the_checks(values):
    frame = pd.DataFrame({name: pd.Series([value], dtype=object) for name, value in values.items()})
    frame["incubator"] = "i"
    faults = find_faults("spaces", frame)
    assert ("geometry", "is missing") in {(fault.column, fault.what) for fault in faults}
    sound = frame.drop(columns={fault.column for fault in faults} & set(frame))
    sound["area_m2"], sound["geometry"] = 10.0, shapely.Point(120, 28)
    assert find_faults("spaces", sound) == []
    conformed = conform("spaces", sound)
    pd.testing.assert_frame_equal(
        pd.DataFrame(conform("spaces", conformed)), pd.DataFrame(conformed)
    )
