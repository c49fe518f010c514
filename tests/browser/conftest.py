"""A real Chromium in front of the pages; the world outside is shut, and noise is an error."""

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.browser.site import ORIGIN, Site

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Chromium is missing: make setup-test installs it")
    with sync_playwright() as playwright:
        expect.set_options(timeout=60_000)  # machines that share their cores are slow
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site() -> Site:
    return Site()


class Watch:
    """What a page did that it should not: foreign requests, console errors, exceptions."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def over(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        page.on(
            "console",
            lambda said: (
                self.faults.append(f"console: {said.text}")
                if said.type in {"error", "warning"}
                else None
            ),
        )


@pytest.fixture
def watch() -> Iterator[Watch]:
    watching = Watch()
    yield watching
    assert watching.faults == []


@pytest.fixture
def open_page(chromium, site, watch) -> Iterator:
    """Open pages of the tiny city; any request to another host fails the test."""
    contexts = []

    def serve(route: Route) -> None:
        url = route.request.url
        if not url.startswith(ORIGIN):
            watch.faults.append(f"foreign request: {url}")
            route.abort()
            return
        parts = urlsplit(url)
        status, kind, body = site.answer(parts.path, parts.query)
        route.fulfill(status=status, content_type=kind, body=body)

    def open_(path: str = "/", *, width: int = 1280, height: int = 800, own: bool = True) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        watch.over(page)
        page.route("**/*", serve)
        page.goto(ORIGIN + path if own else path)
        return page

    yield open_
    for context in contexts:
        context.close()
