#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Experts on several GPUs: the ways of ExpertParallelMoE checked, timed, and replayed many times, beside one GPU and DeepGEMM.

    expert_parallel.py stage FOLDER --ranks=2 [--deep-gemm=WHEEL]     # where the compiler is: packs, package, scripts
    FOLDER/expert_parallel.py run FOLDER LOGS --seconds=280           # on a machine with that many Hopper GPUs
    expert_parallel.py table LOGS --ranks=2                           # the table of such a run

`stage` needs no network: about 5 MB, and a wheel of DeepGEMM (for the Python of the other machine) as it is. `run` needs PyTorch, and nvcc for
DeepGEMM. It starts torchrun, again without the configuration that failed if that ends before all are done, ends everything after
--seconds at the latest, and prints a table last; LOGS has the results and the output of each model's workers.

Models are DeepSeek-V3's (H 7168, I 2048, 256 experts) and Qwen3-235B's (4096, 1536, 128) layers, top 8; tokens are those of all GPUs
together. "one" is one GPU with all experts and its share of the tokens; its time / ours is the efficiency. "bits" says which results are
the same bit by bit without torch.compile; "compile" says whether the rest is measured with it. Times are in us, of a replayed CUDA graph, except for "exchange", which the host waits for.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import staging

MODELS = {"deepseek-v3": dict(hidden=7168, width=2048, experts=256, top_k=8),
          "qwen3-235b": dict(hidden=4096, width=1536, experts=128, top_k=8)}
TOKENS = 128, 4096, 8, 16384, 32, 512, 2048, 8192  # in this order, should time run out
FOR_SLOTS, FOR_MASKED = 256, 512  # tokens up to which these forms make sense
ENDURED = "qwen3-235b", 64  # model, tokens
MARGIN = 15  # seconds before the end in which nothing is started
COMPILE = dict(kind="compile", way="all", tokens=128)  # torch.compile; again after each start, unless it failed
SCRIPTS = "expert_parallel.py", "expert_parallel_worker.py", "expert_parallel_peers.py", "deep_gemm_experts.py"

#
# Where the compiler is
#


def stage(options):
    folder = options.folder
    staging.stage_package(options, SCRIPTS)
    for name, model in MODELS.items():
        staging.stage_pack(options, name, problems(model, options.ranks))
    (folder / "staged.json").write_text(json.dumps({"ranks": options.ranks}))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 2**20:.1f} MiB for {options.ranks} GPUs")


def problems(model, ranks):
    """As ep.problems lists them, of a rank's experts and of all: written here because PyTorch may be missing where the compiler is."""
    local, n, k = model["experts"] // ranks, 2 * model["width"], model["hidden"]
    grouped = {"op": "grouped_gemm", "max_m": 8192}
    ends = [{**grouped, "grouping": "row_end", "align": 1, "groups": groups, **product}
            for groups in sorted({local, model["experts"]})
            for product in ({"n": n, "k": k, "sfa": "k_major"}, {"n": k, "k": n // 2, "sfa": "mn_major"})]
    # The slots of all ranks at each expert, which share its weights.
    slots = {**grouped, "grouping": "row_count", "groups": ranks * local, **({"weights": local} if ranks > 1 else {})}
    return ends + [{**slots, "n": n, "k": k, "sfa": "k_major"}, {**slots, "n": k, "k": n // 2, "sfa": "mn_major"}]


#
# On the GPUs
#


def items(name, iterations, has_peer):
    """The configurations of a model, those first that matter most."""
    found = [dict(kind="bits", way="all", tokens=128), COMPILE]
    for tokens in TOKENS:
        ways = ["gather", "exchange", "one"] + ["slots"] * (tokens <= FOR_SLOTS) + ["gather-2"] * (tokens >= 2048)
        found += [dict(kind="time", way=way, tokens=tokens) for way in ways]
    if name == ENDURED[0]:
        found += [dict(kind="endure", way=way, tokens=ENDURED[1], iterations=iterations) for way in ("gather", "slots")]
    if has_peer:
        found += [dict(kind="time", way=f"deepgemm-{form}", tokens=tokens) for tokens in TOKENS
                  for form in ["contiguous"] + ["masked"] * (tokens <= FOR_MASKED)]
    return found


def key(item):
    return item["kind"], item["way"], item["tokens"]


def read(results):
    """{configuration: its last line}"""
    lines = results.read_text().splitlines() if results.exists() else []
    return {key(line): line for line in map(json.loads, lines)}


def environment(options, scratch):
    site = scratch / "site"
    for wheel in options.folder.glob("*deepgemm*.whl"):
        zipfile.ZipFile(wheel).extractall(site)
    paths = [options.folder / "site", site, os.environ.get("PYTHONPATH", "")]
    more = {"PYTHONPATH": ":".join(map(str, paths)), "TORCHINDUCTOR_CACHE_DIR": f"{scratch}/inductor", "DG_JIT_CACHE_DIR": f"{scratch}/jit",
            "TORCH_NCCL_HEARTBEAT_TIMEOUT_SEC": "120", "TORCH_NCCL_DUMP_ON_TIMEOUT": "0", "NCCL_NVLS_ENABLE": "0", "OMP_NUM_THREADS": "4",
            "PYTHONUNBUFFERED": "1"}
    return {"GLOO_SOCKET_IFNAME": "lo", **os.environ, **more}


def started(command, until, log, environment):
    """Its exit status; it and all that it started are ended at that time."""
    with open(log, "a") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        try:
            while process.poll() is None and time.time() < until:
                time.sleep(0.1)
            return "out of time" if process.returncode is None else process.returncode
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


def run_model(name, ranks, until, has_peer, options, environment, scratch):
    """Starts the worker until all configurations have a result, or time is over."""
    results = options.logs / f"{name}.jsonl"
    wanted = items(name, options.iterations, has_peer)
    for attempt in range(6):
        done = read(results)
        left = [item for item in wanted if key(item) not in done]
        if not left or time.time() > until - MARGIN:
            break
        if done.get(key(COMPILE), {}).get("state") == "done":
            left = [COMPILE, *left]
        plan = scratch / f"{name}-{attempt}.json"
        plan.write_text(json.dumps(dict(model=MODELS[name], pack=f"{name}.fp8pack", items=left, until=until - MARGIN / 3)))
        log = options.logs / f"{name}.log"
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}", options.folder / SCRIPTS[1],
                   options.folder, results, plan]
        status = started([*map(str, command)], until, log, environment)
        lines = [json.dumps({**line, "state": "failed", "fault": f"ended by it: {status}, see {log.name}"})
                 for line in read(results).values() if line["state"] == "started"]
        with open(results, "a") as file:
            file.writelines(line + "\n" for line in lines)
        if status and not lines:
            print(f"{name}: torchrun ended with {status}", *log.read_text(errors="replace").splitlines()[-15:], sep="\n  ")
            if len(read(results)) == len(done):
                return None, wanted  # it does not start at all
    return read(results), wanted


def run(options):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        return run_in(Path(scratch), options)


def run_in(scratch, options):
    until = time.time() + options.seconds
    options.logs.mkdir(parents=True, exist_ok=True)
    ranks = json.loads((options.folder / "staged.json").read_text())["ranks"]
    variables = environment(options, scratch)
    looks = {"GPUs": "import torch; print(torch.__version__, torch.cuda.device_count(), torch.cuda.get_device_name())",
             "fp8gemm": "import fp8gemm.expert_parallel, fp8gemm; print(fp8gemm.__version__)", "deep_gemm": "import deep_gemm; print(deep_gemm.__version__)"}
    found = {}
    for name, text in looks.items():
        log = scratch / f"{name}.log"
        status = started([sys.executable, "-c", text], time.time() + 60, log, variables)
        found[name] = status == 0
        print(name, *log.read_text().splitlines()[-1:], "" if found[name] else f"(status {status})", flush=True)
    if not found["GPUs"] or not found["fp8gemm"]:
        return 1
    outcomes, names = {}, list(MODELS)
    for i, name in enumerate(names):
        share = time.time() + (until - time.time()) / (len(names) - i)
        outcomes[name] = run_model(name, ranks, share, found["deep_gemm"], options, variables, scratch)
    return print_tables(outcomes, ranks)


#
# The table
#


def holds(found):
    """Whether what a rank measured is right; NaN is not."""
    facts = [value for fact, value in found.items() if " = " in fact]
    return found.get("error", 0) < 0.1 and found.get("replays", True) and not found.get("wrong") and all(facts)


def is_right(line):
    return line is not None and line["state"] == "done" and all(map(holds, line["ranks"]))


def shown(line):
    if is_right(line):
        return f"{slowest(line):.1f}"
    return "-" if line is None else "wrong" if line["state"] == "done" else "failed"


def slowest(line):
    return max(of_rank["us"] for of_rank in line["ranks"])


def print_tables(outcomes, ranks):
    wrong, missing = [], 0
    for name, (lines, wanted) in outcomes.items():
        if lines is None:
            wrong.append(f"{name}: its workers did not start")
            continue
        missing += sum(key(item) not in lines for item in wanted)
        ways = list(dict.fromkeys(item["way"] for item in wanted if item["kind"] == "time"))
        print(f"\n{name}, {ranks} GPUs, us; errors of ours against float32 from quantised weights in %")
        print(f"{'tokens':>8}", *(f"{way.removeprefix('deepgemm-')[:10]:>11}" for way in ways), f"{'efficiency':>11}{'deepgemm/ours':>15}{'error %':>9}{'TFLOPS a GPU':>14}", sep="")
        for tokens in sorted(TOKENS):
            of = {way: lines.get(("time", way, tokens)) for way in ways}
            done = {way: slowest(line) for way, line in of.items() if is_right(line)}
            ours = min((us for way, us in done.items() if way != "one" and not way.startswith("deepgemm")), default=None)
            peer = min((us for way, us in done.items() if way.startswith("deepgemm")), default=None)
            errors = [of_rank["error"] for way in done if not way.startswith("deepgemm") for of_rank in of[way]["ranks"]]
            model = MODELS[name]
            flops = 6 * model["hidden"] * model["width"] * model["top_k"] * tokens / ranks
            ratio = lambda a, b: f"{a / b:.2f}" if a and b else "-"
            print(f"{tokens:>8}", *(f"{shown(line):>11}" for line in of.values()),
                  f"{ratio(done.get('one'), ours):>11}{ratio(peer, ours):>15}{100 * max(errors, default=float('nan')):>9.2f}",
                  f"{flops / ours / 1e6 if ours else float('nan'):>14.0f}", sep="")
        wrong += report(name, lines, wanted)
    print("", *wrong, f"{len(wrong)} wrong, {missing} not run", sep="\n")
    return 1 if wrong else 0


def report(name, lines, wanted):
    """Prints what is no time, and returns what is wrong."""
    wrong = []
    for item in wanted:
        line, label = lines.get(key(item)), f"{name} {' '.join(map(str, key(item)))}"
        if line is None:
            continue
        if line["state"] != "done":
            wrong.append(f"{label}: {line.get('fault')}")
        else:
            for rank, found in enumerate(line["ranks"]):
                if item["kind"] != "time":
                    print(f"{label}: rank {rank}: {found}")
                wrong += [] if holds(found) else [f"{label}: rank {rank}: wrong: {found}"]
    return wrong


def main():
    parser, commands, staged, running = staging.command_line(__doc__, 280, has_peer=True)
    staged.add_argument("--ranks", type=int, default=2)
    running.add_argument("logs", type=lambda text: Path(text).resolve())
    running.add_argument("--iterations", type=int, default=10000)
    showing = commands.add_parser("table")
    showing.add_argument("logs", type=Path)
    showing.add_argument("--ranks", type=int, default=2)
    options = parser.parse_args()
    if options.command == "table":
        return print_tables({name: (read(options.logs / f"{name}.jsonl"), items(name, 0, True)) for name in MODELS}, options.ranks)
    if options.command == "stage" and any(model["experts"] % options.ranks for model in MODELS.values()):
        parser.error(f"expected --ranks to divide the experts of all models, got {options.ranks}")
    return stage(options) if options.command == "stage" else run(options)


if __name__ == "__main__":
    sys.exit(main())
