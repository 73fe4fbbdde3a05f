"""``chainrule demo``: two examples of the chain rule, gate by gate, and a network trained on two moons."""

import argparse
import io
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd import draw_dot
from autograd.files import write_file
from autograd.ops import exp, relu, sigmoid
from autograd.sweeping import topological_order
from autograd.text import format_number
from autograd.value import Constant, Value

if TYPE_CHECKING:
    from rich.console import Console

    from nn import MLP

ACCURACY = 0.98  # training stops here
STEPS = 100  # while the learning rate falls from 1.0 to 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the folder for the pictures."""
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        type=Path,
        default=Path("chainrule-demo"),
        help="where the pictures are saved (default: chainrule-demo)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Tell the examples and the training, and save the pictures."""
    from rich.console import Console

    folder: Path = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False)

    _heading(console, "1. A simple example: f = (x + y) z")
    f = simple_example()
    _tell(console, _gates(f))
    saved = _save_graph(folder, "simple-example", f)

    _heading(console, "2. The sigmoid gate: f = 1 / (1 + exp(-(w0 x0 + w1 x1 + w2)))")
    gates, gate = sigmoid_of_gates(), sigmoid_as_gate()
    _tell(console, _gates(gates))
    console.print("Once more with the whole sigmoid as a single gate.\n")
    _tell(console, [gate])
    _compare(console, gates, gate)
    saved += _save_graph(folder, "sigmoid-of-gates", gates) + _save_graph(folder, "sigmoid-as-gate", gate)

    _heading(console, "3. Two moons: a network of 337 parameters, trained by the same chain rule")
    model, X, y = train(console)
    saved += _save_boundary(folder, model, X, y)

    _heading(console, "The pictures")
    for path in saved:
        console.print(str(path), markup=False, soft_wrap=True)


def simple_example() -> Value:
    """Return f = (x + y) z."""
    x, y, z = Value(-2, "x"), Value(5, "y"), Value(-4, "z")
    q = x + y
    f = q * z
    q.label, f.label = "q", "f"
    f.backward()
    return f


def sigmoid_of_gates() -> Value:
    """Return a neuron with the sigmoid taken apart into four gates."""
    s = _weighted_sum()
    n = -s
    u = exp(n)
    v = 1 + u
    f = 1 / v
    n.label, u.label, v.label, f.label = "n", "u", "v", "f"
    f.backward()
    return f


def sigmoid_as_gate() -> Value:
    """Return a neuron with the sigmoid as a single gate."""
    f = sigmoid(_weighted_sum())
    f.label = "f"
    f.backward()
    return f


def _weighted_sum() -> Value:
    w0, x0, w1, x1, w2 = Value(2, "w0"), Value(-1, "x0"), Value(-3, "w1"), Value(-2, "x1"), Value(-3, "w2")
    a = w0 * x0
    b = w1 * x1
    c = a + b
    s = c + w2
    a.label, b.label, c.label, s.label = "a", "b", "c", "s"
    return s


def _heading(console: "Console", text: str) -> None:
    console.print()
    console.rule(f"[bold]{text}[/bold]", align="left", style="dim")
    console.print()


def _tell(console: "Console", gates: Sequence[Value]) -> None:
    """Print the forward pass, a row per gate, and the backward pass, a row per input of a gate."""
    forward = []
    for gate in gates:
        numbers = _formula(gate, [format_number(parent.data) for parent in gate.parents])
        forward.append((_equation(gate), numbers, _value(gate.data)))
    title = "Forward pass: each gate computes its value."
    _print_table(console, title, ("gate", "with numbers", "= value"), forward)

    backward = []
    for gate in reversed(gates):
        equation = _equation(gate)
        for parent, derivative in zip(gate.parents, gate.local_derivatives, strict=True):
            if not isinstance(parent, Constant):
                local, name = derivative(), f"d{gate.label}/d{parent.label}"
                gradient = _gradient(local * gate.grad)
                backward.append((equation, name, format_number(local), _gradient(gate.grad), gradient))
                equation = ""
    title = "Backward pass: local x global (the output's gradient) = the input's gradient."
    _print_table(console, title, ("gate", "", "local", "x global", "= gradient"), backward)


def _compare(console: "Console", gates: Value, gate: Value) -> None:
    """Print the gradients of two graphs with the same leaves side by side."""
    rows = [
        (f"df/d{one.label}", _gradient(one.grad), _gradient(other.grad))
        for one, other in zip(_leaves(gates), _leaves(gate), strict=True)
    ]
    _print_table(console, "Both ways give the same gradients:", ("", "gate by gate", "single gate"), rows)


def train(console: "Console") -> tuple["MLP", Any, Any]:
    """Train an MLP on two moons by gradient descent on the max-margin loss.

    Returns:
        The model, the points of shape (100, 2) and their labels, -1 or 1.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from nn import MLP, two_moons

    X, classes = two_moons(100, noise=0.1, random_state=1337)
    y = 2 * classes - 1
    points, labels = X.tolist(), y.tolist()
    model = MLP(2, [16, 16, 1], rng=random.Random(1337))
    parameters = model.parameters()
    console.print("The network: two inputs, 16 + 16 relu units, one score. The loss: max-margin, with L2.\n")
    columns = (TextColumn("{task.description}"), BarColumn(24), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=STEPS)
        for step in range(STEPS + 1):
            scores = [model(point) for point in points]
            margins = [relu(1 - label * score) for label, score in zip(labels, scores, strict=True)]
            loss = sum(margins) / len(margins) + 1e-4 * sum(p * p for p in parameters)
            right = sum(label * score.data > 0 for label, score in zip(labels, scores, strict=True))
            accuracy = right / len(points)
            text = f"step {step:3}   loss {loss.data:.4f}   accuracy {accuracy:4.0%}"
            progress.update(bar, description=text, completed=step)
            if accuracy >= ACCURACY or step == STEPS:
                progress.update(bar, total=step)
                break
            model.zero_grad()
            loss.backward()
            for p in parameters:
                p.data -= (1.0 - 0.9 * step / STEPS) * p.grad
    console.print(
        f"\n{right} of {len(points)} points are on the right side after {step} steps of gradient descent."
    )
    return model, X, y


def _save_graph(folder: Path, name: str, root: Value) -> list[Path]:
    drawing = draw_dot(root, local_derivatives=True)
    return [drawing.save(folder / f"{name}{suffix}") for suffix in (".svg", ".png")]


def _save_boundary(folder: Path, model: "MLP", X: Any, y: Any) -> list[Path]:
    from matplotlib.figure import Figure

    from nn import decision_boundary

    figure = Figure(layout="constrained")
    decision_boundary(model, X, y, figure.add_subplot())
    picture = io.BytesIO()
    figure.savefig(picture, dpi=150)
    path = folder / "two-moons.png"
    write_file(path, picture.getvalue())
    return [path]


def _gates(root: Value) -> list[Value]:
    return [node for node in topological_order(root) if node.op is not None]


def _leaves(root: Value) -> list[Value]:
    return [node for node in topological_order(root) if node.op is None and not isinstance(node, Constant)]


def _equation(gate: Value) -> str:
    names = [parent.label or format_number(parent.data) for parent in gate.parents]
    return f"{gate.label} = {_formula(gate, names)}"


def _formula(gate: Value, operands: Sequence[str]) -> str:
    """Return an operation of the operands as text, such as ``x + y`` or ``exp(n)``."""
    op = gate.op
    assert op is not None
    if op.symbol == op.name:
        return f"{op.name}({', '.join(operands)})"
    return f" {op.symbol} ".join(operands) if op.arity > 1 else f"{op.symbol}{operands[0]}"


def _value(number: float) -> str:
    return f"[green]{format_number(number)}[/green]"


def _gradient(number: float) -> str:
    return f"[red]{format_number(number)}[/red]"


def _print_table(
    console: "Console", title: str, headers: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.padding import Padding
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False)
    for header in headers:
        table.add_column(header, justify="left" if header in ("", "gate", "with numbers") else "right")
    for row in rows:
        table.add_row(*row)
    console.print(title)
    console.print(Padding(table, (1, 2), expand=False))
