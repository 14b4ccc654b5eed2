# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same layer with DeepGEMM's products, as engines have it without DeepEP: rows are gathered in bfloat16 and quantised where they
arrive; sums are reduced and scattered by NCCL. Everything outside the products is ours."""

import torch
import torch.distributed as dist
from deep_gemm_experts import DeepGemmExperts


class DeepGemm:
    """form: "contiguous" or "masked", of DeepGemmExperts."""

    def __init__(self, layer, form, tokens):
        self.layer, self.tokens = layer, tokens
        own = slice(layer.rank * layer.local, (layer.rank + 1) * layer.local)
        self.compute = getattr(DeepGemmExperts([weight[own] for weight in layer.weights], layer.stages, layer.model["experts"]), form)

    def gathered(self, own):
        whole = own.new_empty(len(own) * self.layer.ranks, *own.shape[1:])
        dist.all_gather_into_tensor(whole, own)
        return whole

    @torch.no_grad()
    def __call__(self, x, ids, weights):
        x, ids, weights = self.gathered(x), self.gathered(ids), self.gathered(weights)
        local = ids.long() - self.layer.rank * self.layer.local
        y, places = self.compute(*self.layer.stages["quantize"](x), local)
        sums = self.layer.stages["combine"](y, places, weights)
        out = sums.new_empty(self.tokens, sums.shape[1])
        dist.reduce_scatter_tensor(out, sums)
        return out
