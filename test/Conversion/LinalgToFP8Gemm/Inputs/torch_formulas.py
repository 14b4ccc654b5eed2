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


def e4m3(*shape):
    return torch.zeros(*shape).to(torch.float8_e4m3fn)


def main(folder):
    scales = torch.ones(M, K // BLOCK)
    weights = e4m3(N, K), torch.ones(N // BLOCK, K // BLOCK)
    any_m = torch.export.Dim("m", min=2, max=65536)
    formulas = {
        "linear": (Linear(), (e4m3(M, K), scales, *weights), None),
        "linear_any_m": (Linear(), (e4m3(M, K), scales, *weights), ({0: any_m}, {0: any_m}, None, None)),
        "scales_transposed": (ScalesTransposed(), (e4m3(M, K), torch.ones(K // BLOCK, M), *weights), None),
        "weight_gradient": (WeightGradient(), (e4m3(M, K), scales, e4m3(N, K).to(torch.float8_e5m2),
                                               torch.ones(N, K // BLOCK)), None),
    }
    for name, (formula, arguments, dynamic) in formulas.items():
        exported = torch.export.export(formula, arguments, dynamic_shapes=dynamic)
        module = fx.export_and_import(exported, output_type=fx.OutputType.LINALG_ON_TENSORS, func_name=name)
        Path(folder, name + ".mlir").write_text(str(module))


if __name__ == "__main__":
    main(sys.argv[1])
