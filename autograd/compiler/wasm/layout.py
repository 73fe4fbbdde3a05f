"""Where things are in the linear memory: the values, the adjoints, and tables of addresses."""

import numpy as np

from autograd.compiler.plan import Index

PAGE = 65536
ANSWER = -1
"""The cell before the values, for an answer that is no number of the program."""
LIMIT = 2**32 - PAGE


class Layout:
    """Places in the linear memory, in bytes.

    Args:
        size: how many cells each memory has.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.values = 64
        # A quarter page apart modulo pages of 4 KiB, lest a value and its adjoint share a line of the cache's
        # sets.
        self.adjoints = self.values + -(-8 * size // 4096) * 4096 + 1024
        self._end = self.adjoints + 8 * size
        self.tables: dict[bytes, int] = {}
        self._of_array: dict[tuple[int, int], tuple[Index, int]] = {}

    def address(self, memory: str, cell: int) -> int:
        """Return the address of a cell."""
        return (self.values if memory == "v" else self.adjoints) + 8 * cell

    def table(self, numbers: Index, scale: int) -> int:
        """Return the address of a table of integers times a scale."""
        found = self._of_array.get((id(numbers), scale))
        if found is None:
            content = np.ascontiguousarray(numbers * scale).astype(np.uint32).tobytes()
            address = self.tables.get(content)
            if address is None:
                address = self.tables[content] = -(-self._end // 16) * 16
                self._end = address + len(content)
            found = self._of_array[id(numbers), scale] = (numbers, address)
        return found[1]

    @property
    def pages(self) -> int:
        """How many pages of 64 KiB the memory has."""
        return -(-self._end // PAGE)
