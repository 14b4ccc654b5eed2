# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Dense products of bfloat16, by PyTorch: DeepGEMM leaves them to cuBLAS on Hopper, too.

They are here where no other DeepGEMM is fallen back on (`_fallback`), which has them itself.
"""

import torch

from fp8gemm.deep_gemm import _arguments
from fp8gemm.deep_gemm._gemm import expect_plain, expect_steering, into

_RESULTS = torch.bfloat16, torch.float32


def bf16_gemm_nt(a, b, d, c=None, compiled_dims="nk", alpha=None, epilogue=None):
    """d = c + a @ b.T. a: [M, K], b: [N, K], of bfloat16 and any strides; d and c: [M, N] of bfloat16 or float32."""
    for name, value in (("a", a), ("b", b), ("d", d)):
        _arguments.tensor(f"'{name}'", value, 2)
        types = _RESULTS if name == "d" else _RESULTS[:1]
        if value.dtype not in types:
            words = " or ".join(str(t).removeprefix("torch.") for t in types)
            raise TypeError(f"expected '{name}' of {words}, got {str(value.dtype).removeprefix('torch.')}")
    expect_steering(compiled_dims)
    expect_plain(alpha=alpha, epilogue=epilogue)
    (m, k), n = a.shape, b.shape[0]
    _arguments.shapes("of a product", ("b", b, (n, k)), ("d", d, (m, n)))
    into(d, c)
    if d.dtype == a.dtype:
        torch.mm(a, b.T, out=d) if c is None else d.addmm_(a, b.T)
        return
    # Only a GPU has products of bfloat16 in float32.
    product = torch.mm(a, b.T, out_dtype=d.dtype) if a.is_cuda else torch.mm(a.float(), b.T.float())
    d.copy_(product) if c is None else d.add_(product)


def bf16_gemm_nn(a, b, d, c=None, compiled_dims="nk", alpha=None, epilogue=None):
    """The same with b [K, N]."""
    bf16_gemm_nt(a, _transposed("b", b), d, c, compiled_dims, alpha, epilogue)


def bf16_gemm_tn(a, b, d, c=None, compiled_dims="mn", alpha=None, epilogue=None):
    """The same with a [K, M] and b [K, N]."""
    bf16_gemm_nt(_transposed("a", a), _transposed("b", b), d, c, compiled_dims, alpha, epilogue)


def bf16_gemm_tt(a, b, d, c=None, compiled_dims="mn", alpha=None, epilogue=None):
    """The same with a [K, M]."""
    bf16_gemm_nt(_transposed("a", a), b, d, c, compiled_dims, alpha, epilogue)


def get_deterministic_algorithms():
    """Whether a row of these products has the same bits whatever the other rows are: cuBLAS does not promise it."""
    return False


def use_deterministic_algorithms(new_value):
    """Products of FP8 always are; those of bfloat16 can't be made so."""
    if _arguments.flag("new_value", new_value):
        raise NotImplementedError("expected False, got True: products of bfloat16 are PyTorch's here, whose bits depend on the "
                                  'number of rows; install(fallback="deep_gemm") takes those of DeepGEMM, and SGLang does '
                                  "without by SGLANG_BATCH_INVARIANT_OPS_ENABLE_MM_DEEPGEMM=0")


def _transposed(name, matrix):
    return _arguments.tensor(f"'{name}'", matrix, 2).T


PUBLIC = {f.__name__: f for f in (bf16_gemm_nt, bf16_gemm_nn, bf16_gemm_tn, bf16_gemm_tt, get_deterministic_algorithms,
                                  use_deterministic_algorithms)}
