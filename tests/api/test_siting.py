"""Siting through its doors: the answer's shape, wrong input, progress and stopping."""

import json
import shutil

import geopandas as gpd
import pytest

from api.jobs.kinds import Task
from api.jobs.siting import SitingAsked, run
from api.questions.programme import Plan, ask_programme
from api.questions.site_candidates import Scope
from api.questions.siting import Walk, ask_demand_sites, ask_town_sites
from geo.errors import InputError
from layers.store import open_store
from tests.api.conftest import TOKEN

STAFF = {"authorization": f"Bearer {TOKEN}"}
SHAPE = {
    "model", "status", "objective", "bound", "gap", "chosen", "alternatives", "curve", "conflict",
}  # fmt: skip


@pytest.fixture(scope="module")
def store(city):
    with open_store(city) as opened:
        yield opened


def post(client, **asked):
    return client.post("/api/siting", json=asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "towns", "within_m": 20_000},
        {"model": "cover", "p": 3, "minutes": 30},
        {"model": "cover", "p": 2, "minutes": 30, "demand": "demands", "source": "grid"},
        {"model": "cover", "p": 2, "minutes": 30, "source": "spaces", "beyond_existing": True},
        {"model": "programme", "target_share": 0.0, "cover_towns": False},
        {"model": "programme"},
    ],
)
def test_every_model_answers_in_its_shape(client, asked):
    answer = post(client, **asked)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) >= SHAPE
    assert body["model"] == asked["model"]
    assert body["sentence"]["zh"]
    assert body["sentence"]["en"]
    assert body["demo_counted"] is True
    known = {one["id"] for one in body["candidates"]}
    for one in body["chosen"]:
        assert {"site", "year", "adds", "why"} <= set(one)
        assert one["site"] in known
        assert one["why"]["zh"]
        assert one["why"]["en"]
    for point in body["curve"]:
        assert {"p", "covered"} <= set(point)
    for one in body["conflict"]:
        assert one["zh"]
        assert one["en"]


def test_most_demand_is_told_with_its_proof(store):
    answer = ask_demand_sites(store, 3, walk=Walk(30.0)).to_json()
    assert answer["status"] == "optimal"
    assert answer["gap"] <= 1e-6
    assert answer["network"] is True
    covered = [point["covered"] for point in answer["curve"]]
    assert covered == sorted(covered)
    longer = ask_demand_sites(store, 3, walk=Walk(60.0)).to_json()
    assert longer["covered"] >= answer["covered"]


def test_a_fixed_site_is_in_and_a_forbidden_one_is_out(store):
    ids = store.read("sites")["id"].tolist()
    scope = Scope(fixed=(ids[0],), forbidden=(ids[1],))
    answer = ask_demand_sites(store, 3, scope=scope, walk=Walk(30.0)).to_json()
    chosen = {one["site"] for one in answer["chosen"]}
    assert ids[0] in chosen
    assert ids[1] not in chosen


def test_towns_without_a_candidate_are_named(store):
    near = ask_town_sites(store).to_json()
    far = ask_town_sites(store, within_m=100_000).to_json()
    assert near["covered"] + len(near["unreachable"]) == near["towns"]
    assert far["covered"] >= near["covered"]
    assert not far["unreachable"]


def test_a_programme_that_cannot_be_says_why_and_comes_close(store):
    answer = ask_programme(store, plan=Plan(target_share=10.0)).to_json()
    assert answer["status"] == "infeasible"
    assert answer["conflict"]
    assert answer["shortages"]
    assert answer["chosen"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "cover"}, "how many sites"),
        ({"model": "cover", "p": 9_999}, "9999 sites cannot be chosen"),
        ({"model": "cover", "p": 0}, "p"),
        ({"model": "cover", "p": 2, "profile": "nobody"}, "nobody"),
        ({"model": "cover", "p": 2, "fixed": ["nothing"]}, "nothing"),
        ({"model": "programme", "budget_cny": {"2027": 0}}, "budget_cny"),
        ({"model": "programme", "budget_cny": {"1999": 5}}, "1999"),
        ({"model": "programme", "from_year": 2199}, "2199|from_year"),
        ({"model": "towns", "within_m": -1}, "within_m"),
        ({"model": "elsewhere"}, "model"),
        ({"model": "towns", "typo": 1}, "typo"),
    ],
)
def test_wrong_input_is_one_problem(client, asked, said):
    answer = post(client, **asked)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert any(word in answer.text for word in said.split("|"))


def test_an_unknown_unit_is_not_found(client):
    answer = post(client, model="towns", unit="Nowhere")
    assert answer.status_code == 404
    assert "Nowhere" in answer.text


def test_not_a_number_is_refused(client):
    body = '{"model": "cover", "p": 2, "minutes": NaN}'
    answer = client.post("/api/siting", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)


def read_events(text):
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            yield lines["event"], json.loads(lines["data"])


def test_a_stream_ends_with_the_result(client):
    answer = client.post(
        "/api/siting",
        json={"model": "cover", "p": 2, "minutes": 30},
        headers={"accept": "text/event-stream"},
    )
    events = list(read_events(answer.text))
    assert events[0][0] == "run"
    assert events[-1][0] == "result"
    assert events[-1][1]["status"] == "optimal"
    key = events[0][1]["run"]
    assert client.delete(f"/api/siting/{key}").status_code == 404  # it has ended


def test_a_stream_tells_a_problem(client):
    answer = client.post(
        "/api/siting",
        json={"model": "cover", "p": 9_999},
        headers={"accept": "text/event-stream"},
    )
    name, body = list(read_events(answer.text))[-1]
    assert (name, body["status"]) == ("problem", 422)


def test_the_public_may_ask_for_so_much_time_and_staff_for_more(client):
    asked = {"model": "towns", "within_m": 20_000, "time_limit_s": 100}
    refused = client.post("/api/siting", json=asked)
    assert refused.status_code == 422
    assert "60" in refused.json()["detail"]
    taken = client.post("/api/siting", json=asked, headers=STAFF)
    assert taken.status_code == 200


def test_a_run_can_be_followed_as_a_job(client):
    asked = {"model": "cover", "p": 1, "minutes": 30}
    taken = client.post("/api/siting", json=asked, headers={"prefer": "wait=5, respond-async"})
    assert taken.status_code == 201
    assert taken.headers["preference-applied"] == "respond-async"
    place = taken.headers["location"]
    assert taken.json()["processID"] == "siting"
    events = list(read_events(client.get(f"{place}/events").text))
    assert events[-1][1]["status"] == "successful"
    result = client.get(f"{place}/results")
    assert len(result.json()["chosen"]) == 1
    assert result.json() == client.post("/api/siting", json=asked).json()


def test_a_run_that_is_stopped_gives_the_best_found(city):
    asked = SitingAsked(model="cover", p=3, minutes=30).model_dump(mode="json")
    said = []
    with open_store(city) as store:
        # Asked to stop at the first set of sites that the solver finds.
        tell = lambda stage, **figures: said.append(figures) if figures else None  # noqa: E731
        product = run(Task(asked, store, tell, lambda: bool(said)))
    body = json.loads(product.body)
    assert len(body["chosen"]) == 3
    assert product.whole is (body["status"] == "optimal")


def test_a_site_outside_the_city_is_left_out_and_said(city, tmp_path):
    path = tmp_path / "far.gpkg"
    shutil.copy(city, path)
    with open_store(path, write=True) as store:
        sites = store.read("sites")
        before = len(ask_town_sites(store).candidates)
        far = sites.iloc[[0]].assign(id="site-far", name="远处", decision="fixed")
        far = far.set_geometry(gpd.points_from_xy([116.4], [39.9]), crs=sites.crs)
        with store.edit("test") as edit:
            edit.insert("sites", far)
        answer = ask_town_sites(store).to_json()
        assert len(answer["candidates"]) == before
        assert [one["site"] for one in answer["left_out"]] == ["site-far"]
        assert "5 km outside the city" in answer["left_out"][0]["en"]
        with pytest.raises(InputError, match="site-far"):
            ask_town_sites(store, scope=Scope(fixed=("site-far",)))
