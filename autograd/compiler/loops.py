"""A recurrence becomes a loop in the program, forward, and the same loop backward."""

from autograd.compiler.flat import Flat
from autograd.compiler.recurrence import Key, Recurrence
from autograd.compiler.statements import FloatStatement
from autograd.compiler.stores import Column, Memory
from autograd.compiler.symbols import Expression


class Loop:
    """The statements of a recurrence: one body in a ``for``.

    The forward loop keeps every result of every step in a list, which the backward loop reads. In the text,
    ``a3`` is the result of the body's statement 3, ``p3`` the one of the step before, ``u0`` the step's
    number of an outside sequence; ``da3``, ``dp3`` and ``du0`` are their adjoints, all with the loop's name
    before them.

    Args:
        recurrence: the loop.
        flat: the graph.
        memory: where outside nodes are.
    """

    def __init__(self, recurrence: Recurrence, flat: Flat, memory: Memory) -> None:
        self.recurrence = recurrence
        self.memory = memory
        self.writer = memory.writer
        self.name = self.writer.bind_once(self, "loop", lambda: None)
        self.carried = recurrence.carried
        self.length = len(recurrence.steps)
        self.exported: list[int] = []
        self._fixed: list[Expression] = []
        self._reached: set[Key] = set()
        self._active = self._find_active()
        body = recurrence.steps[0]
        self.statements = [
            FloatStatement[Key](("same", j), flat.kinds[node], recurrence.arguments[j], self)
            for j, node in enumerate(body)
        ]

    def export(self, nodes: set[int]) -> None:
        """Learn which nodes of the loop are read outside."""
        exported = set()
        columns = [
            Column(f"{self.name}_kept[{{}}][{len(self.carried) + j}]", f"{self._name('e', j)}[{{}}]")
            for j in range(len(self.statements))
        ]
        for t, step in enumerate(self.recurrence.steps):
            for j, node in enumerate(step):
                if node in nodes:
                    exported.add(j)
                    self.memory.put(node, columns[j], t)
        self.exported = sorted(exported)

    def forward(self) -> None:
        """Write the loop."""
        write, recurrence = self.writer.write, self.recurrence
        self._fixed = [self._local(i, node) for i, node in enumerate(recurrence.fixed)]
        for j in self.carried:
            write(f"{self._name('p', j)} = {self.memory.read_node(recurrence.begin[j]).text}")
        for i, table in enumerate(recurrence.tables):
            write(f"{self._name('us', i)} = {self.memory.read_sequence(table)}")
        write(f"{self.name}_kept = []")
        inputs = [self._name("u", i) for i in range(len(recurrence.tables))]
        head = (
            f"for {', '.join(inputs)} in zip({', '.join(self._name('us', i) for i in range(len(inputs)))}):"
        )
        if len(inputs) < 2:
            head = (
                f"for {inputs[0]} in {self._name('us', 0)}:" if inputs else f"for _ in range({self.length}):"
            )
        with self.writer.indented(head, f"{self.length:,} steps x {len(self.statements)} statements"):
            for statement in self.statements:
                statement.forward()
            write(f"{self.name}_kept.append(({self._kept()}))")
            for j in self.carried:
                write(f"{self._name('p', j)} = {self._name('a', j)}")
        self.memory.found["loops"] += 1

    def begin_adjoints(self) -> None:
        """Write the zeros to which what reads the loop adds."""
        for j in self.exported:
            self.writer.write(f"{self._name('e', j)} = [0.0] * {self.length}")

    def reverse(self) -> None:
        """Write the loop backward, and what it adds to the adjoints of outside nodes."""
        write, recurrence = self.writer.write, self.recurrence
        if not self._active:
            return
        for i, node in enumerate(recurrence.fixed):
            if self.memory.is_active(node):
                write(f"{self._name('df', i)} = 0.0")
        carried = [j for j in self.carried if self.is_active(("before", j))]
        for j in carried:
            write(f"{self._name('dp', j)} = 0.0")
        active = [i for i in range(len(recurrence.tables)) if self.is_active(("table", i))]
        for i in active:
            write(f"{self._name('dus', i)} = []")
        names = [f"({self._kept()})", *(self._name("e", j) + "_t" for j in self.exported)]
        sources = [f"{self.name}_kept", *(self._name("e", j) for j in self.exported)]
        names += [self._name("u", i) for i in range(len(recurrence.tables))]
        sources += [self._name("us", i) for i in range(len(recurrence.tables))]
        sources = [f"reversed({source})" for source in sources]
        head = f"for {', '.join(names)} in zip({', '.join(sources)}):"
        with self.writer.indented(head if len(names) > 1 else f"for {names[0]} in {sources[0]}:"):
            self._reached = set()
            for j in carried:
                self.add_node(("same", j), self._float(self._name("dp", j)))
            for j in filter(lambda j: self.is_active(("same", j)), self.exported):
                self.add_node(("same", j), self._float(self._name("e", j) + "_t"))
            for statement in reversed(self.statements):
                statement.reverse()
            for i in active:
                write(f"{self._name('dus', i)}.append({self._name('du', i)})")
        for i, node in enumerate(recurrence.fixed):
            if self.memory.is_active(node):
                self.memory.add_node(node, self._float(self._name("df", i)))
        for j in carried:
            if self.memory.is_active(recurrence.begin[j]):
                self.memory.add_node(recurrence.begin[j], self._float(self._name("dp", j)))
        for i in active:
            self.memory.add_sequence(recurrence.tables[i], f"{self._name('dus', i)}[::-1]")

    # What the statements of the body ask (see Places).

    def is_active(self, node: Key) -> bool:
        """Tell whether what a key stands for has an adjoint, in any step."""
        return node in self._active

    def _find_active(self) -> set[Key]:
        recurrence, is_active = self.recurrence, self.memory.is_active
        active: set[Key] = {("fixed", i) for i, node in enumerate(recurrence.fixed) if is_active(node)}
        active |= {("table", i) for i, table in enumerate(recurrence.tables) if any(map(is_active, table))}
        for j, nodes in enumerate(zip(recurrence.begin, *recurrence.steps, strict=True)):
            if any(map(is_active, nodes)):
                active |= {("same", j), ("before", j)}
        return active

    def read_node(self, node: Key) -> Expression:
        """Return what a key stands for."""
        kind, i = node
        return self._fixed[i] if kind == "fixed" else self._float(self._name(NAMES[kind], i))

    def add_node(self, node: Key, contribution: Expression) -> None:
        """Write a statement that adds to the adjoint of what a key stands for."""
        kind, i = node
        sign = "+=" if kind == "fixed" or node in self._reached else "="
        self._reached.add(node)
        self.writer.write(f"{self._name('d' + NAMES[kind], i)} {sign} {contribution.text}")

    def adjoint_of(self, node: Key) -> Expression:
        """Return the adjoint of a result of this step."""
        return self._float(self._name("d" + NAMES[node[0]], node[1]))

    def _name(self, letter: str, i: int) -> str:
        return f"{self.name}_{letter}{i}"

    def _kept(self) -> str:
        names = [self._name("p", j) for j in self.carried]
        names += [self._name("a", j) for j in range(len(self.statements))]
        return ", ".join(names) + ","

    def _local(self, i: int, node: int) -> Expression:
        """Return an outside node; an element of a list becomes a variable, which is faster to read."""
        value = self.memory.read_node(node)
        if "[" not in value.text:
            return value
        self.writer.write(f"{self._name('f', i)} = {value.text}")
        return self._float(self._name("f", i))

    def _float(self, text: str) -> Expression:
        return Expression(text, self.writer, array=False)


NAMES = {"same": "a", "before": "p", "fixed": "f", "table": "u"}


def find_exports(flat: Flat, loops: list[Loop]) -> None:
    """Tell every loop which of its nodes are read outside it: by other nodes, or as outputs."""
    if not loops:
        return
    loop_of: dict[int, int] = {}
    for number, loop in enumerate(loops):
        loop_of.update((node, number) for step in loop.recurrence.steps for node in step)
    exports: list[set[int]] = [set() for _ in loops]
    for node in range(len(flat.kinds)):
        if flat.kinds[node] is None:
            continue
        for operand in flat.operands(node):
            if operand in loop_of and loop_of.get(node) != loop_of[operand]:
                exports[loop_of[operand]].add(operand)
    for output in flat.outputs:
        if output in loop_of:
            exports[loop_of[output]].add(output)
    for loop, exported in zip(loops, exports, strict=True):
        loop.export(exported)
