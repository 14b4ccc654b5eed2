# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The products. a and b are pairs of FP8 values and their scales.

Scales that the pack's kernels can't read as they are stored are copied; values, results and descriptions of groups are not.
"""

import torch

from fp8gemm import _layouts
from fp8gemm.deep_gemm import _arguments, _settings
from fp8gemm.deep_gemm.utils.layout import get_mn_major_tma_aligned_tensor
from fp8gemm.deep_gemm.utils.math import ceil_div

_DEFAULT_RECIPE = (1, 128, 128)


def fp8_gemm_nt(a, b, d, c=None, recipe=None, recipe_a=None, recipe_b=None, compiled_dims="nk",
                disable_ue8m0_cast=False, alpha=None, epilogue=None):
    """d = c + a @ b.T. a: [M, K] with scales [M, ceil(K/128)]; b: [N, K] with [ceil(N/128), ceil(K/128)], or with recipe
    (1, 1, 128) [N, ceil(K/128)]. c is d, or what is added into d, which the kernel has to do in place."""
    (values_a, sfa), (values_b, sfb) = _arguments.operand("a", a, 2), _arguments.operand("b", b, 2)
    _arguments.tensor("'d'", d, 2)
    by_row = is_by_row(recipe, recipe_a, recipe_b)
    expect_steering(compiled_dims, disable_ue8m0_cast)
    expect_plain(alpha=alpha, epilogue=epilogue)
    (m, k), n = values_a.shape, values_b.shape[0]
    expect_rows(sfb, n, by_row)
    if n == 0 or k == 0:
        blocks = ceil_div(k, 128)
        _arguments.shapes("of an empty product", ("b", values_b, (n, k)), ("sfa", sfa, (m, blocks)),
                          ("sfb", sfb, (sfb.shape[0], blocks)), ("d", d, (m, n)))
        _without_product(d, c)
        return
    pack = _settings.current(d.device)
    sfa, sfb = stored(sfa, sfb, "none", n, k, by_row)
    pack.gemm(values_a, sfa, values_b, sfb, d, into(d, c), **_settings.options)


def fp8_gemm_nn(a, b, d, c=None, recipe=None, recipe_a=None, recipe_b=None, compiled_dims="nk",
                disable_ue8m0_cast=False, alpha=None, epilogue=None):
    """The same with b [K, N], whose strides are K-major all the same."""
    fp8_gemm_nt(a, _transposed("b", b, 2), d, c, recipe, recipe_a, recipe_b, compiled_dims, disable_ue8m0_cast, alpha,
                epilogue)


def fp8_gemm_tn(a, b, d, c=None, recipe=None, recipe_a=None, recipe_b=None, compiled_dims="mn",
                disable_ue8m0_cast=False, alpha=None, epilogue=None):
    """The same with a [K, M] and b [K, N]."""
    fp8_gemm_nt(_transposed("a", a, 2), _transposed("b", b, 2), d, c, recipe, recipe_a, recipe_b, compiled_dims,
                disable_ue8m0_cast, alpha, epilogue)


def fp8_gemm_tt(a, b, d, c=None, recipe=None, recipe_a=None, recipe_b=None, compiled_dims="mn",
                disable_ue8m0_cast=False, alpha=None, epilogue=None):
    """The same with a [K, M]."""
    fp8_gemm_nt(_transposed("a", a, 2), b, d, c, recipe, recipe_a, recipe_b, compiled_dims, disable_ue8m0_cast, alpha,
                epilogue)


def m_grouped_fp8_gemm_nt_contiguous(a, b, d, grouped_layout, recipe=None, recipe_a=None, recipe_b=None,
                                     compiled_dims="nk", disable_ue8m0_cast=False, use_psum_layout=False,
                                     ensure_zero_padding=True, expected_m_for_psum_layout=None, epilogue=None):
    """d[i] = a[i] @ b[g].T for each row i of group g. grouped_layout: int32 [M], the group of each row or -1; with
    use_psum_layout [G], where the rows of each group end. Groups start at multiples of the alignment that is set."""
    (values_a, sfa), (values_b, sfb) = _arguments.operand("a", a, 2), _arguments.operand("b", b, 3)
    _arguments.tensor("'d'", d, 2)
    _arguments.tensor("'grouped_layout'", grouped_layout, 1)
    by_row = is_by_row(recipe, recipe_a, recipe_b)
    expect_steering(compiled_dims, disable_ue8m0_cast)
    _arguments.flag("use_psum_layout", use_psum_layout)
    _arguments.flag("ensure_zero_padding", ensure_zero_padding)
    expect_plain(epilogue=epilogue)
    expected_m = 0
    if expected_m_for_psum_layout is not None:
        if not use_psum_layout:
            raise ValueError("expected 'expected_m_for_psum_layout' with 'use_psum_layout' only")
        expected_m = _arguments.count("expected_m_for_psum_layout", expected_m_for_psum_layout)
    pack = _settings.current(d.device)
    _, n, k = values_b.shape
    expect_rows(sfb, n, by_row)
    sfa, sfb = stored(sfa, sfb, "row_end" if use_psum_layout else "row_index", n, k, by_row)
    pack.grouped_gemm_contiguous(values_a, sfa, values_b, sfb, grouped_layout, d, by="end" if use_psum_layout else "index",
                                 align=_settings.alignment, expected_m=expected_m, **_settings.options)


def m_grouped_fp8_gemm_nn_contiguous(a, b, d, grouped_layout, recipe=None, recipe_a=None, recipe_b=None,
                                     compiled_dims="nk", disable_ue8m0_cast=False, use_psum_layout=False,
                                     ensure_zero_padding=True, epilogue=None):
    """The same with b [G, K, N], whose strides are K-major all the same."""
    m_grouped_fp8_gemm_nt_contiguous(a, _transposed("b", b, 3), d, grouped_layout, recipe, recipe_a, recipe_b, compiled_dims,
                                     disable_ue8m0_cast, use_psum_layout, ensure_zero_padding, epilogue=epilogue)


def m_grouped_fp8_gemm_nt_masked(a, b, d, masked_m, expected_m, recipe=None, recipe_a=None, recipe_b=None,
                                 compiled_dims="nk", disable_ue8m0_cast=False, epilogue=None, *, enable_overlap=False,
                                 max_block_n=256, signal=None):
    """d[g, :masked_m[g]] = a[g, :masked_m[g]] @ b[g].T. a: [G, M, K]; masked_m: int32 [G]; expected_m: rows to expect of
    a group, which steers the choice of the kernel. enable_overlap, and what belongs to it, is SGLang's: a kernel that
    signals each tile, which there is none of here."""
    (values_a, sfa), (values_b, sfb) = _arguments.operand("a", a, 3), _arguments.operand("b", b, 3)
    _arguments.tensor("'d'", d, 3)
    _arguments.tensor("'masked_m'", masked_m, 1)
    by_row = is_by_row(recipe, recipe_a, recipe_b)
    expect_steering(compiled_dims, disable_ue8m0_cast)
    expect_plain(epilogue=epilogue)
    if _arguments.flag("enable_overlap", enable_overlap):
        raise NotImplementedError("expected 'enable_overlap' to be False, got True: no kernel here signals its tiles while it "
                                  "runs; start SGLang without --enable-single-batch-overlap")
    if signal is not None or _arguments.count("max_block_n", max_block_n, least=1) != 256:
        raise ValueError("expected 'signal' and 'max_block_n' with 'enable_overlap' only")
    expected_m = _arguments.count("expected_m", expected_m, least=1)
    pack = _settings.current(d.device)
    _, n, k = values_b.shape
    expect_rows(sfb, n, by_row)
    sfa, sfb = stored(sfa, sfb, "row_count", n, k, by_row)
    pack.grouped_gemm_masked(values_a, sfa, values_b, sfb, masked_m, d, expected_m=expected_m, **_settings.options)


def k_grouped_fp8_gemm_nt_contiguous(a, b, d, ks_cpu=None, grouped_layout=None, c=None, recipe=(1, 1, 128), compiled_dims="mn",
                                     use_psum_layout=False, *, use_padded_sf_layout=False, epilogue=None, ks=None,
                                     ks_tensor=None):
    """d[g] = c[g] + a_g @ b_g.T in f32. a and b: the packed [M, ks[g]] and [N, ks[g]] of all groups, with scales [M, blocks]
    and [N, blocks]; ks_cpu: the lengths, multiples of 128; grouped_layout: the same as int32 on the device. ks and ks_tensor
    are their names before version 2.8. use_padded_sf_layout: whether scales cover each group's length rounded up to the
    alignment that is set."""
    ks_cpu, grouped_layout = _renamed("ks_cpu", ks_cpu, "ks", ks), _renamed("grouped_layout", grouped_layout, "ks_tensor", ks_tensor)
    (values_a, sfa), (values_b, sfb) = _arguments.operand("a", a, None, 2), _arguments.operand("b", b, None, 2)
    _arguments.tensor("'d'", d, 3)
    _arguments.tensor("'grouped_layout'", grouped_layout, 1)
    if _arguments.integers("recipe", recipe, 3) != (1, 1, 128):
        raise ValueError(f"expected recipe (1, 1, 128), got {tuple(recipe)}")
    expect_steering(compiled_dims)
    expect_plain(epilogue=epilogue)
    if _arguments.flag("use_psum_layout", use_psum_layout) or ks_cpu is None:
        raise NotImplementedError("k_grouped_fp8_gemm_nt_contiguous takes the lengths of groups on the host ('ks_cpu'), as "
                                  "DeepGEMM does on Hopper; ends of groups (use_psum_layout) are for 10.0")
    groups, m, n = d.shape
    lengths = _arguments.integers("ks_cpu", ks_cpu, groups)
    if any(k % 128 for k in lengths):
        raise ValueError(f"expected 'ks_cpu' of multiples of 128, got {list(lengths)}")
    if _arguments.flag("use_padded_sf_layout", use_padded_sf_layout) and any(k % _settings.alignment for k in lengths):
        raise NotImplementedError(f"expected 'ks_cpu' of multiples of the alignment that is set, {_settings.alignment}, with "
                                  f"'use_padded_sf_layout', got {list(lengths)}: scales are packed here")
    total = sum(lengths)
    for name, values, scales, rows in (("a", values_a, sfa, m), ("b", values_b, sfb, n)):
        if values.numel() != total * rows:
            raise ValueError(f"expected '{name}' of {total * rows} elements ({'M' if name == 'a' else 'N'} times the sum of "
                             f"'ks_cpu'), got {values.numel()}")
        if not values.is_contiguous():
            raise ValueError(f"expected '{name}' to be contiguous, got shape {tuple(values.shape)} and strides {values.stride()}")
        if scales.shape[0] != rows or scales.shape[1] < total // 128:
            raise ValueError(f"expected 'sf{name}' (the scales of '{name}') of {rows} rows and at least {total // 128} columns, "
                             f"got shape {tuple(scales.shape)}")
    if c is None:
        raise ValueError("expected 'c', got None: groups along K are added to it")
    if total == 0 or d.numel() == 0:
        _without_product(d, c)
        return
    pack = _settings.current(d.device)
    into(d, c)
    pack.grouped_gemm_k(values_a.view(-1), get_mn_major_tma_aligned_tensor(sfa), values_b.view(-1),
                        get_mn_major_tma_aligned_tensor(sfb), grouped_layout, d, d, **_settings.options)


def _transposed(name, pair, rank):
    values, scales = _arguments.operand(name, pair, rank)
    return values.transpose(-2, -1), scales.transpose(-2, -1)


def _renamed(name, value, old_name, old_value):
    """The value of an argument that has two names."""
    if value is not None and old_value is not None:
        raise TypeError(f"expected '{name}' or '{old_name}', its older name, got both")
    return old_value if value is None else value


def expect_plain(**extras):
    """That nothing is asked for beyond the product."""
    for name, value in extras.items():
        if value is not None:
            raise NotImplementedError(f"expected '{name}' to be None, got {value!r}: kernels here store the product as it is, "
                                      "plus c")


def expect_steering(compiled_dims, disable_ue8m0_cast=False):
    """What steers compilation, and has no effect."""
    if not isinstance(compiled_dims, str) or set(compiled_dims) - set("mnk"):
        raise ValueError(f"expected 'compiled_dims' of the letters m, n and k, got {compiled_dims!r}")
    _arguments.flag("disable_ue8m0_cast", disable_ue8m0_cast)


def is_by_row(recipe, recipe_a, recipe_b):
    """Whether a row of b has scales of its own, by the granularities (of a's rows, of b's rows, of K)."""
    if recipe is not None and (recipe_a is not None or recipe_b is not None):
        raise ValueError("expected 'recipe', or 'recipe_a' and 'recipe_b', got both")
    if recipe is not None:
        recipe = _arguments.integers("recipe", recipe, 3)
    elif recipe_a is None and recipe_b is None:
        recipe = _DEFAULT_RECIPE
    elif recipe_a is None or recipe_b is None:
        raise ValueError(f"expected both 'recipe_a' and 'recipe_b', or none, got {recipe_a} and {recipe_b}")
    else:
        of_a, of_b = _arguments.integers("recipe_a", recipe_a, 2), _arguments.integers("recipe_b", recipe_b, 2)
        if of_a[1] != of_b[1]:
            raise ValueError(f"expected the same granularity of K in 'recipe_a' and 'recipe_b', got {of_a} and {of_b}")
        recipe = of_a[0], of_b[0], of_a[1]
    if recipe not in ((1, 128, 128), (1, 1, 128)):
        raise NotImplementedError(f"expected recipe (1, 128, 128) or (1, 1, 128), the ones of Hopper, got {recipe}")
    return recipe[1] == 1


def expect_rows(sfb, n, by_row):
    """That the scales of b are those of the recipe."""
    rows = n if by_row else ceil_div(n, 128)
    if sfb.shape[-2] != rows:
        recipe = (1, 1, 128) if by_row else _DEFAULT_RECIPE
        raise ValueError(f"expected 'sfb' (the scales of 'b') of {rows} rows, by recipe {recipe} of N = {n}, got shape "
                         f"{tuple(sfb.shape)}")


def stored(sfa, sfb, grouping, n, k, by_row):
    """The scales in a layout that the pack has kernels for: as they are, or MN-major and aligned, as DeepGEMM makes them."""
    taken = _settings.layouts.get((grouping, n, k, "1d1d" if by_row else "1d2d"))
    return _layouts.choose(taken, sfa, sfb, by_row) if taken else (sfa, sfb)  # else the pack will say so


def into(d, c):
    """c where the kernel adds it: in d."""
    if c is None:
        return None
    _arguments.tensor("'c'", c)
    if (c.shape, c.dtype, c.device) != (d.shape, d.dtype, d.device):
        raise ValueError(f"expected 'c' of the shape, type and device of 'd', {tuple(d.shape)} {d.dtype} on {d.device}, got "
                         f"{tuple(c.shape)} {c.dtype} on {c.device}")
    if c.data_ptr() == d.data_ptr() and c.stride() == d.stride():
        return d
    if _overlap(c, d):
        raise ValueError(f"expected 'c' to be 'd' or apart from it, got the same memory as {tuple(c.shape)} with strides "
                         f"{c.stride()} and {tuple(d.shape)} with {d.stride()}")
    d.copy_(c)
    return d


def _overlap(x, y):
    """Whether an element of one may be one of the other. Parts of the rows of one matrix are told apart; else ranges of
    addresses are compared."""
    if x.numel() == 0 or y.numel() == 0:
        return False
    first, second = sorted((x, y), key=torch.Tensor.data_ptr)
    gap = (second.data_ptr() - first.data_ptr()) // first.element_size()
    if gap > sum((extent - 1) * step for extent, step in zip(first.shape, first.stride())):
        return False
    columns, pitch = first.shape[-1], first.stride(-2)
    if first.stride() != second.stride() or first.stride(-1) != 1 or pitch < columns:
        return True
    return not columns <= gap % pitch <= pitch - columns


def _without_product(d, c):
    """K = 0: the sum of nothing, if there is anything to write."""
    if c is None:
        d.zero_()
    else:
        into(d, c)
