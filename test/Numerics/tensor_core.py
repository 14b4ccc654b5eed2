# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model of Hopper's FP8 tensor core, and inputs that are worst for it.

The model is that of P. Xie et al., "MMA-Sim: Bit-Accurate Reference Model of Tensor
Cores and Matrix Cores", arXiv:2511.10909, written anew: one wgmma step adds 32
products and the accumulator as fixed-point numbers of 13 fraction bits below the
largest exponent among them, and keeps 13 fraction bits of the sum; both truncate
towards zero. Tests on a GPU compare its bits with the kernels'; docs/Numerics.md derives
the bound from it.
"""

import numpy as np
from numerics import BLOCK, E4M3, E5M2, Problem, by_constant, ceil_div

C_HOPPER = 348  # see numerics.by_constant
STEP = 32  # K of one wgmma
FRACTION_BITS = 13
_NOTHING = -500  # exponent of a zero, below all others
SMALLEST_EXPONENT = {np.dtype(E4M3): -6, np.dtype(E5M2): -14}  # of normal numbers


def _exponent(x, smallest):
    """floor(log2 |x|), at least `smallest`; that of a zero is below all others."""
    _, exponent = np.frexp(x)
    return np.where(x == 0, _NOTHING, np.maximum(exponent - 1, smallest)).astype(np.float64)


def _exponents(x):
    """Those of e4m3 or e5m2. Subnormals keep the smallest: they are not normalised first."""
    return _exponent(x.astype(np.float64), SMALLEST_EXPONENT[x.dtype])


def add_step(accumulator, a, b):
    """accumulator [m, n] after one wgmma of a [m, 32] and b [n, 32], as e4m3 or e5m2."""
    products = a[:, None, :].astype(np.float64) * b[None, :, :].astype(np.float64)
    exponents = np.where(products == 0, _NOTHING, _exponents(a)[:, None, :] + _exponents(b)[None, :, :])
    largest = np.maximum(exponents.max(axis=2), _exponent(accumulator, -126))
    largest = np.maximum(largest, -126)  # all are zero
    unit = np.exp2(largest - FRACTION_BITS)
    total = (np.trunc(products / unit[:, :, None]).sum(axis=2) + np.trunc(accumulator / unit)) * unit
    unit = np.exp2(_exponent(np.where(total == 0, 1, total), -126) - FRACTION_BITS)
    return np.trunc(total / unit) * unit


def block_sum(a, b):
    """The tensor core's A * B^T of one K block."""
    accumulator = np.zeros((a.shape[0], b.shape[0]))
    for k in range(0, a.shape[1], STEP):
        accumulator = add_step(accumulator, a[:, k:k + STEP], b[:, k:k + STEP])
    return accumulator


def gemm(problem):
    """D of a finite problem, as the kernels compute it if the model holds."""
    m, n, k = problem.shape
    total = np.zeros((m, n), np.float32)
    for block in range(ceil_div(k, BLOCK)):
        ks = slice(block * BLOCK, (block + 1) * BLOCK)
        sfa, sfb = problem.scales(block)
        scale = sfa * sfb
        # An f32 fma: the product of 14 and 24 bits is exact in float64; adding to it may round
        # twice, which a float64 of 53 bits makes rare.
        exact = block_sum(problem.a[:, ks], problem.b[:, ks]) * scale.astype(np.float64)
        total = (exact + total).astype(np.float32)
    if problem.c is not None:
        total = problem.c.astype(np.float32) + total
    return total.astype(problem.d_type)


# ----------------------------------------------------------------------------------
# Bounds of the error inside K blocks: docs/Numerics.md derives both
# ----------------------------------------------------------------------------------

constant_error = by_constant(C_HOPPER)


def stepwise_error(problem, magnitude=None):
    """The sharp form: follows each step's largest exponent. Only it would notice one wrong
    element of a long random sum, whose value is much smaller than its magnitude."""
    m, n, k = problem.shape
    total = np.zeros((m, n))
    for block in range(ceil_div(k, BLOCK)):
        prefix, error = np.zeros((m, n)), np.zeros((m, n))
        for start in range(block * BLOCK, min((block + 1) * BLOCK, k), STEP):
            end = min(start + STEP, (block + 1) * BLOCK, k)
            a, b = (x[:, start:end] for x in (problem.a, problem.b))
            largest = np.exp2(_exponents(a).max(axis=1)[:, None] + _exponents(b).max(axis=1)[None, :])
            a, b = a.astype(np.float64), b.astype(np.float64)
            largest = np.maximum(largest, np.abs(prefix) + error)
            prefix += a @ b.T
            error += 2.0**-FRACTION_BITS * STEP * largest
            error += 2.0**-FRACTION_BITS * (np.abs(prefix) + error)
        sfa, sfb = problem.scales(block)
        scale = sfa.astype(np.float64) * sfb
        total += np.abs(scale) * error
    return total


# ----------------------------------------------------------------------------------
# Adversarial inputs: one 1 x 128 block for each element of D, all rows alike
# ----------------------------------------------------------------------------------


def _rows_alike(a, b, m, n, a_type=E4M3, b_type=E4M3):
    k = len(a)
    ones = lambda rows: np.ones((rows, ceil_div(k, BLOCK)), np.float32)
    return Problem(np.tile(np.asarray(a, a_type), (m, 1)), ones(m), np.tile(np.asarray(b, b_type), (n, 1)),
                   ones(ceil_div(n, BLOCK)))


def lost_below_large(m=16, n=16):
    """One product of 2^16; the others, just under its 13 fraction bits, are all lost."""
    a, b = np.full(BLOCK, 7.5), np.ones(BLOCK)
    a[0] = b[0] = 256
    return _rows_alike(a, b, m, n)


def lost_below_subnormal(m=16, n=16):
    """As above, but the large product is 2^-9 * 256: a subnormal keeps the exponent of
    2^-6, so that three bits more are lost in the first step."""
    a, b = np.full(BLOCK, 2.0**-6), np.full(BLOCK, 1.875 * 2.0**-6)
    a[STEP:] = 2.0**-9
    a[0], b[0] = 2.0**-9, 256
    return _rows_alike(a, b, m, n)


def lost_below_subnormal_of_mixed_types(m=16, n=16):
    """lost_below_subnormal with B as e5m2, whose numbers have one bit less."""
    a, b = np.full(BLOCK, 2.0**-6), np.full(BLOCK, 1.75 * 2.0**-6)
    a[STEP:] = 2.0**-9
    a[0], b[0] = 2.0**-9, 256
    return _rows_alike(a, b, m, n, b_type=E5M2)


def lost_below_subnormal_e5m2(m=16, n=16):
    """The same for only e5m2: a subnormal is at least 1/4 of the smallest normal number."""
    a, b = np.full(BLOCK, 2.0**-14), np.full(BLOCK, 1.75 * 2.0**-14)
    a[STEP:] = 2.0**-16
    a[0], b[0] = 2.0**-16, 2.0**0
    return _rows_alike(a, b, m, n, E5M2, E5M2)


def zero_times_large(m=16, n=16):
    """A zero times the largest number, among small products. If it took part in the
    alignment they would be lost, and no bound of this form would hold."""
    a, b = np.full(BLOCK, 1.875 * 2.0**-6), np.full(BLOCK, 2.0**-6)
    a[::2], b[::2] = 0, 448
    return _rows_alike(a, b, m, n)


def lost_in_f32(m=16, n=16):
    """One product of 2^16 and 127 just under half a unit of its f32, all lost by the
    oracle; a second block takes the large product away again."""
    a, b = np.full(2 * BLOCK, 1.875 * 2.0**-6), np.full(2 * BLOCK, 2.0**-3)
    a[0] = b[0] = b[BLOCK] = 256
    a[BLOCK], a[BLOCK + 1:] = -256, 0
    return _rows_alike(a, b, m, n)
