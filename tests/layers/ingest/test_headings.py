"""Headings: what each means, in two languages and any width, and what the user says."""

from dataclasses import replace

import pytest

from geo.errors import InputError
from layers.catalog import layer, layers
from layers.ingest.headings import PLACE_HEADINGS, SETTLED, match_headings

INCUBATORS = layer("incubators")


def columns(headings, **options):
    match = match_headings(options.pop("layer", INCUBATORS), headings, **options)
    return {heading: meaning.column for heading, meaning in match.columns.items()}


@pytest.mark.parametrize("name", layers())
@pytest.mark.parametrize("words", ["name", "zh", "en"])
def test_every_column_is_known_by_each_of_its_names(name, words):
    asked = [column for column in layer(name).columns if column.name not in SETTLED]
    headings = [getattr(column, words) for column in asked]
    if len(set(headings)) == len(headings):
        assert columns(headings, layer=layer(name)) == {
            heading: column.name for heading, column in zip(headings, asked, strict=True)
        }


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("　孵化器 名称 ", "name"),
        ("名称（必填）", "name"),
        ("NAME", "name"),
        ("总面积（㎡）", "area_m2"),
        ("总面积(平方米)", "area_m2"),
        ("Total area (m2)", "area_m2"),
        ("县（市、区）", "unit"),
        ("所在镇街", "town"),
        ("联系电话", "contact"),
    ],
)
def test_width_space_and_brackets_do_not_matter(heading, column):
    assert columns([heading, "x1"]) == {heading: column}


@pytest.mark.parametrize(
    ("heading", "factor"),
    [("建筑面积(万㎡)", 1e4), ("建筑面积（亩）", 2000 / 3), ("总面积/公顷", 1e4), ("面积", 1.0)],
)
def test_the_unit_of_a_heading_is_read(heading, factor):
    assert match_headings(INCUBATORS, [heading]).columns[heading].factor == pytest.approx(factor)


def test_a_unit_that_does_not_fit_is_refused():
    with pytest.raises(
        InputError, match="states the unit '平方英尺', which area_m2 cannot be read in"
    ):
        match_headings(INCUBATORS, ["总面积(平方英尺)"])


def test_a_heading_of_two_meanings_takes_the_one_that_is_free_and_is_told():
    total, part = (INCUBATORS.column(name) for name in ("area_m2", "incubation_area_m2"))
    both = replace(
        INCUBATORS,
        columns=(replace(total, aliases=("总面积", "净面积")), replace(part, aliases=("净面积",))),
    )
    found = match_headings(both, ["总面积", "净面积"]).columns
    assert [found[name].column for name in ("总面积", "净面积")] == [total.name, part.name]
    match = match_headings(both, ["净面积"])
    assert match.columns["净面积"].column == "area_m2"
    assert "it may also mean incubation_area_m2" in match.notes[0]


def test_two_headings_of_one_meaning_are_refused():
    with pytest.raises(InputError, match="'面积' and '总面积' both mean area_m2"):
        match_headings(INCUBATORS, ["面积", "总面积"])
    assert columns(["面积", "总面积"], columns={"总面积": "area_m2"}) == {"总面积": "area_m2"}


@pytest.mark.parametrize(
    "said", [{"code": "street_code"}, {"street_code": "code"}, {"区划代码": "street_code"}]
)
def test_the_user_may_say_it_either_way_round(said):
    match = match_headings(layer("divisions"), ["name", "street_code"], columns=said)
    assert match.columns["street_code"].column == "code"
    assert match.ignored == ()


def test_what_the_user_says_wrongly_is_refused():
    for said, why in (
        ({"code": "nix"}, "has neither heading|has no column"),
        ({"name": "nix"}, "has no column 'nix'"),
        ({"foo": "bar"}, "the file has neither heading; it has: name"),
        ({"name": "batch"}, "the import itself fills batch"),
    ):
        with pytest.raises(InputError, match=why):
            match_headings(layer("divisions"), ["name"], columns=said)
    with pytest.raises(InputError, match="mapped twice"):
        match_headings(layer("divisions"), ["a", "b"], columns={"a": "code", "b": "code"})


@pytest.mark.parametrize(
    ("headings", "place"),
    [
        (["经度", "纬度"], {"lon": "经度", "lat": "纬度"}),
        (["LNG", "LAT"], {"lon": "LNG", "lat": "LAT"}),
        (["x", "y"], {"lon": "x", "lat": "y"}),
        (["经纬度"], {"lonlat": "经纬度"}),
        (["坐标"], {"lonlat": "坐标"}),
        (["WKT"], {"wkt": "WKT"}),
        (["lat_gcj", "lon_gcj", "lon", "lat"], {"lon": "lon", "lat": "lat"}),
        (["经度"], {}),
    ],
)
def test_headings_of_the_place(headings, place):
    assert match_headings(INCUBATORS, ["名称", *headings]).place == place


def test_the_user_names_the_place():
    match = match_headings(
        layer("stations"),
        ["name", "lon", "lat", "lon_gcj", "lat_gcj"],
        columns={"lon": "lon_gcj", "lat_gcj": "lat"},
    )
    assert match.place == {"lon": "lon_gcj", "lat": "lat_gcj"}
    assert match.ignored == ("lon", "lat")


def test_each_heading_is_accounted_for():
    headings = ["名称", "经度", "纬度", "楼长", "batch", "declared_x"]
    match = match_headings(INCUBATORS, headings)
    assert {*match.columns, *match.place.values(), *match.ignored} == set(headings)
    assert match.ignored == ("楼长", "batch", "declared_x")
    assert PLACE_HEADINGS.keys().isdisjoint(column.name for column in INCUBATORS.columns)
