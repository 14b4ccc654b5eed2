# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""stress.py on the GPU, where there is one; that it says why it can't run where there is none."""

import subprocess
import sys
from pathlib import Path

import pytest

STRESS = Path(__file__).with_name("stress.py")


def test_skips_without_a_gpu(tmp_path):
    try:
        import torch
        if torch.cuda.is_available():
            pytest.skip("there is a GPU")
    except ImportError:
        pass
    run = subprocess.run([sys.executable, STRESS, tmp_path], capture_output=True, text=True)
    assert run.returncode == 77 and run.stdout.startswith("SKIP: "), run
