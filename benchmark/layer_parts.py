#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where the time of layer.py's layers goes, drawn.

    layer_parts.py layer.json -o layers.svg

A linear layer is its quantisation and its product, a mixture of experts the parts of layer.cut. Needs matplotlib: pip install -r benchmark/requirements.txt
"""

import argparse
import json
import sys
from pathlib import Path

import layer
import plot
from result_files import BadResults

NAMES = dict(zip(layer.PARTS, ("quantisation and permutation", "gate-up product", "SwiGLU and quantisation", "down product", "weighted sum")))
FORMS = {"fp8gemm": "fp8gemm", "gated": "fp8gemm, gated", "contiguous": "DeepGEMM, contiguous", "masked": "DeepGEMM, masked"}
COLORS = dict(zip(layer.PARTS, ("#56b4e9", "#0072b2", "#e69f00", "#009e73", "#cc79a7")))  # Okabe and Ito's
BF16 = "#999999"


def load(path):
    """The rows that were measured."""
    try:
        rows = json.loads(path.read_text())
        dense = [row for row in rows if row["kind"] == "dense" and "us" in row]
        mixed = [row for row in rows if row["kind"] == "moe" and "parts" in row]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadResults(f"expected results of layer.py run --json in '{path}', got {type(error).__name__}: {error}")
    if not dense and not mixed:
        raise BadResults(f"expected a layer that was measured in '{path}', got none")
    return dense, mixed


def bars(axis, labels, stacks, colors, names):
    """A bar for each label: {part: microseconds}."""
    left = [0.0] * len(labels)
    places = range(len(labels))
    for part in colors:
        width = [stack.get(part, 0.0) for stack in stacks]
        if any(width):
            axis.barh(places, width, left=left, color=colors[part], label=names[part])
        left = [at + more for at, more in zip(left, width)]
    axis.set_yticks(places, labels, fontsize="small")
    axis.invert_yaxis()
    axis.set_xlabel("microseconds")
    axis.grid(True, axis="x", alpha=0.3)
    axis.set_axisbelow(True)


def dense_stacks(rows):
    """-> labels and {part: microseconds}: bf16 in front of ours for each (N, K)."""
    labels, stacks = [], []
    for row in rows:
        us = row["us"]
        labels += [f"{row['n']} x {row['k']}: bf16", "fp8gemm"]
        stacks += [{"bf16": us["bf16"]}, {"before": max(0.0, us["fp8gemm"] - us["product"]), "first": us["product"]}]
    return labels, stacks


def mixed_stacks(rows):
    labels, stacks = [], []
    for row in rows:
        head = f"{row['model']}, {row['experts']} experts: "
        for form in (form for form in FORMS if form in row["parts"]):
            labels.append(head + FORMS[form])
            stacks.append(row["parts"][form])
            head = ""
    return labels, stacks


def description(labels, stacks):
    """The picture's numbers as text."""
    return "; ".join(f"{label} " + ", ".join(f"{part} {us:.1f}" for part, us in stack.items()) for label, stack in zip(labels, stacks))


def draw(path, output):
    """Writes the picture; how many plots it has: one for each M of linear layers and for each number of tokens."""
    plot.check_output(output)
    dense, mixed = load(path)
    groups = [(f"Linear layers, M = {m}", *dense_stacks([row for row in dense if row["m"] == m]), {"bf16": BF16, **COLORS},
               {"bf16": "cuBLAS in bf16", "before": "quantisation", "first": "product"}) for m in sorted({row["m"] for row in dense})]
    groups += [(f"Mixtures of experts, {tokens} tokens", *mixed_stacks([row for row in mixed if row["tokens"] == tokens]), COLORS, NAMES)
               for tokens in sorted({row["tokens"] for row in mixed})]
    plt = plot.load_matplotlib()
    heights = [1.2 + 0.22 * len(labels) for _, labels, _, _, _ in groups]
    figure, axes = plt.subplots(len(groups), 1, figsize=(10, sum(heights)), squeeze=False, layout="constrained", height_ratios=heights)
    for axis, (title, labels, stacks, colors, names) in zip(axes[:, 0], groups):
        bars(axis, labels, stacks, colors, names)
        axis.set_title(title, fontsize="medium")
        axis.legend(fontsize="small")
    plot.save(plt, figure, output, "; ".join(f"{title}: {description(labels, stacks)}" for title, labels, stacks, _, _ in groups))
    return len(groups)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="file; its name's end is the format: .svg, .png, .pdf")
    options = parser.parse_args()
    print(f"{options.output}: {draw(options.results, options.output)} plots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
