# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The problems of a pack, in words."""

import json
import os
from dataclasses import dataclass
from typing import Any

from fp8gemm._native import NotInPackError

# In the order of the runtime's enumerations.
_GROUPINGS = ("none", "row_index", "row_end", "row_count", "batched", "k_count")
_TYPES = ("e4m3", "e5m2", "bf16", "f32")
_C_USES = ("none", "apart", "in_place")
_LAYOUTS = ("k_major", "mn_major")


@dataclass(frozen=True)
class Problem:
    """A product for which a pack has kernels, with any M. The values are those of the options of `fp8gemm-compile`."""

    grouping: str  # none, row_index, row_end, row_count, batched, k_count
    groups: int
    align: int  # with row_index and row_end: the rows of each group start at a multiple of it
    flat: bool  # with k_count: a and b are the packed matrices of the groups
    m: int | None  # with k_count, otherwise None: any
    n: int
    k: int | None  # None: any, with k_count
    a_type: str  # e4m3, e5m2
    b_type: str
    d_type: str  # bf16, f32
    c: str  # none, apart, in_place
    recipe: str  # 1d2d: 128x128 of b share a scale; 1d1d: 1x128
    sfa: str  # k_major, mn_major
    sfb: str
    batch_invariant: bool = False  # a row of d has the same bits for every M

    @classmethod
    def of(cls, raw: tuple[int, ...]) -> "Problem":
        """From the integers of `_native`."""
        grouping, groups, align, flat, m, n, k, a, b, d, c, rows, sfa, sfb, invariant = raw
        word = _GROUPINGS[grouping]
        return cls(word, groups if grouping else 1, align if word in ("row_index", "row_end") else 1, bool(flat),
                   m if word == "k_count" else None, n, None if k < 0 else k, _TYPES[a], _TYPES[b], _TYPES[d],
                   _C_USES[c], "1d2d" if rows == 128 else "1d1d", _LAYOUTS[sfa], _LAYOUTS[sfb], bool(invariant))

    def entry(self) -> dict[str, Any]:
        """As an entry of the list that `fp8gemm-compile --pack` takes, without what it takes for granted."""
        along_k = self.grouping == "k_count"
        entry: dict[str, Any] = {"op": "gemm" if self.grouping == "none" else "k_grouped_gemm" if along_k else "grouped_gemm"}
        if along_k:
            entry["m"] = self.m
        elif self.grouping != "none":
            entry["grouping"] = self.grouping
        if self.grouping != "none":
            entry["groups"] = self.groups
        entry["n"] = self.n
        if self.k is not None:
            entry["k"] = self.k
        usual = {"align": 1, "a_type": "e4m3", "b_type": "e4m3", "d_type": "bf16", "c": "none", "sfa": "mn_major",
                 "sfb": "k_major"}
        if not along_k:
            usual["recipe"] = "1d2d"
        entry.update({key: getattr(self, key) for key, value in usual.items() if getattr(self, key) != value and
                      key != "recipe" or key == "recipe" and self.recipe != "1d2d"})
        if self.flat:
            entry["flattened"] = True
        if self.batch_invariant:
            entry["batch_invariant"] = True
        return entry


def printable(path: str) -> str:
    """A path for messages: bytes that are not UTF-8 become \\xNN."""
    return os.fsencode(path).decode(errors="backslashreplace")


def not_in_pack(path: str, raw: tuple[int, ...], count: int) -> NotInPackError:
    """The error for a problem for which the pack of that path has no kernels."""
    path = printable(path)
    entry = json.dumps(Problem.of(raw).entry())
    return NotInPackError(f"expected one of the {count} problems of pack '{path}', got {entry}; to have it, add that to "
                          "the pack's list and compile it again: fp8gemm-compile --pack=PROBLEMS.json -o "
                          f"{path} --cache=.cache/fp8gemm")
