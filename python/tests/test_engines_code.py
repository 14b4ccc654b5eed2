# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The engines' own code calls the stand-in, on the fake driver: vLLM's and SGLang's modules over DeepGEMM, from unpacked
wheels in $FP8GEMM_ENGINES (vllm/, sglang/), with the rest of the engines replaced by what these modules need of it."""

import contextlib
import importlib.util
import os
import sys
import types
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import fp8gemm.deep_gemm as dg  # noqa: E402
from fp8gemm import _streams  # noqa: E402
from fp8gemm.deep_gemm import _settings  # noqa: E402

ENGINES = Path(os.environ.get("FP8GEMM_ENGINES", "/nowhere"))


def module(monkeypatch, name, **members):
    """A stand-in for a module of the engine, and for the packages around it."""
    parts = name.split(".")
    for i in range(1, len(parts)):
        package = ".".join(parts[:i])
        if package not in sys.modules:
            made = types.ModuleType(package)
            made.__path__ = []
            monkeypatch.setitem(sys.modules, package, made)
    made = types.ModuleType(name)
    vars(made).update(members)
    monkeypatch.setitem(sys.modules, name, made)
    if len(parts) > 1:
        monkeypatch.setattr(sys.modules[".".join(parts[:-1])], parts[-1], made, raising=False)
    return made


def load(monkeypatch, name):
    """The engine's own module, from the wheel."""
    path = ENGINES / name.partition(".")[0] / (name.replace(".", "/") + ".py")
    if not path.exists():
        pytest.skip(f"no {path}: set FP8GEMM_ENGINES")
    spec = importlib.util.spec_from_file_location(name, path)
    loaded = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, loaded)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def tensors(pack, driver, monkeypatch):
    """Makes tensors that are on the GPU, as far as the stand-in and the engines can see, which use the small pack."""
    from torch_arrays import OnCuda, on_cuda

    class Gpu(OnCuda):
        is_cuda = True

    made = lambda x: on_cuda(x).as_subclass(Gpu)
    allocate = _streams.allocate
    monkeypatch.setattr(_streams, "current_of", lambda tensor, device: 0)
    monkeypatch.setattr(_streams, "allocate", lambda *args: made(allocate(*args)))
    for name, value in dict(pack=None, layouts={}, options=dict(_settings.options), alignment=128).items():
        monkeypatch.setattr(_settings, name, value)
    monkeypatch.setattr(_settings, "_multiprocessors", lambda: 132)
    dg.use(pack)
    for name in [name for name in sys.modules if name.partition(".")[0] == "deep_gemm"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("PYTHONPATH", "FP8GEMM_FALLBACK"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    dg.install()
    driver.reset()
    yield made
    for name in [name for name in sys.modules if name.partition(".")[0] == "deep_gemm"]:
        del sys.modules[name]


def values(*shape):
    return torch.zeros(*shape).to(torch.float8_e4m3fn)


def test_einsum_on_interleaved_heads(tensors, driver):
    """Heads of a token follow each other, so groups are interleaved: no operand is copied."""
    a, d = tensors(values(6, 2, 256)), tensors(torch.zeros(6, 2, 256).bfloat16())
    dg.fp8_einsum("bhr,hdr->bhd", (a, tensors(torch.rand(2, 2, 8)).permute(2, 0, 1)[:6]),
                  (tensors(values(2, 256, 256)), tensors(torch.rand(2, 2, 2))), d)
    assert len(driver.launches) == 1


@pytest.fixture
def vllm(monkeypatch):
    once = lambda *_, **__: None
    platform = types.SimpleNamespace(support_deep_gemm=lambda: True, is_device_capability_family=lambda family: family == 90,
                                     is_arch_support_pdl=lambda: True, fp8_dtype=lambda: torch.float8_e4m3fn,
                                     simple_compile_backend="eager", is_cuda=lambda: True)
    module(monkeypatch, "vllm.envs", VLLM_USE_DEEP_GEMM=True, VLLM_USE_DEEP_GEMM_E8M0=True, VLLM_CACHE_ROOT="/nowhere")
    module(monkeypatch, "vllm.logger", logger=types.SimpleNamespace(debug_once=once, info_once=once, warning_once=pytest.fail))
    module(monkeypatch, "vllm.model_executor.layers.quantization.utils.quant_utils", get_fp8_min_max=lambda: (-448.0, 448.0))
    module(monkeypatch, "vllm.platforms", current_platform=platform)
    module(monkeypatch, "vllm.utils.import_utils", has_deep_gemm=lambda: importlib.util.find_spec("deep_gemm") is not None)
    module(monkeypatch, "vllm.utils.math_utils", cdiv=lambda a, b: -(-a // b))
    monkeypatch.setenv("DG_JIT_CACHE_DIR", "")
    return load(monkeypatch, "vllm.utils.deep_gemm")


def test_vllm(vllm, tensors, driver):
    """Dense, contiguous by ends and by an index in mk_alignment_scope, masked, weights, as its layers call them."""
    vllm._lazy_init()
    assert vllm._import_deep_gemm() is dg and vllm.is_deep_gemm_e8m0_used() and dg.get_pdl() is True
    assert vllm.DeepGemmQuantScaleFMT.from_oracle() is vllm.DeepGemmQuantScaleFMT.FLOAT32_CEIL_UE8M0
    b, experts = (tensors(values(256, 256)), tensors(torch.rand(2, 2))), (tensors(values(3, 256, 256)), tensors(torch.rand(3, 2, 2)))
    d = tensors(torch.zeros(384, 256).bfloat16())
    row_major, column_major = tensors(torch.rand(384, 2)), tensors(torch.rand(2, 384)).T
    vllm.fp8_gemm_nt((tensors(values(384, 256)), column_major), b, d, is_deep_gemm_e8m0_used=True)
    vllm.fp8_gemm_nt((tensors(values(384, 256)), row_major), b, d)  # warm-up
    assert vllm.get_mk_alignment_for_contiguous_layout() == [128, 128]
    aligned = vllm.get_theoretical_mk_alignment_for_contiguous_layout(expected_m=64, num_groups=3)
    ends, index = tensors(torch.tensor([128, 256, 384], dtype=torch.int32)), tensors(torch.zeros(384, dtype=torch.int32))
    with vllm.mk_alignment_scope(aligned):
        for scales, layout, options in ((row_major, ends, dict(use_psum_layout=True)), (column_major, ends, dict(use_psum_layout=True)),
                                        (row_major, index, {})):
            vllm.m_grouped_fp8_gemm_nt_contiguous((tensors(values(384, 256)), scales), experts, d, layout, **options)
    masked_scales = tensors(torch.rand(2, 3, 8)).permute(1, 2, 0)  # strides (T, 1, T * G)
    vllm.fp8_m_grouped_gemm_nt_masked((tensors(values(3, 8, 256)), masked_scales), experts, tensors(torch.zeros(3, 8, 256).bfloat16()),
                                      tensors(torch.tensor([1, 8, 0], dtype=torch.int32)), 4)
    assert len(driver.launches) == 6
    scales = torch.rand(3, 2, 2)
    assert vllm.transform_sf_into_required_layout(sf=scales, mn=256, k=256, recipe=(1, 128, 128), num_groups=3, is_sfa=False) is scales
    vllm.set_num_sms(100)
    assert vllm.get_num_sms() == 100
    with pytest.raises(RuntimeError, match="DeepGEMM backend is unavailable"):  # vLLM's own words for what is absent
        vllm.fp8_fp4_mqa_logits(None, None, None, None, None, 8)


@pytest.fixture
def sglang(monkeypatch, tensors):
    off = types.SimpleNamespace(get=lambda: False)
    on = types.SimpleNamespace(get=lambda: True)
    kinds = types.SimpleNamespace(**{name: name for name in (
        "GROUPED_GEMM_NT_F8F8BF16_MASKED", "GROUPED_GEMM_NT_BF16_MASKED", "GROUPED_GEMM_NT_F8F8BF16_CONTIG", "GROUPED_GEMM_NT_BF16_CONTIG",
        "GEMM_NT_F8F8BF16", "GEMM_NT_F8F8BF16_BLOCK32", "GEMM_NT_BF16BF16F32")})
    module(monkeypatch, "sglang.srt.environ", envs=types.SimpleNamespace(SGLANG_DEEPGEMM_SANITY_CHECK=off, SGLANG_DEEPGEMM_PDL=on))
    wrapper = "sglang.srt.layers.deep_gemm_wrapper"
    module(monkeypatch, f"{wrapper}.compile_utils", DeepGemmKernelType=kinds, update_deep_gemm_config=lambda gpu: None,
           deep_gemm_execution_hook=lambda *_: contextlib.nullcontext())
    module(monkeypatch, f"{wrapper}.configurer", DEEPGEMM_BLACKWELL=False, DEEPGEMM_NEED_TMA_ALIGNED_SCALES=True,
           DEEPGEMM_SCALE_UE8M0=False, ENABLE_JIT_DEEPGEMM=True)
    return load(monkeypatch, f"{wrapper}.entrypoint")


def test_sglang(sglang, tensors, driver):
    """Its wrapper: dense, contiguous, masked, with fewer SMs, BF16, alignments, and the overlap that there is none of."""
    sglang.update_deep_gemm_config(0)
    assert dg.get_pdl() is True
    b, experts = (tensors(values(256, 256)), tensors(torch.rand(2, 2))), (tensors(values(3, 256, 256)), tensors(torch.rand(3, 2, 2)))
    d, scales = tensors(torch.zeros(384, 256).bfloat16()), sglang.get_mn_major_tma_aligned_tensor(tensors(torch.rand(384, 2)))
    assert sglang.get_mn_major_tma_aligned_tensor(scales) is scales
    sglang.gemm_nt_f8f8bf16((tensors(values(384, 256)), scales), b, d)
    assert sglang.get_contiguous_layout_alignment(64, 3) == 128
    with sglang.contiguous_layout_alignment_scope(128):
        sglang.grouped_gemm_nt_f8f8bf16_contig((tensors(values(384, 256)), scales), experts, d, tensors(torch.zeros(384, dtype=torch.int32)))
    masked = dict(masked_m=tensors(torch.tensor([1, 8, 0], dtype=torch.int32)), expected_m=4)
    a, out = (tensors(values(3, 8, 256)), tensors(torch.rand(3, 2, 8)).mT), tensors(torch.zeros(3, 8, 256).bfloat16())
    sglang.grouped_gemm_nt_f8f8bf16_masked(a, experts, out, **masked)
    assert len(driver.launches) == 3
    with pytest.raises(NotImplementedError, match="without --enable-single-batch-overlap"):
        sglang.grouped_gemm_nt_f8f8bf16_masked(a, experts, out, **masked, overlap_args=types.SimpleNamespace(num_sms=100, signal=None))
    assert dg.get_num_sms() == 132  # it is set back
    x, y = torch.randn(4, 64).bfloat16(), torch.empty(4, 4)
    sglang.gemm_nt_bf16bf16f32(x, x, y)
    assert torch.allclose(y, x.float() @ x.float().T, atol=1e-3)
