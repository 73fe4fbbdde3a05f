"""A transformer of scalars: what is seen at a position is weighed by a softmax of products; no more.

The architecture is that of GPT-2 (Radford et al., 2019) in its shortest form: normalisation by the root mean
square (Zhang and Sennrich, 2019), relu, no biases. A vector is a list of scalars, a matrix a list of rows.
"""

import random
from collections.abc import Sequence
from functools import reduce
from operator import add, mul
from typing import Any

from autograd.choosing import take
from autograd.functions import softmax
from autograd.ops import log, relu
from autograd.value import Value
from nn.checks import at_least_zero, whole
from nn.modules import Module, source_of

Vector = Sequence[Any]
Source = random.Random | int | None


def dot(a: Vector, b: Vector) -> Any:
    """Return the sum of products."""
    return reduce(add, map(mul, a, b))


def require_length(what: str, x: Vector, width: int) -> None:
    """Refuse a vector of another width.

    Raises:
        ValueError: naming both widths.
    """
    if len(x) != width:
        raise ValueError(f"{what} takes a vector of {width} numbers, got {len(x)}")


class Linear(Module):
    """The product of a matrix and a vector, and perhaps a bias.

    Args:
        nin: the length of the vector.
        nout: how many rows the matrix has.
        bias: whether a number is added to each output; it begins at 0.
        rng: the source of the weights: a ``random.Random`` or a seed for one, by default Python's ``random``.
        deviation: of the normal distribution from which the weights are drawn.

    Raises:
        ValueError: a count that is not positive, or a negative deviation.

    Example:
        >>> matrix = Linear(2, 3, rng=0)
        >>> len(matrix([1.0, 2.0])), len(matrix.parameters())
        (3, 6)
    """

    def __init__(
        self, nin: int, nout: int, *, bias: bool = False, rng: Source = None, deviation: float = 0.08
    ) -> None:
        self.nin, self.nout = whole("nin", nin), whole("nout", nout)
        gauss, deviation = source_of(rng).gauss, at_least_zero("deviation", deviation)
        self.w = [[Value(gauss(0.0, deviation)) for _ in range(nin)] for _ in range(nout)]
        self.b = [Value(0.0) for _ in range(nout)] if bias else []

    def __call__(self, x: Vector) -> list[Any]:
        """Return ``nout`` numbers for ``nin``.

        Raises:
            ValueError: ``x`` has another length.
        """
        require_length(repr(self), x, self.nin)
        products = [dot(row, x) for row in self.w]
        return list(map(add, products, self.b)) if self.b else products

    def _facts(self) -> tuple[Any, Any, Any]:
        return self.nin, self.nout, "linear"

    def __repr__(self) -> str:
        return f"Linear({self.nin}, {self.nout}{', bias=True' if self.b else ''})"


class Embedding(Module):
    """A table of vectors, one for each of so many things, such as the characters of an alphabet.

    Args:
        count: how many things there are.
        width: the length of each vector.
        rng: as of ``Linear``.
        deviation: as of ``Linear``.

    Raises:
        ValueError: a count that is not positive, or a negative deviation.

    Example:
        >>> letters = Embedding(26, 4, rng=0)
        >>> letters(2) == letters.w[2]
        True
        >>> letters(Value(2.0))[0].data == letters.w[2][0].data  # chosen anew when a program is run
        True
    """

    def __init__(self, count: int, width: int, *, rng: Source = None, deviation: float = 0.08) -> None:
        self.count, self.width = whole("count", count), whole("width", width)
        gauss, deviation = source_of(rng).gauss, at_least_zero("deviation", deviation)
        self.w = [[Value(gauss(0.0, deviation)) for _ in range(width)] for _ in range(count)]

    def __call__(self, x: Any) -> Any:
        """Return the vector of the thing with number ``x``, from 0 to ``count - 1``.

        Raises:
            IndexError: there is no such thing.
        """
        return take(self.w, x)

    def _facts(self) -> tuple[Any, Any, Any]:
        return self.count, self.width, "linear"

    def __repr__(self) -> str:
        return f"Embedding({self.count}, {self.width})"


class RMSNorm(Module):
    """A vector divided by the root of the mean of its squares: x (mean(x^2) + eps)^(-1/2).

    Args:
        width: the length of the vector.
        eps: keeps the quotient finite.
        affine: whether each number is then multiplied by a weight, which begins at 1.

    Raises:
        ValueError: ``width`` is not positive, or ``eps`` is negative.

    Example:
        >>> RMSNorm(2, eps=0.0, affine=False)([3.0, 4.0])
        [0.848528137423857, 1.131370849898476]
    """

    def __init__(self, width: int, eps: float = 1e-5, *, affine: bool = True) -> None:
        self.width, self.eps = whole("width", width), at_least_zero("eps", eps)
        self.w = [Value(1.0) for _ in range(width)] if affine else []

    def __call__(self, x: Vector) -> list[Any]:
        """Return the vector with a root mean square of 1, times the weights.

        Raises:
            ValueError: ``x`` has another length.
        """
        require_length(repr(self), x, self.width)
        scale = (dot(x, x) / self.width + self.eps) ** -0.5
        normal = [z * scale for z in x]
        return list(map(mul, self.w, normal)) if self.w else normal

    def _facts(self) -> tuple[Any, Any, Any]:
        return self.width, self.width, "linear"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.width})"


class LayerNorm(RMSNorm):
    """A vector less its mean, divided by its standard deviation (Ba et al., 2016).

    Args:
        width: the length of the vector.
        eps: is added to the variance, and keeps the quotient finite.
        affine: whether each number is then multiplied by a weight, which begins at 1, and a bias is added,
            which begins at 0.

    Raises:
        ValueError: ``width`` is not positive, or ``eps`` is negative.

    Example:
        >>> LayerNorm(2, eps=0.0, affine=False)([3.0, 5.0])
        [-1.0, 1.0]
    """

    def __init__(self, width: int, eps: float = 1e-5, *, affine: bool = True) -> None:
        super().__init__(width, eps, affine=affine)
        self.b = [Value(0.0) for _ in range(width)] if affine else []

    def __call__(self, x: Vector) -> list[Any]:
        """Return the vector with mean 0 and variance 1, times the weights, plus the biases.

        Raises:
            ValueError: ``x`` has another length.
        """
        require_length(repr(self), x, self.width)
        mean = reduce(add, x) / self.width
        normal = super().__call__([z - mean for z in x])  # the variance is the mean square of what is left
        return list(map(add, normal, self.b)) if self.b else normal


class Head(Module):
    """One head of attention: its part of the vectors, from ``start`` to ``stop``; it has no parameters.

    Args:
        start: the first place of its part.
        stop: the place after its last.
    """

    def __init__(self, start: int, stop: int) -> None:
        self.start, self.stop = start, stop

    def __call__(self, query: Vector, keys: Sequence[Vector], values: Sequence[Vector]) -> list[Any]:
        """Return the mean of the values at all positions so far, each weighed by how its key fits the query.

        The weights are softmax(q . k / sqrt(width)) (Vaswani et al., 2017).
        """
        part = slice(self.start, self.stop)
        weights = self.weights(query, keys)
        columns = zip(*(value[part] for value in values), strict=True)
        # From 0, so that the first position's one product is a sum, too: one form for all positions.
        return [sum(map(mul, weights, column)) for column in columns]

    def weights(self, query: Vector, keys: Sequence[Vector]) -> list[Any]:
        """Return how much is read from each position; the weights add up to 1."""
        part = slice(self.start, self.stop)
        root = (self.stop - self.start) ** 0.5
        weights: list[Any] = softmax([dot(query[part], key[part]) / root for key in keys])
        return weights


class Attention(Module):
    """Causal attention of several heads: a position reads from itself and those before it.

    Call it for one position after another, with the same lists of keys and values, to which it adds.

    Args:
        width: the length of the vectors.
        heads: into how many parts they are cut, each of which attends for itself.
        rng: as of ``Linear``.
        deviation: as of ``Linear``.

    Raises:
        ValueError: a count that is not positive, or ``heads`` does not divide ``width``.

    Example:
        >>> attention = Attention(4, 2, rng=0)
        >>> keys, values = [], []
        >>> for x in ([1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]):
        ...     read = attention(x, keys, values)
        >>> len(read), len(keys)
        (4, 2)
    """

    def __init__(self, width: int, heads: int = 1, *, rng: Source = None, deviation: float = 0.08) -> None:
        if whole("width", width) % whole("heads", heads):
            raise ValueError(
                f"heads must divide width, since each takes an equal part: {heads} heads, width {width}"
            )
        source = source_of(rng)
        self.query, self.key, self.value, self.mix = (
            Linear(width, width, rng=source, deviation=deviation) for _ in range(4)
        )
        self.heads = [Head(k, k + width // heads) for k in range(0, width, width // heads)]

    def __call__(self, x: Vector, keys: list[Any], values: list[Any]) -> list[Any]:
        """Return what the position with vector ``x`` reads.

        Args:
            x: the vector of this position.
            keys: those of the positions before; this one's is appended.
            values: those of the positions before; this one's is appended.

        Raises:
            ValueError: ``x`` has another length.
        """
        query = self.query(x)
        keys.append(self.key(x))
        values.append(self.value(x))
        return self.mix([z for head in self.heads for z in head(query, keys, values)])

    def _facts(self) -> tuple[Any, Any, Any]:
        return self.query.nin, self.mix.nout, "softmax"

    def __repr__(self) -> str:
        return f"Attention({self.query.nin}, {len(self.heads)})"


class Block(Module):
    """Attention, then two layers; each is given the normalised vector, and what it says is added to it.

    Args:
        width: the length of the vectors.
        heads: of the attention.
        rng: as of ``Linear``.
        deviation: as of ``Linear``.

    Raises:
        ValueError: as of ``Attention``.

    Example:
        >>> block = Block(4, 2, rng=0)
        >>> len(block([1.0, 2.0, 3.0, 4.0], [], [])), len(block.parameters())
        (4, 192)
    """

    def __init__(self, width: int, heads: int = 1, *, rng: Source = None, deviation: float = 0.08) -> None:
        source = source_of(rng)
        self.attention = Attention(width, heads, rng=source, deviation=deviation)
        self.widen = Linear(width, 4 * width, rng=source, deviation=deviation)
        self.narrow = Linear(4 * width, width, rng=source, deviation=deviation)
        self.norms = [RMSNorm(width, affine=False) for _ in range(2)]

    def __call__(self, x: Vector, keys: list[Any], values: list[Any]) -> list[Any]:
        """Return the vector of one position after this block; arguments as of ``Attention``."""
        x = list(map(add, self.attention(self.norms[0](x), keys, values), x))
        hidden = [relu(z) for z in self.widen(self.norms[1](x))]
        return list(map(add, self.narrow(hidden), x))

    def _facts(self) -> tuple[Any, Any, Any]:
        return self.widen.nin, self.narrow.nout, "relu"


class GPT(Module):
    """A transformer that tells from the characters so far which one may follow.

    With one block, width 16, 4 heads and 27 characters it is the network of microgpt (Karpathy, 2026), and
    with the same source of random numbers it has the same parameters.

    Args:
        vocabulary: how many different tokens there are.
        block: the longest document: how many positions have a vector.
        width: the length of the vectors.
        heads: of each attention.
        layers: how many blocks.
        rng: the source of the weights: a ``random.Random`` or a seed for one, by default Python's ``random``.
        deviation: of the normal distribution from which the weights are drawn.

    Raises:
        ValueError: a count that is not positive, or ``heads`` does not divide ``width``.

    Example:
        >>> model = GPT(27, rng=42)
        >>> round(model.loss([26, 4, 12, 12, 0, 26]).data, 2)  # about log 27: all are equally likely
        3.23
        >>> print(model.summary())
        part      kind       inputs  outputs  activation  parameters
        token     Embedding      27       16      linear         432
        position  Embedding      16       16      linear         256
        out       Linear         16       27      linear         432
        norm      RMSNorm        16       16      linear           0
        blocks.0  Block          16       16        relu        3072
        total                                                   4192
    """

    def __init__(
        self,
        vocabulary: int,
        block: int = 16,
        width: int = 16,
        heads: int = 4,
        layers: int = 1,
        *,
        rng: Source = None,
        deviation: float = 0.08,
    ) -> None:
        source = source_of(rng)
        self.token = Embedding(vocabulary, width, rng=source, deviation=deviation)
        self.position = Embedding(block, width, rng=source, deviation=deviation)
        self.out = Linear(width, vocabulary, rng=source, deviation=deviation)
        self.norm = RMSNorm(width, affine=False)
        self.blocks = [
            Block(width, heads, rng=source, deviation=deviation) for _ in range(whole("layers", layers))
        ]

    @property
    def block(self) -> int:
        """The longest document: how many positions have a vector."""
        return self.position.count

    def __call__(self, x: Sequence[Any]) -> list[list[Any]]:
        """Return, for each token, the scores of the token that follows it.

        Args:
            x: the tokens, from 0 to ``vocabulary - 1``: numbers, or Values that are to be the data of a
                compiled program.

        Raises:
            ValueError: more tokens than the block has positions, or none.
            IndexError: there is no such token.
        """
        self._require_room(len(x))
        memory = self.memory()
        return [self.following(token, place, memory) for place, token in enumerate(x)]

    def memory(self) -> list[tuple[list[Any], list[Any]]]:
        """Return the keys and values of each block before the first position: none."""
        return [([], []) for _ in self.blocks]

    def following(self, token: Any, place: int, memory: Sequence[tuple[list[Any], list[Any]]]) -> list[Any]:
        """Return the scores of what follows one token.

        Args:
            token: the token.
            place: its position, from 0.
            memory: the keys and values of the positions before, to which this one's are added.
        """
        x = self.norm(list(map(add, self.token(token), self.position(place))))
        for block, (keys, values) in zip(self.blocks, memory, strict=True):
            x = block(x, keys, values)
        return self.out(x)

    def loss(self, tokens: Sequence[Any]) -> Any:
        """Return the mean of -log of the probability of each token but the first, given those before it.

        Args:
            tokens: at least two; at most one more than the block has positions.

        Raises:
            ValueError: too many tokens, or too few.
            IndexError: there is no such token.
        """
        if len(tokens) < 2:
            raise ValueError(f"a loss needs a token and one that follows it, got {len(tokens)} in all")
        scores = self(tokens[:-1])
        losses = [-log(take(softmax(row), token)) for row, token in zip(scores, tokens[1:], strict=True)]
        return reduce(add, losses) / len(losses)

    def _require_room(self, count: int) -> None:
        if not 1 <= count <= self.block:
            raise ValueError(
                f"this GPT has a block of {self.block} positions, and the document takes {count}"
                + ("; cut it, or make the GPT with a larger block" if count else "; give at least one token")
            )

    def _architecture(self) -> dict[str, Any] | None:
        first = self.blocks[0].attention
        facts = {
            "vocabulary": self.token.count,
            "block": self.block,
            "width": self.token.width,
            "heads": len(first.heads),
            "layers": len(self.blocks),
        }
        return {"class": "GPT", **facts}

    def __repr__(self) -> str:
        facts = ", ".join(f"{k}={v}" for k, v in (self._architecture() or {}).items() if k != "class")
        return f"GPT({facts})"
