# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Schedules in the simulator: random ones, broken ones, and every one that selection picks for the public shapes.

FP8GEMM_FUZZ_CASES and FP8GEMM_FUZZ_SEED say how many random ones and which (build/test/Schedule/Schedules fuzz has more
options). Of the selected ones M, N and K are scaled down; tile, stages and all else of the schedule stay.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmark"), str(ROOT / "test" / "Tools")]
import grouped_shapes
import kernels
import shapes
import test_selected_configs as selected

SCHEDULES = ROOT / "build" / "test" / "Schedule" / "Schedules"
pytestmark = pytest.mark.skipif(not SCHEDULES.exists(), reason=f"no {SCHEDULES}: build it")
# From so many K blocks on the main loop is another one (lib/Config, promotesLate).
LATE_BLOCKS = 16


def run(*arguments, **options):
    return subprocess.run([SCHEDULES, *arguments], capture_output=True, text=True, **options)


def test_random(tmp_path):
    cases, seed = os.environ.get("FP8GEMM_FUZZ_CASES", "2000"), os.environ.get("FP8GEMM_FUZZ_SEED", "1")
    done = run("fuzz", f"--cases={cases}", f"--seed={seed}", f"--save={tmp_path}")
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    agreed = int(re.search(r"(\d+) agree", done.stdout).group(1))
    assert agreed > int(cases) // 2, "expected most random cases to be legal"


def test_failure_is_shrunk_and_saved(tmp_path):
    """A case that a list says must be legal, and is not, is reported with its commands."""
    case = {"problem": {"op": "gemm", "n": 136, "k": 256}, "config": "tile_m = 100, tile_n = 64", "m": 50}
    done = run("run", "-", f"--save={tmp_path}", input=json.dumps(case))
    assert done.returncode == 1
    assert "tile_m" in done.stderr and "--n=136 --k=256" in done.stderr
    assert (tmp_path / "line-1.mlir").exists()


@pytest.mark.parametrize("text, message", [
    ("{", "line 1: "), ("{}", "expected an object with 'problem'"),
    ('{"problem": {"op": "gemm", "n": 8, "k": 16}, "config": "tile = 1"}', "expected")])
def test_bad_list(text, message):
    done = run("run", "-", input=text)
    assert done.returncode == 2 and message in done.stderr, done.stderr


@pytest.mark.parametrize("seed", [1, 7])
def test_drawn_cases_run(seed):
    """Each case that `draw` prints agrees when `run` reads it, from a file or standard input: docs/Simulator.md."""
    drawn = run("draw", "--cases=60", f"--seed={seed}")
    assert drawn.returncode == 0 and len(drawn.stdout.splitlines()) > 30, drawn.stderr
    done = run("run", "-", input=drawn.stdout)
    assert done.returncode == 0, done.stderr + done.stdout
    assert f"{len(drawn.stdout.splitlines())} agree" in done.stdout


def test_every_mutation_is_caught():
    """And docs/Mutations.md has the table of today."""
    done = run("mutate", "--table")
    assert done.returncode == 0, done.stderr
    assert int(re.search(r"^(\d+) mutations", done.stdout, re.M).group(1)) > 1000
    assert "neither to 0" in done.stdout
    assert done.stdout in (ROOT / "docs" / "Mutations.md").read_text(), done.stdout


def scaled_down(p, layouts, config):
    """The schedule with the fewest rows, columns and K blocks that use all of it: two tiles each way, tails as they
    are, rings that turn over."""
    tile_m, tile_n = config["tile_m"], config["tile_n"]
    blocks = shapes.ceil_div(p.k, shapes.BLOCK)
    fewer = min(blocks, max(config["stages"] + 3, 2 * config["split_k"] + 1, LATE_BLOCKS + 1 if blocks >= LATE_BLOCKS else 0))
    k = fewer * shapes.BLOCK - (-p.k) % shapes.BLOCK
    n = min(p.n, tile_n * config["cluster_n"] + (p.n % tile_n or tile_n))
    m = tile_m * config["cluster_m"] + 5
    problem = {"op": "gemm", "n": n, "k": k, "recipe": p.kind.recipe, "a_type": p.kind.a, "b_type": p.kind.b,
               "d_type": p.kind.d, "c": p.kind.c, "sfa": layouts[0], "sfb": layouts[1]}
    grouping, count, align, flat, _ = p.groups
    if grouping == "k_count":
        problem.update(op="k_grouped_gemm", groups=3, flattened=flat, m=m)
        del problem["k"], problem["recipe"]
    elif grouping != "none":
        problem.update(op="grouped_gemm", grouping=grouping, groups=3)
        del problem["c"]
        if grouping in ("row_index", "row_end"):
            problem["align"] = align
            m *= 3
    config = dict(config, raster_group=min(config["raster_group"], 2))
    return {"problem": problem, "config": kernels.text_of(config), "m": m, "clusters": 1, "seed": 1}


def public():
    """Those that are compiled in test_selected_configs.py, and the grouped products."""
    grouped = {(p.n, p.k, p.kind, p.groups): p for cases in grouped_shapes.SETS.values() for case in cases for p in case.values()}
    return selected.public() + [(p, kernels.timed_layouts(p)) for p in grouped.values()]


def code_of(p, layouts, config):
    return (*selected.code_of(p, layouts, config), p.groups.grouping, p.groups.align, p.groups.flat)


def configs_of(p, layouts):
    if p.groups.grouping == "k_count":
        options = [f"--sfa={layouts[0]}", f"--sfb={layouts[1]}", "--candidates=1"]
        return [kernels.ask(selected.COMPILER, "explain", p, "h100-sxm", options)[0]["candidates"][0]["config"]]
    return selected.configs_of(p, layouts, "h100-sxm")


def test_selected_schedules(tmp_path):
    wanted = {}
    for p, layouts in public():
        for config in configs_of(p, layouts):
            wanted.setdefault(code_of(p, layouts, config), scaled_down(p, layouts, config))
    lines = list(dict.fromkeys(json.dumps(case) for case in wanted.values()))
    done = run("run", "-", f"--save={tmp_path}", input="\n".join(lines))
    print(f"{len(lines)} selected schedules: {done.stdout}")
    assert len(lines) > 100, "expected the plans to hold schedules"
    assert done.returncode == 0, done.stderr[:4000]
