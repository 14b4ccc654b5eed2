# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What happens to rows outside the products, as plain PyTorch: each a function that torch.compile makes one or two kernels of,
and that MoEMLP and ExpertParallelMoE take replacements for.

All arithmetic is float32, rounded once at the end. Compiled, a multiplication and an addition may become one fma, and a
division may be off by its last bit: results then differ in the last bit from those of operations run one by one.
"""

import torch
from torch import Tensor

import fp8gemm.torch as ft


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


def combine(rows: Tensor, places: Tensor, weights: Tensor | None = None, added: Tensor | None = None) -> Tensor:
    """out[t] = sum over j of weights[t, j] * rows[places[t, j]], + added[t].

    rows [N, H]; places [T, n] int64, -1 for none: that row is not read, whatever it contains; weights [T, n] float32, or None:
    1; added [T, H], or None: 0. In float32, j ascending, `added` last; out [T, H] has the type of rows.
    """
    total = torch.zeros(places.shape[0], rows.shape[1], dtype=torch.float32, device=rows.device)
    if rows.shape[0] > 0:
        for place, weight in zip(places.T, weights.T if weights is not None else places.T):
            row = rows[place.clamp(min=0)].float()
            row = row if weights is None else row * weight.unsqueeze(-1)
            total = total + torch.where((place >= 0).unsqueeze(-1), row, 0.0)
    if added is not None:
        total = total + added.float()
    return total.to(rows.dtype)
