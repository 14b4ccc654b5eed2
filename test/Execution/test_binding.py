# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""runtime_binding.py says what runtime/include/fp8gemm/runtime.h says."""

import ctypes
import shutil
import subprocess

import pytest
import runtime_binding as binding

STRUCTS = {"fp8gemm_gemm_args": binding.GemmArgs, "fp8gemm_kernel_info": binding.KernelInfo,
           "fp8gemm_matrix": binding.Matrix, "fp8gemm_tensor": binding.Tensor,
           "fp8gemm_grouped_gemm_args": binding.GroupedGemmArgs,
           "fp8gemm_quantize_args": binding.QuantizeArgs}


def test_structs_match_the_header(tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("no C compiler")
    lines = ['#include "fp8gemm/runtime.h"', "#include <stdio.h>", "int main(void) {"]
    expected = []
    for name, struct in STRUCTS.items():
        lines.append(f'printf("%zu\\n", sizeof({name}));')
        expected.append(ctypes.sizeof(struct))
        for field, _ in struct._fields_:
            lines.append(f'printf("%zu\\n", offsetof({name}, {field}));')
            expected.append(getattr(struct, field).offset)
    c_uses = ("no_c", "c_apart", "c_in_place")
    assert len(c_uses) == len(binding.C_USES)
    for names in (binding.LAYOUTS, binding.TYPES, c_uses, binding.GROUPINGS, binding.STATUS, ("ok", "check_groups", "dependent_launch")):
        for value, name in enumerate(names):
            lines.append(f'printf("%d\\n", FP8GEMM_{name.upper()});')
            expected.append(value)
    assert (binding.CHECK_GROUPS, binding.DEPENDENT_LAUNCH) == (1, 2)
    (tmp_path / "x.c").write_text("\n".join(lines + ["return 0; }"]))
    subprocess.run([compiler, "-I", binding.ROOT / "runtime" / "include", tmp_path / "x.c", "-o", tmp_path / "x"],
                   check=True)
    got = subprocess.run([tmp_path / "x"], check=True, capture_output=True, text=True).stdout.split()
    assert list(map(int, got)) == expected


def test_errors_carry_the_message(tmp_path):
    try:
        binding.find_library()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    (tmp_path / "k").write_bytes(b"not a kernel")
    with pytest.raises(binding.StatusError, match="INVALID_FILE: ."):
        binding.Kernel(tmp_path / "k")
    with pytest.raises(binding.StatusError, match="IO_ERROR: ."):
        binding.Kernel(tmp_path / "none")
