# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What libfp8gemm_runtime.so shows and needs: the functions of its headers, and nothing but the C and C++ libraries."""

import re
import shutil
import subprocess

import pytest
import runtime_binding as binding

HEADER = binding.ROOT / "runtime" / "include" / "fp8gemm" / "runtime.h"
MAY_NEED = r"(libc|libm|libdl|libpthread|libstdc\+\+|libgcc_s|ld-linux-x86-64)\.so\.\d+"


def read(tool, *arguments):
    if not shutil.which(tool):
        pytest.skip(f"no {tool} (binutils)")
    try:
        library = binding.find_library()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return subprocess.run([tool, *arguments, library], check=True, capture_output=True, text=True).stdout


def test_exports_are_the_functions_of_the_header():
    declared = re.findall(r"^FP8GEMM_API [^;]*?\b(fp8gemm_\w+)\(", HEADER.read_text(), re.M)
    exported = {}
    for line in read("nm", "-D", "--defined-only", "--with-symbol-versions").splitlines():
        _, kind, name = line.split()
        name, _, version = name.partition("@@")
        if kind != "A":  # the name of a version
            exported[name] = version
    assert sorted(exported) == sorted(declared)
    assert set(exported.values()) == {"FP8GEMM_0.1"}


def test_name_and_needs():
    dynamic = read("readelf", "-d")
    assert re.search(r"SONAME.*\[libfp8gemm_runtime\.so\.0\]", dynamic)
    for library in re.findall(r"NEEDED.*\[(.*)\]", dynamic):
        assert re.fullmatch(MAY_NEED, library), library
