"""The pages in a real browser: sorting, filtering, downloads, keyboard, phone, contrast."""

import pytest

from tests.web.world import HOSTILE

PATHS = ["/coverage", "/targets", "/structure", "/amenities", "/incubators/incubator-0", "/about"]

# The relative luminance and contrast of WCAG 2.1 over every text that is shown.
CONTRAST = """
() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faults = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("svg, script, style, .skip, .visually-hidden")) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = Number.parseFloat(getComputedStyle(element).fontSize);
    if (ratio < (size >= 24 ? 3 : 4.5)) {
      const text = walker.currentNode.data.trim().slice(0, 20);
      faults.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)} ${text}`);
    }
  }
  return faults;
}
"""
UNNAMED = """
() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, [role=button]")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.textContent.trim() || one.ariaLabel || one.title || one.labels?.length))
  .map((one) => one.outerHTML.slice(0, 120))
"""


def column(page, at):
    rows = page.locator("#towns tbody tr:not([hidden])")
    return [row.locator("th, td").nth(at).inner_text().strip() for row in rows.all()]


def test_tables_sort_by_mouse_and_keyboard(open_page):
    page = open_page("/coverage")
    heading = page.locator("#towns thead th").nth(6)
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert column(page, 6) == ["0.0 km", "1.0 km", "2.0 km", "3.0 km"]
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert column(page, 6)[0] == "3.0 km"


def test_tables_filter_by_text_and_state(open_page):
    page = open_page("/coverage")
    page.fill("[data-filter=towns]", "西区")
    assert len(column(page, 0)) == 2
    page.select_option("[data-state-filter=towns]", "none")
    assert column(page, 0) == ["四镇"]
    assert page.locator("[data-count=towns]").inner_text() == "1 行"
    page.fill("[data-filter=towns]", "查无此镇")
    assert page.locator("[data-empty=towns]").is_visible()


def test_download_is_what_the_table_shows(open_page):
    page = open_page("/coverage")
    page.select_option("[data-state-filter=towns]", "planned_only")
    with page.expect_download() as download:
        page.locator("[data-csv=towns]").click()
    text = download.value.path().read_bytes().decode("utf-8-sig")
    lines = text.split("\r\n")
    assert download.value.suggested_filename == "towns.csv"
    assert len(lines) == 2
    assert lines[1].startswith(HOSTILE)
    assert ",2000," in lines[1]


def test_skip_link_leads_to_the_content(open_page):
    page = open_page("/coverage")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", ["/", *PATHS, "/error"])
def test_pages_read_well(open_page, path, lang):
    page = open_page(f"{path}?lang={lang}")
    page.wait_for_load_state("networkidle")
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(UNNAMED) == []
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("path", PATHS)
def test_pages_fit_a_phone(open_page, path):
    page = open_page(f"{path}?lang=en", width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
