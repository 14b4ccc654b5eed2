# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every schedule that selection picks compiles: fp8gemm-compile refuses spills, local memory and wgmma that ptxas
serialises (C75xx).

Which it picks --plan says, for the (N, K) of benchmark/shapes.py. With FP8GEMM_TEST_ALL_CONFIGS=1 all that --explain
enumerates are compiled instead, in every recipe and for every GPU: that takes hours.
"""

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmark"))
import kernels
import shapes

COMPILER = ROOT / "build" / "bin" / "fp8gemm-compile"
ALL = bool(os.environ.get("FP8GEMM_TEST_ALL_CONFIGS"))
GPUS = ["h100-sxm", "h100-pcie", "h200-sxm", "h20"] if ALL else ["h100-sxm"]
# Compiled in one run, about a minute of two cores.
LIMIT = 160
# ptxas unrolls loops of few K blocks, and then allocates registers anew.
FEW_BLOCKS = 8


def public():
    """[(problem, (sfa, sfb))]: every (N, K) in the kind it is timed in; all others take turns, or come too in ALL."""
    timed = {(p.n, p.k, p.kind): p for problems in shapes.SETS.values() for p in problems}
    found = [(p, kernels.timed_layouts(p)) for p in timed.values()]
    sizes = list(dict.fromkeys((p.n, p.k) for p in timed.values()))
    for i, (kind, layouts) in enumerate(shapes.TEST_KINDS):
        for j, (n, k) in enumerate(sizes):
            if ALL or i == j % len(shapes.TEST_KINDS):
                found.append((shapes.Problem(4096, n, k, kind), layouts))
    return found


def configs_of(problem, layouts, gpu):
    options = [f"--sfa={layouts[0]}", f"--sfb={layouts[1]}"]
    if ALL:
        return [c["config"] for c in kernels.ask(COMPILER, "explain", problem, gpu, options)[0]["candidates"]]
    return [i["config"] for i in kernels.ask(COMPILER, "plan", problem, gpu, options)["intervals"]]


def code_of(problem, layouts, config):
    """What the machine code depends on, but for constants."""
    blocks = shapes.ceil_div(problem.k, shapes.BLOCK)
    return (problem.kind, layouts, min(blocks, FEW_BLOCKS + 1), problem.k % shapes.BLOCK != 0,
            tuple(value for name, value in config.items() if name != "raster_group"))


def compiled(problem, layouts, config, gpu):
    """What is wrong with the kernel, or None."""
    command = [str(COMPILER), "--op=gemm", f"--n={problem.n}", f"--k={problem.k}", f"--gpu={gpu}",
               *kernels.kind_options(problem.kind), f"--sfa={layouts[0]}", f"--sfb={layouts[1]}",
               f"--config={kernels.text_of(config)}", "-o", os.devnull]
    done = subprocess.run(command, capture_output=True, text=True)
    return f"{' '.join(command)}\n{done.stderr}" if done.returncode else None


def test_selected_configs(capsys):
    if not COMPILER.exists():
        pytest.skip(f"no {COMPILER}: build it")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        asked = [(problem, layouts, gpu) for gpu in GPUS for problem, layouts in public()]
        wanted = {}
        for (problem, layouts, gpu), configs in zip(asked, pool.map(lambda question: configs_of(*question), asked)):
            for config in configs:
                wanted.setdefault(code_of(problem, layouts, config), (problem, layouts, config, gpu))
        wanted = list(wanted.values())
        # At even distances.
        count = len(wanted) if ALL else min(len(wanted), LIMIT)
        taken = [wanted[i * len(wanted) // count] for i in range(count)]
        complaints = list(pool.map(lambda kernel: compiled(*kernel), taken))
    wrong = [complaint for complaint in complaints if complaint]
    with capsys.disabled():
        print(f"\n{len(taken)} schedules compiled, {len(wanted) - len(taken)} left out")
    assert len(taken) > 20, "expected the plans to hold schedules"
    assert not wrong, f"{len(wrong)} of {len(taken)} schedules don't compile:\n" + "\n".join(wrong)
