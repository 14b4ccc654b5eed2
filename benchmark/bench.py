#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time our kernels beside their peers on a Hopper GPU, and print one table a set.

    bench.py --kernels build/kernels --set forward-4096 --json results.json
    bench.py --kernels build/sweep --shapes 4096x7168x2048 --labels all

Method: benchmark/README.md. A shape that hangs, crashes or computes wrong results is
reported and costs no other shape its number; the exit status is then 1.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import bench_report
import races
import shapes

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "test" / "Execution"))
import supervise

# Shares of |reference| that bf16 output and FP8 accumulation stay well under, and a wrong block does not.
ALLOWED_ERROR = 1e-2
HOST_CALLS = 50


def measure(item, clock, rounds, meter=None):
    """The worker's part: build the contenders, check them, time them together, check again; then measure their energy."""
    import contenders
    import gpu_timing
    import grouped_contenders
    import torch

    problems = {variant: shapes.problem_of(fields) for variant, fields in item["variants"].items()}
    module = contenders if all(p.groups == shapes.Groups() for p in problems.values()) else grouped_contenders
    of_variant = {variant: module.Data(problem) for variant, problem in problems.items()}
    data = {name: of_variant[races.split(name)[0]] for name in [*item["kernels"], *item["peers"]]}
    made, notes, errors, host = {}, {}, {}, {}
    builders = {name: lambda name=name, path=path: module.Ours(data[name], path)
                for name, path in item["kernels"].items()}
    builders.update({name: lambda name=name: module.PEERS[races.split(name)[1]](data[name]) for name in item["peers"]})

    def wrong(name):
        contender = made[name]
        if contender.adds:  # to zero, once
            contender.output.zero_()
            contender()
            torch.cuda.synchronize()
        errors[name] = data[name].error(contender.output, contender.expected)
        if errors[name] <= ALLOWED_ERROR and data[name].finite(contender.output):
            return False
        notes[name] = f"wrong result: relative error {errors[name]:.3g}"
        del made[name]
        return True

    for name, build in builders.items():
        supervise.say(doing=name)
        try:
            made[name] = build()
            for _ in range(3):
                made[name]()
            torch.cuda.synchronize()
            if not wrong(name):
                started = time.perf_counter()
                for _ in range(HOST_CALLS):
                    made[name]()
                host[name] = round((time.perf_counter() - started) / HOST_CALLS * 1e6, 2)
                torch.cuda.synchronize()
        except Exception as error:  # a peer that can't do this problem must not cost the others their turn
            made.pop(name, None)
            notes[name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"[:300]
            print(f"{item['id']}: {name}: {notes[name]}", flush=True)
            torch.cuda.synchronize()  # raises if the context is lost: then this worker is of no more use
    racing = dict(made)
    for variant, of in of_variant.items():
        racing[races.contender(variant, "read")] = read = gpu_timing.ReadOnce(of.touched)
        read()
    for contender in made.values():
        # Poison: what is not written again does not pass the check. What is added to holds ordinary numbers.
        contender.output.normal_() if contender.adds else contender.output.fill_(float("nan"))
    supervise.say(doing="the timed run")
    samples, ran = clock.time(racing, rounds)
    for name in list(made):
        if wrong(name):
            del samples[name]
    us = {name: statistics.median(times) for name, times in samples.items()}
    millijoules = {}
    for name in made if meter else ():
        supervise.say(doing=name)
        if not millijoules:
            meter.settle(made[name], us[name])
        millijoules[name] = meter.millijoules(made[name], us[name])
    result = {"us": us, "samples": samples, "ran": ran, "mj": millijoules,
              "error": errors, "notes": notes, "host_us": host, "method": clock.method, "method_note": clock.why}
    complete = all(races.labels_of(item, variant) for variant in problems)
    ours_fine = complete and all(name in samples for name in item["kernels"])
    return dict(result, status="pass" if ours_fine else "fail")


def worker(path, rounds, method, energy_seconds):
    import gpu_energy
    import gpu_timing
    import torch
    torch.backends.cuda.matmul.allow_tf32 = False
    clock = gpu_timing.Clock(method)
    clock.flush()
    torch.cuda.synchronize()
    try:
        clock.time({"warm-up": torch.zeros(1, device="cuda").zero_}, 1)  # CUPTI's start takes seconds
    except ValueError:
        pass
    device = torch.cuda.get_device_properties(0)
    machine = {"gpu": device.name, "sms": device.multi_processor_count, "torch": torch.__version__,
               "cuda": torch.version.cuda}
    meter = gpu_energy.Meter.of_gpu(energy_seconds) if energy_seconds else None
    supervise.work(path, machine, lambda item: measure(item, clock, rounds, meter))


def race(command, items, arguments, keep):
    """supervise(), again for what hung or crashed in one contender, without that one."""
    deadline = time.monotonic() + arguments.seconds if arguments.seconds else None
    results, machine, dropped = {}, None, {}
    racing = items
    while racing:
        answers, answered = supervise.supervise(command, racing, item_seconds=arguments.shape_seconds, start_seconds=180,
                                                deadline=deadline, on_result=keep)
        machine = answered or machine
        again = []
        for item, answer in zip(racing, answers):
            lost = answer.get("during")
            for label, note in dropped.get(item["id"], {}).items():
                answer.setdefault("notes", {})[label] = note
            results[item["id"]] = answer
            if lost in item["kernels"] or lost in item["peers"]:
                dropped.setdefault(item["id"], {})[lost] = f"{answer['status']}: {answer['note']}"
                again.append(dict(item, kernels={l: f for l, f in item["kernels"].items() if l != lost},
                                  peers=[p for p in item["peers"] if p != lost]))
        racing = again
    for item in items:
        if item["id"] in dropped and any(label in dropped[item["id"]] for label in item["kernels"]):
            results[item["id"]]["status"] = "fail"
    return [results[item["id"]] for item in items], machine


def add_race_options(parser, peers=",".join(races.PEERS)):
    parser.add_argument("--peers", default=peers, help="who else runs, of " + ", ".join(races.PEERS))
    parser.add_argument("--rounds", type=int, default=12, help="timed calls of each contender")
    parser.add_argument("--timing", choices=["cupti", "events"], default="cupti")
    parser.add_argument("--energy", type=float, default=0, metavar="SECONDS",
                        help="also measure the energy of a call, over so long a row of calls of each contender")
    parser.add_argument("--json", type=Path, help="write all numbers here, after every shape")
    parser.add_argument("--shape-seconds", type=float, default=60, help="a shape that takes longer hangs")
    parser.add_argument("--seconds", type=float, help="report what there is after this time")


def peers_of(parser, arguments):
    peers = [p for p in arguments.peers.split(",") if p]
    unknown = [p for p in peers if p not in races.PEERS]
    if unknown:
        parser.error(f"expected --peers of {', '.join(races.PEERS)}, got {', '.join(unknown)}")
    return peers


def worker_command(arguments):
    return [sys.executable, str(Path(__file__).resolve()), "--rounds", str(arguments.rounds), "--timing", arguments.timing,
            "--energy", str(arguments.energy), "--worker"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", type=Path, default=Path("build/kernels"), help="folder that kernels.py filled")
    parser.add_argument("--set", action="append", default=[], choices=list(races.CASES))
    parser.add_argument("--shapes", help="MxNxK,... as one more set")
    parser.add_argument("--labels", default="default", help="kernels of the index to time: a regular expression, or all")
    add_race_options(parser)
    parser.add_argument("--tflops", type=float, help="of the floor; default: by the GPU's name")
    parser.add_argument("--bandwidth", type=float, help="TB/s of the floor; default: by the GPU's name")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        worker(arguments.worker, arguments.rounds, arguments.timing, arguments.energy)
        return 0

    sets = {name: races.CASES[name] for name in arguments.set}
    if arguments.shapes:
        sets["shapes"] = races.dense(shapes.parse(arguments.shapes))
    if not sets:
        parser.error("expected --set or --shapes")
    peers = peers_of(parser, arguments)
    index_path = arguments.kernels / "index.json"
    index = json.loads(index_path.read_text()) if index_path.exists() else []
    items = []
    for name, cases in sets.items():
        for case in cases:
            chosen = {variant: races.choose_kernels(index, p, arguments.labels) for variant, p in case.items()}
            files = {variant: {label: arguments.kernels / file for label, file in found.items()}
                     for variant, found in chosen.items()}
            items.append(races.item_of(races.case_id(name, case), case, peers, files))

    def keep(result):
        short = {name: round(us, 1) for name, us in result.get("us", {}).items()}
        print(f"{result['end']}: {result['status']} {short or ''} {result.get('note', '')}", flush=True)
        if arguments.json:
            with open(arguments.json.with_suffix(".partial"), "a") as file:
                file.write(json.dumps(result) + "\n")

    results, machine = race(worker_command(arguments), items, arguments, keep)
    answer = bench_report.report(sets, items, results, arguments, machine)
    if arguments.json:
        arguments.json.write_text(json.dumps(answer, indent=1) + "\n")
    return 0 if all(r["status"] == "pass" for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
