"""A plan as machine code, through WebAssembly and wasmtime."""

import atexit
import ctypes
import functools
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograd.compiler.numpy_engine import compile_steps
from autograd.compiler.plan import Apply, Array, Place, Plan, Statement, allocate
from autograd.compiler.wasm.generator import Generator, question
from autograd.compiler.wasm.layout import ANSWER, LIMIT, PAGE
from autograd.locks import importing

LARGE = 50_000
"""From how many products on a sum of products is left to the matrix library that NumPy is built on.

Measured on one core: the machine code takes 0.13 to 0.16 ns a product; with AVX-512 NumPy takes a quarter of
that for large matrices, and 3 us for being called. Both are equal at 20,000 to 30,000.
"""

Run = Callable[[], float | None]


class CannotStartError(Exception):
    """The machine-code engine cannot run here; the message says why."""


class WasmEngine:
    """Runs a plan as machine code.

    The numbers are the same on every machine: WebAssembly defines the bits of every result (but those of
    nan), and the functions of the C library come as WebAssembly, too. Only with ``relaxed`` they depend on
    the processor. Threads that have an engine each compute at the same time; one is for one thread at a time.

    Args:
        plan: the program.
        relaxed: whether sums of products may be fused multiply-adds where the processor has them.
        large: from how many products on a matrix product is left to NumPy, whose bits depend on the machine;
            None for never.

    Attributes:
        v: the values, in the memory of the machine code.
        d: the adjoints, likewise.
        reasons: which statements NumPy runs, and why.
        size: the size of the WebAssembly code, in bytes.

    Raises:
        CannotStartError: there is no wasmtime, or no memory of this size.
    """

    def __init__(self, plan: Plan, *, relaxed: bool = False, large: int | None = LARGE) -> None:
        generator = Generator(plan, relaxed, lambda statement, step: _is_large(statement, step, large))
        forward = generator.segments(plan.forward, "forward")
        asked = (question(plan.parameters),) if plan.parameters else ()
        reverse = generator.segments((*plan.reverse, *asked), "reverse", plan.cleared)
        generator.whole(forward, reverse)
        self.reasons = generator.reasons
        pages = generator.layout.pages
        if pages * PAGE > LIMIT:
            raise CannotStartError(
                f"the program needs {pages * PAGE:,} bytes; WebAssembly addresses {LIMIT:,}"
            )
        code = generator.module.encoded(pages)
        self.size = len(code)
        layout = generator.layout
        answer = layout.address("v", ANSWER)
        instance = _Instance(code, pages, tuple(generator.module.imports()), answer)
        cells = instance.view(np.float64)
        self.v: Array = cells[layout.values // 8 :][: plan.size]
        self.d: Array = cells[layout.adjoints // 8 :][: plan.size]
        self.v[:] = allocate(plan)[0]
        octets = instance.view(np.uint8)
        for content, address in layout.tables.items():
            octets[address : address + len(content)] = np.frombuffer(content, np.uint8)

        def runs(segments: list[Any], name: str) -> list[Run]:
            return [
                compile_steps(segment, self.v, self.d)
                if isinstance(segment, tuple)
                else instance.function(f"{name}{i}")
                for i, segment in enumerate(segments)
            ]

        self._forward, self._reverse = runs(forward, "forward"), runs(reverse, "reverse")
        self.forward = _in_turn(self._forward)
        """Computes the values."""
        self.reverse = _in_turn(self._reverse)
        """Computes the adjoints."""
        whole = "step" in generator.module.exports
        self.step = instance.function("step") if whole else _in_turn([*self._forward, *self._reverse])
        """Computes both; returns 0.0 if all gradients are finite, else nan."""


def _in_turn(runs: list[Run]) -> Run:
    if len(runs) == 1:
        return runs[0]

    def run() -> float | None:
        answer = None
        for part in runs:
            answer = part()
        return answer

    return run


def _is_large(statement: Statement, in_loop: bool, large: int | None) -> str:
    """Return why NumPy should run a statement though machine code could, or an empty text.

    In a loop it is a step's products that count, and ten times as many: NumPy would run the whole loop.
    """
    expression = statement.expression
    if large is None or not statement.summed or not isinstance(expression, Apply):
        return ""
    if expression.operation.name != "mul" or not all(
        isinstance(a, Place) and a.table is None and a.choice is None for a in expression.arguments
    ):
        return ""
    products = math.prod(statement.shape[in_loop:])
    return f"a sum of {products:,} products" if products >= large * (10 if in_loop else 1) else ""


# The runtime ------------------------------------------------------------------------------------------------


@functools.cache
def _runtime() -> Any:
    """Return wasmtime, its engine and the library of functions, once for a process."""
    try:
        with importing:
            import wasmtime
    except Exception as error:
        raise CannotStartError(f"wasmtime cannot be imported: {error}") from error
    config = wasmtime.Config()
    config.cranelift_opt_level = "speed"
    if _address_space_is_limited():
        # By default a memory reserves 4 GB of addresses, and no access needs a check.
        config.memory_reservation = 0
        config.memory_reservation_for_growth = 0
        config.memory_guard_size = 0
    config.wasm_relaxed_simd = True
    config.parallel_compilation = os.getpid() == _PROCESS
    engine = wasmtime.Engine(config)
    return wasmtime, engine


@functools.cache
def _library() -> Any:
    wasmtime, engine = _runtime()
    return wasmtime.Module(engine, (Path(__file__).parent / "libm" / "libm.wasm").read_bytes())


_PROCESS = os.getpid()


def _begin_anew() -> None:
    """Forget what was shared: in a process that was forked the threads that compile are missing."""
    _runtime.cache_clear()
    _library.cache_clear()


atexit.register(_begin_anew)  # while wasmtime can still give its memory back
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def _address_space_is_limited() -> bool:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return False
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


class _Instance:
    """A module with its memory.

    Args:
        code: the module.
        pages: how large its memory is.
        imports: which functions of the library it takes.
        answer: the address of the double that calls return.
    """

    def __init__(self, code: bytes, pages: int, imports: tuple[str, ...], answer: int) -> None:
        wasmtime, engine = _runtime()
        try:
            module = wasmtime.Module(engine, code)
            self.store = wasmtime.Store(engine)
            taken = []
            if imports:
                library = wasmtime.Instance(self.store, _library(), []).exports(self.store)
                taken = [library[name] for name in imports]
            self.exports = wasmtime.Instance(self.store, module, taken).exports(self.store)
        except (wasmtime.WasmtimeError, wasmtime.Trap, MemoryError) as error:
            raise CannotStartError(f"wasmtime refuses: {error}") from error
        memory: Any = self.exports["memory"]
        address = ctypes.addressof(memory.data_ptr(self.store).contents)
        kind: Any = ctypes.c_uint8 * (pages * PAGE)
        self.buffer = kind.from_address(address)
        self.buffer.owner = (self.store, memory)  # a view of the memory keeps it alive
        self.answer = ctypes.c_double.from_buffer(self.buffer, answer)

    def view(self, kind: Any) -> Any:
        """Return the memory as an array."""
        return np.frombuffer(self.buffer, dtype=kind)

    def function(self, name: str) -> Run:
        """Return an exported function, to be called without arguments."""
        function = self.exports[name]
        direct = self._direct(function)
        if direct is not None:
            return direct
        store, answer = self.store, self.answer

        def run() -> float | None:
            function(store)
            return answer.value

        return run

    def _direct(self, function: Any) -> Run | None:
        """Return a call without the conversions of the public one, or None for unknown versions.

        Those take 7 us. It is the C interface's ``wasmtime_func_call_unchecked``, to which the Python package
        has no public way. Arguments that are C's already need no declared types, whose check takes longer
        than the rest of a call.
        """
        try:
            from wasmtime import _ffi

            call = _ffi.dll["wasmtime_func_call_unchecked"]
            call.restype = ctypes.c_void_p
            trap = ctypes.c_void_p()
            room = (ctypes.c_uint64 * 2)()  # where arguments and results would be
            context = ctypes.cast(self.store._context(), ctypes.c_void_p)
            where = ctypes.c_void_p(ctypes.addressof(function._func))
            places = (context, where, ctypes.c_void_p(ctypes.addressof(room)))
            arguments = (*places, ctypes.c_size_t(0), ctypes.c_void_p(ctypes.addressof(trap)))
        except (ImportError, AttributeError):
            return None
        store, answer, kept = self.store, self.answer, (function, room)

        def run(_kept: Any = kept) -> float:
            if call(*arguments) or trap:
                trap.value = None
                function(store)  # once more, for the public call to raise what went wrong
            return answer.value

        return run
