"""Pictures: what is drawn is what was computed, on the Axes that were given."""

import random
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

import nn
from nn import MLP, Adam, Snapshots, fit, plot

mpl.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def trained():
    X, y = nn.two_moons(40, noise=0.1, random_state=0)
    model, shots = MLP(2, [6, 1], activation="tanh", rng=random.Random(0)), Snapshots(every=2)
    start = model.state_dict()
    optimizer = Adam(model.parameters(), lr=0.1)
    history = fit(model, X, y, nn.binary_cross_entropy, optimizer, 20, validation=(X, y), callbacks=[shots])
    return model, X, y, history, shots, start


def test_curves_show_the_history(trained):
    history = trained[3]
    for draw, name in ((plot.loss_curve, "loss"), (plot.accuracy_curve, "accuracy")):
        axes = draw(history)
        lines = {line.get_label(): line for line in axes.get_lines()}
        assert lines["training"].get_ydata().tolist() == history[name]
        assert lines["validation"].get_ydata().tolist() == history[f"val_{name}"]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", name)
        axes.figure.canvas.draw()


@pytest.mark.parametrize(
    ("losses", "scale"), [([1.0, 0.5, 0.1], "linear"), ([1.0, 0.1, 0.01], "log"), ([1.0, 0.0], "linear")]
)
def test_the_loss_is_logarithmic_where_that_shows_more(losses, scale):
    history = nn.History()
    history.records = [{"epoch": k, "loss": loss} for k, loss in enumerate(losses)]
    axes = plot.loss_curve(history)
    assert axes.get_yscale() == scale
    axes.figure.canvas.draw()


def test_pictures_are_drawn_where_asked(trained):
    model, X, y, history, shots, start = trained
    _, ax = plt.subplots()
    assert plot.loss_curve(history, ax) is ax
    assert plot.accuracy_curve(history, ax) is ax
    assert plot.weight_histograms(shots, ax=ax) is ax
    assert plot.gradient_histograms(shots, ax=ax) is ax
    assert plot.loss_along_line(model, X, y, nn.binary_cross_entropy, start, model.state_dict(), ax) is ax
    assert plot.decision_boundary(model, X, y, ax, resolution=20) is ax
    assert plot.decision_boundary(model, X, y, resolution=20) is not ax


class Slope(nn.Module):
    """Scores by the first input alone, so that the boundary is the line where it is 0.5."""

    def __call__(self, x):
        return 10.0 * (x[0] - 0.5)


def colour_at(axes, x, y):
    image = axes.get_images()[0]
    left, right, bottom, top = image.get_extent()
    rows, columns, _ = image.get_array().shape
    return image.get_array()[
        int((y - bottom) / (top - bottom) * rows), int((x - left) / (right - left) * columns)
    ]


def test_the_boundary_of_two_classes_is_where_the_score_is_zero():
    X, y = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([0, 1, 0, 1])
    axes = plot.decision_boundary(Slope(), X, y, resolution=101)
    (contour,) = [c for c in axes.collections if hasattr(c, "levels")]
    xs = np.concatenate([np.asarray(path.vertices)[:, 0] for path in contour.get_paths()])
    assert xs == pytest.approx(0.5, abs=0.02)
    blue, orange = colour_at(axes, 0.0, 0.5), colour_at(axes, 1.0, 0.5)
    assert blue[2] > blue[0]
    assert orange[0] > orange[2]
    assert np.all(colour_at(axes, 0.48, 0.5) > blue), "a surer model is drawn darker"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["0", "1"]


@pytest.mark.parametrize("labels", [[0, 1], [-1, 1], [1], [0]])
def test_a_point_has_the_colour_of_its_class_whichever_others_there_are(labels):
    X = np.array([[float(label > 0), 0.5] for label in labels])
    axes = plot.decision_boundary(Slope(), X, labels, resolution=20)
    points: list[Any] = [c for c in axes.collections if hasattr(c, "get_sizes") and np.size(c.get_offsets())]
    for label, point in zip(sorted(labels), points, strict=True):
        assert mpl.colors.to_hex(point.get_facecolor()[0]) == plot.COLOURS[int(label > 0)]


def test_several_classes_each_have_their_colour():
    X = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    model = nn.Layer(2, 3, nonlin=False)
    for neuron, row in zip(model.neurons, X, strict=True):
        neuron.w[0].data, neuron.w[1].data = 3 * row[0], 3 * row[1]
    axes = plot.decision_boundary(model, X, [0, 1, 2], resolution=50)
    strongest = [np.argmin(colour_at(axes, *point)) for point in X]
    assert strongest == [0, 2, 0]
    assert len({tuple(colour_at(axes, *point)) for point in X}) == 3
    axes.figure.canvas.draw()


def test_histograms_count_the_weights_of_a_part(trained):
    shots = trained[4]
    axes = plot.weight_histograms(shots, "layers.1", bins=10)
    (mesh,) = [c for c in axes.collections if hasattr(c, "get_coordinates")]
    assert mesh.get_array().shape == (10, len(shots.epochs))
    (median,) = axes.get_lines()
    chosen = [name.startswith("layers.1.") for name in shots.names]
    assert median.get_ydata().tolist() == [np.median(w[chosen]) for w in shots.weights]
    assert axes.get_title() == "layers.1"


def test_the_loss_along_a_line_goes_through_both_ends_and_leaves_the_model_alone(trained):
    model, X, y, _, _, start = trained
    end = model.state_dict()
    axes = plot.loss_along_line(model, X, y, nn.binary_cross_entropy, start, end, steps=7)
    ends = np.asarray(axes.get_lines()[1].get_ydata())
    assert ends[1] == nn.mean_loss(model, X, y, nn.binary_cross_entropy)
    assert ends[0] > ends[1]
    assert model.state_dict() == end


@pytest.mark.parametrize(
    ("draw", "arguments", "message"),
    [
        (plot.loss_curve, [nn.History()], "there is no 'loss' to draw: the history has 0 epochs"),
        (plot.weight_histograms, [Snapshots()], "no snapshot has a parameter"),
        (plot.decision_boundary, [Slope(), [[1.0, 2.0, 3.0]], [1]], r"points of shape \(n, 2\) and n labels"),
        (plot.decision_boundary, [Slope(), [[1.0, 2.0]], [1, 2]], r"points of shape \(n, 2\) and n labels"),
        (plot.decision_boundary, [Slope(), [[1.0, 2.0]], [7]], "label must be -1, 0 or 1, not"),
        (plot.loss_along_line, [MLP(1, [1]), [[1.0]], [1], nn.hinge, {}, {}], "2 are missing"),
    ],
)
def test_what_cannot_be_drawn_is_named(draw, arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(*arguments)


def test_an_unknown_part_of_the_model_is_named(trained):
    with pytest.raises(ValueError, match=r"below 'layers\.7'; there are layers\.0"):
        plot.weight_histograms(trained[4], "layers.7")
