# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""examples/torch_train.py on the host, smaller; and what it calls a divergence."""

import sys
from types import SimpleNamespace

import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "examples"))
torch_train = pytest.importorskip("torch_train")


def test_divergence():
    falls = [6 * 0.99**i + 1 for i in range(300)]
    assert torch_train.divergence(falls, falls) is None
    for got, message in (([*falls[:-1], float("nan")], "expected finite losses, got nan"), ([6.0] * 300, "expected the loss to fall by at least 20 %"),
                         ([loss * 1.05 for loss in falls], "expected the loss to end within 3 % of bfloat16's"),
                         ([*falls[:100], *[7.0] * 40, *falls[140:]], "got a gap of")):
        assert message in torch_train.divergence(falls, got)


def test_files(tmp_path):
    torch_train.write(tmp_path, {"bf16": [3.0, 2.0, 1.0], "fp8": [3.5, 2.5, 1.5]})
    assert (tmp_path / "loss.csv").read_text() == "step,bf16,fp8\n0,3.0,3.5\n1,2.0,2.5\n2,1.0,1.5\n"
    assert (tmp_path / "loss.svg").read_text().count("<polyline") == 2


def test_on_the_host(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    import torch_host

    with torch.library._scoped_library("fp8gemm", "FRAGMENT") as library:
        torch_host.register(library)
        sizes = dict(width=64, hidden=128, heads=2, layers=1, words=16, length=32, batch=8, steps=60)
        assert torch_train.run(SimpleNamespace(out=tmp_path, steps=60), "cpu", **sizes) == 0, capsys.readouterr().out
    assert "4 linear layers in FP8, 1 skipped\n  head: refused by the filter" in capsys.readouterr().out


def test_problems_are_those_of_the_model():
    torch = pytest.importorskip("torch")
    import fp8gemm.torch as ft

    with torch.device("meta"):
        model = torch_train.make_model()
        ft.swap_linears(model, filter=lambda name, _: name != torch_train.KEPT_OUT, trainable=True)
    assert ft.problems(model, max_m=torch_train.BATCH * torch_train.LENGTH) == torch_train.problems()["problems"]
