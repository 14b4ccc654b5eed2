# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The GPU tests' own machinery, on the CPU: it must see every fault that it looks for."""


from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="no PyTorch: the checks of the GPU tests are not tested")
import gpu_case
import numpy
import operands
import runtime_binding
from operands import numerics

N, K = 136, 144
OTHER_STREAM, DEPENDENT_STREAM = 12345, 8


class FakeKernel:
    """Computes in float64 what a kernel would, through the same operands; `fault` spoils it."""

    def __init__(self, sfa="mn_major", sfb="k_major", fault=None, a_type="e4m3", b_type="e4m3", d_type="bf16",
                 c_use="none", sfb_rows=128):
        self.n, self.k, self.sfa, self.sfb, self.fault, self.calls = N, K, sfa, sfb, fault, 0
        self.a_type, self.b_type, self.d_type, self.c_use, self.sfb_rows = a_type, b_type, d_type, c_use, sfb_rows
        self.operands = None

    def arguments(self, m, a, sfa, b, sfb, d, c=None):
        self.pointers = {"a": a, "sfa": sfa, "b": b, "sfb": sfb, "d": d, **({"c": c} if c else {})}
        return m

    def refuses(self, m):
        sizes = {"a": 1, "b": 1, "c": 4 if self.d_type == "f32" else 2, "d": 4 if self.d_type == "f32" else 2}
        misaligned = any(name in sizes and (address % 16 or leading * sizes[name] % 16)
                         for name, (address, leading) in self.pointers.items() if address)
        c, d = self.pointers.get("c"), self.pointers["d"]
        wrong_c = (c is not None) != (self.c_use == "apart") or (c and c[0] and d[0] and abs(c[0] - d[0]) < 64)
        return (m < 0 or misaligned or wrong_c or d[0] == self.pointers["a"][0]
                or any(not address or not leading for address, leading in self.pointers.values()))

    def close(self):
        pass

    def launch(self, m, stream=0):
        self.calls += 1
        o = self.operands
        if self.refuses(m) and self.fault != "launches anything":
            raise runtime_binding.StatusError("INVALID_ARGUMENT: x")
        if stream == OTHER_STREAM:
            raise runtime_binding.StatusError(f"{self.fault or 'WRONG_CONTEXT'}: x")
        if m < 0:
            return
        if m == 0:
            if self.fault == "writes for M = 0":
                o.d.buffer[o.d.offset] = 0
            return
        sfa = o.sfa.read().T if self.sfa == "mn_major" else o.sfa.read()
        sfb = o.sfb.read().T if self.sfb == "mn_major" else o.sfb.read()
        c = {"none": lambda: None, "apart": lambda: o.c.read(), "in_place": lambda: o.d.read()}[self.c_use]()
        d = operands.sum_of_blocks(o.a.read(), sfa, o.b.read(), sfb, c).to(operands.TYPES[self.d_type])
        d.masked_fill_(d.isnan(), float("nan"))  # bits other than those of the poison
        if self.fault == "NaN is lost":
            d.nan_to_num_(nan=0.0)
        bits = operands.bits(d)
        if self.fault == "one element off":
            d[m // 2, 3] += 0.1 * d[m // 2].abs().max()
        if self.fault == "not written":
            bits[m - 1, N - 1] = -1
        if self.fault == "unstable" and self.calls % 2:
            bits[0, 0] ^= 1
        if self.fault == "bits depend on the stream" and stream:
            bits[m - 1, 0] ^= 1
        if self.fault == "starts too early" and stream == DEPENDENT_STREAM:
            bits[:] = 0
        if self.fault == "last bit":
            bits[0, 0] ^= 1
        if self.fault == "bits depend on M" and m < 64:
            bits[0, 0] ^= 1
        if self.fault == "reads out of bounds":
            d[0, 0] = float("nan")
        if self.fault == "writes beyond D":
            o.d.buffer[-1] = 0
        if self.fault == "writes between rows" and o.d.leading > N:
            o.d.buffer[o.d.offset + o.d.size * N] = 0
        if self.fault == "writes into A's guard":
            o.a.buffer[0] = 0
        o.d._bytes(o.d.buffer).copy_(d.view(torch.uint8).view(m, -1))


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(gpu_case, "MAX_M", 200)

    def run(item, **kernel):
        fake = FakeKernel(**kernel)

        class Watched(operands.Operands):
            def __init__(self, *arguments):
                super().__init__(*arguments)
                fake.operands = self

        monkeypatch.setattr(operands, "Operands", Watched)
        def around(kernel, path):
            for how, stream in (("alone", 0), ("on another stream", 7)):
                yield how, lambda arguments: kernel.launch(arguments, stream)

        def behind(kernel, everything):
            yield "as a dependent", lambda arguments: kernel.launch(arguments, DEPENDENT_STREAM)

        case = gpu_case.Case("cpu", lambda path: fake, lambda: None, lambda: OTHER_STREAM, around, behind)
        return case.run({"id": "x", "group": "x", "kernel": "x", "seed": 1, "m": 7, **item})

    return run


@pytest.mark.parametrize("m", [1, 7, 129, 200])
@pytest.mark.parametrize("sfa", ["k_major", "mn_major"])
@pytest.mark.parametrize("sfb", ["k_major", "mn_major"])
def test_right_result_passes(run, m, sfa, sfb):
    result = run({"m": m}, sfa=sfa, sfb=sfb)
    assert result["status"] == "pass" and 0 < result["ratio"] < 0.7 and 0 < result["row"] < 2.0**-8, result


@pytest.mark.parametrize("a_type, b_type", [("e4m3", "e5m2"), ("e5m2", "e4m3"), ("e5m2", "e5m2")])
@pytest.mark.parametrize("d_type", ["bf16", "f32"])
@pytest.mark.parametrize("c_use", ["none", "apart", "in_place"])
def test_right_result_of_other_recipes_passes(run, a_type, b_type, d_type, c_use):
    kernel = dict(sfb="mn_major", a_type=a_type, b_type=b_type, d_type=d_type, c_use=c_use, sfb_rows=1)
    for kind in ("random", "special", "empty"):
        result = run({"m": 129, "kind": kind}, **kernel)
        assert result["status"] == "pass", result
    assert run({"kind": "refused"}, **kernel) == {"status": "pass"}
    # An exact product has no error of the tensor core; otherwise the bits are the model's.
    assert "the bound is slack" in run({"kind": "adversarial"}, **kernel)["note"]
    assert run({"kind": "model"}, **kernel)["ratio"] > 0


@pytest.mark.parametrize("fault, said", [
    ("one element off", "packed: by the stepwise bound, 1 of 952 elements out of bound, rows 3..3, columns 3..3"),
    ("not written", "1 of 952 elements not written, rows 6..6, columns 135..135"),
    ("unstable", "packed: 1 elements differ between two launches"),
    ("bits depend on M", "1 rows have other bits than with M = 200 and schedule ''"),
    ("reads out of bounds", "out of bound"),
    ("writes beyond D", "wrote outside of, or into, d"),
    ("writes between rows", "strided: wrote outside of, or into, d"),
    ("writes into A's guard", "wrote outside of, or into, a"),
])
def test_fault_is_seen(run, fault, said):
    result = run({}, fault=fault)
    assert result["status"] == "fail" and said in result["note"], result


def test_special_values(run):
    result = run({"kind": "special"})
    assert result["status"] == "pass", result
    assert "D[0, 0]: expected nan, got 0.0" in run({"kind": "special"}, fault="NaN is lost")["note"]
    assert "D[4, 3]" in run({"kind": "special"}, fault="one element off")["note"]


@pytest.mark.parametrize("c_use", ["none", "in_place"])
def test_steady(run, c_use):
    item = {"kind": "steady", "rows": 40}
    assert run(item, c_use=c_use) == {"status": "pass"}
    said = run(item, c_use=c_use, fault="bits depend on the stream")["note"]
    assert said == "on another stream: 1 of 7 rows have other bits than when run separately"
    assert "not written" in run(item, c_use=c_use, fault="not written")["note"]
    said = run(item, c_use=c_use, fault="starts too early")["note"]
    assert said == "as a dependent: 7 of 7 rows have other bits than when run separately"


def test_rows_from_the_middle(run):
    """Other rows than the first, odd paddings: right, and with the bits that they have among all."""
    item = {"m": 9, "first": 20, "rows": 80, "paddings": [{"a": 1, "sfa": 7, "c": 2}]}
    for kernel in ({}, dict(sfa="k_major", sfb="mn_major", sfb_rows=1, c_use="apart", d_type="f32")):
        assert run(item, **kernel)["status"] == "pass"
    said = run(item, fault="bits depend on M")["note"]
    assert said == "strided: 1 rows have other bits than with M = 80 and schedule ''"


def test_kernels_of_one_product_have_the_same_bits(monkeypatch):
    """Items that name the same `bits` are compared, whichever kernel ran first."""
    kernels = {"one": FakeKernel(), "other": FakeKernel(fault="last bit")}
    shared = operands.Operands

    class Watched(shared):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            for kernel in kernels.values():
                kernel.operands = self

    monkeypatch.setattr(operands, "Operands", Watched)
    case = gpu_case.Case("cpu", lambda path: kernels[path], lambda: None)
    item = {"seed": 1, "m": 5, "rows": 8, "bits": "product"}
    assert case.run({**item, "kernel": "one", "label": "a tile"})["status"] == "pass"
    said = case.run({**item, "kernel": "other"})["note"]
    assert said == "packed: 1 rows have other bits than with M = 8 and schedule 'a tile'"
    assert case.run({**item, "kernel": "other", "bits": "other"})["status"] == "pass"


def test_empty(run):
    assert run({"kind": "empty"})["status"] == "pass"
    assert run({"kind": "empty"}, fault="writes for M = 0")["note"] == "wrote to D"


@pytest.mark.parametrize("fault, said", [
    (None, None),
    ("launches anything", "null 'a': expected INVALID_ARGUMENT, got a launch"),
    ("INVALID_ARGUMENT", "a stream of another context: expected WRONG_CONTEXT, got INVALID_ARGUMENT: x"),
])
def test_refused(run, fault, said):
    result = run({"kind": "refused"}, fault=fault)
    assert result.get("note") == said and result["status"] == ("fail" if said else "pass"), result


def test_row_that_is_a_little_off():
    value = torch.randn(7, 40, dtype=torch.float64)
    d = value.to(torch.bfloat16)
    case, oracle = gpu_case.Case("cpu", None, None), SimpleNamespace(value=value)
    assert case.compare_rows(d, oracle, "") < 2.0**-8
    d[2:4] *= 1.01
    with pytest.raises(gpu_case.Failure, match=r"2 of 7 rows \(2..3\) have a relative error above"):
        case.compare_rows(d, oracle, "packed")


def test_exact_kernel_fails_the_adversarial_case(run):
    """An exact product has no alignment error, and the case would tell."""
    result = run({"kind": "adversarial"})
    assert result["status"] == "fail" and "the bound is slack" in result["note"], result


def test_model_has_its_own_bits(run, monkeypatch):
    assert 0.5 < run({"kind": "model"})["ratio"] < 1  # exact sums round otherwise here and there
    exact = lambda problem: numerics.reference(problem)[0].astype(numerics.BF16)
    monkeypatch.setattr(gpu_case.tensor_core, "gemm", exact)
    assert run({"kind": "model"})["ratio"] == 1


def test_stepwise_error_is_that_of_the_model():
    problem = numerics.random_problem(5, 136, 272)
    a, sfa, b, sfb = gpu_case.Case("cpu", None, None).on_device(problem)
    assert numpy.allclose(operands.stepwise_error(a, sfa, b, sfb).numpy(), gpu_case.tensor_core.stepwise_error(problem))


def test_quantise_covers_partial_blocks():
    x = torch.randn(200, 200)
    codes, scales = operands.quantise(x, 128, 128)
    assert scales.shape == (2, 2)
    back = operands.dequantise(codes, scales, 128, 128)
    assert float((back - x).abs().max()) < 0.08 * float(x.abs().max())
    for rows in (slice(0, 128), slice(128, 200)):
        assert float(codes[rows, :128].to(torch.float32).abs().max()) == 448
