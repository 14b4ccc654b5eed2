# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Activations and gated products on a Hopper GPU, element by element against float64."""

import pytest

torch = pytest.importorskip("torch")

import fp8gemm.torch as ft  # noqa: E402
from gpu_reference import check_activation, operands, random  # noqa: E402
from test_gpu import BF16, F32, G, K, N, experts, nan, of_group, pack, pytestmark  # noqa: E402, F401


@pytest.mark.parametrize("m", [1, 64, 129, 1000])
@pytest.mark.parametrize("activation", ["relu", "silu", "gelu", "gelu_tanh"])
def test_activation(pack, m, activation):
    a, b = operands(m, 1024, 512)
    bias = 8 * random(1024, seed=14).to(BF16)
    d = pack.gemm(*a, *b, nan(m, 1024), bias=bias, activation=activation)
    check_activation(d, a, b, activation, bias=bias)


@pytest.mark.parametrize("m", [1, 5, 64, 129, 777, 4096])
def test_gated(pack, m):
    a, b = operands(m, 4096, 2048)
    d = pack.gemm(*a, *b, nan(m, 2048), gated=True, activation="silu")
    check_activation(d, a, b, "silu", gated=True)
    assert torch.equal(pack.gemm(*a, *b, gated=True, activation="silu"), d)
    check_activation(pack.gemm(*a, *b, nan(m, 2048, dtype=F32), gated=True, activation="gelu"), a, b, "gelu", gated=True)


def test_gated_groups(pack):
    m, starts, sizes = 640, [0, 256, 256, 384], [200, 0, 128, 177]
    a, b, d = ft.quantize_per_token(random(m, K)), experts(), nan(m, N // 2)
    ends = torch.tensor([start + size for start, size in zip(starts, sizes)], dtype=torch.int32, device="cuda")
    pack.grouped_gemm_contiguous(*a, *b, ends, d, by="end", gated=True, activation="silu")
    owned = torch.zeros(m, dtype=torch.bool, device="cuda")
    for group, (start, size) in enumerate(zip(starts, sizes)):
        rows = slice(start, start + size)
        owned[rows] = True
        check_activation(d[rows], (a[0][rows], a[1][rows]), of_group(b, group), "silu", gated=True)
    assert d[~owned].isnan().all()
    m, counts = 256, [200, 0, 256, 1]
    a, d = ft.quantize_per_token(random(G, m, K)), nan(G, m, N // 2)
    pack.grouped_gemm_masked(*a, *b, torch.tensor(counts, dtype=torch.int32, device="cuda"), d, gated=True, activation="silu")
    for group, count in enumerate(counts):
        check_activation(d[group, :count], (a[0][group, :count], a[1][group, :count]), of_group(b, group), "silu", gated=True)
        assert d[group, count:].isnan().all()
