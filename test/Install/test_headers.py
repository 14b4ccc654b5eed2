# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each installed header can be included by itself, by C++ and, if it is a C header, by C11."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import ROOT

INCLUDES = (ROOT / "include", ROOT / "runtime" / "include", ROOT / "runtime" / "format")
HEADERS = sorted(str(path.relative_to(folder)) for folder, room in ((INCLUDES[0], ""), (INCLUDES[1], ""), (INCLUDES[2], "fp8gemm"))
                 for path in (folder / room).rglob("*.h*"))
C_HEADERS = [name for name in HEADERS if name.startswith("fp8gemm-c/") or name in
             ("fp8gemm/runtime.h", "fp8gemm/Execution/Execution.h")]
LLVM_INCLUDE = subprocess.run(["/usr/lib/llvm-22/bin/llvm-config", "--includedir"], capture_output=True,
                              text=True).stdout.strip()


CPP = [shutil.which("clang++-22") or "c++", "-std=c++17", "-x", "c++"] # clang takes half the time
C = ["cc", "-std=c11", "-Wpedantic", "-x", "c"]


@pytest.fixture(scope="module")
def complaints(tree):
    """The compilers' output for each header by itself. A test for each would use only one core."""
    def compile(language, header):
        # Twice: each has a guard.
        source = f'#include "{header}"\n' * 2 + "int anything;\n"
        done = subprocess.run([*language, "-fsyntax-only", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-comment",
                               "-Werror", f"-I{tree.prefix}/include", "-isystem", LLVM_INCLUDE, "-D_GNU_SOURCE", "-"],
                              input=source, text=True, capture_output=True, env=tree.environment)
        return done.stderr if done.returncode else ""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return {(name, header): pool.submit(compile, language, header)
                for name, language, headers in (("c++", CPP, HEADERS), ("c", C, C_HEADERS)) for header in headers}


@pytest.mark.parametrize("header", HEADERS)
def test_cpp(complaints, header):
    assert not complaints["c++", header].result()


@pytest.mark.parametrize("header", C_HEADERS)
def test_c(complaints, header):
    assert not complaints["c", header].result()


def test_all_are_installed(tree):
    installed = {str(path.relative_to(tree.prefix / "include")) for path in (tree.prefix / "include").rglob("*.h*")}
    assert set(HEADERS) <= installed
    # The generated ones are of operations, types, attributes and passes: their declarations.
    generated = {name for name in installed if name.endswith(".inc")}
    assert "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOps.h.inc" in generated
    assert all(name.endswith(".h.inc") for name in generated)
    assert installed - set(HEADERS) == generated
