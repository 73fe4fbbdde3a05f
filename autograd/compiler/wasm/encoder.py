"""The binary form of WebAssembly: an assembler for modules and for the bodies of their functions.

Only what the generator needs is here: numbers of 32 bits for addresses, doubles, pairs of doubles (``v128``),
loops, and one memory, which is imported. The names are those of the specification
(https://webassembly.github.io/spec/core/binary/).
"""

import re
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache

from autograd.compiler.wasm.trace import LIBRARY

I32, F64, V128 = 0x7F, 0x7C, 0x7B
"""The types of locals, parameters and results."""

VOID = 0x40
"""The type of a block without result."""


@lru_cache(1 << 16)
def unsigned(number: int) -> bytes:
    """Return an unsigned number in LEB128."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


@lru_cache(1 << 12)
def _padded(number: int) -> bytes:
    """Return an unsigned number in LEB128 of five bytes."""
    return bytes(number >> 7 * i & 0x7F | (0x80 if i < 4 else 0) for i in range(5))


@lru_cache(1 << 12)
def signed(number: int) -> bytes:
    """Return a signed number in LEB128."""
    out = bytearray()
    while not -0x40 <= number < 0x40:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number & 0x7F)
    return bytes(out)


class _Immediates(dict[int, bytes]):
    """An instruction by its immediate; each is encoded once."""

    def __init__(self, code: bytes) -> None:
        super().__init__()
        self._code = code

    def __missing__(self, immediate: int) -> bytes:
        encoded = self[immediate] = self._code + unsigned(immediate)
        return encoded


GET, SET, TEE = _Immediates(b"\x20"), _Immediates(b"\x21"), _Immediates(b"\x22")
"""Push a local, pop into one, copy the top of the stack into one."""


def _simd(code: int) -> bytes:
    return b"\xfd" + unsigned(code)


_SHIFT = 1.5 * 2.0**52 + 1023.0

SCALAR = {
    "add": b"\xa0",
    "sub": b"\xa1",
    "mul": b"\xa2",
    "div": b"\xa3",
    "copysign": b"\xa6",
    "abs": b"\x99",
    "neg": b"\x9a",
    "ceil": b"\x9b",
    "floor": b"\x9c",
    "trunc": b"\x9d",
    "nearest": b"\x9e",
    "sqrt": b"\x9f",
    "eq": b"\x61",
    "ne": b"\x62",
    "lt": b"\x63",
    "gt": b"\x64",
    "le": b"\x65",
    "ge": b"\x66",
    "select": b"\x1b",
    # A double whose last bits are n + 1023 gives 2**n when these become the exponent.
    "two_to": b"\x44" + struct.pack("<d", _SHIFT) + b"\xa0\xbd\x42\x34\x86\xbf",
}
"""Instructions on doubles; comparisons give an ``i32``, select takes one last."""

VECTOR = {
    "add": _simd(0xF0),
    "sub": _simd(0xF1),
    "mul": _simd(0xF2),
    "div": _simd(0xF3),
    "abs": _simd(0xEC),
    "neg": _simd(0xED),
    "ceil": _simd(0x74),
    "floor": _simd(0x75),
    "trunc": _simd(0x7A),
    "nearest": _simd(0x94),
    "sqrt": _simd(0xEF),
    "eq": _simd(0x47),
    "ne": _simd(0x48),
    "lt": _simd(0x49),
    "gt": _simd(0x4A),
    "le": _simd(0x4B),
    "ge": _simd(0x4C),
    "select": _simd(0x52),
    "two_to": _simd(0x0C) + struct.pack("<dd", _SHIFT, _SHIFT) + _simd(0xF0) + b"\x41\x34" + _simd(0xCB),
    # The second is pushed first: its bits are selected where the mask has one, that is its sign.
    "copysign": _simd(0x0C) + struct.pack("<dd", -0.0, -0.0) + _simd(0x52),
}
"""The same on pairs of doubles; comparisons give a mask, select takes one last."""

SPLAT, BITS_OF_PAIR = _simd(0x14), _simd(0x0C)
RELAXED_MADD = _simd(0x107)
LANE = (_simd(0x21) + b"\x00", _simd(0x21) + b"\x01")
"""Extract one of a pair."""
SET_LANE_1 = _simd(0x22) + b"\x01"
ANY_TRUE, ALL_TRUE = _simd(0x53), _simd(0xC3)
"""Whether one bit of a mask is 1, or whether both of a pair's are."""
I32_ADD, I32_SUB, I32_MUL, I32_AND = b"\x6a", b"\x6b", b"\x6c", b"\x71"
I32_LT, I32_GT, I32_GE, I32_LE = b"\x48", b"\x4a", b"\x4e", b"\x4c"
I32_EQZ = b"\x45"
I32_TRUNC_F64 = b"\xfc\x02"
"""The integer part, saturating."""
MEMORY_FILL = b"\xfc\x0b\x00"
RETURN, DROP, END, ELSE = b"\x0f", b"\x1a", b"\x0b", b"\x05"


_RUN = re.compile(rb"(.)\1*", re.DOTALL)


class Code:
    """The body of a function, written instruction by instruction.

    Args:
        parameters: the types of its parameters, which are the first locals.
        results: the types of its results.
    """

    def __init__(self, parameters: Sequence[int] = (), results: Sequence[int] = ()) -> None:
        self.parameters = tuple(parameters)
        self.results = tuple(results)
        self.types = bytearray(parameters)
        self.bytes = bytearray()
        self.calls: list[tuple[int, Code | str]] = []

    def local(self, kind: int) -> int:
        """Return a new local of a type."""
        self.types.append(kind)
        return len(self.types) - 1

    def get(self, local: int) -> None:
        """Push a local."""
        self.bytes += GET[local]

    def set(self, local: int) -> None:
        """Pop into a local."""
        self.bytes += SET[local]

    def tee(self, local: int) -> None:
        """Copy what is on top of the stack into a local."""
        self.bytes += TEE[local]

    def keep(self, kind: int) -> int:
        """Pop into a new local and return it."""
        local = len(self.types)
        self.types.append(kind)
        self.bytes += SET[local]
        return local

    def keep_copy(self, kind: int) -> int:
        """Copy what is on top of the stack into a new local and return it."""
        local = len(self.types)
        self.types.append(kind)
        self.bytes += TEE[local]
        return local

    def integer(self, number: int) -> None:
        """Push an ``i32``."""
        self.bytes += b"\x41" + signed(number)

    def number(self, number: float) -> None:
        """Push a double."""
        self.bytes += b"\x44" + struct.pack("<d", number)

    def pair(self, number: float) -> None:
        """Push a pair of equal doubles."""
        self.bytes += BITS_OF_PAIR + struct.pack("<dd", number, number)

    def op(self, code: bytes) -> None:
        """Append an instruction that has no immediates."""
        self.bytes += code

    def call(self, function: "Code | str") -> None:
        """Call a function of the module, or one that is imported by its name."""
        self.bytes += b"\x10"
        self.calls.append((len(self.bytes), function))
        self.bytes += b"\x80\x80\x80\x80\x00"  # room for any index

    def load(self, offset: int, lanes: int = 1) -> None:
        """Replace the address on the stack by the double, or the pair of doubles, at it plus offset."""
        self.bytes += (b"\x2b\x03" if lanes == 1 else b"\xfd\x00\x03") + unsigned(offset)

    def load_at(self, address: int) -> None:
        """Push the double at an address."""
        self.bytes += b"\x41\x00\x2b\x03" + unsigned(address)

    def store_at(self, address: int, local: int) -> None:
        """Store a local that is a double at an address."""
        self.bytes += b"\x41\x00" + GET[local] + b"\x39\x03" + unsigned(address)

    def load_both(self, offset: int) -> None:
        """Replace the address by a pair of the double there, twice."""
        self.bytes += b"\xfd\x0a\x03" + unsigned(offset)

    def store(self, offset: int, lanes: int = 1) -> None:
        """Store the number or pair on the stack at the address below it, plus offset."""
        self.bytes += (b"\x39\x03" if lanes == 1 else b"\xfd\x0b\x03") + unsigned(offset)

    def load_integer(self, offset: int) -> None:
        """Replace the address on the stack by the ``i32`` at it plus offset."""
        self.bytes += b"\x28\x02" + unsigned(offset)

    def block(self) -> None:
        """Open a block; a branch to it goes behind its end."""
        self.bytes += b"\x02\x40"

    def loop(self) -> None:
        """Open a loop; a branch to it goes to its start."""
        self.bytes += b"\x03\x40"

    def branch_if(self, depth: int) -> None:
        """Branch to the block that is so many blocks out, if the ``i32`` on the stack is not 0."""
        self.bytes += b"\x0d" + unsigned(depth)

    def if_(self, result: int = VOID) -> None:
        """Open what is done if the ``i32`` on the stack is not 0, up to `ELSE` or `END`."""
        self.bytes += b"\x04" + bytes([result])

    def encoded(self, index_of: "Callable[[Code | str], int]") -> bytes:
        """Return the function as the code section has it, given the functions' indices."""
        for position, function in self.calls:
            self.bytes[position : position + 5] = _padded(index_of(function))
        runs = [run.group() for run in _RUN.finditer(self.types, len(self.parameters))]
        head = unsigned(len(runs)) + b"".join(unsigned(len(run)) + run[:1] for run in runs)
        body = head + bytes(self.bytes) + END
        return unsigned(len(body)) + body


class Module:
    """A module that imports functions of doubles, and exports functions by name and its ``memory``."""

    def __init__(self) -> None:
        self.functions: list[Code] = []
        self.exports: dict[str, Code] = {}

    def add(self, code: Code) -> Code:
        """Add a function and return it."""
        self.functions.append(code)
        return code

    def imports(self) -> dict[str, int]:
        """Return the names of the functions that are called and are not of the module, and their arity."""
        return {
            function: LIBRARY[function]
            for code in self.functions
            for _, function in code.calls
            if isinstance(function, str)
        }

    def encoded(self, pages: int) -> bytes:
        """Return the module in its binary form.

        Args:
            pages: the size of the memory, in pages of 64 KiB.
        """
        types: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}

        def kind(parameters: Sequence[int], results: Sequence[int]) -> bytes:
            return unsigned(types.setdefault((tuple(parameters), tuple(results)), len(types)))

        imported = self.imports()
        imports = [
            _name("libm") + _name(name) + b"\x00" + kind((F64,) * arity, (F64,))
            for name, arity in imported.items()
        ]
        index: dict[Code | str, int] = {name: i for i, name in enumerate(imported)}
        index |= {code: len(imported) + i for i, code in enumerate(self.functions)}
        functions = [kind(code.parameters, code.results) for code in self.functions]
        memory = (
            b"\x01" + unsigned(pages) + unsigned(pages)
        )  # its own: fewer steps lead there than to another
        exports = [_name(name) + b"\x00" + unsigned(index[code]) for name, code in self.exports.items()]
        exports.append(_name("memory") + b"\x02\x00")
        signatures = [
            b"\x60" + unsigned(len(taken)) + bytes(taken) + unsigned(len(given)) + bytes(given)
            for taken, given in types
        ]
        bodies = [code.encoded(index.__getitem__) for code in self.functions]
        sections = ((1, signatures), (2, imports), (3, functions), (5, [memory]), (7, exports), (10, bodies))
        return b"\x00asm\x01\x00\x00\x00" + b"".join(_section(code, parts) for code, parts in sections)


def _name(text: str) -> bytes:
    return unsigned(len(text)) + text.encode()


def _section(code: int, parts: Sequence[bytes]) -> bytes:
    content = unsigned(len(parts)) + b"".join(parts)
    return bytes([code]) + unsigned(len(content)) + content
