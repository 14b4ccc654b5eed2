#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers from bf16 to bf16: linear layers beside cuBLAS in bf16, and mixture-of-experts MLPs beside the same with DeepGEMM's products.

    layer.py stage FOLDER [--deep-gemm=WHEEL]      # where the compiler is: pack, package, scripts; needs no PyTorch
    FOLDER/layer.py run FOLDER [--json=FILE]       # on the GPU; needs PyTorch, and nvcc for DeepGEMM

A linear layer is `fp8gemm.torch.Linear`: quantisation of x and the product. Each CUDA graph has several layers with their own weights, so that
weights come from memory. A mixture of experts is `fp8gemm.torch.MoEMLP`: quantisation, permutation, gate-up product, SwiGLU with quantisation,
down product, weighted sum; `gated` has SwiGLU and the quantisation in the gate-up product's epilogue; each token chooses 2 of 8 or 8 of 32 experts, uniformly. Everything outside the products is the same for DeepGEMM,
compiled by torch.compile, but for x, which our own kernel quantises; DeepGEMM gets the faster of its contiguous and masked forms.

Times are microseconds of a replayed graph, medians; contenders take turns. Then each graph of a mixture of experts is replayed once under the
profiler, for the time of its parts (layer_parts.py draws them). Nothing is started after --seconds; tables are printed last.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import staging

SCRIPTS = "layer.py", "layer_contenders.py", "deep_gemm_experts.py", "gpu_timing.py"
FORWARD = [(2112, 7168), (576, 7168), (24576, 1536), (32768, 512), (7168, 16384), (4096, 7168), (7168, 2048)]
MS = 16, 128, 4096
MODELS = {"deepseek-v3": (7168, 2048), "qwen3-235b": (4096, 1536)}  # hidden, width of an expert
EXPERTS = {8: 2, 32: 8}  # local experts, and how many a token chooses
TOKENS = 16, 128, 1024, 8192
FOR_MASKED = 1024  # tokens up to which the masked form makes sense
MARGIN = 10  # seconds before the end in which nothing is started
PARTS = "before", "first", "between", "second", "after"  # of a mixture of experts: its two products, and what is around them


def problems():
    dense = [{"op": "quantize", "k": k} for k in sorted({k for _, k in FORWARD})]
    dense += [{"op": "gemm", "n": n, "k": k, "max_m": max(MS)} for n, k in FORWARD]
    mixed = [{"op": "quantize", "k": hidden, "sfa": "k_major"} for hidden, _ in MODELS.values()]
    for hidden, width in MODELS.values():
        for experts in EXPERTS:
            grouped = {"op": "grouped_gemm", "grouping": "row_end", "align": 1, "groups": experts, "max_m": 4096}
            first = {**grouped, "n": 2 * width, "k": hidden, "sfa": "k_major"}
            mixed += [first, {**first, "gated": True, "activation": "silu", "d_type": "e4m3", "sfd": "mn_major"}, {**grouped, "n": hidden, "k": width}]
    return dense + mixed


def stage(options):
    staging.stage_package(options, SCRIPTS)
    staging.stage_pack(options, "layer", problems())


#
# On the GPU
#


def dense_items():
    return [dict(kind="dense", m=m, n=n, k=k) for m in MS for n, k in FORWARD]


def mixed_items(has_peer):
    """Of each model and number of experts all tokens, the extremes first."""
    return [dict(kind="moe", model=model, experts=experts, tokens=tokens, has_peer=has_peer)
            for tokens in (TOKENS[0], TOKENS[-1], *TOKENS[1:-1]) for model in MODELS for experts in EXPERTS]


def warm_up(scratch, folder):
    """DeepGEMM's kernels are compiled by a process for each model and number of experts, at the same time; they share the cache."""
    return [subprocess.Popen([sys.executable, folder / "layer_contenders.py", model, str(experts)], stdout=subprocess.DEVNULL,
                             stderr=open(scratch / f"{model}-{experts}.log", "w")) for model in MODELS for experts in EXPERTS]


def run(options):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        scratch, folder = Path(scratch), options.folder
        for wheel in folder.glob("*deepgemm*.whl"):
            zipfile.ZipFile(wheel).extractall(scratch / "site")
        paths = [str(folder / "site"), str(scratch / "site")]
        sys.path[:0] = [str(folder), *paths]
        os.environ.update(PYTHONPATH=":".join([str(folder), *paths, os.environ.get("PYTHONPATH", "")]), DG_JIT_CACHE_DIR=str(scratch / "jit"),
                          TORCHINDUCTOR_CACHE_DIR=str(scratch / "inductor"))
        return measure(folder, scratch, time.monotonic() + options.seconds, options.json)


def measure(folder, scratch, until, json_file):
    import layer_contenders as contenders

    has_peer = subprocess.run([sys.executable, "-c", "import deep_gemm"], capture_output=True).returncode == 0
    warming = warm_up(scratch, folder) if has_peer else []
    rows = []
    contenders.prepare(folder / "layer.fp8pack")
    items = dense_items()
    for i, item in enumerate(items):
        rows.append(one(contenders.dense, item, until))
    for process in warming:
        try:
            process.wait(max(0, until - MARGIN - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
    for item in mixed_items(has_peer):
        rows.append(one(contenders.mixed, item, until))
    if json_file:
        json_file.write_text(json.dumps(rows, indent=1) + "\n")
    return print_tables(rows)


def one(function, item, until):
    """The item with what was measured, or why it was not."""
    if time.monotonic() > until - MARGIN:
        return {**item, "fault": "out of time"}
    try:
        return {**item, **function(**{name: value for name, value in item.items() if name != "kind"})}
    except Exception as error:
        return {**item, "fault": f"{type(error).__name__}: {error}"[:300]}


def is_product(name):
    """Whether a kernel is a product of fp8gemm's or DeepGEMM's."""
    return "fp8gemm_1d" in name or "fp8_gemm_1d" in name


def cut(events):
    """[(name, start_ns, duration_ns)] of one call with two products -> {part: microseconds}, which add up to its time. What starts before its
    predecessor ends, as dependent launches do, counts from that end. ValueError if there are not two products."""
    events = sorted(events, key=lambda event: event[1])
    products = [place for place, (name, _, _) in enumerate(events) if is_product(name)]
    if len(products) != 2:
        raise ValueError(f"expected 2 products on the GPU's timeline, got {len(products)} of {len(events)} kernels: "
                         + ", ".join(sorted({name[:60] for name, _, _ in events})))
    parts, end = dict.fromkeys(PARTS, 0.0), events[0][1]
    of_place = {products[0]: "first", products[1]: "second"}
    for place, (_, start, duration) in enumerate(events):
        part = of_place.get(place) or ("before" if place < products[0] else "between" if place < products[1] else "after")
        parts[part] += max(0, start + duration - end) / 1e3  # with the gap in front of it
        end = max(end, start + duration)
    return parts


#
# Tables
#


def print_tables(rows):
    faults = [f"{label(row)}: {row['fault']}" for row in rows if "fault" in row]
    done = [row for row in rows if "fault" not in row]
    wrong = [f"{label(row)}: wrong: {row['errors']}" for row in done if not all(error < 0.08 for error in row["errors"].values())]
    print("\nLinear layers, us: bf16 by cuBLAS; quantised and multiplied by fp8gemm\n\n"
          f"{'M':>6}{'N':>7}{'K':>7}{'bf16':>10}{'fp8gemm':>10}{'product':>10}{'bf16/ours':>11}{'error %':>9}")
    for row in (row for row in done if row["kind"] == "dense"):
        us = row["us"]
        print(f"{row['m']:>6}{row['n']:>7}{row['k']:>7}{us['bf16']:>10.2f}{us['fp8gemm']:>10.2f}{us['product']:>10.2f}"
              f"{us['bf16'] / us['fp8gemm']:>11.2f}{100 * max(row['errors'].values()):>9.2f}")
    for m in MS:
        summary(f"M = {m}: bf16 / fp8gemm", [row["us"]["bf16"] / row["us"]["fp8gemm"] for row in done if row.get("m") == m])
    print(f"\nMixtures of experts, us\n\n{'model':>12}{'experts':>8}{'tokens':>8}{'fp8gemm':>10}{'gated':>10}{'contiguous':>11}{'masked':>10}{'deepgemm/ours':>15}{'error %':>9}")
    ratios = []
    for row in (row for row in done if row["kind"] == "moe"):
        us = row["us"]
        peers = [us[form] for form in ("contiguous", "masked") if form in us]
        ratios += [min(peers) / min(us["fp8gemm"], us["gated"])] if peers else []
        shown = [f"{us[form]:.1f}" if form in us else "-" for form in ("fp8gemm", "gated", "contiguous", "masked")]
        print(f"{row['model']:>12}{row['experts']:>8}{row['tokens']:>8}{shown[0]:>10}{shown[1]:>10}{shown[2]:>11}{shown[3]:>10}"
              f"{f'{ratios[-1]:.2f}' if peers else '-':>15}{100 * max(row['errors'].values()):>9.2f}")
    summary("deepgemm / fp8gemm", ratios)
    print_parts([row for row in done if "parts" in row])
    print("", *faults, *wrong, f"{len(done)} measured, {len(faults)} not, {len(wrong)} wrong", sep="\n")
    return 1 if wrong or len(faults) > sum("out of time" in fault for fault in faults) else 0


def print_parts(rows):
    if rows:
        print(f"\nOne replay by the profiler, us\n\n{'model':>12}{'experts':>8}{'tokens':>8}{'form':>12}" + "".join(f"{part:>10}" for part in PARTS) + f"{'sum':>10}{'timed':>10}")
    for row in rows:
        for form, parts in row["parts"].items():
            print(f"{row['model']:>12}{row['experts']:>8}{row['tokens']:>8}{form:>12}" + "".join(f"{parts[part]:>10.1f}" for part in PARTS)
                  + f"{sum(parts.values()):>10.1f}{row['us'][form]:>10.1f}")


def summary(name, ratios):
    if ratios:
        print(f"{name}: geometric mean {statistics.geometric_mean(ratios):.3f}, from {min(ratios):.2f} to {max(ratios):.2f}")


def label(row):
    return " ".join(str(value) for name, value in row.items() if name in ("kind", "m", "n", "k", "model", "experts", "tokens"))


def main():
    parser, _, _, running = staging.command_line(__doc__, 230, has_peer=True)
    running.add_argument("--json", type=Path)
    options = parser.parse_args()
    return stage(options) if options.command == "stage" else run(options)


if __name__ == "__main__":
    sys.exit(main())
