# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What arguments are, before their shapes are looked at. Errors name the argument."""

import torch
from fp8gemm._scalars import count, flag  # noqa: F401: its users' arguments, too


def tensor(name, value, rank=None):
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"expected {name} to be a torch.Tensor, got {type(value).__qualname__}")
    if rank is not None and value.dim() != rank:
        raise ValueError(f"expected {name} of {rank} dimensions, got shape {tuple(value.shape)}")
    return value


def operand(name, pair, rank, scale_rank=None):
    """FP8 values, and their float32 scales."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise TypeError(f"expected '{name}' to be a pair of FP8 values and their scales, got {kind(pair)}")
    values, scales = tensor(f"'{name}'", pair[0], rank), tensor(f"'sf{name}' (the scales of '{name}')", pair[1], scale_rank or rank)
    if scales.dtype != torch.float32:
        raise TypeError(f"expected 'sf{name}' (the scales of '{name}') of float32, as on Hopper, got "
                        f"{str(scales.dtype).removeprefix('torch.')}")
    return values, scales


def kind(value):
    length = f" of {len(value)}" if isinstance(value, (tuple, list)) else ""
    return f"{type(value).__qualname__}{length}"


def integers(name, value, length):
    """A tuple of that many integers."""
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"expected '{name}' to be a tuple of {length} integers, got {value!r}")
    if len(value) != length:
        raise ValueError(f"expected '{name}' of {length} integers, got {value!r}")
    return tuple(count(name, x) for x in value)


def shapes(rule, *expected):
    """(name, tensor, shape)s, where nothing else looks at them."""
    for name, given, wanted in expected:
        if tuple(given.shape) != tuple(wanted):
            raise ValueError(f"expected '{name}' of shape {tuple(wanted)} ({rule}), got {tuple(given.shape)}")
