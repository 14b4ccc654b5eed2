# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The kernels of fp8gemm.quantize, thread by thread, against numpy: bit for bit, as test/Execution/quantize_items.py is on a GPU."""

import copy
import functools

import numpy as np
import pytest
import quantization
import threads
from compiled import BIN, run
from quantization import BF16, BLOCK, E4M3, E5M2, F16, F32

POISON = 0xA5


@functools.cache
def kernel(*problem):
    return threads.kernel_of(run(BIN / "fp8gemm-compile", *quantization.options(*problem), "--emit=mlir"))


def matrix(rows, columns, leading, dtype, is_transposed=False):
    """Poisoned, with room between its rows and after them."""
    data = np.full((columns if is_transposed else rows) * leading + leading, POISON, np.uint8).repeat(dtype.itemsize).view(dtype)
    return threads.Matrix(data, (rows, columns), (1, leading) if is_transposed else (leading, 1))


def check(m, k, x_type=BF16, q_type=E4M3, layout="mn_major", power_of_two=False, gated=False, activation="none", block_rows=1, ctas=3):
    columns = 2 * k if gated else k
    data = quantization.data(m, columns, x_type, seed=m + k)
    x, q = matrix(m, columns, columns + 32, x_type), matrix(m, k, k + 16, q_type)
    down, across = -(-m // block_rows), -(-k // BLOCK)
    scales = matrix(down, across, down + 5 if layout == "mn_major" else across + 3, F32, layout == "mn_major")
    x.data.reshape(m + 1, -1)[:m, :columns] = data
    threads.launch(kernel(k, x_type, q_type, layout, power_of_two, gated, activation, block_rows), [x, q, scales, np.int64(m)], ctas)
    expected = quantization.quantize(quantization.activate(data, activation, gated), q_type, power_of_two, block_rows)
    for name, got, wanted in zip(("q", "scales"), (q, scales), expected):
        rows, inner = np.indices(got.shape)
        places = rows * got.strides[0] + inner * got.strides[1]
        bits = got.data.view(wanted.dtype)
        np.testing.assert_array_equal(bits[places], wanted, name)
        outside = np.delete(bits, places.ravel())
        assert (outside.view(np.uint8) == POISON).all(), f"{name}: something outside changed"


@pytest.mark.parametrize("m, k, ctas", [(1, 16, 1), (3, 128, 2), (65, 144, 3), (130, 400, 2), (9, 2112, 5)])
def test_shapes(m, k, ctas):
    check(m, k, ctas=ctas)


@pytest.mark.parametrize("x_type, q_type, layout, power_of_two", [
    (BF16, E5M2, "k_major", True), (F16, E4M3, "mn_major", True), (F16, E5M2, "k_major", False), (F32, E4M3, "k_major", False), (F32, E5M2, "mn_major", True)])
def test_types(x_type, q_type, layout, power_of_two):
    check(70, 272, x_type, q_type, layout, power_of_two)


@pytest.mark.parametrize("activation", quantization.ACTIVATIONS)
@pytest.mark.parametrize("gated, x_type", [(False, BF16), (True, BF16), (True, F32)])
def test_activations(activation, gated, x_type):
    check(67, 400, x_type, gated=gated, activation=activation)


@pytest.mark.parametrize("m, k, ctas, layout", [(1, 16, 1, "k_major"), (128, 128, 2, "k_major"), (130, 144, 3, "mn_major"), (300, 400, 2, "k_major")])
def test_scales_of_blocks(m, k, ctas, layout):
    check(m, k, layout=layout, block_rows=128, ctas=ctas)


@pytest.mark.parametrize("x_type, q_type, power_of_two, gated", [(F32, E4M3, True, False), (F16, E5M2, False, False), (BF16, E4M3, False, True)])
def test_types_with_scales_of_blocks(x_type, q_type, power_of_two, gated):
    check(200, 272, x_type, q_type, "k_major", power_of_two, gated, "relu" if gated else "none", block_rows=128, ctas=1)


def test_an_access_outside_is_found():
    """Of a matrix with a row less than M."""
    x, q, scales = matrix(1, 16, 16, BF16), matrix(2, 16, 16, E4M3), matrix(2, 1, 4, F32, True)
    with pytest.raises(AssertionError, match="an access outside"):
        threads.launch(kernel(16, BF16, E4M3, "mn_major", False, False, "none", 1), [x, q, scales, np.int64(2)], 1)


@pytest.mark.parametrize("which, message", [(0, "no barrier after a store"), (1, "no barrier before a store")])
def test_a_missing_barrier_is_found(which, message):
    broken = copy.deepcopy(kernel(128, BF16, E4M3, "k_major", False, False, "none", 128))
    (_, body), = broken.regions
    loop, = (operation for operation in body if operation.name == "scf.for")
    (_, inner), = loop.regions
    del inner[[i for i, operation in enumerate(inner) if operation.name == "gpu.barrier"][which]]
    x, q, scales = matrix(300, 128, 128, BF16), matrix(300, 128, 128, E4M3), matrix(3, 1, 1, F32)
    with pytest.raises(AssertionError, match=message):
        threads.launch(broken, [x, q, scales, np.int64(300)], 1)
