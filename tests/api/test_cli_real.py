"""The first city on its real files, from an empty folder to the answers, by the command alone."""

import pytest

from tests.api.command import run

WITHOUT_OUTLINE = {"瓯北街道"}  # the one town that the file of townships lacks


@pytest.fixture(scope="module")
def store(tmp_path_factory, shared_data):
    path = tmp_path_factory.mktemp("city") / "hatchmap.gpkg"
    assert run("init", "--no-demo", "--store", path).code == 0
    townships = shared_data / "wenzhou_townships_wgs84.geojson"
    answer = run(
        "import", "divisions", townships, "--datum", "wgs84", "--map", "code=street_code",
        "--store", path, "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert answer.json["written"] == answer.json["rows"] == 135
    return path


def test_evidence_is_the_outline_wherever_there_is_one(store):
    towns = run("coverage", "towns", "--store", store, "--json").json["towns"]
    assert len(towns) == 34
    assert {town["name"] for town in towns if not town["has_outline"]} == WITHOUT_OUTLINE
    listed = [town for town in towns if town["status"] == "proxy"]
    bare = {town["name"] for town in listed if town["evidence"] != "polygon"}
    assert bare == WITHOUT_OUTLINE
    # Elsewhere a record may know the town better than its place, which is that of the town.
    assert {town["evidence"] for town in towns} <= {"polygon", "declared", "distance"}


def test_check_finds_the_overlap(store):
    answer = run("check", "--store", store, "--json")
    assert answer.code == 1
    errors = [one for one in answer.json["findings"] if one["level"] == "error"]
    assert [one["name"] for one in errors] == ["overlap"]
    assert "龙港镇" in errors[0]["detail_zh"]
    assert "龙港市" in errors[0]["detail_zh"]


def test_townships_again_are_refused_by_name(store, shared_data):
    townships = shared_data / "wenzhou_townships_wgs84.geojson"
    typed = ("import", "divisions", townships, "--datum", "wgs84", "--map", "code=street_code")
    again = run(*typed, "--store", store)
    assert again.code == 2
    assert "in the store already" in again.err
    assert run(*typed, "--store", store, "--replace").code == 0


@pytest.mark.parametrize("declared", ["wgs84", "gcj02"])
def test_the_metro_file_in_the_wrong_datum_is_caught(store, shared_data, declared):
    stations = shared_data / "wenzhou_metro_stations_wgs84.geojson"
    answer = run(
        "import", "stations", stations, "--datum", declared, "--dry-run", "--store", store, "--json"
    )
    best = answer.json["datum_votes"][0]["datum"]
    assert best == "wgs84"
    suspected = any("gcj02" in warning for warning in answer.json["warnings"])
    assert suspected is (declared == "gcj02")


def test_roads_become_streets_without_motorways(store, shared_data):
    roads = shared_data / "wenzhou_roads_wgs84.gpkg"
    answer = run("import", "streets", roads, "--store", store, "--json")
    assert answer.code == 0, answer.err
    assert answer.json["written"] > 50_000
    assert any("高速" in warning for warning in answer.json["warnings"])
    zones = run("reach", "120.70", "28.00", "--minutes", "5,10,15", "--store", store, "--json").json
    assert zones["network"] is True
    areas = [zone["properties"]["area_m2"] for zone in zones["features"]]
    assert 0 < areas[0] < areas[1] < areas[2]


def test_metro_stations_come_in_under_their_lines(store, shared_data):
    stations = shared_data / "wenzhou_metro_stations_wgs84.geojson"
    answer = run("import", "stations", stations, "--datum", "wgs84", "--store", store, "--json")
    assert (answer.code, answer.json["written"]) == (0, 36)
