"""What several test files share: a headless browser for the tests of pages; no test fails by the clock."""

import shutil

import pytest
from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def chromium():
    """A running browser; without one the tests that use it are skipped by name."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright for Python")
    if CHROMIUM is None:
        pytest.skip("no browser (Chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
