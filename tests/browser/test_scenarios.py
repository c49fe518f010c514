"""A scenario in a real browser: made, tried, kept, compared, shared, adopted."""

import json
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import expect

from api.app import create_app
from api.jobs import pool as pools
from api.jobs.kinds import KINDS, Kind
from api.questions.coverage import ask_town_coverage
from api.settings import Settings
from layers.store import open_store
from tests.api.city import make_city
from tests.api.conftest import TOKEN


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_city(tmp_path_factory.mktemp("scenarios") / "hatchmap.gpkg")


@pytest.fixture(scope="module")
def app(path):
    """The application, with one process for jobs and a kind of work that lasts."""
    waiting = {"wait": Kind("tests.api.workloads:wait", staff=False)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pools, "KINDS", {**KINDS, **waiting})
        yield create_app(Settings(data=path.parent, store=path, staff_token=TOKEN, job_workers=1))


@pytest.fixture(scope="module")
def server(app) -> Iterator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.05)
        assert thread.is_alive()
    port = running.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(20)


@pytest.fixture
def browse(chromium, server, watch) -> Iterator:
    """Open windows of the server, for staff or for anyone."""
    contexts = []

    def browse_(address: str, *, staff: bool = True, width: int = 1280):
        context = chromium.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        if staff:
            context.add_cookies([{"name": "hatchmap_staff", "value": TOKEN, "url": server}])
        page = context.new_page()
        page.set_default_timeout(120_000)
        watch.over(page)
        page.goto(server + address if address.startswith("/") else address)
        return page

    yield browse_
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def town(path):
    """An industrial town without an operating incubator, and where it is."""
    with open_store(path) as store:
        rows = ask_town_coverage(store).to_json()["towns"]
        row = next(one for one in rows if one["state"] in ("none", "planned_only"))
        frame = store.read("industrial_towns")
        point = frame[frame["code"] == row["code"]].geometry.iloc[0].representative_point()
    return row | {"lon": point.x, "lat": point.y}


def changed(page, count):
    page.locator(f'html[data-scenario-ready="{count}"]').wait_for(state="attached")


def test_a_scenario_from_the_first_pin_to_the_real_map(browse, server, town):
    page = browse("/scenarios?lang=en")
    page.fill('input[name="name"]', "North <b>plan</b>")
    page.get_by_role("button", name="Make").click()
    page.wait_for_url("**/scenarios/s*")
    changed(page, 0)
    before = page.inner_text("#covered")
    # Dropped on the map, the town turns covered before anything is kept.
    page.evaluate(
        "([lat, lon]) => hatchmap.view.map.setView([lat, lon], 14, {animate: false})",
        [town["lat"], town["lon"]],
    )
    page.locator("#pick").click()
    box = page.locator(".folium-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    trial = page.locator(f'#trial[data-won="{town["code"]}"]')
    trial.wait_for()
    expect(trial).to_contain_text(town["name"])
    page.fill('#place-form input[name="name"]', "New hall")
    page.locator('#place-form button[type="submit"]').click()
    changed(page, 1)
    expect(page.locator("#covered")).to_contain_text(f"{before.split(' ')[0]} →")
    page.locator(f'[data-town="{town["code"]}"]').wait_for()
    expect(page.locator("#changes li")).to_have_count(1)
    # Undone and done again.
    page.locator("#changes button").click()
    expect(page.locator("#covered")).to_have_text(before)
    page.locator("#changes button").click()
    expect(page.locator("#covered")).to_contain_text("→")
    compares(page, town)
    page.go_back()
    changed(page, 1)
    shares(page, browse)
    adopts(page, browse, town)
    page.goto(server + "/admin/history?lang=en")
    expect(page.locator("#history")).to_contain_text("adopted scenario North <b>plan</b>")


def compares(page, town):
    """Two maps in step, what differs, every figure."""
    page.get_by_role("link", name="Compare with the real layers").click()
    page.locator("html[data-compare-ready=true]").wait_for(state="attached")
    maps = page.locator(".compare-maps .folium-map")
    expect(maps).to_have_count(2)
    mark = f'.town-mark[data-code="{town["code"]}"]'
    assert maps.nth(0).locator(mark).get_attribute("data-state") == town["state"]
    assert maps.nth(1).locator(mark).get_attribute("data-state") == "operating_large"
    expect(page.locator(".compare-one .mark-won")).to_have_count(1)
    expect(page.locator("#compare-coverage td.changed").first).to_be_visible()
    expect(page.locator("#compare-towns")).to_contain_text(town["name"])


def shares(page, browse):
    """Who has the link sees the map so, and nothing of the staff's."""
    page.locator("#share").click()
    field = page.locator("#share-link input")
    expect(field).to_be_visible()
    guest = browse(field.input_value(), staff=False)
    expect(guest.locator(".lens")).to_contain_text("North <b>plan</b>")
    assert "scenario=" in guest.url
    guest.locator('nav a[href^="/coverage"]').click()
    guest.wait_for_url("**/coverage?*scenario=*")
    expect(guest.locator(".lens")).to_be_visible()


def adopts(page, browse, town):
    """On the real map, for all."""
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#adopt").click()
    expect(page.locator("#scenario-state")).to_have_text("Adopted")
    real = browse("/?lang=en", staff=False)
    real.locator("html[data-map-ready=true]").wait_for(state="attached")
    config = json.loads(real.locator("#map-config").text_content())
    assert config["states"][town["code"]] == "operating_large"


def test_the_pages_fit_a_phone_and_work_by_form(browse, town):
    page = browse("/scenarios?lang=zh", width=390)
    page.fill('input[name="name"]', "手机")
    page.keyboard.press("Enter")
    page.wait_for_url("**/scenarios/s*")
    changed(page, 0)
    page.locator("#panel-toggle").click()
    for name, value in (("name", "新孵化器"), ("lon", town["lon"]), ("lat", town["lat"])):
        page.fill(f'#place-form input[name="{name}"]', str(value))
    page.locator("#try").click()
    page.locator("#trial li").first.wait_for()
    page.locator('#place-form button[type="submit"]').click()
    changed(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(
        page.url.replace("/scenarios/", "/scenarios/compare?ids=base,").replace("?lang", "&lang")
    )
    page.locator("html[data-compare-ready=true]").wait_for(state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_three_are_compared_and_a_comparison_is_stopped(browse, app, path, tmp_path):
    with open_store(path) as store:
        rows = ask_town_coverage(store).to_json()["towns"]
    large = next(one["code"] for one in rows if one["state"] == "operating_large")
    page = browse("/scenarios?lang=en")
    made = [make(page, f"Plan {name}") for name in "AB"]
    rule = {"layer": "rules", "action": "change", "record": "towns"}
    changes = [{**rule, "values": {"large_area_m2": 10**8}}]
    ask(page, f"/api/scenarios/{made[0]}/changes", {"changes": changes})
    # While other work holds the only process, the comparison waits and can be stopped.
    gate = tmp_path / "gate"
    app.state.jobs.submit("wait", {"file": str(gate)}, staff=True)
    page.reload()
    for key in made:
        page.check(f'input[value="{key}"]')
    page.get_by_role("button", name="Compare those chosen").click()
    expect(page.locator("#compare-progress output")).to_have_text("waiting in line")
    page.locator("#compare-progress button").click()
    ended = page.locator("#compare-ended")
    expect(ended).to_contain_text("nothing is kept")
    gate.touch()
    ended.get_by_role("link").click()
    page.locator("html[data-compare-ready=true]").wait_for(state="attached")
    maps = page.locator(".compare-maps .folium-map")
    expect(maps).to_have_count(3)
    mark = f'.town-mark[data-code="{large}"]'
    states = [maps.nth(place).locator(mark).get_attribute("data-state") for place in range(3)]
    assert states == ["operating_large", "operating_large", "operating"]  # the newest first
    expect(page.locator("#compare-coverage thead th")).to_have_count(6)


def test_any_record_is_changed_by_form_and_by_keyboard(browse, path):
    with open_store(path) as store:
        project = store.read("projects").iloc[0]
    page = browse("/scenarios?lang=en")
    page.fill('input[name="name"]', "By form")
    page.keyboard.press("Enter")
    page.wait_for_url("**/scenarios/s*")
    changed(page, 0)
    page.locator("summary", has_text="Change a record").click()
    form = page.locator("#record-form")
    form.locator('[name="layer"]').select_option("projects")
    form.locator('[name="record"]').fill(project["id"])
    page.keyboard.press("Tab")
    expect(form.locator('[name="of_name"]')).to_have_value(project["name"])
    form.locator('[name="of_area_m2"]').fill("4321")
    form.locator('[name="lon"]').fill(f"{project.geometry.x + 0.001:.6f}")
    page.keyboard.press("Enter")
    changed(page, 1)
    expect(page.locator("#changes li")).to_contain_text(["→ 4321"])
    unplace = form.get_by_role("button", name="Empty the place")
    unplace.click()
    changed(page, 2)
    expect(unplace).to_be_hidden()
    expect(form.locator('[name="lon"]')).to_have_value("")
    # A place without a mouse: the map is moved by keys, its middle is taken.
    page.locator(".folium-map").focus()
    page.keyboard.press("ArrowUp")
    form.get_by_role("button", name="Use the middle of the map").press("Enter")
    expect(form.locator('[name="lon"]')).not_to_have_value("")
    page.locator("#trial li").first.wait_for()
    form.locator('button[type="submit"]').press("Enter")
    changed(page, 3)
    page.locator("#centre").press("Enter")
    page.locator('#place-form button[type="submit"]').press("Enter")
    changed(page, 4)


def make(page, name):
    return ask(page, "/api/scenarios", {"name": name})["id"]


def ask(page, path, body):
    answer = page.request.post(page.url.partition("/scenarios")[0] + path, data=body)
    assert answer.status == 201, answer.text()
    return answer.json()
