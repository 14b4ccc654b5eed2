# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Words for errors."""

from torch import Tensor


def type_name(tensor):
    return str(tensor.dtype).removeprefix("torch.")


def expect_type(name, value, kind):
    if not isinstance(value, kind):
        home = "torch.nn" if kind.__module__.startswith("torch.") else "fp8gemm.torch"
        raise TypeError(f"expected '{name}' to be a {home}.{kind.__qualname__}, got {value!r}")


def described(value):
    return f"{tuple(value.shape)} of {type_name(value)}" if isinstance(value, Tensor) else type(value).__qualname__
