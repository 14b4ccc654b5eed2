#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products whose operands have more than 2^31 elements or 2^32 bytes, on a Hopper GPU of 80 GB or more.

    huge_items.py stage FOLDER [--gpu GPU]      where the compiler is: compiles the kernels
    huge_items.py run FOLDER [--json RESULTS]   on the GPU: a line for each item, passed or not, and why not

Every operand takes its turn, read or written by TMA or by threads, of one product and of each way of grouping. Rows at
both ends, rows beside element and byte 2^31 and 2^32 and some others are compared with float64; where D is not added to,
every element of its memory is looked at: none may be missing, and no padding may be written. The exit status is
0 if all passed, 1 if not, 77 if there is nothing to run on.
"""

import argparse
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "benchmark"), str(ROOT / "scripts")]
import kernels
import shapes
from shapes import Groups, Kind, Problem

SKIPPED = 77
BY_TMA, SFA_BY_POINTER = ("mn_major", "k_major"), ("k_major", "k_major")
ALL_MN = ("mn_major", "mn_major")
F32, PLUS_C, IN_PLACE = Kind(d="f32"), Kind(d="f32", c="apart"), Kind("1d1d", d="f32", c="in_place")
MANY_ROWS = 307201  # times 7168: above 2^31
LENGTHS = [16, 60000, 0, 100000, 140016]  # of groups of K


def item(name, problem, layouts=BY_TMA, m=None, **more):
    """`m`: rows; `sizes`: rows of each group or its K; `behind`: rows after the last group, which are padding;
    `leading`: how far rows of an operand are apart, in elements; `beside`: groups of K are columns of one matrix."""
    return dict(more, id=name, group=name, m=m or problem.m, problem=shapes.fields(problem), layouts=list(layouts))


def dense(name, m, n, k, kind=Kind(), layouts=BY_TMA, **leading):
    return item(name, Problem(m, n, k, kind), layouts, leading=leading)


def rows(name, by, align, sizes, n, k, kind=Kind(), layouts=BY_TMA, **more):
    m = more.pop("m", None) or max(1, sum(sizes) // len(sizes))
    return item(name, Problem(m, n, k, kind, Groups(by, len(sizes), align)), layouts, sizes=sizes, **more)


def along_k(name, m, n, lengths, kind=IN_PLACE, flat=True, **more):
    groups = Groups("k_count", len(lengths), flat=flat)
    return item(name, Problem(m, n, sum(lengths), kind, groups), ALL_MN, sizes=lengths, **more)


def all_items():
    big = 1 << 31
    dense_items = [
        dense("D in bf16", MANY_ROWS, 7168, 128),
        dense("D in f32", MANY_ROWS, 7168, 128, F32),
        dense("C and D in f32", MANY_ROWS, 7168, 128, PLUS_C),
        dense("D in place", MANY_ROWS, 7168, 128, IN_PLACE, ALL_MN),
        dense("A", 270001, 256, 16384),
        dense("B", 64, 278528, 16384),
        dense("rows of A and D 2^31 elements apart", 5, 24, 256, a=big + 16, d=big + 8),
        dense("rows of B 2^28 elements apart", 64, 40, 256, b=1 << 28),
        dense("scales of A by TMA", 1000, 264, 2048, sfa=1 << 28),
        dense("scales of A by pointer", 1000, 264, 512, layouts=SFA_BY_POINTER, sfa=3_000_001),
        dense("scales of A 2^32 elements apart", 3, 264, 512, layouts=SFA_BY_POINTER, sfa=(big << 1) + 1),
        dense("scales of B in K-major", 200, 7168, 512, sfb=(1 << 26) + 1),
        dense("scales of B in MN-major", 200, 264, 7168, layouts=ALL_MN, sfb=(1 << 26) + 1),
        dense("scales of B's rows by pointer", 200, 1040, 512, Kind("1d1d"), SFA_BY_POINTER, sfb=3_000_001),
    ]
    # The last group's last rows are stored by threads, at a large offset.
    sizes = [1, 100003, 0, 207259]
    row_items = [
        rows(f"D by {by} in {kind.d}", by, align, sizes, 7168, 128, kind, behind=behind)
        for by, align, behind in (("row_index", 128, 300), ("row_end", 1, 5), ("row_end", 128, 0))
        for kind in (Kind(), F32)
    ]
    row_items[-2]["id"], row_items[-1]["id"] = "D by row_end, aligned, in bf16", "D by row_end, aligned, in f32"
    return dense_items + row_items + [
        rows("rows of D 2^32 elements apart, by row_end", "row_end", 1, [2, 0, 3], 264, 256, leading={"d": (big << 1) + 8}),
        rows("A by row_index", "row_index", 128, [1, 150003, 0, 150001], 256, 16384),
        rows("B of groups by row_index", "row_index", 128, [3] + [0] * 98 + [200] + [0] * 59 + [77], 4096, 7168),
        rows("D by row_count", "row_count", 1, [0, 40000, 1, 39999, 12345, 0, 40000, 40000], 7168, 128, m=40000),
        rows("A and D of equal groups", "batched", 1, [40000] * 8, 7168, 7168, m=40000),
        along_k("A of groups of K, packed", 16384, 256, LENGTHS),
        along_k("B of groups of K, packed", 256, 16384, LENGTHS),
        along_k("A of groups of K beside each other", 16384, 256, LENGTHS, flat=False),
        along_k("B of groups of K beside each other", 256, 16384, LENGTHS, flat=False),
        along_k("D of groups of K", 7168, 7680, [128] * 39 + [16], Kind("1d1d", d="f32")),
    ]


def entry_of(case):
    """What benchmark/kernels.py knows the item's kernel by: the compiler's own choice of a schedule."""
    return kernels.wanted([(shapes.problem_of(case["problem"]), tuple(case["layouts"]))], [""])[0]


def stage(folder, compiler, gpu):
    """How many kernels do not compile."""
    entries = {entry["file"]: entry for entry in map(entry_of, all_items())}
    return kernels.build_all(list(entries.values()), folder, compiler, gpu)


def summarise(results):
    """A line for each item; whether all passed."""
    print("\n| item | result | error / bound | operands, GB | seconds | note |\n|---|---|---|---|---|---|")
    for result in results:
        ratio, size, seconds = (f"{result[key]:.3f}" if key in result else "–" for key in ("ratio", "gigabytes", "seconds"))
        print(f"| {result['end']} | {result['status']} | {ratio} | {size} | {seconds} | {result.get('note', '')} |")
    passed = sum(result["status"] == "pass" for result in results)
    print(f"\n{passed} of {len(results)} items passed")
    return passed == len(results)


def run(folder, json_path, item_seconds, seconds, worker):
    import environment
    import supervise
    gpu, reason = environment.find_hopper()
    if not gpu:
        print(f"SKIP: {reason}")
        return SKIPPED
    items = [dict(case, kernel=str(folder / entry_of(case)["file"])) for case in all_items()]

    def show(result):
        print(f"{result['status'].upper()}: {result['end']} {result.get('note', '')}", flush=True)

    started = time.monotonic()
    results, gpu = supervise.supervise(worker, items, item_seconds=item_seconds, start_seconds=60,
                                       deadline=started + seconds, on_result=show)
    fine = summarise(results)
    print(f"on {gpu or 'no GPU'}, {time.monotonic() - started:.0f} s")
    if json_path:
        json_path.write_text(json.dumps({"gpu": gpu, "results": results}, indent=1) + "\n")
    return 0 if fine else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("stage", "run"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gpu", default="h200-sxm", help="that schedules are chosen for")
    parser.add_argument("--compiler", type=Path, default=ROOT / "build" / "bin" / "fp8gemm-compile")
    parser.add_argument("--json", type=Path, help="write every result here")
    parser.add_argument("--item-seconds", type=float, default=20, help="an item that takes longer hangs")
    parser.add_argument("--seconds", type=float, default=110, help="report what there is after this time")
    arguments = parser.parse_args()
    if arguments.what == "stage":
        return 1 if stage(arguments.folder, arguments.compiler, arguments.gpu) else 0
    return run(arguments.folder, arguments.json, arguments.item_seconds, arguments.seconds,
               [sys.executable, str(HERE / "huge_case.py")])


if __name__ == "__main__":
    sys.exit(main())
