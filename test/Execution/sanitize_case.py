#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Run small products once each and check them; made to be run under compute-sanitizer.

    sanitize_case.py KERNELS        KERNELS: folder that benchmark/kernels.py filled with --set sanitize

Needs NumPy and the CUDA driver only. Each operand is an allocation of exactly its size, so
that memcheck sees the first byte beyond it. Data are random e4m3 codes of every magnitude.
"""

import ctypes
import json
import os
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Numerics"), str(HERE.parent.parent / "benchmark")]
import bound
import runtime_binding
import shapes

BLOCK = shapes.BLOCK


def e4m3_values():
    """The value of each of the 256 codes (PTX ISA, "Alternate floating-point data formats")."""
    codes = np.arange(256)
    sign = np.where(codes & 0x80, -1.0, 1.0)
    exponent, mantissa = (codes >> 3) & 15, (codes & 7) / 8
    values = sign * np.where(exponent == 0, mantissa * 2.0**-6, (1 + mantissa) * 2.0**(exponent - 7.0))
    values[[0x7F, 0xFF]] = np.nan
    return values


E4M3 = e4m3_values()


class Driver:
    """Device memory through the CUDA driver."""

    def __init__(self):
        self.cuda = ctypes.CDLL(os.environ.get("FP8GEMM_LIBCUDA", "libcuda.so.1"))
        context = ctypes.c_void_p()
        self.call("cuInit", 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
        self.call("cuCtxSetCurrent", context)

    def call(self, name, *arguments):
        status = getattr(self.cuda, name)(*arguments)
        if status:
            text = ctypes.c_char_p()
            self.cuda.cuGetErrorString(status, ctypes.byref(text))
            raise RuntimeError(f"{name}: {(text.value or b'').decode()} ({status})")

    def put(self, array):
        array = np.ascontiguousarray(array)
        address = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(array.nbytes))
        self.call("cuMemcpyHtoD_v2", address, ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes))
        return address

    def get(self, address, shape, dtype):
        array = np.empty(shape, dtype)
        self.call("cuMemcpyDtoH_v2", ctypes.c_void_p(array.ctypes.data), address, ctypes.c_size_t(array.nbytes))
        return array

    def free(self, address):
        self.call("cuMemFree_v2", address)


def bf16_values(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def oracle(a, sfa, b, sfb):
    """D and the sum of absolute products, in float64."""
    left = E4M3[a] * np.repeat(sfa.astype(np.float64), BLOCK, 1)[:, :a.shape[1]]
    spread = np.repeat(np.repeat(sfb.astype(np.float64), BLOCK, 0), BLOCK, 1)
    right = E4M3[b] * spread[:b.shape[0], :b.shape[1]]
    return left @ right.T, np.abs(left) @ np.abs(right).T


def run(driver, path, m):
    """What is wrong with the product of M = `m` by the kernel at `path`, or None; and the largest error / bound."""
    kernel = runtime_binding.Kernel(path)
    kernel.load()
    n, k = kernel.n, kernel.k
    random = np.random.default_rng(m)
    blocks = shapes.ceil_div(k, BLOCK)
    finite = np.flatnonzero(~np.isnan(E4M3)).astype(np.uint8)
    a, b = random.choice(finite, (m, k)), random.choice(finite, (n, k))
    sfa = random.uniform(0.5, 2.0, (m, blocks)).astype(np.float32)
    sfb = random.uniform(0.5, 2.0, (shapes.ceil_div(n, BLOCK), blocks)).astype(np.float32)
    stored_sfa, stored_sfb = sfa, sfb.T if kernel.sfb == "mn_major" else sfb
    if kernel.sfa == "mn_major":
        stored_sfa = np.full((blocks, -(-m // 4) * 4), np.nan, np.float32)
        stored_sfa[:, :m] = sfa.T
    stored = [a, stored_sfa, b, stored_sfb, np.full((m, n), 0xFFFF, np.uint16)]
    addresses = [driver.put(array) for array in stored]
    kernel.launch(kernel.arguments(m, *((address.value, array.shape[1]) for address, array in zip(addresses, stored))))
    driver.call("cuCtxSynchronize")
    bits = driver.get(addresses[-1], (m, n), np.uint16)
    for address in addresses:
        driver.free(address)
    kernel.close()
    value, magnitude = oracle(a, sfa, b, sfb)
    share = np.abs(bf16_values(bits) - value) / bound.tolerance(magnitude, value, k)
    bad = int((~(share <= 1)).sum())
    missing = int((bits == 0xFFFF).sum())
    wrong = f"{bad} of {bits.size} elements out of bound, {missing} not written" if bad else None
    return wrong, float(np.nanmax(share))


def main():
    folder = Path(sys.argv[1])
    index = {(e["n"], e["k"]): [] for e in json.loads((folder / "index.json").read_text())}
    for entry in json.loads((folder / "index.json").read_text()):
        index[entry["n"], entry["k"]].append(entry)
    driver, failed, ran = Driver(), 0, 0
    for problem in shapes.SANITIZE:
        for entry in index.get((problem.n, problem.k), []):
            try:
                wrong, share = run(driver, folder / entry["file"], problem.m)
            except (RuntimeError, runtime_binding.StatusError) as error:
                wrong, share = str(error), float("nan")
            print(f"{'x'.join(map(str, problem))} {entry['file']}: {wrong or 'right'}, error / bound {share:.4f}", flush=True)
            failed, ran = failed + bool(wrong), ran + 1
    if not ran:
        print(f"error: no kernel of the set 'sanitize' in {folder}")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
