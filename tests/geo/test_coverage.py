import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coverage import cover_industries, cover_towns, cover_units
from geo.errors import InputError
from geo.states import COVERED
from tests.geo import worlds
from tests.geo.worlds import METRIC, TOWNS_RULE, incubator, incubators

AS_OF = "2026-11-24"


def cover(*records, towns=None, divisions=None, rule=TOWNS_RULE, as_of=AS_OF, units=None):
    return cover_towns(
        worlds.towns() if towns is None else towns,
        incubators(*records),
        units=worlds.units() if units is None else units,
        rule=rule,
        as_of=as_of,
        metric_crs=METRIC,
        divisions=worlds.divisions() if divisions is None else divisions,
    )


def row(answer, code):
    return next(town for town in answer.towns if town.code == code)


def test_the_four_states_and_their_sums():
    answer = cover(
        incubator("i1", 120.005, 28.025, area_m2=20000.0),
        incubator("i2", 120.015, 28.025, area_m2=19999.0),
        incubator("i3", 120.005, 28.015, status="under_construction"),
    )
    states = {town.code: town.state for town in answer.towns}
    assert states == {
        "A1": "operating_large",
        "A2": "operating",
        "A4": "planned_only",
        "B": "none",
        "C9": "none",
    }
    assert answer.summary.covered_share == 0.4
    north = next(unit for unit in answer.units if unit.unit == "North")
    assert (north.summary.total, north.summary.none) == (3, 0)


def test_the_shape_that_clients_rely_on():
    answer = cover(incubator("i1", 120.005, 28.025, provenance="demo")).to_json()
    assert answer["as_of"] == AS_OF
    assert answer["demo_counted"] is True
    assert answer["rule"]["large_area_m2"] == 20000
    assert set(answer["summary"]) == {
        "total", "operating_large", "operating", "planned_only", "none", "covered_share",
    }  # fmt: skip
    ash = next(town for town in answer["towns"] if town["code"] == "A1")
    wanted = {"code", "name", "unit", "status", "state", "evidence", "incubators", "nearest"}
    assert wanted <= set(ash)
    assert ash["incubators"] == ["i1"]
    assert {"id", "distance_m", "walk_minutes", "drive_minutes"} <= set(ash["nearest"])
    assert ash["nearest"]["distance_m"] == 0.0


def test_two_small_ones_are_not_a_large_one_unless_the_rule_adds_them_up():
    pair = [incubator(f"i{n}", 120.005, 28.025, area_m2=12000.0) for n in (1, 2)]
    assert row(cover(*pair), "A1").state == "operating"
    added = {**TOWNS_RULE, "large_area_of": "all"}
    assert row(cover(*pair, rule=added), "A1").state == "operating_large"


def test_evidence_is_the_outline_then_the_record_then_distance():
    answer = cover(
        incubator("i1", 120.005, 28.025),
        incubator("i2", 119.9, 28.02, town_code="C9"),
    )
    assert row(answer, "A1").evidence == "polygon"
    assert row(answer, "A2").evidence == "polygon"  # its outline shows that nothing lies inside
    assert row(answer, "C9").evidence == "declared"
    assert row(answer, "C9").state == "operating"
    assert row(cover(), "C9").evidence == "distance"
    assert row(cover(), "C9").nearest is None


def test_a_town_named_by_its_name_counts_in_its_own_unit_only():
    here = incubator("i1", 119.9, 28.02, town="Elm", unit="West")
    elsewhere = incubator("i2", 119.9, 28.02, town="Elm", unit="North")
    assert row(cover(here), "C9").incubators == ("i1",)
    assert row(cover(elsewhere), "C9").incubators == ()


def test_a_village_code_names_its_town():
    assert row(cover(incubator("i1", 119.9, 28.0, town_code="C9")), "C9").state == "operating"
    long = worlds.towns().replace({"code": {"C9": "330382114"}})
    answer = cover(incubator("i1", 119.9, 28.0, town_code="330382114207"), towns=long)
    assert row(answer, "330382114").incubators == ("i1",)


def test_a_point_on_the_boundary_counts_for_both_towns_once_each():
    answer = cover(incubator("edge", 120.01, 28.025))
    assert row(answer, "A1").incubators == ("edge",)
    assert row(answer, "A2").incubators == ("edge",)
    assert [(case.id, case.towns) for case in answer.boundary] == [("edge", ("A1", "A2"))]
    assert answer.disagreements == ()


def test_a_point_on_a_slanting_boundary_counts_for_both_towns():
    lower = shapely.Polygon([(120.0, 28.01), (120.013, 28.01), (120.0, 28.0177)])
    upper = shapely.Polygon([(120.013, 28.01), (120.013, 28.0177), (120.0, 28.0177)])
    towns = worlds.towns().iloc[:2].assign(geometry=[lower, upper])
    edge = shapely.LineString([(120.013, 28.01), (120.0, 28.0177)])
    for part in (0.1, 0.37, 0.5, 0.77):
        point = edge.interpolate(part, normalized=True)
        answer = cover(incubator("e", point.x, point.y), towns=towns)
        assert [row(answer, code).incubators for code in ("A1", "A2")] == [("e",), ("e",)]


def test_a_point_on_a_corner_counts_for_all_towns_that_meet_there():
    answer = cover(incubator("corner", 120.01, 28.02))
    assert [town.code for town in answer.towns if town.incubators] == ["A1", "A2", "A4", "B"]


def test_point_and_record_that_disagree_are_shown_and_the_point_holds():
    answer = cover(incubator("i1", 120.005, 28.025, town_code="A2"))
    assert row(answer, "A1").incubators == ("i1",)
    assert row(answer, "A2").incubators == ()
    [doubt] = answer.disagreements
    assert (doubt.id, doubt.record, doubt.polygon, doubt.counted) == ("i1", "A2", ("A1",), ("A1",))
    assert row(answer, "A1").disagreements == row(answer, "A2").disagreements == ("i1",)


def test_a_point_in_a_town_that_is_not_listed_still_holds_against_its_record():
    answer = cover(incubator("i1", 120.025, 28.025, town_code="A2"))
    assert row(answer, "A2").incubators == ()
    assert [doubt.polygon for doubt in answer.disagreements] == [("A3",)]


def test_a_record_of_a_town_without_outline_holds_against_a_town_that_is_not_listed():
    answer = cover(incubator("i1", 120.025, 28.025, town_code="C9"))
    elm = row(answer, "C9")
    assert (elm.incubators, elm.evidence) == (("i1",), "declared")
    assert [(doubt.polygon, doubt.counted) for doubt in answer.disagreements] == [
        (("A3",), ("C9",))
    ]
    listed = cover(incubator("i1", 120.005, 28.025, town_code="C9"))
    assert row(listed, "C9").incubators == ()
    assert row(listed, "A1").incubators == ("i1",)


def test_a_point_outside_every_town_gives_way_to_its_record_and_is_shown():
    answer = cover(incubator("i1", 121.0, 28.5, town_code="A2"))
    assert row(answer, "A2").incubators == ("i1",)
    assert row(answer, "A2").evidence == "declared"
    assert [(doubt.id, doubt.polygon) for doubt in answer.disagreements] == [("i1", ())]


@pytest.mark.parametrize("precision", ["unit", "town"])
def test_a_rough_point_is_no_evidence_against_its_record(precision):
    answer = cover(incubator("i1", 120.005, 28.025, town_code="A2", geom_precision=precision))
    assert row(answer, "A1").incubators == ()
    assert row(answer, "A2").incubators == ("i1",)
    assert row(answer, "A2").evidence == {"unit": "declared", "town": "polygon"}[precision]
    assert answer.disagreements == ()


@pytest.mark.parametrize(("town", "evidence"), [("A2", "polygon"), ("C9", "declared")])
def test_a_record_known_to_its_town_lies_in_the_outline_of_that_town(town, evidence):
    answer = cover(incubator("i1", 120.025, 28.02, town_code=town, geom_precision="town"))
    assert (row(answer, town).incubators, row(answer, town).evidence) == (("i1",), evidence)
    assert answer.disagreements == ()
    assert answer.boundary == ()


def test_a_point_known_to_its_unit_only_says_nothing_about_towns():
    answer = cover(incubator("i1", 120.005, 28.025, geom_precision="unit"))
    assert row(answer, "A1").state == "none"
    assert row(answer, "A1").nearest.approximate


def test_a_unit_without_towns_is_its_own_town():
    by_place = cover(incubator("i1", 120.025, 28.015))
    assert row(by_place, "B").is_unit
    assert (row(by_place, "B").state, row(by_place, "B").evidence) == ("operating", "polygon")
    rough = cover(incubator("i1", 120.02, 28.015, unit="Port", geom_precision="unit"))
    assert row(rough, "B").state == "operating"
    no_outlines = worlds.divisions().iloc[:0]
    by_record = cover(incubator("i1", 121.0, 28.5, unit="Port"), divisions=no_outlines)
    assert (row(by_record, "B").state, row(by_record, "B").evidence) == ("operating", "declared")


def test_a_unit_without_towns_that_is_listed_too_is_one_row():
    port = {"id": "t-B", "code": "B", "name": "Port", "unit": "Port", "status": "proxy",
            "geometry": shapely.Point(120.02, 28.015)}  # fmt: skip
    listed = gpd.GeoDataFrame(pd.concat([worlds.towns(), worlds.frame([port])], ignore_index=True))
    answer = cover(incubator("i1", 120.025, 28.015), towns=listed)
    assert [town.code for town in answer.towns].count("B") == 1
    assert (row(answer, "B").status, row(answer, "B").state) == ("proxy", "operating")


def test_a_town_may_bring_its_own_outline():
    towns = worlds.towns()
    towns.loc[towns["code"] == "C9", "geometry"] = shapely.box(119.97, 28.01, 119.99, 28.03)
    answer = cover(incubator("i1", 119.985, 28.015), towns=towns)
    elm = row(answer, "C9")
    assert (elm.state, elm.evidence, elm.nearest.measured_from) == (
        "operating",
        "polygon",
        "middle",
    )


def test_a_radius_of_the_rule_lets_distance_cover_a_bare_town():
    near = incubator("i1", 119.985, 28.02)
    taken = incubator("i2", 119.984, 28.02, town_code="A2")
    assert row(cover(near), "C9").state == "none"
    speeds = {**TOWNS_RULE["nearest"], "covers_within_m": 1000}
    elm = row(cover(near, taken, rule={**TOWNS_RULE, "nearest": speeds}), "C9")
    assert (elm.state, elm.evidence, elm.incubators) == ("operating", "distance", ("i1",))


def test_by_date():
    record = incubator("i1", 120.005, 28.025, opened_on="2026-05-01", closed_on="2026-10-01")
    states = [
        row(cover(record, as_of=day), "A1").state
        for day in ("2026-04-30", "2026-05-01", "2026-09-30", "2026-10-01")
    ]
    assert states == ["planned_only", "operating", "operating", "none"]


def test_the_nearest_is_measured_on_the_ellipsoid_and_minutes_say_their_basis():
    answer = cover(incubator("far", 120.2, 28.1), incubator("mid", 120.06, 28.05))
    near = row(answer, "A1").nearest
    _, _, metres = pyproj.Geod(ellps="GRS80").inv(120.005, 28.025, 120.06, 28.05)
    assert near.id == "mid"
    assert near.distance_m == pytest.approx(metres, rel=5e-4)
    assert near.walk_minutes == pytest.approx(metres * 1.3 / (4000 / 60), abs=0.1)
    assert near.drive_minutes == pytest.approx(metres * 1.3 / (30000 / 60), abs=0.1)
    assert near.basis == "straight_line_detour"


def test_a_demo_record_that_is_only_the_nearest_counts_as_demo():
    answer = cover(incubator("i1", 121.0, 28.5, provenance="demo"))
    assert answer.summary.covered_share == 0.0
    assert answer.demo_counted
    assert not cover(incubator("i1", 121.0, 28.5)).demo_counted


def test_planned_ones_are_not_the_nearest_and_ties_go_to_the_smaller_id():
    answer = cover(
        incubator("a", 120.005, 28.025, status="planned"),
        incubator("z", 120.02, 28.025),
        incubator("y", 120.02, 28.025),
    )
    assert row(answer, "A1").nearest.id == "y"


def test_a_rule_that_lacks_a_part_is_named():
    broken = {key: value for key, value in TOWNS_RULE.items() if key != "large_area_m2"}
    with pytest.raises(InputError, match="large_area_m2"):
        cover(rule=broken)


def test_nothing_at_all():
    empty = worlds.towns().iloc[:0]
    answer = cover(
        towns=empty, units=worlds.units().iloc[:0], divisions=worlds.divisions().iloc[:0]
    )
    assert answer.to_json()["summary"]["covered_share"] is None
    assert answer.to_json()["towns"] == []


def test_records_without_a_place_or_with_faulty_outlines_do_no_harm():
    lost = {**incubator("i1", 0, 0, town_code="A2"), "geometry": None}
    bow_tie = shapely.Polygon([(120, 28.02), (120.01, 28.03), (120.01, 28.02), (120, 28.03)])
    broken = worlds.divisions()
    broken.loc[broken["code"] == "A1", "geometry"] = bow_tie
    answer = cover(lost, incubator("i2", 120.009, 28.025), divisions=broken)
    assert row(answer, "A2").incubators == ("i1",)
    assert row(answer, "A1").state in ("operating", "none")


# --- against a plain reference, and what must hold whatever the data ---------------------------

STATUSES = ("operating", "rectifying", "planned", "completed", "withdrawn")
GRID = st.integers(0, 12)  # quarter cells, so that boundaries and corners come up


@st.composite
def worlds_of_incubators(draw, least=0):
    records = []
    for number in range(draw(st.integers(least, 8))):
        lon, lat = 119.9975 + draw(GRID) * 0.0025, 28.0075 + draw(GRID) * 0.0025
        columns = {
            "status": draw(st.sampled_from(STATUSES)),
            "area_m2": draw(st.sampled_from([None, 100.0, 25000.0])),
            "town_code": draw(st.sampled_from([None, "A1", "A2", "A3", "C9"])),
            "unit": draw(st.sampled_from([None, "North", "Port", "West"])),
            "geom_precision": draw(st.sampled_from([None, "building", "town", "unit"])),
        }
        records.append(incubator(f"i{number}", lon, lat, **columns))
    return records


def reference(records):
    """Coverage as one would do it by hand: one town, one incubator at a time."""
    outlines = {division.code: division.geometry for division in worlds.divisions().itertuples()}
    inside = {"operating": "operating", "rectifying": "operating", "withdrawn": None}
    found = {code: [] for code in ("A1", "A2", "A4", "B", "C9")}
    for record in records:
        precision, named = record["geom_precision"], record["town_code"]
        if named is None and record["unit"] == "Port":
            named = "B"
        asked = ["B"] if precision == "unit" else list(outlines)
        around = [code for code in asked if outlines[code].distance(record["geometry"]) <= 1e-9]
        if precision == "town" and named and named not in around:
            around = []
        if named == "C9" and around == ["A3"]:  # Elm has no outline, and nobody asks about Cedar
            around = []
        state = inside.get(record["status"], "planned")
        for code in around or [named]:
            if code in found and state:
                found[code].append((record["id"], state, record["area_m2"] or 0))
    answer = {}
    for code, members in found.items():
        areas = [area for _, state, area in members if state == "operating"]
        operating = "operating_large" if max(areas, default=0) >= 20000 else "operating"
        answer[code] = (
            operating if areas else "planned_only" if members else "none",
            tuple(sorted(key for key, _, _ in members)),
        )
    return answer


@settings(max_examples=40)
@given(worlds_of_incubators())
def test_the_same_as_the_plain_reference(records):
    answer = cover(*records)
    assert {t.code: (t.state, t.incubators) for t in answer.towns} == reference(records)


@settings(max_examples=15)
@given(worlds_of_incubators(least=1), st.integers(0, 2**16))
def test_the_order_of_rows_does_not_matter(records, seed):
    answers = [
        cover_towns(
            worlds.shuffled(worlds.towns(), s) if s else worlds.towns(),
            worlds.shuffled(incubators(*records), s) if s else incubators(*records),
            units=worlds.shuffled(worlds.units(), s) if s else worlds.units(),
            rule=TOWNS_RULE,
            as_of=AS_OF,
            metric_crs=METRIC,
            divisions=worlds.shuffled(worlds.divisions(), s) if s else worlds.divisions(),
        ).to_json()
        for s in (0, seed + 1)
    ]
    assert answers[0] == answers[1]


@settings(max_examples=15)
@given(worlds_of_incubators())
def test_a_town_is_counted_once_in_all_sums(records):
    answer = cover(*records)
    codes = [town.code for town in answer.towns]
    assert len(codes) == len(set(codes)) == answer.summary.total
    assert sum(unit.summary.total for unit in answer.units) == len(codes)
    for town in answer.towns:
        assert len(town.incubators) == len(set(town.incubators))


@settings(max_examples=15)
@given(worlds_of_incubators(), GRID, GRID)
def test_one_more_operating_incubator_never_lowers_coverage(records, column, line):
    order = ("none", "planned_only", "operating", "operating_large")
    extra = incubator("more", 119.9975 + column * 0.0025, 28.0075 + line * 0.0025)
    before, after = cover(*records), cover(*records, extra)
    for old, new in zip(before.towns, after.towns, strict=True):
        assert order.index(new.state) >= order.index(old.state)
    assert after.summary.covered_share >= before.summary.covered_share


def test_the_same_on_many_random_points_as_shapely_one_by_one():
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(119.995, 120.035, 300), rng.uniform(28.005, 28.035, 300)
    records = [incubator(f"i{n:03}", x, y) for n, (x, y) in enumerate(zip(lon, lat, strict=True))]
    answer = cover(*records)
    outlines = worlds.divisions().set_index("code").geometry
    for code in ("A1", "A2", "A4", "B"):
        expected = [r["id"] for r in records if outlines[code].covers(r["geometry"])]
        assert list(row(answer, code).incubators) == expected


# --- industries and units ------------------------------------------------------------------------

INDUSTRIES = {
    "industries": [
        {"key": "shoes", "name": "Shoes", "aliases": ["Footwear"], "codes": ["C195"], "group": "p"},
        {"key": "pumps", "name": "Pumps", "aliases": [], "codes": ["C344"], "group": "p"},
        {"key": "sea", "name": "Sea", "aliases": [], "codes": [], "group": "e"},
    ],
    "per_unit": {"chain_leader_built": 1, "twenty_incubators_per_year": 1},
}


def cover_both(*records):
    return cover_industries(
        incubators(*records),
        units=worlds.units(),
        rule=INDUSTRIES,
        towns_rule=TOWNS_RULE,
        as_of=AS_OF,
    )


def test_industries_by_name_alias_and_code_in_city_and_unit():
    answer = cover_both(
        incubator("i1", 120.0, 28.0, unit="North", lead_industries=["footwear"], area_m2=30000.0),
        incubator("i2", 120.0, 28.0, unit="N", lead_industries=[], industry_codes=["C3441"]),
        incubator("i3", 120.0, 28.0, unit="West", lead_industries=["Sea"], status="planned"),
        incubator(
            "i4", 120.0, 28.0, unit="West", lead_industries=["Cheese"], industry_codes=["C34"]
        ),
    )
    assert {row.key: row.state for row in answer.industries} == {
        "shoes": "operating_large",
        "pumps": "operating",
        "sea": "planned_only",
    }
    assert answer.summary.covered_share == pytest.approx(2 / 3, abs=1e-6)
    cells = {row.unit: {k: c.state for k, c in row.industries.items()} for row in answer.units}
    assert cells["North"] == {"shoes": "operating_large", "pumps": "operating", "sea": "none"}
    assert cells["Port"] == {"shoes": "none", "pumps": "none", "sea": "none"}
    assert [(u.id, u.industry) for u in answer.unknown] == [("i4", "Cheese")]
    shoes = answer.to_json()["industries"][0]
    assert shoes["units"]["North"] == {"state": "operating_large", "incubators": ["i1"]}
    assert answer.unit_names == ("North", "Port", "West")


def test_units_need_a_chain_leader_and_one_of_the_batch_each_year():
    records = [
        incubator("i1", 120.0, 28.0, unit="North", chain_leader_built=True, twenty_batch=2025,
                  twenty_kind="new"),
        incubator("i2", 120.0, 28.0, unit="North", twenty_batch=2026, twenty_kind="upgrade"),
        incubator("i3", 120.0, 28.0, unit="Port", chain_leader_built=True, status="planned"),
    ]  # fmt: skip
    answer = cover_units(
        incubators(*records),
        units=worlds.units(),
        rule=INDUSTRIES,
        towns_rule=TOWNS_RULE,
        as_of=AS_OF,
        years=(2025, 2026, 2027),
    )
    north, port, _ = answer.units
    assert north.ok
    assert [(batch.count, batch.ok) for batch in north.twenty_years] == [
        (1, True),
        (1, True),
        (0, None),
    ]
    assert (port.chain_leader_built, port.chain_leader_ok, port.ok) == (0, False, False)
    assert (answer.city.twenty, answer.city.twenty_years[0].new) == (2, 1)
    assert answer.summary["ok"] == 1
    assert answer.summary["without_operating"] == ["Port", "West"]


def test_covered_states_are_both_operating_ones():
    assert COVERED == ("operating_large", "operating")
