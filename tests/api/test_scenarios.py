"""Scenarios by API: what if, undo, share, compare, adopt; wrong input; nothing else is touched."""

import re
import shutil

import pandas as pd
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import load_settings
from layers.store import open_store
from tests.api.conftest import TOKEN

STAFF = {"Authorization": f"Bearer {TOKEN}"}
PLACE = "lon=-56.1&lat=-34.62"
# Every question by its address in the API, as it is asked here.
QUESTIONS = {
    "/api/amenities": "",
    "/api/amenities/board": "",
    "/api/amenities/gaps": "",
    "/api/amenities/records": "",
    "/api/check": "",
    "/api/coverage/industries": "",
    "/api/coverage/towns": "",
    "/api/coverage/towns/actions": "",
    "/api/coverage/trend": "",
    "/api/coverage/units": "",
    "/api/incubators": "",
    "/api/incubators/{incubator}": "",
    "/api/incubators/{incubator}/amenities": "",
    "/api/map/{name}.geojson": "",
    "/api/reach": f"?{PLACE}",
    "/api/spaces": "",
    "/api/spaces/{space}": "",
    "/api/structure": "",
    "/api/structure/compare": "?after=none",
    "/api/structure/records": "",
    "/api/structure/versions": "",
    "/api/targets": "",
    "/api/targets/map": "?goal=T1",
    "/api/targets/records": "?indicator=space_m2",
    "/tiles/access/{category}/{z}/{x}/{y}.png": "",
    "/tiles/{name}/{z}/{x}/{y}.mvt": "",
}
ABSENT = ("/api/structure/compare", "/api/targets/map")  # this city has no readings, no goals
# The staff's own, jobs (`test_effect` asks what they do), the store itself.
OTHERS = ("/api/batches", "/api/deals", "/api/demands", "/api/jobs", "/api/match", "/api/records",
          "/api/report", "/api/scenarios", "/health")  # fmt: skip


@pytest.fixture
def desk(city, tmp_path):
    """A server of its own with the small city, signed in as staff."""
    path = tmp_path / "hatchmap.gpkg"
    shutil.copy(city, path)
    app = create_app(load_settings(store=path, data=tmp_path, staff_token=TOKEN))
    # Without its lifespan: nothing is warmed up that a test does not ask.
    yield TestClient(app, raise_server_exceptions=False, headers=STAFF)
    app.state.store.close()


@pytest.fixture
def stranger(desk):
    """The same server for someone who is not signed in."""
    return TestClient(desk.app, raise_server_exceptions=False)


def make(desk, name="Plan A", **more):
    answer = desk.post("/api/scenarios", json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def change(desk, scenario, *changes):
    return desk.post(f"/api/scenarios/{scenario}/changes", json={"changes": list(changes)})


def uncovered(desk) -> dict:
    towns = desk.get("/api/coverage/towns").json()["towns"]
    return next(town for town in towns if town["state"] in ("none", "planned_only"))


def drop(town, desk, **values):
    """An operating incubator at the seat of a town."""
    base = open_store(desk.app.state.store.path)
    with base:
        frame = base.read("industrial_towns")
    point = frame[frame["code"] == town["code"]].geometry.iloc[0]
    return {
        "layer": "incubators",
        "action": "add",
        "values": {
            "name": "New hall",
            "status": "operating",
            "opened_on": "2026-01-01",
            "area_m2": 30_000,
            "geometry": {"type": "Point", "coordinates": [point.x, point.y]},
            **values,
        },
    }


def incubator(desk, number=0):
    return desk.get("/api/incubators?limit=5").json()["features"][number]["properties"]


def test_without_changes_every_question_answers_as_the_layers(desk):
    paths = desk.app.openapi()["paths"].items()
    asked = {path for path, doors in paths if "get" in doors and not path.startswith(OTHERS)}
    assert asked == QUESTIONS.keys()
    scenario = make(desk)
    parts = {
        "incubator": incubator(desk)["id"],
        "space": desk.get("/api/spaces?limit=1").json()["features"][0]["properties"]["id"],
        "category": desk.app.state.store.get().rules("amenities").body["categories"][0]["key"],
        "name": "industrial_towns", "z": 10, "x": 353, "y": 616,
    }  # fmt: skip
    for template, query in QUESTIONS.items():
        path = (template + query).format(**parts)
        join = "&" if "?" in path else "?"
        real, seen = desk.get(path), desk.get(f"{path}{join}scenario={scenario}")
        expected = (404,) if template in ABSENT else (200, 204)
        assert seen.status_code == real.status_code in expected, (path, real.text)
        assert seen.content == real.content, path


def test_long_work_is_asked_of_the_scenario_too(desk):
    town, empty, full = uncovered(desk), make(desk), make(desk, "Plan B")
    change(desk, full, drop(town, desk))
    with TestClient(desk.app, headers=STAFF) as running:
        asked = {"model": "towns", "source": "grid", "within_m": 9_000}
        real, same, other = (
            running.post(f"/api/siting{query}", json=asked).json()
            for query in ("", f"?scenario={empty}", f"?scenario={full}")
        )
    assert same["chosen"] == real["chosen"]
    assert (real["towns"], other["towns"]) == (1, 0)


def test_a_dropped_incubator_covers_its_town_and_only_there(desk):
    town, scenario = uncovered(desk), make(desk)
    before = desk.get("/api/coverage/towns").json()["summary"]
    asked = drop(town, desk)
    lon, lat = asked["values"]["geometry"]["coordinates"]
    tried = desk.post(
        f"/api/scenarios/{scenario}/effect", json={"changes": [asked], "lon": lon, "lat": lat}
    ).json()
    assert [one["code"] for one in tried["won"]] == [town["code"]]
    assert tried["lost"] == []
    assert tried["covered"]["difference"] == 1
    assert [zone["properties"]["minutes"] for zone in tried["zone"]["features"]] == [5, 10, 15]
    # Nothing is kept by asking.
    assert desk.get(f"/api/scenarios/{scenario}").json()["changes"] == []
    kept = change(desk, scenario, asked).json()
    assert kept["changes"][0]["after"]["unit"] == town["unit"]
    seen = desk.get(f"/api/coverage/towns?scenario={scenario}").json()
    row = next(one for one in seen["towns"] if one["code"] == town["code"])
    assert row["state"] == "operating_large"
    assert desk.get("/api/coverage/towns").json()["summary"] == before
    effect = desk.get(f"/api/scenarios/{scenario}/effect").json()
    assert [one["code"] for one in effect["won"]] == [town["code"]]


def test_each_change_can_be_undone_and_done_again(desk):
    scenario, real = make(desk), incubator(desk)
    wanted = {"layer": "incubators", "record": real["id"], "action": "change"}
    kept = change(
        desk,
        scenario,
        {**wanted, "values": {"area_m2": 12}},
        {**wanted, "values": {"area_m2": 34, "name": "Other"}},
    ).json()
    assert kept["net"][0]["after"] == {"area_m2": 34.0, "name": "Other"}
    assert kept["net"][0]["before"]["area_m2"] == real["area_m2"]
    last = kept["changes"][1]["id"]
    path = f"/api/scenarios/{scenario}/changes/{last}"
    undone = desk.patch(path, json={"undone": True}).json()
    assert undone["net"][0]["after"] == {"area_m2": 12.0}
    again = desk.patch(path, json={"undone": False}).json()
    assert again["net"] == kept["net"]


def test_rules_and_targets_change_too(desk):
    scenario = make(desk)
    targets = desk.get("/api/targets").json()["rows"]
    answer = change(
        desk,
        scenario,
        {"layer": "rules", "action": "change", "record": "towns", "values": {"large_area_m2": 9}},
        {
            "layer": "plan_targets",
            "action": "change",
            "record": "target-01",
            "values": {"value": 120_000},
        },
    )
    assert answer.status_code == 201, answer.text
    rule = desk.get(f"/api/coverage/towns?scenario={scenario}").json()["rule"]
    assert (rule["large_area_m2"], rule["version"]) == (9, 2)
    rows = desk.get(f"/api/targets?scenario={scenario}").json()["rows"]
    changed = [
        (old["target"], new["target"])
        for old, new in zip(targets, rows, strict=True)
        if old["target"] != new["target"]
    ]
    assert changed == [(60_000, 120_000)]


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        (
            {"layer": "plan_targets", "action": "add",
             "values": {"unit": "Nowhere", "year": 2026, "indicator": "firms", "issuer": "x",
                        "value": 5}},
            {"unit"},
        ),
        (
            {"layer": "incubators", "action": "add",
             "values": {"name": "Far", "status": "operating", "area_m2": -1,
                        "geometry": {"type": "Point", "coordinates": [10.0, 10.0]}}},
            {"geometry", "area_m2"},
        ),
        ({"layer": "incubators", "action": "add", "values": {"nome": "x"}},
         {"nome", "name", "status", "geometry"}),
        ({"layer": "spaces", "action": "add",
          "values": {"incubator": "none", "area_m2": 10,
                     "geometry": {"type": "Point", "coordinates": [-56.1, -34.62]}}},
         {"incubator"}),
        ({"layer": "rules", "action": "change", "record": "towns",
          "values": {"large_area": 1, "nearest.walk_km_h": "quick"}},
         {"large_area", "nearest.walk_km_h"}),
    ],
)  # fmt: skip
def test_what_the_layers_do_not_allow_is_refused_with_all_faults(desk, wanted, where):
    scenario = make(desk)
    answer = change(desk, scenario, wanted)
    assert answer.status_code == 422, answer.text
    assert {fault["where"] for fault in answer.json()["errors"]} == where
    assert desk.get(f"/api/scenarios/{scenario}").json()["changes"] == []


def test_records_of_any_layer_are_found_and_changed(desk):
    scenario = make(desk)
    path = f"/api/scenarios/{scenario}/records"
    for layer in ("incubators", "projects", "sites", "spaces", "amenities"):
        listed = desk.get(f"{path}/{layer}").json()["records"]
        assert listed, layer
        first = listed[0]
        told = desk.get(f"{path}/{layer}/{first['id']}").json()
        assert told["values"].get("name", "") == first["name"]
        assert first in desk.get(f"{path}/{layer}", params={"text": first["id"]}).json()["records"]
        wanted = {"layer": layer, "record": first["id"], "action": "change"}
        assert change(desk, scenario, {**wanted, "values": {"name": "Renamed"}}).status_code == 201
        assert desk.get(f"{path}/{layer}/{first['id']}").json()["values"]["name"] == "Renamed"
        found = desk.get(f"{path}/{layer}?text=renam").json()["records"]
        assert found == [{"id": first["id"], "name": "Renamed"}]
    assert "contact" not in desk.get(f"{path}/incubators/{incubator(desk)['id']}").json()["values"]
    for wrong in ("/tenants", "/demands/none", "/scenarios", "/projects/none"):
        assert desk.get(path + wrong).status_code == 404, wrong


def test_a_place_and_a_value_can_be_emptied_where_the_layer_allows_it(desk):
    scenario = make(desk)
    held = desk.get(f"/api/scenarios/{scenario}/records/projects").json()["records"]
    wanted = {"layer": "projects", "record": held[0]["id"], "action": "change"}
    kept = change(desk, scenario, {**wanted, "values": {"geometry": None, "area_m2": None}}).json()
    (net,) = kept["net"]
    assert net["after"] == {"geometry": None, "area_m2": None}
    assert net["before"]["geometry"]["type"] == "Point"
    path = f"/api/scenarios/{scenario}/records/projects/{held[0]['id']}"
    assert {"geometry", "area_m2"}.isdisjoint(desk.get(path).json()["values"])
    # Nothing is left to empty, and an incubator must stand somewhere.
    assert change(desk, scenario, {**wanted, "values": {"geometry": None}}).status_code == 422
    of_incubator = {"layer": "incubators", "record": incubator(desk)["id"], "action": "change"}
    refused = change(desk, scenario, {**of_incubator, "values": {"geometry": None}})
    assert [fault["where"] for fault in refused.json()["errors"]] == ["geometry"]
    assert desk.post(f"/api/scenarios/{scenario}/adopt", json={}).json()["written"] == {
        "projects": 1
    }


def test_a_city_without_an_outline_is_told(desk):
    scenario = make(desk)
    assert 'id="no-outline"' not in desk.get(f"/scenarios/{scenario}").text
    with desk.app.state.store.edit("no outline") as edit:
        edit.clear("divisions")
        units = edit.read("reporting_units")[["id", "geometry"]]
        units.geometry = [None] * len(units)
        edit.upsert("reporting_units", units)
    assert 'id="no-outline"' in desk.get(f"/scenarios/{scenario}").text
    far = {"type": "Point", "coordinates": [10.0, 10.0]}
    values = {"name": "Far", "status": "planned", "geometry": far}
    added = {"layer": "incubators", "action": "add", "values": values}
    assert change(desk, scenario, added).status_code == 201


def test_names_records_and_layers_must_exist(desk):
    scenario = make(desk)
    assert desk.post("/api/scenarios", json={"name": " Plan A "}).status_code == 422
    assert desk.post("/api/scenarios", json={"name": "  "}).status_code == 422
    for wanted in (
        {"layer": "tenants", "action": "add", "values": {}},
        {"layer": "nothing", "action": "add", "values": {}},
        {"layer": "incubators", "action": "remove", "record": "none"},
        {"layer": "rules", "action": "change", "record": "none", "values": {"a": 1}},
    ):
        assert change(desk, scenario, wanted).status_code == 404, wanted
    assert desk.get("/api/coverage/towns?scenario=none").status_code == 404


def test_only_staff_and_holders_of_the_link_see_it(desk, stranger):
    scenario = make(desk)
    path = f"/api/coverage/towns?scenario={scenario}"
    assert stranger.get(path).status_code == 401
    assert stranger.get("/api/coverage/towns?scenario=none").status_code == 401
    assert stranger.get("/api/scenarios").status_code == 401
    assert stranger.get(f"/api/scenarios/{scenario}").status_code == 401
    link = desk.post(f"/api/scenarios/{scenario}/share").json()["link"]
    secret = link.rpartition("/")[2]
    opened = stranger.get(link, follow_redirects=False)
    assert opened.headers["location"] == f"/?scenario={scenario}"
    assert secret not in opened.headers["location"]
    answer = stranger.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"].startswith("private")
    assert stranger.get(f"/api/scenarios/{scenario}").status_code == 401
    # Only a hash of the secret is kept, and a link that has ended opens nothing.
    assert secret.encode() not in desk.app.state.store.path.read_bytes()
    assert desk.delete(f"/api/scenarios/{scenario}/share").status_code == 204
    assert stranger.get(path).status_code == 401
    assert stranger.get(link, follow_redirects=False).status_code == 404


def test_a_page_of_a_scenario_says_so_and_keeps_it(desk):
    scenario = make(desk, "Plan <b>")
    page = desk.get(f"/coverage?scenario={scenario}&lang=en").text
    assert "Scenario: Plan &lt;b&gt;" in page
    assert f"/targets?scenario={scenario}&amp;lang=en" in page
    assert "Scenario:" not in desk.get("/coverage?lang=en").text


def test_the_search_keeps_the_scenario_and_counts_it_as_no_filter(desk):
    plan = make(desk)
    page = desk.get(f"/find?lang=en&scenario={plan}&kind=rd&unit=Nowhere").text
    assert f'name="scenario" value="{plan}"' in page
    assert 'data-drop="scenario"' not in page
    dropped = re.findall(r'href="([^"]+)" data-find data-drop', page)
    assert len(dropped) == 2
    assert all(f"scenario={plan}" in address for address in dropped)


def test_nothing_is_written_to_the_layers_while_a_scenario_is_shown(desk):
    scenario = make(desk)
    batch = desk.get("/api/batches").json()
    answer = desk.post(f"/api/batches/1/undo?scenario={scenario}")
    assert answer.status_code == 409
    assert "scenario" in answer.json()["detail"]
    assert desk.get("/api/batches").json() == batch


def test_adoption_writes_one_edit_that_names_the_scenario(desk):
    town, scenario = uncovered(desk), make(desk)
    kept = change(desk, scenario, drop(town, desk)).json()
    done = desk.post(f"/api/scenarios/{scenario}/adopt", json={})
    assert done.json()["written"] == {"incubators": 1}
    after = desk.get("/api/coverage/towns").json()
    row = next(one for one in after["towns"] if one["code"] == town["code"])
    assert row["state"] == "operating_large"
    record = kept["changes"][0]["record"]
    with open_store(desk.app.state.store.path) as store:
        (born,) = store.history("incubators", record)
    assert (born.action, born.who, born.note) == ("insert", "staff", "adopted scenario Plan A")
    assert desk.get(f"/api/scenarios/{scenario}").json()["state"] == "adopted"
    assert change(desk, scenario, drop(town, desk)).status_code == 422
    assert desk.post(f"/api/scenarios/{scenario}/adopt", json={}).status_code == 422


def test_two_scenarios_of_one_record_must_be_decided(desk):
    real = incubator(desk)
    one, other = make(desk, "One"), make(desk, "Other")
    wanted = {"layer": "incubators", "record": real["id"], "action": "change"}
    change(desk, one, {**wanted, "values": {"area_m2": 111, "name": "First"}})
    change(desk, other, {**wanted, "values": {"area_m2": 222, "operator": "Second"}})
    assert desk.post(f"/api/scenarios/{one}/adopt", json={}).status_code == 200
    refused = desk.post(f"/api/scenarios/{other}/adopt", json={})
    assert refused.status_code == 409
    (conflict,) = desk.get(f"/api/scenarios/{other}/conflicts").json()["conflicts"]
    assert conflict["key"] == f"incubators/{real['id']}/area_m2"
    assert (conflict["was"], conflict["now"], conflict["wanted"]) == (real["area_m2"], 111, 222)
    assert conflict["other"] == "One"
    assert incubator(desk)["area_m2"] == 111
    wrong = desk.post(f"/api/scenarios/{other}/adopt", json={"choices": {"x": "real"}})
    assert wrong.status_code == 422
    done = desk.post(
        f"/api/scenarios/{other}/adopt", json={"choices": {conflict["key"]: "real"}}
    ).json()
    assert done["left"] == [conflict["key"]]
    after = incubator(desk)
    assert (after["area_m2"], after["name"], after["operator"]) == (111, "First", "Second")


def test_a_record_that_went_leaves_its_change_stale(desk):
    real, scenario = incubator(desk), make(desk)
    change(
        desk,
        scenario,
        {"layer": "incubators", "record": real["id"], "action": "change",
         "values": {"area_m2": 5}},
    )  # fmt: skip
    with desk.app.state.store.edit("gone") as edit:
        edit.delete("incubators", real["id"])
    report = desk.get(f"/api/scenarios/{scenario}").json()
    assert [one["record"] for one in report["stale"]] == [real["id"]]
    assert desk.get(f"/api/coverage/towns?scenario={scenario}").status_code == 200
    (conflict,) = desk.get(f"/api/scenarios/{scenario}/conflicts").json()["conflicts"]
    assert conflict["why"] == "gone"
    assert desk.post(f"/api/scenarios/{scenario}/adopt", json={}).status_code == 409
    done = desk.post(f"/api/scenarios/{scenario}/adopt", json={"everywhere": "real"}).json()
    assert done["written"] == {}


def test_a_copy_goes_its_own_way_and_the_archive_takes_no_changes(desk):
    town, scenario = uncovered(desk), make(desk)
    change(desk, scenario, drop(town, desk))
    copy = make(desk, "Plan B", copy_of=scenario)
    report = desk.get(f"/api/scenarios/{copy}").json()
    assert report["net"][0]["record"] == f"incubators-{copy}-1"
    assert desk.patch(f"/api/scenarios/{copy}", json={"state": "archived"}).status_code == 200
    assert change(desk, copy, drop(town, desk)).status_code == 422
    listed = desk.get("/api/scenarios").json()["scenarios"]
    assert [(one["name"], one["state"], one["changes"]) for one in listed] == [
        ("Plan B", "archived", 1),
        ("Plan A", "draft", 1),
    ]
    assert "share_hash" not in listed[0]
    assert desk.delete(f"/api/scenarios/{copy}").status_code == 204
    assert desk.get(f"/api/scenarios/{copy}").status_code == 404


def test_scenarios_leave_the_token_of_the_layers(desk):
    before = desk.get("/api/coverage/towns").headers["etag"]
    change(desk, make(desk), drop(uncovered(desk), desk))
    assert desk.get("/api/coverage/towns").headers["etag"] == before


def test_a_programme_becomes_a_scenario(desk):
    town = uncovered(desk)
    lon, lat = drop(town, desk)["values"]["geometry"]["coordinates"]
    sites = [{"name": "A", "lon": lon, "lat": lat, "year": 2027, "area_m2": 9000}]
    made = desk.post("/api/scenarios/programme", json={"name": "Programme", "sites": sites}).json()
    kept = {change["layer"]: change["after"] for change in made["net"]}
    assert kept["incubators"]["status"] == "planned"
    assert kept["projects"]["year"] == 2027
    outside = [{"name": "B", "lon": 10.0, "lat": 10.0}]
    wrong = desk.post("/api/scenarios/programme", json={"name": "Far", "sites": outside})
    assert wrong.status_code == 422
    names = [one["name"] for one in desk.get("/api/scenarios").json()["scenarios"]]
    assert names == ["Programme"]


def test_the_pages_are_the_staffs(desk, stranger):
    scenario = make(desk)
    assert stranger.get(f"/scenarios/compare?ids=base,{scenario}").status_code == 401
    for path in ("/scenarios", f"/scenarios/{scenario}"):
        assert stranger.get(path).status_code == 401
        assert desk.get(path).status_code == 200
    again = desk.post("/scenarios", data={"name": "Plan A"})
    assert again.status_code == 422
    assert "Plan A" in again.text


def test_what_is_opened_comes_on_top_of_what_was_reported(desk):
    town, scenario = uncovered(desk), make(desk)
    with desk.app.state.store.edit("report") as edit:
        edit.insert(
            "progress",
            pd.DataFrame(
                {
                    "id": ["known"],
                    "unit": [town["unit"]],
                    "year": [2026],
                    "indicator": ["incubation_area_10k_m2"],
                    "value": [1.0],
                    "reported_on": ["2026-11-01"],
                }
            ),
        )
        edit.insert(
            "plan_targets",
            pd.DataFrame(
                {
                    "unit": [town["unit"]],
                    "year": [2026],
                    "indicator": ["incubation_area_10k_m2"],
                    "issuer": ["Council"],
                    "value": [10.0],
                }
            ),
        )
    asked = {"changes": [drop(town, desk)]}
    effect = desk.post(f"/api/scenarios/{scenario}/effect", json=asked).json()
    (row,) = (one for one in effect["targets"] if one["unit"] == town["unit"])
    assert (row["before"], row["after"]) == (pytest.approx(0.1), pytest.approx(0.4))
