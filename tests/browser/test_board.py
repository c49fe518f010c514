"""The board in a real browser: the slider, the records behind a figure, a town's next action."""

import re

from playwright.sync_api import expect

from tests.browser.test_app import server, visit

__all__ = ["server", "visit"]  # fixtures


def test_read_the_board_move_the_slider_and_see_the_records(visit):
    page = visit("/targets?lang=zh")
    expect(page.locator(".answer .figure strong")).to_contain_text("/26")
    page.locator("html[data-board-year]").wait_for()
    shown = page.locator("#board-year-shown")
    slider = page.locator("#board-year")
    slider.focus()
    page.keyboard.press("Home")
    expect(shown).to_have_text("2025")
    first = page.locator(".share-label").all_inner_texts()
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_text("2026")
    assert page.locator(".share-label").all_inner_texts() != first
    expect(page.locator("td.current").first).to_have_attribute("data-year-column", "2026")
    link = page.locator("#goal-T8 a.figure-link")
    figure = int(re.sub(r"\D", "", link.inner_text()))
    link.click()
    page.wait_for_url(re.compile("/targets/records"))
    assert page.locator("#records td .ok").count() == figure
    page.locator("#records th a").first.click()
    page.wait_for_url(re.compile("/incubators/"))


def test_from_an_uncovered_town_to_its_next_action(visit):
    page = visit("/coverage?lang=en")
    page.locator("html[data-mark-map=true]").wait_for()
    assert page.locator(".board-mark").count() > 20
    page.locator("#towns a[href^='#action-']").first.click()
    action = page.locator("#action-table tr:target")
    expect(action).to_be_visible()
    assert action.locator("li").count() >= 1
    assert page.locator("svg.trend polyline").count() == 2


def test_from_the_map_of_amenities_to_the_checks_of_an_incubator(visit):
    page = visit("/amenities?lang=zh")
    page.locator("html[data-mark-map=true]").wait_for()
    marks = page.locator(".leaflet-marker-icon.board-mark")
    assert marks.count() > 20
    page.get_by_label("地图显示").select_option("theatre")
    page.wait_for_url(re.compile("map=theatre"))
    page.locator("html[data-mark-map=true]").wait_for()
    counts = page.locator(".time-legend strong").all_inner_texts()
    lacking = page.locator("#amenity-checks tr", has_text="小剧场").locator("a[href*='map=']")
    assert lacking.inner_text() == counts[1]
    page.locator("#amenity-units td a").first.click()
    page.wait_for_url(re.compile("/amenities/records"))
    page.locator("#checks th a").first.click()
    page.wait_for_url(re.compile("incubator="))
    assert page.locator("#checks tbody tr").count() == 14


def test_the_board_and_coverage_on_a_phone(visit):
    for path in (
        "/targets?lang=en",
        "/coverage?lang=zh",
        "/structure?lang=en",
        "/amenities?lang=en",
    ):
        page = visit(path, width=390)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
