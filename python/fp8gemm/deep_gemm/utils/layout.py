# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How scales are stored."""

import torch

from fp8gemm import _layouts
from fp8gemm.deep_gemm import _arguments, _settings
from fp8gemm.deep_gemm._settings import (
    get_mk_alignment_for_contiguous_layout,
    get_theoretical_mk_alignment_for_contiguous_layout,
    set_mk_alignment_for_contiguous_layout,
)
from fp8gemm.deep_gemm.utils.math import align, ceil_div

__all__ = ["get_k_alignment_for_contiguous_layout", "get_m_alignment_for_contiguous_layout",
           "get_mk_alignment_for_contiguous_layout", "get_mn_major_tma_aligned_tensor",
           "get_theoretical_mk_alignment_for_contiguous_layout", "get_tma_aligned_size",
           "set_mk_alignment_for_contiguous_layout", "transform_sf_into_required_layout"]

get_m_alignment_for_contiguous_layout = get_mk_alignment_for_contiguous_layout
get_k_alignment_for_contiguous_layout = get_mk_alignment_for_contiguous_layout

_TMA_ALIGNMENT_BYTES = 16


def get_tma_aligned_size(x, element_size):
    """x elements, rounded up to whole 16 bytes."""
    _arguments.count("x", x)
    if _TMA_ALIGNMENT_BYTES % _arguments.count("element_size", element_size, least=1):
        raise ValueError(f"expected an element of 1, 2, 4, 8 or 16 bytes, got {element_size}")
    return align(x, _TMA_ALIGNMENT_BYTES // element_size)


def get_mn_major_tma_aligned_tensor(sf):
    """The scales [..., MN, K blocks] with stride 1 along MN, and the other strides and the address 16-byte aligned; a copy if
    they aren't."""
    _arguments.tensor("'sf'", sf)
    if sf.dtype != torch.float32 or sf.dim() not in (2, 3):
        raise ValueError(f"expected 'sf' of float32 and 2 or 3 dimensions, got {sf.dtype} of {sf.dim()}")
    _settings.prepare(sf.device)
    return _layouts.mn_major(sf)


def transform_sf_into_required_layout(sf, mn, k, recipe, num_groups=None, is_sfa=None, disable_ue8m0_cast=False,
                                      psum_layout=None):
    """The scales as the kernels take them: of single rows MN-major and aligned, of 128x128 blocks as they are."""
    _arguments.tensor("'sf'", sf)
    _arguments.count("mn", mn)
    _arguments.count("k", k)
    if isinstance(recipe, (tuple, list)) and len(recipe) == 2:
        if is_sfa is not None:
            raise ValueError(f"expected 'is_sfa' with a recipe of three only, got it with {recipe}")
        rows, blocks = _arguments.integers("recipe", recipe, 2)
    else:
        of_a, of_b, blocks = _arguments.integers("recipe", recipe, 3)
        if is_sfa is None:
            raise ValueError(f"expected 'is_sfa' with a recipe of three, got {recipe} without it")
        rows = of_a if _arguments.flag("is_sfa", is_sfa) else of_b
    _arguments.flag("disable_ue8m0_cast", disable_ue8m0_cast)
    if sf.dtype != torch.float32 or (rows, blocks) not in ((1, 128), (128, 128)):
        raise NotImplementedError(f"expected float32 scales of 1x128 or 128x128, the ones of Hopper, got {sf.dtype} of "
                                  f"{rows}x{blocks}")
    wanted = (() if num_groups is None else (_arguments.count("num_groups", num_groups),)) + (ceil_div(mn, rows), ceil_div(k, blocks))
    if tuple(sf.shape) != wanted:
        raise ValueError(f"expected 'sf', the scales, of shape {wanted}, got {tuple(sf.shape)}")
    return get_mn_major_tma_aligned_tensor(sf) if rows == 1 else sf


def __getattr__(name):
    from fp8gemm.deep_gemm._missing import resolve

    return resolve(name, __name__, "utils.layout")
