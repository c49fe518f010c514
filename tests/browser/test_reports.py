"""The journey of reports in a real browser: press the button, see how far it is, open the PDF."""

import subprocess

import pytest
from PIL import Image

from tests.browser.test_siting import address, page  # noqa: F401 - the same small city


def test_the_button_makes_a_pdf_that_opens(page, address, tmp_path):  # noqa: F811
    page.goto(f"{address}/reports?lang=zh")
    for section in ("amenities", "structure", "sources"):
        page.uncheck(f"input[value={section}]")
    page.click("#report-form button[type=submit]")
    page.wait_for_selector("#report-progress:not([hidden])")
    page.wait_for_selector("#report-file", timeout=120_000)
    with page.expect_download() as download:
        page.click("#report-file")
    file = tmp_path / "report.pdf"
    download.value.save_as(file)
    subprocess.run(["pdftoppm", "-r", "40", "-png", file, tmp_path / "page"], check=True)
    pages = sorted(tmp_path.glob("page-*.png"))
    assert len(pages) >= 6
    for drawn in pages:
        with Image.open(drawn) as picture:
            shades = picture.convert("L").histogram()
        assert sum(shades[:128]) > 100, f"{drawn.name} is blank"
    # The same question is answered at once.
    page.click("#report-form button[type=submit]")
    page.wait_for_selector("#report-done:not([hidden])")
    assert "直接给出" in page.inner_text("#report-done")


def test_a_report_can_be_stopped_and_its_form_used_by_keyboard(page, address):  # noqa: F811
    page.goto(f"{address}/reports?lang=en")
    # The only process is kept busy, so that the report is still to come when it is stopped.
    before = [
        page.request.post(
            f"{address}/api/report",
            data={"format": kind, "lang": lang},
            headers={"Prefer": "respond-async"},
        ).json()["jobID"]
        for kind in ("pdf", "html")
        for lang in ("zh", "en")
    ]
    page.focus("#report-form button[type=submit]")
    page.keyboard.press("Enter")
    page.click("#report-stop")
    page.wait_for_selector("#report-done:not([hidden])")
    assert "Stopped" in page.inner_text("#report-done")
    assert page.is_enabled("#report-form button[type=submit]")
    for job in before:
        page.request.delete(f"{address}/api/jobs/{job}?keep=true")


def test_nothing_chosen_is_said_beside_the_form(page, address):  # noqa: F811
    page.goto(f"{address}/reports?lang=en")
    for box in page.locator("input[name=sections]").all():
        box.uncheck()
    page.click("#report-form button[type=submit]")
    assert "at least one" in page.inner_text("#report-problem")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits(page, address, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{address}/reports?lang=zh")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
