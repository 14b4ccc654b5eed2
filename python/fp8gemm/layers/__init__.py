# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers for PyTorch, made of the kernels of a pack: linear layers that are trained or only used, and mixture-of-experts MLPs.
docs/Python.md and docs/Training.md say more."""

from fp8gemm.layers._experts import Experts, Products, quantize_experts
from fp8gemm.layers._linear import Linear
from fp8gemm.layers._moe import MoEMLP
from fp8gemm.layers._stages import combine, quantize, swiglu_quantize, swiglu_quantize_by_kernel
from fp8gemm.layers._swap import Swapped, problems, swap_linears

__all__ = ["Experts", "Linear", "MoEMLP", "Products", "Swapped", "combine", "problems", "quantize", "quantize_experts", "swap_linears",
           "swiglu_quantize", "swiglu_quantize_by_kernel"]
