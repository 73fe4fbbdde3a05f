"""Formulas as LaTeX writes them."""

import math
import re
from collections.abc import Sequence
from typing import Any

from autograd import ops, real
from autograd.formula import Formula
from autograd.notation.printing import ATOM, BINDING, Printer, is_comparison
from autograd.row import Operation
from autograd.text import format_number

_SMALL = """
    alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi o pi rho varsigma sigma tau
    upsilon varphi chi psi omega
"""
_CAPITAL = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK = {
    letter: name if name == "o" else rf"\{name}"
    for letters, names in (("αβγδεζηθικλμνξοπρςστυφχψω", _SMALL), ("ΓΔΘΛΞΠΣΥΦΨΩ", _CAPITAL))
    for letter, name in zip(letters, names.split(), strict=True)
}
"""Greek letters, which LaTeX knows by name only."""

_RELATIONS = {">=": r"\ge", "<=": r"\le", "*": r"\cdot"}
ESCAPES = {ord(c): rf"\{c}" for c in "{}$&#_%"} | {
    ord("\\"): r"\backslash ",
    ord("^"): r"\wedge ",
    ord("~"): r"\sim ",
    ord(" "): r"\ ",
}
ESCAPES |= {ord(letter): f"{command} " for letter, command in GREEK.items()}
"""How mathematics writes a character of a name."""
_FUNCTIONS = {name: rf"\{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")}
_FUNCTIONS |= {name: rf"\arc{name[1:]}" for name in ("asin", "acos", "atan")}
_FUNCTIONS |= {name: rf"\operatorname{{ar{name[1:]}}}" for name in ("asinh", "acosh", "atanh")}
_FUNCTIONS |= {"log": r"\ln", "log2": r"\log_{2}", "log10": r"\log_{10}", "sign": r"\operatorname{sgn}"}
_LETTERS = {"sigmoid": r"\sigma", "normal_cdf": r"\Phi", "normal_pdf": r"\varphi"}
_LETTERS |= {"maximum": r"\max", "minimum": r"\min"}
"""What mathematics calls a row, before an argument that may stand bare, or must be in parentheses. Any other
row is written with its own name, upright."""
_CONSTANTS = {
    math.pi: r"\pi",
    real.LOG_2: r"\ln 2",
    real.LOG2_E: r"\frac{1}{\ln 2}",
    real.LOG_10: r"\ln 10",
    real.LOG10_E: r"\frac{1}{\ln 10}",
    real.TWO_OVER_SQRT_PI: r"\frac{2}{\sqrt{\pi}}",
    real.INV_SQRT_TWO_PI: r"\frac{1}{\sqrt{2 \pi}}",
}


def variable(name: str) -> str:
    r"""Return a letter, with or without a number, as mathematics; nothing for another name.

    Example:
        >>> print(variable("w0"), variable("θ"), variable("λ_1"))
        w_{0} \theta \lambda_{1}
    """
    match = re.fullmatch(rf"([A-Za-z{''.join(GREEK)}])_?(\d*)", name)
    if not match:
        return ""
    letter = GREEK.get(match[1], match[1])
    return f"{letter}_{{{match[2]}}}" if match[2] else letter


class Latex(Printer):
    """Formulas as LaTeX writes them."""

    def number(self, x: float) -> str:
        """Return a number; ``1e-07`` as a power of ten."""
        text = format_number(x).replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
        mantissa, e, exponent = text.partition("e")
        return rf"{mantissa} \times 10^{{{int(exponent)}}}" if e else text

    def name(self, name: str) -> str:
        """Return ``w_{0}`` for ``w0``, a single letter as it is, and a word upright."""
        if known := variable(name):
            return known
        if re.fullmatch(r"-?[\d.]+(e[+-]\d+)?", name):  # a constant is called by its number
            return self.number(float(name))
        return rf"\mathrm{{{name.translate(ESCAPES)}}}"

    def constant(self, x: float) -> str:
        r"""Return what a well-known number in a rule is called, such as ``\ln 2``."""
        return _CONSTANTS.get(x) or (f"-{_CONSTANTS[-x]}" if -x in _CONSTANTS else "")

    def infix(self, symbol: str) -> str:
        """Return the operator between two gaps."""
        return f" {_RELATIONS.get(symbol, symbol)} "

    def enclose(self, text: str, needed: bool) -> str:
        """Put parentheses of the text's height around it."""
        if not needed:
            return text
        return rf"\left({text}\right)" if re.search(r"\\(frac|sqrt|begin)", text) else f"({text})"

    def call(self, row: Operation, arguments: Sequence[str]) -> str:
        """Return a call, with the name that mathematics has for the function."""
        known = _FUNCTIONS | _LETTERS if ops.TABLE.get(row.name) is row else {}
        name = known.get(row.name, rf"\operatorname{{{row.name.translate(ESCAPES)}}}")
        return name + self.enclose(", ".join(arguments), needed=True)

    def special(self, formula: Formula, parts: Sequence[tuple[str, int]]) -> tuple[str, int] | None:
        """Return fractions, powers, roots, choices, and functions of a single letter or number."""
        row, texts = formula.operation, [text for text, _ in parts]
        if row is ops.div:
            return rf"\frac{{{texts[0]}}}{{{texts[1]}}}", ATOM
        if row is ops.pow:
            base = self.enclose(texts[0], parts[0][1] < ATOM or "frac" in texts[0])
            return f"{base}^{{{texts[1]}}}", BINDING["**"]
        if row is ops.exp:
            return f"e^{{{texts[0]}}}", BINDING["**"]
        if row is ops.exp2:
            return f"2^{{{texts[0]}}}", BINDING["**"]
        if row is ops.sqrt:
            return rf"\sqrt{{{texts[0]}}}", ATOM
        if row is ops.cbrt:
            return rf"\sqrt[3]{{{texts[0]}}}", ATOM
        if row is ops.abs:
            return rf"\left|{texts[0]}\right|", ATOM
        if row is ops.where:
            test = self._test(formula.arguments[0], texts[0])
            if [*formula.arguments[1:]] == [1.0, 0.0]:
                return rf"\mathbf{{1}}[{test}]", ATOM
            cases = rf"{texts[1]} & \text{{if }} {test} \\ {texts[2]} & \text{{otherwise}}"
            return rf"\begin{{cases}} {cases} \end{{cases}}", ATOM
        if is_comparison(row):  # bold, since LaTeX's \mathbb has no digits and sets another sign
            return rf"\mathbf{{1}}[{self.comparison(formula, parts)}]", ATOM
        if row is not None and row.name in _FUNCTIONS and ops.TABLE.get(row.name) is row:
            bare = re.fullmatch(r"[A-Za-z\d.]+(_\{\d+\})?", texts[0])
            return (f"{_FUNCTIONS[row.name]} {texts[0]}", BINDING["**"]) if bare else None
        return None

    @staticmethod
    def _test(condition: Any, text: str) -> str:
        asked = isinstance(condition, Formula) and is_comparison(condition.operation)
        return text.removeprefix(r"\mathbf{1}[").removesuffix("]") if asked else rf"{text} \ne 0"
