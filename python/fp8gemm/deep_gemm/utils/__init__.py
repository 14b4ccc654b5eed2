# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layouts and casts."""

from fp8gemm.deep_gemm.utils import dist, layout, math
from fp8gemm.deep_gemm.utils.dist import init_dist, uneven_all_gather
from fp8gemm.deep_gemm.utils.layout import (
    get_k_alignment_for_contiguous_layout,
    get_m_alignment_for_contiguous_layout,
    get_mk_alignment_for_contiguous_layout,
    get_mn_major_tma_aligned_tensor,
    get_theoretical_mk_alignment_for_contiguous_layout,
    get_tma_aligned_size,
    set_mk_alignment_for_contiguous_layout,
)
from fp8gemm.deep_gemm.utils.math import (
    align,
    ceil_div,
    ceil_to_ue8m0,
    per_block_cast_to_fp8,
    per_channel_cast_to_fp8,
    per_custom_dims_cast_to_fp8,
    per_token_cast_to_fp8,
)

__all__ = ["align", "ceil_div", "ceil_to_ue8m0", "dist", "get_k_alignment_for_contiguous_layout",
           "get_m_alignment_for_contiguous_layout", "get_mk_alignment_for_contiguous_layout",
           "get_mn_major_tma_aligned_tensor", "get_theoretical_mk_alignment_for_contiguous_layout", "get_tma_aligned_size",
           "init_dist", "layout", "math", "per_block_cast_to_fp8", "per_channel_cast_to_fp8", "per_custom_dims_cast_to_fp8",
           "per_token_cast_to_fp8", "set_mk_alignment_for_contiguous_layout", "uneven_all_gather"]


def __getattr__(name):
    from fp8gemm.deep_gemm._missing import resolve

    return resolve(name, __name__, "utils")
