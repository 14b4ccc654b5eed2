# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Mixture-of-experts layers whose experts are on several GPUs, over torch.distributed. docs/ExpertParallel.md says more."""

import functools

import torch
from torch import Tensor, nn

from fp8gemm.expert_parallel._ranks import Ranks
from fp8gemm.expert_parallel._rows import Rows
from fp8gemm.expert_parallel._ways import WAYS, Part
from fp8gemm.layers._experts import Experts, Products, quantize_experts
from fp8gemm.layers._experts import expert_problems as problems
from fp8gemm.layers._stages import combine, quantize, swiglu_quantize

__all__ = ["ExpertParallelMoE", "Experts", "Products", "combine", "problems", "quantize", "quantize_experts", "swiglu_quantize"]


class ExpertParallelMoE(nn.Module):
    """y[t] = sum over j of weights[t, j] * expert ids[t, j] (x[t]), with the experts spread over the ranks of a group.

    experts    this rank's: of all `total_experts`, those from rank * E on, E = total_experts / ranks
    top_k      experts of a token
    max_tokens that a rank may have in one call
    group      of torch.distributed, whose time-out is that of each collective; None: all processes
    capacity   for "slots": slots of a rank at each expert, at most max_tokens (the default, which cannot be exceeded)
    align      where groups of rows start; the pack was compiled for it (see `problems`)
    quantize, combine    replacements of the functions of that name

    All ranks are constructed together, with the same numbers: the constructor compares them, and any rank's error is raised on
    all ranks. It is not differentiable. A checkpoint's experts load by their numbers among all (see `Experts`): each rank takes its own.
    """

    def __init__(self, experts: Experts, *, total_experts: int, top_k: int, max_tokens: int, group=None, capacity: int | None = None,
                 align: int = 1, quantize=quantize, combine=combine):
        super().__init__()
        self.experts, self.ranks = experts, Ranks(group)
        self.total_experts, self.top_k, self.max_tokens, self.align = total_experts, top_k, max_tokens, align
        self.capacity = max_tokens if capacity is None else capacity
        self.quantize, self.combine = quantize, combine
        self._agree()
        experts.first, experts.total = self.ranks.rank * experts.experts, total_experts
        self.format, self.slot = Rows(experts.hidden, top_k), Rows(experts.hidden, 0)
        self.register_buffer("missed", torch.zeros((), dtype=torch.int64, device=experts.w13.device), persistent=False)

    def _agree(self):
        """That this rank's numbers are legal, and those of all ranks the same."""
        names = ("total_experts", "top_k", "max_tokens", "capacity", "align")
        mine = {name: getattr(self, name) for name in names}
        mine |= {"hidden": self.experts.hidden, "width": self.experts.width, "experts of a rank": self.experts.experts}
        fault = self._fault(names)
        all_of = self.ranks.every((fault, mine))
        if fault:
            raise ValueError(fault)
        for rank, (their_fault, theirs) in enumerate(all_of):
            if their_fault:
                raise ValueError(f"expected legal settings on every rank, got on rank {rank}: {their_fault}")
            _expect_equal(rank, theirs, all_of[0][1])

    def _fault(self, names):
        for name in names:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                return f"expected '{name}' to be a positive integer, got {value!r}"
        if self.total_experts % self.ranks.size:
            return (f"expected 'total_experts' to be a multiple of the number of ranks, {self.ranks.size}, got {self.total_experts}; "
                    "choose another number of processes")
        if self.experts.experts != self.total_experts // self.ranks.size:
            return (f"expected {self.total_experts} / {self.ranks.size} = {self.total_experts // self.ranks.size} 'experts' on each "
                    f"rank, got {self.experts.experts}")
        if self.top_k > self.total_experts:
            return f"expected 'top_k' of at most 'total_experts' = {self.total_experts}, got {self.top_k}"
        if self.capacity > self.max_tokens:
            return f"expected 'capacity' of at most 'max_tokens' = {self.max_tokens}, got {self.capacity}"
        return None

    @torch.no_grad()
    def forward(self, x: Tensor, ids: Tensor, weights: Tensor, *, way: str = "gather", rows: int | None = None, parts: int = 1,
                shared=None, check: bool = False) -> Tensor:
        """x [T, H] bfloat16, ids [T, top_k] int32 or int64 (-1: no expert), weights [T, top_k] float32 -> [T, H] bfloat16.

        way     "gather", "exchange" or "slots": see docs/ExpertParallel.md
        rows    that each rank contributes to "gather", the same number on every rank: at least T; None: max_tokens
        parts   into which the tokens are divided, so that one is computed while another is sent
        shared  called with x while the first rows are sent; its result, [T, H], is added
        check   compare the call with those of the other ranks, and look at ids; waits for the device

        All ranks call it together, with the same way and parts. An id that is no expert counts as -1, unless it is checked.
        """
        rows = self.max_tokens if rows is None else rows
        fault = self._call_fault(x, ids, weights, way, rows, parts, check)
        if check:
            self._agree_on_call(fault, dict(way=way, rows=rows, parts=parts))
        elif fault:
            raise ValueError(fault)
        extra = functools.cache(lambda: None if shared is None else shared(x))
        begun, first = [], 0
        # Only "gather" needs the same rows of a part on all ranks.
        for part in self._parts(x, ids, weights, rows if way == "gather" else len(x), parts):
            last = first + len(part.values)
            added = functools.partial(_slice, extra, first, last)
            begun.append(WAYS[way](self, part, added))
            next(begun[-1])
            first = last
        extra()
        for going in begun:
            next(going)
        return torch.cat([next(going) for going in begun])

    def _parts(self, x, ids, weights, rows, parts):
        values, scales = self.quantize(x)
        for part in range(parts):
            first, last = rows * part // parts, rows * (part + 1) // parts
            own = slice(min(first, len(x)), min(last, len(x)))
            yield Part(values[own], scales[own], ids[own].long(), weights[own], last - first)

    def _call_fault(self, x, ids, weights, way, rows, parts, check):
        shapes = (("x", x, (None, self.experts.hidden), "[T, H]", (torch.bfloat16, torch.float16, torch.float32)),
                  ("ids", ids, (len(x), self.top_k), "[T, top_k]", (torch.int32, torch.int64)),
                  ("weights", weights, (len(x), self.top_k), "[T, top_k]", (torch.float32,)))
        for name, value, shape, rule, types in shapes:
            wanted = (len(x), *shape[1:])
            if tuple(value.shape) != wanted or value.dtype not in types or value.device != x.device:
                return (f"expected '{name}' of shape {rule} = {wanted}, of {' or '.join(str(t).removeprefix('torch.') for t in types)} "
                        f"and on {x.device}, got {tuple(value.shape)} of {str(value.dtype).removeprefix('torch.')} on {value.device}")
        if way not in WAYS:
            return f"expected 'way' to be one of {', '.join(WAYS)}, got {way!r}"
        if not len(x) <= rows <= self.max_tokens:
            return f"expected T <= rows <= max_tokens = {self.max_tokens}, got T = {len(x)} and rows = {rows}"
        if not 1 <= parts <= rows:
            return f"expected 'parts' from 1 to rows = {rows}, got {parts}"
        if way == "exchange" and x.is_cuda and torch.cuda.is_current_stream_capturing():
            return 'expected "gather" or "slots" in a CUDA graph, got "exchange", for which the host waits'
        if check and len(x) and not -1 <= int(ids.min()) <= int(ids.max()) < self.total_experts:
            return f"expected 'ids' from -1 to {self.total_experts - 1}, got {int(ids.min())} to {int(ids.max())}"
        return None

    def _agree_on_call(self, fault, call):
        all_of = self.ranks.every((fault, call), "comparison of calls")
        if fault:
            raise ValueError(fault)
        for rank, (their_fault, theirs) in enumerate(all_of):
            if their_fault:
                raise ValueError(f"expected a legal call on every rank, got on rank {rank}: {their_fault}")
            _expect_equal(rank, theirs, all_of[0][1])


def _slice(whole, first, last):
    return None if whole() is None else whole()[first:last]


def _expect_equal(rank, theirs, first):
    for name, value in theirs.items():
        if value != first[name]:
            raise ValueError(f"expected the same '{name}' on all ranks, got {first[name]} on rank 0 and {value} on rank {rank}")
