# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantised results on a Hopper GPU: what quantize makes of the same product in float32, and the A of a next product."""

import pytest

torch = pytest.importorskip("torch")

import fp8gemm.torch as ft  # noqa: E402
from gpu_reference import check, operands, random  # noqa: E402
from test_gpu import F32, G, K, N, experts, nan, of_group, pack, pytestmark  # noqa: E402, F401

E4M3, SWIGLU = torch.float8_e4m3fn, dict(gated=True, activation="silu")


def poisoned(layout, *shape):
    """d and sfd: NaN."""
    *groups, m, n = shape
    d, scales = torch.full(shape, 0x7F, dtype=torch.uint8, device="cuda").view(E4M3), torch.full((*groups, m, n // 128), torch.nan, device="cuda")
    return d, ft.mn_major(scales) if layout == "mn_major" else scales


def check_quantised(d, sfd, wanted, power_of_two=False):
    """As quantize_per_token makes it of `wanted`, whose last bits are those of another schedule."""
    values, scales = ft.quantize_per_token(wanted, power_of_two=power_of_two)
    assert not d.float().isnan().any() and not sfd.isnan().any()
    assert ((sfd - scales).abs() <= (0 if power_of_two else 2.0**-12) * scales).float().mean() > 0.999
    same = d.view(torch.uint8) == values.view(torch.uint8)
    assert same.float().mean() > 0.98, f"{same.float().mean():.4f} of the values are the same"
    off = (ft.dequantize(d, sfd) - wanted).abs()
    assert (off <= 2.0**-3.9 * wanted.abs() + 2.0**-9 * sfd.repeat_interleave(128, -1)).float().mean() > 0.9999


@pytest.mark.parametrize("m", [1, 5, 64, 129, 777, 4096])
@pytest.mark.parametrize("layout, power_of_two", [("mn_major", False), ("k_major", True)])
def test_product(pack, m, layout, power_of_two):
    a, b = operands(m, 1024, 512)
    d, sfd = poisoned(layout, m, 1024)
    assert pack.gemm(*a, *b, d, sfd=sfd, power_of_two=power_of_two) is d
    check_quantised(d, sfd, pack.gemm(*a, *b, d_type="f32"), power_of_two)
    other = poisoned(layout, m, 1024)[1]
    assert torch.equal(pack.gemm(*a, *b, sfd=other, power_of_two=power_of_two).view(torch.uint8), d.view(torch.uint8)) and torch.equal(other, sfd)


@pytest.mark.parametrize("m", [1, 64, 129, 777])
def test_swiglu_is_read_by_the_next_product(pack, m):
    a, b = operands(m, 4096, 2048)
    d, sfd = poisoned("mn_major", m, 2048)
    pack.gemm(*a, *b, d, sfd=sfd, **SWIGLU)
    check_quantised(d, sfd, pack.gemm(*a, *b, d_type="f32", **SWIGLU))
    down = operands(1, 7168, 2048)[1]
    check(pack.gemm(d, sfd, *down, nan(m, 7168)), (d, sfd), down)


def test_groups(pack):
    m, starts, sizes = 640, [0, 256, 256, 384], [200, 0, 128, 177]
    a, b = ft.quantize_per_token(random(m, K)), experts()
    ends = torch.tensor([start + size for start, size in zip(starts, sizes)], dtype=torch.int32, device="cuda")
    (d, sfd), wanted = poisoned("mn_major", m, N // 2), nan(m, N // 2, dtype=F32)
    pack.grouped_gemm_contiguous(*a, *b, ends, d, by="end", sfd=sfd, **SWIGLU)
    pack.grouped_gemm_contiguous(*a, *b, ends, wanted, by="end", **SWIGLU)
    owned = torch.zeros(m, dtype=torch.bool, device="cuda")
    for start, size in zip(starts, sizes):
        owned[start:start + size] = True
    check_quantised(d[owned], sfd[owned], wanted[owned])
    assert (d[~owned].view(torch.uint8) == 0x7F).all() and sfd[~owned].isnan().all()
    m, counts = 256, [200, 0, 256, 1]
    a = ft.quantize_per_token(random(G, m, K))
    (d, sfd), wanted, used = poisoned("mn_major", G, m, N // 2), nan(G, m, N // 2, dtype=F32), torch.tensor(counts, dtype=torch.int32, device="cuda")
    pack.grouped_gemm_masked(*a, *b, used, d, sfd=sfd, **SWIGLU)
    pack.grouped_gemm_masked(*a, *b, used, wanted, **SWIGLU)
    for group, count in enumerate(counts):
        check_quantised(d[group, :count], sfd[group, :count], wanted[group, :count]) if count else None
        assert (d[group, count:].view(torch.uint8) == 0x7F).all() and sfd[group, count:].isnan().all()


def test_operators(pack):
    a, b = operands(129, 4096, 2048)
    d, sfd = torch.ops.fp8gemm.gemm_quantized(*a, *b, **SWIGLU)
    other = poisoned("mn_major", 129, 2048)
    pack.gemm(*a, *b, other[0], sfd=other[1], **SWIGLU)
    assert torch.equal(d.view(torch.uint8), other[0].view(torch.uint8)) and torch.equal(sfd, other[1])
