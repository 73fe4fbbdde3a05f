"""From scalars back to matrices: a recorded graph becomes a short array program.

`compile` takes a graph apart in steps, each a file: `flat` (scalar statements, constants folded, sums
flattened); `structure` (equal computations on different data are one block, matrix products are found);
`recurrence` (loops are found in what is left); then `stores` and `symbols` (how numbers are held and what
text computes with them), `statements`, `loops` and `tape` (forward and reverse, of blocks, loops and the
rest), `listing` (all together); and `program` (feeding, running, reading).
"""

from autograd.compiler.flat import flatten
from autograd.compiler.listing import emit
from autograd.compiler.program import Program
from autograd.compiler.structure import LEAF, lay_out
from autograd.nested import Nested
from autograd.nested import flatten as flatten_nested
from autograd.value import Value, describe

__all__ = ["Program", "compile"]


def compile(  # noqa: A001 - the name that users know from other libraries
    outputs: Nested, inputs: Nested | None = None, *, branches: str = "refuse"
) -> Program:
    """Compile the graph of ``outputs`` to a program that replays it, forward and backward, on new numbers.

    The computations of the graph are kept, but sums may be added up in another order: results agree with the
    recorded ones to rounding, not to the last bit.

    Args:
        outputs: a Value or several, nested in lists, tuples or dicts.
        inputs: the leaves that are read at each run and receive gradients, nested likewise; every other leaf
            is frozen at its recorded number. By default all leaves that are not constants are inputs.
        branches: what to do if the user's program asked a Value for its number (in an ``if``, say, or with
            ``float``) before the graph was complete, so that the graph may depend on the answer: ``"refuse"``
            to compile it, or keep them ``"frozen"`` as they were recorded.

    Returns:
        The program. It holds the leaves, but not the graph.

    Raises:
        TypeError: an output or input is not a Value.
        ValueError: an input is not a leaf or is given twice, or the graph has a branch.

    Example:
        >>> from autograd import Value, compile
        >>> w, x = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
        >>> program = compile(w[0] * x[0] + w[1] * x[1], inputs={"w": w, "x": x})
        >>> program(x=[10.0, 100.0])
        210.0
    """
    roots = _values(outputs, "outputs")
    if branches not in ("refuse", "frozen"):
        raise ValueError(f'branches is "refuse" or "frozen", not {branches!r}')
    if not roots:
        raise ValueError("outputs is empty; compile needs at least one Value")
    variables = None if inputs is None else _values(inputs, "inputs")
    if variables is not None:
        for variable in variables:
            if variable.op is not None:
                raise ValueError(f"inputs are leaves, but {describe(variable)} is computed from other Values")
        if len(set(variables)) < len(variables):
            raise ValueError("inputs has the same Value twice; each is one place in the program's parameters")
    flat = flatten(roots, variables, branches)
    order = None
    if variables is not None:
        node_of = {leaf: node for node, leaf in flat.leaves.items()}
        order = [node_of[variable] for variable in variables]
    layout = lay_out(flat, order)
    leaves = [flat.leaves[node] for node in layout.blocks[LEAF].members.tolist()]
    return Program(emit(flat, layout), outputs, inputs, leaves, flat.size)


def _values(nested: Nested, what: str) -> list[Value]:
    values, _ = flatten_nested(nested)
    for value in values:
        if not isinstance(value, Value):
            raise TypeError(
                f"{what} are Values, nested in lists, tuples or dicts; got {type(value).__name__}"
            )
    return values
