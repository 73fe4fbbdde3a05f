"""Names for Values without labels: the variables of the program that runs."""

import subprocess
import sys

import pytest

from autograd import Value
from autograd.variables import named_in

PROGRAM = """
from autograd import *
from autograd import backprop_source, draw_dot, step_through

def inner():
    a = Value(2.0)
    weights = [Value(3.0), Value(5.0, "labelled")]
    q = a * weights[0]
    return SHOWN

r = None
print(inner())
"""


def shown(expression):
    program = PROGRAM.replace("SHOWN", expression)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ("step_through(q + weights[1])", "q = a*weights[0] = 2*3 = 6"),
        ("draw_dot(q + weights[1]).svg()", 'class="label">weights[0]</text>'),
        ("backprop_source(q + weights[1])", "dq = "),
        ("steps(q)[2].formula", "a*weights[0]"),
    ],
)
def test_every_reader_of_a_graph_in_a_script_uses_its_variables(expression, written):
    assert written in shown(expression)


def test_a_label_wins_and_no_name_is_given_twice():
    text = shown("step_through((q + weights[1]) * Value(1.0, 'a'))")
    assert "labelled = 5" in text
    assert "a = 1" in text
    assert "q = v1*weights[0]" in text


def test_private_names_and_names_of_libraries_do_not_count():
    x = Value(1.0)
    assert named_in({"_": x, "__x": x}) == {}
    assert named_in({"x": x, "y": x}) == {x: "x"}


def test_what_holds_itself_or_very_much_is_left():
    loop: list[object] = [Value(1.0)]
    loop.append(loop)
    assert len(named_in({"loop": loop})) == 1
    assert len(named_in({"many": [Value(0.0) for _ in range(20_000)]})) == 10_000
