"""Matching from every door: only for staff, never with a contact, always with reasons."""

import csv
import html
import io
import re
import shutil
import time

import openpyxl
import orjson
import pytest

from api.cli import main
from api.questions.deal_steps import Told, open_deals, rate_deals
from api.questions.match import ask_demand_matches, ask_match, ask_space_matches
from geo.matching import DEFAULT_WEIGHTS, PARTS
from geo.solver import Watch
from layers.query import Query
from layers.store import open_store
from tests.api.conftest import TOKEN
from tests.api.test_http import assert_problem
from web.frame import PageFrame
from web.mapview import MapView
from web.shortage import shortage_page
from web.words import words

STAFF = {"Authorization": f"Bearer {TOKEN}"}
ACTIVE = ("accepted", "running")
PRIVATE = ("contact_name", "contact_phone", "contact_email", "consent", "secret_hash", "示例联系人")


@pytest.fixture(scope="module")
def whole(city):
    with open_store(city) as store:
        return ask_match(store, mode="compare").to_json()


@pytest.fixture(scope="module")
def demand(whole):
    return whole["pairs"][0]["demand"]


def test_without_the_token_nothing_is_shown(client, demand):
    refused = [
        client.post("/api/match", json={}),
        client.get(f"/api/demands/{demand}/matches"),
        client.get(f"/api/demands/{demand}/matches", headers={"Authorization": "Bearer no"}),
    ]
    for answer in refused:
        assert_problem(answer, 401)
        assert demand not in answer.text or answer.request.url.path in answer.text


def test_spaces_for_a_demand(client, demand):
    answer = client.get(f"/api/demands/{demand}/matches?limit=5", headers=STAFF)
    assert answer.status_code == 200
    body = answer.json()
    assert body["mode"] == "spaces"
    assert set(body["weights"]) == set(PARTS)
    assert sum(body["weights"].values()) == pytest.approx(1)
    scores = [pair["score"] for pair in body["pairs"]]
    assert scores == sorted(scores, reverse=True)
    for pair in body["pairs"]:
        assert {"demand", "space", "area_m2", "score", "parts", "reasons"} <= set(pair)
        total = sum(DEFAULT_WEIGHTS[name] * part for name, part in pair["parts"].items())
        assert pair["score"] == pytest.approx(total, abs=1e-3)
    assert body["rule"]["name"] == "eligibility"
    assert body["rule"]["version"] >= 1
    assert answer.headers["cache-control"] == "no-store"


def test_weights_change_the_order_of_things(client, demand):
    asked = {"demand": demand, "weights": {"rent": 1}, "limit": 50}
    body = client.post("/api/match", json=asked, headers=STAFF).json()
    rents = [pair["parts"]["rent"] for pair in body["pairs"]]
    assert rents == sorted(rents, reverse=True)
    assert body["weights"]["rent"] == 1


def test_demands_for_a_space(client, city, whole):
    space = whole["pairs"][0]["space"]
    body = client.post("/api/match", json={"space": space}, headers=STAFF).json()
    assert body["mode"] == "demands"
    assert whole["pairs"][0]["demand"] in [pair["demand"] for pair in body["pairs"]]
    with open_store(city) as store:
        assert ask_space_matches(store, space).to_json() == body


def test_all_to_all(client, whole):
    body = client.post("/api/match", json={"mode": "compare"}, headers=STAFF).json()
    assert body == orjson.loads(orjson.dumps(whole))
    assert body["objective"] <= body["bound"] + 1e-6
    assert body["gap"] <= 0.01
    assert [row["mode"] for row in body["comparison"]] == ["best", "stable"]
    assert sum(pair["score"] for pair in body["pairs"]) == pytest.approx(
        body["objective"], abs=1e-3
    )
    given = [one["demand"] for one in body["unmatched"]]
    assert not set(given) & {pair["demand"] for pair in body["pairs"]}
    assert all(one["zh"] and one["en"] and one["cause"] for one in body["unmatched"])
    short = sum(row["demands"] for row in body["shortage"]["unit"].values())
    assert short == sum(one["cause"] != "not_eligible" for one in body["unmatched"])


def test_what_is_assigned_exists_is_allowed_and_fits(city, whole):
    with open_store(city) as store:
        demands = store.read("demands", Query()).set_index("id")
        spaces = store.read("spaces", Query()).set_index("id")
    used = {}
    for pair in whole["pairs"]:
        wanted, offered = demands.loc[pair["demand"]], spaces.loc[pair["space"]]
        assert (wanted["status"], offered["status"]) == ("open", "vacant")
        assert offered["rent_cny_m2_month"] <= wanted["max_rent_cny_m2_month"]
        assert pair["eligible"] in ("pass", "unknown")
        used[pair["space"]] = used.get(pair["space"], 0) + pair["area_m2"]
    for key, area in used.items():
        assert area <= spaces.loc[key, "vacant_area_m2"] + 0.1


def test_contacts_never_leave(client, whole, demand):
    texts = [
        orjson.dumps(whole).decode(),
        client.get(f"/api/demands/{demand}/matches", headers=STAFF).text,
        client.post("/api/match", json={"mode": "best"}, headers=STAFF).text,
    ]
    for text in texts:
        assert not [word for word in PRIVATE if word in text]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"mode": "magic"}, 422),
        ({"mode": "spaces"}, 422),
        ({"mode": "demands"}, 422),
        ({"demand": "a", "space": "b"}, 422),
        ({"demand": "none"}, 404),
        ({"space": "none"}, 404),
        ({"weights": {"colour": 1}}, 422),
        ({"weights": {"rent": -1}}, 422),
        ({"weights": {"rent": 0}}, 422),
        ({"limit": 0}, 422),
        ({"contact": "x"}, 422),
        ([], 422),
    ],
)
def test_nonsense_is_refused(client, body, status):
    assert_problem(client.post("/api/match", json=body, headers=STAFF), status)


def test_the_command_gives_what_the_door_gives(client, city, demand, capsys):
    assert main(["match", "--store", str(city), "--demand", demand, "--json"]) == 0
    said = orjson.loads(capsys.readouterr().out)
    assert said == client.get(f"/api/demands/{demand}/matches", headers=STAFF).json()
    assert main(["match", "--store", str(city), "--mode", "stable", "--lang", "zh"]) == 0
    assert "权重" in capsys.readouterr().out
    assert main(["match", "--store", str(city), "--weight", "rent"]) == 2
    assert "PART=NUMBER" in capsys.readouterr().err


def open_whole(client, path):
    """Open a page that waits for a matching, wait with it, and open it again."""
    page = client.get(path, headers=STAFF)
    job = page.url.params["job"]
    while client.get(f"/api/jobs/{job}", headers=STAFF).json()["status"] in ACTIVE:
        time.sleep(0.05)
    return client.get(page.url, headers=STAFF)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_is_for_staff(client, demand, whole, lang):
    for path in ("/match", "/match/export?mode=best", "/shortage"):
        assert client.get(path, headers={"accept": "text/html"}).status_code == 401
    blank = client.get(f"/match?lang={lang}", headers=STAFF)
    assert "<table" not in blank.text
    page = open_whole(client, f"/match?lang={lang}&mode=compare")
    assert page.status_code == 200
    assert f"<strong>{len(whole['pairs'])}</strong>" in page.text
    assert page.text.count('name="pair"') == min(100, len(whole["pairs"]))
    weights = html.unescape(re.search(r'name="weights" value="([^"]*)"', page.text)[1])
    assert orjson.loads(weights) == pytest.approx(whole["weights"])
    assert not [word for word in PRIVATE if word in page.text]
    one = client.get(f"/match?lang={lang}&demand={demand}&w_rent=1&w_area=", headers=STAFF)
    assert one.status_code == 200
    assert one.headers["cache-control"] == "no-store"
    assert client.get("/match?mode=magic", headers=STAFF).status_code == 422
    assert client.get("/match?mode=best&w_rent=x", headers=STAFF).status_code == 422
    assert client.get("/match?demand=none", headers=STAFF).status_code == 404


def test_the_page_sorts_pages_and_names_causes(client, whole):
    page = open_whole(client, "/match?lang=en&mode=compare&sort=title")
    shown = re.findall(r'name="pair" value="([^|]+)\|', page.text)
    assert shown == sorted(shown)
    lone = open_whole(client, "/match?lang=en&mode=compare&show=unmatched")
    assert lone.text.partition('id="unmatched"')[2].count("<tr><td>") == min(
        100, len(whole["unmatched"])
    )
    cause = whole["unmatched"][0]["cause"]
    some = open_whole(client, f"/match?lang=en&mode=compare&show=unmatched&cause={cause}")
    count = sum(one["cause"] == cause for one in whole["unmatched"])
    assert some.text.partition('id="unmatched"')[2].count("<tr><td>") == min(100, count)
    beyond = open_whole(client, "/match?lang=en&mode=compare&page=99")
    assert beyond.status_code == 200
    other = client.get(f"/match?mode=best&job={page.url.params['job']}", headers=STAFF)
    assert other.url.params["job"] != page.url.params["job"], "the job of another question"


@pytest.mark.parametrize("kind", ["xlsx", "csv", "json"])
def test_a_matching_can_be_taken_away(client, whole, kind):
    page = open_whole(client, "/match?lang=zh&mode=compare")
    query = f"{page.url.query.decode()}&format={kind}"
    file = client.get(f"/match/export?{query}", headers=STAFF)
    assert file.status_code == 200
    assert f"match.{kind}" in file.headers["content-disposition"]
    if kind == "json":
        assert file.json()["pairs"] == orjson.loads(orjson.dumps(whole))["pairs"]
        return
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    else:
        book = openpyxl.load_workbook(io.BytesIO(file.content))
        assert book.sheetnames == ["匹配结果", "没有空间的需求", "缺口", "权重"]
        assert len(list(book["没有空间的需求"].values)) == 1 + len(whole["unmatched"])
        rows = list(book["匹配结果"].values)
    assert len(rows) == 1 + len(whole["pairs"])
    assert rows[0][:3] == ("需求编号", "需求", "空间编号") or rows[0][:3] == [
        "需求编号", "需求", "空间编号",
    ]  # fmt: skip
    assert rows[1][0] == whole["pairs"][0]["demand"]
    nothing = client.get(f"/match/export?mode=stable&format={kind}", headers=STAFF)
    assert_problem(nothing, 404)


def test_declined_pairs_are_left_out_and_said(city, tmp_path, whole):
    own = shutil.copy(city, tmp_path / "hatchmap.gpkg")
    best = [(pair["demand"], pair["space"]) for pair in whole["pairs"]]
    with open_store(own, write=True) as store:
        with store.edit("tests") as edit:
            open_deals(edit, rate_deals(store, best[:3]), Told("t", reason="rent"), state="lost")
            open_deals(edit, rate_deals(store, best[3:5]), Told("t"))
        again = ask_match(store)
        given = {(pair["demand"], pair["space"]) for pair in again.pairs}
        assert not given & set(best[:3])
        assert again.declined == 3
        deals = {(pair["demand"], pair["space"]): pair["deal"] for pair in again.pairs}
        assert all(deals[pair]["state"] == "proposed" for pair in best[3:5] if pair in deals)
        all_of_them = ask_match(store, declined=True)
        assert all_of_them.objective == pytest.approx(whole["objective"], abs=0.5)
        assert again.objective <= all_of_them.bound + 1e-6
        demand, space = best[0]
        ranked = ask_demand_matches(store, demand, staff=True)
        assert space not in [pair["space"] for pair in ranked.pairs]
        assert ranked.declined == 1
        shown = {pair["space"]: pair["deal"] for pair in
                 ask_demand_matches(store, demand, declined=True, staff=True).pairs}  # fmt: skip
        assert shown[space]["state"] == "lost"
        told = ask_demand_matches(store, demand, declined=True)
        assert not [pair for pair in told.pairs if "deal" in pair], "deals are the staff's"
        assert ask_demand_matches(store, demand).declined == 0
        theirs = ask_space_matches(store, space)
        assert demand not in [pair["demand"] for pair in theirs.pairs]
        assert theirs.declined == 1


def test_a_matching_that_is_stopped_keeps_the_best_found(city):
    with open_store(city) as store:
        report = ask_match(store, watch=Watch.start(50, cancel=lambda: True))
    assert report.status == "stopped"
    assert report.pairs
    assert report.gap is None or report.gap >= 0


def test_both_readings_are_compared(whole):
    best, stable = whole["comparison"]
    assert (best["mode"], stable["mode"]) == ("best", "stable")
    assert best["objective"] >= stable["objective"] - 1e-6
    assert len(whole["blocking_pairs"]) == min(200, whole["blocking"])
    given = {pair["demand"]: pair["space"] for pair in whole["pairs"]}
    for one in whole["differing"]:
        assert one["best"] != one["stable"]
        assert given.get(one["demand"]) == one["best"]
    for one in whole["unmatched"]:
        assert bool(one["reasons"]) == (one["cause"] == "not_eligible")
        assert all(reason["clause"] and reason["zh"] for reason in one["reasons"])


def test_the_shortage_is_a_layer_and_a_map(client, city, whole, capsys):
    short = [one for one in whole["unmatched"] if one["cause"] != "not_eligible"]
    assert short, "the small city has a shortage"
    body = client.get("/api/match/shortage", headers=STAFF).json()
    assert body["demands"] == len(short)
    assert body["area_m2"] == pytest.approx(sum(one["min_area_m2"] for one in short), abs=1)
    by_unit = {one["properties"]["unit"]: one["properties"] for one in body["features"]}
    for one in body["units"]:
        if one["unit"]:
            assert by_unit[one["unit"]]["area_m2"] == one["area_m2"]
    industry = short[0]["industry"]
    some = client.get(f"/api/match/shortage?industry={industry}", headers=STAFF).json()
    assert some["demands"] == sum(one["industry"] == industry for one in short)
    assert some["industries"] == body["industries"], "the choices stay"
    assert_problem(client.get("/api/match/shortage?kind=castle", headers=STAFF), 422)
    assert_problem(client.get("/api/match/shortage"), 401)
    page = open_whole(client, f"/shortage?lang=en&industry={industry}")
    assert page.status_code == 200
    assert f"{some['area_m2']:,.0f}" in page.text
    store = ["--store", str(city), "--lang", "zh"]
    assert main(["shortage", *store, "--industry", industry, "--json"]) == 0
    told = orjson.loads(capsys.readouterr().out)
    assert (told["demands"], told["units"]) == (some["demands"], some["units"])
    assert main(["shortage", *store]) == 0
    assert "㎡" in capsys.readouterr().out


def test_the_wait_for_the_shortage_tells_how_far_it_is():
    job = {"jobID": "j1", "status": "running", "created": "2026-11-26T08:00:00Z", "stage": "whole"}
    page = shortage_page(
        None, frame=PageFrame("en"), ground=None, view=MapView("en", (0, 0, 1, 1)),
        held={"industry": "", "kind": "", "job": "j1"}, job={**job, "progress": 40},
    )  # fmt: skip
    assert 'data-job="j1"' in page
    assert 'value="40"' in page
    assert words("en")("match_js.whole") in page
    assert 'name="industry"' not in page, "there is nothing to choose from yet"


def test_siting_can_serve_the_unmet_demand(client, whole):
    asked = {"model": "cover", "p": 2, "demand": "unmet", "minutes": 120, "alternatives": 0,
             "curve": False}  # fmt: skip
    body = client.post("/api/siting", json=asked, headers=STAFF).json()
    short = [one for one in whole["unmatched"] if one["cause"] != "not_eligible"]
    assert body["demand"] <= sum(one["min_area_m2"] for one in short) + 1
    assert body["demand"] > 0
    assert 0 <= body["covered"] <= body["demand"]
    assert "未满足" in body["sentence"]["zh"]
