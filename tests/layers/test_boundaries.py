"""Boundaries: polygons of units put together from divisions, and cut where units lie inside."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from layers import tianditu
from layers.boundaries import refresh_units, union_units
from layers.pack import install_pack, load_pack
from layers.schema import conform
from layers.store import create_store

TINYTOWN = Path(__file__).parent.parent / "cities" / "tinytown"


def units(*rows):
    frame = pd.DataFrame(rows, columns=["name", "inside", "division_codes", "geometry"])
    frame = frame.assign(id=frame["name"], code=frame["name"])
    return conform("reporting_units", gpd.GeoDataFrame(frame, crs="EPSG:4490"))


def town(code, name, shape):
    frame = pd.DataFrame(
        {"code": [code], "name": [name], "level": "town", "provenance": "imported", "source": "s"}
    )
    return gpd.GeoDataFrame(frame, geometry=[shape], crs="EPSG:4490")


@pytest.fixture
def store(tmp_path):
    with create_store(tmp_path / "s.gpkg") as store:
        install_pack(store, load_pack("wenzhou"))
        yield store


def test_installed_polygons_equal_the_counties_known(shared_data):
    known = gpd.read_file(shared_data / "counties_tianditu.geojson")
    known["code"] = known["district_adcode"].astype(str)
    ours = tianditu.read_divisions(known["code"]).set_index("code").geometry
    for row in known.itertuples():
        off = shapely.symmetric_difference(ours[row.code], row.geometry)
        assert shapely.area(off) < 1e-9 * shapely.area(row.geometry)


def test_cities_and_unknown_codes():
    found = tianditu.read_divisions(["440100", "999999", "TT-1"])
    assert found[["code", "level", "parent_code"]].to_numpy().tolist() == [
        ["440100", "city", "440000"]
    ]
    assert len(tianditu.read_divisions([])) == 0


def test_a_unit_is_the_union_of_its_divisions_less_the_units_inside():
    shapes = {
        "a": shapely.box(0, 0, 1, 1),
        "b": shapely.box(1, 0, 2, 1),
        "c": shapely.box(1, 0, 1.5, 1),
    }
    whole, wanting = union_units(
        units(("A", None, ["a", "b"], None), ("C", "A", ["c"], None)), shapes
    )
    assert shapely.equals(
        whole["A"], shapely.union(shapely.box(0, 0, 1, 1), shapely.box(1.5, 0, 2, 1))
    )
    assert shapely.equals(whole["C"], shapes["c"])
    assert wanting == {}


def test_a_unit_with_a_division_wanting_has_no_polygon_and_cuts_nothing():
    shapes = {"a": shapely.box(0, 0, 1, 1), "c": shapely.box(0, 0, 0.5, 1)}
    whole, wanting = union_units(
        units(("A", None, ["a"], None), ("C", "A", ["c", "d"], None)), shapes
    )
    assert set(whole) == {"A"}
    assert shapely.area(whole["A"]) == 1.0
    assert "division d" in wanting["C"]


def test_own_polygons_are_kept_and_cut():
    own = units(("A", None, [], shapely.box(0, 0, 2, 2)), ("B", "A", [], shapely.box(0, 0, 1, 1)))
    whole, _ = union_units(own, {})
    assert shapely.area(whole["A"]) == 3.0
    _, wanting = union_units(units(("A", None, [], None)), {})
    assert "neither a polygon of its own" in wanting["A"]


def test_twelve_units_have_a_polygon_at_set_up_and_the_inner_one_says_why_not(store):
    report = refresh_units(store)
    assert (report.divisions_added, len(report.with_polygon)) == (12, 12)
    assert list(report.without_polygon) == ["温州海经区"]
    assert "330305002, 330305006" in report.without_polygon["温州海经区"]
    frame = store.read("reporting_units")
    assert frame.geometry.notna().sum() == 12
    assert frame[frame.geometry.notna()].geometry.is_valid.all()
    assert store.read("structure").geometry.notna().all()


def test_the_inner_unit_gets_its_polygon_when_its_towns_come(store):
    refresh_units(store)
    before = store.read("reporting_units").set_index("name").geometry["洞头区"]
    west, south, east, north = before.bounds
    middle = (west + east) / 2
    left, right = (
        shapely.intersection(before, shapely.box(*box))
        for box in ((west, south, west + 0.1, north), (west + 0.1, south, middle, north))
    )
    with store.edit("test") as edit:
        edit.insert("divisions", town("330305002", "灵昆街道", left))
    assert list(refresh_units(store).without_polygon) == ["温州海经区"]
    with store.edit("test") as edit:
        edit.insert("divisions", town("330305006", "昆鹏街道", right))
    assert refresh_units(store).without_polygon == {}
    after = store.read("reporting_units").set_index("name")
    zone, outer = after.geometry["温州海经区"], after.geometry["洞头区"]
    assert shapely.area(zone) + shapely.area(outer) == pytest.approx(shapely.area(before), rel=1e-6)
    assert shapely.area(shapely.intersection(zone, outer)) < 1e-9
    assert shapely.covers(
        zone, shapely.Point(after.loc["温州海经区", ["centre_lon", "centre_lat"]])
    )


def test_refreshing_again_changes_nothing(store):
    refresh_units(store)
    token = store.token("reporting_units", "structure", "divisions")
    refresh_units(store)
    assert store.token("reporting_units", "structure", "divisions") == token


def test_packs_with_their_own_polygons(tmp_path):
    with create_store(tmp_path / "s.gpkg") as store:
        install_pack(store, load_pack(TINYTOWN))
        report = refresh_units(store)
        assert (report.divisions_added, report.without_polygon) == (0, {})
        shape = store.read("reporting_units").set_index("name").geometry
    assert shapely.area(shape["Northbank"]) == pytest.approx(0.02)
    assert shapely.area(shape["Southbank"]) == pytest.approx(0.02 - 0.0016)


def test_a_store_without_units_is_left_as_it_is(tmp_path):
    with create_store(tmp_path / "s.gpkg") as store:
        install_pack(store, load_pack("none"))
        report = refresh_units(store)
        assert (report.with_polygon, report.divisions_added) == ((), 0)
