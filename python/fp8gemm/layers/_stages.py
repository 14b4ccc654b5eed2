# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What happens to rows outside the products, as plain PyTorch: each a function that torch.compile makes one or two kernels of,
and that MoEMLP and ExpertParallelMoE take replacements for.

All arithmetic is float32, rounded once at the end. Compiled, a multiplication and an addition may become one fma, and a
division may be off by its last bit: results then differ in the last bit from those of operations run one by one.
"""

import torch
from torch import Tensor

import fp8gemm.torch as ft
from fp8gemm.layers import _routing

_UPPER = -1 << 16  # of 32 bits


def quantize(x: Tensor) -> tuple[Tensor, Tensor]:
    """[T, H] floating -> values [T, H] float8_e4m3fn and scales [T, ceil(H/128)] float32, row-major: as rows are sent."""
    return ft.quantize_per_token(x, layout="k_major")


def quantize_by_kernel(x: Tensor) -> tuple[Tensor, Tensor]:
    """The same by one kernel of the pack, of `{"op": "quantize", "k": H, "sfa": "k_major"}`: a few elements differ in the last bit."""
    return torch.ops.fp8gemm.quantize(x, layout="k_major", dependent=True)


def swiglu_quantize(gate_up: Tensor) -> tuple[Tensor, Tensor]:
    """[..., rows, 2I], the gate first -> values [..., rows, I] float8_e4m3fn and scales [..., rows, ceil(I/128)] float32,
    mn_major, of silu(gate) * up. The product is not rounded to bfloat16 before it is quantised."""
    gate, up = gate_up.float().chunk(2, -1)
    return ft.quantize_per_token(torch.nn.functional.silu(gate) * up, layout="mn_major")


def swiglu_quantize_by_kernel(gate_up: Tensor) -> tuple[Tensor, Tensor]:
    """The same by one kernel of the pack, of `{"op": "quantize", "k": I, "gated": true, "activation": "silu"}`, also of groups
    [G, rows, 2I]: a few elements differ in the last bit."""
    *groups, rows, _ = gate_up.shape
    values, scales = torch.ops.fp8gemm.quantize(gate_up.flatten(0, -2), gated=True, activation="silu", dependent=True)
    return values.unflatten(0, (*groups, rows)), scales.unflatten(0, (*groups, rows))


def combine(rows: Tensor, places: Tensor, weights: Tensor | None = None, added: Tensor | None = None) -> Tensor:
    """out[t] = sum over j of weights[t, j] * rows[places[t, j]], + added[t].

    rows [N, H]; places [T, n] int64, -1 for none: that row is not read, whatever it contains; weights [T, n] float32, or None:
    1; added [T, H], or None: 0. In float32, j ascending, `added` last; out [T, H] has the type of rows.

    Rows of bfloat16 are read and written as words of four, if H is a multiple of 4: torch.compile does not find out by itself that neighbours
    of a row that is looked up are neighbours in memory, too, and reads them one by one, in three times the time.
    """
    is_wide = rows.dtype == torch.bfloat16 and rows.shape[1] % 4 == 0 and rows.is_contiguous()
    taken = rows.view(_routing.WORD) if is_wide else rows
    totals = [torch.zeros(places.shape[0], taken.shape[1], dtype=torch.float32, device=rows.device)] * (4 if is_wide else 1)
    if rows.shape[0] > 0:
        for place, weight in zip(places.T, weights.T if weights is not None else places.T):
            exists, row = (place >= 0).unsqueeze(-1), taken[place.clamp(min=0)]
            for i, part in enumerate(_unpacked(row) if is_wide else [row.float()]):
                part = part if weights is None else part * weight.unsqueeze(-1)
                totals[i] = totals[i] + torch.where(exists, part, 0.0)
    if added is not None:
        totals = [total + part for total, part in zip(totals, added.float().unflatten(-1, (-1, len(totals))).unbind(-1))]
    return _packed(totals).view(rows.dtype) if is_wide else totals[0].to(rows.dtype)


def _unpacked(words):
    """The four bfloat16 of each, as float32."""
    low, high = words.int(), (words >> 32).int()
    return [bits.view(torch.float32) for bits in (low << 16, low & _UPPER, high << 16, high & _UPPER)]


def _packed(parts):
    """Four float32 of each as bfloat16 of one word."""
    bits = [part.bfloat16().view(torch.int16).long() & 0xFFFF for part in parts]
    return bits[0] | bits[1] << 16 | bits[2] << 32 | bits[3] << 48
