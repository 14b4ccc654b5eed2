# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random cases for a GPU, without one."""

import fuzzed_items

GEMM = {"number": 3, "m": 20, "k": 32, "groups": [], "config": "tile_m = 64",
        "problem": {"op": "gemm", "m": 20, "n": 8, "k": 32, "d_type": "f32", "sfa": "mn_major", "sfb": "k_major"}}
ALONG_K = {"number": 4, "m": 20, "k": 48, "groups": [16, 32], "config": "",
           "problem": {"op": "k_grouped_gemm", "m": 20, "n": 8, "groups": 2, "flattened": True, "sfa": "mn_major",
                       "sfb": "k_major"}}


def test_options():
    assert fuzzed_items.options_of(GEMM) == ["--op=gemm", "--m=any", "--n=8", "--k=32", "--d-type=f32", "--sfa=mn_major",
                                             "--sfb=k_major", "--config=tile_m = 64"]
    assert fuzzed_items.options_of(ALONG_K) == ["--op=k_grouped_gemm", "--m=20", "--n=8", "--groups=2", "--sfa=mn_major",
                                                "--sfb=k_major", "--flattened"]


def test_items_have_what_was_simulated():
    item = fuzzed_items.item_of(GEMM, 1)
    assert (item["m"], item["n"], item["k"], item["kernel"]) == (20, 8, 32, "fuzz-3.cubin") and "kind" not in item
    assert 0 <= item["first"] <= item["rows"] - 20
    item = fuzzed_items.item_of(ALONG_K, 1)
    assert item["kind"] == "grouped" and item["groups"] == [16, 32] and item["columns"] == 48
    assert item == fuzzed_items.item_of(ALONG_K, 1)


def test_what_the_data_has_no_room_for_is_left_out():
    assert fuzzed_items.can_run(GEMM) and fuzzed_items.can_run(ALONG_K)
    assert not fuzzed_items.can_run(dict(GEMM, m=0))
    assert not fuzzed_items.can_run(dict(ALONG_K, groups=[16, 2048]))
