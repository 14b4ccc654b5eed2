# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The compiler, where it is installed: libfp8gemm by its C API (fp8gemm-c/Compile.h). Serving a pack needs none of it."""

import ctypes
import functools
import json
import os
import shutil
from pathlib import Path
from typing import Any

from fp8gemm._pack import Pack, load
from fp8gemm._problems import Problem

_SONAME = "libfp8gemm.so.0"
_TEXT, _JSON = 0, 1

Entry = Problem | dict[str, Any]
FilePath = str | os.PathLike[str]


class CompileError(RuntimeError):
    """A problem that is not written as it should be, or that could not be compiled."""


class _Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("gpu", ctypes.c_char_p), ("cache", ctypes.c_char_p),
                ("ptxas", ctypes.c_char_p), ("jobs", ctypes.c_uint), ("allow_spills", ctypes.c_bool)]


def compile(problems: Entry | list[Entry], path: FilePath | None = None, *, gpu: str | None = None,
            cache: FilePath | None = None, jobs: int = 0, ptxas: FilePath | None = None, allow_spills: bool = False) -> Pack:
    """Compiles a pack, and opens it.

    problems      a `Problem` or an entry of a pack's list ({"op": "gemm", "n": ..., "k": ...}), a list of them, or a whole
                  list ({"gpu": ..., "problems": [...]}); docs/Runtime.md has their keys
    path          file to write, replaced when the pack is complete; None: no file is left
    gpu           GPU that times are modelled for ("h200-sxm"); None: the list's, else "h100-sxm"
    cache         folder to keep kernels in, which many processes may use; None: none
    jobs          threads, 0: one a processor
    ptxas         path; None: looked for
    allow_spills  accept kernels that spill registers

    Needs the compiler's library and ptxas; raises CompileError for what is wrong with a problem.
    """
    options = _Options(ctypes.sizeof(_Options), _encoded(gpu), _encoded(cache), _encoded(ptxas), jobs, allow_spills)
    text = _text_of(problems, gpu)
    content = _ask("fp8gemmCompile", text, len(text), ctypes.byref(options))
    if path is not None:
        path = Path(path)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return load(path)
    with os.fdopen(os.memfd_create("fp8pack", os.MFD_CLOEXEC), "wb") as file:
        file.write(content)
        file.flush()
        return load(f"/proc/self/fd/{file.fileno()}")


def plan(problem: Entry, *, gpu: str | None = None, text: bool = False) -> Any:
    """Which kernel serves which M of a problem, as a dictionary, or as the text of `fp8gemm-compile --plan`."""
    encoded = _text_of(problem)
    return _answer(_ask("fp8gemmPlan", encoded, len(encoded), _encoded(gpu), _TEXT if text else _JSON), text)


def explain(problem: Entry, m: int, *, gpu: str | None = None, candidates: int = 0, text: bool = False) -> Any:
    """The schedules that a problem can be computed with for `m` rows (of each group), and their modelled times: the best
    `candidates` of them (0: all), as a dictionary, or as the text of `fp8gemm-compile --explain`."""
    encoded = _text_of(problem)
    return _answer(_ask("fp8gemmExplain", encoded, len(encoded), _encoded(gpu), m, candidates,
                        _TEXT if text else _JSON), text)


def inspect(file: FilePath | bytes, *, text: bool = False) -> Any:
    """What is in a kernel file or a pack, by its path or its bytes: problems, plans, and each kernel's name, schedule,
    registers and sizes, as a dictionary, or as the text of `fp8gemm-inspect`."""
    content = file if isinstance(file, bytes) else Path(file).read_bytes()
    return _answer(_ask("fp8gemmInspect", content, len(content), _TEXT if text else _JSON), text)


def _entry(problem):
    return problem.entry() if isinstance(problem, Problem) else problem


def _text_of(problems, gpu=None):
    if isinstance(problems, (list, tuple)):
        problems = {"gpu": gpu or "h100-sxm", "problems": [_entry(problem) for problem in problems]}
    return json.dumps(_entry(problems)).encode()


def _encoded(value):
    return None if value is None else os.fsencode(value)


def _answer(content, text):
    return content.decode() if text else json.loads(content)


def _ask(function, *arguments):
    """The data of the result of a function of the library."""
    library = _library()
    result = getattr(library, function)(*arguments)
    try:
        if library.fp8gemmResultGetStatus(result):
            raise CompileError(library.fp8gemmResultGetMessage(result).decode(errors="replace"))
        return ctypes.string_at(library.fp8gemmResultGetData(result), library.fp8gemmResultGetSize(result))
    finally:
        library.fp8gemmResultDestroy(result)


@functools.cache
def _library():
    """libfp8gemm: $FP8GEMM_LIBRARY, beside fp8gemm-compile, or where the loader looks."""
    program = shutil.which("fp8gemm-compile")
    beside = Path(program).resolve().parents[1] / "lib" / _SONAME if program else None
    chosen = os.environ.get("FP8GEMM_LIBRARY") or (beside if beside and beside.exists() else _SONAME)
    try:
        library = ctypes.CDLL(str(chosen))
    except OSError as error:
        raise ImportError(f"expected the compiler's library, got none: {error}; install fp8gemm's compiler, or set "
                          f"FP8GEMM_LIBRARY to the path of {_SONAME}") from None
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    for name, result, parameters in (
            ("fp8gemmCompile", pointer, [text, size, ctypes.POINTER(_Options)]),
            ("fp8gemmPlan", pointer, [text, size, text, ctypes.c_int]),
            ("fp8gemmExplain", pointer, [text, size, text, ctypes.c_int64, ctypes.c_uint, ctypes.c_int]),
            ("fp8gemmInspect", pointer, [text, size, ctypes.c_int]),
            ("fp8gemmResultGetStatus", ctypes.c_int, [pointer]), ("fp8gemmResultGetMessage", text, [pointer]),
            ("fp8gemmResultGetData", pointer, [pointer]), ("fp8gemmResultGetSize", size, [pointer]),
            ("fp8gemmResultDestroy", None, [pointer])):
        function = getattr(library, name)
        function.restype, function.argtypes = result, parameters
    return library
