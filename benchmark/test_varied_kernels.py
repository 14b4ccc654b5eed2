# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Schedules drawn for the GPU tests: each field is varied, clusters too, and all of them are legal."""

import random

import pytest
import shapes
import varied_kernels

COMPILER = varied_kernels.kernels.ROOT / "build" / "bin" / "fp8gemm-compile"


@pytest.fixture
def compiler():
    if not COMPILER.exists():
        pytest.skip(f"no {COMPILER}: build it")
    return varied_kernels.Compiler(COMPILER, "h200-sxm")


def config_of(entry):
    return {name: int(value) for name, value in (field.split(" = ") for field in entry["config"].split(", "))}


def varied(entries):
    """Fields of which there are several values."""
    configs = [config_of(entry) for entry in entries]
    return {name for name in configs[0] if len({config[name] for config in configs}) > 1}


def test_random_schedules_vary(compiler):
    entries = varied_kernels.random_entries(compiler, 1, 8, 2)
    assert len({entry["file"] for entry in entries}) == len(entries) == 8 * varied_kernels.SCHEDULES
    assert entries == varied_kernels.random_entries(compiler, 1, 8, 1), "expected the seed to decide"
    enumerated = compiler.schedules(shapes.Problem(128, 264, 400), ("mn_major", "k_major"))
    unvaried = {name for name in enumerated[0] if len({config[name] for config in enumerated}) == 1}
    assert set(enumerated[0]) - varied(entries) <= unvaried - {"cluster_m", "cluster_n"}
    for entry in entries:
        # Who adds in another order shares no bits.
        assert (config_of(entry)["split_k"] == 1) == (entry["bits"] + ".cubin" != entry["file"])


def test_sanitizer_sees_each_field(compiler):
    entries = varied_kernels.sanitize_entries(compiler)
    for kind in (shapes.Kind(), shapes.WEIGHT_GRADIENT_KIND):
        of_kind = [entry for entry in entries if tuple(entry["kind"]) == kind]
        assert {"consumers", "cluster_m", "cluster_n", "split_k", "partials"} <= varied(of_kind)
        assert len(of_kind) < 12
    assert {(e["n"], e["k"], e["expected_m"]) for e in entries} == {(264, 400, shapes.SANITIZE_M)}


def test_ways_come_before_sizes():
    configs = [{"tile_m": m, "split_k": s} for m in (64, 128, 256) for s in (1, 2, 3)]
    first = varied_kernels.drawn(configs, random.Random(1))[:2]
    assert {min(config["split_k"], 2) for config in first} == {1, 2}
