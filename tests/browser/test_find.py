"""The search in a real browser: list and map in step, the address its memory, also by keys."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_app import server, visit

__all__ = ["server", "visit"]  # fixtures


def total(page) -> int:
    return int(page.inner_text("#find-total").replace(",", ""))


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
    choice = page.locator("label.choice", has=page.locator('input[name="kind"]')).first
    count = int(choice.locator(".count").inner_text().replace(",", ""))
    choice.locator("input").check()
    expect(page.locator("#find-total")).to_have_text(f"{count:,}")
    assert "kind=" in page.evaluate("location.search")
    expect(page.locator(".chips a[data-drop=kind]")).to_have_count(1)
    page.go_back()
    expect(page.locator("#find-total")).to_have_text(f"{before:,}")
    assert page.locator('input[name="kind"]:checked').count() == 0
    page.go_forward()
    expect(page.locator("#find-total")).to_have_text(f"{count:,}")
    page.locator(".chips a[data-drop=kind]").click()
    expect(page.locator("#find-total")).to_have_text(f"{before:,}")


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


def test_more_is_added_and_four_can_be_compared(find):
    page = find("?lang=en&status=vacant")
    first = page.locator(".space-card").count()
    page.locator("#find-more").click()
    page.locator(".space-card").nth(first).wait_for()
    boxes = page.locator('input[form="compare-form"]')
    for number in range(4):
        boxes.nth(number).check()
    boxes.nth(4).click()
    expect(boxes.nth(4)).not_to_be_checked()
    page.locator("#compare-form button").click()
    page.wait_for_url(re.compile("/find/compare"))
    assert page.locator("thead th").count() == 5


def test_words_by_keyboard_and_a_place_on_the_map(find):
    page = find("?lang=zh")
    page.locator('input[name="text"]').focus()
    page.keyboard.type("shiyanshi")
    page.keyboard.press("Enter")
    expect(page.locator(".chips a[data-drop=text]")).to_have_count(1)
    assert page.evaluate("new URLSearchParams(location.search).get('text')") == "shiyanshi"
    page.locator(".chips [data-clear]").click()
    expect(page.locator(".chips")).to_have_count(0)
    page.locator("#find-place summary").click()
    page.locator("#find-pick").click()
    dot = page.locator(".find-dot").first.bounding_box()
    page.mouse.click(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    expect(page.locator(".chips a[data-drop=near]")).to_have_count(1)
    expect(page.locator(".chips a[data-drop=minutes]")).to_have_count(1)


def test_works_on_a_phone(find):
    page = find("?lang=zh&kind=rd", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#panel-toggle").click()
    page.locator(".space-card a").first.click()
    page.wait_for_url(re.compile("/spaces/"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
