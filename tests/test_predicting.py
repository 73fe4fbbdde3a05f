"""A reader who predicts, in a browser: questions, second tries, hints, the score and its summary."""

import math

import pytest

from autograd import Value, group, log, sigmoid, step_through
from autograd.stepping.asking import Question, number_in
from tests.examples import grouped, simple

SAID = (
    "3;-4;+2; 0.5 ;.5;2.;1e-3;2E3;-1/4;2*3;2**3;2^3;2**-1;-2**2;2**3**2;7-3-2;16/4/2;(1+2)*3;-(4 - 6);--3;"
    "+-2;0,25;-1,5;\u22123;2\u00b73;2 \u00d7 3;6 \u00f7 4;inf;-inf;Infinity;\u221e;nan;NaN;pi;PI/2;e**2;1/0;"
    "-1/0;0/0;exp(1);log(2);sqrt(2)/2;tanh(0.5);sigmoid(-1);1 - tanh(1)**2;relu(-3);maximum(1, 2);abs(-2);"
    "cos(pi);(2);1/(1+exp(-1));2*-3"
)
BABBLED = (
    "; ;three;2x;x;1 2;1/;*2;(1;1);();exp;exp();exp(1, 2);maximum(1);1,2,3;'1';__import__('os');print(1);[1];"
    "2 if 1 else 3;1 < 2;1e;..;(2)(3);alert(1);constructor;constructor(1);\\;1 % 2;x=1;1 # one"
)
ANSWERS = SAID.split(";")
NO_ANSWERS = [*BABBLED.split(";"), "1;2", "1" + "+1" * 120]


def close(a, b):
    return (math.isnan(a) and math.isnan(b)) or a == b or math.isclose(a, b, rel_tol=1e-12)


def test_the_page_reads_answers_as_python_does(open_player):
    page = open_player(simple()).page
    script = "texts => texts.map(t => answers.read(t)).map(x => x === null ? 'none' : String(x))"
    read = page.evaluate(script, ANSWERS)
    for text, here in zip(ANSWERS, read, strict=True):
        there = float(here.replace("Infinity", "inf"))
        assert close(there, number_in(text)), text
    assert page.evaluate(script, NO_ANSWERS) == ["none"] * len(NO_ANSWERS)


@pytest.mark.parametrize("text", NO_ANSWERS)
def test_what_is_no_number_is_refused_with_examples(text):
    with pytest.raises(
        ValueError, match=r"is no number; answer for instance -0.25, -1/4, 2\*3, exp\(1\) or inf"
    ):
        number_in(text)


def test_the_page_judges_as_python_does(open_player):
    page = open_player(simple()).page
    numbers = [
        0.0,
        -0.0,
        1.0,
        1.004,
        1.006,
        0.996,
        0.994,
        -1.0,
        4e-18,
        3.99e-18,
        math.inf,
        -math.inf,
        math.nan,
        1e300,
    ]
    spelled = [str(x).replace("inf", "Infinity").replace("nan", "NaN") for x in numbers]
    script = "xs => xs.map(x => xs.map(y => answers.right(Number(x), Number(y))))"
    for x, row in zip(numbers, page.evaluate(script, spelled), strict=True):
        assert row == [Question("value", "", y).is_right(x) for y in numbers]


def start(player):
    player.press("ArrowRight")  # the inputs are given
    player.press("g")
    player.press("ArrowRight")


def answer(player, text):
    player.page.fill("#number", text)
    player.press("Enter")


def test_a_value_is_asked_for_and_shown_once_there_is_an_answer(open_player):
    player = open_player(simple())
    start(player)
    assert player.text("#question") == "q = x + y = ? at x = -2, y = 5"
    assert player.count == "1 / 8"
    assert player.numbers()["2"] == ["", ""]
    player.page.keyboard.type("three")
    player.press("Enter")
    assert player.text("#verdict").startswith("Enter a number, a fraction or a formula, such as -0.25")
    assert player.numbers()["2"] == ["", ""]
    answer(player, "3")
    assert player.text("#verdict") == "✓ Right: 3."
    assert player.numbers()["2"] == ["3", ""]
    assert player.text("#score") == "1 of 1 points"
    player.press("Enter")  # the focus is on the button for the next step
    assert player.text("#question") == "f = q*z = ? at q = 3, z = -4"


def test_a_wrong_answer_gets_the_hint_and_a_second_try(open_player):
    player = open_player(simple())
    start(player)
    answer(player, "7")
    assert player.text("#verdict") == "✗ Not yet. Hint: q = -2 + 5. Try once more."
    assert player.count == "1 / 8"
    player.page.keyboard.type("3")  # what was typed is selected
    player.press("Enter")
    assert player.text("#verdict") == "✓ Right: 3."
    assert player.text("#score") == "0.5 of 1 points"
    player.press("ArrowRight")
    answer(player, "12")
    answer(player, "-11")
    assert player.text("#verdict") == "✗ You said -11; it is -12."
    assert player.count == "3 / 8"
    assert player.text("#score") == "0.5 of 2 points"


def test_the_local_derivative_and_the_product_are_asked_for_one_after_the_other(open_player):
    player = open_player(simple())
    start(player)
    answer(player, "3")
    player.press("ArrowRight")
    answer(player, "3*-4")
    player.press("ArrowRight", 2)  # the seed is told
    assert player.text("#question") == "d(q*z)/dq = ? at q = 3, z = -4"
    player.page.click("#hint")
    assert player.text("#verdict") == "Hint: d(q*z)/dq = z."
    answer(player, "-4")
    assert player.text("#verdict") == "✓ Right: -4."
    assert player.text("#question") == "to q: local * upstream = ? with local = -4, upstream = 1"
    assert player.numbers()["2"] == ["3", ""], "the gradient is not told yet"
    answer(player, "-8/2")
    assert player.numbers()["2"] == ["3", "grad -4"]
    assert player.text("#score") == "3.5 of 4 points"


def test_the_sum_is_asked_for_where_a_node_is_used_again(open_player):
    x = Value(3.0, "x")
    player = open_player(x * x)
    start(player)
    for text in ("9", "3", "3", "3", "3"):
        answer(player, text)
        if player.page.is_hidden("#guess"):
            player.press("ArrowRight", 2 if player.count == "2 / 5" else 1)
    assert player.text("#question") == "x.grad = ? with 3 so far and now 3"
    answer(player, "5")
    assert "the messages to a node are added up: 3 + 3" in player.text("#verdict")
    answer(player, "6")
    assert player.count == "5 / 5"
    assert player.page.evaluate("document.activeElement.id") == "summary"


def test_what_is_given_up_earns_nothing(open_player):
    player = open_player(simple())
    start(player)
    player.page.click("#reveal")
    assert player.text("#verdict") == "It is 3."
    assert player.text("#score") == "0 of 1 points"


def test_nan_and_infinity_can_be_predicted(open_player):
    player = open_player(log(Value(0.0, "x")) * 0.0)
    start(player)
    answer(player, "-inf")
    assert player.text("#verdict") == "✓ Right: -inf."
    player.press("ArrowRight")
    answer(player, "NaN")
    assert player.text("#verdict") == "✓ Right: nan."


def test_the_end_opens_a_summary_that_can_be_copied(open_player):
    player = open_player(sigmoid(Value(0.0, "x")))
    player.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    start(player)
    answer(player, "1/2")
    player.press("ArrowRight", 2)
    answer(player, "0.5")
    answer(player, "1/4")
    answer(player, "2")
    answer(player, "3")
    expected = (
        "f, step by step\n1.5 of 3 points, 50 %\n"
        "1    f = sigmoid(x) = 0.5 at x = 0\n"
        "0.5  d(sigmoid(x))/dx = 0.25 at x = 0, f = 0.5  [said 0.5, then 1/4]\n"
        "0    to x: local * upstream = 0.25 with local = 0.25, upstream = 1  [said 2, then 3]"
    )
    assert player.page.is_visible("#summary")
    assert player.page.input_value("#summary") == expected
    player.page.click("#copy")
    player.page.wait_for_function("document.getElementById('copied').textContent")


def test_what_was_answered_in_one_view_is_not_asked_in_another(open_player):
    player = open_player(grouped())
    player.page.select_option("#view", label="all groups open")
    player.press("Home")
    start(player)
    first = player.text("#question")
    answer(player, "0")
    answer(player, "0")
    player.page.select_option("#view", label="neuron")
    player.press("Home")
    player.page.focus("#canvas")
    player.press("ArrowRight", 3)
    assert player.text("#question") != first
    assert player.text("#score") == "0 of 1 points"


def test_a_closed_group_is_asked_for_its_product_alone(open_player):
    x = Value(2.0, "x")
    with group("square"):
        y = x * x
    player = open_player(3 * y)
    kinds = [[q.kind for q in move.questions] for move in step_through(3 * y).moves()]
    assert kinds == [[], [], ["value"], [], ["local", "product"], ["product"]]
    start(player)
    player.press("ArrowRight")  # what a group computes is told
    assert player.text("#question").startswith("f = 3*")


def test_to_begin_again_clears_the_score(open_player):
    player = open_player(simple())
    start(player)
    answer(player, "3")
    player.page.uncheck("#predict")
    assert player.page.is_hidden("#results")
    assert player.text("#score") == ""
