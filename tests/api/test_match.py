"""Matching from every door: only for staff, never with a contact, always with reasons."""

import orjson
import pytest

from api.cli import main
from api.questions.match import ask_match, ask_space_matches
from geo.matching import DEFAULT_WEIGHTS, PARTS
from layers.query import Query
from layers.store import open_store
from tests.api.conftest import TOKEN
from tests.api.test_http import assert_problem

STAFF = {"Authorization": f"Bearer {TOKEN}"}
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


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_is_for_staff(client, demand, whole, lang):
    assert client.get("/match", headers={"accept": "text/html"}).status_code == 401
    page = client.get(f"/match?lang={lang}&mode=compare", headers=STAFF)
    assert page.status_code == 200
    assert f"<strong>{len(whole['pairs'])}</strong>" in page.text
    assert not [word for word in PRIVATE if word in page.text]
    one = client.get(f"/match?lang={lang}&demand={demand}&w_rent=1&w_area=", headers=STAFF)
    assert one.status_code == 200
    assert one.headers["cache-control"] == "no-store"
    assert client.get("/match?mode=magic", headers=STAFF).status_code == 422
    assert client.get("/match?w_rent=x", headers=STAFF).status_code == 422
    assert client.get("/match?demand=none", headers=STAFF).status_code == 404
