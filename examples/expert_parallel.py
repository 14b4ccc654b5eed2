#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A mixture-of-experts layer of random weights whose experts are on several GPUs (docs/ExpertParallel.md).

    expert_parallel.py --ranks=2 --list > moe.json                       # the products of one of 2 GPUs
    fp8gemm-compile --pack=moe.json -o moe.fp8pack --cache=.cache/fp8gemm
    torchrun --nproc-per-node=2 expert_parallel.py --pack=moe.fp8pack    # needs Hopper GPUs

Prints how far each way is from the same layer in bfloat16, and the time of a replayed CUDA graph where there can be one.
"""

import argparse
import datetime
import json
import os
import sys

HIDDEN, WIDTH, EXPERTS, TOP_K = 4096, 1536, 64, 8


def problems(ranks):
    import fp8gemm.expert_parallel as ep

    if EXPERTS % ranks:
        raise SystemExit(f"expected --ranks to divide the {EXPERTS} experts, got {ranks}")
    return {"gpu": "h200-sxm", "problems": ep.problems(EXPERTS // ranks, HIDDEN, WIDTH, ranks=ranks, max_m=1024)}


def plain(x, ids, weights, w13, w2):
    """Of one rank's experts in bfloat16; ids from 0 are these."""
    import torch

    out = torch.zeros(x.shape, dtype=torch.float32, device=x.device)
    for expert in range(len(w13)):
        token, choice = (ids == expert).nonzero(as_tuple=True)
        gate, up = (x[token] @ w13[expert].T).chunk(2, -1)
        y = (torch.nn.functional.silu(gate) * up) @ w2[expert].T
        out.index_add_(0, token, y.float() * weights[token, choice].unsqueeze(-1))
    return out


def milliseconds(call, capture):
    """Of one call: 20 replays of a CUDA graph, or 20 calls."""
    import torch

    for _ in range(3):
        call()
    if capture:
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            call()
        call = graph.replay
        call()
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(20):
        call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 20


def run(options):
    import torch
    import torch.distributed as dist

    import fp8gemm
    import fp8gemm.expert_parallel as ep
    import fp8gemm.torch as ft

    device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    torch.cuda.set_device(device)
    dist.init_process_group("nccl", device_id=device, timeout=datetime.timedelta(seconds=60))
    rank, ranks = dist.get_rank(), dist.get_world_size()
    local = EXPERTS // ranks
    pack = fp8gemm.load(options.pack)
    pack.load(device.index)
    fp8gemm.set_pack(pack)

    random = torch.Generator(device).manual_seed(rank)
    normal = lambda *shape: torch.randn(shape, generator=random, device=device)
    w13, w2 = normal(local, 2 * WIDTH, HIDDEN) / HIDDEN**0.5, normal(local, HIDDEN, WIDTH) / WIDTH**0.5
    experts = ep.Experts(*ep.quantize_experts(w13), *ep.quantize_experts(w2))
    moe = ft.ExpertParallelMoE(experts, total_experts=EXPERTS, top_k=TOP_K, max_tokens=options.tokens)
    x = normal(options.tokens, HIDDEN).bfloat16()
    weights, ids = normal(options.tokens, EXPERTS).softmax(-1).topk(TOP_K)

    # What the layer should give: all tokens meet all experts, each where it is.
    every = [own.new_empty(ranks * len(own), *own.shape[1:]) for own in (x, ids, weights)]
    for whole, own in zip(every, (x, ids, weights)):
        dist.all_gather_into_tensor(whole, own)
    wanted = plain(every[0], every[1] - rank * local, every[2], w13.bfloat16(), w2.bfloat16())
    dist.all_reduce(wanted)
    wanted = wanted[rank * options.tokens:(rank + 1) * options.tokens]

    worst = 0.0
    for way in ("gather", "exchange", "slots"):
        call = lambda: moe(x, ids, weights, way=way)
        error = float((call().float() - wanted).norm() / wanted.norm())
        time = milliseconds(call, capture=way != "exchange")
        worst = max(worst, error)
        if rank == 0:
            print(f"{way:10}{time:8.3f} ms, relative error {error:.4f}")
    dist.destroy_process_group()
    return 0 if worst < 0.1 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack")
    parser.add_argument("--tokens", type=int, default=64, help="of each rank")
    parser.add_argument("--list", action="store_true", help="print the products of this layer on one of --ranks GPUs")
    parser.add_argument("--ranks", type=int, default=2)
    options = parser.parse_args()
    if options.list:
        print(json.dumps(problems(options.ranks), indent=1))
        return 0
    if not options.pack or "LOCAL_RANK" not in os.environ:
        raise SystemExit("expected --pack, and torchrun to start the program, got something else")
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
