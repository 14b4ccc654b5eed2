# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ctypes over the runtime's C API (runtime/include/fp8gemm/runtime.h).

Operands are (device address, leading dimension in elements), of grouped products with the
the elements from one group to the next last. The CUDA context that is current on the calling
thread is the one that kernels are loaded into.
"""

import ctypes
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARY = "libfp8gemm_runtime.so"
# Beside it, for tests: a driver that tells of fewer multiprocessors (FewerSms.cpp).
FEWER_SMS = "libfp8gemm_fewer_sms.so"
LAYOUTS = ("k_major", "mn_major")  # fp8gemm_scale_layout
TYPES = ("e4m3", "e5m2", "bf16", "f32")  # fp8gemm_type
C_USES = ("none", "apart", "in_place")  # fp8gemm_c_use
BIASES = (None, "bf16", "f32")  # fp8gemm_bias
GROUPINGS = ("no_groups", "row_index", "row_end", "row_count", "batched", "k_count")  # fp8gemm_grouping
CHECK_GROUPS = 1  # FP8GEMM_CHECK_GROUPS
DEPENDENT_LAUNCH = 2  # FP8GEMM_DEPENDENT_LAUNCH
STATUS = ("OK", "INVALID_ARGUMENT", "IO_ERROR", "INVALID_FILE", "NO_DRIVER", "NO_CONTEXT", "WRONG_CONTEXT",
          "UNSUPPORTED_DEVICE", "DRIVER_ERROR", "OUT_OF_MEMORY")


class StatusError(Exception):
    """A status other than FP8GEMM_OK, with the runtime's message."""


class Matrix(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("leading_dimension", ctypes.c_int64)]


class GemmArgs(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("m", ctypes.c_int64),
                ("a", Matrix), ("sfa", Matrix), ("b", Matrix), ("sfb", Matrix), ("c", Matrix), ("d", Matrix),
                ("num_sms", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("bias", ctypes.c_void_p),
                ("row_scale", ctypes.c_void_p), ("sfd", Matrix)]


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("leading_dimension", ctypes.c_int64), ("group_stride", ctypes.c_int64)]


class GroupedGemmArgs(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("m", ctypes.c_int64), ("k", ctypes.c_int64),
                ("a", Tensor), ("sfa", Tensor), ("b", Tensor), ("sfb", Tensor), ("c", Tensor), ("d", Tensor),
                ("groups", ctypes.c_void_p), ("workspace", ctypes.c_void_p), ("workspace_bytes", ctypes.c_size_t),
                ("num_sms", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("bias", ctypes.c_void_p),
                ("row_scale", ctypes.c_void_p), ("sfd", Tensor)]


class QuantizeArgs(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("m", ctypes.c_int64), ("x", Matrix), ("q", Matrix), ("scales", Matrix),
                ("num_sms", ctypes.c_uint32), ("flags", ctypes.c_uint32)]


class KernelInfo(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("name", ctypes.c_char_p), ("chip", ctypes.c_char_p),
                ("m", ctypes.c_int64), ("n", ctypes.c_int64), ("k", ctypes.c_int64),
                ("a_type", ctypes.c_int), ("b_type", ctypes.c_int), ("d_type", ctypes.c_int),
                ("c_use", ctypes.c_int), ("sfb_block_rows", ctypes.c_uint32),
                ("sfa_layout", ctypes.c_int), ("sfb_layout", ctypes.c_int),
                ("tile_m", ctypes.c_uint32), ("tile_n", ctypes.c_uint32), ("threads", ctypes.c_uint32),
                ("smem_bytes", ctypes.c_uint32), ("registers", ctypes.c_uint32), ("spill_bytes", ctypes.c_uint32),
                ("grouping", ctypes.c_int), ("groups", ctypes.c_uint32), ("group_align", ctypes.c_uint32),
                ("flat", ctypes.c_uint32), ("workspace_bytes", ctypes.c_size_t),
                ("config", ctypes.c_char_p), ("ptxas_version", ctypes.c_char_p), ("llvm_version", ctypes.c_char_p),
                ("dependent_launch", ctypes.c_uint32), ("wait_limit_ns", ctypes.c_uint64),
                ("x_type", ctypes.c_int), ("power_of_two", ctypes.c_uint32), ("bias", ctypes.c_int),
                ("gated", ctypes.c_uint32), ("row_scale", ctypes.c_int), ("activation", ctypes.c_int), ("sfd_layout", ctypes.c_int),
                ("weights", ctypes.c_uint32)]


def find_library():
    """Path of the runtime: $FP8GEMM_RUNTIME, else the one in build/."""
    named = os.environ.get("FP8GEMM_RUNTIME")
    if named:
        return named
    built = ROOT / "build" / "lib" / LIBRARY
    found = [built] if built.exists() else sorted((ROOT / "build").glob("**/" + LIBRARY))
    if not found:
        raise FileNotFoundError(f"no {LIBRARY} under {ROOT / 'build'}: build it, or set FP8GEMM_RUNTIME to its path")
    return str(found[0])


_library = None


def library():
    """The runtime, loaded once."""
    global _library
    if _library is None:
        _library = ctypes.CDLL(find_library())
        _library.fp8gemm_last_error.restype = ctypes.c_char_p
        _library.fp8gemm_last_error.argtypes = []
        _library.fp8gemm_kernel_open.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)]
        _library.fp8gemm_kernel_load.argtypes = [ctypes.c_void_p]
        _library.fp8gemm_kernel_get_info.argtypes = [ctypes.c_void_p, ctypes.POINTER(KernelInfo)]
        _library.fp8gemm_gemm.argtypes = [ctypes.c_void_p, ctypes.POINTER(GemmArgs), ctypes.c_void_p]
        _library.fp8gemm_grouped_gemm.argtypes = [ctypes.c_void_p, ctypes.POINTER(GroupedGemmArgs), ctypes.c_void_p]
        _library.fp8gemm_quantize.argtypes = [ctypes.c_void_p, ctypes.POINTER(QuantizeArgs), ctypes.c_void_p]
        _library.fp8gemm_kernel_close.argtypes = [ctypes.c_void_p]
        _library.fp8gemm_kernel_close.restype = None
    return _library


def check(status):
    if status:
        name = STATUS[status] if status < len(STATUS) else status
        raise StatusError(f"{name}: {library().fp8gemm_last_error().decode(errors='replace')}")


class Kernel:
    """An open kernel file."""

    def __init__(self, path):
        self._handle = ctypes.c_void_p()
        check(library().fp8gemm_kernel_open(os.fsencode(path), ctypes.byref(self._handle)))
        info = KernelInfo(size=ctypes.sizeof(KernelInfo))
        check(library().fp8gemm_kernel_get_info(self._handle, ctypes.byref(info)))
        self.n, self.k, self.info = info.n, info.k, info
        self.sfa, self.sfb = LAYOUTS[info.sfa_layout], LAYOUTS[info.sfb_layout]
        self.a_type, self.b_type, self.d_type = TYPES[info.a_type], TYPES[info.b_type], TYPES[info.d_type]
        self.c_use, self.sfb_rows = C_USES[info.c_use], info.sfb_block_rows
        self.m, self.grouping, self.groups, self.align = info.m, GROUPINGS[info.grouping], info.groups, info.group_align
        self.weights = info.weights or info.groups  # matrices of B; group g has number g % weights
        self.flat, self.workspace_bytes = bool(info.flat), info.workspace_bytes
        self.bias, self.row_scale = BIASES[info.bias], bool(info.row_scale)

    def load(self):
        check(library().fp8gemm_kernel_load(self._handle))

    def arguments(self, m, a, sfa, b, sfb, d, c=None, num_sms=0, flags=0, bias=None,
                  row_scale=None):
        """Arguments of a launch, to be kept and used again; operands are (address, leading dimension), bias and row_scale addresses.

        A kernel that adds in place takes `d` as its C, where `c` is not given.
        """
        c = c or (d if self.c_use == "in_place" else (None, 0))
        return GemmArgs(ctypes.sizeof(GemmArgs), m, *(Matrix(*operand) for operand in (a, sfa, b, sfb, c, d)),
                        num_sms, flags, bias, row_scale)

    def grouped_arguments(self, m, a, sfa, b, sfb, d, groups=None, c=None, k=0, workspace=None, num_sms=0,
                          flags=0, bias=None, row_scale=None):
        """Arguments of a grouped launch; operands are (address, leading dimension, group stride), groups, workspace and
        bias addresses, and row_scale.
        """
        c = c or (d if self.c_use == "in_place" else (None, 0, 0))
        return GroupedGemmArgs(ctypes.sizeof(GroupedGemmArgs), m, k, *(Tensor(*operand) for operand in (a, sfa, b, sfb, c, d)),
                               groups, workspace, self.workspace_bytes if workspace else 0, num_sms, flags, bias, row_scale)

    def quantize_arguments(self, m, x, q, scales, num_sms=0, flags=0):
        """Arguments of a quantisation; operands are (address, leading dimension)."""
        return QuantizeArgs(ctypes.sizeof(QuantizeArgs), m, *(Matrix(*operand) for operand in (x, q, scales)), num_sms, flags)

    def launch(self, arguments, stream=0):
        calls = {GemmArgs: library().fp8gemm_gemm, GroupedGemmArgs: library().fp8gemm_grouped_gemm,
                 QuantizeArgs: library().fp8gemm_quantize}
        check(calls[type(arguments)](self._handle, ctypes.byref(arguments), stream))

    def close(self):
        library().fp8gemm_kernel_close(self._handle)
        self._handle = ctypes.c_void_p()
