# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The CPU oracle of fp8gemm.quantize against numpy and ml_dtypes, bit for bit."""

import numpy as np
import pytest
import quantization
from compiled import BIN, compile_function, run
from quantization import BF16, BLOCK, E4M3, E5M2, F16, F32

MLIR_TYPES = {BF16: "bf16", F16: "f16", F32: "f32", E4M3: "f8E4M3FN", E5M2: "f8E5M2"}
POISON = 0xA5


def oracle(folder, x, q_type, layout, power_of_two, padding=0):
    """The bits of q and of the scales [M, blocks]; what lies between rows is checked to be untouched."""
    m, k = x.shape
    blocks = -(-k // BLOCK)
    stored = (m + padding + 3) // 4 * 4
    shape = f"{blocks}x{stored}" if layout == "mn_major" else f"?x{blocks}"
    text = f"""func.func @quantize(%x: memref<?x{k}x{MLIR_TYPES[x.dtype]}>, %q: memref<?x{k}x{MLIR_TYPES[q_type]}>, %s: memref<{shape}xf32>) {{
  fp8gemm.quantize %x into %q scaled_by %s <1x128, {layout}> {"power_of_two" if power_of_two else ""}
    : memref<?x{k}x{MLIR_TYPES[x.dtype]}>, memref<?x{k}x{MLIR_TYPES[q_type]}>, memref<{shape}xf32>
  return
}}
"""
    q = np.full((m, k), POISON, np.uint8)
    scales = np.full((blocks, stored) if layout == "mn_major" else (m, blocks), POISON, np.uint32)
    compile_function(text, folder)(x, q, scales)
    if layout == "mn_major":
        assert (scales[:, m:] == POISON).all(), "expected the padding of the scales to be left as it was"
        scales = scales[:, :m].T
    return q, scales


def check(x, folder, q_type=E4M3, layout="mn_major", power_of_two=False, padding=0):
    q, scales = oracle(folder, x, q_type, layout, power_of_two, padding)
    expected_q, expected_scales = quantization.quantize(x, q_type, power_of_two)
    np.testing.assert_array_equal(scales, expected_scales)
    np.testing.assert_array_equal(q, expected_q)


@pytest.mark.parametrize("x_type, q_type, power_of_two", [
    (BF16, E4M3, False), (BF16, E5M2, True), (F16, E4M3, True), (F16, E5M2, False), (F32, E4M3, False), (F32, E5M2, True)])
def test_types(x_type, q_type, power_of_two, tmp_path):
    check(quantization.data(13, 400, x_type, seed=1), tmp_path, q_type, "k_major", power_of_two)


@pytest.mark.parametrize("m, k, layout", [(1, 16, "mn_major"), (3, 128, "k_major"), (5, 144, "mn_major"), (2, 272, "k_major")])
def test_shapes(m, k, layout, tmp_path):
    check(quantization.data(m, k, BF16, seed=m), tmp_path, layout=layout, padding=5)


@pytest.mark.parametrize("power_of_two", [False, True])
def test_every_bf16(power_of_two, tmp_path):
    """Each as the largest of its block."""
    x = np.arange(1 << 16, dtype=np.uint16)[:, None] & np.array([[0xFFFF] + 15 * [0x8000]], np.uint16)
    check(x.view(BF16), tmp_path, power_of_two=power_of_two)


def of_options(folder, x, layout="k_major", block_rows=1, **options):
    """The oracle of a problem, as fp8gemm-compile makes it of options: the bits of q and of scales [M or blocks of rows, blocks]."""
    k = x.shape[1] // (2 if options.get("gated") else 1)
    options = quantization.options(k, x.dtype, layout=layout, block_rows=block_rows, **options)
    text = run(BIN / "fp8gemm-compile", *options, "--emit=mlir").decode()
    down, across = -(-len(x) // block_rows), -(-k // BLOCK)
    shape = (down, across) if layout == "k_major" else (across, down)
    q, scales = np.full((len(x), k), POISON, np.uint8), np.full(shape, POISON, np.uint32)
    compile_function(text, folder)(x, q, scales)
    return q, scales if layout == "k_major" else scales.T


@pytest.mark.parametrize("m, k, layout", [(1, 16, "k_major"), (128, 128, "mn_major"), (300, 272, "k_major"), (130, 144, "mn_major")])
@pytest.mark.parametrize("x_type, power_of_two", [(BF16, False), (F32, True)])
def test_scales_of_blocks(m, k, layout, x_type, power_of_two, tmp_path):
    x = quantization.data(m, k, x_type, seed=m)
    got = of_options(tmp_path, x, layout=layout, power_of_two=power_of_two, block_rows=128)
    for bits, expected in zip(got, quantization.quantize(x, power_of_two=power_of_two, block_rows=128)):
        np.testing.assert_array_equal(bits, expected)


@pytest.mark.parametrize("activation, gated, x_type", [("relu", False, BF16), ("relu", True, F16), ("none", True, F32)])
def test_activations_without_functions(activation, gated, x_type, tmp_path):
    """Bit for bit."""
    x = quantization.data(9, 288, x_type, seed=3)
    got = of_options(tmp_path, x, activation=activation, gated=gated)
    for bits, expected in zip(got, quantization.quantize(quantization.activate(x, activation, gated))):
        np.testing.assert_array_equal(bits, expected)


@pytest.mark.parametrize("activation, gated, x_type", [("silu", True, BF16), ("silu", False, F32), ("gelu_tanh", True, F16)])
def test_activations(activation, gated, x_type, tmp_path):
    """Scales within the error of functions (docs/Numerics.md), and elements next to each other. The CPU has no erf."""
    x = quantization.data(9, 288, x_type, seed=4)
    q, scales = of_options(tmp_path, x, activation=activation, gated=gated)
    of_q, of_scales = quantization.quantize(quantization.activate(x, activation, gated))
    scales, of_scales = scales.view(np.float32), of_scales.view(np.float32)
    np.testing.assert_array_equal(np.isnan(scales), np.isnan(of_scales))
    np.testing.assert_allclose(scales, of_scales, rtol=2.0**-18, equal_nan=True)
    numbers = ~np.isnan(of_scales).repeat(BLOCK, axis=1)[:, :q.shape[1]]
    steps = np.abs((q & 0x7F).astype(int) - (of_q & 0x7F))[numbers]
    assert steps.max() <= 1 and (steps == 0).mean() > 0.999


def test_power_of_two_rounds_up(tmp_path):
    """The quotient is 1, the next number, and the one before."""
    largest = np.float32(448)
    x = np.zeros((3, 16), np.float32)
    x[:, 5] = largest, -np.nextafter(largest, np.float32(np.inf)), np.nextafter(largest, np.float32(0))
    assert quantization.quantize(x, power_of_two=True)[1].view(np.float32).ravel().tolist() == [1, 2, 1]
    check(x, tmp_path, power_of_two=True)


def test_tensors(tmp_path):
    x = quantization.data(6, 144, BF16)
    text = """func.func @scales(%x: tensor<6x144xbf16>) -> tensor<6x2xf32> {
  %q = tensor.empty() : tensor<6x144xf8E4M3FN>
  %s = tensor.empty() : tensor<6x2xf32>
  %a, %sfa = fp8gemm.quantize %x into %q scaled_by %s <1x128, k_major>
    : tensor<6x144xbf16>, tensor<6x144xf8E4M3FN>, tensor<6x2xf32> -> tensor<6x144xf8E4M3FN>, tensor<6x2xf32>
  return %sfa : tensor<6x2xf32>
}
"""
    scales = compile_function(text, tmp_path)(x, returns=((6, 2), np.uint32))
    np.testing.assert_array_equal(scales, quantization.quantize(x)[1])
