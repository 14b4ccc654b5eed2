# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What engines.py compares and times."""

import functools

import engines
import torch
from engine_triton import Engine
from layer_contenders import captured, distance, sample, timed
from torch import nn

import fp8gemm
import fp8gemm.layers as layers
import fp8gemm.torch as ft
from fp8gemm.layers import _routing

SAMPLE = 2048  # of the tokens, at most, whose first products are compared
engine, compiled = None, None


def silu_and_mul(out, x):
    gate, up = x.chunk(2, -1)
    out.copy_(nn.functional.silu(gate) * up)


def sum_rows(out, x):
    total = x[:, 0].float()
    for j in range(1, x.shape[1]):
        total = total + x[:, j]
    out.copy_(total)


def prepare(folder):
    global engine, compiled
    pack = fp8gemm.load(folder / "engines.fp8pack")
    pack.load(torch.cuda.current_device())
    fp8gemm.set_pack(pack)
    torch._dynamo.config.recompile_limit = 64
    compiled = {function.__name__: torch.compile(function, dynamic=True)
                for function in (silu_and_mul, sum_rows, layers.swiglu_quantize, layers.combine, _routing.arrange)}
    engine = Engine(folder / "engine", quantize, compiled["silu_and_mul"], compiled["sum_rows"], torch.cuda.get_device_name().replace(" ", "_"))


def quantize(x):
    return torch.ops.fp8gemm.quantize(x, layout="k_major", dependent=True)


@torch.inference_mode()
def linear(m, n, k):
    random = torch.Generator("cuda").manual_seed(0)
    normal = lambda *shape: torch.randn(shape, generator=random, device="cuda").bfloat16()
    operands = *quantize(normal(m, k)), *ft.quantize_per_block(normal(n, k) / k**0.5)
    return {"product": {"linear": distance(torch.ops.fp8gemm.gemm(*operands), engine.linear(operands[0], operands[1], *operands[2:]))}}


@functools.lru_cache(maxsize=1)
def weights(model):
    """One expert at a time: in float32 they are too large together."""
    experts, hidden, width = engines.MODELS[model]
    random, made = torch.Generator("cuda").manual_seed(0), []
    for n, k in ((2 * width, hidden), (hidden, width)):
        parts = [ft.quantize_per_block(torch.randn(n, k, generator=random, device="cuda") / k**0.5) for _ in range(experts)]
        made += [torch.stack(part) for part in zip(*parts)]
    return made


def inputs(model, tokens):
    experts, hidden, _ = engines.MODELS[model]
    random = torch.Generator("cuda").manual_seed(tokens)
    x = torch.randn(tokens, hidden, generator=random, device="cuda").bfloat16()
    factors, ids = torch.randn(tokens, experts, generator=random, device="cuda").softmax(-1).topk(engines.CHOSEN)
    return x, ids.int(), factors.contiguous()


def first_products(made, given):
    """The distance between the first products of both, from the same operands."""
    w13, s13, w2, _ = made
    x, ids, _ = (part[:SAMPLE] for part in given)
    values, scales = quantize(x)
    tokens, ends, places = _routing.arrange(ids, len(w13), ids.numel())
    ours = torch.ops.fp8gemm.grouped_gemm_contiguous(_routing.take(values, tokens), scales.index_select(0, tokens), w13, s13, ends, by="end", align=1,
                                                     expected_m=-(-ids.numel() // len(w13)))
    return distance(ours[places.flatten()], engine.first_product(values, scales, ids.contiguous(), w13, s13, w2.size()).flatten(0, 1))


def known_order(call, given, arrange):
    """The call with pairs that were arranged before."""
    kept = []

    def known(*arguments):
        if not kept:
            kept.extend(arrange(*arguments))
        return kept

    def with_known(*_):
        _routing.arrange = known
        try:
            return call(*given)
        finally:
            _routing.arrange = arrange

    return with_known


@torch.inference_mode()
def moe(model, tokens):
    made, given = weights(model), inputs(model, tokens)
    engine.aligned.clear()
    product = first_products(made, given)
    engine.aligned.clear()
    arrange = compiled["arrange"]
    _routing.arrange = arrange
    separate, gated = (layers.MoEMLP(experts, combine=compiled["combine"]) for experts in (
        layers.Experts(*made, activate=compiled["swiglu_quantize"]), layers.Experts(*made, gated=True)))
    calls = {"vllm": lambda: engine.experts(*given, *made), "gated": known_order(gated, given, arrange),
             "separate": known_order(separate, given, arrange), "whole": lambda: gated(*given)}
    with torch.no_grad():
        graphs = {name: captured(call) for name, call in calls.items()}
    wanted = sample(made, given)
    results = {name: result for name, (_, result) in graphs.items()}
    return {"us": timed({name: graph for name, (graph, _) in graphs.items()}), "product": {"first": product},
            "apart": {name: distance(results[name], results["vllm"]) for name in ("gated", "separate", "whole")},
            "error": {name: distance(result[:len(wanted)], wanted) for name, result in results.items()},
            "configuration": configuration(model, tokens)}


def configuration(model, tokens):
    """tuned or default, and its tile."""
    experts, hidden, width = engines.MODELS[model]
    chosen = engine.fused.try_get_optimal_moe_config((experts, 2 * width, hidden), (experts, hidden, width), engines.CHOSEN, "fp8_w8a8", tokens,
                                                     block_shape=[128, 128])
    tuned = engine.fused.get_moe_configs(experts, width, "fp8_w8a8", 128, 128)
    return f"{'tuned' if tuned else 'default'}, {chosen['BLOCK_SIZE_M']}x{chosen['BLOCK_SIZE_N']}, {chosen['num_stages']} stages"
