# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Three ways for rows to reach their experts and come back. Each is a generator for one part of the tokens, which pauses where it
waits for others, so that the caller can put other work there:

    way = gather(moe, part)
    next(way)              # rows are on their way
    next(way)              # they have arrived and are computed; results are on their way back
    out = next(way)        # [tokens, H] bfloat16

`gather` and `exchange` add the results of a rank's experts in float32, in the order of the token's choices, round that to
bfloat16, and add the ranks' sums in float32 in the order of the ranks: both give the same bits.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from fp8gemm.expert_parallel._rows import put
from fp8gemm.layers import _routing
from fp8gemm.layers._moe import weighted_sum
from fp8gemm.layers._routing import take

UNUSED = -1.0  # the first scale of a slot without a row; of rows scales are not negative


class Part(NamedTuple):
    """Some tokens of a rank."""

    values: Tensor  # [T, H] float8_e4m3fn
    scales: Tensor  # [T, ceil(H/128)] float32
    ids: Tensor  # [T, k] int64
    weights: Tensor  # [T, k] float32
    rows: int  # that every rank contributes: at least T


def _compute(moe, packed, ids, weights, pairs, expected_m):
    """The weighted sum of this rank's experts for each row of `packed`, of which ids are this rank's experts or no experts."""

    def take_rows(tokens):
        rows = take(packed, tokens)
        return moe.format.values(rows), moe.format.scales(rows)

    return weighted_sum(moe.experts, take_rows, ids, weights, pairs, align=moe.align, expected_m=expected_m, combine=moe.combine)


def _local(moe, packed):
    """ids of this rank's experts, from 0; any other number otherwise."""
    return moe.format.ids(packed).long() - moe.ranks.rank * moe.experts.experts


def _expected(pairs, experts):
    return max(1, -(-pairs // experts))


def gather(moe, part: Part, added):
    """Every rank gets the rows of all ranks, computes what its experts give to each, and returns the sums to the ranks that the
    rows are from. Shapes are fixed: all of it can be captured in a CUDA graph."""
    ranks, rows = moe.ranks, part.rows
    arriving = ranks.gather("gathering of rows", moe.format.pack(part.values, part.scales, part.ids, part.weights, rows))
    yield
    packed = arriving.wait()
    pairs = len(packed) * moe.top_k
    sums = _compute(moe, packed, _local(moe, packed), moe.format.weights(packed), pairs, _expected(pairs, moe.total_experts))
    returning = ranks.exchange("return of sums", sums)
    yield
    senders = torch.arange(ranks.size, device=packed.device) * rows
    places = torch.arange(len(part.values), device=packed.device).unsqueeze(-1) + senders
    yield moe.combine(returning.wait(), places, None, added())


def exchange(moe, part: Part, added):
    """A row is sent once to each rank that has experts of its token, and their sum comes back. The host waits for the numbers of
    rows; ranks may have different numbers of tokens."""
    ranks, local = moe.ranks, moe.experts.experts
    owner = torch.where((part.ids >= 0) & (part.ids < moe.total_experts), part.ids // local, ranks.size)
    chosen = torch.nn.functional.one_hot(owner, ranks.size + 1)[..., :ranks.size].sum(1)  # [T, R]: choices at each rank
    sizes = torch.stack([(chosen > 0).sum(0), chosen.sum(0)], -1)  # rows and pairs for each rank
    theirs = ranks.exchange("exchange of sizes", sizes).wait()
    sent, (received, pairs) = sizes[:, 0].tolist(), theirs.T.tolist()
    tokens, places = _routing.across(chosen > 0)
    packed = take(moe.format.pack(part.values, part.scales, part.ids, part.weights), tokens)
    arriving = ranks.exchange("exchange of rows", packed, sent, received)
    yield
    packed = arriving.wait()
    sums = _compute(moe, packed, _local(moe, packed), moe.format.weights(packed), sum(pairs), _expected(sum(pairs), local))
    returning = ranks.exchange("return of sums", sums, received, sent)
    yield
    yield moe.combine(returning.wait(), places, None, added())


def slots(moe, part: Part, added):
    """Every rank has `capacity` slots for its tokens at each expert, all of which are sent, and come back before weights are applied:
    as DeepEP's low-latency kernels do it. Each sender's slots at an expert are a group of the products, which are computed where
    they arrived; the senders' groups share the expert's weights. Shapes are fixed; ranks may have different numbers of tokens."""
    ranks, local, capacity = moe.ranks, moe.experts.experts, moe.capacity
    places, missed = _routing.slots(part.ids, moe.total_experts, capacity)
    packed = moe.slot.pack(part.values, part.scales, part.ids, part.weights)
    space = packed.new_empty(moe.total_experts * capacity + 1, moe.slot.bytes)  # one more, for pairs without a slot
    moe.slot.scales(space)[:, 0] = UNUSED
    put(space, torch.where(places >= 0, places, len(space) - 1).flatten(), packed.repeat_interleave(moe.top_k, 0))
    arriving = ranks.exchange("exchange of slots", space[:-1])
    moe.missed += missed.sum()
    yield
    rows = arriving.wait().view(ranks.size * local, capacity, -1)
    scales = moe.slot.scales(rows)
    used = (~(scales[..., 0] < 0)).sum(-1, dtype=torch.int32)  # not those >= 0: of a token with a NaN
    expected = _expected(part.rows * moe.top_k, moe.total_experts)
    y = moe.experts.masked(moe.slot.values(rows), scales, used, expected_m=min(expected, capacity))
    returning = ranks.exchange("return of slots", y.flatten(0, 1))
    yield
    result = moe.combine(returning.wait(), places, part.weights, added())
    yield result.masked_fill(missed.unsqueeze(-1), float("nan"))


WAYS = {"gather": gather, "exchange": exchange, "slots": slots}
