"""The next best action of towns in the country drawn in `worlds`."""

import pandas as pd
import pytest
import shapely

from geo.coverage import cover_industries, cover_towns
from geo.town_actions import plan_actions
from geo.towns import list_towns
from geo.units import index_units
from tests.geo import worlds
from tests.geo.worlds import METRIC, TOWNS_RULE, frame, incubator, incubators

INDUSTRIES = {
    "industries": [
        {"key": "boats", "name": "Boats"},
        {"key": "shoes", "name": "Shoes"},
        {"key": "pumps", "name": "Pumps"},
    ]
}


def site(key, lon, lat, **columns):
    defaults = {"name": key, "capacity_m2": 30_000.0, "cost_cny": 9e7, "earliest_year": 2027,
                "constraints": None, "lead_industries": [], "town_code": None,
                "provenance": "entered"}  # fmt: skip
    return {"id": key, **defaults, "geometry": shapely.Point(lon, lat), **columns}


def building(key, lon, lat, vacant_m2):
    said = {"lead_industries": [], "town_code": None, "provenance": "demo"}
    at = shapely.Point(lon, lat)
    return {"id": key, "name": key, "vacant_m2": vacant_m2, **said, "geometry": at}


def empty(row):
    return frame([row]).iloc[:0]


def plan(*records, sites=(), buildings=(), opening=None):
    held = incubators(*records)
    coverage = cover_towns(
        worlds.towns(), held, units=worlds.units(), rule=TOWNS_RULE, as_of="2026-11-24",
        metric_crs=METRIC, divisions=worlds.divisions(),
    )  # fmt: skip
    answer = plan_actions(
        coverage,
        list_towns(worlds.towns(), worlds.units(), worlds.divisions(), index_units(worlds.units())),
        sites=frame(list(sites)) if sites else empty(site("s", 0, 0)),
        buildings=frame(list(buildings)) if buildings else empty(building("b", 0, 0, 1.0)),
        opening=opening or {},
        metric_crs=METRIC,
    )
    return {row.name: row for row in answer.towns}


def needs(row):
    return {need.kind: need.value for need in row.needs}


def test_covered_towns_need_nothing():
    found = plan(incubator("i1", 120.005, 28.025))  # in Ash
    assert "Ash" not in found
    assert {"Birch", "Dell", "Elm"} <= set(found)


def test_what_is_under_way_comes_before_a_site_in_the_town():
    found = plan(
        incubator("i1", 120.005, 28.025, status="planned", area_m2=9_000.0),
        incubator("i2", 120.006, 28.025, status="under_construction", area_m2=25_000.0),
        sites=[site("s1", 120.005, 28.026)],
        opening={"i2": pd.Timestamp("2027-03-01")},
    )["Ash"]
    assert (found.action, found.chance.id) == ("finish", "i2")
    assert needs(found) == {"open": "2027-03-01", "area_m2": 25_000.0}
    assert found.site.id == "s1"


def test_a_site_in_the_town_comes_before_a_nearer_one_outside():
    found = plan(
        sites=[
            site("far", 120.0005, 28.0205, capacity_m2=12_000.0, constraints="height"),
            site("near", 120.0101, 28.025),  # across the boundary in Birch
        ]
    )
    ash = found["Ash"]
    assert (ash.action, ash.chance.id, ash.chance.in_town) == ("build", "far", True)
    assert needs(ash) == {
        "area_m2": 12_000.0, "extend_m2": 8_000.0, "cost_cny": 9e7, "from_year": 2027,
        "constraint": "height",
    }  # fmt: skip
    assert found["Birch"].chance.id == "near"


def test_a_vacant_building_in_the_town_where_there_is_no_site():
    found = plan(
        sites=[site("s1", 120.015, 28.025)], buildings=[building("b1", 120.004, 28.025, 3_000.0)]
    )["Ash"]
    assert (found.action, found.chance.kind, found.chance.id) == ("adapt", "building", "b1")
    assert needs(found) == {"area_m2": 3_000.0, "extend_m2": 17_000.0}
    assert (found.site.id, found.site.in_town) == ("s1", False)


def test_where_nothing_lies_in_the_town_the_nearest_is_told_with_its_distance():
    found = plan(
        sites=[site("s1", 120.015, 28.025)], buildings=[building("b1", 120.025, 28.025, 5e3)]
    )
    ash = found["Ash"]
    assert (ash.action, ash.chance) == ("seek", None)
    east = 0.01 * 111_320 * 0.8825  # a hundredth of a degree at 28° north, metres
    assert needs(ash)["settle"] == pytest.approx(east, rel=0.01)
    assert ash.building.distance_m == pytest.approx(2 * east, rel=0.01)


def test_nothing_anywhere_is_said_so():
    found = plan()["Ash"]
    assert (found.action, found.site, found.building) == ("seek", None, None)
    assert needs(found) == {"find_site": None}


def test_what_the_record_leaves_open_must_be_confirmed():
    found = plan(
        sites=[site("s1", 120.005, 28.025, capacity_m2=None, cost_cny=None, earliest_year=None)]
    )["Ash"]
    assert [need.value for need in found.needs if need.kind == "confirm"] == [
        "area_m2", "cost_cny", "earliest_year",
    ]  # fmt: skip


def test_sums_of_the_matrix_of_industries():
    held = incubators(
        incubator("i1", 120.005, 28.025, unit="North", lead_industries=["Boats", "Shoes"]),
        incubator("i2", 120.005, 28.025, unit="North", lead_industries=["Boats"]),
        incubator("i3", 120.02, 28.015, unit="Port", lead_industries=["Shoes"], status="planned"),
    )
    answer = cover_industries(
        held, units=worlds.units(), rule=INDUSTRIES, towns_rule=TOWNS_RULE, as_of="2026-11-24"
    )
    for row in answer.industries:
        assert len(row.incubators) == sum(len(cell.incubators) for cell in row.units.values())
    assert [(row.key, row.state, len(row.incubators)) for row in answer.industries] == [
        ("boats", "operating", 2), ("shoes", "operating", 2), ("pumps", "none", 0),
    ]  # fmt: skip
    for unit in answer.units:
        summary = unit.summary
        assert summary.total == 3
        assert summary.total == (
            summary.operating_large + summary.operating + summary.planned_only + summary.none
        )
