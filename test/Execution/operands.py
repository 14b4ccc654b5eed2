# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operands of a block-scaled product, guarded and in every storage, and its float64 oracle.

Works on any torch device: the tests of this file run on the CPU.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Numerics"))
import numerics
import tensor_core

BLOCK = 128
TYPES = {"e4m3": torch.float8_e4m3fn, "e5m2": torch.float8_e5m2, "bf16": torch.bfloat16, "f32": torch.float32}
SMALLEST_EXPONENT = {torch.float8_e4m3fn: -6, torch.float8_e5m2: -14}  # of normal numbers
# Bytes around every operand. As e4m3, f32 and bf16 the fill is NaN, so that a read out
# of bounds shows in the result, and no kernel computes it: the hardware's NaN is 0x7fff.
GUARD_BYTES = 1 << 16
FILL = 0xFF
# How much longer than their elements rows are, in the shortest legal steps (16 bytes where TMA reads or
# writes, else an element): packed, and an operand each another.
PACKED = {}
STRIDED = {"a": 3, "b": 1, "sfa": 2, "sfb": 5, "c": 5, "d": 3}


def ceil_div(a, b):
    return -(-a // b)


def round_up(a, b):
    return ceil_div(a, b) * b


def quantise(x, rows, columns, element=torch.float8_e4m3fn):
    """f32 x [R, K] -> (FP8 [R, K], f32 scales [ceil(R/rows), ceil(K/columns)]): each block's largest becomes the type's."""
    most = torch.finfo(element).max
    r, k = x.shape
    padded = torch.zeros(round_up(r, rows), round_up(k, columns), dtype=torch.float32, device=x.device)
    padded[:r, :k] = x
    blocks = padded.view(padded.shape[0] // rows, rows, padded.shape[1] // columns, columns)
    largest = blocks.abs().amax(dim=(1, 3), keepdim=True)
    scales = torch.where(largest > 0, largest / most, torch.ones_like(largest))
    codes = (blocks / scales).clamp(-most, most).view_as(padded)[:r, :k].to(element)
    return codes.contiguous(), scales[:, 0, :, 0].contiguous()


def spread(scales, rows, columns, shape):
    """Scales [.., ..] repeated to one per element of `shape`."""
    return scales.repeat_interleave(rows, 0)[:shape[0]].repeat_interleave(columns, 1)[:, :shape[1]]


def exact(codes):
    """FP8 values in float64."""
    return codes.to(torch.float32).to(torch.float64)


def dequantise(codes, scales, rows, columns):
    """The exact values in float64 (4 bits times 24 bits)."""
    return exact(codes) * spread(scales.to(torch.float64), rows, columns, codes.shape)


def scaled_rows(scales, matrix):
    """Rows of B that share a scale: 1 in recipe 1d1d."""
    return 1 if scales.shape[0] == matrix.shape[0] else BLOCK


def bits(d):
    """The elements of D as integers."""
    return d.view(torch.int32 if d.element_size() == 4 else torch.int16)


def exponents(codes):
    """floor(log2 |x|) of FP8 values, whose subnormals have that of the smallest normal number; of zeros, one below all others."""
    x = exact(codes)
    _, exponent = torch.frexp(x)
    return torch.where(x == 0, -500, (exponent - 1).clamp_min(SMALLEST_EXPONENT[codes.dtype])).to(torch.float64)


def columns_of(sfb, b, block):
    """The scale of each row of B, in float64."""
    return sfb[:, block].to(torch.float64).repeat_interleave(scaled_rows(sfb, b))[:len(b)]


def stepwise_error(a, sfa, b, sfb):
    """tensor_core.stepwise_error, on torch tensors: what the sums inside K blocks may err by."""
    m, n, k = a.shape[0], b.shape[0], a.shape[1]
    unit = 2.0**-tensor_core.FRACTION_BITS
    total = torch.zeros(m, n, dtype=torch.float64, device=a.device)
    for block in range(ceil_div(k, BLOCK)):
        prefix, error = torch.zeros_like(total), torch.zeros_like(total)
        for start in range(block * BLOCK, min((block + 1) * BLOCK, k), tensor_core.STEP):
            end = min(start + tensor_core.STEP, (block + 1) * BLOCK, k)
            left, right = a[:, start:end], b[:, start:end]
            largest = torch.exp2(exponents(left).amax(1)[:, None] + exponents(right).amax(1)[None, :])
            left, right = exact(left), exact(right)
            largest = torch.maximum(largest, prefix.abs() + error)
            prefix += left @ right.T
            error += unit * tensor_core.STEP * largest
            error += unit * (prefix.abs() + error)
        scale = sfa[:, block, None].to(torch.float64) * columns_of(sfb, b, block)
        total += scale.abs() * error
    return total


def sum_of_blocks(a, sfa, b, sfb, c=None):
    """D in float64, scaled block by block: where a value is infinite or NaN the order matters."""
    value = torch.zeros(len(a), len(b), dtype=torch.float64, device=a.device)
    for block in range(sfa.shape[1]):
        columns = slice(block * BLOCK, (block + 1) * BLOCK)
        scales = sfa[:, block, None].double() * columns_of(sfb, b, block)
        value += scales * (exact(a[:, columns]) @ exact(b[:, columns]).T)
    return value if c is None else value + c.double()


def bias_of(kernel, device):
    """The row that a kernel adds, the same for all data: None, if it adds none."""
    if getattr(kernel, "bias", None) is None:
        return None
    random = torch.Generator(device).manual_seed(kernel.n)
    return (8 * torch.randn(kernel.n, generator=random, device=device)).to(TYPES[kernel.bias])


def guarded_bias(kernel, device):
    """The same in memory, as little aligned as it may be; None, if there is none."""
    bias = bias_of(kernel, device)
    return None if bias is None else Guarded(bias[None], past=2 * bias.itemsize)


class Oracle:
    """D in float64, and what may differ from it."""

    def __init__(self, a, sfa, b, sfb, c=None, d_type="bf16", bias=None):
        left, right = dequantise(a, sfa, 1, BLOCK), dequantise(b, sfb, scaled_rows(sfb, b), BLOCK)
        self.value = left @ right.T if c is None else left @ right.T + c.double()
        self.bias = bias
        if bias is not None:
            self.value = self.value + bias.double()
        self.c, self.d_type = c, numerics.F32 if d_type == "f32" else numerics.BF16
        self.magnitude = left.abs() @ right.abs().T
        self.stepwise = stepwise_error(a, sfa, b, sfb)
        self.k = a.shape[1]

    def limits(self, rows):
        """Both bounds of docs/Numerics.md, for some rows, a slice: by the constant, and step by step."""
        value, magnitude = self.value[rows], self.magnitude[rows]
        shape = SimpleNamespace(shape=(*value.shape, self.k), c=None if self.c is None else self.c[rows], bias=self.bias,
                                d_type=self.d_type)
        return (numerics.bound(shape, value, magnitude, tensor_core.constant_error),
                numerics.bound(shape, value, magnitude, lambda *_: self.stepwise[rows]))


class Guarded:
    """A row-major matrix in device memory, or one of each group, with NaN all around it, also between its rows.

    `leading` and `group_stride` are in elements; groups may also lie beside each other in each row. The address is 16
    bytes past a multiple of 128: as little aligned as the runtime allows; or `past` bytes.
    """

    def __init__(self, source, leading=None, past=16, group_stride=None, fill=FILL):
        self.dtype, self.device, self.fill = source.dtype, source.device, fill
        self.shape = source.shape
        self.rows, self.columns = source.shape[-2:]
        self.leading = leading or self.columns
        self.group_stride = 0 if source.dim() == 2 else group_stride or self.rows * self.leading
        self.size = source.element_size()
        groups = source.shape[0] if source.dim() == 3 else 1
        span = (groups - 1) * self.group_stride + (max(self.rows, 1) - 1) * self.leading + self.columns
        self.offset = GUARD_BYTES + past
        self.buffer = torch.full((self.offset + span * self.size + GUARD_BYTES,), fill, dtype=torch.uint8,
                                 device=self.device)
        self.write(source)

    def write(self, source):
        if not source.numel():
            return  # torch has no view of nothing as bytes
        packed = torch.empty(source.shape, dtype=self.dtype, device=self.device).copy_(source)
        self._bytes(self.buffer).copy_(packed.view(torch.uint8))

    def _bytes(self, buffer):
        """The elements' bytes, [rows, columns * size] of each group, inside `buffer`."""
        strides = (self.group_stride * self.size, self.leading * self.size, 1)[-len(self.shape):]
        return buffer.as_strided((*self.shape[:-1], self.columns * self.size), strides, self.offset)

    @property
    def address(self):
        return self.buffer.data_ptr() + self.offset

    @property
    def operand(self):
        return self.address, self.leading

    @property
    def tensor(self):
        """As a grouped product takes it."""
        return self.address, self.leading, self.group_stride

    def read(self):
        """A copy, which later launches don't change."""
        if 0 in self.shape:
            return torch.empty(self.shape, dtype=self.dtype, device=self.device)
        return self._bytes(self.buffer).clone(memory_format=torch.contiguous_format).view(self.dtype)

    def poison(self):
        self.buffer.fill_(self.fill)

    def intact_outside(self):
        """No byte outside the elements changed."""
        outside = self.buffer.clone()
        self._bytes(outside).fill_(self.fill)
        return bool((outside == self.fill).all())


class Storage:
    """How a kernel's operands are stored: the shortest steps, in elements, that rows may be longer by, and the bytes past a
    multiple of 128 that each may start at.
    """

    def __init__(self, kernel):
        self.kernel = kernel
        sfb_by_tma = kernel.sfb == "mn_major" and kernel.sfb_rows == 1
        result = 16 // TYPES[kernel.d_type].itemsize
        self.steps = {"a": 16, "b": 16, "sfa": 4 if kernel.sfa == "mn_major" else 1, "sfb": 4 if sfb_by_tma else 1,
                      "c": result, "d": result}
        self.past = {"sfa": 16 if kernel.sfa == "mn_major" else 4, "sfb": 16 if sfb_by_tma else 4}

    def scales(self, sfa, sfb):
        """In the order of their layouts, each with the least length of a row: TMA reads rows whose length is a multiple
        of 4. What is there beyond the scales stays NaN.
        """
        stored_sfa, stored_sfb = (scales.transpose(-1, -2) if layout == "mn_major" else scales
                                  for scales, layout in ((sfa, self.kernel.sfa), (sfb, self.kernel.sfb)))
        columns = stored_sfa.shape[-1]
        if self.kernel.sfa == "mn_major":
            columns = max(round_up(columns, 4), 4)
        return (stored_sfa, columns), (stored_sfb, stored_sfb.shape[-1])


class Operands:
    """Guarded operands of one product in the storage that a kernel asks for, padded as PACKED and STRIDED are. `c` is
    what it adds, if it does.
    """

    def __init__(self, a, sfa, b, sfb, kernel, paddings, c=None):
        storage, element = Storage(kernel), TYPES[kernel.d_type]
        m, n, k = a.shape[0], b.shape[0], a.shape[1]
        self.m = m
        more = {name: paddings.get(name, 0) * step for name, step in storage.steps.items()}
        (stored_sfa, sfa_columns), (stored_sfb, sfb_columns) = storage.scales(sfa, sfb)
        self.a = Guarded(a, k + more["a"])
        self.b = Guarded(b, k + more["b"])
        self.sfa = Guarded(stored_sfa, sfa_columns + more["sfa"], storage.past["sfa"])
        self.sfb = Guarded(stored_sfb, sfb_columns + more["sfb"], storage.past["sfb"])
        self.d = Guarded(torch.empty(m, n, dtype=element, device=a.device), n + more["d"])
        self.names = ["a", "sfa", "b", "sfb", "d"]
        self.before = c if kernel.c_use == "in_place" else None
        if kernel.c_use == "apart":
            self.c = Guarded(c, n + more["c"])
            self.names.insert(4, "c")
        self.bias = guarded_bias(kernel, a.device)
        if self.bias is not None:
            self.names.append("bias")

    def prepare(self):
        """D as it is before a launch: poisoned, or in place what is added to."""
        self.d.poison()
        if self.before is not None:
            self.d.write(self.before)

    def arguments(self, kernel):
        c = {"c": self.c.operand} if "c" in self.names else {}
        return kernel.arguments(self.m, self.a.operand, self.sfa.operand, self.b.operand, self.sfb.operand,
                                self.d.operand, **c, **({"bias": self.bias.address} if self.bias else {}))

    def damaged(self):
        """Names of the operands whose surroundings were written."""
        return [name for name in self.names if not getattr(self, name).intact_outside()]


def unwritten(d):
    """Elements of D that still hold the poison."""
    return int((bits(d) == -1).sum())
