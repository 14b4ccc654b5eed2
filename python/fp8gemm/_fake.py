# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The fake kernels of fp8gemm.torch's operators: the errors and results of these for tensors without data.

They check the ranks and shapes of the extension's table of parameters (src/Parameters.h), in its order and words; sizes may be symbolic.
Not checked: properties that do not exist in a trace (addresses, the pack), and strides of inputs, which may be any.
"""

from typing import NamedTuple

import torch

from fp8gemm import _native

_BLOCK = 128  # elements that share a scale
_LARGEST_COUNT = 2**31 - 1
_FP8 = torch.float8_e4m3fn, torch.float8_e5m2, torch.uint8
_RESULTS = torch.bfloat16, torch.float32
_ALIGNMENT = 16  # bytes
_VECTORS = {"bias": (_RESULTS, "bfloat16 or float32"), "row_scale": ((torch.float32,), "float32")}
_ACTIVATIONS = "none", "relu", "silu", "gelu", "gelu_tanh"
# Of each function and array its rank (0: any) and its shape, "[M, K]", which is None where the function looks at it by itself.
_SHAPES = {function: {name: (rank, shape) for name, _, _, rank, shape in parameters}
           for function, (_, parameters) in _native._parameters().items()}

#
# Rules
#


def _expect(condition, message):
    """Raises a ValueError, or, if a size is not known yet, has the graph raise it when it runs."""
    torch._check_value(condition, message)


def _expect_type(name, tensor, types, words):
    if tensor.dtype not in types:
        raise TypeError(f"expected '{name}' of {words}, got {str(tensor.dtype).removeprefix('torch.')}")


def _expect_f32(name, tensor):
    _expect_type(name, tensor, (torch.float32,), "float32")


def _read(place, name, tensor, rank):
    """Checks the device against that of the first tensor, and the rank (0: any). `place` is that tensor, and its name."""
    first, first_name = place
    if first.device.type == "cuda" and tensor.device.type != "cuda":
        raise ValueError(f"expected '{name}' on a CUDA device, got {tensor.device}")
    if tensor.device != first.device:
        raise ValueError(f"expected '{name}' on the device of '{first_name}', {first.device}, got {tensor.device}")
    if not 1 <= tensor.dim() <= 3:
        raise ValueError(f"expected '{name}' of 1 to 3 dimensions, got {tensor.dim()}")
    if rank and tensor.dim() != rank:
        raise ValueError(f"expected '{name}' of {rank} dimensions, got shape {tuple(tensor.shape)}")


def _read_inputs(function, a, sfa, b, sfb):
    place = a, "a"
    for name, tensor in (("a", a), ("sfa", sfa), ("b", b), ("sfb", sfb)):
        _read(place, name, tensor, _SHAPES[function][name][0])
    for name, tensor in (("a", a), ("b", b)):
        _expect_type(name, tensor, _FP8, "float8_e4m3fn, float8_e5m2, or uint8 (the bits of e4m3)")
    return place


def _expect_shape(name, tensor, wanted, rule):
    message = lambda: f"expected '{name}' of shape {rule} = {tuple(wanted)}, got {tuple(tensor.shape)}"
    _expect(tensor.dim() == len(wanted), message)
    for extent, of_rule in zip(tensor.shape, wanted):
        _expect(extent == of_rule, message)


def _shape(function, name, extents, gated=False):
    """The shape of a parameter, and how it is written; d has half of the columns where it is gated."""
    text = _SHAPES[function][name][1]
    known = dict(extents) | {"ceil(K/128)": _ceil_div(extents["K"])}
    if gated:
        text = text.replace("N", "N/2")
        known["N/2"] = extents["N"] // 2
    return tuple(known[extent] for extent in text.strip("[]").split(", ")), text


def _expect_shape_of(function, extents, **tensors):
    for name, tensor in tensors.items():
        _expect_shape(name, tensor, *_shape(function, name, extents))


def _expect_scales_of_b(b, sfb, blocks):
    groups, n = "[matrices of b] + " if b.dim() == 3 else "", b.shape[-2]
    message = lambda: (f"expected 'sfb' of shape {groups}[{_ceil_div(n)}, {blocks}] (128x128) or {groups}[{n}, "
                       f"{blocks}] (1x128), got {tuple(sfb.shape)}")
    rows = sfb.shape[-2]
    _expect((rows == _ceil_div(n)) | (rows == n), message)
    _expect(sfb.shape[-1] == blocks, message)
    if b.dim() == 3:
        _expect(sfb.shape[0] == b.shape[0], message)
    _expect_f32("sfb", sfb)


def _expect_groups(place, name, tensor, entries, rule):
    _read(place, name, tensor, 1)
    _expect_type(name, tensor, (torch.int32,), "int32")
    _expect_shape(name, tensor, (entries,), rule)


def _expect_matrices(groups, b):
    """One of each group, or fewer that groups share."""
    weights = b.shape[0]
    _expect((weights == groups) | ((weights >= 1) & (groups % torch.sym_max(weights, 1) == 0)), lambda: "expected 'b' to have a matrix for each of "
            f"{groups} groups, or a number of matrices that divides them, got {weights}")


def _expect_count(name, value, least=0):
    if not least <= value <= _LARGEST_COUNT:
        raise ValueError(f"expected '{name}' in [{least}, {_LARGEST_COUNT}], got {value}")


def _expect_layout(layout):
    if layout not in ("mn_major", "k_major"):
        raise ValueError(f'expected \'layout\' to be "mn_major" or "k_major", got {layout!r}')


def _new_quantized(like, shape, layout, dtype=torch.float8_e4m3fn, block_rows=1):
    """Values of a shape [..., rows, columns], and their scales [..., rows or blocks of 128, blocks] as they are stored in that layout."""
    _expect_layout(layout)
    *outer, rows, columns = shape
    blocks = _ceil_div(columns)
    values = like.new_empty(shape, dtype=dtype)
    rows = rows if block_rows == 1 else _ceil_div(rows)
    if layout == "k_major":
        return values, like.new_empty((*outer, rows, blocks), dtype=torch.float32)
    aligned = (rows + 3) // 4 * 4  # 16 bytes
    return values, like.new_empty((*outer, blocks, aligned), dtype=torch.float32)[..., :rows].transpose(-1, -2)


def _expect_blocks(shape, rule):
    """A quantised d consists of whole blocks."""
    _expect(shape[-1] % _BLOCK == 0, lambda: f"expected a multiple of {_BLOCK} for the columns of a quantised d {rule}, got {shape[-1]}")


def _expect_activation(activation):
    if activation not in _ACTIVATIONS:
        words = ", ".join(f'"{word}"' for word in _ACTIVATIONS)
        raise ValueError(f"expected 'activation' to be one of {words}, got {activation!r}")


def result_type(dtype):
    """The type of d; bfloat16 by default."""
    if dtype is not None and dtype not in _RESULTS:
        raise TypeError(f"expected 'dtype' to be bfloat16 or float32, got {dtype}")
    return dtype or torch.bfloat16


def _expect_result(place, name, tensor, shape, rule):
    _read(place, name, tensor, len(shape))
    _expect_shape(name, tensor, shape, rule)
    _expect_type(name, tensor, _RESULTS, "bfloat16 or float32")


def _expect_written(place, d, shape, rule):
    """d, as it is stored, too."""
    _expect_result(place, "d", d, shape, rule)
    *outer, step = d.stride()
    _expect(step == 1, lambda: f"expected 'd' row-major (stride 1 in the last dimension), got shape {tuple(d.shape)} and "
            f"strides {d.stride()}")
    elements = _ALIGNMENT // d.element_size()
    for extent, step in zip(d.shape, outer):
        if isinstance(extent, int) and extent <= 1:
            continue  # a stride that means nothing
        _expect(step % elements == 0, lambda: f"expected strides of 'd' to be multiples of {_ALIGNMENT} bytes ({elements} "
                f"elements), got {d.stride()}")


def _expect_added(place, c, dtype, shape, rule):
    if c is None:
        return
    _expect_result(place, "c", c, shape, rule)
    if c.dtype != dtype:
        raise TypeError(f"expected 'c' of the type of 'd', {str(dtype).removeprefix('torch.')}, got "
                        f"{str(c.dtype).removeprefix('torch.')}")


def _expect_vectors(call, vectors):
    for name, (types, words) in _VECTORS.items():
        vector = vectors.get(name)
        if vector is None:
            continue
        shape, rule = call.shape_of(name)
        _read(call.place, name, vector, len(shape))
        _expect_shape(name, vector, shape, rule)
        _expect_type(name, vector, types, words)


def _ceil_div(value):
    return (value + _BLOCK - 1) // _BLOCK


#
# Products
#


class _Call(NamedTuple):
    """A product whose inputs are right."""

    function: str
    place: tuple  # of the first tensor
    extents: dict
    gated: bool

    def shape_of(self, name):
        """And how it is written."""
        return _shape(self.function, name, self.extents, self.gated)

    def result(self, like, dtype, c, vectors):
        _expect_added(self.place, c, dtype, *self.shape_of("d"))
        _expect_vectors(self, vectors)
        return like.new_empty(self.shape_of("d")[0], dtype=dtype)

    def quantized(self, like, layout, vectors):
        shape, rule = self.shape_of("d")
        _expect_blocks(shape, rule)
        _expect_vectors(self, vectors)
        return _new_quantized(like, shape, layout)

    def written(self, d, c, vectors):
        _expect_written(self.place, d, *self.shape_of("d"))
        _expect_added(self.place, c, d.dtype, *self.shape_of("d"))
        _expect_vectors(self, vectors)


def _expect_gemm(a, sfa, b, sfb, *, num_sms=0, gated=False, activation="none", **_):
    _expect_count("num_sms", num_sms)
    _expect_activation(activation)
    place = _read_inputs("gemm", a, sfa, b, sfb)
    extents = dict(zip("MK", a.shape), N=b.shape[0])
    _expect_shape_of("gemm", extents, b=b, sfa=sfa)
    _expect_scales_of_b(b, sfb, _ceil_div(extents["K"]))
    _expect_f32("sfa", sfa)
    return _Call("gemm", place, extents, gated)


def gemm(a, sfa, b, sfb, c=None, *, dtype=None, **options):
    dtype = result_type(dtype)
    return _expect_gemm(a, sfa, b, sfb, **options).result(a, dtype, c, options)


def gemm_quantized(a, sfa, b, sfb, *, layout="mn_major", **options):
    return _expect_gemm(a, sfa, b, sfb, **options).quantized(a, layout, options)


def gemm_out(a, sfa, b, sfb, d, c=None, **options):
    _expect_gemm(a, sfa, b, sfb, **options).written(d, c, options)


def _expect_contiguous(a, sfa, b, sfb, groups, *, by="index", align=_BLOCK, expected_m=0, num_sms=0, gated=False, activation="none", **_):
    _expect_count("num_sms", num_sms)
    _expect_activation(activation)
    if by not in ("index", "end"):
        raise ValueError("expected 'by' to be \"index\" (the group of each row) or \"end\" (of each group's rows), got "
                         f"{by!r}")
    _expect_count("align", align, 1)
    _expect_count("expected_m", expected_m)
    function = "grouped_gemm_contiguous"
    place = _read_inputs(function, a, sfa, b, sfb)
    is_end = by == "end"
    _read(place, "groups", groups, 1)
    extents = dict(zip("MK", a.shape), G=groups.shape[0] if is_end else b.shape[0], W=b.shape[0], N=b.shape[1])
    _expect_groups(place, "groups", groups, extents["G" if is_end else "M"], "[G]" if is_end else "[M]")
    _expect_matrices(extents["G"], b)
    _expect_shape_of(function, extents, b=b, sfa=sfa)
    _expect_scales_of_b(b, sfb, _ceil_div(extents["K"]))
    _expect_f32("sfa", sfa)
    return _Call(function, place, extents, gated)


def contiguous(a, sfa, b, sfb, groups, c=None, *, dtype=None, **options):
    dtype = result_type(dtype)
    return _expect_contiguous(a, sfa, b, sfb, groups, **options).result(a, dtype, c, options)


def contiguous_quantized(a, sfa, b, sfb, groups, *, layout="mn_major", **options):
    return _expect_contiguous(a, sfa, b, sfb, groups, **options).quantized(a, layout, options)


def contiguous_out(a, sfa, b, sfb, groups, d, c=None, **options):
    _expect_contiguous(a, sfa, b, sfb, groups, **options).written(d, c, options)


def _expect_masked(a, sfa, b, sfb, counts, *, expected_m=0, num_sms=0, gated=False, activation="none", **_):
    _expect_count("num_sms", num_sms)
    _expect_activation(activation)
    _expect_count("expected_m", expected_m)
    function = "grouped_gemm_masked"
    place = _read_inputs(function, a, sfa, b, sfb)
    extents = dict(zip("GMK", a.shape), W=b.shape[0], N=b.shape[1])
    _expect_matrices(extents["G"], b)
    _expect_shape_of(function, extents, b=b, sfa=sfa)
    _expect_scales_of_b(b, sfb, _ceil_div(extents["K"]))
    _expect_f32("sfa", sfa)
    if counts is not None:
        _expect_groups(place, "counts", counts, extents["G"], "[G]")
    return _Call(function, place, extents, gated)


def masked(a, sfa, b, sfb, counts, c=None, *, dtype=None, **options):
    dtype = result_type(dtype)
    return _expect_masked(a, sfa, b, sfb, counts, **options).result(a, dtype, c, options)


def masked_quantized(a, sfa, b, sfb, counts, *, layout="mn_major", **options):
    return _expect_masked(a, sfa, b, sfb, counts, **options).quantized(a, layout, options)


def masked_out(a, sfa, b, sfb, counts, d, c=None, **options):
    _expect_masked(a, sfa, b, sfb, counts, **options).written(d, c, options)


def k_out(a, sfa, b, sfb, lengths, d, *, num_sms=0, **_):
    _expect_count("num_sms", num_sms)
    place = _read_inputs("grouped_gemm_k", a, sfa, b, sfb)
    m, n = sfa.shape[0], sfb.shape[0]
    if a.dim() > 2:
        raise ValueError(f"expected 'a' of shape [M, K], or flat, got {tuple(a.shape)}")
    if a.dim() == 2:
        k = a.shape[1]
        _expect_shape("a", a, (m, k), "[rows of sfa, K]")
        _expect_shape("b", b, (n, k), "[rows of sfb, K of a]")
    else:
        k = a.shape[0] // m if m != 0 else 0
        _expect_shape("a", a, (m * k,), "[rows of sfa * K]")
        _expect_shape("b", b, (n * k,), "[rows of sfb * K of a]")
    _read(place, "lengths", lengths, 1)
    for name, scales in (("sfa", sfa), ("sfb", sfb)):
        _expect(scales.shape[1] >= _ceil_div(k), lambda: f"expected '{name}' of at least ceil(K/128) = {_ceil_div(k)} "
                f"columns, got shape {tuple(scales.shape)}")
    _expect_groups(place, "lengths", lengths, lengths.shape[0], "[G]")
    _expect_f32("sfa", sfa)
    _expect_f32("sfb", sfb)
    _expect_written(place, d, *_shape("grouped_gemm_k", "d", dict(G=lengths.shape[0], M=m, N=n, K=k)))


#
# Quantisation
#


def _expect_x(x, num_sms, gated, activation):
    """The shape of what is quantised."""
    _expect_activation(activation)
    _expect_count("num_sms", num_sms)
    _read((x, "x"), "x", x, 2)
    _expect_type("x", x, (torch.bfloat16, torch.float16, torch.float32), "bfloat16, float16 or float32")
    rows, columns = x.shape
    if not gated:
        return rows, columns
    _expect(columns % 2 == 0, lambda: f"expected 'x' of shape [M, 2 * K] with gated, got {tuple(x.shape)}")
    return rows, columns // 2


def quantize(x, *, layout="mn_major", dtype=None, block_rows=1, num_sms=0, gated=False, activation="none", **_):
    shape = _expect_x(x, num_sms, gated, activation)
    _expect_layout(layout)
    if dtype not in (None, torch.float8_e4m3fn, torch.float8_e5m2):
        raise TypeError(f"expected 'dtype' to be float8_e4m3fn or float8_e5m2, got {dtype}")
    if block_rows not in (1, _BLOCK):
        raise ValueError(f"expected 'block_rows' to be 1 or {_BLOCK}, got {block_rows}")
    return _new_quantized(x, shape, layout, dtype or torch.float8_e4m3fn, block_rows)


def quantize_out(x, q, scales, *, num_sms=0, gated=False, activation="none", **_):
    extents = dict(zip("MK", _expect_x(x, num_sms, gated, activation)))
    for name, tensor in (("q", q), ("scales", scales)):
        _read((x, "x"), name, tensor, 2)
    _expect_type("q", q, _FP8, "float8_e4m3fn, float8_e5m2, or uint8 (the bits of e4m3)")
    _expect_shape_of("quantize", extents, q=q)
    m, blocks = extents["M"], _ceil_div(extents["K"])
    message = lambda: (f"expected 'scales' of shape [M, ceil(K/128)] = ({m}, {blocks}) or [ceil(M/128), ceil(K/128)] = "
                       f"({_ceil_div(m)}, {blocks}), got {tuple(scales.shape)}")
    _expect((scales.shape[0] == m) | (scales.shape[0] == _ceil_div(m)), message)
    _expect(scales.shape[1] == blocks, message)
    _expect_f32("scales", scales)
