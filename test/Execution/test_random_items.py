# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random products without a GPU: how many, of which kernels, in which order."""

from pathlib import Path

import random_items


def entry(name, n, bits, c="none"):
    return {"file": name, "n": n, "k": 16, "sfa": "mn_major", "sfb": "k_major", "label": "x", "bits": bits,
            "kind": ["1d2d", "e4m3", "e4m3", "bf16", c]}


INDEX = [entry("split", 8, "split"), entry("one", 8, "8x16"), entry("other", 24, "24x16"), entry("two", 8, "8x16"),
         entry("c", 8, "8x16_apart", "apart"), {"file": "of another set", "n": 8, "k": 16}]


def test_as_many_as_asked_for_of_every_kernel():
    items = random_items.items_of(INDEX, Path("/f"), 100, 1)
    products = [item for item in items if "kind" not in item]
    assert 100 <= len(products) < 110 and len({item["id"] for item in items}) == len(items)
    assert {item["group"] for item in products} == {"split", "one", "other", "two", "c"}
    assert sorted(item["group"] for item in items if item.get("kind") == "steady") == ["c", "one", "other", "split", "two"]
    assert all(1 <= item["m"] and item["first"] + item["m"] <= random_items.ROWS for item in products)
    assert len({item["m"] for item in products}) > 30 and len({str(item["paddings"]) for item in products}) > 80


def test_the_same_seed_gives_the_same_items():
    assert random_items.items_of(INDEX, Path("/f"), 50, 1) == random_items.items_of(INDEX, Path("/f"), 50, 1)
    assert random_items.items_of(INDEX, Path("/f"), 50, 1) != random_items.items_of(INDEX, Path("/f"), 50, 2)


def test_shared_data_and_bits_follow_each_other():
    """Each is made once: the worker keeps one set of data, and one product's bits."""
    items = [item for item in random_items.items_of(INDEX, Path("/f"), 100, 1) if "kind" not in item]
    for key in (lambda i: (i["n"], i["layouts"], i["seed"]), lambda i: (i["bits"], i["seed"])):
        runs = [key(item) for item in items]
        assert len([1 for last, now in zip([None, *runs], runs) if last != now]) == len(set(runs))
