"""What several test files share: a browser for pages, the player in it, engines; none fails by the clock."""

import gc
import shutil
import signal

import pytest
from hypothesis import settings

from autograd import step_through
from autograd.compiler import engine
from tests.player_page import Player

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update"]


def pytest_collection_finish():
    """Spare every garbage collection the way through thousands of tests and all that they import."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture
def control_c():
    """Ctrl-C raises, also where the tests run in the background, where a shell has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def violations():
    """Return what axe-core finds in a page: the elements, by the rules that they break."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core").Axe()

    def found(page):
        every = axe.run(page).response["violations"]
        return {rule["id"]: [node["html"] for node in rule["nodes"]] for rule in every}

    return found


@pytest.fixture
def open_player(chromium, tmp_path):
    """Open the player of a graph, or a page; then the console must be empty and the network untouched."""
    troubles, context = [], chromium.new_context(viewport={"width": 1280, "height": 720})

    def open_graph(root, fragment="", **options):
        path = tmp_path / "player.html"
        if isinstance(root, str):
            path.write_text(root, encoding="utf-8")
        else:
            step_through(root, **options).save(path)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(("file:", "data:")) else troubles.append(request.url)
            ),
        )
        page.goto(path.as_uri() + fragment)
        return Player(page)

    yield open_graph
    context.close()
    assert troubles == []


@pytest.fixture(scope="module", params=["wasm", pytest.param("numpy", marks=pytest.mark.slow)])
def every_engine(request):
    """The tests of a module run with each engine as the one that ``engine="auto"`` chooses."""
    start = engine.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            engine, "start", lambda plan, name: start(plan, request.param if name == "auto" else name)
        )
        yield request.param
