# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What gate_up.py times."""

import statistics

import torch
import triton
import triton.language as tl
from gpu_timing import Clock

import fp8gemm
import fp8gemm.layers as layers
import fp8gemm.torch as ft

SWIGLU = dict(gated=True, activation="silu")
SAMPLE = 64  # rows of a group that are compared with float32
clock, compiled = None, None


def prepare(pack_path):
    global clock, compiled
    pack = fp8gemm.load(pack_path)
    pack.load(torch.cuda.current_device())
    fp8gemm.set_pack(pack)
    torch._dynamo.config.recompile_limit = 64
    clock, compiled = Clock(), torch.compile(layers.swiglu_quantize, dynamic=True)


@triton.jit
def swiglu_quantize_kernel(x, q, scales, counts, rows, width, padded, ROWS: tl.constexpr):
    """x [G, rows, 2 * width] -> q [G, rows, width] and scales [G, width / 128, padded] of ROWS rows and 128 columns of group g, up to
    its count."""
    group, block = tl.program_id(2).to(tl.int64), tl.program_id(1)
    used = tl.load(counts + group)
    if tl.program_id(0) * ROWS >= used:
        return
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = block * 128 + tl.arange(0, 128)
    is_used = row < used
    at = (group * rows + row)[:, None] * (2 * width) + column[None, :]
    gate = tl.load(x + at, mask=is_used[:, None], other=0.0).to(tl.float32)
    up = tl.load(x + at + width, mask=is_used[:, None], other=0.0).to(tl.float32)
    y = gate / (1.0 + tl.exp(-gate)) * up
    scale = tl.maximum(tl.max(tl.abs(y), axis=1), 1e-4) / 448.0
    value = (y * (1.0 / scale)[:, None]).to(tl.float8e4nv)
    tl.store(q + (group * rows + row)[:, None] * width + column[None, :], value, mask=is_used[:, None])
    tl.store(scales + (group * (width // 128) + block) * padded + row, scale, mask=is_used)


def by_triton(x, q, scales, counts):
    groups, rows, width = q.shape
    grid = (triton.cdiv(rows, 16), width // 128, groups)
    swiglu_quantize_kernel[grid](x, q, scales, counts, rows, width, scales.shape[-1], ROWS=16, num_warps=4)


class Product:
    """One form of the product: its operands, and the rows of each group that are compared."""

    def __init__(self, form, groups, rows, n, k):
        random = torch.Generator("cuda").manual_seed(groups * rows + n)
        normal = lambda *shape: torch.randn(shape, generator=random, device="cuda")
        self.form, self.n = form, n
        # Masked groups have room for twice as many rows as they use.
        self.shape = {"dense": (rows,), "contiguous": (groups * rows,), "masked": (groups, 2 * rows)}[form]
        self.a = ft.quantize_per_token(normal(*self.shape, k))
        weights = [ft.quantize_per_block(normal(n, k) / k**0.5) for _ in range(groups)]
        self.b = weights[0] if form == "dense" else tuple(map(torch.stack, zip(*weights)))
        self.counts = torch.full((groups,), rows, dtype=torch.int32, device="cuda")
        self.ends = torch.arange(1, groups + 1, dtype=torch.int32, device="cuda") * rows
        self.rows, self.groups, self.weights = rows, groups, weights

    def into(self, d, **options):
        if self.form == "dense":
            return fp8gemm.gemm(*self.a, *self.b, d, **options)
        if self.form == "masked":
            return fp8gemm.grouped_gemm_masked(*self.a, *self.b, self.counts, d, expected_m=self.rows, **options)
        return fp8gemm.grouped_gemm_contiguous(*self.a, *self.b, self.ends, d, by="end", align=1, **options)

    def quantized_result(self):
        """q [G, rows, N/2] as the form has it, with scales mn_major."""
        *outer, rows = self.shape
        width = self.n // 2
        q = torch.zeros(*outer, rows, width, dtype=torch.uint8, device="cuda").view(torch.float8_e4m3fn)
        padded = -(-rows // 4) * 4
        return q, torch.zeros(*outer, width // 128, padded, device="cuda")

    def error(self, q, scales):
        """Of the first rows of each group, against float32."""
        off = total = 0.0
        scales = scales[..., :self.shape[-1]].mT
        count = min(self.rows, SAMPLE)
        for group in range(0, self.groups, 7):
            pick = {"dense": slice(0, count), "contiguous": slice(group * self.rows, group * self.rows + count),
                    "masked": (group, slice(0, count))}[self.form]
            gate, up = (ft.dequantize(self.a[0][pick], self.a[1][pick]) @ ft.dequantize(*self.weights[group]).T).chunk(2, -1)
            wanted = torch.nn.functional.silu(gate) * up
            off += (ft.dequantize(q[pick], scales[pick]) - wanted).square().sum().item()
            total += wanted.square().sum().item()
        return (off / total) ** 0.5


def measure(form, groups, rows, n, k, rounds):
    product = Product(form, groups, rows, n, k)
    d = torch.empty(*product.shape, n, dtype=torch.bfloat16, device="cuda")
    fused, separate = product.quantized_result(), product.quantized_result()
    whole = [x if x.dim() == 3 else x[None] for x in (d, *separate)]  # a form without groups is one
    counts = product.counts if form == "masked" else torch.full((1,), product.shape[-1], dtype=torch.int32, device="cuda")
    kept = {}

    def followed_by_compiled():
        product.into(d)
        kept["compiled"] = compiled(d)

    def followed_by_triton():
        product.into(d)
        by_triton(*whole, counts)

    sfd = fused[1][..., :product.shape[-1]].mT
    calls = {"fused": lambda: product.into(fused[0], sfd=sfd, **SWIGLU), "product": lambda: product.into(d),
             "compiled": followed_by_compiled, "triton": followed_by_triton}
    for call in calls.values():
        call()
    torch.cuda.synchronize()
    errors = {"fused": product.error(*fused), "triton": product.error(*separate),
              "compiled": product.error(kept["compiled"][0], kept["compiled"][1].mT)}
    samples, _ = clock.time(calls, rounds)
    return {"us": {name: statistics.median(times) for name, times in samples.items()}, "errors": errors, "timed_by": clock.method}
