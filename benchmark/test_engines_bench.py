# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""engines.py without a GPU: its tables, its problems, and what it takes of a wheel; with PyTorch and Triton ($FP8GEMM_ENGINES has vllm/, the
unpacked wheel) vLLM's Triton kernels are interpreted."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
import types
import zipfile
from pathlib import Path

import engines
import pytest

HERE = Path(__file__).parent
ENGINE = Path(os.environ.get("FP8GEMM_ENGINES", "/nowhere"), "vllm")


def measured(item, **distances):
    distances = {"product": {"first": 0.002}, "apart": {"gated": 0.01}, "error": {"gated": 0.04, "vllm": 0.05}} | distances
    if item["kind"] == "linear":
        return {**item, "product": distances["product"]}
    times = {"vllm": 200.0, "gated": 100.0, "separate": 110.0, "whole": 160.0}
    return {**item, "us": times, "configuration": "tuned, 64x128, 4 stages", **distances}


def test_tables(capsys):
    assert engines.print_tables([measured(item) for item in engines.items()]) == 0
    printed = capsys.readouterr().out
    assert "      qwen3-235b      64     200.0     100.0     110.0     160.0        2.00        1.25     1.00     5.00  tuned, 64x128, 4 stages\n" in printed
    assert "deepseek-v3 tp8: vllm / whole: geometric mean 1.250, from 1.25 to 1.25\n" in printed
    assert "38 products from the same operands, 6 of them linear layers: distance from vLLM's at most 0.00200\n" in printed
    assert printed.endswith("38 measured, 0 not, 0 wrong\n")


@pytest.mark.parametrize("kind, value", [("product", 0.01), ("apart", 0.05), ("error", 0.1), ("error", float("nan"))])
def test_distances_have_limits(capsys, kind, value):
    assert engines.print_tables([measured(engines.items()[-1], **{kind: {"it": value}})]) == 1
    assert f"moe deepseek-v3 tp8 128: wrong: it {value:.4f} above {engines.MOST[kind]}\n" in capsys.readouterr().out


def test_the_readme_has_what_was_measured(capsys):
    """The means of the measurement that is kept, in the table, and the distance from vLLM's products."""
    assert engines.print_tables(json.loads((HERE / "measurements" / "engines" / "h200.json").read_text())) == 0
    printed, readme = capsys.readouterr().out, (HERE / "README.md").read_text()
    means = {(model, name): f"{mean} ({low} to {high})" for model, name, mean, low, high in
             re.findall(r"^(.+): vllm / (\w+): geometric mean ([\d.]+), from ([\d.]+) to ([\d.]+)$", printed, re.M)}
    assert len(means) == 2 * len(engines.MODELS)
    for model in engines.MODELS:
        assert f"| {model} | {means[model, 'gated']} | {means[model, 'whole']} |\n" in readme
    distance, = re.findall(r"distance from vLLM's at most ([\d.]+)", printed)
    assert f"differ from vLLM's by at most {distance} of their norm" in readme


def test_what_is_not_measured(capsys):
    item = engines.items()[0]
    late, fails = (engines.one(lambda **_: 1 / 0, item, time.monotonic() + seconds) for seconds in (0, 100))
    assert engines.print_tables([late]) == 0 and engines.print_tables([late, fails]) == 1
    printed = capsys.readouterr().out
    assert "linear 64 2112 7168: out of time\n" in printed and "linear 64 2112 7168: ZeroDivisionError: division by zero\n" in printed


def test_problems_are_those_of_the_items():
    listed = engines.problems()
    for experts, hidden, width in engines.MODELS.values():
        groups = [(p["n"], p["k"], "gated" in p) for p in listed if p.get("groups") == experts]
        assert {(2 * width, hidden, False), (2 * width, hidden, True), (hidden, width, False)} <= set(groups)
    quantized = {p["k"] for p in listed if p["op"] == "quantize"}
    assert quantized >= {p["k"] for p in listed}


def test_what_is_taken_of_a_wheel(tmp_path, monkeypatch):
    for function in ("stage_package", "stage_pack"):
        monkeypatch.setattr(engines.staging, function, lambda *_: None)
    configuration = f"{engines.FUSED}/configs/E=256,N=256,{engines.CONFIGURATION}"
    options = types.SimpleNamespace(folder=tmp_path, vllm=tmp_path / "vllm.whl")
    with zipfile.ZipFile(options.vllm, "w") as wheel:
        for name in (*engines.FILES, configuration, configuration.replace("H200", "H100_80GB_HBM3"), "vllm/_C.abi3.so"):
            wheel.writestr(name, "")
    engines.stage(options)
    taken = {path.relative_to(tmp_path / "engine").as_posix() for path in (tmp_path / "engine").rglob("*") if path.is_file()}
    assert taken == {*engines.FILES, configuration}
    with zipfile.ZipFile(options.vllm, "w") as wheel:
        wheel.writestr("vllm/__init__.py", "")
    with pytest.raises(SystemExit, match="expected a wheel of vLLM 0.33, got .* without vllm/model_executor/layers/fused_moe/fused_moe.py"):
        engines.stage(options)


INTERPRETED = """
import sys
from pathlib import Path
import torch
from torch.nn.functional import silu
from engine_triton import Engine

def quantize(x):
    blocks = x.float().unflatten(-1, (-1, 128))
    scales = blocks.abs().amax(-1) / 448
    return (blocks / scales.unsqueeze(-1)).flatten(-2).to(torch.float8_e4m3fn), scales

def silu_and_mul(out, x):
    gate, up = x.chunk(2, -1)
    out.copy_(silu(gate) * up)

def weights(experts, n, k):
    return torch.randn(experts, n, k).to(torch.float8_e4m3fn), torch.rand(experts, n // 128, k // 128) + 0.1

def plain(values, scales):
    rows = values.shape[-2] // scales.shape[-2]
    return values.float() * scales.repeat_interleave(128, -1).repeat_interleave(rows, -2)

distance = lambda got, wanted: float((got.float() - wanted).norm() / wanted.norm())
engine = Engine(Path(sys.argv[1]), quantize, silu_and_mul, lambda out, x: out.copy_(x.float().sum(1)), "NVIDIA_H200")
torch.manual_seed(0)
experts, hidden, width, tokens = 4, 256, 128, 12
made = *weights(experts, 2 * width, hidden), *weights(experts, hidden, width)
x = torch.randn(tokens, hidden).bfloat16()
factors, ids = torch.randn(tokens, experts).softmax(-1).topk(2)
w13, w2 = plain(*made[:2]), plain(*made[2:])
operands = quantize(x)
first = engine.first_product(*operands, ids.int(), *made[:2], made[2].size())
wanted = torch.stack([w13[chosen] @ row for row, chosen in zip(plain(*operands), ids)])
print("first product", distance(first, wanted))
print("linear", distance(engine.linear(*operands, made[0][0], made[1][0]), plain(*operands) @ w13[0].T))
gate, up = torch.stack([w13[chosen] @ row for row, chosen in zip(x.float(), ids)]).chunk(2, -1)
wanted = (torch.einsum("tkhi,tki->tkh", w2[ids], silu(gate) * up) * factors.unsqueeze(-1)).sum(1)
print("layer", distance(engine.experts(x, ids.int(), factors, *made), wanted))
"""


@pytest.mark.skipif(not ENGINE.exists() or not importlib.util.find_spec("triton"), reason="needs vLLM's files in $FP8GEMM_ENGINES, PyTorch and Triton")
def test_vllm_computes_what_is_meant():
    done = subprocess.run([sys.executable, "-c", INTERPRETED, ENGINE], capture_output=True, text=True,
                          env=os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": f"{HERE}:{os.environ.get('PYTHONPATH', '')}"})
    assert done.returncode == 0, done.stderr
    distances = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert float(distances["first product"]) < 0.01 and float(distances["linear"]) < 0.01 and float(distances["layer"]) < 0.08
