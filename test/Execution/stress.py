#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Launch kernels again and again on several streams at once, dependently or not, and compare every result's bits.

    stress.py build/timed --launches 100000 --streams 4

`build/timed` is a folder that benchmark/kernels.py filled; its kernels without groups and C take part, each with some M.
Every launch writes to memory that was poisoned on its stream, and is compared there with the result of a separate launch.
Exit status: 0 all bits are the same, 1 some are not, 77 nothing to run on.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

ROWS = (1, 7, 64, 129, 500, 1000)


def cases_of(folder, streams, seed):
    """[(kernel, the result of a separate launch, [(d, arguments, dependent arguments) of each stream])]"""
    import operands
    import runtime_binding
    import torch
    made, rng, shared = [], random.Random(seed), {}
    torch.zeros(1, device="cuda")  # makes the context that kernels are loaded in
    for entry in json.loads((folder / "index.json").read_text()):
        kernel = runtime_binding.Kernel(folder / entry["file"])
        if kernel.c_use != "none" or kernel.grouping != "no_groups":
            continue
        kernel.load()
        key = (kernel.n, kernel.k, kernel.sfb_rows, kernel.a_type, kernel.b_type)
        if key not in shared:
            values = torch.Generator("cuda").manual_seed(seed)
            a, b = (torch.randn(rows, kernel.k, generator=values, device="cuda") for rows in (max(ROWS), kernel.n))
            shared[key] = (*operands.quantise(a, 1, operands.BLOCK, operands.TYPES[kernel.a_type]),
                           *operands.quantise(b, kernel.sfb_rows, operands.BLOCK, operands.TYPES[kernel.b_type]))
        a, sfa, b, sfb = shared[key]
        for m in rng.sample(ROWS, 3) if kernel.m < 0 else [kernel.m]:
            if m > max(ROWS):
                continue
            everything = operands.Operands(a[:m], sfa[:m], b, sfb, kernel, operands.PACKED)
            others = {name: getattr(everything, name).operand for name in ("a", "sfa", "b", "sfb")}
            everything.prepare()
            kernel.launch(everything.arguments(kernel))
            torch.cuda.synchronize()
            alone = operands.bits(everything.d.read()).clone()
            of_streams = []
            for _ in range(streams):
                d = torch.empty(m, kernel.n, dtype=operands.TYPES[kernel.d_type], device="cuda")
                of_streams.append((d, *(kernel.arguments(m, **others, d=(d.data_ptr(), kernel.n), flags=flags)
                                        for flags in (0, runtime_binding.DEPENDENT_LAUNCH))))
            made.append((kernel, alone, of_streams, everything))
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", type=Path)
    parser.add_argument("--launches", type=int, default=100000)
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    try:
        import torch
        if not torch.cuda.is_available():
            raise ImportError("no GPU")
    except ImportError as error:
        print(f"SKIP: {error}")
        return 77
    import operands
    cases = cases_of(arguments.kernels, arguments.streams, arguments.seed)
    if not cases:
        parser.error(f"expected kernels without groups and C in {arguments.kernels}, got none")
    streams = [torch.cuda.Stream() for _ in range(arguments.streams)]
    wrong = torch.zeros(arguments.streams, len(cases), dtype=torch.int64, device="cuda")
    torch.cuda.synchronize()
    rng, started = random.Random(arguments.seed), time.monotonic()
    for _ in range(arguments.launches):
        stream, case = rng.randrange(arguments.streams), rng.randrange(len(cases))
        kernel, alone, of_streams, _ = cases[case]
        d, *ways = of_streams[stream]
        with torch.cuda.stream(streams[stream]):
            operands.bits(d).fill_(-1)
            kernel.launch(rng.choice(ways), streams[stream].cuda_stream)
            wrong[stream, case] += (operands.bits(d) != alone).sum()
    torch.cuda.synchronize()
    bad = {case: int(count) for case, count in enumerate(wrong.sum(0).tolist()) if count}
    for case, count in bad.items():
        print(f"{cases[case][0].info.name.decode()}, M = {cases[case][1].shape[0]}: {count} elements with other bits")
    print(f"{arguments.launches} launches of {len(cases)} products on {arguments.streams} streams, "
          f"{len(bad)} products with other bits; {time.monotonic() - started:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
