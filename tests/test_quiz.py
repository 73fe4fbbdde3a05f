"""Quizzes: exercises by level, answers right by the engine; the terminal, the page, the command line."""

import io
import json
import math
import random
import re
import subprocess
import sys
from functools import cache

import pytest

from autograd import Value, ops
from autograd.expression import parse
from autograd.practice import LEVELS, Exercise, Quiz, exercise, quiz
from autograd.practice.kind import kind_numbers, unkindness
from autograd.stepping import step_through
from autograd.sweeping import topological_order
from tests.command_line import status
from tests.player_page import LOOKS
from tests.rows import by_name, samples

SEEDS = range(12)
drawn = cache(exercise)


def questions(root, kind=None):
    return [q for move in step_through(root).moves() for q in move.questions if kind in (None, q.kind)]


def close(a, b, tolerance=1e-12):
    return (
        (math.isnan(a) and math.isnan(b)) or a == b or math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-300)
    )


# Answers


@pytest.mark.parametrize("row", ops.TABLE.values(), ids=by_name)
def test_the_answers_about_every_row_are_right_by_the_engine(row):
    for point in samples(row, 5, random.Random(row.name)):
        leaves: list[Value | float] = [Value(x, name) for x, name in zip(point, row.arguments, strict=True)]
        for i in set(range(row.arity)) - set(row.differentiable):
            leaves[i] = point[i]  # by an order there is no derivative
        root = row(*leaves) * Value(-3.0, "upstream")
        root.backward()
        inputs = [leaf for leaf in leaves if isinstance(leaf, Value)]
        asked = questions(root)
        assert asked[0].kind == "value"
        assert close(asked[0].answer, row.value(*point))
        locals_, products = ([q.answer for q in asked if q.kind == kind] for kind in ("local", "product"))
        mine = locals_[2:], products[2:]  # after those of the product by the upstream
        if len(mine[0]) != len(inputs):  # what is strongly zero receives nothing
            assert any(leaf.grad == 0.0 for leaf in inputs)
            continue
        for leaf, local, product in zip(inputs, *mine, strict=True):
            assert close(product, leaf.grad)
            assert close(local, leaf.grad / -3.0)


@pytest.mark.parametrize("row", ops.TABLE.values(), ids=by_name)
def test_the_local_derivatives_asked_for_are_slopes(row):
    step = 1e-6
    for point in samples(row, 3, random.Random(row.name)):
        leaves: list[Value | float] = [Value(x, name) for x, name in zip(point, row.arguments, strict=True)]
        asked = iter(q.answer for q in questions(row(*leaves), "local")) if not row.constants else iter(())
        for i, answer in enumerate(asked):
            up, down = ([x + h * (k == i) for k, x in enumerate(point)] for h in (step, -step))
            slope = (row.value(*up) - row.value(*down)) / (2 * step)
            assert answer == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_the_hint_is_the_rule_of_the_textbook():
    x = Value(0.5, "x")
    hints = {
        q.text.partition(" = ?")[0]: q.hint
        for f in (x.tanh(), x.sigmoid(), 1 / x, x.relu(), x**2)
        for q in questions(f, "local")
    }
    assert hints == {
        "d(tanh(x))/dx": "d(tanh(x))/dx = 1 - f**2",
        "d(sigmoid(x))/dx": "d(sigmoid(x))/dx = f*(1 - f)",
        "d(1/x)/dx": "d(1/x)/dx = -1/x**2",
        "d(relu(x))/dx": "d(relu(x))/dx = 1 if x > 0 else 0",
        "d(x**2)/dx": "d(x**2)/dx = 2*x",
    }


def test_a_question_says_all_numbers_that_its_answer_needs():
    for level in LEVELS:
        root = exercise(level, 1).root()
        for question in questions(root, "local"):
            rule = question.hint.partition(" = ")[2]
            told = dict(re.findall(r"(\w+) = (-?[\d.]+)", question.text.partition("= ?")[2]))
            given = {name: float(x) for name, x in told.items() if re.search(rf"\b{name}\b", rule)}
            if " if " not in rule:
                assert parse(rule, given).data == pytest.approx(question.answer, rel=2e-3)


def test_sums_are_asked_for_from_the_second_message_on():
    x = Value(3.0, "x")
    sums = questions(x * x + x, "sum")
    assert [q.answer for q in sums] == [4.0, 7.0]
    assert sums[0].text == "x.grad = ? with 1 so far and now 3"


# Exercises


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_seed_gives_the_same_exercise_and_another_seed_another(level):
    assert exercise(level, 3) == exercise(level, 3)
    assert len({drawn(level, seed).task for seed in SEEDS}) > len(SEEDS) - 3


@pytest.mark.parametrize("level", LEVELS)
def test_exercises_can_be_done_without_a_machine(level):
    for seed in SEEDS:
        made = drawn(level, seed)
        assert set(made.numbers.values()) <= {k / 2 for k in range(-10, 11)}
        root = made.root()
        assert unkindness(root) < math.inf
        numbers = [q.answer for q in questions(root)]
        easy = [x for x in numbers if x == round(x, 3) and abs(x) <= 1000]
        assert len(easy) >= 0.8 * len(numbers), made.task


def test_levels_are_about_what_they_say():
    def used(level):
        roots = [drawn(level, seed).root() for seed in SEEDS]
        return [[node.op.name for node in topological_order(root) if node.op] for root in roots]

    assert {name for names in used(1) for name in names} == {"add", "sub", "mul"}
    assert all(len(names) >= 3 for names in used(2))
    assert all(questions(drawn(3, seed).root(), "sum") for seed in SEEDS)
    activations = {"relu", "tanh", "sigmoid", "abs", "maximum"}
    assert all(activations & set(names) for names in used(4))
    assert all({"relu", "tanh", "sigmoid"} & set(names) and "pow" in names for names in used(5))
    assert all(sum(name in activations for name in names) == 2 for names in used(6))


@pytest.mark.parametrize("level", [0, 7, -1, "1", None, True, 1.5])
def test_another_level_is_refused_with_those_there_are(level):
    with pytest.raises(
        ValueError, match=r"no level .*; choose one of 1 \(sums and products\), .*6 \(a layer\)"
    ):
        exercise(level)


def test_numbers_that_cannot_be_kind_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"0 of 1 different sets of numbers were found.*give the numbers"):
        kind_numbers("log(-x*x)", ["x"], random.Random(0), {})


def test_numbers_avoid_kinks_and_infinities():
    for (numbers,) in (kind_numbers("relu(x - y)/x", ["x", "y"], random.Random(k), {}) for k in range(20)):
        assert numbers["x"] not in (0.0, numbers["y"])


# In the terminal


def play(asked, *lines):
    """Answer with these lines; return the score and what was written."""
    said, written = iter(lines), io.StringIO()

    def read():
        for line in said:
            return line + "\n"
        raise EOFError

    return asked.run(read, written), written.getvalue()


def right_answers(asked):
    return [repr(q.answer) for moves in asked.moves for move in moves for q in move.questions]


@pytest.mark.parametrize("level", LEVELS)
def test_who_knows_all_answers_gets_all_points(level):
    asked = quiz(level, seed=4, exercises=2)
    score, written = play(asked, *right_answers(asked))
    assert score.points == len(score.results) == len(right_answers(asked))
    assert f"{score.points:g} of {len(score.results)} points, 100 %" in written
    assert "Not yet" not in written


def test_a_session_in_full():
    asked = Quiz([Exercise("f = (x + y)*y", {"x": -2, "y": 5})], questions=None)
    lines = ["4", "3", "?", "15", "a lot", "10/2", "5", "!", "3", "1", "5", "1", "5", "8"]
    score, written = play(asked, *lines)
    assert written.split("\n\n")[1].split("\n") == [
        "Exercise: f = (x + y)*y at x = -2, y = 5",
        "11 questions",
    ]
    for line in (
        "Not yet. Hint: v1 = -2 + 5. Try once more.",
        "Hint: f = 3*5.",
        "'a lot' is no number; answer for instance -0.25, -1/4, 2*3, exp(1) or inf",
        "It is 3.",
        "Right: 8.",
        "y.grad: 3 -> 8",
        "the backward pass begins: df/df = 1",
    ):
        assert line in written
    assert score.summary(asked.title).split("\n") == [
        "chainrule quiz",
        "9 of 11 points, 82 %",
        "",
        "f = (x + y)*y at x = -2, y = 5",
        "0.5  v1 = x + y = 3 at x = -2, y = 5  [said 4, then 3]",
        "0.5  f = v1*y = 15 at v1 = 3, y = 5  [with the hint]",
        "1    d(v1*y)/dv1 = 5 at v1 = 3, y = 5",
        "1    to v1: local * upstream = 5 with local = 5, upstream = 1",
        "0    d(v1*y)/dy = 3 at v1 = 3, y = 5  [shown]",
        "1    to y: local * upstream = 3 with local = 3, upstream = 1",
        "1    d(x + y)/dx = 1 at x = -2, y = 5",
        "1    to x: local * upstream = 5 with local = 1, upstream = 5",
        "1    d(x + y)/dy = 1 at x = -2, y = 5",
        "1    to y: local * upstream = 5 with local = 1, upstream = 5",
        "1    y.grad = 8 with 3 so far and now 5",
    ]


def test_a_quiz_that_is_left_ends_with_its_summary():
    for lines in ([], ["1", "q"], ["3"]):
        score, written = play(quiz(1, 7), *lines)
        assert "The quiz has been ended." in written
        assert written.endswith(score.summary("chainrule quiz, level 1 (sums and products), seed 7") + "\n")


def test_no_more_is_asked_than_wanted_and_what_is_not_asked_is_told():
    asked = quiz(6, 1, questions=8)
    assert 5 <= len(right_answers(asked)) <= 8
    _, written = play(asked, *right_answers(asked))
    for move in asked.moves[0]:
        assert move.questions or move.sentence in written
    assert len(right_answers(quiz(6, 1, questions=None))) > 30


def test_what_is_the_same_everywhere_is_asked_last():
    asked = quiz(6, 3, questions=10)
    kinds = [q.hint for moves in asked.moves for move in moves for q in move.questions if q.kind == "local"]
    assert kinds
    assert not [hint for hint in kinds if hint.endswith("= 1")]


def test_a_quiz_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one exercise"):
        Quiz([])
    with pytest.raises(ValueError, match="questions must be at least 1, or None for all, not 0"):
        quiz(questions=0)
    with pytest.raises(ValueError, match="exercises must be at least 1, not 0"):
        quiz(exercises=0)


# The page


def answer_all(player, say):
    """Answer each question of a page until the end; return them."""
    seen = []
    while player.page.is_enabled("#next"):
        if player.page.is_hidden("#guess"):
            player.page.click("#next")
            continue
        seen.append(player.text("#question"))
        player.page.fill("#number", say(len(seen) - 1))
        player.page.press("#number", "Enter")
    return seen


def test_the_page_asks_the_same_and_gives_the_same_summary(open_player):
    asked = quiz(3, seed=2, exercises=2, questions=9)
    player = open_player(asked.html())
    assert player.page.title() == asked.title
    assert player.text("#task").startswith("1 of 2: ")
    assert asked.exercises[0].task in player.text("#task")
    answers = right_answers(asked)
    seen = answer_all(player, lambda k: answers[k])
    assert seen == [q.text for moves in asked.moves for move in moves for q in move.questions]
    score, _ = play(asked, *answers)
    assert player.page.input_value("#summary") == score.summary(asked.title)
    assert player.text("#score") == f"{len(answers)} of {len(answers)} points"
    assert player.text("#task").startswith("2 of 2: ")


def test_wrong_answers_are_told_alike_in_the_page(open_player):
    asked = Quiz([Exercise("f = sigmoid(x)*y", {"x": 0, "y": 3})])
    player = open_player(asked.html())
    player.page.click("#next")
    player.page.click("#next")
    for text in ("1", "0,5"):
        player.page.fill("#number", text)
        player.page.press("#number", "Enter")
    player.page.click("#next")
    player.page.click("#hint")
    for text in ("1/2*3",):
        player.page.fill("#number", text)
        player.page.press("#number", "Enter")
    player.page.click("#next")
    player.page.click("#next")
    for text in ("7", "8"):
        player.page.fill("#number", text)
        player.page.press("#number", "Enter")
    player.page.click("#reveal")
    score, _ = play(asked, "1", "0,5", "?", "1/2*3", "7", "8", "!")
    assert player.page.input_value("#summary") == score.summary(asked.title)


def test_a_quiz_page_tells_nothing_before_its_time(open_player):
    player = open_player(Quiz([Exercise("f = (x + y)*z", {"x": -2, "y": 5, "z": -4})]).html())
    assert player.page.is_hidden("#live")
    player.press("End")
    assert player.count == "0 / 8"
    player.press("g")  # it cannot be left
    player.press("End")
    assert player.count == "0 / 8"
    player.page.evaluate("location.hash = '#step=8'")
    player.page.wait_for_timeout(100)
    assert player.count == "0 / 8"


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_accessibility_checks_find_nothing_in_a_quiz(open_player, violations, scheme, width):
    player = open_player(quiz(5, 2, questions=5).html())
    page = player.page
    page.set_viewport_size({"width": width, "height": 720})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    assert violations(page) == {}
    while page.is_hidden("#guess"):
        page.click("#next")
    page.fill("#number", "99")
    page.press("#number", "Enter")
    assert violations(page) == {}
    answer_all(player, lambda _: "99")
    assert page.is_visible("#summary")
    assert violations(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# The command line


def test_the_command_asks_and_ends_with_the_summary():
    command = [sys.executable, "-m", "chainrule", "quiz", "--level", "2", "--seed", "7"]
    answers = "\n".join(right_answers(quiz(2, 7)))
    run = subprocess.run(command, input=answers, capture_output=True, text=True, check=True)
    assert "chainrule quiz, level 2 (the chain), seed 7" in run.stdout
    assert "points, 100 %" in run.stdout
    assert run.stderr == ""


def test_the_command_asks_about_a_formula(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("3\n"))
    assert status("quiz", "(x + y) * z", "x=-2", "y=5", "z=-4") == 0
    written = capsys.readouterr().out
    assert "Exercise: (x + y) * z at x = -2, y = 5, z = -4" in written
    assert "> 3\nRight: 3.\n" in written
    assert "1 of 1 points, 100 %" in written


def test_the_command_writes_a_page(tmp_path, capsys):
    path = tmp_path / "quiz.html"
    assert status("quiz", "--level", "6", "--exercises", "2", "--questions", "all", "-o", str(path)) == 0
    assert capsys.readouterr().out == f"wrote {path}\n"
    data = re.search(r'<script id="data" type="application/json">(.*?)</script>', path.read_text())[1]
    assert len(json.loads(data)["exercises"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--level", "9"], "there is no level 9; choose one of 1 (sums and products)"),
        (["--level", "two"], "invalid int value: 'two'"),
        (["--seed", "-1"], "'-1' is not a whole number of at least 0"),
        (["--questions", "0"], "'0' is not a whole number of at least 1"),
        (["--exercises", "0"], "'0' is not a whole number of at least 1"),
        (
            ["x*y", "x=2", "y=3", "--level", "2"],
            "--level is for random exercises; leave it out, or the formula",
        ),
        (["x*y", "x=2"], "unknown name 'y' at column 3 of \"x*y\"; give it as y=NUMBER"),
        (["x*y", "x=2", "y"], "'y' is not of the form NAME=NUMBER, such as x=-2"),
        (["-o", "quiz.pdf"], "a quiz is written as a page, so its path must end in '.html', not '.pdf'"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, capsys):
    assert status("quiz", *arguments) == 2
    written = capsys.readouterr().err
    assert message in written
    assert written.count("\n") == 1
