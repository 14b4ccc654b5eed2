# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where rows go. Shapes depend only on shapes and nothing waits for the device, so that a CUDA graph can contain all of it."""

from typing import NamedTuple

import torch
from torch import Tensor


WORD = torch.int64  # as rows are copied
_CHUNK = 512  # pairs


class _Ranked(NamedTuple):
    """Of each pair (token, slot), its number among the pairs of its expert, in the order of the tokens."""

    expert: Tensor  # [T * k] int64; `experts` for none
    within: Tensor  # [T * k] int64
    counts: Tensor  # [experts] int64: pairs of each


def _rank(ids, experts):
    """Counts instead of sorting, which takes more kernels, and longer ones for few pairs."""
    expert = torch.where((ids >= 0) & (ids < experts), ids, experts).flatten().long()
    chunks = torch.nn.functional.pad(expert, (0, -len(expert) % _CHUNK), value=experts).view(-1, _CHUNK, 1)
    is_expert = (chunks == torch.arange(experts, device=ids.device)).int()
    upto = is_expert.cumsum(1, dtype=torch.int32)  # torch.compile makes no kernel of one of 16 bits
    of_chunk = upto[:, -1].long()
    total = of_chunk.cumsum(0)
    within = (upto - 1 + (total - of_chunk).unsqueeze(1)) * is_expert
    return _Ranked(expert, within.sum(2).flatten()[:len(expert)], total[-1] if len(total) else of_chunk.sum(0))


def room(pairs: int, experts: int, align: int) -> int:
    """Rows that `arrange` needs for that many pairs, however they are distributed."""
    return pairs + min(pairs, experts) * (align - 1)


def arrange(ids: Tensor, experts: int, rows: int, align: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Rows grouped by expert, each group starting at a multiple of `align`.

    ids [T, k]: experts, or any other number for none. `rows` is at least the room of the pairs that have an expert. Returns
    the token of each row, [rows] int64 (0 for unused rows); the end of each group, [experts] int32; and the row of each pair,
    [T, k] int64 (-1: none).
    """
    ranked = _rank(ids, experts)
    padded = (ranked.counts + align - 1) // align * align
    starts = padded.cumsum(0) - padded
    has_expert = ranked.expert < experts
    row = starts[ranked.expert.clamp(max=experts - 1)] + ranked.within
    tokens = torch.zeros(rows + 1, dtype=torch.int64, device=ids.device)
    tokens.scatter_(0, torch.where(has_expert, row, rows), torch.arange(ids.numel(), device=ids.device) // ids.shape[1])
    return tokens[:rows], (starts + ranked.counts).int(), torch.where(has_expert, row, -1).view(ids.shape)


def take(rows: Tensor, index: Tensor) -> Tensor:
    """rows[index], of rows of bytes or of values of at most 8 bytes, whose rows are multiples of 8 bytes."""
    return rows.view(WORD).index_select(0, index).view(rows.dtype)


def slots(ids: Tensor, experts: int, capacity: int) -> tuple[Tensor, Tensor]:
    """A fixed number of slots for each expert, filled from the first.

    Returns the slot of each pair, [T, k] int64 (expert * capacity + number; -1: none), and which tokens [T] have a pair that
    found no slot.
    """
    ranked = _rank(ids, experts)
    has_expert = ranked.expert < experts
    fits = has_expert & (ranked.within < capacity)
    places = torch.where(fits, ranked.expert * capacity + ranked.within, -1)
    return places.view(ids.shape), (has_expert & ~fits).view(ids.shape).any(1)


def across(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Which tokens go to which rank, mask [T, R] -> the tokens in the order of the ranks that they go to, [pairs] int64, and
    the place of each pair among them, [T, R] int64 (-1: none). Waits for the device: the number of pairs is data."""
    ranks, tokens = mask.T.nonzero(as_tuple=True)
    places = torch.full(mask.shape, -1, dtype=torch.int64, device=mask.device)
    places[tokens, ranks] = torch.arange(len(tokens), device=mask.device)
    return tokens, places
