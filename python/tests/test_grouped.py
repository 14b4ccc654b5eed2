# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What reaches the launch of products of groups, and what is refused before it: 3 groups, n = k = 256."""

import ml_dtypes
import numpy as np
import pytest
from arrays import CapsuleArray, ExchangeArray, columns, rows

import fp8gemm

E4M3, BF16, F32, I32 = ml_dtypes.float8_e4m3fn, ml_dtypes.bfloat16, np.float32, np.int32
G = 3


def contiguous(m=384, groups=None, library=ExchangeArray):
    shapes = (rows((m, 256), E4M3), columns((m, 2), F32), rows((G, 256, 256), E4M3), rows((G, 2, 2), F32),
              rows((m if groups is None else groups,), I32), rows((m, 256), BF16))
    return [library(values) for values in shapes]


def masked(m=16, **changes):
    shapes = dict(a=rows((G, m, 256), E4M3), sfa=columns((G, m, 2), F32), b=rows((G, 256, 256), E4M3),
                  sfb=rows((G, 2, 2), F32), counts=rows((G,), I32), d=rows((G, m, 256), BF16))
    shapes.update(changes)
    return [values if values is None else ExchangeArray(values) for values in shapes.values()]


def k_grouped(k=512, flat=True, blocks=4):
    """m = 128; d += a b^T."""
    a, b = (rows((side * k,) if flat else (side, k), E4M3) for side in (128, 256))
    return [ExchangeArray(values) for values in (a, columns((128, blocks), F32), b, columns((256, blocks), F32),
                                                 rows((G,), I32), rows((G, 128, 256), F32))]


def pointers(driver):
    """Values of the launch's parameters: pointers are among them."""
    launch, = driver.launches
    return launch["params"]


@pytest.mark.parametrize("by, groups", [("index", None), ("end", G)])
@pytest.mark.parametrize("library", [ExchangeArray, CapsuleArray])
def test_contiguous(pack, driver, library, by, groups):
    arrays = contiguous(groups=groups, library=library)
    assert pack.grouped_gemm_contiguous(*arrays, by=by, stream=0) is arrays[5]
    addresses = [x["address"] for x in driver.maps]
    assert [x.address for x in (arrays[0], arrays[2], arrays[1])] == addresses[:3]
    b = driver.maps[1]
    assert b["extents"] == [256, 256, G] and b["strides"] == [256, 65536]
    assert len(driver.launches) == 1


def test_contiguous_allocates(pack, driver):
    d = pack.grouped_gemm_contiguous(*contiguous()[:5])
    assert d.values.shape == (384, 256) and d.values.dtype == BF16


def test_masked(pack, driver):
    arrays = masked()
    assert pack.grouped_gemm_masked(*arrays, expected_m=4) is arrays[5]
    a, _, sfa = driver.maps[:3]
    assert a["extents"] == [256, 16, G] and a["strides"] == [256, 16 * 256]
    assert sfa["extents"] == [16, 2, G] and sfa["strides"] == [64, 128]


def test_groups_share_matrices_of_b(pack, driver):
    """The pack has no such problem; its text says what was asked for."""
    shared = dict(a=rows((2 * G, 16, 256), E4M3), sfa=columns((2 * G, 16, 2), F32), counts=rows((2 * G,), I32), d=rows((2 * G, 16, 256), BF16))
    with pytest.raises(fp8gemm.NotInPackError, match='"grouping": "row_count", "groups": 6, "weights": 3}'):
        pack.grouped_gemm_masked(*masked(**shared))
    with pytest.raises(fp8gemm.NotInPackError, match='"grouping": "batched", "groups": 6, "weights": 3}'):
        pack.grouped_gemm_masked(*masked(**{**shared, "counts": None}))
    with pytest.raises(fp8gemm.NotInPackError, match='"grouping": "row_end", "groups": 6, "align": 128, "weights": 3}'):
        pack.grouped_gemm_contiguous(*contiguous(groups=2 * G), by="end")
    with pytest.raises(ValueError, match="expected 'b' to have a matrix for each of 4 groups, or a number of matrices that divides them, got 3"):
        pack.grouped_gemm_contiguous(*contiguous(groups=G + 1), by="end")
    assert driver.launches == []


def test_row_scale_of_each_group(pack, driver):
    arrays, row_scale = masked(), ExchangeArray(rows((G, 16), np.float32))
    driver.reset([8, 8, 8, 8, 4, 4, 8, 8, 4, 4, 8, 4, 4, 8, 4])  # sfb, d and the column with their strides
    assert pack.grouped_gemm_masked(*arrays, expected_m=4, row_scale=row_scale) is arrays[5]
    # From a row to the next, and from a group to the next.
    assert driver.launches[0]["params"][10:13] == [row_scale.address, 1, 16]
    with pytest.raises(ValueError, match=r"expected 'row_scale' of shape \[G, M\] = "):
        pack.grouped_gemm_masked(*arrays, row_scale=ExchangeArray(rows((16, G), np.float32)))


def test_batched_is_another_problem(pack):
    with pytest.raises(fp8gemm.NotInPackError, match='"grouping": "batched"'):
        pack.grouped_gemm_masked(*masked(counts=None))


def test_k_groups(pack, driver, monkeypatch):
    arrays = k_grouped()
    before = len(ExchangeArray.allocated)
    assert pack.grouped_gemm_k(*arrays, arrays[5]) is arrays[5]
    assert len(driver.launches) == 1
    workspaces = [x.values for x in ExchangeArray.allocated[before:]]
    assert [(x.dtype, x.ndim) for x in workspaces] == [(np.uint8, 1)]  # as this kernel needs one


def test_own_stream_needs_own_workspace(pack, driver):
    arrays = k_grouped()
    with pytest.raises(ValueError, match=r"expected 'workspace' together with 'stream': \d+ bytes"):
        pack.grouped_gemm_k(*arrays, arrays[5], stream=1)
    small = ExchangeArray(rows((16,), np.uint8))
    with pytest.raises(ValueError, match=r"expected 'workspace' of at least \d+ contiguous uint8, got 16 of uint8"):
        pack.grouped_gemm_k(*arrays, arrays[5], stream=1, workspace=small)
    pack.grouped_gemm_k(*arrays, arrays[5], stream=1, workspace=ExchangeArray(rows((1 << 20,), np.uint8)))
    assert len(driver.launches) == 1


def test_check_groups_reads_them(pack, driver):
    arrays = contiguous()
    arrays[4].values[5] = 7
    with pytest.raises(ValueError, match=r"expected groups\[5\] in \[-1, 3\), got 7"):
        pack.grouped_gemm_contiguous(*arrays, check_groups=True)
    assert driver.launches == []
    pack.grouped_gemm_contiguous(*arrays)  # not asked for


def test_options_reach_the_launch(pack, driver):
    pack.grouped_gemm_contiguous(*contiguous(), num_sms=2, dependent=True)
    launch, = driver.launches
    assert launch["grid"] == 2 and launch["dependent"]


def test_batch_invariance_is_asked_for(pack):
    for call in (lambda: pack.grouped_gemm_contiguous(*contiguous(), batch_invariant=True),
                 lambda: pack.grouped_gemm_masked(*masked(), batch_invariant=True)):
        with pytest.raises(fp8gemm.NotInPackError, match='"batch_invariant": true'):
            call()


def test_no_rows_do_nothing(pack, driver):
    pack.grouped_gemm_contiguous(*contiguous(m=0))
    with pytest.raises(TypeError, match="expected 'workspace' to be an array"):
        pack.grouped_gemm_contiguous(*contiguous(m=0), workspace=5)
    pack.grouped_gemm_masked(*masked(m=0))
    assert driver.launches == []


@pytest.mark.parametrize("message, options", [
    (r'"align": 64', dict(align=64)),
    (r"expected 'by' to be \"index\" .* got 'ends'", dict(by="ends")),
    (r"expected 'by' to be \"index\" .* got 7", dict(by=7)),
    (r"expected 'align' in \[1, 2147483647\], got 0", dict(align=0)),
    (r"expected 'expected_m' to be an integer, got 1.5", dict(expected_m=1.5)),
    (r"expected 'workspace' of at least 0 contiguous uint8, got 16 of int32", dict(workspace=ExchangeArray(rows((16,), I32)))),
    (r"expected 'workspace' to be an array that supports DLPack, got str", dict(workspace="none")),
    (r'"groups": 384, "align": 128, "weights": 3', dict(by="end")),  # an index taken for ends
])
def test_contiguous_refused(pack, driver, message, options):
    with pytest.raises((ValueError, TypeError, fp8gemm.NotInPackError), match=message):
        pack.grouped_gemm_contiguous(*contiguous(), **options)
    assert driver.launches == []


@pytest.mark.parametrize("message, changes", [
    (r"expected 'counts' of int32, got float32", dict(counts=rows((G,), F32))),
    (r"expected 'counts' to be contiguous, got a stride of 2", dict(counts=rows((2 * G,), I32)[::2])),
    (r"expected 'sfb' of shape \[matrices of b\] \+ \[2, 2\] .* got \(2, 2, 2\)", dict(sfb=rows((2, 2, 2), F32))),
    (r"expected 'b' to have a matrix for each of 3 groups, or a number of matrices that divides them, got 2", dict(b=rows((2, 256, 256), E4M3))),
    (r"expected 'b' of shape \[W, N, K\] = \(3, 256, 256\), got \(3, 256, 240\)", dict(b=rows((G, 256, 240), E4M3))),
    (r"expected 'd' of shape \[G, M, N\] = \(3, 16, 256\), got \(3, 17, 256\)", dict(d=rows((G, 17, 256), BF16))),
])
def test_masked_refused(pack, driver, message, changes):
    with pytest.raises((ValueError, TypeError), match=message):
        pack.grouped_gemm_masked(*masked(**changes))
    assert driver.launches == []


def test_more_groups_than_are_counted(pack, driver):
    """2^32 + 3 are not 3: the same group again and again, as expand() of PyTorch makes it."""
    def repeated(values):
        return np.lib.stride_tricks.as_strided(values, (2**32 + G, *values.shape[1:]), (0, *values.strides[1:]))
    operands = [ExchangeArray(repeated(array.values)) for array in masked(counts=None) if array is not None]
    with pytest.raises(ValueError, match=r"expected at most 2147483647 groups, got 4294967299"):
        pack.grouped_gemm_masked(*operands[:4], None, operands[4])
    a, sfa, b, sfb, groups, d = contiguous(groups=G)
    operands = [a, sfa, ExchangeArray(repeated(b.values)), ExchangeArray(repeated(sfb.values)),
                ExchangeArray(np.lib.stride_tricks.as_strided(groups.values, (2**32 + G,), (0,))), d]
    with pytest.raises(ValueError, match=r"expected at most 2147483647 groups, got 4294967299"):
        pack.grouped_gemm_contiguous(*operands, by="end")
    arrays = k_grouped()
    arrays[4] = ExchangeArray(np.lib.stride_tricks.as_strided(arrays[4].values, (2**32 + G,), (0,)))
    with pytest.raises(ValueError, match=r"expected at most 2147483647 groups, got 4294967299"):
        pack.grouped_gemm_k(*arrays, arrays[5])
    assert driver.launches == []


def test_k_groups_refused(pack, driver):
    arrays = k_grouped(blocks=3)
    with pytest.raises(ValueError, match=r"expected 'sfa' of at least ceil\(K/128\) = 4 columns, got shape \(128, 3\)"):
        pack.grouped_gemm_k(*arrays, arrays[5])
    arrays = k_grouped()
    arrays[2] = ExchangeArray(rows((256 * 500,), E4M3))
    with pytest.raises(ValueError, match=r"expected 'b' of shape \[rows of sfb \* K of a\] = \(131072,\), got \(128000,\)"):
        pack.grouped_gemm_k(*arrays, arrays[5])
    arrays = k_grouped(flat=False)
    with pytest.raises(fp8gemm.NotInPackError, match='"op": "k_grouped_gemm", "n": 256, "m": 128, "groups": 3, "d_type": '
                                                     '"f32", "c": "in_place", "sfb": "mn_major"}'):
        pack.grouped_gemm_k(*arrays, arrays[5])
    assert driver.launches == []
