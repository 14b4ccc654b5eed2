# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests of the Python package as it is installed. Those without a GPU launch on the fake driver of test/Unit, which
records what it is asked; what is missing for a test skips it, and says so."""

import ctypes
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FP8GEMM_BUILD", ROOT / "build"))
FAKE_DRIVER = BUILD / "lib" / "libRuntimeFakeGpu.so"
COMPILER = BUILD / "bin" / "fp8gemm-compile"
# Of gpu_problems.json: stage_gpu_tests.sh makes it.
GPU_PACK = Path(os.environ.get("FP8GEMM_GPU_PACK", Path(__file__).with_name("gpu.fp8pack")))

PROBLEMS = [
    {"op": "gemm", "n": 256, "k": 256, "max_m": 64},
    {"op": "gemm", "n": 256, "k": 256, "max_m": 64, "batch_invariant": True},
    {"op": "gemm", "n": 192, "k": 384, "max_m": 64, "sfa": "k_major"},
    {"op": "gemm", "n": 192, "k": 384, "max_m": 64, "sfa": "k_major", "d_type": "f32", "c": "apart"},
    {"op": "gemm", "n": 256, "k": 256, "max_m": 64, "recipe": "1d1d", "sfb": "mn_major", "d_type": "f32", "c": "in_place"},
    {"op": "gemm", "n": 128, "k": 128, "max_m": 64},
    {"op": "gemm", "n": 256, "k": 256, "max_m": 64, "bias": "bf16"},
    {"op": "gemm", "n": 256, "k": 256, "max_m": 64, "row_scale": "f32"},
    {"op": "gemm", "n": 256, "k": 256, "max_m": 64, "gated": True, "activation": "silu"},
    {"op": "grouped_gemm", "grouping": "row_count", "groups": 3, "n": 256, "k": 256, "max_m": 128, "gated": True, "activation": "silu"},
    {"op": "gemm", "n": 256, "k": 256, "max_m": 64, "d_type": "e4m3", "sfd": "mn_major"},
    {"op": "gemm", "n": 256, "k": 256, "max_m": 64, "d_type": "e4m3", "sfd": "k_major", "power_of_two": True},
    {"op": "gemm", "n": 256, "k": 256, "max_m": 64, "d_type": "e4m3", "sfd": "k_major", "gated": True, "activation": "silu"},
    {"op": "grouped_gemm", "grouping": "row_count", "groups": 3, "n": 256, "k": 256, "max_m": 128, "gated": True, "activation": "silu",
     "d_type": "e4m3", "sfd": "mn_major"},
    {"op": "grouped_gemm", "grouping": "row_end", "align": 128, "groups": 3, "n": 256, "k": 256, "max_m": 128, "gated": True,
     "activation": "silu", "d_type": "e4m3", "sfd": "mn_major"},
    {"op": "grouped_gemm", "grouping": "row_count", "groups": 3, "n": 256, "k": 256, "max_m": 128, "row_scale": "f32"},
    {"op": "grouped_gemm", "grouping": "row_end", "align": 128, "groups": 3, "n": 256, "k": 256, "max_m": 128, "bias": "f32"},
    {"op": "gemm", "n": 320, "k": 128, "max_m": 64, "sfa": "k_major", "sfb": "mn_major"},
    {"op": "grouped_gemm", "grouping": "row_index", "align": 128, "groups": 3, "n": 256, "k": 256, "max_m": 128},
    {"op": "grouped_gemm", "grouping": "row_end", "align": 128, "groups": 3, "n": 256, "k": 256, "max_m": 128},
    {"op": "grouped_gemm", "grouping": "row_count", "groups": 3, "n": 256, "k": 256, "max_m": 128},
    {"op": "grouped_gemm", "grouping": "batched", "groups": 2, "n": 256, "k": 256, "max_m": 128},
    {"op": "grouped_gemm", "grouping": "row_end", "align": 128, "groups": 3, "n": 256, "k": 256, "max_m": 128, "c": "apart"},
    {"op": "grouped_gemm", "grouping": "row_count", "groups": 3, "n": 256, "k": 256, "max_m": 128, "c": "apart"},
    {"op": "grouped_gemm", "grouping": "row_index", "align": 128, "groups": 3, "n": 256, "k": 256, "max_m": 128, "d_type": "f32", "c": "in_place"},
    {"op": "grouped_gemm", "grouping": "row_count", "groups": 3, "n": 256, "k": 256, "max_m": 128, "d_type": "f32", "c": "in_place"},
    {"op": "k_grouped_gemm", "m": 128, "n": 256, "groups": 3, "sfb": "mn_major", "d_type": "f32", "c": "in_place",
     "flattened": True},
    {"op": "quantize", "k": 256},
    {"op": "quantize", "k": 256, "gated": True, "activation": "silu"},
    {"op": "quantize", "k": 256, "sfa": "k_major", "activation": "relu"},
    {"op": "quantize", "k": 256, "recipe": "1d2d", "sfa": "k_major"},
    {"op": "quantize", "k": 384, "x_type": "f32", "a_type": "e5m2", "sfa": "k_major", "power_of_two": True},
]

try:
    import fp8gemm
except ModuleNotFoundError as missing:
    if missing.name != "fp8gemm":
        raise
    fp8gemm = None
    collect_ignore_glob = ["test_*.py"]


@functools.cache
def has_hopper(count=1):
    """Whether PyTorch sees that many GPUs that the kernels run on."""
    try:
        import torch
    except ModuleNotFoundError:
        return False
    return torch.cuda.device_count() >= count and all(torch.cuda.get_device_capability(i) == (9, 0) for i in range(count))


def pytest_report_header():
    return f"fp8gemm: {Path(fp8gemm.__file__).parent if fp8gemm else 'not installed: pip install ./python'}"


@pytest.fixture(scope="session")
def pack_path(tmp_path_factory):
    """A small pack, compiled here."""
    if not COMPILER.exists():
        pytest.skip("no fp8gemm-compile")
    folder = tmp_path_factory.mktemp("pack")
    problems, pack = folder / "problems.json", folder / "small.fp8pack"
    problems.write_text(json.dumps({"gpu": "h200-sxm", "problems": PROBLEMS}))
    environment = {"FP8GEMM_VENV": str(Path(sys.prefix)), **os.environ}
    done = subprocess.run([COMPILER, f"--pack={problems}", "-o", pack], env=environment, capture_output=True, text=True)
    if "expected ptxas" in done.stderr:
        pytest.skip("no ptxas")
    assert done.returncode == 0, done.stderr
    return pack


@pytest.fixture(scope="session")
def fake_driver():
    """The fake driver, opened by the package."""
    if not FAKE_DRIVER.exists():
        pytest.skip("no fake driver (test/Unit)")
    if has_hopper():
        pytest.skip("this process uses the GPU: set CUDA_VISIBLE_DEVICES= for the fake driver")
    os.environ["FP8GEMM_LIBCUDA"] = str(FAKE_DRIVER)
    library = ctypes.CDLL(str(FAKE_DRIVER))
    library.fakeCudaReport.restype = ctypes.c_char_p
    return library


@pytest.fixture
def pack(pack_path, fake_driver):
    """The pack, loaded on the fake device."""
    pack = fp8gemm.load(pack_path)
    pack.load(0)
    yield pack
    pack.close()


class Driver:
    """What the fake driver was asked since the test began."""

    def __init__(self, library):
        self.library = library
        self.reset()

    def reset(self, params=()):
        self.library.fakeCudaReset((ctypes.c_uint32 * len(params))(*params), ctypes.c_size_t(len(params)))

    @property
    def report(self):
        return json.loads(self.library.fakeCudaReport())

    @property
    def launches(self):
        return self.report["launches"]

    @property
    def maps(self):
        return self.report["maps"]


@pytest.fixture
def driver(pack, fake_driver):
    return Driver(fake_driver)
