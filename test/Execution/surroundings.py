# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What may go on around a launch on a GPU and must not change its bits: another stream, another
kernel that runs beside it, fewer multiprocessors, the kernel before it that it may overlap.
"""

import ctypes
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


class LateCopy:
    """A kernel that copies a buffer 100 us after its dependents may have started."""

    NAME, THREADS = b"late_copy", 256
    PTX = b"""
.version 8.0
.target sm_90
.address_size 64
.visible .entry late_copy(.param .u64 to, .param .u64 from, .param .u32 bytes)
{
  .reg .pred %again;
  .reg .b16 %byte;
  .reg .b32 %i, %end, %step;
  .reg .b64 %to, %from, %now, %start, %offset, %address;
  griddepcontrol.launch_dependents;
  mov.u64 %start, %globaltimer;
  add.u64 %start, %start, 100000;
wait:
  mov.u64 %now, %globaltimer;
  setp.lt.u64 %again, %now, %start;
  @%again bra wait;
  ld.param.u64 %to, [to];
  ld.param.u64 %from, [from];
  ld.param.u32 %end, [bytes];
  cvta.to.global.u64 %to, %to;
  cvta.to.global.u64 %from, %from;
  mov.u32 %i, %tid.x;
  mov.u32 %step, %ntid.x;
copy:
  setp.ge.u32 %again, %i, %end;
  @%again ret;
  cvt.u64.u32 %offset, %i;
  add.u64 %address, %from, %offset;
  ld.global.u8 %byte, [%address];
  add.u64 %address, %to, %offset;
  st.global.u8 [%address], %byte;
  add.u32 %i, %i, %step;
  bra copy;
}
"""

    def __init__(self):
        self.driver, module, self.function = ctypes.CDLL("libcuda.so.1"), ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.driver.cuModuleLoadData(ctypes.byref(module), self.PTX))
        self.check(self.driver.cuModuleGetFunction(ctypes.byref(self.function), module, self.NAME))

    @staticmethod
    def check(status):
        if status:
            raise NoSurroundings(f"the kernel that copies late: CUDA error {status}")

    def __call__(self, to, source, stream):
        values = (ctypes.c_uint64(to.data_ptr()), ctypes.c_uint64(source.data_ptr()), ctypes.c_uint32(to.numel()))
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        self.check(self.driver.cuLaunchKernel(self.function, 1, 1, 1, self.THREADS, 1, 1, 0,
                                              ctypes.c_void_p(stream.cuda_stream), pointers, None))


class Surroundings:
    """Calls as (how, launch); launch(arguments) returns when the kernel has run."""

    def __init__(self, open_kernel):
        self.open_kernel = open_kernel
        self.factor, self.writer = None, None

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

    def behind(self, kernel, everything):
        """(how, launch) as a dependent of a kernel that lets its dependents start at once, and long after that copies the
        scales of A to where the product reads them. What starts without waiting reads poison.
        """
        if not kernel.info.dependent_launch:
            return
        if self.writer is None:
            self.writer = LateCopy()
        scales = everything.sfa
        read = scales.buffer.clone()
        read[scales.offset:].fill_(operands.FILL)
        others = {name: getattr(everything, name).operand for name in everything.names if name != "sfa"}
        arguments = kernel.arguments(everything.m, **others, sfa=(read.data_ptr() + scales.offset, scales.leading),
                                     flags=runtime_binding.DEPENDENT_LAUNCH)

        def launch(_):
            stream = torch.cuda.Stream()
            self.writer(read, scales.buffer, stream)
            kernel.launch(arguments, stream.cuda_stream)
            stream.synchronize()

        yield "as a dependent", launch

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
