"""The journey of siting in a real browser, on a real server with a small city."""

import socket
import threading
import time

import pytest
import uvicorn

from api.app import create_app
from api.settings import load_settings
from tests.api.city import make_city


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("siting")
    store = make_city(folder / "hatchmap.gpkg")
    app = create_app(load_settings(store=store, data=folder, job_workers=1))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(200):
        if server.started:
            break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture
def page(chromium, watch):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    watch.over(page)
    yield page
    context.close()


def test_siting_most_demand(page, address):
    page.goto(f"{address}/siting?lang=zh")
    page.check("input[value=cover]")
    page.fill("input[name=p]", "3")
    page.fill("input[name=minutes]", "30")
    page.click("#siting-form button[type=submit]")
    page.wait_for_selector("#siting-result:not([hidden])")
    assert "3处选址" in page.inner_text("#siting-sentence")
    assert page.locator("#siting-table tbody tr").count() == 3
    assert page.locator(".site-pin").count() == 4  # one stands in the legend
    assert page.locator("#siting-curve svg circle.chosen").count() == 1
    assert "差距" in page.inner_text("#siting-proof")
    assert "p=3" in page.url
    assert page.locator("#siting-demo").is_visible()


def test_an_address_asks_its_question_again(page, address):
    page.goto(f"{address}/siting?lang=en&model=towns&within_m=20000")
    page.wait_for_selector("#siting-result:not([hidden])")
    assert page.is_checked("input[value=towns]")
    assert page.input_value("input[name=within_m]") == "20000"


def test_a_programme_that_cannot_be_says_why(page, address):
    page.goto(f"{address}/siting?lang=en&model=programme&target_percent=900&cover_towns=0")
    page.wait_for_selector("#siting-conflict li")
    assert "needs" in page.inner_text("#siting-conflict li >> nth=0")


def test_a_problem_is_told_and_the_form_stays(page, address):
    page.goto(f"{address}/siting?lang=en")
    page.check("input[value=cover]")
    page.fill("input[name=p]", "5000")
    page.click("#siting-form button[type=submit]")
    page.wait_for_selector("#siting-problem:not([hidden])")
    assert "5000 sites cannot be chosen" in page.inner_text("#siting-problem")
    assert page.is_enabled("#siting-form button[type=submit]")
