"""A document of a GPT as scalar code: what users of scalar engines run today."""

import random
from collections.abc import Sequence
from typing import Any

from benchmarks.scalars import Peer

LETTERS, WIDTH, HEADS, BLOCK = 27, 16, 4, 16
HEAD = WIDTH // HEADS
MARK = 26  # begins and ends a document


class Document:
    """The loss of one document: one layer, 16 wide, 4 heads; about 77,000 nodes for 8 characters.

    Args:
        engine: what it is computed with.
        characters: the length of the document.
    """

    def __init__(self, engine: Peer, characters: int = 8) -> None:
        if engine.exp is None or engine.log is None or engine.relu is None:
            raise ImportError("it has no exp or log")
        self.exp, self.log, self.relu = engine.exp, engine.log, engine.relu
        self.rng = random.Random(1337)
        self.leaf = engine.leaf
        self.leaves: list[Any] = []
        self.tokens = [MARK, *(self.rng.randrange(MARK) for _ in range(characters)), MARK]
        self.token, self.position = self.matrix(LETTERS, WIDTH), self.matrix(BLOCK, WIDTH)
        self.query, self.key, self.value, self.mix = (self.matrix(WIDTH, WIDTH) for _ in range(4))
        self.widen, self.narrow = self.matrix(4 * WIDTH, WIDTH), self.matrix(WIDTH, 4 * WIDTH)
        self.out = self.matrix(LETTERS, WIDTH)

    def matrix(self, rows: int, columns: int) -> list[list[Any]]:
        """Return leaves drawn from a normal distribution."""
        made = [[self.leaf(self.rng.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)]
        self.leaves += [leaf for row in made for leaf in row]
        return made

    def softmax(self, scores: Sequence[Any]) -> list[Any]:
        """Return probabilities; the scores are shifted by their maximum."""
        largest = max(score.data for score in scores)
        powers = [self.exp(score - largest) for score in scores]
        total = sum(powers)
        return [power / total for power in powers]

    def attend(self, query: Sequence[Any], keys: list[Any], values: list[Any]) -> list[Any]:
        """Return what the heads read from all positions so far."""
        found = []
        for head in range(HEADS):
            part = slice(head * HEAD, (head + 1) * HEAD)
            weights = self.softmax([dot(query[part], key[part]) * HEAD**-0.5 for key in keys])
            columns = zip(*(value[part] for value in values), strict=True)
            found += [dot(weights, column) for column in columns]
        return found

    def loss(self) -> Any:
        """Record the mean over the positions of -log of the next character's probability."""
        keys: list[Any] = []
        values: list[Any] = []
        losses = []
        for place, (here, following) in enumerate(zip(self.tokens, self.tokens[1:], strict=False)):
            x = normalised(added(self.token[here], self.position[place]))
            seen = normalised(x)
            keys.append(times(self.key, seen))
            values.append(times(self.value, seen))
            read = self.attend(times(self.query, seen), keys, values)
            x = added(x, times(self.mix, read))
            wide = [self.relu(z) for z in times(self.widen, normalised(x))]
            x = added(x, times(self.narrow, wide))
            losses.append(-self.log(self.softmax(times(self.out, x))[following]))
        return sum(losses) * (1.0 / len(losses))


def dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """Return the sum of products."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def times(matrix: list[list[Any]], x: Sequence[Any]) -> list[Any]:
    """Return a matrix times a vector."""
    return [dot(row, x) for row in matrix]


def added(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    """Return the sum of two vectors."""
    return [x + y for x, y in zip(a, b, strict=True)]


def normalised(x: Sequence[Any]) -> list[Any]:
    """Return a vector divided by the root of the mean of its squares."""
    scale = (dot(x, x) * (1.0 / len(x)) + 1e-5) ** -0.5
    return [z * scale for z in x]
