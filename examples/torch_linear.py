#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A small transformer in PyTorch whose linear layers are replaced by ours: how far its output moves, and how fast it is.

    torch_linear.py --list > linear.json                                  # the products of this model
    fp8gemm-compile --pack=linear.json -o linear.fp8pack --cache=.cache/fp8gemm
    torch_linear.py --pack=linear.fp8pack [--tokens=4096]                 # needs a Hopper GPU

Where the compiler is installed beside the GPU, --pack can be left out: fp8gemm.compile makes one.
"""

import argparse
import json
import shutil
import sys

WIDTH, HIDDEN, HEADS, LAYERS = 4096, 16384, 32, 4


def problems():
    """(N, K) of each linear layer, as a list for fp8gemm-compile --pack."""
    shapes = [(3 * WIDTH, WIDTH), (WIDTH, WIDTH), (HIDDEN, WIDTH), (WIDTH, HIDDEN)]
    return {"gpu": "h200-sxm", "problems": [{"op": "gemm", "n": n, "k": k} for n, k in shapes]}


def make_classes():
    import torch
    from torch import nn

    import fp8gemm.torch as ft

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.before, self.between = nn.RMSNorm(WIDTH), nn.RMSNorm(WIDTH)
            self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
            self.up, self.down = nn.Linear(WIDTH, HIDDEN, bias=False), nn.Linear(HIDDEN, WIDTH, bias=False)

        def forward(self, x):
            q, k, v = (part.view(len(x), HEADS, -1).transpose(0, 1) for part in self.qkv(self.before(x)).chunk(3, -1))
            mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(mixed.transpose(0, 1).reshape(len(x), WIDTH))
            return x + self.down(nn.functional.gelu(self.up(self.between(x))))

    class Fp8Linear(nn.Module):
        """y = x W^T, with W quantised once for 128 x 128 elements, and x as it comes for 128 of a row."""

        def __init__(self, linear):
            super().__init__()
            weight, scales = ft.quantize_per_block(linear.weight.detach())
            self.register_buffer("weight", weight)
            self.register_buffer("scales", scales)

        def forward(self, x):
            values, scales = ft.quantize_per_token(x)
            return torch.ops.fp8gemm.gemm(values, scales, self.weight, self.scales)

    def replace(module):
        for name, child in module.named_children():
            if isinstance(child, nn.Linear):
                setattr(module, name, Fp8Linear(child))
            else:
                replace(child)

    return Block, replace


def compiled(model):
    """The model by torch.compile, where that works: it fuses the quantisation into one kernel."""
    import torch

    if shutil.which("cc") or shutil.which("gcc"):
        return torch.compile(model, fullgraph=True)
    print("no C compiler, so no torch.compile: operations run one by one")
    return model


def milliseconds(function, x):
    """Of one call: 20 replays of a CUDA graph, so that the host doesn't count."""
    import torch

    for _ in range(3):
        function(x)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        function(x)
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    graph.replay()
    start.record()
    for _ in range(20):
        graph.replay()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 20


def run(options):
    import torch

    import fp8gemm

    pack = fp8gemm.load(options.pack) if options.pack else fp8gemm.compile(problems(), cache=".cache/fp8gemm")
    pack.load(torch.cuda.current_device())
    fp8gemm.set_pack(pack)
    Block, replace = make_classes()
    torch.manual_seed(0)
    with torch.device("cuda"), torch.inference_mode():
        model = torch.nn.Sequential(*(Block() for _ in range(LAYERS))).to(torch.bfloat16)
        x = torch.randn(options.tokens, WIDTH, dtype=torch.bfloat16)
        print(f"{LAYERS} layers of width {WIDTH}, {options.tokens} tokens, {torch.cuda.get_device_name()}")
        wanted = model(x)
        # Compares only the addition to the residual stream, not its previous contents.
        before, plain = wanted - x, milliseconds(compiled(model), x)
        replace(model)
        after = model(x) - x
        error = (after - before).float().norm() / before.float().norm()
        print(f"bf16            {plain:8.3f} ms")
        print(f"fp8             {milliseconds(compiled(model), x):8.3f} ms")
        print(f"relative error  {error.item():8.4f}")
    return 0 if error < 0.1 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack")
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--list", action="store_true", help="print the products of this model")
    options = parser.parse_args()
    if options.list:
        print(json.dumps(problems(), indent=1))
        return 0
    try:
        import torch
    except ImportError:
        raise SystemExit("expected PyTorch, got none: pip install torch") from None
    if not torch.cuda.is_available() or torch.cuda.get_device_capability() != (9, 0):
        raise SystemExit("expected a Hopper GPU (compute capability 9.0): the kernels run on nothing else")
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
