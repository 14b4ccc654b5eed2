# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Block-scaled FP8 matrix products on NVIDIA Hopper GPUs: packs of compiled kernels, and arrays of any library.

    pack = fp8gemm.load("model.fp8pack")
    pack.load(device=0)                          # all kernels now, so that no launch loads any
    d = pack.gemm(a, sfa, b, sfb)                # any DLPack arrays; on the array library's current stream

docs/Python.md of the project says more.
"""

from fp8gemm._compiler import CompileError, compile, explain, inspect, plan
from fp8gemm._native import (
    Error,
    NotInPackError,
    __version__,
    gemm,
    get_pack,
    grouped_gemm_contiguous,
    grouped_gemm_k,
    grouped_gemm_masked,
    quantize,
    set_pack,
)
from fp8gemm._pack import Pack, load
from fp8gemm._problems import Problem

__all__ = ["CompileError", "Error", "NotInPackError", "Pack", "Problem", "__version__", "compile", "explain", "gemm", "get_pack",
           "grouped_gemm_contiguous", "grouped_gemm_k", "grouped_gemm_masked", "inspect", "load", "plan", "quantize", "set_pack"]
