# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The compiler, if it is installed: libfp8gemm through its C API (fp8gemm-c/Compile.h). Serving a pack does not need it."""

import ctypes
import errno
import functools
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from fp8gemm._pack import Pack, load
from fp8gemm._problems import Problem, printable
from fp8gemm._scalars import count, flag

_SONAME = "libfp8gemm.so.0"
_TEXT, _JSON = 0, 1
_MOST_JOBS = 1024

Entry = Problem | dict[str, Any]
FilePath = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class CompileError(RuntimeError):
    """A problem that is malformed, or that could not be compiled."""


class _Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("gpu", ctypes.c_char_p), ("cache", ctypes.c_char_p),
                ("ptxas", ctypes.c_char_p), ("jobs", ctypes.c_uint), ("allow_spills", ctypes.c_bool)]


def compile(problems: Entry | list[Entry], path: FilePath | None = None, *, gpu: str | None = None,
            cache: FilePath | None = None, jobs: int = 0, ptxas: FilePath | None = None, allow_spills: bool = False) -> Pack:
    """Compiles a pack and opens it.

    problems      a `Problem` or an entry of a pack's list ({"op": "gemm", "n": ..., "k": ...}), a list of them, or a whole
                  list ({"gpu": ..., "problems": [...]}); docs/Runtime.md has their keys
    path          file to write, replaced when the pack is complete; many threads and processes may do so at once;
                  None: no file is written
    gpu           GPU for which times are modelled ("h200-sxm"); None: that of the list, otherwise "h100-sxm"
    cache         folder for compiled kernels, which many processes may share; None: none
    jobs          threads; 0: one per processor
    ptxas         path; None: searched for
    allow_spills  accept kernels that spill registers

    Needs the compiler's library and ptxas. Raises CompileError for errors in a problem, TypeError and ValueError
    for other arguments, and OSError if the file cannot be written, which is checked before anything is compiled.
    """
    options = _Options(ctypes.sizeof(_Options), _text("gpu", gpu), _path("cache", cache), _path("ptxas", ptxas),
                       count("jobs", jobs, most=_MOST_JOBS), flag("allow_spills", allow_spills))
    text = _text_of(problems, gpu)
    if path is not None:
        path = Path(os.fsdecode(_path("path", path)))
        _expect_place(path)
    content = _ask("fp8gemmCompile", text, len(text), ctypes.byref(options))
    if path is not None:
        _publish(content, path)
        return load(path)
    with os.fdopen(os.memfd_create("fp8pack", os.MFD_CLOEXEC), "wb") as file:
        file.write(content)
        file.flush()
        return load(f"/proc/self/fd/{file.fileno()}")


def plan(problem: Entry, *, gpu: str | None = None, text: bool = False) -> Any:
    """Which kernel serves which M of a problem, as a dictionary, or as the text of `fp8gemm-compile --plan`."""
    encoded, form = _text_of(problem), _form(text)
    return _answer(_ask("fp8gemmPlan", encoded, len(encoded), _text("gpu", gpu), form), text)


def explain(problem: Entry, m: int, *, gpu: str | None = None, candidates: int = 0, text: bool = False) -> Any:
    """The best `candidates` schedules (0: all) for a problem with `m` rows (of each group), with their modelled times, as a
    dictionary, or as the text of `fp8gemm-compile --explain`."""
    encoded, form = _text_of(problem), _form(text)
    return _answer(_ask("fp8gemmExplain", encoded, len(encoded), _text("gpu", gpu), count("m", m, most=2**31 - 1),
                        count("candidates", candidates, most=2**31 - 1), form), text)


def inspect(file: FilePath | bytes, *, text: bool = False) -> Any:
    """The contents of a kernel file or a pack, given by its path or its bytes: problems, plans, and each kernel's name,
    schedule, registers and sizes, as a dictionary, or as the text of `fp8gemm-inspect`."""
    if file is None:
        raise TypeError("expected 'file' to be a path, or the bytes of a kernel file or pack, got None")
    content = file if isinstance(file, bytes) else Path(os.fsdecode(_path("file", file))).read_bytes()
    return _answer(_ask("fp8gemmInspect", content, len(content), _form(text)), text)


#
# Arguments
#


def _entry(value):
    """Values that JSON cannot represent."""
    if isinstance(value, Problem):
        return value.entry()
    raise TypeError(repr(value))


def _text_of(problems, gpu=None):
    if isinstance(problems, (list, tuple)):
        problems = {"gpu": gpu or "h100-sxm", "problems": problems}
    if not isinstance(problems, (dict, Problem)):
        raise TypeError(f"expected 'problems' to be a Problem, a dictionary or a list of them, got {problems!r}")
    try:
        return json.dumps(problems, default=_entry, allow_nan=False).encode()
    except (RecursionError, TypeError, ValueError) as error:  # infinite nesting, other keys, NaN
        kind = TypeError if isinstance(error, TypeError) else CompileError
        raise kind(f"expected 'problems' that JSON can hold, got others: {error}") from None


def _text(name, value):
    if value is not None and not isinstance(value, str):
        raise TypeError(f"expected '{name}' to be a str or None, got {value!r}")
    return _path(name, value)


def _path(name, value):
    """The bytes of a path or a text, which must not contain a null byte, since it would end them in C."""
    if value is None:
        return None
    try:
        encoded = os.fsencode(value)
    except TypeError:
        raise TypeError(f"expected '{name}' to be a str, bytes or os.PathLike, got {value!r}") from None
    except UnicodeEncodeError as error:
        raise ValueError(f"expected '{name}' in characters that a file's name can have, got {value!r}: {error}") from None
    if not encoded or b"\0" in encoded:
        raise ValueError(f"expected '{name}' of at least one character and no null, got {value!r}")
    return encoded


def _form(text):
    return _TEXT if flag("text", text) else _JSON


#
# Files
#


def _expect_place(path):
    """Checks that the file can be written, before minutes of work instead of after."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "expected 'path' to be a file, got a folder", printable(str(path)))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "expected 'path' in a folder that exists, got none", printable(str(path)))
    descriptor, unfinished = _begin(path)
    os.close(descriptor)
    unfinished.unlink(missing_ok=True)


def _begin(path):
    """A new file beside the path, open: its descriptor and its path."""
    unfinished = path.with_name(f".fp8gemm-{secrets.token_hex(8)}")
    try:
        return os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), unfinished
    except OSError as error:
        text = f"expected 'path' in a folder that can be written, got: {error.strerror}"
        raise OSError(error.errno, text, printable(str(path))) from None


def _publish(content, path):
    """Makes the complete file appear at once: readers of an older file of that name keep it, and concurrent writers, even
    on other machines that share the folder, do not interfere."""
    descriptor, unfinished = _begin(path)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


#
# The library
#


def _answer(content, text):
    """Names in a file may be any bytes; those that are not UTF-8 become \\xNN."""
    answer = content.decode(errors="backslashreplace")
    return answer if text else json.loads(answer)


def _ask(function, *arguments):
    """The data of the result of a function of the library."""
    library = _library()
    result = getattr(library, function)(*arguments)
    try:
        if library.fp8gemmResultGetStatus(result):
            raise CompileError(library.fp8gemmResultGetMessage(result).decode(errors="backslashreplace"))
        return ctypes.string_at(library.fp8gemmResultGetData(result), library.fp8gemmResultGetSize(result))
    finally:
        library.fp8gemmResultDestroy(result)


def _packaged():
    """The library of the package fp8gemm-compiler, which then also finds that package's ptxas; None without it."""
    try:
        import fp8gemm_compiler
    except ImportError:
        return None
    os.environ.update(fp8gemm_compiler.environment())
    return fp8gemm_compiler.LIBRARY


@functools.cache
def _library():
    """libfp8gemm: $FP8GEMM_LIBRARY, beside fp8gemm-compile, of the package fp8gemm-compiler, or in the loader's search path."""
    program = shutil.which("fp8gemm-compile")
    beside = Path(program).resolve().parents[1] / "lib" / _SONAME if program else None
    chosen = os.environ.get("FP8GEMM_LIBRARY") or (beside if beside and beside.exists() else _packaged() or _SONAME)
    try:
        library = ctypes.CDLL(str(chosen))
    except OSError as error:
        raise ImportError(f"expected the compiler's library, got none: {error}; install fp8gemm-compiler, or set "
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
