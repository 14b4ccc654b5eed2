# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The experts of one GPU: two products with SwiGLU between them, for rows that already are where their experts are."""

import functools
import re

import torch
from torch import Tensor, nn

import fp8gemm.torch as ft
from fp8gemm._scalars import count
from fp8gemm.layers import _checkpoint, _stages
from fp8gemm.layers._words import described


class Products:
    """Both grouped products as the operators of fp8gemm.torch, with the pack of `fp8gemm.set_pack`. Arguments and results are
    those of the operators, `quantized` is for those that return values and scales; a replacement has both methods."""

    def contiguous(self, a, sfa, b, sfb, ends, *, align, expected_m, num_sms, quantized=False, **epilogue):
        product = torch.ops.fp8gemm.grouped_gemm_contiguous_quantized if quantized else torch.ops.fp8gemm.grouped_gemm_contiguous
        return product(a, sfa, b, sfb, ends, by="end", align=align, expected_m=expected_m, num_sms=num_sms, **epilogue)

    def masked(self, a, sfa, b, sfb, counts, *, expected_m, num_sms, quantized=False, **epilogue):
        product = torch.ops.fp8gemm.grouped_gemm_masked_quantized if quantized else torch.ops.fp8gemm.grouped_gemm_masked
        return product(a, sfa, b, sfb, counts, expected_m=expected_m, num_sms=num_sms, **epilogue)


_SWIGLU = {"gated": True, "activation": "silu"}
_QUANTIZED_SWIGLU = _SWIGLU | {"d_type": "e4m3", "sfd": "mn_major"}  # in a pack's list


class Experts(nn.Module):
    """y = down(silu(gate(x)) * up(x)) of E experts, in FP8.

    w13 [E, 2I, H] float8_e4m3fn, the gate first, with w13_scales [E, ceil(2I/128), ceil(H/128)] float32; w2 [E, H, I] with
    w2_scales [E, ceil(H/128), ceil(I/128)]. H and I are multiples of 16.
    `products` and `activate` replace fp8gemm's products and what follows the first one; num_sms limits the SMs of the products, so
    that communication beside them has some (0: all).

    By default swiglu_quantize follows; `activate=layers.swiglu_quantize_by_kernel` is one kernel of the pack. With `gated`, SwiGLU and the quantisation are the first product's epilogue, and nothing is between
    the products: a quarter of the bytes are written and read, rows of no group cost nothing, and gate and up are not rounded before. The
    pack needs the problems of `gated`, and I is a multiple of 128; `activate` is not for it.

    State dicts load by the names above, or by those of checkpoints: `N.gate_proj.weight`, `N.up_proj.weight` and `N.down_proj.weight` for
    expert N, each in FP8 with its `weight_scale_inv`, or plain, and quantised then. N counts from `first` to first + E; the other experts of `total`
    are on other GPUs, and are passed over. I has to be a multiple of 128 for it, so that gate and up share no scales.
    """

    def __init__(self, w13: Tensor, w13_scales: Tensor, w2: Tensor, w2_scales: Tensor, *, products: Products | None = None,
                 activate=None, num_sms: int = 0, gated: bool = False):
        super().__init__()
        for name, value in (("w13", w13), ("w13_scales", w13_scales), ("w2", w2), ("w2_scales", w2_scales)):
            if not isinstance(value, Tensor) or value.dim() != 3:
                raise ValueError(f"expected '{name}' of 3 dimensions, got {described(value)}")
        experts, hidden, width = w13.shape[0], w13.shape[2], w2.shape[2]
        for name, value, shape, rule in (
                ("w13", w13, (experts, 2 * width, hidden), "[E, 2I, H]"),
                ("w2", w2, (experts, hidden, width), "[E, H, I]"),
                ("w13_scales", w13_scales, (experts, _blocks(2 * width), _blocks(hidden)), "[E, ceil(2I/128), ceil(H/128)]"),
                ("w2_scales", w2_scales, (experts, _blocks(hidden), _blocks(width)), "[E, ceil(H/128), ceil(I/128)]")):
            wanted = torch.float32 if name.endswith("scales") else torch.float8_e4m3fn
            if tuple(value.shape) != shape or value.dtype != wanted:
                raise ValueError(f"expected '{name}' of shape {rule} = {shape} and {str(wanted).removeprefix('torch.')}, got {described(value)}")
        if experts < 1 or hidden % 16 or width % 16 or hidden < 16 or width < 16:
            raise ValueError(f"expected at least one expert, and H and I that are multiples of 16, got E = {experts}, H = {hidden}, "
                             f"I = {width}")
        if gated and activate is not None:
            raise ValueError(f"expected no 'activate' with 'gated', whose products return the quantised SwiGLU, got {activate!r}")
        if gated and width % ft.BLOCK:
            raise ValueError(f"expected I that is a multiple of {ft.BLOCK} with 'gated', got {width}")
        for name, value in (("w13", w13), ("w13_scales", w13_scales), ("w2", w2), ("w2_scales", w2_scales)):
            self.register_buffer(name, value)
        self.hidden, self.width, self.experts = hidden, width, experts
        self.first, self.total = 0, experts
        self.products, self.num_sms, self.gated = products or Products(), num_sms, gated
        self.activate = activate or _stages.swiglu_quantize

    @classmethod
    def empty(cls, experts: int, hidden: int, width: int, *, device=None, **options) -> "Experts":
        """Experts whose weights are loaded later; options are those of the constructor."""
        made = []
        for n, k in ((2 * width, hidden), (hidden, width)):
            made += [torch.zeros(experts, n, k, device=device, dtype=_checkpoint.VALUES), torch.ones(experts, _blocks(n), _blocks(k), device=device)]
        return cls(*made, **options)

    def contiguous(self, a: Tensor, sfa: Tensor, ends: Tensor, *, align: int = 1, expected_m: int = 0) -> Tensor:
        """a [rows, H] float8_e4m3fn and sfa [rows, ceil(H/128)] float32, rows grouped by expert; ends [E] int32: the end of each
        group, which starts at the previous end, rounded up to a multiple of `align`. -> [rows, H] bfloat16, unweighted;
        rows of no group are not initialised."""
        options = dict(align=align, expected_m=expected_m, num_sms=self.num_sms)
        inner, scales = self._inner(self.products.contiguous, a, sfa, ends, options)
        return self.products.contiguous(inner, scales, self.w2, self.w2_scales, ends, **options)

    def masked(self, a: Tensor, sfa: Tensor, counts: Tensor, *, expected_m: int = 0) -> Tensor:
        """a [G, M, H] float8_e4m3fn and sfa [G, M, ceil(H/128)] float32; counts [G] int32: rows used of each group. G is E, or a multiple
        of it: group g has expert g % E, such as the rows of R senders, [R, E, M, H]. -> [G, M, H] bfloat16, unweighted; unused
        rows are not initialised."""
        options = dict(expected_m=expected_m, num_sms=self.num_sms)
        inner, scales = self._inner(self.products.masked, a, sfa, counts, options)
        return self.products.masked(inner, scales, self.w2, self.w2_scales, counts, **options)

    def _inner(self, product, a, sfa, groups, options):
        """What the second product takes, of `product`, a method of self.products."""
        if self.gated:
            return product(a, sfa, self.w13, self.w13_scales, groups, **options, **_SWIGLU, quantized=True)
        return self.activate(product(a, sfa, self.w13, self.w13_scales, groups, **options))

    def _load_from_state_dict(self, state, prefix, local_metadata, strict, missing, unexpected, errors):
        try:
            self._stack(state, prefix)
        except _checkpoint.UnreadableError as error:
            errors.append(str(error))
            return
        super()._load_from_state_dict(state, prefix, local_metadata, strict, missing, unexpected, errors)

    def _stack(self, state, prefix):
        """The experts of a checkpoint, if the state dict has any, become w13 and w2."""
        number = re.compile(re.escape(prefix) + r"(\d+)\.(gate|up|down)_proj\.")
        own = range(self.first, self.first + self.experts)
        if not any(match and int(match[1]) in own for match in map(number.match, state)):
            return
        if self.width % ft.BLOCK:
            raise _checkpoint.UnreadableError(f"expected I that is a multiple of {ft.BLOCK} for experts of a checkpoint, got {self.width}")
        read = functools.partial(_read, state, prefix)
        for name, sides in (("w13", ("gate", "up")), ("w2", ("down",))):
            of_experts = [[read(expert, side) for side in sides] for expert in own]
            for suffix, part in (("", 0), ("_scales", 1)):
                state[f"{prefix}{name}{suffix}"] = torch.stack([_joined([side[part] for side in expert]) for expert in of_experts])
        for key in [key for key in state if (match := number.match(key)) and int(match[1]) < self.total]:
            del state[key]


def _read(state, prefix, expert, side):
    name = f"{prefix}{expert}.{side}_proj."
    found = _checkpoint.read(state, name)
    if found is None:
        raise _checkpoint.UnreadableError(f"expected '{name}weight', got none")
    return _checkpoint.quantized(*found)


def _joined(parts):
    """One below the other."""
    return torch.cat([part.view(torch.uint8) for part in parts]).view(parts[0].dtype) if len(parts) > 1 else parts[0]


def contiguous_problems(experts: int, hidden: int, width: int, *, align: int = 1, max_m: int = 8192, gated: bool = False) -> list[dict]:
    """The entries of a pack's list for `Experts.contiguous`; max_m: rows of one expert."""
    max_m = count("max_m", max_m, least=1)
    sides = {"k_major": (2 * width, hidden), "mn_major": (hidden, width)}  # how sfa of each product is stored
    first, second = ({"op": "grouped_gemm", "groups": experts, "grouping": "row_end", "align": align, "n": n, "k": k, "sfa": sfa, "max_m": max_m}
                     for sfa, (n, k) in sides.items())
    return [first | (_QUANTIZED_SWIGLU if gated else {}), second]


def masked_problems(experts: int, hidden: int, width: int, *, senders: int = 1, sfa: str = "mn_major", max_m: int = 8192,
                    gated: bool = False) -> list[dict]:
    """The entries of a pack's list for `Experts.masked` with a group of each of `senders` at each expert, whose scales of the first
    product's rows are stored as `sfa` says; max_m: rows of one group."""
    max_m = count("max_m", max_m, least=1)
    groups = {"groups": experts} | ({"groups": senders * experts, "weights": experts} if senders > 1 else {})
    first, second = ({"op": "grouped_gemm", "grouping": "row_count", **groups, "n": n, "k": k, "sfa": layout, "max_m": max_m}
                     for n, k, layout in ((2 * width, hidden, sfa), (hidden, width, "mn_major")))
    return [first | (_QUANTIZED_SWIGLU if gated else {}), second]


def expert_problems(experts: int, hidden: int, width: int, *, ranks: int = 1, align: int = 1, max_m: int = 8192,
                    gated: bool = False) -> list[dict]:
    """The entries of a pack's list for all products of that many experts on one of `ranks` GPUs; max_m: rows of one expert."""
    masked = functools.partial(masked_problems, experts, hidden, width, max_m=max_m, gated=gated)
    problems = contiguous_problems(experts, hidden, width, align=align, max_m=max_m, gated=gated)
    problems += masked() + masked(senders=ranks, sfa="k_major")
    return [problem for i, problem in enumerate(problems) if problem not in problems[:i]]


def quantize_experts(weights: Tensor) -> tuple[Tensor, Tensor]:
    """[E, N, K] floating -> values [E, N, K] float8_e4m3fn and scales [E, ceil(N/128), ceil(K/128)], one expert at a time."""
    values, scales = zip(*(ft.quantize_per_block(weight) for weight in weights))
    return torch.stack(values), torch.stack(scales)


def _blocks(size):
    return -(-size // ft.BLOCK)
