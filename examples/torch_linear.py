#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Decoder layers in PyTorch whose linear layers are replaced by ours: how far their output moves, and how fast they are, from bf16 to bf16.

    torch_linear.py --list > linear.json                                  # the products of this model
    fp8gemm-compile --pack=linear.json -o linear.fp8pack --cache=.cache/fp8gemm
    torch_linear.py --pack=linear.fp8pack [--tokens=4096]                 # needs a Hopper GPU

Where the compiler is installed beside the GPU, --pack can be left out: fp8gemm.compile makes one. Where DeepGEMM is installed, its products with
PyTorch's quantisation, compiled, are measured as well.
"""

import argparse
import importlib.util
import json
import shutil
import sys

WIDTH, HIDDEN, HEADS, LAYERS = 4096, 16384, 32, 4


def problems():
    """Each linear layer's product, and the quantisation before it, as a list for fp8gemm-compile --pack."""
    shapes = [(3 * WIDTH, WIDTH), (WIDTH, WIDTH), (HIDDEN, WIDTH), (WIDTH, HIDDEN)]
    products = [{"op": "gemm", "n": n, "k": k} for n, k in shapes]
    return {"gpu": "h200-sxm", "problems": [{"op": "quantize", "k": k} for k in (WIDTH, HIDDEN)] + products}


def make_block():
    from torch import nn

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

    return Block


def use_deep_gemm(model):
    """The layers of fp8gemm in the model become DeepGEMM's products of the same weights, with quantisation in PyTorch."""
    import deep_gemm
    import torch

    import fp8gemm.torch as ft

    @torch.library.custom_op("example::deep_gemm", mutates_args=())
    def product(a: torch.Tensor, sfa: torch.Tensor, b: torch.Tensor, sfb: torch.Tensor) -> torch.Tensor:
        d = a.new_empty(len(a), len(b), dtype=torch.bfloat16)
        deep_gemm.fp8_gemm_nt((a, sfa), (b, sfb), d)
        return d

    product.register_fake(lambda a, sfa, b, sfb: a.new_empty(len(a), len(b), dtype=torch.bfloat16))

    class DeepGemmLinear(torch.nn.Module):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return product(*ft.quantize_per_token(x), self.layer.weight, self.layer.weight_scale_inv)

    for name, layer in list(model.named_modules()):
        if isinstance(layer, ft.Linear):
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, DeepGemmLinear(layer))


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
    import fp8gemm.torch as ft

    pack = fp8gemm.load(options.pack) if options.pack else fp8gemm.compile(problems(), cache=".cache/fp8gemm")
    pack.load(torch.cuda.current_device())
    fp8gemm.set_pack(pack)
    Block = make_block()
    torch.manual_seed(0)
    with torch.device("cuda"), torch.inference_mode():
        model = torch.nn.Sequential(*(Block() for _ in range(LAYERS))).to(torch.bfloat16)
        x = torch.randn(options.tokens, WIDTH, dtype=torch.bfloat16)
        print(f"{LAYERS} layers of width {WIDTH}, {options.tokens} tokens, {torch.cuda.get_device_name()}")
        # Compares only the addition to the residual stream, not its previous contents.
        before = (model(x) - x).float()
        error = lambda: float(((model(x) - x).float() - before).norm() / before.norm())
        print(f"bf16      {milliseconds(compiled(model), x):8.3f} ms")
        print(ft.swap_linears(model))
        of_ours = error()
        print(f"fp8gemm   {milliseconds(compiled(model), x):8.3f} ms, relative error {of_ours:.4f}")
        if importlib.util.find_spec("deep_gemm"):
            use_deep_gemm(model)
            print(f"DeepGEMM  {milliseconds(compiled(model), x):8.3f} ms, relative error {error():.4f}")
    return 0 if of_ours < 0.1 else 1


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
