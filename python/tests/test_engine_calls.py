# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""scripts/engine_calls.py on a small tree: it finds each way in which engines call, and classifies it."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "engine_calls.py"
FILES = {
    "engine/utils/deep_gemm.py": """
import importlib
def _import_deep_gemm(): return importlib.import_module("deep_gemm")
def _lazy_init():
    global _dense, _masked, _logits
    _dg = _import_deep_gemm()
    _dense = getattr(_dg, "fp8_gemm_nt", None)
    _masked = getattr(_dg, "m_grouped_fp8_gemm_nt_masked", None) or getattr(_dg, "fp8_m_grouped_gemm_nt_masked", None)
    _logits = getattr(_dg, "fp8_fp4_mqa_logits", None)
def fp8_gemm_nt(*args, **kwargs):
    return _dense(*args, disable_ue8m0_cast=True, **kwargs)
def logits(q):
    return _logits(q)
""",
    "engine/layers.py": """
from engine.utils.deep_gemm import fp8_gemm_nt
def dense(a, b, d):
    fp8_gemm_nt(a, b, d, is_deep_gemm_e8m0_used=False)
    fp8_gemm_nt(a, b, d, compiled_dim="nk")
    fp8_gemm_nt(a, b)
""",
    "engine/experts.py": """
import deep_gemm as dg
def experts(a, b, d, m, overlap):
    if hasattr(dg, "set_compile_mode"):
        dg.set_compile_mode(1)
    dg.fp8_m_grouped_gemm_nt_masked(a, b, d, m, 8, **(dict(enable_overlap=True, signal=overlap) if overlap else {}))
    dg.fp8_gemm_nt(a, b, d, recipe_a=(1, 32), recipe_b=(1, 32))
    dg.utils.layout.get_mn_major_tma_aligned_tensor(a[1])
    dg.utils.layout.get_mn_major_tma_aligned_packed_ue8m0_tensor(a[1])
""",
    "engine/optional.py": """
try:
    from deep_gemm import fp8_mqa_logits
except ImportError:
    fp8_mqa_logits = None
from deep_gemm.utils import ceil_div, fp8_gemm_xx
ceil_div(5, 2)
""",
    "engine/test/mine.py": "import deep_gemm\ndeep_gemm.no_such_name()\n",
    "engine/third_party/deep_gemm/__init__.py": "import deep_gemm\ndeep_gemm.no_such_name()\n",
}
EXPECTED = """
engine/experts.py:4: set_compile_mode (every model) falls back: the engine asks first
engine/experts.py:5: set_compile_mode (every model) falls back: the engine asks first
engine/experts.py:6: fp8_m_grouped_gemm_nt_masked (every model) runs: not with enable_overlap=True: no kernel signals its tiles
engine/experts.py:7: fp8_gemm_nt (every model) raises: recipe_a=(1, 32): scales of 128 elements only
engine/experts.py:8: utils.layout.get_mn_major_tma_aligned_tensor (every model) runs
engine/experts.py:9: utils.layout.get_mn_major_tma_aligned_packed_ue8m0_tensor (compute capability 10.0 and 12.0) raises: it is for
engine/layers.py:4: fp8_gemm_nt (every model) runs
engine/layers.py:5: fp8_gemm_nt (every model) raises: got an unexpected keyword argument 'compiled_dim'
engine/layers.py:6: fp8_gemm_nt (every model) raises: missing a required argument: 'd'
engine/optional.py:3: fp8_mqa_logits (attention of DeepSeek-V3.2 and V4) falls back: the engine asks first
engine/optional.py:6: utils.ceil_div (every model) runs
engine/optional.py:6: utils.fp8_gemm_xx (every model) raises: no such name
engine/optional.py:7: utils.ceil_div (every model) runs
engine/utils/deep_gemm.py:7: fp8_gemm_nt (every model) runs
engine/utils/deep_gemm.py:8: fp8_m_grouped_gemm_nt_masked (every model) runs
engine/utils/deep_gemm.py:8: m_grouped_fp8_gemm_nt_masked (every model) runs
engine/utils/deep_gemm.py:9: fp8_fp4_mqa_logits (attention of DeepSeek-V3.2 and V4) falls back: the engine asks first
engine/utils/deep_gemm.py:11: fp8_gemm_nt (every model) runs
engine/utils/deep_gemm.py:13: fp8_fp4_mqa_logits (attention of DeepSeek-V3.2 and V4) raises: it is no block-scaled FP8 product
""".strip().splitlines()


def run(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)


def test_each_way_to_call(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = run(tmp_path)
    lines = done.stdout.splitlines()
    assert done.returncode == 1, done.stderr  # something raises that every model comes to
    assert [line for line in lines if ".py:" in line] == [
        next((line for line in lines if line.startswith(wanted)), wanted) for wanted in EXPECTED]
    assert "every model: 9 runs, 2 falls back, 4 raises" in lines
    (tmp_path / "engine" / "layers.py").unlink()
    (tmp_path / "engine" / "experts.py").unlink()
    (tmp_path / "engine" / "optional.py").unlink()
    done = run(tmp_path, "--fallback", "--summary")
    assert done.returncode == 0 and "attention of DeepSeek-V3.2 and V4: 1 falls back, 1 delegates" in done.stdout


@pytest.mark.parametrize("folder, message", [("nowhere", "expected the folder of an unpacked wheel"), (".", "expected calls of deep_gemm in")])
def test_folders_without_calls(tmp_path, folder, message):
    done = run(tmp_path / folder)
    assert done.returncode == 2 and message in done.stderr
