#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A mixture-of-experts layer in PyTorch, from bf16 to bf16: a router, FP8 experts as one module, and a shared expert; how far its output is from the same
in bfloat16, and how fast it is.

    torch_moe.py --list > moe.json                                   # the products of this layer
    fp8gemm-compile --pack=moe.json -o moe.fp8pack --cache=.cache/fp8gemm
    torch_moe.py --pack=moe.fp8pack [--tokens=1024]                  # needs a Hopper GPU

benchmark/layer.py measures such layers beside DeepGEMM's products.
"""

import argparse
import json
import sys

HIDDEN, WIDTH, EXPERTS, TOP_K = 4096, 1536, 32, 8


def problems():
    """As fp8gemm.torch.problems(layer) lists them: written here because PyTorch may be missing where the compiler is."""
    experts = {"op": "grouped_gemm", "groups": EXPERTS, "grouping": "row_end", "align": 1, "max_m": 8192}
    shared = [problem for n, k in ((WIDTH, HIDDEN), (HIDDEN, WIDTH)) for problem in ({"op": "quantize", "k": k}, {"op": "gemm", "n": n, "k": k, "max_m": 8192})]
    return {"gpu": "h200-sxm", "problems": [
        *shared, {"op": "quantize", "k": HIDDEN, "sfa": "k_major"},
        {**experts, "n": 2 * WIDTH, "k": HIDDEN, "sfa": "k_major"}, {**experts, "n": HIDDEN, "k": WIDTH, "sfa": "mn_major"}]}


def make_layers():
    """Classes of the layer with experts in bfloat16 and with FP8 experts."""
    import torch
    from torch import nn

    import fp8gemm.torch as ft
    from fp8gemm.layers import quantize_experts

    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate, self.up, self.down = nn.Linear(HIDDEN, WIDTH, bias=False), nn.Linear(HIDDEN, WIDTH, bias=False), nn.Linear(WIDTH, HIDDEN, bias=False)

        def forward(self, x):
            return self.down(nn.functional.silu(self.gate(x)) * self.up(x))

    class Plain(nn.Module):
        """Each expert's tokens in turn, which waits for their numbers."""

        def __init__(self):
            super().__init__()
            self.router, self.shared = nn.Linear(HIDDEN, EXPERTS, bias=False), Shared()
            self.w13 = nn.Parameter(torch.randn(EXPERTS, 2 * WIDTH, HIDDEN) / HIDDEN**0.5)
            self.w2 = nn.Parameter(torch.randn(EXPERTS, HIDDEN, WIDTH) / WIDTH**0.5)

        def route(self, x):
            weights, ids = self.router(x).float().softmax(-1).topk(TOP_K)
            return ids, weights / weights.sum(-1, keepdim=True)

        def forward(self, x):
            ids, weights = self.route(x)
            out = self.shared(x).float()
            for expert in range(EXPERTS):
                token, choice = (ids == expert).nonzero(as_tuple=True)
                gate, up = (x[token] @ self.w13[expert].T).chunk(2, -1)
                y = (nn.functional.silu(gate) * up) @ self.w2[expert].T
                out.index_add_(0, token, y.float() * weights[token, choice].unsqueeze(-1))
            return out.to(x.dtype)

    class InFp8(nn.Module):
        def __init__(self, plain):
            super().__init__()
            self.router, self.shared, self.route = plain.router, plain.shared, plain.route
            self.moe = ft.MoEMLP(ft.Experts(*quantize_experts(plain.w13), *quantize_experts(plain.w2)))

        def forward(self, x):
            return self.moe(x, *self.route(x), added=self.shared(x))

    return Plain, InFp8


def milliseconds(call):
    import torch

    for _ in range(3):
        call()
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(20):
        call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 20


def captured(call):
    import torch

    for _ in range(3):
        call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def run(options):
    import torch

    import fp8gemm
    import fp8gemm.torch as ft

    pack = fp8gemm.load(options.pack)
    pack.load(torch.cuda.current_device())
    fp8gemm.set_pack(pack)
    Plain, InFp8 = make_layers()
    torch.manual_seed(0)
    with torch.device("cuda"), torch.no_grad():
        plain, x = Plain().to(torch.bfloat16), torch.randn(options.tokens, HIDDEN).bfloat16()
        wanted, time = plain(x).float(), milliseconds(lambda: plain(x))
        print(f"{EXPERTS} experts, {TOP_K} of them for each of {options.tokens} tokens, {torch.cuda.get_device_name()}")
        print(f"bf16, one expert after the other {time:8.3f} ms")
        layer = InFp8(plain)
        ft.swap_linears(layer, filter=lambda name, _: name != "router")
        error = float((layer(x).float() - wanted).norm() / wanted.norm())
        print(f"fp8gemm                          {milliseconds(captured(lambda: layer(x))):8.3f} ms in a CUDA graph, relative error {error:.4f}")
    return 0 if error < 0.1 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack")
    parser.add_argument("--tokens", type=int, default=1024)
    parser.add_argument("--list", action="store_true", help="print the products of this layer")
    options = parser.parse_args()
    if options.list:
        print(json.dumps(problems(), indent=1))
        return 0
    if not options.pack:
        raise SystemExit("expected --pack, got none")
    import torch

    if not torch.cuda.is_available() or torch.cuda.get_device_capability() != (9, 0):
        raise SystemExit("expected a Hopper GPU (compute capability 9.0): the kernels run on nothing else")
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
