# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The CPU oracle of grouped products (fp8gemm.grouped_gemm, k_grouped_gemm through linalg) against float64."""

import itertools

import grouped
import numerics
import numpy as np
import pytest
from grouped import POISON, check_k, check_rows, random_k, random_rows
from numerics import BF16, BLOCK, E4M3, E5M2, F32, K_MAJOR, MN_MAJOR

LAYOUTS = list(itertools.product([K_MAJOR, MN_MAJOR], repeat=2))
FORMS = [("row_index", 8), ("row_index", 32), ("row_end", 1), ("row_end", 16), ("row_count", 1)]
PATTERNS = {
    "all_empty": [0, 0, 0, 0],
    "one_row": [0, 0, 1, 0],
    "first_only": [9, 0, 0, 0],
    "last_only": [0, 0, 0, 9],
    "one_huge": [3, 130, 1, 0],
    "equal": [16, 16, 16, 16],
    "tails": [7, 33, 1, 18],
}


@pytest.mark.parametrize("kind, align", FORMS)
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("extra_rows", [0, 11])
def test_patterns(kind, align, pattern, extra_rows):
    counts = PATTERNS[pattern]
    least = sum(-(-count // align) * align for count in counts) if kind != "row_count" else max(counts)
    check_rows(random_rows(kind, 4, 24, 144, counts, align, rows=(least + extra_rows) if extra_rows else 0))


@pytest.mark.parametrize("gaps", [(1, 0, 0), (0, 2, 0), (0, 0, 1), (1, 1, 1)])
@pytest.mark.parametrize("rows", [0, 64])
def test_unused_blocks_at_the_start_in_the_middle_and_at_the_end(gaps, rows):
    check_rows(random_rows("row_index", 3, 24, 16, [5, 8, 3], 8, gaps, rows))


def test_groups_in_any_order_of_rows():
    problem = random_rows("row_index", 3, 24, 144, [16, 16, 16], 16)
    problem.description[:] = np.repeat([2, 0, 2], 16)
    check_rows(problem)


@pytest.mark.parametrize("seed", range(40))
def test_random_rows(seed):
    rng = np.random.default_rng(seed)
    kind, align = FORMS[seed % len(FORMS)]
    groups = int(rng.integers(1, 9))
    counts = rng.integers(0, 20, groups) * rng.integers(0, 2, groups)
    if rng.integers(4) == 0:
        counts[rng.integers(groups)] = 100
    sfb_rows, d_type = (BLOCK, 1)[rng.integers(2)], (BF16, F32)[rng.integers(2)]
    problem = random_rows(kind, groups, 8 * int(rng.integers(1, 20)), 16 * int(rng.integers(1, 20)), counts, align,
                          tuple(rng.integers(0, 2, groups)), int(rng.integers(0, 200)), seed, sfb_rows, d_type)
    sfa_layout, sfb_layout = LAYOUTS[rng.integers(4)]
    check_rows(problem, sfa_layout=sfa_layout, sfb_layout=sfb_layout, padding=16 * int(rng.integers(0, 2)))


@pytest.mark.parametrize("kind", ["row_end", "row_count", "batched"])
@pytest.mark.parametrize("sfa_layout, sfb_layout", LAYOUTS)
@pytest.mark.parametrize("sfb_rows", [1, BLOCK])
def test_layouts(kind, sfa_layout, sfb_layout, sfb_rows):
    problem = random_rows(kind, 3, 136, 272, [9, 9, 9] if kind == "batched" else [9, 0, 4], sfb_rows=sfb_rows)
    check_rows(problem, sfa_layout=sfa_layout, sfb_layout=sfb_layout, padding=16)


@pytest.mark.parametrize("kind", ["row_count", "batched"])
def test_groups_side_by_side_in_each_row(kind):
    check_rows(random_rows(kind, 5, 24, 144, [7] * 5 if kind == "batched" else [7, 0, 3, 1, 6]), beside=True)


@pytest.mark.parametrize("kind", ["row_end", "row_count", "batched"])
@pytest.mark.parametrize("weights, sfb_rows, sfb_layout", [(3, BLOCK, K_MAJOR), (2, 1, MN_MAJOR), (1, BLOCK, MN_MAJOR)])
def test_groups_that_share_matrices(kind, weights, sfb_rows, sfb_layout):
    counts = [9] * 6 if kind == "batched" else [9, 0, 4, 1, 7, 3]
    check_rows(random_rows(kind, 6, 136, 272, counts, sfb_rows=sfb_rows, weights=weights), sfb_layout=sfb_layout, padding=16)


@pytest.mark.parametrize("kind, align", [*FORMS, ("batched", 1)])
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("d_type", [BF16, F32])
def test_c(kind, align, in_place, d_type):
    """In rows of no group C is poison, and D keeps what it was."""
    counts = [9, 9, 9] if kind == "batched" else [9, 0, 5]
    problem = random_rows(kind, 3, 136, 272, counts, align, rows=0 if kind == "batched" else 70, d_type=d_type, c=True)
    check_rows(problem, padding=16, in_place=in_place)


def test_c_of_groups_side_by_side():
    for in_place in (False, True):
        check_rows(random_rows("row_count", 3, 24, 144, [7, 0, 3], c=True), beside=True, in_place=in_place)


def test_no_rows():
    for kind, align in FORMS:
        check_rows(random_rows(kind, 2, 24, 16, [0, 0], align))


def test_one_group_has_the_bits_of_gemm():
    problem = random_rows("batched", 1, 136, 272, [33])
    d, _ = grouped.poisoned((1, 33, 136), BF16, 0, 0)
    grouped.call_rows(problem, d)
    plain = numerics.Problem(problem.a[0], problem.sfa[0], problem.b[0], problem.sfb[0])
    np.testing.assert_array_equal(d[0].view(np.uint16), numerics.cpu_gemm(plain).view(np.uint16))


# ----------------------------------------------------------------------------------
# Groups of K
# ----------------------------------------------------------------------------------

LENGTHS = [[128, 256, 128], [16, 144, 112], [0, 272, 0], [400], [0, 0], [16] * 9]


@pytest.mark.parametrize("lengths", LENGTHS, ids=lambda lengths: "_".join(map(str, lengths)))
@pytest.mark.parametrize("flattened", [False, True])
@pytest.mark.parametrize("c", ["none", "apart", "in place"])
def test_k_lengths(lengths, flattened, c):
    check_k(random_k(36, 40, lengths, c=c != "none"), in_place=c == "in place", flattened=flattened)


@pytest.mark.parametrize("sfa_layout, sfb_layout", LAYOUTS)
@pytest.mark.parametrize("d_type", [BF16, F32])
@pytest.mark.parametrize("a_type, b_type", [(E4M3, E5M2), (E5M2, E4M3)])
def test_k_layouts_and_types(sfa_layout, sfb_layout, d_type, a_type, b_type):
    groups = random_k(20, 136, [144, 0, 32], d_type=d_type, c=True, a_type=a_type, b_type=b_type)
    check_k(groups, padding=16, in_place=True, sfa_layout=sfa_layout, sfb_layout=sfb_layout)


@pytest.mark.parametrize("flattened", [False, True])
def test_what_is_behind_the_last_group_is_not_read(flattened):
    check_k(random_k(36, 40, [144, 16]), flattened=flattened, extra_k=48, extra_blocks=3)


@pytest.mark.parametrize("flattened", [False, True])
def test_a_tail_does_not_read_its_neighbour(flattened):
    groups = random_k(36, 40, [144, 144, 16], c=True)
    for name in ("a", "b"):
        getattr(groups.problems[1], name).view(np.uint8)[:] = POISON
    d = groups.c.copy()
    grouped.call_k(groups, d, d, flattened=flattened)
    for group in (0, 2):
        grouped.check(groups.problems[group], d[group])
    assert np.isnan(d[1]).all()


def test_negative_zero_of_a_group_without_k_stays():
    groups = random_k(8, 8, [0, 16], c=True)
    groups.c[0] = -0.0
    check_k(groups, in_place=True)


@pytest.mark.parametrize("seed", range(30))
def test_random_k(seed):
    rng = np.random.default_rng(seed)
    lengths = 16 * rng.integers(0, 20, rng.integers(1, 9)) * rng.integers(0, 2)
    c = ["none", "apart", "in place"][rng.integers(3)]
    groups = random_k(int(rng.integers(1, 70)), 8 * int(rng.integers(1, 12)), [int(k) for k in lengths], seed,
                      (BF16, F32)[rng.integers(2)], c != "none")
    sfa_layout, sfb_layout = LAYOUTS[rng.integers(4)]
    flattened = bool(rng.integers(2))
    check_k(groups, in_place=c == "in place", flattened=flattened, sfa_layout=sfa_layout, sfb_layout=sfb_layout,
            padding=16 * int(rng.integers(0, 2)))


# ----------------------------------------------------------------------------------
# Descriptions that lie
# ----------------------------------------------------------------------------------

LARGE, SMALL = 2**31 - 1, -2**31


@pytest.mark.parametrize("index", [4, LARGE, -2, SMALL])
def test_index_of_no_group_is_a_row_of_none(index):
    problem = random_rows("row_index", 4, 24, 144, [8, 8, 8, 8], 8)
    problem.description[8:16] = index
    check_rows(problem)


def test_indices_behind_the_last_row_are_not_read():
    problem = random_rows("row_index", 2, 24, 144, [16, 5], 16)
    behind = np.ones(64, np.int32)
    behind[:21] = problem.description
    problem.description = behind[:21]
    check_rows(problem, padding=64)


def test_rows_behind_another_index_in_a_block_are_not_computed():
    problem = random_rows("row_index", 3, 24, 144, [8, 8, 8], 8)
    problem.description[:] = [0] * 3 + [1] * 5 + [1, 1, -1, 1, 1, 1, 1, 1] + [-1, 2, 2, 2, 2, 2, 2, 2]
    d, _ = grouped.poisoned((24, 24), BF16, 0, 0)
    grouped.call_rows(problem, d)
    problem.description[:] = [0] * 3 + [-1] * 5 + [1] * 2 + [-1] * 14
    computed = (d.view(np.uint16) != 0xFFFF).all(axis=1)
    np.testing.assert_array_equal(computed, problem.owners() >= 0)


@pytest.mark.parametrize("ends", [[20, 10, 24], [LARGE] * 3, [SMALL, 5, -1], [10, 1000, 12], [24, 0, 24]])
@pytest.mark.parametrize("align", [1, 16])
def test_ends_that_lie_stay_in_d(ends, align):
    problem = random_rows("row_end", 3, 24, 144, [24, 0, 0], align)
    problem.description[:] = ends
    d, buffer = grouped.poisoned((len(problem.a), 24), BF16, 8, 16)
    grouped.call_rows(problem, d, padding=32)
    d[...] = np.frombuffer(bytes([POISON] * 2), BF16)[0]
    assert (buffer == POISON).all()


@pytest.mark.parametrize("count", [10, LARGE, -1, SMALL])
def test_counts_that_lie_are_cut(count):
    problem = random_rows("row_count", 3, 24, 144, [9, 9, 9])
    problem.description[1] = count
    check_rows(problem, padding=16)


@pytest.mark.parametrize("lengths", [[64, LARGE, 64], [-16, 128, SMALL], [SMALL, LARGE, LARGE], [1, 3, 5], [256, 16, 16]])
@pytest.mark.parametrize("flattened", [False, True])
def test_lengths_that_lie_stay_in_d(lengths, flattened):
    groups = random_k(12, 24, [64, 128, 64], c=True)
    d, buffer = grouped.poisoned((3, 12, 24), F32, 1, 16)
    d[...] = groups.c
    grouped.call_k(groups, d, d, flattened=flattened, lengths=lengths)
    assert np.isfinite(d).all(), "expected nothing beyond the operands to be read"
    d[...] = np.frombuffer(bytes([POISON] * 4), F32)[0]
    assert (buffer == POISON).all()


def test_blocks_without_scales_are_not_used():
    """K = 256 has 2 blocks of scales, 5 groups of 16 would have 5: the last 3 are not there."""
    groups = random_k(12, 24, [256, 0, 0, 0, 0], c=True)
    d = groups.c.copy()
    grouped.call_k(groups, d, d, lengths=[16] * 5, extra_blocks=3, k_blocks=2)
    assert np.isfinite(d).all()
    np.testing.assert_array_equal((d != groups.c).any(axis=(1, 2)), [True, True, False, False, False])


# ----------------------------------------------------------------------------------
# Errors
# ----------------------------------------------------------------------------------


@pytest.mark.parametrize("change, message", [
    (dict(grouping=6), "expected a grouping of 0 (not grouped) to 5 (k_count), got 6"),
    (dict(groups=0), "expected a positive number of groups, got 0"),
    (dict(weights=3), "expected weights, for groups of rows with an end or a count or none, to divide the 2 groups, got 3"),
    (dict(weights=-1), "expected weights, for groups of rows with an end or a count or none, to divide the 2 groups, got -1"),
    (dict(grouping=1, weights=1), "expected weights, for groups of rows with an end or a count or none, to divide the 2 groups, got 1"),
    (dict(description=None), "expected a description of 2 entries, got a null pointer"),
    (dict(group_align=24), "expected 'align' of row_end to be a power of two from 1 to 256, got 24"),
    (dict(flattened=1), "expected 'a' and 'b' to be flattened only with a grouping of k_count"),
    (dict(n=20), "expected N to be a positive multiple of 8, got 20"),
    (dict(b=np.zeros((2, 30, 16), E4M3)[:, ::2][:, :12]), "expected the groups of 'b' not to overlap"),
    (dict(grouping=5, sfb_rows=BLOCK, k_blocks=1), "expected 'b_scale' to have 1x128 blocks, got 128x128"),
    (dict(grouping=5, sfb_rows=1, k=24), "expected k to be a multiple of 16 and at least 0 blocks of scales"),
])
def test_errors(change, message):
    ends = np.zeros(2, np.int32)
    arguments = dict(m=4, n=24, k=16, sfa_layout=MN_MAJOR, sfb_layout=K_MAJOR, a=np.zeros((4, 16), E4M3),
                     sfa=np.ones((1, 4), F32), b=np.zeros((2, 24, 16), E4M3), sfb=np.ones((2, 1, 1), F32),
                     d=np.zeros((4, 24), BF16), grouping=2, groups=2, group_align=1, description=ends.ctypes.data)
    with pytest.raises(ValueError) as error:
        numerics.cpu_call(**{**arguments, **change})
    assert message in str(error.value)
