# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Einsum of FP8: one product for each head, which is a batched product of the pack."""

from fp8gemm.deep_gemm import _arguments, _settings
from fp8gemm.deep_gemm._gemm import expect_plain, expect_rows, is_by_row, stored

_PER_HEAD = "bhr,hdr->bhd"


def fp8_einsum(expr, a, b, d, c=None, recipe=(1, 128, 128), epilogue=None, use_128x4_sfd_layout=False):
    """d[:, h] = a[:, h] @ b[h].T of each head h: expr "bhr,hdr->bhd", the one of Hopper. a: [B, H, R] with scales
    [B, H, ceil(R/128)]; b: [H, D, R] with [H, ceil(D/128), ceil(R/128)], or with recipe (1, 1, 128) [H, D, ceil(R/128)];
    d: [B, H, D]. The pack has it as grouping "batched" with groups = H, n = D and k = R."""
    if expr != _PER_HEAD:
        raise NotImplementedError(f"expected 'expr' to be {_PER_HEAD!r}, the one of Hopper, got {expr!r}")
    if isinstance(d, (tuple, list)) or _arguments.flag("use_128x4_sfd_layout", use_128x4_sfd_layout):
        raise NotImplementedError("expected 'd' to be a tensor of bfloat16 or float32, got FP8 with scales, which is for "
                                  "compute capability 10.0")
    if c is not None:
        raise NotImplementedError("expected 'c' to be None: batched products add nothing")
    expect_plain(epilogue=epilogue)
    (values_a, sfa), (values_b, sfb) = _arguments.operand("a", a, 3), _arguments.operand("b", b, 3)
    _arguments.tensor("'d'", d, 3)
    by_row = is_by_row(recipe, None, None)
    pack = _settings.current(d.device)
    _, n, k = values_b.shape
    expect_rows(sfb, n, by_row)
    of_heads = [x.transpose(0, 1) for x in (values_a, sfa, d)]
    sfa, sfb = stored(of_heads[1], sfb, "batched", n, k, by_row)
    pack.grouped_gemm_masked(of_heads[0], sfa, values_b, sfb, None, of_heads[2], **_settings.options)
