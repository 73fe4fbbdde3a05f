"""A quiz: exercises that are asked step by step, in the terminal or in a page."""

import os
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from autograd.files import write_file
from autograd.practice.exercises import LEVELS, Exercise, exercise
from autograd.practice.score import Score
from autograd.stepping.asking import Question, number_in
from autograd.stepping.moves import Move
from autograd.stepping.notebook import ROOM, framed
from autograd.stepping.player import contents, shell
from autograd.stepping.stepper import LIMIT, Stepper

HELP = (
    "Answer with a number, a fraction or a formula: -0.25, -1/4, 2*3. ? gives the hint, ! the answer, q ends."
)


def quiz(level: int = 1, seed: int = 0, *, exercises: int = 1, questions: int | None = 16) -> "Quiz":
    """Return a quiz of random exercises.

    Args:
        level: see `exercise`.
        seed: the first exercise is that of this seed, the next that of the following one.
        exercises: how many.
        questions: how many to ask of each at most, chosen by the seed; None for all.

    Returns:
        The quiz: ``save`` writes it as a page, ``run`` asks in a terminal, and a notebook shows the page.

    Raises:
        ValueError: there is no such level, or a count below 1.

    Example:
        >>> quiz(level=2, seed=7).title
        'chainrule quiz, level 2 (the chain), seed 7'
    """
    if exercises < 1:
        raise ValueError(f"exercises must be at least 1, not {exercises!r}")
    return Quiz([exercise(level, seed + k) for k in range(exercises)], questions)


class Quiz:
    """Exercises to be asked. Made by `quiz`, or from exercises of one's own.

    Args:
        exercises: at least one.
        questions: how many to ask of each at most; None for all.

    Raises:
        ValueError: no exercise, a count below 1, or a graph too large to be drawn.
        ExpressionError: an exercise's formula cannot be read.

    Example:
        >>> own = Quiz([Exercise("x*y", {"x": 2, "y": 3})])
        >>> [question.text for move in own.moves[0] for question in move.questions][:2]
        ['f = x*y = ? at x = 2, y = 3', 'd(x*y)/dx = ? at x = 2, y = 3']
    """

    def __init__(self, exercises: Iterable[Exercise], questions: int | None = 16) -> None:
        self.exercises = tuple(exercises)
        if not self.exercises:
            raise ValueError("a quiz needs at least one exercise")
        if questions is not None and questions < 1:
            raise ValueError(f"questions must be at least 1, or None for all, not {questions!r}")
        self.questions = questions
        self.steppers = tuple(Stepper(each.root(), LIMIT, {}) for each in self.exercises)
        self.moves = tuple(map(self._asked, self.exercises, self.steppers))

    def _asked(self, of: Exercise, stepper: Stepper) -> tuple[Move, ...]:
        """Return the steps of an exercise; those that are not to be asked about have no questions."""
        moves = stepper.moves()
        order = [k for k, move in enumerate(moves) if move.questions]
        random.Random(f"{of.formula} {of.seed}").shuffle(order)
        order.sort(key=lambda k: _is_plain(moves[k].questions))  # what is worth asking comes first
        asked, count = set[int](), 0
        for k in order:
            if self.questions is None or count + len(moves[k].questions) <= self.questions or not asked:
                asked.add(k)
                count += len(moves[k].questions)
        return tuple(move if k in asked else replace(move, questions=()) for k, move in enumerate(moves))

    @property
    def title(self) -> str:
        """What the summary begins with."""
        first = self.exercises[0]
        if not first.level:
            return "chainrule quiz"
        count = f", {len(self.exercises)} exercises" * (len(self.exercises) > 1)
        return f"chainrule quiz, level {first.level} ({LEVELS[first.level][0]}), seed {first.seed}{count}"

    def run(self, read: Callable[[], str], target: TextIO) -> Score:
        """Ask in a terminal.

        Args:
            read: returns a line of the reader's, and raises EOFError where there is no more.
            target: where questions and verdicts are written; at the end the summary.

        Returns:
            The score.
        """
        score = Score()

        def tell(text: str = "") -> None:
            print(text, file=target, flush=True)

        tell(f"{self.title}\n{HELP}")
        try:
            for k, (of, moves) in enumerate(zip(self.exercises, self.moves, strict=True), 1):
                number = f" {k} of {len(self.exercises)}" * (len(self.exercises) > 1)
                tell(f"\nExercise{number}: {of.task}")
                left = sum(len(move.questions) for move in moves)
                tell(f"{left} questions" if left > 1 else "1 question")
                for move in moves:
                    if not move.questions:
                        tell(f"\n{move.sentence}")
                    for question in move.questions:
                        tell(f"\n{question.text}")
                        _ask(question, of.task, score, read, tell)
                    if move.questions and "sum" in dict(move.facts):
                        tell(dict(move.facts)["sum"])
        except EOFError:
            tell("\nThe quiz has been ended.")
        tell(f"\n{score.summary(self.title)}")
        return score

    def html(self) -> str:
        """Return the quiz as a page that loads nothing: the player, which asks at each step."""
        shown: list[dict[str, Any]] = []
        for of, stepper, moves in zip(self.exercises, self.steppers, self.moves, strict=True):
            graph = contents(stepper.outline, stepper.events, stepper.limit)
            for k, move in zip(graph["views"][0]["moves"], moves, strict=True):
                if not move.questions:
                    graph["moves"][k].pop("questions", None)
            shown.append({"task": of.task, "graph": graph})
        return shell(self.title, "", {"title": self.title, "exercises": shown})

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the quiz as a page.

        Args:
            path: ends in ``.html``.

        Returns:
            The path.

        Raises:
            ValueError: another suffix.
            OSError: the file cannot be written; what was there before is untouched.
        """
        path = Path(path)
        if path.suffix.lower() != ".html":
            raise ValueError(
                f"a quiz is written as a page, so its path must end in '.html', not {path.suffix!r}"
            )
        write_file(path, self.html().encode())
        return path

    def _display_(self) -> Any:
        """Return the page for marimo, whose cells run no script of a text's own."""
        import marimo

        return marimo.iframe(self.html(), height=f"{ROOM}px")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return the page for a notebook."""
        return framed(self.html(), None, repr(self))

    def __repr__(self) -> str:
        """Return a line for consoles."""
        return f"<Quiz: {self.title}; .save() writes a page>"


def _is_plain(questions: Sequence[Question]) -> bool:
    """Tell whether a local derivative is the same number everywhere, as that of a sum."""
    rules = [question.hint.partition(" = ")[2] for question in questions if question.kind == "local"]
    return any(re.fullmatch(r"-?[\d.]+", rule) for rule in rules)


def _ask(
    question: Question, task: str, score: Score, read: Callable[[], str], tell: Callable[[str], None]
) -> None:
    said: list[str] = []
    hinted = False
    while True:
        typed = read().strip()
        if typed in ("q", "quit"):
            raise EOFError
        if typed == "?":
            tell(f"Hint: {question.hint}." if question.hint else "There is no hint to this one.")
            hinted = hinted or bool(question.hint)
            continue
        if typed == "!":
            score.add(task, question, said, right=False, hinted=hinted)
            tell(f"It is {question.shown}.")
            return
        try:
            number = number_in(typed)
        except ValueError as error:
            tell(str(error))
            continue
        said.append(typed)
        if question.is_right(number):
            score.add(task, question, said, right=True, hinted=hinted)
            tell(f"Right: {question.shown}.")
            return
        if len(said) == 2:
            score.add(task, question, said, right=False, hinted=hinted)
            tell(f"You said {typed}; it is {question.shown}.")
            return
        tell(
            f"Not yet. Hint: {question.hint}. Try once more." if question.hint else "Not yet. Try once more."
        )
