# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Hopper's bound holds for the model of its tensor core, and is not slack."""

import numerics
import numpy as np
import pytest
import tensor_core
from numerics import BF16, E4M3, E5M2, F32, Problem, random_problem
from tensor_core import constant_error, stepwise_error


def parts(problem, result=None):
    """The model's error as a part of the constant and of the stepwise bound, and relative."""
    result = tensor_core.gemm(problem) if result is None else result
    constant, relative = numerics.errors(problem, result, constant_error)
    stepwise, _ = numerics.errors(problem, result, stepwise_error)
    return constant, stepwise, relative


@pytest.mark.parametrize("m, n, k", [(7, 24, 16), (33, 136, 144), (9, 40, 576), (4, 24, 7168)])
def test_random(m, n, k):
    constant, stepwise, relative = parts(random_problem(m, n, k))
    assert constant <= 1 and stepwise <= 1 and relative <= 2.0**-8


@pytest.mark.parametrize("a_type, b_type", [(E4M3, E5M2), (E5M2, E4M3), (E5M2, E5M2)])
@pytest.mark.parametrize("d_type, c", [(BF16, True), (F32, False), (F32, True)])
def test_random_of_other_types(a_type, b_type, d_type, c):
    constant, stepwise, relative = parts(random_problem(9, 40, 576, 0, 1, a_type, b_type, d_type, c))
    assert constant <= 1 and stepwise <= 1 and relative <= 2.0**-8


def test_stepwise_bound_notices_one_wrong_element():
    """One scale of 56 is twice as large: the constant form cannot see it."""
    problem = random_problem(4, 24, 7168)
    result = tensor_core.gemm(problem)
    problem.sfa[2, 30] = problem.sfa[2, 30] * 2
    constant, stepwise, _ = parts(problem, result)
    assert constant <= 1 < stepwise


@pytest.mark.parametrize("seed", range(16))
def test_random_encodings(seed):
    """Every finite number is as likely: wide exponents, subnormals, zeros, short blocks."""
    rng = np.random.default_rng(seed)

    def draw(shape, element):
        infinity = {E4M3: 0x7F, E5M2: 0x7C}[element]
        signs = np.where(rng.random(shape) < 0.5, 0, 0x80).astype(np.uint8)
        return (signs | rng.integers(0, infinity, shape, np.uint8)).view(element)

    k = int(rng.choice([16, 48, 128, 144, 256]))
    blocks = numerics.ceil_div(k, 128)
    scales = lambda rows: np.exp2(rng.uniform(-8, 8, (rows, blocks))).astype(np.float32)
    types = [(E4M3, E4M3), (E4M3, E5M2), (E5M2, E4M3), (E5M2, E5M2)][seed % 4]
    problem = Problem(draw((16, k), types[0]), scales(16), draw((16, k), types[1]), scales(1))
    constant, stepwise, _ = parts(problem)
    assert constant <= 1 and stepwise <= 1


@pytest.mark.parametrize("make, least", [(tensor_core.lost_below_large, 0.25), (tensor_core.lost_below_subnormal, 0.75),
                                         (tensor_core.lost_below_subnormal_of_mixed_types, 0.7),
                                         (tensor_core.lost_below_subnormal_e5m2, 0.25)])
def test_adversarial(make, least):
    constant, stepwise, _ = parts(make())
    assert least <= constant <= 1 and stepwise <= 1


def test_zero_products_do_not_align():
    problem = tensor_core.zero_times_large()
    constant, _, _ = parts(problem)
    assert constant <= 1 and (tensor_core.gemm(problem) != 0).all()


def test_one_step():
    """By hand: 2^16 drops all below 2^3; the sum keeps 13 fraction bits."""
    a, b = np.zeros((1, 32), E4M3), np.ones((1, 32), E4M3)
    a[0, :3] = 256, 7.5, 12
    b[0, 0] = 256
    assert tensor_core.add_step(np.zeros((1, 1)), a, b) == 65536 + 8
    assert tensor_core.add_step(np.full((1, 1), 65536.0 + 8), a, b) == 131072 + 16
    assert tensor_core.add_step(np.full((1, 1), -65536.0), a, b) == 8
