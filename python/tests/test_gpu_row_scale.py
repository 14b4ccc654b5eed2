# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A factor for each row of the product on a Hopper GPU, element by element against float64."""

import pytest

torch = pytest.importorskip("torch")

import fp8gemm.torch as ft  # noqa: E402
from gpu_reference import check, operands, random  # noqa: E402
from test_gpu import BF16, G, K, N, experts, nan, of_group, pack, pytestmark  # noqa: E402, F401


def scaled(a, factors):
    """Of each row, the product with its factor."""
    return a[0], a[1] * factors[:, None]


@pytest.mark.parametrize("m", [1, 7, 64, 129, 1000])
def test_row_scale(pack, m):
    a, b = operands(m, 1024, 512)
    factors = random(m, seed=10)
    d = pack.gemm(*a, *b, nan(m, 1024), row_scale=factors)
    check(d, scaled(a, factors), b)
    assert torch.equal(pack.gemm(*a, *b, row_scale=factors), d)
    bias = 8 * random(1024, seed=11).to(BF16)
    check(pack.gemm(*a, *b, nan(m, 1024), row_scale=factors, bias=bias), scaled(a, factors), b, bias=bias)


def test_row_scale_of_groups(pack):
    m, sizes = 512, [200, 0, 128, 77]
    a, b, d, factors = ft.quantize_per_token(random(m, K)), experts(), nan(m, N), random(m, seed=12)
    groups = torch.full((m,), -1, dtype=torch.int32, device="cuda")
    starts = [0, 256, 256, 384]
    for group, (start, size) in enumerate(zip(starts, sizes)):
        groups[start:start + size] = group
    pack.grouped_gemm_contiguous(*a, *b, groups, d, row_scale=factors)
    for group, (start, size) in enumerate(zip(starts, sizes)):
        rows = slice(start, start + size)
        check(d[rows], scaled((a[0][rows], a[1][rows]), factors[rows]), of_group(b, group))
    m, counts = 200, [200, 0, 130, 1]
    a, d, factors = ft.quantize_per_token(random(G, m, K)), nan(G, m, N), random(G, m, seed=13)
    pack.grouped_gemm_masked(*a, *b, torch.tensor(counts, dtype=torch.int32, device="cuda"), d, row_scale=factors)
    for group, count in enumerate(counts):
        rows = (a[0][group, :count], a[1][group, :count])
        check(d[group, :count], scaled(rows, factors[group, :count]), of_group(b, group))
        assert d[group, count:].isnan().all()
