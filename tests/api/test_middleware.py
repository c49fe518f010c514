"""What every answer has, whatever the route: HEAD, limits, headers, one shape of errors."""

import time

import pytest
from fastapi import Request
from starlette.testclient import TestClient

from api.app import create_app
from api.security import ALWAYS
from api.settings import load_settings
from geo.errors import InputError
from web import pages

ROUTES = ["/", "/api/coverage/towns", "/tiles/spaces/0/0/0.mvt", "/static/site.css", "/api/docs"]


def make_app(city, **more):
    return create_app(load_settings(store=city, data=city.parent, staff_token="token", **more))


@pytest.mark.parametrize("path", [*ROUTES, "/nowhere"])
def test_head_is_get_without_its_body(client, path):
    get, head = client.get(path), client.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    for name in ("content-type", "content-length", "etag"):
        assert head.headers.get(name) == get.headers.get(name)


@pytest.mark.parametrize("path", [*ROUTES, "/nowhere", "/api/incubators?limit=0"])
def test_every_answer_has_the_headers(client, path):
    headers = client.get(path).headers
    assert {name: headers.get(name) for name in ALWAYS} == ALWAYS


@pytest.mark.parametrize("path", ["/", "/nowhere", "/targets?date=x&lang=en", "/api/docs"])
def test_pages_run_only_their_own_scripts(client, path):
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy.partition("style-src")[0]


def test_a_body_without_length_is_counted(city):
    app = make_app(city, max_body_mb=1)

    @app.post("/api/take")
    async def take(request: Request) -> int:
        return len(await request.body())

    def chunks(count):
        return (b"x" * 100_000 for _ in range(count))

    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.post("/api/take", content=chunks(9)).json() == 900_000
        refused = client.post("/api/take", content=chunks(11))
        assert refused.status_code == 413
        assert refused.json()["detail"] == "the body may have at most 1000000 bytes"
        assert client.post("/api/take", content=b"x" * 1_000_001).status_code == 413


def test_a_failure_has_the_headers_too(city, monkeypatch):
    def fail(*_args, **_more):
        raise RuntimeError("secret path")

    monkeypatch.setattr("api.routes.questions.ask_check", fail)
    with TestClient(make_app(city), raise_server_exceptions=False) as client:
        answer = client.get("/api/check")
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS


def test_what_breaks_the_page_of_an_error_leaves_the_problem(city, monkeypatch):
    def fail(*_args, **_more):
        raise RuntimeError("broken template")

    monkeypatch.setattr("web.pages.error_page", fail)
    with TestClient(make_app(city), raise_server_exceptions=False) as client:
        answer = client.get("/nowhere", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "broken" not in answer.text


def test_refusals_of_the_framework_say_the_way_out(client):
    assert "/api/docs" in client.get("/nowhere").json()["detail"]
    refused = client.post("/api/targets")
    assert refused.json()["detail"] == "/api/targets does not take POST; use GET"
    assert refused.headers["allow"] == "GET"


def test_language_of_an_error_is_one_of_ours(client):
    answer = client.get('/nowhere?lang="><script>', headers={"accept": "text/html"})
    assert 'lang="zh' in answer.text
    assert "><script>" not in answer.text.partition("</head>")[0].replace("><script src", "")


def test_empty_variables_are_as_none(monkeypatch, tmp_path):
    for name in ("STORE", "PORT", "LANG", "DATA"):
        monkeypatch.setenv(f"HATCHMAP_{name}", "")
    settings = load_settings(store="")
    assert (settings.port, settings.lang) == (8000, "zh")
    assert settings.store_path.name == "hatchmap.gpkg"
    monkeypatch.setenv("HATCHMAP_PORT", "x")
    with pytest.raises(InputError, match="HATCHMAP_PORT"):
        load_settings(data=tmp_path)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/api/spaces?term_months=99999999999999999999", "term_months"),
        ("/api/structure?date=0001-01-01", "date"),
        ("/api/coverage/towns?date=9999-12-31", "date"),
        ("/api/spaces?available_by=0001-01-01", "available_by"),
        ("/api/incubators?min_area_m2=1e309", "min_area_m2"),
        (f"/api/incubators?limit={'9' * 4000}", "limit"),
    ],
)
def test_values_beyond_all_measure_are_refused(client, path, where):
    answer = client.get(path)
    assert answer.status_code == 422, answer.text
    assert where in answer.json()["detail"]
    assert all(len(str(error["value"])) <= 200 for error in answer.json().get("errors", ()))


def test_the_first_page_is_drawn_before_it_is_asked_for(city, monkeypatch):
    drawn, draw = [], pages.home_page
    monkeypatch.setattr(pages, "home_page", lambda *a, **k: drawn.append(1) or draw(*a, **k))
    with TestClient(make_app(city)) as client:
        deadline = time.monotonic() + 60
        while not drawn and time.monotonic() < deadline:
            time.sleep(0.02)
        assert drawn == [1]
        assert client.get("/").status_code == 200
        assert drawn == [1]
