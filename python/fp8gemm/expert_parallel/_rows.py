# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows as they are sent: values, scales and, where a row needs them, its experts and their weights, one after the other in
one row of bytes, so that one collective sends all. The products read values and scales where they are."""

import torch
from torch import Tensor

from fp8gemm.layers._routing import WORD
from fp8gemm.torch import BLOCK

ALIGNMENT = 16  # bytes, of the rows that kernels read


class Rows:
    """The format of rows [T, bytes] uint8 of `hidden` values, with `slots` experts each."""

    def __init__(self, hidden: int, slots: int):
        self.hidden, self.slots = hidden, slots
        self._scales = hidden
        self._ids = self._scales + 4 * -(-hidden // BLOCK)
        self._weights = self._ids + 4 * slots
        self.bytes = -(-(self._weights + 4 * slots) // ALIGNMENT) * ALIGNMENT

    def pack(self, values: Tensor, scales: Tensor, ids: Tensor, weights: Tensor, count: int | None = None) -> Tensor:
        """Rows of these, and after them up to `count` rows without experts."""
        rows = torch.zeros if count is not None and count > len(values) else torch.empty
        packed = rows(len(values) if count is None else count, self.bytes, dtype=torch.uint8, device=values.device)
        used = packed[:len(values)]
        self.values(used).view(torch.uint8).copy_(values.view(torch.uint8))
        self.scales(used).copy_(scales)
        if self.slots:
            self.ids(packed)[len(values):] = -1
            self.ids(used).copy_(ids)
            self.weights(used).copy_(weights)
        return packed

    def values(self, rows: Tensor) -> Tensor:
        return rows[..., :self.hidden].view(torch.float8_e4m3fn)

    def scales(self, rows: Tensor) -> Tensor:
        return rows[..., self._scales:self._ids].view(torch.float32)

    def ids(self, rows: Tensor) -> Tensor:
        return rows[..., self._ids:self._weights].view(torch.int32)

    def weights(self, rows: Tensor) -> Tensor:
        return rows[..., self._weights:self._weights + 4 * self.slots].view(torch.float32)


def put(rows: Tensor, index: Tensor, values: Tensor):
    """rows[index] = values, of rows of bytes."""
    rows.view(WORD).index_copy_(0, index, values.view(WORD))
