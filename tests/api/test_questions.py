"""The questions, asked of real stores: made-up cities with known answers, and the bundled one."""

import orjson
import pytest
import shapely

from api.questions.amenities import ask_amenities
from api.questions.check import ask_check
from api.questions.coverage import ask_industry_coverage, ask_town_coverage
from api.questions.incubators import ask_incubators
from api.questions.structure import ask_structure
from api.questions.targets import ask_targets
from api.questions.unit_coverage import ask_unit_coverage
from geo.errors import InputError, NotFoundError
from layers.boundaries import refresh_units
from layers.imports import import_file
from layers.pack import install_pack, load_pack
from layers.query import Query
from layers.store import Store, create_store, open_store
from tests.api.city import TINYTOWN
from tests.geo.worlds import frame, incubator

DAY = "2026-11-24"

RECORDS = [
    incubator("i1", -56.15, -34.55, area_m2=9000.0, unit="Northbank", lead_industries=["Boats"]),
    incubator("i2", -56.05, -34.55, area_m2=900.0, unit="Northbank", status="planned",
              twenty_batch=2026, twenty_kind="new"),
    incubator("i3", -56.04, -34.66, area_m2=4000.0, unit="Harbour", lead_industries=["Cheese"]),
    incubator("i4", -56.10, -34.62, area_m2=4000.0, town_code="TT-S2", chain_leader_built=True,
              provenance="demo"),
    incubator("i5", -56.10, -34.52, unit="Northbank", status="withdrawn"),
]  # fmt: skip


def culture(key, lon, kind, category="leisure"):
    return {"id": key, "name": key, "category": category, "cultural_kind": kind,
            "provenance": "imported", "geometry": shapely.Point(lon, -34.55)}  # fmt: skip


AMENITIES = [
    culture("a1", -56.151, "venue"),
    culture("a2", -56.152, "space"),
    culture("a3", -56.153, "space", "cafe"),
    culture("a4", -56.051, "space"),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Store:
    path = tmp_path_factory.mktemp("tiny") / "city.gpkg"
    with create_store(path) as store:
        install_pack(store, load_pack(TINYTOWN))
        with store.edit("test") as edit:
            edit.insert("incubators", frame(RECORDS))
            edit.insert("amenities", frame(AMENITIES))
    with open_store(path) as store:
        yield store


@pytest.fixture(scope="module")
def bundled(tmp_path_factory, shared_data) -> Store:
    path = tmp_path_factory.mktemp("bundled") / "city.gpkg"
    with create_store(path) as store:
        install_pack(store, load_pack("wenzhou"))
        refresh_units(store)
        towns = shared_data / "wenzhou_townships_wgs84.geojson"
        import_file(store, "divisions", towns, datum="wgs84", columns={"code": "street_code"})
    with open_store(path) as store:
        yield store


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Store:
    path = tmp_path_factory.mktemp("empty") / "city.gpkg"
    with create_store(path) as store:
        install_pack(store, load_pack("none"))
    with open_store(path) as store:
        yield store


def test_towns_of_a_city_on_the_other_side_of_the_world(tiny):
    answer = ask_town_coverage(tiny, as_of=DAY)
    found = {town.name: (town.state, town.evidence) for town in answer.towns}
    assert found == {
        "North One": ("operating_large", "polygon"),
        "North Two": ("planned_only", "polygon"),
        "Southwick": ("none", "distance"),
        "Southby": ("operating", "declared"),
        "Harbour": ("operating", "polygon"),
    }
    assert answer.rule["name"] == "towns"
    assert answer.rule["version"] == 1
    assert answer.rule["large_area_m2"] == 5000
    assert answer.demo_counted


def test_without_demo_records_and_for_one_unit(tiny):
    answer = ask_town_coverage(tiny, as_of=DAY, demo=False)
    assert next(town for town in answer.towns if town.name == "Southby").state == "none"
    assert not answer.demo_counted
    north = ask_town_coverage(tiny, as_of=DAY, unit="TT-N")
    assert [town.name for town in north.towns] == ["North One", "North Two"]
    assert north.summary.covered_share == 0.5
    assert [unit.unit for unit in north.units] == ["Northbank"]
    assert north.demo_counted  # a demo record is the nearest to one of them
    assert not ask_town_coverage(tiny, as_of=DAY, unit="TT-N", demo=False).demo_counted


def test_unknown_units_and_days_are_refused_with_the_way_out(tiny):
    for ask in (ask_town_coverage, ask_industry_coverage, ask_unit_coverage, ask_targets):
        with pytest.raises(NotFoundError, match="Northbank, Southbank, Harbour"):
            ask(tiny, unit="Westbank")
        with pytest.raises(InputError, match="2026-02-30"):
            ask(tiny, as_of="2026-02-30")


def test_industries_of_the_city_and_of_one_unit(tiny):
    city = ask_industry_coverage(tiny, as_of=DAY)
    assert {row.key: row.state for row in city.industries} == {
        "boats": "operating_large",
        "cheese": "operating",
        "robots": "none",
    }
    north = ask_industry_coverage(tiny, as_of=DAY, unit="Northbank")
    assert {row.key: row.state for row in north.industries} == {
        "boats": "operating_large",
        "cheese": "none",
        "robots": "none",
    }
    assert north.unit_names == ("Northbank",)


def test_units_and_goals(tiny):
    answer = ask_unit_coverage(tiny, as_of=DAY)
    rows = {row.unit: row for row in answer.units}
    assert (rows["Harbour"].operating, rows["Harbour"].chain_leader_ok) == (1, False)
    assert rows["Northbank"].twenty == 1
    assert rows["Southbank"].chain_leader_ok
    assert ask_unit_coverage(tiny, as_of=DAY, unit="Harbour").summary["total"] == 1


def test_amenities_of_all_and_of_one(tiny):
    report = ask_amenities(tiny)
    assert [row.id for row in report.rows] == ["i1", "i2", "i3", "i4"]
    one = ask_amenities(tiny, incubator="i1").to_json()
    assert one["rules"]["name"] == "amenities"
    assert one["rows"][0]["compliance"]["ok"] is True
    assert one["rows"][0]["planning"] is None
    assert one["rows"][0]["circle"]["categories"]["cafe"]["count"] == 1
    alone = ask_amenities(tiny, incubator="i2", test="compliance").rows[0]
    assert (alone.compliance.ok, alone.circle) == (False, None)
    with pytest.raises(NotFoundError, match="'i99'"):
        ask_amenities(tiny, incubator="i99")
    with pytest.raises(InputError, match="'walk'"):
        ask_amenities(tiny, test="walk")


def test_walking_minutes_where_there_are_streets(tiny, tmp_path):
    path = tmp_path / "streets.gpkg"
    tiny.backup(path)
    way = {"id": "w1", "name": "Long Street", "highway": "residential", "provenance": "imported",
           "geometry": shapely.LineString([(-56.16, -34.55), (-56.15, -34.55)])}  # fmt: skip
    with open_store(path, write=True) as store:
        with store.edit("test") as edit:
            edit.insert("streets", frame([way]))
        rows = {row.id: row for row in ask_amenities(store, test="planning").rows}
    walked = rows["i1"].planning
    assert walked.network
    assert walked.categories["leisure"].count == 2
    # 0.001 degrees of longitude at 34.55 south are 91.8 m, 1.4 minutes at 4 km/h.
    assert walked.categories["leisure"].nearest_minutes == pytest.approx(1.4, abs=0.05)
    assert rows["i3"].planning is None
    assert rows["i3"].planning_note == "no_street_within_reach"


def test_structure(tiny):
    report = ask_structure(tiny, as_of=DAY)
    assert report.city.operating == 3
    assert report.city.area_m2 == 17000.0
    assert report.city.towns.total == 5
    assert report.concentration.hhi_targets is not None


def test_targets_and_their_filters(tiny):
    report = ask_targets(tiny, as_of=DAY)
    assert report.rule["name"] == "targets"
    assert all(check.ok for check in report.checks)
    only = ask_targets(tiny, unit="TT-N", year=2026, indicator="firms", as_of=DAY)
    assert [(row.unit, row.target, row.missing) for row in only.rows] == [
        ("Northbank", 60.0, ("progress",))
    ]
    with pytest.raises(NotFoundError, match="known: firms, space_m2"):
        ask_targets(tiny, indicator="cheese")


def test_incubators_by_pages(tiny):
    first = ask_incubators(tiny, Query(limit=2, order_by="name"))
    body = first.to_json()
    assert (body["type"], body["total"], len(body["features"])) == ("FeatureCollection", 5, 2)
    assert not first.demo_counted
    rest = ask_incubators(
        tiny, Query(order_by="name", limit=3, after=None, where={"unit": "Harbour"})
    )
    assert [feature["properties"]["id"] for feature in rest.to_json()["features"]] == ["i3"]
    assert "next" not in rest.to_json()
    assert "contact" not in body["features"][0]["properties"]


def test_the_bundled_city_with_real_townships(bundled):
    answer = ask_town_coverage(bundled, as_of=DAY)
    assert answer.summary.total == 34
    by_name = {town.name: town for town in answer.towns}
    assert [town.name for town in answer.towns if not town.has_outline] == ["瓯北街道"]
    port = by_name["龙港市"]
    assert (port.is_unit, port.unit, port.has_outline) == (True, "龙港市", True)
    # Their carriers are placed at the town only, so the record says where they are.
    assert {t.name for t in answer.towns if t.evidence == "declared"} <= {"仰义街道", "汀田街道"}
    assert by_name["瓯北街道"].evidence == "distance"
    assert by_name["瓯北街道"].nearest is not None
    assert not answer.demo_counted
    assert sum(unit.summary.total for unit in answer.units) == 34
    assert len(answer.units) == 13


def test_the_bundled_plan_is_checked_and_an_edit_that_breaks_it_is_named(bundled, tmp_path):
    report = ask_targets(bundled, as_of=DAY)
    assert sum(check.name.startswith("sum:") and check.ok for check in report.checks) == 21
    assert {one.indicator for one in report.missing} >= {"provincial_incubators", "jobs"}
    path = tmp_path / "broken.gpkg"
    bundled.backup(path)
    with open_store(path, write=True) as store:
        target = store.read("plan_targets", Query(where={"unit": "乐清市", "year": 2026})).iloc[0]
        with store.edit("a clerk", "typing error") as edit:
            edit.update("plan_targets", target["id"], value=float(target["value"]) + 1)
        broken = ask_check(store)
    assert not broken.ok
    name = f"sum:{target['indicator']}:2026"
    [found] = [finding for finding in broken.findings if finding.name == name]
    assert f"{target['id']} (乐清市): {target['value']} → {target['value'] + 1} (a clerk)" in (
        found.detail_en
    )


def test_all_goals_of_the_bundled_plan_are_told(bundled):
    goals = ask_unit_coverage(bundled, as_of=DAY).goals
    assert [goal.id for goal in goals] == [f"T{number}" for number in range(1, 28)]
    for goal in goals:
        assert goal.value is not None or goal.missing


def test_every_answer_of_every_city_is_json(tiny, bundled, empty):
    questions = (
        ask_town_coverage, ask_industry_coverage, ask_unit_coverage, ask_amenities, ask_structure,
        ask_targets, ask_check, ask_incubators,
    )  # fmt: skip
    for store in (tiny, bundled, empty):
        for ask in questions:
            text = orjson.dumps(ask(store).to_json())
            assert b"NaN" not in text
