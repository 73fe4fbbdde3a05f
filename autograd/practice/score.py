"""The score of a quiz, and its summary. The page keeps the same one, see quiz.js in autograd/stepping."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from autograd.stepping.asking import Question


@dataclass
class Score:
    """What was answered: a point for the first answer, half a point for the second or after a hint.

    Example:
        >>> score = Score()
        >>> question = Question("value", "f = x*y = ?", 6.0)
        >>> score.add("f = x*y at x = 2, y = 3", question, ["5", "6"], right=True)
        0.5
        >>> print(score.summary("a quiz"))
        a quiz
        0.5 of 1 points, 50 %
        <BLANKLINE>
        f = x*y at x = 2, y = 3
        0.5  f = x*y = 6  [said 5, then 6]
    """

    results: list[tuple[str, float, str]] = field(default_factory=list)
    """For each question the exercise, the points, and the line of the summary."""

    def add(
        self, task: str, question: Question, said: Sequence[str], *, right: bool, hinted: bool = False
    ) -> float:
        """Enter what was said to a question, and return the points.

        Args:
            task: the exercise.
            question: it.
            said: the answers, in turn; none if the number was shown at once.
            right: whether the last of them was right.
            hinted: whether the hint was asked for before it.
        """
        points = 0.0 if not right else 0.5 if len(said) > 1 or hinted else 1.0
        told = question.text.replace("= ?", f"= {question.shown}", 1)
        notes = [f"said {', then '.join(said)}"] if len(said) > 1 or (said and not points) else []
        notes += ["with the hint"] * hinted + ["shown"] * (not said)
        line = f"{points:<3g}  {told}" + f"  [{'; '.join(notes)}]" * bool(notes)
        self.results.append((task, points, line))
        return points

    @property
    def points(self) -> float:
        """All points so far."""
        return sum(points for _, points, _ in self.results)

    def summary(self, title: str) -> str:
        """Return the score and a line for each question, to be pasted elsewhere."""
        count = len(self.results)
        share = f", {int(100 * self.points / count + 0.5)} %" if count else ""
        lines = [title, f"{self.points:g} of {count} points{share}"]
        task = ""
        for of, _, line in self.results:
            if of != task:
                lines += ["", of]
                task = of
            lines.append(line)
        return "\n".join(lines)
