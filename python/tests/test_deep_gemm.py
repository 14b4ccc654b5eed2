# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""fp8gemm.deep_gemm without a GPU: what it asks of the pack, on tensors of the host and a pack that records."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import fp8gemm  # noqa: E402
import fp8gemm.deep_gemm as dg  # noqa: E402
from fp8gemm.deep_gemm import _settings  # noqa: E402

E4M3 = torch.float8_e4m3fn


class Recorder:
    """A pack that remembers calls: (function, positional, keywords)."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *args, **options: self.calls.append((name, args, options))


# As the packs of the lists in examples have them; and one with row-major scales.
LAYOUTS = {("none", 256, 256, "1d2d"): [("mn_major", "k_major")], ("none", 256, 256, "1d1d"): [("mn_major", "mn_major")],
           ("none", 128, 256, "1d2d"): [("k_major", "k_major")], ("row_index", 256, 256, "1d2d"): [("mn_major", "k_major")],
           ("row_end", 256, 256, "1d2d"): [("mn_major", "k_major")],
           ("row_count", 256, 256, "1d2d"): [("mn_major", "k_major")]}


@pytest.fixture
def calls(monkeypatch):
    pack = Recorder()
    options = dict(num_sms=0, dependent=False, batch_invariant=False)
    for name, value in dict(pack=pack, layouts=LAYOUTS, options=options, alignment=128).items():
        monkeypatch.setattr(_settings, name, value)
    return pack.calls


def pair(*shape, block_rows=1, groups=()):
    rows, columns = shape
    scales = torch.rand(*groups, -(-rows // block_rows), -(-columns // 128))
    return torch.zeros(*groups, *shape).to(E4M3), scales


def test_scales_become_mn_major(calls):
    a, b, d = pair(6, 256), pair(256, 256, block_rows=128), torch.zeros(6, 256).bfloat16()
    dg.fp8_gemm_nt(a, b, d)
    (name, (values_a, sfa, values_b, sfb, out, c), options), = calls
    assert name == "gemm" and values_a is a[0] and values_b is b[0] and sfb is b[1] and out is d and c is None
    assert torch.equal(sfa, a[1]) and sfa.stride() == (1, 8)
    assert options == dict(num_sms=0, dependent=False, batch_invariant=False)


def test_scales_that_fit_are_not_copied(calls):
    aligned = dg.get_mn_major_tma_aligned_tensor(torch.rand(6, 2))
    dg.fp8_gemm_nt((pair(6, 256)[0], aligned), pair(256, 256, block_rows=128), torch.zeros(6, 256).bfloat16())
    rows = pair(6, 256)
    dg.fp8_gemm_nt(rows, pair(128, 256, block_rows=128), torch.zeros(6, 128).bfloat16())
    assert calls[0][1][1] is aligned and calls[1][1][1] is rows[1]


def test_scales_that_fit_another_kernel_are_not_copied(calls, monkeypatch):
    monkeypatch.setattr(_settings, "layouts", {("none", 256, 256, "1d2d"): [("mn_major", "k_major"), ("k_major", "k_major")]})
    a = pair(6, 256)
    dg.fp8_gemm_nt(a, pair(256, 256, block_rows=128), torch.zeros(6, 256).bfloat16())
    assert calls[0][1][1] is a[1]


def test_scales_that_are_not_aligned_are_copied(calls):
    sfa = torch.rand(2, 6).T  # MN-major, 24 bytes apart
    dg.fp8_gemm_nt((pair(6, 256)[0], sfa), pair(256, 256, block_rows=128), torch.zeros(6, 256).bfloat16())
    assert torch.equal(calls[0][1][1], sfa) and calls[0][1][1].stride() == (1, 8)


def test_transposed_scales_of_b(calls):
    b = pair(256, 256, block_rows=128)
    dg.fp8_gemm_nt(pair(6, 256), (b[0], b[1].T.contiguous().T), torch.zeros(6, 256).bfloat16())
    assert torch.equal(calls[0][1][3], b[1]) and calls[0][1][3].stride() == (2, 1)


@pytest.mark.parametrize("name, of_a, of_b", [("nn", False, True), ("tn", True, True), ("tt", True, False)])
def test_other_orders_are_the_same_memory(calls, name, of_a, of_b):
    a, b, d = pair(6, 256), pair(256, 256, block_rows=128), torch.zeros(6, 256).bfloat16()
    flipped = [(values.T, scales.T) if flip else (values, scales)
               for flip, (values, scales) in ((of_a, a), (of_b, b))]
    getattr(dg, f"fp8_gemm_{name}")(*flipped, d)
    values_a, sfa, values_b, sfb = calls[0][1][:4]
    assert values_a.data_ptr() == a[0].data_ptr() and values_a.stride() == (256, 1) and values_b.stride() == (256, 1)
    assert torch.equal(sfa, a[1]) and torch.equal(sfb, b[1])


def test_weight_gradient(calls):
    a, b, d = pair(6, 256), pair(256, 256), torch.ones(6, 256)
    dg.fp8_gemm_nt(a, b, d, c=d, recipe=(1, 1, 128))
    c = torch.full((6, 256), 3.0)
    dg.fp8_gemm_nt(a, b, d, c=c, recipe_a=(1, 128), recipe_b=(1, 128))
    for _, (_, sfa, _, sfb, out, added), _ in calls:
        assert out is d and added is d and sfa.stride() == (1, 8) and sfb.stride() == (1, 256)
    assert torch.equal(d, c)  # the kernel adds to it
    halves = torch.zeros(6, 512)
    dg.fp8_gemm_nt(a, b, halves[:, :256], c=halves[:, 256:], recipe=(1, 1, 128))
    before = len(calls)
    for c, message in ((d.view(256, 6), "'c' of the shape, type and device of 'd'"), (d.bfloat16(), "'c' of the shape, type"),
                       (torch.ones(256), "'c' of the shape, type"), (5, "'c' to be a torch.Tensor, got int")):
        with pytest.raises((ValueError, TypeError), match=f"expected {message}"):
            dg.fp8_gemm_nt(a, b, d, c=c, recipe=(1, 1, 128))
    rows = torch.zeros(7, 256)
    with pytest.raises(ValueError, match="expected 'c' to be 'd' or apart"):
        dg.fp8_gemm_nt(a, b, rows[:6], c=rows[1:], recipe=(1, 1, 128))
    assert len(calls) == before


def test_nothing_to_sum(calls):
    d, c = torch.ones(6, 256), torch.full((6, 256), 3.0)
    dg.fp8_gemm_nt(pair(6, 0), pair(256, 0, block_rows=128), d)
    assert not d.any()
    dg.fp8_gemm_nt(pair(6, 0), pair(256, 0), d, c, recipe=(1, 1, 128))
    assert torch.equal(d, c)
    assert calls == []
    for a, b, wrong in ((pair(6, 0), pair(256, 0, block_rows=128), torch.ones(5, 256)),
                        (pair(6, 0), pair(256, 16, block_rows=128), d)):
        with pytest.raises(ValueError, match="expected '(b|d|sfb)' of shape .* .of an empty product"):
            dg.fp8_gemm_nt(a, b, wrong)


def test_no_rows(calls):
    """The pack looks at the arguments all the same."""
    dg.fp8_gemm_nt(pair(0, 256), pair(256, 256, block_rows=128), torch.zeros(0, 256))
    dg.m_grouped_fp8_gemm_nt_contiguous(pair(0, 256), pair(256, 256, block_rows=128, groups=(3,)), torch.zeros(0, 256),
                                        torch.zeros(0, dtype=torch.int32))
    assert [name for name, *_ in calls] == ["gemm", "grouped_gemm_contiguous"]


def test_contiguous(calls):
    a, b = pair(256, 256), pair(256, 256, block_rows=128, groups=(3,))
    d, rows, ends = torch.zeros(256, 256).bfloat16(), torch.zeros(256, dtype=torch.int32), torch.zeros(3, dtype=torch.int32)
    dg.m_grouped_fp8_gemm_nt_contiguous(a, b, d, rows, disable_ue8m0_cast=True)
    dg.set_mk_alignment_for_contiguous_layout(64)
    dg.m_grouped_fp8_gemm_nn_contiguous(a, (b[0].mT, b[1].mT), d, ends, use_psum_layout=True)
    dg.m_grouped_fp8_gemm_nt_contiguous(a, b, d, ends, use_psum_layout=True, expected_m_for_psum_layout=20)
    assert [name for name, *_ in calls] == ["grouped_gemm_contiguous"] * 3
    assert [(o["by"], o["align"], o["expected_m"]) for *_, o in calls] == [("index", 128, 0), ("end", 64, 0), ("end", 64, 20)]
    assert [args[4] is groups for (_, args, _), groups in zip(calls, (rows, ends, ends))] == [True] * 3
    assert calls[1][1][2].stride() == b[0].stride()
    with pytest.raises(ValueError, match="with 'use_psum_layout' only"):
        dg.m_grouped_fp8_gemm_nt_contiguous(a, b, d, rows, expected_m_for_psum_layout=20)


def test_masked(calls):
    a, b = pair(8, 256, groups=(3,)), pair(256, 256, block_rows=128, groups=(3,))
    counts, d = torch.zeros(3, dtype=torch.int32), torch.zeros(3, 8, 256).bfloat16()
    dg.m_grouped_fp8_gemm_nt_masked(a, b, d, counts, 4)
    (name, args, options), = calls
    assert name == "grouped_gemm_masked" and args[4] is counts and args[5] is d and options["expected_m"] == 4
    assert args[1].stride() == (16, 1, 8)
    assert dg.fp8_m_grouped_gemm_nt_masked is dg.m_grouped_fp8_gemm_nt_masked
    with pytest.raises(ValueError, match=r"expected 'expected_m' in \[1, 2147483647\], got 0"):
        dg.m_grouped_fp8_gemm_nt_masked(a, b, d, counts, 0)


def k_grouped(ks, m=8, n=16):
    total, blocks = sum(ks), sum(ks) // 128
    return ((torch.zeros(total * m).to(E4M3), torch.rand(blocks, m).T), (torch.zeros(total * n).to(E4M3),
            torch.rand(blocks, n).T), torch.zeros(len(ks), m, n), ks, torch.tensor(ks, dtype=torch.int32))


def test_k_grouped(calls):
    a, b, d, ks, lengths = k_grouped([256, 0, 128])
    dg.k_grouped_fp8_gemm_nt_contiguous(a, b, d, ks, lengths, d)
    (name, args, _), = calls
    assert name == "grouped_gemm_k" and args[4] is lengths and args[5] is d and args[6] is d
    assert args[0].dim() == 1 and args[1].stride() == (1, 8) and args[3].stride() == (1, 16)


def test_k_grouped_by_older_names(calls):
    a, b, d, ks, lengths = k_grouped([256, 0, 128])
    dg.k_grouped_fp8_gemm_nt_contiguous(a, b, d, ks=ks, ks_tensor=lengths, c=d)
    dg.k_grouped_fp8_gemm_nt_contiguous(a, b, d, ks, lengths, d, use_padded_sf_layout=True)
    assert [args[4] is lengths for _, args, _ in calls] == [True, True]
    dg.set_mk_alignment_for_contiguous_layout(256)  # whose scales would be padded
    with pytest.raises(NotImplementedError, match="multiples of the alignment that is set, 256"):
        dg.k_grouped_fp8_gemm_nt_contiguous(a, b, d, ks, lengths, d, use_padded_sf_layout=True)


@pytest.mark.parametrize("error, message, change", [
    (ValueError, "multiples of 128, got", dict(ks_cpu=[256, 0, 100])),
    (ValueError, "expected 'ks_cpu' of 3 integers", dict(ks_cpu=[256, 128])),
    (ValueError, r"expected 'ks_cpu' in \[0, 2147483647\], got -128", dict(ks_cpu=[256, -128, 256])),
    (TypeError, "expected 'ks_cpu' to be an integer, got 1.0", dict(ks_cpu=[256, 1.0, 256])),
    (TypeError, "expected 'grouped_layout' to be a torch.Tensor, got list", dict(grouped_layout=[256, 0, 128])),
    (ValueError, r"expected 'a' of 4096 elements", dict(ks_cpu=[256, 128, 128])),
    (ValueError, r"expected recipe \(1, 1, 128\), got \(1, 128, 128\)", dict(recipe=(1, 128, 128))),
    (ValueError, "expected 'c', got None", dict(c=None)),
    (NotImplementedError, "on the host", dict(ks_cpu=None)),
    (NotImplementedError, "on the host", dict(use_psum_layout=True)),
    (NotImplementedError, "'epilogue' to be None", dict(epilogue=object())),
    (TypeError, "'ks_cpu' or 'ks', its older name, got both", dict(ks=[256, 0, 128])),
    (TypeError, "'use_padded_sf_layout' to be True or False", dict(use_padded_sf_layout=1)),
])
def test_k_grouped_refused(calls, error, message, change):
    a, b, d, ks, lengths = k_grouped([256, 0, 128])
    with pytest.raises(error, match=message):
        dg.k_grouped_fp8_gemm_nt_contiguous(a, b, d, **{**dict(ks_cpu=ks, grouped_layout=lengths, c=d), **change})
    assert calls == []


def test_k_grouped_without_any(calls):
    a, b, d, ks, lengths = k_grouped([0, 0])
    dg.k_grouped_fp8_gemm_nt_contiguous(a, b, d, ks, lengths, torch.ones_like(d))
    assert d.eq(1).all() and calls == []


def test_settings_reach_the_call(calls, monkeypatch):
    monkeypatch.setattr(_settings, "_multiprocessors", lambda: 132)
    arguments = pair(6, 256), pair(256, 256, block_rows=128), torch.zeros(6, 256).bfloat16()
    assert dg.get_num_sms() == 132 and dg.get_pdl() is False
    dg.set_num_sms(100)
    dg.set_pdl(True)
    assert dg.get_num_sms() == 100 and dg.get_pdl() is True
    dg.fp8_gemm_nt(*arguments)
    dg.set_num_sms(132)
    dg.fp8_gemm_nt(*arguments)
    assert [(o["num_sms"], o["dependent"]) for *_, o in calls] == [(100, True), (0, True)]
    with pytest.raises(ValueError, match=r"in \[1, 132\], got 133"):
        dg.set_num_sms(133)
    assert dg.get_mk_alignment_for_contiguous_layout() == 128
    assert dg.get_theoretical_mk_alignment_for_contiguous_layout() == 128
    assert dg.get_theoretical_mk_alignment_for_contiguous_layout(7) == 128


@pytest.mark.parametrize("recipe", [(1, 128, 64), (1, 1, 32), (128, 128, 128)])
def test_recipes_of_other_gpus(calls, recipe):
    with pytest.raises(NotImplementedError, match="the ones of Hopper"):
        dg.fp8_gemm_nt(pair(6, 256), pair(256, 256), torch.zeros(6, 256), recipe=recipe)


def test_layout_functions():
    assert [dg.get_tma_aligned_size(*x) for x in ((5, 4), (8, 4), (17, 1))] == [8, 8, 32]
    sf = torch.rand(3, 5, 7)
    stored = dg.get_mn_major_tma_aligned_tensor(sf)
    assert torch.equal(stored, sf) and stored.stride() == (56, 1, 8)
    assert dg.get_mn_major_tma_aligned_tensor(stored) is stored
    made = dg.transform_sf_into_required_layout(sf, mn=5, k=896, recipe=(1, 128, 128), num_groups=3, is_sfa=True)
    assert made.stride() == stored.stride()
    blocks = torch.rand(2, 7)
    assert dg.transform_sf_into_required_layout(blocks, 200, 896, (128, 128)) is blocks
    with pytest.raises(ValueError, match=r"expected 'sf', the scales, of shape \(2, 7\), got \(3, 7\)"):
        dg.transform_sf_into_required_layout(torch.rand(3, 7), 200, 896, (1, 128, 128), is_sfa=False)
    assert dg.ceil_div(7, 3) == 3 and dg.align(7, 3) == 9


@pytest.mark.parametrize("use_ue8m0", [False, True])
def test_casts(use_ue8m0):
    x = torch.randn(256, 300)
    for cast, shape in ((dg.per_token_cast_to_fp8, (256, 3)), (dg.per_block_cast_to_fp8, (2, 3)),
                        (dg.per_channel_cast_to_fp8, (2, 300))):
        values, scales = cast(x, use_ue8m0)
        assert values.shape == x.shape and values.dtype == E4M3 and scales.shape == shape
        rows = scales.repeat_interleave(256 // shape[0], 0)
        columns = rows if shape[1] == 300 else rows.repeat_interleave(128, 1)[:, :300]
        assert (values.float() * columns - x).abs().max() < x.abs().max() / 8
        if use_ue8m0:
            assert not (np.frexp(scales.numpy())[0] != 0.5).any()
    assert dg.per_token_cast_to_fp8(torch.zeros(1, 128), False)[1].item() == pytest.approx(1e-4 / 448)


def test_powers_of_two():
    x = torch.tensor([1, 1.5, -2, 448, 2.0**-126, 0])
    assert dg.utils.ceil_to_ue8m0(x).tolist() == [1, 2, 2, 512, 2.0**-126, 2.0**-126]


def test_what_is_not_there_looks_absent():
    """Programs ask, and take another way; who calls all the same reads why."""
    for name in ("m_grouped_bf16_gemm_nt_masked", "fp8_mqa_logits", "cublaslt_gemm_nt", "tf32_hc_prenorm_gemm", "fp8_gemm_xx"):
        assert getattr(dg, name, None) is None and not hasattr(dg, name)
    with pytest.raises(AttributeError, match="no attribute 'm_grouped_bf16_gemm_nt_masked': fp8gemm computes products of block"):
        dg.m_grouped_bf16_gemm_nt_masked(1, 2, 3)
    with pytest.raises(AttributeError, match="10.0"):
        dg.utils.get_mn_major_tma_aligned_packed_ue8m0_tensor(1)
    with pytest.raises(ImportError, match="fp8_mqa_logits"):
        from fp8gemm.deep_gemm import fp8_mqa_logits  # noqa: F401
    with pytest.raises(NotImplementedError):
        dg.set_tc_util(80)


SLICES = [(0, 64), (4, 68), (7, 40), (1, 2), (998, 1000)]


@pytest.mark.parametrize("first, last", SLICES)
def test_slices_of_aligned_scales(calls, first, last):
    """A slice has the strides that TMA wants, but an address of its own."""
    whole, rows = dg.get_mn_major_tma_aligned_tensor(torch.rand(1000, 2)), last - first
    dg.fp8_gemm_nt((pair(rows, 256)[0], whole[first:last]), pair(256, 256, block_rows=128), torch.zeros(rows, 256).bfloat16())
    sfa = calls[0][1][1]
    assert torch.equal(sfa, whole[first:last]) and sfa.data_ptr() % 16 == 0 and sfa.stride(0) == 1 and sfa.stride(1) % 4 == 0
    assert (sfa.data_ptr() == whole[first:].data_ptr()) == (first % 4 == 0)  # copied only if it must be


@pytest.mark.parametrize("scales", [lambda: torch.rand(3, 9, 2).mT.contiguous().mT[:, 1:], lambda: torch.rand(2, 3, 8).permute(1, 2, 0),
                                    lambda: torch.rand(3, 2, 9)[:, :, :8].mT, lambda: torch.rand(8, 2).expand(3, 8, 2),
                                    lambda: torch.rand(3, 8, 1).expand(3, 8, 2), lambda: torch.rand(97)[1:49].as_strided((3, 8, 2), (16, 1, 8))])
def test_scales_of_groups(calls, scales):
    sfa = scales()
    a, b = pair(8, 256, groups=(3,)), pair(256, 256, block_rows=128, groups=(3,))
    dg.m_grouped_fp8_gemm_nt_masked((a[0], sfa), b, torch.zeros(3, 8, 256).bfloat16(), torch.zeros(3, dtype=torch.int32), 4)
    stored = calls[0][1][1]
    assert torch.equal(stored, sfa) and stored.data_ptr() % 16 == 0 and stored.stride(1) == 1
    assert stored.stride(0) % 4 == 0 and stored.stride(2) % 4 == 0 and stored.stride(2) >= 8


def test_slices_reach_the_launch(pack, driver, monkeypatch):
    """All products, with scales that begin anywhere, on the fake driver."""
    from torch_arrays import allocate_for_driver, on_cuda

    allocate_for_driver(monkeypatch)
    for name, value in dict(pack=None, layouts={}, options=dict(_settings.options), alignment=128).items():
        monkeypatch.setattr(_settings, name, value)
    dg.use(pack)
    on = lambda values, scales: (on_cuda(values), on_cuda(scales))
    b, experts = on(*pair(256, 256, block_rows=128)), on(*pair(256, 256, block_rows=128, groups=(3,)))
    of_rows = on_cuda(dg.get_mn_major_tma_aligned_tensor(torch.rand(400, 2)))[7:391]
    of_groups = on_cuda(torch.rand(3, 2, 12))[:, :, 1:9].mT
    d, grad = on_cuda(torch.zeros(384, 256).bfloat16()), on_cuda(torch.zeros(384, 256))
    index, ends = on_cuda(torch.zeros(384, dtype=torch.int32)), on_cuda(torch.zeros(3, dtype=torch.int32))
    values = on_cuda(pair(384, 256)[0])
    dg.fp8_gemm_nt((values, of_rows), b, d)
    dg.fp8_gemm_nt((values, of_rows), (b[0], of_rows[3:259]), grad, c=grad, recipe=(1, 1, 128))
    dg.m_grouped_fp8_gemm_nt_contiguous((values, of_rows), experts, d, index)
    dg.m_grouped_fp8_gemm_nt_contiguous((values, of_rows), (experts[0], experts[1][:1].expand(3, 2, 2)), d, ends, use_psum_layout=True)
    dg.m_grouped_fp8_gemm_nt_masked((on_cuda(pair(8, 256, groups=(3,))[0]), of_groups), experts,
                                    on_cuda(torch.zeros(3, 8, 256).bfloat16()), ends, 4)
    a, b, d, ks, lengths = k_grouped([256, 0, 128], 128, 256)
    d = on_cuda(d)
    dg.k_grouped_fp8_gemm_nt_contiguous((on_cuda(a[0]), on_cuda(torch.rand(3, 129))[:, 1:].T), (on_cuda(b[0]), on_cuda(b[1])), d, ks,
                                        on_cuda(lengths), d)
    assert len(driver.launches) == 6


def wrong_calls():
    a, b, d = pair(8, 256), pair(256, 256, block_rows=128), torch.zeros(8, 256).bfloat16()
    experts, index, masked = pair(256, 256, block_rows=128, groups=(3,)), torch.zeros(8, dtype=torch.int32), pair(8, 256, groups=(3,))
    nt, contiguous, of_masked = dg.fp8_gemm_nt, dg.m_grouped_fp8_gemm_nt_contiguous, dg.m_grouped_fp8_gemm_nt_masked
    x = torch.rand(8, 256)
    return [
        (TypeError, "'sfa' .*float32, as on Hopper, got int32", lambda: nt((a[0], torch.zeros(8, 1, dtype=torch.int32)), b, d)),
        (TypeError, "'sfb' .* to be a torch.Tensor, got NoneType", lambda: nt(a, (b[0], None), d)),
        (TypeError, "'a' to be a torch.Tensor, got ndarray", lambda: nt((x.numpy(), a[1]), b, d)),
        (TypeError, "'a' to be a pair of FP8 values and their scales, got Tensor", lambda: nt(x, b, d)),
        (TypeError, "'b' to be a pair .*, got tuple of 3", lambda: nt(a, (*b, 1), d)),
        (ValueError, r"'a' of 2 dimensions, got shape \(3, 8, 256\)", lambda: nt(masked, b, d)),
        (TypeError, "'d' to be a torch.Tensor, got NoneType", lambda: nt(a, b, None)),
        (ValueError, "both 'recipe_a' and 'recipe_b', or none, got \\(1, 128\\) and None", lambda: nt(a, b, d, recipe_a=(1, 128))),
        (ValueError, "both 'recipe_a' and 'recipe_b'", lambda: nt(a, b, d, recipe_b=(128, 128))),
        (ValueError, "got both", lambda: nt(a, b, d, recipe=(1, 128, 128), recipe_b=(128, 128))),
        (TypeError, "'recipe' to be a tuple of 3 integers, got 128", lambda: nt(a, b, d, recipe=128)),
        (ValueError, "'recipe' of 3 integers", lambda: nt(a, b, d, recipe=(1, 128))),
        (ValueError, r"'sfb' .* of 256 rows, by recipe \(1, 1, 128\) of N = 256, got shape \(2, 2\)", lambda: nt(a, b, d, recipe=(1, 1, 128))),
        (ValueError, "'sfb' .* of 2 rows", lambda: nt(a, pair(256, 256), d)),
        (ValueError, "'compiled_dims' of the letters m, n and k, got 'xy'", lambda: nt(a, b, d, compiled_dims="xy")),
        (TypeError, "'disable_ue8m0_cast' to be True or False, got 1", lambda: nt(a, b, d, disable_ue8m0_cast=1)),
        (TypeError, "'b' to be a pair", lambda: dg.fp8_gemm_nn(a, 5, d)),
        (ValueError, "'b' of 3 dimensions", lambda: contiguous(a, b, d, index)),
        (TypeError, "'grouped_layout' to be a torch.Tensor, got list", lambda: contiguous(a, experts, d, [0] * 8)),
        (TypeError, "'use_psum_layout' to be True or False", lambda: contiguous(a, experts, d, index, use_psum_layout="no")),
        (TypeError, "'expected_m_for_psum_layout' to be an integer", lambda: contiguous(a, experts, d, index, use_psum_layout=True, expected_m_for_psum_layout="4")),
        (TypeError, "'expected_m' to be an integer, got None", lambda: of_masked(masked, experts, d[None].expand(3, 8, 256), index[:3], None)),
        (TypeError, "'masked_m' to be a torch.Tensor", lambda: of_masked(masked, experts, d[None].expand(3, 8, 256), 3, 4)),
        (TypeError, "'new_enable_pdl' to be True or False, got 'on'", lambda: dg.set_pdl("on")),
        (ValueError, r"'new_value' in \[1, 2147483647\], got 0", lambda: dg.set_mk_alignment_for_contiguous_layout(0)),
        (TypeError, "'new_value' to be an integer, got 64.5", lambda: dg.set_mk_alignment_for_contiguous_layout(64.5)),
        (TypeError, "'new_tc_util' to be an integer", lambda: dg.set_tc_util(None)),
        (TypeError, "'batch_invariant' to be True or False", lambda: dg.use("x", batch_invariant=1)),
        (TypeError, "'path' to be a str, bytes or os.PathLike, got 5", lambda: dg.use(5)),
        (TypeError, "'sf' to be a torch.Tensor, got NoneType", lambda: dg.get_mn_major_tma_aligned_tensor(None)),
        (ValueError, "'element_size' in", lambda: dg.get_tma_aligned_size(4, 0)),
        (TypeError, "'recipe' to be a tuple of 3 integers, got None", lambda: dg.transform_sf_into_required_layout(x, 8, 256, None)),
        (ValueError, "'gran_k' in", lambda: dg.per_token_cast_to_fp8(x, False, gran_k=0)),
        (TypeError, "'use_ue8m0' to be True or False", lambda: dg.per_token_cast_to_fp8(x, None)),
        (TypeError, "'x' of a floating type, got torch.int64", lambda: dg.per_block_cast_to_fp8(x.long(), False)),
        (ValueError, "'x' of 2 dimensions", lambda: dg.per_block_cast_to_fp8(x[0], False)),
        (ValueError, "'dims' to be some of the dimensions", lambda: dg.per_custom_dims_cast_to_fp8(x, (5,), False)),
        (ValueError, "'y' above 0, got 0", lambda: dg.ceil_div(4, 0)),
    ]


def test_wrong_arguments_are_named(calls):
    for error, message, call in wrong_calls():
        with pytest.raises(error, match=f"expected .*{message}|expected {message}"):
            call()
    assert calls == []


WORKER = """if True:
    import importlib.util, json, multiprocessing, subprocess, sys
    import fp8gemm.deep_gemm

    def looks(answers):
        import importlib
        found = importlib.util.find_spec("deep_gemm") is not None
        import deep_gemm, deep_gemm.utils.layout
        answers.put([found, deep_gemm.__name__, hasattr(deep_gemm, "fp8_mqa_logits"), callable(deep_gemm.fp8_gemm_nt)])

    if __name__ == "__main__":
        fp8gemm.deep_gemm.install()
        fp8gemm.deep_gemm.install()
        assert importlib.util.find_spec("deep_gemm")
        context = multiprocessing.get_context("spawn")
        answers = context.Queue()
        worker = context.Process(target=looks, args=(answers,))
        worker.start()
        print(json.dumps(answers.get(timeout=120)))
        worker.join()
        child = "import deep_gemm; print('[true, ' + repr(deep_gemm.__name__).replace(chr(39), chr(34)) + ', false, true]')"
        print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True).stdout.strip())
"""


def test_install_reaches_workers(tmp_path):
    """However they are started, and whether or not the parent found the package by a path of its own."""
    program = tmp_path / "program.py"
    program.write_text(WORKER)
    # Only the package itself, which on a GPU machine may lie in a folder of its own.
    done = subprocess.run([sys.executable, program], capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(Path(fp8gemm.__file__).parents[1])})
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [[True, "fp8gemm.deep_gemm", False, True]] * 2


def test_another_programs_import():
    """`import deep_gemm`, and a pack from the environment."""
    program = """if True:
        import fp8gemm.deep_gemm
        fp8gemm.deep_gemm.install()
        import deep_gemm
        from deep_gemm.utils.layout import get_mn_major_tma_aligned_tensor
        from deep_gemm.utils.math import ceil_div
        assert deep_gemm.get_mn_major_tma_aligned_tensor is get_mn_major_tma_aligned_tensor
        one = __import__("torch").zeros(1, 1)
        deep_gemm.fp8_gemm_nt((one, one), (one, one), one)
    """
    for environment, message in (({}, "expected a pack: call fp8gemm.deep_gemm.use"),
                                 ({"FP8GEMM_PACK": "/nowhere"}, "cannot open '/nowhere'")):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              env={**{k: v for k, v in os.environ.items() if k != "FP8GEMM_PACK"}, **environment})
        assert done.returncode == 1 and message in done.stderr


def test_missing_problem_is_named(pack, monkeypatch):
    from arrays import CapsuleArray, rows

    monkeypatch.setattr(_settings, "pack", None)
    monkeypatch.setattr(_settings, "layouts", {})
    monkeypatch.setattr(_settings, "options", dict(_settings.options))
    assert dg.use(pack, batch_invariant=True) is pack and _settings.options["batch_invariant"] is True
    assert _settings.layouts == {("none", 256, 256, "1d2d"): [("mn_major", "k_major")]}
    assert dg.use(pack) is pack and _settings.current(torch.device("cpu")) is pack and _settings.options["batch_invariant"] is False
    assert set(_settings.layouts["none", 256, 256, "1d2d"]) == {("mn_major", "k_major")}
    assert _settings.layouts["row_end", 256, 256, "1d2d"] == [("mn_major", "k_major")]
    a, b = (CapsuleArray(rows((4, 512), "float8_e4m3fn")) for _ in range(2))
    with pytest.raises(fp8gemm.NotInPackError, match='"n": 4, "k": 512'):
        pack.gemm(a, CapsuleArray(rows((4, 4), np.float32)), b, CapsuleArray(rows((1, 4), np.float32)),
                  CapsuleArray(rows((4, 4), "bfloat16")), stream=0)
