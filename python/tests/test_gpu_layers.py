# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers on a Hopper GPU: results against float32 from the same quantised operands, gradients, CUDA graphs and torch.compile."""

import copy
import shutil

import pytest

torch = pytest.importorskip("torch")

import fp8gemm  # noqa: E402
import fp8gemm.torch as ft  # noqa: E402
from conftest import GPU_PACK, has_hopper  # noqa: E402
from fp8gemm import layers  # noqa: E402

LAYERS_PACK = GPU_PACK.with_name("layers.fp8pack")  # of gpu_layer_problems.json
pytestmark = [pytest.mark.skipif(not has_hopper(), reason="needs a Hopper GPU"),
              pytest.mark.skipif(not LAYERS_PACK.exists(), reason=f"needs {LAYERS_PACK.name} (stage_gpu_tests.sh)")]

N, K = 2048, 1536
EXPERTS, TOP_K, HIDDEN, WIDTH = 8, 2, 1024, 512
BF16, F32 = torch.bfloat16, torch.float32


@pytest.fixture(autouse=True, scope="module")
def pack():
    pack = fp8gemm.load(LAYERS_PACK)
    pack.load(torch.device("cuda", 0))
    fp8gemm.set_pack(pack)
    yield pack
    fp8gemm.set_pack(None)


@pytest.fixture(autouse=True)
def on_cuda():
    torch.manual_seed(0)
    with torch.device("cuda"):
        yield


def distance(got, wanted):
    return float(((got.float() - wanted.float()).norm() / wanted.float().norm()).detach())


@pytest.mark.parametrize("tokens", [1, 100, 4096])
@pytest.mark.parametrize("bias", [False, True])
def test_linear(tokens, bias):
    layer, plain = ft.Linear(K, N, bias, dtype=F32), torch.nn.Linear(K, N, bias)
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(tokens, K).to(BF16).requires_grad_()
    other, dy = x.detach().float().requires_grad_(), torch.randn(tokens, N).to(BF16)
    y, wanted = layer(x), plain(other)
    y.backward(dy), wanted.backward(dy.float())
    for got, exact in ((y, wanted), (x.grad, other.grad), (layer.weight.grad, plain.weight.grad)):
        assert distance(got, exact) < 0.06
    # From the same quantised operands, only the sums differ.
    product = lambda a, b: ft.dequantize(*a) @ ft.dequantize(*b).mT
    forward = product(torch.ops.fp8gemm.quantize(x.detach()), ft.quantize_per_block(layer.weight.detach()))
    assert distance(y, forward if layer.bias is None else forward + layer.bias) < 0.003
    assert distance(x.grad, product(torch.ops.fp8gemm.quantize(dy), ft.quantize_per_block(layer.weight.detach().mT))) < 0.003


def test_gradients_add_up_in_place():
    layer = ft.Linear(K, N, bias=False, dtype=BF16, fuse_wgrad_accumulation=True)
    layer.weight.main_grad = torch.zeros(N, K)
    x, dy = torch.randn(256, K).to(BF16), torch.randn(256, N).to(BF16)
    for _ in range(3):
        layer(x).backward(dy)
    assert layer.weight.grad is None and distance(layer.weight.main_grad, 3 * dy.float().mT @ x.float()) < 0.06


def test_used_weights_in_a_graph():
    layer, x = ft.Linear.of(torch.nn.Linear(K, N).to(BF16)), torch.randn(64, K).to(BF16)
    with torch.no_grad():
        wanted = layer(x)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            y = layer(x)
    y.fill_(float("nan"))
    graph.replay()
    assert torch.equal(y, wanted)


def needs_compiler():
    if not shutil.which("cc") and not shutil.which("gcc"):
        pytest.skip("no C compiler, which torch.compile needs")


def test_compiled_training():
    needs_compiler()
    model = torch.nn.Sequential(ft.Linear(K, N, bias=False, dtype=F32), torch.nn.SiLU(), ft.Linear(N, K, bias=False, dtype=F32))
    other = copy.deepcopy(model)
    x = torch.randn(512, K).to(BF16).requires_grad_()
    twin, dy = x.detach().clone().requires_grad_(), torch.randn(512, K).to(BF16)
    y, of_twin = model(x), torch.compile(other, fullgraph=True)(twin)
    y.backward(dy), of_twin.backward(dy)
    for got, wanted in ((of_twin, y), (twin.grad, x.grad), *((b.grad, a.grad) for a, b in zip(model.parameters(), other.parameters()))):
        assert distance(got, wanted) < 0.02


def one_by_one(experts, x, ids, weights):
    out = torch.zeros(x.shape)
    for number in range(EXPERTS):
        token, choice = (ids == number).nonzero(as_tuple=True)
        gate, up = (x[token].float() @ ft.dequantize(experts.w13[number], experts.w13_scales[number]).T).chunk(2, -1)
        y = (torch.nn.functional.silu(gate) * up) @ ft.dequantize(experts.w2[number], experts.w2_scales[number]).T
        out.index_add_(0, token, y * weights[token, choice].unsqueeze(-1))
    return out


def mixture():
    w13, w2 = torch.randn(EXPERTS, 2 * WIDTH, HIDDEN) / HIDDEN**0.5, torch.randn(EXPERTS, HIDDEN, WIDTH) / WIDTH**0.5
    return ft.MoEMLP(ft.Experts(*layers.quantize_experts(w13), *layers.quantize_experts(w2)))


def tokens(count):
    weights, ids = torch.randn(count, EXPERTS).softmax(-1).topk(TOP_K)
    return torch.randn(count, HIDDEN).to(BF16), torch.where(torch.rand(ids.shape) < 0.1, -1, ids), weights.contiguous()


@pytest.mark.parametrize("count", [1, 17, 1000])
def test_mixture_of_experts(count):
    moe, given = mixture(), tokens(count)
    y = moe(*given)
    assert distance(y, one_by_one(moe.experts, *given)) < 0.07
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        replayed = moe(*given)
    other = tokens(count)
    for space, value in zip(given, other):
        space.copy_(value)
    graph.replay()
    assert torch.equal(replayed, moe(*other))


def test_compiled_mixture():
    needs_compiler()
    moe, given = mixture(), tokens(64)
    assert distance(torch.compile(moe, fullgraph=True)(*given), moe(*given)) < 0.02
