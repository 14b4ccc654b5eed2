# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Block-scaled linear layers as plain PyTorch formulas, lowered to linalg by torch-mlir: the tests' inputs.

    python3 -m venv torch-mlir
    torch-mlir/bin/pip install torch==2.15.0 torch-mlir==20261001 packaging numpy
    torch-mlir/bin/python torch_formulas.py FOLDER      # writes FOLDER/<formula>.mlir

torch-mlir brings an LLVM of its own, so what it makes is text here. The files beside this one are its output as it is.
"""

import sys
from pathlib import Path

import torch
from torch_mlir import fx

BLOCK = 128
M, N, K = 8, 256, 384


def blocks(matrix, rows):
    """The matrix as [row blocks, rows, K blocks, 128], in f32."""
    return matrix.to(torch.float32).reshape(matrix.shape[0] // rows, rows, matrix.shape[1] // BLOCK, BLOCK)


def dequantised(matrix, scales):
    """scales: one for 1 x 128 elements of the matrix."""
    m, k = matrix.shape
    return (matrix.to(torch.float32).reshape(m, k // BLOCK, BLOCK) * scales.unsqueeze(-1)).reshape(m, k)


class Linear(torch.nn.Module):
    """y = x W^T: one scale for 128 elements of x, and for 128 x 128 of W."""

    def forward(self, x, sfx, w, sfw):
        n, k = w.shape
        wide = (blocks(w, BLOCK) * sfw.reshape(n // BLOCK, 1, k // BLOCK, 1)).reshape(n, k)
        return torch.nn.functional.linear(dequantised(x, sfx), wide).to(torch.bfloat16)


class ScalesTransposed(torch.nn.Module):
    """The same, with the scales of x stored K block first; multiplied with the W that is transposed before."""

    def forward(self, x, sfx, w, sfw):
        n, k = w.shape
        wide = (blocks(w, BLOCK) * sfw.reshape(n // BLOCK, 1, k // BLOCK, 1)).reshape(n, k).t()
        return torch.matmul(dequantised(x, sfx.t()), wide).to(torch.bfloat16)


class WeightGradient(torch.nn.Module):
    """One scale for 128 elements of both, f32 result."""

    def forward(self, x, sfx, y, sfy):
        return dequantised(x, sfx) @ dequantised(y, sfy).t()


def quantised(x):
    """Elements of e4m3, and a scale for 128 of a row."""
    m, k = x.shape
    wide = x.to(torch.float32).reshape(m, k // BLOCK, BLOCK)
    scales = wide.abs().amax(-1).clamp(min=1e-4) / 448
    return (wide * (1 / scales).unsqueeze(-1)).to(torch.float8_e4m3fn).reshape(m, k), scales


def linear(x, sfx, w, sfw):
    n, k = w.shape
    wide = (blocks(w, BLOCK) * sfw.reshape(n // BLOCK, 1, k // BLOCK, 1)).reshape(n, k)
    return torch.nn.functional.linear(dequantised(x, sfx), wide)


class QuantisedMlp(torch.nn.Module):
    """Gate and up projections by one product, SwiGLU, quantisation, and the down projection."""

    def forward(self, x, sfx, w, sfw, down, sf_down):
        gate, up = linear(x, sfx, w, sfw).chunk(2, -1)
        hidden, sfh = quantised(torch.nn.functional.silu(gate) * up)
        return linear(hidden, sfh, down, sf_down).to(torch.bfloat16)


class MlpFromBf16(torch.nn.Module):
    """The same of activations in bf16, whose hidden layer is rounded to bf16 as PyTorch's is."""

    def forward(self, x, w, sfw, down, sf_down):
        gate, up = linear(*quantised(x), w, sfw).to(torch.bfloat16).chunk(2, -1)
        hidden, sfh = quantised(torch.nn.functional.silu(gate) * up)
        return linear(hidden, sfh, down, sf_down).to(torch.bfloat16)


def e4m3(*shape):
    return torch.zeros(*shape).to(torch.float8_e4m3fn)


def main(folder):
    scales = torch.ones(M, K // BLOCK)
    weights = e4m3(N, K), torch.ones(N // BLOCK, K // BLOCK)
    gate_up = e4m3(2 * N, K), torch.ones(2 * N // BLOCK, K // BLOCK)
    down = e4m3(N, N), torch.ones(N // BLOCK, N // BLOCK)
    any_m = torch.export.Dim("m", min=2, max=65536)
    formulas = {
        "linear": (Linear(), (e4m3(M, K), scales, *weights), None),
        "linear_any_m": (Linear(), (e4m3(M, K), scales, *weights), ({0: any_m}, {0: any_m}, None, None)),
        "scales_transposed": (ScalesTransposed(), (e4m3(M, K), torch.ones(K // BLOCK, M), *weights), None),
        "weight_gradient": (WeightGradient(), (e4m3(M, K), scales, e4m3(N, K).to(torch.float8_e5m2),
                                               torch.ones(N, K // BLOCK)), None),
        "quantised_mlp": (QuantisedMlp(), (e4m3(M, K), scales, *gate_up, *down), None),
        "mlp_from_bf16": (MlpFromBf16(), (torch.zeros(M, K, dtype=torch.bfloat16), *gate_up, *down), None),
    }
    for name, (formula, arguments, dynamic) in formulas.items():
        exported = torch.export.export(formula, arguments, dynamic_shapes=dynamic)
        module = fx.export_and_import(exported, output_type=fx.OutputType.LINALG_ON_TENSORS, func_name=name)
        Path(folder, name + ".mlir").write_text(str(module))


if __name__ == "__main__":
    main(sys.argv[1])
