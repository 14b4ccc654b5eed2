#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random cases of test/Schedule, which agree with float64 in the simulator, as kernels and items for a GPU.

    fuzzed_items.py OUT --cases 2400 --seed 1     where the compiler is
    run_gpu_tests.py OUT --items                  on the GPU machine

Each case is one kernel and one product: its problem, schedule, M and groups are those that were simulated, its data is
that of the GPU tests. Every launch is under run_gpu_tests.py's watchdog.
"""

import argparse
import concurrent.futures
import json
import os
import random
import subprocess
import sys
from pathlib import Path

from grouped_patterns import PADDINGS, REDUCTION, ROWS

ROOT = Path(__file__).resolve().parents[2]
ITEMS = "items.json"


def options_of(case):
    """fp8gemm-compile's options; kernels serve any M where they can."""
    problem = dict(case["problem"])
    if problem["op"] != "k_grouped_gemm":
        problem["m"] = "any"
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in problem.items() if key != "flattened"]
    flags += ["--flattened"] * bool(problem.get("flattened"))
    return flags + ([f"--config={case['config']}"] if case["config"] else [])


def can_run(case):
    """Whether the GPU tests' data has room for it."""
    problem = case["problem"]
    if problem["op"] == "k_grouped_gemm":
        return all(length <= REDUCTION for length in case["groups"])
    return 0 < case["m"] <= ROWS


def item_of(case, seed):
    """For gpu_case.py; "kernel" is relative to the folder."""
    problem, number = case["problem"], case["number"]
    rng = random.Random(f"{seed} {number}")
    name = f"fuzz-{number}.cubin"
    item = {"kernel": name, "group": problem["op"] + " " + problem.get("grouping", ""), "n": problem["n"], "k": case["k"],
            "m": case["m"], "seed": number % 7,
            "layouts": f"{problem.get('sfa', 'mn_major')}/{problem.get('sfb', 'k_major')}", "label": "random schedules",
            "id": f"{name}: {' '.join(options_of(case))} m={case['m']}"}
    steps = {operand: rng.randrange(most) for operand, most in PADDINGS.items() if rng.random() < 0.6}
    if problem["op"] == "gemm":
        return dict(item, first=rng.randint(0, ROWS - case["m"]), rows=ROWS, paddings=[steps], bits=name)
    return dict(item, kind="grouped", wrong=False, around=False, beside=rng.random() < 0.25, first=rng.randrange(ROWS),
                paddings={operand: (more, rng.randrange(8)) for operand, more in steps.items()}, columns=case["k"],
                groups=None if problem.get("grouping") == "batched" else case["groups"])


def build(case, out, compiler):
    """The complaint, or None."""
    command = [str(compiler), *options_of(case), "-o", str(out / f"fuzz-{case['number']}.cubin")]
    done = subprocess.run(command, capture_output=True, text=True)
    return f"{' '.join(command)}\n{done.stderr}" if done.returncode else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cases", type=int, default=2400, help="to draw; those that are legal are compiled")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="folder of the compiler's build")
    parser.add_argument("-j", type=int, default=os.cpu_count(), help="kernels compiled at once")
    arguments = parser.parse_args()
    drawn = subprocess.run([arguments.build / "test" / "Schedule" / "Schedules", "draw", f"--cases={arguments.cases}",
                            f"--seed={arguments.seed}"], capture_output=True, text=True, check=True).stdout
    cases = [case for case in sorted(map(json.loads, drawn.splitlines()), key=lambda c: c["number"]) if can_run(case)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    compiler = arguments.build / "bin" / "fp8gemm-compile"
    with concurrent.futures.ThreadPoolExecutor(arguments.j) as pool:
        complaints = list(pool.map(lambda case: build(case, arguments.out, compiler), cases))
    items = [item_of(case, arguments.seed) for case, wrong in zip(cases, complaints) if not wrong]
    (arguments.out / ITEMS).write_text(json.dumps(items) + "\n")
    wrong = [complaint for complaint in complaints if complaint]
    print("\n".join(wrong[:20]))
    print(f"{len(items)} kernels of {arguments.cases} cases in {arguments.out}, {len(wrong)} failed to compile")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
