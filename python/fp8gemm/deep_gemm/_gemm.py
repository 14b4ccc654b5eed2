# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The products. a and b are pairs of FP8 values and their scales."""

from fp8gemm.deep_gemm import _settings
from fp8gemm.deep_gemm.utils.layout import get_mn_major_tma_aligned_tensor

_DEFAULT_RECIPE = (1, 128, 128)


def fp8_gemm_nt(a, b, d, c=None, recipe=None, recipe_a=None, recipe_b=None, compiled_dims="nk",
                disable_ue8m0_cast=False):
    """d = c + a @ b.T. a: [M, K] with scales [M, ceil(K/128)]; b: [N, K] with [ceil(N/128), ceil(K/128)], or with recipe
    (1, 1, 128) [N, ceil(K/128)]. c is d, or what is added into d, which the kernel has to do in place."""
    values_a, sfa = a
    values_b, sfb = b
    recipe = _recipe_of(recipe, recipe_a, recipe_b)
    n, k = values_b.shape
    if values_a.numel() == 0 or d.numel() == 0:
        _without_product(d, c)
        return
    pack = _settings.current()
    sfa, sfb = _stored(sfa, sfb, "none", n, k, recipe)
    pack.gemm(values_a, sfa, values_b, sfb, d, _into(d, c), **_settings.options)


def fp8_gemm_nn(a, b, d, c=None, recipe=None, recipe_a=None, recipe_b=None, compiled_dims="nk",
                disable_ue8m0_cast=False):
    """The same with b [K, N], whose strides are K-major all the same."""
    fp8_gemm_nt(a, _transposed(b), d, c, recipe, recipe_a, recipe_b, compiled_dims, disable_ue8m0_cast)


def fp8_gemm_tn(a, b, d, c=None, recipe=None, recipe_a=None, recipe_b=None, compiled_dims="mn",
                disable_ue8m0_cast=False):
    """The same with a [K, M] and b [K, N]."""
    fp8_gemm_nt(_transposed(a), _transposed(b), d, c, recipe, recipe_a, recipe_b, compiled_dims, disable_ue8m0_cast)


def fp8_gemm_tt(a, b, d, c=None, recipe=None, recipe_a=None, recipe_b=None, compiled_dims="mn",
                disable_ue8m0_cast=False):
    """The same with a [K, M]."""
    fp8_gemm_nt(_transposed(a), b, d, c, recipe, recipe_a, recipe_b, compiled_dims, disable_ue8m0_cast)


def m_grouped_fp8_gemm_nt_contiguous(a, b, d, grouped_layout, recipe=None, recipe_a=None, recipe_b=None,
                                     compiled_dims="nk", disable_ue8m0_cast=False, use_psum_layout=False,
                                     ensure_zero_padding=True, expected_m_for_psum_layout=None):
    """d[i] = a[i] @ b[g].T for each row i of group g. grouped_layout: int32 [M], the group of each row or -1; with
    use_psum_layout [G], where the rows of each group end. Groups start at multiples of the alignment that is set."""
    values_a, sfa = a
    values_b, sfb = b
    recipe = _recipe_of(recipe, recipe_a, recipe_b)
    if expected_m_for_psum_layout is not None and not use_psum_layout:
        raise ValueError("expected 'expected_m_for_psum_layout' with 'use_psum_layout' only")
    if values_a.shape[0] == 0:
        return
    pack = _settings.current()
    grouping = "row_end" if use_psum_layout else "row_index"
    sfa, sfb = _stored(sfa, sfb, grouping, *values_b.shape[1:], recipe)
    pack.grouped_gemm_contiguous(values_a, sfa, values_b, sfb, grouped_layout, d, by="end" if use_psum_layout else "index",
                                 align=_settings.alignment, expected_m=expected_m_for_psum_layout or 0,
                                 **_settings.options)


def m_grouped_fp8_gemm_nn_contiguous(a, b, d, grouped_layout, recipe=None, recipe_a=None, recipe_b=None,
                                     compiled_dims="nk", disable_ue8m0_cast=False, use_psum_layout=False,
                                     ensure_zero_padding=True):
    """The same with b [G, K, N], whose strides are K-major all the same."""
    m_grouped_fp8_gemm_nt_contiguous(a, _transposed(b), d, grouped_layout, recipe, recipe_a, recipe_b, compiled_dims,
                                     disable_ue8m0_cast, use_psum_layout, ensure_zero_padding)


def m_grouped_fp8_gemm_nt_masked(a, b, d, masked_m, expected_m, recipe=None, recipe_a=None, recipe_b=None,
                                 compiled_dims="nk", disable_ue8m0_cast=False):
    """d[g, :masked_m[g]] = a[g, :masked_m[g]] @ b[g].T. a: [G, M, K]; masked_m: int32 [G]; expected_m: rows to expect of
    a group, which steers the choice of the kernel."""
    values_a, sfa = a
    values_b, sfb = b
    recipe = _recipe_of(recipe, recipe_a, recipe_b)
    if expected_m <= 0:
        raise ValueError(f"expected 'expected_m' above 0, got {expected_m}")
    pack = _settings.current()
    sfa, sfb = _stored(sfa, sfb, "row_count", *values_b.shape[1:], recipe)
    pack.grouped_gemm_masked(values_a, sfa, values_b, sfb, masked_m, d, expected_m=expected_m, **_settings.options)


def k_grouped_fp8_gemm_nt_contiguous(a, b, d, ks_cpu, grouped_layout, c=None, recipe=(1, 1, 128), compiled_dims="mn",
                                     use_psum_layout=False):
    """d[g] = c[g] + a_g @ b_g.T in f32. a and b: the packed [M, ks[g]] and [N, ks[g]] of all groups, with scales [M, blocks]
    and [N, blocks]; ks_cpu: the lengths, multiples of 128; grouped_layout: the same as int32 on the device."""
    values_a, sfa = a
    values_b, sfb = b
    if tuple(recipe) != (1, 1, 128):
        raise ValueError(f"expected recipe (1, 1, 128), got {tuple(recipe)}")
    if use_psum_layout or not ks_cpu:
        raise NotImplementedError("k_grouped_fp8_gemm_nt_contiguous takes the lengths of groups on the host ('ks_cpu'), as "
                                  "DeepGEMM does on Hopper; ends of groups (use_psum_layout) are for 10.0")
    groups, m, n = d.shape
    total = sum(ks_cpu)
    if len(ks_cpu) != groups or any(k % 128 for k in ks_cpu):
        raise ValueError(f"expected {groups} lengths that are multiples of 128, got {list(ks_cpu)}")
    if values_a.numel() != total * m or values_b.numel() != total * n:
        raise ValueError(f"expected a and b of {total * m} and {total * n} elements (M, N times the sum of 'ks_cpu'), got "
                         f"{values_a.numel()} and {values_b.numel()}")
    if c is None:
        raise ValueError("expected 'c', got None: groups along K are added to it")
    if total == 0 or d.numel() == 0:
        _without_product(d, c)
        return
    pack = _settings.current()
    _into(d, c)
    pack.grouped_gemm_k(values_a.view(-1), get_mn_major_tma_aligned_tensor(sfa), values_b.view(-1),
                        get_mn_major_tma_aligned_tensor(sfb), grouped_layout, d, d, **_settings.options)


def _transposed(pair):
    return pair[0].transpose(-2, -1), pair[1].transpose(-2, -1)


def _recipe_of(recipe, recipe_a, recipe_b):
    """The granularities (of a's rows, of b's rows, of K), which must be what the kernels have."""
    if recipe is None:
        recipe = _DEFAULT_RECIPE if recipe_a is None else (recipe_a[0], recipe_b[0], recipe_a[1])
        if recipe_a is not None and recipe_b[1] != recipe_a[1]:
            raise ValueError(f"expected the same granularity of K in both recipes, got {recipe_a} and {recipe_b}")
    elif recipe_a is not None or recipe_b is not None:
        raise ValueError("expected 'recipe', or 'recipe_a' and 'recipe_b', got both")
    recipe = tuple(recipe)
    if recipe not in ((1, 128, 128), (1, 1, 128)):
        raise NotImplementedError(f"expected recipe (1, 128, 128) or (1, 1, 128), the ones of Hopper, got {recipe}")
    return recipe


def _stored(sfa, sfb, grouping, n, k, recipe):
    """The scales in a layout that the pack has kernels for: as they are, or MN-major and aligned, as DeepGEMM makes them."""
    by_row = recipe[1] == 1
    taken = _settings.layouts.get((grouping, n, k, "1d1d" if by_row else "1d2d"))
    if taken is None:  # the pack will say so
        return sfa, sfb
    wanted_a, wanted_b = taken[0]
    for choice in taken:
        if choice[0] in _layouts_of(sfa, True) and choice[1] in _layouts_of(sfb, by_row):
            return sfa, sfb
    if wanted_a not in _layouts_of(sfa, True):
        sfa = get_mn_major_tma_aligned_tensor(sfa) if wanted_a == "mn_major" else sfa.contiguous()
    if wanted_b not in _layouts_of(sfb, by_row):
        if wanted_b == "k_major":
            sfb = sfb.contiguous()
        else:
            sfb = get_mn_major_tma_aligned_tensor(sfb) if by_row else sfb.mT.contiguous().mT
    return sfa, sfb


def _layouts_of(scales, by_row):
    """What scales may be taken for by their strides; see docs/Python.md."""
    rows, blocks = scales.shape[-2:]
    *_, row_step, block_step = scales.stride()
    found = []
    if (rows == 1 or row_step == 1) and (blocks == 1 or not by_row or block_step % 4 == 0):
        found.append("mn_major")
    if blocks == 1 or block_step == 1:
        found.append("k_major")
    return found


def _into(d, c):
    """c where the kernel adds it: in d."""
    if c is None:
        return None
    if c.data_ptr() != d.data_ptr():
        d.copy_(c)
    elif c.stride() != d.stride() or c.shape != d.shape:
        raise ValueError(f"expected 'c' to be 'd' or apart from it, got the same memory as {tuple(c.shape)} with strides "
                         f"{c.stride()} and {tuple(d.shape)} with {d.stride()}")
    return d


def _without_product(d, c):
    """K = 0: the sum of nothing, if there is anything to write."""
    if c is None:
        d.zero_()
    elif c.data_ptr() != d.data_ptr():
        d.copy_(c)
