# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""layer.py without a GPU: what its tables say of times, of errors, and of what was not measured."""

import time

import layer
import pytest


def dense(item):
    return {**item, "us": {"bf16": 30.0, "fp8gemm": 20.0, "product": 15.0}, "errors": {"fp8gemm": 0.03, "product": 0.03}, "links": 4}


def mixed(item, error=0.04):
    times = {"fp8gemm": 100.0, "gated": 125.0, "contiguous": 150.0} | ({"masked": 125.0} if item["tokens"] <= layer.FOR_MASKED else {})
    return {**item, "us": times, "parts": {form: dict.fromkeys(layer.PARTS, us / 5) for form, us in times.items()}, "errors": dict.fromkeys(times, error)}


def test_tables(capsys):
    rows = [*map(dense, layer.dense_items()), *map(mixed, layer.mixed_items(True))]
    assert layer.print_tables(rows) == 0
    printed = capsys.readouterr().out
    assert "    16   2112   7168     30.00     20.00     15.00       1.50     3.00\n" in printed
    assert "M = 4096: bf16 / fp8gemm: geometric mean 1.500, from 1.50 to 1.50" in printed
    assert " deepseek-v3       8      16     100.0     125.0      150.0     125.0           1.25     4.00\n" in printed
    assert " qwen3-235b      32    8192     100.0     125.0      150.0         -           1.50     4.00\n" in printed
    assert " deepseek-v3       8      16       gated      25.0      25.0      25.0      25.0      25.0     125.0     125.0\n" in printed
    assert printed.endswith("37 measured, 0 not, 0 wrong\n")


@pytest.mark.parametrize("error", [0.2, float("nan")])
def test_wrong_results_count(capsys, error):
    assert layer.print_tables([mixed(layer.mixed_items(True)[0], error)]) == 1
    assert "moe deepseek-v3 8 16: wrong: " in capsys.readouterr().out


def test_what_is_not_measured(capsys):
    item = layer.dense_items()[0]
    fails = layer.one(lambda m, n, k: 1 / 0, item, time.monotonic() + 100)
    late = layer.one(lambda m, n, k: 1 / 0, item, time.monotonic())
    assert layer.print_tables([late]) == 0 and layer.print_tables([late, fails]) == 1
    printed = capsys.readouterr().out
    assert "dense 16 2112 7168: out of time\n" in printed and "dense 16 2112 7168: ZeroDivisionError: division by zero\n" in printed


GATE_UP = "fp8gemm_1d2d_e4m3_e4m3_many_n4096_k7168"
DOWN = "void deep_gemm::sm90_fp8_gemm_1d2d_impl<7168u>(float*)"


def test_a_replay_is_cut_at_its_products():
    """In any order; a gap belongs to what follows it, and an overlap to what came first."""
    events = [("fp8gemm_quantize_bf16_e4m3_many_k7168", 1000, 2000), (GATE_UP, 2500, 4500), ("triton_sum", 20000, 1000), ("swiglu", 8000, 1000),
              ("transpose_fp32", 9000, 1000), (DOWN, 10000, 9500)]
    assert layer.cut(events) == {"before": 2, "first": 4, "between": 3, "second": 9.5, "after": 1.5}
    assert layer.cut(reversed([*events])) == layer.cut(events)


@pytest.mark.parametrize("products", [0, 1, 3])
def test_two_products_are_expected(products):
    with pytest.raises(ValueError, match=f"expected 2 products on the GPU's timeline, got {products} of {products + 1} kernels"):
        layer.cut([("swiglu", 0, 1), *((GATE_UP, 10 * i, 5) for i in range(1, products + 1))])


def test_problems_are_those_of_the_items():
    listed = [(p["op"], p.get("n"), p["k"]) for p in layer.problems()]
    assert all(("gemm", item["n"], item["k"]) in listed and ("quantize", None, item["k"]) in listed for item in layer.dense_items())
