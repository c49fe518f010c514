"""A contact is seen by its owner and on the staff's page of needs, and nowhere else: not on any
route, in any file, export or log."""

import io
import logging
import re
import zipfile

import pytest
import sqlalchemy
from fastapi.routing import APIRoute

import api.routes.demands
from layers.store import open_store
from tests.api.command import run
from tests.api.demanding import CONTACT, STAFF, TRACES, bearer, need, serve, with_contact

# Where staff see contacts: the list of needs, and the form that they change one by.
FOR_STAFF = {"/demands", "/demands/{demand}/change"}
FACT = "987654321.5"  # told in confidence


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("privacy")


@pytest.fixture(scope="module")
def server(folder):
    with serve(folder, posts_per_minute=500) as client:
        yield client


@pytest.fixture(scope="module")
def posted(server):
    mine = server.post("/api/demands", json=with_contact(title="A plain need")).json()
    with server.app.state.store.edit("facts", who="founder") as edit:
        edit.update("demands", mine["id"], facts={"revenue_cny": float(FACT)})
    return mine


def unpacked(body: bytes) -> bytes:
    """Return a body with whatever is packed in it."""
    if not body.startswith(b"PK"):
        return body
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        return body + b"".join(packed.read(name) for name in packed.namelist())


def assert_nothing_of(body: bytes, secrets=(), where=""):
    held = unpacked(body)
    for trace in (*TRACES, *secrets):
        assert trace.encode() not in held, f"{where} shows {trace}"


def routes_of(router):
    """List the routes of a router and of those that it includes."""
    for one in router.routes:
        if isinstance(one, APIRoute):
            yield one
        elif hasattr(one, "original_router"):
            yield from routes_of(one.original_router)


def addresses(app, posted, store):
    """Fill in the paths of every route that answers GET."""
    known = {
        "demand": posted["id"],
        "space": store.read("spaces")["id"].iloc[0],
        "incubator": store.read("incubators")["id"].iloc[0],
        "number": store.batches()[-1].number,
        "name": "demands",
        "layer": "demands",
        "z": 0, "x": 0, "y": 0,
    }  # fmt: skip
    found = {
        route.path: re.sub(r"\{(\w+)(:\w+)?\}", lambda m: str(known.get(m[1], "x")), route.path)
        for route in routes_of(app)
        if "GET" in route.methods
    }
    assert {"/demands", "/demands/{demand}", "/spaces/{space}", "/api/spaces", "/find"} <= set(
        found
    )
    return list(found.items())


def test_no_route_shows_a_contact_to_the_public(server, posted, folder):
    with open_store(server.app.state.store.path) as store:
        paths = addresses(server.app, posted, store)
    answered = 0
    for _, path in paths:
        if path.endswith("/events"):
            continue  # a stream without an end
        for accept in ("text/html", "application/json"):
            answer = server.get(path, headers={"Accept": accept})
            answered += answer.status_code == 200
            assert_nothing_of(answer.content, (posted["secret"], FACT), path)
    assert answered > 60
    public = server.get("/api/map/demands.geojson")
    assert "A plain need" in public.text
    assert_nothing_of(public.content, (posted["secret"], FACT, "secret_hash", "consent"))


def test_staff_see_it_on_their_page_of_needs_alone(server, posted):
    with open_store(server.app.state.store.path) as store:
        paths = addresses(server.app, posted, store)
    for route, path in paths:
        if route in FOR_STAFF or path.endswith("/events"):
            continue
        answer = server.get(path, headers=STAFF | {"Accept": "text/html"})
        assert_nothing_of(answer.content, (posted["secret"],), path)
    page = server.get("/demands?lang=zh", headers=STAFF)
    assert all(contact in page.text for contact in CONTACT.values())
    assert page.headers["cache-control"] == "no-store"
    assert server.get("/demands").status_code == 401


def test_questions_by_post_hold_none(server, posted):
    for body in ({}, {"demand": posted["id"]}, {"mode": "compare"}):
        answer = server.post("/api/match", json=body, headers=STAFF)
        assert answer.status_code == 200
        assert_nothing_of(answer.content, (posted["secret"],))


@pytest.mark.parametrize("ending", ["csv", "xlsx", "geojson", "gpkg", "fgb", "zip"])
def test_exports_hold_none(server, posted, tmp_path, ending):
    file = tmp_path / f"demands.{ending}"
    path = server.app.state.store.path
    assert run("export", "demands", file, "--store", path).code == 0
    assert_nothing_of(file.read_bytes(), (posted["secret"], FACT))
    assert b"A plain need" in unpacked(file.read_bytes()) or ending in ("zip", "fgb")


def test_the_sheet_of_the_staff_holds_none(server, posted):
    sheet = server.get("/demands/export.xlsx?status=open", headers=STAFF)
    assert sheet.status_code == 200
    assert b"A plain need" in unpacked(sheet.content)
    assert_nothing_of(sheet.content, (posted["secret"], FACT))


def test_commands_show_contacts_only_when_asked(server, posted):
    path = server.app.state.store.path
    for typed in (
        ("demands", "--json"), ("demands",), ("match", "--demand", posted["id"], "--json"),
        ("history", "--json"),
    ):  # fmt: skip
        answer = run(*typed, "--store", path)
        assert answer.code == 0
        assert_nothing_of(answer.out.encode(), (posted["secret"],), typed[0])
    told = run("demands", "--contacts", "--json", "--store", path)
    assert all(contact in told.out for contact in CONTACT.values())
    assert "secret_hash" not in told.out


def test_logs_hold_none(server, posted, caplog, monkeypatch):
    """Not even when the database or the program fails on the very record."""
    caplog.set_level(logging.DEBUG)
    owner = bearer(posted["secret"])
    path = f"/api/demands/{posted['id']}"
    server.post("/api/demands", json=with_contact(min_area_m2="x"))
    server.post("/api/demands", json=need(**CONTACT))
    server.patch(path, json={"contact_name": CONTACT["contact_name"] + "二"}, headers=owner)
    server.patch(path, json={"contact_name": CONTACT["contact_name"]}, headers=owner)
    server.post(f"/demands/{posted['id']}/open", data={"key": posted["secret"]})

    def fail(edit, draft, consent):
        statement = sqlalchemy.text("INSERT INTO nowhere VALUES (:name)")
        edit._connection.execute(statement, {"name": draft.contact["contact_name"]})

    monkeypatch.setattr(api.routes.demands, "post_demand", fail)
    answer = server.post("/api/demands", json=with_contact())
    assert answer.status_code == 500
    assert_nothing_of(answer.content)
    monkeypatch.setattr(api.routes.demands, "post_demand", lambda *_: 1 / 0)
    assert server.post("/api/demands", json=with_contact()).status_code == 500
    assert "ZeroDivisionError" in caplog.text
    assert_nothing_of(caplog.text.encode(), (posted["secret"],), "the log")
