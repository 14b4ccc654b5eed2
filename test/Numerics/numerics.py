# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Block-scaled products in numpy: inputs, the float64 reference, the error bound of
docs/Numerics.md, and the CPU oracle. Tests on a GPU use the same problems.

It shares no code with the compiler: it is the third computation that the oracle and
the kernels are checked against.
"""

import ctypes
from dataclasses import dataclass, replace
from pathlib import Path

import ml_dtypes
import numpy as np

BLOCK = 128  # elements of K that share a scale; rows of B, in recipe 1d2d
E4M3, E5M2 = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2
BF16, F32 = ml_dtypes.bfloat16, np.float32
LARGEST = {np.dtype(E4M3): 448, np.dtype(E5M2): 57344}
K_MAJOR, MN_MAJOR = "k_major", "mn_major"

# The oracle's c: 128 f32 additions, one by one (see by_constant).
C_CPU = 1 / 16

LIBRARY = Path(__file__).resolve().parents[2] / "build" / "lib" / "libfp8gemm_cpu.so"


def ceil_div(a, b):
    return -(-a // b)


@dataclass
class Problem:
    """A [m, k] and B [n, k] as e4m3 or e5m2, sfa [m, K blocks] and sfb [N blocks, K blocks]
    as f32: the values, however a kernel stores them. An N block is a row of B (recipe
    1d1d) or 128 rows (1d2d). C is [m, n] of D's type, None where nothing is added."""

    a: np.ndarray
    sfa: np.ndarray
    b: np.ndarray
    sfb: np.ndarray
    d_type: type = BF16
    c: np.ndarray = None

    @property
    def shape(self):
        return self.a.shape[0], self.b.shape[0], self.a.shape[1]

    @property
    def sfb_rows(self):
        """Rows of B that share a scale."""
        return 1 if self.sfb.shape[0] == self.b.shape[0] else BLOCK

    def scales(self, block):
        """sfa [m, 1] and sfb [n] of a K block, as f32."""
        n = self.b.shape[0]
        return self.sfa[:, block, None], self.sfb[:, block].repeat(self.sfb_rows)[:n]

    def take(self, rows):
        """The product of some rows of A."""
        return replace(self, a=self.a[rows], sfa=self.sfa[rows], c=None if self.c is None else self.c[rows])


def random_problem(m, n, k, seed=0, sfb_rows=BLOCK, a_type=E4M3, b_type=E4M3, d_type=BF16, c=False):
    """Normally distributed matrices, quantised per block to the largest number of their
    type. Rows differ in size by up to 2^8, so that a scale of the wrong row shows. C is
    about as large as the product."""
    rng = np.random.default_rng([seed, m, n, k])
    a = rng.standard_normal((m, k)) * np.exp2(rng.integers(-4, 5, (m, 1)))
    b = rng.standard_normal((n, k)) * np.exp2(rng.integers(-4, 5, (ceil_div(n, sfb_rows), 1))).repeat(sfb_rows, 0)[:n]
    problem = Problem(*quantise(a, 1, a_type), *quantise(b, sfb_rows, b_type), d_type)
    if c:
        row_sizes = np.abs(a).max(axis=1)[:, None] * np.abs(b).max(axis=1) * k**0.5 / 8
        problem.c = (rng.standard_normal((m, n)) * row_sizes).astype(d_type)
    return problem


def quantise(x, rows, element=E4M3):
    """x as e4m3 or e5m2 and its scales, one for `rows` rows x BLOCK columns."""
    padded = np.zeros((ceil_div(x.shape[0], rows) * rows, ceil_div(x.shape[1], BLOCK) * BLOCK))
    padded[: x.shape[0], : x.shape[1]] = np.abs(x)
    blocks = padded.reshape(padded.shape[0] // rows, rows, padded.shape[1] // BLOCK, BLOCK)
    scales = (blocks.max(axis=(1, 3)) / LARGEST[np.dtype(element)]).astype(np.float32)
    scales[scales == 0] = 1
    return (x / expand(scales, rows, x.shape)).astype(element), scales


def expand(scales, rows, shape):
    """One scale for each element of a matrix of this shape."""
    return scales.astype(np.float64).repeat(rows, 0).repeat(BLOCK, 1)[: shape[0], : shape[1]]


def reference(problem):
    """D in float64, and the sum of the absolute scaled products (without C)."""
    m, n, k = problem.shape
    d, magnitude = np.zeros((m, n)), np.zeros((m, n))
    with np.errstate(invalid="ignore", over="ignore"):  # NaN and Inf are results too
        for block in range(ceil_div(k, BLOCK)):
            ks = slice(block * BLOCK, (block + 1) * BLOCK)
            a, b = (x[:, ks].astype(np.float64) for x in (problem.a, problem.b))
            sfa, sfb = problem.scales(block)
            scale = sfa.astype(np.float64) * sfb.astype(np.float64)
            d += scale * (a @ b.T)
            magnitude += np.abs(scale) * (np.abs(a) @ np.abs(b).T)
        if problem.c is not None:
            d += problem.c.astype(np.float64)
    return d, magnitude


def by_constant(c):
    """|error| of a block's sum <= c * 2^-13 * sum of |a * b|, scaled and summed."""
    return lambda problem, magnitude: c * 2.0**-13 * magnitude


def bound(problem, d, magnitude, block_error):
    """What each element may differ from the reference (d, magnitude) by: docs/Numerics.md.
    `block_error` is what the sums inside the K blocks contribute."""
    blocks = ceil_div(problem.shape[2], BLOCK)
    summed = block_error(problem, magnitude) + (blocks + 2) * 2.0**-24 * magnitude
    # abs, not np.abs: the GPU tests bring torch tensors.
    added = [abs(x).astype(np.float64) if isinstance(x, np.ndarray) else abs(x.double())
             for x in (problem.c, getattr(problem, "bias", None)) if x is not None]
    if len(added) == 1:
        summed = summed + 2.0**-24 * (abs(d) + summed)
    elif added:
        summed = summed + 2 * 2.0**-24 * (magnitude + added[0] + added[1] + 2 * summed)
    if problem.d_type is F32:
        return summed + 2.0**-125
    return summed + 2.0**-8 * (abs(d) + summed) + 2.0**-134


def errors(problem, result, block_error):
    """The largest |error| as a part of its bound, and the error relative to the whole
    matrix (Frobenius). At most 1 is right; for random problems also at most 2^-8."""
    d, magnitude = reference(problem)
    error = result.astype(np.float64) - d
    assert np.isfinite(error).all(), "expected finite results"
    if not error.size:
        return 0.0, 0.0
    part = np.max(np.abs(error) / bound(problem, d, magnitude, block_error))
    return float(part), float(np.linalg.norm(error) / max(np.linalg.norm(d), 2.0**-134))


# ----------------------------------------------------------------------------------
# Storage
# ----------------------------------------------------------------------------------


def pitched(values, leading_dimension, poison=0xFF):
    """The rows of `values`, `leading_dimension` elements apart; what is between them
    is poison."""
    rows, columns = values.shape
    buffer = np.full((rows, leading_dimension * values.itemsize), poison, np.uint8).view(values.dtype)
    buffer[:, :columns] = values
    return buffer


def stored_scales(scales, layout, row_multiple=1, padding=0):
    """Scales as a kernel reads them, poisoned where they are padded."""
    values = np.ascontiguousarray(scales.T if layout == MN_MAJOR else scales)
    return pitched(values, ceil_div(values.shape[1], row_multiple) * row_multiple + padding)


# ----------------------------------------------------------------------------------
# The CPU oracle
# ----------------------------------------------------------------------------------


class _Matrix(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("leading_dimension", ctypes.c_int64), ("group_stride", ctypes.c_int64)]


class _Problem(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("m", "n", "k")] + [
        (name, ctypes.c_int32) for name in ("a_type", "b_type", "d_type", "sfb_block_rows", "sfa_layout", "sfb_layout")
    ] + [(name, _Matrix) for name in ("a", "sfa", "b", "sfb", "c", "d")] + [
        ("grouping", ctypes.c_int32), ("flattened", ctypes.c_int32), ("groups", ctypes.c_int64),
        ("group_align", ctypes.c_int64), ("k_blocks", ctypes.c_int64), ("description", ctypes.c_void_p),
        ("weights", ctypes.c_int64)]


def _matrix(array):
    """Of an array of rank 3 the first dimension is the group; of rank 1 it is flattened."""
    if array is None:
        return _Matrix()
    strides = [stride // array.itemsize for stride in array.strides]
    return _Matrix(array.ctypes.data, strides[-2] if array.ndim > 1 else 0, strides[-3] if array.ndim > 2 else 0)


_TYPES = {np.dtype(E4M3): 0, np.dtype(E5M2): 1, np.dtype(BF16): 2, np.dtype(F32): 3}


def cpu_call(m, n, k, sfa_layout, sfb_layout, a, sfa, b, sfb, d, c=None, sfb_rows=BLOCK, threads=0, **grouping):
    """fp8gemm_cpu_gemm on arrays of storage, whose element types are the operands'; a
    ValueError with its message if it fails. `grouping` sets the fields of grouped problems."""
    library = ctypes.CDLL(str(LIBRARY))
    code = {K_MAJOR: 0, MN_MAJOR: 1}
    types = [_TYPES[array.dtype] for array in (a, b, d)]
    problem = _Problem(m, n, k, *types, sfb_rows, code[sfa_layout], code[sfb_layout],
                       *map(_matrix, (a, sfa, b, sfb, c, d)), **grouping)
    message = ctypes.create_string_buffer(1024)
    if library.fp8gemm_cpu_gemm(ctypes.byref(problem), threads, message, len(message)) != 0:
        raise ValueError(message.value.decode())


def cpu_gemm(problem, sfa_layout=MN_MAJOR, sfb_layout=K_MAJOR, padding=0, threads=0, in_place=False):
    """D by the oracle. `padding` (a multiple of 16) is added to every leading dimension;
    D's buffer is poisoned first, and what lies between its rows must stay so. `in_place`
    passes C as what D holds."""
    m, n, k = problem.shape
    d = pitched(np.zeros((m, n), problem.d_type), n + padding)
    d.view(np.uint8).fill(0xFF)
    c = None
    if in_place:
        d[:, :n] = problem.c
        c = d
    elif problem.c is not None:
        c = pitched(problem.c, n + 2 * padding)
    sfa = stored_scales(problem.sfa, sfa_layout, 4 if sfa_layout == MN_MAJOR else 1, padding)
    sfb = stored_scales(problem.sfb, sfb_layout, padding=padding)
    cpu_call(m, n, k, sfa_layout, sfb_layout, pitched(problem.a, k + padding), sfa,
             pitched(problem.b, k + padding), sfb, d, c, problem.sfb_rows, threads)
    assert (d[:, n:].view(np.uint8) == 0xFF).all(), "expected nothing to be written between the rows of D"
    return d[:, :n]
