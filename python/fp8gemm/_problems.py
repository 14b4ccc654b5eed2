# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The problems of a pack, in words."""

import json
import os
from dataclasses import dataclass
from typing import Any

from fp8gemm import _native
from fp8gemm._native import NotInPackError

# The table of fields is in C++ (runtime/format): for each grouping, of products and of quantisation, its op, what its fields usually are, and which an entry
# of a list has to name.
_FIELDS = {(entry[0], entry[2]["x_type"] is not None): entry[1:] for entry in _native._problem_fields()}
_ATTRIBUTES = {"flattened": "flat"}  # where they have other names


@dataclass(frozen=True)
class Problem:
    """A product or a quantisation for which a pack has kernels, with any M. The values are those of the options of `fp8gemm-compile`."""

    grouping: str  # of a quantisation none, as of one product; none, row_index, row_end, row_count, batched, k_count
    groups: int
    align: int  # with row_index and row_end: the rows of each group start at a multiple of it
    flat: bool  # with k_count: a and b are the packed matrices of the groups
    m: int | None  # with k_count, otherwise None: any
    n: int
    k: int | None  # None: any, with k_count
    a_type: str  # e4m3, e5m2
    b_type: str
    d_type: str  # bf16, f32; e4m3: quantised, with sfd
    c: str  # none, apart, in_place
    recipe: str  # 1d2d: 128x128 of b share a scale; 1d1d: 1x128; of a quantisation of what it makes
    sfa: str  # k_major, mn_major
    sfb: str
    batch_invariant: bool = False  # a row of d has the same bits for every M
    x_type: str | None = None  # bf16, f16, f32: a quantisation, of which only k, recipe, a_type, sfa, power_of_two, gated and activation count
    power_of_two: bool = False  # its scales, or those of a quantised d, are rounded up to powers of two
    bias: str | None = None  # bf16, f32: a row of N is added to each row of d
    row_scale: str | None = None  # f32: rows of the product are multiplied by a column of M
    activation: str = "none"  # relu, silu, gelu, gelu_tanh: d is this function of the sum; gated: of the gate, times the other sum; of a quantisation, a is of that of x
    gated: bool = False  # d has n / 2 columns, of the products with rows n and n / 2 + n of b; of a quantisation, x has 2 * k
    sfd: str = "none"  # mn_major, k_major: how the scales of a quantised d are stored
    weights: int = 0  # matrices of b, if groups share them: group g has number g % weights; 0: one for each group

    @classmethod
    def of(cls, fields: dict[str, Any]) -> "Problem":
        """From the fields of `_native`."""
        return cls(**{_ATTRIBUTES.get(name, name): value for name, value in fields.items()})

    @property
    def op(self) -> str:
        """gemm, grouped_gemm, k_grouped_gemm or quantize."""
        return self._fields()[0]

    def _fields(self) -> Any:
        """The op, what its fields usually are, and which an entry has to name."""
        return _FIELDS[self.grouping, self.x_type is not None]

    def entry(self) -> dict[str, Any]:
        """As an entry of the list that `fp8gemm-compile --pack` takes, without what it takes for granted."""
        op, usual_fields, needed = self._fields()
        entry: dict[str, Any] = {"op": op}
        for name, usual in usual_fields.items():
            value = getattr(self, _ATTRIBUTES.get(name, name))
            if value != usual or name in needed:
                entry[name] = value
        return entry


def printable(path: str) -> str:
    """A path for messages: bytes that are not UTF-8 become \\xNN."""
    return os.fsencode(path).decode(errors="backslashreplace")


def not_in_pack(path: str, entry: str, count: int) -> NotInPackError:
    """The error for a problem, an entry of a list, for which the pack of that path has no kernels."""
    path, extents = printable(path), json.loads(entry)
    advice = ("to have it, add that to the pack's list and compile it again: fp8gemm-compile --pack=PROBLEMS.json -o "
              f"{path} --cache=.cache/fp8gemm")
    for name, factor in (("n", 16 if extents.get("gated") else 8), ("k", 16)):
        extent = extents.get(name, factor)  # k may be missing: any
        if extent == 0 or extent % factor:
            advice = f"no pack can have it: expected '{name}' to be a positive multiple of {factor}, got {extent}"
    return NotInPackError(f"expected one of the {count} problems of pack '{path}', got {entry}; {advice}")
