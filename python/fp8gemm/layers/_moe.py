# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Mixture-of-experts MLP of one GPU, and what it shares with that of several (fp8gemm.expert_parallel)."""

import torch
from torch import Tensor, nn

from fp8gemm.layers import _experts, _routing, _stages
from fp8gemm.layers._words import described, expect_type


def weighted_sum(experts, take_rows, ids, weights, pairs, *, align, expected_m, combine, added=None):
    """The weighted sum of `experts` for each token.

    take_rows  of the numbers of tokens, [rows]: their values and scales
    ids        [T, k], from 0; any other number: an expert that is not here
    pairs      at least the number of pairs that have an expert here

    Shapes depend on shapes only.
    """
    rows = _routing.room(pairs, experts.experts, align)
    tokens, ends, places = _routing.arrange(ids, experts.experts, rows, align)
    y = experts.contiguous(*take_rows(tokens), ends, align=align, expected_m=expected_m)
    return combine(y, places, weights, added)


class MoEMLP(nn.Module):
    """y[t] = sum over j of weights[t, j] * expert ids[t, j] (x[t]), of experts that are all on this GPU: rows are quantised and put in the
    order of their experts, and the two grouped products with SwiGLU between them and a weighted sum follow.

    experts   `Experts`, from 0
    align     where groups of rows start; the pack was compiled for it (see `problems`)
    quantize, combine    replacements of `quantize_by_kernel` and `combine`

    Nothing waits for the device, and shapes depend on shapes only: calls can be captured in a CUDA graph. It is not differentiable. The state dict
    of a checkpoint's layer loads as `Experts` says.
    """

    def __init__(self, experts: _experts.Experts, *, align: int = 1, quantize=_stages.quantize_by_kernel, combine=_stages.combine):
        super().__init__()
        expect_type("experts", experts, _experts.Experts)
        if not isinstance(align, int) or isinstance(align, bool) or align < 1:
            raise ValueError(f"expected 'align' to be a positive integer, got {align!r}")
        self.experts, self.align, self.quantize, self.combine = experts, align, quantize, combine

    def forward(self, x: Tensor, ids: Tensor, weights: Tensor, added: Tensor | None = None) -> Tensor:
        """x [T, H] bfloat16, ids [T, k] int32 or int64 (-1, or any number that is no expert: none), weights [T, k] float32, added [T, H] or
        None: the result of a shared expert, say -> [T, H] bfloat16"""
        self._expect(x, ids, weights, added)
        with torch.no_grad():
            values, scales = self.quantize(x)
            take_rows = lambda tokens: (_routing.take(values, tokens), scales.index_select(0, tokens))
            expected_m = max(1, -(-ids.numel() // self.experts.experts))
            return weighted_sum(self.experts, take_rows, ids, weights, ids.numel(), align=self.align, expected_m=expected_m,
                                combine=self.combine, added=added)

    def _expect(self, x, ids, weights, added):
        if x.dim() != 2 or x.shape[1] != self.experts.hidden or x.dtype != torch.bfloat16:
            raise ValueError(f"expected 'x' of shape [T, {self.experts.hidden}] and bfloat16, got {described(x)}")
        if ids.dim() != 2 or ids.shape[0] != x.shape[0] or ids.shape[1] < 1 or ids.dtype not in (torch.int32, torch.int64):
            raise ValueError(f"expected 'ids' of shape [T = {x.shape[0]}, k] and int32 or int64, got {described(ids)}")
        if weights.shape != ids.shape or weights.dtype != torch.float32:
            raise ValueError(f"expected 'weights' of shape {tuple(ids.shape)} and float32, got {described(weights)}")
        if added is not None and added.shape != x.shape:
            raise ValueError(f"expected 'added' of shape {tuple(x.shape)}, got {described(added)}")
        if torch.is_grad_enabled() and any(given is not None and given.requires_grad for given in (x, weights, added)):
            raise ValueError("expected inputs without gradients, got some that require them: this layer is not differentiable; call it with torch.no_grad()")

    def problems(self, max_m: int = 8192) -> list[dict]:
        """The entries of a pack's list for this layer; max_m: rows of one expert."""
        experts = self.experts
        return [{"op": "quantize", "k": experts.hidden, "sfa": "k_major"},
                *_experts.contiguous_problems(experts.experts, experts.hidden, experts.width, align=self.align, max_m=max_m, gated=experts.gated)]
