"""Machine code for plans, through WebAssembly.

`work` prepares statements, `rows` and `trace` turn operations into instructions, `nest` and `straight` write
loops and code without them, `generator` puts functions together, `encoder` encodes them and `engine` runs
them.
"""

from autograd.compiler.wasm.engine import CannotStartError, WasmEngine

__all__ = ["CannotStartError", "WasmEngine"]
