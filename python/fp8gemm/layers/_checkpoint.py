# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights as checkpoints store them: `NAME.weight` in float8_e4m3fn with `NAME.weight_scale_inv`, a scale for 128 x 128 elements that
a value is multiplied by, as DeepSeek-V3's and Qwen3's FP8 checkpoints have them; or `NAME.weight` in another floating type."""

import torch

import fp8gemm.torch as ft
from fp8gemm.layers._words import type_name

VALUES = torch.float8_e4m3fn
SCALES = "weight_scale_inv"


class UnreadableError(ValueError):
    """A weight that is no quantised and no plain one."""


def read(state, name):
    """The (values, scales or None) of a layer, with float32 scales; or None where it has no weight."""
    weight, scales = state.get(f"{name}weight"), state.get(f"{name}{SCALES}")
    if weight is None and scales is None:
        return None
    if weight is None:
        raise UnreadableError(f"expected '{name}weight' beside '{name}{SCALES}', got none")
    if weight.dtype == VALUES and scales is None:
        raise UnreadableError(f"expected '{name}{SCALES}' beside '{name}weight' of float8_e4m3fn, got none")
    if weight.dtype != VALUES and scales is not None:
        raise UnreadableError(f"expected '{name}weight' of float8_e4m3fn beside '{name}{SCALES}', got {type_name(weight)}")
    if scales is None:
        if weight.dtype not in (torch.bfloat16, torch.float16, torch.float32):
            raise UnreadableError(f"expected '{name}weight' of float8_e4m3fn, bfloat16, float16 or float32, got {type_name(weight)}")
        return weight, None
    blocks = tuple(-(-extent // ft.BLOCK) for extent in weight.shape[-2:])
    if scales.dtype not in (torch.float32, torch.bfloat16) or tuple(scales.shape[-2:]) != blocks:
        raise UnreadableError(f"expected '{name}{SCALES}' of float32 or bfloat16 and of shape [ceil(N/128), ceil(K/128)] = {blocks}, got "
                              f"{type_name(scales)} of shape {tuple(scales.shape)}")
    return weight, scales.float()


def quantized(weight, scales):
    """What `read` gives, in FP8."""
    return (weight, scales) if scales is not None else ft.quantize_per_block(weight)
