# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""fp8gemm.deep_gemm as engines use it, without a GPU: what they pass, the names that are others', when kernels are loaded,
and how it reaches the processes that they start."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import fp8gemm  # noqa: E402
import fp8gemm.deep_gemm as dg  # noqa: E402
from fp8gemm.deep_gemm import _fallback, _settings  # noqa: E402

E4M3 = torch.float8_e4m3fn
OPTIONS = dict(num_sms=0, dependent=False, batch_invariant=False)


class Recorder:
    """A pack that remembers calls: (function, positional, keywords), and the devices that it is loaded on."""

    def __init__(self):
        self.calls, self.devices = [], []

    def load(self, device):
        self.devices.append(device)

    def _scale_layouts(self, batch_invariant):
        return LAYOUTS

    def __getattr__(self, name):
        return lambda *args, **options: self.calls.append((name, args, options))


LAYOUTS = {(grouping, 256, 256, "1d2d"): [("mn_major", "k_major")] for grouping in ("none", "row_count", "batched")}


@pytest.fixture
def recorder(monkeypatch):
    pack = Recorder()
    for name, value in dict(pack=pack, layouts=LAYOUTS, options=dict(OPTIONS), alignment=128, _loaded={None}).items():
        monkeypatch.setattr(_settings, name, value)
    return pack


def pair(*shape, block_rows=1):
    *groups, rows, columns = shape
    return torch.zeros(*shape).to(E4M3), torch.rand(*groups, -(-rows // block_rows), -(-columns // 128))


#
# Arguments
#


def test_what_asks_for_no_more_is_taken(recorder):
    """Keywords of versions 2.6 and 2.8, and of SGLang, at the values that they have when nothing is asked for."""
    b, d = pair(256, 256, block_rows=128), torch.zeros(6, 256).bfloat16()
    dg.fp8_gemm_nt(pair(6, 256), b, d, alpha=None, epilogue=None, disable_ue8m0_cast=True)
    experts, counts = pair(3, 256, 256, block_rows=128), torch.zeros(3, dtype=torch.int32)
    for masked in (dg.fp8_m_grouped_gemm_nt_masked, dg.m_grouped_fp8_gemm_nt_masked):
        masked(pair(3, 8, 256), experts, torch.zeros(3, 8, 256).bfloat16(), masked_m=counts, expected_m=4, epilogue=None,
               enable_overlap=False)
    assert [name for name, *_ in recorder.calls] == ["gemm", "grouped_gemm_masked", "grouped_gemm_masked"]
    assert dg.get_theoretical_mk_alignment_for_contiguous_layout(expected_m=64, num_groups=8) == 128
    assert dg.get_theoretical_mk_alignment_for_contiguous_layout(64, 8) == 128
    with pytest.raises(ValueError, match=r"'num_groups' in \[1, "):
        dg.get_theoretical_mk_alignment_for_contiguous_layout(64, 0)


@pytest.mark.parametrize("function, change, error, message", [
    ("fp8_gemm_nt", dict(alpha=2.0), NotImplementedError, "'alpha' to be None, got 2.0"),
    ("fp8_gemm_nn", dict(epilogue=3), NotImplementedError, "'epilogue' to be None, got 3"),
    ("fp8_gemm_tn", dict(alpha=1), NotImplementedError, "'alpha' to be None"),
    ("fp8_gemm_tt", dict(epilogue=3), NotImplementedError, "'epilogue' to be None"),
    ("m_grouped_fp8_gemm_nt_contiguous", dict(grouped_layout=None, epilogue=3), NotImplementedError, "'epilogue' to be None"),
    ("m_grouped_fp8_gemm_nn_contiguous", dict(grouped_layout=None, epilogue=3), NotImplementedError, "'epilogue' to be None"),
    ("fp8_m_grouped_gemm_nt_masked", dict(masked_m=None, epilogue=3), NotImplementedError, "'epilogue' to be None"),
    ("fp8_m_grouped_gemm_nt_masked", dict(masked_m=None, enable_overlap=True), NotImplementedError, "without --enable-single-batch"),
    ("fp8_m_grouped_gemm_nt_masked", dict(masked_m=None, signal=5), ValueError, "with 'enable_overlap' only"),
    ("fp8_m_grouped_gemm_nt_masked", dict(masked_m=None, max_block_n=128), ValueError, "with 'enable_overlap' only"),
    ("fp8_m_grouped_gemm_nt_masked", dict(masked_m=None, enable_overlap=1), TypeError, "'enable_overlap' to be True or False"),
])
def test_what_asks_for_more_is_refused(recorder, function, change, error, message):
    rank = 3 if "masked" in function else 2
    a, b = (pair(3, 256, 256), pair(3, 256, 256, block_rows=128)) if rank == 3 else (pair(256, 256), pair(256, 256, block_rows=128))
    b = b if "grouped" not in function or rank == 3 else pair(3, 256, 256, block_rows=128)
    d = torch.zeros([3, 256, 256][-rank:]).bfloat16()
    groups = torch.zeros(3 if rank == 3 else 256, dtype=torch.int32)
    change = {name: groups if name in ("grouped_layout", "masked_m") else value for name, value in change.items()}
    more = dict(expected_m=4) if rank == 3 else {}
    with pytest.raises(error, match=message):
        getattr(dg, function)(a, b, d, **change, **more)
    assert recorder.calls == []


def test_einsum_is_one_product_for_each_head(recorder):
    a, b, d = pair(6, 3, 256), pair(3, 256, 256, block_rows=128), torch.zeros(6, 3, 256).bfloat16()
    dg.fp8_einsum("bhr,hdr->bhd", a, b, d, recipe=(1, 128, 128))
    (name, (values_a, sfa, values_b, sfb, counts, out), options), = recorder.calls
    assert name == "grouped_gemm_masked" and counts is None and options == OPTIONS and values_b is b[0] and sfb is b[1]
    assert values_a.shape == (3, 6, 256) and values_a.data_ptr() == a[0].data_ptr() and values_a.stride() == (256, 768, 1)
    assert out.data_ptr() == d.data_ptr() and out.stride() == (256, 768, 1)
    assert torch.equal(sfa, a[1].transpose(0, 1)) and sfa.stride()[1] == 1
    for change, message in ((dict(expr="bhd,hdr->bhr"), "'expr' to be 'bhr,hdr->bhd'"), (dict(c=d), "'c' to be None"),
                            (dict(d=(d, d)), "'d' to be a tensor"), (dict(epilogue=1), "'epilogue' to be None"),
                            (dict(use_128x4_sfd_layout=True), "'d' to be a tensor"), (dict(recipe=(1, 1, 32)), "the ones of Hopper")):
        with pytest.raises(NotImplementedError, match=message):
            dg.fp8_einsum(**{**dict(expr="bhr,hdr->bhd", a=a, b=b, d=d), **change})
    assert len(recorder.calls) == 1


@pytest.mark.parametrize("name, of_a, of_b", [("nt", 0, 0), ("nn", 0, 1), ("tn", 1, 1), ("tt", 1, 0)])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_bf16_is_pytorchs(name, of_a, of_b, dtype):
    a, b = torch.randn(6, 64).bfloat16(), torch.randn(32, 64).bfloat16()
    d, c = torch.empty(6, 32, dtype=dtype), torch.randn(6, 32).to(dtype)
    function = getattr(dg, f"bf16_gemm_{name}")
    flipped = (a.T.contiguous() if of_a else a), (b.T.contiguous() if of_b else b)
    wanted = (a.double() @ b.double().T)
    function(*flipped, d)
    assert torch.allclose(d.double(), wanted, atol=1e-4 if dtype == torch.float32 else 0.15)
    function(*flipped, d, c=c)
    assert torch.allclose(d.double(), wanted + c.double(), atol=1e-4 if dtype == torch.float32 else 0.2)


def test_bf16_refuses():
    a, d = torch.randn(6, 64).bfloat16(), torch.empty(6, 6).bfloat16()
    for change, error, message in ((dict(a=a.float()), TypeError, "'a' of bfloat16, got float32"),
                                   (dict(d=d.half()), TypeError, "'d' of bfloat16 or float32, got float16"),
                                   (dict(d=d[:5]), ValueError, r"'d' of shape \(6, 6\)"), (dict(b=a[:, :32]), ValueError, "'b' of shape"),
                                   (dict(alpha=2.0), NotImplementedError, "'alpha' to be None"), (dict(b=3), TypeError, "'b' to be a torch")):
        with pytest.raises(error, match=message):
            dg.bf16_gemm_nt(**{**dict(a=a, b=a, d=d), **change})
    assert dg.get_deterministic_algorithms() is False
    dg.use_deterministic_algorithms(False)
    with pytest.raises(NotImplementedError, match="SGLANG_BATCH_INVARIANT_OPS_ENABLE_MM_DEEPGEMM=0"):
        dg.use_deterministic_algorithms(True)


def test_helpers_of_tests():
    testing = dg.testing
    x = torch.arange(8.0)
    assert testing.calc_diff(x, x) == 0 and testing.calc_diff(x, x + 1) > 0 and testing.calc_diff(x * 0, x * 0) == 0
    assert testing.count_bytes(x, None, (x, [x])) == 96
    testing.assert_bitwise_equal(x, x.clone())
    with pytest.raises(AssertionError, match="first in element 3: 3.0 and 9.0"):
        testing.assert_bitwise_equal(x, torch.tensor([0, 1, 2, 9, 4, 5, 6, 7.0]))
    with pytest.raises(AssertionError, match="expected torch.float32 .8,. .label., got torch.float64"):
        testing.assert_bitwise_equal(x, x.double(), "label")
    assert [testing.test_filter(lambda: keep)(lambda: 5)() for keep in (True, False)] == [5, None]
    os.environ["FP8GEMM_OF_A_TEST"] = "1"
    look = lambda: os.environ.get("FP8GEMM_OF_A_TEST")
    assert [testing.ignore_env("FP8GEMM_OF_A_TEST", lambda: drop)(look)() for drop in (True, False)] == [None, "1"]
    del os.environ["FP8GEMM_OF_A_TEST"]
    assert callable(dg.utils.init_dist) and callable(dg.utils.dist.dist_print)
    with pytest.raises(ValueError, match=r"'local_rank' in \[0, 1\], got 2"):
        dg.utils.init_dist(2, 2)


def test_uneven_all_gather(tmp_path):
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1)
    try:
        x = torch.arange(6).view(2, 3)
        assert torch.equal(dg.utils.uneven_all_gather(x, dim=1), x)
    finally:
        torch.distributed.destroy_process_group()


#
# When kernels are loaded
#


class Elsewhere(torch.Tensor):
    """On GPU 3, it says."""

    device = torch.device("cuda", 3)


def test_kernels_are_loaded_with_the_pack(recorder, monkeypatch):
    """On the current device where there is one; on others, before their first product, by what lays out weights."""
    monkeypatch.setattr(fp8gemm.deep_gemm._settings, "Pack", Recorder)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    chosen = dg.use(Recorder())
    assert chosen.devices == [1] and _settings.pack is chosen
    scales = torch.rand(8, 2).as_subclass(Elsewhere)
    dg.get_mn_major_tma_aligned_tensor(scales)
    dg.get_mn_major_tma_aligned_tensor(scales)
    assert chosen.devices == [1, torch.device("cuda", 3)]
    d = torch.zeros(6, 256).bfloat16()
    dg.fp8_gemm_nt(pair(6, 256), pair(256, 256, block_rows=128), d)  # host memory: the pack says what it thinks of that
    assert len(chosen.devices) == 2


def test_nothing_is_loaded_before_cuda_is_there(recorder, monkeypatch):
    """Engines fork after they import; a process that has initialised CUDA can't."""
    monkeypatch.setattr(fp8gemm.deep_gemm._settings, "Pack", Recorder)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    chosen = dg.use(Recorder())
    assert chosen.devices == []
    dg.get_mn_major_tma_aligned_tensor(torch.rand(8, 2).as_subclass(Elsewhere))
    assert chosen.devices == [torch.device("cuda", 3)]


def test_a_pack_that_does_not_load_is_not_used(recorder, monkeypatch):
    class Unloadable(Recorder):
        def load(self, device):
            raise fp8gemm.Error("no room")

    monkeypatch.setattr(fp8gemm.deep_gemm._settings, "Pack", Recorder)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    with pytest.raises(fp8gemm.Error, match="no room"):
        dg.use(Unloadable())
    assert _settings.pack is recorder


#
# Another DeepGEMM
#

OTHER = """
from . import late
called = []
def set_num_sms(n): called.append(("set_num_sms", n))
def set_pdl(on): called.append(("set_pdl", on))
def fp8_mqa_logits(*arguments):
    from . import late  # by relative names, whatever `deep_gemm` is
    return late.VALUE
def bf16_gemm_nt(*arguments): return "theirs"
def fp8_gemm_nt(*arguments): return "theirs"
class utils: pack_ue8m0_to_int = staticmethod(lambda x: x)
"""


@pytest.fixture
def other(tmp_path, monkeypatch):
    """One that is installed, as far as Python is concerned."""
    package = tmp_path / "deep_gemm"
    package.mkdir()
    (package / "__init__.py").write_text(OTHER)
    (package / "late.py").write_text("VALUE = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("choice", "_module", "_settings"):
        monkeypatch.setattr(_fallback, name, {} if name == "_settings" else None)
    monkeypatch.setattr(_settings, "_multiprocessors", lambda: 132)
    monkeypatch.setattr(_settings, "options", dict(OPTIONS))
    yield package
    for name in [name for name in sys.modules if name.startswith("_fp8gemm_fallback")]:
        del sys.modules[name]


@pytest.mark.parametrize("choice", ["deep_gemm", "auto"])
def test_other_names_are_anothers(other, choice):
    assert not hasattr(dg, "fp8_mqa_logits")
    dg.set_num_sms(100)
    _fallback.choose(choice)
    assert dg.fp8_mqa_logits(1) == 7 and dg.bf16_gemm_nt(1) == "theirs" and dg.utils.pack_ue8m0_to_int(3) == 3
    assert dg.fp8_gemm_nt.__module__ == "fp8gemm.deep_gemm._gemm"  # what is ours stays ours
    dg.set_pdl(True)
    assert _fallback._module.called == [("set_num_sms", 100), ("set_pdl", True)]
    assert not hasattr(dg, "fp8_gemm_xx") and "deep_gemm.late" not in sys.modules
    _fallback.choose(None)
    assert not hasattr(dg, "fp8_mqa_logits")


def test_vllms_copy_is_another(other, monkeypatch):
    """In the order in which engines look."""
    folder = other.parent / "vllm" / "third_party"
    folder.mkdir(parents=True)
    (other.parent / "vllm" / "__init__.py").touch()
    (folder / "__init__.py").touch()
    other.rename(folder / "deep_gemm")
    (folder / "deep_gemm" / "late.py").write_text("VALUE = 8\n")
    for name in [name for name in sys.modules if name.partition(".")[0] == "vllm"]:
        monkeypatch.delitem(sys.modules, name)
    _fallback.choose("deep_gemm")
    assert dg.fp8_mqa_logits() == 8
    for name in [name for name in sys.modules if name.partition(".")[0] == "vllm"]:
        del sys.modules[name]


def test_one_that_is_not_there_or_does_not_load(other):
    (other / "late.py").write_text("raise OSError('no libcuda.so.1')\n")
    _fallback.choose("auto")
    with pytest.warns(RuntimeWarning, match="expected a DeepGEMM that loads.*OSError: no libcuda.so.1; its functions look absent"):
        assert not hasattr(dg, "fp8_mqa_logits")
    assert callable(dg.bf16_gemm_nt)  # PyTorch's
    _fallback.choose("deep_gemm")
    with pytest.raises(ImportError, match="no libcuda.so.1"):
        dg.fp8_mqa_logits
    (other / "__init__.py").unlink()
    _fallback.choose("auto")
    assert not hasattr(dg, "fp8_mqa_logits")
    with pytest.raises(ImportError, match="expected another DeepGEMM"):
        _fallback.choose("deep_gemm")
    with pytest.raises(ValueError, match="expected 'fallback' to be None"):
        dg.install(fallback="cutlass")


#
# Other processes
#

CHILD = """
import json, sys
def answer():
    import deep_gemm
    return [deep_gemm.__name__, hasattr(deep_gemm, "fp8_mqa_logits") and deep_gemm.fp8_mqa_logits(), deep_gemm.bf16_gemm_nt.__module__]
def put(answers):
    answers.put(answer())
if __name__ == "__main__":
    import multiprocessing
    if "plugin" in sys.argv:
        from importlib.metadata import entry_points
        for entry in {entry.value: entry for group in ("vllm.general_plugins", "sglang.srt.plugins") for entry in
                      entry_points(group=group)}.values():
            entry.load()()
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    worker = context.Process(target=put, args=(answers,))
    worker.start()
    print(json.dumps([answer(), answers.get(timeout=120)]))
    worker.join()
"""


@pytest.mark.parametrize("way", ["plugin", "path"])
def test_engines_and_their_workers(other, tmp_path, way):
    """By vLLM's and SGLang's plugins, or by the path that the distribution fp8gemm-deep-gemm adds; only where there is a
    pack to take. The other DeepGEMM stays what is fallen back on."""
    root = Path(__file__).resolve().parents[1]
    site, program = tmp_path / "site", tmp_path / "programs" / "program.py"
    site.mkdir()
    program.parent.mkdir()
    program.write_text(CHILD)
    ours = Path(fp8gemm.__file__).parents[1]
    if way == "plugin":  # as an installed wheel has them
        groups = tomllib.loads((root / "pyproject.toml").read_text())["project"]["entry-points"]
        info = site / "fp8gemm_of_a_test-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fp8gemm-of-a-test\nVersion: 1\n")
        (info / "entry_points.txt").write_text("".join(
            f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in entries.items()) for group, entries in groups.items()))
    else:
        (site / "sitecustomize.py").write_text(f"import site; site.addsitedir({str(root / 'stand_in' / 'src')!r})\n")
    path = os.pathsep.join(map(str, (site, ours, tmp_path)))
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("FP8GEMM_")}, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, program, way], capture_output=True, text=True,
                          env={**environment, "FP8GEMM_PACK": "/of/another/machine"})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [["fp8gemm.deep_gemm", 7, "_fp8gemm_fallback_deep_gemm"]] * 2
    done = subprocess.run([sys.executable, program, way], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [["deep_gemm", 7, "deep_gemm"]] * 2
