# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The worker of the benchmark, on the CPU with stand-ins for kernels and for the clock."""


import pytest

torch = pytest.importorskip("torch", reason="no PyTorch: the benchmark's worker is not tested")
pytest.importorskip("triton", reason="no Triton: the benchmark's worker is not tested")
import bench  # finds the modules of test/Execution
import contenders
import gpu_timing
import shapes


def test_timeline_is_cut_at_the_flushes():
    write, read = gpu_timing.WRITER, gpu_timing.READER
    events = [(write, 0, 5), (read, 10, 5), ("gemm", 20, 3000), ("Memset (Device)", 3100, 500),
              ("poison", 9000, 7), (write, 10000, 5), (read, 10010, 5), ("gemm", 10020, 2000)]
    assert gpu_timing.split_timeline(events[::-1], 2) == [(3.507, ["gemm", "Memset (Device)", "poison"]), (2.0, ["gemm"])]


@pytest.mark.parametrize("events", [[], [("bench_flush_write", 0, 1), ("bench_flush_read", 1, 1)],
                                    [("bench_flush_write", 0, 1), ("gemm", 1, 1)]])
def test_incomplete_timeline(events):
    with pytest.raises(ValueError, match="expected 1 timed calls"):
        gpu_timing.split_timeline(events, 1)


class Right(contenders.Contender):
    """A contender that is right: at first, always, or never."""

    def __init__(self, data, good_calls=10**9):
        self.data, self.expected, self.good_calls, self.calls = data, data.scaled, good_calls, 0
        self.output = torch.zeros(data.problem.m, data.problem.n, dtype=torch.bfloat16)

    def __call__(self):
        self.calls += 1
        if self.calls <= self.good_calls:
            self.output[self.data.rows] = self.data.scaled.to(torch.bfloat16)


class Adding(Right):
    """The same, of those that add to what `output` holds."""

    adds = True

    def __init__(self, data, good_calls=10**9):
        super().__init__(data, good_calls)
        assert data.d_type == torch.float32 and data.sfb_rows == 1
        self.output = self.output.to(data.d_type)

    def __call__(self):
        self.calls += 1
        if self.calls <= self.good_calls:
            self.output[self.data.rows] += self.data.scaled.to(torch.float32)


class FakeClock:
    method, why = "fake", ""

    def time(self, racing, rounds):
        for call in racing.values():
            call()
        return {name: [1.0, 3.0, 2.0] for name in racing}, {name: ["kernel"] for name in racing}


@pytest.fixture
def measure(monkeypatch):
    monkeypatch.setattr(contenders, "DEVICE", "cpu")
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(gpu_timing, "ReadOnce", lambda tensor: lambda: None)

    def refuse(data):
        raise RuntimeError("not for this shape\nand more")

    monkeypatch.setattr(contenders, "Ours", lambda data, path: Right(data, int(path)))
    monkeypatch.setattr(contenders, "PEERS", {"cublas-b": Right, "cublas-t": refuse})
    item = {"id": "x", "variants": {"": {"m": 20, "n": 136, "k": 144}}, "peers": ["cublas-b", "cublas-t"]}
    return lambda **kernels: bench.measure(dict(item, kernels=kernels), FakeClock(), 3)


def test_measure(measure):
    result = measure(default="1000")
    assert result["status"] == "pass" and result["us"] == {"default": 2.0, "cublas-b": 2.0, "read": 2.0}
    assert result["notes"] == {"cublas-t": "RuntimeError: not for this shape"}
    assert result["error"]["default"] < 5e-3


def test_energy_is_that_of_what_is_right(measure, monkeypatch):
    """Each contender that passed, with its own time, once the GPU has settled."""
    class Meter:
        steps = []

        def settle(self, call, us):
            self.steps.append("settle")

        def millijoules(self, call, us):
            self.steps.append("measure")
            call()
            return 2 * us

    one = bench.measure
    monkeypatch.setattr(bench, "measure", lambda *arguments: one(*arguments, Meter()))
    result = measure(default="1000", broken="0")
    assert Meter.steps == ["settle", "measure", "measure"]
    assert result["mj"] == {"default": 4.0, "cublas-b": 4.0} and "broken" in result["notes"]


@pytest.mark.parametrize("good_calls", ["0", "53"])
def test_wrong_result_is_not_timed(measure, good_calls):
    """Wrong from the start, and wrong only in the timed run: the poison is still there."""
    result = measure(default=good_calls)
    assert result["status"] == "fail" and "default" not in result["us"] and "cublas-b" in result["us"]
    assert "wrong result" in result["notes"]["default"]


@pytest.mark.parametrize("good_calls, status", [("1000", "pass"), ("10", "fail"), ("0", "fail")])
def test_what_adds_is_checked_on_zeros(measure, monkeypatch, good_calls, status):
    """However often it has added before; and wrong where it no longer adds."""
    monkeypatch.setattr(contenders, "Ours", lambda data, path: Adding(data, int(path)))
    gradient = shapes.Problem(20, 136, 144, shapes.WEIGHT_GRADIENT_KIND)
    item = {"id": "x", "variants": {"": shapes.fields(gradient)}, "peers": [], "kernels": {"default": good_calls}}
    result = bench.measure(item, FakeClock(), 3)
    assert result["status"] == status and ("default" in result["us"]) == (status == "pass")


def test_peers_say_what_they_do_not_do(monkeypatch):
    monkeypatch.setattr(contenders, "DEVICE", "cpu")
    with pytest.raises(NotImplementedError, match="only recipe 1d2d to bf16"):
        contenders.CublasBlock(contenders.Data(shapes.Problem(8, 16, 128, shapes.WEIGHT_GRADIENT_KIND)))


def test_cublas_scales(monkeypatch):
    """The strides that cuBLASLt asks for, also where a dimension is 1 and where K/128 is padded to 4."""
    monkeypatch.setattr(contenders, "DEVICE", "cpu")
    seen = {}

    def scaled_mm(a, b, sfa, kind_a, sfb, kind_b, **rest):
        seen.update(a=a, b=b, sfa=sfa, sfb=sfb)

    monkeypatch.setattr(torch.nn.functional, "scaled_mm", scaled_mm, raising=False)
    for m in (1, 4096):
        contenders.CublasBlock(contenders.Data(shapes.Problem(m, 256, 2112)))
        assert seen["sfa"].shape == (m, 17) and seen["sfa"].stride() == (1, m)
        assert seen["sfb"].shape == (20, 2) and seen["sfb"].stride() == (1, 20)
        assert seen["b"].shape == (2112, 256) and seen["b"].stride() == (1, 2112)
