# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch: custom operators over the default pack, and quantisation.

Importing this registers `torch.ops.fp8gemm.*`, which torch.compile, torch.export and CUDA graphs know how to handle.
They launch kernels of the pack of `fp8gemm.set_pack`; arguments are those of the functions of that name in `fp8gemm`:

    gemm(a, sfa, b, sfb, c=None, bias=None, dtype=None)         -> d
    gemm_out(a, sfa, b, sfb, d, c=None)                            writes d
    gemm_add_(a, sfa, b, sfb, d)                                   d += a @ b.T
    grouped_gemm_contiguous(a, sfa, b, sfb, groups, c=None, ...)    -> d, and _out(..., d, c=None), _add_(..., d)
    grouped_gemm_masked(a, sfa, b, sfb, counts, c=None, ...)    -> d, and _out(..., d, c=None), _add_(..., d)
    grouped_gemm_k_add_(a, sfa, b, sfb, lengths, d)                d[g] += ...
    gemm_quantized(a, sfa, b, sfb, layout="mn_major", ...)      -> d, sfd: d is float8_e4m3fn, the a and sfa of a next product;
                                                                   grouped_gemm_contiguous_quantized and _masked_quantized likewise
    quantize(x, layout="mn_major", power_of_two=False, gated=False, activation="none", dtype=None, block_rows=1)
                                                                -> a, sfa, with block_rows=128 b, sfb; and quantize_out(x, q, scales, ...)

dtype is that of d: torch.bfloat16 (the default) or torch.float32; of quantize it is that of a: torch.float8_e4m3fn (the default) or
torch.float8_e5m2. All take num_sms=0 and dependent=False, and all but quantize batch_invariant=False. Padding rows of d, which belong to no group, are not initialised.

Inputs may have any strides and offsets: operands that the kernels cannot read as they are stored are copied.
d is written in place, and rejected if that is impossible. Traced without data, the operators reject the same shapes, types
and devices as with data.
"""

import importlib

import torch
from torch import Tensor

from fp8gemm import _fake, _layouts, _native

BLOCK = 128  # elements that share a scale
_FP8 = torch.float8_e4m3fn, torch.float8_e5m2

#
# Quantisation
#


def quantize_per_token(x: Tensor, *, layout: str = "mn_major", power_of_two: bool = False,
                       dtype: torch.dtype = torch.float8_e4m3fn) -> tuple[Tensor, Tensor]:
    """One scale for 128 elements of each row.

    x: [..., M, K], floating. Returns the values, [..., M, K] of `dtype`, and their scales, [..., M, ceil(K/128)] float32,
    stored in `layout` ("mn_major", "k_major"), so that x is approximately values * scale: scale = amax / 448 of its block in
    float32 (57344 for e5m2), or with `power_of_two` rounded up to a power of two. No scale is below the smallest
    normal number; a block with a NaN becomes all NaN.
    """
    _expect_floating("x", x)
    *batch, rows, columns = x.shape
    blocks = -(-columns // BLOCK)
    padded = torch.nn.functional.pad(x.float(), (0, blocks * BLOCK - columns)).view(*batch, rows, blocks, BLOCK)
    scales = _scales_of(padded.abs().amax(-1), power_of_two, dtype)
    values = (padded / scales.unsqueeze(-1)).to(dtype).view(*batch, rows, blocks * BLOCK)
    return values[..., :columns].contiguous(), _stored(scales, layout)


def quantize_per_block(x: Tensor, *, layout: str = "k_major", power_of_two: bool = False,
                       dtype: torch.dtype = torch.float8_e4m3fn) -> tuple[Tensor, Tensor]:
    """One scale for 128 x 128 elements: the same with scales of [..., ceil(M/128), ceil(K/128)]."""
    _expect_floating("x", x)
    *batch, rows, columns = x.shape
    down, across = -(-rows // BLOCK), -(-columns // BLOCK)
    padded = torch.nn.functional.pad(x.float(), (0, across * BLOCK - columns, 0, down * BLOCK - rows))
    blocks = padded.view(*batch, down, BLOCK, across, BLOCK)
    scales = _scales_of(blocks.abs().amax((-3, -1)), power_of_two, dtype)
    values = (blocks / scales[..., :, None, :, None]).to(dtype).view(padded.shape)
    return values[..., :rows, :columns].contiguous(), _stored(scales, layout)


def dequantize(values: Tensor, scales: Tensor) -> Tensor:
    """values * scale, in float32, with the scales of either function."""
    _expect_floating("values", values)
    _expect_floating("scales", scales)
    *batch, m, k = values.shape
    of_rows, of_blocks = (*batch, m, -(-k // BLOCK)), (*batch, -(-m // BLOCK), -(-k // BLOCK))
    if tuple(scales.shape) not in (of_rows, of_blocks):
        raise ValueError(f"expected 'scales' of shape {of_rows} or {of_blocks}, got {tuple(scales.shape)}")
    rows = scales
    if scales.shape[-2] != m:
        rows = scales.repeat_interleave(BLOCK, -2)[..., :m, :]
    return values.float() * rows.repeat_interleave(BLOCK, -1)[..., :values.shape[-1]]


def mn_major(scales: Tensor) -> Tensor:
    """The same scales, [..., rows, blocks], with stride 1 along their rows, and with an address and other strides that are
    multiples of 16 bytes: a copy, unless they already are stored so."""
    _expect_floating("scales", scales)
    return _layouts.mn_major(scales)


def _expect_floating(name, x):
    if not isinstance(x, Tensor):
        raise TypeError(f"expected '{name}' to be a torch.Tensor, got {type(x).__qualname__}")
    if not x.is_floating_point():
        raise TypeError(f"expected '{name}' of a floating type, got {x.dtype}")
    if x.dim() < 2:
        raise ValueError(f"expected '{name}' of at least 2 dimensions, got shape {tuple(x.shape)}")


def _stored(scales, layout):
    if layout not in ("mn_major", "k_major"):
        raise ValueError(f'expected \'layout\' to be "mn_major" or "k_major", got {layout!r}')
    return _layouts.new_mn_major(scales) if layout == "mn_major" else scales.contiguous()


def _scales_of(amax, power_of_two, dtype):
    if dtype not in _FP8:
        raise TypeError(f"expected 'dtype' to be float8_e4m3fn or float8_e5m2, got {dtype}")
    if not isinstance(power_of_two, bool):
        raise TypeError(f"expected 'power_of_two' to be True or False, got {power_of_two!r}")
    # By a number on the device: a GPU would multiply by the inverse of one on the host, which is rounded.
    largest = torch.full((), torch.finfo(dtype).max, dtype=torch.float32, device=amax.device)
    scales = (amax / largest).clamp(min=torch.finfo(torch.float32).tiny)
    if not power_of_two:
        return scales
    # A normal number whose fraction isn't 0 becomes the next power of two: its exponent and one more.
    bits = scales.view(torch.int32)
    rounded = ((bits + 0x7FFFFF) & ~0x7FFFFF).view(torch.float32)
    return torch.where(scales.isfinite(), rounded, scales)


#
# Operators
#

_library = torch.library.Library("fp8gemm", "DEF")
_WORDS = {torch.bfloat16: "bf16", torch.float32: "f32"}
_SCHEMA_TYPES = {"int": "int", "bool": "bool", "str": "str", "A | None": "Tensor?", 'Literal["index", "end"]': "str"}


def _schema(function, *names):
    """Parameters of a function of the extension, with their defaults, as schemas have them."""
    table = {name: (_SCHEMA_TYPES[kind], usual) for name, kind, usual, *_ in _native._parameters()[function][1] if name in names}
    return ", ".join(f"{kind} {name}={usual}".replace("'", '"') for name, (kind, usual) in ((name, table[name]) for name in names))


_VECTORS = "bias", "row_scale"
_EPILOGUE = _schema("gemm", "gated", "activation", *_VECTORS)
_OPTIONS = _schema("gemm", "num_sms", "dependent", "batch_invariant")
# A compiled graph keeps the strides of scales, so that they need no copy.
_TAGS = (torch.Tag.pt2_compliant_tag, getattr(torch.Tag, "needs_exact_strides", torch.Tag.needs_fixed_stride_order))


def _launch(name, grouping, operands, *others, written=None, **options):
    """Calls a function of the extension. A call that it rejects before any launch is tried once more, with copies of the
    operands that the kernels cannot read as they are stored."""
    function = getattr(_native, name)
    for vector in _VECTORS:
        if options.get(vector) is not None:
            options[vector] = _readable_vector(options[vector])
    try:
        return function(*operands, *others, **options)
    except (ValueError, _native.NotInPackError):
        readable = _readable(grouping, operands, options.get("batch_invariant", False))
        readable += [x if x is None or x is written else _readable_other(x) for x in others]
        if all(x is y for x, y in zip(readable, (*operands, *others))):
            raise
    return function(*readable, **options)


def _readable(grouping, operands, batch_invariant):
    a, sfa, b, sfb = operands
    pack = _native.get_pack()
    least = 1 if grouping == "k_count" else 2  # flat
    if pack is None or min(sfa.dim(), sfb.dim()) < 2 or min(a.dim(), b.dim()) < least or {sfa.dtype, sfb.dtype} != {torch.float32}:
        return list(operands)  # refused for something else
    n, k = b.shape[-2:] if grouping != "k_count" else (sfb.shape[-2], None)
    by_row = sfb.shape[-2] == n
    taken = pack._scale_layouts(batch_invariant).get((grouping, n, k, "1d1d" if by_row else "1d2d"))
    if taken:
        sfa, sfb = _layouts.choose(taken, sfa, sfb, by_row)
    return [_layouts.readable_matrix(a), sfa, _layouts.readable_matrix(b), sfb]


def _readable_vector(x):
    x = x.contiguous()
    return _layouts.readable_matrix(x) if x.dim() == 1 else x


def _readable_other(x):
    return x.contiguous() if x.dtype == torch.int32 else _layouts.readable_matrix(x)


def _define(name, arguments, result, on_cuda, fake):
    """An operator. Operands come first."""
    _library.define(f"{name}(Tensor a, Tensor sfa, Tensor b, Tensor sfb, {arguments}, {_OPTIONS}) -> {result}", tags=_TAGS)
    _library.impl(name, on_cuda, "CUDA")
    torch.library.register_fake(f"fp8gemm::{name}", fake, lib=_library)


def _gemm(a, sfa, b, sfb, c=None, *, dtype=None, **options):
    return _launch("gemm", "none", (a, sfa, b, sfb), None, c, d_type=_WORDS[_fake.result_type(dtype)], **options)


def _gemm_out(a, sfa, b, sfb, d, c=None, **options):
    _launch("gemm", "none", (a, sfa, b, sfb), d, c, written=d, **options)


def _gemm_add(a, sfa, b, sfb, d, **options):
    _launch("gemm", "none", (a, sfa, b, sfb), d, d, written=d, **options)


def _contiguous(a, sfa, b, sfb, groups, c=None, *, by="index", dtype=None, **options):
    return _launch("grouped_gemm_contiguous", f"row_{by}", (a, sfa, b, sfb), groups, None, c, by=by,
                   d_type=_WORDS[_fake.result_type(dtype)], **options)


def _contiguous_out(a, sfa, b, sfb, groups, d, c=None, *, by="index", **options):
    _launch("grouped_gemm_contiguous", f"row_{by}", (a, sfa, b, sfb), groups, d, c, written=d, by=by, **options)


def _contiguous_add(a, sfa, b, sfb, groups, d, **options):
    _contiguous_out(a, sfa, b, sfb, groups, d, d, **options)


def _masked(a, sfa, b, sfb, counts, c=None, *, dtype=None, **options):
    return _launch("grouped_gemm_masked", _of_counts(counts), (a, sfa, b, sfb), counts, None, c,
                   d_type=_WORDS[_fake.result_type(dtype)], **options)


def _masked_out(a, sfa, b, sfb, counts, d, c=None, **options):
    _launch("grouped_gemm_masked", _of_counts(counts), (a, sfa, b, sfb), counts, d, c, written=d, **options)


def _masked_add(a, sfa, b, sfb, counts, d, **options):
    _masked_out(a, sfa, b, sfb, counts, d, d, **options)


def _gemm_quantized(a, sfa, b, sfb, *, layout="mn_major", **options):
    d, sfd = _fake.gemm_quantized(a, sfa, b, sfb, layout=layout, **options)
    _launch("gemm", "none", (a, sfa, b, sfb), d, None, written=d, sfd=sfd, **options)
    return d, sfd


def _contiguous_quantized(a, sfa, b, sfb, groups, *, by="index", layout="mn_major", **options):
    d, sfd = _fake.contiguous_quantized(a, sfa, b, sfb, groups, by=by, layout=layout, **options)
    _contiguous_out(a, sfa, b, sfb, groups, d, by=by, sfd=sfd, **options)
    return d, sfd


def _masked_quantized(a, sfa, b, sfb, counts, *, layout="mn_major", **options):
    d, sfd = _fake.masked_quantized(a, sfa, b, sfb, counts, layout=layout, **options)
    _masked_out(a, sfa, b, sfb, counts, d, sfd=sfd, **options)
    return d, sfd


def _of_counts(counts):
    return "batched" if counts is None else "row_count"


def _k_add(a, sfa, b, sfb, lengths, d, **options):
    _launch("grouped_gemm_k", "k_count", (a, sfa, b, sfb), lengths, d, d, written=d, **options)


def _quantize(x, *, layout="mn_major", dtype=None, block_rows=1, **options):
    q, scales = _fake.quantize(x, layout=layout, dtype=dtype, block_rows=block_rows, **options)
    _quantize_out(x, q, scales, **options)
    return q, scales


def _quantize_out(x, q, scales, **options):
    try:
        _native.quantize(x, q, scales, **options)
    except (ValueError, _native.NotInPackError):
        readable = _layouts.readable_matrix(x) if x.dim() == 2 else x
        if readable is x:
            raise
        _native.quantize(readable, q, scales, **options)


def _define_quantize(name, arguments, result, on_cuda, fake):
    options = _schema("quantize", "power_of_two", "gated", "activation", "num_sms", "dependent")
    _library.define(f"{name}(Tensor x, {arguments}, {options}) -> {result}", tags=_TAGS)
    _library.impl(name, on_cuda, "CUDA")
    torch.library.register_fake(f"fp8gemm::{name}", fake, lib=_library)


_BY = _schema("grouped_gemm_contiguous", "by", "align", "expected_m")
_define("gemm", f"Tensor? c=None, *, {_EPILOGUE}, ScalarType? dtype=None", "Tensor", _gemm, _fake.gemm)
_define("gemm_out", f"Tensor(d!) d, Tensor? c=None, *, {_EPILOGUE}", "()", _gemm_out, _fake.gemm_out)
_define("gemm_add_", "Tensor(d!) d, *", "()", _gemm_add, _fake.gemm_out)
_define("grouped_gemm_contiguous", f"Tensor groups, Tensor? c=None, *, {_BY}, {_EPILOGUE}, ScalarType? dtype=None", "Tensor",
        _contiguous, _fake.contiguous)
_define("grouped_gemm_contiguous_out", f"Tensor groups, Tensor(d!) d, Tensor? c=None, *, {_BY}, {_EPILOGUE}", "()",
        _contiguous_out, _fake.contiguous_out)
_define("grouped_gemm_contiguous_add_", f"Tensor groups, Tensor(d!) d, *, {_BY}", "()", _contiguous_add, _fake.contiguous_out)
_define("grouped_gemm_masked", f"Tensor? counts, Tensor? c=None, *, int expected_m=0, {_EPILOGUE}, ScalarType? dtype=None", "Tensor",
        _masked, _fake.masked)
_define("grouped_gemm_masked_out", f"Tensor? counts, Tensor(d!) d, Tensor? c=None, *, int expected_m=0, {_EPILOGUE}", "()",
        _masked_out, _fake.masked_out)
_define("grouped_gemm_masked_add_", "Tensor? counts, Tensor(d!) d, *, int expected_m=0", "()", _masked_add, _fake.masked_out)
_define("grouped_gemm_k_add_", "Tensor lengths, Tensor(d!) d, *", "()", _k_add, _fake.k_out)
_QUANTIZED = f'{_EPILOGUE}, str layout="mn_major", {_schema("gemm", "power_of_two")}'
_define("gemm_quantized", f"*, {_QUANTIZED}", "(Tensor, Tensor)", _gemm_quantized, _fake.gemm_quantized)
_define("grouped_gemm_contiguous_quantized", f"Tensor groups, *, {_BY}, {_QUANTIZED}", "(Tensor, Tensor)", _contiguous_quantized,
        _fake.contiguous_quantized)
_define("grouped_gemm_masked_quantized", f"Tensor? counts, *, int expected_m=0, {_QUANTIZED}", "(Tensor, Tensor)", _masked_quantized,
        _fake.masked_quantized)
_define_quantize("quantize", '*, str layout="mn_major", ScalarType? dtype=None, int block_rows=1', "(Tensor, Tensor)", _quantize, _fake.quantize)
_define_quantize("quantize_out", "Tensor(q!) q, Tensor(scales!) scales, *", "()", _quantize_out, _fake.quantize_out)


# Layers, by the packages that they are in, which import this module.
_LAYERS = {"ExpertParallelMoE": "expert_parallel", **dict.fromkeys(("Experts", "Linear", "MoEMLP", "problems", "swap_linears"), "layers")}


def __getattr__(name):
    if name in _LAYERS:
        return getattr(importlib.import_module(f"fp8gemm.{_LAYERS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_LAYERS])
