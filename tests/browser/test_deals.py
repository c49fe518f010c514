"""Staff in a real browser: sign in, match, propose, contact, visit, sign, lose, undo."""

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import expect

from api.app import create_app
from api.settings import Settings
from api.setup import create_city
from layers.store import open_store
from tests.browser.test_app import visit

__all__ = ["visit"]  # a fixture

TOKEN = "a-token-for-tests"


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[tuple[str, str]]:
    """The address of a server of a small demo store, and the path of the store."""
    folder = tmp_path_factory.mktemp("deals")
    path = folder / "hatchmap.gpkg"
    create_city(path, incubators=30, spaces=150, amenities=200, demands=25)
    app = create_app(Settings(data=folder, store=path, staff_token=TOKEN))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.05)
        assert thread.is_alive()
    yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}", str(path)
    running.should_exit = True
    thread.join(20)


@pytest.fixture
def server(served) -> str:
    return served[0]


def act(page, deal, what):
    """Open the form of a deal and press a button."""
    row = page.locator(f'[id="{deal}"]')
    if not row.locator("details.act").get_attribute("open"):
        row.locator("details.act > summary").click()
    row.locator(f'button[value="{what}"]').click()
    page.wait_for_load_state()


def test_from_the_sign_in_to_a_signature_and_back(visit, server, served):
    page = visit("/staff?lang=en")
    page.locator('input[name="token"]').fill(TOKEN)
    page.locator('form[action^="/staff"] button').first.click()
    page.wait_for_url("**/admin*")
    page.goto(f"{server}/match?lang=en")
    page.locator("#match-form button.go").click()
    page.wait_for_selector("#pairs", timeout=120_000)
    boxes = page.locator('#pairs input[name="pair"]')
    pairs = [boxes.nth(at).get_attribute("value").split("|") for at in range(2)]
    for at in range(2):
        boxes.nth(at).check()
    expect(page.locator("#match-count")).to_have_text("2 chosen")
    page.locator('button[value="proposed"]').click()
    expect(page.locator("#pairs .deal-proposed")).to_have_count(2)
    page.goto(f"{server}/deals?lang=en")
    ids = page.locator("#deals tbody tr").evaluate_all("rows => rows.map((row) => row.id)")
    assert len(ids) == 2

    def vacant():
        with open_store(served[1]) as store:
            return store.get("spaces", pairs[0][1])["vacant_area_m2"]

    with open_store(served[1]) as store:
        deal = next(
            key for key in ids if store.get("deals", key)["demand"] == pairs[0][0]
        )  # fmt: skip
        other = next(key for key in ids if key != deal)
        area = store.get("deals", deal)["area_m2"]
        record = store.get("spaces", pairs[0][1])
    before = record["vacant_area_m2"] or record["area_m2"]
    for what in ("contacted", "visited", "signed"):
        act(page, deal, what)
    expect(page.locator(f'[id="{deal}"] .deal-signed')).to_have_count(1)
    assert vacant() == pytest.approx(before - area)
    page.goto(f"{server}/spaces/{pairs[0][1]}?lang=en")
    assert page.locator("main").inner_text().count(f"{before - area:,.6g}") > 0
    page.goto(f"{server}/deals?lang=en")
    page.locator(f'[id="{other}"] details.act > summary').click()
    page.locator(f'[id="{other}"] select[name="reason"]').select_option("rent")
    page.locator(f'[id="{other}"] button[value="lost"]').click()
    expect(page.locator(f'[id="{other}"] .deal-lost')).to_have_count(1)
    expect(page.locator(f'[id="{other}"]')).to_contain_text("Rent")
    act(page, deal, "undo")
    expect(page.locator(f'[id="{deal}"] .deal-visited')).to_have_count(1)
    assert vacant() == pytest.approx(before)
    page.goto(f"{server}/match?lang=en&demand={pairs[1][0]}")
    assert pairs[1][1] not in page.locator("main").inner_html()


def test_the_shortage_is_drawn_and_switched(visit, server):
    page = visit(f"/staff?token={TOKEN}")
    page.goto(f"{server}/shortage?lang=en")
    page.wait_for_selector(".shortage-table, .empty", timeout=120_000)
    expect(page.locator(".folium-map path").first).to_be_visible()
    whole = page.locator(".answer strong").inner_text()
    select = page.locator('select[name="kind"]')
    select.select_option(index=1)
    page.locator(".shortage-form button").click()
    page.wait_for_load_state()
    assert page.locator(".answer strong").inner_text() != "" != whole
    assert "kind=" in page.url
