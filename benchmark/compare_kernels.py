#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compare the PTX that two compilers make of the same products: those of the benchmark, of the GPU tests, and random ones.

    compare_kernels.py OTHER/build/bin/fp8gemm-compile --set forward-1 --set grouped-test
    compare_kernels.py OTHER/build/bin/fp8gemm-compile --all --random 20

Prints each kernel whose PTX differs, or that only one compiler accepts; the exit status is then 1. Equal PTX is equal
machine code, as ptxas is deterministic. Needs no GPU.
"""

import argparse
import concurrent.futures
import re
import subprocess
import sys
from pathlib import Path

import grouped_shapes
import kernels
import shapes
import varied_kernels

ALL_SETS = ["test", "kinds", "sanitize", *kernels.GROUPED_SETS,
            *(name for name in shapes.SETS if name not in ("no-cliff", "no-cliff-edges")), *grouped_shapes.SETS]


def ptx(compiler, entry, gpu):
    """The kernel's PTX without its comments and names of files, or what the compiler says instead."""
    command = [compiler, *kernels.problem_options(kernels.problem_of(entry)), f"--sfa={entry['sfa']}",
               f"--sfb={entry['sfb']}", f"--gpu={gpu}", f"--config={entry['config']}", "--emit=ptx", "-o", "-"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return f"exit status {done.returncode}"
    return re.sub(r"//.*", "", done.stdout)


def differences(entries, compilers, gpu, jobs):
    """(entry's file, what each compiler made) of those entries where the two are not the same."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        made = [pool.map(lambda e, compiler=compiler: ptx(compiler, e, gpu), entries) for compiler in compilers]
        for entry, *results in zip(entries, *made):
            if results[0] != results[1]:
                yield entry["file"], results


def summary(text):
    return text if text.startswith("exit status") else f"{text.count(chr(10))} lines"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the other compiler; options are those of this one's --compiler")
    parser.add_argument("--set", action="append", default=[], help=", ".join(ALL_SETS))
    parser.add_argument("--all", action="store_true", help="every set")
    parser.add_argument("--random", type=int, default=0, metavar="PRODUCTS", help="so many random products, six schedules of each")
    parser.add_argument("--seed", type=int, default=1, help="of the random products")
    kernels.add_compile_options(parser)
    arguments = parser.parse_args()
    arguments.shapes, arguments.all_layouts = None, False
    if arguments.all:
        arguments.set = ALL_SETS
    entries = kernels.entries_of(arguments)
    if arguments.random:
        asked = varied_kernels.Compiler(arguments.compiler, arguments.gpu)
        entries += varied_kernels.random_entries(asked, arguments.seed, arguments.random, arguments.j)
    entries = list({entry["file"]: entry for entry in entries}.values())
    if not entries:
        raise SystemExit("expected --all, --set or --random, got none")
    differing = 0
    for name, results in differences(entries, (arguments.compiler, arguments.other), arguments.gpu, arguments.j):
        differing += 1
        print(f"{name}: differs: {summary(results[0])}, the other {summary(results[1])}")
    print(f"{len(entries)} kernels compared, {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
