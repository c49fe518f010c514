"""Needs over HTTP: posted by anyone, opened by the secret alone, erased when withdrawn."""

import hashlib
import json
import math
from datetime import timedelta

import orjson
import pytest

from api.cli import main
from api.questions.common import today
from layers.store import open_store
from tests.api.demanding import CONTACT, STAFF, TRACES, bearer, need, serve, with_contact
from tests.api.test_http import assert_problem

CROSSING = {
    "type": "Polygon",
    "coordinates": [
        [[-56.2, -34.6], [-56.1, -34.5], [-56.1, -34.6], [-56.2, -34.5], [-56.2, -34.6]]
    ],
}
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[-56.2, -34.6], [-56.1, -34.6], [-56.1, -34.5], [-56.2, -34.6]]],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demands")


@pytest.fixture(scope="module")
def server(folder):
    with serve(folder, posts_per_minute=500) as client:
        yield client


@pytest.fixture
def posted(server):
    answer = server.post("/api/demands", json=with_contact())
    assert answer.status_code == 201, answer.text
    return answer.json()


def held(server, key):
    with open_store(server.app.state.store.path) as store:
        return store.get("demands", key)


def test_a_need_is_kept_as_posted_and_only_a_hash_of_its_secret(server, posted):
    record = held(server, posted["id"])
    assert record["industry"] == "Boats"
    assert record["facts"] is None
    assert (record["provenance"], record["status"]) == ("entered", "open")
    assert record["posted_on"] == today().isoformat()
    assert (record["geometry"].x, record["geometry"].y) == (-56.15, -34.55)
    assert {name: record[name] for name in CONTACT} == CONTACT
    told = orjson.loads(record["consent"])
    assert told["version"] == 1
    assert "空间需求" in told["purpose"]
    assert told["at"].startswith(str(today().year))
    assert record["secret_hash"] == hashlib.sha256(posted["secret"].encode()).hexdigest()
    assert len(posted["secret"]) >= 43
    assert posted["link"] == f"/demands/{posted['id']}#key={posted['secret']}"


def test_the_answer_is_kept_by_no_cache(server):
    answer = server.post("/api/demands", json=need())
    assert answer.headers["cache-control"] == "no-store"
    key = answer.json()["id"]
    assert answer.headers["location"] == f"/api/demands/{key}"
    opened = server.get(f"/api/demands/{key}", headers=bearer(answer.json()["secret"]))
    assert opened.headers["cache-control"] == "no-store"


def test_only_owner_and_staff_open_it(server, posted):
    path = f"/api/demands/{posted['id']}"
    other = server.post("/api/demands", json=need()).json()
    for headers in (
        {},
        bearer("no"),
        bearer(other["secret"]),
        bearer(""),
        {"Authorization": "Bearer é".encode()},
    ):
        for answer in (
            server.get(path, headers=headers),
            server.patch(path, json={}, headers=headers),
            server.delete(path, headers=headers),
            server.get(f"{path}/matches", headers=headers),
        ):
            body = assert_problem(answer, 401)
            assert "Boats" not in answer.text
    # Nobody learns which ids there are.
    nobody = assert_problem(server.get("/api/demands/demands-999", headers=bearer("no")), 401)
    assert nobody["detail"] == body["detail"]
    assert_problem(server.get("/api/demands/demands-999", headers=STAFF), 404)


def test_owner_sees_the_contact_and_staff_do_not(server, posted):
    path = f"/api/demands/{posted['id']}"
    mine = server.get(path, headers=bearer(posted["secret"])).json()
    assert {name: mine[name] for name in CONTACT} == CONTACT
    assert "secret_hash" not in mine
    assert mine["geometry"] == {"type": "Point", "coordinates": [-56.15, -34.55]}
    theirs = server.get(path, headers=STAFF)
    assert theirs.json()["industry"] == "Boats"
    assert not any(trace in theirs.text for trace in TRACES)


def test_matches_with_parts_and_reasons(server, posted):
    path = f"/api/demands/{posted['id']}/matches?limit=3"
    mine = server.get(path, headers=bearer(posted["secret"]))
    assert mine.status_code == 200
    pairs = mine.json()["pairs"]
    assert pairs
    assert {"score", "parts", "reasons"} <= set(pairs[0])
    theirs = server.get(path, headers=STAFF).json()["pairs"]
    for own, staff in zip(pairs, theirs, strict=True):
        # The staff see beside it how far they are with the space.
        assert {key: staff[key] for key in own} == own
        assert set(staff) - set(own) <= {"deal"}


def test_a_change_is_checked_as_a_whole(server, posted):
    path, owner = f"/api/demands/{posted['id']}", bearer(posted["secret"])
    changed = server.patch(path, json={"min_area_m2": 80, "polygon": SQUARE}, headers=owner)
    assert changed.status_code == 200, changed.text
    body = changed.json()
    assert (body["min_area_m2"], body["max_area_m2"]) == (80, 5000)
    assert body["geometry"]["type"] == "Polygon"
    assert body["contact_name"] == CONTACT["contact_name"]
    refused = server.patch(path, json={"max_area_m2": 70}, headers=owner)
    assert assert_problem(refused, 422)["errors"][0]["where"] == "max_area_m2"
    assert held(server, posted["id"])["max_area_m2"] == 5000
    emptied = server.patch(path, json={"polygon": None, "minutes": None}, headers=owner).json()
    assert emptied["geometry"] is emptied["minutes"] is None


def test_a_start_that_has_passed_may_stay(server, posted):
    path, owner = f"/api/demands/{posted['id']}", bearer(posted["secret"])
    with server.app.state.store.edit("time goes by") as edit:
        edit.update("demands", posted["id"], start_on="2026-01-01")
    assert server.patch(path, json={"team_size": 9}, headers=owner).status_code == 200
    refused = server.patch(path, json={"start_on": "2026-01-02"}, headers=owner)
    assert assert_problem(refused, 422)["errors"][0]["where"] == "start_on"


def test_a_contact_taken_back_is_out_of_the_history_at_once(server, posted):
    path, owner = f"/api/demands/{posted['id']}", bearer(posted["secret"])
    server.patch(path, json={"contact_phone": "0577-88889999"}, headers=owner)
    with open_store(server.app.state.store.path) as store:
        changes = str(store.history("demands", posted["id"]))
    assert "0577-88889999" in changes
    assert CONTACT["contact_phone"] not in changes
    nothing = dict.fromkeys(CONTACT)
    assert server.patch(path, json=nothing, headers=owner).status_code == 200
    record = held(server, posted["id"])
    assert record["consent"] is None
    with open_store(server.app.state.store.path) as store:
        changes = str(store.history("demands", posted["id"]))
    assert not any(trace in changes for trace in (*TRACES, "88889999"))


def test_withdrawing_erases_contact_and_secret_everywhere(server, folder, posted):
    path, owner = f"/api/demands/{posted['id']}", bearer(posted["secret"])
    assert server.patch(path, json={"team_size": 8}, headers=owner).status_code == 200
    with server.app.state.store.edit("told in confidence", who="founder") as edit:
        edit.update("demands", posted["id"], facts={"revenue_cny": 123454321})
    answer = server.delete(path, headers=owner)
    assert answer.status_code == 204
    assert_problem(server.get(path, headers=owner), 401)
    record = held(server, posted["id"])
    assert record["status"] == "withdrawn"
    assert record["industry"] == "Boats"
    for name in (*CONTACT, "secret_hash", "facts", "title"):
        assert record[name] is None
    with open_store(server.app.state.store.path) as store:
        changes = store.history("demands", posted["id"])
    assert [change.action for change in changes] == ["insert", *["update"] * 3, "erase"]
    assert {change.who for change in changes} == {"founder"}
    hashed = hashlib.sha256(posted["secret"].encode()).hexdigest()
    assert not any(trace in str(changes) for trace in (*TRACES, hashed, "123454321"))


def test_no_byte_of_a_contact_is_left_in_the_files(tmp_path):
    with serve(tmp_path) as server:
        posted = server.post("/api/demands", json=with_contact()).json()
        path, owner = f"/api/demands/{posted['id']}", bearer(posted["secret"])
        server.patch(path, json={"contact_name": "欧阳试题二"}, headers=owner)
        assert server.delete(path, headers=owner).status_code == 204
        for file in tmp_path.iterdir():
            content = file.read_bytes()
            assert not any(trace.encode() in content for trace in TRACES), file.name


def test_a_contact_needs_consent_and_none_is_needed_to_post(server):
    refused = server.post("/api/demands", json=need(**CONTACT))
    body = assert_problem(refused, 422)
    assert [one["where"] for one in body["errors"]] == ["consent"]
    assert not any(trace in refused.text for trace in TRACES)
    wrong = server.post(
        "/api/demands", json=with_contact() | {"contact_phone": "ouyang 13712345678"}
    )
    assert assert_problem(wrong, 422)["errors"][0]["where"] == "contact_phone"
    assert not any(trace in wrong.text for trace in TRACES)
    bare = server.post(
        "/api/demands", json={"industry": "boats", "min_area_m2": "12.5", "consent": True}
    )
    assert bare.status_code == 201
    record = held(server, bare.json()["id"])
    assert record["consent"] is record["contact_name"] is None
    assert record["title"] == "Boats 12.5 ㎡"


WRONG = {
    "nothing": ({"industry": None, "min_area_m2": ""}, ["industry", "min_area_m2"]),
    "reversed": ({"min_area_m2": 300, "max_area_m2": 200}, ["max_area_m2"]),
    "negative": ({"min_area_m2": -5}, ["min_area_m2"]),
    "too large": ({"team_size": 10**9}, ["team_size"]),
    "beyond integers": ({"team_size": 10**30}, ["team_size"]),
    "no number": ({"min_area_m2": "many"}, ["min_area_m2"]),
    "not whole": ({"term_months": 1.5}, ["term_months"]),
    "nan": ({"max_rent_cny_m2_month": "nan"}, ["max_rent_cny_m2_month"]),
    "infinite": ({"power_kw": "inf"}, ["power_kw"]),
    "long": ({"title": "长" * 10_000}, ["title"]),
    "invisible": ({"title": "a\u202eb"}, ["title"]),
    "telephone in title": ({"title": "call 137 1234 5678"}, ["title"]),
    "mail in title": ({"title": "a@example.org"}, ["title"]),
    "other industry": ({"industry": "Shoes"}, ["industry"]),
    "unknown code": ({"industry_code": "C99"}, ["industry_code"]),
    "code of another section": ({"industry_code": "I38"}, ["industry_code"]),
    "code missing": ({"industry": "其他", "industry_code": None}, ["industry_code"]),
    "stage": ({"stage": "teen"}, ["stage"]),
    "kind": ({"kind": "barn"}, ["kind"]),
    "unit": ({"unit": "Atlantis"}, ["unit"]),
    "service": ({"services": ["Massage"]}, ["services"]),
    "amenity": ({"amenities": ["cafe", "moat"]}, ["amenities"]),
    "many services": ({"services": ["融资"] * 51}, ["services"]),
    "impossible day": ({"start_on": "2027-02-30"}, ["start_on"]),
    "past": ({"start_on": (today() - timedelta(days=1)).isoformat()}, ["start_on"]),
    "far": ({"start_on": "2190-01-01"}, ["start_on"]),
    "crossing": ({"near": None, "polygon": CROSSING}, ["polygon"]),
    "no polygon": ({"near": None, "polygon": "{}"}, ["polygon"]),
    "two places": ({"polygon": SQUARE}, ["near"]),
    "swapped": ({"near": "-34.55,-56.15"}, ["near"]),
    "no place": ({"near": "here"}, ["near"]),
    "minutes of nothing": ({"near": None}, ["minutes"]),
    "space": ({"space": "spaces-0"}, ["space"]),
    "column of others": ({"status": "signed"}, ["status"]),
    "two at once": ({"stage": "x", "min_area_m2": "x"}, ["stage", "min_area_m2"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_names_each_field(server, case):
    changes, fields = WRONG[case]
    answer = server.post("/api/demands", content=json.dumps(need(**changes)))
    body = assert_problem(answer, 422)
    assert [one["where"] for one in body["errors"]] == fields
    assert all(one["what"] for one in body["errors"])
    assert len(answer.text) < 3000


def test_bodies_that_are_no_need(server):
    for content in (b"{", b"[]", b'"x"', b"NaN", b"\xff"):
        assert_problem(server.post("/api/demands", content=content), 422)
    assert_problem(server.post("/api/demands", content=b" " * 300_000), 413)
    assert_problem(server.post("/api/demands", content=b'{"min_area_m2": 1e999}'), 422)


def test_scripts_stay_text(server):
    title = "<script>alert(1)</script>"
    posted = server.post("/api/demands", json=need(title=title)).json()
    assert held(server, posted["id"])["title"] == title


def test_facts_are_those_that_the_rules_read(tmp_path):
    rule = {
        "key": "r", "subject": "demand", "zh": "条件", "en": "Rule", "clause": "1",
        "all": [
            {"fact": "lead", "op": "is", "value": True},
            {"fact": "staff_share", "op": "ge", "value": 0.3},
            {"fact": "years", "op": "le", "value": 5},
        ],
    }  # fmt: skip
    with serve(tmp_path) as server:
        with server.app.state.store.edit("rules") as edit:
            edit.set_rules("eligibility", {"rules": [rule]}, "made up")
        facts = {"lead": "true", "staff_share": 0.4, "years": "3"}
        posted = server.post("/api/demands", json=need(facts=facts)).json()
        kept = held(server, posted["id"])["facts"]
        assert kept == {"lead": True, "staff_share": 0.4, "years": 3.0}
        verdicts = server.get(
            f"/api/demands/{posted['id']}/matches", headers=bearer(posted["secret"])
        ).json()["eligibility"]
        assert [one["outcome"] for one in verdicts] == ["pass"]
        for key, value in (("lead", "perhaps"), ("staff_share", 40), ("years", "-1"), ("shoe", 1)):
            answer = server.post("/api/demands", json=need(facts={key: value}))
            assert assert_problem(answer, 422)["errors"][0]["where"] == f"facts.{key}"


def test_an_address_that_posts_too_often_waits(tmp_path):
    with serve(tmp_path, posts_per_minute=2) as server:
        wrong = [server.post("/api/demands", json={}) for _ in range(4)]
        assert {answer.status_code for answer in wrong} == {422}
        answers = [server.post("/api/demands", json=need()) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert_problem(answers[2], 429)
        assert 1 <= int(answers[2].headers["retry-after"]) <= 60
        assert server.post("/api/demands", json=need(), headers=STAFF).status_code == 201


def test_the_description_says_what_the_form_takes(server):
    schema = server.get("/api/openapi.json").json()["paths"]["/api/demands"]["post"]
    form = schema["requestBody"]["content"]["application/json"]["schema"]
    assert form["required"] == ["industry", "min_area_m2"]
    assert form["properties"]["min_area_m2"]["minimum"] == 0.1
    assert "lab" in form["properties"]["kind"]["enum"]


def test_figures_beyond_reckoning_are_not_echoed_as_numbers(server):
    answer = server.post("/api/demands", content=b'{"industry": "Boats", "min_area_m2": 1e308}')
    body = assert_problem(answer, 422)
    assert math.isfinite(float(body["errors"][0]["value"]))


def test_faults_are_told_in_the_language_of_the_one_who_asks(server):
    answer = server.post("/api/demands", json={}, headers={"Accept-Language": "zh-CN,zh"})
    body = assert_problem(answer, 422)
    assert body["errors"][0]["what"] == "请填写"
    assert "请填写" in body["detail"]


def test_the_history_of_the_staff_names_a_contact_but_does_not_show_it(server, posted):
    owner = bearer(posted["secret"])
    changes = {"contact_name": "欧阳改名", "team_size": 77}
    server.patch(f"/api/demands/{posted['id']}", json=changes, headers=owner)
    number = server.get("/api/batches?limit=1", headers=STAFF).json()["batches"][0]["number"]
    for path in (f"/api/batches/{number}", f"/admin/history/{number}?lang=zh"):
        answer = server.get(path, headers=STAFF)
        assert answer.status_code == 200
        assert "77" in answer.text
        assert not any(trace in answer.text for trace in (*TRACES, "欧阳改名"))


def command(folder, capsys, *words):
    """Run `hatchmap demands add` on the store of the server; its code, output and errors."""
    code = main(["demands", "add", *words, "--store", str(folder / "hatchmap.gpkg")])
    return code, *capsys.readouterr()


def test_the_command_posts_a_file_with_the_same_check_and_tells_its_link_once(
    server, folder, capsys, tmp_path
):
    start = today() + timedelta(days=30)
    file = tmp_path / "need.toml"
    file.write_text(f'industry = "Boats"\nmin_area_m2 = 80\nstart_on = {start}\n', "utf-8")
    code, out, _ = command(folder, capsys, str(file), "--set", "kind=lab", "--json")
    posted = orjson.loads(out)
    assert code == 0
    record = held(server, posted["id"])
    assert (record["kind"], record["min_area_m2"]) == ("lab", 80.0)
    assert record["start_on"] == start.isoformat()
    mine = server.get(f"/api/demands/{posted['id']}", headers=bearer(posted["secret"]))
    assert mine.status_code == 200
    code, out, err = command(folder, capsys, "--set", "industry=Boats", "--set", "min_area_m2=-1")
    assert (code, out) == (2, "")
    assert "min_area_m2" in err
    for words in (["--set", "industry"], [str(tmp_path / "none.json")], ["--set", "colour=red"]):
        assert command(folder, capsys, *words)[0] == 2
