# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The per-element error bound of docs/Numerics.md, and inputs that come near it.

    |D - D64| <= ALIGNMENT * 2^-13 * S + (blocks + 2) * 2^-23 * S + 2^-8 * |D64| + 2^-126

S is the sum over K blocks of sfa * sfb * sum |a * b|. The first term: a k32 step of the
tensor core aligns 32 products and the accumulator to the largest exponent among them and
drops what is more than 13 bits below it; a block of 128 has 4 steps of 33 terms. The
second: scaling and promotion in f32. The third and fourth: rounding to bf16.

Works on anything that computes like a number: NumPy and torch arrays in float64.
"""

ALIGNMENT = 132
BLOCK = 128
# What the adversarial inputs must reach, or the bound is slack.
LEAST_ADVERSARIAL_SHARE = 1 / 16


def tolerance(magnitude, value, k):
    """Allowed |error| of elements whose exact value is `value` and whose S is `magnitude`."""
    blocks = -(-k // BLOCK)
    return magnitude * (ALIGNMENT * 2.0**-13 + (blocks + 2) * 2.0**-23) + abs(value) * 2.0**-8 + 2.0**-126


def adversarial_values(k):
    """(rows of A, a row that B has everywhere) of e4m3 values, as lists of floats, for K >= 128.

    In each full block a large product is followed by many small ones and cancelled at the
    block's end. While it stands in the accumulator, what the small products hold below its
    13th bit is dropped; the exact sum is all of it. The rows try small products of each size.
    """
    rows = []
    for exponent in range(-4, 8):
        small = 1.875 * 2.0**exponent
        row = [0.0] * k
        for start in range(0, k - BLOCK + 1, BLOCK):
            row[start:start + BLOCK] = [256.0] + [small] * (BLOCK - 2) + [-256.0]
        rows.append(row)
    column = [0.0] * k
    for start in range(0, k - BLOCK + 1, BLOCK):
        column[start:start + BLOCK] = [256.0] + [1.0] * (BLOCK - 2) + [256.0]
    return rows, column
