# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What fp8gemm.quantize computes (docs/Numerics.md), in numpy: bits, not bounds."""

import ml_dtypes
import numpy as np

BLOCK = 128
BF16, F16, F32 = np.dtype(ml_dtypes.bfloat16), np.dtype(np.float16), np.dtype(np.float32)
E4M3, E5M2 = np.dtype(ml_dtypes.float8_e4m3fn), np.dtype(ml_dtypes.float8_e5m2)
LARGEST = {E4M3: np.float32(448), E5M2: np.float32(57344)}
NAN_SCALE, NAN_ELEMENT = 0x7FC00000, 0x7F


def quantize(x, q_type=E4M3, power_of_two=False):
    """The bits of q, uint8 [M, K], and of the scales, uint32 [M, ceil(K/128)]."""
    m, k = x.shape
    blocks = -(-k // BLOCK)
    wide = np.zeros((m, blocks * BLOCK), np.float32)
    wide[:, :k] = x.astype(np.float32)
    wide = wide.reshape(m, blocks, BLOCK)
    amax = np.abs(wide).max(axis=2)
    finite = amax < np.inf  # not of NaN
    amax = np.where(finite, amax, np.float32(0))
    scales = np.maximum(amax, np.float32(1e-4)) / LARGEST[q_type]
    if power_of_two:
        scales = ((scales.view(np.uint32) + 0x7FFFFF) & 0x7F800000).view(np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        q = (wide * (np.float32(1) / scales)[:, :, None]).astype(q_type).view(np.uint8)
    q = np.where(finite[:, :, None], q, NAN_ELEMENT).astype(np.uint8)
    scales = np.where(finite, scales.view(np.uint32), NAN_SCALE).astype(np.uint32)
    return q.reshape(m, -1)[:, :k], scales


def data(m, k, x_type, seed=0):
    """Rows of different sizes, some of whose blocks are special: zero, tiny, huge, NaN, infinite, with denormals."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((m, k)) * 2.0 ** generator.integers(-12, 12, (m, 1))
    x = x.astype(x_type)
    blocks = -(-k // BLOCK)
    limits = ml_dtypes.finfo(x_type)
    specials = [0, -0.0, limits.smallest_subnormal, limits.tiny, limits.max, -limits.max, np.inf, -np.inf, np.nan, -np.nan]
    for number, special in enumerate(specials):
        row, block = number % m, (number // m) % blocks
        columns = slice(block * BLOCK, min(k, (block + 1) * BLOCK))
        if np.isfinite(float(special)):
            x[row, columns] = special  # a whole block
        else:
            x[row, columns.start + number % 16] = special  # one element of it
    return x
