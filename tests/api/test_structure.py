"""Versions of the structure through the doors: define, check, compare, restore, split."""

import io

import openpyxl
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import load_settings
from layers.store import open_store
from tests.api.city import make_city

TOKEN = "a-token-for-tests"
STAFF = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    path = make_city(tmp_path_factory.mktemp("structure") / "hatchmap.gpkg")
    app = create_app(load_settings(store=path, data=path.parent, staff_token=TOKEN))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def roles(client):
    with open_store(client.app.state.store.path) as store:
        return [role["key"] for role in store.meta("city")["roles"]]


def reading(version, *parts, **more):
    return {"version": version, "valid_from": "2026-01-01", "source": "a test", "confidence": 0.4,
            "parts": list(parts), **more}  # fmt: skip


def part(name, role, *codes, geometry=None):
    return {"name": name, "role": role, "division_codes": list(codes), "geometry": geometry}


def post(client, path, body, **headers):
    return client.post(path, json=body, headers=headers or STAFF)


def test_define_check_compare_and_restore(client, roles):
    first, second = roles[0], roles[-1]
    one = reading("one", part("North", first, "TT-N"), part("Harbour", second, "TT-S"))
    tried = post(client, "/api/structure", {**one, "dry_run": True})
    assert tried.status_code == 200, tried.text
    assert tried.json()["ids"] == []
    assert "one" not in [
        v["version"] for v in client.get("/api/structure/versions").json()["readings"]
    ]
    saved = post(client, "/api/structure", one)
    assert saved.status_code == 201
    assert len(saved.json()["ids"]) == 2
    two = reading(
        "two", part("Harbour", second, "TT-S"), valid_from="2026-06-01",
    )  # fmt: skip
    told = post(client, "/api/structure", two).json()["comparison"]
    compared = client.get("/api/structure/compare?after=two&before=one").json()
    assert compared["summary"]["units"] >= 1
    assert told["units"] == compared["units"]
    assert client.get("/api/structure?version=one").json()["version"] == "one"
    assert client.get("/api/structure?date=2026-12-01").json()["version"] == "two"
    back = post(client, "/api/structure/restore", {"version": "one", "name": "one again"})
    assert back.status_code == 201
    same = client.get("/api/structure/compare?before=one&after=one again").json()
    assert same["summary"]["units"] == same["summary"]["incubators"] == 0
    names = [v["version"] for v in client.get("/api/structure/versions").json()["readings"]]
    assert {"one", "two", "one again"} <= set(names)
    for lang in ("zh", "en"):
        page = client.get(f"/structure?version=two&against=one&lang={lang}").text
        assert 'id="change-units"' in page
    book = openpyxl.load_workbook(io.BytesIO(client.get("/structure/export?version=one").content))
    assert "one" in [cell for row in book.worksheets[0].values for cell in row]
    for row in client.get("/api/structure?version=one").json()["roles"]:
        found = client.get(
            "/api/structure/records", params={"role": row["role"] or "", "version": "one"}
        ).json()
        assert found["summary"] == {"total": row["incubators"], "counted": row["operating"]}
        assert found["value"] == pytest.approx(row["area_m2"])
        asked = {"role": row["role"] or "", "version": "one", "lang": "en"}
        assert "/structure/records/export" in client.get("/structure/records", params=asked).text
        file = client.get("/structure/records/export", params=asked).content
        sheet = openpyxl.load_workbook(io.BytesIO(file)).active
        assert sheet.max_row == row["incubators"] + 1


BOW = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"version": ""}, "version"),
        ({"valid_from": "2026-02-30"}, "valid_from"),
        ({"confidence": 1.5}, "confidence"),
        ({"source": " "}, "source"),
        ({"parts": []}, "parts"),
        ({"parts": [{"name": "x", "role": "king", "division_codes": ["TT-N"]}]}, "part 1 x"),
        ({"parts": [{"name": "x", "role": None, "division_codes": []}]}, "parts"),
        ({"parts": [{"name": "bow", "role": "ROLE", "geometry": BOW}]}, "part 1 bow"),
        ({"parts": [{"name": "b", "role": "ROLE", "geometry": {"type": "Egg"}}]}, "part 1"),
        ({"parts": [{"name": "b", "role": "ROLE",
                     "geometry": {"type": "Point", "coordinates": [0, 0]}}]}, "part 1 b"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_version_is_refused(client, roles, change, where):
    body = reading("wrong", part("North", roles[0], "TT-N")) | change
    for one in body["parts"]:
        one["role"] = roles[0] if one["role"] == "ROLE" else one["role"]
    answer = post(client, "/api/structure", body)
    assert answer.status_code == 422
    assert any(where in str(error["where"]) for error in answer.json()["errors"])
    names = [v["version"] for v in client.get("/api/structure/versions").json()["readings"]]
    assert "wrong" not in names


def test_unknown_versions_and_strangers(client, roles):
    for path in (
        "/api/structure?version=none", "/structure?version=none",
        "/api/structure/compare?after=none", "/api/structure/versions?version=none",
        "/api/structure/records?role=king",
    ):  # fmt: skip
        assert client.get(path).status_code == 404, path
    assert post(client, "/api/structure/restore", {"version": "none"}).status_code == 404
    body = reading("mine", part("North", roles[0], "TT-N"))
    assert client.post("/api/structure", json=body).status_code == 401
    assert client.get("/structure/edit").status_code == 401


def test_split(client):
    box = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 1], [0, 1], [0, 0]]]}
    line = {"type": "LineString", "coordinates": [[1, -1], [1, 2]]}
    found = post(client, "/api/structure/split", {"geometry": box, "line": line}).json()
    assert len(found["features"]) == 2
    short = {"type": "LineString", "coordinates": [[0.5, 0.5], [1.5, 0.5]]}
    refused = post(client, "/api/structure/split", {"geometry": box, "line": short})
    assert refused.status_code == 422
    assert "cut" in refused.json()["detail"]
    assert post(client, "/api/structure/split", {"geometry": box, "line": box}).status_code == 422


def form(version, roles, action="check", drawn=""):
    return {
        "version": version, "valid_from": "2026-03-01", "source": "a test", "confidence": "0.5",
        "drawn": drawn, "code": ["TT-N", "TT-S"], "role": [roles[0], roles[-1]],
        "part": ["North", "Harbour"], "action": action,
    }  # fmt: skip


def test_the_form_works_without_scripts(client, roles):
    shown = client.get("/structure/edit", headers=STAFF)
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    checked = client.post("/structure/edit", data=form("by form", roles), headers=STAFF)
    assert checked.status_code == 200
    assert 'id="change"' in checked.text
    saved = client.post(
        "/structure/edit",
        data=form("by form", roles, "save"),
        headers=STAFF,
        follow_redirects=False,
    )
    assert saved.status_code == 303
    taken = client.post("/structure/edit", data=form("by form", roles, "save"), headers=STAFF)
    assert taken.status_code == 422
    assert 'id="errors"' in taken.text
    bad = client.post("/structure/edit", data=form("x", roles, drawn="{"), headers=STAFF)
    assert bad.status_code == 422
    again = client.post(
        "/structure/restore", data={"version": "by form", "name": "restored"}, headers=STAFF,
        follow_redirects=False,
    )  # fmt: skip
    assert "version=restored" in again.headers["location"]
