"""Formulas as text: what they mean, and what the reader says about those that mean nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, ops, topological_order
from autograd.expression import ExpressionError, names_in, parse
from autograd.value import Constant

SIGMOID_GATE = "1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))"
WEIGHTS = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}

NUMBERS = st.sampled_from(["0.5", "2.0", "3.25", "1e-3", "7.0"])  # floats, as those of formulas are
FORMULAS = st.recursive(
    NUMBERS | st.sampled_from(["x", "y"]),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(" ".join)
        | inner.map("({})".format)
        | inner.map("-{}".format)
        | inner.map("tanh({})".format)
        | inner.map("{}**2.0".format)
    ),
    max_leaves=20,
)


@given(FORMULAS)
def test_a_formula_means_what_it_means_in_python(formula):
    names = {"x": 0.7, "y": -1.3}
    used = {name: number for name, number in names.items() if name in formula.replace("tanh", "")}
    try:
        expected = eval(formula, {"tanh": math.tanh} | names)
    except OverflowError:  # as of 2.0**2.0**2.0**2.0**2.0, where a formula goes on with inf
        parse(formula, used)
    else:
        assert parse(formula, used).data == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_the_graph_is_that_of_the_same_python_program():
    x, y = Value(3.0, "x"), Value(2.0, "y")
    written = topological_order(parse("x * x - exp(y) / 4", {"x": 3, "y": 2}))
    built = topological_order(x * x - y.exp() / 4)
    assert [(node.op, node.data, node.label) for node in written[:-1]] == [
        (node.op, node.data, node.label) for node in built[:-1]
    ]


def test_a_simple_graph():
    f = parse("(x + y) * z", {"x": -2, "y": 5, "z": -4})
    f.backward()
    gradients = {node.label: node.grad for node in topological_order(f) if node.op is None}
    assert f.data == -12
    assert gradients == {"x": -4, "y": -4, "z": 3}


def test_the_sigmoid_gate():
    f = parse(SIGMOID_GATE, WEIGHTS)
    f.backward()
    gradients = {node.label: round(node.grad, 4) for node in topological_order(f) if node.label in WEIGHTS}
    assert round(f.data, 4) == 0.7311
    assert gradients == {"w0": -0.1966, "x0": 0.3932, "w1": -0.3932, "x1": -0.5898, "w2": 0.1966}


def test_a_name_is_one_leaf_however_often_it_occurs():
    assert len(topological_order(parse("x * x + x", {"x": 2}))) == 3


def test_numbers_are_constants_and_a_sign_before_a_number_is_part_of_it():
    x, minus_two = parse("x ** -2", {"x": 2}).parents
    assert isinstance(minus_two, Constant)
    assert (x.data, minus_two.data) == (2.0, -2.0)


def test_a_power_binds_tighter_than_a_sign():
    assert parse("-2**2", {}).data == -4


def test_arithmetic_is_ieee_754():
    assert parse("1 / x", {"x": 0}).data == math.inf
    assert math.isnan(parse("(-2) ** 0.5", {}).data)


def test_the_constants_have_their_names_as_labels():
    assert parse("2 * pi", {}).data == 2 * math.pi
    assert parse("2 * pi", {}).parents[1].label == "pi"


def test_a_variable_may_have_the_name_of_a_constant():
    assert parse("e", {"e": 1.5}).data == 1.5


def test_the_root_is_labelled_f_unless_that_name_is_taken():
    assert parse("2 * x", {"x": 1}).label == "f"
    assert parse("2 * f", {"f": 1}).label == ""
    assert parse("x", {"x": 1}).label == "x"


@pytest.mark.parametrize("row", ops.TABLE.values(), ids=str)
def test_every_operation_of_the_table_can_be_called(row):
    names = "abcd"[: row.arity]
    numbers = [0.25, 0.5, 0.75, 1.0][: row.arity]
    formula = f"{row.name}({', '.join(names)})"
    assert parse(formula, dict(zip(names, numbers, strict=True))).data == pytest.approx(
        row(*numbers), nan_ok=True
    )


def test_keywords_and_defaults_are_those_of_the_operation():
    assert parse("leaky_relu(x)", {"x": -1}).data == -0.01
    assert parse("leaky_relu(x, negative_slope=s)", {"x": -1, "s": 0.5}).data == -0.5


def test_spaces_and_line_ends_do_not_matter():
    assert parse("  x\n\t+ 1 \n", {"x": 1}).data == 2


def test_deep_nesting_is_not_limited_by_the_recursion_of_the_reader():
    formula = "sin(" * 150 + "x" + ")" * 150
    assert len(topological_order(parse(formula, {"x": 1}))) == 151


@pytest.mark.parametrize(
    ("formula", "column", "message"),
    [
        ("x + w3 * 2", 5, "unknown name 'w3' at column 5 of \"x + w3 * 2\"; give it as w3=NUMBER"),
        ("  ü * x", 1, "give it as ü=NUMBER"),
        ("'ü' + w", 1, "''ü'' is not a real number"),
        ("ä(x) + w", 1, "unknown function 'ä'"),
        ("x * sigmod(x)", 5, "did you mean sigmoid?"),
        ("rellu(x)", 1, "did you mean relu?"),
        ("ln(x)", 1, "did you mean log?"),
        ("arcsin(x)", 1, "did you mean asin?"),
        ("sin x", 5, "write sin(x)"),
        ("2 * ln x", 8, "write log(x)"),
        ("x y", 3, "write a product with *"),
        ("2 x", 3, "write a product with *"),
        ("(1 + x) x", 9, "write a product with *"),
        ("x(2)", 1, "write a product with *"),
        ("2x", 1, "write a product with *"),
        ("2(x + 1)", 1, "'2' is not a function"),
        ("exp", 1, "function 'exp' without its arguments at column 1 of \"exp\"; write exp(x)"),
        ("1 + sin(x, x)", 5, "sin(x) takes 1 arguments, got 2, at column 5"),
        ("clamp(x, mn=0)", 1, "unexpected or repeated argument 'mn'"),
        ("exp(*x)", 5, "'*x' is not part of a formula"),
        ("exp(**x)", 1, "'**' without a left operand"),
        ("x ^ 2", 1, "write a power as x**2"),
        ("x < 2", 1, "call greater, greater_equal, less or less_equal"),
        ("1 if x else 2", 1, "call where(condition, x, y)"),
        ("math.exp(x)", 1, "write exp(x) for math.exp(x)"),
        ("x // 2", 1, "'x // 2' is not part of a formula"),
        ("not x", 1, "use numbers, names, + - * / ** and functions"),
        ("x.data", 1, "'x.data' is not part of a formula"),
        ("[x]", 1, "'[x]' is not part of a formula"),
        ("lambda: x", 1, "is not part of a formula"),
        ("(y := x)", 2, "is not part of a formula"),
        ("__import__('os')", 1, "unknown function '__import__'"),
        ("x + True", 5, "'True' is not a real number"),
        ("x + 2j", 5, "'2j' is not a real number"),
        ("x + " + "9" * 400, 5, "a number above 1.8e308"),
        ("x +", 4, "invalid syntax"),
        ("(x", 1, "'(' was never closed"),
        ("x # note", 3, "unexpected character '#'"),
        ("x + \0", 5, "unexpected character '\\x00'"),
        ("x + \ud800", 5, "unexpected character '\\ud800'"),
        ("", None, 'write for instance "(x + y) * z"'),
        ("(" * 300 + "x", 201, "too many nested parentheses"),
        ("+".join("x" * 100_000), None, "nested too deeply"),
        ("-" * 100_000 + "x", None, "nested too deeply"),
        ("1 + 2", None, "the name 'x' is given but does not occur in \"1 + 2\""),
    ],
)
def test_an_error_is_one_line_that_names_the_place_and_the_remedy(formula, column, message):
    with pytest.raises(ExpressionError) as error:
        parse(formula, {"x": 1})
    assert message in str(error.value)
    assert error.value.column == column
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300


def test_an_error_in_a_long_formula_shows_the_place():
    formula = "x + " * 200 + "w + x" + " * x" * 200
    with pytest.raises(ExpressionError, match=r'column 801 of "\.\.\..*x \+ w \+ x.*\.\.\."'):
        parse(formula, {"x": 1})


def test_two_given_names_that_the_grammar_reads_alike_are_refused():
    with pytest.raises(ExpressionError, match="'μ' and another given name are one name"):
        parse("µ", {"µ": 1.0, "μ": 2.0})


# Steps with names


def test_steps_have_names_and_are_used_by_later_ones():
    f = parse("q = x + y; f = q * z;", {"x": -2, "y": 5, "z": -4})
    assert (f.data, f.label, f.parents[0].label) == (-12.0, "f", "q")
    f.backward()
    assert [leaf.grad for leaf in f.parents[0].parents] == [-4.0, -4.0]


def test_a_step_used_twice_is_one_node():
    f = parse("q = x * y; q * q + q", {"x": 2, "y": 3})
    square, q = f.parents
    assert square.parents == (q, q)


def test_a_last_step_may_have_any_name():
    assert parse("s = w * x; loss = s ** 2", {"w": 2, "x": 3}).label == "loss"


def test_another_name_for_a_node_leaves_its_label():
    f = parse("q = x + x; p = q; p * x", {"x": 3})
    assert f.parents[0].label == "q"


def test_a_constant_step_is_called_by_its_name():
    f = parse("two = 2; two * x", {"x": 3})
    assert (f.parents[0].label, type(f.parents[0]).__name__) == ("two", "Constant")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q = x; x + y; q", "a step without a name at column 8 of"),
        ("x = x * 2; x", "the name 'x' is given already, at column 1 of"),
        ("q = x; q = y; q", "the name 'q' is given already, at column 8 of"),
        ("q = x; if = y; q", "the name 'if' is a word of Python's grammar, at column 8 of"),
        ("q = x + y; x * y", "the name 'q' is computed but does not occur in"),
        ("q = x +; q * y", r"invalid syntax at column 8 of"),
        ("q = x; r = rellu(q); r * y", "unknown function 'rellu' at column 12 of .*did you mean relu"),
        ("q = x; q * yy * y", "unknown name 'yy' at column 12 of"),
        ("q = x; ", "the name 'y' is given but does not occur"),
        ("q =; q * x * y", "no formula at column 4 of"),
        (";", "no formula in"),
        ("q = x; q == y", "'q == y' is not part of a formula, found at column 8"),
    ],
)
def test_a_step_that_cannot_be_read_is_named_with_its_place(text, message):
    with pytest.raises(ExpressionError, match=message):
        parse(text, {"x": 1, "y": 2})


def test_the_names_that_need_numbers_are_listed_in_order():
    assert names_in("q = w*x + b; h = tanh(q + pi); h*v + clamp(x, min=low)") == ["w", "x", "b", "v", "low"]
    assert names_in("e = x; e*e") == ["x"]
