#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Run small products once each and check them; made to be run under compute-sanitizer.

    sanitize_case.py KERNELS        KERNELS: folder that benchmark/kernels.py filled with --set sanitize or
                                    --set grouped-test, and benchmark/varied_kernels.py sanitize

Needs NumPy, ml_dtypes and the CUDA driver only. Each operand is an allocation of exactly its size, so
that memcheck sees the first byte beyond it.
"""

import ctypes
import json
import os
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Numerics"), str(HERE.parent.parent / "benchmark")]
import numerics
import runtime_binding
import sanitize_grouped
import shapes
import tensor_core

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


def run(driver, path, m):
    """What is wrong with the product of M = `m` by the kernel at `path`, or None; and the largest error / bound."""
    kernel = runtime_binding.Kernel(path)
    kernel.load()
    types = {"e4m3": numerics.E4M3, "e5m2": numerics.E5M2, "bf16": numerics.BF16, "f32": numerics.F32}
    problem = numerics.random_problem(m, kernel.n, kernel.k, 0, kernel.sfb_rows, types[kernel.a_type],
                                      types[kernel.b_type], types[kernel.d_type], kernel.c_use != "none")
    sfa = numerics.stored_scales(problem.sfa, kernel.sfa, 4 if kernel.sfa == numerics.MN_MAJOR else 1)
    poison = np.full((m, kernel.n * np.dtype(problem.d_type).itemsize), 0xFF, np.uint8).view(problem.d_type)
    stored = {"a": problem.a, "sfa": sfa, "b": problem.b, "sfb": numerics.stored_scales(problem.sfb, kernel.sfb),
              "d": problem.c if kernel.c_use == "in_place" else poison}
    if kernel.c_use == "apart":
        stored["c"] = problem.c
    addresses = {name: driver.put(array) for name, array in stored.items()}
    kernel.launch(kernel.arguments(m, **{name: (addresses[name].value, array.shape[1]) for name, array in stored.items()}))
    driver.call("cuCtxSynchronize")
    d = driver.get(addresses["d"], (m, kernel.n), problem.d_type)
    for address in addresses.values():
        driver.free(address)
    kernel.close()
    missing = int((d.view(np.uint32 if d.itemsize == 4 else np.uint16) == (1 << 8 * d.itemsize) - 1).sum())
    if missing:
        return f"{missing} of {d.size} elements not written", float("nan")
    if not np.isfinite(d.astype(np.float32)).all():
        return "elements that are not finite", float("nan")
    share, relative = numerics.errors(problem, d, tensor_core.stepwise_error)
    return (None if share <= 1 and relative <= 2.0**-8 else f"relative error {relative:.3g}"), share


def run_grouped(driver, path, entry):
    kernel = runtime_binding.Kernel(path)
    kernel.load()
    yield from sanitize_grouped.run(driver, kernel, entry)
    kernel.close()


def products_of(driver, folder, index):
    """(name, function that runs it and gives [(what, wrong or None, share)])."""
    grouped = [entry for entry in index if "grouping" in entry and entry["n"] * entry["k"] <= sanitize_grouped.LARGEST]
    for problem in shapes.SANITIZE:
        sizes = problem.n, problem.k, shapes.SANITIZE_M
        for entry in index:
            if (entry["n"], entry["k"], entry["expected_m"]) == sizes and "grouping" not in entry:
                name = "x".join(map(str, problem))
                yield entry["file"], lambda: [(name, *run(driver, folder / entry["file"], problem.m))]
    for entry in grouped:
        yield entry["file"], lambda: run_grouped(driver, folder / entry["file"], entry)


def main():
    folder = Path(sys.argv[1])
    driver, failed, ran = Driver(), 0, 0
    for name, products in products_of(driver, folder, json.loads((folder / "index.json").read_text())):
        try:
            for what, wrong, share in products():
                print(f"{what} {name}: {wrong or 'right'}, error / bound {share:.4f}", flush=True)
                failed, ran = failed + bool(wrong), ran + 1
        except (RuntimeError, runtime_binding.StatusError) as error:
            print(f"{name}: {error}", flush=True)
            failed, ran = failed + 1, ran + 1
    if not ran:
        print(f"error: no kernel of the sets 'sanitize' and 'grouped-test' in {folder}")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
