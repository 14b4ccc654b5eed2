# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random contractions of FP8: each is raised, or left with a remark, and whatever becomes of it compiles for a CPU. Extents
are static, dynamic and spare; each formula is drawn with them."""

import random
import re
import subprocess
from pathlib import Path

import pytest

OPT = Path(__file__).resolve().parents[3] / "build" / "bin" / "fp8gemm-opt"
F8 = ["f8E4M3FN", "f8E5M2"]
CASES = 60

SUMMED = {
    "mul": ["%p = arith.mulf %sx, %sy : f32", "%q = arith.addf %sum, %p : f32", "linalg.yield %q : f32"],
    "fma": ["%q = math.fma %sx, %sy, %sum : f32", "linalg.yield %q : f32"],
    "narrow": ["%h = arith.truncf %sx : f32 to bf16", "%w = arith.extf %h : bf16 to f32",
               "%q = math.fma %w, %sy, %sum : f32", "linalg.yield %q : f32"],
    "divided": ["%dx = arith.divf %sx, %sy : f32", "%q = arith.addf %sum, %dx : f32", "linalg.yield %q : f32"],
    "narrow_sum": ["%p = arith.mulf %sx, %sy : f32", "%w = arith.extf %sum : bf16 to f32", "%r = arith.addf %w, %p : f32",
                   "%q = arith.truncf %r : f32 to bf16", "linalg.yield %q : bf16"],
}

ADDED = {
    "same": "    ^bb0(%x: {t}, %y: {t}, %o: {t}):\n      %q = arith.addf %x, %y : {t}\n      linalg.yield %q : {t}\n",
    "narrow": """    ^bb0(%x: f32, %y: bf16, %o: bf16):
      %w = arith.extf %y : bf16 to f32
      %q = arith.addf %w, %x : f32
      %h = arith.truncf %q : f32 to bf16
      linalg.yield %h : bf16
""",
}


def ceil_div(a, b):
    return -(-a // b)


class Case:
    """One function, with one contraction of FP8."""

    def __init__(self, index, rng):
        self.name, self.rng = f"case{index}", rng
        self.m, self.n = rng.choice([1, 5, 8, 200]), rng.choice([8, 12, 16, 128, 136, 136])
        self.k = rng.choice([16, 100, 128, 144, 256, 384])
        self.groups = rng.choice([0, 0, 0, 1, 3])
        self.formula = rng.choice([*["mul", "fma"] * 4, *SUMMED])
        self.memrefs = self.formula in ("mul", "fma", "narrow", "divided") and rng.random() < 0.1
        self.before = rng.random() < 0.4 and not self.memrefs  # scaled before the contraction, or in its body
        self.b_rows = rng.choice([1, 128])
        self.start = rng.choice(["zero", "zero", "zero", "zero", "c", "c", "empty"])
        self.added = rng.choice([None, None, "c", "narrow"])

    def dims(self, *sizes, spare=()):
        """A shape: some extents dynamic; those that are `spare` larger, now and then."""
        rng, shape = self.rng, [self.groups] if self.groups else []
        for position, size in enumerate(sizes):
            size += rng.choice([0, 0, 0, 1, 3]) if position in spare else 0
            shape.append(size)
        return [-1 if rng.random() < 0.04 else size for size in shape]

    def tensor(self, shape, element):
        kind = "memref" if self.memrefs else "tensor"
        return f"{kind}<{''.join('?x' if size < 0 else f'{size}x' for size in shape)}{element}>"

    def scales(self, rows, size, row):
        """The map of scales, and their type: blocks of `rows`, either order, spare blocks of K, or of rows by index."""
        index = [f"{row} floordiv {rows}" if rows > 1 else row, "k floordiv 128"]
        sizes, spare = [ceil_div(size, rows), ceil_div(self.k, 128)], [1] + [0] * (rows > 1)
        if self.rng.random() < 0.4:
            index, sizes, spare = index[::-1], sizes[::-1], [1 - position for position in spare]
        return index, self.tensor(self.dims(*sizes, spare=spare if self.rng.random() < 0.2 else ()), "f32")

    def map(self, loops, index):
        group = ["g"] if self.groups else []
        return f"affine_map<({', '.join(group + loops)}) -> ({', '.join(group + index)})>"

    def iterators(self, parallel, reduction=0):
        kinds = ["parallel"] * (parallel + bool(self.groups)) + ["reduction"] * reduction
        return "[" + ", ".join(f'"{kind}"' for kind in kinds) + "]"

    def dequantised(self, x, type_, sf, scale_map, scale_type, row, result, element):
        loops = [row, "k"]
        wide = self.tensor(self.dims_of[x], "f32")
        self.arguments.append(f"%w{x}: {wide}")
        plain = self.map(loops, loops)
        return f"""  %{result} = linalg.generic {{indexing_maps = [{plain}, {self.map(loops, scale_map)}, {plain}], iterator_types = {self.iterators(2)}}}
      ins(%{x}, %{sf} : {type_}, {scale_type}) outs(%w{x} : {wide}) {{
    ^bb0(%e: {element}, %s: f32, %o: f32):
      %f = arith.extf %e : {element} to f32
      %p = arith.mulf %f, %s : f32
      linalg.yield %p : f32
  }} -> {wide}
"""

    def text(self):
        a_element, b_element = self.rng.choice(F8), self.rng.choice(F8)
        self.dims_of = {"a": self.dims(self.m, self.k), "b": self.dims(self.n, self.k)}
        a, b = self.tensor(self.dims_of["a"], a_element), self.tensor(self.dims_of["b"], b_element)
        sfa_map, sfa = self.scales(1, self.m, "m")
        sfb_map, sfb = self.scales(self.b_rows, self.n, "n")
        sum_element = "bf16" if self.formula == "narrow_sum" else "f32"
        shape = self.dims(self.m, self.n)
        if self.start == "empty":  # has no operands for dynamic sizes here
            shape = ([self.groups] if self.groups else []) + [self.m, self.n]
        d = self.tensor(shape, sum_element)
        self.arguments = [f"%a: {a}", f"%sfa: {sfa}", f"%b: {b}", f"%sfb: {sfb}", f"%c: {d}"]
        lines, init = "", "c"
        if self.start == "empty" and not self.memrefs:
            lines, init = f"  %z = tensor.empty() : {d}\n", "z"
        elif self.start == "zero" and not self.memrefs:
            lines = f"  %zero = arith.constant 0.0 : {sum_element}\n"
            lines += f"  %z = linalg.fill ins(%zero : {sum_element}) outs(%c : {d}) -> {d}\n"
            init = "z"
        loops = ["m", "n", "k"]
        if self.before:
            lines += self.dequantised("a", a, "sfa", sfa_map, sfa, "m", "da", a_element)
            lines += self.dequantised("b", b, "sfb", sfb_map, sfb, "n", "db", b_element)
            a, b = (self.tensor(self.dims_of[x], "f32") for x in "ab")
            ins, types, maps = "%da, %db", f"{a}, {b}", [["m", "k"], ["n", "k"]]
            head, scaled = "%sx: f32, %sy: f32", []
        else:
            ins, types = "%a, %sfa, %b, %sfb", f"{a}, {sfa}, {b}, {sfb}"
            maps = [["m", "k"], sfa_map, ["n", "k"], sfb_map]
            head = f"%x: {a_element}, %s: f32, %y: {b_element}, %t: f32"
            scaled = [f"%wx = arith.extf %x : {a_element} to f32", f"%wy = arith.extf %y : {b_element} to f32",
                      "%sx = arith.mulf %wx, %s : f32", "%sy = arith.mulf %t, %wy : f32"]
        body = "".join(f"      {line}\n" for line in scaled + SUMMED[self.formula])
        maps = ", ".join(self.map(loops, index) for index in [*maps, ["m", "n"]])
        result, arrow = ("", "") if self.memrefs else ("%d = ", f" -> {d}")
        lines += f"""  {result}linalg.generic {{indexing_maps = [{maps}], iterator_types = {self.iterators(2, 1)}}} // CONTRACTION
      ins({ins} : {types}) outs(%{init} : {d}) {{
    ^bb0({head}, %sum: {sum_element}):
{body}  }}{arrow}
"""
        if self.memrefs:
            return f"func.func @{self.name}({', '.join(self.arguments)}) {{\n{lines}  return\n}}\n"
        returned, narrow = "d", self.tensor(shape, "bf16")
        if self.added:
            more, d_before, d = (d, d, d) if self.added == "c" or sum_element == "bf16" else (narrow, d, narrow)
            self.arguments += [f"%more: {more}", f"%room: {d}"]
            identity = self.map(["m", "n"], ["m", "n"])
            added = ADDED["same" if more == d_before else "narrow"].format(t=sum_element)
            lines += f"""  %r = linalg.generic {{indexing_maps = [{identity}, {identity}, {identity}], iterator_types = {self.iterators(2)}}}
      ins(%d, %more : {d_before}, {more}) outs(%room : {d}) {{
{added}  }} -> {d}
"""
            returned = "r"
        return f"func.func @{self.name}({', '.join(self.arguments)}) -> {d} {{\n{lines}  return %{returned} : {d}\n}}\n"


def optimize(text, *passes):
    return subprocess.run([OPT, *passes, "--mlir-print-op-on-diagnostic=false", "-"], input=text, capture_output=True, text=True)


def functions(text):
    """Each function's text, by name."""
    return {part.split("(", 1)[0]: part for part in re.split(r"func\.func (?:private )?@", text)[1:]}


def draw(seed):
    rng = random.Random(seed)
    return "".join(Case(index, rng).text() for index in range(CASES))


@pytest.mark.parametrize("seed", range(4))
def test_raised_or_remarked(seed):
    text = draw(seed)
    accepted = optimize(text)
    assert accepted.returncode == 0, accepted.stderr[:2000]  # the functions themselves are valid
    raised = optimize(text, "--raise-linalg-to-fp8gemm")
    assert raised.returncode == 0, raised.stderr[:2000]
    remarked = {int(line) for line in re.findall(r"<stdin>:(\d+):\d+: remark: not raised to fp8gemm\.\w+: expected .+, got .+", raised.stderr)}
    lines = text.splitlines()
    assert all("// CONTRACTION" in lines[line - 1] for line in remarked)
    after, name, counts = functions(raised.stdout), None, {True: 0, False: 0}
    for number, line in enumerate(lines, 1):
        name = line.split("@", 1)[1].split("(", 1)[0] if line.startswith("func.func") else name
        if "// CONTRACTION" in line:
            is_raised = "fp8gemm." in after[name]
            assert is_raised != (number in remarked), f"expected {name} to be raised or remarked"
            assert is_raised != ('"reduction"' in after[name]), f"expected {name} to be left as it is, or replaced"
            counts[is_raised] += 1
    assert min(counts.values()) >= CASES // 8, f"expected both raised contractions and others, got {counts}"


def test_compiles():
    compiled = optimize(draw(0), "--raise-linalg-to-fp8gemm", "--fp8gemm-to-llvm-cpu")
    assert compiled.returncode == 0, [line for line in compiled.stderr.splitlines() if "error" in line][:5]
    assert "fp8gemm." not in compiled.stdout and "linalg." not in compiled.stdout
