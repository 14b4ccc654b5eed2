#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Plot TFLOPS and GB/s against M: ours, the peers, and the roofline.

    plot.py results.json -o speed.svg                 of bench.py --json or sweep.py run --json
    plot.py results.json -o speed.png --nk 7168x2048  of one (N, K)

A row of two plots for each (N, K) that has several M. The roofline is what the GPU attains:
arithmetic at its TFLOPS or every operand moved once at its bandwidth, whichever is longer.
Needs matplotlib; the folder of the output must exist.
"""

import argparse
import collections
import json
import sys
from pathlib import Path

import shapes

OURS, BEST = "fp8gemm", "fastest schedule"
STYLES = {OURS: dict(color="C3", marker="o", linewidth=2), BEST: dict(color="C3", linestyle=":"),
          "cublas-b": dict(color="C0", marker="s"), "cublas-t": dict(color="C2", marker="^"),
          "deepgemm": dict(color="C1", marker="v")}


def of_bench(results):
    """[(problem, {contender: microseconds})] of bench.py's sets, but those of groups."""
    for part in results["sets"].values():
        for row, raw in zip(part["rows"], part["raw"]):
            if "groups" in row:
                continue
            us = {name: time for name, time in raw.get("us", {}).items() if name not in raw.get("kernels", {})}
            yield shapes.Problem(row["m"], row["n"], row["k"]), {OURS: row["ours"], **us}


def of_sweep(results):
    """The same of sweep.py's shapes: ours is the model's choice, beside it the fastest schedule."""
    for shape in results["shapes"]:
        if "groups" in shape:
            continue
        timed = [c for c in shape["candidates"] if c.get("us")]
        us = {**shape.get("peers", {}), OURS: next((c["us"] for c in timed if c.get("chosen")), None)}
        if len(timed) > 1:
            us[BEST] = min(c["us"] for c in timed)
        yield shapes.Problem(shape["m"], shape["n"], shape["k"]), us


def series(results):
    """{(n, k): {contender: [(m, microseconds)]}}, with the M ascending and none twice."""
    points = collections.defaultdict(lambda: collections.defaultdict(dict))
    for problem, us in of_bench(results) if "sets" in results else of_sweep(results):
        for name, time in us.items():
            if time and name != "read":
                points[problem.n, problem.k][name][problem.m] = time
    return {nk: {name: sorted(times.items()) for name, times in lines.items()} for nk, lines in points.items()}


def roofline(n, k, ms, results):
    """[(m, microseconds)] at the rates that the results name, on a dense grid between the least and the largest M."""
    least, most = min(ms), max(ms)
    grid = sorted({*ms, *(round(least * (most / least) ** (i / 200)) for i in range(201))})
    rates = results["tflops"], results["terabytes_per_second"]
    return [(m, shapes.floor_us(shapes.Problem(m, n, k), *rates)) for m in grid]


def rates(line, n, k):
    """(Ms, TFLOPS, GB/s) of [(m, microseconds)]."""
    problems = [(shapes.Problem(m, n, k), us) for m, us in line]
    return ([m for m, _ in line], [shapes.flops(p) / us / 1e6 for p, us in problems],
            [shapes.bytes_once(p) / us / 1e3 for p, us in problems])


def draw(results, path, only=None):
    """Write the picture; how many (N, K) it shows."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    lines = {nk: of for nk, of in series(results).items()
             if (not only or nk in only) and len({m for line in of.values() for m, _ in line}) > 1}
    if not lines:
        raise SystemExit("expected an (N, K) with times of several M, got none")
    plt.rcParams["svg.hashsalt"] = "fp8gemm"  # the same picture is the same file
    figure, axes = plt.subplots(len(lines), 2, figsize=(12, 4 * len(lines)), squeeze=False, layout="constrained")
    for (left, right), ((n, k), contenders) in zip(axes, sorted(lines.items())):
        ms = sorted({m for line in contenders.values() for m, _ in line})
        roof = rates(roofline(n, k, ms, results), n, k)
        for axis, part, unit in ((left, 1, "TFLOPS"), (right, 2, "GB/s")):
            axis.plot(roof[0], roof[part], color="0.4", linestyle="--", label="roofline")
            for name in [n for n in STYLES if n in contenders] + sorted(set(contenders) - set(STYLES)):
                line = rates(contenders[name], n, k)
                axis.plot(line[0], line[part], markersize=4, label=name, **STYLES.get(name, {}))
            axis.set(xlabel="M", ylabel=unit, title=f"N = {n}, K = {k}")
            axis.set_xscale("log", base=2)
            axis.xaxis.set_major_formatter("{x:g}")
            axis.grid(True, which="major", alpha=0.3)
        left.set_yscale("log")  # a few rows are a thousandth of the arithmetic of many
        left.yaxis.set_major_formatter("{x:g}")
        left.legend(fontsize="small")
        right.set_ylim(bottom=0)
    gpu = (results.get("machine") or {}).get("gpu", "unknown GPU")
    figure.suptitle(f"{gpu}: median of {results.get('rounds', '?')} calls, cold L2")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
    return len(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="file; its name's end is the format: .svg, .png")
    parser.add_argument("--nk", action="append", default=[], help="NxK to show (repeatable; default: all)")
    arguments = parser.parse_args()
    try:
        only = {tuple(map(int, nk.lower().split("x"))) for nk in arguments.nk}
        if any(len(nk) != 2 for nk in only):
            raise ValueError
    except ValueError:
        parser.error(f"expected --nk to be NxK, got {', '.join(arguments.nk)}")
    shown = draw(json.loads(arguments.results.read_text()), arguments.output, only)
    print(f"{arguments.output}: {shown} pairs of plots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
