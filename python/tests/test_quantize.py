# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What reaches the launch of a quantisation, and what is refused before it."""

import ml_dtypes
import numpy as np
import pytest
from arrays import CapsuleArray, ExchangeArray, ManagedArray, columns, rows

import fp8gemm

E4M3, E5M2, BF16, F32 = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.bfloat16, np.float32
PARAMETERS = [8, 8, 8, 8, 8, 8, 4]  # x, q and scales, each with its leading dimension; M


def operands(library=ExchangeArray, m=12, **changes):
    """Of {"op": "quantize", "k": 256}."""
    made = dict(x=rows((m, 256), BF16), q=rows((m, 256), E4M3), scales=columns((m, 2), F32)) | changes
    return {name: library(values) for name, values in made.items()}


@pytest.mark.parametrize("library", [ExchangeArray, CapsuleArray, ManagedArray])
def test_operands_reach_the_launch(pack, driver, library):
    driver.reset(PARAMETERS)
    o = operands(library)
    assert pack.quantize(*o.values(), stream=0, num_sms=3) is o["q"]
    launch, = driver.launches
    assert launch["params"] == [o["x"].address, 256, o["q"].address, 256, o["scales"].address, 12, 12]
    assert launch["stream"] == 0 and not launch["dependent"]


def test_strides_and_layouts_find_the_kernel(pack, driver):
    driver.reset(PARAMETERS)
    o = operands(x=rows((12, 512), F32)[:, :384], q=rows((12, 400), E5M2)[:, :384], scales=rows((12, 3), F32))
    pack.quantize(**o, power_of_two=True, dependent=True)
    launch, = driver.launches
    assert launch["params"][1::2] == [512, 400, 3] and launch["dependent"]


def test_gated_x_has_two_columns_for_one(pack, driver):
    driver.reset(PARAMETERS)
    o = operands(x=rows((12, 512), BF16))
    assert pack.quantize(**o, gated=True, activation="silu") is o["q"]
    launch, = driver.launches
    assert launch["params"] == [o["x"].address, 512, o["q"].address, 256, o["scales"].address, 12, 12]
    o = operands(scales=rows((12, 2), F32))
    pack.quantize(**o, activation="relu")
    assert len(driver.launches) == 2 and driver.launches[1]["params"][0] == o["x"].address


@pytest.mark.parametrize("m", [300, 128, 12, 1])
def test_scales_of_blocks_find_their_kernel(pack, driver, m):
    driver.reset(PARAMETERS)
    o = operands(m=m, scales=rows(((m + 127) // 128, 2), F32))
    if m == 1:  # for which there is a kernel of rows, too, with scales in the other order
        o["scales"] = ExchangeArray(rows((1, 3), F32)[:, :2])
    pack.quantize(**o)
    launch, = driver.launches
    assert launch["params"][4] == o["scales"].address


def test_no_rows_launch_nothing(pack, driver):
    o = operands(m=0)
    assert pack.quantize(**o) is o["q"]
    assert not driver.launches


@pytest.mark.parametrize("changes, error, message", [
    (dict(x=rows((300, 256), BF16), q=rows((300, 256), E4M3), scales=rows((2, 2), F32)), ValueError,
     r"expected 'scales' of shape .* = \(300, 2\) or .* = \(3, 2\), got \(2, 2\)"),
    (dict(gated=True), ValueError, r"expected 'q' of shape \[M, K\] = \(12, 128\), got \(12, 256\)"),
    (dict(x=rows((12, 257), BF16), gated=True), ValueError, r"expected 'x' of shape \[M, 2 \* K\] with gated, got \(12, 257\)"),
    (dict(activation="swiglu"), ValueError, 'expected .activation. to be one of "none", "relu", "silu", "gelu", "gelu_tanh", got'),
    (dict(activation="silu"), fp8gemm.NotInPackError, '{"op": "quantize", "k": 256, "activation": "silu"}'),
    (dict(x=rows((12, 256), np.int32)), TypeError, "expected 'x' of bfloat16, float16 or float32, got int32"),
    (dict(q=rows((12, 256), BF16)), TypeError, "expected 'q' of float8_e4m3fn, float8_e5m2, or uint8"),
    (dict(q=rows((11, 256), E4M3)), ValueError, r"expected 'q' of shape \[M, K\] = \(12, 256\), got \(11, 256\)"),
    (dict(scales=rows((12, 3), F32)), ValueError, r"expected 'scales' of shape \[M, ceil\(K/128\)\] = \(12, 2\) or \[ceil\(M/128\), ceil\(K/128\)\] = \(1, 2\), got \(12, 3\)"),
    (dict(scales=rows((12, 2), BF16)), TypeError, "expected 'scales' of float32"),
    (dict(x=columns((12, 256), BF16)), ValueError, "expected 'x' row-major"),
    (dict(x=rows((12, 264), BF16)[:, :256], q=rows((12, 257), E4M3)[:, :256]), ValueError,
     "expected the leading dimension of 'q' to be a multiple of 16 bytes"),
])
def test_refusals(pack, driver, changes, error, message):
    with pytest.raises(error, match=message):
        options = {name: changes.pop(name) for name in ("gated", "activation") if name in changes}
        pack.quantize(**operands(**changes), **options)
    assert not driver.launches


def test_a_quantisation_that_the_pack_lacks(pack, driver):
    with pytest.raises(fp8gemm.NotInPackError, match='{"op": "quantize", "k": 256, "power_of_two": true}'):
        pack.quantize(**operands(), power_of_two=True)
    assert not driver.launches


def test_problems_say_what_they_are(pack):
    found = [problem.entry() for problem in pack.problems if problem.op == "quantize"]
    assert found == [{"op": "quantize", "k": 256, "sfa": "k_major", "activation": "relu"}, {"op": "quantize", "k": 256},
                     {"op": "quantize", "k": 256, "recipe": "1d2d", "sfa": "k_major"},
                     {"op": "quantize", "k": 256, "gated": True, "activation": "silu"},
                     {"op": "quantize", "k": 384, "a_type": "e5m2", "sfa": "k_major", "x_type": "f32", "power_of_two": True}]
