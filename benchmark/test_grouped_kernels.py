# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels of grouped products: what they are called, how they are asked for, that their schedules are legal."""

import argparse
import subprocess

import kernels
import pytest
import shapes

COMPILER = kernels.ROOT / "build" / "bin" / "fp8gemm-compile"
TESTED = shapes.GROUPED_TEST + shapes.K_GROUPED_TEST


def asked(*sets, config=()):
    return kernels.entries_of(argparse.Namespace(set=list(sets), shapes=None, configs=None, config=list(config)))


def test_options_and_names():
    rows = shapes.Problem(64, 264, 400, shapes.Kind(d="f32"), shapes.Groups("row_end", 8, 128))
    assert kernels.problem_options(rows) == [
        "--op=grouped_gemm", "--groups=8", "--grouping=row_end", "--m=any", "--k=400", "--align=128", "--n=264",
        "--recipe=1d2d", "--a-type=e4m3", "--b-type=e4m3", "--d-type=f32", "--c=none", "--expected-m=64"]
    along_k = shapes.Problem(72, 24, 1024, shapes.WEIGHT_GRADIENT_KIND, shapes.Groups("k_count", 4, flat=True))
    assert kernels.problem_options(along_k)[:5] == ["--op=k_grouped_gemm", "--groups=4", "--m=72", "--flattened", "--n=24"]
    assert kernels.problem_options(shapes.Problem(64, 8, 16))[:4] == ["--op=gemm", "--m=any", "--k=16", "--n=8"]
    both = [(rows, ("mn_major", "k_major")), (along_k, ("mn_major", "mn_major"))]
    names = [entry["file"] for entry in kernels.wanted(both, [""])]
    assert names == ["gemm_8row_end128_f32_m64_n264_k400_sfa-mn_major_sfb-k_major_default.cubin",
                     "gemm_4k_count_flat_1d1d_f32_in_place_m72_n24_k1024_sfa-mn_major_sfb-mn_major_default.cubin"]


def test_groups_tell_problems_apart():
    one, other = shapes.Problem(1, 8, 16), shapes.Problem(1, 8, 16, groups=shapes.Groups("row_end", 8))
    assert one != other and other == shapes.Problem(1, 8, 16, groups=shapes.Groups("row_end", 8))
    for entry in kernels.wanted([(one, kernels.LAYOUTS[0]), (other, kernels.LAYOUTS[0])], [""]):
        assert kernels.problem_of(entry) in (one, other) and ("grouping" in entry) == (kernels.problem_of(entry) == other)


def test_sets_bring_their_schedules():
    entries = asked("grouped-test", "kinds")
    grouped = [entry for entry in entries if "grouping" in entry]
    assert len(grouped) == sum(len(schedules) for _, _, schedules in shapes.GROUPED_TEST) < len(entries)
    assert {entry["grouping"] for entry in grouped} == {"row_index", "row_end", "row_count", "batched"}
    fields = {part.strip() for entry in grouped for part in entry["config"].split(",")}
    assert {"tile_m = 64", "tile_m = 128", "swap_ab = 1"} <= fields
    assert len({entry["file"] for entry in entries}) == len(entries)
    assert {entry["config"] for entry in asked("grouped-test", config=["tile_m = 64"])} == {"tile_m = 64"}


@pytest.mark.skipif(not COMPILER.exists(), reason="no fp8gemm-compile in build/")
@pytest.mark.parametrize("problem, layouts, schedules", TESTED)
def test_schedules_are_legal(problem, layouts, schedules):
    for config in schedules:
        done = subprocess.run([COMPILER, *kernels.problem_options(problem), f"--sfa={layouts[0]}", f"--sfb={layouts[1]}",
                               "--gpu=h200-sxm", f"--config={config}", "--emit=config"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
