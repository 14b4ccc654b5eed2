# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Who takes part: ours and the peers that can be imported, each on the same data.

A contender is built from Data; building raises where it cannot do the problem. Calling it
enqueues the product; `output` is what it last wrote, and `expected` what that should be.
"""

import functools

import torch
import torch.nn.functional as F

import operands
import runtime_binding

BLOCK = operands.BLOCK
DEVICE = "cuda"


@functools.lru_cache(maxsize=1)  # those of the last shape: a sweep over M has many shapes of one (N, K)
def weights(n, k, rows, seed, device):
    """B, its scales (one for `rows` rows), and in float64 B with and without them."""
    random = torch.Generator(device).manual_seed(seed)
    b, sfb = operands.quantise(torch.randn(n, k, generator=random, device=device), rows, BLOCK)
    return b, sfb, operands.dequantise(b, sfb, rows, BLOCK), operands.exact(b)


class Data:
    """Normal data, quantised to e4m3 by block with exact f32 scales, and float64 references of some rows."""

    SAMPLED_ROWS = 64

    def __init__(self, problem, seed=0):
        self.problem = problem
        m, n, k = problem
        random = torch.Generator(DEVICE).manual_seed(seed)
        self.a, self.sfa = operands.quantise(torch.randn(m, k, generator=random, device=DEVICE), 1, BLOCK)
        self.sfb_rows = 1 if problem.kind.recipe == "1d1d" else BLOCK
        self.d_type = operands.TYPES[problem.kind.d]
        self.b, self.sfb, scaled_b, exact_b = weights(n, k, self.sfb_rows, seed + 1, DEVICE)
        self.touched = self.b  # what a product of few rows has to read
        chosen = torch.randperm(m, generator=random, device=DEVICE)[:self.SAMPLED_ROWS]
        self.rows = torch.unique(torch.cat([chosen, torch.tensor([0, m - 1], device=DEVICE)]))
        some = self.a.view(torch.uint8)[self.rows].view(self.a.dtype)
        self.scaled = operands.dequantise(some, self.sfa[self.rows], 1, BLOCK) @ scaled_b.T
        self.unscaled = operands.exact(some) @ exact_b.T

    def error(self, output, expected):
        """|output - expected| / |expected| over the sampled rows; NaN never passes a comparison."""
        got = output[self.rows].to(torch.float64)
        return float((got - expected).norm() / expected.norm())

    def finite(self, output):
        return bool(torch.isfinite(output).all())


class Contender:
    """An implementation of the product of a Data."""

    adds = False  # to what `output` holds


class Ours(Contender):
    """A kernel file through the runtime's C API."""

    def __init__(self, data, path):
        m, n, _ = data.problem
        self.kernel = runtime_binding.Kernel(path)
        self.kernel.load()
        self.adds = self.kernel.c_use == "in_place"
        self.expected = data.scaled
        self.output = torch.full((m, n), 0.0 if self.adds else float("nan"), dtype=data.d_type, device=DEVICE)
        sfa, sfb = data.sfa, data.sfb
        if self.kernel.sfa == "mn_major":
            sfa = torch.zeros(sfa.shape[1], operands.round_up(m, 4), device=DEVICE)
            sfa[:, :m] = data.sfa.T
        if self.kernel.sfb == "mn_major":
            sfb = data.sfb.T.contiguous()  # N is a multiple of 8, so TMA can load its rows
        self.keep = (data.a, sfa, data.b, sfb)
        self.arguments = self.kernel.arguments(
            m, *((t.data_ptr(), t.shape[1]) for t in (data.a, sfa, data.b, sfb, self.output)))
        self.stream = torch.cuda.current_stream().cuda_stream if DEVICE == "cuda" else 0

    def __call__(self):
        self.kernel.launch(self.arguments, self.stream)


class CublasBlock(Contender):
    """cuBLASLt with 1x128 scales for A and 128x128 for B, to bf16.

    It wants A's scales [M, K/128] with M contiguous, and B's [K/128 padded to a multiple of
    4, N/128] with K contiguous.
    """

    def __init__(self, data):
        if data.sfb_rows != BLOCK or data.d_type != torch.bfloat16:
            raise NotImplementedError("only recipe 1d2d to bf16 is raced")
        self.expected = data.scaled
        self.a, self.b = data.a, data.b.T
        m, columns = data.sfa.shape
        self.sfa = torch.empty_strided((m, columns), (1, m), device=DEVICE).copy_(data.sfa)
        blocks = data.sfb.shape[1]
        padded = F.pad(data.sfb, (0, operands.round_up(blocks, 4) - blocks)).contiguous()
        self.sfb, self.sfb_unpadded = padded.T, data.sfb.T
        self.call = self.newer if hasattr(F, "scaled_mm") else self.older
        self()

    def newer(self):
        kind, plain = F.ScalingType, F.SwizzleType.NO_SWIZZLE
        return F.scaled_mm(self.a, self.b, self.sfa, kind.BlockWise1x128, self.sfb, kind.BlockWise128x128,
                           swizzle_a=plain, swizzle_b=plain, output_dtype=torch.bfloat16)

    def older(self):
        return torch._scaled_mm(self.a, self.b, self.sfa, self.sfb_unpadded, out_dtype=torch.bfloat16)

    def __call__(self):
        self.output = self.call()


class CublasTensor(Contender):
    """cuBLASLt with one scale for each tensor: no block scaling work at all, a ceiling. It overwrites, never adds."""

    def __init__(self, data):
        self.expected = data.unscaled
        self.a, self.b = data.a, data.b.T
        self.one, self.d_type = torch.ones((), device=DEVICE), data.d_type
        self()

    def __call__(self):
        self.output = torch._scaled_mm(self.a, self.b, self.one, self.one, out_dtype=self.d_type,
                                       use_fast_accum=True)


class DeepGemm(Contender):
    """DeepGEMM, its scales already in its layout. Recipe 1d1d is its weight gradient, in f32 in place."""

    def __init__(self, data):
        import deep_gemm
        m, n, _ = data.problem
        if data.sfb_rows == 1:
            self.adds, self.expected = True, data.scaled
            self.output = torch.zeros((m, n), dtype=torch.float32, device=DEVICE)
            self.call = deepgemm_weight_gradient(data.a, data.sfa, data.b, data.sfb, self.output)
            self()
            return
        self.multiply = deep_gemm.fp8_gemm_nt
        self.expected = data.scaled
        self.output = torch.full((m, n), float("nan"), dtype=torch.bfloat16, device=DEVICE)
        a, b = (data.a, deep_gemm.get_mn_major_tma_aligned_tensor(data.sfa)), (data.b, data.sfb)
        self.call = lambda: self.multiply(a, b, self.output)
        self()

    def __call__(self):
        self.call()


def deepgemm_weight_gradient(a, sfa, b, sfb, output):
    """A callable that adds A B^T to `output` (f32) by DeepGEMM; both scales are 1x128.

    So DeepGEMM computes weight gradients, and only so: its kernel with f32 output always
    accumulates. Overwriting is `output.zero_()` first, or none where the gradient accumulates.
    """
    import deep_gemm
    a = (a, deep_gemm.get_mn_major_tma_aligned_tensor(sfa))
    b = (b, deep_gemm.get_mn_major_tma_aligned_tensor(sfb))

    def call():
        deep_gemm.fp8_gemm_nt(a, b, output, c=output, recipe=(1, 1, 128))
    return call


PEERS = {"cublas-b": CublasBlock, "cublas-t": CublasTensor, "deepgemm": DeepGemm}
