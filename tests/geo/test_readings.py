"""Readings of the structure in the country drawn in `worlds`: what is wrong, what changes."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo.errors import InputError, NotFoundError
from geo.readings import (
    check_parts,
    check_version,
    compare_readings,
    list_readings,
    split_outline,
    unit_roles,
)
from geo.structure import CityLayers
from tests.geo import worlds
from tests.geo.worlds import METRIC, TOWNS_RULE, incubator, incubators, square

ROLES = [{"key": "main", "en": "Main"}, {"key": "spot", "en": "Spot"}]
KEYS = ["main", "spot"]
CELL_KM2 = 1.09  # a hundredth of a degree squared at 28° north


def part(name, role, *codes, outline=None, version="one", valid_from="2026-01-01"):
    return {"id": f"{version}-{name}", "name": name, "role": role, "version": version,
            "valid_from": valid_from, "confidence": 0.5, "division_codes": list(codes),
            "source": "made up", "geometry": outline}  # fmt: skip


def parts(*rows):
    return gpd.GeoDataFrame(list(rows), geometry="geometry", crs=worlds.CRS)


def check(*rows, units=None):
    return check_parts(
        parts(*rows),
        units=worlds.units() if units is None else units,
        divisions=worlds.divisions(),
        roles=KEYS,
        metric_crs=METRIC,
    )


def kinds(faults):
    return {(fault.kind, fault.parts) for fault in faults}


def test_all_units_claimed_once_is_well():
    assert check(part("N", "main", "A"), part("P", "spot", "B"), part("W", "spot", "C")) == []


def test_units_in_no_part_are_named():
    assert kinds(check(part("N", "main", "A"))) == {
        ("unclaimed", ("Port",)),
        ("unclaimed", ("West",)),
    }


def test_overlaps_are_measured():
    found = check(
        part("left", "main", outline=square(0, 0, 2)),
        part("right", "spot", outline=square(1, 0, 2)),
        part("rest", "spot", "A", "B", "C"),
    )
    [overlap] = [one for one in found if one.kind == "overlap" and "left" in one.parts
                 and "right" in one.parts]  # fmt: skip
    assert overlap.area_m2 == pytest.approx(CELL_KM2 * 1e6, rel=0.01)


def test_an_outline_that_crosses_itself_says_where():
    bow = shapely.Polygon([(120, 28), (120.01, 28.01), (120.01, 28), (120, 28.01)])
    found = check(part("bow", "main", outline=bow), part("all", "spot", "A", "B", "C"))
    [crossing] = [one for one in found if one.kind == "crossing"]
    assert crossing.parts == ("bow",)
    assert "120.005" in crossing.detail


def test_ground_left_out_is_measured():
    units = worlds.units()
    units["geometry"] = [square(0, 1, 2), square(1, 0, 2), None]
    half = square(0, 1)
    found = check(
        part("half", "main", outline=half), part("P", "spot", "B"), part("W", "spot", "C"),
        units=units,
    )  # fmt: skip
    gaps = {one.parts: one.area_m2 for one in found if one.kind == "gap"}
    assert gaps[("North",)] == pytest.approx(CELL_KM2 * 1e6, rel=0.01)


def test_codes_twice_or_unknown_and_roles_not_declared():
    found = check(
        part("one", "main", "A", "Z9"), part("two", "spot", "A"), part("three", "king", "B"),
        part("none", "spot"), part("W", "spot", "C"),
    )  # fmt: skip
    assert {(one.kind, one.detail) for one in found} >= {
        ("claimed_twice", "A"), ("unknown_code", "Z9"), ("role", "king"), ("empty", ""),
    }  # fmt: skip


def layers(structure):
    held = incubators(
        incubator("i1", 120.005, 28.025, unit="North", town_code="A1", area_m2=10_000.0,
                  vacant_area_m2=2_000.0, occupied_area_m2=8_000.0, tenants=10),
        incubator("i2", 120.015, 28.015, unit="Port", area_m2=5_000.0, tenants=4),
        incubator("i3", 120.006, 28.025, unit="North", town_code="A1", status="planned"),
    )  # fmt: skip
    towns = gpd.GeoDataFrame(
        {"code": ["A1", "A2"], "name": ["Ash", "Birch"], "unit": ["North", "North"],
         "state": ["operating", "none"]},
        geometry=gpd.points_from_xy([120.005, 120.015], [28.025, 28.025]), crs=worlds.CRS,
    )  # fmt: skip
    return CityLayers(held, worlds.units(), structure, worlds.frame(
        [{"id": "z", "name": "z", "kind": None, "unit": None, "geometry": None}]
    ), towns)  # fmt: skip


BOTH = (
    part("N", "main", "A"), part("P", "spot", "B"), part("W", "spot", "C"),
    part("N", "spot", "A", version="two", valid_from="2026-06-01"),
    part("Ash", "main", "A1", version="two", valid_from="2026-06-01"),
    part("P", "main", "B", version="two", valid_from="2026-06-01"),
    part("W", "spot", "C", version="two", valid_from="2026-06-01"),
)  # fmt: skip


def compare(before, after):
    return compare_readings(
        layers(parts(*BOTH)), roles=ROLES, rule=TOWNS_RULE, as_of="2026-11-24",
        before=before, after=after,
    )  # fmt: skip


def test_what_another_reading_changes():
    found = compare("one", "two")
    assert [(one.unit, one.before, one.after) for one in found.units] == [
        ("North", "main", "spot"), ("Port", "spot", "main"),
    ]  # fmt: skip
    assert [(one.name, one.before, one.after) for one in found.towns] == [("Birch", "main", "spot")]
    assert [(one.id, one.before, one.after) for one in found.incubators] == [("i2", "spot", "main")]
    assert found.summary == {
        "units": 2, "towns": 1, "incubators": 1, "area_m2": 5_000.0, "vacant_area_m2": 0.0,
        "tenants": 4,
    }  # fmt: skip
    main = next(one for one in found.roles if one.role == "main")
    assert (main.before.area_m2, main.after.area_m2) == (10_000.0, 15_000.0)
    assert (main.before.towns.total, main.after.towns.total) == (2, 1)


def test_a_reading_changes_nothing_against_itself_and_back_is_the_reverse():
    same = compare("one", "one")
    assert (same.units, same.towns, same.incubators) == ((), (), ())
    there, back = compare("one", "two"), compare("two", "one")
    assert [(one.before, one.after) for one in there.units] == [
        (one.after, one.before) for one in back.units
    ]
    assert there.summary == back.summary


def test_readings_are_listed_with_the_one_in_force():
    listed = list_readings(parts(*BOTH), pd.Timestamp("2026-03-01"))
    assert [(one.version, one.in_force, one.parts, one.drawn) for one in listed] == [
        ("two", False, 4, 0), ("one", True, 3, 0),
    ]  # fmt: skip


def test_an_outline_claims_the_unit_around_whose_middle_it_lies():
    units = worlds.units()
    units["geometry"] = [square(0, 0), square(1, 0), None]
    held = unit_roles(parts(part("x", "main", outline=square(0, 0)), part("r", "spot", "A")), units)
    assert held == {"North": "main", "Port": None, "West": None}


def test_unknown_versions_and_lines_that_cut_nothing():
    with pytest.raises(NotFoundError, match="one, two"):
        check_version(parts(*BOTH), "three")
    check_version(parts(*BOTH), None)
    with pytest.raises(InputError, match="does not cut"):
        split_outline(shapely.box(0, 0, 1, 1), shapely.LineString([(0.2, 0.2), (0.8, 0.8)]))
