"""What runs in the page, in this Python: programs and their numbers; and the folder that the site is."""

import ast
import json
import random
import re

import pytest

from autograd import topological_order
from chainrule.site.examples import EXAMPLES
from chainrule.site.numbers import numbers
from chainrule.site.serving import serving
from chainrule.site.session import Session

SIMPLE = "from autograd import Value\nx, y, z = Value(-2), Value(5), Value(-4)\nq = x + y\nf = q * z\n"
PROGRAMS = [pytest.param(each["code"], id=each["name"]) for group in EXAMPLES.values() for each in group]


# Numbers of a program


def named(source):
    return {number.name: number.value for number in numbers(source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = Value(-2)", {"x": -2.0}),
        ("x = Value(2, 'weight')", {"weight": 2.0}),
        ("x, y = Value(1), Value(.5)", {"x": 1.0, "y": 0.5}),
        ("w = [Value(1), Value(2)]", {"w[0]": 1.0, "w[1]": 2.0}),
        ("a = 3", {"a": 3.0}),
        ("f = 0.5 * x", {"line 1": 0.5}),
        ("step(rate=0.1)", {"rate": 0.1}),
        ("x = w[0] + s[1:2]", {}),
        ("for k in range(3): pass", {}),
        ("model = MLP(2, [4, 1])", {}),
        ("a = True\nb = None\nc = 'text 5'\nd = 2j\ne = 1e999", {}),
        ("def f(x: int = 3):\n    return x", {"line 1": 3.0}),
    ],
)
def test_numbers_are_called_by_what_they_are_given_to(source, expected):
    assert named(source) == expected


def in_units(text, start, end):
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


@pytest.mark.parametrize(
    "source", ["é = 'ü😀'; x = Value(-1.5)\n", "x = (\n  'a😀',\n  - 7)\n", "x = 1_000\r\ny = 2\n"]
)
def test_the_place_of_a_number_is_counted_as_a_browser_counts(source):
    for number in numbers(source):
        assert float(in_units(source, number.start, number.end).replace(" ", "")) == number.value


@pytest.mark.parametrize("source", PROGRAMS)
def test_any_number_can_be_replaced_by_any_that_its_slider_gives(source):
    rng = random.Random(0)
    for k, number in enumerate(numbers(source)):
        count = round((number.high - number.low) / number.step)
        value = number.low + number.step * rng.randint(0, count)
        text = f"{value:.6g}" + (".0" if "." in in_units(source, number.start, number.end) else "")
        text = text if text.count(".") < 2 else text.removesuffix(".0")
        units = source.encode("utf-16-le")
        changed = units[: 2 * number.start] + text.encode("utf-16-le") + units[2 * number.end :]
        again = numbers(changed.decode("utf-16-le"))
        assert len(again) == len(numbers(source))
        assert again[k].value == pytest.approx(float(text))
        assert [each.name for each in again] == [each.name for each in numbers(source)]


def test_a_slider_holds_its_number_and_whole_numbers_stay_whole():
    for value in ("-2", "0.15", "0", "123", "1e-7", "-9.99", "10"):
        (number,) = numbers(f"x = Value({value})")
        assert number.low <= float(value) <= number.high
        assert number.step > 0
    (count,) = numbers("epochs = 20")
    assert count.step == 1.0


# Sessions


def test_the_last_value_is_shown_or_a_chosen_one():
    session = Session()
    assert session.run(SIMPLE)["shown"] == "f"
    assert session.run(SIMPLE)["values"] == ["x", "y", "z", "q", "f"]
    assert session.run(SIMPLE, show="q")["shown"] == "q"
    assert session.run(SIMPLE, show="gone")["shown"] == "f"
    answer = session.run(SIMPLE + "q + 1\n")
    assert answer["shown"] == ""
    assert len(answer["player"]["nodes"]) == 5


def test_a_name_of_a_comprehension_or_a_function_is_none_of_the_program():
    source = "from autograd import Value\na = Value(1)\nf = sum(b * 2 for b in [a])\n"
    source += "def g():\n    c = a + 1\ng()\n"
    assert Session().run(source)["values"] == ["a", "f"]


def test_a_program_without_a_value_shows_none_and_says_what_it_printed():
    answer = Session().run("print('hello')\n3")
    assert (answer["output"], answer["player"], answer["error"]) == ("hello\n", None, None)


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("a = 1\nb = (2,\n", 2, "SyntaxError: '(' was never closed"),
        ("a = 1\n  b = 2", 2, "IndentationError: unexpected indent"),
        ("def f():\n    return 1 / 0\n\nf()", 2, "ZeroDivisionError: division by zero"),
        ("from autograd import Value\nValue('a')", 2, "TypeError: Value needs a real number, got str: 'a'"),
        ("exit()", 1, "SystemExit: None"),
        ("raise KeyboardInterrupt", 1, "KeyboardInterrupt"),
        ("x = 1\nx = '\\ud800' + 1", 2, "TypeError"),
        ("def f(): f()\nf()", 1, "RecursionError"),
        ("import nosuch", 1, "ModuleNotFoundError: No module named 'nosuch'"),
    ],
)
def test_an_error_names_the_line_of_the_program_and_the_next_run_is_untouched(source, line, message):
    session = Session()
    error = session.run(source)["error"]
    assert error["line"] == line
    assert message in error["message"]
    assert session.run(SIMPLE)["shown"] == "f"


def test_what_was_printed_before_an_error_is_kept_and_a_flood_is_cut():
    answer = Session().run("print('before')\n1 / 0")
    assert answer["output"] == "before\n"
    flood = Session().run("for _ in range(10**4): print('x' * 100)")
    assert len(flood["output"]) < 21_000
    assert flood["output"].endswith("(more was printed)\n")


def test_random_numbers_are_the_same_in_each_run():
    source = "import random\nprint(random.random())"
    session = Session()
    assert session.run(source)["output"] == session.run(source)["output"]


def test_while_dragging_nothing_but_the_numbers_of_a_graph_of_the_same_form_is_told():
    session = Session()
    assert session.run(SIMPLE, dragging=True)["player"]
    moved = SIMPLE.replace("-2", "7.5")
    dragged = session.run(moved, dragging=True)
    assert dragged["player"] is None
    assert dragged["moved"] == session.run(moved)["player"]["numbers"]
    for change in (("x + y", "x - y"), ("x + y", "x + 5"), ("q = ", "p = q = ")):
        assert session.run(moved.replace(*change), dragging=True)["player"], change
    assert session.run(moved.replace("x + y", "x + 6"), dragging=True)[
        "player"
    ]  # a constant is part of a formula
    session.run("1 / 0", dragging=True)
    assert session.run(moved, dragging=True)["player"]


GROUPED = (
    "from nn import MLP\nimport random\nf = MLP(2, [3, 1], rng=random.Random(0)).grouped()([1.0, 2.0])\n"
)


def test_views_are_told_when_they_are_looked_at():
    session = Session()
    player = session.run(GROUPED, view=2)["player"]
    assert [("svg" in view, "moves" in view) for view in player["views"][:4]] == [
        (True, True),
        (False, False),
        (True, True),
        (False, False),
    ]
    seen = session.look(2)
    assert seen["svg"] == player["views"][2]["svg"]
    told = [player["moves"][k] for k in player["views"][2]["moves"]]
    assert json.loads(json.dumps(seen["moves"])) == json.loads(json.dumps(told))
    assert session.look(99)["error"]
    assert Session().look(0)["error"]


# Training


DESCENT = """from autograd import Value
from chainrule.site.training import Training
w = Value(4.0, "w")
def steps():
    for _ in range(5):
        loss = (w - 1) ** 2
        yield loss
        print("step")
        w.grad = 0.0
        loss.backward()
        w.data -= 0.25 * w.grad
def score(point):
    return w.data * point[0] - 1
Training(steps(), score, [[0, 0], [1, 2], [2, 1]], [-1, 1, 1])
"""


def train(session, to, source=DESCENT, seconds=60.0, known=0):
    wanted = {"to": to, "seconds": seconds, "known": known, "open": True}
    return session.run(source, train=wanted)


def loss_at(step):
    return (3.0 * 0.5**step) ** 2


def test_a_training_begins_with_the_graph_of_its_first_loss():
    answer = Session().run(DESCENT)
    training = answer["training"]
    assert (training["step"], training["ended"], training["losses"]) == (0, False, [9.0])
    assert answer["player"]["numbers"]["values"][-1] == 9.0
    assert training["right"] == 3
    assert training["scene"]["box"] == [-0.5, 2.5, -0.5, 2.5]
    across = [-0.5 + 3 * (k + 0.5) / 32 for k in range(32)]
    assert training["scores"][:32] == pytest.approx([4.0 * x - 1 for x in across])


def test_any_step_is_opened_as_it_was_computed_also_an_earlier_one():
    session = Session()
    for step in (1, 3, 2, 2, 0):
        answer = train(session, step)
        assert answer["training"]["step"] == step
        assert (
            answer["training"]["losses"][step] == answer["player"]["numbers"]["values"][-1] == loss_at(step)
        )
        assert answer["output"] == "step\n" * step


def test_a_training_goes_on_where_it_is_and_tells_only_what_is_new():
    session = Session()
    train(session, 2)
    training = train(session, 4, known=3)["training"]
    assert (training["known"], training["losses"]) == (3, [loss_at(3), loss_at(4)])


def test_a_training_stops_when_its_time_is_over_and_shows_nothing_before_its_goal():
    answer = train(Session(), 4, seconds=0.0)
    assert answer["training"]["step"] == 1
    assert "player" not in answer


def test_a_training_that_has_ended_says_so():
    answer = train(Session(), 1000)
    assert (answer["training"]["step"], answer["training"]["ended"]) == (5, True)
    assert answer["player"]["numbers"]["values"][-1] == loss_at(5)  # with the parameters of the end


def test_a_changed_program_is_trained_from_the_start():
    session = Session()
    train(session, 3)
    training = train(session, 1, DESCENT.replace("4.0", "2.0"), known=4)["training"]
    assert (training["known"], training["losses"]) == (0, [1.0, 0.25])


def test_a_generator_at_the_end_of_a_program_is_a_training_without_a_picture():
    answer = Session().run(DESCENT.replace("Training(", "steps()  # "))
    assert answer["training"]["losses"] == [9.0]
    assert answer["training"]["scores"] == []


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (
            ("yield loss", "yield loss.data"),
            None,
            "a step of a training must yield its loss, a Value, not float",
        ),
        (("w.grad = 0.0", "1 / 0"), 9, "ZeroDivisionError"),
        (("[-1, 1, 1]", "[-1, 1]"), 14, "every point needs a label: there are 2 for 3 points"),
        (("[0, 0]", "[0, 0, 0]"), 14, "a point in the plane has two numbers, which [0, 0, 0] has not"),
        (("(steps()", "(steps"), 14, "steps must yield the losses"),
        (("score, [[", "3, [["), 14, "model must be a function of a point, not int"),
        (("- 1\nT", "- 1, 2\nT"), None, "a model that is drawn must give one score for a point, not 2"),
    ],
)
def test_a_mistake_in_a_training_is_told_and_the_next_program_is_untouched(change, line, message):
    session = Session()
    assert change[0] in DESCENT
    error = train(session, 3, DESCENT.replace(*change))["error"]
    assert message in error["message"]
    assert error["line"] == line
    assert train(session, 3)["training"]["step"] == 3


def run(source, name):
    """The variable of a program; without a name the first loss of the training at its end."""
    variables, tree = {}, ast.parse(source)
    random.seed(0)
    if name:
        exec(source, variables)
        return variables[name]
    exec(compile(ast.Module(tree.body[:-1], []), "<program>", "exec"), variables)
    return next(iter(eval(compile(ast.Expression(tree.body[-1].value), "<program>", "eval"), variables)))


@pytest.mark.parametrize("source", PROGRAMS)
def test_examples_run_and_show_what_the_engine_computes(source):
    answer = Session().run(source)
    assert answer["error"] is None
    assert answer["player"]["nodes"]
    root = run(source, answer["shown"])
    numbers = answer["player"]["numbers"]
    assert numbers["values"] == [node.data for node in topological_order(root)]


def test_variables_name_what_has_no_label_and_gates_know_their_line():
    answer = Session().run(
        "from autograd import Value\nx, w = Value(2), [Value(3), Value(4, 'b')]\nq = x * w[0]\nq - w[1]\n"
    )
    nodes = answer["player"]["nodes"]
    assert [node["name"] for node in nodes.values()] == ["x", "w[0]", "q", "b", "f"]
    assert [node.get("line") for node in nodes.values()] == [
        None,
        None,
        (3, "q = x * w[0]"),
        None,
        (4, "q - w[1]"),
    ]


# Serving


def test_a_folder_is_served_to_this_machine_alone(tmp_path):
    (tmp_path / "index.html").write_text("<p>here</p>")
    with serving(tmp_path) as address:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)


def test_examples_are_data_for_a_page():
    assert json.loads(json.dumps(EXAMPLES)) == EXAMPLES
    names = [each["name"] for group in EXAMPLES.values() for each in group]
    assert len(set(names)) == len(names)
    assert all(each["title"] for group in EXAMPLES.values() for each in group)
