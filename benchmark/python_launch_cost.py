#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a launch from Python costs the host, in us a call: this package's functions, and its peers', with PyTorch tensors.

    python_launch_cost.py --pack=model.fp8pack [--n=2112 --k=7168 --m=64] [--launch-cost=PATH] [--json=FILE]

Loops of 100 calls, all ways in turns; the GPU is idle when a loop begins, and has all calls of a loop in its queue. The
median and the 10th percentile of the loops count. A bare cuLaunchKernelEx is what --launch-cost, the program of that name
(README.md), measures in the same run. Needs a Hopper GPU, PyTorch, and a pack with that product.
"""

import argparse
import json
import statistics
import subprocess
import time

CALLS = 100


def ways(pack, m, n, k):
    """(name, function of one call) of each way that this machine has."""
    import torch

    import fp8gemm
    import fp8gemm.deep_gemm as drop_in
    import fp8gemm.torch as ft

    a, sfa = ft.quantize_per_token(torch.randn(m, k, device="cuda"))
    b, sfb = ft.quantize_per_block(torch.randn(n, k, device="cuda"))
    d = torch.empty(m, n, dtype=torch.bfloat16, device="cuda")
    fp8gemm.set_pack(pack)
    drop_in.use(pack)
    yield "pack.gemm, d given", lambda: pack.gemm(a, sfa, b, sfb, d)
    yield "pack.gemm, d given, dependent", lambda: pack.gemm(a, sfa, b, sfb, d, dependent=True)
    yield "pack.gemm", lambda: pack.gemm(a, sfa, b, sfb)
    yield "fp8gemm.gemm, d given", lambda: fp8gemm.gemm(a, sfa, b, sfb, d)
    stream = torch.cuda.current_stream().cuda_stream
    yield "pack.gemm, d and stream given", lambda: pack.gemm(a, sfa, b, sfb, d, stream=stream)

    layers = [tuple(x.clone() for x in (b, sfb, d)) for _ in range(64)]
    turn = iter(range(1 << 62))

    def in_turn():
        weights, scales, out = layers[next(turn) % 64]
        pack.gemm(a, sfa, weights, scales, out)

    yield "pack.gemm, d given, 64 layers in turn", in_turn
    yield "fp8gemm.deep_gemm.fp8_gemm_nt", lambda: drop_in.fp8_gemm_nt((a, sfa), (b, sfb), d)
    yield "torch.ops.fp8gemm.gemm_out", lambda: torch.ops.fp8gemm.gemm_out(a, sfa, b, sfb, d)
    yield "torch.ops.fp8gemm.gemm", lambda: torch.ops.fp8gemm.gemm(a, sfa, b, sfb)

    one = torch.ones((), device="cuda")
    yield "torch._scaled_mm, one scale, out given", lambda: torch._scaled_mm(a, b.T, one, one, out_dtype=torch.bfloat16,
                                                                             out=d)
    half_a, half_b = torch.randn(m, k, device="cuda").bfloat16(), torch.randn(k, n, device="cuda").bfloat16()
    yield "torch.mm in bf16, out given", lambda: torch.mm(half_a, half_b, out=d)
    try:
        import deep_gemm
    except ImportError:
        return
    aligned = deep_gemm.get_mn_major_tma_aligned_tensor(sfa.contiguous())
    yield "deep_gemm.fp8_gemm_nt", lambda: deep_gemm.fp8_gemm_nt((a, aligned), (b, sfb), d)


def first_calls(pack, m, n, k):
    """us of the first call after the pack was loaded, and of the second."""
    import torch

    import fp8gemm.torch as ft

    operands = (*ft.quantize_per_token(torch.randn(m, k, device="cuda")),
                *ft.quantize_per_block(torch.randn(n, k, device="cuda")),
                torch.empty(m, n, dtype=torch.bfloat16, device="cuda"))
    times = []
    for _ in range(2):
        torch.cuda.synchronize()
        start = time.perf_counter()
        pack.gemm(*operands)
        times.append((time.perf_counter() - start) * 1e6)
    torch.cuda.synchronize()
    return times


def measure(functions, loops, synchronize):
    """us a call of each loop, by name."""
    times = {name: [] for name in functions}
    for call in functions.values():
        for _ in range(3):
            call()
    for _ in range(loops):
        for name, call in functions.items():
            synchronize()
            start = time.perf_counter()
            for _ in range(CALLS):
                call()
            times[name].append((time.perf_counter() - start) / CALLS * 1e6)
    synchronize()
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", required=True)
    parser.add_argument("--m", type=int, default=64)
    parser.add_argument("--n", type=int, default=2112)
    parser.add_argument("--k", type=int, default=7168)
    parser.add_argument("--loops", type=int, default=100)
    parser.add_argument("--launch-cost", help="the program of that name, to run before")
    parser.add_argument("--json", help="file for the numbers")
    options = parser.parse_args()
    import torch

    import fp8gemm

    if not torch.cuda.is_available() or torch.cuda.get_device_capability() != (9, 0):
        raise SystemExit("expected a Hopper GPU: host times without one say nothing")
    if options.launch_cost:
        print(subprocess.run([options.launch_cost, options.pack, f"--m={options.m}"], text=True, check=True,
                             stdout=subprocess.PIPE).stdout)
    pack = fp8gemm.load(options.pack)
    pack.load(0)
    shape = options.m, options.n, options.k
    first, second = first_calls(pack, *shape)
    times = measure(dict(ways(pack, *shape)), options.loops, torch.cuda.synchronize)
    print(f"m = {options.m}, n = {options.n}, k = {options.k}; {torch.cuda.get_device_name()}; PyTorch {torch.__version__}; "
          f"us a call, {options.loops} loops of {CALLS}")
    rows = {name: {"median": statistics.median(loops), "p10": sorted(loops)[len(loops) // 10]}
            for name, loops in times.items()}
    for name, row in rows.items():
        print(f"{name:42} {row['median']:8.2f}   (p10 {row['p10']:.2f})")
    print(f"first call after load {first:.1f} us, the second {second:.1f} us")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"shape": shape, "us": rows, "first_us": first, "second_us": second}, file, indent=1)


if __name__ == "__main__":
    main()
