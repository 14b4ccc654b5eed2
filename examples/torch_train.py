#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A small network trained with all three products of its linear layers in FP8 (docs/Training.md), beside the same in bfloat16.

    torch_train.py --list > train.json                                   # the products of this network
    fp8gemm-compile --pack=train.json -o train.fp8pack --cache=.cache/fp8gemm
    torch_train.py --pack=train.fp8pack                                  # needs a Hopper GPU; prints the loss of both
"""

import argparse
import json
import sys

WIDTH, HIDDEN, TOKENS = 2048, 8192, 4096


def problems():
    """Of each layer [N, K] the products of y, of x's gradient, and of the weight's, which is added to in float32."""
    listed = []
    for n, k in ((HIDDEN, WIDTH), (WIDTH, HIDDEN)):
        listed += [{"op": "gemm", "n": n, "k": k}, {"op": "gemm", "n": k, "k": n},
                   {"op": "gemm", "n": k, "k": TOKENS, "recipe": "1d1d", "sfb": "mn_major", "d_type": "f32", "c": "in_place"}]
    return {"gpu": "h200-sxm", "problems": [problem for i, problem in enumerate(listed) if problem not in listed[:i]]}


def make_linear():
    import torch

    import fp8gemm.torch as ft

    class Fp8Linear(torch.autograd.Function):
        """y = x W^T with x [T, K] bfloat16 and W [N, K] float32; their gradients are of these types."""

        @staticmethod
        def forward(ctx, x, weight):
            ctx.save_for_backward(x, weight)
            return torch.ops.fp8gemm.gemm(*ft.quantize_per_token(x), *ft.quantize_per_block(weight))

        @staticmethod
        def backward(ctx, dy):
            x, weight = ctx.saved_tensors
            dx = torch.ops.fp8gemm.gemm(*ft.quantize_per_token(dy), *ft.quantize_per_block(weight.mT))
            # Sums over tokens: both sides are scaled for 128 tokens of a row.
            dw = torch.zeros_like(weight)
            torch.ops.fp8gemm.gemm_add_(*ft.quantize_per_token(dy.mT), *ft.quantize_per_token(x.mT), dw)
            return dx, dw

    return Fp8Linear.apply


def train(linear, device, tokens=TOKENS, width=WIDTH, hidden=HIDDEN, steps=20):
    """The losses of a two-layer network that learns another one."""
    import torch

    random = torch.Generator(device).manual_seed(0)
    normal = lambda *shape: torch.randn(shape, generator=random, device=device)
    weights = [(normal(n, k) / k**0.5).requires_grad_() for n, k in ((hidden, width), (width, hidden))]
    goal = [normal(n, k) / k**0.5 for n, k in ((hidden, width), (width, hidden))]
    network = lambda x, up, down, linear: linear(torch.nn.functional.silu(linear(x, up)), down)
    plain = lambda x, weight: x @ weight.to(x.dtype).mT
    optimizer, losses = torch.optim.Adam(weights, lr=1e-3), []
    for _ in range(steps):
        x = normal(tokens, width).bfloat16()
        loss = (network(x, *weights, linear or plain).float() - network(x, *goal, plain).float()).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack")
    parser.add_argument("--list", action="store_true", help="print the products of this network")
    options = parser.parse_args()
    if options.list:
        print(json.dumps(problems(), indent=1))
        return 0
    if not options.pack:
        raise SystemExit("expected --pack, got none")
    import torch

    import fp8gemm

    if not torch.cuda.is_available() or torch.cuda.get_device_capability() != (9, 0):
        raise SystemExit("expected a Hopper GPU (compute capability 9.0): the kernels run on nothing else")
    fp8gemm.set_pack(fp8gemm.load(options.pack))
    in_bf16, in_fp8 = train(None, "cuda"), train(make_linear(), "cuda")
    for step, (first, second) in enumerate(zip(in_bf16, in_fp8)):
        print(f"step {step:3}  loss in bfloat16 {first:.4f}, in FP8 {second:.4f}")
    return 0 if in_fp8[-1] < 1.1 * in_bf16[-1] else 1


if __name__ == "__main__":
    sys.exit(main())
