#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile the kernels that the benchmark and the GPU tests run.

    kernels.py OUT --set forward-4096 --set test          one kernel per (N, K), any M
    kernels.py OUT --set contiguous                       and of groups, any sizes
    kernels.py OUT --set grouped-test                     grouped products, with the set's own schedules
    kernels.py OUT --shapes 4096x7168x2048 --config 'tile_m = 128, tile_n = 160' --config ...

Needs the compiler but no GPU; OUT (kernel files and index.json) can be copied to the
machine that has one. A kernel that does not compile is reported and left out; the exit
status is then 1.
"""

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import grouped_shapes
import shapes

ROOT = Path(__file__).resolve().parent.parent
INDEX = "index.json"
# (sfa, sfb): each layout of each operand occurs; the first is the one that is timed in recipe 1d2d.
LAYOUTS = [("mn_major", "k_major"), ("k_major", "k_major"), ("mn_major", "mn_major")]
GROUPED_SETS = {"grouped-test": shapes.GROUPED_TEST, "k-grouped-test": shapes.K_GROUPED_TEST}


def timed_layouts(problem):
    """Those that TMA can load."""
    return ("mn_major", "mn_major") if problem.kind.recipe == "1d1d" else LAYOUTS[0]


def kind_options(kind):
    """fp8gemm-compile's options that ask for a product of this kind."""
    return [f"--recipe={kind.recipe}", f"--a-type={kind.a}", f"--b-type={kind.b}", f"--d-type={kind.d}", f"--c={kind.c}"]


def problem_options(problem):
    """fp8gemm-compile's options that ask for a product of any M; of groups along K, for any lengths of these."""
    grouping, count, align, flat, weights = problem.groups
    if grouping == "none":
        options = ["--op=gemm", "--m=any", f"--k={problem.k}"]
    elif grouping == "k_count":
        options = ["--op=k_grouped_gemm", f"--groups={count}", f"--m={problem.m}"] + ["--flattened"] * flat
    else:
        options = ["--op=grouped_gemm", f"--groups={count}", f"--grouping={grouping}", "--m=any", f"--k={problem.k}"]
        options += [f"--align={align}"] * (align > 1) + [f"--weights={weights}"] * (weights > 0)
    return [*options, f"--n={problem.n}", *kind_options(problem.kind), f"--expected-m={problem.m}"]


def kind_suffix(kind):
    """For names of files: what is not as usual."""
    return "".join("_" + field for field, usual in zip(kind, shapes.Kind()) if field != usual)


def groups_suffix(groups):
    if groups == shapes.Groups():
        return ""
    return f"_{groups.count}{groups.grouping}{groups.align if groups.align > 1 else ''}{'_flat' if groups.flat else ''}" \
        f"{f'_weights{groups.weights}' if groups.weights else ''}"


def ask(compiler, question, problem, gpu, options=()):
    """fp8gemm-compile's answer, as JSON, to --explain or --plan for a kernel of any M."""
    command = [str(compiler), *problem_options(problem), f"--gpu={gpu}", f"--{question}=json", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr.strip()}")
    return json.loads(done.stdout)


def text_of(config):
    """What --config reads, of a config in JSON."""
    return ", ".join(f"{name} = {value}" for name, value in config.items())


def label_of(config):
    """A short name of a config: 'tile_m = 128, tile_n = 160, stages = 4' -> 'tile_m128-tile_n160-stages4'."""
    return re.sub(r"[^a-z0-9_]+", "-", re.sub(r"\s*=\s*", "", config.strip())).strip("-") if config else "default"


def entry_of(problem, layouts):
    """What an index entry says of the product."""
    entry = {"n": problem.n, "k": problem.k, "expected_m": problem.m, "sfa": layouts[0], "sfb": layouts[1],
             "kind": list(problem.kind)}
    if problem.groups != shapes.Groups():
        grouping, count, align, flat, weights = problem.groups
        entry.update(grouping=grouping, groups=count, align=align, flat=flat, weights=weights)
    return entry


def wanted(problems, configs):
    """Index entries of the kernels to build: one per (problem, (sfa, sfb)) and config."""
    entries = {}
    for p, (sfa, sfb) in problems:
        for config in configs:
            label = label_of(config)
            name = (f"gemm{groups_suffix(p.groups)}{kind_suffix(p.kind)}_m{p.m}_n{p.n}_k{p.k}_sfa-{sfa}_sfb-{sfb}_{label}"
                    ".cubin")
            entries[name] = {**entry_of(p, (sfa, sfb)), "file": name, "label": label, "config": config}
    return list(entries.values())


def problem_of(entry):
    """The problem that an index entry's kernel is for."""
    groups = shapes.Groups(*(entry[name] for name in ("grouping", "groups", "align", "flat", "weights"))) if "grouping" in entry \
        else shapes.Groups()
    return shapes.Problem(entry["expected_m"], entry["n"], entry["k"], shapes.Kind(*entry.get("kind", ())), groups)


def build(entry, out, compiler, gpu, compile_options):
    """The entry with what the compiler reports; RuntimeError if it fails."""
    command = [compiler, *problem_options(problem_of(entry)), f"--sfa={entry['sfa']}", f"--sfb={entry['sfb']}",
               f"--gpu={gpu}", f"--config={entry['config']}", "--report", *compile_options, "-o", out / entry["file"]]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stderr.strip()}")
    schedule = re.search(r"^\s*schedule\s+(.*?)(;|$)", done.stderr, re.M)
    return dict(entry, seconds=round(time.monotonic() - started, 3), schedule=schedule.group(1) if schedule else "",
                report=done.stderr.strip().splitlines())


def build_all(entries, out, compiler, gpu, compile_options=(), jobs=os.cpu_count()):
    """Compile in parallel into the folder `out` and its index; how many failed."""
    out.mkdir(parents=True, exist_ok=True)
    index_path = out / INDEX
    index = {e["file"]: e for e in json.loads(index_path.read_text())} if index_path.exists() else {}
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(build, e, out, compiler, gpu, compile_options): e for e in entries}
        for job in concurrent.futures.as_completed(running):
            name = running[job]["file"]
            index.pop(name, None)
            try:
                index[name] = job.result()
                print(f"{name}: {index[name]['seconds']} s, {index[name]['schedule']}")
            except (RuntimeError, OSError) as error:
                failed += 1
                (out / name).unlink(missing_ok=True)
                print(f"{name}: FAILED\n{error}", file=sys.stderr)
            index_path.write_text(json.dumps(sorted(index.values(), key=lambda e: e["file"]), indent=1) + "\n")
    size = sum((out / name).stat().st_size for name in index)
    print(f"{len(entries) - failed} kernels compiled, {failed} failed; {out} holds {len(index)}, {size} bytes")
    return failed


def configs_of(arguments):
    """What --config and --configs name."""
    lines = arguments.configs.read_text().splitlines() if arguments.configs else []
    return arguments.config + [line.strip() for line in lines if line.strip()]


def add_compile_options(parser):
    parser.add_argument("--config", action="append", default=[],
                        help="force this schedule (repeatable; '' is the compiler's own choice)")
    parser.add_argument("--configs", type=Path, help="file with one such schedule a line")
    parser.add_argument("--gpu", default="h100-sxm", help="GPU that configs are chosen for")
    parser.add_argument("--compiler", type=Path, default=ROOT / "build" / "bin" / "fp8gemm-compile")
    parser.add_argument("--compile-option", action="append", default=[], help="passed to fp8gemm-compile")
    parser.add_argument("-j", type=int, default=os.cpu_count(), help="kernels compiled at once")


def problems_of(arguments):
    """[(problem, (sfa, sfb))]: what is timed has the layout that TMA can load, what is tested every one."""
    def product(problems, kinds):
        return [(shapes.Problem(*p, kind), layouts) for p in problems for kind, layouts in kinds]

    usual = [(shapes.Kind(), layouts) for layouts in LAYOUTS]
    small = [shapes.Problem(shapes.TEST_KIND_M, n, k) for n, k in shapes.TEST_KIND_NK]
    sanitized = [shapes.Problem(shapes.SANITIZE_M, p.n, p.k) for p in shapes.SANITIZE]
    tested = {"test": product([shapes.Problem(4096, n, k) for n, k in shapes.TEST_NK], usual)
                      + product(small, shapes.TEST_KINDS) + shapes.TEST_LARGE_KINDS,
              "kinds": product(small[-1:], shapes.TEST_KINDS),
              "sanitize": product(sanitized, usual) + product(sanitized[-1:], shapes.SANITIZE_KINDS)}
    problems = []
    for name in arguments.set:
        if name in GROUPED_SETS:
            continue
        if name in tested:
            problems += tested[name]
        elif name in shapes.SETS:
            problems += [(p, timed_layouts(p)) for p in shapes.SETS[name]]
        elif name in grouped_shapes.SETS:
            problems += [(p, timed_layouts(p)) for case in grouped_shapes.SETS[name] for p in case.values()]
        else:
            known = ", ".join([*tested, *GROUPED_SETS, *shapes.SETS, *grouped_shapes.SETS])
            raise SystemExit(f"expected --set to be one of {known}, got '{name}'")
    if arguments.shapes:
        layouts = LAYOUTS if arguments.all_layouts else LAYOUTS[:1]
        problems += [(p, l) for p in shapes.parse(arguments.shapes) for l in layouts]
    return problems


def entries_of(arguments):
    """Index entries of all requested kernels; a set of grouped products brings its own schedules."""
    configs = configs_of(arguments)
    entries = wanted(problems_of(arguments), configs or [""])
    for name in GROUPED_SETS.keys() & set(arguments.set):
        for problem, layouts, own in GROUPED_SETS[name]:
            entries += wanted([(problem, layouts)], configs or own)
    return entries


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for the kernel files and their index; it is added to")
    parser.add_argument("--set", action="append", default=[],
                        help=", ".join(["test", "kinds", "sanitize", *GROUPED_SETS, *shapes.SETS,
                                        *grouped_shapes.SETS]))
    parser.add_argument("--shapes", help="MxNxK,...; M is the one that the config is chosen for")
    parser.add_argument("--all-layouts", action="store_true", help="of --shapes, kernels for every layout of the scales")
    add_compile_options(parser)
    arguments = parser.parse_args()

    entries = entries_of(arguments)
    if not entries:
        raise SystemExit("expected --set or --shapes, got neither")
    failed = build_all(entries, arguments.out, arguments.compiler, arguments.gpu, arguments.compile_option, arguments.j)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
