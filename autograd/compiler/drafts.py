"""Statements on the way to a plan: what they read and write, and what a loop need not do step by step."""

from collections import Counter
from dataclasses import dataclass

from autograd.compiler.plan import Index, Place, Statement

Families = frozenset[int]


PARAMETERS = -1


@dataclass(frozen=True)
class Source:
    """Where a place is: in the cells of some families, and whether these have adjoints."""

    families: Families
    active: bool


@dataclass(frozen=True, eq=False)
class Draft:
    """A statement, with what it has to do with others.

    Attributes:
        statement: the statement.
        starts: the bounds of its slices in a loop of unequal steps (see ``plan.Loop``).
        sources: what the places of values that it reads are.
        writes: the families whose cells (of values, or of adjoints in a reverse pass) it writes; `PARAMETERS`
            if these are the parameters.
        reads: those whose cells it reads, in the same memory.
    """

    statement: Statement
    starts: Index | None
    sources: dict[Place, Source]
    writes: Families
    reads: Families


@dataclass(eq=False)
class LoopDraft:
    """Drafts that are run step by step."""

    body: list[Draft]
    length: int
    backward: bool = False


def hoist(loop: LoopDraft) -> list[Draft | LoopDraft]:
    """Take out of a loop what can be done for all steps at once, before it or after it.

    Before it goes what reads nothing that the loop computes, after it what nothing in the loop reads.
    """
    body = loop.body
    before: list[Draft] = []
    after: list[Draft] = []
    size = len(body) + 1
    while len(body) < size:
        size = len(body)
        written = frozenset[int]().union(*(draft.writes for draft in body))
        staying: list[Draft] = []
        begun: set[int] = set()  # families to which something that stays has begun to add
        for draft in body:
            if draft.reads.isdisjoint(written) and begun.isdisjoint(draft.writes):
                before.append(draft)
            else:
                staying.append(draft)
                begun |= draft.writes
        body, staying = staying, []
        readers = Counter(family for draft in body for family in draft.reads)
        ended: set[int] = set()
        for draft in reversed(body):
            if not any(readers[family] for family in draft.writes) and ended.isdisjoint(draft.writes):
                after.insert(0, draft)
                readers.subtract(draft.reads)
            else:
                staying.insert(0, draft)
                ended |= draft.writes
        body = staying
    middle = [LoopDraft(body, loop.length, loop.backward)] if body else []
    return [*before, *middle, *after]
