"""The search for space from every door: filters, counts, pages, files, and how it refuses."""

import datetime as dt
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import orjson
import pandas as pd
import pytest
import shapely
from starlette.testclient import TestClient

from api.app import create_app
from api.cli import main
from api.questions.amenities import ask_amenities
from api.questions.space_search import SpaceSearch
from api.questions.spaces import ask_spaces
from api.questions.surroundings import ask_incubator_facts, ask_space_facts
from api.settings import load_settings
from geo.crs import STORED_CRS
from geo.errors import InputError
from layers.gpkg_geometry import add_functions
from layers.pack import install_pack, load_pack
from layers.query import Query
from layers.store import create_store, open_store
from tests.api.city import TINYTOWN
from tests.api.test_http import assert_problem


@pytest.fixture(scope="module")
def frame(city):
    """Every space, as the store has it."""
    with open_store(city) as store:
        found = pd.DataFrame(store.read("spaces", Query()))
        incubators = store.read("incubators", Query(columns=["name", "level"]))
    return found.merge(
        incubators.rename(columns={"id": "incubator", "name": "incubator_name"}), on="incubator"
    )


@pytest.fixture
def city_copy(city, tmp_path):
    """A store that may be written to."""
    return Path(shutil.copy(city, tmp_path / "hatchmap.gpkg"))


def find(client, **params):
    answer = client.get("/api/spaces", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_shape_that_clients_rely_on(client, frame):
    answer = find(client, limit=5)
    assert answer["type"] == "FeatureCollection"
    assert answer["total"] == len(frame)
    assert answer["demo_counted"] is True
    assert len(answer["features"]) == 5
    feature = answer["features"][0]
    assert feature["geometry"]["type"] == "Point"
    assert {"id", "name", "kind", "area_m2", "incubator_name", "level"} <= set(
        feature["properties"]
    )
    for column in ("kind", "unit", "status", "level"):
        assert answer["facets"][column] == frame[column].value_counts().to_dict()


@pytest.mark.parametrize(
    ("params", "test"),
    [
        ({"min_area_m2": 100, "max_area_m2": 300}, lambda f: f["area_m2"].between(100, 300)),
        ({"max_rent_cny_m2_month": 30}, lambda f: f["rent_cny_m2_month"] <= 30),
        ({"kind": ["rd", "lab"]}, lambda f: f["kind"].isin(["rd", "lab"])),
        ({"status": "vacant", "water": True}, lambda f: (f["status"] == "vacant") & f["water"]),
        ({"min_clear_height_m": 4, "min_power_kw": 20},
         lambda f: (f["clear_height_m"] >= 4) & (f["power_kw"] >= 20)),
        ({"stage": "incubation"}, lambda f: f["stages"].map(lambda had: "incubation" in had)),
        ({"term_months": 12},
         lambda f: (f["min_term_months"] <= 12) & (f["max_term_months"] >= 12)),
        ({"demo": False}, lambda f: f["provenance"] != "demo"),
        ({"text": "实验室"}, lambda f: f["name"].str.contains("实验室")),
        ({"text": "shiyanshi"}, lambda f: f["name"].str.contains("实验室")),
    ],
)  # fmt: skip
def test_filters_keep_what_pandas_keeps(client, frame, params, test):
    answer = find(client, limit=1000, **params)
    expected = set(frame.loc[test(frame).fillna(value=False).astype(bool), "id"])
    assert {feature["id"] for feature in answer["features"]} == expected
    assert answer["total"] == len(expected)


def test_a_choice_brings_what_stands_beside_it(client):
    chosen = {"status": "vacant", "kind": "rd"}
    answer = find(client, **chosen)
    for kind, count in answer["facets"]["kind"].items():
        assert find(client, status="vacant", kind=kind)["total"] == count
    for unit, count in answer["facets"]["unit"].items():
        assert find(client, **chosen, unit=unit)["total"] == count


@pytest.mark.parametrize("sort", ["id", "-id", "rent", "-area_m2", "name", "available_from"])
def test_pages_part_the_list_wholly(client, frame, sort):
    seen, after = [], None
    while True:
        answer = find(client, limit=17, sort=sort, **({"after": after} if after else {}))
        seen += [feature["id"] for feature in answer["features"]]
        after = answer.get("next")
        if after is None:
            break
    assert sorted(seen) == sorted(frame["id"])


def test_walking_minutes_sort_and_limit(client):
    lon, lat = find(client, limit=1)["features"][0]["geometry"]["coordinates"]
    near = {"near": f"{lon},{lat}", "minutes": 30, "sort": "minutes", "limit": 1000}
    answer = find(client, **near)
    minutes = answer["minutes"]
    assert minutes == sorted(minutes)
    assert minutes[0] <= 1
    assert minutes[-1] <= 30
    assert answer["rule"]["name"] == "amenities"
    must = find(client, **near, must="transport:10")
    assert must["total"] <= answer["total"]
    circle = find(client, near=near["near"], radius_m=30 * 4000 / 60 + 1, limit=1000)
    walked = {feature["id"] for feature in answer["features"]}
    assert walked <= {feature["id"] for feature in circle["features"]}


def test_an_area_and_a_box_keep_what_lies_inside(client, frame):
    lon, lat = frame.geometry.iloc[0].x, frame.geometry.iloc[0].y
    west, south, east, north = lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    area = orjson.dumps({"type": "Polygon", "coordinates": [ring]}).decode()
    inside = frame.geometry.map(lambda p: west <= p.x <= east and south <= p.y <= north)
    expected = set(frame.loc[inside, "id"])
    for params in ({"polygon": area}, {"bbox": f"{west},{south},{east},{north}"}):
        assert {one["id"] for one in find(client, limit=1000, **params)["features"]} == expected


def test_an_empty_result_says_what_to_relax(client):
    answer = find(client, kind="lab", max_rent_cny_m2_month=1)
    assert answer["total"] == 0
    way = next(one for one in answer["relax"] if one["filters"] == ["rent_cny_m2_month"])
    assert way["count"] == find(client, kind="lab")["total"]
    assert find(client, kind="lab", max_rent_cny_m2_month=way["nearest"])["total"] >= 1


def test_what_is_too_far_says_how_far_would_do(client):
    lon, lat = find(client, limit=1)["features"][0]["geometry"]["coordinates"]
    near = {"near": f"{lon + 0.004},{lat}"}
    for name, least in (("minutes", 0.5), ("radius_m", 1)):
        answer = find(client, **near, **{name: least})
        (way,) = answer["relax"]
        assert (answer["total"], way["filters"]) == (0, [name])
        assert way["nearest"] > least
        enough = {name: way["nearest"] + 1e-6}
        assert find(client, **near, **enough)["total"] >= 1
    must = find(client, must="transport:0.001")["relax"]
    assert must[0]["filters"] == ["must.transport"]
    assert find(client, must=f"transport:{must[0]['nearest'] + 1e-6}")["total"] >= 1
    page = client.get("/find", params={"lang": "en", **near, "radius_m": 1})
    assert "data-nearer" in page.text


def test_roles_and_zones_are_asked_and_counted(city_copy):
    with open_store(city_copy, write=True) as store:
        whole = ask_spaces(store, SpaceSearch())
        point = orjson.loads(whole.features[0])["geometry"]["coordinates"]
        box = shapely.box(point[0] - 0.02, point[1] - 0.02, point[0] + 0.02, point[1] + 0.02)
        parts = gpd.GeoDataFrame(
            {"id": ["p1"], "name": ["Core"], "role": ["core"], "version": ["v1"]},
            geometry=[box], crs=STORED_CRS,
        )  # fmt: skip
        zones = gpd.GeoDataFrame({"id": ["z1"], "name": ["Ring"]}, geometry=[box], crs=STORED_CRS)
        with store.edit("test") as edit:
            edit.clear("structure")
            edit.insert("structure", parts)
            edit.insert("zones", zones)
        frame = store.read("spaces", Query())
        rough = frame["geom_precision"].isin(["town", "unit"])
        inside = set(frame.loc[~rough & frame.geometry.intersects(box), "id"])
        assert inside
        for search in (SpaceSearch(role=("core",)), SpaceSearch(zone=("Ring",))):
            page = ask_spaces(store, replace(search, limit=1000))
            assert {orjson.loads(one)["id"] for one in page.features} == inside
        counted = ask_spaces(store, SpaceSearch()).facets
        assert counted["role"] == {"core": len(inside)}
        assert counted["zones"] == {"Ring": len(inside)}
        assert "zones" not in orjson.loads(whole.features[0])["properties"]
        assert orjson.loads(page.features[0])["properties"]["zones"] == ["Ring"]


def test_score_is_the_share_of_daily_life_within_a_walk(client, city):
    answer = find(client, sort="-score", limit=1000)
    scores = answer["scores"]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]
    with open_store(city) as store:
        rows = {row.id: row.planning for row in ask_amenities(store, test="planning").rows}
    checked = 0
    for feature, score in zip(answer["features"], scores, strict=True):
        planning = rows.get(feature["properties"]["incubator"])
        if planning is not None:
            assert score == pytest.approx(100 * planning.score, abs=0.06)
            checked += 1
    assert checked
    pages = find(client, sort="-score", limit=7)
    rest = find(client, sort="-score", limit=7, after=pages["next"])
    ids = [feature["id"] for feature in answer["features"]]
    assert [one["id"] for one in [*pages["features"], *rest["features"]]] == ids[:14]


@pytest.mark.parametrize("text", ["开放工位研发", "yanfashiyanshi", "实验室Tinytown"])
def test_words_run_together_are_parted_where_nothing_holds_them(client, frame, text):
    names = {"开放工位研发": ("开放工位", "研发"), "yanfashiyanshi": ("研发", "实验室")}
    wanted = names.get(text)
    held = find(client, text=text, limit=1000)
    if wanted is None:
        assert held["total"] == 0
        return
    here = frame["name"].str.contains(wanted[0]) & frame["name"].str.contains(wanted[1])
    assert held["total"] == int(here.sum())


def test_words_of_several_columns_run_together(client, frame):
    unit = frame["unit"].dropna().iloc[0]
    here = (frame["unit"] == unit) & frame["name"].str.contains("研发")
    answer = find(client, text=f"{unit}研发", limit=1000)
    assert {one["id"] for one in answer["features"]} == set(frame.loc[here, "id"])


def test_parameters_not_read_are_refused(client):
    body = assert_problem(client.get("/api/spaces", params={"colour": "red"}), 422)
    assert [error["where"] for error in body["errors"]] == ["colour"]


HOSTILE = [
    {"min_area_m2": "inf"},
    {"min_area_m2": "many"},
    {"max_rent_cny_m2_month": "-inf"},
    {"limit": 10**9},
    {"limit": "all"},
    {"radius_m": "nan", "near": "120.7,28"},
    {"bbox": "nan,1,2,3"},
    {"near": "inf,28", "minutes": 5},
    {"must": "transport:nan"},
    {"term_months": "1.5"},
    {"available_by": "0000-00-00"},
    {"available_by": "99999-01-01"},
    {"water": "perhaps"},
    {"min_area_m2": 300, "max_area_m2": 100},
    {"min_area_m2": -1},
    {"min_area_m2": "nan"},
    {"available_by": "2026-02-30"},
    {"text": "a" * 10_000},
    {"text": " ".join("abcdefghijkl")},
    {"polygon": '{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}'},
    {"polygon": "[" * 5_000},
    {"bbox": "121,27,120,28"},
    {"near": "here", "minutes": 5},
    {"near": "120.7,95", "minutes": 5},
    {"minutes": 5},
    {"near": "120.7,28", "minutes": 600},
    {"must": "magic:10"},
    {"must": "transport"},
    {"kind": "castle"},
    {"sort": "secret"},
    {"sort": "minutes"},
    {"limit": 0},
    {"after": "zzz"},
    {"after": "é" * 30},
    {"after": "e30"},
    {"term_months": 0},
    {"format": "exe"},
]


@pytest.mark.parametrize("params", HOSTILE, ids=lambda params: str(params)[:40])
def test_nonsense_is_refused(client, params):
    assert_problem(client.get("/api/spaces", params=params), 422)


def test_every_fault_of_a_question_is_told(client):
    asked = {"min_area_m2": 9, "max_area_m2": 3, "kind": "castle", "sort": "secret"}
    body = assert_problem(client.get("/api/spaces", params=asked), 422)
    assert {error["where"] for error in body["errors"]} == {"area_m2", "kind", "sort"}


def test_a_cursor_is_of_one_question(client):
    cursor = find(client, sort="rent", limit=3)["next"]
    assert find(client, sort="rent", limit=9, after=cursor)["features"]
    for other in ({"sort": "area"}, {"sort": "rent", "kind": "rd"}):
        answer = client.get("/api/spaces", params={**other, "limit": 3, "after": cursor})
        assert "another question" in assert_problem(answer, 422)["detail"]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "'; DROP TABLE spaces; --", "%_\\"])
def test_scripts_are_only_text(client, text):
    assert find(client, text=text)["total"] == 0
    page = client.get("/find", params={"text": text})
    assert page.status_code == 200
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("kind", ["xlsx", "gpkg", "geojson"])
def test_the_command_writes_the_same_file_as_the_page(client, city, tmp_path, capsys, kind):
    path = tmp_path / f"found.{kind}"
    asked = ["spaces", "--store", str(city), "--kind", "rd", "--limit", "1", "--out", str(path)]
    assert main(asked) == 0
    total = find(client, kind="rd")["total"]
    assert f"{total} records" in capsys.readouterr().out
    sent = client.get("/api/spaces", params={"kind": "rd", "format": kind})
    if kind == "geojson":
        mine, theirs = (orjson.loads(one)["features"] for one in (path.read_bytes(), sent.content))
        assert mine == theirs
    else:
        assert path.read_bytes()[:6] == sent.content[:6]
    nothing = tmp_path / f"nothing.{kind}"
    assert main([*asked[:-1], str(nothing), "--max-rent", "0"]) == 0
    assert ": 0 records" in capsys.readouterr().out
    assert main([*asked[:-1], str(tmp_path / "found.doc")]) == 2
    assert not (tmp_path / "found.doc").exists()


@pytest.mark.parametrize(
    ("kind", "start"), [("xlsx", b"PK"), ("gpkg", b"SQLite"), ("geojson", b"{")]
)
def test_the_whole_result_as_a_file(client, kind, start):
    answer = client.get("/api/spaces", params={"kind": "rd", "format": kind})
    assert answer.status_code == 200
    assert answer.content.startswith(start)
    assert kind in answer.headers["content-disposition"]
    if kind == "geojson":
        assert len(answer.json()["features"]) == find(client, kind="rd")["total"]


def test_one_space(client):
    feature = find(client, limit=1)["features"][0]
    found = client.get(f"/api/spaces/{feature['id']}").json()
    assert {name: found[name] for name in feature} == feature
    assert_problem(client.get("/api/spaces/none"), 404)


@pytest.mark.parametrize("layer", ["spaces", "incubators"])
def test_what_lies_around_is_what_the_reach_and_the_tests_say(client, city, layer):
    listed = client.get(f"/api/{layer}", params={"limit": 1}).json()["features"][0]
    found = client.get(f"/api/{layer}/{listed['id']}").json()
    lon, lat = listed["geometry"]["coordinates"]
    reach = client.get("/api/reach", params={"lon": lon, "lat": lat, "minutes": "5,10,15"}).json()
    around = found["around"]
    assert around["zones"]["features"] == reach["features"]
    inside = reach["features"][-1]["properties"]["amenities"]
    for category, held in around["planning"]["categories"].items():
        assert held["count"] == inside[category]
        assert (category in around["planning"]["missing"]) == (not held["count"])
        if held["count"]:
            assert around["nearest"][category]["minutes"] == held["nearest_minutes"] <= 15
    owner = listed["properties"].get("incubator", listed["id"])
    row = client.get(f"/api/incubators/{owner}/amenities").json()["rows"][0]
    assert found["compliance"] == row["compliance"]


def test_station_platforms_and_units_are_told(city_copy):
    with open_store(city_copy, write=True) as store:
        space = orjson.loads(
            ask_spaces(store, SpaceSearch(limit=1, status=("vacant",))).features[0]
        )
        lon, lat = space["geometry"]["coordinates"]
        here, there = shapely.Point(lon, lat + 0.002), shapely.Point(lon + 0.03, lat)
        industry = space["properties"]["industries"][0]
        named = {"id": ["p1", "p2"], "name": ["Near", "Far"], "industries": [[], [industry]]}
        with store.edit("test") as edit:
            edit.insert("stations", gpd.GeoDataFrame(
                {"id": ["s1", "s2"], "name": ["One", "Two"], "lines": [["S1"], []]},
                geometry=[here, there], crs=STORED_CRS))  # fmt: skip
            edit.insert("platforms", gpd.GeoDataFrame(named, geometry=[here, there],
                                                      crs=STORED_CRS))  # fmt: skip
            edit.update("spaces", space["id"], confirmed_on=dt.date(2020, 1, 1))
        facts = ask_space_facts(store, space["id"], stale_days=90).to_json()
        assert facts["stale"]
        assert facts["unconfirmed_days"] > 2000
        station = facts["around"]["station"]
        assert (station["name"], station["lines"], station["metres"]) == ("One", ["S1"], 222)
        told = [(one["name"], one["suits"]) for one in facts["around"]["platforms"]]
        assert told == [("Far", True), ("Near", False)]
        owner = space["properties"]["incubator"]
        found = ask_incubator_facts(store, owner, stale_days=90).to_json()
        vacant = ask_spaces(store, SpaceSearch(incubator=(owner,), status=("vacant",)))
        assert found["vacant"]["total"] == vacant.total >= 1


def test_a_space_without_incubator_or_place_still_has_its_page(city_copy):
    with open_store(city_copy, write=True) as store, store.edit("test") as edit:
        edit.clear("streets")
        edit.clear("amenities")
        edit.insert("spaces", gpd.GeoDataFrame(
            {"id": ["lonely"], "incubator": ["gone"], "area_m2": [5.0],
             "photos": [["javascript:alert(1)", "https://example.org/a.jpg"]]},
            geometry=[shapely.Point(0.1, 0.1)], crs=STORED_CRS))  # fmt: skip
    app = create_app(load_settings(store=city_copy, data=city_copy.parent))
    with TestClient(app) as fresh:
        assert fresh.get("/api/spaces/lonely").json()["compliance"] is None
        page = fresh.get("/spaces/lonely?lang=en").text
        assert "javascript:alert" not in page
        assert 'href="https://example.org/a.jpg" rel="noopener noreferrer nofollow"' in page
        gone = fresh.get("/spaces/none", headers={"accept": "text/html"})
        assert gone.status_code == 404
        assert "/find" in gone.text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_holds_the_question(client, lang):
    query = {"lang": lang, "kind": "rd", "min_area_m2": "", "max_rent_cny_m2_month": "60"}
    page = client.get("/find", params=query)
    assert page.status_code == 200
    total = find(client, kind="rd", max_rent_cny_m2_month=60)["total"]
    assert f'id="find-total">{total:,}<' in page.text
    part = client.get("/find", params={**query, "part": "1"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert f'id="find-total">{total:,}<' in part.text


def test_the_page_says_what_is_wrong(client):
    page = client.get("/find", params={"min_area_m2": "9", "max_area_m2": "3"})
    assert page.status_code == 200
    assert 'role="alert"' in page.text
    assert "area_m2" in page.text


def test_pages_of_spaces(client):
    ids = [feature["id"] for feature in find(client, limit=5)["features"]]
    page = client.get(f"/spaces/{ids[0]}")
    assert page.status_code == 200
    assert ids[0] in page.text
    beside = client.get("/find/compare", params={"id": ids[:4]})
    assert beside.status_code == 200
    assert client.get("/find/compare", params={"id": ids}).status_code == 422
    assert client.get("/spaces/none").status_code == 404


def test_the_command_gives_what_the_door_gives(client, city, capsys):
    code = main(["spaces", "--store", str(city), "--kind", "rd", "--sort", "rent", "--json"])
    said = orjson.loads(capsys.readouterr().out)
    assert code == 0
    assert said == find(client, kind="rd", sort="rent", limit=50)
    assert main(["spaces", "--store", str(city), "--kind", "rd", "--limit", "3"]) == 0
    assert "--after" in capsys.readouterr().out
    assert main(["spaces", "--store", str(city), "--min-area", "9", "--max-area", "3"]) == 2
    assert "backwards" in capsys.readouterr().err


def test_an_edit_is_seen_by_the_next_search(city_copy):
    with open_store(city_copy, write=True) as store:
        search = SpaceSearch(limit=1, sort="-area_m2")
        feature = orjson.loads(ask_spaces(store, search).features[0])
        with store.edit("test") as edit:
            edit.update("spaces", feature["id"], area_m2=4_999_999.0)
        again = orjson.loads(ask_spaces(store, search).features[0])
        assert (again["id"], again["properties"]["area_m2"]) == (feature["id"], 4_999_999.0)
        with store.edit("test") as edit:
            edit.delete("spaces", [feature["id"]])
        assert orjson.loads(ask_spaces(store, search).features[0])["id"] != feature["id"]


def test_after_edits_all_is_as_read_anew(city_copy):
    """What is kept from before an edit never differs from what a new process reads."""
    with open_store(city_copy, write=True) as store:
        asked = SpaceSearch(limit=1000)
        features = [orjson.loads(one) for one in ask_spaces(store, asked).features]
        first, second, third = features[:3]
        edits = (
            lambda edit: edit.update("spaces", first["id"], name="瓯海新楼", kind="lab"),
            lambda edit: edit.delete("spaces", second["id"]),
            lambda edit: edit.insert("spaces", gpd.GeoDataFrame(
                {"id": ["a-new-one", "zz"], "incubator": third["properties"]["incubator"],
                 "area_m2": [5.0, 6.0], "services": [["tea"], []]},
                geometry=[shapely.Point(0.1, 0.1), shapely.Point(0.2, 0.1)], crs=STORED_CRS)),
            lambda edit: edit.update("incubators", third["properties"]["incubator"], name="Anew"),
        )  # fmt: skip
        for change in edits:
            with store.edit("test") as edit:
                change(edit)
            page = ask_spaces(store, asked)
            words = ask_spaces(store, SpaceSearch(text="ouhaixin", limit=1000))
            copy = city_copy.with_name("again.gpkg")
            store.backup(copy)
            with open_store(copy) as again:
                anew = ask_spaces(again, asked)
                assert ask_spaces(again, SpaceSearch(text="ouhaixin", limit=1000)) == words
            copy.unlink()
            assert page == anew
            assert len(words.features) == 1


def test_an_edit_of_another_program_is_seen(city_copy):
    with open_store(city_copy) as store:
        key = orjson.loads(ask_spaces(store, SpaceSearch(limit=1)).features[0])["id"]
        with sqlite3.connect(city_copy) as other:
            add_functions(other)
            other.execute("UPDATE spaces SET area_m2 = 4321 WHERE id = ?", (key,))
            other.execute(
                "UPDATE gpkg_contents SET last_change = strftime('%Y-%m-%dT%H:%M:%fZ','now') "
                "WHERE table_name = 'spaces'"
            )
        other.close()
        seen = ask_spaces(store, SpaceSearch(area_m2=(4321.0, 4321.0)))
        assert key in {orjson.loads(one)["id"] for one in seen.features}


def test_without_streets_minutes_are_straight_and_said_to_be(city_copy):
    with open_store(city_copy, write=True) as store:
        with store.edit("test") as edit:
            edit.clear("streets")
        place = store.read("spaces", Query(limit=1)).geometry.iloc[0]
        page = ask_spaces(store, SpaceSearch(near=(place.x, place.y), minutes=15, sort="minutes"))
        assert page.total
        assert [note["key"] for note in page.notes] == ["no_streets"]
        must = ask_spaces(store, SpaceSearch(must={"transport": 30}))
        assert [note["key"] for note in must.notes] == ["no_streets"]


def test_an_empty_store_answers(tmp_path):
    with create_store(tmp_path / "empty.gpkg") as store:
        install_pack(store, load_pack(TINYTOWN), who="setup")
        page = ask_spaces(store, SpaceSearch(text="a", bbox=(0.0, 0.0, 1.0, 1.0), sort="-rent"))
        assert (page.total, page.next, page.features) == (0, None, ())
        with pytest.raises(InputError):
            ask_spaces(store, SpaceSearch(limit=0))


@pytest.mark.parametrize(
    ("params", "near"),
    [
        ({"unit": "{unit}x"}, "{unit}"),
        ({"town": "{town}x"}, "{town}"),
        ({"industry": "{industry}?"}, "{industry}"),
        ({"service": "{service} "}, "{service}"),
        ({"incubator": "{incubator}0"}, "{incubator}"),
        ({"must": "transprt:10"}, "transport"),
        ({"kind": "castle"}, "suite"),
        ({"level": "royal"}, "municipal"),
    ],
    ids=lambda one: str(one)[:20],
)
def test_a_name_that_nothing_has_is_refused_with_the_nearest(client, frame, params, near):
    first = frame.dropna(subset=["unit", "town"]).iloc[0]
    held = {"unit": first["unit"], "town": first["town"], "incubator": first["incubator"]}
    held |= {"industry": first["industries"][0], "service": first["services"][0]}
    ((name, value),) = params.items()
    body = assert_problem(client.get("/api/spaces", params={name: value.format(**held)}), 422)
    (fault,) = body["errors"]
    assert fault["where"] == name
    assert fault["value"] == value.format(**held).partition(":")[0]
    assert near.format(**held) in fault["fix"]


def test_what_no_space_has_is_a_fair_question_and_every_misspelling_is_told(client, city):
    with open_store(city, write=False) as store:
        units = set(store.read("reporting_units")["name"])
        spare = units - set(store.read("spaces")["unit"])
    for unit in spare:
        assert find(client, unit=unit)["total"] == 0
    asked = [("unit", "Nowhere"), ("zone", "Nowhere"), ("unit", min(units)), ("kind", "castle")]
    body = assert_problem(client.get("/api/spaces", params=asked), 422)
    # The small city has no zones: there nothing could be misspelt.
    assert {error["where"] for error in body["errors"]} == {"unit", "kind"}
