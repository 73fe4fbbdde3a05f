"""Worksheets: boxes where numbers belong, solutions right by the engine, every format, clear errors."""

import math
import re
from xml.etree import ElementTree

import pytest

from autograd.drawing.labels import _points
from autograd.drawing.shapes import Curve, sheet_of
from autograd.expression import parse
from autograd.practice import Exercise, Worksheet, worksheet
from autograd.practice.sheets import BLANKS, Sheet
from autograd.sweeping import topological_order
from autograd.text import format_number
from autograd.value import Constant
from tests.command_line import status

SIMPLE = "q = x + y; f = q*z", {"x": -2, "y": 5, "z": -4}
SHARED = "q = x*y; f = q*q + x", {"x": 3, "y": -2}
NEURON = (
    "s = w1*x1 + w2*x2 + b; o = sigmoid(s); E = (o - t)**2",
    {"w1": 2, "x1": -1, "w2": -3, "x2": -2, "b": -3, "t": 1},
)
FORMULAS = [SIMPLE, SHARED, NEURON]
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text") if text.text]


def boxes(svg):
    return [box for box in ElementTree.fromstring(svg).iter(f"{SVG}rect") if box.get("class") == "blank"]


def in_boxes(svg):
    """The numbers that stand in the boxes, by kind."""
    found = {"data": [], "grad": [], "local": []}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        parts = list(group)
        for k, box in enumerate(parts):
            if box.get("class") == "blank":
                number = parts[k + 1]
                x, y, width, height = (float(box.get(name)) for name in ("x", "y", "width", "height"))
                assert float(number.get("x")) == pytest.approx(x + width / 2)
                assert y < float(number.get("y")) < y + height
                found[number.get("class")].append(number.text)
    return found


def engine(formula, numbers):
    """The numbers that belong into the boxes."""
    root = parse(formula, numbers)
    root.backward()
    order = [node for node in topological_order(root) if not isinstance(node, Constant)]
    return {
        "data": [format_number(node.data) for node in order if node.op],
        "grad": [format_number(node.grad) for node in order if node is not root],
        "local": [
            format_number(float(local()))
            for node in order
            if node.op
            for parent, local in zip(node.parents, node.local_derivatives, strict=True)
            if not isinstance(parent, Constant)
        ],
    }


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize(
    ("blank", "kinds"),
    [
        ("values", {"data"}),
        ("gradients", {"grad"}),
        ("locals", {"local"}),
        ("all", {"data", "grad", "local"}),
    ],
)
def test_the_boxes_of_the_solution_hold_the_numbers_of_the_engine(formula, blank, kinds):
    sheet = Sheet(Exercise(*formula), blank, (700, 300))
    expected = {kind: sorted(numbers) for kind, numbers in engine(*formula).items() if kind in kinds}
    found = {kind: sorted(numbers) for kind, numbers in in_boxes(sheet.svg(solved=True)).items() if numbers}
    assert found == expected
    assert sheet.count == sum(map(len, expected.values())) == len(boxes(sheet.svg(solved=False)))


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("blank", BLANKS)
def test_the_sheet_tells_none_of_what_is_asked(formula, blank):
    svg = Sheet(Exercise(*formula), blank, (700, 300)).svg(solved=False)
    assert "<title" not in svg, "a browser would show it"
    written = [text for text in texts(svg) if re.search(r"\d", text)]
    given = [format_number(float(x)) for x in formula[1].values()] + ["2"]
    allowed = {
        "values": given,
        "gradients": [*given, *engine(*formula)["data"], "grad 1"],
        "locals": [*given, *engine(*formula)["data"]],
        "all": [*given, "grad 1"],
    }[blank]
    names = {*formula[1]} | {text for text in written if re.fullmatch(r"v\d+", text)}
    assert set(written) - names <= set(allowed)


def test_sheet_and_solution_are_laid_out_alike():
    sheet = Sheet(Exercise(*NEURON), "all", (700, 300))
    here, there = (
        [(box.get("x"), box.get("y")) for box in boxes(sheet.svg(solved=solved))] for solved in (False, True)
    )
    assert here == there


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("blank", BLANKS)
def test_boxes_cover_neither_one_another_nor_numbers(formula, blank):
    svg = Sheet(Exercise(*formula), blank, (700, 300)).svg(solved=False)
    places = [tuple(float(box.get(name)) for name in ("x", "y", "width", "height")) for box in boxes(svg)]
    for k, (x, y, width, height) in enumerate(places):
        for other_x, other_y, other_width, other_height in places[:k]:
            wide = min(x + width, other_x + other_width) - max(x, other_x)
            high = min(y + height, other_y + other_height) - max(y, other_y)
            assert wide <= 0 or high <= 0
        for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
            if text.get("text-anchor") != "start" and text.text:  # numbers and names, in their middle
                inside = x < float(text.get("x")) < x + width and y < float(text.get("y")) - 4 < y + height
                assert not inside, text.text


def test_a_long_task_is_broken_between_names_and_their_numbers_never():
    (page,) = worksheet(*NEURON).pages()
    first, second = (text for text in texts(page) if re.search(r"\w = -?\d", text))
    assert first.endswith(",")
    assert second == "t = 1"


def test_of_a_value_used_twice_each_box_is_at_its_own_wire():
    svg = Sheet(Exercise("x*y + x", {"x": 3, "y": -3}), "locals", (770, 303)).svg(solved=False)
    centres, wires = [], []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        for box in group.findall(f"{SVG}rect[@class='blank']"):
            x, y, width, height = (float(box.get(name)) for name in ("x", "y", "width", "height"))
            centres.append((x + width / 2, y + height / 2))
            wires.append(_points(group.find(f"{SVG}path").get("d")))
    assert len(centres) == 4
    for k, centre in enumerate(centres):
        distances = [min(math.dist(centre, point) for point in wire) for wire in wires]
        assert distances[k] == min(distances)


def test_the_solution_is_told_in_words():
    assert Sheet(Exercise(*SIMPLE), "gradients", (700, 300)).steps == [
        "d(q*z)/dq = z = -4;  -4 * 1 = -4;  q.grad: 0 -> -4",
        "d(q*z)/dz = q = 3;  3 * 1 = 3;  z.grad: 0 -> 3",
        "d(x + y)/dx = 1;  1 * (-4) = -4;  x.grad: 0 -> -4",
        "d(x + y)/dy = 1;  1 * (-4) = -4;  y.grad: 0 -> -4",
    ]
    assert Sheet(Exercise(*SIMPLE), "values", (700, 300)).steps == [
        "q = x + y = -2 + 5 = 3",
        "f = q*z = 3*(-4) = -12",
    ]
    page = Worksheet([Exercise(*SIMPLE)]).pages(solved=True)[0]
    assert "d(q*z)/dq = z = -4;  -4 * 1 = -4;  q.grad: 0 -> -4" in texts(page)


# Variants


def test_variants_have_other_numbers_and_the_first_has_those_given():
    sheets = worksheet(*SIMPLE, variants=5, seed=7)
    numbers = [tuple(each.numbers.items()) for each in sheets.exercises]
    assert numbers[0] == tuple({name: float(x) for name, x in SIMPLE[1].items()}.items())
    assert len(set(numbers)) == 5
    answers = [tuple(map(tuple, engine(each.formula, each.numbers).values())) for each in sheets.exercises]
    assert len(set(answers)) == 5
    assert sheets.pages() == worksheet(*SIMPLE, variants=5, seed=7).pages()
    assert sheets.pages()[1:] != worksheet(*SIMPLE, variants=5, seed=8).pages()[1:]
    assert [page.count("variant C") for page in sheets.pages()] == [0, 0, 1, 0, 0]


def test_names_that_are_kept_have_the_same_number_in_all_variants():
    sheets = worksheet(*NEURON, variants=4, keep=["t", "b"])
    assert {(each.numbers["t"], each.numbers["b"]) for each in sheets.exercises} == {(1.0, -3.0)}
    assert len({each.numbers["w1"] for each in sheets.exercises}) > 1


def test_numbers_that_are_not_given_are_drawn_by_the_seed():
    (drawn,) = worksheet("x*y + z", {"z": 5}, seed=3).exercises
    assert drawn.numbers["z"] == 5
    assert set(drawn.numbers) == {"x", "y", "z"}
    assert all(x % 0.5 == 0 and abs(x) <= 5 for x in drawn.numbers.values())
    assert worksheet("x*y + z", {"z": 5}, seed=3).exercises == (drawn,)


# Files


def test_a_pdf_has_a_page_for_each_variant_and_the_solution_stands_beside_it(tmp_path):
    pdfium = pytest.importorskip("pypdfium2", reason="no pypdfium2 to read a PDF with")
    paths = worksheet(*SIMPLE, variants=4, seed=7).save(tmp_path / "sheet.pdf")
    assert [path.name for path in paths] == ["sheet.pdf", "sheet-solution.pdf"]
    sheet, solution = map(pdfium.PdfDocument, paths)
    assert (len(sheet), len(solution)) == (4, 4)
    for number, page in enumerate(sheet):
        assert page.get_size() == pytest.approx((841.89, 595.28), abs=0.1)
        text = page.get_textpage().get_text_bounded()
        assert f"Worksheet, variant {'ABCD'[number]}" in text
        assert "Name" in text
    assert "q.grad: 0 -> -4" in solution[0].get_textpage().get_text_bounded()
    assert "q.grad" not in sheet[0].get_textpage().get_text_bounded()


def test_the_page_fits_the_paper():
    for paper, size in (("a4", (841.89, 595.28)), ("letter", (792, 612))):
        for formula in FORMULAS:
            (page,) = worksheet(*formula, blank="all", paper=paper).pages(solved=True)
            sheet = sheet_of(page)
            assert (sheet.width, sheet.height) == pytest.approx(size)
            for shape in sheet.shapes:
                places = (
                    [p for _, to in shape.segments for p in to] if isinstance(shape, Curve) else [shape.place]
                )
                for x, y in places:
                    assert -0.1 <= x <= size[0] + 0.1
                    assert -0.1 <= y <= size[1] + 0.1


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_a_picture_has_a_file_for_each_variant(tmp_path, suffix):
    paths = worksheet(*SIMPLE, variants=2).save(tmp_path / f"sheet{suffix}")
    names = ["sheet-A", "sheet-B", "sheet-A-solution", "sheet-B-solution"]
    assert [path.name for path in paths] == [name + suffix for name in names]
    (single, solution) = worksheet(*SIMPLE).save(tmp_path / f"one{suffix}")
    assert (single.name, solution.name) == (f"one{suffix}", f"one-solution{suffix}")
    assert single.read_bytes() != solution.read_bytes()


def test_html_has_texts_that_can_be_read_aloud(open_player, violations):
    sheets = worksheet(*NEURON, variants=2, blank="all")
    for solved in (False, True):
        page = open_player(sheets.html(solved=solved)).page
        for scheme, width in (("light", 1280), ("dark", 390)):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == {}
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("h2").all_inner_texts() == [sheets.title(k, solved=solved) for k in (0, 1)]
        assert page.locator("li").count() == solved * sum(len(sheet.steps) for sheet in sheets.sheets)
        assert page.locator("svg").first.get_attribute("aria-label").startswith("computation graph with")


def test_latex_is_a_document_whose_groups_are_closed(tmp_path):
    sheet, solution = worksheet(*NEURON, variants=2, blank="all").save(tmp_path / "sheet.tex")
    for path in (sheet, solution):
        text = path.read_text()
        assert text.startswith("\\documentclass")
        assert text.count(r"\begin{tikzpicture}") == text.count(r"\end{tikzpicture}") == 2
        bare = re.sub(r"\\[{}$&#_%]", "", text)
        assert bare.count("{") == bare.count("}")
        assert bare.count("$") % 2 == 0
        assert not re.search(r"[&#~]", bare)


def test_a_notebook_shows_the_first_page():
    sheets = worksheet(*SIMPLE)
    assert sheets._repr_svg_() == sheets.pages()[0]
    assert repr(sheets) == "<Worksheet: 1 page; .save() writes it and its solution>"


def test_a_name_is_written_as_it_is(tmp_path):
    sheets = worksheet("μ*x", {"μ": 2, "x": 3})
    assert "μ*x at μ = 2, x = 3" in texts(sheets.pages()[0])
    assert all(path.exists() for path in sheets.save(tmp_path / "sheet.pdf"))


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"blank": "everything"},
            "blank must be one of 'values', 'gradients', 'locals', 'all', not 'everything'",
        ),
        ({"paper": "a5"}, "paper must be one of 'a4', 'letter', not 'a5'"),
        ({"variants": 0}, "variants must be a whole number from 1 to 26, not 0"),
        ({"variants": 27}, "variants must be a whole number from 1 to 26, not 27"),
        ({"variants": 2.5}, "variants must be a whole number from 1 to 26, not 2.5"),
        ({"keep": ["u"]}, "'u' is to be kept, but no number is given for it"),
        (
            {"keep": ["x", "y", "z"], "variants": 2},
            "all names are to be kept, so there are no other variants",
        ),
    ],
)
def test_an_option_that_does_not_fit_is_refused_with_the_remedy(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        worksheet(*SIMPLE, **arguments)


@pytest.mark.parametrize(
    ("formula", "numbers", "message"),
    [
        ("x +", {"x": 1}, "invalid syntax at column 4"),
        ("x + y", {"x": 1, "w": 2}, "the name 'w' is given but does not occur"),
        ("x", {"x": 1}, "'x' has no operation, so there is nothing to fill in"),
        ("log(-x*x)", {}, "0 of 1 different sets of numbers were found.*give the numbers"),
        (
            "+".join(f"x{k}*x{k + 1}" for k in range(60)),
            {f"x{k}": 1 for k in range(61)},
            "too large for a page: its boxes",
        ),
    ],
)
def test_a_formula_that_makes_no_sheet_is_refused(formula, numbers, message):
    with pytest.raises(ValueError, match=message):
        worksheet(formula, numbers)


def test_another_suffix_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(
        ValueError, match=r"must be one of '\.pdf', '\.svg', '\.png', '\.html', '\.tex', not '\.doc'"
    ):
        worksheet(*SIMPLE).save(tmp_path / "sheet.doc")
    assert not list(tmp_path.iterdir())


# The command line


def test_the_command_writes_sheet_and_solution(tmp_path, capsys):
    path = tmp_path / "sheet.html"
    arguments = ["(x + y) * z", "x=-2", "y=5", "z=-4", "-o", str(path), "--blank", "all"]
    assert status("worksheet", *arguments, "--variants", "4", "--seed", "7", "--keep", "x, y") == 0
    assert capsys.readouterr().out == f"wrote {path}\nwrote {tmp_path / 'sheet-solution.html'}\n"
    assert path.read_text().count("(x + y) * z at x = -2, y = 5, z = ") == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x*y", "x=2", "--blank", "most"], "argument --blank: invalid choice: 'most'"),
        (["x*y", "--variants", "99"], "variants must be a whole number from 1 to 26, not 99"),
        (["x*y", "--variants", "none"], "'none' is not a whole number of at least 1"),
        (["x*y", "-o", "sheet.doc"], "the suffix of the path must be one of '.pdf', "),
        (
            ["x*y", "--keep", "x"],
            "'x' is to be kept, but no number is given for it; give it, or leave it out of keep",
        ),
        (["x*y", "y=two"], "'y=two': unknown name 'two'"),
        (["x*", "x=1"], "invalid syntax at column 3"),
        ([], "the following arguments are required: FORMULA"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, capsys):
    assert status("worksheet", *arguments) == 2
    written = capsys.readouterr().err
    assert message in written
    assert written.count("\n") == 1
