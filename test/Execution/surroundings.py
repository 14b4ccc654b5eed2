# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What may go on around a launch on a GPU and must not change its bits: another stream, another
kernel that runs beside it, fewer multiprocessors, the kernel before it that it may overlap.
"""

import os
from pathlib import Path

import operands
import runtime_binding
import torch
from runtime_binding import FEWER_SMS

SMS_VARIABLE, DRIVER_VARIABLE = "FP8GEMM_TEST_SMS", "FP8GEMM_LIBCUDA"
SM_COUNTS = (1, 7, 60)
# About ten milliseconds of products: many times what the longest kernel beside them takes.
BUSY_SIZE, BUSY_PRODUCTS = 4096, 50


class NoSurroundings(Exception):
    """Why they cannot be made."""


def use_driver():
    """Let the runtime, before its first call, load kernels through the library that tells of fewer multiprocessors."""
    library = Path(runtime_binding.find_library()).resolve().parent / FEWER_SMS
    if library.exists():
        os.environ.setdefault(DRIVER_VARIABLE, str(library))


class Surroundings:
    """Calls as (how, launch); launch(arguments) returns when the kernel has run."""

    def __init__(self, open_kernel):
        self.open_kernel = open_kernel
        self.factor = None

    def calls(self, kernel, path):
        yield "alone", lambda arguments: self.on_stream(kernel, arguments, 0)
        yield "on another stream", lambda arguments: self.on_stream(kernel, arguments, torch.cuda.Stream().cuda_stream)
        yield "beside another kernel", lambda arguments: self.beside(kernel, arguments)
        if FEWER_SMS not in os.environ.get(DRIVER_VARIABLE, ""):
            raise NoSurroundings(f"no {FEWER_SMS} beside the runtime: copy it there")
        for count in SM_COUNTS:
            os.environ[SMS_VARIABLE] = str(count)
            try:  # the runtime asks once for each kernel that is opened
                other = self.open_kernel(path)
            finally:
                del os.environ[SMS_VARIABLE]
            yield f"with {count} multiprocessors", lambda arguments: self.on_stream(other, arguments, 0)
            other.close()

    @staticmethod
    def chain(kernel, everything):
        """(how, bits) of a product whose scales of A are what the product of `everything` writes, launched right behind
        it: in the ordinary way, then as its dependent. What starts too early reads other scales.
        """
        if not kernel.info.dependent_launch:
            return
        first, stream, written = everything.arguments(kernel), torch.cuda.Stream(), everything.d
        blocks = -(-kernel.k // operands.BLOCK)
        # As many rows as D has bytes for their scales.
        room = written.rows * written.columns * written.size // (4 * blocks)
        m = first.m if operands.round_up(first.m, 4) <= room else room // 4 * 4
        if m == 0:
            return
        scales = (written.operand[0], operands.round_up(m, 4) if kernel.sfa == "mn_major" else blocks)
        result = torch.empty(m, kernel.n, dtype=operands.TYPES[kernel.d_type], device="cuda")
        others = {name: getattr(everything, name).operand for name in everything.names if name in ("a", "b", "sfb", "c")}
        for how, flags in (("behind its operand", 0), ("as a dependent", runtime_binding.DEPENDENT_LAUNCH)):
            second = kernel.arguments(m, **others, sfa=scales, d=(result.data_ptr(), kernel.n), flags=flags)
            everything.prepare()
            result.zero_()
            torch.cuda.synchronize()
            kernel.launch(first, stream.cuda_stream)
            kernel.launch(second, stream.cuda_stream)
            stream.synchronize()
            yield how, operands.bits(result).clone()

    @staticmethod
    def on_stream(kernel, arguments, stream):
        kernel.launch(arguments, stream)
        torch.cuda.synchronize()

    def beside(self, kernel, arguments):
        if self.factor is None:
            self.factor = torch.randn(BUSY_SIZE, BUSY_SIZE, device="cuda", dtype=torch.bfloat16)
            self.factor @ self.factor  # cuBLAS is loaded before anything is timed
            torch.cuda.synchronize()
        busy, ours = torch.cuda.Stream(), torch.cuda.Stream(priority=-1)
        with torch.cuda.stream(busy):
            for _ in range(BUSY_PRODUCTS):
                self.factor @ self.factor
        kernel.launch(arguments, ours.cuda_stream)
        ours.synchronize()
        alone = busy.query()
        torch.cuda.synchronize()
        if alone:
            raise NoSurroundings("the other kernels ended before this one: nothing ran beside it")
