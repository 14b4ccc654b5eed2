# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What fp8gemm.quantize computes (docs/Numerics.md), in numpy: bits, not bounds."""

import math

import ml_dtypes
import numpy as np

BLOCK = 128
BF16, F16, F32 = np.dtype(ml_dtypes.bfloat16), np.dtype(np.float16), np.dtype(np.float32)
E4M3, E5M2 = np.dtype(ml_dtypes.float8_e4m3fn), np.dtype(ml_dtypes.float8_e5m2)
LARGEST = {E4M3: np.float32(448), E5M2: np.float32(57344)}
NAN_SCALE, NAN_ELEMENT = 0x7FC00000, 0x7F


def quantize(x, q_type=E4M3, power_of_two=False, block_rows=1):
    """The bits of q, uint8 [M, K], and of the scales, uint32 [M, ceil(K/128)], or a row for every `block_rows`."""
    m, k = x.shape
    blocks = -(-k // BLOCK)
    wide = np.zeros((m, blocks * BLOCK), np.float32)
    wide[:, :k] = x.astype(np.float32)
    wide = wide.reshape(m, blocks, BLOCK)
    amax = np.abs(wide).max(axis=2)
    if block_rows != 1:
        largest = np.stack([amax[first:first + block_rows].max(axis=0) for first in range(0, m, block_rows)])
        amax = largest.repeat(block_rows, axis=0)[:m]
    finite = amax < np.inf  # not of NaN
    amax = np.where(finite, amax, np.float32(0))
    scales = np.maximum(amax, np.float32(1e-4)) / LARGEST[q_type]
    if power_of_two:
        scales = ((scales.view(np.uint32) + 0x7FFFFF) & 0x7F800000).view(np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        q = (wide * (np.float32(1) / scales)[:, :, None]).astype(q_type).view(np.uint8)
    q = np.where(finite[:, :, None], q, NAN_ELEMENT).astype(np.uint8)
    scales = np.where(finite, scales.view(np.uint32), NAN_SCALE).astype(np.uint32)
    return q.reshape(m, -1)[:, :k], scales[::block_rows]


ERF = np.vectorize(math.erf, otypes=[np.float32])
# In the order of the compiler's operations, each rounded to f32.
ACTIVATIONS = {
    "none": lambda x: x,
    "relu": lambda x: np.where(x <= 0, np.float32(0), x),
    "silu": lambda x: x / (np.float32(1) + np.exp(-x)),
    "gelu": lambda x: np.float32(0.5) * x * (np.float32(1) + ERF(x * np.float32(0.70710678))),
    "gelu_tanh": lambda x: np.float32(0.5) * x * (np.float32(1) + np.tanh(np.float32(0.7978845608) * (x + np.float32(0.044715) * (x * x * x)))),
}


def activate(x, activation="none", gated=False):
    """What is quantised, in f32."""
    halves = [np.ascontiguousarray(half.astype(np.float32)) for half in np.split(x, 2 if gated else 1, axis=1)]
    with np.errstate(invalid="ignore", over="ignore"):
        result = ACTIVATIONS[activation](halves[0])
        return result * halves[1] if gated else result


def options(k, x_type=BF16, q_type=E4M3, layout="mn_major", power_of_two=False, gated=False, activation="none", block_rows=1):
    """Of fp8gemm-compile."""
    words = {BF16: "bf16", F16: "f16", F32: "f32", E4M3: "e4m3", E5M2: "e5m2"}
    return ["--op=quantize", f"--k={k}", f"--x-type={words[x_type]}", f"--a-type={words[q_type]}", f"--sfa={layout}",
            f"--activation={activation}", *power_of_two * ["--power-of-two"], *gated * ["--gated"], *(block_rows != 1) * ["--recipe=1d2d"]]


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
