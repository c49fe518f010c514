"""The map in a real browser: layers, search, address, pop-ups, walking zones, phone, offline."""

import re

import pytest

from tests.web import world
from tests.web.world import HOSTILE
from web.maps import offline_map

READY = "document.documentElement.dataset.mapReady === 'true'"
SHOWN = "document.querySelectorAll('.incubator, .cluster').length > 5"


def ready(page):
    page.wait_for_function(READY)
    page.wait_for_function(SHOWN)
    return page


def layer(page, label):
    return page.locator("#layers-slot label", has_text=re.compile(rf"^\s*{label}\s*$")).locator(
        "input"
    )


def test_it_paints_and_layers_are_there(open_page):
    page = ready(open_page("/"))
    assert page.evaluate("performance.getEntriesByType('paint').length")
    assert page.locator(".town-mark").count() == 4
    assert page.locator(".town-mark", has_text="✕").count() == 1
    assert page.locator(".leaflet-control-scale-line").first.is_visible()
    assert page.get_by_text("审图号：甲S(2026)1号").is_visible()
    assert page.locator(".topbar .badge").is_visible()
    assert page.locator("#map-status").is_hidden()


def test_layers_are_fetched_only_when_shown(open_page, site):
    site.asked.clear()
    page = ready(open_page("/"))
    assert not [path for path in site.asked if path.startswith("/tiles/")]
    with page.expect_response(re.compile(r"/tiles/amenities/")):
        layer(page, "配套设施").check()
    layer(page, "15分钟达标圈").check()
    page.wait_for_function("document.querySelectorAll('path[stroke=\"#e6550d\"]').length === 60")
    assert site.asked.count("/api/map/incubators.geojson") == 1


def test_address_holds_the_view(open_page):
    page = ready(
        open_page("/?lang=en#map=12/28.05/120.25&layers=industrial_towns,incubators&lang=en")
    )
    assert "map=12/28.05000/120.25000" in page.url
    assert not layer(page, "Reporting units").is_checked()
    assert layer(page, "Incubators").is_checked()
    layer(page, "Reporting units").check()
    assert "reporting_units" in page.url
    page.get_by_role("link", name="切换到中文").click()
    ready(page)
    assert "lang=zh" in page.url
    assert "map=12/28.05" in page.url
    assert layer(page, "责任单位").is_checked()


def test_address_chooses_the_language(open_page):
    page = open_page("/?lang=zh#map=12/28.05/120.25&layers=incubators&lang=en")
    page.wait_for_url(re.compile(r"\?lang=en"))
    ready(page)
    assert page.get_by_role("link", name="Coverage", exact=True).is_visible()


def test_search_by_name_opens_the_record_as_text(open_page):
    page = ready(open_page("/"))
    page.fill("#map-search", "onerror")
    page.wait_for_selector("#map-search-list [role=option]")
    page.keyboard.press("ArrowDown")
    assert page.locator("#map-search").get_attribute("aria-activedescendant") == "map-search-0"
    page.keyboard.press("Enter")
    popup = page.locator(".leaflet-popup h3")
    popup.wait_for()
    assert HOSTILE in popup.inner_text()
    assert page.locator("img[src=x]").count() == 0


def test_search_finds_chinese_names_and_says_when_nothing_fits(open_page):
    page = ready(open_page("/"))
    page.fill("#map-search", "孵化器42")
    page.wait_for_selector("#map-search-list [role=option]")
    page.keyboard.press("Enter")
    page.locator(".leaflet-popup").get_by_text("甲孵化器42").wait_for()
    assert page.locator(".leaflet-popup .badge").inner_text() == "示例"
    page.fill("#map-search", "没有这个")
    page.get_by_text("没有名称含“没有这个”的记录").wait_for()


def test_town_popup_says_its_state(open_page):
    page = ready(open_page("/"))
    page.locator(".town-mark", has_text="○").click()
    popup = page.locator(".leaflet-popup")
    popup.wait_for()
    assert "仅有规划或在建" in popup.inner_text()
    assert HOSTILE in popup.inner_text()


def test_points_of_tiles_tell_their_name(open_page):
    page = open_page("/#map=16/28.05/120.2&layers=amenities")
    page.wait_for_function(READY)
    box = page.locator(".map").bounding_box()
    said: list[str] = []
    for step in range(90 * 20):  # over the map again until its tiles are drawn
        page.mouse.move(box["x"] + 300 + step % 90 * 5, box["y"] + 380)
        said += page.locator(".leaflet-tooltip").all_inner_texts()
        if said:
            break
    assert re.search(r"店\d+ · (商业|咖啡)", said[0])


def test_access_surface_changes_with_the_category(open_page):
    page = ready(open_page("/"))
    assert page.locator("#surface").is_hidden()
    with page.expect_response(re.compile(r"/tiles/access/commerce/")):
        layer(page, "步行可达面").check()
    with page.expect_response(re.compile(r"/tiles/access/cafe/")):
        page.locator("#surface select").select_option("cafe")


def test_walking_zone_of_any_place(open_page):
    page = ready(open_page("/"))
    page.locator("#reach button").click()
    page.mouse.click(700, 400)  # on a town, whose pop-up must not take the click
    output = page.locator("#reach output")
    output.get_by_text("15 分钟").wait_for()
    assert "咖啡 15" in output.inner_text()
    assert "12 米" in output.inner_text()
    assert HOSTILE in output.inner_text()
    with page.expect_response(lambda answer: "profile=wheelchair" in answer.url):
        page.locator("#reach select").select_option("wheelchair")
    marker = page.locator(".origin")
    box = marker.bounding_box()
    with page.expect_response(lambda answer: "/api/reach" in answer.url):
        page.mouse.move(box["x"] + 13, box["y"] + 13)
        page.mouse.down()
        page.mouse.move(box["x"] + 80, box["y"] + 20, steps=5)
        page.mouse.up()
    page.locator("#reach button").click()
    assert marker.count() == 0


def test_walking_zone_hides_when_the_server_has_none(open_page, site, watch):
    page = ready(open_page("/"))
    with site.without("reach"):
        page.locator("#reach button").click()
        page.mouse.click(800, 650)
        page.locator("#reach").wait_for(state="hidden")
    # Chromium itself remarks on the 503; nothing else may have gone wrong.
    assert all("503" in fault for fault in watch.faults)
    watch.faults.clear()


def test_failed_layer_offers_to_try_again(open_page, site, watch):
    with site.without("incubators"):
        page = open_page("/")
        page.get_by_text("孵化器载入失败").wait_for()
    page.get_by_role("button", name="重试").click()
    page.wait_for_function(SHOWN)
    assert all("404" in fault for fault in watch.faults)
    watch.faults.clear()


def test_measure_tells_length_and_area(open_page):
    page = ready(open_page("/"))
    assert page.get_by_role("button", name="全屏").is_visible()
    page.get_by_role("button", name="测量距离和面积").click()
    said = page.locator(".measure output")
    assert said.inner_text() == "依次点击地图"
    for x, y in [(600, 360), (700, 360), (700, 460)]:
        page.mouse.click(x, y)
        page.wait_for_timeout(60)
    length, area = map(float, re.findall(r"([\d.]+) km", said.inner_text()))
    # Two legs of a right angle: half the product of the legs, on a map of equal angles.
    assert area == pytest.approx((length / 2) ** 2 / 2, rel=0.01)
    assert page.locator(".leaflet-popup").count() == 0
    page.get_by_role("button", name="测量距离和面积").click()
    assert said.is_hidden()


def test_phone_has_a_sheet(open_page):
    page = ready(open_page("/", width=390, height=844))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    toggle = page.locator("#panel-toggle")
    assert toggle.get_attribute("aria-expanded") == "false"
    before = page.locator("#panel").bounding_box()["height"]
    toggle.click()
    assert toggle.get_attribute("aria-expanded") == "true"
    page.wait_for_function(f"document.querySelector('#panel').offsetHeight > {before * 2}")
    layer(page, "可用空间").check()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_offline_map_opens_from_disk(open_page, tmp_path, lang, watch):
    file = tmp_path / "map.html"
    data = {
        "reporting_units": world.squares(),
        "industrial_towns": world.squares(),
        "incubators": world.incubators(),
        "amenities": world.amenities(2_000),
    }
    file.write_text(offline_map(world.view(lang), data=data), "utf-8")
    page = open_page("about:blank", own=False)
    page.unroute_all()
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "data:", "about:"))
            else watch.faults.append(f"request: {request.url}")
        ),
    )
    page.goto(file.as_uri())
    ready(page)
    assert page.locator(".town-mark").count() == 4
    layer(page, "配套设施" if lang == "zh" else "Amenities").check()
    page.fill("#map-search", "onerror")
    page.locator("#map-search-list [role=option]").first.wait_for()
    assert page.locator("img[src=x]").count() == 0
