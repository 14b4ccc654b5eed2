# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""fp8gemm.torch.Linear on the host, with operators computed by PyTorch: against float32 within what FP8 rounds off, and against the products
that it is made of, bit by bit; and on the fake driver, with the pack that its problems list."""

import copy
import json
import os
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

import torch_host  # noqa: E402
from conftest import COMPILER, Driver  # noqa: E402
from torch_arrays import allocate_for_driver, launch_on_driver  # noqa: E402

import fp8gemm  # noqa: E402
import fp8gemm.torch as ft  # noqa: E402

E4M3, BF16, F32 = torch.float8_e4m3fn, torch.bfloat16, torch.float32
N, K = 192, 256


@pytest.fixture(autouse=True)
def on_the_host():
    torch.manual_seed(0)
    with torch.library._scoped_library("fp8gemm", "FRAGMENT") as library:
        torch_host.register(library)
        yield


def distance(got, wanted):
    return float(((got.float() - wanted.float()).norm() / wanted.float().norm()).detach())


@pytest.mark.parametrize("tokens", [(144,), (3, 5), (1,), ()])
@pytest.mark.parametrize("dtype", [F32, BF16])
@pytest.mark.parametrize("bias", [False, True])
def test_trained(tokens, dtype, bias):
    layer, plain = ft.Linear(K, N, bias, dtype=dtype), torch.nn.Linear(K, N, bias)
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(*tokens, K).to(BF16).requires_grad_()
    other = x.detach().float().requires_grad_()
    y, wanted = layer(x), plain(other)
    dy = torch.randn(wanted.shape).to(BF16)
    y.backward(dy), wanted.backward(dy.float())
    assert y.dtype == x.grad.dtype == BF16 and layer.weight.grad.dtype == dtype
    for got, exact in ((y, wanted), (x.grad, other.grad), (layer.weight.grad, plain.weight.grad)):
        # A block of one token has one number, which is exact.
        assert got.shape == exact.shape and (0.001 < distance(got, exact) < 0.07 or tokens in ((1,), ()) and got is layer.weight.grad)
    if bias:
        assert layer.bias.grad.dtype == dtype and distance(layer.bias.grad, plain.bias.grad) < 0.01


def test_products_are_those_of_the_operators():
    layer = ft.Linear(K, N, dtype=F32)
    x, dy = torch.randn(40, K).to(BF16).requires_grad_(), torch.randn(40, N).to(BF16)
    layer(x).backward(dy)
    product = lambda a, b: torch_host.product(*a, *b)
    forward = product(ft.quantize_per_token(x.detach()), ft.quantize_per_block(layer.weight.detach())) + layer.bias.detach()
    assert torch.equal(layer(x), forward.to(BF16))
    assert torch.equal(x.grad, product(ft.quantize_per_token(dy), ft.quantize_per_block(layer.weight.detach().mT)).to(BF16))
    sides = [ft.quantize_per_token(torch.nn.functional.pad(side.mT, (0, 8))) for side in (dy, x.detach())]
    assert torch.equal(layer.weight.grad, product(*sides))


def test_no_tokens():
    layer = ft.Linear(K, N, dtype=F32)
    x = torch.zeros(0, K, dtype=BF16, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.shape == (0, K) and not layer.weight.grad.any() and not layer.bias.grad.any()


def test_used_weights_pass_gradients_on():
    plain = torch.nn.Linear(K, N).to(BF16)
    layer = ft.Linear.of(plain)
    assert layer.weight.dtype == E4M3 and layer.weight_scale_inv.shape == (2, 2) and not layer.weight.requires_grad
    x = torch.randn(24, K).to(BF16).requires_grad_()
    layer(x).sum().backward()  # a gradient of stride 0
    exact = torch.ones(24, N) @ ft.dequantize(layer.weight, layer.weight_scale_inv)
    assert distance(x.grad, exact) < 0.01 and layer.weight.grad is None and layer.bias.grad is not None


def test_gradients_add_up_in_place():
    layer = ft.Linear(K, N, dtype=BF16, fuse_wgrad_accumulation=True)
    x, dy = torch.randn(32, K).to(BF16), torch.randn(32, N).to(BF16)
    with pytest.raises(ValueError, match=r"expected 'weight.main_grad' of float32 and of shape \(192, 256\) .* got None"):
        layer(x)
    layer.weight.main_grad = torch.zeros(N, K)
    for _ in range(2):
        layer(x).backward(dy)
    other = ft.Linear(K, N, dtype=BF16)
    other.load_state_dict(layer.state_dict())
    other(x).backward(dy)
    assert layer.weight.grad is None and layer.weight.main_grad.dtype == F32
    assert distance(layer.weight.main_grad, 2 * other.weight.grad) < 0.005


def test_autocast():
    layer = ft.Linear(K, N)
    x = torch.randn(4, K)
    with torch.autocast("cpu", BF16):
        assert torch.equal(layer(x), layer(x.to(BF16)))


@pytest.mark.parametrize("dtype", [E4M3, F32])
@pytest.mark.parametrize("dynamic", [False, True])
def test_compiled_whole(dtype, dynamic):
    torch._dynamo.reset()
    model = torch.nn.Sequential(ft.Linear(K, N, dtype=dtype), torch.nn.GELU(), ft.Linear(N, K, dtype=dtype))
    other = copy.deepcopy(model)
    compiled = torch.compile(other, fullgraph=True, dynamic=dynamic, backend="aot_eager")
    for tokens in (48, 32) if dynamic else (48,):
        x = torch.randn(tokens, K).to(BF16).requires_grad_()
        twin = x.detach().clone().requires_grad_()
        y, of_twin = model(x), compiled(twin)
        y.sum().backward(), of_twin.sum().backward()
        assert torch.equal(y, of_twin) and torch.equal(x.grad, twin.grad)
        assert all(a.grad is None or torch.equal(a.grad, b.grad) for a, b in zip(model.parameters(), other.parameters()))


ILLEGAL = [
    (ValueError, "expected 'in_features' and 'out_features' to be multiples of 16, got 200 and 192", lambda: ft.Linear(200, 192)),
    (ValueError, "multiples of 16, got 256 and 0", lambda: ft.Linear(256, 0)),
    (ValueError, "expected 'dtype' to be float8_e4m3fn, bfloat16 or float32, got torch.float16", lambda: ft.Linear(K, N, dtype=torch.float16)),
    (ValueError, "expected a trained weight for 'fuse_wgrad_accumulation'", lambda: ft.Linear(K, N, dtype=E4M3, fuse_wgrad_accumulation=True)),
    (TypeError, "expected 'x' of bfloat16, got float32", lambda: ft.Linear(K, N)(torch.zeros(2, K))),
    (ValueError, r"expected 'x' of shape \[\.\.\., 256\], got \(2, 192\)", lambda: ft.Linear(K, N)(torch.zeros(2, N, dtype=BF16)))]


@pytest.mark.parametrize("error, message, call", ILLEGAL, ids=range(len(ILLEGAL)))
def test_illegal(error, message, call):
    with pytest.raises(error, match=message):
        call()


def test_types_are_kept():
    layer = ft.Linear(K, N, dtype=E4M3)
    before = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    for move in (lambda: layer.bfloat16(), lambda: layer.half(), lambda: layer.float(), lambda: layer.to(torch.float64)):
        move()
        assert layer.weight.dtype == E4M3 and layer.weight_scale_inv.dtype == F32
    assert torch.equal(layer.weight.view(torch.uint8), before["weight"].view(torch.uint8)) and layer.bias.dtype == torch.float64
    assert ft.Linear(K, N).to(BF16).weight.dtype == BF16
    assert layer.to("meta").weight.device.type == "meta"


#
# State dicts
#


def stored(n=N, k=K):
    """A weight as FP8 checkpoints have it."""
    values, scales = ft.quantize_per_block(torch.randn(n, k))
    return {"weight": values, "weight_scale_inv": scales}


@pytest.mark.parametrize("assign", [False, True])
def test_quantised_weights_load_as_they_are(assign):
    given = stored()
    with torch.device("meta" if assign else "cpu"):
        layer = ft.Linear(K, N, bias=False, dtype=E4M3)
    layer.load_state_dict(given, assign=assign)
    assert torch.equal(layer.weight.view(torch.uint8), given["weight"].view(torch.uint8)) and torch.equal(layer.weight_scale_inv, given["weight_scale_inv"])
    assert list(layer.state_dict()) == ["weight", "weight_scale_inv"]
    trained = ft.Linear(K, N, bias=False, dtype=F32)
    trained.load_state_dict(dict(given))
    assert torch.equal(trained.weight, ft.dequantize(*given.values()))


def test_plain_weights_are_quantised():
    layer, weight = ft.Linear(K, N, bias=False, dtype=E4M3), torch.randn(N, K)
    layer.load_state_dict({"weight": weight})
    values, scales = ft.quantize_per_block(weight)
    assert torch.equal(layer.weight.float(), values.float()) and torch.equal(layer.weight_scale_inv, scales)


BAD_STATES = [
    ("expected 'weight_scale_inv' beside 'weight' of float8_e4m3fn, got none", lambda s: {"weight": s["weight"]}),
    ("expected 'weight' beside 'weight_scale_inv', got none", lambda s: {"weight_scale_inv": s["weight_scale_inv"]}),
    ("expected 'weight' of float8_e4m3fn beside 'weight_scale_inv', got bfloat16", lambda s: {**s, "weight": s["weight"].to(BF16)}),
    (r"of shape \[ceil\(N/128\), ceil\(K/128\)\] = \(2, 2\), got float32 of shape \(192, 2\)", lambda s: {**s, "weight_scale_inv": torch.ones(192, 2)}),
    ("expected 'weight_scale_inv' of float32 or bfloat16", lambda s: {**s, "weight_scale_inv": torch.ones(2, 2, dtype=torch.uint8)}),
    ("expected 'weight' of float8_e4m3fn, bfloat16, float16 or float32, got int8", lambda s: {"weight": torch.zeros(N, K, dtype=torch.int8)}),
    ("size mismatch for weight", lambda s: stored(N + 16))]


@pytest.mark.parametrize("message, change", BAD_STATES, ids=range(len(BAD_STATES)))
@pytest.mark.parametrize("dtype", [E4M3, F32])
def test_bad_states(message, change, dtype):
    layer = ft.Linear(K, N, bias=False, dtype=dtype)
    with pytest.raises(RuntimeError, match=message):
        layer.load_state_dict(change(stored()), strict=False)


#
# Kernels
#


@pytest.mark.parametrize("dtype, bias, launches", [(F32, True, 5), (E4M3, False, 4)])
def test_pack_of_the_problems_has_what_is_asked(fake_driver, tmp_path, monkeypatch, dtype, bias, launches):
    if not COMPILER.exists():
        pytest.skip("no fp8gemm-compile")
    layer = ft.Linear(K, N, bias, dtype=dtype)
    listed = layer.problems(max_m=64)
    if dtype == E4M3:  # the gradient of x
        listed += [problem for problem in ft.Linear(K, N, dtype=F32).problems(max_m=64) if "bias" not in problem and problem not in listed]
    (tmp_path / "list.json").write_text(json.dumps({"gpu": "h200-sxm", "problems": listed}))
    subprocess.run([COMPILER, f"--pack={tmp_path}/list.json", "-o", tmp_path / "l.fp8pack", "--quiet"], check=True, env={"FP8GEMM_VENV": sys.prefix, **os.environ})
    allocate_for_driver(monkeypatch)
    driver = Driver(fake_driver)
    with fp8gemm.load(tmp_path / "l.fp8pack") as pack, torch.library._scoped_library("fp8gemm", "FRAGMENT") as library:
        launch_on_driver(library)
        pack.load(0)
        fp8gemm.set_pack(pack)
        try:
            layer(torch.randn(24, K).to(BF16).requires_grad_()).sum().backward()
            assert len(driver.launches) == launches
        finally:
            fp8gemm.set_pack(None)
