#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gate-up projections whose product quantises silu(gate) * up itself, beside the product followed by a kernel that does.

    gate_up.py stage FOLDER                     # where the compiler is: pack, package, scripts; needs no PyTorch
    FOLDER/gate_up.py run FOLDER [--json=FILE]  # on the GPU; needs PyTorch with Triton
    gate_up.py report FILE                      # the tables of a measurement again

Times are those of gpu_timing.py: kernels only, caches cold, in turn, medians. `product` is [M, N] in bf16 by the schedule that the compiler
chooses for it; `separate` is that and the faster of two kernels after it: what torch.compile makes of
`fp8gemm.layers.swiglu_quantize`, and one written in Triton, which reads used rows only. The tables are printed last.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import staging

SCRIPTS = "gate_up.py", "gate_up_contenders.py", "gpu_timing.py"
MODELS = {"deepseek-v3": (4096, 7168), "qwen3-235b": (3072, 4096)}  # N = two times the width of an expert, K
DENSE = [*MODELS.values(), (36864, 7168)]
MS = 16, 64, 128, 1024, 4096
MASKED = [(8, 64), (8, 768), (32, 16), (32, 192)]  # groups, rows used of each
CONTIGUOUS = [(8, 128), (8, 1024), (32, 32), (32, 256)]
ROUNDS, MARGIN = 11, 8
FUSED = {"gated": True, "activation": "silu", "d_type": "e4m3", "sfd": "mn_major"}


def items():
    dense = [dict(form="dense", groups=1, rows=m, n=n, k=k) for m in MS for n, k in DENSE]
    grouped = [dict(form=form, groups=groups, rows=rows, n=n, k=k) for form, sizes in (("masked", MASKED), ("contiguous", CONTIGUOUS))
               for groups, rows in sizes for n, k in MODELS.values()]
    return dense + grouped


def problems():
    """Of each item the plain product and the fused one, each once."""
    listed = {}
    for item in items():
        size = {"n": item["n"], "k": item["k"]}
        if item["form"] == "dense":
            entry = {"op": "gemm", **size, "max_m": max(MS)}
        else:
            grouping = {"masked": {"grouping": "row_count"}, "contiguous": {"grouping": "row_end", "align": 1}}[item["form"]]
            entry = {"op": "grouped_gemm", **grouping, "groups": item["groups"], **size, "max_m": 1024}
        for problem in (entry, entry | FUSED):
            listed[json.dumps(problem)] = problem
    return list(listed.values())


def stage(options):
    staging.stage_package(options, SCRIPTS)
    staging.stage_pack(options, "gate-up", problems())


def run(options):
    folder = options.folder
    sys.path[:0] = [str(folder), str(folder / "site")]
    import gate_up_contenders as contenders

    contenders.prepare(folder / "gate-up.fp8pack")
    until, rows = time.monotonic() + options.seconds, []
    for item in items():
        rows.append(one(contenders.measure, item, until))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return print_tables(rows)


def one(function, item, until):
    """The item with what was measured, or why it was not."""
    if time.monotonic() > until - MARGIN:
        return {**item, "fault": "out of time"}
    try:
        return {**item, **function(**item, rounds=ROUNDS)}
    except Exception as error:
        return {**item, "fault": f"{type(error).__name__}: {error}"[:300]}


def print_tables(rows):
    done = [row for row in rows if "fault" not in row]
    faults = [f"{label(row)}: {row['fault']}" for row in rows if "fault" in row]
    wrong = [f"{label(row)}: wrong: {row['errors']}" for row in done if not all(error < 0.06 for error in row["errors"].values())]
    print(f"\n{'form':>12}{'groups':>8}{'rows':>6}{'N':>7}{'K':>6}{'fused':>9}{'product':>9}{'compiled':>10}{'triton':>9}{'separate/fused':>16}"
          f"{'fused/product':>15}{'error %':>9}")
    ratios = {}
    for row in done:
        us = row["us"]
        gain, cost = min(us["compiled"], us["triton"]) / us["fused"], us["fused"] / us["product"]
        ratios.setdefault(set_of(row), []).append((gain, cost))
        print(f"{row['form']:>12}{row['groups']:>8}{row['rows']:>6}{row['n']:>7}{row['k']:>6}{us['fused']:>9.2f}{us['product']:>9.2f}"
              f"{us['compiled']:>10.2f}{us['triton']:>9.2f}{gain:>16.2f}{cost:>15.2f}{100 * max(row['errors'].values()):>9.2f}")
    for name, pairs in ratios.items():
        gains, costs = zip(*pairs)
        print(f"{name}: separate / fused {statistics.geometric_mean(gains):.3f} ({min(gains):.2f} to {max(gains):.2f}), fused / product "
              f"{statistics.geometric_mean(costs):.3f} ({min(costs):.2f} to {max(costs):.2f})")
    print("", *faults, *wrong, f"{len(done)} measured, {len(faults)} not, {len(wrong)} wrong", sep="\n")
    return 1 if wrong or len(faults) > sum("out of time" in fault for fault in faults) else 0


def set_of(row):
    if row["form"] != "dense":
        return row["form"]
    return "dense, M <= 128" if row["rows"] <= 128 else "dense, M > 128"


def label(row):
    return " ".join(str(row[name]) for name in ("form", "groups", "rows", "n", "k"))


def main():
    parser, commands, _, running = staging.command_line(__doc__, 120, has_peer=False)
    running.add_argument("--json", type=Path)
    reporting = commands.add_parser("report")
    reporting.add_argument("file", type=Path)
    options = parser.parse_args()
    if options.command == "report":
        return print_tables(json.loads(options.file.read_text()))
    return stage(options) if options.command == "stage" else run(options)


if __name__ == "__main__":
    sys.exit(main())
