# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch's operators on the host, computed by PyTorch: for what PyTorch does with operators."""

import torch

import fp8gemm.torch as ft

E4M3 = torch.float8_e4m3fn


def product(a, sfa, b, sfb):
    return ft.dequantize(a.view(E4M3), sfa) @ ft.dequantize(b.view(E4M3), sfb).mT


def activated(sums, gated, activation):
    function = {"none": lambda x: x, "relu": torch.relu, "silu": torch.nn.functional.silu}[activation]
    if not gated:
        return function(sums)
    gate, up = sums.chunk(2, -1)
    return function(gate) * up


def gemm(a, sfa, b, sfb, c=None, *, bias=None, dtype=None, gated=False, activation="none", **_):
    d = product(a, sfa, b, sfb)
    for added in (c, bias):
        d = d if added is None else d + added
    return activated(d, gated, activation).to(dtype or torch.bfloat16)


def gemm_out(a, sfa, b, sfb, d, c=None, **_):
    d.copy_(gemm(a, sfa, b, sfb, c))


def gemm_add_(a, sfa, b, sfb, d, **_):
    d += product(a, sfa, b, sfb)


def grouped_gemm_contiguous(a, sfa, b, sfb, groups, c=None, *, by="index", align=128, dtype=None, gated=False, activation="none",
                            **_):
    rows, d = torch.arange(len(a)), torch.zeros(len(a), b.shape[1])
    for group in range(len(b)):
        if by == "index":
            used = groups == group
        else:
            start = -(-groups[group - 1] // align) * align if group else 0
            used = (rows >= start) & (rows < groups[group])
        d[used] = product(a.view(torch.uint8)[used], sfa[used], b[group], sfb[group]) + (0 if c is None else c[used])
    return activated(d, gated, activation).to(dtype or torch.bfloat16)


def grouped_gemm_contiguous_out(a, sfa, b, sfb, groups, d, c=None, **options):
    d.copy_(grouped_gemm_contiguous(a, sfa, b, sfb, groups, c, **options))


def grouped_gemm_contiguous_add_(a, sfa, b, sfb, groups, d, **options):
    d += grouped_gemm_contiguous(a, sfa, b, sfb, groups, dtype=torch.float32, **options)


def grouped_gemm_masked(a, sfa, b, sfb, counts, c=None, *, dtype=None, gated=False, activation="none", **_):
    d = product(a, sfa, b, sfb) + (0 if c is None else c)
    if counts is not None:
        d = torch.where(torch.arange(a.shape[1])[:, None] < counts[:, None, None], d, 0)
    return activated(d, gated, activation).to(dtype or torch.bfloat16)


def grouped_gemm_masked_out(a, sfa, b, sfb, counts, d, c=None, **_):
    d.copy_(grouped_gemm_masked(a, sfa, b, sfb, counts, c))


def grouped_gemm_masked_add_(a, sfa, b, sfb, counts, d, **_):
    d += grouped_gemm_masked(a, sfa, b, sfb, counts, dtype=torch.float32)


def grouped_gemm_k_add_(a, sfa, b, sfb, lengths, d, **_):
    k = block = 0
    for group, length in enumerate(lengths.tolist()):
        columns, blocks = slice(k, k + length), slice(block, block - -length // 128)
        d[group] += product(a[:, columns], sfa[:, blocks], b[:, columns], sfb[:, blocks])
        k, block = columns.stop, blocks.stop


def quantized(product):
    def operator(*arguments, layout="mn_major", power_of_two=False, **options):
        sums = product(*arguments, dtype=torch.float32, **options)
        return ft.quantize_per_token(sums, layout=layout, power_of_two=power_of_two)

    operator.__name__ = f"{product.__name__}_quantized"
    return operator


gemm_quantized, grouped_gemm_contiguous_quantized, grouped_gemm_masked_quantized = map(
    quantized, (gemm, grouped_gemm_contiguous, grouped_gemm_masked))


def quantize(x, *, layout="mn_major", power_of_two=False, gated=False, activation="none", dtype=None, block_rows=1, **_):
    quantized = ft.quantize_per_token if block_rows == 1 else ft.quantize_per_block
    return quantized(activated(x.float(), gated, activation), layout=layout, power_of_two=power_of_two, dtype=dtype or E4M3)


def quantize_out(x, q, scales, *, power_of_two=False, gated=False, activation="none", **_):
    quantized = ft.quantize_per_token if len(scales) == len(x) else ft.quantize_per_block
    values, of_x = quantized(activated(x.float(), gated, activation), power_of_two=power_of_two)
    q.copy_(values.view(q.dtype))
    scales.copy_(of_x)


OPERATORS = [gemm, gemm_quantized, grouped_gemm_contiguous_quantized, grouped_gemm_masked_quantized, gemm_out, gemm_add_, grouped_gemm_contiguous, grouped_gemm_contiguous_out,
             grouped_gemm_contiguous_add_, grouped_gemm_masked, grouped_gemm_masked_out, grouped_gemm_masked_add_, grouped_gemm_k_add_, quantize, quantize_out]


def register(library):
    for operator in OPERATORS:
        library.impl(operator.__name__, operator, "CPU")
