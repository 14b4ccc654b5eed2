# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A quantised d: what reaches the launch, and what is refused before it."""

import ml_dtypes
import numpy as np
import pytest
from arrays import ExchangeArray, columns, rows
from test_gemm import operands

import fp8gemm

E4M3, BF16, F32 = ml_dtypes.float8_e4m3fn, ml_dtypes.bfloat16, np.float32
PARAMS = [8, 8, 8, 8, 4, 8, 8, 8, 4]  # maps of a, b, sfa; sfb and its leading dimension; map of d; sfd and its leading dimension; M


@pytest.mark.parametrize("sfd, options, leading", [(columns((12, 2), F32), {}, 12), (rows((12, 2), F32), {"power_of_two": True}, 2)],
                         ids=["mn_major", "k_major"])
def test_scales_reach_the_launch(pack, driver, sfd, options, leading):
    driver.reset(PARAMS)
    scales, o = ExchangeArray(sfd), operands(d=rows((12, 256), E4M3))
    assert pack.gemm(*o, sfd=scales, **options) is o.d
    launch, = driver.launches
    assert launch["params"][6:8] == [scales.address, leading]
    d = pack.gemm(o.a, o.sfa, o.b, o.sfb, sfd=scales, **options)
    assert d.values.dtype == E4M3 and d.values.shape == (12, 256)


def test_gated(pack, driver):
    driver.reset(PARAMS)
    o, scales = operands(d=rows((12, 128), E4M3)), ExchangeArray(rows((12, 1), F32))
    assert pack.gemm(*o, sfd=scales, gated=True, activation="silu") is o.d
    assert driver.launches[0]["params"][6:8] == [scales.address, 1]


def test_groups(pack, driver):
    driver.reset([8, 8, 8, 8, 4, 4, 8, 8, 4, 4, 8, 4, 4, 8, 4])  # sfb, d and sfd with their strides
    a, sfa = ExchangeArray(rows((3, 16, 256), E4M3)), ExchangeArray(columns((3, 16, 2), F32))
    b, sfb = ExchangeArray(rows((3, 256, 256), E4M3)), ExchangeArray(rows((3, 2, 2), F32))
    counts, sfd = ExchangeArray(rows((3,), np.int32)), ExchangeArray(columns((3, 16, 1), F32))
    d = pack.grouped_gemm_masked(a, sfa, b, sfb, counts, expected_m=4, sfd=sfd, gated=True, activation="silu")
    assert d.values.dtype == E4M3 and d.values.shape == (3, 16, 128)
    assert driver.launches[0]["params"][10:13] == [sfd.address, 16, 16]


BAD = [
    (ValueError, r"expected 'sfd' of shape \[M, N/128\] = \(12, 2\), got \(12, 1\)", dict(sfd=rows((12, 1), F32))),
    (ValueError, r"expected 'sfd' of shape \[M, N/256\] = \(12, 1\), got \(12, 2\)", dict(sfd=rows((12, 2), F32), gated=True)),
    (TypeError, r"expected 'sfd' of float32, got bfloat16", dict(sfd=rows((12, 2), BF16))),
    (TypeError, r"expected 'd' of float8_e4m3fn, or uint8 \(its bits\), with 'sfd', got bfloat16", dict(sfd=rows((12, 2), F32), d=rows((12, 256), BF16))),
    (TypeError, r"expected 'd' of bfloat16 or float32, got float8_e4m3fn", dict(d=rows((12, 256), E4M3))),
    (ValueError, r"expected 'd_type' to be None with 'sfd', since d is float8_e4m3fn, got 'bf16'", dict(sfd=rows((12, 2), F32), d_type="bf16")),
    (ValueError, r"expected 'power_of_two' with 'sfd' only, got no 'sfd'", dict(power_of_two=True)),
    (ValueError, r"expected no 'c' with 'sfd'", dict(sfd=rows((12, 2), F32), c=rows((12, 256), BF16))),
]


@pytest.mark.parametrize("error, message, given", BAD, ids=[message[:50] for _, message, _ in BAD])
def test_refused(pack, driver, error, message, given):
    o = operands()
    given = {name: ExchangeArray(value) if isinstance(value, np.ndarray) else value for name, value in given.items()}
    with pytest.raises(error, match=message):
        pack.gemm(o.a, o.sfa, o.b, o.sfb, **given)
    assert not driver.launches


def test_entry_of_the_list(pack):
    found = [problem for problem in pack.problems if problem.sfd != "none"]
    assert {(problem.d_type, problem.sfd, problem.power_of_two) for problem in found} >= {("e4m3", "mn_major", False), ("e4m3", "k_major", True)}
    assert found[0].entry() == {"op": "gemm", "n": 256, "k": 256, "d_type": "e4m3", "sfd": "mn_major"}
    o = operands(d=rows((12, 256), E4M3))
    with pytest.raises(fp8gemm.NotInPackError, match='"d_type": "e4m3", "power_of_two": true, "sfd": "mn_major"'):
        pack.gemm(*o, sfd=ExchangeArray(columns((12, 2), F32)), power_of_two=True)
