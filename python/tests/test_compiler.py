# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compile, plan and explain: the answers of the compiler's library."""

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import fp8gemm
from conftest import BUILD, PROBLEMS
from fp8gemm import _compiler

LIBRARY = BUILD / "lib" / "libfp8gemm.so.0"
ENTRY = {"op": "gemm", "n": 256, "k": 256, "max_m": 64}


@pytest.fixture(autouse=True, scope="module")
def library():
    if not LIBRARY.exists():
        pytest.skip("no libfp8gemm")
    os.environ["FP8GEMM_LIBRARY"] = str(LIBRARY)
    os.environ.setdefault("FP8GEMM_VENV", sys.prefix)
    yield
    del os.environ["FP8GEMM_LIBRARY"]


def compiled(*arguments, **options):
    try:
        return fp8gemm.compile(*arguments, **options)
    except fp8gemm.CompileError as error:
        if "expected ptxas" in str(error):
            pytest.skip("no ptxas")
        raise


def test_compile_in_memory(tmp_path):
    before = set(os.listdir("/proc/self/fd"))
    with compiled([ENTRY, PROBLEMS[2]], cache=tmp_path / "cache", jobs=1) as pack:
        assert {(p.n, p.k, p.sfa) for p in pack.problems} == {(256, 256, "mn_major"), (192, 384, "k_major")}
        again = compiled(pack.problems[0])
        assert again.problems == pack.problems[:1]
    assert set(os.listdir("/proc/self/fd")) == before


def test_compile_to_a_file(pack_path, tmp_path):
    made = compiled({"gpu": "h200-sxm", "problems": PROBLEMS}, tmp_path / "made.fp8pack")
    assert (tmp_path / "made.fp8pack").read_bytes() == pack_path.read_bytes()  # as fp8gemm-compile's
    assert made.path == str(tmp_path / "made.fp8pack") and os.listdir(tmp_path) == ["made.fp8pack"]


def test_many_write_one_file(tmp_path):
    """Threads of many processes, of which two may have the same number (containers on one volume): each publishes its pack
    whole, and readers keep what they opened."""
    path, contents = tmp_path / "one.fp8pack", [bytes([i]) * (1 << 16) for i in range(8)]
    _compiler._publish(contents[0], path)
    errors, read = [], path.open("rb")

    def work(content):
        try:
            for _ in range(20):
                _compiler._publish(content, path)
                assert path.read_bytes() in contents
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and os.listdir(tmp_path) == ["one.fp8pack"]
    assert read.read() == contents[0]
    read.close()


def test_published_files_are_as_open_makes_them(tmp_path, monkeypatch):
    (tmp_path / "usual").write_bytes(b"")
    _compiler._publish(b"x", tmp_path / "made")
    assert (tmp_path / "made").stat().st_mode == (tmp_path / "usual").stat().st_mode
    _compiler._publish(b"y", tmp_path / ("n" * 255))  # the longest name
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        _compiler._publish(b"z", tmp_path / "made")
    assert (tmp_path / "made").read_bytes() == b"x" and len(os.listdir(tmp_path)) == 3


def test_threads_compile_one_file(tmp_path):
    """What they load stays mapped while others publish."""
    compiled(ENTRY, cache=tmp_path / "cache")
    packs, errors = [], []

    def work():
        try:
            packs.append(fp8gemm.compile(ENTRY, tmp_path / "one.fp8pack", cache=tmp_path / "cache", jobs=1))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and len(packs) == 8 and sorted(os.listdir(tmp_path)) == ["cache", "one.fp8pack"]


def test_places_are_looked_at_before_anything_is_compiled(tmp_path, monkeypatch):
    monkeypatch.setattr(_compiler, "_ask", lambda *_: pytest.fail("compiled"))
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "sealed").mkdir()
    opened = os.open

    def open_unless_sealed(path, *rest):
        if "sealed" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return opened(path, *rest)

    monkeypatch.setattr(os, "open", open_unless_sealed)
    for error, name in ((IsADirectoryError, "."), (FileNotFoundError, "none/x"), (FileNotFoundError, "file/x"),
                        (PermissionError, "sealed/x"), (FileNotFoundError, "/proc/x")):
        with pytest.raises(error, match="expected 'path'") as caught:
            fp8gemm.compile(ENTRY, tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["file", "sealed"]


def test_inspect(pack_path):
    content = fp8gemm.inspect(pack_path)
    assert content["plans"] and all(kernel["registers"] > 0 for kernel in content["kernels"])
    assert fp8gemm.inspect(pack_path.read_bytes()) == content
    assert "registers" in fp8gemm.inspect(pack_path, text=True)
    with pytest.raises(fp8gemm.CompileError, match="expected a kernel file or a pack, .*, got something else"):
        fp8gemm.inspect(b"anything")


def test_plan_and_explain():
    plan = fp8gemm.plan(ENTRY)
    assert json.dumps(plan) and "256" in fp8gemm.plan(ENTRY, text=True)
    few, every = (fp8gemm.explain(ENTRY, 4, gpu="h200-sxm", candidates=n) for n in (2, 0))
    assert len(json.dumps(few)) < len(json.dumps(every))
    assert "tile" in fp8gemm.explain(ENTRY, 4, candidates=1, text=True)


@pytest.mark.parametrize("problems", [{"op": "gemm", "n": 256}, [{"op": "gemm", "n": 250, "k": 256}], {"op": "conv"}])
def test_wrong_problems(problems):
    with pytest.raises(fp8gemm.CompileError, match="expected"):
        fp8gemm.compile(problems)


WRONG = [
    (TypeError, "expected 'problems' to be a Problem, a dictionary or a list of them, got 5", lambda: fp8gemm.compile(5)),
    (TypeError, "expected 'problems' that JSON can hold", lambda: fp8gemm.compile([{"op": {1}}])),
    (TypeError, "expected 'problems' that JSON can hold", lambda: fp8gemm.compile({("op",): "gemm"})),
    (fp8gemm.CompileError, "expected 'problems' that JSON can hold", lambda: fp8gemm.compile({"n": float("nan")})),
    (fp8gemm.CompileError, "expected 'problems' that JSON can hold", lambda: (x := []).append(x) or fp8gemm.compile(x)),
    (TypeError, "expected 'gpu' to be a str or None, got 90", lambda: fp8gemm.compile(ENTRY, gpu=90)),
    (ValueError, "expected 'gpu' of at least one character and no null", lambda: fp8gemm.compile(ENTRY, gpu="h200-sxm\0x")),
    (TypeError, "expected 'cache' to be a str, bytes or os.PathLike, got 5", lambda: fp8gemm.compile(ENTRY, cache=5)),
    (ValueError, "expected 'ptxas' of at least one character", lambda: fp8gemm.compile(ENTRY, ptxas="")),
    (ValueError, "expected 'path' of at least one character", lambda: fp8gemm.compile(ENTRY, "a\0b")),
    (TypeError, "expected 'path' to be a str, bytes or os.PathLike, got 1.5", lambda: fp8gemm.compile(ENTRY, 1.5)),
    (ValueError, r"expected 'jobs' in \[0, 1024\], got -1", lambda: fp8gemm.compile(ENTRY, jobs=-1)),
    (TypeError, "expected 'jobs' to be an integer, got '2'", lambda: fp8gemm.compile(ENTRY, jobs="2")),
    (TypeError, "expected 'allow_spills' to be True or False, got 1", lambda: fp8gemm.compile(ENTRY, allow_spills=1)),
    (TypeError, "expected 'text' to be True or False, got 'yes'", lambda: fp8gemm.plan(ENTRY, text="yes")),
    (ValueError, r"expected 'm' in \[0, 2147483647\], got -4", lambda: fp8gemm.explain(ENTRY, -4)),
    (ValueError, r"expected 'm' in \[0, 2147483647\], got 18446744073709551620", lambda: fp8gemm.explain(ENTRY, 2**64 + 4)),
    (ValueError, r"expected 'candidates' in", lambda: fp8gemm.explain(ENTRY, 4, candidates=2**32 + 1)),
    (TypeError, "expected 'file' to be a str, bytes or os.PathLike, got", lambda: fp8gemm.inspect(bytearray(b"x"))),
    (TypeError, "expected 'file' to be a path, or the bytes of a kernel file or pack, got None", lambda: fp8gemm.inspect(None)),
]


@pytest.mark.parametrize("error, message, call", WRONG, ids=[message[:60] for _, message, _ in WRONG])
def test_wrong_arguments(error, message, call):
    with pytest.raises(error, match=message):
        call()


def test_answers_that_are_not_utf8():
    """Names of kernels are any bytes."""
    assert _compiler._answer(b'{"name": "caf\xe9"}'.replace(b"\xe9", b"\xc3\xa9"), False) == {"name": "caf\xe9"}
    assert _compiler._answer(b"kernel caf\xe9", True) == r"kernel caf\xe9"


def test_no_compiler(monkeypatch, tmp_path):
    missing = tmp_path / "none.so"
    monkeypatch.setenv("FP8GEMM_LIBRARY", str(missing))
    with pytest.raises(ImportError, match=r"expected the compiler's library, got none: .*none.so.*set FP8GEMM_LIBRARY"):
        _compiler._library.__wrapped__()


def test_library_is_found_beside_the_program():
    program = "import fp8gemm; print(fp8gemm.plan({'op': 'gemm', 'n': 256, 'k': 256}, text=True))"
    environment = {key: value for key, value in os.environ.items() if key != "FP8GEMM_LIBRARY"}
    environment["PATH"] = f"{Path(LIBRARY).parents[1] / 'bin'}:{environment['PATH']}"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "256" in done.stdout, done.stderr
