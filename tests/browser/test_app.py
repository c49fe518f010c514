"""The real server with demo data in a real browser: every page, every layer, nothing foreign."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

import pytest
import uvicorn

from api.app import create_app
from api.settings import Settings
from api.setup import create_city
from layers.store import open_store

LAYERS = "reporting_units,divisions,structure,zones,industrial_towns,incubators,circles,spaces"
PAGES = ["/coverage", "/targets", "/structure", "/amenities", "/about", "/api/docs"]
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    """The address of a server of a small demo store with one hostile name in it."""
    folder = tmp_path_factory.mktemp("data")
    path = folder / "hatchmap.gpkg"
    create_city(path, incubators=40, spaces=300, amenities=800, demands=20)
    with open_store(path, write=True) as store:
        first = store.read("incubators")["id"].iloc[-1]
        with store.edit(who="test") as edit:
            edit.update("incubators", first, name=HOSTILE)
    settings = Settings(data=folder, store=path, lang="zh", review_number="甲S(2026)1号")
    with running(settings) as address:
        yield address


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """Serve, and give the address."""
    app = create_app(settings)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def visit(chromium, server, watch) -> Iterator:
    """Open pages of the server; a request to any other host fails the test."""
    contexts = []

    def visit_(path: str, *, width: int = 1280):
        context = chromium.new_context(viewport={"width": width, "height": 800})
        contexts.append(context)
        page = context.new_page()
        watch.over(page)

        def guard(route):
            if route.request.url.startswith((server, "data:", "blob:")):
                route.continue_()
            else:
                watch.faults.append(f"foreign request: {route.request.url}")
                route.abort()

        page.route("**/*", guard)
        page.on(
            "response",
            lambda answer: (
                watch.faults.append(f"{answer.status} {answer.url}")
                if answer.status >= 400
                else None
            ),
        )
        page.goto(server + path, wait_until="domcontentloaded")
        return page

    yield visit_
    for context in contexts:
        context.close()


def drawn(page):
    """Wait for the map; the pages' policy forbids Playwright's own polling by code."""
    page.locator("html[data-map-ready=true]").wait_for()
    page.locator(".incubator, .cluster").first.wait_for()


def test_every_layer_is_drawn(visit):
    page = visit(f"/#map=11/27.98/120.68&layers={LAYERS},projects,amenities,access,streets")
    drawn(page)
    page.wait_for_load_state("networkidle")
    assert page.locator("#layers-slot input:not(:checked)").count() == 0
    assert page.locator(".town-mark").count() > 20
    assert page.locator(".unit-label").count() >= 12
    assert page.get_by_text("审图号：甲S(2026)1号").is_visible()


def test_hostile_name_is_text_on_the_map(visit):
    page = visit("/")
    drawn(page)
    page.fill("#map-search", "onerror")
    page.locator("#map-search-list [role=option]").first.wait_for()
    page.keyboard.press("Enter")
    page.locator(".leaflet-popup h3").wait_for()
    assert HOSTILE in page.locator(".leaflet-popup h3").inner_text()
    page.locator(".leaflet-popup a.more").click()
    page.wait_for_url("**/incubators/**")
    assert HOSTILE in page.locator("h1").inner_text()
    assert page.locator("img[src=x]").count() == 0


def test_walking_zone_comes_from_the_streets(visit):
    page = visit("/#map=14/27.99/120.68&layers=reporting_units,incubators")
    drawn(page)
    page.locator("#reach button").click()
    page.mouse.click(800, 400)
    page.locator("#reach output li").first.wait_for()
    assert page.locator("#reach output li").count() == 3


@pytest.mark.parametrize(("path", "lang"), list(zip(PAGES, cycle(["zh", "en"]), strict=False)))
def test_pages_are_whole_and_quiet(visit, path, lang):
    page = visit(f"{path}?lang={lang}")
    page.wait_for_load_state("networkidle")
    if path == "/api/docs":
        page.get_by_text("/api/coverage/towns").first.wait_for()
        return
    assert page.locator(".topbar .badge").is_visible()
    assert page.locator("table").count() > 0
    assert page.locator("img[src=x]").count() == 0
