# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Grouped products of the sanitizer's program, without a GPU: a kernel in numpy gets what a kernel would get."""

import ctypes
from types import SimpleNamespace

import pytest

numpy = pytest.importorskip("numpy", reason="no NumPy")
pytest.importorskip("ml_dtypes", reason="no ml_dtypes")
import sanitize_grouped
from sanitize_grouped import TYPES, numerics, rows_of_groups

N, K, M, COUNT = 24, 144, 40, 3


class FakeDriver:
    """Device memory is NumPy's."""

    def __init__(self):
        self.arrays = {}

    def put(self, array):
        array = numpy.array(array)
        self.arrays[array.ctypes.data] = array
        return ctypes.c_uint64(array.ctypes.data)

    def get(self, address, shape, dtype):
        return self.arrays[address.value].reshape(shape).view(dtype)

    def call(self, name):
        assert name == "cuCtxSynchronize"

    def free(self, address):
        del self.arrays[address.value]


class FakeKernel(SimpleNamespace):
    def grouped_arguments(self, m, a, sfa, b, sfb, d, groups=None, c=None, k=0, workspace=None):
        operands = {"a": a, "sfa": sfa, "b": b, "sfb": sfb, "d": d, **({"c": c} if c else {})}
        arrays = {name: self.driver.arrays[address] for name, (address, _, _) in operands.items()}
        assert all(arrays[name].shape[1:] == (size // row, row) for name, (_, row, size) in operands.items())
        assert (workspace is not None) == bool(self.workspace_bytes)
        return SimpleNamespace(m=m, k=k, groups=groups and self.driver.arrays[groups].tolist(), **arrays)

    @property
    def weights(self):
        return self.groups

    def scales(self, which, stored):
        return stored.T if getattr(self, which) == "mn_major" else stored

    def launch(self, given):
        most = {"row_index": COUNT - 1, "k_count": given.k}.get(self.grouping, given.m)
        total = sum(given.groups) if self.grouping == "k_count" else 0
        if total > given.k or any(not -1 <= group <= most for group in given.groups or []):
            return  # a wrong description
        (self.reduce if self.grouping == "k_count" else self.multiply)(given)

    def multiply(self, given):
        a, d = given.a.reshape(-1, K), given.d.reshape(-1, N)
        for group, rows in enumerate(rows_of_groups(self, given.m, given.groups)):
            for row in rows[:-1] if self.fault == "stops early" else rows:
                of_a, at = divmod(row, given.m)
                sfa = self.scales("sfa", given.sfa[of_a])[at:at + 1]
                sfb = self.scales("sfb", given.sfb[0 if self.fault == "other scales" else group])
                problem = numerics.Problem(a[row:row + 1], sfa, given.b[group], sfb)
                d[row] = numerics.reference(problem)[0][0].astype(d.dtype)
        if self.fault == "writes all":
            d[sanitize_grouped.bits(d) == sanitize_grouped.bits(sanitize_grouped.poison((1, 1), d.dtype))] = 1

    def reduce(self, given):
        start, block = 0, 0
        for group, length in enumerate(given.groups):
            a, b = ((x[0, 0, extent * start:extent * (start + length)].reshape(extent, length) if self.flat else
                     x[0][:, start:start + length]) for x, extent in ((given.a, M), (given.b, N)))
            blocks = slice(block, block + numerics.ceil_div(length, 128))
            c = {"none": lambda: None, "apart": lambda: given.c[group], "in_place": lambda: given.d[group]}[self.c_use]()
            problem = numerics.Problem(a, self.scales("sfa", given.sfa[0])[:, blocks], b,
                                       self.scales("sfb", given.sfb[0])[:, blocks], TYPES[self.d_type], c)
            given.d[group] = numerics.reference(problem)[0].astype(given.d.dtype)
            start, block = start + length, blocks.stop


def results(grouping, seed=0, **changed):
    alongk = grouping == "k_count"
    kernel = FakeKernel(**{**dict(
        driver=FakeDriver(), grouping=grouping, groups=COUNT, align=8 if grouping.startswith("row_") else 1, n=N, k=K,
        m=M if alongk else -1, a_type="e4m3", b_type="e5m2", d_type="f32" if alongk else "bf16", c_use="none", flat=False,
        sfa="mn_major", sfb="k_major", sfb_rows=1 if alongk else 128, workspace_bytes=0, fault=None), **changed})
    found = list(sanitize_grouped.run(kernel.driver, kernel, {"file": "x", "grouping": grouping}, seed))
    assert not kernel.driver.arrays, "expected all memory to be freed"
    return found


@pytest.mark.parametrize("grouping", ["row_index", "row_end", "row_count", "batched"])
@pytest.mark.parametrize("sfa, sfb, sfb_rows", [("mn_major", "k_major", 128), ("k_major", "mn_major", 1)])
def test_groups_of_rows(grouping, sfa, sfb, sfb_rows):
    for seed in range(3):
        (name, wrong, share), *others = results(grouping, seed, sfa=sfa, sfb=sfb, sfb_rows=sfb_rows)
        assert (name, wrong) == ("random", None) and share < 1
        assert len(others) == (grouping != "batched") and all(wrong is None for _, wrong, _ in others)


@pytest.mark.parametrize("c_use", ["none", "apart", "in_place"])
@pytest.mark.parametrize("flat", [False, True])
def test_groups_along_k(c_use, flat):
    for seed in range(3):
        (name, wrong, share), _ = results("k_count", seed, c_use=c_use, flat=flat, sfa="k_major", workspace_bytes=128)
        assert (name, wrong) == ("random", None) and share < 1


@pytest.mark.parametrize("fault, said", [("stops early", "not finite, or not written"), ("other scales", "relative error"),
                                         ("writes all", "rows of no group were written")])
def test_faults_are_seen(fault, said):
    assert said in results("row_count", fault=fault)[0][1]


def test_which_kernels(tmp_path):
    """Those of the sanitizer's products, and grouped ones that are small."""
    sanitize_case = pytest.importorskip("sanitize_case")
    small = {"n": 264, "k": 400, "expected_m": 64, "grouping": "row_end"}
    index = [dict(small, file="small"), dict(small, file="large", n=1040), {"n": 264, "k": 400, "expected_m": 128, "file": "one"},
             {"n": 264, "k": 400, "expected_m": 4096, "file": "another set's"}]
    assert [name for name, _ in sanitize_case.products_of(None, tmp_path, index)] == ["one", "small"]
