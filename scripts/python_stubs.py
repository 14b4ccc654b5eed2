#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints fp8gemm/_native.pyi with the signatures of the table in src/Parameters.h:

    scripts/python_stubs.py >python/fp8gemm/_native.pyi   # of the package that is installed
"""

from fp8gemm import _native

HEAD = """\
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Written by scripts/python_stubs.py. The documentation is in the extension: help(fp8gemm.gemm).
from os import PathLike
from typing import Any, Literal, Protocol, SupportsIndex, TypeVar

class Array(Protocol):
    \"\"\"Any array that supports DLPack: of PyTorch, JAX, CuPy ...\"\"\"

    def __dlpack__(self, *, stream: Any = ...) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...

A = TypeVar("A", bound=Array)
Stream = int | Any | None
DType = Literal["bf16", "f32"] | None

__version__: str

class Error(RuntimeError): ...
class NotInPackError(Error): ...

class Pack:
    def __new__(cls, path: str | bytes | PathLike[str] | PathLike[bytes]) -> Pack: ...
    @property
    def path(self) -> str: ...
    def close(self) -> None: ...
"""
MIDDLE = """\
    def _load(self, device: SupportsIndex) -> None: ...
    def _problems(self) -> list[dict[str, Any]]: ...

def set_pack(pack: Pack | None) -> None: ...
def get_pack() -> Pack | None: ...
def _problem_fields() -> list[tuple[str, str, dict[str, Any], list[str]]]: ...
def _parameters() -> dict[str, tuple[int, list[tuple[str, str, str | None, int, str | None]]]]: ...
"""


def function(name, indent, *first):
    """def name(a: A, ...) -> A: ..., in lines of at most 120 characters."""
    positional, parameters = _native._parameters()[name]
    words = [f"{name}: {kind}" + (f" = {usual}" if usual is not None else "") for name, kind, usual, *_ in parameters]
    words.insert(positional, "*")
    head = f"{indent}def {name}("
    lines, words = [""], [*first, *words]
    for i, word in enumerate(words):
        word += ", " if i + 1 < len(words) else ") -> A: ..."
        if len(head) + len(lines[-1]) + len(word.rstrip()) > 120:
            lines.append("")
        lines[-1] += word
    return head + f"\n{' ' * len(head)}".join(line.rstrip() for line in lines) + "\n"


def text():
    functions = list(_native._parameters())
    return (HEAD + "".join(function(name, "    ", "self") for name in functions) + MIDDLE +
            "".join(function(name, "") for name in functions))


if __name__ == "__main__":
    print(text(), end="")
