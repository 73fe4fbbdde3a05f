"""A reader of the formulas that ``Program.latex`` writes: it computes what they say, point by point.

Of the program it knows only where the elements of each named array are in the memories.
"""

import itertools
import operator
import re
from typing import Any

import numpy as np

import autograd

FUNCTIONS = {r"\ln": "log", r"\sigma": "sigmoid", r"\Phi": "normal_cdf", r"\varphi": "normal_pdf"}
FUNCTIONS |= {rf"\{name}": name for name in ("sin", "cos", "tan", "tanh", "sqrt")}
FUNCTIONS |= {rf"\arc{name}": f"a{name}" for name in ("sin", "cos", "tan")}
FUNCTIONS |= {r"\max": "maximum", r"\min": "minimum"}
RELATIONS = {
    "<": np.less,
    ">": np.greater,
    r"\le": np.less_equal,
    r"\ge": np.greater_equal,
    r"\ne": np.not_equal,
}
NAME = r"(?:\\mathbf\{v\}|\\bar\{(?:\\\w+\{\w+\}|\\\w+|\w)\}|\\mathrm\{\w+\}|\\theta|[A-Za-z])"
ENDS = (
    "+",
    "-",
    ")",
    "]",
    "}",
    "&",
    ",",
    "<",
    ">",
    r"\right",
    r"\le ",
    r"\ge",
    r"\ne",
    r"\\",
    r"\text",
    r"\end",
)


def rows(text):
    """Return the rows of an aligned block."""
    text = text.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
    return [row for row in text.split(" \\\\\n") if row.strip()]


class Formula:
    """The right side of a row as functions of a point, which maps the names of indices to numbers."""

    def __init__(self, text, reader, *, is_index=False):
        self.text, self.at, self.reader, self.is_index = text, 0, reader, is_index

    def skip(self):
        self.at = re.compile(r"( |\\,|\\;)*").match(self.text, self.at).end()

    def take(self, token):
        self.skip()
        found = self.text.startswith(token, self.at)
        self.at += len(token) * found
        return found

    def match(self, pattern):
        self.skip()
        found = re.compile(pattern).match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found

    def group(self):
        """Return what is in the braces that begin here."""
        assert self.take("{"), self.text[self.at :]
        depth, start = 1, self.at
        while depth:
            depth += {"{": 1, "}": -1}.get(self.text[self.at], 0)
            self.at += 1
        return self.text[start : self.at - 1]

    def inner(self, text, *, is_index=False):
        return Formula(text, self.reader, is_index=is_index).whole()

    def whole(self):
        found = self.expression()
        self.skip()
        assert self.at == len(self.text), self.text[self.at :]
        return found

    def expression(self):
        total = self.term()
        while True:
            if self.take("+"):
                total = (lambda a, b: lambda p: a(p) + b(p))(total, self.term())
            elif self.take("-"):
                total = (lambda a, b: lambda p: a(p) - b(p))(total, self.term())
            else:
                return total

    def term(self):
        product = self.factor()
        while True:
            if self.take(r"\cdot") or self.take(r"\odot"):
                product = (lambda a, b: lambda p: a(p) * b(p))(product, self.factor())
                continue
            self.skip()
            if self.at == len(self.text) or self.text.startswith(ENDS, self.at):
                return product
            product = (lambda a, b: lambda p: multiplied(a(p), b(p)))(product, self.factor())

    def factor(self):
        if self.take("-"):
            negated = self.factor()
            return lambda p: -negated(p)
        if self.take(r"\sum_"):
            return self.sum()
        base = self.atom()
        while self.take("^"):
            exponent = self.inner(self.group())
            base = (lambda a, b: lambda p: autograd.pow(a(p), b(p)))(base, exponent)
        return base

    def sum(self):
        below = self.group()
        name, _, low = below.partition("=")
        if not low:  # of listed combinations, which are gone through one by one
            return self.term()
        assert self.take("^")
        first, last = (self.inner(end, is_index=True) for end in (low, self.group()))
        body = self.term()
        return lambda p: sum(body(p | {name: k}) for k in range(int(first(p)), int(last(p)) + 1))

    def atom(self):
        if number := self.match(r"\d+(\.\d+)?"):
            return lambda _: float(number[0])
        if self.take(r"\infty"):
            return lambda _: np.inf
        if self.take(r"\mathbf{1}["):
            a, sign, b = self.expression(), self.match(r"<|>|\\le|\\ge|\\ne")[0], self.expression()
            assert self.take("]")
            return lambda p: RELATIONS[sign](a(p), b(p)) * 1.0
        if self.take(r"\mathbf{1}"):
            self.take(r"^\top")
            return lambda _: ONES
        if self.take(r"\frac"):
            a, b = self.inner(self.group()), self.inner(self.group())
            return lambda p: autograd.div(a(p), b(p))
        if self.take("e^"):
            power = self.inner(self.group())
            return lambda p: autograd.exp(power(p))
        if self.take(r"\sqrt"):
            root = self.inner(self.group())
            return lambda p: autograd.sqrt(root(p))
        if self.take(r"\left["):
            product = self.expression()
            assert self.take(r"\right]_")
            names = list(self.group())
            return lambda p: product(p)[tuple(p[name] - 1 for name in names)]
        if self.take(r"\left|"):
            absolute = self.expression()
            assert self.take(r"\right|")
            return lambda p: np.abs(absolute(p))
        if self.take(r"\begin{cases}"):
            return self.cases()
        if named := self.match(rf"\(({NAME}(?:_\{{[\w,\\{{}}]+?\}})?)\)(?=\^\{{\([^()]*\)\}}|_\{{)"):
            return self.array(named[1])
        if self.take(r"\left(") or self.take("("):
            inside = self.expression()
            self.take(r"\right")
            assert self.take(")"), self.text[self.at :]
            return inside
        if self.take(r"\operatorname{sgn}"):
            return self.call("sign")
        if function := self.match(r"\\operatorname\{([\w\\]+)\}"):
            return self.call(function[1].replace("\\", ""))
        for token, name in FUNCTIONS.items():
            if self.match(re.escape(token) + r"(?![a-z])"):
                return self.call(name)
        named = self.match(NAME)
        assert named, self.text[self.at :]
        name = named[0]
        if (
            sub := re.compile(r"_\{([^{}]+|\\mathrm\{\w+\})\}").match(self.text, self.at)
        ) and self.reader.knows(name + sub[0]):
            self.at, name = sub.end(), name + sub[0]
        elif (
            name.isalpha()
            and name.islower()
            and (not self.reader.knows(name) or (self.is_index and not self.text.startswith("_", self.at)))
        ):
            return lambda p: p[name]
        return self.array(name)

    def call(self, name):
        row = getattr(autograd, name)
        if not (self.take(r"\left(") or self.take("(")):
            argument = self.factor()
            return lambda p: row(argument(p))
        arguments = [self.expression()]
        while self.take(","):
            arguments.append(self.expression())
        self.take(r"\right")
        assert self.take(")"), self.text[self.at :]
        return lambda p: row(*(argument(p) for argument in arguments))

    def cases(self):
        chosen = self.expression()
        assert self.take("&")
        assert self.take(r"\text{if }")
        test = self.expression()
        assert self.take(r"\ne 0")
        assert self.take(r"\\")
        other = self.expression()
        assert self.take(r"& \text{otherwise} \end{cases}")
        return lambda p: autograd.where(test(p), chosen(p), other(p))

    def array(self, name):
        """Read the indices of a name, and return what it stands for."""
        above, turned, below = [], False, []
        while self.match(r"\^(?=\{\([^()]*\)(\\top)?\}|\\top)"):  # else it is a power
            text = self.group() if self.text.startswith("{", self.at) else self.match(r"\\top")[0]
            turned |= text.endswith(r"\top")
            if text.startswith("("):
                text = text[1 : text.index(")")]
                above = [self.inner(part, is_index=True) for part in text.split(",")]
        if self.take("_"):
            below = self.indices(
                self.group(), self.reader.rank(name) - len(above) * (not self.reader.cut(name))
            )
        self.access = name, above, below
        reader = self.reader

        def read(point):
            cells = reader.cells(name, above, below, point)
            memory = reader.d if name.startswith(r"\bar") else reader.v
            assert not below or (cells >= 0).all(), (self.text, point)
            found = np.where(cells >= 0, memory[cells], 0.0)  # what a triangle has not is 0
            if turned:
                return found[None, :] if found.ndim == 1 else found.T
            return found if found.ndim else float(found)

        return read

    def indices(self, text, rank=0):
        """Return the indices in a text: apart by commas, or a letter or digit each."""
        parts = text.split(r",\,") if "," in text else list(text) if rank == len(text) > 1 else [text]
        return [self.inner(re.sub(r"(\d)([a-z])", r"\1 \2", part), is_index=True) for part in parts]


ONES = object()
HOLDS = {"<": operator.lt, r"\le": operator.le, "=": operator.eq}


def multiplied(a, b):
    """Return a product of numbers, matrices, columns, and rows of shape (1, n)."""
    if a is ONES or b is ONES:
        if a is b:
            return 1.0
        other = b if a is ONES else a
        if np.ndim(other) == 0:
            return other
        if a is ONES:  # the same row for all rows
            return other
        return other[:, None] if other.ndim == 1 else other.sum(axis=1) if len(other) > 1 else other.sum()
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    product = a @ (b[:, None] if a.ndim == 1 and b.ndim == 1 else b) if a.ndim > 1 else np.outer(a, b)
    return float(product[0]) if product.shape == (1,) else product


class Reader:
    """Runs the formulas of a program.

    Args:
        text: an aligned block.
        addresses: for each name an array of addresses, with -1 where there is no element.
        v: the memory of values, with what is given.

    Attributes:
        v: the values.
        d: the adjoints.
    """

    def __init__(self, text, addresses, v):
        self.addresses, self.v, self.d = addresses, v, np.zeros_like(v)
        self.blocks, self.sets = {}, {}
        legend, _, rest = text.partition("& \\textbf{forward} \\\\\n")
        forward, _, backward = rest.partition("& \\textbf{backward} \\\\\n")
        for row in rows(legend):
            name, _, right = row.partition(" &= ")
            if right.startswith(r"\left["):
                self.blocks[name] = int(re.findall(r"\^\{\((\d+)\)\}", right)[-1]), ";\\; \\dots;" in right
            if right.startswith(r"\{"):
                self.sets[name] = eval("[" + right[2 : right.rindex("\\}")] + "]")
        for part in (forward, backward):
            lines = rows(part)
            while lines:
                line = lines.pop(0)
                if not (loop := re.match(r"& \\text\{for \} t = (\d+), \\dots, (\d+):", line)):
                    self.run(line, {})
                    continue
                body = []
                while lines and lines[0].startswith(r"\quad"):
                    body.append(lines.pop(0).removeprefix(r"\quad "))
                first, last = map(int, loop.groups())
                for t in range(first, last + 1) if first <= last else range(first, last - 1, -1):
                    for line in body:
                        self.run(line, {"t": t})

    def knows(self, name):
        """Tell whether a name is that of an array."""
        return unbarred(name) in self.addresses

    def rank(self, name):
        """Return how many coordinates an array has."""
        return self.addresses[unbarred(name)].ndim

    def cut(self, name):
        """Tell whether an array is cut into blocks, which an upper index counts."""
        return unbarred(name) in self.blocks

    def cells(self, name, above, below, point):
        """Return the addresses of an element, a block, or a whole array."""
        cells = self.addresses[unbarred(name)]
        given = [int(f(point)) for f in (*above, *below)]
        if above and self.cut(name):
            count, by_rows = self.blocks[unbarred(name)]
            assert 1 <= given[0] <= count
            cells = np.split(cells, count, axis=0 if by_rows else -1)[given.pop(0) - 1]
        for k in given:
            assert cells.ndim, name
            assert 1 <= k <= len(cells), (name, given)
            cells = cells[k - 1]
        return cells

    def run(self, line, known):
        """Do what a row says."""
        left, sign, right = re.fullmatch(r"(.*?) &(=|\\mathrel\{\+\}=) (.*)", line, re.S).groups()
        right = re.sub(r" \\qquad \{\\scriptstyle [^}]*\}$", "", right)
        right, _, where = right.partition(r" \qquad (")
        where = where.removesuffix(")")
        value = Formula(right.partition(r" = \operatorname{softmax}")[0], self).whole()
        target = Formula(left, self)
        target.whole()
        name, above, below = target.access
        memory = self.d if name.startswith(r"\bar") else self.v
        results = {}
        for point in self.points(left, name, bool(below), where, known):
            try:
                cells = self.cells(name, above, below, point)
            except AssertionError:
                continue
            if not below:
                found = np.broadcast_to(value(point), cells.shape)
                pairs = [*zip(cells.ravel().tolist(), found.ravel().tolist(), strict=True)]
            else:
                pairs = [(int(cells), float(value(point)) if cells >= 0 else 0.0)]
            for address, result in pairs:
                if address >= 0:
                    results[address] = results.get(address, 0.0) + result
        assert results or known, line  # in a loop there may be conditions on the step
        for address, result in results.items():
            memory[address] = result + (memory[address] if "+" in sign else 0.0)

    def points(self, left, name, indexed, where, known):
        """Yield the points at which a row is to be computed."""
        symbols = re.sub(r"_\{\w\}", "", left) if not indexed else left
        after = symbols[re.match(rf"\(?{NAME}", symbols).end() :]
        letters = re.findall(r"[a-z]", re.sub(r"\\\w+(\{\w+\})?|_\{\d\}", " ", after))
        letters = [s for s in dict.fromkeys(letters) if s not in known]
        listed, names = [()], []
        if chosen := re.search(r"\(([a-z,]+)\) \\in (D_\{\d+\})", where):
            names, listed = chosen[1].split(","), self.sets[chosen[2]]
            where = where.replace(chosen[0], "")
        rest = [s for s in letters if s not in names]
        limit = max(self.addresses[unbarred(name)].shape, default=1)
        ends = {
            symbol: int(end) for symbol, end in re.findall(r"(?<![+\w])([a-z]) \\le (\d+)(?![a-z])", where)
        }
        tests: list[Any] = [re.split(r" (\\le|<|=) ", test) for test in where.split(r",\;") if test.strip()]
        tests = [
            tuple(
                Formula(side.strip(), self, is_index=True).whole() if side not in HOLDS else side
                for side in test
            )
            for test in tests
        ]
        for item in listed:
            point = known | dict(zip(names, item if isinstance(item, tuple) else (item,), strict=True))
            if any(point[s] != known[s] for s in known):
                continue
            for values in itertools.product(*(range(1, ends.get(symbol, limit) + 1) for symbol in rest)):
                full = point | dict(zip(rest, values, strict=True))
                if all(HOLDS[sign](a(full), b(full)) for a, sign, b in tests):
                    yield full


def unbarred(name):
    """Return the name of the array whose adjoint a name is."""
    return re.sub(r"^\\bar\{((?:\\\w+\{\w+\}|\\\w+|\w))\}", r"\1", name)
