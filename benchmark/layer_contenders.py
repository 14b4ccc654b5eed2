# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What layer.py times. Started by itself with a model and a number of experts, it has DeepGEMM compile their kernels."""

import functools
import statistics
import sys

import gpu_timing
import layer
import torch
from torch import nn

import fp8gemm
import fp8gemm.layers as layers
import fp8gemm.torch as ft
from fp8gemm.layers import _routing

BYTES_OF_WEIGHTS, MOST_LINKS = 400 << 20, 24  # of a graph of linear layers: several times an L2
ROUNDS, REPLAYS = 11, 3


def prepare(pack_path):
    pack = fp8gemm.load(pack_path)
    pack.load(torch.cuda.current_device())
    fp8gemm.set_pack(pack)


def distance(got, wanted):
    return float((got.float() - wanted.float()).norm() / wanted.float().norm())


def captured(call):
    """A function that replays it, and its result."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(2):
            call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        result = call()
    graph.replay()
    torch.cuda.synchronize()
    return graph, result


def timed(graphs):
    """{name: graph} -> {name: microseconds of a replay}, in turns."""
    samples = {name: [] for name in graphs}
    for _ in range(ROUNDS):
        for name, graph in graphs.items():
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            graph.replay()
            start.record()
            for _ in range(REPLAYS):
                graph.replay()
            end.record()
            end.synchronize()
            samples[name].append(1000 * start.elapsed_time(end) / REPLAYS)
    return {name: statistics.median(times) for name, times in samples.items()}


def parts(graph):
    """{part: microseconds} of a replay."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiler:
        graph.replay()
        torch.cuda.synchronize()
    return layer.cut(gpu_timing.gpu_events(profiler))


@torch.inference_mode()
def dense(m, n, k):
    random = torch.Generator("cuda").manual_seed(0)
    normal = lambda *shape: torch.randn(shape, generator=random, device="cuda").bfloat16()
    links = min(MOST_LINKS, max(2, BYTES_OF_WEIGHTS // (n * k)))
    x, plain, ours = normal(m, k), [], []
    for _ in range(links):
        made = nn.Linear(k, n, bias=False, device="meta", dtype=torch.bfloat16)
        made.weight = nn.Parameter(normal(n, k) / k**0.5, requires_grad=False)
        plain.append(made)
        ours.append(ft.Linear.of(made))
    values, scales = torch.ops.fp8gemm.quantize(x)
    product = lambda layer: torch.ops.fp8gemm.gemm(values, scales, layer.weight, layer.weight_scale_inv, dependent=True)
    calls = {"bf16": lambda: [layer(x) for layer in plain], "fp8gemm": lambda: [layer(x) for layer in ours],
             "product": lambda: [product(layer) for layer in ours]}
    graphs = {name: captured(call) for name, call in calls.items()}
    errors = {name: max(distance(got, wanted) for got, wanted in zip(graphs[name][1], graphs["bf16"][1])) for name in ("fp8gemm", "product")}
    us = timed({name: graph for name, (graph, _) in graphs.items()})
    return {"us": {name: time / links for name, time in us.items()}, "errors": errors, "links": links}


#
# Experts
#


@functools.cache
def stages():
    """What is outside the products, compiled once for any number of tokens."""
    compiled = {name: torch.compile(getattr(layers, name), dynamic=True) for name in ("quantize", "swiglu_quantize", "combine")}
    torch._dynamo.config.recompile_limit = 64
    _routing.arrange = torch.compile(_routing.arrange, dynamic=True)
    return compiled


@functools.lru_cache(maxsize=1)
def weights(model, experts):
    hidden, width = layer.MODELS[model]
    random, made = torch.Generator("cuda").manual_seed(0), []
    for n, k in ((2 * width, hidden), (hidden, width)):
        made += layers.quantize_experts(torch.randn(experts, n, k, generator=random, device="cuda").bfloat16() / k**0.5)
    return made


def inputs(model, experts, tokens):
    random = torch.Generator("cuda").manual_seed(tokens)
    x = torch.randn(tokens, layer.MODELS[model][0], generator=random, device="cuda").bfloat16()
    chosen, ids = torch.randn(tokens, experts, generator=random, device="cuda").softmax(-1).topk(layer.EXPERTS[experts])
    return x, ids, chosen.contiguous()


def deep_gemm_call(form, model, experts, given, functions):
    from deep_gemm_experts import DeepGemmExperts

    compute = getattr(DeepGemmExperts(weights(model, experts), functions, experts), form)

    def call():
        x, ids, factors = given
        y, places = compute(*functions["quantize"](x), ids)
        return functions["combine"](y, places, factors)

    return call


def forms(tokens):
    return ["contiguous"] + ["masked"] * (tokens <= layer.FOR_MASKED)


def sample(made, given, count=4):
    """The first tokens' experts one by one, in float32 from the quantised weights."""
    x, ids, factors = (part[:count] for part in given)
    w13, s13, w2, s2 = made
    out = torch.zeros(x.shape, device="cuda")
    for t in range(len(x)):
        for expert, factor in zip(ids[t].tolist(), factors[t]):
            gate, up = (x[t].float() @ ft.dequantize(w13[expert], s13[expert]).T).chunk(2, -1)
            out[t] += factor * ((nn.functional.silu(gate) * up) @ ft.dequantize(w2[expert], s2[expert]).T)
    return out


@torch.inference_mode()
def mixed(model, experts, tokens, has_peer):
    functions, given = stages(), inputs(model, experts, tokens)
    of_ours = layers.Experts(*weights(model, experts), activate=functions["swiglu_quantize"])
    gated = layers.Experts(*weights(model, experts), gated=True)
    ours, of_gated = (layers.MoEMLP(some, combine=functions["combine"]) for some in (of_ours, gated))
    calls = {"fp8gemm": lambda: ours(*given), "gated": lambda: of_gated(*given)}
    if has_peer:
        calls |= {form: deep_gemm_call(form, model, experts, given, functions) for form in forms(tokens)}
    graphs = {name: captured(call) for name, call in calls.items()}
    wanted = sample(weights(model, experts), given)
    errors = {name: distance(result[:len(wanted)], wanted) for name, (_, result) in graphs.items()}
    graphs = {name: graph for name, (graph, _) in graphs.items()}
    return {"us": timed(graphs), "parts": {name: parts(graph) for name, graph in graphs.items()}, "errors": errors}


@torch.inference_mode()
def warm_up(model, experts):
    """DeepGEMM's kernels of all sizes, into its cache."""
    functions = {name: getattr(layers, name) for name in ("quantize", "swiglu_quantize", "combine")}
    for tokens in layer.TOKENS:
        for form in forms(tokens):
            deep_gemm_call(form, model, experts, inputs(model, experts, tokens), functions)()
    torch.cuda.synchronize()


if __name__ == "__main__":
    warm_up(sys.argv[1], int(sys.argv[2]))
