# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same layer with DeepGEMM's products, as engines have it without DeepEP: rows are gathered in bfloat16 and quantised where they
arrive; sums are reduced and scattered by NCCL. What is outside the products is ours."""

import torch
import torch.distributed as dist

from fp8gemm.expert_parallel import _routing

ALIGN = 128


class DeepGemm:
    """form: "contiguous", groups padded to 128 rows, or "masked", room for all tokens in each group, at least 128."""

    def __init__(self, layer, form, tokens):
        import deep_gemm
        self.deep_gemm, self.layer, self.form, self.tokens = deep_gemm, layer, form, tokens
        own = slice(layer.rank * layer.local, (layer.rank + 1) * layer.local)
        w13, s13, w2, s2 = (weight[own] for weight in layer.weights)
        self.w13, self.w2 = (w13, s13), (w2, s2)

    def gathered(self, own):
        whole = own.new_empty(len(own) * self.layer.ranks, *own.shape[1:])
        dist.all_gather_into_tensor(whole, own)
        return whole

    @torch.no_grad()
    def __call__(self, x, ids, weights):
        x, ids, weights = self.gathered(x), self.gathered(ids), self.gathered(weights)
        local = ids.long() - self.layer.rank * self.layer.local
        values, scales = self.layer.stages["quantize"](x)
        y, places = (self.contiguous if self.form == "contiguous" else self.masked)(values, scales, local)
        sums = self.layer.stages["combine"](y, places, weights)
        out = sums.new_empty(self.tokens, sums.shape[1])
        dist.reduce_scatter_tensor(out, sums)
        return out

    def product(self, function, a, b, *groups):
        values, scales = a
        d = torch.empty(*values.shape[:-1], b[0].shape[1], dtype=torch.bfloat16, device=values.device)
        function((values, self.deep_gemm.get_mn_major_tma_aligned_tensor(scales)), b, d, *groups)
        return d

    def both(self, function, a, *groups):
        inner = self.layer.stages["swiglu_quantize"](self.product(function, a, self.w13, *groups))
        return self.product(function, inner, self.w2, *groups)

    def contiguous(self, values, scales, local):
        experts = self.layer.local
        room = _routing.room(local.numel(), experts, ALIGN)
        room = -(-room // ALIGN) * ALIGN
        tokens, ends, places = _routing.arrange(local, experts, room, ALIGN)
        # The group of each block of rows; none after the last.
        blocks = torch.searchsorted((ends + ALIGN - 1) // ALIGN * ALIGN, torch.arange(room, device=ends.device, dtype=torch.int32), right=True)
        index = torch.where(blocks < experts, blocks, -1).int()
        return self.both(self.deep_gemm.m_grouped_fp8_gemm_nt_contiguous, (taken(values, tokens), scales[tokens]), index), places

    def masked(self, values, scales, local):
        experts, most = self.layer.local, -(-len(values) // ALIGN) * ALIGN  # a group with less room than a tile is overwritten by the one before
        places, counts, _ = _routing.slots(local, experts, most)
        token = torch.arange(len(values), device=places.device).unsqueeze(-1).expand_as(places)
        filled = torch.zeros(experts * most + 1, dtype=torch.int64, device=places.device)
        filled.scatter_(0, torch.where(places >= 0, places, experts * most).flatten(), token.flatten())
        filled = filled[:-1]
        a = taken(values, filled).view(experts, most, -1), scales[filled].view(experts, most, -1)
        expected = max(1, -(-local.numel() // self.layer.model["experts"]))
        return self.both(self.deep_gemm.m_grouped_fp8_gemm_nt_masked, a, counts, expected).flatten(0, 1), places


def taken(values, index):
    return values.view(torch.int64).index_select(0, index).view(values.dtype)
