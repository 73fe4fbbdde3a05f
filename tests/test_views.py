"""Views of a graph in groups: what is seen of it, and in which order its parts stand."""

import random
import re

import pytest

from autograd import Value, group, step_through
from autograd.stepping.moves import moves_of
from autograd.stepping.paths import Paths
from autograd.stepping.player import picture
from nn import GPT, MLP, Attention


def places(svg, across):
    """Return where each gate, wire and box stands across the flow, by its id."""
    found = {}
    for name, content in re.findall(r'<g id="([ncb]\d+)"[^>]*>(.*?)</g>', svg, re.DOTALL):
        points = re.findall(r'(?:<text[^>]*? x="([-\d.]+)" y="([-\d.]+)")|([-\d.]+),([-\d.]+)', content)
        along = [float(point[across] or point[across + 2]) for point in points]
        found[name] = (min(along) + max(along)) / 2
    return found


def network():
    model = MLP(3, [4, 4, 1], rng=random.Random(0)).grouped()
    return (model([Value(0.1 * k, f"x{k}") for k in range(3)]) - 1.0) ** 2


def attention():
    model = Attention(4, 4, rng=0).grouped()
    keys, values = [], []
    model([Value(0.1 * k) for k in range(4)], keys, values)
    return sum(model([Value(0.3 - 0.1 * k) for k in range(4)], keys, values))


def downwards():
    """A graph that is drawn from top to bottom."""
    with group("chain"):
        out = [Value(float(k), f"x{k}") for k in range(3)]
        for _ in range(6):
            for k in range(3):
                with group(f"link {k}"):
                    out[k] = out[k].tanh() * 2.0
    return out[0] * out[1] * out[2]


@pytest.mark.parametrize("graph", [network, attention, downwards])
def test_parts_that_work_side_by_side_stand_in_the_order_of_the_program(graph):
    stepper = step_through(graph())
    ordered = 0
    for opened in [*([part] for part in stepper.groups), stepper.groups]:
        view = stepper.view(opened)
        drawing = drawn(stepper, view)
        place = places(drawing.svg(), drawing.rankdir in ("LR", "RL"))
        for row in [*view.rows, *siblings(stepper)]:
            along = [place[name] for name in row if name in place]
            assert along == sorted(along), (view.opened, row)
            ordered += len(along) > 1
    assert ordered > len(stepper.groups)


def drawn(stepper, view):
    return picture(view, moves_of(view, stepper.events), Paths(stepper.events))


def siblings(stepper):
    """Yield the ids of the gates, and of the boxes, of the neurons of a layer or the heads."""
    for around in stepper.groups:
        parts = [part for part in stepper.groups if part.parent is around]
        for kind in "cb":
            yield [
                kind + stepper.outline.names[part][1:]
                for part in parts
                if part.name.startswith(("neurons.", "heads."))
            ]


def test_what_is_computed_from_one_another_is_not_put_into_one_row():
    x = Value(0.5, "x")
    with group("both"):
        y = x.tanh()
        z = y * y
    stepper = step_through(y + z)
    view = stepper.view(["both"])
    assert view.rows == ()
    assert "<svg" in drawn(stepper, view).svg()


def test_weights_of_layers_that_are_called_again_are_seen_where_their_layer_is_open():
    model = GPT(4, block=3, width=4, heads=1, rng=0).grouped()
    stepper = step_through(model.loss([2, 0, 1, 2]))
    weights = set(map(stepper.outline.order.index, model.blocks[0].widen.parameters()))

    def seen(opened):
        return {stepper.outline.place[wire] for wire in stepper.view(opened).wires} & weights

    assert not seen([])
    assert not seen(["blocks.0"])
    assert seen(["widen"]) == weights


def test_all_gradients_arrive_in_every_view_of_layers_that_are_called_again():
    model = GPT(3, block=2, width=2, heads=1, rng=0).grouped()
    loss = model.loss([2, 0, 1])
    loss.backward()
    stepper = step_through(loss)
    for opened in [[], *([part] for part in stepper.groups)]:
        moves = stepper.moves(opened)
        told = {change.wire: change for move in moves for change in move.changes if change.kind == "grad"}
        for wire, change in told.items():
            assert change.complete
            assert change.number == wire.grad
        assert sorted(event.step for move in moves for event in move.events) == [
            event.step for event in stepper.events
        ]


def test_every_view_of_a_small_gpt_is_laid_out():
    """With operands in order inside of boxes, Graphviz did not end at the third position's last layer."""
    stepper = step_through(GPT(4, block=3, width=4, heads=1, rng=0).grouped().loss([2, 0, 1, 2]))
    last = [part for part in stepper.groups if part.name == "out"][2]
    assert "<svg" in drawn(stepper, stepper.view([last])).svg()


def test_calls_one_after_another_stand_from_the_top_where_a_picture_has_lines():
    model = MLP(3, [2, 1], rng=0).grouped()
    errors = ((model([0.1 * k, 1.0, 2.0]) - k) ** 2 for k in range(3))
    stepper = step_through(sum(errors, Value(0.0)) / 2)
    drawing = stepper.picture()
    assert 'class="cluster line"' in drawing.svg()
    place = places(drawing.svg(), True)
    along = [place[name] for name in stepper.outline.names.values() if name in place]
    assert len(along) == 3
    assert along == sorted(along)
