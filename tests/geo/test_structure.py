import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.concentration import concentrate, gini, herfindahl
from geo.structure import CityLayers, roll_up
from tests.geo import worlds
from tests.geo.worlds import TOWNS_RULE, incubator, incubators

ROLES = [{"key": "main", "zh": "主", "en": "Main"}, {"key": "point", "zh": "点", "en": "Points"}]


def part(key, role, codes, *, version="1", valid_from="2025-01-01", geometry=None):
    return {"id": key, "name": key, "role": role, "version": version, "valid_from": valid_from,
            "confidence": 0.55, "division_codes": codes, "geometry": geometry}  # fmt: skip


def zone(key, geometry):
    return {"id": key, "name": key, "kind": "park", "unit": None, "geometry": geometry}


STRUCTURE = [part("s1", "main", ["A"]), part("s2", "point", ["B"])]
ZONES = [zone("z1", worlds.square(0, 1)), zone("z2", None)]


def roll(*records, structure=None, zones=None, towns=None, **options):
    layers = CityLayers(
        incubators=incubators(*records),
        units=worlds.units(),
        structure=worlds.frame(STRUCTURE if structure is None else structure),
        zones=worlds.frame(ZONES if zones is None else zones),
        towns=towns,
    )
    return roll_up(layers, **{"roles": ROLES, "rule": TOWNS_RULE, "as_of": "2026-11-24", **options})


def role(report, key):
    return next(row for row in report.roles if row.role == key)


def test_space_tenants_and_vacancy_by_role():
    report = roll(
        incubator("i1", 120.0, 28.0, unit="North", area_m2=3000.0, occupied_area_m2=800.0,
                  vacant_area_m2=200.0, tenants=7, people=70),
        incubator("i2", 120.0, 28.0, unit="North", area_m2=3000.0, occupied_area_m2=500.0,
                  tenants=3),
        incubator("i3", 120.0, 28.0, unit="Port", area_m2=2000.0),
        incubator("i4", 120.0, 28.0, unit="Port", area_m2=9000.0, status="planned"),
        incubator("i5", 120.0, 28.0, unit="Port", area_m2=9000.0, status="withdrawn"),
    )  # fmt: skip
    main, point = role(report, "main").figures, role(report, "point").figures
    assert (main.incubators, main.operating, main.area_m2) == (2, 2, 6000.0)
    assert (main.tenants, main.people, main.share) == (10, 70, 0.75)
    assert main.vacancy == 0.2  # of the one that reports both
    assert (point.incubators, point.operating, point.area_m2) == (2, 1, 2000.0)
    assert point.vacancy is None
    assert len(report.roles) == 2
    assert (report.version, report.confidence) == ("1", 0.55)


def test_what_no_role_claims_is_a_row_of_its_own():
    report = roll(incubator("i1", 120.0, 28.0, unit="West"))
    rest = report.roles[-1]
    assert (rest.role, rest.figures.operating) == (None, 1)
    assert sum(row.figures.operating for row in report.roles) == report.city.operating


def test_a_unit_made_of_divisions_inside_another_part_belongs_to_it():
    units = worlds.units()
    harbour = {"id": "u4", "code": "X", "name": "Harbour", "aliases": [], "has_towns": True,
               "division_codes": ["A4"], "rank": 4, "geometry": None}  # fmt: skip
    units = gpd.GeoDataFrame(pd.concat([units, worlds.frame([harbour])], ignore_index=True))
    layers = CityLayers(
        incubators(incubator("i1", 120.0, 28.0, unit="Harbour")),
        units,
        worlds.frame(STRUCTURE),
        worlds.frame(ZONES),
    )
    report = roll_up(layers, roles=ROLES, rule=TOWNS_RULE, as_of="2026-11-24")
    assert role(report, "main").figures.operating == 1


def test_a_town_can_leave_its_units_role():
    special = [*STRUCTURE, part("s3", "point", ["A2"])]
    report = roll(
        incubator("i1", 120.0, 28.0, unit="North", town_code="A1"),
        incubator("i2", 120.0, 28.0, unit="North", town_code="A2"),
        structure=special,
    )
    assert role(report, "main").figures.operating == 1
    assert role(report, "point").figures.operating == 1


def test_a_polygon_comes_before_codes_for_places_that_are_known():
    drawn = [*STRUCTURE, part("s3", "point", [], geometry=worlds.square(0, 1))]
    here = {"unit": "North"}
    report = roll(
        incubator("i1", 120.005, 28.025, **here),
        incubator("i2", 120.005, 28.025, geom_precision="unit", **here),
        structure=drawn,
    )
    assert role(report, "point").figures.operating == 1
    assert role(report, "main").figures.operating == 1


def test_the_reading_in_force_on_the_day_is_used():
    later = [part("n1", "point", ["A"], version="2", valid_from="2027-01-01")]
    record = incubator("i1", 120.0, 28.0, unit="North")
    now = roll(record, structure=[*STRUCTURE, *later])
    then = roll(record, structure=[*STRUCTURE, *later], as_of="2027-06-01")
    asked = roll(record, structure=[*STRUCTURE, *later], version="2")
    assert (now.version, role(now, "main").figures.operating) == ("1", 1)
    assert (then.version, role(then, "point").figures.operating) == ("2", 1)
    assert asked.version == "2"


def test_zones_count_what_lies_inside_and_name_what_is_not_mapped():
    report = roll(
        incubator("i1", 120.005, 28.025, area_m2=1000.0),
        incubator("i2", 120.015, 28.025, area_m2=3000.0),
        incubator("i3", 120.005, 28.025, area_m2=5000.0, geom_precision="unit"),
    )
    mapped, unmapped = report.zones
    assert (mapped.mapped, mapped.figures.operating) == (True, 1)
    assert mapped.figures.share == pytest.approx(1 / 9, abs=1e-6)
    assert (unmapped.mapped, unmapped.figures) == (False, None)
    answer = report.to_json()["zones"]
    assert answer[0]["area_m2"] == 1000.0
    assert "figures" not in answer[0]
    assert answer[1]["mapped"] is False


def test_growth_is_the_area_of_the_last_year_over_the_area_before():
    report = roll(
        incubator("i1", 120.0, 28.0, unit="North", area_m2=4000.0, opened_on="2020-01-01"),
        incubator("i2", 120.0, 28.0, unit="North", area_m2=1000.0, opened_on="2026-06-01"),
        incubator("i3", 120.0, 28.0, unit="North", area_m2=9000.0, opened_on="2027-01-01"),
    )
    main = role(report, "main").figures
    assert main.growth == 0.25
    assert [(one.year, one.area_m2) for one in main.opened] == [(2020, 4000.0), (2026, 1000.0)]


def test_covered_towns_by_role_and_zone():
    towns = gpd.GeoDataFrame(
        {"code": ["A1", "A2", "B"], "unit": ["North", "North", "Port"],
         "state": ["operating", "none", "operating_large"]},
        geometry=gpd.points_from_xy([120.005, 120.015, 120.02], [28.025, 28.025, 28.015]),
        crs=worlds.CRS,
    )  # fmt: skip
    report = roll(incubator("i1", 120.0, 28.0, unit="North"), towns=towns)
    main = role(report, "main").figures.towns
    assert (main.total, main.covered, main.covered_share) == (2, 1, 0.5)
    assert (report.zones[0].figures.towns.total, report.city.towns.covered) == (1, 2)


def test_concentration_over_all_units_beside_the_plans_own():
    report = roll(
        incubator("i1", 120.0, 28.0, unit="North", area_m2=3000.0),
        incubator("i2", 120.0, 28.0, unit="Port", area_m2=1000.0),
        weights={"North": 1.0, "Port": 1.0, "West": 1.0},
    )
    found = report.concentration
    assert (found.units, found.hhi, found.largest_unit) == (3, 0.625, "North")
    assert found.hhi_targets == pytest.approx(1 / 3, abs=1e-6)
    assert (found.hhi_even, found.gini_targets) == (found.hhi_targets, 0.0)
    assert report.to_json()["concentration"]["largest_share"] == 0.75


def test_nothing_at_all():
    answer = roll().to_json()
    assert answer["city"]["area_m2"] == 0.0
    assert answer["city"]["share"] is None
    assert answer["concentration"]["hhi"] is None


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12))
def test_gini_and_hhi_as_their_definitions_say(amounts):
    values = np.array(amounts)
    if values.sum() <= 0:
        assert gini(values) is None
        return
    plain = np.abs(values[:, None] - values[None, :]).sum() / (2 * len(values) * values.sum())
    assert gini(values) == pytest.approx(plain, abs=2e-6)
    assert herfindahl(values) == pytest.approx(
        sum((v / values.sum()) ** 2 for v in amounts), abs=2e-6
    )
    assert concentrate(dict(enumerate(amounts))).hhi >= 1 / len(values) - 1e-6
