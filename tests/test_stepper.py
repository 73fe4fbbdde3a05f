"""The stepper: groups as gates, the terminal's session, files and notebooks, and one clear error each."""

import contextlib
import html
import io
import random
import re
import shutil
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.ImageSequence import all_frames

from autograd import Value, exp, group, log, step_through, topological_order
from autograd.scopes import Scope
from autograd.stepping.breakpoints import breakpoint_at
from autograd.stepping.session import Session
from autograd.stepping.stepper import SUFFIXES
from autograd.stepping.terminal import run
from autograd.stepping.views import ROOMS
from chainrule import cli
from nn import MLP
from tests.command_line import in_a_terminal
from tests.examples import grouped, random_graph, same, sigmoid_gate, simple


def final(moves):
    """The last number of each kind that each value is given."""
    numbers = {}
    for move in moves:
        for change in move.changes:
            numbers[change.wire, change.kind] = change.number
    return numbers


# Groups


def test_a_closed_group_is_one_move_forward_and_one_per_input_back():
    moves = step_through(grouped()).moves()
    assert [move.title for move in moves] == [
        "the inputs",
        "forward: f",
        "backward: f",
        "backward: neuron -> x0",
        "backward: neuron -> x1",
    ]
    assert moves[1].sentence == "f = neuron(x0, x1) = neuron(-1, -2) = 0.7311"
    assert moves[3].sentence == (
        "d(neuron(x0, x1))/dx0 = 0.3932; local * upstream = 0.3932 * 1 = 0.3932; x0.grad: 0 -> 0.3932"
    )


def test_every_view_of_a_graph_leads_to_the_same_numbers():
    model = MLP(2, [4, 1], rng=random.Random(0), activation="tanh").grouped()
    root = model([Value(1.0, "x0"), Value(-2.0, "x1")])
    stepper = step_through(root)
    assert [group.name for group in stepper.groups] == [
        "MLP", "layers.0", "layers.1", "neurons.0", "neurons.1", "neurons.2", "neurons.3", "neurons.0",
    ]  # fmt: skip
    root.backward()
    for opened in ((), stepper.groups[:1], stepper.groups[:2], stepper.groups[:4], stepper.groups):
        numbers = final(stepper.moves(opened))
        assert numbers
        for (node, kind), number in numbers.items():
            assert same(number, node.data if kind == "data" else node.grad)


@pytest.mark.parametrize("seed", range(10))
def test_all_events_of_a_grouped_graph_are_told_once(seed):
    rng = random.Random(seed)
    leaves = [Value(rng.uniform(-1, 1), f"x{i}") for i in range(3)]
    pool = list(leaves)
    with contextlib.ExitStack() as stack:
        for k in range(12):
            if rng.random() < 0.5:
                stack.enter_context(group(f"g{k}"))
            elif rng.random() < 0.5:
                stack.close()
            pool.append(rng.choice(pool) * rng.choice(pool) + rng.choice(pool))
    root: Any = sum(pool)
    stepper = step_through(root)
    for size in range(len(stepper.groups) + 1):
        told = [
            e.step
            for move in stepper.moves(stepper.groups[:size])
            for e in move.events
            if move.kind != "inputs"
        ]
        computed = [
            event.step for event in stepper.events if event.operation is not None or event.step >= len(told)
        ]
        assert set(computed) <= set(told)
        assert len(told) == len(set(told))


def test_groups_do_not_change_the_graph():
    plain, named = sigmoid_gate(), grouped()
    plain.backward()
    named.backward()
    gradients = [
        {n.label: n.grad for n in topological_order(f) if n.label in ("w0", "x1")} for f in (plain, named)
    ]
    assert gradients[0] == gradients[1]


def test_recording_outside_of_groups_is_not_hooked():
    from autograd import scopes

    with group("g"):
        assert len(scopes.active) == 1
    assert not scopes.active
    with pytest.raises(ZeroDivisionError), group("g"):
        raise ZeroDivisionError
    assert not scopes.active


def test_groups_live_beside_other_hooks():
    seen = []
    with Scope(lambda node: seen.append(node) or node), group("g"):
        x = Value(1.0, "x") * 2.0
    assert seen == [x]
    assert [g.name for g in step_through(x).groups] == ["g"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3,), TypeError, "a group's name must be a string, not int: 3"),
        (("",), ValueError, "a group's name must not be empty"),
        (("g", [1.0]), TypeError, "inside must hold Values, not float"),
    ],
)
def test_a_bad_group_is_refused(arguments, error, message):
    with pytest.raises(error, match=message), group(*arguments):
        pass


def test_a_grouped_model_shares_its_parameters_and_leaves_the_model_as_it_was():
    model = MLP(2, [3, 1], rng=random.Random(0))
    twin = model.grouped()
    assert twin.parameters() == model.parameters()
    assert repr(twin) == repr(model)
    assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data
    assert step_through(model([1.0, 2.0])).groups == ()
    with pytest.raises(ValueError, match="takes 2 inputs, got 3"):
        twin([1.0, 2.0, 3.0])


# The terminal


def test_without_a_terminal_the_steps_are_printed():
    out = io.StringIO()
    run(step_through(simple()), io.StringIO(), out)
    assert out.getvalue() == str(step_through(simple())) + "\n"
    assert out.getvalue().splitlines()[1] == "q = x + y = -2 + 5 = 3"


def test_show_prints_where_there_is_no_terminal(capsys):
    step_through(simple()).show()
    assert capsys.readouterr().out.count("\n") == 8


def test_a_session_goes_next_back_and_to_the_ends():
    session = Session(step_through(simple()))
    for target, at in ((1, 1), (-5, 0), (100, 8), (3, 3)):
        session.go(target)
        assert session.at == at
    assert session.move.title == "forward: f"


@pytest.mark.parametrize(
    ("stop", "titles"),
    [
        ("q", ["forward: q", "backward: f -> q"]),
        ("mul", ["forward: f", "backward: f -> q", "backward: f -> z"]),
        (">3.5", ["backward: f -> q", "backward: q -> x", "backward: q -> y"]),
        ("|grad| > 3.5", ["backward: f -> q", "backward: q -> x", "backward: q -> y"]),
        ("nan", []),
    ],
)
def test_a_breakpoint_stops_a_run(stop, titles):
    session = Session(step_through(simple()), (stop,))
    stopped = []
    session.run()
    while "stopped" in session.message:
        stopped.append(session.move.title)
        session.run()
    assert stopped == titles
    assert session.at == 8


def test_a_breakpoint_at_nan_finds_the_first_one():
    session = Session(step_through(log(Value(0.0, "x")) * 0.0), ("nan",))
    session.run()
    assert session.move.title == "forward: f"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "w",
            "there is no node, operation or group 'w' to stop at; nodes: f, q, x, y, z; operations: add, mul",
        ),
        (">many", "the breakpoint '>many' needs a number after '>'"),
        ("", "there is no node, operation or group ''"),
    ],
)
def test_an_unknown_breakpoint_is_refused(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        breakpoint_at(text, step_through(simple()))


def test_a_session_jumps_to_a_node_and_around():
    session = Session(step_through(simple()))
    session.jump("q")
    assert session.move.title == "forward: q"
    session.jump("q")
    assert session.move.title == "backward: f -> q"
    session.jump("q")
    assert session.move.title == "forward: q"
    with pytest.raises(ValueError, match="there is no node 'w'; nodes: f, q, x, y, z"):
        session.jump("w")
    assert "df/dx = -4, over 1 path" in session.explain("x")


def test_a_session_opens_and_closes_groups_at_the_same_moment():
    session = Session(step_through(grouped()))
    session.go(2)
    with pytest.raises(ValueError, match="the node 's' is inside of a closed group"):
        session.jump("s")
    session.open()
    assert session.move.title == "forward: f"
    session.jump("s")
    session.open("sigmoid")
    assert session.move.title == "backward: v4 -> s"
    with pytest.raises(ValueError, match="no closed group 'tanh'"):
        session.open("tanh")
    session.close("neuron")
    assert session.opened == frozenset()
    assert len(session.moves) == 5
    with pytest.raises(ValueError, match="no opened group"):
        session.close()


def network():
    """The call of a network of two layers, in groups."""
    model = MLP(2, [3, 2, 1], rng=random.Random(0), activation="tanh").grouped()
    return model([Value(1.0, "x0"), Value(-2.0, "x1")])


@pytest.mark.parametrize("graph", [grouped, network])
def test_every_event_is_in_one_move_of_every_view(graph):
    stepper = step_through(graph())
    for opened in [(), *([each] for each in stepper.groups), stepper.groups]:
        steps = [event.step for move in stepper.moves(opened) for event in move.events]
        assert sorted(steps) == list(range(len(stepper.events)))


@pytest.mark.parametrize("graph", [grouped, network])
def test_another_view_keeps_the_start_and_the_end_and_comes_back_without_drifting(graph):
    stepper = step_through(graph())
    every = [(), *([each] for each in stepper.groups), stepper.groups]
    for here in every:
        count = len(stepper.moves(here))
        for at in {0, 1, count // 3, count // 2, count - 1, count}:
            session = Session(stepper)
            session.show(here)
            session.go(at)
            for there in every:
                session.show(there)
                if at == 0:
                    assert session.at == 0
                if at == count:
                    assert session.at == len(session.moves)
            session.show(here)
            assert session.at == at


def test_what_nobody_can_know_is_not_asked():
    model = MLP(2, [2, 1], rng=random.Random(0)).grouped()
    stepper = step_through(model([Value(1.0, "x0"), Value(-2.0, "x1")]))
    layer = next(group for group in stepper.groups if group.name == "layers.0")
    asked = [move for move in stepper.moves(["MLP"]) if move.questions]
    assert asked  # the last layer has one output, whose derivatives are told
    assert all(move.kind == "backward" and move.block.group is not layer for move in asked)


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal (POSIX)")
def test_keys_in_a_real_terminal():
    with in_a_terminal("-m", "chainrule", "step", "(x+y)*z", "x=-2", "y=5", "z=-4") as terminal:
        terminal.until("step 0 of 8")
        for keys, text in (
            (b"n", "step 1 of 8"),
            (b"\x1b[C", "step 2 of 8: forward: v1"),
            (b"b", "step 1 of 8"),
            (b"kw\r", "there is no node, operation or group 'w'"),
            (b"kmul\r", "breakpoints: mul"),
            (b"rr", "step 5 of 8: backward: f -> v1"),
            (b"xx\r", "df/dx = -4, over 1 path"),
        ):
            terminal.type(keys)
            terminal.until(text)
        terminal.type(b"q")


def test_the_command_prints_the_steps_or_writes_a_file(capsys, tmp_path):
    arguments = ["step", "(x + y) * z", "x=-2", "y=5", "z=-4"]
    assert cli.main([*arguments, "--break", "f"]) == 0
    out = capsys.readouterr().out
    assert "f = v1*z = 3*(-4) = -12  <- breakpoint f\n" in out
    assert cli.main([*arguments, "-o", str(tmp_path / "walk.html")]) == 0
    assert (tmp_path / "walk.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--break", "w"], 2, "there is no node, operation or group 'w'"),
        (["-o", "walk.txt"], 2, "'.png', '.mp4', '.pdf', '.tex', not '.txt'"),
        (["-o", "missing/walk.html"], 1, "cannot write 'missing/walk.html'"),
        (
            ["--limit", "2"],
            2,
            "the graph has 5 values to draw, above the limit of 2; put parts of it into groups",
        ),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(options, status, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["step", "(x + y) * z", "x=-2", "y=5", "z=-4", *options]) == status
    output = capsys.readouterr()
    assert message in output.err
    assert output.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


# Files and notebooks


def test_an_animation_has_a_frame_per_step(tmp_path):
    for suffix in (".gif", ".png"):
        path = step_through(simple()).save(tmp_path / f"walk{suffix}", seconds=0.5)
        with Image.open(path) as picture:
            assert len(all_frames(picture)) == 8
            frames = []
            for k in range(8):
                picture.seek(k)
                frames.append(picture.convert("RGB").tobytes())
                assert picture.info["duration"] == (1500 if k == 7 else 500)
        assert len(set(frames)) == 8


def test_a_pdf_has_a_page_per_step_with_the_step_in_words(tmp_path):
    pdfium = pytest.importorskip("pypdfium2", reason="no pypdfium2 to read a PDF with")
    stepper = step_through(simple())
    document = pdfium.PdfDocument(stepper.save(tmp_path / "walk.pdf"))
    try:
        texts = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    assert len(texts) == 8
    for text, move in zip(texts, stepper.moves(), strict=True):
        assert move.title in text
        assert move.sentence in text.replace("\r\n", " ")


def test_a_latex_document_has_a_picture_per_step(tmp_path):
    text = step_through(simple()).save(tmp_path / "walk.tex").read_text()
    assert text.count(r"\begin{tikzpicture}") == text.count(r"\end{tikzpicture}") == 8
    assert text.startswith("% f, step by step: a page for each step.")
    assert text.endswith("\\end{document}\n")


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="no ffmpeg")
def test_a_film_shows_each_step_for_its_time_and_the_last_one_longer(tmp_path):
    path = step_through(simple()).save(tmp_path / "walk.mp4", seconds=0.5)
    asked = ["-show_entries", "stream=codec_name,pix_fmt,duration", "-of", "csv=p=0"]
    run = subprocess.run(["ffprobe", "-v", "error", *asked, path], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "h264,yuv420p,5.000000"  # 7 steps of half a second, and the last one's 1.5


def test_a_film_without_its_program_is_refused_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeError, match=r"install it .* or choose \.gif"):
        step_through(simple()).save(tmp_path / "walk.mp4")
    assert list(tmp_path.iterdir()) == []


def test_an_animation_shows_the_groups_that_are_opened(tmp_path):
    x = Value(1.0, "x")
    with group("outer"):
        y = x * 2.0
        with group("inner"):
            f = exp(y) + y
    stepper = step_through(f)
    for opened, gates in (((), 1), (["outer"], 2), ("inner", 3), (stepper.groups, 3)):
        moves = stepper.moves(opened)
        assert sum(move.kind == "forward" for move in moves) == gates
        with Image.open(stepper.save(tmp_path / "walk.gif", opened=opened)) as picture:
            assert len(all_frames(picture)) == len(moves)


@pytest.mark.parametrize(
    ("name", "opened", "message"),
    [
        ("walk.gif", ["gate"], "the graph has no group 'gate' to open; it has sigmoid"),
        ("walk.html", ["sigmoid"], "opened is for pictures"),
    ],
)
def test_groups_that_cannot_be_opened_are_refused(name, opened, message, tmp_path):
    with group("sigmoid"):
        f = 1 / (1 + exp(-Value(1.0, "x")))
    with pytest.raises(ValueError, match=message):
        step_through(f).save(tmp_path / name, opened=opened)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), float("inf")])
def test_a_duration_that_is_not_positive_is_refused(seconds, tmp_path):
    with pytest.raises(ValueError, match="seconds must be a positive number"):
        step_through(simple()).save(tmp_path / "walk.gif", seconds=seconds)
    assert list(tmp_path.iterdir()) == []


def test_a_long_walk_is_not_animated_but_says_what_to_do(tmp_path):
    f = Value(1.0, "x")
    for _ in range(200):
        f = f * 1.5
    with pytest.raises(ValueError, match=r"the walk has 402 steps, above the 300.*save a page"):
        step_through(f).save(tmp_path / "walk.gif")


def test_a_graph_above_the_limit_is_refused_and_a_group_brings_it_below():
    x = Value(1.0, "x")
    f = x
    for _ in range(30):
        f = f * 1.5
    with pytest.raises(
        ValueError, match="the graph has 61 values to draw, above the limit of 20; put parts of it"
    ):
        step_through(f, limit=20)
    with group("power"):
        f = x
        for _ in range(30):
            f = f * 1.5
    assert len(step_through(f, limit=20).moves()) == 4


def test_the_suffixes_are_named_when_another_is_asked_for(tmp_path):
    with pytest.raises(ValueError, match=", ".join(map(repr, SUFFIXES))):
        step_through(simple()).save(tmp_path / "walk.txt")


def test_a_notebook_shows_the_player_and_a_picture_where_no_script_runs():
    data = step_through(simple())._repr_mimebundle_()
    assert (
        data["text/plain"] == "<Stepper of f: 10 events; .show() walks through them, .save() writes a page>"
    )
    still, script = data["text/html"].split("<script>")
    assert re.fullmatch(
        r'<div id="chainrule-\w+"><img src="data:image/png;base64,[\w+/=]+" width="\d+" alt="[^"]+"></div>',
        still,
    )
    assert script.count("</script>") == 1
    assert script.endswith("</script>")
    assert "srcdoc" in script
    assert script.count("<") == 1  # of the end tag: nothing in it can end it early


@pytest.mark.parametrize("seed", range(5))
def test_random_graphs_are_told_to_the_end(seed):
    root, _ = random_graph(seed)
    numbers = final(step_through(root).moves())
    root.backward()
    for (node, kind), number in numbers.items():
        assert same(number, node.data if kind == "data" else node.grad)


def test_a_thousand_uses_are_told_in_lines():
    x = Value(1.0, "x")
    root: Any = sum([x] * 1000)
    lines = str(step_through(root)).splitlines()
    assert lines[-1].endswith("x.grad: 999 -> 1000")
    assert (
        len(lines) == 1 + 1000 + 1 + 1999
    )  # inputs, sums, seed; a message to each operand but the constant 0


@pytest.mark.parametrize("suffix", [".gif", pytest.param(".png", marks=pytest.mark.slow)])
def test_nothing_in_a_frame_is_cut_at_its_edge(tmp_path, suffix):
    path = step_through(sigmoid_gate()).save(tmp_path / f"walk{suffix}")
    with Image.open(path) as image:
        for frame in all_frames(image):
            dark = np.asarray(frame.convert("L")) < 200
            assert not dark[:, [0, 1, -2, -1]].any()
            assert not dark[[0, 1, -2, -1]].any()
            caption = np.flatnonzero(dark[round(0.8 * len(dark)) :].any(axis=0))
            assert 6 <= caption[0] <= 20  # it begins at the margin, not left of it


def test_marimo_shows_the_player():
    formatting = pytest.importorskip("marimo._output.formatting", reason="no marimo")
    stepper = step_through(simple())
    shown = formatting.try_format(stepper)
    assert shown.exception is None
    assert shown.mimetype == "text/html"
    assert html.escape(stepper.html()) in shown.data
    assert "<iframe srcdoc=" in shown.data


@pytest.mark.parametrize("graph", [simple, sigmoid_gate, lambda: sum([Value(0.5, "x")] * 20)])
def test_a_picture_fits_the_page_with_letters_that_can_be_read(graph):
    view = step_through(graph()).view()
    width, height = view.draw(dict.fromkeys(view.wires, "v"), {}, {}).size
    scale = max(min(wide / width, high / height) for wide, high in ROOMS)
    assert 12 * scale > 10.5  # CSS pixels
