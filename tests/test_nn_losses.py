"""Losses: the plain formulas where those work, and finite where those overflow."""

import math

import pytest

import nn
from autograd import Value


def gradients(loss, scores, target):
    nodes = [Value(s) for s in scores]
    out = loss(nodes if len(nodes) > 1 else nodes[0], target)
    out.backward()
    return out.data, [node.grad for node in nodes]


@pytest.mark.parametrize("score", [-3.0, -0.5, 0.0, 0.7, 20.0])
@pytest.mark.parametrize("target", [0, 1, 0.3])
def test_binary_cross_entropy_is_its_plain_formula(score, target):
    p = 1 / (1 + math.exp(-score))
    plain = -(target * math.log(p) + (1 - target) * math.log1p(-p))
    value, (slope,) = gradients(nn.binary_cross_entropy, [score], target)
    assert value == pytest.approx(plain, rel=1e-7)
    assert slope == pytest.approx(p - target, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("target", [0, 1, 2])
def test_cross_entropy_is_its_plain_formula(target):
    scores = [0.5, -1.5, 3.0]
    powers = [math.exp(s) for s in scores]
    p = [power / sum(powers) for power in powers]
    value, slopes = gradients(nn.cross_entropy, scores, target)
    assert value == pytest.approx(-math.log(p[target]), rel=1e-14)
    assert slopes == pytest.approx([p[j] - (j == target) for j in range(3)], rel=1e-12, abs=1e-15)


def test_a_class_and_its_probabilities_are_the_same_target():
    scores = [0.5, -1.5, 3.0]
    one_hot = gradients(nn.cross_entropy, scores, [0.0, 1.0, 0.0])
    index = gradients(nn.cross_entropy, scores, 1)
    assert one_hot[0] == index[0]
    assert one_hot[1] == pytest.approx(index[1], abs=1e-15)


@pytest.mark.parametrize(
    ("loss", "scores", "target", "value", "slopes"),
    [
        (nn.binary_cross_entropy, [1000.0], 1, 0.0, [0.0]),
        (nn.binary_cross_entropy, [1000.0], 0, 1000.0, [1.0]),
        (nn.binary_cross_entropy, [-1000.0], 1, 1000.0, [-1.0]),
        (nn.binary_cross_entropy, [-1000.0], 0, 0.0, [0.0]),
        (nn.cross_entropy, [1000.0, -1000.0], 0, 0.0, [0.0, 0.0]),
        (nn.cross_entropy, [1000.0, -1000.0], 1, 2000.0, [1.0, -1.0]),
        (nn.cross_entropy, [-1000.0, -1000.0], 0, math.log(2), [-0.5, 0.5]),
        (nn.cross_entropy, [1000.0, 1000.0, 1000.0], [0.0, 1.0, 0.0], math.log(3), [1 / 3, -2 / 3, 1 / 3]),
    ],
)
def test_losses_are_right_at_scores_of_a_thousand(loss, scores, target, value, slopes):
    found, found_slopes = gradients(loss, scores, target)
    assert found == pytest.approx(value, rel=1e-15)
    assert found_slopes == pytest.approx(slopes, rel=1e-12, abs=1e-15)


def test_a_confident_right_answer_keeps_its_digits():
    assert nn.binary_cross_entropy(40.0, 1) == pytest.approx(math.exp(-40), rel=1e-15)


@pytest.mark.parametrize(("score", "target", "slope"), [(0.3, 1, -1.0), (0.3, -1, 1.0), (1.5, 1, 0.0)])
def test_hinge_pushes_until_the_margin_is_one(score, target, slope):
    value, slopes = gradients(nn.hinge, [score], target)
    assert value == max(0.0, 1 - target * score)
    assert slopes == [slope]


def test_squared_errors_of_several_outputs():
    mean = gradients(nn.mean_squared_error, [1.0, 2.0, 5.0], [1.0, 4.0, 1.0])
    half = gradients(nn.half_squared_error, [1.0, 2.0, 5.0], [1.0, 4.0, 1.0])
    assert mean == (pytest.approx(20 / 3), pytest.approx([0.0, -4 / 3, 8 / 3]))
    assert half == (10.0, [0.0, -2.0, 4.0])
    assert gradients(nn.half_squared_error, [3.0], 1.0) == (2.0, [2.0])


def test_penalties():
    parameters = [Value(3.0), Value(-4.0), Value(0.0)]
    nn.l2(parameters, 0.5).backward()
    assert [p.grad for p in parameters] == [3.0, -4.0, 0.0]
    for p in parameters:
        p.grad = 0.0
    nn.l1(parameters, 0.5).backward()
    assert [p.grad for p in parameters] == [0.5, -0.5, 0.0]
    assert nn.l2([]) == nn.l1([]) == 0.0


@pytest.mark.parametrize(
    ("loss", "scores", "target", "message"),
    [
        (nn.hinge, 0.5, 0, r"target of -1 or 1, got 0; 2 \* y - 1"),
        (nn.hinge, [0.5, 0.5], 1, "single score, got 2; for several use cross_entropy"),
        (nn.binary_cross_entropy, 0.5, -1, r"from 0 to 1, got -1; \(y \+ 1\) / 2"),
        (nn.cross_entropy, [0.1, 0.2], 2, "class from 0 to 1, got 2"),
        (nn.cross_entropy, [0.1, 0.2], 0.5, "class from 0 to 1, got 0.5"),
        (nn.cross_entropy, [0.1, 0.2], [1.0], "2 scores and 1 probabilities"),
        (nn.cross_entropy, 0.1, 0, "one score per class, at least two; .* binary_cross_entropy"),
        (nn.mean_squared_error, [0.1, 0.2], 1.0, "2 outputs cannot be compared with 1 targets"),
    ],
)
def test_a_wrong_target_is_named_with_the_remedy(loss, scores, target, message):
    with pytest.raises(ValueError, match=message):
        loss(scores, target)
