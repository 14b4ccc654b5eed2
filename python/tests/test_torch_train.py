# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""examples/torch_train.py on the host: gradients in FP8 are those in float32 within what FP8 rounds off."""

import sys

import pytest
from conftest import ROOT

torch = pytest.importorskip("torch")

import torch_host  # noqa: E402

sys.path.append(str(ROOT / "examples"))
torch_train = pytest.importorskip("torch_train")


@pytest.fixture(autouse=True)
def on_the_host():
    with torch.library._scoped_library("fp8gemm", "FRAGMENT") as library:
        torch_host.register(library)
        yield


def test_gradients():
    linear = torch_train.make_linear()
    x, weight, dy = torch.randn(144, 256).bfloat16(), torch.randn(192, 256), torch.randn(144, 192).bfloat16()
    x.requires_grad_(), weight.requires_grad_()
    y = linear(x, weight)
    y.backward(dy)
    for got, wanted in ((y, x.float() @ weight.mT), (x.grad, dy.float() @ weight), (weight.grad, dy.float().mT @ x.float())):
        assert got.shape == wanted.shape
        assert 0.001 < float((got - wanted).norm() / wanted.norm()) < 0.06
    assert x.grad.dtype == torch.bfloat16 and weight.grad.dtype == torch.float32


def test_loss_falls_as_in_bfloat16():
    sizes = dict(tokens=128, width=128, hidden=256, steps=6)
    plain, fp8 = torch_train.train(None, "cpu", **sizes), torch_train.train(torch_train.make_linear(), "cpu", **sizes)
    assert fp8[-1] < 0.98 * fp8[0] and abs(fp8[-1] - plain[-1]) < 0.05 * plain[-1]
