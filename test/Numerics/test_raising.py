# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What torch-mlir makes of plain formulas, and what raise-linalg-to-fp8gemm makes of that: both run on the CPU, on the
same data, each within its bound of the exact product."""

from pathlib import Path

import numerics
import numpy as np
import pytest
from compiled import compile_function
from numerics import C_CPU, E5M2, F32, by_constant, random_problem

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
