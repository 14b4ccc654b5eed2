# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pytest's way into run_gpu_tests.py: one test, skipped where there is no Hopper GPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import run_gpu_tests


def test_kernels():
    folder = Path(os.environ.get("FP8GEMM_TEST_KERNELS", run_gpu_tests.ROOT / "build" / "test-kernels"))
    reason = run_gpu_tests.why_not(folder)
    if reason:
        pytest.skip(reason)
    done = subprocess.run([sys.executable, run_gpu_tests.__file__, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
