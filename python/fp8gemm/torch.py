# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch: custom operators over the default pack, and quantisation.

Importing this registers `torch.ops.fp8gemm.*`, which torch.compile, torch.export and CUDA graphs know how to handle.
They launch kernels of the pack of `fp8gemm.set_pack`; arguments are those of the functions of that name in `fp8gemm`:

    gemm(a, sfa, b, sfb, c=None, dtype=None)                    -> d
    gemm_out(a, sfa, b, sfb, d, c=None)                            writes d
    gemm_add_(a, sfa, b, sfb, d)                                   d += a @ b.T
    grouped_gemm_contiguous(a, sfa, b, sfb, groups, ...)        -> d, and _out(..., d)
    grouped_gemm_masked(a, sfa, b, sfb, counts, ...)            -> d, and _out(..., d)
    grouped_gemm_k_add_(a, sfa, b, sfb, lengths, d)                d[g] += ...

dtype is that of d: torch.bfloat16 (the default) or torch.float32. All take num_sms=0, dependent=False and batch_invariant=False. Rows of d that
no group has are not initialised.
"""

import torch
from torch import Tensor

from fp8gemm import _native

BLOCK = 128  # elements that share a scale
_LARGEST = {torch.float8_e4m3fn: 448.0, torch.float8_e5m2: 57344.0}

#
# Quantisation
#


def quantize_per_token(x: Tensor, *, layout: str = "mn_major", power_of_two: bool = False,
                       dtype: torch.dtype = torch.float8_e4m3fn) -> tuple[Tensor, Tensor]:
    """One scale for 128 elements of each row.

    x: [..., M, K], floating. Returns the values, [..., M, K] of `dtype`, and their scales, [..., M, ceil(K/128)] float32,
    stored in `layout` ("mn_major", "k_major"), so that x is about values * scale: scale = amax / 448 of its block in
    float32 (57344 of e5m2), or with `power_of_two` the next power of two from there up. No scale is below the smallest
    normal number; of a block with a NaN all is NaN.
    """
    *batch, rows, columns = x.shape
    blocks = -(-columns // BLOCK)
    padded = torch.nn.functional.pad(x.float(), (0, blocks * BLOCK - columns)).view(*batch, rows, blocks, BLOCK)
    scales = _scales_of(padded.abs().amax(-1), power_of_two, dtype)
    values = (padded / scales.unsqueeze(-1)).to(dtype).view(*batch, rows, blocks * BLOCK)
    return values[..., :columns].contiguous(), _stored(scales, layout)


def quantize_per_block(x: Tensor, *, layout: str = "k_major", power_of_two: bool = False,
                       dtype: torch.dtype = torch.float8_e4m3fn) -> tuple[Tensor, Tensor]:
    """One scale for 128 x 128 elements: the same with scales of [..., ceil(M/128), ceil(K/128)]."""
    *batch, rows, columns = x.shape
    down, across = -(-rows // BLOCK), -(-columns // BLOCK)
    padded = torch.nn.functional.pad(x.float(), (0, across * BLOCK - columns, 0, down * BLOCK - rows))
    blocks = padded.view(*batch, down, BLOCK, across, BLOCK)
    scales = _scales_of(blocks.abs().amax((-3, -1)), power_of_two, dtype)
    values = (blocks / scales[..., :, None, :, None]).to(dtype).view(padded.shape)
    return values[..., :rows, :columns].contiguous(), _stored(scales, layout)


def dequantize(values: Tensor, scales: Tensor) -> Tensor:
    """values * scale, in float32; scales of either function."""
    rows = scales
    if scales.shape[-2] != values.shape[-2]:
        rows = scales.repeat_interleave(BLOCK, -2)[..., :values.shape[-2], :]
    return values.float() * rows.repeat_interleave(BLOCK, -1)[..., :values.shape[-1]]


def mn_major(scales: Tensor) -> Tensor:
    """The same scales with stride 1 along their rows and the other stride a multiple of 4: a copy, unless they are."""
    *batch, rows, blocks = scales.shape
    aligned = -(-rows // 4) * 4
    stored = scales.new_empty((*batch, blocks, aligned))[..., :rows].transpose(-1, -2)
    if scales.stride() == stored.stride():
        return scales
    return stored.copy_(scales)


def _stored(scales, layout):
    if layout not in ("mn_major", "k_major"):
        raise ValueError(f'expected \'layout\' to be "mn_major" or "k_major", got {layout!r}')
    return mn_major(scales) if layout == "mn_major" else scales.contiguous()


def _scales_of(amax, power_of_two, dtype):
    if dtype not in _LARGEST:
        raise TypeError(f"expected 'dtype' to be float8_e4m3fn or float8_e5m2, got {dtype}")
    # By a number on the device: a GPU would multiply by the inverse of one on the host, which is rounded.
    largest = torch.full((), _LARGEST[dtype], dtype=torch.float32, device=amax.device)
    scales = (amax / largest).clamp(min=torch.finfo(torch.float32).tiny)
    if not power_of_two:
        return scales
    # A normal number whose fraction isn't 0 becomes the next power of two: its exponent and one more.
    bits = scales.view(torch.int32)
    rounded = ((bits + 0x7FFFFF) & ~0x7FFFFF).view(torch.float32)
    return torch.where(scales.isfinite(), rounded, scales)


#
# Operators
#

_library = torch.library.Library("fp8gemm", "DEF")
_WORDS = {torch.bfloat16: "bf16", torch.float32: "f32"}
_OPTIONS = "int num_sms=0, bool dependent=False, bool batch_invariant=False"


def _word(dtype):
    if dtype is not None and dtype not in _WORDS:
        raise TypeError(f"expected 'dtype' to be bfloat16 or float32, got {dtype}")
    return _WORDS[dtype or torch.bfloat16]


def _define(name, arguments, result, on_cuda, shape):
    """An operator; `shape` gives that of d for its arguments, None where d is an argument."""
    _library.define(f"{name}(Tensor a, Tensor sfa, Tensor b, Tensor sfb, {arguments}, {_OPTIONS}) -> {result}")
    _library.impl(name, on_cuda, "CUDA")

    def fake(a, sfa, b, sfb, *rest, dtype=None, **_):
        _word(dtype)
        return a.new_empty(shape(a, b), dtype=dtype or torch.bfloat16) if shape else None

    torch.library.register_fake(f"fp8gemm::{name}", fake, lib=_library)


def _gemm(a, sfa, b, sfb, c=None, *, dtype=None, **options):
    return _native.gemm(a, sfa, b, sfb, None, c, d_type=_word(dtype), **options)


def _gemm_out(a, sfa, b, sfb, d, c=None, **options):
    _native.gemm(a, sfa, b, sfb, d, c, **options)


def _gemm_add(a, sfa, b, sfb, d, **options):
    _native.gemm(a, sfa, b, sfb, d, d, **options)


def _contiguous(a, sfa, b, sfb, groups, *, dtype=None, **options):
    return _native.grouped_gemm_contiguous(a, sfa, b, sfb, groups, d_type=_word(dtype), **options)


def _contiguous_out(a, sfa, b, sfb, groups, d, **options):
    _native.grouped_gemm_contiguous(a, sfa, b, sfb, groups, d, **options)


def _masked(a, sfa, b, sfb, counts, *, dtype=None, **options):
    return _native.grouped_gemm_masked(a, sfa, b, sfb, counts, d_type=_word(dtype), **options)


def _masked_out(a, sfa, b, sfb, counts, d, **options):
    _native.grouped_gemm_masked(a, sfa, b, sfb, counts, d, **options)


def _k_add(a, sfa, b, sfb, lengths, d, **options):
    _native.grouped_gemm_k(a, sfa, b, sfb, lengths, d, d, **options)


_BY = f'str by="index", int align={BLOCK}, int expected_m=0'
_define("gemm", "Tensor? c=None, *, ScalarType? dtype=None", "Tensor", _gemm, lambda a, b: (a.shape[0], b.shape[0]))
_define("gemm_out", "Tensor(d!) d, Tensor? c=None, *", "()", _gemm_out, None)
_define("gemm_add_", "Tensor(d!) d, *", "()", _gemm_add, None)
_define("grouped_gemm_contiguous", f"Tensor groups, *, {_BY}, ScalarType? dtype=None", "Tensor", _contiguous,
        lambda a, b: (a.shape[0], b.shape[1]))
_define("grouped_gemm_contiguous_out", f"Tensor groups, Tensor(d!) d, *, {_BY}", "()", _contiguous_out, None)
_define("grouped_gemm_masked", "Tensor? counts, *, int expected_m=0, ScalarType? dtype=None", "Tensor", _masked,
        lambda a, b: (a.shape[0], a.shape[1], b.shape[1]))
_define("grouped_gemm_masked_out", "Tensor? counts, Tensor(d!) d, *, int expected_m=0", "()", _masked_out, None)
_define("grouped_gemm_k_add_", "Tensor lengths, Tensor(d!) d, *", "()", _k_add, None)
