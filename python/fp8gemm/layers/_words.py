# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Words for errors."""

from torch import Tensor


def type_name(tensor):
    return str(tensor.dtype).removeprefix("torch.")


def described(value):
    return f"{tuple(value.shape)} of {type_name(value)}" if isinstance(value, Tensor) else type(value).__qualname__
