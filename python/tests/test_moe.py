# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""fp8gemm.torch.MoEMLP on the host: each token's own experts one after the other; torch.compile; checkpoints' experts."""

import pytest

torch = pytest.importorskip("torch")

import torch_host  # noqa: E402

import fp8gemm.torch as ft  # noqa: E402
from fp8gemm import layers  # noqa: E402

E4M3, BF16, F32 = torch.float8_e4m3fn, torch.bfloat16, torch.float32
EXPERTS, TOP_K, HIDDEN, WIDTH = 6, 3, 144, 128


@pytest.fixture(autouse=True)
def on_the_host():
    torch.manual_seed(0)
    with torch.library._scoped_library("fp8gemm", "FRAGMENT") as library:
        torch_host.register(library)
        yield


def plain_weights():
    return torch.randn(EXPERTS, 2 * WIDTH, HIDDEN) / HIDDEN**0.5, torch.randn(EXPERTS, HIDDEN, WIDTH) / WIDTH**0.5


def tokens(count):
    x, ids = torch.randn(count, HIDDEN).to(BF16), torch.rand(count, EXPERTS).argsort(1)[:, :TOP_K]
    return x, torch.where(torch.rand(ids.shape) < 0.2, -1, ids), torch.rand(count, TOP_K)


def experts_of(w13, w2, **options):
    return ft.Experts(*layers.quantize_experts(w13), *layers.quantize_experts(w2), **options)


def one_by_one(w13, w2, x, ids, weights, added=None):
    """In float32, from the weights before they are quantised."""
    out = torch.zeros(x.shape) if added is None else added.float().clone()
    for t in range(len(x)):
        for expert, weight in zip(ids[t].tolist(), weights[t]):
            if expert >= 0:
                gate, up = (x[t].float() @ w13[expert].T).chunk(2)
                out[t] += weight * ((torch.nn.functional.silu(gate) * up) @ w2[expert].T)
    return out


def test_swiglu_by_a_kernel_is_swiglu():
    """Of rows that follow each other, and of groups."""
    plain, given = plain_weights(), tokens(13)
    usual, by_kernel = (ft.MoEMLP(experts_of(*plain, **options)) for options in ({}, dict(activate=layers.swiglu_quantize_by_kernel)))
    assert torch.equal(by_kernel(*given), usual(*given))
    gate_up = torch.randn(3, 20, 2 * WIDTH).to(BF16)
    for got, wanted in zip(layers.swiglu_quantize_by_kernel(gate_up), layers.swiglu_quantize(gate_up)):
        assert torch.equal(got.float(), wanted.float())


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("count, align, kind", [(13, 1, torch.int64), (13, 32, torch.int32), (1, 1, torch.int64), (0, 1, torch.int64)])
def test_result_is_the_sum_of_the_experts(count, align, kind, gated):
    weights = plain_weights()
    moe, (x, ids, factors) = ft.MoEMLP(experts_of(*weights, gated=gated), align=align), tokens(count)
    added = torch.randn(count, HIDDEN).to(BF16)
    for more in (None, added):
        got, wanted = moe(x, ids.to(kind), factors, more), one_by_one(*weights, x, ids, factors, more)
        assert got.dtype == BF16 and got.shape == wanted.shape
        assert not count or 0.001 < float((got - wanted).norm() / wanted.norm()) < 0.07


def test_bits_are_those_of_several_gpus():
    """ExpertParallelMoE of one rank is the same code."""
    moe, given = ft.MoEMLP(experts_of(*plain_weights())), tokens(9)
    other = ft.ExpertParallelMoE(moe.experts, total_experts=EXPERTS, top_k=TOP_K, max_tokens=16)
    assert torch.equal(moe(*given), other(*given, way="slots"))


def test_rows_of_no_expert_are_not_used():
    class Poisoned(layers.Products):
        def contiguous(self, a, sfa, b, sfb, ends, **options):
            d = super().contiguous(a, sfa, b, sfb, ends, **options)
            d[int(ends[-1]):] = float("nan")
            return d

    x, ids, weights = tokens(7)
    ids[2] = -1
    moe = ft.MoEMLP(experts_of(*plain_weights(), products=Poisoned()), align=16)
    out = moe(x, ids, weights)
    assert not out.isnan().any() and not out[2].any()


@pytest.mark.parametrize("dynamic", [False, True])
def test_compiled_whole(dynamic):
    torch._dynamo.reset()
    moe = ft.MoEMLP(experts_of(*plain_weights()))
    compiled = torch.compile(moe, fullgraph=True, dynamic=dynamic, backend="aot_eager")
    for count in (8, 12) if dynamic else (8,):
        given = tokens(count)
        assert torch.equal(compiled(*given), moe(*given))


def test_wrong_arguments():
    moe, (x, ids, weights) = ft.MoEMLP(ft.Experts.empty(EXPERTS, HIDDEN, WIDTH)), tokens(4)
    for message, call in (
            (r"expected 'x' of shape \[T, 144\] and bfloat16, got \(4, 144\) of float32", lambda: moe(x.float(), ids, weights)),
            (r"expected 'ids' of shape \[T = 4, k\] and int32 or int64, got \(3, 3\)", lambda: moe(x, ids[:3], weights)),
            (r"expected 'weights' of shape \(4, 3\) and float32, got \(4, 3\) of bfloat16", lambda: moe(x, ids, weights.to(BF16))),
            (r"expected 'added' of shape \(4, 144\)", lambda: moe(x, ids, weights, x[:1])),
            ("expected inputs without gradients", lambda: moe(x.clone().requires_grad_(), ids, weights)),
            ("expected 'align' to be a positive integer, got 0", lambda: ft.MoEMLP(moe.experts, align=0))):
        with pytest.raises(ValueError, match=message):
            call()


#
# Checkpoints
#


def stored(numbers, plain=False):
    """As checkpoints name experts."""
    state = {}
    for number in numbers:
        for side, n, k in (("gate", WIDTH, HIDDEN), ("up", WIDTH, HIDDEN), ("down", HIDDEN, WIDTH)):
            weight, name = torch.randn(n, k), f"experts.{number}.{side}_proj.weight"
            state |= {name: weight} if plain else dict(zip((name, f"{name}_scale_inv"), ft.quantize_per_block(weight)))
    return state


@pytest.mark.parametrize("plain", [False, True])
def test_experts_of_a_checkpoint(plain):
    state = stored(range(EXPERTS), plain)
    moe = ft.MoEMLP(ft.Experts.empty(EXPERTS, HIDDEN, WIDTH))
    moe.load_state_dict(state)
    whole = lambda side: torch.stack([state[f"experts.{i}.{side}_proj.weight"].float() * 1 for i in range(EXPERTS)])
    if plain:
        for got, wanted in zip((moe.experts.w13, moe.experts.w13_scales), layers.quantize_experts(torch.cat([whole("gate"), whole("up")], 1))):
            assert torch.equal(got.float(), wanted.float())
    else:
        assert torch.equal(moe.experts.w13.float(), torch.cat([whole("gate"), whole("up")], 1)) and torch.equal(moe.experts.w2.float(), whole("down"))
        assert torch.equal(moe.experts.w13_scales[2, 1:], state["experts.2.up_proj.weight_scale_inv"])
    again = ft.MoEMLP(ft.Experts.empty(EXPERTS, HIDDEN, WIDTH))
    again.load_state_dict(moe.state_dict())
    assert torch.equal(again.experts.w2_scales, moe.experts.w2_scales)


def test_experts_of_other_gpus_are_passed_over():
    state = stored(range(EXPERTS))
    experts = ft.Experts.empty(2, HIDDEN, WIDTH)
    experts.first, experts.total = 2, EXPERTS
    moe = ft.MoEMLP(experts)
    moe.load_state_dict(state)
    assert torch.equal(experts.w2[1].float(), state["experts.3.down_proj.weight"].float())


@pytest.mark.parametrize("message, change", [
    ("expected 'experts.3.up_proj.weight', got none", lambda s: [s.pop("experts.3.up_proj.weight"), s.pop("experts.3.up_proj.weight_scale_inv")]),
    ("expected 'experts.3.up_proj.weight_scale_inv' beside", lambda s: s.pop("experts.3.up_proj.weight_scale_inv")),
    (r'Unexpected key\(s\) in state_dict: "experts.6.gate_proj.weight"', lambda s: s.update(stored([6]))),
    ("size mismatch for experts.w2", lambda s: s.update({f"experts.{i}.down_proj.weight": torch.zeros(HIDDEN, 256).to(E4M3) for i in range(EXPERTS)},
                                                        **{f"experts.{i}.down_proj.weight_scale_inv": torch.ones(2, 2) for i in range(EXPERTS)}))])
def test_wrong_checkpoints(message, change):
    state = stored(range(EXPERTS))
    change(state)
    with pytest.raises(RuntimeError, match=message):
        ft.MoEMLP(ft.Experts.empty(EXPERTS, HIDDEN, WIDTH)).load_state_dict(state)


def test_gate_and_up_that_would_share_scales():
    with pytest.raises(RuntimeError, match="expected I that is a multiple of 128 for experts of a checkpoint, got 80"):
        ft.MoEMLP(ft.Experts.empty(1, HIDDEN, 80)).load_state_dict(stored([0]))


def test_gated_experts_have_the_problems_of_gated_products():
    moe = ft.MoEMLP(experts_of(*plain_weights(), gated=True))
    first, second = moe.problems()[1:]
    assert (first["gated"], first["activation"], first["n"], first["k"]) == (True, "silu", 2 * WIDTH, HIDDEN)
    assert (first["d_type"], first["sfd"]) == ("e4m3", "mn_major")
    assert "gated" not in second and (second["n"], second["k"]) == (HIDDEN, WIDTH)
    with pytest.raises(ValueError, match="expected I that is a multiple of 128 with 'gated', got 64"):
        ft.Experts.empty(2, 128, 64, gated=True)
    with pytest.raises(ValueError, match="expected no 'activate' with 'gated', whose products return the quantised SwiGLU, got "):
        ft.Experts.empty(2, 128, 128, gated=True, activate=layers.swiglu_quantize)
