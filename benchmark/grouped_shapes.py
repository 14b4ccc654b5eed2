# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sets of grouped products: the number of rows of each group, their places, and their description for the device.

A set is a list of cases, a case {variant: problem} of what is timed in turns: the same B, with its rows described in
several ways or distributed differently. The variant of a case that has no others is "".
"""

import random
from collections import namedtuple

from shapes import WEIGHT_GRADIENT_KIND, Groups, Kind, Load, Problem

# (grouping, align) of a variant. DeepGEMM's forms are row_index128 and row_count.
FORMS = {"packed": ("row_end", 1), "row_end128": ("row_end", 128), "row_index128": ("row_index", 128),
         "masked": ("row_count", 1)}
ALLOCATED = 4096  # rows of each group of a masked product


def round_up(value, multiple):
    return -(-value // multiple) * multiple


#===------------------------------------------------------------------------------------------===#
# Sizes of groups
#===------------------------------------------------------------------------------------------===#


def around(expected, count, multiple=1):
    """Uniformly between 0.7 and 1.3 times what is expected: the sizes that others' tables have, to the row."""
    rng = random.Random(0)
    return tuple(round_up(int(expected * rng.uniform(0.7, 1.3)), multiple) for _ in range(count))


def zipf(total, count):
    """Sizes as 1 / rank, in any order."""
    weights = [1 / rank for rank in range(1, count + 1)]
    sizes = [int(total * weight / sum(weights)) for weight in weights]
    sizes[0] += total - sum(sizes)
    random.Random(0).shuffle(sizes)
    return tuple(sizes)


def half_empty(total, count):
    """Any half of the groups is empty, the others are equal."""
    sizes = [0] * (count - count // 2) + [total // (count // 2)] * (count // 2)
    random.Random(0).shuffle(sizes)
    return tuple(sizes)


def few(most, count):
    """From 0 to `most`, each as likely."""
    rng = random.Random(0)
    return tuple(rng.randint(0, most) for _ in range(count))


#===------------------------------------------------------------------------------------------===#
# The places of rows, and their description for the device
#===------------------------------------------------------------------------------------------===#


def starts(p):
    """The first row of each group among all rows; if each has its own matrix, among these one after the other."""
    if p.load.allocated:
        return [group * p.load.allocated for group in range(p.groups.count)]
    found, end = [], 0
    for size in p.load.sizes:
        found.append(round_up(end, p.groups.align))
        end = found[-1] + size
    return found


def rows_of(p):
    """All rows of A: those of groups, and those between and after them."""
    if p.load.allocated:
        return p.groups.count * p.load.allocated
    return round_up(starts(p)[-1] + p.load.sizes[-1], p.groups.align)


def description(p):
    """The integers in device memory that tell the groups."""
    grouping, sizes = p.groups.grouping, p.load.sizes
    if grouping in ("row_count", "k_count"):
        return list(sizes)
    if grouping == "row_end":
        return [start + size for start, size in zip(starts(p), sizes)]
    index = [-1] * rows_of(p)
    for group, (start, size) in enumerate(zip(starts(p), sizes)):
        index[start:start + size] = [group] * size
    return index


#===------------------------------------------------------------------------------------------===#
# Sets
#===------------------------------------------------------------------------------------------===#


def product(form, expected, nk, sizes, allocated=ALLOCATED):
    grouping, align = FORMS[form]
    groups = Groups(grouping, len(sizes), align)
    return Problem(expected, *nk, Kind(), groups, Load(sizes, allocated if grouping == "row_count" else 0))


def alone(form, count, expected, nk):
    return {"": product(form, expected, nk, around(expected, count))}


def in_forms(forms, expected, nk, sizes, allocated=ALLOCATED):
    return {form: product(form, expected, nk, sizes, allocated) for form in forms}


def skewed(form, count, expected, nk):
    """Equal groups, and others of the same total."""
    total = count * expected
    sizes = {"equal": (expected,) * count, "zipf": zipf(total, count), "half_empty": half_empty(total, count)}
    most = round_up(max(map(max, sizes.values())), 128)
    return {name: product(form, expected, nk, size, most) for name, size in sizes.items()}


def along_k(count, expected, mn):
    """Weight gradients, of multiples of 128 tokens for each group."""
    lengths = around(expected, count, 128)
    return {"": Problem(*mn, sum(lengths), WEIGHT_GRADIENT_KIND, Groups("k_count", count, flat=True), Load(lengths))}


# (groups, rows expected of each) and (N, K) of experts.
PREFILL, DECODE = [(4, 8192), (8, 4096)], [(6, 1024), (32, 192), (32, 20), (6, 20)]
EXPERTS = [(6144, 7168), (7168, 3072), (4096, 4096), (4096, 2048)]
# Both projections at once (N = 2 x intermediate), and the one back, of DeepSeek-V3's experts and of Qwen3-235B's.
GATE_UP = [(4096, 7168), (7168, 2048), (3072, 4096), (4096, 1536)]
DEEPSEEK = GATE_UP[:2]
LENGTHS = [(4, 8192), (8, 4096), (16, 2048)]
# Few and many groups, small and large, of experts that no other set has: what the model of grouped products is fitted to.
SIZES = [(256, 4), (256, 24), (128, 16), (128, 48), (128, 96), (64, 128), (32, 64), (32, 320), (16, 700), (8, 160), (8, 768),
         (8, 1024)]
OTHERS = [(2816, 2048), (5120, 1536), (3072, 2048)]

SETS = {
    "contiguous": [alone("row_index128", *groups, nk) for groups in PREFILL for nk in EXPERTS],
    "masked": [alone("masked", *groups, nk) for groups in DECODE for nk in EXPERTS],
    "k-grouped": [along_k(*groups, mn) for groups in LENGTHS for mn in [(4096, 7168), (7168, 2048)]],
    "gate-up": [alone(form, *groups, nk)
                for form, all_groups in [("row_index128", [(8, 4096), (32, 1024)]), ("masked", [(8, 768), (32, 192)])]
                for groups in all_groups for nk in GATE_UP],
    "group-sizes": [alone(form, *groups, nk)
                    for form in ("row_index128", "masked") for groups in SIZES for nk in OTHERS],
    # Rows without padding, beside the same rows padded.
    "packed": [in_forms(["packed", "row_end128", "row_index128"], expected, nk, around(expected, count))
               for count, expected in PREFILL for nk in EXPERTS],
    "skew": [skewed(form, 64, 512, nk) for form in ("row_index128", "masked") for nk in DEEPSEEK],
    "tiny": [in_forms(["masked", "packed"], 4, nk, few(8, 256), 128) for nk in DEEPSEEK],
}

# The ratio that a set reports: the time of a variant over that of another, or over that of the read kernel beside it, and how
# much that may be.
Ratio = namedtuple("Ratio", "of over most")
RATIOS = {
    "packed": [Ratio("packed", "row_end128", 1.03), Ratio("packed", "row_index128", 1.03)],
    "skew": [Ratio("zipf", "equal", 1.15), Ratio("half_empty", "equal", 1.15)],
    "tiny": [Ratio("masked", "read", 1.2), Ratio("packed", "read", 1.2)],
}
