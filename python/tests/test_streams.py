# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors as PyTorch before 2.10 shows them: no exchange API, and no FP8 in its DLPack. PyTorch itself is made up here."""

import types

import ml_dtypes
import numpy as np
import pytest
from arrays import CapsuleArray, aligned, columns, rows

E4M3, E5M2, BF16, F32 = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.bfloat16, np.float32


class OldTensor(CapsuleArray):
    def __init__(self, values):
        super().__init__(values)
        self.dtype, self.grad = f"torch.{values.dtype.name}", True

    def detach(self):
        self.grad = False
        return self

    def view(self, dtype):
        self.bytes = OldTensor(self.values.view(dtype))  # which lives as long
        self.bytes.grad = self.grad
        return self.bytes

    def __dlpack__(self, *, stream=None):
        if "float8" in self.dtype or self.grad:
            raise BufferError(f"{self.dtype} is not supported by dlpack" if "float8" in self.dtype else "requires grad")
        self.capsule = super().__dlpack__(stream=stream)
        return self.capsule


@pytest.fixture(autouse=True)
def old_torch(monkeypatch):
    stream = types.SimpleNamespace(cuda_stream=2)
    made = types.SimpleNamespace(
        Tensor=OldTensor, uint8=np.uint8, float32=F32, bfloat16=BF16, cuda=types.SimpleNamespace(current_stream=lambda device: stream),
        empty=lambda shape, dtype, device: OldTensor(aligned(np.zeros(shape, dtype))))
    monkeypatch.setitem(__import__("sys").modules, "torch", made)


def operands(kind=E4M3, other=E4M3):
    return [OldTensor(x) for x in (rows((12, 256), kind), columns((12, 2), F32), rows((256, 256), other), rows((2, 2), F32))]


def test_fp8_is_shown_as_bytes(pack, driver):
    a, sfa, b, sfb = operands()
    d = OldTensor(rows((12, 256), BF16))
    assert pack.gemm(a, sfa, b, sfb, d) is d
    assert [x["address"] for x in driver.maps] == [x.address for x in (a, b, sfa, d)]
    assert driver.launches[0]["stream"] == 2


def test_its_type_is_told(pack):
    import fp8gemm

    with pytest.raises(fp8gemm.NotInPackError, match='"a_type": "e5m2", "b_type": "e4m3"|"a_type": "e5m2"'):
        pack.gemm(*operands(E5M2))
    with pytest.raises(TypeError, match="expected 'a' of float8_e4m3fn, float8_e5m2, or uint8 .*, got int32"):
        pack.gemm(*operands(np.int32))


def test_results_are_allocated(pack, driver):
    d = pack.gemm(*operands())
    assert isinstance(d, OldTensor) and d.values.shape == (12, 256) and d.values.dtype == BF16
    assert driver.maps[3]["address"] == d.address
    assert pack.gemm(*operands(), d_type="bf16").values.dtype == BF16


def test_other_arrays_say_which_version_has_it(pack):
    class Wrapped(CapsuleArray):
        def __dlpack__(self, **_):
            raise BufferError("Float8_e4m3fn types are not supported by dlpack")

    a, sfa, b, sfb = operands()
    with pytest.raises(ValueError, match=r"expected 'b' .* FP8 since 2.10: .*view\(torch.uint8\)"):
        pack.gemm(a, sfa, Wrapped(b.values), sfb)
