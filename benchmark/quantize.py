#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantisation of bf16 to e4m3, beside PyTorch's by torch.compile, a copy on the device and an empty kernel: with scales for 1x128, of
SwiGLU of the two halves of columns, and with scales for 128x128 (weights).

    quantize.py stage FOLDER              where the compiler is: the kernels
    quantize.py run FOLDER [--json FILE]  on the GPU machine ($FP8GEMM_RUNTIME is the runtime's library)

Times are those of gpu_timing.py: kernels only, caches cold, in turn. The copy moves as many bytes as the quantisation
reads and writes; it is PyTorch's, of one half of them to the other.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test" / "Execution"))
ROUNDS = 15
# Of each kind the options beside K, and (M, K).
KINDS = {"rows": ([], [(4096, 7168), (4096, 2112), (16, 7168), (1, 7168)]),
         "swiglu": (["--gated", "--activation=silu"], [(4096, 2048), (4096, 7168), (16, 2048), (1, 2048)]),
         "blocks": (["--recipe=1d2d", "--sfa=k_major"], [(7168, 2048), (2112, 7168)])}


def stage(folder, compiler=ROOT / "build" / "bin" / "fp8gemm-compile"):
    folder.mkdir(parents=True, exist_ok=True)
    for kind, (options, shapes) in KINDS.items():
        for k in sorted({k for _, k in shapes}):
            subprocess.run([compiler, "--op=quantize", f"--k={k}", *options, "-o", folder / f"{kind}-{k}.cubin"], check=True)


def contenders(folder, kind, m, k):
    """What is timed, by name."""
    import runtime_binding
    import torch

    kernel = runtime_binding.Kernel(folder / f"{kind}-{k}.cubin")
    kernel.load()
    columns = 2 * k if kind == "swiglu" else k
    x = torch.randn(m, columns, device="cuda").bfloat16()
    blocks, down = -(-k // 128), -(-m // 128)
    q = torch.empty(m, k, dtype=torch.float8_e4m3fn, device="cuda")
    scales = torch.empty(*((down, blocks) if kind == "blocks" else (blocks, -(-m // 4) * 4)), device="cuda")
    arguments = kernel.quantize_arguments(m, (x.data_ptr(), columns), (q.data_ptr(), k), (scales.data_ptr(), scales.shape[1]))
    stream = torch.cuda.current_stream().cuda_stream

    def by_torch(x):
        x = x.float()
        if kind == "swiglu":
            gate, up = x.chunk(2, -1)
            x = torch.nn.functional.silu(gate) * up
        rows = down * 128 if kind == "blocks" else m
        wide = torch.nn.functional.pad(x, (0, blocks * 128 - k, 0, rows - m)).view(-1, 128 if kind == "blocks" else 1, blocks, 128)
        of_block = wide.abs().amax((1, 3) if kind == "blocks" else -1, keepdim=True).clamp(min=1e-4) / 448.0
        values = (wide * (1.0 / of_block)).to(torch.float8_e4m3fn).view(rows, -1)[:m, :k]
        return values, of_block.view(-1, blocks) if kind == "blocks" else of_block.view(m, blocks).T.contiguous()

    compiled = torch.compile(by_torch, dynamic=False)
    values, of_block = compiled(x)
    kernel.launch(arguments, stream)
    same = (values.contiguous().view(torch.uint8) == q.view(torch.uint8)).float().mean().item()
    half = torch.empty((2 * x.numel() + q.numel() + 4 * scales.numel()) // 2, dtype=torch.uint8, device="cuda")
    other = torch.empty_like(half)
    nothing = torch.empty(1, dtype=torch.uint8, device="cuda")
    return {"fp8gemm": lambda: kernel.launch(arguments, stream), "torch.compile": lambda: compiled(x),
            "copy": lambda: other.copy_(half), "empty kernel": lambda: nothing.zero_()}, same, (kernel, x, q, scales)


def run(folder):
    import torch
    from gpu_timing import Clock

    clock, rows = Clock(), []
    print(f"{torch.cuda.get_device_name()}; microseconds, median of {ROUNDS}")
    for kind, m, k in ((kind, *shape) for kind, (_, shapes) in KINDS.items() for shape in shapes):
        calls, same, _keep = contenders(folder, kind, m, k)
        samples, _ = clock.time(calls, ROUNDS)
        microseconds = {name: statistics.median(times) for name, times in samples.items()}
        row = {"kind": kind, "m": m, "k": k, "same_bytes_as_torch": same, **microseconds}
        rows.append(row)
        print(f"{kind:>6} {m:5} x {k:5}  " + "  ".join(f"{name} {value:.2f}" for name, value in microseconds.items()) +
              f"  copy/ours {microseconds['copy'] / microseconds['fp8gemm']:.3f}  elements as torch's {same:.6f}")
    print(f"timed by {clock.method} {clock.why}")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["stage", "run"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.what == "stage":
        return stage(options.folder)
    rows = run(options.folder)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
