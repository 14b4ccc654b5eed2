# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Integers, and casts to FP8 with DeepGEMM's scales: amax / 448, where amax is at least 1e-4."""

import torch

from fp8gemm.deep_gemm import _arguments

__all__ = ["align", "ceil_div", "ceil_to_ue8m0", "per_block_cast_to_fp8", "per_channel_cast_to_fp8",
           "per_custom_dims_cast_to_fp8", "per_token_cast_to_fp8"]

_LARGEST = 448.0
_LEAST_AMAX = 1e-4


def ceil_div(x, y):
    if y <= 0:
        raise ValueError(f"expected 'y' above 0, got {y}")
    return -(-x // y)


def align(x, y):
    """x, rounded up to a multiple of y."""
    return ceil_div(x, y) * y


def ceil_to_ue8m0(x):
    """The power of two from |x| up."""
    bits = x.abs().float().view(torch.int32)
    exponent = (bits + 0x7FFFFF) >> 23
    return (exponent.clamp(1, 254) << 23).view(torch.float32)


def per_token_cast_to_fp8(x, use_ue8m0, gran_k=128, use_packed_ue8m0=False):
    """[M, K] to FP8, with a scale for `gran_k` elements of each row."""
    _expect_unpacked(use_packed_ue8m0)
    _expect_matrix(x, gran_k)
    rows, columns = x.shape
    blocks = ceil_div(columns, gran_k)
    padded = torch.nn.functional.pad(x, (0, blocks * gran_k - columns)).view(rows, blocks, gran_k)
    values, scales = _cast(padded, (2,), use_ue8m0)
    return values.view(rows, -1)[:, :columns].contiguous(), scales.view(rows, blocks)


def per_channel_cast_to_fp8(x, use_ue8m0, gran_k=128):
    """[K, N] to FP8, with a scale for `gran_k` elements of each column; K a multiple of it."""
    _expect_matrix(x, gran_k)
    k, columns = x.shape
    if k % gran_k:
        raise ValueError(f"expected rows to be a multiple of {gran_k}, got {k}")
    values, scales = _cast(x.view(-1, gran_k, columns), (1,), use_ue8m0)
    return values.view(k, columns), scales.view(-1, columns)


def per_block_cast_to_fp8(x, use_ue8m0, gran_k=128):
    """[M, K] to FP8, with a scale for gran_k x gran_k elements."""
    _expect_matrix(x, gran_k)
    rows, columns = x.shape
    down, across = ceil_div(rows, gran_k), ceil_div(columns, gran_k)
    padded = torch.nn.functional.pad(x, (0, across * gran_k - columns, 0, down * gran_k - rows))
    values, scales = _cast(padded.view(down, gran_k, across, gran_k), (1, 3), use_ue8m0)
    return values.view(padded.shape)[:rows, :columns].contiguous(), scales.view(down, across)


def per_custom_dims_cast_to_fp8(x, dims, use_ue8m0):
    """To FP8, with a scale for each index of the dimensions `dims`."""
    _expect_floating(x)
    if not isinstance(dims, (tuple, list, set)) or not set(dims) < set(range(x.dim())):
        raise ValueError(f"expected 'dims' to be some of the dimensions 0 to {x.dim() - 1}, not all, got {dims!r}")
    values, scales = _cast(x, tuple(i for i in range(x.dim()) if i not in set(dims)), use_ue8m0)
    return values, scales.squeeze()


def _cast(x, over, use_ue8m0):
    """FP8 values of x, and scales for all elements along the dimensions `over`, which they keep as 1."""
    _arguments.flag("use_ue8m0", use_ue8m0)
    scales = x.abs().float().amax(dim=over, keepdim=True).clamp(min=_LEAST_AMAX) / _LARGEST
    if use_ue8m0:
        scales = ceil_to_ue8m0(scales)
    return (x * scales.reciprocal()).to(torch.float8_e4m3fn), scales


def _expect_floating(x):
    _arguments.tensor("'x'", x)
    if not x.is_floating_point():
        raise TypeError(f"expected 'x' of a floating type, got {x.dtype}")


def _expect_matrix(x, gran_k):
    _expect_floating(x)
    _arguments.tensor("'x'", x, 2)
    _arguments.count("gran_k", gran_k, least=1)


def _expect_unpacked(use_packed_ue8m0):
    if _arguments.flag("use_packed_ue8m0", use_packed_ue8m0):
        raise NotImplementedError("packed power-of-two scales are for compute capability 10.0")


def __getattr__(name):
    from fp8gemm.deep_gemm._missing import resolve

    return resolve(name, __name__, "utils.math")
