#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products with random epilogues, and with a quantised D, on a Hopper GPU, each element within its bound (docs/Numerics.md).

    epilogue_items.py stage FOLDER [--kernels 130] [--seed 1]   where the compiler is: kernels, and what they compute
    epilogue_items.py run FOLDER                                on the GPU machine; exit status 1 if an element is wrong

A kernel is launched for several M, with operands whose rows are longer than their elements; what lies between and after rows of D
must not change. A quantised D also has the bits of fp8gemm.quantize of the same kernel with a D of f32.
"""

import argparse
import concurrent.futures
import json
import math
import random
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "test" / "Numerics"), str(Path(__file__).resolve().parent)]
LAUNCHES = 8
MLIR_TYPES = {"f32": "f32", "bf16": "bf16", "f16": "f16"}
UNIT, FUNCTION, TINY = 2.0**-24, 2.0**-19, 2.0**-125


# ----------------------------------------------------------------------------------
# Drawing
# ----------------------------------------------------------------------------------


def draw_function(rng, inputs):
    """Steps (name of a value, operation, operands), the last of which is D's element; inputs are named, the sums first."""
    steps, live, left = [], ["sum"] + (["up"] if "up" in inputs else []), [name for name in inputs if name not in ("sum", "up")]

    def step(op, *operands):
        steps.append((f"v{len(steps)}", op, list(operands)))
        return steps[-1][0]

    value = "sum"
    for _ in range(rng.randint(1, 5)):
        kind = rng.choice(["silu", "gelu", "gelu_tanh", "relu", "clamp", "softcap", "leaky", "square"])
        if kind == "silu":
            one = step("constant", 1.0)
            value = step("divf afn", value, step("addf", step("exp", step("negf", value)), one))
        elif kind == "gelu":
            inner = step("erf", step("mulf", value, step("constant", 2**-0.5)))
            value = step("mulf", step("mulf", value, step("constant", 0.5)), step("addf", inner, step("constant", 1.0)))
        elif kind == "gelu_tanh":
            cube = step("mulf", step("mulf", value, value), value)
            inner = step("mulf", step("fma", cube, step("constant", 0.044715), value), step("constant", (2 / math.pi) ** 0.5))
            value = step("mulf", step("mulf", value, step("constant", 0.5)), step("addf", step("tanh", inner), step("constant", 1.0)))
        elif kind == "relu":
            value = step("maximumf", value, step("constant", 0.0))
        elif kind == "clamp":
            value = step("minimumf", step("maximumf", value, step("constant", -6.0)), step("constant", 7.0))
        elif kind == "softcap":
            value = step("mulf", step("tanh", step("divf", value, step("constant", 5.0))), step("constant", 5.0))
        elif kind == "leaky":
            positive = step("cmpf ogt", value, step("constant", 0.0))
            value = step("select", positive, value, step("mulf", value, step("constant", 0.125)))
        else:
            value = step("subf", step("mulf", step("absf", value), value), step("constant", 0.25))
        if left and rng.random() < 0.7:
            value = step(rng.choice(["addf", "mulf", "subf"]), value, left.pop())
    for name in left + (["up"] if "up" in inputs else []):
        value = step(rng.choice(["addf", "mulf"]), value, name)
    return steps


def draw(number, seed):
    rng = random.Random(f"{seed} {number}")
    grouping = rng.choice(["none"] * 4 + ["row_end", "row_count", "batched"])
    quantised = rng.random() < 0.35
    item = {"number": number, "grouping": grouping, "groups": 1 if grouping == "none" else rng.randint(1, 5),
            "n": 128 * rng.randint(1, 5) if quantised else 8 * rng.randint(2, 80), "k": 16 * rng.randint(1, 60),
            "sfa": rng.choice(["mn_major", "k_major"]), "gated": rng.random() < 0.2,
            "d": "e4m3" if quantised else rng.choice(["bf16", "bf16", "f32"]), "sfd": rng.choice(["mn_major", "k_major"]),
            "power_of_two": quantised and rng.random() < 0.5}
    if item["gated"]:
        item["n"] = 128 * rng.randint(1, 4)
    kinds = ["scalar", "row", "column", "matrix"] + (["row_of_group"] if grouping != "none" else [])
    item["operands"] = [(rng.choice(kinds), rng.choice(["f32", "bf16", "f16"])) for _ in range(rng.choice([0, 1, 1, 2, 2, 3]))]
    inputs = ["sum"] + ["up"] * item["gated"] + [f"x{i}" for i in range(len(item["operands"]))]
    item["function"] = draw_function(rng, inputs)
    swap = item["d"] == "bf16" and rng.random() < 0.35
    if quantised:
        item["config"] = rng.choice(["", f"tile_m = 64, tile_n = {256 if item['gated'] else 128}",
                                     f"tile_m = 128, tile_n = {256 if item['gated'] else 128}"])
        if grouping == "none" and item["k"] > 512 and rng.random() < 0.5:
            item["config"] = f"tile_m = 64, tile_n = {256 if item['gated'] else 128}, split_k = {rng.choice([2, 4])}"
    elif swap:
        item["config"] = f"tile_m = {8 * rng.randint(1, 8)}, tile_n = {rng.choice([128, 256]) if item['gated'] else rng.choice([64, 128])}, swap_ab = 1"
    elif grouping == "none" and item["k"] > 256 and rng.random() < 0.3 and not item["gated"]:
        item["config"] = "tile_m = 64, tile_n = 64, split_k = 2"
    else:
        item["config"] = rng.choice(["", "", "tile_m = 64, tile_n = 64", "tile_m = 64, tile_n = 128"])
    return item


# ----------------------------------------------------------------------------------
# MLIR
# ----------------------------------------------------------------------------------


def shape_of(item, kind):
    grouped = item["grouping"] in ("row_count", "batched")
    outer = f"{item['groups']}x" if grouped else ""
    return {"scalar": "", "row": f"{item['n']}x", "column": f"{outer}?x1x", "matrix": f"{outer}?x{item['n']}x",
            "row_of_group": f"{item['groups']}x1x{item['n']}x"}[kind]


def operation(name, op, operands):
    refs = ", ".join(f"%{operand}" for operand in operands)
    if op == "constant":
        return f"%{name} = arith.constant {operands[0]:.9e} : f32"
    if op == "select":
        return f"%{name} = arith.select {refs} : f32"
    if op.startswith("cmpf"):
        return f"%{name} = arith.cmpf {op.split()[1]}, {refs} : f32"
    dialect = "arith" if op.split()[0] in ("addf", "subf", "mulf", "divf", "negf", "maximumf", "minimumf") else "math"
    flags = " fastmath<afn>" if op.endswith("afn") else ""
    return f"%{name} = {dialect}.{op.split()[0]} {refs}{flags} : f32"


def text_of(item, d=None):
    """The product, with another D than the item's if `d` is given."""
    d = d or item["d"]
    n, k, groups, grouping = item["n"], item["k"], item["groups"], item["grouping"]
    rows_of_b, blocks = n * (2 if item["gated"] else 1), -(-k // 128)
    own = f"{groups}x" if grouping in ("row_count", "batched") else ""
    of_b = f"{groups}x" if grouping != "none" else ""
    scales = lambda outer, rows, count, layout: f"memref<{outer}{f'{count}x{rows}' if layout == 'mn_major' else f'{rows}x{count}'}xf32>"
    types = [f"memref<{own}?x{k}xf8E4M3FN>", scales(own, "?", blocks, item["sfa"]), f"memref<{of_b}{rows_of_b}x{k}xf8E4M3FN>",
             scales(of_b, -(-rows_of_b // 128), blocks, "k_major")]
    described = grouping in ("row_end", "row_count")
    types += [f"memref<{groups}xi32>"] * described
    types.append(f"memref<{own}?x{n}x{'f8E4M3FN' if d == 'e4m3' else d}>")
    sfd = scales(own, "?", n // 128, item["sfd"]) if d == "e4m3" else None
    operands = [f"memref<{shape_of(item, kind)}{MLIR_TYPES[element]}>" for kind, element in item["operands"]]
    names = ["%a", "%sfa", "%b", "%sfb"] + ["%groups"] * described + ["%d"]
    arguments = [f"{name}: {type}" for name, type in zip(names, types)] + [f"%sfd: {sfd}"] * bool(sfd)
    arguments += [f"%o{i}: {type}" for i, type in enumerate(operands)]
    into = f"%d scaled_by %sfd <1x128, {item['sfd']}>{' power_of_two' if item['power_of_two'] else ''}" if sfd else "%d"
    inputs = ["sum"] + ["up"] * item["gated"] + [f"x{i}" for i in range(len(operands))]
    body = "\n".join("    " + operation(*step) for step in item["function"])
    op = "gemm" if grouping == "none" else "grouped_gemm"
    return f"""func.func @product({', '.join(arguments)}) {{
  fp8gemm.{op} %a scaled_by %sfa <1x128, {item['sfa']}>, %b scaled_by %sfb <128x128, k_major>{f' groups %groups <{grouping}>' if described else ''} into {into}
    : {', '.join(types)}{f' scaled_by {sfd}' if sfd else ''}
    {'gated ' if item['gated'] else ''}epilogue{f"({', '.join(f'%o{i} : {type}' for i, type in enumerate(operands))})" if operands else ''} {{
  ^bb0({', '.join(f'%{name}: f32' for name in inputs)}):
{body}
    fp8gemm.yield %{item['function'][-1][0]} : f32
  }}
  return
}}
"""


def compile_text(folder, name, text, config, ptxas):
    """The entry of the kernel, as text; or why there is none."""
    source = folder / f"{name}.mlir"
    source.write_text(text)
    base = [ROOT / "build" / "bin" / "fp8gemm-compile", source] + ([f"--config={config}"] if config else [])
    lowered = subprocess.run(base + ["--emit=nvvm", "-o", folder / f"{name}.nvvm.mlir"], capture_output=True, text=True)
    if lowered.returncode:
        return None, lowered.stderr
    subprocess.run(base + ["--emit=ptx", "-o", folder / f"{name}.ptx"], check=True, capture_output=True)
    built = subprocess.run([ptxas, "-arch=sm_90a", "-v", folder / f"{name}.ptx", "-o", folder / f"{name}.cubin"], capture_output=True, text=True)
    if built.returncode:
        raise SystemExit(f"{name}: {built.stderr}")
    if not re.search(r"\b0 bytes spill stores", built.stderr):
        raise SystemExit(f"{name}: spills: {built.stderr}")
    nvvm = (folder / f"{name}.nvvm.mlir").read_text()
    (folder / f"{name}.nvvm.mlir").unlink()
    return entry_of(nvvm), ""


def entry_of(text):
    """What hopper.entry says: parameters, threads, cluster, tile, bytes of shared memory."""
    aliases = dict(re.findall(r"^([!#]\w+) = (.+)$", text, re.M))
    line = next(line for line in text.splitlines() if "hopper.entry @" in line)
    for _ in range(3):
        line = re.sub(r"[!#]\w+\b", lambda match: aliases.get(match.group(0), match.group(0)), line)
    params = []
    for kind, operand, rest in re.findall(r"<(tensor_map|matrix|leading_dimension|group_stride|extent) of (\w+)((?: : [^>]*<[^>]*>[^>]*)?)>", line):
        box = re.search(r"memref<([\dx]+)x(\w+)", rest)
        params.append({"kind": kind, "operand": operand, "box": [int(x) for x in box.group(1).split("x")] if box else None,
                       "element": box.group(2) if box else None,
                       "swizzle": next((int(x) for x in re.findall(r"swizzle_(\d+)b", rest)), 0)})
    number = lambda name, usual=None: int((re.search(rf"\b{name}(?: = |\()(\d+)", line.split("launch")[1]) or [0, usual])[1])
    return {"name": re.search(r"hopper.entry @(\w+)", line).group(1), "params": params, "threads": number("threads"), "tile_m": number("tile_m"),
            "tile_n": number("tile_n"), "cluster": number("cluster_m", 1) * number("cluster_n", 1) * number("split_k", 1),
            "split_k": number("split_k", 1), "cluster_m": number("cluster_m", 1), "cluster_n": number("cluster_n", 1),
            "smem": number("smem_bytes")}


def stage(folder, kernels, seed, ptxas, jobs):
    folder.mkdir(parents=True, exist_ok=True)

    def build(number):
        item = draw(number, seed)
        item["entry"], why = compile_text(folder, f"item{number}", text_of(item), item["config"], ptxas)
        if item["entry"] and item["d"] == "e4m3":
            # Sums have the same order, and bits, where K is split alike.
            split = re.search(r"split_k = \d+", item["config"])
            config = f"tile_m = 64, tile_n = {128 if item['gated'] else 64}, {split[0]}" if split else ""
            item["entry_f32"], why = compile_text(folder, f"item{number}-f32", text_of(item, "f32"), config, ptxas)
        return item if item["entry"] else why

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(build, range(kernels)))
    items = [item for item in results if isinstance(item, dict)]
    for why in results:
        if not isinstance(why, dict):
            print("refused:", why.strip().splitlines()[0][:200])
    (folder / "items.json").write_text(json.dumps(items))
    print(f"{len(items)} of {kernels} kernels, {len(items) * LAUNCHES} problems")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("stage", "run"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kernels", type=int, default=130)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ptxas", default="ptxas")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if options.what == "stage":
        return stage(options.folder, options.kernels, options.seed, options.ptxas, options.jobs)
    import epilogue_case
    sys.exit(bool(epilogue_case.run(options.folder)))


if __name__ == "__main__":
    main()
