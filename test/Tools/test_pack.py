# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Building packs where it goes wrong: killed half-way, no room on the disk; the bar on a terminal; no M without a
kernel."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import environment

COMPILER = ROOT / "build" / "bin" / "fp8gemm-compile"
INSPECTOR = ROOT / "build" / "bin" / "fp8gemm-inspect"
PROBLEMS = {"gpu": "h200-sxm", "problems": [{"op": "gemm", "n": n, "k": 256, "max_m": 16} for n in (64, 264, 520, 776)]}

pytestmark = [
    pytest.mark.skipif(not COMPILER.exists(), reason=f"{COMPILER} is not built"),
    pytest.mark.skipif(not environment.find_program("ptxas"), reason="no ptxas"),
]


@pytest.fixture
def command(tmp_path):
    """Builds tmp_path/pack from tmp_path/list.json, with a cache."""
    (tmp_path / "list.json").write_text(json.dumps(PROBLEMS))
    return [str(COMPILER), f"--pack={tmp_path / 'list.json'}", "-o", str(tmp_path / "pack"),
            f"--cache={tmp_path / 'cache'}", "--jobs=1"]


def run(command, **keywords):
    return subprocess.run(command, capture_output=True, text=True, **keywords)


def test_goes_on_after_a_kill(command, tmp_path):
    pack = tmp_path / "pack"
    pack.write_text("what was there")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for _ in range(2):
        assert process.stderr.readline().endswith(": compiled\n")
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stderr.close()
    assert pack.read_text() == "what was there"
    again = run(command)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count(": from the cache\n") >= 2
    assert again.stderr.count(": compiled\n") >= 1
    resumed = pack.read_bytes()
    fresh = run([word for word in command if not word.startswith("--cache")])
    assert fresh.returncode == 0 and fresh.stderr.count(": from the cache\n") == 0
    assert pack.read_bytes() == resumed


def test_no_room_for_the_pack(command, tmp_path):
    """A limit on the size of files stands in for a full disk."""
    assert run(command).returncode == 0
    pack = tmp_path / "pack"
    blocks = pack.stat().st_size // 1024 - 8
    assert all(kernel.stat().st_size < 1024 * blocks for kernel in (tmp_path / "cache").iterdir())
    pack.write_text("what was there")
    limited = run(["bash", "-c", f"ulimit -f {blocks}; exec \"$@\"", "-", *command])
    assert limited.returncode == 1
    assert limited.stderr.endswith(f"error: cannot write '{pack}': File too large, more than the process may write (ulimit -f)\n")
    assert pack.read_text() == "what was there"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "list.json", "pack"]


def test_a_bar_on_a_terminal(command):
    terminal, end = pty.openpty()
    process = subprocess.Popen(command, stderr=end)
    os.close(end)
    text = b""
    while True:
        try:
            text += os.read(terminal, 4096)
        except OSError:  # nobody has the other end open
            break
    os.close(terminal)
    assert process.wait() == 0
    bars = text.decode().split("\r")
    kernels = int(re.search(r"/(\d+) kernels", bars[1]).group(1))
    assert re.fullmatch(rf"\[=* *\] 1/{kernels} kernels, 0 from the cache, [\d.]+ s ", bars[1])
    assert re.fullmatch(rf"\[=+\] {kernels}/{kernels} kernels, 0 from the cache, [\d.]+ s ", bars[kernels])
    assert re.search(rf"pack: 4 problems, {kernels} kernels, \d+ bytes", bars[-2])


def test_every_m_has_a_kernel(tmp_path):
    """The pack of DeepSeek-V3's layers, for all M from 1 to 2048 and beyond."""
    path = ROOT / "examples" / "deepseek-v3.json"
    problems = json.loads(path.read_text())
    built = run([COMPILER, f"--pack={path}", "-o", tmp_path / "pack", "--quiet"])
    assert built.returncode == 0 and built.stderr == ""
    pack = json.loads(run([INSPECTOR, "--json", tmp_path / "pack"]).stdout)
    assert len(pack["plans"]) == len(problems["problems"])
    said = re.search(r"layers has (\d+) kernels for every M .*?; its (\d+)\s+problems", (ROOT / "docs" / "CommandLine.md").read_text(), re.S)
    assert said.groups() == (str(len(pack["kernels"])), str(len(pack["plans"])))
    for plan in pack["plans"]:
        for m in (*range(1, 2049), 4096, 16384, 2**31 - 1):
            serving = [i for i in plan["intervals"] if i["first"] <= m and (i["last"] is None or m <= i["last"])]
            assert len(serving) == 1, (plan["problem"], m)
            kernel = pack["kernels"][serving[0]["kernel"]]
            assert kernel["problem"] == plan["problem"]


@pytest.mark.parametrize("problem", [dict(n=2048, k=4096, d_type="f32"), dict(n=2056, k=20832)], ids=["f32", "bf16, a remainder of K blocks"])
def test_chosen_schedules_of_scales_for_every_column_fit_the_registers(tmp_path, problem):
    """Two blocks of rows and such scales: ptxas spilled in schedules that were chosen, so that there was no pack."""
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"gpu": "h200-sxm", "problems": [{"op": "gemm", "recipe": "1d1d", "c": "in_place", "sfb": "k_major", "max_m": 8192, **problem},
                                                              {"op": "gemm", "recipe": "1d1d", "c": "in_place", "sfb": "mn_major", "max_m": 8192, **problem}]}))
    built = run([COMPILER, f"--pack={path}", "-o", tmp_path / "pack", "--quiet"])
    assert built.returncode == 0, built.stderr
