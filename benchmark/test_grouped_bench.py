# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sets of groups: their sizes, the places of their rows, what is raced, and the report."""

import argparse
import json

import bench_report
import grouped_shapes
import kernels
import pytest
import races
import shapes
from shapes import Groups, Kind, Load, Problem


def rows(grouping, align, sizes, allocated=0, expected=8):
    return Problem(expected, 136, 144, groups=Groups(grouping, len(sizes), align), load=Load(tuple(sizes), allocated))


def test_usual_sizes():
    """Rows in all of the tables that are compared with."""
    totals = {(4, 8192): 34151, (8, 4096): 33464, (32, 192): 6559, (6, 1024): 6262, (32, 20): 670, (6, 20): 121}
    assert {key: sum(grouped_shapes.around(key[1], key[0])) for key in totals} == totals
    lengths = {(4, 8192): 34304, (8, 4096): 34048, (16, 2048): 34688}
    assert {key: sum(grouped_shapes.around(key[1], key[0], 128)) for key in lengths} == lengths
    assert all(size % 128 == 0 for size in grouped_shapes.around(2048, 16, 128))


def test_skewed_sizes():
    zipf, half = grouped_shapes.zipf(32768, 64), grouped_shapes.half_empty(32768, 64)
    assert sum(zipf) == sum(half) == 32768 and len(zipf) == len(half) == 64
    ordered = sorted(zipf, reverse=True)
    assert [round(ordered[0] / size) for size in ordered[:5]] == [1, 2, 3, 4, 5] and list(zipf) != ordered
    assert half.count(0) == 32 and half.count(1024) == 32 and any(half[:32]) and any(half[32:])
    few = grouped_shapes.few(8, 256)
    assert len(few) == 256 and set(few) == set(range(9))


@pytest.mark.parametrize("problem, starts, total, described", [
    (rows("row_index", 8, (3, 0, 9)), [0, 8, 8], 24, [0] * 3 + [-1] * 5 + [2] * 9 + [-1] * 7),
    (rows("row_end", 8, (3, 0, 9)), [0, 8, 8], 24, [3, 8, 17]),
    (rows("row_end", 1, (3, 0, 9)), [0, 3, 3], 12, [3, 3, 12]),
    (rows("row_end", 8, (3, 0)), [0, 8], 8, [3, 8]),
    (rows("row_count", 1, (3, 0, 9), 16), [0, 16, 32], 48, [3, 0, 9])])
def test_where_rows_lie(problem, starts, total, described):
    assert grouped_shapes.starts(problem) == starts
    assert grouped_shapes.rows_of(problem) == total
    assert grouped_shapes.description(problem) == described


@pytest.mark.parametrize("name, place, floor", [
    ("contiguous", 0, 1880.0), ("contiguous", 7, 350.9), ("masked", 0, 344.7), ("masked", 8, 474.2), ("masked", 15, 17.2),
    ("k-grouped", 0, 1259.0), ("k-grouped", 4, 1387.0), ("k-grouped", 5, 736.2)])
def test_floor_is_that_of_the_tables(name, place, floor):
    assert shapes.floor_us(grouped_shapes.SETS[name][place][""], 1600, 3.0) == pytest.approx(floor, abs=0.15)


def test_empty_groups_cost_nothing():
    one = rows("row_count", 1, (4,), 128)
    assert shapes.bytes_once(one) == 4 * 144 + 136 * 144 + 2 * 4 * 136 + 4 * 2 * (4 + 2)
    assert shapes.bytes_once(rows("row_count", 1, (0, 4, 0), 128)) == shapes.bytes_once(one)


@pytest.mark.parametrize("name", grouped_shapes.SETS)
def test_cases(name):
    cases = grouped_shapes.SETS[name]
    assert len({races.case_id(name, case) for case in cases}) == len(cases)
    for case in cases:
        # The variants multiply as many rows with the same B, so their times can be compared.
        assert len({(shapes.used(p), p.n, p.groups.count) for p in case.values()}) == 1
        for problem in case.values():
            assert len(problem.load.sizes) == problem.groups.count
            assert shapes.problem_of(json.loads(json.dumps(shapes.fields(problem)))) == problem
            assert problem.groups.grouping != "row_count" or max(problem.load.sizes) <= problem.load.allocated
        for ratio in grouped_shapes.RATIOS.get(name, []):
            assert {ratio.of, ratio.over} <= {*case, "read"}


def index_of(*problems):
    return [dict(entry, file=str(place)) for place, entry in
            enumerate(kernels.wanted([(p, kernels.timed_layouts(p)) for p in problems], ["", "tile_m = 64"]))]


def test_kernel_of_the_groups():
    ends, counts = rows("row_end", 1, (3, 4)), rows("row_count", 1, (3, 4), 16, 8)
    more, aligned = rows("row_count", 1, (3, 4), 16, 1024), rows("row_end", 128, (3, 4))
    along_k = Problem(24, 136, 64, shapes.WEIGHT_GRADIENT_KIND, Groups("k_count", 2, flat=True), Load((32, 32)))
    index = index_of(Problem(8, 136, 144), ends, counts, more, along_k)
    assert races.choose_kernels(index, ends, "default") == {"default": "2"}
    assert races.choose_kernels(index, counts, "all") == {"default": "4", "tile_m64": "5"}
    assert races.choose_kernels(index, more, "default") == {"default": "6"}
    assert races.choose_kernels(index, aligned, "default") == {}
    # The lengths along K are any, M is not.
    same = Problem(24, 136, 512, along_k.kind, along_k.groups, Load((256, 256)))
    assert races.choose_kernels(index, same, "default") == {"default": "8"}
    other_m = Problem(32, 136, 64, along_k.kind, along_k.groups, Load((32, 32)))
    assert races.choose_kernels(index, other_m, "default") == {}


def test_who_takes_part():
    case = {"equal": rows("row_count", 1, (4, 4), 8), "half_empty": rows("row_count", 1, (8, 0), 8)}
    files = {"equal": {"default": "f"}, "half_empty": {"default": "f", "b": "g"}}
    item = races.item_of("x", case, ["cublas-b", "deepgemm"], files)
    assert item["peers"] == ["equal: deepgemm", "half_empty: deepgemm"]
    assert races.labels_of(item, "half_empty") == ["default", "b"] and races.labels_of(item, "equal") == ["default"]
    assert list(item["variants"]) == ["equal", "half_empty"]
    part = races.of_variant({"status": "pass", "us": {"equal: default": 1.0, "half_empty: read": 2.0}}, "half_empty")
    assert part == {"status": "pass", "us": {"read": 2.0}}
    dense = races.item_of("y", {"": Problem(1, 8, 16)}, ["cublas-b", "deepgemm"], {"": {"default": "f"}})
    assert dense["peers"] == ["cublas-b", "deepgemm"] and dense["kernels"] == {"default": "f"}


def report(name, cases, us, notes):
    """The printed report, and the JSON, of cases with these times."""
    files = [{variant: {"default": "f", "other": "g"} for variant in case} for case in cases]
    items = [races.item_of(races.case_id(name, case), case, ["deepgemm"], file) for case, file in zip(cases, files)]
    results = [{"status": "pass", "us": times, "notes": notes, "method": "cupti", "method_note": ""} for times in us]
    options = argparse.Namespace(tflops=None, bandwidth=None, rounds=12)
    return bench_report.report({name: cases}, items, results, options, {"gpu": "NVIDIA H200"})


def test_report_of_groups(capsys):
    cases = grouped_shapes.SETS["contiguous"][:2]
    us = [{"default": 2000.0, "other": 1900.0, "deepgemm": 2200.0, "read": 90.0}, {"default": 1000.0, "other": 900.0}]
    answer = report("contiguous", cases, us, {"deepgemm": "ModuleNotFoundError: No module named 'deep_gemm'"})
    text = capsys.readouterr().out
    assert "| groups | described by | M | N | K | ours us |" in text
    assert "| 4 | row_index128 | 34151 | 6144 | 7168 | 2000.0 | 1504 |" in text
    assert "- all: deepgemm: ModuleNotFoundError" in text
    assert "- contiguous 4 x 8192x6144x7168 row_index128: 1900.0 other, 2000.0 default" in text
    part = answer["sets"]["contiguous"]
    assert part["geometric_means"]["x deepgemm"] == pytest.approx(1.1) and part["ratios"] == []


def test_report_of_ratios(capsys):
    cases = grouped_shapes.SETS["skew"][:2]
    slow, fast = ({f"{variant}: default": time for variant, time in times.items()} for times in
                  ({"equal": 100.0, "zipf": 121.0, "half_empty": 100.0}, {"equal": 100.0, "zipf": 100.0}))
    answer = report("skew", cases, [slow, fast], {})
    first, second = answer["sets"]["skew"]["ratios"]
    assert (first["geometric_mean"], first["worst"]) == (pytest.approx(1.1), pytest.approx(1.21))
    assert second["ratios"] == {shapes.name_of(cases[0]["half_empty"]): 1.0}
    text = capsys.readouterr().out
    assert "- zipf / equal: geometric mean 1.100, worst 1.210, wanted at most 1.15: " in text
    assert ": 64 x 512x4096x7168 row_index128 1.210, " in text
    assert "| 64 | row_index128 | 32768 | 7168 | 2048 | half_empty | – |" in text


def test_ratio_to_the_read_kernel():
    us = {"masked: default": 120.0, "masked: read": 100.0, "packed: default": 110.0, "packed: read": 100.0}
    ratios = report("tiny", grouped_shapes.SETS["tiny"][:1], [us], {})["sets"]["tiny"]["ratios"]
    assert [ratio["worst"] for ratio in ratios] == [1.2, 1.1]
