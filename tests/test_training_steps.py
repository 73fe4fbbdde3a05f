"""Steps of training to be walked through: what is kept, the update by its formula, the page."""

import io
import json
import math
import random
import re
import sys

import numpy as np
import pytest
from PIL import Image
from PIL.ImageSequence import all_frames

from autograd import Value, exp, relu, tanh, topological_order
from autograd.stepping import Backward, steps
from autograd.text import format_number
from nn import MLP, SGD, Adagrad, Adam, AdamW, Recorder, RMSprop, hinge, mean_squared_error, step_training
from nn.optim import Optimizer, cosine
from tests.command_line import in_a_terminal
from tests.player_page import LOOKS

POINTS, TARGETS = [[1.0, 0.5], [-1.0, 2.0]], [1.0, -1.0]
RULES = {
    "SGD": lambda p: SGD(p, lr=0.1),
    "weight decay": lambda p: SGD(p, lr=0.1, weight_decay=0.5),
    "momentum": lambda p: SGD(p, lr=0.1, momentum=0.9, dampening=0.5),
    "Nesterov": lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "schedule": lambda p: SGD(p, lr=cosine(0.2, 10)),
    "Adagrad": lambda p: Adagrad(p, lr=0.1, lr_decay=0.1),
    "RMSprop": lambda p: RMSprop(p, lr=0.1, momentum=0.9, centered=True),
    "Adam": lambda p: Adam(p, lr=0.1),
    "AdamW": lambda p: AdamW(p, lr=0.1, weight_decay=0.1),
}


def network(seed=0):
    return MLP(2, [2, 1], activation="tanh", rng=random.Random(seed))


def recorded(rule="SGD", count=3, model=None):
    model = model or network()
    optimizer = RULES[rule](model.parameters())
    return step_training(model.grouped(), POINTS, TARGETS, mean_squared_error, optimizer, count)


def neuron():
    """One hidden unit and a linear output; all numbers 1, the target 2."""
    weights = [Value(1.0, f"w{k}") for k in range(1, 5)]
    w1, w2, w3, w4 = weights
    recorder = Recorder(SGD(weights, lr=0.1))
    x1, x2, x3 = (Value(1.0, f"x{k}") for k in range(1, 4))
    for _ in range(2):
        error = (2.0 - w4 * relu(w1 * x1 + w2 * x2 + w3 * x3)) ** 2
        error.label = "error"
        recorder.step(error)
    return recorder


# What is kept


def test_the_steps_are_those_of_the_optimiser_to_the_last_bit():
    model, other = network(), network()
    optimizer = Adam(other.parameters(), lr=0.1)
    losses = []
    for _ in range(3):
        outputs = [other(point) for point in POINTS]
        loss = sum(mean_squared_error(o, t) for o, t in zip(outputs, TARGETS, strict=True)) / 2
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    recording = recorded("Adam", model=model)
    assert [p.data for p in model.parameters()] == [p.data for p in other.parameters()]
    assert recording.losses == pytest.approx(losses, rel=1e-15)


def test_each_pass_keeps_its_numbers_whatever_happens_to_the_parameters():
    recording = recorded(count=4)
    for before, after in zip(recording.passes, recording.passes[1:], strict=False):
        now = {update.name: update.node.data for update in after.updates}
        assert now == {update.name: update.after for update in before.updates}
    for each in recording.passes:
        root = each.stepper.root
        for update in each.updates:
            update.node.grad = 0.0
        root.backward()
        gradients = {e.parent: e.after for e in each.stepper.events if isinstance(e, Backward)}
        for update in each.updates:
            assert update.node.grad == gradients[update.node]
        opened = each.stepper.moves(each.stepper.groups)
        assert {c.wire: c.number for m in opened for c in m.changes if c.kind == "grad"}[root] == 1.0


def test_a_closed_group_is_told_with_the_numbers_of_its_pass():
    first = recorded(count=1).passes[0].stepper
    again = recorded(count=3).passes[0].stepper  # whose parameters have moved on
    assert str(again) == str(first)


# The update


@pytest.mark.parametrize("rule", RULES)
def test_the_formula_of_an_update_gives_the_number_that_the_optimiser_gives(rule):
    for each in recorded(rule).passes:
        for update in each.updates:
            *memory, last = update.lines
            name, *stages = last.split(" = ")
            assert name == update.name
            assert stages[-1] == format_number(update.after)
            assert "becomes" not in last
            for line in (*memory, last):
                *_, numbers, result = line.split(" = ")
                by_hand = eval(numbers, {"sqrt": math.sqrt})
                assert by_hand == pytest.approx(float(result), rel=0.02, abs=2e-3), line


def test_the_rules_read_as_a_textbook_writes_them():
    def told(rule):
        w = Value(1.0, "w")
        recorder = Recorder(RULES[rule]([w]))
        for _ in range(2):
            recorder.step((w - 3.0) ** 2)
        return recorder.passes[1].updates[0].lines

    assert told("SGD") == ("w = w - lr*w.grad = 1.4 - 0.1*(-3.2) = 1.72",)
    assert told("momentum")[0].startswith("velocity = 0.9*velocity + 0.5*w.grad = 0.9*(-4) + 0.5*")
    mean, square, w = told("Adam")
    assert mean.startswith("mean = 0.9*mean + 0.1000*w.grad = ")
    assert square.startswith("square = 0.999*square + 0.001000*w.grad*w.grad = ")
    assert w.startswith("w = w - lr*(mean/0.1900/(sqrt(square)/0.04471 + 1e-08)) = 1.100 - 0.1*(")


def test_one_update_of_one_hidden_unit_is_told_with_its_numbers():
    text = str(neuron())
    assert "pass 1 of 2: loss = 1\n" in text
    assert "  w1 = w1 - lr*w1.grad = 1 - 0.1*2 = 0.8\n" in text
    assert "  w1 = 0.8 is given" not in text  # inputs are one move
    assert "w1 = 0.8, x1 = 1" in text


class Signs(Optimizer):
    """A rule that formulas cannot tell."""

    def direction(self, grad):
        return np.array([math.copysign(1.0, g) for g in grad])


def test_a_rule_that_formulas_cannot_tell_is_told_by_its_numbers():
    w = Value(1.0, "w")
    recorder = Recorder(Signs([w], lr=0.5))
    recorder.step(w * 2.0)
    assert recorder.passes[0].updates[0].lines == ("w = 1 with gradient 2 becomes 0.5",)
    assert w.data == 0.5


def test_parameters_that_a_loss_does_not_use_are_left_out():
    w, unused = Value(1.0, "w"), Value(5.0, "unused")
    recorder = Recorder(SGD([w, unused], lr=0.5))
    recorder.step(w * 2.0)
    assert [update.name for update in recorder.passes[0].updates] == ["w"]


# What is wrong


def test_nothing_can_be_shown_before_the_first_step(tmp_path):
    recorder = Recorder(SGD([Value(1.0)], lr=0.1))
    assert repr(recorder) == "<Recording of no passes yet>"
    for show in (recorder.html, recorder.show, lambda: recorder.save(tmp_path / "page.html")):
        with pytest.raises(ValueError, match="record at least one step"):
            show()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"optimizer": "adam"}, TypeError, "made with the optimiser .* such as nn.SGD"),
        ({"loss": "mse"}, TypeError, "loss must be a function, such as nn.mean_squared_error"),
        ({"steps": 0}, ValueError, "steps must be"),
        ({"X": [[math.nan, 1.0]], "y": [1.0]}, ValueError, "X"),
        ({"limit": 3}, ValueError, "above the limit of 3"),
        ({"optimizer": SGD([Value(1.0)], lr=0.1)}, ValueError, "none of the optimiser's parameters"),
    ],
)
def test_a_mistake_is_named_and_changes_nothing(change, error, message):
    model = network()
    before = [p.data for p in model.parameters()]
    given = {
        "X": POINTS,
        "y": TARGETS,
        "loss": mean_squared_error,
        "optimizer": SGD(model.parameters(), lr=0.1),
    }
    with pytest.raises(error, match=message):
        step_training(model, **given | change)
    assert [p.data for p in model.parameters()] == before


def test_a_file_has_the_steps_of_all_passes_and_their_updates(tmp_path):
    w = Value(1.0, "w")
    recorder = Recorder(SGD([w], lr=0.1))
    for loss in (lambda: w * w, lambda: exp(tanh(w))):
        recorder.step(loss())
    steps_of_all = sum(len(each.stepper.moves()) + 1 for each in recorder.passes)
    with Image.open(recorder.save(tmp_path / "training.gif", seconds=0.5)) as picture:
        assert len(all_frames(picture)) == steps_of_all
    text = recorder.save(tmp_path / "training.tex").read_text()
    assert text.count(r"\begin{tikzpicture}") == steps_of_all
    assert "update: SGD" in text
    with pytest.raises(ValueError, match=r"suffix of the path must be one of '\.html'"):
        recorder.save(tmp_path / "training.svg")


# The terminal


def test_without_a_terminal_the_steps_of_all_passes_are_printed(capsys):
    recording = neuron()
    recording.show()
    assert capsys.readouterr().out.splitlines() == str(recording).splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal (POSIX)")
def test_keys_lead_from_pass_to_pass():
    script = (
        "from autograd import Value\nfrom nn import SGD, Recorder\n"
        "w = Value(1.0, 'w')\nr = Recorder(SGD([w], lr=0.1))\n"
        "for _ in range(3): r.step((w * 3.0 - 2.0) ** 2)\nr.show()"
    )
    with in_a_terminal("-c", script) as terminal:
        terminal.until("loss 1: step 0 of 9")
        for key, text in (
            (b"e", "step 9 of 9: update: SGD"),
            (b"n", "pass 2 of 3"),
            (b"b", "step 9 of 9: update: SGD"),
            (b"]", "pass 2 of 3"),
            (b"]", "pass 3 of 3"),
            (b"[", "pass 2 of 3"),
            (b"h", "]: the next pass"),
        ):
            terminal.type(key)
            terminal.until(text)
        terminal.type(b"q")


# The page


def data_of(page):
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page)[1])


def test_passes_of_one_form_share_the_pictures_and_the_texts():
    one, many = (recorded(count=count).html() for count in (1, 21))
    assert len(data_of(many)["graphs"]) == 1
    assert len(many) - len(one) < 20 * 5_000  # the numbers and the formulas of the updates


def test_passes_of_two_forms_have_their_own_pictures():
    w = Value(1.0, "w")
    recorder = Recorder(SGD([w], lr=0.1))
    for loss in (lambda: w * w, lambda: exp(w), lambda: w * w):
        recorder.step(loss())
    data = data_of(recorder.html())
    assert [each["graph"] for each in data["passes"]] == [0, 1, 0]


def shown(stepper):
    """The numbers of the last state of a pass, by the engine."""
    root = stepper.root
    for node in topological_order(root):
        node.grad = 0.0
    root.backward()
    return {
        str(k): [
            format_number(node.data),
            "" if type(node).__name__ == "Constant" else f"grad {format_number(node.grad)}",
        ]
        for k, node in enumerate(topological_order(root))
    }


def test_the_page_goes_forward_backward_updates_and_goes_on(open_player):
    recording = neuron()
    player = open_player(recording.html())
    total = len(recording.passes[0].stepper.moves()) + 1
    assert player.text("#passed").lower() == "pass 1 of 2, loss 1"
    player.press("End")
    player.press("ArrowLeft")
    assert player.numbers() == shown(recording.passes[0].stepper)
    player.press("ArrowRight")
    assert player.text("#phase").lower() == "update"
    assert player.facts()["w1"] == "w1 = w1 - lr*w1.grad = 1 - 0.1*2 = 0.8"
    assert "0.8" in {data for data, _ in player.numbers().values()}
    player.press("ArrowRight")
    assert player.count == f"1 / {total}"
    assert player.text("#passed").lower().startswith("pass 2 of 2")
    assert "w1 = 0.8" in player.facts()["inputs"]
    player.press("End")
    player.press("ArrowLeft")
    assert player.numbers() == shown(recording.passes[1].stepper)
    player.press("ArrowRight")
    assert player.page.is_disabled("#next")
    player.press("ArrowLeft", total)
    assert player.text("#passed").lower() == "pass 1 of 2, loss 1"
    assert player.count == f"{total} / {total}"


def test_every_step_of_every_pass_is_told_as_in_the_terminal(open_player):
    recording = recorded("Adam", 3)
    player = open_player(recording.html())
    for each in recording.passes:
        told = [(move["sentence"], move["facts"]) for move in player.page.evaluate("player.moves")]
        expected = [
            (m.sentence, [list(fact) for fact in m.facts]) for m in (*each.stepper.moves(), each.update)
        ]
        assert re.sub("[()]", "", str(told)) == re.sub("[()]", "", str(expected))
        player.press("]")


def test_the_curve_the_slider_and_the_keys_choose_a_pass_and_keep_the_step(open_player):
    recording = recorded(count=5)
    player = open_player(recording.html())
    player.press("ArrowRight", 3)
    box = player.page.locator("#curve").bounding_box()
    player.page.mouse.click(box["x"] + box["width"] * 0.98, box["y"] + box["height"] / 2)
    assert player.text("#passed").lower().startswith("pass 5 of 5")
    assert player.count.startswith("3 /")
    player.press("[")
    assert player.text("#passed").lower().startswith("pass 4 of 5")
    player.page.evaluate(
        "const p = document.getElementById('pass'); p.value = 2; p.dispatchEvent(new Event('input'))"
    )
    assert player.text("#passed").lower().startswith("pass 2 of 5")
    losses = [format_number(loss) for loss in recording.losses]
    label = player.page.get_attribute("#curve", "aria-label")
    assert label == f"the loss from {losses[0]} to {losses[-1]}; shown is pass 2 of 5, loss {losses[1]}"
    player.page.wait_for_function("location.hash.includes('pass=2')")
    player.page.reload()
    assert player.text("#passed").lower().startswith("pass 2 of 5")


def test_an_input_is_changed_from_the_numbers_of_its_pass(open_player):
    recording = neuron()
    player = open_player(recording.html())
    player.press("]")
    player.page.evaluate("document.getElementById('live').open = true")
    player.page.select_option("#input", label="w4")
    assert player.page.input_value("#given") == repr(recording.passes[0].updates[3].after)
    player.page.fill("#given", "0")
    assert player.text("#slope").endswith("where error = 4")
    player.page.click("#restore")
    player.press("Home")
    player.page.focus("#canvas")
    player.press("End")
    player.press("ArrowLeft")
    assert player.numbers() == shown(recording.passes[1].stepper)


def test_passes_of_two_forms_are_walked_through(open_player):
    w = Value(1.0, "w")
    recorder = Recorder(SGD([w], lr=0.1))
    for loss in (lambda: w * w, lambda: exp(tanh(w)), lambda: w * w):
        recorder.step(loss())
    player = open_player(recorder.html())
    for each in recorder.passes:
        player.press("End")
        player.press("ArrowLeft")
        assert player.numbers() == shown(each.stepper)
        player.press("]")


def test_a_loss_that_is_not_finite_is_drawn_and_told(open_player):
    w = Value(1.0, "w")
    recorder = Recorder(SGD([w], lr=1e200))
    for _ in range(2):
        recorder.step(w * w * w)
    player = open_player(recorder.html())
    player.press("]")
    assert player.text("#passed").lower() == "pass 2 of 2, loss -inf"


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing(open_player, violations, scheme, width):
    player = open_player(recorded("Adam", 3).html())
    player.page.set_viewport_size({"width": width, "height": 720})
    player.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    player.press("End")
    player.press("]")
    assert violations(player.page) == {}


def test_a_notebook_shows_the_page_and_a_picture_where_no_script_runs():
    recording = recorded(count=2)
    output = recording._repr_mimebundle_()
    assert "DecompressionStream" in output["text/html"]
    assert "<img src=" in output["text/html"]
    assert output["text/plain"] == repr(recording)


def test_a_large_loss_of_a_margin_and_a_model_without_groups_work(open_player):
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    recording = step_training(model, POINTS, TARGETS, hinge, optimizer, 2)
    out = io.StringIO()
    print(recording, file=out)
    player = open_player(recording.html())
    player.press("End")
    assert player.marked("empty") == []  # a picture in lines, all of it computed
    assert len(steps(recording.passes[0].stepper.root)) > 50
