"""The search in a real browser: list and map in step, the address its memory, also by keys."""

import re

import orjson
import pytest
from playwright.sync_api import expect

from tests.browser.test_app import server, visit

__all__ = ["server", "visit"]  # fixtures


def total(page) -> int:
    return int(page.inner_text("#find-total").replace(",", ""))


def asked(page, name: str) -> str | None:
    """A field of the address."""
    return page.evaluate("name => new URLSearchParams(location.search).get(name)", name)


@pytest.fixture
def find(visit):
    """Open the search and wait until it can be used."""

    def find_(query: str = "", **more):
        page = visit(f"/find{query}", **more)
        page.wait_for_selector("html[data-find-ready=true]")
        return page

    return find_


def test_a_choice_brings_what_it_says_and_back_undoes_it(find):
    page = find("?lang=en")
    before = total(page)
    page.locator("#find-filters > summary").click()
    choice = page.locator("label.choice", has=page.locator('input[name="kind"]')).first
    count = int(choice.locator(".count").inner_text().replace(",", ""))
    choice.locator("input").check()
    expect(page.locator("#find-total")).to_have_text(f"{count:,}")
    expect(page.locator("#find-show")).to_have_text(f"Show {count:,} spaces")
    expect(page.locator("#find-active")).to_have_text("1")
    assert asked(page, "kind")
    expect(page.locator(".chips a[data-drop=kind]")).to_have_count(1)
    other = page.locator("a.switch").get_attribute("href")
    assert "kind=" in other
    assert "lang=zh" in other
    page.go_back()
    expect(page.locator("#find-total")).to_have_text(f"{before:,}")
    assert page.locator('input[name="kind"]:checked').count() == 0
    page.go_forward()
    expect(page.locator("#find-total")).to_have_text(f"{count:,}")
    page.locator(".chips a[data-drop=kind]").click()
    expect(page.locator("#find-total")).to_have_text(f"{before:,}")
    expect(page.locator("#find-filters > summary")).to_be_focused()


def test_list_and_map_light_each_other(find):
    page = find()
    card = page.locator(".space-card").first
    card.hover()
    expect(page.locator(".find-dot.lit")).to_have_count(1)
    page.mouse.move(900, 5)
    expect(page.locator(".find-dot.lit")).to_have_count(0)
    dots = page.locator(".find-dot")
    counts = [int(text) for text in dots.all_inner_texts()]
    assert sum(counts) == total(page)


def test_more_is_added_compared_and_there_again_after_back(find):
    page = find("?lang=en&status=vacant")
    first, whole = page.locator(".space-card").count(), total(page)
    expect(page.locator("#find-range")).to_have_text(f"1–{first} of {whole}")
    page.locator("#find-more").click()
    page.locator(".space-card").nth(first).wait_for()
    expect(page.locator(".space-card").nth(first)).to_be_focused()
    shown = page.locator(".space-card").count()
    expect(page.locator("#find-range")).to_have_text(f"1–{shown} of {whole}")
    boxes = page.locator('input[form="compare-form"]')
    for number in range(4):
        boxes.nth(number).check()
    boxes.nth(4).click()
    expect(boxes.nth(4)).not_to_be_checked()
    expect(page.locator("#compare-full")).to_have_text("At most four can be compared")
    page.locator("#compare-form button").click()
    page.wait_for_url(re.compile("/find/compare"))
    assert page.locator("thead th").count() == 5
    page.go_back()
    expect(page.locator(".space-card")).to_have_count(shown)


def test_words_by_keyboard_and_a_place_on_the_map(find):
    page = find("?lang=zh")
    page.locator('input[name="text"]').focus()
    page.keyboard.type("shiyanshi")
    page.keyboard.press("Enter")
    expect(page.locator(".chips a[data-drop=text]")).to_have_count(1)
    assert asked(page, "text") == "shiyanshi"
    page.locator(".chips [data-clear]").click()
    expect(page.locator(".chips")).to_have_count(0)
    page.locator("#find-filters > summary").click()
    page.locator("#find-place summary").click()
    page.locator("#find-pick").click()
    dot = page.locator(".find-dot").first.bounding_box()
    page.mouse.click(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    expect(page.locator(".chips a[data-drop=near]")).to_have_count(1)
    expect(page.locator(".chips a[data-drop=minutes]")).to_have_count(1)


def test_an_area_is_drawn_by_keys_alone(find):
    page = find("?lang=en")
    before = total(page)
    page.locator("#find-filters > summary").press("Enter")
    page.locator("#find-place summary").press("Enter")
    page.locator("#find-draw").press("Enter")
    said = page.locator("#draw-bar p")
    # Each arrow moves the map; Enter takes its middle as a corner.
    corners = {"1 corners": "Enter", "2 corners": "ArrowRight Enter", "3 corners": "ArrowUp Enter"}
    for told, keys in corners.items():
        for key in keys.split():
            page.keyboard.press(key)
            # The map glides; the corner is where it has come to rest.
            page.locator(".leaflet-pan-anim").wait_for(state="detached")
        expect(said).to_have_text(told)
    page.keyboard.press("Backspace")
    expect(said).to_have_text("2 corners")
    page.keyboard.press("Enter")
    expect(said).to_have_text("3 corners")
    page.keyboard.press("Enter")  # the same corner again: that is all
    expect(page.locator(".chips a[data-drop=polygon]")).to_have_count(1)
    ring = orjson.loads(asked(page, "polygon"))["coordinates"][0]
    assert len(ring) == 4
    assert total(page) < before
    page.locator("#find-draw").press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#draw-bar")).to_be_hidden()
    assert orjson.loads(asked(page, "polygon"))["coordinates"][0] == ring


def test_an_empty_result_leads_to_the_nearest_value(find):
    page = find("?lang=en&max_rent_cny_m2_month=1")
    assert total(page) == 0
    way = page.locator("[data-nearer]")
    value = re.search(r"up to ([\d.]+)", way.inner_text()).group(1)
    way.click()
    expect(page.locator(".space-card").first).to_be_visible()
    assert asked(page, "max_rent_cny_m2_month") == value
    assert page.locator('input[name="max_rent_cny_m2_month"]').input_value() == value


def test_what_is_wrong_stands_beside_its_field(find):
    page = find("?lang=zh&unit=鹿城&min_area_m2=9&max_area_m2=3")
    fault = page.locator("#fault-unit")
    expect(fault).to_contain_text("鹿城区")
    expect(page.locator("#fault-min_area_m2")).to_be_visible()
    # What would be right stands there to be chosen, and nothing is said to have been counted.
    expect(page.locator("#find-total")).to_have_text("—")
    assert page.locator('input[name="unit"]').count() > 1
    field = page.locator('input[name="min_area_m2"]')
    assert field.get_attribute("aria-describedby") == "fault-min_area_m2"
    field.fill("2")
    expect(page.locator("#fault-min_area_m2")).to_have_count(0)
    page.locator('.chips a[data-drop="unit"]').click()
    expect(page.locator("[data-fault]")).to_have_count(0)
    expect(fault).to_have_count(0)


def test_without_a_network_it_says_so_and_goes_on_by_itself(find, watch):
    page = find("?lang=en")
    before = total(page)
    page.context.set_offline(True)
    page.locator('input[name="text"]').fill("shiyanshi")
    page.locator(".find-text button").click()
    expect(page.locator("#find-error")).to_contain_text("You are offline")
    assert total(page) == before
    assert asked(page, "text") is None
    page.context.set_offline(False)
    expect(page.locator("#find-error")).to_be_hidden()
    expect(page.locator(".chips a[data-drop=text]")).to_have_count(1)
    page.route("**/find?*", lambda route: route.fulfill(status=429))
    page.locator(".chips [data-clear]").click()
    expect(page.locator("#find-error")).to_contain_text("Too many searches")
    page.unroute("**/find?*")
    page.locator("#find-error button").click()
    expect(page.locator("#find-total")).to_have_text(f"{before:,}")
    noise = [one for one in watch.faults if "ERR_INTERNET" not in one and "429" not in one]
    watch.faults[:] = noise


def test_on_a_phone_results_come_first_and_the_map_takes_turns(find):
    page = find("?lang=zh&kind=rd", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    card = page.locator(".space-card").first
    assert card.bounding_box()["y"] < 400
    page.locator("[data-view=map]").click()
    expect(card).to_be_hidden()
    expect(page.locator("#find-total")).to_be_visible()
    scale = page.locator(".leaflet-control-scale-line").first
    far = scale.inner_text()
    page.locator(".find-dot.several").first.press("Enter")  # places that would lie over each other
    expect(scale).not_to_have_text(far)
    page.locator(".find-dot:not(.several)").first.press("Enter")
    expect(page.locator(".space-card:focus-within, .leaflet-popup")).to_have_count(1)
    page.locator("[data-view=list]").click()
    page.locator("#find-filters > summary").click()
    page.locator("#find-place summary").click()
    page.locator("#find-draw").click()
    for x, y in ((60, 250), (330, 250), (330, 600), (60, 600)):
        page.mouse.click(x, y)
    page.locator("[data-draw=done]").click()
    expect(page.locator("#find-active")).to_have_text("2")
    page.locator("[data-view=list]").click()
    card.locator("h3 a").click()
    page.wait_for_url(re.compile("/spaces/"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
