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
import math
import re
import statistics
import sys
import time
from pathlib import Path

import kernels
import shapes

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "test" / "Execution"))
import supervise

# TFLOPS that dense e4m3 attains, and TB/s that a copy or read attains, by what the device's name contains.
GPUS = {"H200": (1600.0, 4.3), "H100": (1600.0, 3.0)}
PEERS = ("cublas-b", "cublas-t", "deepgemm")
# Shares of |reference| that bf16 output and FP8 accumulation stay well under, and a wrong block does not.
ALLOWED_ERROR = 1e-2
HOST_CALLS = 50


def choose_kernels(index, problem, labels):
    """{label: file} of the kernels for a problem: those built for the nearest M."""
    fitting = [e for e in index if (e["n"], e["k"], tuple(e.get("kind", shapes.Kind()))) == (*problem[1:], problem.kind)
               and (labels == "all" or re.fullmatch(labels, e["label"]))]
    if not fitting:
        return {}
    preferred = [e for e in fitting if (e["sfa"], e["sfb"]) == kernels.timed_layouts(problem)] or fitting
    nearest = min((abs(math.log(e["expected_m"] / problem.m)) for e in preferred))
    return {e["label"]: e["file"] for e in preferred
            if abs(math.log(e["expected_m"] / problem.m)) <= nearest + 1e-9}


def measure(item, clock, rounds):
    """The worker's part: build the contenders, check them, time them together, check again."""
    import contenders
    import gpu_timing
    import torch

    data = contenders.Data(shapes.problem_of(item))
    made, notes, errors, host = {}, {}, {}, {}
    builders = {label: lambda path=path: contenders.Ours(data, path) for label, path in item["kernels"].items()}
    builders.update({name: lambda make=contenders.PEERS[name]: make(data) for name in item["peers"]})

    def wrong(name):
        contender = made[name]
        if contender.adds:  # to zero, once
            contender.output.zero_()
            contender()
            torch.cuda.synchronize()
        errors[name] = data.error(contender.output, contender.expected)
        if errors[name] <= ALLOWED_ERROR and bool(torch.isfinite(contender.output).all()):
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
    racing["read"] = gpu_timing.ReadOnce(data.b)
    racing["read"]()
    for contender in made.values():
        # Poison: what is not written again does not pass the check. What is added to holds ordinary numbers.
        contender.output.normal_() if contender.adds else contender.output.fill_(float("nan"))
    supervise.say(doing="the timed run")
    samples, ran = clock.time(racing, rounds)
    for name in list(made):
        if wrong(name):
            del samples[name]
    result = {"us": {name: statistics.median(times) for name, times in samples.items()}, "samples": samples, "ran": ran,
              "error": errors, "notes": notes, "host_us": host, "method": clock.method, "method_note": clock.why}
    ours_fine = item["kernels"] and all(label in samples for label in item["kernels"])
    return dict(result, status="pass" if ours_fine else "fail")


def worker(path, rounds, method):
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
    supervise.work(path, machine, lambda item: measure(item, clock, rounds))


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def show(value, digits=1):
    return "–" if value is None else f"{value:.{digits}f}"


def row_of(problem, result, label, tflops, bandwidth):
    """The numbers of one line of the table."""
    us = result.get("us", {})
    ours, floor = us.get(label), shapes.floor_us(problem, tflops, bandwidth)
    row = {"m": problem.m, "n": problem.n, "k": problem.k, "ours": ours, "floor": floor, "read": us.get("read"),
           "tflops": shapes.flops(problem) / ours / 1e6 if ours else None,
           "gbps": shapes.bytes_once(problem) / ours / 1e3 if ours else None,
           "percent_of_floor": 100 * floor / ours if ours else None}
    for peer in PEERS + ("read",):
        row[peer] = us.get(peer)
        row["x " + peer] = us[peer] / ours if ours and peer in us else None
    return row


def print_table(name, rows, notes):
    peers = [p for p in PEERS if any(row[p] for row in rows)] + ["read"]
    head = ["M", "N", "K", "ours us", "TFLOPS", "GB/s"]
    for peer in peers:
        head += [peer, "x"]
    lines = [head + ["floor", "% of floor"]]
    for row in rows:
        line = [str(row[c]) for c in "mnk"] + [show(row["ours"]), show(row["tflops"], 0), show(row["gbps"], 0)]
        for peer in peers:
            line += [show(row[peer]), show(row["x " + peer], 2)]
        lines.append(line + [show(row["floor"]), show(row["percent_of_floor"], 0)])
    means = {p: geometric_mean(r["x " + p] for r in rows if r["x " + p]) for p in PEERS + ("read",)}
    share = geometric_mean(r["percent_of_floor"] for r in rows if r["percent_of_floor"])
    line = ["geometric mean", "", "", "", "", ""]
    for peer in peers:
        line += ["", show(means[peer], 3)]
    lines.append(line + ["", show(share, 0)])
    print(f"\n### {name} (microseconds; x = the peer's time over ours)\n")
    print("| " + " | ".join(lines[0]) + " |\n|" + "---|" * len(lines[0]))
    for line in lines[1:]:
        print("| " + " | ".join(line) + " |")
    for note in notes:
        print("- " + note)
    return {**{"x " + p: mean for p, mean in means.items()}, "percent_of_floor": share}


def print_sweep(items, results):
    """A line for each shape that has several schedules, the fastest first."""
    lines = []
    for item, result in zip(items, results):
        us, labels = result.get("us", {}), list(item["kernels"])
        timed = sorted((us[label], label) for label in labels if label in us)
        if len(labels) > 1 and timed:
            lines.append(f"- {item['id']}: " + ", ".join(f"{time:.1f} {label}" for time, label in timed))
            failed = [label for label in labels if label not in us]
            lines += [f"  - {label}: {result.get('notes', {}).get(label, 'no result')[:160]}" for label in failed]
    if lines:
        print("\n### schedules (microseconds)\n\n" + "\n".join(lines))


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


def report(sets, items, results, arguments, machine):
    """Print the tables; the same as a dictionary."""
    gpu = (machine or {}).get("gpu", "")
    known = roof_of(machine)
    tflops, bandwidth = arguments.tflops or known[0], arguments.bandwidth or known[1]
    by_id = {item["id"]: (item, result) for item, result in zip(items, results)}
    methods = sorted({r["method"] for r in results if "method" in r})
    print(f"\n{gpu or 'no GPU'}; torch {(machine or {}).get('torch', '?')}, CUDA {(machine or {}).get('cuda', '?')}; "
          f"kernel time from {' and '.join(methods) or 'nothing'}, median of {arguments.rounds}; "
          f"floor at {tflops:g} TFLOPS and {bandwidth:g} TB/s")
    for why in sorted({r["method_note"] for r in results if r.get("method_note")}):
        print(f"CUPTI was not usable, CUDA events were: {why}")
    answer = {"machine": machine, "tflops": tflops, "terabytes_per_second": bandwidth, "rounds": arguments.rounds, "sets": {}}
    for name, problems in sets.items():
        rows, notes, raw = [], {}, []
        for problem in problems:
            item, result = by_id[item_id(name, problem)]
            labels = list(item["kernels"])
            timed = [label for label in labels if label in result.get("us", {})]
            label = "default" if "default" in timed else min(timed, key=result.get("us", {}).get, default="default")
            rows.append(row_of(problem, result, label, tflops, bandwidth))
            raw.append(dict(result, label=label, kernels=item["kernels"]))
            if result.get("note"):
                notes.setdefault(f"{result['status']}: {result['note']}", []).append(problem)
            for who, note in result.get("notes", {}).items():
                if who in PEERS or label not in timed:
                    notes.setdefault(f"{who}: {note}", []).append(problem)
            if not labels:
                notes.setdefault("no kernel in the index", []).append(problem)
        listed = [", ".join("x".join(map(str, p)) for p in ps) + ": " + note for note, ps in notes.items()]
        means = print_table(name, rows, listed)
        answer["sets"][name] = {"rows": rows, "geometric_means": means, "raw": raw}
    print_sweep(items, results)
    return answer


def add_race_options(parser, peers=",".join(PEERS)):
    parser.add_argument("--peers", default=peers, help="who else runs, of " + ", ".join(PEERS))
    parser.add_argument("--rounds", type=int, default=12, help="timed calls of each contender")
    parser.add_argument("--timing", choices=["cupti", "events"], default="cupti")
    parser.add_argument("--json", type=Path, help="write all numbers here, after every shape")
    parser.add_argument("--shape-seconds", type=float, default=60, help="a shape that takes longer hangs")
    parser.add_argument("--seconds", type=float, help="report what there is after this time")


def peers_of(parser, arguments):
    peers = [p for p in arguments.peers.split(",") if p]
    unknown = [p for p in peers if p not in PEERS]
    if unknown:
        parser.error(f"expected --peers of {', '.join(PEERS)}, got {', '.join(unknown)}")
    return peers


def worker_command(arguments):
    return [sys.executable, str(Path(__file__).resolve()), "--rounds", str(arguments.rounds), "--timing", arguments.timing,
            "--worker"]


def roof_of(machine):
    """(TFLOPS, TB/s) that a GPU attains, by its name."""
    gpu = (machine or {}).get("gpu", "")
    return next((numbers for key, numbers in GPUS.items() if key in gpu), GPUS["H100"])


def item_id(name, problem):
    return f"{name} {problem.m}x{problem.n}x{problem.k}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", type=Path, default=Path("build/kernels"), help="folder that kernels.py filled")
    parser.add_argument("--set", action="append", default=[], choices=list(shapes.SETS))
    parser.add_argument("--shapes", help="MxNxK,... as one more set")
    parser.add_argument("--labels", default="default", help="kernels of the index to time: a regular expression, or all")
    add_race_options(parser)
    parser.add_argument("--tflops", type=float, help="of the floor; default: by the GPU's name")
    parser.add_argument("--bandwidth", type=float, help="TB/s of the floor; default: by the GPU's name")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        worker(arguments.worker, arguments.rounds, arguments.timing)
        return 0

    sets = {name: shapes.SETS[name] for name in arguments.set}
    if arguments.shapes:
        sets["shapes"] = shapes.parse(arguments.shapes)
    if not sets:
        parser.error("expected --set or --shapes")
    peers = peers_of(parser, arguments)
    index_path = arguments.kernels / "index.json"
    index = json.loads(index_path.read_text()) if index_path.exists() else []
    items = []
    for name, problems in sets.items():
        for p in problems:
            files = choose_kernels(index, p, arguments.labels)
            items.append({"id": item_id(name, p), "group": item_id(name, p), **shapes.fields(p),
                          "peers": peers, "kernels": {label: str(arguments.kernels / f) for label, f in files.items()}})

    def keep(result):
        short = {name: round(us, 1) for name, us in result.get("us", {}).items()}
        print(f"{result['end']}: {result['status']} {short or ''} {result.get('note', '')}", flush=True)
        if arguments.json:
            with open(arguments.json.with_suffix(".partial"), "a") as file:
                file.write(json.dumps(result) + "\n")

    results, machine = race(worker_command(arguments), items, arguments, keep)
    answer = report(sets, items, results, arguments, machine)
    if arguments.json:
        arguments.json.write_text(json.dumps(answer, indent=1) + "\n")
    return 0 if all(r["status"] == "pass" for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
