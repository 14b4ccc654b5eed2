#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantisation on a Hopper GPU, bit for bit (docs/Numerics.md), with poisoned results and guard zones around them.

    quantize_items.py stage FOLDER    where the compiler is: a kernel for each item
    quantize_items.py run FOLDER      on the GPU machine, which has PyTorch and ml_dtypes; exit status 1 if a bit is wrong

Operands have leading dimensions larger than their rows, and what lies between rows and after them must not change.
"""

import itertools
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "test" / "Numerics"), str(Path(__file__).resolve().parent)]
import quantization  # noqa: E402

POISON = 0xA5
# Rows: fewer and more than a tile has, and than all CTAs take at once.
ROWS = (1, 2, 63, 65, 130, 4099)


def items():
    """Arguments of quantization.options. Of activations those whose bits are known."""
    some = list(itertools.product((quantization.BF16, quantization.F16, quantization.F32), (quantization.E4M3, quantization.E5M2),
                                  ("mn_major", "k_major"), (False, True)))
    plain = [(k, *item, False, "none") for k, every in ((7168, 1), (144, 3), (16, 5), (2112, 2)) for item in some[::every]]
    weights = [(k, *item, False, "none", 128) for k, every in ((7168, 3), (144, 5), (16, 7)) for item in some[::every]]
    return plain + weights + [(k, *item, *activation) for k, start in ((2048, 0), (144, 1)) for item in some[start::4]
                    for activation in ((True, "none"), (True, "relu"), (False, "relu"))]


def name_of(item):
    return "-".join(option.lstrip("-").rpartition("=")[2] for option in quantization.options(*item)[1:])


def stage(folder, compiler=ROOT / "build" / "bin" / "fp8gemm-compile"):
    folder.mkdir(parents=True, exist_ok=True)
    for item in items():
        subprocess.run([compiler, *quantization.options(*item), "-o", folder / f"{name_of(item)}.cubin"], check=True)


def between(torch, rows, columns, leading, element_bytes):
    """Poisoned bytes on the GPU for a matrix, with a guard zone of a row after it; and a mask of those that may change."""
    buffer = torch.full(((rows + 1) * leading * element_bytes,), POISON, dtype=torch.uint8, device="cuda")
    mask = torch.zeros(((rows + 1), leading * element_bytes), dtype=torch.bool)
    mask[:rows, :columns * element_bytes] = True
    return buffer, mask


def check(torch, kernel, item, m, seed):
    """Empty, or what is wrong."""
    import numpy as np

    k, x_type, q_type, layout, power_of_two, gated, activation, block_rows = item if len(item) == 8 else (*item, 1)
    columns = 2 * k if gated else k
    x = quantization.data(m, columns, x_type, seed)
    expected_q, expected_scales = quantization.quantize(quantization.activate(x, activation, gated), q_type, power_of_two, block_rows)
    if layout == "mn_major":
        expected_scales = expected_scales.T
    x_leading, q_leading = columns + 32, k + 16
    scales_leading = (expected_scales.shape[1] + 7) // 4 * 4
    held = np.zeros((m, x_leading), x_type)
    held[:, :columns] = x
    held[:, columns:] = np.nan  # must not be read as part of a block
    x_gpu = torch.from_numpy(held.view(np.uint8)).cuda()
    q, q_mask = between(torch, m, k, q_leading, 1)
    scales, scales_mask = between(torch, *expected_scales.shape, scales_leading, 4)
    arguments = kernel.quantize_arguments(m, (x_gpu.data_ptr(), x_leading), (q.data_ptr(), q_leading),
                                          (scales.data_ptr(), scales_leading))
    kernel.launch(arguments, torch.cuda.current_stream().cuda_stream)
    torch.cuda.synchronize()
    for name, buffer, mask, expected in (("q", q, q_mask, expected_q), ("scales", scales, scales_mask, expected_scales)):
        got = buffer.cpu().view(mask.shape)
        if not (got[~mask] == POISON).all():
            return f"{name}: bytes outside changed"
        wanted = torch.from_numpy(np.ascontiguousarray(expected).view(np.uint8).reshape(-1))
        wrong = (got[mask] != wanted).nonzero()
        if len(wrong):
            return f"{name}: {len(wrong)} of {len(wanted)} bytes are wrong, first at {int(wrong[0])}: expected {int(wanted[wrong[0]])}, got {int(got[mask][wrong[0]])}"
    return ""


def run(folder):
    import runtime_binding
    import torch

    torch.zeros(1, device="cuda")  # a context
    failed = count = 0
    for number, item in enumerate(items()):
        kernel = runtime_binding.Kernel(folder / f"{name_of(item)}.cubin")
        kernel.load()
        if kernel.info.spill_bytes:
            failed += 1
            print(f"FAIL {name_of(item)}: {kernel.info.spill_bytes} bytes spilled")
        for m in ROWS:
            count += 1
            if wrong := check(torch, kernel, item, m, seed=number):
                failed += 1
                print(f"FAIL {name_of(item)} m = {m}: {wrong}")
        kernel.close()
    print(f"{count - failed} of {count} passed")
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("stage", "run"):
        sys.exit(__doc__)
    target = Path(sys.argv[2])
    sys.exit(bool(stage(target)) if sys.argv[1] == "stage" else bool(run(target)))
