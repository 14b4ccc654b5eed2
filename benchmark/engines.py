#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Mixture-of-experts layers beside vLLM's default path on Hopper, its Triton kernels; and whether numbers agree with those of its Triton kernels.

    engines.py stage FOLDER --vllm=WHEEL             # where the compiler is: pack, package, scripts, vLLM's files; needs no PyTorch
    FOLDER/engines.py run FOLDER [--json=FILE]       # on the GPU; needs PyTorch with Triton
    engines.py report FILE                           # the tables of a measurement again

All experts of a layer of DeepSeek-V3 (256) and Qwen3-235B (128) are on the GPU, whole or as tensor parallelism splits them (tp); each token
chooses 8, uniformly. `vllm` is vLLM's own `fused_experts_impl` with its configuration for this GPU, or its default where it has none. What its
compiled kernels do is done by ours (quantisation) and by torch.compile (SwiGLU, sum), and the order of the pairs is known before: it costs
nothing. `gated` and `separate` are `fp8gemm.torch.MoEMLP` without the cost of the order, too, SwiGLU and quantisation in the epilogue of the
first product or after it; `whole` is `gated` with it. A first product and linear layers are also compared with vLLM's, from the same operands.

Times are microseconds of a replayed CUDA graph, medians; contenders take turns. Nothing is started after --seconds; tables are printed last.
"""

import json
import statistics
import sys
import time
import zipfile
from pathlib import Path

import staging

SCRIPTS = "engines.py", "engines_contenders.py", "engine_triton.py", "layer.py", "layer_contenders.py"
# experts, hidden, width of an expert on this GPU
MODELS = {"qwen3-235b": (128, 4096, 1536), "deepseek-v3": (256, 7168, 2048), "qwen3-235b tp4": (128, 4096, 384), "deepseek-v3 tp8": (256, 7168, 256)}
CHOSEN = 8
TOKENS = 64, 8192, 1024, 256, 4096, 512, 2048, 128  # in the order in which they are measured
LINEAR = [(2112, 7168), (7168, 2048), (4096, 7168)]
MS = 64, 1024
# Relative distances: of the same product in bfloat16; of two layers, that quantise what one of them has rounded; of a layer from float32.
MOST = {"product": 0.005, "apart": 0.03, "error": 0.08}
LAYERS = "vllm/model_executor/layers"
FUSED, UTILS = f"{LAYERS}/fused_moe", f"{LAYERS}/quantization/utils"
FILES = f"{FUSED}/fused_moe.py", f"{FUSED}/moe_align_block_size.py", f"{FUSED}/utils.py", f"{UTILS}/fp8_utils.py"
CONFIGURATION = "device_name=NVIDIA_H200,dtype=fp8_w8a8,block_shape=[128,128].json"
MARGIN = 15  # seconds before the end in which nothing is started


def problems():
    listed = [{"op": "quantize", "k": k, "sfa": "k_major"} for k in sorted({k for _, *sides in MODELS.values() for k in sides} | {k for _, k in LINEAR})]
    listed += [{"op": "gemm", "n": n, "k": k, "sfa": "k_major", "max_m": max(MS)} for n, k in LINEAR]
    for experts, hidden, width in MODELS.values():
        grouped = {"op": "grouped_gemm", "grouping": "row_end", "align": 1, "groups": experts, "max_m": 2048}
        first = {**grouped, "n": 2 * width, "k": hidden, "sfa": "k_major"}
        listed += [first, {**first, "gated": True, "activation": "silu", "d_type": "e4m3", "sfd": "mn_major"}, {**grouped, "n": hidden, "k": width}]
    return listed


def items():
    return [*(dict(kind="linear", m=m, n=n, k=k) for m in MS for n, k in LINEAR),
            *(dict(kind="moe", model=model, tokens=tokens) for model in MODELS for tokens in TOKENS)]


def stage(options):
    staging.stage_package(options, SCRIPTS)
    staging.stage_pack(options, "engines", problems())
    with zipfile.ZipFile(options.vllm) as wheel:
        names = wheel.namelist()
        if missing := set(FILES).difference(names):
            raise SystemExit(f"error: expected a wheel of vLLM 0.33, got {options.vllm} without {', '.join(sorted(missing))}")
        wheel.extractall(options.folder / "engine", [name for name in names if name in FILES or name.endswith(CONFIGURATION)])


def run(options):
    folder = options.folder
    sys.path[:0] = [str(folder), str(folder / "site")]
    import engines_contenders as contenders

    contenders.prepare(folder)
    until, rows = time.monotonic() + options.seconds, []
    for item in items():
        rows.append(one(getattr(contenders, item["kind"]), item, until))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return print_tables(rows)


def one(function, item, until):
    """The item with what was measured, or why it was not."""
    if time.monotonic() > until - MARGIN:
        return {**item, "fault": "out of time"}
    try:
        return {**item, **function(**{name: value for name, value in item.items() if name != "kind"})}
    except Exception as error:
        return {**item, "fault": f"{type(error).__name__}: {error}"[:300]}


#
# Tables
#


def wrongs(row):
    """The distances of a row that are too large."""
    return [f"{name} {value:.4f} above {MOST[kind]}" for kind in MOST for name, value in row.get(kind, {}).items() if not value < MOST[kind]]


def print_tables(rows):
    done = [row for row in rows if "fault" not in row]
    faults = [f"{label(row)}: {row['fault']}" for row in rows if "fault" in row]
    wrong = [f"{label(row)}: wrong: {', '.join(found)}" for row in done if (found := wrongs(row))]
    linear, moe = ([row for row in done if row["kind"] == kind] for kind in ("linear", "moe"))
    print(f"\nMixtures of experts, us\n\n{'model':>16}{'tokens':>8}{'vllm':>10}{'gated':>10}{'separate':>10}{'whole':>10}{'vllm/gated':>12}{'vllm/whole':>12}"
          f"{'apart %':>9}{'error %':>9}  configuration")
    for row in sorted(moe, key=lambda row: (list(MODELS).index(row["model"]), row["tokens"])):
        us = row["us"]
        print(f"{row['model']:>16}{row['tokens']:>8}" + "".join(f"{us[name]:>10.1f}" for name in ("vllm", "gated", "separate", "whole"))
              + f"{us['vllm'] / us['gated']:>12.2f}{us['vllm'] / us['whole']:>12.2f}{100 * max(row['apart'].values()):>9.2f}"
              f"{100 * max(row['error'].values()):>9.2f}  {row['configuration']}")
    for name in ("gated", "whole"):
        for model in MODELS:
            summary(f"{model}: vllm / {name}", [row["us"]["vllm"] / row["us"][name] for row in moe if row["model"] == model])
    of_products = [value for row in done for value in row["product"].values()]
    if of_products:
        print(f"{len(of_products)} products from the same operands, {len(linear)} of them linear layers: distance from vLLM's at most {max(of_products):.5f}")
    print("", *faults, *wrong, f"{len(done)} measured, {len(faults)} not, {len(wrong)} wrong", sep="\n")
    return 1 if wrong or len(faults) > sum("out of time" in fault for fault in faults) else 0


def summary(name, ratios):
    if ratios:
        print(f"{name}: geometric mean {statistics.geometric_mean(ratios):.3f}, from {min(ratios):.2f} to {max(ratios):.2f}")


def label(row):
    return " ".join(str(value) for name, value in row.items() if name in ("kind", "m", "n", "k", "model", "tokens"))


def main():
    parser, commands, staged, running = staging.command_line(__doc__, 480, has_peer=False)
    staged.add_argument("--vllm", type=Path, required=True, help="a wheel of vLLM 0.33")
    running.add_argument("--json", type=Path)
    report = commands.add_parser("report")
    report.add_argument("file", type=Path)
    options = parser.parse_args()
    if options.command == "report":
        return print_tables(json.loads(options.file.read_text()))
    return stage(options) if options.command == "stage" else run(options)


if __name__ == "__main__":
    sys.exit(main())
