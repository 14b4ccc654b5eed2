# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch's operators of quantisation on the fake driver, and their fake kernels."""

import pytest

torch = pytest.importorskip("torch")

from test_quantize import PARAMETERS  # noqa: E402
from test_torch_operators import described, fp8, launched, mn_major, outcome  # noqa: E402,F401
from torch_arrays import on_cuda  # noqa: E402

import fp8gemm.torch as ft  # noqa: E402
from fp8gemm import _fake  # noqa: E402

E5M2, BF16, F32 = torch.float8_e5m2, torch.bfloat16, torch.float32


@pytest.mark.parametrize("m", [16, 13, 1, 0])
def test_results_are_those_of_the_fake_kernel(launched, m):  # noqa: F811
    x = torch.rand(m, 256).to(BF16)
    launched.reset(PARAMETERS)
    q, scales = ft._quantize(on_cuda(x))
    assert [described(result) for result in (q, scales)] == [described(result) for result in _fake.quantize(x)]
    assert len(launched.launches) == (m > 0)
    if m > 0:
        launch, = launched.launches
        assert launch["params"][5] == (m + 3) // 4 * 4, "expected rows of scales of whole 16 bytes"


def test_layout_and_types_find_the_kernel(launched):  # noqa: F811
    q, scales = ft._quantize(on_cuda(torch.rand(5, 384)), layout="k_major", dtype=E5M2, power_of_two=True)
    assert q.dtype == E5M2 and scales.shape == (5, 3) and scales.stride() == (3, 1)
    assert len(launched.launches) == 1


def test_gated(launched):  # noqa: F811
    x = torch.rand(5, 512).to(BF16)
    launched.reset(PARAMETERS)
    options = dict(gated=True, activation="silu")
    q, scales = ft._quantize(on_cuda(x), **options)
    assert q.shape == (5, 256) and scales.shape == (5, 2)
    assert [described(result) for result in (q, scales)] == [described(result) for result in _fake.quantize(x, **options)]
    launch, = launched.launches
    assert launch["params"][1] == 512


@pytest.mark.parametrize("x, options", [(torch.rand(4, 257), dict(gated=True)), (torch.rand(4, 256), dict(activation="swish"))])
def test_what_no_activation_is_refused_alike(launched, x, options):  # noqa: F811
    refusal = outcome(ft._quantize_out, [on_cuda(x), on_cuda(fp8(4, 128)), on_cuda(mn_major(4, 1))], options)
    assert isinstance(refusal, tuple)
    assert outcome(_fake.quantize_out, [x, fp8(4, 128), mn_major(4, 1)], options) == refusal
    assert not launched.launches


@pytest.mark.parametrize("m", [300, 1, 0])
def test_scales_of_blocks(launched, m):  # noqa: F811
    x, options = torch.rand(m, 256).to(BF16), dict(block_rows=128, layout="k_major")
    launched.reset(PARAMETERS)
    q, scales = ft._quantize(on_cuda(x), **options)
    assert q.shape == (m, 256) and scales.shape == ((m + 127) // 128, 2)
    assert [described(result) for result in (q, scales)] == [described(result) for result in _fake.quantize(x, **options)]
    assert len(launched.launches) == (m > 0)


def test_block_rows_that_are_none():
    with pytest.raises(ValueError, match="expected 'block_rows' to be 1 or 128, got 64"):
        _fake.quantize(torch.rand(16, 256), block_rows=64)


def test_x_that_cannot_be_read_is_copied(launched):  # noqa: F811
    x = on_cuda(torch.rand(256, 16).to(BF16).T)
    launched.reset(PARAMETERS)
    ft._quantize_out(x, on_cuda(fp8(16, 256)), on_cuda(mn_major(16, 2)))
    launch, = launched.launches
    assert launch["params"][1] == 256


def cases():
    x, q, scales = torch.rand(16, 256).to(BF16), fp8(16, 256), mn_major(16, 2)
    return {"x of integers": (x.int(), q, scales), "x of one dimension": (x[0], q, scales),
            "q of another shape": (x, fp8(16, 128), scales), "q of bf16": (x, x, scales),
            "scales of another shape": (x, q, mn_major(16, 3)), "scales of f16": (x, q, scales.half())}


@pytest.mark.parametrize("case", cases())
def test_fake_kernel_refuses_what_the_real_one_does(launched, case):  # noqa: F811
    arguments = cases()[case]
    refusal = outcome(ft._quantize_out, [on_cuda(x) for x in arguments], {})
    assert isinstance(refusal, tuple) and outcome(_fake.quantize_out, arguments, {}) == refusal
    assert not launched.launches


def test_words_that_are_none():
    x = torch.rand(16, 256)
    with pytest.raises(ValueError, match="expected 'layout' to be \"mn_major\" or \"k_major\", got 'rows'"):
        _fake.quantize(x, layout="rows")
    with pytest.raises(TypeError, match="expected 'dtype' to be float8_e4m3fn or float8_e5m2, got torch.float32"):
        _fake.quantize(x, dtype=F32)


def test_traced():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        x = torch.empty(12, 256, dtype=BF16, device="cuda")
        q, scales = torch.ops.fp8gemm.quantize(x)
        assert q.shape == (12, 256) and scales.shape == (12, 2) and scales.stride() == (1, 12)
        torch.ops.fp8gemm.quantize_out(x, q, scales, power_of_two=True)
        q, scales = torch.ops.fp8gemm.quantize(x, gated=True, activation="silu")
        assert q.shape == (12, 128) and scales.shape == (12, 1)
