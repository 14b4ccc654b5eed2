# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hung_kernels.py without a GPU: what it stages, and how it judges what fp8gemm-run prints."""

import json
import os
import subprocess
import sys
from pathlib import Path

import hung_kernels
import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FP8GEMM_BUILD", ROOT / "build"))
NO_RELEASE = next(case for case in hung_kernels.BROKEN if case.name == "no-release")
REPORT = """fp8gemm-run: error: cuStreamSynchronize failed: CUDA_ERROR_LAUNCH_FAILED (719: ...)
kernel 'k' waited for more than 200 ms:
  producer, cta 0-7: waits until stage 0 of ring 0 is empty (phase false), at gemm.mlir:3:4
  helper, cta 0-7: waits until stage 0 of ring 0 is empty (phase false)
  consumer 0, cta 0-7: waits until stage 0 of ring 0 is full (phase true), at gemm.mlir:5:6
  consumer 1, cta 0-7: waits until stage 0 of ring 0 is full (phase true), at gemm.mlir:5:6
  ring 0: 4 stages, filled by TMA (128x128xf8E4M3FN), read by 2 consumers
"""
GOOD = {"name": "good-k", "m": 1}
BROKEN = {"name": "broken-no-release", "m": 256, "expected": NO_RELEASE.expected}


@pytest.mark.parametrize("case, status, output, complaint", [
    (GOOD, 0, "check    held: 1 of 1 rows", ""),
    (GOOD, 1, "check    FAILED: 1 of 1 rows", "expected the check to hold"),
    (GOOD, None, "", "expected it to end by itself"),
    (BROKEN, 2, REPORT, ""),
    (BROKEN, None, "", "expected it to end by itself"),
    (BROKEN, 0, "check    held: 256 of 256 rows", "expected a trap"),
    (BROKEN, 2, "fp8gemm-run: error: expected the GPU to be done within 20 s (--watchdog)", "expected a trap"),
    (BROKEN, 2, REPORT.replace("stage 0 of ring 0 is full", "stage 1 of ring 0 is full"), "expected a line 'consumer 0"),
    (BROKEN, 2, REPORT.replace("(phase true)", "(phase false)"), "expected a line 'consumer 0"),
    (BROKEN, 2, REPORT + "  consumer 0, cta 9: at no ring: it runs\n", "expected no line 'consumer 0, cta 9"),
])
def test_judges(case, status, output, complaint):
    got = hung_kernels.judge(case, status, output)
    assert got.startswith(complaint) if complaint else got == "", got


def test_stages_and_runs(tmp_path):
    """All kernels are compiled, each broken one refused by the rule that is named. The program that runs them is a stand-in."""
    compiler = hung_kernels.Compiler(BUILD)
    if not (BUILD / "bin" / "fp8gemm-opt").exists():
        pytest.skip(f"no compiler in {BUILD}")
    try:
        compiler.call("fp8gemm-compile", "--op=gemm", "--n=64", "--k=128", "-o", tmp_path / "probe.cubin")
    except RuntimeError as error:
        pytest.skip(str(error))
    hung_kernels.stage(tmp_path, BUILD)
    cases = json.loads((tmp_path / "cases.json").read_text())
    assert len(cases) == len(hung_kernels.GOOD) + len(hung_kernels.BROKEN)
    assert all((tmp_path / "kernels" / f"{case['name']}.cubin").stat().st_size > 4096 for case in cases)
    tool = tmp_path / "bin" / "fp8gemm-run"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{REPORT}END\nexit 2\n")
    run = subprocess.run([sys.executable, tmp_path / "hung_kernels.py", "run"], capture_output=True, text=True)
    assert run.returncode == 1
    assert "passed  broken-no-release\n" in run.stdout
    assert "FAILED  good-chosen: expected the check to hold" in run.stdout
    assert "FAILED  broken-wrong-phase: expected a line 'helper, cta 0-7: at no ring" in run.stdout
