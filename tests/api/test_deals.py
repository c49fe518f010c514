"""Deals from every door: signing lets what is vacant, no more; losing and undoing give it back."""

import shutil
import threading

import orjson
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.cli import main
from api.questions.deal_steps import Told, open_deals, rate_deals, step_deal, undo_deal
from api.questions.match import ask_match
from api.settings import load_settings
from geo.deals import RefusedError
from geo.errors import ConflictError, StoreBusyError
from layers.query import Query
from layers.store import open_store
from layers.undo import undo_batch
from tests.api.conftest import TOKEN
from tests.api.test_http import assert_problem

STAFF = {"Authorization": f"Bearer {TOKEN}"}
TOLD = Told("tests")


@pytest.fixture
def own(city, tmp_path):
    """A store of one's own to write to."""
    return shutil.copy(city, tmp_path / "hatchmap.gpkg")


@pytest.fixture
def door(own, tmp_path):
    app = create_app(load_settings(store=own, data=tmp_path, staff_token=TOKEN))
    # Outside a `with` block nothing is warmed up: each test has a store of its own.
    yield TestClient(app, raise_server_exceptions=False, headers=STAFF)
    app.state.store.close()


@pytest.fixture(scope="session")
def pairs(city):
    """Pairs of the best matching, no demand twice; the first on a space that can be divided."""
    with open_store(city) as store:
        found = ask_match(store).to_json()["pairs"]
    return [(pair["demand"], pair["space"]) for pair in found]


def rate_as_fit(store, pairs):
    """Rate pairs as if nothing spoke against them."""
    return [{**one, "fails": (), "eligible": "pass"} for one in rate_deals(store, pairs)]


def propose(door, pair, **more):
    body = {"pairs": [{"demand": pair[0], "space": pair[1]}], **more}
    answer = door.post("/api/deals", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["deals"][0]


def patch(door, deal, **body):
    answer = door.patch(f"/api/deals/{deal}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["deal"]


def facts(path, pair):
    """What the store says of demand, space and incubator."""
    with open_store(path) as store:
        demand, space = store.get("demands", pair[0]), store.get("spaces", pair[1])
        incubator = store.get("incubators", space["incubator"])
    vacant = space["area_m2"] if space["vacant_area_m2"] is None else space["vacant_area_m2"]
    return {
        "demand": demand["status"],
        "space": (vacant, space["status"]),
        "incubator": (incubator["occupied_area_m2"], incubator["vacant_area_m2"]),
    }


def test_the_whole_way_to_a_signature_and_back(door, own, pairs):
    pair, before = pairs[0], facts(own, pairs[0])
    deal = propose(door, pair, note="适合")
    assert (deal["state"], deal["allowed"]) == ("proposed", ["contacted", "lost"])
    assert 0 < deal["score"] <= 1
    assert set(deal["basis"]) == {"weights", "parts", "rule"}
    for state in ("contacted", "visited"):
        assert patch(door, deal["id"], state=state)["state"] == state
    assert facts(own, pair) == before
    signed = patch(door, deal["id"], state="signed")
    area, after = signed["area_m2"], facts(own, pair)
    assert signed["signed_on"] is not None
    assert after["demand"] == "signed"
    assert after["space"][0] == pytest.approx(before["space"][0] - area)
    assert after["space"][1] == ("vacant" if after["space"][0] else "occupied")
    assert after["incubator"][0] == pytest.approx(before["incubator"][0] + area)
    assert after["incubator"][1] == pytest.approx(max(0, before["incubator"][1] - area))
    listed = door.get("/api/deals").json()
    assert listed["signed_area_m2"] == pytest.approx(area)
    assert listed["counts"]["signed"] == 1
    assert listed["demo_counted"] is True
    lost = patch(door, deal["id"], state="lost", reason="ended")
    assert facts(own, pair)["space"] == before["space"]
    assert facts(own, pair)["demand"] == "open"
    again = patch(door, deal["id"], undo=True)
    assert (lost["state"], again["state"]) == ("lost", "signed")
    assert facts(own, pair) == after
    assert patch(door, deal["id"], undo=True)["state"] == "visited"
    assert facts(own, pair) == before
    for _ in range(2):
        patch(door, deal["id"], undo=True)
    assert patch(door, deal["id"], undo=True) is None
    assert door.get("/api/deals").json()["total"] == 0
    assert_problem(door.get(f"/api/deals/{deal['id']}"), 404)


def test_everything_is_in_the_history(door, own, pairs):
    deal = propose(door, pairs[0])["id"]
    patch(door, deal, state="contacted", note="电话已通")
    patch(door, deal, undo=True)
    patch(door, deal, note="再等一周")
    found = door.get(f"/api/deals/{deal}").json()
    assert [one["state"] for one in found["history"]] == [
        "proposed", "contacted", "proposed", "proposed",
    ]  # fmt: skip
    assert [one["what"].split(": ")[1] for one in found["history"]] == [
        "proposed", "contacted", "undo", "note",
    ]  # fmt: skip
    assert {one["who"] for one in found["history"]} == {"staff"}
    assert (found["note"], len(found["steps"])) == ("再等一周", 1)


def test_a_step_is_not_taken_back_in_one_layer_alone(door, own, pairs):
    deal = propose(door, pairs[0])["id"]
    for state in ("contacted", "signed"):
        patch(door, deal, state=state)
    with open_store(own, write=True) as store:
        for batch in store.batches()[-4:]:
            with pytest.raises(ConflictError, match="step of a deal"):
                undo_batch(store, batch.number, who="tests")
    assert facts(own, pairs[0])["demand"] == "signed"


def test_refusals_name_the_way_out(door, own, pairs):
    deal = propose(door, pairs[0])["id"]
    refused = door.patch(f"/api/deals/{deal}", json={"state": "signed"})
    assert_problem(refused, 422)
    assert "contacted or lost" in refused.json()["detail"]
    assert refused.json()["errors"][0]["where"] == "state"
    patch(door, deal, state="contacted")
    vacant = facts(own, pairs[0])["space"][0]
    for body, word in (
        ({"state": "signed", "area_m2": vacant + 1}, f"only {vacant:g} m² are vacant"),
        ({"state": "signed", "area_m2": 0.2}, "no part below"),
        ({"state": "lost"}, "reason"),
        ({"state": "lost", "reason": "mood"}, "is not known"),
        ({"state": "visited", "note": "x" * 2001}, "too long"),
        ({}, "nothing to change"),
        ({"undo": True, "state": "lost"}, "one of them"),
        ({"state": "magic"}, "state"),
        ({"area_m2": -1, "state": "signed"}, "area_m2"),
    ):
        answer = door.patch(f"/api/deals/{deal}", json=body)
        assert_problem(answer, 422)
        assert word in answer.json()["detail"]
    assert patch(door, deal, state="lost", reason="rent")["allowed"] == ["proposed"]


def test_what_cannot_be_matched_is_not_proposed(door, own, pairs):
    pair = pairs[0]
    propose(door, pair)
    twice = {"pairs": [{"demand": pair[0], "space": pair[1]}]}
    assert_problem(door.post("/api/deals", json=twice), 422)
    for body, status in (
        ({"pairs": [{"demand": pair[0], "space": "none"}]}, 404),
        ({"pairs": [{"demand": "none", "space": pair[1]}]}, 404),
        ({"pairs": []}, 422),
        ({"pairs": twice["pairs"] * 2}, 422),
        ({"pairs": twice["pairs"], "state": "signed"}, 422),
        ({"pairs": [{"demand": pairs[1][0], "space": pairs[1][1]}], "state": "lost"}, 422),
    ):
        assert_problem(door.post("/api/deals", json=body), status)
    with open_store(own, write=True) as store:
        with store.edit("tests") as edit:
            edit.update("spaces", pairs[1][1], status="reserved")
            edit.update("demands", pairs[2][0], status="withdrawn")
        with pytest.raises(RefusedError, match="vacant"), store.edit("tests") as edit:
            open_deals(edit, rate_deals(store, [pairs[1]]), TOLD)
        with pytest.raises(RefusedError, match="withdrawn"), store.edit("tests") as edit:
            open_deals(edit, rate_deals(store, [pairs[2]]), TOLD)
        assert store.count("deals") == 1


def test_several_at_once_all_or_none(door, pairs):
    asked = {"pairs": [{"demand": d, "space": s} for d, s in pairs[:4]]}
    made = door.post("/api/deals", json=asked).json()["deals"]
    assert [(deal["demand"], deal["space"]) for deal in made] == pairs[:4]
    more = {"pairs": [{"demand": d, "space": s} for d, s in pairs[3:6]], "state": "proposed"}
    assert_problem(door.post("/api/deals", json=more), 422)
    assert door.get("/api/deals").json()["total"] == 4
    more = {"pairs": asked["pairs"][:2], "state": "lost", "reason": "place"}
    assert door.post("/api/deals", json=more).status_code == 201
    listed = door.get("/api/deals?state=lost&limit=1").json()
    assert (listed["total"], len(listed["deals"])) == (2, 1)
    rest = door.get(f"/api/deals?state=lost&limit=1&after={listed['next']}").json()
    assert {listed["deals"][0]["demand"], rest["deals"][0]["demand"]} == {d for d, _ in pairs[:2]}
    assert door.get(f"/api/deals?demand={pairs[2][0]}").json()["total"] == 1


def test_two_signings_at_once_never_oversell(own, pairs):
    """Deals of several demands on one space, all signed at the same moment."""
    space = pairs[0][1]
    with open_store(own, write=True) as store:
        with store.edit("tests") as edit:
            edit.update("spaces", space, vacant_area_m2=100.0, area_m2=150.0, min_area_m2=10.0,
                        status="vacant", rent_cny_m2_month=1.0)  # fmt: skip
        rated = rate_as_fit(store, [(demand, space) for demand, _ in pairs[:6]])
        with store.edit("tests") as edit:
            deals = open_deals(edit, rated, Told("tests", 40.0))
            for deal in deals:
                step_deal(edit, deal, "contacted", TOLD)
    start, done = threading.Barrier(len(deals)), []

    def sign(deal):
        with open_store(own, write=True) as store:
            start.wait()
            said = None
            while said is None:
                try:
                    with store.edit("tests") as edit:
                        step_deal(edit, deal, "signed", TOLD)
                    said = "signed"
                except RefusedError as error:
                    said = error.key
                except StoreBusyError:
                    continue  # a slow machine: the others took too long
            done.append(said)

    threads = [threading.Thread(target=sign, args=(deal,)) for deal in deals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["oversold"] * 4 + ["signed"] * 2
    with open_store(own) as store:
        assert store.get("spaces", space)["vacant_area_m2"] == 20.0
        assert store.count("deals", Query(where={"state": "signed"})) == 2


def test_a_signed_demand_signs_nothing_else_until_it_is_free_again(own, pairs):
    demand, space = pairs[0]
    other = pairs[1][1]
    with open_store(own, write=True) as store:
        rated = rate_as_fit(store, [(demand, space), (demand, other)])
        with store.edit("tests") as edit:
            first, second = open_deals(edit, rated, TOLD)
            for deal in (first, second):
                step_deal(edit, deal, "contacted", TOLD)
            step_deal(edit, first, "signed", TOLD)
        with pytest.raises(RefusedError, match="is signed"), store.edit("tests") as edit:
            step_deal(edit, second, "visited", TOLD)
        with store.edit("tests") as edit:
            undo_deal(edit, first)
            assert edit.get("demands", demand)["status"] == "open"
            step_deal(edit, second, "visited", TOLD)


def test_demo_demands_never_change_real_space(own, pairs):
    demand, space = pairs[0]
    with open_store(own, write=True) as store:
        with store.edit("tests") as edit:
            edit.update("spaces", space, provenance="entered")
        with store.edit("tests") as edit:
            (deal,) = open_deals(edit, rate_deals(store, [(demand, space)]), TOLD)
            step_deal(edit, deal, "contacted", TOLD)
        with pytest.raises(RefusedError, match="demo"), store.edit("tests") as edit:
            step_deal(edit, deal, "signed", TOLD)
        assert store.get("deals", deal)["state"] == "contacted"


def test_without_the_token_nothing_is_shown(door, pairs):
    propose(door, pairs[0])
    for method, path in (("GET", "/api/deals"), ("POST", "/api/deals"), ("GET", "/deals"),
                         ("PATCH", "/api/deals/deals-1"), ("POST", "/deals/deals-1")):  # fmt: skip
        answer = door.request(method, path, headers={"Authorization": "Bearer no"})
        assert answer.status_code == 401
        assert pairs[0][0] not in answer.text
    for path in ("/api/records/deals", "/api/layers/deals", "/api/map/deals.geojson"):
        assert pairs[0][0] not in door.get(path, headers={"Authorization": ""}).text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_does_what_the_door_does(door, own, pairs, lang):
    form = {"pair": [f"{d}|{s}" for d, s in pairs[:2]], "state": "proposed"}
    page = door.post(f"/deals?lang={lang}", data=form)
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    first = door.get("/api/deals").json()["deals"][0]
    for what in ("contacted", "visited"):
        page = door.post(f"/deals/{first['id']}?lang={lang}", data={"what": what})
    vacant = facts(own, (first["demand"], first["space"]))["space"][0]
    refused = door.post(
        f"/deals/{first['id']}?lang={lang}", data={"what": "signed", "area_m2": vacant + 5}
    )
    assert refused.status_code == 422
    said = {"zh": "不能签", "en": "cannot be signed"}[lang]
    assert said in refused.text
    signed = door.post(f"/deals/{first['id']}?lang={lang}", data={"what": "signed"})
    assert signed.status_code == 200
    assert facts(own, (first["demand"], first["space"]))["demand"] == "signed"
    lost = door.post(f"/deals/{first['id']}?lang={lang}", data={"what": "lost"})
    assert lost.status_code == 422
    assert {"zh": "请选择未成的原因", "en": "Choose why"}[lang] in lost.text
    assert door.post(f"/deals/{first['id']}", data={"what": "x"}).status_code == 422
    assert (
        door.post(f"/deals/{first['id']}", data={"what": "note", "area_m2": "x"}).status_code == 422
    )
    assert "deals-" in door.get(f"/deals?lang={lang}&state=signed").text
    empty = door.get(f"/deals?lang={lang}&state=visited").text
    assert {"zh": "还没有对接", "en": "no deals yet"}[lang] in empty


def test_hostile_notes_stay_text(door, pairs):
    deal = propose(door, pairs[0], note="<script>alert(1)</script>")["id"]
    patch(door, deal, note="<img src=x onerror=alert(2)>")
    text = door.get("/deals").text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


def test_the_command_goes_the_same_way(own, pairs, capsys):
    store, (demand, space) = ["--store", str(own), "--lang", "zh"], pairs[0]
    assert main(["deals", "propose", demand, space, *store, "--json"]) == 0
    deal = orjson.loads(capsys.readouterr().out)["id"]
    assert main(["deals", "step", deal, "contacted", "--note", "已通话", *store]) == 0
    assert "已联系" in capsys.readouterr().out
    assert main(["deals", "step", deal, "proposed", *store]) == 2
    assert "visited" in capsys.readouterr().err
    assert main(["deals", "step", deal, "signed", "--area", "1e7", *store]) == 2
    assert "空置面积" in capsys.readouterr().err
    assert main(["deals", "note", deal, "等合同", *store]) == 0
    assert main(["deals", "list", "--state", "contacted", *store, "--lang", "en"]) == 0
    out = capsys.readouterr().out
    assert "等合同" in out
    assert "1 deals" in out
    assert main(["deals", "show", deal, *store]) == 0
    for _ in range(2):
        assert main(["deals", "undo", deal, *store]) == 0
    assert "已撤销" in capsys.readouterr().out
    assert main(["deals", "list", "--json", *store]) == 0
    assert orjson.loads(capsys.readouterr().out)["total"] == 0
    assert main(["deals", "undo", deal, *store]) == 2
    assert main(["deals", "list", "--state", "magic", *store]) == 2
