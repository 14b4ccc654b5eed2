# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch's own checks of operators: schemas say what is written, fake kernels give shapes, types and strides, and graphs of
AOTAutograd with any sizes give what the operators give. FP8 as bytes, which these checks can compare."""

import pytest

torch = pytest.importorskip("torch")

import torch_host  # noqa: E402

import fp8gemm.torch as ft  # noqa: E402

BF16 = torch.bfloat16


@pytest.fixture(autouse=True)
def on_the_host():
    with torch.library._scoped_library("fp8gemm", "FRAGMENT") as library:
        torch_host.register(library)
        yield


def sides(m=20, n=384, k=256, groups=()):
    (a, sfa), (b, sfb) = ft.quantize_per_token(torch.randn(*groups, m, k)), ft.quantize_per_block(torch.randn(*groups, n, k))
    return a.view(torch.uint8), sfa, b.view(torch.uint8), sfb


def of_rows(*groups):
    a, sfa, *_ = sides(m=96)
    *_, b, sfb = sides(groups=(3,))
    return a, sfa, b, sfb, torch.tensor(groups, dtype=torch.int32)


def along_k():
    (a, sfa), (b, sfb) = ft.quantize_per_token(torch.randn(16, 256)), ft.quantize_per_token(torch.randn(24, 256))
    return a.view(torch.uint8), sfa, b.view(torch.uint8), sfb, torch.tensor([128, 0, 128], dtype=torch.int32)


INDEX, COUNTS = [0] * 32 + [1] * 32 + [2] * 32, torch.tensor([3, 0, 20], dtype=torch.int32)


def calls():
    """(operator, arguments, options)"""
    f32 = dict(dtype=torch.float32)
    return [
        ("gemm", sides(), {}), ("gemm", (*sides(), torch.randn(20, 384)), f32), ("gemm", sides(), dict(num_sms=4, dependent=True, batch_invariant=True)),
        ("gemm", sides(), dict(bias=torch.randn(384))), ("gemm", sides(), dict(row_scale=torch.randn(20))),
        ("grouped_gemm_contiguous", of_rows(30, 64, 90), dict(by="end", align=32, bias=torch.randn(384), row_scale=torch.randn(96))),
        ("grouped_gemm_masked", (*sides(groups=(3,)), COUNTS), dict(row_scale=torch.randn(3, 20))),
        ("gemm_out", (*sides(), torch.zeros(20, 384, dtype=BF16)), {}), ("gemm_out", (*sides(), torch.zeros(20, 384), torch.randn(20, 384)), {}),
        ("gemm_add_", (*sides(), torch.randn(20, 384)), {}),
        ("grouped_gemm_contiguous", of_rows(*INDEX), dict(align=32)), ("grouped_gemm_contiguous", of_rows(30, 64, 90), dict(by="end", align=32, **f32)),
        ("grouped_gemm_contiguous_out", (*of_rows(*INDEX), torch.zeros(96, 384, dtype=BF16)), dict(align=32)),
        ("grouped_gemm_masked", (*sides(groups=(3,)), COUNTS), dict(expected_m=4)), ("grouped_gemm_masked", (*sides(groups=(3,)), None), f32),
        ("grouped_gemm_masked_out", (*sides(groups=(3,)), COUNTS, torch.zeros(3, 20, 384)), {}),
        ("grouped_gemm_contiguous", (*of_rows(30, 64, 90), torch.randn(96, 384)), dict(by="end", align=32, **f32)),
        ("grouped_gemm_contiguous_add_", (*of_rows(30, 64, 90), torch.randn(96, 384)), dict(by="end", align=32)),
        ("grouped_gemm_masked", (*sides(groups=(3,)), COUNTS, torch.randn(3, 20, 384)), f32),
        ("grouped_gemm_masked_add_", (*sides(groups=(3,)), COUNTS, torch.randn(3, 20, 384)), {}),
        ("grouped_gemm_k_add_", (*along_k(), torch.randn(3, 16, 24)), {}),
        ("gemm_quantized", sides(), dict(gated=False)), ("gemm_quantized", sides(n=512), dict(gated=True, activation="silu", layout="k_major")),
        ("grouped_gemm_contiguous_quantized", of_rows(30, 64, 90), dict(by="end", align=32)),
        ("grouped_gemm_masked_quantized", (*sides(groups=(3,)), COUNTS), dict(power_of_two=True)),
        ("quantize", (torch.randn(20, 256, dtype=BF16),), {}), ("quantize", (torch.randn(20, 256),), dict(layout="k_major", power_of_two=True)),
        ("quantize", (torch.randn(150, 256),), dict(block_rows=128, layout="k_major")),
        ("quantize_out", (torch.randn(150, 256), torch.zeros(150, 256, dtype=torch.uint8), torch.zeros(2, 2)), {}),
        ("quantize", (torch.randn(20, 512),), dict(gated=True, activation="silu")),
        ("quantize_out", (torch.randn(20, 256), torch.zeros(20, 256, dtype=torch.uint8), torch.zeros(20, 2)), dict(activation="relu")),
        ("quantize_out", (torch.randn(20, 256), torch.zeros(20, 256, dtype=torch.uint8), torch.zeros(20, 2)), {}),
    ]


@pytest.mark.parametrize("name, arguments, options", calls())
def test_operator(name, arguments, options):
    returns_fp8 = dict(test_utils=("test_autograd_registration", "test_faketensor")) if name.endswith(("quantize", "quantized")) else {}
    torch.library.opcheck(getattr(torch.ops.fp8gemm, name), arguments, options, **returns_fp8)


def test_no_operator_is_left_out():
    defined = {name.removeprefix("fp8gemm::") for name in torch._C._dispatch_get_all_op_names() if name.startswith("fp8gemm::")}
    assert {name for name, *_ in calls()} == defined
