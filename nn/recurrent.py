"""Cells that read a sequence one vector at a time and remember: RNN, LSTM, GRU. Equations are PyTorch's."""

from collections.abc import Sequence
from operator import add, mul
from typing import Any

from autograd.ops import sigmoid, tanh
from autograd.value import constant
from nn.checks import whole
from nn.modules import Module, source_of
from nn.transformer import Linear, Source, Vector


class Cell(Module):
    """What the cells share: matrices for the input and for what is remembered, a pair for each gate.

    Args:
        nin: the length of the input vectors.
        nout: the length of what is remembered.
        rng: the source of the weights: a ``random.Random`` or a seed for one, by default Python's ``random``.
            They are drawn from a normal distribution with deviation ``nout ** -0.5``; biases are 0.

    Raises:
        ValueError: a count that is not positive.
    """

    gates: int
    """How many gates a kind of cell has."""

    def __init__(self, nin: int, nout: int, rng: Source = None) -> None:
        self.nin, self.nout = whole("nin", nin), whole("nout", nout)
        source, deviation = source_of(rng), nout**-0.5
        self.inputs, self.memory = (
            [Linear(length, nout, bias=True, rng=source, deviation=deviation) for _ in range(self.gates)]
            for length in (nin, nout)
        )

    def _gate(self, k: int, x: Vector, h: Vector) -> list[Any]:
        return list(map(add, self.inputs[k](x), self.memory[k](h)))

    def _zeros(self) -> list[Any]:
        return [constant(0.0) for _ in range(self.nout)]

    def _facts(self) -> tuple[Any, Any, Any]:
        return self.nin, self.nout, "tanh"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.nin}, {self.nout})"


class RNNCell(Cell):
    """h' = tanh(W x + b + U h + c) (Elman, 1990).

    Args:
        nin: the length of the input vectors.
        nout: the length of what is remembered.
        rng: as of ``Cell``.

    Raises:
        ValueError: a count that is not positive.

    Example:
        >>> cell, h = RNNCell(2, 3, rng=0), None
        >>> for x in ([1.0, 0.0], [0.0, 1.0]):
        ...     h = cell(x, h)
        >>> len(h)
        3
    """

    gates = 1

    def __call__(self, x: Vector, h: Vector | None = None) -> list[Any]:
        """Return what is remembered after ``x``, given what was before; None stands for zeros.

        Raises:
            ValueError: a vector of another length.
        """
        return [tanh(z) for z in self._gate(0, x, self._zeros() if h is None else h)]


class LSTMCell(Cell):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997).

    With the gate that forgets (Gers et al., 2000):
    i, f, o = sigmoid(...), g = tanh(...), c' = f c + i g, h' = o tanh(c'). The gates are in the order i, f,
    g, o.

    Args:
        nin: the length of the input vectors.
        nout: the length of what is remembered.
        rng: as of ``Cell``.

    Raises:
        ValueError: a count that is not positive.

    Example:
        >>> cell, state = LSTMCell(2, 3, rng=0), None
        >>> for x in ([1.0, 0.0], [0.0, 1.0]):
        ...     state = cell(x, state)
        >>> h, c = state
        >>> len(h), len(c)
        (3, 3)
    """

    gates = 4

    def __call__(self, x: Vector, state: tuple[Vector, Vector] | None = None) -> tuple[list[Any], list[Any]]:
        """Return output and memory ``(h, c)`` after ``x``, given those before; None stands for zeros.

        Raises:
            ValueError: a vector of another length.
        """
        h, c = (self._zeros(), self._zeros()) if state is None else state
        written, kept, new, shown = (self._gate(k, x, h) for k in range(4))
        cells = [
            sigmoid(f) * before + sigmoid(i) * tanh(g)
            for f, before, i, g in zip(kept, c, written, new, strict=True)
        ]
        return [sigmoid(o) * tanh(cell) for o, cell in zip(shown, cells, strict=True)], cells


class GRUCell(Cell):
    """A gated recurrent unit (Cho et al., 2014).

    r, z = sigmoid(...), n = tanh(W x + b + r (U h + c)), h' = (1 - z) n + z h. The gates are in the order r,
    z, n.

    Args:
        nin: the length of the input vectors.
        nout: the length of what is remembered.
        rng: as of ``Cell``.

    Raises:
        ValueError: a count that is not positive.

    Example:
        >>> cell, h = GRUCell(2, 3, rng=0), None
        >>> for x in ([1.0, 0.0], [0.0, 1.0]):
        ...     h = cell(x, h)
        >>> len(h)
        3
    """

    gates = 3

    def __call__(self, x: Vector, h: Vector | None = None) -> list[Any]:
        """Return what is remembered after ``x``, given what was before; None stands for zeros.

        Raises:
            ValueError: a vector of another length.
        """
        h = self._zeros() if h is None else h
        reset, update = ([sigmoid(z) for z in self._gate(k, x, h)] for k in range(2))
        recalled = map(mul, reset, self.memory[2](h))
        new = [tanh(a + b) for a, b in zip(self.inputs[2](x), recalled, strict=True)]
        return [(1.0 - z) * n + z * before for z, n, before in zip(update, new, h, strict=True)]


def run(cell: Cell, xs: Sequence[Vector]) -> list[list[Any]]:
    """Return what a cell says after each vector of a sequence, beginning with an empty memory.

    Args:
        cell: one of the cells above.
        xs: the vectors.

    Returns:
        For each vector the output: what is remembered, of an LSTM its ``h``.

    Raises:
        ValueError: a vector of another length than the cell takes.

    Example:
        >>> len(run(LSTMCell(1, 2, rng=0), [[0.5], [1.0], [2.0]]))
        3
    """
    state, outputs = None, []
    for x in xs:
        state = cell(x, state)
        outputs.append(state[0] if isinstance(state, tuple) else state)
    return outputs
