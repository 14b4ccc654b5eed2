# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random operands on a GPU, and the float64 product with the bound of docs/Numerics.md."""

import torch

import fp8gemm.torch as ft

C_KERNEL = 348  # docs/Numerics.md, "The bound"


def random(*shape, seed=0):
    return torch.randn(shape, device="cuda", generator=torch.Generator("cuda").manual_seed(seed))


def operands(m, n, k, *, layout="mn_major", by_row=False, a_type=torch.float8_e4m3fn, seed=0):
    """((a, sfa), (b, sfb)): normal data, quantised; by_row: a scale for each row of b (1d1d)."""
    a = ft.quantize_per_token(random(m, k, seed=seed), layout=layout, dtype=a_type)
    b = random(n, k, seed=seed + 1)
    return a, ft.quantize_per_token(b) if by_row else ft.quantize_per_block(b)


def exact(values, scales):
    """values * scale in float64, which is exact."""
    if scales.shape[-2] != values.shape[-2]:
        scales = scales.repeat_interleave(ft.BLOCK, -2)[..., :values.shape[-2], :]
    return values.double() * scales.double().repeat_interleave(ft.BLOCK, -1)[..., :values.shape[-1]]


def check(d, a, b, c=None, bias=None):
    """Each element of d = c + a @ b.T + bias is within the bound."""
    left, right = exact(*a), exact(*b)
    wanted = left @ right.mT
    size = left.abs() @ right.abs().mT
    blocks = -(-left.shape[-1] // ft.BLOCK)
    error = (C_KERNEL * 2.0**-13 + (blocks + 2) * 2.0**-24) * size
    added = [x.double() for x in (c, bias) if x is not None]
    for x in added:
        wanted = wanted + x
    if len(added) == 1:
        error = error + 2.0**-24 * (wanted.abs() + error)
    elif added:
        error = error + 2 * 2.0**-24 * (size + sum(x.abs() for x in added) + 2 * error)
    bound = error + (2.0**-8 * (wanted.abs() + error) + 2.0**-134 if d.dtype == torch.bfloat16 else 2.0**-125)
    off = (d.double() - wanted).abs()
    worst = (off / bound).max().item() if d.numel() else 0.0
    assert (off <= bound).all(), f"an element is {worst:.3g} times the bound away"
    assert worst > 0 or d.numel() == 0, "expected some rounding, got none: is it compared with itself?"


ACTIVATIONS = {
    "none": lambda x: x,
    "relu": torch.nn.functional.relu,
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "gelu_tanh": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
}


def check_activation(d, a, b, activation, bias=None, gated=False):
    """Each element of d = activation(a @ b.T + bias), or with gated activation(gate) * up, is within its bound."""
    left, right = exact(*a), exact(*b)
    sums = left @ right.mT + (0 if bias is None else bias.double())
    size = left.abs() @ right.abs().mT + (0 if bias is None else bias.double().abs())
    blocks = -(-left.shape[-1] // ft.BLOCK)
    errors = (C_KERNEL * 2.0**-13 + (blocks + 3) * 2.0**-24) * size
    function, slope, own = ACTIVATIONS[activation], 1.13, 2.0**-20  # of the functions, and of their f32 arithmetic
    half = d.shape[-1]
    value = function(sums[..., :half])
    error = slope * errors[..., :half] + own * (value.abs() + size[..., :half])
    if gated:
        up, of_up = sums[..., half:], errors[..., half:]
        error = error * up.abs() + value.abs() * of_up + error * of_up
        value = value * up
    bound = error + (2.0**-8 * (value.abs() + error) + 2.0**-134 if d.dtype == torch.bfloat16 else 2.0**-23 * value.abs() + 2.0**-125)
    off = (d.double() - value).abs()
    worst = (off / bound).max().item() if d.numel() else 0.0
    assert (off <= bound).all(), f"an element is {worst:.3g} times the bound away"
    assert worst > 0 or d.numel() == 0, "expected some rounding, got none: is it compared with itself?"
