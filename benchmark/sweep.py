#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time many schedules of each shape, and hold the model's choice against the fastest.

    sweep.py stage FOLDER --set forward-4096 --best 12 --spread 4 --gpu h200-sxm    where the compiler is
    sweep.py run FOLDER --json results.json                                         on the GPU
    sweep.py report results.json [--remodel]                                        anywhere
    sweep.py keep results.json --into benchmark/measurements/h200-sxm.json

`stage` compiles the schedules that the model thinks best and some of the others; `run`
times all of them in one process by the method of benchmark/README.md and checks each
result against float64; `report` says how often the model's choice is within 3 % of the
fastest. A schedule that does not compile, hangs or is wrong is reported and costs no
other its number.
"""

import argparse
import concurrent.futures
import json
import os
import shutil
import sys
from pathlib import Path

import bench
import bench_report
import kernels
import races
import runtime_binding
import shapes
import sweep_report

STAGED = "sweep.json"


def candidates_of(compiler, problem, gpu, options=()):
    """Every legal schedule, the chosen one first: [{"config", "modelled_us", "chosen"}]."""
    return kernels.ask(compiler, "explain", problem, gpu, options)[0]["candidates"]


def take(candidates, best, spread):
    """The `best` first, then `spread` of the others at even distances in rank; the last of them is the slowest."""
    others = candidates[best:]
    spread = min(spread, len(others))
    return candidates[:best] + [others[(i + 1) * len(others) // spread - 1] for i in range(spread)]


def entry_of(problem, config):
    """kernels.py's index entry for a schedule whose every field is given."""
    text = kernels.text_of(config)
    label = kernels.label_of(text)
    m = f"_m{problem.m}" if problem.groups.grouping == "k_count" else ""
    suffix = kernels.groups_suffix(problem.groups) + kernels.kind_suffix(problem.kind)
    name = f"gemm{suffix}{m}_n{problem.n}_k{problem.k}_{label}.cubin"
    return {**kernels.entry_of(problem, kernels.timed_layouts(problem)), "file": name, "label": label, "config": text}


def kernel_of(problem):
    """What the problems have in common that a plan's kernels serve."""
    return problem.n, problem.k, problem.kind, problem.groups


def planned(plan, m):
    """The schedule that a plan has for m rows."""
    return next(i["config"] for i in plan["intervals"] if i["last"] is None or m <= i["last"])


def staged_candidates(arguments, problem, forced, plan):
    """What to time of a problem: of what the model enumerates, what is forced, and what is planned, which then is the
    choice. And how many of the forced are illegal.
    """
    def listed(config=None):
        options = [f"--config={config}"] if config else []
        return candidates_of(arguments.compiler, problem, arguments.gpu, options + arguments.compile_option)

    def add(candidate):
        known = next((c for c in taken if c["config"] == candidate["config"]), None)
        if known:
            known["chosen"] |= candidate["chosen"]
        else:
            taken.append(candidate)

    taken, illegal = take(listed(), arguments.best, arguments.spread), 0
    if plan:
        taken = [dict(c, chosen=False) for c in taken]
        add(listed(kernels.text_of(planned(plan, problem.m)))[0])
    for config in forced:
        try:
            add(dict(listed(config)[0], chosen=False))
        except RuntimeError as error:
            illegal += 1
            print(f"{shapes.name_of(problem)}: left out '{config}'\n{error}", file=sys.stderr)
    return taken, illegal


def stage(arguments):
    problems = [p for name in arguments.set for case in races.CASES[name] for p in case.values()]
    problems += shapes.parse(arguments.shapes) if arguments.shapes else []
    if not problems:
        raise SystemExit("expected --set or --shapes, got neither")
    problems = list(dict.fromkeys(problems))
    forced = [c for c in kernels.configs_of(arguments) if c]
    with concurrent.futures.ThreadPoolExecutor(arguments.j) as pool:
        plans = {}
        if arguments.plan:
            one_of = {kernel_of(p): p for p in problems}
            made = pool.map(lambda p: kernels.ask(arguments.compiler, "plan", p, arguments.gpu, arguments.compile_option),
                            one_of.values())
            plans = dict(zip(one_of, made))
        answers = list(pool.map(lambda p: staged_candidates(arguments, p, forced, plans.get(kernel_of(p))), problems))
    if not all(taken for taken, _ in answers):
        raise SystemExit("expected --best, --spread, --plan or legal schedules by --config for each shape, got no schedule")
    fields = list(answers[0][0][0]["config"])
    failed = sum(illegal for _, illegal in answers)
    entries, listed = {}, []
    for problem, (candidates, _) in zip(problems, answers):
        rows = []
        for candidate in candidates:
            entry = entry_of(problem, candidate["config"])
            entries.setdefault(entry["file"], entry)
            rows.append({"config": list(candidate["config"].values()), "modelled_us": round(candidate["modelled_us"], 3),
                         "chosen": candidate["chosen"], "file": entry["file"], "label": entry["label"]})
        listed.append({**shapes.fields(problem), "candidates": rows})
    failed += kernels.build_all(list(entries.values()), arguments.out, arguments.compiler, arguments.gpu,
                                arguments.compile_option, arguments.j)
    shutil.copy(runtime_binding.find_library(), arguments.out / runtime_binding.LIBRARY)
    (arguments.out / STAGED).write_text(json.dumps({"modelled_on": arguments.gpu, "fields": fields, "shapes": listed}) + "\n")
    print(f"{len(problems)} shapes, {sum(len(s['candidates']) for s in listed)} schedules of them")
    return 1 if failed else 0


def result_of(staged, measured, kernel_folder):
    """A shape's line of the results: what was staged, with what was measured."""
    us, notes, errors = (measured.get(part, {}) for part in ("us", "notes", "error"))
    shape = {**shapes.fields(shapes.problem_of(staged)), "status": measured["status"], "note": measured.get("note", ""),
             "method": measured.get("method", ""), "read_us": us.get("read"),
             "peers": {peer: us[peer] for peer in races.PEERS if peer in us},
             "peer_notes": {peer: notes[peer] for peer in races.PEERS if peer in notes}, "candidates": []}
    for candidate in staged["candidates"]:
        label = candidate["label"]
        missing = "" if (kernel_folder / candidate["file"]).exists() else "did not compile"
        shape["candidates"].append({
            **{key: candidate[key] for key in ("config", "modelled_us", "chosen")}, "us": us.get(label),
            "error": errors.get(label), "note": missing or notes.get(label, "" if label in us else shape["note"])})
    return shape


def run(arguments, peers):
    folder = arguments.folder.resolve()
    os.environ.setdefault("FP8GEMM_RUNTIME", str(folder / runtime_binding.LIBRARY))
    staged = json.loads((folder / STAGED).read_text())
    # Shapes of one (N, K) follow each other: the worker keeps their B.
    ordered = sorted(staged["shapes"], key=lambda s: (s["n"], s["k"], s.get("groups", []), s["m"]))
    items = []
    for place, shape in enumerate(ordered):
        problem = shapes.problem_of(shape)
        files = {c["label"]: folder / c["file"] for c in shape["candidates"] if (folder / c["file"]).exists()}
        items.append(races.item_of(f"{place + 1}. {shapes.name_of(problem)}", {"": problem}, peers, {"": files}))

    def keep(result):
        if arguments.json:
            with open(arguments.json.with_suffix(".partial"), "a") as file:
                file.write(json.dumps(result) + "\n")
        print(f"{result['end']}: {result['status']} {result.get('note', '')}", flush=True)

    results, machine = bench.race(bench.worker_command(arguments), items, arguments, keep)
    tflops, bandwidth = bench_report.roof_of(machine)
    answer = {"machine": machine, "rounds": arguments.rounds, "tflops": tflops, "terabytes_per_second": bandwidth,
              "modelled_on": staged["modelled_on"], "fields": staged["fields"],
              "shapes": [result_of(shape, result, folder) for shape, result in zip(ordered, results)]}
    if arguments.json:
        arguments.json.write_text(json.dumps(answer) + "\n")
    sweep_report.print_report(answer)
    return 0 if all(shape["status"] == "pass" for shape in answer["shapes"]) else 1


def report(arguments):
    results = sweep_report.load(arguments.results)
    if arguments.remodel:
        sweep_report.remodel(results, lambda p, gpu: candidates_of(arguments.compiler, p, gpu), arguments.j)
    judged = sweep_report.print_report(results)
    return 0 if judged.share >= sweep_report.WANTED_SHARE else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    staging = commands.add_parser("stage", help="compile the schedules to time")
    staging.add_argument("out", type=Path, help="folder for kernel files and what is to be timed")
    staging.add_argument("--set", action="append", default=[], choices=list(races.CASES))
    staging.add_argument("--shapes", help="MxNxK,...")
    staging.add_argument("--best", type=int, default=12, help="schedules of the least modelled time")
    staging.add_argument("--spread", type=int, default=4, help="schedules from all the others")
    staging.add_argument("--plan", action="store_true", help="time the kernels of the plan too, as the model's choice")
    kernels.add_compile_options(staging)
    running = commands.add_parser("run", help="time what is staged")
    running.add_argument("folder", type=Path)
    bench.add_race_options(running)
    reporting = commands.add_parser("report", help="the model's choice against the fastest")
    reporting.add_argument("results", type=Path)
    reporting.add_argument("--remodel", action="store_true", help="by the model of today, not of the run")
    reporting.add_argument("--compiler", type=Path, default=kernels.ROOT / "build" / "bin" / "fp8gemm-compile")
    reporting.add_argument("-j", type=int, help="questions asked at once")
    keeping = commands.add_parser("keep", help="add measured times to a file of the repository")
    keeping.add_argument("results", type=Path)
    keeping.add_argument("--into", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.command == "stage":
        return stage(arguments)
    if arguments.command == "run":
        return run(arguments, bench.peers_of(running, arguments))
    if arguments.command == "report":
        return report(arguments)
    sweep_report.keep(sweep_report.load(arguments.results), arguments.into)
    return 0


if __name__ == "__main__":
    sys.exit(main())
