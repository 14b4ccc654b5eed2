# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compile, plan and explain: the answers of the compiler's library."""

import json
import os
import subprocess
import sys
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


def test_inspect(pack_path):
    content = fp8gemm.inspect(pack_path)
    assert content["plans"] and all(kernel["registers"] > 0 for kernel in content["kernels"])
    assert fp8gemm.inspect(pack_path.read_bytes()) == content
    assert "registers" in fp8gemm.inspect(pack_path, text=True)
    with pytest.raises(fp8gemm.CompileError, match="expected a pack .*, got something else"):
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
