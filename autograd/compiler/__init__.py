"""From scalars back to matrices: a recorded graph becomes a short array program.

`compile` takes a graph apart in steps, each a file: `flat` (scalar statements, constants folded, sums
flattened); `families` (equal computations on different data are one, and loops are found), `agenda` (what has
no structure); `carry`, `cells`, `axes`, `drafts` and `lowering` (where every number lies, and what is evenly
spaced); `adjoint` (the reverse pass); `assembly` (all together). The result is a `plan`, a program as data.
An `engine` runs it, and `program` is what the user holds: feeding, running, reading.
"""

from autograd.collector import collector_paused
from autograd.compiler.assembly import make_plan
from autograd.compiler.engine import require_engine
from autograd.compiler.flat import flatten
from autograd.compiler.jitting import jit
from autograd.compiler.program import Program, load_program
from autograd.compiler.saving import ProgramFileError
from autograd.nested import Nested
from autograd.nested import flatten as flatten_nested
from autograd.text import describe
from autograd.value import Value

__all__ = ["Program", "ProgramFileError", "compile", "jit", "load_program"]


@collector_paused()
def compile(  # noqa: A001 - the name that users know from other libraries
    outputs: Nested,
    inputs: Nested | None = None,
    *,
    data: Nested = (),
    branches: str = "refuse",
    aux: Nested = (),
    engine: str = "auto",
) -> Program:
    """Compile the graph of ``outputs`` to a program that replays it, forward and backward, on new numbers.

    The computations of the graph are kept, but sums may be added up in another order: results agree with the
    recorded ones to rounding, not to the last bit. What appears twice is computed once; at a pole, where the
    recorded gradient is inf - inf = nan, that may give inf, or 0 if what is sent to it adds up to 0, as in
    ``sqrt(x) - sqrt(x)`` at 0. A sum whose terms overflow on the way may be nan in one order and not in
    another, and a sum that is zero may have the other sign.

    Args:
        outputs: a Value or several, nested in lists, tuples or dicts.
        inputs: the leaves that are read at each run and receive gradients, nested likewise; every other leaf
            is frozen at its present number. By default all leaves that are not constants are inputs.
        data: leaves that are read at each run, but receive no gradient, nested likewise: the points and
            targets of a mini-batch.
        branches: what to do if the user's program asked a Value of the graph for its number (in an ``if``,
            say, or with ``float``), or one computed beside it from the same Values, so that the graph may
            depend on the answer: ``"refuse"`` to compile it, or keep the branches ``"frozen"`` as they were
            recorded. A ``float`` of the only output is taken for a mere look. Some branches leave no trace
            and are always frozen: one on the attribute ``data`` or on a number that ``detach`` or
            ``no_grad`` cut off; one on an expression beside the graph that has more than 32 operations
            between the two; and one on any beside it, if ``data`` was assigned before it was recorded.

        aux: Values that are computed along with the outputs and can be read as ``program.aux``, nested
            likewise, but are not differentiated: the scores behind a loss, say.
        engine: what runs the program: ``"wasm"``, machine code through WebAssembly, the same on every
            machine to the last bit but for matrix products that are large; ``"numpy"``; or ``"auto"`` for
            machine code where it can be had. `Program.summary` says what runs it and why.

    Returns:
        The program. It holds the leaves, but not the graph.

    Raises:
        TypeError: an output, input or datum is not a Value.
        ValueError: an input or datum is not a leaf or is given twice, or the graph has a branch.
        CannotStartError: ``engine`` is ``"wasm"``, and that cannot be had.

    Example:
        >>> from autograd import Value, compile
        >>> w, x = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
        >>> program = compile(w[0] * x[0] + w[1] * x[1], inputs=w, data={"x": x})
        >>> program(x=[10.0, 100.0])
        210.0
        >>> program.gradients.tolist()
        [10.0, 100.0]
    """
    roots, besides = _values(outputs, "outputs"), _values(aux, "aux")
    if branches not in ("refuse", "frozen"):
        raise ValueError(f'branches is "refuse" or "frozen", not {branches!r}')
    require_engine(engine)
    if not roots:
        raise ValueError("outputs is empty; compile needs at least one Value")
    read = _leaves(data, "data")
    variables = None if inputs is None else _leaves(inputs, "inputs")
    if not set(read).isdisjoint(variables or ()):
        raise ValueError("the same Value is in inputs and in data; a leaf has a gradient or it has none")
    flat = flatten(roots, variables, read, branches, besides)
    node_of = {leaf: node for node, leaf in flat.leaves.items()}
    order = None if variables is None else [node_of[variable] for variable in variables]
    plan, nodes = make_plan(flat, order, [node_of[leaf] for leaf in read], len(roots))
    leaves = [flat.leaves[node] for node in nodes]
    return Program(plan, outputs, aux, inputs, data, leaves, flat.size, engine)


def _leaves(nested: Nested, what: str) -> list[Value]:
    leaves = _values(nested, what)
    for leaf in leaves:
        if leaf.op is not None:
            raise ValueError(f"{what} are leaves, but {describe(leaf)} is computed from other Values")
    if len(set(leaves)) < len(leaves):
        raise ValueError(f"{what} has the same Value twice; each is one place in the program's arrays")
    return leaves


def _values(nested: Nested, what: str) -> list[Value]:
    values, _ = flatten_nested(nested)
    for value in values:
        if not isinstance(value, Value):
            raise TypeError(
                f"{what} are Values, nested in lists, tuples or dicts; got {type(value).__name__}"
            )
    return values
