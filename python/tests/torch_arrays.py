# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors of PyTorch in host memory that claim to be on a CUDA device, for the fake driver, and are seen as those of
PyTorch before 2.10 are: by `__dlpack__`, which has no FP8. And operators that launch on it for PyTorch's own tensors."""

import ctypes

import torch
from arrays import CUDA, VERSIONED_NAME, Versioned, new_capsule

import fp8gemm.torch as ft
from fp8gemm import _streams

CODES = {torch.uint8: (1, 8), torch.bfloat16: (4, 16), torch.float32: (2, 32), torch.float16: (2, 16), torch.int32: (0, 32),
         torch.int64: (0, 64), torch.int8: (0, 8), torch.float64: (2, 64), torch.bool: (6, 8)}


class OnCuda(torch.Tensor):
    __dlpack_c_exchange_api__ = None
    exported = []  # the last ones, which live as long as a call

    def __dlpack_device__(self):
        return CUDA, 0

    def __dlpack__(self, *, stream=None, max_version=None):
        if self.dtype not in CODES:
            raise BufferError(f"{str(self.dtype).removeprefix('torch.').capitalize()} is not supported by dlpack")
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient")
        made, tensor = Versioned(1, 0, None, None, 0), self.as_subclass(torch.Tensor)
        made.extents = (ctypes.c_int64 * tensor.dim())(*tensor.shape)
        made.steps = (ctypes.c_int64 * tensor.dim())(*tensor.stride())
        dl = made.tensor
        dl.data, dl.device_type, dl.device, dl.rank = tensor.data_ptr(), CUDA, 0, tensor.dim()
        (dl.code, dl.bits), dl.lanes, dl.byte_offset = CODES[tensor.dtype], 1, 0
        dl.shape, dl.strides = made.extents, made.steps
        OnCuda.exported = [*OnCuda.exported[-64:], made]
        return new_capsule(ctypes.addressof(made), VERSIONED_NAME, None)


def on_cuda(tensor):
    """The same values, in memory as aligned as a GPU's, of the same strides."""
    extent = sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride())) + 1 if tensor.numel() else 0
    space = torch.zeros(extent * tensor.element_size() + 512, dtype=torch.uint8)
    start = -space.data_ptr() % 256
    flat = space[start:start + extent * tensor.element_size()].view(tensor.dtype)
    return filled(flat.as_strided(tensor.shape, tensor.stride()), tensor).as_subclass(OnCuda)


def filled(space, tensor):
    """With the values of the tensor, unless its elements share memory."""
    shared = any(size > 1 and step == 0 for size, step in zip(space.shape, space.stride()))
    return space if shared else space.copy_(tensor)


def launch_on_driver(library):
    """The operators of layers, for tensors on the host: they launch the default pack's kernels on the fake driver, which computes nothing."""
    on_device = lambda value: on_cuda(value.detach()) if isinstance(value, torch.Tensor) else value
    plain = lambda value: value.as_subclass(torch.Tensor) if isinstance(value, torch.Tensor) else value

    def of(function):
        def call(*operands, **options):
            found = function(*map(on_device, operands), **{name: on_device(value) for name, value in options.items()})
            return tuple(map(plain, found)) if isinstance(found, tuple) else plain(found)
        return call

    for name, function in (("gemm", ft._gemm), ("quantize", ft._quantize), ("grouped_gemm_k_add_", ft._k_add)):
        library.impl(name, of(function), "CPU", allow_override=True)


def allocate_for_driver(monkeypatch):
    """What the package allocates is on the fake device, whose current stream is the default one."""
    allocate = _streams.allocate
    monkeypatch.setattr(_streams, "current_of", lambda tensor, device: 0)
    monkeypatch.setattr(_streams, "allocate", lambda *args: on_cuda(allocate(*args)))
