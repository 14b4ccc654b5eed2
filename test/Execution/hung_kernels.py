#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Debug builds (--debug-rings) on a GPU: good kernels that stay right, and broken ones that say who waits for what.

    hung_kernels.py stage FOLDER   where the compiler is: fills FOLDER with all that the GPU machine needs
    FOLDER/hung_kernels.py run     there; Python, a driver and an H100 or H200, nothing else. Takes about a minute

Broken kernels are good ones in which an operation of the hopper level was changed. hopper-check-rings refuses each,
and staging sees to that; then the passes run one by one without it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

LIMIT_MS = 200
WATCHDOG_SECONDS = 20
RUN_SECONDS = 60
SMALL = "tile_m = 128, tile_n = 64, stages = 4, consumers = 2, partials = 1"

ASSIGN = "hopper.kernel(hopper-complete-schedule)"
CHECK = "hopper.kernel(hopper-check-rings)"
LOWER = "convert-hopper-to-nvvm{debug-rings=%d}" % LIMIT_MS
# The later steps of the pipeline without its lint, which would reject some of these kernels a second time.
TO_LLVM = ("convert-scf-to-cf", "fp8gemm-convert-kernels-to-llvm", "canonicalize", "cse", "reconcile-unrealized-casts")


@dataclass
class Good:
    name: str
    options: list[str]
    m: int


GOOD = [
    Good("chosen", ["--n=2112", "--k=7168"], 333),
    Good("small", ["--n=256", "--k=1024", f"--config={SMALL}"], 1000),
    Good("few-rows", ["--n=2112", "--k=7168", "--expected-m=8"], 8),
    Good("split-k", ["--n=256", "--k=2048", f"--config={SMALL}, split_k = 2"], 200),
    Good("in-place", ["--n=7168", "--k=4096", "--recipe=1d1d", "--sfb=mn_major", "--d-type=f32", "--c=in_place"], 300),
    Good("c-apart", ["--n=576", "--k=1024", "--c=apart"], 300),
    Good("helper", ["--n=576", "--k=1024", "--sfa=k_major", "--sfb=k_major"], 300),
]


def drop(operation):
    """Every line with `operation`, a regular expression, is left out."""
    return lambda ir: "".join(line for line in ir.splitlines(True) if not re.search(operation, line))


def in_role(role, edit):
    """`edit` of what the role does."""
    starts = {"producer": r"hopper\.warp_specialize producer", "helper": r"\} helper \{", "consumers": r"\} consumers\("}

    def change(ir):
        begin = re.search(starts[role], ir).end()
        later = [match.start() for start in starts.values() for match in re.finditer(start, ir) if match.start() > begin]
        end = min(later, default=len(ir))
        return ir[:begin] + edit(ir[begin:end]) + ir[end:]

    return change


def replace(old, new):
    return lambda ir: re.sub(old, new, ir)


@dataclass
class Broken:
    name: str
    options: list[str]
    m: int
    rule: str  # that hopper-check-rings says is broken
    edit: Callable[[str], str]
    expected: list[str]  # who waits for what: regular expressions, one for each such line
    assigned: bool = False  # edited after hopper-complete-schedule


def waits(who, stage, ring, state, phase, ctas="0-7"):
    return rf"{who}, cta {ctas}: waits until stage {stage} of ring {ring} is {state} \(phase {phase}\)"


def nowhere(who, ctas="0-7"):
    return rf"{who}, cta {ctas}: at no ring: .*"


SMALL_GEMM = ["--n=256", "--k=1024", f"--config={SMALL}"]  # 8 K blocks in 4 stages, 4 tiles for 128 rows
# The second round of the ring: readers are in phase true, fillers in phase false.
BROKEN = [
    Broken("no-release", SMALL_GEMM, 256, "R8", drop(r"hopper\.ring\.release"),
           [waits("producer", 0, 0, "empty", "false"), waits("helper", 0, 0, "empty", "false"),
            waits("consumer 0", 0, 0, "full", "true"), waits("consumer 1", 0, 0, "full", "true")]),
    Broken("no-commit", SMALL_GEMM, 256, "R8", in_role("helper", drop(r"hopper\.ring\.commit")),
           [waits("producer", 0, 0, "empty", "false"), waits("helper", 0, 0, "empty", "false"),
            waits("consumer 0", 0, 0, "full", "false"), waits("consumer 1", 0, 0, "full", "false")]),
    # The producer waits for a round that nobody begins; two K blocks, so the helper has room for all and ends.
    Broken("wrong-phase", ["--n=256", "--k=256", f"--config={SMALL}"], 256, "R20",
           in_role("producer", replace(r"arith\.constant true", "arith.constant false")),
           [waits("producer", 0, 0, "empty", "false"), nowhere("helper"),
            waits("consumer 0", 0, 0, "full", "false"), waits("consumer 1", 0, 0, "full", "false")], assigned=True),
    # C has a ring of its own, the first that is created. Producer and helper have loaded all and ended.
    Broken("no-load", ["--n=256", "--k=1024", "--c=apart", f"--config={SMALL}"], 256, "R11",
           drop(r"hopper\.tma_load %c_map\["),
           [nowhere("producer"), nowhere("helper"),
            waits("consumer 0", 0, 0, "full", "false"), waits("consumer 1", 0, 0, "full", "false")]),
    # Two tiles for some CTAs: their fillers wait for consumers that stand at a named barrier.
    Broken("named-barrier", SMALL_GEMM, 8192, "R28", replace(r"(hopper\.named_barrier %\w+) threads\(128\)", r"\1 threads(256)"),
           [waits("producer", 0, 0, "empty", "false", "0-[0-9]+"), waits("helper", 0, 0, "empty", "false", "0-[0-9]+"),
            nowhere("consumer 0", "0-[0-9]+"), nowhere("consumer 1", "0-[0-9]+")]),
    Broken("split-k", ["--n=256", "--k=2048", f"--config={SMALL}, split_k = 2"], 128, "R8", drop(r"hopper\.ring\.release"),
           [waits(who, 0, 0, state, phase, rf"{ctas} \(rank {rank} of the cluster\)")
            for who, state, phase in (("producer", "empty", "false"), ("helper", "empty", "false"),
                                      ("consumer 0", "full", "true"), ("consumer 1", "full", "true"))
            for rank, ctas in enumerate(("0, 2, 4, 6", "1, 3, 5, 7"))]),
]


# Where the compiler is


class Compiler:
    def __init__(self, build):
        self.build = build

    def call(self, tool, *arguments, text=None):
        """Its output; its complaints, as an exception."""
        done = subprocess.run([self.build / "bin" / tool, *arguments], input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{tool} {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout

    def passes(self, ir, *passes):
        return self.call("fp8gemm-opt", f"--pass-pipeline=builtin.module(gpu.module({','.join(passes)}))", text=ir)

    def good(self, case, path):
        self.call("fp8gemm-compile", "--op=gemm", "--m=any", *case.options, f"--debug-rings={LIMIT_MS}", "-o", path)

    def broken_ir(self, case):
        ir = self.call("fp8gemm-compile", "--op=gemm", "--m=any", *case.options, "--emit=hopper", "-o", "-")
        ir = self.passes(ir, ASSIGN) if case.assigned else ir
        broken = case.edit(ir)
        if broken == ir:
            raise RuntimeError(f"{case.name}: expected a changed kernel, got the same one")
        return broken

    def refusal(self, ir):
        """What the check says; empty where it accepts the kernel."""
        try:
            self.passes(ir, ASSIGN, CHECK)
            return ""
        except RuntimeError as error:
            return str(error)

    def broken(self, case, path):
        ir = self.broken_ir(case)
        refusal = self.refusal(ir)
        if f"breaks {case.rule}:" not in refusal:
            raise RuntimeError(f"{case.name}: expected hopper-check-rings to refuse it by {case.rule}, got '{refusal}'")
        # Step by step: a broken kernel would be rejected after each of them, too.
        lowered = self.passes(ir, ASSIGN, LOWER, *TO_LLVM)
        self.call("fp8gemm-compile", "-", "-o", path, text=lowered)


def stage(folder, build):
    compiler, cases = Compiler(build), []
    for part in ("bin", "lib", "kernels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    shutil.copy(build / "bin" / "fp8gemm-run", folder / "bin")
    shutil.copy(build / "lib" / "libfp8gemm_runtime.so.0", folder / "lib")
    shutil.copy(__file__, folder / "hung_kernels.py")
    for case in GOOD:
        compiler.good(case, folder / "kernels" / f"good-{case.name}.cubin")
        cases.append({"name": f"good-{case.name}", "m": case.m})
    for case in BROKEN:
        compiler.broken(case, folder / "kernels" / f"broken-{case.name}.cubin")
        cases.append({"name": f"broken-{case.name}", "m": case.m, "expected": case.expected})
    (folder / "cases.json").write_text(json.dumps(cases, indent=1))
    print(f"{len(GOOD)} good and {len(BROKEN)} broken kernels in {folder}")


# On the GPU


def launch(folder, case):
    """Exit status and output; none of a process that did not end."""
    command = [folder / "bin" / "fp8gemm-run", folder / "kernels" / f"{case['name']}.cubin", f"--m={case['m']}", "--check",
               "--device=gpu", f"--watchdog={WATCHDOG_SECONDS}"]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=RUN_SECONDS)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as timeout:
        return None, (timeout.stdout or b"").decode(errors="replace")


def judge(case, status, output):
    """What is wrong; empty if all is as it should be."""
    if status is None:
        return f"expected it to end by itself, got killed after {RUN_SECONDS} s"
    if "expected" not in case:
        return "" if status == 0 and "check    held" in output else f"expected the check to hold, got status {status}"
    if status != 2 or "(--watchdog)" in output:
        return f"expected a trap and status 2, got status {status}"
    lines = [line[2:] for line in output.splitlines() if re.match(r"  (producer|helper|consumer)", line)]
    unseen = [text for text in case["expected"] if not any(re.fullmatch(text + r"(, at .*)?", line) for line in lines)]
    if unseen:
        return "expected a line '" + "', '".join(unseen) + "'"
    surplus = [line for line in lines
               if not any(re.fullmatch(text + r"(, at .*)?", line) for text in case["expected"])]
    return "expected no line '" + "', '".join(surplus) + "'" if surplus else ""


def run(folder):
    failed = 0
    for case in json.loads((folder / "cases.json").read_text()):
        status, output = launch(folder, case)
        complaint = judge(case, status, output)
        failed += bool(complaint)
        print(f"{'FAILED' if complaint else 'passed'}  {case['name']}{': ' + complaint if complaint else ''}", flush=True)
        if complaint or "expected" in case:
            print("".join(f"    {line}\n" for line in output.splitlines()), end="", flush=True)
    print(f"{failed} failed" if failed else "all passed")
    return failed


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "stage":
        root = Path(__file__).resolve().parents[2]
        stage(Path(arguments[1]), Path(os.environ.get("FP8GEMM_BUILD", root / "build")))
        return 0
    if arguments == ["run"]:
        return 1 if run(Path(__file__).resolve().parent) else 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
