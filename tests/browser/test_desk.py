"""Staff at work in a real browser: a template filled in and undone, a form with its map."""

import re
import socket
import threading
import time

import openpyxl
import pytest
import uvicorn
from playwright.sync_api import expect
from shapely.geometry import shape

from api.app import create_app
from api.settings import load_settings
from tests.api.city import make_city

TOKEN = "a-token-for-tests"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    store = make_city(folder / "hatchmap.gpkg")
    app = create_app(load_settings(store=store, data=folder, staff_token=TOKEN))
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
def page(chromium, watch, address):
    """A page of somebody who has signed in."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{address}/staff?lang=zh")
    page.fill("input[name=token]", TOKEN)
    page.click("main button[type=submit]")
    page.wait_for_url("**/admin*")
    watch.over(page)
    yield page
    # Chromium reports a form that was sent back with its faults as a failed load.
    watch.faults = [fault for fault in watch.faults if "status of 422" not in fault]
    context.close()


def fill(path, changes):
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    at = {cell.value.removesuffix("(必填)"): cell.column for cell in sheet[1]}
    for (row, name), value in changes.items():
        sheet.cell(row, at[name], value)
    book.save(path)


def total(page, address, name):
    page.goto(f"{address}/find?lang=zh&text={name}")
    page.wait_for_selector("html[data-find-ready=true]")
    return int(page.inner_text("#find-total").replace(",", ""))


def test_a_template_from_download_to_undo(page, address, tmp_path):
    page.click("text=录入与修改数据")
    page.click("#layers a >> text=可用空间")
    with page.expect_download() as loading:
        page.click("text=下载 .xlsx")
    path = tmp_path / "空间.xlsx"
    loading.value.save_as(path)
    incubator = openpyxl.load_workbook(path)["选项"]
    names = [column[1].value for column in incubator.columns if column[0].value == "所属孵化器"]
    row = {
        (3, "名称"): "新腾退的实验楼",
        (3, "所属孵化器"): names[0],
        (3, "面积(㎡)"): "很大",
        (3, "状态"): "空置",
    }
    fill(path, row)
    page.set_input_files("input[type=file]", path)
    page.click("text=上传，先看预览")
    expect(page.locator("#faults tbody tr")).to_have_count(1)
    assert page.inner_text("#faults tbody tr").split("\t")[:2] == ["3", "面积(㎡)"]
    assert page.locator("button:has-text('确认写入')").count() == 0
    page.click("text=放弃")
    fill(path, {(3, "面积(㎡)"): 260})
    page.set_input_files("input[type=file]", path)
    page.click("text=上传，先看预览")
    expect(page.locator("[data-count=new]")).to_have_text("1")
    expect(page.locator("[data-count=faulty]")).to_have_text("0")
    page.fill("input[name=note]", "十一月腾退")
    page.click("text=确认写入 1 条")
    page.wait_for_url(re.compile(r"/admin/history/\d+"))
    batch = page.url
    assert total(page, address, "新腾退的实验楼") == 1
    page.goto(batch)
    page.click("text=确认撤销")
    page.wait_for_url("**said=undone*")
    assert total(page, address, "新腾退的实验楼") == 0


def test_progress_by_form_is_on_the_board(page, address):
    page.goto(f"{address}/admin/progress/new?lang=zh")
    unit = page.locator("#f-unit option").nth(1).get_attribute("value")
    page.select_option("#f-unit", unit)
    page.fill("#f-year", "2026")
    choice = page.locator("#f-indicator option").nth(1).get_attribute("value")
    page.select_option("#f-indicator", choice)
    expect(page.locator("[data-figure]:visible")).to_have_count(1)
    page.fill("#f-reported_on", "2026-11-20")
    page.fill("#f-evidence", "十一月报表")
    page.click(".entry button.primary")
    expect(page.locator("#e-value")).to_be_visible()
    assert page.input_value("#f-evidence") == "十一月报表"
    page.fill("#f-value", "4321")
    page.click(".entry button.primary")
    if page.locator("#doubts").count():
        page.check("input[name=_sure]")
        page.click(".entry button.primary")
    page.wait_for_url("**said=saved*")
    page.goto(f"{address}/targets?lang=zh&unit={unit}&year=2026&indicator={choice}")
    assert "4,321" in page.inner_text("main")


def test_a_place_is_picked_on_the_map(page, address):
    page.goto(f"{address}/admin/sites/new?lang=zh")
    page.fill("#f-name", "地图上点的")
    page.locator("#place-map .leaflet-overlay-pane path").first.wait_for()
    page.locator("#place-map").click()
    expect(page.locator("#f-lon")).not_to_have_value("")
    picked = page.input_value("#f-lon")
    page.click(".entry button.primary")
    page.wait_for_url("**said=saved*")
    assert page.input_value("#f-lon") == picked
    page.select_option("#f-datum", "gcj02")
    expect(page.locator("#place-note")).to_contain_text("换算")


def test_forms_fit_a_phone_and_need_no_script(chromium, address):
    context = chromium.new_context(
        viewport={"width": 390, "height": 800},
        java_script_enabled=False,
        extra_http_headers={"Authorization": f"Bearer {TOKEN}"},
    )
    page = context.new_page()
    for path in ("/admin/spaces", "/admin/spaces/new", "/admin/data", "/admin/history"):
        page.goto(f"{address}{path}?lang=zh")
        assert page.locator("main").bounding_box()["width"] <= 390
    page.goto(f"{address}/admin/lists/new?lang=zh")
    page.fill("#f-title", "无脚本录入")
    page.select_option("#f-kind", "need")
    page.click(".entry button.primary")
    assert "said=saved" in page.url
    context.close()


def test_a_part_of_the_structure_drawn_and_cut_with_the_mouse(page, address):
    page.goto(f"{address}/structure/edit?lang=zh")
    page.locator("html[data-structure-ready=true]").wait_for()
    page.eval_on_selector("#drawn", "field => { field.value = ''; }")
    page.dispatch_event("#drawn", "change")
    for choice in page.locator("#part-list select").all():
        choice.select_option("")
    area = page.locator(".time-map .folium-map")

    def click(*places):
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
        for x, y in places:
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])

    def outlines():
        shapes = page.eval_on_selector("#drawn", "field => JSON.parse(field.value)")["features"]
        return [(one["properties"]["name"], shape(one["geometry"])) for one in shapes]

    page.click("[data-tool=draw]")
    click((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6))
    page.click("[data-tool=finish]")
    rows = page.locator("#drawn-table tbody tr")
    expect(rows).to_have_count(1, timeout=60_000)
    rows.first.locator("input").fill("新区")
    rows.first.locator("input").press("Tab")
    [(name, whole)] = outlines()
    assert name == "新区"
    rows.first.get_by_role("button", name="切分").click()
    click((0.5, 0.35), (0.5, 0.65))
    page.click("[data-tool=finish]")
    expect(rows).to_have_count(2, timeout=60_000)
    (first, left), (second, right) = outlines()
    assert (first, second) == ("新区 1", "新区 2")
    assert left.union(right).symmetric_difference(whole).area < whole.area * 1e-6
    assert left.intersection(right).area < whole.area * 1e-6

    page.fill("input[name=version]", "手绘一版")
    page.fill("input[name=source]", "会议纪要")
    page.click("button[value=save]")
    page.wait_for_url("**/structure?version=*")
    expect(page.locator("main")).to_contain_text("手绘一版")
    kept = page.request.get(f"{address}/api/map/structure.geojson").json()["features"]
    names = {one["properties"].get("name") for one in kept}
    assert {"新区 1", "新区 2"} <= names
