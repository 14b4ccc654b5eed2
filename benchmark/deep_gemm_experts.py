# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Experts of one GPU with DeepGEMM's products. Everything outside the products is fp8gemm's."""

import deep_gemm
import torch

from fp8gemm.layers import _routing

ALIGN = 128


class DeepGemmExperts:
    """weights: w13, its scales, w2, its scales; stages: {"swiglu_quantize": function}; total: experts that ids are spread over."""

    def __init__(self, weights, stages, total):
        w13, s13, w2, s2 = weights
        self.w13, self.w2, self.stages, self.total, self.experts = (w13, s13), (w2, s2), stages, total, len(w13)

    def product(self, function, a, b, *groups):
        values, scales = a
        d = torch.empty(*values.shape[:-1], b[0].shape[1], dtype=torch.bfloat16, device=values.device)
        function((values, deep_gemm.get_mn_major_tma_aligned_tensor(scales)), b, d, *groups)
        return d

    def both(self, function, a, *groups):
        inner = self.stages["swiglu_quantize"](self.product(function, a, self.w13, *groups))
        return self.product(function, inner, self.w2, *groups)

    def contiguous(self, values, scales, ids):
        """Groups padded to 128 rows. -> rows of results, and where those of each pair are"""
        room = _routing.room(ids.numel(), self.experts, ALIGN)
        room = -(-room // ALIGN) * ALIGN
        tokens, ends, places = _routing.arrange(ids, self.experts, room, ALIGN)
        # The group of each block of rows; none after the last.
        blocks = torch.searchsorted((ends + ALIGN - 1) // ALIGN * ALIGN, torch.arange(room, device=ends.device, dtype=torch.int32), right=True)
        index = torch.where(blocks < self.experts, blocks, -1).int()
        return self.both(deep_gemm.m_grouped_fp8_gemm_nt_contiguous, (_routing.take(values, tokens), scales[tokens]), index), places

    def masked(self, values, scales, ids):
        """Room for all tokens in each group, at least 128."""
        experts, most = self.experts, -(-len(values) // ALIGN) * ALIGN  # a group with less room than a tile is overwritten by the one before
        places, _ = _routing.slots(ids, experts, most)
        counts = (ids.unsqueeze(-1) == torch.arange(experts, device=ids.device)).sum((0, 1), dtype=torch.int32)
        token = torch.arange(len(values), device=places.device).unsqueeze(-1).expand_as(places)
        filled = torch.zeros(experts * most + 1, dtype=torch.int64, device=places.device)
        filled.scatter_(0, torch.where(places >= 0, places, experts * most).flatten(), token.flatten())
        filled = filled[:-1]
        a = _routing.take(values, filled).view(experts, most, -1), scales[filled].view(experts, most, -1)
        expected = max(1, -(-ids.numel() // self.total))
        return self.both(deep_gemm.m_grouped_fp8_gemm_nt_masked, a, counts, expected).flatten(0, 1), places
