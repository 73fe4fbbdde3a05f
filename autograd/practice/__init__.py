"""Practice: random exercises, quizzes about any graph, and worksheets on paper."""

from autograd.practice.exercises import LEVELS, Exercise, exercise
from autograd.practice.quizzes import Quiz, quiz
from autograd.practice.score import Score
from autograd.practice.worksheets import Worksheet, worksheet

__all__ = ["LEVELS", "Exercise", "Quiz", "Score", "Worksheet", "exercise", "quiz", "worksheet"]
