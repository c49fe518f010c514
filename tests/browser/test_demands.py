"""A founder's way in a real browser: find a space, ask for it, see matches, change, withdraw."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from api.settings import Settings
from api.setup import create_city
from layers.store import open_store
from tests.browser.test_app import running, visit

__all__ = ["visit"]  # a fixture

NAME, PHONE = "<b>欧阳</b>试题", "13712345678"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("needs")


@pytest.fixture(scope="module")
def server(folder) -> Iterator[str]:
    path = folder / "hatchmap.gpkg"
    create_city(path, incubators=30, spaces=200, amenities=300, demands=5)
    with running(Settings(data=folder, store=path, posts_per_minute=100)) as address:
        yield address


def ready(page):
    page.locator("html[data-form-ready=true][data-place-ready=true]").wait_for()
    return page


def records(folder):
    with open_store(folder / "hatchmap.gpkg") as store:
        frame = store.read("demands")
        return frame[frame["provenance"] == "entered"]


def mistakes_are_said_beside_their_fields(page):
    """In the page's language; they go when they are mended."""
    most = page.locator("#f-max_area_m2")
    right = most.input_value()
    most.fill("0.2")
    fault = page.locator("#e-max_area_m2")
    expect(fault).to_contain_text("不能小于最小面积")
    expect(most).to_have_attribute("aria-invalid", "true")
    most.fill(right)
    expect(fault).to_be_hidden()
    page.locator("#f-title").fill("电话 137 1234 5678")
    expect(page.locator("#e-title")).to_contain_text("公开")
    page.locator("#f-title").fill("<i>要一间</i>实验室")
    expect(page.locator("#e-title")).to_be_hidden()


def change_and_withdraw(page):
    page.get_by_role("link", name="修改需求").click()
    ready(page)
    assert page.locator("#f-contact_phone").input_value() == PHONE
    page.locator("#f-team_size").fill("12")
    page.get_by_role("button", name="保存修改").click()
    expect(page.locator(".facts")).to_contain_text("12")

    page.locator("#withdraw summary").click()
    page.locator("input[name=sure]").check()
    page.get_by_role("button", name="撤回需求").click()
    expect(page.locator("h1")).to_have_text("需求已撤回")


def test_the_whole_way_of_a_founder(visit, server, folder):
    page = visit("/find?lang=zh&status=vacant")
    page.locator(".space-card h3 a").first.click()
    page.wait_for_url(re.compile("/spaces/"))
    space = page.url.split("/spaces/")[1].split("?")[0]
    page.get_by_role("link", name="我要这处空间").click()
    ready(page)
    assert float(page.locator("#f-min_area_m2").input_value()) > 0
    assert page.locator("#f-kind").input_value()

    mistakes_are_said_beside_their_fields(page)
    page.locator("#f-industry").select_option("电气")
    page.locator("#f-contact_name").fill(NAME)
    page.locator("#f-contact_phone").fill(PHONE)
    page.locator("#f-consent").check()
    page.get_by_role("button", name="发布需求").click()
    link = page.locator("#secret-link").input_value()
    assert re.fullmatch(rf"{server}/demands/demands-\d+#key=[\w-]{{43}}", link)
    key = link.partition("#key=")[2]
    assert key not in page.url
    page.wait_for_url(link.partition("#")[0] + "?lang=zh")
    posted = records(folder).iloc[-1]
    assert (posted["space"], posted["contact_name"], posted["contact_phone"]) == (
        space,
        NAME,
        PHONE,
    )
    # A reload posts nothing twice and shows the secret no more.
    page.reload()
    expect(page.locator(".matches li").first).to_be_visible()
    assert key not in page.content()
    assert len(records(folder)) == 1

    # Another browser opens it by the link alone; the secret leaves the address bar.
    sent = []
    other = visit("/find?lang=zh")
    other.on("request", lambda one: sent.append(f"{one.url} {one.headers.get('referer', '')}"))
    other.goto(f"{link.partition('#')[0]}?lang=zh#key={key}")
    expect(other.locator(".matches li").first).to_be_visible()
    assert key not in other.url
    assert other.evaluate("history.length") <= 4
    assert not any(key in addresses for addresses in sent)
    expect(other.locator("h1")).to_have_text("我的需求")
    expect(other.locator(".match").first).to_contain_text("产业")
    assert PHONE not in other.content()
    assert other.locator("main i").count() == 0

    change_and_withdraw(other)
    gone = records(folder).iloc[-1]
    assert gone["status"] == "withdrawn"
    assert gone[["contact_name", "contact_phone", "secret_hash", "title"]].isna().all()
    # The old link and the old cookie open nothing.
    page.reload()
    expect(page.locator("#key-form")).to_be_visible()


def test_a_place_is_set_on_the_map_by_keys_and_an_area_by_clicks(visit):
    page = ready(visit("/demands/new?lang=en"))
    page.locator("#pick-place").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    page.wait_for_timeout(400)
    page.keyboard.press("Enter")
    near = page.locator("#f-near")
    expect(near).to_have_value(re.compile(r"^1[12]\d\.\d+,2[78]\.\d+$"))
    assert page.locator("#f-minutes").input_value() == "15"
    expect(page.locator("#pick-place")).to_have_attribute("aria-pressed", "false")
    page.locator("#pick-area").click()
    box = page.locator(".demand-map .leaflet-container").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for dx, dy in ((-40, -40), (40, -40), (0, 50)):
        page.mouse.click(x + dx, y + dy)
        page.wait_for_timeout(350)  # two clicks in a row would be a double click
    page.locator("#pick-area").click()
    assert '"Polygon"' in page.locator("#f-polygon").input_value()
    expect(near).to_have_value("")
    page.locator("#pick-clear").click()
    assert page.locator("#f-polygon").input_value() == ""


def test_what_is_typed_survives_the_other_language_but_for_the_contact(visit):
    page = ready(visit("/demands/new?lang=zh"))
    page.locator("#f-title").fill("一间办公室")
    page.locator("#f-water").check()
    page.locator("#f-contact_phone").fill(PHONE)
    page.locator(".switch").click()
    page.wait_for_url(re.compile("lang=en"))
    ready(page)
    expect(page.locator("#f-title")).to_have_value("一间办公室")
    expect(page.locator("#f-water")).to_be_checked()
    assert page.locator("#f-contact_phone").input_value() == ""
    assert PHONE not in page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")


def test_a_contact_leaves_the_page_only_after_consent(visit):
    page = ready(visit("/demands/new?lang=zh"))
    bodies = []
    page.on("request", lambda request: bodies.append(request.post_data or ""))
    with page.expect_response(re.compile("/check")):
        page.locator("#f-contact_phone").fill(PHONE)
    assert not any(PHONE in body for body in bodies)
    with page.expect_response(re.compile("/check")):
        page.locator("#f-consent").check()
    assert any(PHONE in body for body in bodies)


def test_without_scripts_and_on_a_phone(chromium, server, folder):
    context = chromium.new_context(
        viewport={"width": 390, "height": 800}, java_script_enabled=False, locale="zh-CN"
    )
    page = context.new_page()
    page.goto(f"{server}/demands/new?lang=zh")
    page.locator("#f-title").fill("<script>alert(1)</script>")
    page.locator("#f-min_area_m2").fill("两百")
    page.get_by_role("button", name="发布需求").click()
    faults = page.locator("#faults")
    expect(faults).to_contain_text("有 2 处")
    expect(page.locator("#e-min_area_m2")).to_have_text("请填数字")
    expect(page.locator("#e-industry")).to_have_text("请填写")
    assert page.locator("#f-min_area_m2").input_value() == "两百"
    assert page.locator("#f-title").input_value() == "<script>alert(1)</script>"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    faults.get_by_role("link").first.click()
    page.locator("#f-industry").select_option("鞋业")
    page.locator("#f-min_area_m2").fill("200")
    page.get_by_role("button", name="发布需求").click()
    code = page.locator("#secret-code").input_value()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.clear_cookies()
    page.get_by_role("link", name="查看匹配结果").click()
    page.locator("#f-key").fill("wrong")
    page.get_by_role("button", name="打开").click()
    expect(page.get_by_role("alert")).to_contain_text("打不开需求")
    page.locator("#f-key").fill(code)
    page.get_by_role("button", name="打开").click()
    expect(page.locator("h1")).to_have_text("我的需求")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
    assert records(folder).iloc[-1]["min_area_m2"] == 200
