"""Every route of the server: what it answers, in which shape, and how it refuses."""

import datetime as dt
import json
import re

import orjson
import pytest
import shapely
from starlette.testclient import TestClient

from api.app import create_app
from api.cache import Cache
from api.settings import load_settings
from layers.store import open_store
from tests.api.city import make_city
from tests.api.conftest import TOKEN

PAGES = ("/", "/coverage", "/targets", "/structure", "/amenities", "/about")
QUESTIONS = (
    "/api/coverage/towns",
    "/api/coverage/industries",
    "/api/coverage/units",
    "/api/structure",
    "/api/targets",
    "/api/amenities",
    "/api/amenities/gaps",
    "/api/incubators",
    "/api/spaces",
    "/api/check",
    "/api/openapi.json",
    "/health/ready",
)


def first_incubator(client):
    return client.get("/api/incubators?limit=1").json()["features"][0]


def assert_problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["type"]
    assert body["title"]
    assert body["detail"]
    assert "Traceback" not in answer.text
    return body


@pytest.mark.parametrize("path", QUESTIONS)
def test_questions_answer(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json(), dict)


def test_towns_have_the_agreed_shape(client):
    answer = client.get("/api/coverage/towns?date=2026-06-01").json()
    assert answer["as_of"] == "2026-06-01"
    assert answer["demo_counted"] is True
    summary = answer["summary"]
    states = ("operating_large", "operating", "planned_only", "none")
    assert sum(summary[state] for state in states) == summary["total"] == len(answer["towns"])
    covered = summary["operating_large"] + summary["operating"]
    assert summary["covered_share"] == pytest.approx(covered / summary["total"], abs=1e-4)
    for town in answer["towns"]:
        assert {"code", "name", "unit", "status", "state", "evidence", "incubators"} <= set(town)
        assert set(town["nearest"]) >= {"id", "distance_m", "walk_minutes", "drive_minutes"}


def test_demo_can_be_left_out(client):
    answer = client.get("/api/coverage/towns?demo=false").json()
    assert answer["demo_counted"] is False


def test_targets_have_the_agreed_shape(client):
    answer = client.get("/api/targets").json()
    assert {
        "unit",
        "year",
        "indicator",
        "issuer",
        "target",
        "value",
        "share",
        "pace",
        "missing",
    } <= (set(answer["rows"][0]))
    assert {"name", "ok", "detail"} <= set(answer["checks"][0])
    unit = answer["rows"][0]["unit"]
    part = client.get("/api/targets", params={"unit": unit}).json()
    assert {row["unit"] for row in part["rows"]} == {unit}


def test_amenities_name_both_tests(client):
    row = client.get("/api/amenities").json()["rows"][0]
    assert {"radius_m", "venues", "spaces", "ok"} <= set(row["compliance"])
    planning = row["planning"]
    assert planning["network"] is True
    assert {"minutes", "speed_km_h", "categories", "missing", "score"} <= set(planning)
    one = next(iter(planning["categories"].values()))
    assert set(one) == {"count", "nearest", "nearest_minutes"}


def test_gaps_add_up(client):
    answer = client.get("/api/amenities/gaps?each=2").json()
    summary = answer["summary"]
    for parts in (answer["units"], answer["roles"]):
        assert sum(part["tested"] for part in parts) <= summary["tested"]
        assert sum(part["complete"] for part in parts) <= summary["complete"]
    assert sum(part["tested"] for part in answer["units"]) == summary["tested"]
    lacking = {row["id"]: set(row["planning"]["missing"]) for row in amenity_rows(client)}
    for addition in answer["additions"]:
        assert set(addition["completes"]) <= set(addition["helps"])
        assert all(addition["category"] in lacking[key] for key in addition["helps"])
        assert all(lacking[key] == {addition["category"]} for key in addition["completes"])


def amenity_rows(client):
    return [row for row in client.get("/api/amenities").json()["rows"] if row["planning"]]


def test_one_incubator(client):
    feature = first_incubator(client)
    answer = client.get(f"/api/incubators/{feature['id']}").json()
    assert answer["properties"]["name"] == feature["properties"]["name"]
    assert "contact" not in answer["properties"]
    around = client.get(f"/api/incubators/{feature['id']}/amenities").json()
    assert [row["id"] for row in around["rows"]] == [feature["id"]]


def test_pages_of_a_list_part_it_wholly(client):
    seen, after = [], None
    while True:
        params = {"limit": 7, "sort": "-area_m2", **({"after": after} if after else {})}
        answer = client.get("/api/incubators", params=params).json()
        seen += [feature["id"] for feature in answer["features"]]
        after = answer.get("next")
        if after is None:
            break
    assert len(seen) == len(set(seen)) == answer["total"]


def test_reach_has_nested_zones_and_counts(client):
    lon, lat = first_incubator(client)["geometry"]["coordinates"]
    answer = client.get("/api/reach", params={"lon": lon, "lat": lat, "minutes": "15,5"}).json()
    assert answer["network"] is True
    assert answer["snap_m"] >= 0
    small, large = answer["features"]
    assert (small["properties"]["minutes"], large["properties"]["minutes"]) == (5, 15)
    assert large["properties"]["area_m2"] > small["properties"]["area_m2"] > 0
    zones = [shapely.geometry.shape(zone["geometry"]) for zone in (small, large)]
    assert zones[1].buffer(2e-6).covers(zones[0])
    older = client.get(
        "/api/reach", params={"lon": lon, "lat": lat, "minutes": "15", "profile": "older"}
    ).json()
    assert older["features"][0]["properties"]["area_m2"] < large["properties"]["area_m2"]


@pytest.mark.parametrize("name", ["reporting_units", "industrial_towns", "incubators"])
def test_map_layers_are_geojson(client, name):
    answer = client.get(f"/api/map/{name}.geojson")
    assert answer.headers["content-type"].startswith("application/geo+json")
    assert answer.json()["features"]


def test_map_layer_by_box(client):
    whole = client.get("/api/map/incubators.geojson").json()["features"]
    lon, lat = whole[0]["geometry"]["coordinates"]
    box = f"{lon - 1e-6},{lat - 1e-6},{lon + 1e-6},{lat + 1e-6}"
    part = client.get("/api/map/incubators.geojson", params={"bbox": box}).json()["features"]
    assert whole[0]["id"] in [feature["id"] for feature in part]
    assert len(part) < len(whole)


def test_tiles(client):
    answer = client.get("/tiles/spaces/0/0/0.mvt")
    assert answer.status_code == 200
    assert b"spaces" in answer.content
    assert client.get("/tiles/spaces/4/0/0.mvt").status_code == 204
    painted = client.get("/tiles/access/cafe/0/0/0.png")
    assert painted.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("layer", ["demands", "tenants", "incubators", "progress", "spaces"])
def test_staff_columns_never_leave(client, layer):
    answer = client.get(f"/api/map/{layer}.geojson")
    for column in ("contact", "contact_phone", "contact_name", "secret_hash", "reporter"):
        assert f'"{column}"' not in answer.text


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_are_drawn(client, path, lang):
    answer = client.get(path, params={"lang": lang}, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    assert f'lang="{lang}' in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe-inline" not in answer.headers["content-security-policy"].split("style-src")[0]
    foreign = re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', answer.text)
    assert foreign == []


def test_page_of_an_incubator(client):
    feature = first_incubator(client)
    answer = client.get(f"/incubators/{feature['id']}")
    assert feature["properties"]["name"] in answer.text


def test_language_is_kept(client):
    assert client.get("/about?lang=en").cookies["lang"] == "en"
    assert 'lang="en' in client.get("/about").text
    client.cookies.clear()
    assert 'lang="zh' in client.get("/about").text


HOSTILE = [
    ("/api/coverage/towns?date=2026-13-01", 422),
    ("/api/coverage/towns?unit=nowhere", (200, 404, 422)),
    ("/api/targets?year=abc", 422),
    ("/api/incubators?limit=0", 422),
    ("/api/incubators?limit=100000", 422),
    ("/api/incubators?sort=nonsense", 422),
    ("/api/incubators?after=tampered", 422),
    ("/api/incubators?bbox=1,2,3", 422),
    ("/api/incubators?bbox=nan,nan,nan,nan", 422),
    ("/api/incubators?min_area_m2=-1", 422),
    ("/api/incubators?min_area_m2=nan", 422),
    ("/api/incubators/none-such", 404),
    ("/api/incubators/none-such/amenities", 404),
    ("/api/reach", 422),
    ("/api/reach?lon=x&lat=1", 422),
    ("/api/reach?lon=nan&lat=1", 422),
    ("/api/reach?lon=500&lat=1", 422),
    ("/api/reach?lon=0&lat=0&minutes=-5", 422),
    ("/api/reach?lon=0&lat=0&minutes=0", 422),
    ("/api/reach?lon=0&lat=0&minutes=10000", 422),
    ("/api/reach?lon=0&lat=0&minutes=five", 422),
    ("/api/reach?lon=0&lat=0&profile=bird", 422),
    ("/api/amenities?test=other", 422),
    ("/api/map/none.geojson", 404),
    ("/api/map/tenants.geojson", 404),
    ("/api/map/plan_targets.geojson", 404),
    ("/tiles/spaces/99/0/0.mvt", 422),
    ("/tiles/spaces/1/7/0.mvt", 422),
    ("/tiles/access/none/0/0/0.png", 422),
    ("/assets/leaflet/../../package.json", 404),
    ("/assets/leaflet/package.json", 404),
    ("/static/../maps.py", 404),
    ("/nowhere", 404),
]


@pytest.mark.parametrize(("path", "status"), HOSTILE)
def test_refuses_in_one_shape(client, path, status):
    answer = client.get(path)
    allowed = status if isinstance(status, tuple) else (status,)
    assert answer.status_code in allowed, answer.text
    if answer.status_code >= 400:
        assert_problem(answer, answer.status_code)


def test_wrong_method(client):
    assert_problem(client.post("/api/targets"), 405)


def test_too_large_a_body(client):
    answer = client.post("/api/targets", content=b"x" * 17_000_000)
    assert_problem(answer, 413)


def test_people_get_a_page_for_an_error(client):
    answer = client.get("/nowhere", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "<html" in answer.text


def test_a_failure_is_one_problem_without_its_cause(city, monkeypatch):
    def fail(*_args, **_more):
        raise RuntimeError("secret path")

    monkeypatch.setattr("api.routes.questions.ask_check", fail)
    app = create_app(load_settings(store=city, data=city.parent, staff_token=TOKEN))
    with TestClient(app, raise_server_exceptions=False) as client:
        body = assert_problem(client.get("/api/check"), 500)
    assert "secret" not in json.dumps(body)


def test_missing_store_says_how_to_make_one(tmp_path):
    app = create_app(load_settings(store=tmp_path / "none.gpkg", data=tmp_path))
    with TestClient(app, raise_server_exceptions=False) as client:
        assert "hatchmap init" in assert_problem(client.get("/api/targets"), 503)["detail"]
        assert_problem(client.get("/health/ready"), 503)
        assert client.get("/health/live").status_code == 200
        page = client.get("/", headers={"accept": "text/html"})
        assert page.status_code == 503
        assert "hatchmap init" in page.text


def test_entity_tags(client):
    first = client.get("/api/coverage/towns")
    again = client.get("/api/coverage/towns", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_an_edit_is_seen_by_the_next_request(tmp_path):
    path = make_city(tmp_path / "hatchmap.gpkg")
    app = create_app(load_settings(store=path, data=tmp_path, staff_token=TOKEN))
    with TestClient(app) as client:
        feature = first_incubator(client)
        with open_store(path, write=True) as store, store.edit("test") as edit:
            edit.update("incubators", feature["id"], name="改了名字")
        after = client.get(f"/api/incubators/{feature['id']}").json()
        assert after["properties"]["name"] == "改了名字"
        assert "改了名字" in client.get(f"/incubators/{feature['id']}").text


def test_html_in_names_is_shown_as_text(tmp_path):
    path = make_city(tmp_path / "hatchmap.gpkg")
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    with open_store(path, write=True) as store:
        key = store.read("incubators")["id"][0]
        with store.edit("test") as edit:
            edit.update("incubators", key, name=hostile, address=hostile)
    app = create_app(load_settings(store=path, data=tmp_path, staff_token=TOKEN))
    with TestClient(app) as client:
        for page in ("/", "/coverage", "/amenities", f"/incubators/{key}"):
            text = client.get(page).text
            assert "<script>alert" not in text
            assert "<img src=x" not in text


def test_staff_link(client):
    answer = client.get(f"/staff?token={TOKEN}", follow_redirects=False)
    assert answer.status_code == 303
    assert "httponly" in answer.headers["set-cookie"].lower()
    client.cookies.clear()
    assert client.get("/staff?token=wrong").status_code == 401


def test_staff_sign_in_by_form_and_out_again(client):
    client.cookies.clear()
    assert client.get("/admin").status_code == 401
    assert client.post("/staff", data={"token": "wrong"}).status_code == 401
    answer = client.post("/staff", data={"token": f" {TOKEN} "}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
    assert client.get("/admin").status_code == 200
    assert client.get("/admin").headers["cache-control"] == "no-store"
    client.post("/staff/out")
    assert client.get("/admin").status_code == 401


def test_a_cookie_is_not_taken_from_the_page_of_another_site(client):
    client.cookies.set("hatchmap_staff", TOKEN)
    elsewhere = {"Origin": "https://elsewhere.test"}
    assert client.post("/api/match", json={}, headers=elsewhere).status_code == 401
    here = {"Origin": str(client.base_url)}
    assert client.post("/api/match", json={}, headers=here).status_code == 200
    client.cookies.clear()


def test_staff_token_is_made_once_for_its_owner(tmp_path):
    def token_of(app):
        return app.state.staff_token, app.state.staff_token_is_new

    settings = load_settings(data=tmp_path / "new")
    made, is_new = token_of(create_app(settings))
    assert is_new
    assert len(made) >= 24
    assert (tmp_path / "new" / "staff-token").stat().st_mode & 0o077 == 0
    assert token_of(create_app(settings)) == (made, False)


def test_description_of_the_api(client):
    schema = client.get("/api/openapi.json").json()
    assert {"/api/coverage/towns", "/api/reach", "/api/targets"} <= set(schema["paths"])
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
    docs = client.get("/api/docs")
    assert "/assets/swagger-ui-dist/" in docs.text
    assert "//cdn" not in docs.text


def test_assets_are_served(client):
    answer = client.get("/assets/leaflet/dist/leaflet.js")
    assert answer.status_code == 200
    assert client.get("/static/site.css").status_code == 200


def test_cache_keeps_to_its_size():
    cache = Cache(max_bytes=100)
    for number in range(50):
        cache.get(number, lambda: b"x" * 20)
    made = []
    cache.get(0, lambda: made.append(1) or b"y")
    assert made == [1]
    assert cache.get(49, lambda: b"other") == b"x" * 20


def test_what_a_route_does_not_read_is_refused(client):
    body = assert_problem(client.get("/api/coverage/towns?dat=2026-06-01&unti=x"), 422)
    assert [fault["where"] for fault in body["errors"]] == ["dat", "unti"]
    assert "unit, demo, date, as_of" in body["detail"]
    assert client.get("/api/incubators?q=x").status_code == 422
    assert client.get("/api/incubators?text=x&lang=en").status_code == 200


def test_a_day_by_either_name(client):
    by_date, by_as_of = (
        client.get(f"/api/coverage/towns?{name}=2026-06-01").json() for name in ("date", "as_of")
    )
    assert by_date == by_as_of
    both = client.get("/api/coverage/towns?date=2026-06-01&as_of=2026-06-02")
    assert "differ" in assert_problem(both, 422)["detail"]


def test_amenities_for_other_walkers_and_without_demo(client):
    slow, usual = (
        client.get(f"/api/amenities?test=planning{more}").json() for more in ("&profile=older", "")
    )
    assert slow["rules"] is not None
    assert slow["rows"] != usual["rows"]
    assert client.get("/api/amenities?demo=false").json()["demo_counted"] is False
    assert_problem(client.get("/api/amenities?profile=zzz"), 422)


def test_the_page_of_an_incubator_shows_the_badge_when_demo_amenities_count(tmp_path):
    path = make_city(tmp_path / "hatchmap.gpkg")
    with open_store(path, write=True) as store:
        key = store.read("incubators")["id"][0]
        with store.edit("test") as edit:
            edit.update("incubators", key, provenance="entered")
    with TestClient(create_app(load_settings(store=path, data=tmp_path))) as client:
        assert "示例数据" in client.get(f"/incubators/{key}").text.split("<main")[0]
        with open_store(path, write=True) as store, store.edit("test") as edit:
            for layer in ("amenities", "spaces", "streets", "population"):
                edit.clear(layer)
        assert "示例数据" not in client.get(f"/incubators/{key}").text.split("<main")[0]


def test_no_raw_keys_on_the_pages(client):
    for path in ("/coverage", "/targets"):
        text = re.sub(r"<[^>]+>", " ", client.get(path).text.split("</head>")[1])
        assert not re.search(r"professional_operators|tenant_firms|kind=|_10k_m2", text), path


def test_goals_that_are_shares_are_shown_in_percent(client):
    goals = client.get("/api/coverage/units").json()["goals"]
    page = client.get("/coverage").text
    assert "占比</td>" not in page
    assert not any(goal["unit"] == "占比" for goal in goals) or "100.0%" in page


def test_today_is_part_of_the_answer(client):
    today = dt.datetime.now(tz=dt.UTC).astimezone().date().isoformat()
    assert client.get("/api/coverage/towns").json()["as_of"] == today
    assert orjson.loads(client.get("/api/amenities/gaps").content)["network"] is True


@pytest.mark.parametrize(
    "asked",
    [{"params": {"lang": "zh"}}, {"headers": {"Accept-Language": "zh-CN,zh;q=0.9"}}],
    ids=["by address", "by browser"],
)
def test_problems_are_told_in_chinese_to_who_asks_so(client, asked):
    client.cookies.clear()
    query = {"date": "2026-02-30"} | asked.get("params", {})
    answer = client.get("/api/targets", params=query, headers=asked.get("headers"))
    assert answer.status_code == 422
    assert "不是日期" in answer.json()["detail"]
    plain = client.get("/api/targets?date=2026-02-30").json()["detail"]
    assert "is not a day" in plain
