#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How long a kernel takes from MLIR to cubin, in one warm process, on one core: for each (N, K) and kind that is timed
elsewhere, all kernels of its plan.

    benchmark/compile_time.py [--max-m=8192] [--json]
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import shapes

COMPILER = Path(__file__).resolve().parents[1] / "build" / "bin" / "fp8gemm-compile"


def problems(max_m):
    """A list for --pack: every product of shapes.SETS once."""
    found = {(p.n, p.k, p.kind): p for of_set in shapes.SETS.values() for p in of_set}
    return [{"op": "gemm", "n": p.n, "k": p.k, "max_m": max_m, "recipe": p.kind.recipe, "a_type": p.kind.a,
             "b_type": p.kind.b, "d_type": p.kind.d, "c": p.kind.c} for p in found.values()]


def kernel_times(max_m):
    """[(place, schedule, wall seconds, processor seconds)] of each kernel; both count ptxas."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.json"
        path.write_text(json.dumps({"gpu": "h200-sxm", "problems": problems(max_m)}))
        core = min(os.sched_getaffinity(0))
        process = subprocess.Popen([COMPILER, f"--pack={path}", "-o", Path(folder) / "pack", "--jobs=1"],
                                   stderr=subprocess.PIPE, text=True,
                                   preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        times, before = [], None
        for line in process.stderr:
            now = (time.perf_counter(), processor_seconds(process.pid))
            kernel = re.match(r"\[ *\d+/\d+\] .* s  (\S+) (.*): compiled$", line)
            if kernel and before:  # the first one warms up
                times.append((*kernel.groups(), now[0] - before[0], now[1] - before[1]))
            before = now
        if process.wait() != 0:
            raise SystemExit(f"{COMPILER} failed: {line}")
    return times


def processor_seconds(pid):
    """Of a process and the children that it has waited for. Zero where it has just ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--max-m", type=int, default=8192, help="rows that plans are modelled up to (default: 8192)")
    parser.add_argument("--json", action="store_true", help="each kernel's times, for programs")
    arguments = parser.parse_args()
    times = kernel_times(arguments.max_m)
    if arguments.json:
        print(json.dumps([dict(zip(("problem", "schedule", "wall_s", "processor_s"), t)) for t in times], indent=1))
        return
    print(f"{len(times)} kernels, one core, seconds of a kernel from MLIR to cubin")
    for name, column in (("wall", 2), ("processor", 3)):
        values = sorted(t[column] for t in times)
        print(f"  {name:<10} median {statistics.median(values):.3f}, 9 of 10 below {values[len(values) * 9 // 10]:.3f}, "
              f"worst {values[-1]:.3f}")


if __name__ == "__main__":
    main()
