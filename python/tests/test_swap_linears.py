# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""swap_linears on models as they are found: what it replaces, what it leaves and why, and checkpoints that then load."""

import re

import pytest

torch = pytest.importorskip("torch")

import torch_host  # noqa: E402
from torch import nn  # noqa: E402

import fp8gemm.torch as ft  # noqa: E402

E4M3, BF16 = torch.float8_e4m3fn, torch.bfloat16


@pytest.fixture(autouse=True)
def on_the_host():
    torch.manual_seed(0)
    with torch.library._scoped_library("fp8gemm", "FRAGMENT") as library:
        torch_host.register(library)
        yield


class Model(nn.Module):
    """With each kind of linear layer that a model may have."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(32, 64), nn.Linear(64, 32, bias=False)
        self.head.weight = self.embedding.weight
        self.up, self.down = nn.Linear(64, 144), nn.Linear(144, 64)
        self.again = self.up
        self.odd, self.other = nn.Linear(64, 10), nn.Linear(64, 64)
        self.attention = nn.MultiheadAttention(64, 2)
        self.hooked, self.doubles = nn.Linear(64, 64), nn.Linear(64, 64).double()
        self.hooked.register_forward_hook(lambda *_: None)

    def forward(self, x):
        return self.down(torch.relu(self.up(x)))


def test_what_is_swapped_and_why_not():
    model = Model()
    parameters, up = dict(model.named_parameters()), model.up
    report = ft.swap_linears(model, filter=lambda name, layer: name != "other" and layer.in_features > 1, trainable=True)
    assert report.swapped == ["up", "down", "again"]
    assert report.skipped == {
        "head": "expected a weight of its own, got that of 'embedding'",
        "odd": "expected 'in_features' and 'out_features' to be multiples of 16, got 64 and 10; FP8 rows begin at multiples of 16 bytes",
        "other": "refused by the filter",
        "attention.out_proj": "expected a torch.nn.Linear, got its subclass NonDynamicallyQuantizableLinear, which may compute something else",
        "hooked": "expected a layer without hooks, which would be lost",
        "doubles": "expected 'weight' of bfloat16 or float32, got float64"}
    assert str(report).startswith("3 linear layers in FP8, 6 skipped\n  head: expected a weight")
    assert model.up is model.again and model.up is not up and type(model.up) is ft.Linear
    after = dict(model.named_parameters())
    assert after.keys() == parameters.keys() and all(after[name] is parameters[name] for name in parameters)
    assert ft.swap_linears(model).skipped["up"] == "in FP8 already"


def test_results_stay():
    model = Model().eval()
    x = torch.randn(5, 64)
    wanted = model(x)
    report = ft.swap_linears(model)
    assert {"up", "down", "again", "other"} == set(report.swapped) and not model.up.training
    with torch.no_grad():
        got = model(x.to(BF16))
    assert got.dtype == BF16 and 0.001 < float((got - wanted).norm() / wanted.norm()) < 0.1


def test_a_layer_is_no_model():
    with pytest.raises(TypeError, match=r"use fp8gemm.torch.Linear.of\(layer\)"):
        ft.swap_linears(nn.Linear(64, 64))


def test_problems_of_a_model():
    model = nn.Sequential(nn.Linear(64, 144), nn.Linear(144, 64, bias=False), nn.Linear(64, 144), ft.MoEMLP(ft.Experts.empty(4, 64, 48)))
    ft.swap_linears(model)
    assert ft.problems(model, max_m=64) == [
        {"op": "quantize", "k": 64}, {"op": "gemm", "n": 144, "k": 64, "max_m": 64, "bias": "f32"},
        {"op": "quantize", "k": 144}, {"op": "gemm", "n": 64, "k": 144, "max_m": 64},
        {"op": "quantize", "k": 64, "sfa": "k_major"},
        {"op": "grouped_gemm", "groups": 4, "grouping": "row_end", "align": 1, "n": 96, "k": 64, "sfa": "k_major", "max_m": 64},
        {"op": "grouped_gemm", "groups": 4, "grouping": "row_end", "align": 1, "n": 64, "k": 48, "sfa": "mn_major", "max_m": 64}]


#
# A checkpoint of DeepSeek-V3, smaller
#

HIDDEN, INNER, EXPERTS = 256, 128, 4


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gate_proj, self.up_proj = (nn.Linear(HIDDEN, width, bias=False) for _ in range(2))
        self.down_proj = nn.Linear(width, HIDDEN, bias=False)


class Sparse(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(HIDDEN, EXPERTS, bias=False)
        self.moe = ft.MoEMLP(ft.Experts.empty(EXPERTS, HIDDEN, INNER))
        self.experts, self.shared_experts = self.moe.experts, Mlp(INNER)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_a_proj, self.q_b_proj = nn.Linear(HIDDEN, 192, bias=False), nn.Linear(192, 384, bias=False)
        self.kv_a_proj_with_mqa, self.o_proj = nn.Linear(HIDDEN, 96, bias=False), nn.Linear(384, HIDDEN, bias=False)
        self.kv_a_layernorm = nn.RMSNorm(64)


def model():
    layers = [nn.ModuleDict({"self_attn": Attention(), "mlp": mlp}) for mlp in (Mlp(384), Sparse())]
    return nn.ModuleDict({"model": nn.ModuleDict({"embed_tokens": nn.Embedding(64, HIDDEN), "layers": nn.ModuleList(layers)}),
                          "lm_head": nn.Linear(HIDDEN, 64, bias=False)})


def in_fp8(name, n, k):
    values, scales = ft.quantize_per_block(torch.randn(n, k))
    return {f"{name}.weight": values, f"{name}.weight_scale_inv": scales}


def checkpoint():
    """Named, shaped and typed as DeepSeek-V3's is."""
    found = {"model.embed_tokens.weight": torch.randn(64, HIDDEN).to(BF16), "lm_head.weight": torch.randn(64, HIDDEN).to(BF16)}
    mlp = lambda name, width: {**in_fp8(f"{name}.gate_proj", width, HIDDEN), **in_fp8(f"{name}.up_proj", width, HIDDEN),
                               **in_fp8(f"{name}.down_proj", HIDDEN, width)}
    for i in range(2):
        layer = f"model.layers.{i}"
        for name, n, k in (("q_a_proj", 192, HIDDEN), ("q_b_proj", 384, 192), ("kv_a_proj_with_mqa", 96, HIDDEN), ("o_proj", HIDDEN, 384)):
            found |= in_fp8(f"{layer}.self_attn.{name}", n, k)
        found[f"{layer}.self_attn.kv_a_layernorm.weight"] = torch.ones(64).to(BF16)
    found |= mlp("model.layers.0.mlp", 384) | mlp("model.layers.1.mlp.shared_experts", INNER)
    found["model.layers.1.mlp.gate.weight"] = torch.randn(EXPERTS, HIDDEN).to(BF16)
    for expert in range(EXPERTS):
        found |= mlp(f"model.layers.1.mlp.experts.{expert}", INNER)
    return found


@pytest.mark.parametrize("assign", [False, True])
def test_checkpoint_loads(assign):
    with torch.device("meta" if assign else "cpu"):
        made = model()
        report = ft.swap_linears(made, filter=lambda name, _: name != "lm_head")
    assert len(report.swapped) == 14 and set(report.skipped) == {"lm_head", "model.layers.1.mlp.gate"}
    state = checkpoint()
    # Both names of the experts are one module.
    state |= {name.replace("mlp.experts", "mlp.moe.experts"): value for name, value in state.items() if "mlp.experts" in name}
    assert made.load_state_dict(state, assign=assign) == ([], [])
    own = made.state_dict()
    same = lambda a, b: torch.equal(a.view(torch.uint8) if a.dtype == E4M3 else a, b.view(torch.uint8) if b.dtype == E4M3 else b.to(a.dtype))
    assert all(same(own[name], state[name]) for name in own if ".experts." not in name and not name.endswith(("w13", "w2", "_scales")))
    experts, name = made["model"]["layers"][1]["mlp"].experts, "model.layers.1.mlp.experts"
    for i in range(EXPERTS):
        assert same(experts.w13[i, :INNER], state[f"{name}.{i}.gate_proj.weight"]) and same(experts.w13[i, INNER:], state[f"{name}.{i}.up_proj.weight"])
        assert same(experts.w2[i], state[f"{name}.{i}.down_proj.weight"])
        assert same(experts.w2_scales[i], state[f"{name}.{i}.down_proj.weight_scale_inv"])
        assert same(experts.w13_scales[i, 1:], state[f"{name}.{i}.up_proj.weight_scale_inv"])


BAD = [
    (lambda: ft.swap_linears(3), "expected 'model' to be a torch.nn.Module, got 3"),
    (lambda: ft.problems(3), "expected 'model' to be a torch.nn.Module, got 3"),
    (lambda: ft.problems(torch.nn.ReLU(), max_m="8"), "expected 'max_m' to be an integer, got '8'"),
    (lambda: ft.swap_linears(torch.nn.ReLU(), filter=3), "expected 'filter' to be a function of a name and a layer, or None, got 3"),
    (lambda: ft.Linear("16", 16), "expected 'in_features' to be an integer, got '16'"),
    (lambda: ft.Linear(16, 16.0), "expected 'out_features' to be an integer, got 16.0"),
    (lambda: ft.Linear.of(torch.nn.ReLU()), "expected 'linear' to be a torch.nn.Linear, got ReLU()"),
    (lambda: ft.MoEMLP(3), "expected 'experts' to be a fp8gemm.torch.Experts, got 3"),
]


@pytest.mark.parametrize("call, message", BAD, ids=[message for _, message in BAD])
def test_arguments_of_other_types(call, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        call()


def test_count_of_one():
    assert str(ft.swap_linears(nn.Sequential(nn.Linear(16, 16)))) == "1 linear layer in FP8, 0 skipped"


@pytest.mark.parametrize("layer", [ft.Linear(16, 16), ft.MoEMLP(ft.Experts.empty(2, 16, 16))])
def test_problems_of_no_rows(layer):
    for listed in (ft.problems, type(layer).problems):
        with pytest.raises(ValueError, match=r"expected 'max_m' in \[1, 2147483647\], got 0"):
            listed(layer, max_m=0)
