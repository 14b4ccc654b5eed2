#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Check kernels on a Hopper GPU against the float64 oracle, element by element.

    run_gpu_tests.py KERNELS                KERNELS: folder that benchmark/kernels.py filled
    run_gpu_tests.py KERNELS --random 600   or benchmark/varied_kernels.py random
    run_gpu_tests.py KERNELS --grouped 500  or benchmark/kernels.py --set grouped-test
    run_gpu_tests.py KERNELS --items        or fuzzed_items.py

Every kernel with every M: bounds of docs/Numerics.md, poisoned output, twice the same bits,
NaN guards around every operand, packed and strided rows, rows whose bits do not depend on
M, M = 0, wrong arguments, and inputs made to err. Random: so many products of other M, rows,
leading dimensions; bits that don't depend on the schedule either, nor on the stream, kernels
beside it and the number of multiprocessors. Grouped: so many patterns of groups, right and
wrong ones; rows of no group keep what they held. Prints what fails and a summary; the exit
status is 0 if all passed, 1 if not, 77 if there is nothing to run on.
"""

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "benchmark"), str(ROOT / "scripts")]
import environment
import fuzzed_items
import grouped_patterns
import random_items
import shapes
import supervise

SKIPPED = 77
BLOCK = shapes.BLOCK
# Of B. The model of the tensor core is in numpy: more would take seconds.
MODEL_ELEMENTS = 1 << 16
STATUSES = ("pass", "fail", "hang", "crash", "not run")


def why_not(kernels):
    """Reason why nothing can run here, or None."""
    gpu, reason = environment.find_hopper()
    if not gpu:
        return reason
    if importlib.util.find_spec("torch") is None:
        return "no PyTorch, which the oracle runs on (test/Execution/sanitize.sh needs none)"
    if not (kernels / "index.json").exists() and not (kernels / fuzzed_items.ITEMS).exists():
        return f"no kernels in {kernels}: run benchmark/kernels.py {kernels} --set test"
    return None


def is_usual(entry):
    return tuple(entry.get("kind", ())) in ((), shapes.Kind())


def layouts_of(entry):
    """Those of the scales, and what else is not as usual."""
    unusual = [field for field, usual in zip(entry.get("kind", ()), shapes.Kind()) if field != usual]
    return " ".join([f"{entry['sfa']}/{entry['sfb']}", *unusual])


def items_of(index, folder, ms, seeds):
    """What to run, so that items that share data and oracle follow each other."""
    items = []
    by_shape = {}
    for entry in (e for e in index if "bits" not in e and "grouping" not in e):  # those are for random products, and grouped
        by_shape.setdefault((entry["n"], entry["k"]), []).append(entry)
    for (n, k), entries in sorted(by_shape.items(), key=lambda pair: pair[0][0] * pair[0][1]):
        for entry in entries:
            item = {"kernel": str(folder / entry["file"]), "group": entry["file"], "seed": 0, "n": n, "k": k,
                    "layouts": layouts_of(entry), "label": entry["label"]}
            kinds = ["empty", "refused", "special"] + ["adversarial"] * (k >= BLOCK) + ["model"] * (n * k <= MODEL_ELEMENTS)
            for kind in kinds:
                items.append(dict(item, kind=kind, id=f"{entry['file']} {kind}"))
        for seed in range(seeds):
            # Of what is not as usual there is much, and its schedules are the same.
            for entry in (e for e in entries if seed == 0 or is_usual(e)):
                # The largest first: its rows are what the others' bits are compared with.
                for m in sorted(ms, reverse=True):
                    items.append({"kernel": str(folder / entry["file"]), "group": entry["file"], "seed": seed, "m": m,
                                  "n": n, "k": k, "layouts": layouts_of(entry), "label": entry["label"],
                                  "id": f"{entry['file']} m={m} seed={seed}"})
    return items


def chosen_items(arguments):
    """Those that the command line asks for."""
    kernels = arguments.kernels
    if arguments.items:
        items = json.loads((kernels / fuzzed_items.ITEMS).read_text())
        return [dict(item, kernel=str(kernels / item["kernel"])) for item in items]
    index = json.loads((kernels / "index.json").read_text())
    if arguments.random:
        return random_items.items_of(index, kernels, arguments.random, arguments.seed)
    if arguments.grouped:
        return grouped_patterns.grouped_items(index, kernels, arguments.grouped, arguments.seed)
    return items_of(index, kernels, arguments.m, arguments.seeds)


def summarise(items, results):
    """One line a kernel."""
    groups, measured = {}, ("random", "grouped")
    for item, result in zip(items, results):
        groups.setdefault(item["group"], []).append((item, result))
    print("\n| N | K | sfa/sfb | schedule | " + " | ".join(STATUSES) + " | error / bound | row error | adversarial | bits of model |")
    print("|" + "---|" * (8 + len(STATUSES)))
    for pairs in groups.values():
        item = pairs[0][0]
        counts = [sum(r["status"] == status for _, r in pairs) for status in STATUSES]
        worst = [max((r[key] for i, r in pairs if i.get("kind", "random") in kinds and key in r), default=None)
                 for kinds, key in ((measured, "ratio"), (measured, "row"), (["adversarial"], "ratio"), (["model"], "ratio"))]
        print(f"| {item['n']} | {item['k']} | {item['layouts']} | {item['label']} | " + " | ".join(map(str, counts)) +
              " | " + " | ".join("–" if x is None else f"{x:.4f}" for x in worst) + " |")
    counts = {status: sum(r["status"] == status for r in results) for status in STATUSES}
    products = sum("m" in item and item.get("kind", "random") == "random" for item in items)
    patterns = sum(item.get("kind") == "grouped" for item in items)
    print(f"\n{products} random products, {patterns} patterns of groups; all items: " + ", ".join(f"{count} {status}" for status, count in counts.items()))
    return counts["pass"] == len(results)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", type=Path, nargs="?", default=ROOT / "build" / "test-kernels")
    parser.add_argument("--only", default="", help="run the items whose name contains this")
    parser.add_argument("--m", type=int, nargs="*", default=shapes.TEST_M)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--random", type=int, metavar="COUNT", help="so many random products instead, or a few more")
    parser.add_argument("--grouped", type=int, metavar="COUNT", help="so many patterns of groups instead, or a few more")
    parser.add_argument("--items", action="store_true", help="the cases that fuzzed_items.py wrote instead")
    parser.add_argument("--seed", type=int, default=1, help="of the random products and patterns")
    parser.add_argument("--item-seconds", type=float, default=30, help="an item that takes longer hangs")
    parser.add_argument("--seconds", type=float, help="report what there is after this time")
    parser.add_argument("--json", type=Path, help="write every result here")
    arguments = parser.parse_args()
    reason = why_not(arguments.kernels)
    if reason:
        print(f"SKIP: {reason}")
        return SKIPPED
    items = chosen_items(arguments)
    items = [item for item in items if arguments.only in item["id"]]
    if not items:
        print(f"error: nothing to run: {arguments.kernels} has no kernel whose items contain '{arguments.only}'")
        return 1

    def show(result):
        if result["status"] != "pass":
            print(f"{result['status'].upper()}: {result['end']}: {result.get('note', '')}", flush=True)

    started = time.monotonic()
    deadline = started + arguments.seconds if arguments.seconds else None
    results, gpu = supervise.supervise([sys.executable, str(HERE / "gpu_case.py")], items,
                                       item_seconds=arguments.item_seconds, start_seconds=180, deadline=deadline,
                                       on_result=show)
    fine = summarise(items, results)
    print(f"on {gpu or 'no GPU'}, {time.monotonic() - started:.0f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps({"gpu": gpu, "results": results}, indent=1) + "\n")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
