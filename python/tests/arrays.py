# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays in host memory that claim to be on a CUDA device, for the fake driver: of two libraries, one that has DLPack's
C exchange API, and one that has not."""

import ctypes
import math

import ml_dtypes
import numpy as np

CUDA = 2
READ_ONLY, IS_COPIED = 1, 2  # flags of a capsule
# DLPack's (code, bits) of an element.
CODES = {np.dtype(ml_dtypes.float8_e4m3fn): (10, 8), np.dtype(ml_dtypes.float8_e5m2): (12, 8),
         np.dtype(ml_dtypes.bfloat16): (4, 16), np.dtype(np.float32): (2, 32), np.dtype(np.int32): (0, 32),
         np.dtype(np.uint8): (1, 8), np.dtype(np.float64): (2, 64)}
TYPES = {code: dtype for dtype, code in CODES.items()}


class DLTensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device", ctypes.c_int32),
                ("rank", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("byte_offset", ctypes.c_uint64)]


class Managed(ctypes.Structure):
    _fields_ = [("tensor", DLTensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


class Versioned(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("context", ctypes.c_void_p),
                ("deleter", ctypes.c_void_p), ("flags", ctypes.c_uint64), ("tensor", DLTensor)]


new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


# A capsule keeps the pointer of its name.
API_NAME, VERSIONED_NAME, OLD_NAME = b"dlpack_exchange_api", b"dltensor_versioned", b"dltensor"


class FakeArray:
    """A numpy array, said to be on a CUDA device."""

    def __init__(self, values, device=0, device_type=CUDA):
        self.values, self.device, self.device_type = values, device, device_type
        self.rank = values.ndim
        self.shape = (ctypes.c_int64 * self.rank)(*values.shape)
        self.strides = (ctypes.c_int64 * self.rank)(*(step // values.itemsize for step in values.strides))

    @property
    def address(self):
        return self.values.ctypes.data

    def describe(self, tensor):
        code, bits = CODES[self.values.dtype]
        tensor.data, tensor.device_type, tensor.device = self.address, self.device_type, self.device
        tensor.rank, tensor.code, tensor.bits, tensor.lanes, tensor.byte_offset = self.rank, code, bits, 1, 0
        tensor.shape, tensor.strides = self.shape, self.strides


class CapsuleArray(FakeArray):
    """Of a library that has `__dlpack__` only, in its newer or older form."""

    def __init__(self, values, version=1, flags=0, offset=0, without_strides=False, **where):
        super().__init__(values, **where)
        self.version, self.flags, self.offset, self.without_strides = version, flags, offset, without_strides
        self.streams = []  # that it was asked for

    def __dlpack_device__(self):
        return self.device_type, self.device

    def __dlpack__(self, *, stream=None, **options):
        if self.version == 0 and options:
            raise TypeError(f"unexpected {options}")
        self.streams.append(stream)
        self.exported = Versioned(self.version, 0, None, None, self.flags) if self.version else Managed()
        tensor = self.exported.tensor
        self.describe(tensor)
        tensor.data, tensor.byte_offset = tensor.data - self.offset, self.offset
        if self.without_strides:
            tensor.strides = None
        return new_capsule(ctypes.addressof(self.exported), VERSIONED_NAME if self.version else OLD_NAME, None)


class ExchangeArray(FakeArray):
    """Of a library with the exchange API."""

    current_stream = 0
    allocated = []

    @classmethod
    def allocate(cls, prototype, out, _context, _set_error):
        wanted = prototype.contents
        shape = [wanted.shape[i] for i in range(wanted.rank)]
        dtype = TYPES[wanted.code, wanted.bits]
        array = cls(aligned(np.zeros(math.prod(shape), dtype).reshape(shape)), device=wanted.device)
        array.managed = Versioned(1, 0, None, None, 0)
        array.describe(array.managed.tensor)
        cls.allocated.append(array)
        out[0] = ctypes.addressof(array.managed)
        return 0

    @classmethod
    def to_object(cls, managed, out):
        found = next(array for array in cls.allocated if ctypes.addressof(array.managed) == managed)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(found))
        out[0] = id(found)
        return 0

    @classmethod
    def from_object(cls, pointer, out):
        ctypes.cast(pointer, ctypes.py_object).value.describe(out.contents)
        return 0

    @classmethod
    def work_stream(cls, _type, _device, out):
        out[0] = cls.current_stream
        return 0


class ExchangeApi(ctypes.Structure):
    _address = ctypes.POINTER(ctypes.c_void_p)
    ALLOCATE = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.POINTER(DLTensor), _address, ctypes.c_void_p, ctypes.c_void_p)
    TO_OBJECT = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, _address)
    FROM_OBJECT = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(DLTensor))
    FROM_MANAGED = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, _address)
    STREAM = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_int32, ctypes.c_int32, _address)
    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("previous", ctypes.c_void_p),
                ("allocate", ALLOCATE), ("managed_from_object", FROM_MANAGED), ("to_object", TO_OBJECT),
                ("from_object", FROM_OBJECT), ("stream", STREAM)]


_api = ExchangeApi(1, 3, None, ExchangeApi.ALLOCATE(ExchangeArray.allocate), ExchangeApi.FROM_MANAGED(),
                   ExchangeApi.TO_OBJECT(ExchangeArray.to_object), ExchangeApi.FROM_OBJECT(ExchangeArray.from_object),
                   ExchangeApi.STREAM(ExchangeArray.work_stream))
# One of a version that is not known, in front of it.
_newer = ExchangeApi(7, 0, ctypes.addressof(_api))
ExchangeArray.__dlpack_c_exchange_api__ = new_capsule(ctypes.addressof(_newer), API_NAME, None)


class ManagedArray(FakeArray):
    """Of one whose exchange API has no views that cost nothing."""

    @classmethod
    def managed_from_object(cls, pointer, out):
        array = ctypes.cast(pointer, ctypes.py_object).value
        array.managed = Versioned(1, 0, None, None, 0)
        array.describe(array.managed.tensor)
        out[0] = ctypes.addressof(array.managed)
        return 0


_managed_from_object = ExchangeApi.FROM_MANAGED(ManagedArray.managed_from_object)
_slow_api = ExchangeApi(1, 3, None, _api.allocate, _managed_from_object, _api.to_object, ExchangeApi.FROM_OBJECT(),
                        _api.stream)
ManagedArray.__dlpack_c_exchange_api__ = new_capsule(ctypes.addressof(_slow_api), API_NAME, None)


def aligned(values):
    """The same values, in memory as aligned as a GPU's."""
    buffer = np.empty(values.nbytes + 256, np.uint8)
    start = -buffer.ctypes.data % 256
    result = buffer[start:start + values.nbytes].view(values.dtype).reshape(values.shape)
    result[...] = values
    return result


def rows(shape, dtype):
    """An array whose last dimension is contiguous."""
    return aligned(np.zeros(shape, dtype))


def columns(shape, dtype):
    """One whose last but one dimension is."""
    return aligned(np.zeros((*shape[:-2], shape[-1], shape[-2]), dtype)).swapaxes(-1, -2)
