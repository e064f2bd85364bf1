"""Real Chromium with the network off."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium():
    """Start the machine's own Chromium; skip, or fail where it is required, when there is none."""
    path = os.environ.get("GEOPLAN_CHROMIUM") or next(filter(None, map(shutil.which, CANDIDATES)), None)
    if path is None:
        reason = "Chromium is not installed (on Debian: apt-get install chromium)"
        if "browser" in os.environ.get("GEOPLAN_REQUIRE", "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, which is who runs tests in a container.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Return a function that opens a file at a size, offline, and keeps what the page asked for and complained of."""
    contexts = []

    def opened(path, width=1024, height=768):
        context = chromium.new_context(viewport={"width": width, "height": height}, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.complained = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complained.append(message.text))
        page.on("pageerror", lambda error: page.complained.append(str(error)))
        page.goto(path.resolve().as_uri())
        page.wait_for_function("document.querySelectorAll('path.leaflet-interactive').length > 0")
        return page

    yield opened
    for context in contexts:
        context.close()
