# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What torch-mlir makes of plain formulas, and what raise-linalg-to-fp8gemm makes of that: both run on the CPU, on the
same data, each within its bound of the exact product. And what it makes of formulas with C, and of a batch."""

from pathlib import Path

import numerics
import numpy as np
import pytest
from compiled import BIN, compile_function
from compiled import run as run_tool
from numerics import BF16, C_CPU, E5M2, F32, K_MAJOR, by_constant, random_problem

FORMULAS = Path(__file__).resolve().parents[1] / "Conversion" / "LinalgToFP8Gemm" / "Inputs"
M, N, K = 8, 256, 384

# Each element is scaled, which rounds twice, and all K are added: 2^-24 of S each time (docs/Numerics.md, as for 128).
C_FORMULA = (K + 3) / 2**11


def run(name, folder, problem, sfa, *passes):
    function = compile_function((FORMULAS / f"{name}.mlir").read_text(), folder, *passes)
    m, n, _ = problem.shape
    return function(problem.a, np.ascontiguousarray(sfa), problem.b, problem.sfb, returns=((m, n), problem.d_type))


@pytest.mark.parametrize("name, m, transposed, options", [
    ("linear", M, False, {}),
    ("linear_any_m", 33, False, {}),
    ("scales_transposed", M, True, {}),
    ("weight_gradient", M, False, {"sfb_rows": 1, "b_type": E5M2, "d_type": F32}),
])
def test_raised(tmp_path, name, m, transposed, options):
    problem = random_problem(m, N, K, 5, **options)
    sfa = problem.sfa.T if transposed else problem.sfa
    (tmp_path / "raised").mkdir()
    formula = run(name, tmp_path, problem, sfa)
    raised = run(name, tmp_path / "raised", problem, sfa, "--raise-linalg-to-fp8gemm", "--convert-fp8gemm-to-linalg")
    for result, c in ((formula, C_FORMULA), (raised, C_CPU)):
        part, relative = numerics.errors(problem, result, by_constant(c))
        assert part <= 1, f"expected each error within its bound, got {part:.3g} of it"
        assert relative <= 2.0**-8
    # And so the two differ by no more than both may be off.
    d, magnitude = numerics.reference(problem)
    allowed = sum(numerics.bound(problem, d, magnitude, by_constant(c)) for c in (C_FORMULA, C_CPU))
    assert (np.abs(formula.astype(np.float64) - raised.astype(np.float64)) <= allowed).all()


# A sum of scaled products. {g} is the extent of a batch, {d} its dimension, {i} its iterator.
PRODUCT = """
#a = affine_map<({d}m, n, k) -> ({d}m, k)>
#sfa = affine_map<({d}m, n, k) -> ({d}m, k floordiv 128)>
#b = affine_map<({d}m, n, k) -> ({d}n, k)>
#sfb = affine_map<({d}m, n, k) -> ({d}n floordiv 128, k floordiv 128)>
#d = affine_map<({d}m, n, k) -> ({d}m, n)>
#id = affine_map<(m, n) -> (m, n)>
func.func @formula(%a: tensor<{g}8x272xf8E4M3FN>, %sfa: tensor<{g}8x3xf32>, %b: tensor<{g}136x272xf8E4M3FN>, %sfb: tensor<{g}2x3xf32>, %c: tensor<{g}8x136x{c}>) -> tensor<{g}8x136x{result}> {{
  %zero = arith.constant 0.0 : f32
  %room = tensor.empty() : tensor<{g}8x136xf32>
  %start = linalg.fill ins(%zero : f32) outs(%room : tensor<{g}8x136xf32>) -> tensor<{g}8x136xf32>
  %sum = linalg.generic {{indexing_maps = [#a, #sfa, #b, #sfb, #d], iterator_types = [{i}"parallel", "parallel", "reduction"]}}
      ins(%a, %sfa, %b, %sfb : tensor<{g}8x272xf8E4M3FN>, tensor<{g}8x3xf32>, tensor<{g}136x272xf8E4M3FN>, tensor<{g}2x3xf32>)
      outs({start} : tensor<{g}8x136xf32>) {{
    ^bb0(%x: f8E4M3FN, %s: f32, %y: f8E4M3FN, %t: f32, %o: f32):
      %wx = arith.extf %x : f8E4M3FN to f32
      %wy = arith.extf %y : f8E4M3FN to f32
      %sx = arith.mulf %wx, %s : f32
      %sy = arith.mulf %wy, %t : f32
      %next = math.fma %sx, %sy, %o : f32
      linalg.yield %next : f32
  }} -> tensor<{g}8x136xf32>
{after}}}
"""
ADDED = """  %r = linalg.add ins(%sum, %c : tensor<8x136xf32>, tensor<8x136xf32>) outs(%room : tensor<8x136xf32>) -> tensor<8x136xf32>
  return %r : tensor<8x136xf32>
"""
ADDED_AND_ROUNDED = """  %narrow = tensor.empty() : tensor<8x136xbf16>
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%c, %sum : tensor<8x136xbf16>, tensor<8x136xf32>) outs(%narrow : tensor<8x136xbf16>) {
    ^bb0(%x: bf16, %y: f32, %o: bf16):
      %w = arith.extf %x : bf16 to f32
      %p = arith.addf %w, %y : f32
      %h = arith.truncf %p : f32 to bf16
      linalg.yield %h : bf16
  } -> tensor<8x136xbf16>
  return %r : tensor<8x136xbf16>
"""


def raised(text, folder):
    """The operation that is made of the formula, and a function that computes it."""
    operation = run_tool(BIN / "fp8gemm-opt", "--raise-linalg-to-fp8gemm", "--canonicalize", "-", input=text.encode()).decode()
    assert "linalg.generic" not in operation
    return operation, compile_function(text, folder, "--raise-linalg-to-fp8gemm")


@pytest.mark.parametrize("start, after, element", [
    ("%c", "  return %sum : tensor<8x136xf32>\n", "f32"),
    ("%start", ADDED, "f32"),
    ("%start", ADDED_AND_ROUNDED, "bf16"),
])
def test_c(tmp_path, start, after, element):
    text = PRODUCT.format(g="", d="", i="", c=element, result=element, start=start, after=after)
    problem = random_problem(8, 136, 272, 7, d_type=F32 if element == "f32" else BF16, c=True)
    operation, function = raised(text, tmp_path)
    assert " plus " in operation
    before = problem.c.copy()
    result = function(problem.a, problem.sfa, problem.b, problem.sfb, problem.c.copy(), returns=((8, 136), problem.d_type))
    part, relative = numerics.errors(problem, result, by_constant(C_CPU))
    assert part <= 1 and relative <= 2.0**-8
    # To the bit what the operation is: C is added once, at the end.
    expected = before.copy()
    numerics.cpu_call(8, 136, 272, K_MAJOR, K_MAJOR, problem.a, problem.sfa, problem.b, problem.sfb, expected, before)
    assert (result.view(np.uint8) == expected.view(np.uint8)).all()


def test_batch(tmp_path):
    text = PRODUCT.format(g="3x", d="g, ", i='"parallel", ', c="f32", result="f32", start="%start", after="  return %sum : tensor<3x8x136xf32>\n")
    problems = [random_problem(8, 136, 272, seed, d_type=F32) for seed in range(3)]
    operation, function = raised(text, tmp_path)
    assert "fp8gemm.grouped_gemm" in operation
    operands = [np.stack([getattr(problem, name) for problem in problems]) for name in ("a", "sfa", "b", "sfb")]
    result = function(*operands, np.zeros((3, 8, 136), F32), returns=((3, 8, 136), F32))
    for problem, of_group in zip(problems, result):
        part, relative = numerics.errors(problem, of_group, by_constant(C_CPU))
        assert part <= 1 and relative <= 2.0**-8


FUSED = """
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>
func.func @fused(%a: tensor<8x272xf8E4M3FN>, %sfa: tensor<8x3xf32>, %b: tensor<256x272xf8E4M3FN>, %sfb: tensor<2x3xf32>, %bias: tensor<{n}xf32>, %c: tensor<8x{n}xbf16>) -> {result} {{
  %d = tensor.empty() : tensor<8x256x{sum}>
  %e = tensor.empty() : tensor<8x{n}xf32>
  %one = arith.constant 1.0 : f32
  %product = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<8x272xf8E4M3FN>, tensor<8x3xf32>, tensor<256x272xf8E4M3FN>, tensor<2x3xf32>, tensor<8x256x{sum}> -> tensor<8x256x{sum}>
{parts}  %silu = linalg.generic {{indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%gate, %bias : tensor<8x{n}x{sum}>, tensor<{n}xf32>) outs(%e : tensor<8x{n}xf32>) {{
    ^bb0(%x: {sum}, %y: f32, %o: f32):
{widen}      %biased = arith.addf %w, %y : f32
      %minus = arith.negf %biased : f32
      %power = math.exp %minus : f32
      %all = arith.addf %power, %one : f32
      %s = arith.divf %biased, %all : f32
      linalg.yield %s : f32
  }} -> tensor<8x{n}xf32>
  %h = linalg.generic {{indexing_maps = [#id, #id, #id, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%silu, %up, %c : tensor<8x{n}xf32>, tensor<8x{n}x{sum}>, tensor<8x{n}xbf16>) outs(%e : tensor<8x{n}xf32>) {{
    ^bb0(%u: f32, %x: {sum}, %y: bf16, %o: f32):
{widen}      %v = arith.mulf %u, %w : f32
      %r = arith.extf %y : bf16 to f32
      %z = arith.addf %v, %r : f32
      linalg.yield %z : f32
  }} -> tensor<8x{n}xf32>
{end}}}
"""
WHOLE = """  %gate = tensor.cast %product : tensor<8x256x{sum}> to tensor<8x256x{sum}>
  %up = tensor.cast %product : tensor<8x256x{sum}> to tensor<8x256x{sum}>
"""
HALVES = """  %gate = tensor.extract_slice %product[0, 0] [8, 128] [1, 1] : tensor<8x256x{sum}> to tensor<8x128x{sum}>
  %up = tensor.extract_slice %product[0, 128] [8, 128] [1, 1] : tensor<8x256x{sum}> to tensor<8x128x{sum}>
"""
QUANTISED = """  %q = tensor.empty() : tensor<8x{n}xf8E4M3FN>
  %scales = tensor.empty() : tensor<8x{blocks}xf32>
  %r:2 = fp8gemm.quantize %h into %q scaled_by %scales <1x128, k_major> : tensor<8x{n}xf32>, tensor<8x{n}xf8E4M3FN>, tensor<8x{blocks}xf32>
    -> tensor<8x{n}xf8E4M3FN>, tensor<8x{blocks}xf32>
  return %r#{number} : {result}
"""


@pytest.mark.parametrize("end", ["sums", "elements", "scales"])
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("element", ["f32", "bf16"])
def test_fused_operations_keep_their_bits(tmp_path, end, gated, element):
    n = 128 if gated else 256
    names = dict(n=n, sum=element, blocks=n // 128, number=int(end == "scales"),
                 result={"sums": f"tensor<8x{n}xf32>", "elements": f"tensor<8x{n}xf8E4M3FN>", "scales": f"tensor<8x{n // 128}xf32>"}[end])
    widen = "      %w = arith.extf %x : bf16 to f32\n" if element == "bf16" else "      %w = arith.addf %x, %zero : f32\n"
    text = FUSED.format(parts=(HALVES if gated else WHOLE).format(**names), widen=widen,
                        end="  return %h : tensor<8x{n}xf32>\n".format(**names) if end == "sums" else QUANTISED.format(**names), **names)
    text = text.replace("  %one = ", "  %zero = arith.constant -0.0 : f32\n  %one = ")
    fused = run_tool(BIN / "fp8gemm-opt", "--canonicalize", "--raise-linalg-to-fp8gemm", "-", input=text.encode()).decode()
    assert "linalg.generic" not in fused and "fp8gemm.quantize" not in fused and fused.count("fp8gemm.gemm") == 1 and ("gated" in fused) == gated
    problem, rng = random_problem(8, 256, 272, 7), np.random.default_rng(3)
    operands = problem.a, problem.sfa, problem.b, problem.sfb, rng.standard_normal(n).astype(F32), rng.standard_normal((8, n)).astype(BF16)
    shape, kind = {"sums": ((8, n), F32), "elements": ((8, n), numerics.E4M3), "scales": ((8, n // 128), F32)}[end]
    (tmp_path / "fused").mkdir()
    apart = compile_function(text, tmp_path)(*operands, returns=(shape, kind))
    together = compile_function(text, tmp_path / "fused", "--canonicalize", "--raise-linalg-to-fp8gemm")(*operands, returns=(shape, kind))
    assert np.unique(apart.view(np.uint8)).size > 8
    np.testing.assert_array_equal(together.view(np.uint8), apart.view(np.uint8))


def test_mlp(tmp_path):
    """From torch-mlir, against float64: what is off is the rounding of the hidden layer to e4m3."""
    up, down = random_problem(M, 512, K, 5), random_problem(M, 256, 256, 6)
    function = compile_function((FORMULAS / "quantised_mlp.mlir").read_text(), tmp_path, "--raise-linalg-to-fp8gemm")
    left = numerics.reference(up)[0]
    gate, other = np.split(left, 2, axis=1)
    # Small enough for the exponential function, large enough for SiLU not to be linear.
    unit = F32(2 / np.abs(left).max())
    weights = up.sfb * unit
    hidden = gate * unit / (1 + np.exp(-gate * unit)) * other * unit
    exact = hidden @ (down.b.astype(np.float64) * np.kron(down.sfb, np.ones((128, 128)))).T
    result = function(up.a, up.sfa, up.b, weights, down.b, down.sfb, returns=((M, 256), BF16)).astype(np.float64)
    assert np.linalg.norm(result - exact) <= 0.06 * np.linalg.norm(exact)
