# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where rows go. Shapes depend only on shapes and nothing waits for the device, so that a CUDA graph can contain all of it."""

from typing import NamedTuple

import torch
from torch import Tensor


WORD = torch.int64  # as rows of bytes are copied


class _Ranked(NamedTuple):
    """The pairs (token, slot), sorted by expert, tokens of an expert in their order."""

    order: Tensor  # [T * k]: the pair at each place
    expert: Tensor  # [T * k], of that pair: `experts` for none
    within: Tensor  # [T * k]: its number among the pairs of its expert
    counts: Tensor  # [experts]: pairs of each


def _rank(ids, experts):
    keys = torch.where((ids >= 0) & (ids < experts), ids, experts).flatten()
    expert, order = keys.sort(stable=True)
    first = torch.searchsorted(expert, torch.arange(experts + 1, dtype=expert.dtype, device=ids.device))
    within = torch.arange(len(keys), device=ids.device) - first[expert]
    return _Ranked(order, expert.long(), within, first.diff())


def _scatter(size, ranked, values, like):
    return torch.empty(size, dtype=torch.int64, device=like.device).scatter_(0, ranked.order, values).view(like.shape)


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
    places = _scatter(ids.numel(), ranked, torch.where(has_expert, row, -1), ids)
    tokens = torch.zeros(rows + 1, dtype=torch.int64, device=ids.device)
    tokens.scatter_(0, torch.where(has_expert, row, rows), ranked.order // ids.shape[1])
    return tokens[:rows], (starts + ranked.counts).int(), places


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
    places = _scatter(ids.numel(), ranked, torch.where(fits, ranked.expert * capacity + ranked.within, -1), ids)
    missed = _scatter(ids.numel(), ranked, (has_expert & ~fits).long(), ids)
    return places, missed.any(1)


def across(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Which tokens go to which rank, mask [T, R] -> the tokens in the order of the ranks that they go to, [pairs] int64, and
    the place of each pair among them, [T, R] int64 (-1: none). Waits for the device: the number of pairs is data."""
    ranks, tokens = mask.T.nonzero(as_tuple=True)
    places = torch.full(mask.shape, -1, dtype=torch.int64, device=mask.device)
    places[tokens, ranks] = torch.arange(len(tokens), device=mask.device)
    return tokens, places
