"""Whether a plan that was read from a file is one: it stays within its memory, and its steps fit."""

from collections.abc import Mapping

import numpy as np

from autograd.compiler.plan import Loop, Place, Plan, Statement, places_of, statements_of


def check_plan(plan: Plan) -> None:
    """Refuse a plan that would read or write outside its memory, or overwrite what it is given.

    Raises:
        ValueError: naming the statement.
    """
    _check_cells(plan)
    choices = dict(plan.choices)
    for steps in (plan.forward, plan.reverse):
        for step in steps:
            for statement in statements_of([step]):
                for place in (statement.target, *places_of(statement.expression)):
                    _check_place(place, statement, plan, choices)
                _check_target(statement, plan)
            if isinstance(step, Loop):
                _check_loop(step)


def _check_cells(plan: Plan) -> None:
    """Refuse parts of the memory that are not in it, or not in their order."""
    constants = plan.size - len(plan.constants)
    if not plan.parameters <= plan.fixed <= plan.fixed + plan.data <= constants:
        raise ValueError(f"parameters, data and constants do not fit into {plan.size} cells")
    for region in plan.regions:
        if region.stop > plan.size:
            raise ValueError(f"{region.name!r} ends outside the {plan.size} cells")
    for start, stop in plan.cleared:
        if not start <= stop <= plan.size:
            raise ValueError(f"cells {start} to {stop} are outside the {plan.size} cells")
    for address in plan.outputs:
        if address >= plan.size:
            raise ValueError(f"address {address} is outside the {plan.size} cells")
    for address, count in plan.choices:
        if not (address < plan.parameters or 0 <= address - plan.fixed < plan.data) or not count:
            raise ValueError(f"address {address} is no parameter or datum that chooses among {count} items")


def _check_target(statement: Statement, plan: Plan) -> None:
    target, kept = statement.target, len(statement.shape) - statement.summed
    if kept < 0:
        raise ValueError(f"{statement.name!r} is summed over more axes than it has")
    if any(target.strides[kept:]) or (target.table is not None and target.table.ndim > kept):
        raise ValueError(f"the target of {statement.name!r} moves along an axis that is summed over")
    if target.memory == "v":
        written = target.addresses(statement.shape)
        given = (written < plan.parameters) | (written >= plan.size - len(plan.constants))
        if (given | ((written >= plan.fixed) & (written < plan.fixed + plan.data))).any():
            raise ValueError(f"{statement.name!r} writes to parameters, data or constants")


def _check_place(place: Place, statement: Statement, plan: Plan, choices: Mapping[int, int]) -> None:
    if place.memory not in ("v", "d") or len(place.strides) != len(statement.shape):
        raise ValueError(f"a place of {statement.name!r} does not fit its statement")
    if place.table is not None and place.table.shape != statement.shape[: place.table.ndim]:
        raise ValueError(f"a table of {statement.name!r} has another shape than its statement")
    addresses = place.addresses(statement.shape)
    reach = 0
    if place.choice is not None:
        counts = {choices.get(int(a), 0) for a in np.unique(place.choice.addresses(statement.shape))}
        if 0 in counts:
            raise ValueError(f"a choice of {statement.name!r} is read from what is no index")
        reach = place.step * (max(counts) - 1)
    if addresses.size:
        low = int(addresses.min()) + min(reach, 0)
        high = int(addresses.max()) + max(reach, 0)
        if low < 0 or high >= plan.size:
            raise ValueError(f"{statement.name!r} reaches cells {low} to {high} of {plan.size}")


def _check_loop(loop: Loop) -> None:
    for statement, starts in zip(loop.body, loop.starts, strict=True):
        rows = statement.shape[0] if statement.shape else 0
        if starts is None:
            fits = rows == loop.length
        else:
            rises = bool((np.diff(starts) >= 0).all())
            fits = len(starts) == loop.length + 1 and starts[0] >= 0 and starts[-1] <= rows and rises
        if not fits:
            raise ValueError(f"the steps of {statement.name!r} do not fit its loop")
