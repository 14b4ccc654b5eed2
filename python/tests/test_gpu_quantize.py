# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantisations of activations on a Hopper GPU, element by element against float64 (docs/Numerics.md). Bits of quantisations
without functions: test/Execution/quantize_items.py."""

import pytest

torch = pytest.importorskip("torch")

import fp8gemm.torch as ft  # noqa: E402
from fp8gemm import layers  # noqa: E402
from gpu_reference import ACTIVATIONS, check, operands, random  # noqa: E402
from test_gpu import BF16, nan, pack, pytestmark  # noqa: E402, F401

SWIGLU = dict(gated=True, activation="silu")


def check_quantised(q, scales, x, activation, *, gated=False, power_of_two=False):
    """Within the bounds of an activation, and of a quantised result."""
    halves = x.double().chunk(2, -1) if gated else (x.double(), 1)
    value = ACTIVATIONS[activation](halves[0]) * halves[1]
    error = 2.0**-19 * (value.abs() + (halves[0] * halves[1]).abs())
    largest = 448 if q.dtype == torch.float8_e4m3fn else 57344
    blocks = lambda x: torch.nn.functional.pad(x, (0, -x.shape[-1] % 128)).unflatten(-1, (-1, 128)).amax(-1)
    wanted, of_scale = blocks(value.abs()).clamp(min=1e-4) / largest, blocks(error) / largest
    got = scales.double()
    if power_of_two:
        assert (got.log2() == got.log2().round()).all()
        assert (got >= (wanted - of_scale) * (1 - 2.0**-22)).all() and (got < 2 * (wanted + of_scale)).all()
    else:
        assert ((got - wanted).abs() <= of_scale + 2.0**-22 * got).all()
    spread = got.repeat_interleave(128, -1)[..., :value.shape[-1]]
    step = 2.0**-4 if q.dtype == torch.float8_e4m3fn else 2.0**-3
    off = (q.double() * spread - value).abs()
    assert (off <= error + step * (value.abs() + error) + 2.0**-10 * spread).all()
    assert off.max() > 0


@pytest.mark.parametrize("m", [1, 5, 64, 129, 777, 4096])
def test_swiglu_is_read_by_the_next_product(pack, m):
    x = random(m, 4096, seed=m).to(BF16)
    q, scales = torch.ops.fp8gemm.quantize(x, **SWIGLU)
    check_quantised(q, scales, x, "silu", gated=True)
    other = torch.empty_like(q), torch.empty_like(scales)
    assert pack.quantize(x, *other, **SWIGLU) is other[0]
    assert torch.equal(other[0].view(torch.uint8), q.view(torch.uint8)) and torch.equal(other[1], scales)
    down = operands(1, 7168, 2048)[1]
    check(pack.gemm(q, scales, *down, nan(m, 7168)), (q, scales), down)


def test_other_activations(pack):
    x = 3 * random(333, 4096, seed=1)
    q, scales = torch.ops.fp8gemm.quantize(x, gated=True, activation="gelu", layout="k_major")
    check_quantised(q, scales, x, "gelu", gated=True)
    x = x.half()
    q, scales = torch.ops.fp8gemm.quantize(x, gated=True, activation="gelu_tanh", power_of_two=True)
    check_quantised(q, scales, x, "gelu_tanh", gated=True, power_of_two=True)
    x = random(333, 528, seed=2).to(BF16)
    q, scales = torch.ops.fp8gemm.quantize(x, activation="relu", dtype=torch.float8_e5m2)
    check_quantised(q, scales, x, "relu")


def test_columns_of_a_larger_matrix_and_special_rows(pack):
    wide = random(70, 4096 + 64, seed=3).to(BF16)
    x = wide[:, 32:32 + 4096]
    x[0] = 0
    x[1, 5] = torch.nan
    x[2, 2048 + 300] = torch.inf
    x[3] = -1000  # silu is -0
    q, scales = torch.ops.fp8gemm.quantize(x, **SWIGLU)
    assert (scales[0] == torch.tensor(1e-4, device="cuda") / 448).all() and (q[0].float() == 0).all()
    assert scales[1, 0].isnan() and q[1, :128].float().isnan().all() and not scales[1, 1:].isnan().any()
    assert scales[2, 2].isnan() and not scales[2, :2].isnan().any()
    assert (q[3].float() == 0).all()
    check_quantised(q[4:], scales[4:], x[4:], "silu", gated=True)


def test_in_a_graph_after_a_product(pack):
    a, b = operands(64, 4096, 2048)
    d = pack.gemm(*a, *b)
    wanted = torch.ops.fp8gemm.quantize(d, **SWIGLU)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = torch.ops.fp8gemm.quantize(torch.ops.fp8gemm.gemm(*a, *b), dependent=True, **SWIGLU)
    for _ in range(20):
        graph.replay()
    torch.cuda.synchronize()
    assert all(torch.equal(x.view(torch.uint8), y.view(torch.uint8)) for x, y in zip(got, wanted))


@pytest.mark.parametrize("n", [7168, 1000, 1])
def test_weights(pack, n):
    """One scale for 128 x 128; they are read by a product."""
    x = random(n, 2048, seed=n).to(BF16)
    q, scales = torch.ops.fp8gemm.quantize(x, block_rows=128, layout="k_major")
    values, of_blocks = ft.quantize_per_block(x)
    assert scales.shape == of_blocks.shape and torch.equal(scales, of_blocks.clamp(min=1e-4 / 448))
    same = q.view(torch.uint8) == values.view(torch.uint8)
    assert same.float().mean() > 0.98 and (ft.dequantize(q, scales) - x.float()).abs().max() <= 2.0**-4 * x.abs().max()
    if n == 7168:
        a = operands(129, n, 2048)[0]
        check(pack.gemm(*a, q, scales, nan(129, n)), a, (q, scales))


def test_groups_of_layers(pack):
    gate_up = random(3, 65, 4096, seed=5).to(BF16)
    values, scales = layers.swiglu_quantize_by_kernel(gate_up)
    for group in range(3):
        q, of_group = torch.ops.fp8gemm.quantize(gate_up[group], **SWIGLU)
        assert torch.equal(values[group].view(torch.uint8), q.view(torch.uint8)) and torch.equal(scales[group], of_group)
