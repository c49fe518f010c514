"""The history and its undo at every door."""

import shutil

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import load_settings
from layers.store import open_store
from tests.api.command import assert_refused, run
from tests.api.conftest import TOKEN
from web.words import words

STAFF = {"Authorization": f"Bearer {TOKEN}"}
PAGE = {**STAFF, "Accept": "text/html"}


@pytest.fixture
def store(city, tmp_path):
    """A copy of the small city in which staff have renamed an incubator, twice."""
    path = tmp_path / "city.gpkg"
    shutil.copy(city, path)
    with open_store(path, write=True) as opened:
        key = opened.read("incubators")["id"].iloc[0]
        for name in ("<b>First</b>", "Second"):
            with opened.edit("li", f"call it {name}") as edit:
                edit.update("incubators", key, name=name)
    return path


@pytest.fixture
def door(store):
    app = create_app(load_settings(store=store, data=store.parent, staff_token=TOKEN))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def numbers(door, **query):
    return [
        b["number"] for b in door.get("/api/batches", params=query, headers=STAFF).json()["batches"]
    ]


def test_only_staff_see_it(door):
    for path in ("/api/batches", "/api/batches/1", "/admin/history", "/admin/history/1"):
        assert door.get(path).status_code == 401
    assert door.post("/api/batches/1/undo").status_code == 401
    assert door.post("/admin/history/1/undo").status_code == 401


def test_edits_are_listed_filtered_and_paged(door):
    found = numbers(door)
    assert found == sorted(found, reverse=True)
    assert numbers(door, text="call it", who="li") == found[:2]
    assert numbers(door, layer="rules")
    page = door.get("/api/batches", params={"limit": 2}, headers=STAFF).json()
    rest = door.get("/api/batches", params={"before": page["next"]}, headers=STAFF).json()
    assert [b["number"] for b in (*page["batches"], *rest["batches"])] == found
    assert "next" not in rest
    assert door.get("/api/batches", params={"limit": 0}, headers=STAFF).status_code == 422


def test_undo_over_http_and_its_conflict(door):
    last, first = numbers(door)[:2]
    told = door.get(f"/api/batches/{last}", headers=STAFF).json()
    (cell,) = told["cells"]
    assert (cell["column"], cell["before"], cell["after"]) == ("name", "<b>First</b>", "Second")
    refused = door.post(f"/api/batches/{first}/undo", headers=STAFF)
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["errors"][0]["where"].endswith(", name")
    done = door.post(f"/api/batches/{last}/undo", headers=STAFF).json()
    assert len(done["reverts"]) == 1
    assert numbers(door)[0] == done["done"]
    assert door.post(f"/api/batches/{first}/undo", headers=STAFF).status_code == 200
    assert door.post("/api/batches/999999/undo", headers=STAFF).status_code == 404


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_show_undo_and_what_blocks_it(door, lang):
    w = words(lang)
    page = door.get(f"/admin/history?lang={lang}", headers=PAGE).text
    assert "call it &lt;b&gt;First" in page
    last, first = numbers(door)[:2]
    blocked = door.get(f"/admin/history/{first}?lang={lang}", headers=PAGE).text
    assert w("batch.blocked") in blocked
    assert w("batch.confirm") not in blocked
    assert "<b>First" not in blocked
    assert door.post(f"/admin/history/{first}/undo", headers=PAGE).status_code == 409
    assert w("batch.confirm") in door.get(f"/admin/history/{last}?lang={lang}", headers=PAGE).text
    sent = door.post(f"/admin/history/{last}/undo?lang={lang}", headers=PAGE)
    assert sent.status_code == 303
    shown = door.get(sent.headers["location"], headers=PAGE).text
    assert w("batch.undone", number=numbers(door)[0]) in shown
    empty = door.get(f"/admin/history?lang={lang}&text=nowhere", headers=PAGE).text
    assert w("history.empty") in empty


def test_command(store):
    listed = run("history", "incubators", "--store", store, "--json").json
    last, first = (batch["number"] for batch in listed["batches"][:2])
    assert "Second" in run("history", "--text", "Second", "--store", store, "--lang", "en").out
    assert_refused(run("undo", first, "--store", store), "cannot be undone", "name was changed")
    tried = run("undo", last, "--dry-run", "--store", store, "--lang", "en")
    assert tried.out == "0 deleted, 1 put back, 0 restored (dry run)\n"
    assert run("undo", last, "--store", store, "--json").json["done"] > last
    assert run("history", "--store", store, "--json").json["batches"][0]["who"] == "command"
    assert_refused(run("undo", 4711, "--store", store), "no batch 4711")
