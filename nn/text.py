"""Texts for a GPT: documents from a file, their characters as numbers, and new documents from a model."""

import math
import os
import random
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from autograd.functions import softmax
from nn import storage
from nn.checks import at_least_zero
from nn.modules import source_of
from nn.step import DivergenceError
from nn.transformer import GPT

__all__ = ["Tokenizer", "generate", "load_gpt", "names", "read_documents", "save_gpt"]
SHOWN = 60  # characters of a vocabulary that an error lists


class Tokenizer:
    """Characters as numbers, and one more number that marks where a document begins and ends.

    Args:
        characters: those that may occur; their numbers are in the order of their code points.

    Attributes:
        characters: those that may occur, each once, in order.

    Raises:
        ValueError: there are none.

    Example:
        >>> tokenizer = Tokenizer("hello")
        >>> tokenizer.characters, tokenizer.mark, len(tokenizer)
        ('ehlo', 4, 5)
        >>> tokenizer.encode("hole")
        [4, 1, 3, 2, 0, 4]
        >>> tokenizer.decode([4, 1, 3, 2, 0, 4])
        'hole'
    """

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters = "".join(sorted({c for text in characters for c in text}))
        if not self.characters:
            raise ValueError("a tokenizer needs at least one character; give it the documents' texts")
        self._numbers = {character: number for number, character in enumerate(self.characters)}

    @property
    def mark(self) -> int:
        """The number that begins and ends a document."""
        return len(self.characters)

    def __len__(self) -> int:
        """Return how many tokens there are, the mark among them."""
        return len(self.characters) + 1

    def encode(self, text: str, *, ended: bool = True) -> list[int]:
        """Return a text's numbers between two marks.

        Args:
            text: of known characters.
            ended: whether the second mark is there; a text that is to be continued has none.

        Raises:
            ValueError: a character is not in the vocabulary.
        """
        for place, character in enumerate(text):
            if character not in self._numbers:
                listed = self.characters if len(self.characters) <= SHOWN else self.characters[:SHOWN] + "..."
                raise ValueError(
                    f"the character {character!r} at place {place} of {text[:30]!r} is not in the vocabulary "
                    f"{listed!r}; leave it out, or make the tokenizer and the model with it"
                )
        return [self.mark, *(self._numbers[character] for character in text), *[self.mark] * ended]

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of numbers, without the marks.

        Raises:
            IndexError: there is no such token.
        """
        tokens = list(tokens)
        for token in tokens:
            if not 0 <= token <= self.mark:
                raise IndexError(f"a token is a whole number from 0 to {self.mark}, but is {token}")
        return "".join(self.characters[token] for token in tokens if token != self.mark)

    def __repr__(self) -> str:
        return f"Tokenizer({self.characters!r})"


def names() -> list[str]:
    """Return 400 made-up names, which come with the package (see ``nn/datasets/README.md``).

    Example:
        >>> len(names()), max(map(len, names()))
        (400, 10)
    """
    text = (resources.files("nn") / "datasets" / "names.txt").read_text(encoding="utf-8")
    return text.split()


def read_documents(path: str | os.PathLike[str]) -> list[str]:
    """Return the documents of a text file: its lines, without spaces around them and without empty ones.

    Raises:
        ValueError: there are none, or the file is no text in UTF-8.
        OSError: it cannot be read.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{os.fspath(path)!r} is no text in UTF-8 (its byte {error.start}); save it as UTF-8"
        ) from None
    documents = [line.strip() for line in text.splitlines() if line.strip()]
    if not documents:
        raise ValueError(f"{os.fspath(path)!r} holds no documents; write one a line, such as a name")
    return documents


def generate(
    model: GPT,
    tokenizer: Tokenizer,
    count: int = 1,
    *,
    temperature: float = 1.0,
    rng: random.Random | int | None = None,
    prompt: str = "",
) -> list[str]:
    """Return new documents, drawn a character at a time by the model's probabilities.

    Args:
        model: what tells the probabilities.
        tokenizer: of its characters.
        count: how many documents.
        temperature: the scores are divided by it: below 1 the likely is drawn more often, at 0 always.
        rng: a ``random.Random`` or a seed for one: same seed, same documents; None for others each time.
        prompt: how each of them begins.

    Returns:
        The documents, the prompt among their characters. One that does not end within the model's block is
        cut there.

    Raises:
        ValueError: a negative temperature, a character that is not in the vocabulary, a prompt longer than
            the block, or a tokenizer of another number of tokens than the model.
        DivergenceError: the model's scores are not finite.

    Example:
        >>> tokenizer = Tokenizer("ab")
        >>> generate(GPT(len(tokenizer), block=4, width=2, heads=1, rng=0), tokenizer, 3, rng=1, prompt="a")
        ['aa', 'a', 'aabb']
    """
    at_least_zero("temperature", temperature)
    if len(tokenizer) != model.token.count:
        raise ValueError(
            f"the model has {model.token.count} tokens and the tokenizer {len(tokenizer)}; "
            "use the one that it was trained with"
        )
    begun = tokenizer.encode(prompt, ended=False)
    if len(begun) > model.block:
        raise ValueError(
            f"the prompt has {len(prompt)} characters, and the model's block has room for "
            f"{model.block - 1} and one that follows; shorten it"
        )
    frozen, source = model.frozen(), source_of(rng)
    return [
        tokenizer.decode(_continued(frozen, begun, tokenizer.mark, temperature, source)) for _ in range(count)
    ]


def _continued(
    model: GPT, begun: Sequence[int], mark: int, temperature: float, rng: random.Random
) -> list[int]:
    """Return a document's tokens; the model has plain numbers for parameters."""
    tokens, memory = list(begun), model.memory()
    for place in range(model.block):
        scores = model.following(tokens[place], place, memory)
        if place < len(tokens) - 1:
            continue  # within the prompt
        tokens.append(_drawn(scores, temperature, rng))
        if tokens[-1] == mark:
            break
    return tokens


def _drawn(scores: Sequence[float], temperature: float, rng: random.Random) -> int:
    if not math.isfinite(sum(scores)):
        raise DivergenceError(
            "the scores of the next character are not finite; train with a lower learning rate"
        )
    top = max(scores)
    if temperature == 0.0:
        return scores.index(top)
    weights: list[float] = softmax([(score - top) / temperature for score in scores])
    return rng.choices(range(len(scores)), weights)[0]


def load_gpt(path: str | os.PathLike[str]) -> tuple[GPT, Tokenizer]:
    """Make a GPT and its tokenizer anew from a file that ``save_gpt`` wrote.

    Raises:
        ValueError: the file is damaged, foreign, of another kind of model, or its widths do not fit.
        OSError: it cannot be read.
    """
    saved = storage.read(path)
    facts = dict(saved.architecture or {})
    try:
        if facts.pop("class", None) != "GPT":
            raise ValueError("it is no GPT; chainrule train-gpt and nn.text.save_gpt write one")
        vocabulary = saved.metadata.get("characters")
        if not isinstance(vocabulary, str) or not vocabulary:
            raise ValueError(
                "it does not say the characters of its vocabulary; save it with nn.text.save_gpt"
            )
        tokenizer = Tokenizer(vocabulary)
        if facts.get("vocabulary") != len(tokenizer):
            raise ValueError(
                f"it has {facts.get('vocabulary')!r:.40} tokens for {len(vocabulary)} characters"
            )
        if (count := _parameters(facts)) != len(saved.parameters):
            raise ValueError(f"its widths make {count:,} parameters, and it holds {len(saved.parameters):,}")
        model = GPT(**facts, rng=random.Random(0))
        model.load_state_dict(saved.parameters)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cannot load {os.fspath(path)!r}: {error}") from None
    return model, tokenizer


def save_gpt(path: str | os.PathLike[str], model: GPT, tokenizer: Tokenizer) -> None:
    """Write a GPT and its vocabulary to a JSON file, whole or not at all.

    Raises:
        ValueError: a parameter is not finite.
        OSError: the file cannot be written; what was there before is untouched.

    Example:
        >>> import pathlib, tempfile
        >>> tokenizer = Tokenizer("ab")
        >>> model = GPT(len(tokenizer), block=4, width=2, heads=1, rng=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "gpt.json")
        ...     save_gpt(path, model, tokenizer)
        ...     again, characters = load_gpt(path)
        >>> again.state_dict() == model.state_dict(), characters
        (True, Tokenizer('ab'))
    """
    model.save(path, {"characters": tokenizer.characters})


def parameters_of(*, vocabulary: int, block: int, width: int, heads: int, layers: int) -> int:  # noqa: ARG001 - the sizes of a GPT
    """Count the parameters of a GPT before any is made.

    Example:
        >>> parameters_of(vocabulary=27, block=16, width=16, heads=4, layers=1)
        4192
    """
    return width * (2 * vocabulary + block) + 12 * width * width * layers


def _parameters(facts: dict[str, Any]) -> int:
    """Count the parameters that a file's sizes make: a damaged one may ask for very many.

    Raises:
        ValueError: a size is missing, unknown or no count.
    """
    wanted = {"vocabulary", "block", "width", "heads", "layers"}
    for name in sorted(wanted | facts.keys()):
        if name not in wanted or type(facts.get(name)) is not int or facts[name] < 1:
            raise ValueError(f"its {name} is no count that a GPT has: {facts.get(name)!r:.40}")
    return parameters_of(**facts)
