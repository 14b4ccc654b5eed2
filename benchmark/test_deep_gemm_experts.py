# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Both forms of the experts with DeepGEMM's products, which PyTorch computes here, beside experts one by one."""

import importlib
import sys
import types

import pytest

torch = pytest.importorskip("torch")
ft = pytest.importorskip("fp8gemm.torch")

from fp8gemm.layers import _stages, quantize_experts  # noqa: E402

EXPERTS, HIDDEN, WIDTH = 3, 256, 128


def product(a, b, d, groups_of_rows):
    (values, scales), (weights, of_weights) = a, b
    plain = ft.dequantize(values, scales)
    for expert in range(EXPERTS):
        rows = groups_of_rows(expert)
        d[rows] = (plain[rows] @ ft.dequantize(weights[expert], of_weights[expert]).T).to(d.dtype)


@pytest.fixture
def experts_of_deep_gemm(monkeypatch):
    module = types.ModuleType("deep_gemm")
    module.get_mn_major_tma_aligned_tensor = lambda scales: scales
    module.m_grouped_fp8_gemm_nt_contiguous = lambda a, b, d, index: product(a, b, d, lambda expert: index == expert)

    def masked(a, b, d, counts, expected):
        for expert, count in enumerate(counts.tolist()):
            product([part[expert] for part in a], b, d[expert], lambda e: torch.arange(d.shape[1]) < (count if e == expert else 0))

    module.m_grouped_fp8_gemm_nt_masked = masked
    monkeypatch.setitem(sys.modules, "deep_gemm", module)
    monkeypatch.delitem(sys.modules, "deep_gemm_experts", raising=False)
    yield importlib.import_module("deep_gemm_experts").DeepGemmExperts
    sys.modules.pop("deep_gemm_experts")


@pytest.mark.parametrize("form", ["contiguous", "masked"])
def test_results_are_those_of_the_experts(experts_of_deep_gemm, form):
    torch.manual_seed(0)
    made = [part for n, k in ((2 * WIDTH, HIDDEN), (HIDDEN, WIDTH)) for part in quantize_experts(torch.randn(EXPERTS, n, k) / k**0.5)]
    x, ids = torch.randn(150, HIDDEN).bfloat16(), torch.randint(-1, EXPERTS, (150, 2))
    values, scales = _stages.quantize(x)
    y, places = getattr(experts_of_deep_gemm(made, {"swiglu_quantize": _stages.swiglu_quantize}, EXPERTS), form)(values, scales, ids)
    for t in range(len(x)):
        for expert, place in zip(ids[t].tolist(), places[t].tolist()):
            assert (place >= 0) == (expert >= 0)
            if expert >= 0:
                row = ft.dequantize(values[t:t + 1], scales[t:t + 1]) @ ft.dequantize(made[0][expert], made[1][expert]).T
                inner = ft.dequantize(*_stages.swiglu_quantize(row.bfloat16()))
                torch.testing.assert_close(y[place].float(), (inner @ ft.dequantize(made[2][expert], made[3][expert]).T)[0], rtol=2e-2, atol=2e-2)
