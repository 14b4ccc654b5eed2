#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Plot times of bench.py --json, sweep.py run --json, or of the measurements that the repository keeps.

    plot.py results.json -o speed.svg                 TFLOPS and GB/s against M: ours, the peers, and the roofline
    plot.py results.json -o speed.png --nk 7168x2048  the same of one (N, K)
    plot.py results.json -o speed.svg --ratios shape  each peer's time over ours: a plot for each M, a line for each (N, K)
    plot.py results.json -o speed.svg --ratios m      the same against M: a plot for each (N, K) that has several M

Rates are drawn for each (N, K) that has several M. The roofline is what the GPU attains: arithmetic at its TFLOPS or every
operand moved once at its bandwidth, whichever takes longer. Needs matplotlib: pip install -r benchmark/requirements.txt
"""

import argparse
import sys
from pathlib import Path

import result_files
import shapes
from result_files import BEST, OURS, BadResults

FORMATS = (".svg", ".png", ".pdf")
NAMES = {OURS: "fp8gemm", BEST: "fp8gemm, fastest of the schedules timed", "deepgemm": "DeepGEMM",
         "cublas-b": "cuBLASLt block-scaled", "cublas-t": "cuBLASLt per-tensor"}
# Colours that the colour-blind can tell apart (Okabe and Ito).
STYLES = {OURS: dict(color="#000000", marker="o", linewidth=2), BEST: dict(color="#000000", linestyle=":"),
          "deepgemm": dict(color="#d55e00", marker="o"), "cublas-b": dict(color="#0072b2", marker="s"),
          "cublas-t": dict(color="#777777", marker="^", markerfacecolor="none")}


def roofline(n, k, ms, rates):
    """{m: microseconds} at (TFLOPS, TB/s), on a dense grid between the least and the largest M."""
    least, most = min(ms), max(ms)
    grid = sorted({*ms, *(round(least * (most / least) ** (i / 200)) for i in range(201))})
    return {m: shapes.floor_us(shapes.Problem(m, n, k), *rates) for m in grid}


def rates_of(line, n, k):
    """(Ms, TFLOPS, GB/s) of {m: microseconds}."""
    problems = [(shapes.Problem(m, n, k), us) for m, us in sorted(line.items())]
    return ([p.m for p, _ in problems], [shapes.flops(p) / us / 1e6 for p, us in problems],
            [shapes.bytes_once(p) / us / 1e3 for p, us in problems])


def ratios_of(contenders):
    """{peer: {m: the peer's time / ours}} of one (N, K)."""
    ours = contenders.get(OURS, {})
    found = {peer: {m: us / ours[m] for m, us in sorted(line.items()) if m in ours}
             for peer, line in contenders.items() if peer not in (OURS, BEST)}
    return {peer: line for peer, line in found.items() if line}


def description(points):
    """The ratios as text: what a picture of them says."""
    cells = {(m, n, k): [] for (n, k), of in points.items() for line in ratios_of(of).values() for m in line}
    for (m, n, k), of in sorted(cells.items()):
        ratios = ratios_of(points[n, k])
        of += [f"{NAMES[peer]} {ratios[peer][m]:.2f}" for peer in in_order(ratios) if m in ratios[peer]]
    return "; ".join(f"{m} x {n} x {k}: {', '.join(of)}" for (m, n, k), of in sorted(cells.items()))


def in_order(names):
    return [name for name in STYLES if name in names]


def draw_rates(plt, points, rates):
    lines = {nk: of for nk, of in points.items() if len({m for line in of.values() for m in line}) > 1}
    if not lines:
        raise BadResults("expected an (N, K) with times of several M, got none")
    figure, axes = plt.subplots(len(lines), 2, figsize=(12, 4 * len(lines)), squeeze=False, layout="constrained")
    for (left, right), ((n, k), contenders) in zip(axes, sorted(lines.items())):
        roof = rates_of(roofline(n, k, {m for line in contenders.values() for m in line}, rates), n, k)
        for axis, part, unit in ((left, 1, "TFLOPS"), (right, 2, "GB/s")):
            axis.plot(roof[0], roof[part], color="0.4", linestyle="--", label="roofline")
            for name in in_order(contenders):
                line = rates_of(contenders[name], n, k)
                axis.plot(line[0], line[part], markersize=4, label=NAMES[name], **STYLES[name])
            axis.set(xlabel="M", ylabel=unit, title=f"N = {n}, K = {k}")
            axis.set_xscale("log", base=2)
            axis.xaxis.set_major_formatter("{x:g}")
            axis.grid(True, which="major", alpha=0.3)
        left.set_yscale("log")  # a few rows are a thousandth of the arithmetic of many
        left.yaxis.set_major_formatter("{x:g}")
        left.legend(fontsize="small")
        right.set_ylim(bottom=0)
    return figure, len(lines)


def mark_one(axis, vertical):
    """The line at 1.0, where both take as long."""
    (axis.axvline if vertical else axis.axhline)(1.0, color="black", linewidth=1.5, zorder=1)


def draw_ratios_by_shape(plt, points, _):
    ratios = {nk: ratios_of(of) for nk, of in points.items()}
    ms = sorted({m for lines in ratios.values() for line in lines.values() for m in line})
    if not ms:
        raise BadResults("expected times of a peer beside ours, got none")
    nks = sorted((nk for nk, lines in ratios.items() if lines), key=lambda nk: (nk[0] * nk[1], nk), reverse=True)
    peers = in_order({peer for lines in ratios.values() for peer in lines})
    figure, axes = plt.subplots(1, len(ms), figsize=(1.5 + 3.1 * len(ms), 1.6 + 0.36 * len(nks)), sharex=True, sharey=True,
                                squeeze=False, layout="constrained")
    for axis, m in zip(axes[0], ms):
        mark_one(axis, vertical=True)
        for peer in peers:
            line = [(ratios[nk][peer][m], place) for place, nk in enumerate(nks) if m in ratios[nk].get(peer, {})]
            if line:
                axis.plot(*zip(*line), markersize=6, label=NAMES[peer], zorder=3, **{**STYLES[peer], "linestyle": ""})
        axis.set_title(f"M = {m}", fontsize="medium")
        axis.tick_params(length=0)
        axis.set_yticks(range(len(nks)), [f"{n} x {k}" for n, k in nks])
        axis.set_ylim(-0.6, len(nks) - 0.4)
        axis.grid(True, axis="both", alpha=0.3)
        axis.xaxis.set_major_formatter("{x:.1f}")
        axis.set_xlabel("time / fp8gemm's time")
    axes[0][0].set_ylabel("N x K")
    handles = {}
    for axis in axes[0]:
        handles.update({label: handle for handle, label in zip(*axis.get_legend_handles_labels())})
    figure.legend([handles[NAMES[peer]] for peer in peers], [NAMES[peer] for peer in peers], loc="outside lower center",
                  ncols=len(peers), frameon=False)
    return figure, len(ms)


def draw_ratios_by_m(plt, points, _):
    lines = {nk: ratios_of(of) for nk, of in points.items()}
    lines = {nk: of for nk, of in lines.items() if len({m for line in of.values() for m in line}) > 1}
    if not lines:
        raise BadResults("expected an (N, K) with times of ours and a peer for several M, got none")
    figure, axes = plt.subplots(len(lines), 1, figsize=(8, 3 * len(lines)), squeeze=False, layout="constrained")
    for axis, ((n, k), of) in zip(axes[:, 0], sorted(lines.items())):
        mark_one(axis, vertical=False)
        for peer in in_order(of):
            axis.plot(list(of[peer]), list(of[peer].values()), markersize=4, label=NAMES[peer], **STYLES[peer])
        axis.set(xlabel="M", ylabel="time / fp8gemm's time", title=f"N = {n}, K = {k}; above 1.0 fp8gemm is faster")
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:g}")
        axis.grid(True, which="major", alpha=0.3)
        axis.legend(fontsize="small")
    return figure, len(lines)


DRAW = {None: draw_rates, "shape": draw_ratios_by_shape, "m": draw_ratios_by_m}


def load_matplotlib():
    try:
        import matplotlib
    except ImportError:
        raise BadResults("expected matplotlib, got none: pip install -r benchmark/requirements.txt")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    plt.rcParams["svg.hashsalt"] = "fp8gemm"
    return plt


def check_output(output):
    if output.suffix not in FORMATS:
        raise BadResults(f"expected --output to end in {', '.join(FORMATS)}, got '{output}'")
    if not output.parent.is_dir():
        raise BadResults(f"cannot write '{output}': expected a folder '{output.parent}', got none")


def save(plt, figure, output, said=None):
    """Writes the picture; `said`: its text, of an SVG. The same picture is the same file."""
    metadata = {"Date": None, **({"Description": said} if said else {})}
    try:
        figure.savefig(output, metadata=metadata if output.suffix == ".svg" else None)
    except OSError as error:
        raise BadResults(f"cannot write '{output}': {error.strerror}")
    plt.close(figure)


def draw(path, output, ratios=None, only=None):
    """Write the picture; how many plots or pairs of plots it has."""
    check_output(output)
    points, rates, results = result_files.times(path)
    if only:
        points = {nk: of for nk, of in points.items() if nk in only}
    plt = load_matplotlib()
    figure, count = DRAW[ratios](plt, points, rates)
    gpu = (results.get("machine") or {}).get("gpu", "unknown GPU")
    rounds = f": kernel time, median of {results['rounds']} calls with a cold L2" if "rounds" in results else ""
    figure.suptitle(gpu + rounds + ("; right of 1.0 fp8gemm is faster" if ratios == "shape" else ""), fontsize="medium")
    save(plt, figure, output, description(points) if ratios else None)
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", help="file, or - for standard input")
    parser.add_argument("-o", "--output", type=Path, required=True, help="file; its name's end is the format: .svg, .png, .pdf")
    parser.add_argument("--ratios", choices=["shape", "m"], help="times of the peers over ours, against shapes or M")
    parser.add_argument("--nk", action="append", default=[], help="NxK to show (repeatable; default: all)")
    arguments = parser.parse_args()
    try:
        only = {tuple(map(int, nk.lower().split("x"))) for nk in arguments.nk}
        if any(len(nk) != 2 for nk in only):
            raise ValueError
    except ValueError:
        parser.error(f"expected --nk to be NxK, got {', '.join(arguments.nk)}")
    count = draw(arguments.results, arguments.output, arguments.ratios, only)
    print(f"{arguments.output}: {count} {'plots' if arguments.ratios else 'pairs of plots'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
