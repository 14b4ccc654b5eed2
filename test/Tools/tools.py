# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tools, and small inputs for them."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import environment

BIN = ROOT / "build" / "bin"
COMPILER, INSPECTOR, RUNNER, OPT = (BIN / f"fp8gemm-{name}" for name in ("compile", "inspect", "run", "opt"))
PTXAS = environment.find_program("ptxas")


def product(n=64, **keys):
    """An entry of a list that has one kernel."""
    return {"op": "k_grouped_gemm", "groups": 2, "m": 64, "n": n, **keys}


def write_list(path, problems):
    path.write_text(json.dumps({"gpu": "h200-sxm", "problems": problems}))
    return path


def run(*command, **keywords):
    """The command's end; one that waits for ever is a failure."""
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, **keywords)


def expect_error(done, *texts):
    """Reported in a line or two, without a crash."""
    assert done.returncode in (1, 2), (done.returncode, done.stderr)
    assert "Stack dump" not in done.stderr and done.stderr.count("\n") < 12, done.stderr
    for text in texts:
        assert text in done.stderr, done.stderr
