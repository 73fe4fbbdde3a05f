"""The playground in a real browser: this package runs in the page, and what a program does stays there."""

import json
import re
import shutil

import pytest

from autograd import Value, topological_order
from autograd.text import format_number
from chainrule.site.build import CDN, build, npm_modules
from chainrule.site.examples import EXAMPLES
from chainrule.site.serving import serving
from chainrule.site.session import Session
from tests.player_page import LOOKS

PROGRAMS = {each["name"]: each["code"] for group in EXAMPLES.values() for each in group}
SIMPLE = PROGRAMS["chain_rule"]
LISTEN = """
window.answers = [];
window.kinds = [];
window.recalled = [];
const { match } = Cache.prototype;
Cache.prototype.match = async function (...wanted) {
    const found = await match.apply(this, wanted);
    recalled.push(Boolean(found));
    return found;
};
addEventListener("message", ({ data }) => {
    kinds.push(data?.kind);
    if (data?.kind === "answer") answers.push(data.text);
});
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A site that was built here."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("no Node.js with npm")
    return build(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def site(folder):
    """Its address."""
    with serving(folder) as address:
        yield address


class Playground:
    """A page with the playground, as its user sees it."""

    def __init__(self, context, address):
        self.context = context
        self.troubles, self.requests = [], []
        self.page = page = context.new_page()
        page.add_init_script(LISTEN)
        page.on("console", lambda message: self.troubles.append(message.text))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("dialog", lambda dialog: (self.troubles.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(address)

    def settled(self):
        """Wait until nothing is to be run any more."""
        self.page.wait_for_selector("html[data-state=idle]", timeout=60_000)
        return self

    def type(self, program):
        """Replace the program, as a reader does, and wait for its picture."""
        self.page.click(".cm-content")
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(program)
        return self.settled()

    def choose(self, name):
        self.page.select_option("#examples", name)
        return self.settled()

    def show(self, name):
        self.page.select_option("#show", name)
        return self.settled()

    @property
    def code(self):
        return "\n".join(self.page.locator(".cm-line").all_text_contents())

    @property
    def player(self):
        return self.page.frame_locator("#player")

    @property
    def count(self):
        return self.player.locator("#count").inner_text()

    def press(self, *keys):
        for key in keys:
            self.player.locator("#canvas").press(key)

    def numbers(self):
        """What is written above and below each wire, by the place of the value."""
        (frame,) = [
            frame for frame in self.page.frames if frame.url.partition("#")[0].endswith("player.html")
        ]
        every = frame.evaluate(
            """() => [...document.querySelectorAll("#canvas g.value")].map((g) => {
                const text = (kind) => g.querySelector("text." + kind)?.textContent ?? "";
                return [+g.id.slice(1), [text("data"), text("grad")]];
            })"""
        )
        return dict(every)

    def error(self):
        return self.page.inner_text("#error") if self.page.is_visible("#error") else ""


@pytest.fixture(scope="module")
def context(chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def open_page(context, site):
    """Open the playground in a tab of its own; at the end nothing may have complained or gone elsewhere."""
    opened = []

    def open_at(fragment=""):
        playground = Playground(context, site + fragment)
        opened.append(playground)
        return playground

    yield open_at
    for playground in opened:
        assert playground.troubles == []
        assert [url for url in playground.requests if not url.startswith((site, "blob:", "data:"))] == []


@pytest.fixture(scope="module")
def first(open_page):
    """A tab that many tests use one after the other, since Python takes a while to start."""
    return open_page().settled()


@pytest.fixture
def play(first):
    """The tab with the simple example."""
    first.choose("chain_rule")
    first.press("Home")
    return first


def expected(root):
    """The numbers of the last state, by the engine."""
    root.backward()
    return {
        k: [
            format_number(node.data),
            "" if type(node).__name__ == "Constant" else f"grad {format_number(node.grad)}",
        ]
        for k, node in enumerate(topological_order(root))
    }


def simple(x=-2.0, y=5.0, z=-4.0):
    return (Value(x) + Value(y)) * Value(z)


def test_the_first_example_runs_by_itself_and_is_stepped(play):
    assert set(map(tuple, play.numbers().values())) == {("", "")}
    play.press("End")
    assert play.numbers() == expected(simple())


def test_what_is_typed_is_run_and_drawn(play):
    play.type("from autograd import Value, tanh\na = Value(0.5)\nb = tanh(a * 3)\nprint('b is', b.data)")
    play.press("End")
    assert play.numbers() == expected((Value(0.5) * 3).tanh())
    assert play.page.inner_text("#output").startswith("b is 0.905")


def test_a_slider_changes_the_program_and_every_value_and_gradient_follows(play):
    play.press("End")
    slider = play.page.locator("#numbers input").first
    slider.focus()
    slider.press("ArrowRight")
    play.settled()
    assert "Value(-1.95)" in play.code
    assert play.numbers() == expected(simple(x=-1.95))
    assert play.count == "8 / 8"


def test_a_drag_keeps_the_step_and_ends_with_a_picture_of_its_own(play):
    play.press("ArrowRight", "ArrowRight")
    box = play.page.locator("#numbers input").nth(1).bounding_box()
    height = box["y"] + box["height"] / 2
    play.page.mouse.move(box["x"] + box["width"] * 0.75, height)
    play.page.mouse.down()
    play.page.mouse.move(box["x"] + box["width"] * 0.3, height, steps=8)
    play.page.mouse.up()
    play.settled()
    (y,) = re.findall(r"Value\(-2\), Value\((-?[\d.]+)\)", play.code)
    assert y != "5"
    assert play.count == "2 / 8"
    assert play.numbers()[1][0] == format_number(float(y))


def test_another_variable_is_shown(play):
    play.show("q")
    play.press("End")
    assert play.numbers() == expected(Value(-2) + Value(5))


def test_a_mistake_shows_its_line_and_the_picture_stays(play):
    play.press("End")
    play.type(SIMPLE + "g = (f +")
    assert play.error().startswith("line 7: SyntaxError: '(' was never closed")
    assert play.page.locator(".cm-lintRange-error").count() == 1
    assert play.numbers() == expected(simple())
    play.type(SIMPLE + "1 / 0\n")
    assert play.error() == "line 7: ZeroDivisionError: division by zero"
    play.type(SIMPLE)
    assert play.error() == ""


def test_the_editor_completes_the_names_of_the_package(play):
    play.type("from autograd import Value\nx = Value(1.0)\n")
    for typed, offered in (("f = softp", "softplus"), ("\ny = x.tan", "tanh")):
        play.page.keyboard.type(typed)
        offer = play.page.wait_for_selector(".cm-tooltip-autocomplete")
        assert offered in offer.inner_text()
        play.page.keyboard.press("Escape")


def test_an_endless_loop_is_stopped_and_the_next_program_runs(play):
    play.page.click(".cm-content")
    play.page.keyboard.press("Control+a")
    play.page.keyboard.insert_text("while True:\n    pass\n")
    play.page.wait_for_selector("#stop:enabled")
    play.page.click("#stop")
    assert "stopped" in play.error()
    play.type("from autograd import Value\nf = Value(3) * 2")
    play.press("End")
    assert play.numbers() == expected(Value(3) * 2)


def test_the_numbers_of_all_exercises_are_those_of_this_python(play):
    for name, program in PROGRAMS.items():
        play.page.evaluate("() => { answers.length = 0 }")
        play.choose(name)
        there = json.loads(play.page.evaluate("() => answers.at(-1)"))
        here = Session().run(program)
        pictures = [answer["player"]["views"][0].pop("svg") for answer in (here, there)]
        assert apart(pictures[0])[0] == apart(pictures[1])[0], name  # but for hundredths of a point
        words, numbers = apart(there)
        assert words == apart(here)[0], name
        # The two builds of Python have other mathematical libraries, which may differ in the last digit.
        assert numbers == pytest.approx(apart(here)[1], rel=1e-9, abs=1e-12), name


def apart(answer):
    """The words of an answer, and its numbers."""
    text, number = json.dumps(answer), r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
    return re.split(number, text), [float(each) for each in re.findall(number, text)]


# Training


def wait_for_step(playground, least):
    script = "least => Number(document.getElementById('reached').value) >= least"
    playground.page.wait_for_function(script, arg=least, timeout=60_000)


def loss_shown(playground):
    playground.press("End")
    (root,) = [max(playground.numbers())]
    return playground.numbers()[root][0]


def losses_of(name, count):
    training = Session().run(PROGRAMS[name], train={"to": count, "seconds": 60, "known": 0, "open": False})
    return training["training"]["losses"]


def test_a_training_is_watched_and_stopped_and_the_step_s_own_backward_pass_is_opened(play):
    play.choose("trained_live")
    assert play.page.inner_text("#course").startswith("step 0, loss 0.7934, 10 of 40 points")
    play.page.click("#train")
    wait_for_step(play, 30)
    assert play.page.locator("#player.left-behind").count() == 1
    play.page.click("#train")
    play.settled()
    step = int(play.page.input_value("#reached"))
    losses = losses_of("trained_live", step)
    assert len(losses) == step + 1
    assert loss_shown(play) == format_number(losses[step])
    for button, then in (("#once", step + 1), ("#restart", 0)):
        play.page.click(button)
        play.settled()
        assert int(play.page.input_value("#reached")) == then
    assert loss_shown(play) == format_number(losses[0])


def test_an_earlier_step_of_a_training_is_chosen_by_key_and_shared_by_a_link(play, open_page):
    play.choose("trained_live")
    for _ in range(3):
        play.page.click("#once")
        play.settled()
    play.page.locator("#reached").press("ArrowLeft")
    play.settled()
    losses = losses_of("trained_live", 3)
    assert play.page.inner_text("#course").startswith(f"step 2, loss {losses[2]:.4g}"[:14])
    assert loss_shown(play) == format_number(losses[2])
    play.press("Home", "ArrowRight")
    play.page.click("#share")
    play.page.wait_for_selector("#sharing[open]")
    link = play.page.input_value("#link")
    play.page.click("#sharing >> text=Close")
    fresh = open_page("#" + link.partition("#")[2]).settled()
    fresh.page.click("#run")
    fresh.settled()
    assert fresh.page.input_value("#reached") == "2"
    assert fresh.count.startswith("1 / ")
    assert loss_shown(fresh) == format_number(losses[2])
    fresh.page.close()


def test_a_closed_group_is_drawn_when_it_is_opened_and_follows_a_drag(play):
    play.type(
        "from nn import MLP\nimport random\nx = Value(1.5)\nnet = MLP(2, [2, 1], rng=random.Random(0))\n"
        "f = net.grouped()([x, x])\n"
    )
    play.press("End")
    play.player.locator("g[id^=c][role=button]").first.click()
    play.player.locator("g[id^=b]").first.wait_for()
    drawn = len(play.numbers())
    slider = play.page.locator("#numbers input").first
    slider.focus()
    slider.press("ArrowRight")
    play.settled()
    assert len(play.numbers()) == drawn  # the group is still open
    (x,) = re.findall(r"Value\((.*?)\)", play.code)
    assert x != "1.5"
    assert format_number(float(x)) in {data for data, _ in play.numbers().values()}


def test_a_step_of_a_training_that_never_ends_is_stopped(play):
    play.type("def steps():\n    yield Value(1) * 2\n    while True:\n        pass\nsteps()\n")
    play.page.click("#once")
    play.page.wait_for_selector("#stop:enabled")
    play.page.click("#stop")
    assert "stopped" in play.error()
    assert play.page.inner_text("#train") == "Train"
    play.choose("chain_rule")
    play.press("End")
    assert play.numbers() == expected(simple())


def test_a_first_visit_loads_8_megabytes_at_most(folder):
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 8e6


def test_programs_import_from_python_s_library(play):
    play.type(
        "import doctest, logging.config, statistics, unittest\nhelp(statistics.fmean)\nf = Value(1) * 2\n"
    )
    assert play.error() == ""
    assert "arithmetic mean" in play.page.inner_text("#output")


def test_the_next_visit_starts_from_the_memory_that_was_kept(play, open_page):
    kept = "async () => (await (await caches.open('chainrule')).keys()).length"
    while not play.page.evaluate(kept):
        play.page.wait_for_timeout(100)
    again = open_page().settled()
    again.press("End")
    assert again.numbers() == expected(simple())
    again.page.wait_for_timeout(2000)  # it would take another picture of its memory now
    assert "snapshot" not in again.page.evaluate("() => kinds")
    assert again.page.evaluate("() => recalled") == [True]
    again.page.close()


HOSTILE = """
from autograd import Value
from pyodide.code import run_js

tried = []
for attack in [
    "fetch('ADDRESSfetched')",
    "Object.getPrototypeOf(self).fetch.call(self, 'ADDRESSdeleted')",
    "const r = new XMLHttpRequest(); r.open('GET', 'ADDRESSxhr', false); r.send()",
    "new WebSocket('ws://127.0.0.1:1/hostile-socket')",
    "new EventSource('ADDRESSevents')",
    "importScripts('ADDRESSscript.js')",
    "import('ADDRESSmodule.js')",
    "new Worker('ADDRESSworker.js')",
    "postMessage({kind: 'snapshot', snapshot: new Uint8Array(8)})",
    "postMessage({kind: 'answer', id: 1, text: 'null'})",
    "postMessage({kind: 'answer', id: 2, text: '<img src=x onerror=alert(1)>'})",
    "postMessage({kind: 'step', step: '<img src=x onerror=alert(1)>', view: {}})",
    "self.parent.document.title = 'taken'",
    "self.document.title = 'taken'",
]:
    try:
        run_js(attack)
        tried.append("done")
    except BaseException as error:
        tried.append(type(error).__name__)
label = "<img src='ADDRESSimage' onerror='alert(1)'><script>alert(2)</script>"
f = Value(1, label) * 2
print(label, tried)
"""


def test_a_hostile_program_reaches_neither_the_network_nor_the_page(open_page, site, context):
    hostile = open_page().settled()
    title, address, seen = hostile.page.title(), hostile.page.url, []
    context.on("request", lambda request: seen.append(request.url))
    hostile.type(HOSTILE.replace("ADDRESS", f"{site}hostile-"))
    assert hostile.error() == ""
    assert (
        len(hostile.page.evaluate("() => JSON.parse(answers.at(-1)).output")) > 100
    )  # it did run to its end
    hostile.page.wait_for_timeout(300)
    assert [url for url in seen if "hostile" in url] == []
    assert (hostile.page.title(), hostile.page.url) == (title, address)
    hostile.type("from autograd import Value\nf = Value(3) * 2")
    hostile.press("End")
    assert hostile.numbers() == expected(Value(3) * 2)
    hostile.troubles[:] = [each for each in hostile.troubles if "Content Security Policy" not in each]
    hostile.page.close()


def test_a_link_holds_program_variable_and_step_and_runs_on_a_click_only(play, open_page, tmp_path):
    play.type("from autograd import Value\nx = Value(1.25)\ng = x * x + 3\nh = g * 2\n")
    play.show("g")
    play.press("Home", "ArrowRight", "ArrowRight", "ArrowRight")
    play.page.click("#share")
    play.page.wait_for_selector("#sharing[open]")
    link, embed = play.page.input_value("#link"), play.page.input_value("#embed")
    play.page.click("#sharing >> text=Close")
    assert "Value" not in link  # packed, in the fragment
    fresh = open_page("#" + link.partition("#")[2]).settled()
    assert "x = Value(1.25)" in fresh.code
    assert "came with the link" in fresh.page.inner_text("#notice")
    fresh.page.click(".cm-content")
    fresh.page.keyboard.insert_text(" ")
    fresh.page.wait_for_timeout(300)
    assert fresh.page.evaluate("() => answers") == []
    fresh.page.click("#run")
    fresh.settled()
    assert fresh.page.input_value("#show") == "g"
    fresh.player.locator("#count").filter(has_text="3 / ").wait_for()
    fresh.page.close()
    # The embedding is the same page in a frame, on a page of another origin.
    assert embed.startswith("<iframe src=")
    (tmp_path / "slide.html").write_text(f"<p>slide</p>{embed}")
    with serving(tmp_path) as elsewhere:
        host = play.context.new_page()
        host.goto(f"{elsewhere}slide.html")
        frame = host.frame_locator("iframe")
        frame.locator("#run").click()
        frame.frame_locator("#player").locator("#canvas g.gate").nth(1).wait_for(timeout=60_000)
        assert not frame.locator("#editor").is_visible()
        host.close()


@pytest.mark.parametrize(
    "fragment",
    [
        "#code=%00%ff&step=1e9&view=-1",
        "#code=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg",
        "#example=<script>alert(1)</script>&show=<img%20src=x%20onerror=alert(1)>",
        "#example=__proto__&step=constructor&embed=javascript:alert(1)",
    ],
)
def test_a_hostile_link_executes_nothing_and_leaves_a_page_that_works(open_page, fragment):
    opened = open_page(fragment)
    opened.page.wait_for_selector(".cm-line >> nth=2", state="attached")
    assert "A simple example" in opened.code
    assert opened.page.locator("#show option, #examples option").filter(has_text="alert").count() == 0
    opened.page.close()


# Python from a content delivery network


@pytest.fixture(scope="module")
def distant(folder, tmp_path_factory):
    """The address of a site whose page loads the interpreter from elsewhere, and that address."""
    del folder  # what it skips for
    with serving(build(tmp_path_factory.mktemp("distant"), cdn=True)) as address:
        version = json.loads((npm_modules() / "pyodide" / "package.json").read_text())["version"]
        yield address, CDN.format(version=version)


@pytest.fixture
def opened_with(chromium, distant):
    """Open that page in a browser to which the other server answers as it is told to."""
    contexts = []

    def open_with(answer):
        contexts.append(chromium.new_context())
        contexts[-1].route(re.compile("^https:"), answer)
        return Playground(contexts[-1], distant[0])

    yield open_with
    for context in contexts:
        context.close()


def fulfilled(**answer):
    headers = {"access-control-allow-origin": "*"}
    return lambda route: route.fulfill(status=200, headers=headers, **answer)


@pytest.mark.slow  # the address, and that the file is checked, the next test sees too
def test_the_interpreter_may_come_from_a_content_delivery_network(opened_with, distant):
    page = opened_with(fulfilled(path=npm_modules() / "pyodide" / "pyodide.asm.wasm")).settled()
    page.press("End")
    assert page.numbers() == expected(simple())
    assert {url for url in page.requests if url.startswith("https:")} == {distant[1]}
    assert page.troubles == []


@pytest.mark.parametrize(
    "answer",
    [lambda route: route.abort(), fulfilled(body=b"another file")],
    ids=["no network", "another file"],
)
def test_what_the_network_cannot_give_or_has_changed_is_told_with_the_remedy(opened_with, distant, answer):
    page = opened_with(answer)
    page.page.wait_for_selector("#error:visible")
    assert page.error().startswith(f"Python could not be loaded ({distant[1]}: ")
    assert "chainrule site without --cdn builds a page that needs none. Load the page again." in page.error()


@pytest.mark.parametrize("program", ["a mistake", "a training"])
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing(play, violations, scheme, width, program):
    page = play.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    try:
        play.choose("trained_live") if program == "a training" else play.type(f"{SIMPLE}print(f)\n1 / 0")
        assert violations(page) == {}
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    finally:
        page.set_viewport_size({"width": 1280, "height": 800})
        page.emulate_media(color_scheme="light")


def test_the_line_of_the_present_gate_is_marked_and_a_click_on_a_line_shows_its_gates(play):
    for line in ("q = x + y", "f = q * z"):
        play.press("ArrowRight") if line.startswith("f") else play.press("ArrowRight", "ArrowRight")
        play.page.locator(".cm-line.made", has_text=line).wait_for()
    play.page.locator(".cm-lineNumbers .cm-gutterElement", has_text="5").click()
    play.player.locator("g.gate.made").wait_for()
    assert play.player.locator("g.gate.made").get_attribute("id") == "g2"


def test_a_key_runs_the_program(play):
    play.page.evaluate("() => { answers.length = 0 }")
    play.page.locator(".cm-content").focus()
    play.page.keyboard.press("Control+Enter")
    play.settled()
    assert len(play.page.evaluate("() => answers")) == 1
