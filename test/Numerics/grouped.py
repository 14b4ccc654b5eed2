# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Grouped products in numpy: random groups, what they mean, and the CPU oracle.

Which rows are whose is computed here from the description once more; the products
themselves are numerics.Problem.
"""

from dataclasses import dataclass, replace

import numerics
import numpy as np
from numerics import BF16, BLOCK, E4M3, F32, K_MAJOR, MN_MAJOR, Problem, ceil_div

KINDS = {"row_index": 1, "row_end": 2, "row_count": 3, "batched": 4, "k_count": 5}
POISON = 0xFF  # of every byte: NaN in all types


def padded(values, extra_rows=0, extra_columns=0, align=1):
    """A view of `values` ([..., rows, columns]) in a larger buffer of poison, rows of a multiple of `align` elements."""
    *outer, rows, columns = values.shape
    leading = ceil_div(columns, align) * align + extra_columns
    buffer = np.full((*outer, rows + extra_rows, leading * values.itemsize), POISON, np.uint8).view(values.dtype)
    view = buffer[..., :rows, :columns]
    view[...] = values
    return view


def stored_scales(scales, layout, padding):
    values = scales.swapaxes(-1, -2) if layout == MN_MAJOR else scales
    return padded(values, 0, padding, 4 if layout == MN_MAJOR else 1)


def poisoned(shape, element, extra_rows, extra_columns):
    """A view of poison like padded(), and its whole buffer."""
    *outer, rows, columns = shape
    itemsize = np.dtype(element).itemsize
    buffer = np.full((*outer, rows + extra_rows, (columns + extra_columns) * itemsize), POISON, np.uint8)
    return buffer.view(element)[..., :rows, :columns], buffer


# ----------------------------------------------------------------------------------
# Groups of rows
# ----------------------------------------------------------------------------------


@dataclass
class RowGroups:
    """grouped_gemm: a [M, k] (row_index, row_end) or [groups, M, k], sfa like it; b [groups, n, k], sfb
    [groups, N blocks, K blocks]; or of `weights` matrices that groups share, group g having number g % weights."""

    kind: str
    align: int
    description: np.ndarray
    a: np.ndarray
    sfa: np.ndarray
    b: np.ndarray
    sfb: np.ndarray
    d_type: type = BF16
    sharing: int = 1  # groups of a matrix of b
    c: np.ndarray = None  # of the shape of D

    @property
    def groups(self):
        return self.b.shape[0] * self.sharing

    def owners(self):
        """The group of each row, -1 of none. [M] or [groups, M], as A."""
        rows, groups = self.a.shape[-2], self.groups
        if self.kind == "row_index":
            return np.where((self.description >= 0) & (self.description < groups), self.description, -1)
        if self.kind == "row_end":
            owner, start = np.full(rows, -1), 0
            for group, end in enumerate(self.description):
                owner[start:end] = group
                start = ceil_div(int(end), self.align) * self.align
            return owner
        used = np.full(groups, rows) if self.kind == "batched" else self.description
        return np.where(np.arange(rows) < used[:, None], np.arange(groups)[:, None], -1)


def random_rows(kind, groups, n, k, counts, align=1, gaps=(), rows=0, seed=0, sfb_rows=BLOCK, d_type=BF16, weights=None, c=False):
    """`counts` rows of each group, in this order. row_index: `gaps` are blocks of -1 before a group, and
    rows that are missing in a group's last block are -1. `rows` are allocated at least; what
    belongs to no group is NaN."""
    rng = np.random.default_rng([seed, groups, n, k])
    if kind == "row_index":
        index = []
        for group, count in enumerate(counts):
            index += [-1] * align * (gaps[group] if gaps else 0)
            index += [group] * count + [-1] * (-count % align)
        index = np.asarray(index + [-1] * (rows - len(index)), np.int32)
        # The last block may be cut anywhere after its last row.
        used = np.flatnonzero(index >= 0)
        description = index[:max(rows, used[-1] + 1 if used.size else 0)]
        total = len(description)
    elif kind == "row_end":
        description, start = np.zeros(groups, np.int32), 0
        for group, count in enumerate(counts):
            # A group without rows ends where the one before ends, or at its own start.
            before = description[group - 1] if group else 0
            description[group] = start + count if count or rng.integers(2) else before
            start = ceil_div(int(description[group]), align) * align
        total = max(rows, int(description.max(initial=0)))
    else:
        description = np.asarray(counts, np.int32)
        total = max(rows, int(description.max(initial=0)))
    shape = (total, k) if kind in ("row_index", "row_end") else (groups, total, k)
    a = rng.standard_normal(shape) * np.exp2(rng.integers(-4, 5, (*shape[:-1], 1)))
    a, sfa = numerics.quantise(a.reshape(-1, k), 1)
    weights = weights or groups
    b = rng.standard_normal((weights, n, k)) * np.exp2(rng.integers(-4, 5, (weights, 1, 1)))
    b, sfb = map(np.stack, zip(*(numerics.quantise(x, sfb_rows) for x in b)))
    problem = RowGroups(kind, align, description, a.reshape(shape), sfa.reshape(*shape[:-1], ceil_div(k, BLOCK)), b, sfb, d_type,
                        groups // weights)
    unused = problem.owners() < 0
    problem.a.view(np.uint8)[unused] = POISON
    problem.sfa[unused] = np.nan
    if c:
        problem.c = (4 * rng.standard_normal((*shape[:-1], n))).astype(d_type)
        problem.c[unused] = np.frombuffer(bytes([POISON] * 4), d_type)[0]
    return problem


def side_by_side(values):
    """A view of [groups, rows, columns] in a buffer of [rows, groups, columns]."""
    return np.ascontiguousarray(values.swapaxes(0, 1)).swapaxes(0, 1)


def call_rows(problem, d, c=None, sfa_layout=MN_MAJOR, sfb_layout=K_MAJOR, padding=0, beside=False):
    place = side_by_side if beside else lambda values: padded(values, padding // 4, padding)
    n, k = problem.b.shape[-2:]
    sfb_rows = 1 if problem.sfb.shape[1] == n else BLOCK
    description = np.ascontiguousarray(problem.description)
    numerics.cpu_call(problem.a.shape[-2], n, k, sfa_layout, sfb_layout, place(problem.a),
                      stored_scales(problem.sfa, sfa_layout, padding), padded(problem.b, 1, padding),
                      stored_scales(problem.sfb, sfb_layout, padding), d, c, sfb_rows,
                      grouping=KINDS[problem.kind], groups=problem.groups, group_align=problem.align,
                      weights=0 if problem.sharing == 1 else len(problem.b),
                      description=None if problem.kind == "batched" else description.ctypes.data)


def check_rows(problem, padding=0, beside=False, in_place=False, **options):
    """Rows of groups are right, and all other bytes of D's buffer are what they were."""
    n = problem.b.shape[1]
    shape = (*problem.a.shape[:-1], n)
    if beside:
        buffer = np.full((shape[1], shape[0], n * np.dtype(problem.d_type).itemsize), POISON, np.uint8)
        d = buffer.view(problem.d_type).swapaxes(0, 1)
    else:
        d, buffer = poisoned(shape, problem.d_type, padding // 4, padding)
    c = None
    if in_place:
        d[...] = problem.c
        c = d
    elif problem.c is not None:
        c = side_by_side(problem.c) if beside else padded(problem.c, 1, 2 * padding)
    call_rows(problem, d, c, padding=padding, beside=beside, **options)
    owners = problem.owners()
    for group in range(problem.groups):
        rows = owners == group
        matrix = group % len(problem.b)
        check(Problem(problem.a[rows], problem.sfa[rows], problem.b[matrix], problem.sfb[matrix], problem.d_type,
                      None if problem.c is None else problem.c[rows]), d[rows])
    d[owners >= 0] = np.frombuffer(bytes([POISON] * 4), problem.d_type)[0]
    assert (buffer == POISON).all(), "expected rows of no group, and what is between rows, to be untouched"


def check(problem, result):
    part, relative = numerics.errors(problem, result, numerics.by_constant(numerics.C_CPU))
    assert part <= 1, f"expected each error within its bound, got {part:.3g} of it"
    assert relative <= 2.0**-8, f"expected a relative error of at most 2^-8, got {relative:.3g}"


# ----------------------------------------------------------------------------------
# Groups of K
# ----------------------------------------------------------------------------------


@dataclass
class KGroups:
    """k_grouped_gemm: a problem for each group, of equal m and n; one without K has None."""

    lengths: np.ndarray
    problems: list
    m: int
    n: int
    d_type: type = F32
    c: np.ndarray = None  # [groups, m, n]


def random_k(m, n, lengths, seed=0, d_type=F32, c=False, a_type=E4M3, b_type=E4M3):
    problems = [numerics.random_problem(m, n, k, [seed, group], 1, a_type, b_type, d_type) if k else None
                for group, k in enumerate(lengths)]
    groups = KGroups(np.asarray(lengths, np.int32), problems, m, n, d_type)
    if c:
        groups.c = np.random.default_rng(seed).standard_normal((len(lengths), m, n)).astype(d_type)
        groups.problems = [p and replace(p, c=groups.c[i]) for i, p in enumerate(problems)]
    return groups


def call_k(groups, d, c=None, sfa_layout=MN_MAJOR, sfb_layout=MN_MAJOR, padding=0, flattened=False, extra_k=0,
           extra_blocks=0, lengths=None, k_blocks=None):
    """`extra_k` columns and `extra_blocks` of scales after the last group are poison. `lengths` and `k_blocks`:
    a description, and blocks of scales, to call with instead."""
    present = [p for p in groups.problems if p]
    m, n, ksum = groups.m, groups.n, int(groups.lengths.sum()) + extra_k
    def matrices(name, rows):
        parts = [getattr(p, name) for p in present]
        element = parts[0].dtype if parts else E4M3
        tail = np.full((rows, extra_k), POISON, np.uint8).view(element)
        if flattened:
            return np.concatenate([x.reshape(-1) for x in (*parts, tail)])
        return padded(np.concatenate([*parts, tail], axis=1), 0, padding, 16)

    def scales(name, rows, layout):
        parts = [getattr(p, name) for p in present] + [np.full((rows, extra_blocks), np.nan, np.float32)]
        return stored_scales(np.concatenate(parts, axis=1), layout, padding)

    sfa, sfb = scales("sfa", m, sfa_layout), scales("sfb", n, sfb_layout)
    description = np.asarray(groups.lengths if lengths is None else lengths, np.int32)
    numerics.cpu_call(m, n, ksum, sfa_layout, sfb_layout, matrices("a", m), sfa, matrices("b", n), sfb, d, c, 1,
                      grouping=KINDS["k_count"], groups=len(description), group_align=1, flattened=int(flattened),
                      k_blocks=k_blocks or sfa.shape[0 if sfa_layout == MN_MAJOR else 1], description=description.ctypes.data)


def check_k(groups, padding=0, in_place=False, **options):
    shape = (len(groups.lengths), groups.m, groups.n)
    d, buffer = poisoned(shape, groups.d_type, 1 if padding else 0, padding)
    c = None
    if in_place:
        d[...] = groups.c
        c = d
    elif groups.c is not None:
        c = padded(groups.c, 1, 2 * padding)
    call_k(groups, d, c, padding=padding, **options)
    for group, problem in enumerate(groups.problems):
        if problem:
            check(problem, d[group])
        elif in_place:
            assert d[group].tobytes() == groups.c[group].tobytes(), "expected a group without K to be untouched"
        else:
            expected = 0 if groups.c is None else groups.c[group]
            np.testing.assert_array_equal(d[group].astype(F32), np.broadcast_to(expected, shape[1:]).astype(F32))
    d[...] = np.frombuffer(bytes([POISON] * 4), groups.d_type)[0]
    assert (buffer == POISON).all(), "expected what is between rows and groups to be untouched"
