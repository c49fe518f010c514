"""Demo data: marked, in place, repeatable, for any city."""

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.errors import InputError
from layers.boundaries import refresh_units
from layers.demo import add_demo, make_demo, remove_demo
from layers.demo_world import allot
from layers.pack import install_pack, load_pack
from layers.schema import find_faults
from layers.store import create_store

TINYTOWN = Path(__file__).parent.parent / "cities" / "tinytown"
DAY = date(2026, 11, 24)
SMALL = {"incubators": 30, "spaces": 200, "amenities": 600, "demands": 40, "population": 80}


def install(path, city):
    store = create_store(path)
    install_pack(store, load_pack(city))
    refresh_units(store)
    return store


@pytest.fixture(scope="module")
def wenzhou(tmp_path_factory):
    with install(tmp_path_factory.mktemp("wenzhou") / "s.gpkg", "wenzhou") as store:
        yield store


@pytest.fixture(scope="module")
def demo(wenzhou):
    return make_demo(wenzhou, as_of=DAY)


@pytest.fixture
def tinytown(tmp_path):
    with install(tmp_path / "s.gpkg", TINYTOWN) as store:
        yield store


@given(
    total=st.integers(0, 500),
    weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=20),
    least=st.integers(0, 3),
)
@settings(max_examples=60)
def test_allotting_gives_out_exactly_the_total(total, weights, least):
    counts = allot(total, weights, at_least=least)
    assert counts.sum() == total
    assert (counts >= 0).all()
    if total >= least * len(weights):
        assert (counts >= least).all()


def test_numbers_are_as_asked(demo):
    sizes = {layer: len(frame) for layer, frame in demo.items()}
    assert sizes["incubators"] == 245
    assert sizes["spaces"] == 6000
    assert sizes["amenities"] == 20_000
    assert sizes["demands"] == 800
    assert sizes["sites"] == 60
    assert sizes["population"] == 2000
    assert 1000 < sizes["streets"] <= 60_000


def test_every_record_is_marked_and_without_fault(demo):
    for layer, frame in demo.items():
        assert find_faults(layer, frame) == []
        assert frame["provenance"].eq("demo").all()
        assert frame["source"].eq("示例数据").all()
        assert frame["id"].str.startswith("demo-").all()
        assert frame["id"].is_unique


def test_names_are_plainly_fictional(demo):
    for layer in ("incubators", "spaces", "amenities", "projects", "sites"):
        assert demo[layer]["name"].str.startswith("示例").all()
    assert demo["demands"]["contact_phone"].isna().all()


def test_every_point_lies_in_the_unit_that_it_names(wenzhou, demo):
    shapes = wenzhou.read("reporting_units").set_index("name").geometry
    for layer in (
        "incubators",
        "spaces",
        "amenities",
        "projects",
        "sites",
        "population",
        "demands",
    ):
        frame = demo[layer]
        placed = frame[frame.geometry.notna()]
        assert len(placed) > 0
        for unit, points in placed.groupby("unit"):
            assert shapely.covers(shapes[unit], points.geometry.to_numpy()).all(), (layer, unit)


def test_more_where_the_plan_asks_for_more(demo):
    counts = demo["incubators"].groupby("unit").size()
    assert counts["鹿城区"] >= counts["瑞安市"] > counts["永嘉县"] > counts["洞头区"]


def test_towns_come_in_every_state(wenzhou, demo):
    incubators = demo["incubators"]
    towns = wenzhou.read("industrial_towns")
    inside = incubators[incubators["town_code"].notna()]
    planned = inside["status"].isin(["planned", "under_construction"]).groupby(inside["town_code"])
    largest = inside["area_m2"].groupby(inside["town_code"]).max()
    assert set(inside["town_code"]) < set(towns["code"])
    assert planned.all().any()
    assert (largest < 20_000).any()
    assert (largest >= 20_000).any()


def test_incubators_add_up(demo):
    frame = demo["incubators"]
    assert (
        frame["occupied_area_m2"] + frame["vacant_area_m2"] == frame["incubation_area_m2"]
    ).all()
    total = frame["incubation_area_m2"] + frame["public_area_m2"]
    assert (total <= frame["area_m2"] + 2).all()
    assert (frame["ready_area_m2"] <= frame["vacant_area_m2"]).all()
    assert frame["lead_industries"].str.len().between(1, 2).all()
    assert (frame["local_graduates"] <= frame["graduates"]).all()


def test_dates_are_in_order_and_fit_the_state(demo):
    frame = demo["incubators"]
    for first, then in (
        ("started_on", "completed_on"),
        ("completed_on", "opened_on"),
        ("opened_on", "closed_on"),
    ):
        both = frame[frame[first].notna() & frame[then].notna()]
        assert (both[first] < both[then]).all()
    assert (frame["opened_on"].dropna() <= pd.Timestamp(DAY)).all()
    assert (frame["closed_on"].dropna() <= pd.Timestamp(DAY)).all()
    open_ = frame["status"].isin(["operating", "rectifying", "withdrawn"])
    assert (frame["opened_on"].notna() == open_).all()
    assert (frame["closed_on"].notna() == (frame["status"] == "withdrawn")).all()


def test_spaces_fit_into_their_incubator(demo):
    area = demo["spaces"].groupby("incubator")["area_m2"].sum()
    room = demo["incubators"].set_index("id")["incubation_area_m2"]
    assert (area <= room.loc[area.index]).all()
    assert demo["spaces"]["rent_cny_m2_month"].between(4, 150).all()


def test_every_unit_has_one_of_the_twenty_each_year_so_far(demo):
    chosen = demo["incubators"].dropna(subset="twenty_batch")
    assert set(chosen["twenty_batch"]) == {2025, 2026}
    assert set(chosen["status"]) <= {"operating", "rectifying"}


def test_amenities_have_every_category_and_culture(demo):
    frame = demo["amenities"]
    assert frame["category"].nunique() == 12
    assert {"venue", "space"} <= set(frame["cultural_kind"].dropna())


def test_progress_never_replaces_a_real_report(wenzhou):
    real = wenzhou.read("progress")
    keys = ["unit", "year", "indicator"]
    in_2025 = make_demo(wenzhou, as_of=date(2025, 7, 10), **SMALL)["progress"]
    assert (in_2025["year"] == 2025).all()
    assert len(in_2025.merge(real, on=keys)) == 0
    assert len(in_2025.merge(in_2025, on=keys)) == len(in_2025)
    assert "全市" not in set(in_2025["unit"])
    assert "progress" not in make_demo(wenzhou, as_of=date(2031, 1, 1), **SMALL)


def test_streets_are_on_land_and_mostly_one_piece(wenzhou, demo):
    streets = demo["streets"]
    land = shapely.union_all(wenzhou.read("reporting_units").geometry.dropna().to_numpy())
    shapely.prepare(land)
    assert shapely.covers(shapely.buffer(land, 1.2e-4), streets.geometry.to_numpy()).all()
    assert largest_share(streets) > 0.9


def largest_share(streets):
    """Share of the vertices that lie in the largest piece of a network."""
    xy, line = shapely.get_coordinates(streets.geometry.to_numpy(), return_index=True)
    _, node = np.unique(xy, axis=0, return_inverse=True)
    same = line[1:] == line[:-1]
    start, end = node[:-1][same], node[1:][same]
    count = int(node.max()) + 1
    graph = coo_array((np.ones(len(start)), (start, end)), shape=(count, count))
    _, piece = connected_components(graph, directed=False)
    return np.bincount(piece).max() / count


def test_the_same_seed_gives_the_same_and_another_another(tinytown):
    first = make_demo(tinytown, as_of=DAY, **SMALL)
    again = make_demo(tinytown, as_of=DAY, **SMALL)
    other = make_demo(tinytown, as_of=DAY, seed=1, **SMALL)
    for layer, frame in first.items():
        pd.testing.assert_frame_equal(frame, again[layer])
    assert not first["incubators"].geometry.geom_equals(other["incubators"].geometry).any()


def test_the_size_of_one_layer_does_not_change_another(tinytown):
    first = make_demo(tinytown, as_of=DAY, **SMALL)
    more = make_demo(tinytown, as_of=DAY, **{**SMALL, "amenities": 900, "spaces": 10})
    for layer in ("incubators", "demands", "population", "streets"):
        pd.testing.assert_frame_equal(first[layer], more[layer])


def test_a_city_of_another_continent(tinytown):
    counts = add_demo(tinytown, as_of=DAY, **SMALL)
    assert counts["incubators"] == tinytown.count("incubators") == 30
    shapes = tinytown.read("reporting_units").set_index("name").geometry
    incubators = tinytown.read("incubators")
    for row in incubators.itertuples():
        assert shapely.covers(shapes[row.unit], row.geometry)
    divisions = tinytown.read("divisions").set_index("code").geometry
    for row in incubators[incubators["town_code"].isin(divisions.index)].itertuples():
        assert shapely.covers(divisions[row.town_code], row.geometry)
    assert {n for names in incubators["lead_industries"] for n in names} <= {
        "Boats",
        "Cheese",
        "Robots",
    }
    assert largest_share(tinytown.read("streets")) > 0.9


def test_adding_again_replaces_and_removing_leaves_what_is_real(tinytown):
    real = gpd.GeoDataFrame(
        {"id": ["mine"], "name": ["Mine"], "status": ["operating"], "provenance": ["entered"]},
        geometry=[shapely.Point(-56.1, -34.55)],
        crs="EPSG:4490",
    )
    with tinytown.edit("test") as edit:
        edit.insert("incubators", real)
    add_demo(tinytown, as_of=DAY, **SMALL)
    add_demo(tinytown, as_of=DAY, **{**SMALL, "incubators": 12})
    assert tinytown.count("incubators") == 13
    removed = remove_demo(tinytown)
    assert removed["incubators"] == 12
    assert tinytown.read("incubators")["id"].tolist() == ["mine"]
    assert tinytown.count("streets") == tinytown.count("amenities") == 0
    assert remove_demo(tinytown) == {}


def test_a_real_demand_that_signed_demo_space_looks_again(tinytown):
    add_demo(tinytown, as_of=DAY, **SMALL)
    space = tinytown.read("spaces")["id"].iloc[0]
    demands = gpd.GeoDataFrame(
        {"id": ["d1", "d2", "d3"], "industry": "Boats", "min_area_m2": 20.0,
         "status": ["signed", "signed", "withdrawn"], "provenance": "entered"},
        geometry=[None, None, None], crs="EPSG:4490",
    )  # fmt: skip
    deals = pd.DataFrame(
        {"demand": ["d1", "d2", "d2", "d3"], "space": [space, space, "real", space],
         "area_m2": 20.0, "state": "signed", "provenance": ["demo", "demo", "entered", "demo"]}
    )  # fmt: skip
    with tinytown.edit("test") as edit:
        edit.insert("demands", demands)
        edit.insert("deals", deals)
    remove_demo(tinytown)
    left = tinytown.read("demands").set_index("id")["status"]
    assert left.to_dict() == {"d1": "open", "d2": "signed", "d3": "withdrawn"}
    assert tinytown.read("deals")["demand"].tolist() == ["d2"]
    last = tinytown.history("demands", "d1")[-1]
    assert (last.action, "look again" in last.note) == ("update", True)


def test_real_streets_are_not_mixed_with_demo_streets(tinytown):
    road = gpd.GeoDataFrame(
        {"name": ["Road"], "provenance": ["imported"]},
        geometry=[shapely.LineString([(-56.1, -34.55), (-56.09, -34.55)])],
        crs="EPSG:4490",
    )
    with tinytown.edit("test") as edit:
        edit.insert("streets", road)
    assert "streets" not in make_demo(tinytown, as_of=DAY, **SMALL)


def test_nothing_asked_gives_nothing(tinytown):
    none = dict.fromkeys((*SMALL, "projects", "sites"), 0)
    assert set(make_demo(tinytown, as_of=DAY, streets=False, **none)) == {"progress"}


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ({"spaces": -1}, r"spaces: is not a number of records \(-1\)"),
        ({"spaces": 10**9}, r"from 0 to"),
        ({"castles": 3}, r"castles: is not a layer with demo data"),
    ],
)
def test_wrong_sizes_are_told(tinytown, sizes, says):
    with pytest.raises(InputError, match=says):
        make_demo(tinytown, **sizes)


def test_a_place_without_polygons_is_told_what_is_wanting(tmp_path):
    with create_store(tmp_path / "s.gpkg") as store:
        install_pack(store, load_pack("none"))
        with pytest.raises(InputError, match="at least one reporting unit with a polygon"):
            make_demo(store)


def test_bare_units_without_plan_towns_or_industries_suffice(tmp_path):
    unit = gpd.GeoDataFrame(
        {"code": ["a"], "name": ["A"]}, geometry=[shapely.box(10, 50, 10.1, 50.1)], crs="EPSG:4490"
    )
    with create_store(tmp_path / "s.gpkg") as store:
        install_pack(store, load_pack("none"))
        with store.edit("test") as edit:
            edit.insert("reporting_units", unit)
        frames = make_demo(store, as_of=DAY, **SMALL)
    assert len(frames["incubators"]) == 30
    assert shapely.covers(unit.geometry[0], frames["streets"].geometry.to_numpy()).all()
