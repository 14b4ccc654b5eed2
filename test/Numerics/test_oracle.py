# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The CPU oracle (fp8gemm.gemm through linalg) against float64."""

import itertools

import numerics
import numpy as np
import pytest
import tensor_core
from numerics import (BF16, BLOCK, C_CPU, E4M3, E5M2, F32, K_MAJOR, MN_MAJOR, Problem, by_constant, cpu_call, cpu_gemm,
                      random_problem)

LAYOUTS = list(itertools.product([K_MAJOR, MN_MAJOR], repeat=2))


def check(problem, **options):
    part, relative = numerics.errors(problem, cpu_gemm(problem, **options), by_constant(C_CPU))
    assert part <= 1, f"expected each error within its bound, got {part:.3g} of it"
    assert relative <= 2.0**-8, f"expected a relative error of at most 2^-8, got {relative:.3g}"


@pytest.mark.parametrize("m", [1, 7, 33, 64, 65, 129])
@pytest.mark.parametrize("n, k", [(24, 16), (136, 144), (264, 576), (8, 128), (128, 272)])
def test_shapes(m, n, k):
    check(random_problem(m, n, k))


@pytest.mark.parametrize("sfa_layout, sfb_layout", LAYOUTS)
def test_scale_layouts(sfa_layout, sfb_layout):
    check(random_problem(33, 264, 400, seed=1), sfa_layout=sfa_layout, sfb_layout=sfb_layout)


@pytest.mark.parametrize("sfa_layout, sfb_layout", LAYOUTS)
def test_padded_rows(sfa_layout, sfb_layout):
    check(random_problem(7, 136, 144, seed=2), sfa_layout=sfa_layout, sfb_layout=sfb_layout, padding=16)


@pytest.mark.parametrize("sfb_rows", [1, BLOCK])
@pytest.mark.parametrize("a_type, b_type", [*itertools.product([E4M3, E5M2], repeat=2)])
@pytest.mark.parametrize("d_type", [BF16, F32])
@pytest.mark.parametrize("c", ["none", "apart", "in place"])
def test_recipes(sfb_rows, a_type, b_type, d_type, c):
    problem = random_problem(33, 136, 272, 4, sfb_rows, a_type, b_type, d_type, c != "none")
    check(problem, in_place=c == "in place")


@pytest.mark.parametrize("sfa_layout, sfb_layout", LAYOUTS)
def test_scale_layouts_of_rows_of_b(sfa_layout, sfb_layout):
    check(random_problem(33, 264, 400, 1, sfb_rows=1), sfa_layout=sfa_layout, sfb_layout=sfb_layout, padding=16)


def test_long_k():
    check(random_problem(5, 40, 7168, seed=3))


def test_no_rows():
    problem = random_problem(4, 24, 16)
    empty = np.zeros((0, 16), E4M3)
    cpu_call(0, 24, 16, K_MAJOR, K_MAJOR, empty, np.zeros((0, 1), np.float32), problem.b, problem.sfb,
             np.zeros((0, 24), BF16))


def test_every_e4m3_value():
    """A = the 256 encodings, one to a row; B = 1 in that column: D is the value itself."""
    a = np.zeros((256, 16), np.uint8)
    a[:, 3] = np.arange(256)
    b = np.zeros((8, 16), E4M3)
    b[:, 3] = 1
    problem = Problem(a.view(E4M3), np.ones((256, 1), np.float32), b, np.ones((1, 1), np.float32))
    with np.errstate(invalid="ignore"):
        expected = problem.a[:, 3].astype(np.float32).astype(BF16)
    for column in cpu_gemm(problem).T:
        np.testing.assert_array_equal(column.astype(np.float32), expected.astype(np.float32))


def test_every_e5m2_value():
    """As above, infinities included: the other elements of a row of A are not multiplied with any."""
    a = np.zeros((256, 16), np.uint8)
    a[:, 3] = np.arange(256)
    b = np.zeros((8, 16), E4M3)
    b[:, 3] = 1
    problem = Problem(a.view(E5M2), np.ones((256, 1), np.float32), b, np.ones((1, 1), np.float32), F32)
    with np.errstate(invalid="ignore"):
        expected = problem.a[:, 3].astype(np.float32)
    for column in cpu_gemm(problem).T:
        np.testing.assert_array_equal(column, expected)


def test_infinity_of_e5m2():
    """It makes its row infinite, or NaN where it meets a zero."""
    a, b = np.ones((2, 16), E5M2), np.ones((16, 16), E4M3)
    a[0, 5] = np.inf
    b[3, 5], b[4, 5] = 0, -1
    result = cpu_gemm(Problem(a, np.ones((2, 1), np.float32), b, np.ones((1, 1), np.float32))).astype(np.float32)
    expected = np.full(16, np.inf)
    expected[3:5] = np.nan, -np.inf
    np.testing.assert_array_equal(result[0], expected)
    np.testing.assert_array_equal(result[1], np.asarray([16] * 3 + [15, 14] + [16] * 11))


def test_c_is_added_once_after_all_blocks():
    """1 is lost in 2^24, so the order shows: (1 + 1) + C, not 1 + (1 + C). One rounding to bf16, at the end."""
    problem = blocks_of([1, 1], [[1, 1]])
    problem.d_type, problem.c = F32, np.full((1, 8), 2.0**24, F32)
    assert (cpu_gemm(problem) == 2**24 + 2).all() and (cpu_gemm(problem, in_place=True) == 2**24 + 2).all()
    problem.c = np.full((1, 8), 2.0**25, F32)  # a tie: to even
    assert (cpu_gemm(problem) == 2**25).all()
    # 1 + 2^-7 + 2^-8: the sum by itself would round to 2^-7 + 2^-8 exactly, with C to 1 + 2^-6 (a tie).
    problem = blocks_of([2.0**-7], [[1.5]])
    problem.c = np.ones((1, 8), BF16)
    assert (cpu_gemm(problem).astype(np.float32) == 1 + 2.0**-6).all()


def test_nan_of_c_stays():
    problem = random_problem(4, 24, 144, c=True)
    problem.c[2, 5], problem.c[1, 7] = np.nan, np.inf
    result = cpu_gemm(problem).astype(np.float32)
    assert np.isnan(result[2, 5]) and result[1, 7] == np.inf and np.isfinite(result).sum() == 4 * 24 - 2


def test_output_is_rounded_to_nearest_even():
    """1 + i/256 for i in [0, 256): bf16 has 7 fraction bits, so every second one is a tie."""
    i = np.arange(256)
    a = np.zeros((256, 16), E4M3)
    a[:, 0], a[:, 1], a[:, 2] = 1, i // 16, i % 16
    b = np.tile(np.asarray([1, 2.0**-4, 2.0**-8] + [0] * 13, E4M3), (8, 1))
    problem = Problem(a, np.ones((256, 1), np.float32), b, np.ones((1, 1), np.float32))
    expected = (1 + i / 256).astype(np.float32).astype(BF16)
    np.testing.assert_array_equal(cpu_gemm(problem)[:, 5], expected)


def blocks_of(sums, sfa):
    """One row per row of `sfa`; block kb of A * B^T is sums[kb], at most 448."""
    a = np.zeros((len(sfa), len(sums) * BLOCK), E4M3)
    a[:, ::BLOCK] = sums
    return Problem(a, np.asarray(sfa, np.float32), np.ones((8, a.shape[1]), E4M3), np.ones((1, len(sums)), np.float32))


def test_promotion_is_one_fma_with_a_rounded_scale():
    """x * s is added and taken away: what is left is the rounding of the first step, which
    a separate multiplication would hide, and which shows how sfa * sfb was rounded."""
    rng = np.random.default_rng(6)
    sfa = rng.uniform(1, 2, 256).astype(np.float32)
    problem = blocks_of([13, -13], np.stack([sfa, sfa], axis=1))
    problem.sfb[:] = np.float32(4 / 3)
    scale = (sfa * np.float32(4 / 3)).astype(np.float64)
    expected = (13 * scale).astype(np.float32) - 13 * scale
    assert np.count_nonzero(expected) > 200
    np.testing.assert_array_equal(cpu_gemm(problem)[:, 0], expected.astype(np.float32).astype(BF16))


def test_blocks_are_added_in_order():
    large = 2.0**32
    problem = blocks_of([1, 1, -1], [[1, large, large]])
    assert (cpu_gemm(problem) == 0).all()
    problem = blocks_of([1, -1, 1], [[large, large, 1]])
    assert (cpu_gemm(problem) == 1).all()


# ----------------------------------------------------------------------------------
# NaN, Inf, zero
# ----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", [0x7F, 0xFF])
@pytest.mark.parametrize("operand", ["a", "b"])
def test_nan_operand(operand, encoding):
    """A NaN reaches its row (of A) or its column (of B), whatever it meets, and nothing else."""
    problem = random_problem(20, 24, 272)
    getattr(problem, operand).view(np.uint8)[3, 200] = encoding
    problem.a[:5, 200] = problem.a[:5, 200] if operand == "a" else 0
    expected = np.zeros((20, 24), bool)
    expected[(3,) if operand == "a" else (slice(None), 3)] = True
    result = cpu_gemm(problem).astype(np.float32)
    np.testing.assert_array_equal(np.isnan(result), expected)
    assert np.isfinite(result[~expected]).all()


def with_scales(sfa, a=1.0, k=16):
    """One row for each scale; B = 1."""
    sfa = np.asarray(sfa, np.float32).reshape(-1, 1)
    matrix = np.zeros((len(sfa), k), E4M3)
    matrix[:, 0] = a
    return Problem(matrix, sfa, np.ones((8, k), E4M3), np.ones((1, 1), np.float32))


def test_special_scales():
    inf, nan = np.float32(np.inf), np.float32(np.nan)
    result = cpu_gemm(with_scales([inf, -inf, nan, 0.0, -2.0])).astype(np.float32)
    np.testing.assert_array_equal(result[:, 0], [inf, -inf, nan, 0.0, -2.0])


def test_infinite_scale_of_a_zero_block_is_nan():
    assert np.isnan(cpu_gemm(with_scales([np.inf], a=0.0)).astype(np.float32)).all()


def test_infinite_blocks_of_both_signs_are_nan():
    a = np.zeros((1, 256), E4M3)
    a[0, [0, 128]] = 1
    problem = Problem(a, np.asarray([[np.inf, -np.inf]], np.float32), np.ones((8, 256), E4M3),
                      np.ones((1, 2), np.float32))
    assert np.isnan(cpu_gemm(problem).astype(np.float32)).all()


def test_zero_scale_hides_all_but_nan():
    problem = with_scales([0.0, 0.0], a=448.0)
    problem.a.view(np.uint8)[1, 2] = 0x7F
    result = cpu_gemm(problem).astype(np.float32)
    assert (result[0] == 0).all() and np.isnan(result[1]).all()


def test_overflow_is_infinite():
    """448 * 1e36 is more than bf16's largest number, 3.39e38; so is the product of the scales 1e30."""
    result = cpu_gemm(with_scales([1e36, -1e36, 1e35], a=448.0)).astype(np.float32)
    assert result[0, 0] == np.inf and result[1, 0] == -np.inf and np.isfinite(result[2, 0])
    problem = with_scales([1e30], a=2.0**-9)
    problem.sfb[:] = 1e30
    assert (cpu_gemm(problem).astype(np.float32) == np.inf).all()


# ----------------------------------------------------------------------------------
# Bits
# ----------------------------------------------------------------------------------


def test_bits_do_not_depend_on_m_threads_or_storage():
    problem = random_problem(130, 136, 400, seed=5)
    bits = cpu_gemm(problem).view(np.uint16)
    np.testing.assert_array_equal(cpu_gemm(problem, K_MAJOR, MN_MAJOR, padding=32, threads=1).view(np.uint16), bits)
    for rows in (slice(0, 1), slice(63, 65), slice(129, 130)):
        np.testing.assert_array_equal(cpu_gemm(problem.take(rows)).view(np.uint16), bits[rows])


def test_adversarial_input_reaches_a_sixteenth_of_the_bound():
    problem = tensor_core.lost_in_f32()
    part, _ = numerics.errors(problem, cpu_gemm(problem), by_constant(C_CPU))
    assert 1 / 16 <= part <= 1


# ----------------------------------------------------------------------------------
# Errors
# ----------------------------------------------------------------------------------


@pytest.mark.parametrize("change, message", [
    (dict(n=20), "expected N to be a positive multiple of 8, got 20"),
    (dict(k=24), "expected K to be a positive multiple of 16, got 24"),
    (dict(k=0), "expected positive n and k, got n = 24, k = 0"),
    (dict(m=-1), "expected m of at least 0, got -1"),
    (dict(a=np.zeros((4, 8), E4M3)), "expected the leading dimension of 'a' to be at least 16, got 8"),
    (dict(a=np.zeros((4, 24), E4M3)), "expected the rows of 'a' to be a multiple of 16 bytes apart, got 24 bytes"),
    (dict(sfa=np.ones((1, 6), np.float32)), "expected the rows of 'sfa' to be a multiple of 16 bytes apart, got 24 bytes"),
    (dict(threads=-1), "expected at least 0 threads, got -1"),
    (dict(sfb_rows=64), "expected one scale for 1 or 128 rows of b, got one for 64"),
    (dict(a=np.zeros((4, 16), BF16)), "expected a and b of type 0 (e4m3) or 1 (e5m2), got 2"),
    (dict(d=np.zeros((4, 24), E4M3)), "expected d of type 2 (bf16) or 3 (f32), got 0"),
    (dict(sfb_rows=1, sfb_layout=MN_MAJOR, sfb=np.ones((1, 26), np.float32)),
     "expected the rows of 'sfb' to be a multiple of 16 bytes apart, got 104 bytes"),
    (dict(c=np.zeros((4, 16), BF16)), "expected the leading dimension of 'c' to be at least 24, got 16"),
])
def test_errors(change, message):
    arguments = dict(m=4, n=24, k=16, sfa_layout=MN_MAJOR, sfb_layout=K_MAJOR, a=np.zeros((4, 16), E4M3),
                     sfa=np.ones((1, 4), np.float32), b=np.zeros((24, 32), E4M3), sfb=np.ones((1, 1), np.float32),
                     d=np.zeros((4, 24), BF16))
    with pytest.raises(ValueError) as error:
        cpu_call(**{**arguments, **change})
    assert message in str(error.value)


@pytest.mark.parametrize("first", [0, 1, 3])
def test_c_that_overlaps_d(first):
    """As another matrix that starts `first` rows later, or at D with another leading dimension."""
    d = np.zeros((8, 32), BF16)
    c = d[first:first + 4] if first else d.reshape(4, 64)
    with pytest.raises(ValueError, match="expected 'c' to be 'd' with the same leading dimension, or not to overlap it"):
        cpu_call(4, 24, 16, K_MAJOR, K_MAJOR, np.zeros((4, 16), E4M3), np.ones((4, 1), np.float32),
                 np.zeros((24, 16), E4M3), np.ones((1, 1), np.float32), d[:4], c)
