# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Numbers, depths and lengths at and beyond their limits: reported with the option or key and its range, and at once."""

import ctypes
import json

import pytest

from tools import COMPILER, PTXAS, ROOT, RUNNER, expect_error, product, run, write_list

pytestmark = pytest.mark.skipif(not COMPILER.exists(), reason=f"{COMPILER} is not built")
needs_ptxas = pytest.mark.skipif(not PTXAS, reason="no ptxas")

MOST = 2**31 - 1
GEMM = ["--op=gemm", "--n=64", "--k=64", "--emit=mlir"]
GROUPED = ["--op=grouped_gemm", "--grouping=row_end", "--n=64", "--k=64", "--emit=mlir"]
# Beyond 32 bits, beyond 64, below the range, no integers.
WRONG = [str(2**32 + 4), "99999999999999999999", "-1", "4.0", "0x40", "4k", ""]


@pytest.mark.parametrize("option, least, most, others", [
    ("m", 0, MOST, GEMM), ("n", 1, MOST, ["--op=gemm", "--k=64", "--emit=mlir"]), ("k", 1, MOST, ["--op=gemm", "--n=64", "--emit=mlir"]),
    ("groups", 1, MOST, GROUPED), ("align", 1, MOST, ["--groups=4", *GROUPED]), ("expected-m", 1, MOST, GEMM),
    ("max-m", 1, MOST, ["--op=gemm", "--n=64", "--k=64", "--plan"]), ("candidates", 0, 100000, ["--op=gemm", "--n=64", "--k=64", "--explain"]),
    ("jobs", 0, 100000, ["--pack=/none", "-o", "x"])])
def test_numbers_of_the_compiler(option, least, most, others):
    for value in [*WRONG, str(least - 1), str(most + 1)]:
        done = run(COMPILER, *others, f"--{option}={value}")
        expect_error(done, f"expected --{option} to be an integer from {least} to {most}", f"got '{value}'")


@pytest.mark.parametrize("option, least, most", [("m", 0, MOST), ("seed", 0, 2**64 - 1), ("pad", 0, 2**40 - 16), ("watchdog", 0, 2**32 - 1)])
def test_numbers_of_the_runner(option, least, most):
    for value in ["99999999999999999999", "-1", "4.0", "", str(most + 1)]:
        expect_error(run(RUNNER, "/none", f"--{option}={value}"), f"expected --{option}=N, an integer from {least} to {most}, got '{value}'")


@pytest.mark.parametrize("key", ["n", "k", "groups", "align", "max_m"])
def test_numbers_of_a_list(key, tmp_path):
    entry = {"op": "grouped_gemm", "grouping": "row_end", "groups": 2, "n": 64, "k": 64, "max_m": 1}
    for value in (2**32 + 4, 2**31, 0, -1, 10**20, 4.5, "4", None):
        listed = write_list(tmp_path / "list.json", [entry, {**entry, key: value}])
        done = run(COMPILER, f"--pack={listed}", "-o", tmp_path / "pack")
        expect_error(done, f"list.json: problems[1]: expected '{key}' to be an integer from 1 to 2147483647, got ")


BROKEN = {
    '{"gpu": "h20",\n "problems": [ ' + "[" * 100000: "line 2, column 46: expected JSON with at most 32 levels of nesting, got more",
    '{"a":' * 100000: "expected JSON with at most 32 levels of nesting, got more",
    '{"gpu": "h20",\n  // ours\n "problems": []}': "line 2, column 3: expected JSON, which has no comments",
    '{"gpu": "h20", # ours\n "problems": []}': "line 1, column 16: expected JSON, which has no comments",
    '{"gpu": "h20", "problems": [{"op": "gemm", "n": 64, "k": 64, },]}': "line 1, column 60: expected JSON, which has no comma after the last element",
    '{"gpu": "h20", "problems": [{"op": "gemm", "n": 64, "n": 72, "k": 64}]}': "line 1, column 53: expected each key of an object once, got 'n' twice",
    '{"gpu": "h20"\n "problems": []}': "line 2, column 3: expected JSON, got something else: ",
    "gpu: h20\n": "expected JSON",
    "": "expected JSON",
}


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[:60].replace("\n", " "))
def test_lists_that_are_no_json(text, tmp_path):
    path = tmp_path / "list.json"
    path.write_text(text)
    expect_error(run(COMPILER, f"--pack={path}", "-o", tmp_path / "pack"), "list.json: ", BROKEN[text])


@pytest.mark.parametrize("text", ["[" * 100000, "a:\n  - {" + "b: {" * 100000, "".join(" " * n + "a:\n" for n in range(2000)), "- " * 100000],
                         ids=["lists", "flow", "lines", "blocks"])
def test_deep_yaml(text, tmp_path):
    path = tmp_path / "list.yaml"
    path.write_text(text)
    expect_error(run(COMPILER, f"--pack={path}", "-o", tmp_path / "pack"), "list.yaml:", "expected at most 32 levels of nesting, got more")


def test_the_same_of_the_library():
    library = ctypes.CDLL(str(ROOT / "build" / "lib" / "libfp8gemm.so"))
    library.fp8gemmCompile.restype = library.fp8gemmPlan.restype = ctypes.c_void_p
    library.fp8gemmResultGetMessage.restype = ctypes.c_char_p
    for text, message in BROKEN.items():
        for ask in (lambda data: library.fp8gemmCompile(data, ctypes.c_size_t(len(data)), None),
                    lambda data: library.fp8gemmPlan(data, ctypes.c_size_t(len(data)), None, 0)):
            result = ctypes.c_void_p(ask(text.encode()))
            assert library.fp8gemmResultGetStatus(result) == 2
            assert message in library.fp8gemmResultGetMessage(result).decode()
            library.fp8gemmResultDestroy(result)


@needs_ptxas
def test_equal_entries_are_one(tmp_path):
    listed = write_list(tmp_path / "list.json", [product(), product(n=72)] * 10000)
    done = run(COMPILER, f"--pack={listed}", "-o", tmp_path / "pack")
    assert done.returncode == 0 and "pack: 2 problems, 2 kernels" in done.stderr, done.stderr
    # Also as numbers are written otherwise, and keys that have their default.
    same = [{"op": "gemm", "n": 64, "k": 64, "max_m": 1}, {"k": 64.0, "op": "gemm", "max_m": 1, "n": 64, "c": "none", "batch_invariant": False}]
    done = run(COMPILER, f"--pack={write_list(tmp_path / 'list.json', same)}", "-o", tmp_path / "pack")
    assert done.returncode == 0 and "pack: 1 problems" in done.stderr, done.stderr


def test_too_many_problems(tmp_path):
    problems = [{"op": "gemm", "n": 8 * n, "k": 64} for n in range(1, 4098)]
    done = run(COMPILER, f"--pack={write_list(tmp_path / 'list.json', problems)}", "-o", tmp_path / "pack")
    expect_error(done, "problems[4096]: expected at most 4096 different problems in a pack, got more")


def test_any_max_m_is_planned_soon():
    done = run(COMPILER, "--op=gemm", "--n=2112", "--k=7168", "--plan=json", f"--max-m={MOST}")
    assert done.returncode == 0, done.stderr
    intervals = json.loads(done.stdout)["intervals"]
    assert intervals[0]["first"] == 1 and intervals[-1]["last"] is None
    assert all(before["last"] + 1 == after["first"] for before, after in zip(intervals, intervals[1:]))
