# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The worker of the benchmark on grouped products, on the CPU with stand-ins for kernels and for the clock."""

import sys
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="no PyTorch: the benchmark's worker is not tested")
pytest.importorskip("triton", reason="no Triton: the benchmark's worker is not tested")
import bench  # finds the modules of test/Execution
import contenders
import gpu_timing
import grouped_contenders
import operands
import races
import shapes
from shapes import Groups, Kind, Load, Problem
from test_measure import FakeClock

SIZES = (5, 0, 130, 1)


def rows(grouping, align, allocated=0, kind=Kind()):
    return Problem(8, 136, 144, kind, Groups(grouping, len(SIZES), align), Load(SIZES, allocated))


FORMS = {"ends": rows("row_end", 1), "aligned": rows("row_end", 128), "index": rows("row_index", 128),
         "counts": rows("row_count", 1, 256), "exact": rows("row_index", 8, kind=Kind("1d1d", d="f32"))}
ALONG_K = {flat: Problem(24, 40, 272, shapes.WEIGHT_GRADIENT_KIND, Groups("k_count", 3, flat=flat), Load((128, 0, 144)))
           for flat in (True, False)}


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setattr(contenders, "DEVICE", "cpu")
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(gpu_timing, "ReadOnce", lambda tensor: lambda: None)


def multiplied(data):
    """D of the data as it is stored, by the description for the device; padding rows are NaN."""
    d = torch.full(data.shape_of_d, float("nan"), dtype=torch.float64)
    a = data.a.reshape(-1, data.problem.k)
    a = operands.dequantise(a, data.sfa.reshape(len(a), -1), 1, 128)
    told, grouping, align = data.told.tolist(), data.problem.groups.grouping, data.problem.groups.align
    for group in range(data.problem.groups.count):
        if grouping == "row_index":
            mine = [row for row, of in enumerate(told) if of == group]
        elif grouping == "row_count":
            mine = [group * data.m + row for row in range(told[group])]
        else:
            start = -(-told[group - 1] // align) * align if group else 0
            mine = list(range(start, told[group]))
        b = operands.dequantise(data.b[group], data.sfb[group], data.sfb_rows, 128)
        d.view(-1, data.problem.n)[mine] = a[mine] @ b.T
    return d.to(data.d_type)


def summed(data):
    """The same of groups along K."""
    d, first, block = torch.zeros(data.shape_of_d, dtype=torch.float64), 0, 0
    for group, length in enumerate(data.told.tolist()):
        blocks = -(-length // 128)

        def part(codes, scales, rows):
            if data.problem.groups.flat:
                codes = codes.view(torch.uint8)[first * rows:(first + length) * rows].view(codes.dtype).view(rows, length)
            else:
                codes = codes[:, first:first + length]
            return operands.dequantise(codes, scales[:, block:block + blocks], 1, 128)

        if length:
            d[group] = part(data.a, data.sfa, data.problem.m) @ part(data.b, data.sfb, data.problem.n).T
        first, block = first + length, block + blocks
    return d.to(data.d_type)


@pytest.mark.parametrize("form", FORMS)
def test_data_of_rows(form):
    data = grouped_contenders.Data(FORMS[form])
    d = multiplied(data)
    assert data.error(d, data.expected) < 4e-3 and data.finite(d)
    assert len(data.place) == sum(SIZES) and int(torch.isfinite(d).all(-1).sum()) == sum(SIZES)
    assert len(data.expected) == 3 and len(data.touched) == 3  # of four groups, one is empty
    assert [int(rows[0]) for rows in data.rows] == data.place[[0, 5, 135]].tolist()
    assert [int(rows[-1]) for rows in data.rows] == data.place[[4, 134, 135]].tolist()
    assert torch.isfinite(data.sfa).all() and (data.a.view(torch.uint8) != 0).any(-1).all()  # also where no group is


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("group", [0, 2, 3])
def test_one_wrong_group_is_seen(form, group):
    data = grouped_contenders.Data(FORMS[form])
    d = multiplied(data)
    first = [0, None, 5, 135][group]
    d.view(-1, 136)[data.place[first]] *= 1.5
    assert data.error(d, data.expected) > bench.ALLOWED_ERROR
    d.view(-1, 136)[data.place[first]] = float("nan")
    assert not data.error(d, data.expected) <= bench.ALLOWED_ERROR


def test_an_unwritten_row_is_seen():
    data = grouped_contenders.Data(FORMS["ends"])
    d = multiplied(data)
    sampled = torch.cat(data.rows).tolist()
    d[next(row for row in range(len(d)) if row not in sampled)] = float("nan")
    assert data.error(d, data.expected) <= bench.ALLOWED_ERROR and not data.finite(d)


@pytest.mark.parametrize("flat", ALONG_K)
def test_data_along_k(flat):
    data = grouped_contenders.Data(ALONG_K[flat])
    assert data.k == 272 and data.sfa.shape == (24, 3) and data.a.dim() == (1 if flat else 2)
    d = summed(data)
    assert data.error(d, data.expected) < 1e-5 and data.finite(d)
    d[2, 23] = 0
    assert data.error(d, data.expected) > bench.ALLOWED_ERROR
    d[1, 0, 0] = float("nan")
    assert not data.finite(d)


@pytest.mark.parametrize("scaled_rows", [1, 128])
def test_data_is_quantised_in_parts(monkeypatch, scaled_rows):
    monkeypatch.setattr(grouped_contenders, "QUANTISED_ROWS", 128)
    codes, scales = grouped_contenders.normal(300, 144, scaled_rows, torch.Generator().manual_seed(0))
    assert codes.shape == (300, 144) and scales.shape == (-(-300 // scaled_rows), 2)
    x = torch.randn(128, 144, generator=torch.Generator().manual_seed(0))
    first, first_scales = operands.quantise(x, scaled_rows, 128)
    assert codes[:128].view(torch.uint8).equal(first.view(torch.uint8)) and scales[:len(first_scales)].equal(first_scales)
    normal = operands.dequantise(codes, scales, scaled_rows, 128)
    assert 0.9 < float(normal[256:].std()) < 1.1 and 0.9 < float(normal[:, 128:].std()) < 1.1


def test_storage_of_scales():
    scales = torch.arange(2 * 5 * 3).view(2, 5, 3).float()
    assert grouped_contenders.stored(scales, "k_major").equal(scales)
    stored = grouped_contenders.stored(scales, "mn_major")
    assert stored.shape == (2, 3, 8) and stored[:, :, :5].equal(scales.transpose(1, 2))
    assert grouped_contenders.operand(stored)[1:] == (8, 24)
    assert grouped_contenders.operand(stored[0])[1:] == (8, 0) and grouped_contenders.operand(stored[0, 0])[1:] == (0, 0)


class Right(contenders.Contender):
    """A contender that is right so many times; of groups along K, one that adds."""

    built = []

    def __init__(self, data, good_calls=10**9):
        self.built.append(data.problem)
        self.data, self.expected, self.good_calls, self.calls = data, data.expected, good_calls, 0
        self.adds = data.problem.groups.grouping == "k_count"
        self.result = summed(data) if self.adds else multiplied(data)
        self.output = torch.zeros_like(self.result)

    def __call__(self):
        self.calls += 1
        if self.calls <= self.good_calls:
            self.output = self.output + self.result if self.adds else self.result.clone()


def measure(monkeypatch, case, peers=(), **good_calls):
    """Of a case whose kernels are each right so many times."""
    monkeypatch.setattr(grouped_contenders, "Ours", lambda data, path: Right(data, int(path)))
    monkeypatch.setattr(grouped_contenders, "PEERS", {"deepgemm": Right})
    files = {variant: {"default": calls} for variant, calls in good_calls.items()}
    return bench.measure(races.item_of("x", case, peers, files), FakeClock(), 3)


def test_measure(monkeypatch):
    case = {"ends": FORMS["ends"], "counts": FORMS["counts"]}
    monkeypatch.setattr(Right, "built", [])
    result = measure(monkeypatch, case, ["cublas-t", "deepgemm"], ends=1000, counts=1000)
    assert Right.built == list(case.values()) * 2  # each kernel and each peer on its own variant's data
    assert result["status"] == "pass" and not result["notes"]
    assert set(result["us"]) == {f"{v}: {who}" for v in case for who in ("default", "deepgemm", "read")}


@pytest.mark.parametrize("good_calls", [0, 53])
def test_wrong_result_of_a_variant_is_not_timed(monkeypatch, good_calls):
    """Wrong from the start, and wrong only in the timed run: the poison is still there."""
    case = {"ends": FORMS["ends"], "counts": FORMS["counts"]}
    result = measure(monkeypatch, case, ends=1000, counts=good_calls)
    assert result["status"] == "fail" and "ends: default" in result["us"] and "counts: default" not in result["us"]
    assert "wrong result" in result["notes"]["counts: default"]


def test_rows_that_are_not_sampled_are_not_forgotten(monkeypatch):
    class Forgetful(Right):
        def __call__(self):
            super().__call__()
            sampled = torch.cat(self.data.rows).tolist()
            self.output[next(row for row in range(len(self.output)) if row not in sampled)] = float("nan")

    monkeypatch.setitem(globals(), "Right", Forgetful)
    result = measure(monkeypatch, {"ends": FORMS["ends"]}, ends=1000)
    assert result["status"] == "fail" and result["error"]["ends: default"] <= bench.ALLOWED_ERROR


def test_a_variant_without_a_kernel_is_a_failure(monkeypatch):
    assert measure(monkeypatch, {"ends": FORMS["ends"], "counts": FORMS["counts"]}, ends=1000)["status"] == "fail"


@pytest.mark.parametrize("good_calls, status", [(1000, "pass"), (10, "fail"), (0, "fail")])
@pytest.mark.parametrize("flat", ALONG_K)
def test_what_adds_is_checked_on_zeros(monkeypatch, flat, good_calls, status):
    assert measure(monkeypatch, {"only": ALONG_K[flat]}, only=good_calls)["status"] == status


def test_deepgemm_says_what_it_does_not_do():
    with pytest.raises(NotImplementedError, match="only row_index of aligned groups, row_count and flat k_count"):
        grouped_contenders.DeepGemm(grouped_contenders.Data(FORMS["ends"]))


@pytest.mark.parametrize("problem", [FORMS["index"], FORMS["counts"], ALONG_K[True]], ids=["index", "counts", "along k"])
def test_what_deepgemm_is_given(monkeypatch, problem):
    """Its own layouts, and the description as we have it."""
    data, called = grouped_contenders.Data(problem), []

    def contiguous(a, b, d, told):
        called.append((a[0], b[0], told))
        assert a[1] == "aligned" and b[1] is data.sfb
        d.copy_(multiplied(data))

    def masked(a, b, d, told, expected):
        assert expected == 8
        contiguous(a, b, d, told)

    def k_grouped(a, b, d, lengths, told, c):
        called.append((a[0], b[0], told))
        assert lengths == [128, 0, 144] and c is d
        assert a[1].equal(data.sfa) and a[1].stride() == (1, 24) and b[1].equal(data.sfb) and b[1].stride() == (1, 40)
        d.add_(summed(data))

    monkeypatch.setitem(sys.modules, "deep_gemm", SimpleNamespace(
        get_mn_major_tma_aligned_tensor=lambda scales: "aligned", m_grouped_fp8_gemm_nt_contiguous=contiguous,
        m_grouped_fp8_gemm_nt_masked=masked, k_grouped_fp8_gemm_nt_contiguous=k_grouped))
    peer = grouped_contenders.DeepGemm(data)
    assert all(given is mine for given, mine in zip(called[0], (data.a, data.b, data.told)))
    assert data.error(peer.output, peer.expected) < 4e-3 and data.finite(peer.output)
    assert peer.adds == (problem in ALONG_K.values())


@pytest.mark.parametrize("problem, m, k, strides", [
    (FORMS["ends"], 136, 0, [(144, 0), (136, 0), (144, 136 * 144), (2, 4), (136, 0)]),
    (FORMS["counts"], 256, 0, [(144, 256 * 144), (256, 512), (144, 136 * 144), (2, 4), (136, 256 * 136)]),
    (ALONG_K[True], 24, 272, [(0, 0), (24, 0), (0, 0), (40, 0), (40, 24 * 40)]),
    (ALONG_K[False], 24, 272, [(272, 0), (24, 0), (272, 0), (40, 0), (40, 24 * 40)])],
    ids=["ends", "counts", "flat", "along k"])
def test_what_a_kernel_is_given(monkeypatch, problem, m, k, strides):
    along_k, given = k > 0, {}

    def grouped_arguments(m, *operands, **rest):
        given.update(m=m, operands=operands, **rest)

    kernel = SimpleNamespace(load=lambda: None, c_use=problem.kind.c, sfa="mn_major", workspace_bytes=256,
                             sfb="mn_major" if along_k else "k_major", grouped_arguments=grouped_arguments)
    monkeypatch.setattr(grouped_contenders.runtime_binding, "Kernel", lambda path: kernel)
    data = grouped_contenders.Data(problem)
    ours = grouped_contenders.Ours(data, "f")
    assert (given["m"], given["k"], given["groups"]) == (m, k, data.told.data_ptr()) and given["workspace"]
    assert [operand[1:] for operand in given["operands"]] == strides
    addresses = [tensor.data_ptr() for tensor in (data.a, data.b, ours.output)]
    assert [given["operands"][i][0] for i in (0, 2, 4)] == addresses and ours.adds == along_k
