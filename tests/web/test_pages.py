"""Pages: every one in both languages, with hostile names as text and no foreign address."""

import re
from html.parser import HTMLParser

import pytest

from tests.web import world
from tests.web.world import HOSTILE
from web.board import targets_page
from web.coverage import coverage_page
from web.pages import home_page
from web.structure import structure_page

FOREIGN = re.compile(r"""(?:https?:)?//[\w.-]+\.[a-z]{2,}""")


class Parsed(HTMLParser):
    """Elements, labels and ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module", params=["zh", "en"])
def pages(request):
    return world.all_pages(request.param)


def test_no_foreign_address(pages):
    for path, html in pages.items():
        assert not FOREIGN.findall(html), path


def test_hostile_names_are_text(pages):
    for path, html in pages.items():
        assert "<img src=x" not in html, path
        assert not [tag for tag, attributes in Parsed(html).tags if "onerror" in attributes], path
    for path in ("/coverage", "/amenities", "/incubators/incubator-0", "/about", "/error"):
        assert HOSTILE in Parsed(pages[path]).text, path


def test_pages_are_marked_for_their_language_and_readers(pages):
    for path, html in pages.items():
        parsed = Parsed(html)
        tags = [tag for tag, _ in parsed.tags]
        ids = [a["id"] for _, a in parsed.tags if "id" in a]
        assert tags.count("h1") == 1, path
        assert tags.count("main") == 1, path
        assert len(ids) == len(set(ids)), path
        assert next(a for t, a in parsed.tags if t == "html")["lang"] in {"zh-CN", "en"}
        assert ("a", {"class": "skip", "href": "#content"}) in parsed.tags


def test_demo_badge_stands_on_pages_that_count_demo(pages):
    for path, html in pages.items():
        assert "示例数据" in html, path


def test_no_badge_without_demo():
    html = structure_page(world.STRUCTURE, frame=world.frame(demo_counted=False))
    assert "示例数据" not in html


def test_home_is_light(pages):
    assert len(pages["/"].encode()) < 300_000
    assert "review" in pages["/"]
    assert "甲S(2026)1号" in pages["/"]


def test_home_says_the_answer_first(pages):
    text = Parsed(pages["/"]).text
    assert "50%" in text
    assert re.search(r"4 个工业强镇中，2 个|Of 4 industrial towns, 2", text)


def test_coverage_shows_state_by_mark_and_words(pages):
    text = Parsed(pages["/coverage"]).text
    for mark in "●◐○✕":
        assert mark in text


def test_empty_states_are_said():
    html = coverage_page({}, {}, {}, frame=world.frame())
    assert "还没有工业强镇名单" in html
    assert "没有指标" in targets_page({"rows": [], "checks": []}, frame=world.frame())
    assert "还没有工业强镇名单" in home_page({}, view=world.view(), frame=world.frame())


def test_targets_name_what_is_missing(pages):
    text = Parsed(pages["/targets"]).text
    assert re.search(r"基数：新增孵化空间 2024-12-31|Baseline: New space, 2024-12-31", text)
    assert re.search(r"分项合计 新增孵化空间 2026|Sum of units New space 2026", text)
    assert "110%" in text


def test_sorting_is_offered_to_the_keyboard(pages):
    html = pages["/coverage"]
    table = html[html.index('<table id="towns"') :]
    headings = re.findall(
        r"<th scope=\"col\"[^>]*>(<button|[^<])", table[: table.index("</thead>")]
    )
    assert headings
    assert set(headings) == {"<button"}


def test_switch_keeps_the_page():
    html = targets_page(world.TARGETS, frame=world.frame(url="/targets?year=2026&lang=zh"))
    assert "/targets?year=2026&amp;lang=en" in html
