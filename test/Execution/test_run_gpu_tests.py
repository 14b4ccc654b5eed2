# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""run_gpu_tests.py without a GPU: what it would run, how it sums up, when it has nothing to run on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import run_gpu_tests


def entry(n, k, sfa="mn_major"):
    return {"file": f"{n}x{k}-{sfa}", "n": n, "k": k, "sfa": sfa, "sfb": "k_major", "label": "default"}


INDEX = [entry(4096, 4096), entry(24, 16), entry(24, 16, "k_major"), entry(136, 144)]


def test_items():
    items = run_gpu_tests.items_of(INDEX, Path("/f"), [1, 4096, 33], 2)
    assert len({item["id"] for item in items}) == len(items)
    kinds = {(item["n"], item.get("kind", "random")) for item in items}
    assert {(24, "model"), (136, "model"), (136, "adversarial"), (4096, "adversarial"), (4096, "refused")} <= kinds
    assert not {(24, "adversarial"), (4096, "model")} & kinds  # K below a block; too slow in numpy
    runs = [(item["n"], item["k"], item["seed"]) for item in items if "m" in item]
    assert runs == sorted(runs, key=runs.index), "expected runs that share an oracle to follow each other"
    assert [item["m"] for item in items if "m" in item][:3] == [4096, 33, 1]


def test_kinds_are_named():
    other = dict(entry(24, 16), kind=["1d1d", "e4m3", "e5m2", "f32", "in_place"])
    assert run_gpu_tests.layouts_of(other) == "mn_major/k_major 1d1d e5m2 f32 in_place"
    items = run_gpu_tests.items_of([other, entry(136, 144)], Path("/f"), [1], 3)
    assert [item["n"] for item in items if "m" in item] == [24, 136, 136, 136]  # one seed of it


@pytest.mark.parametrize("status", ["pass", "fail", "hang", "crash", "not run"])
def test_summary(capsys, status):
    items = run_gpu_tests.items_of(INDEX, Path("/f"), [1], 1)
    results = [{"status": "pass", "ratio": 0.25, "row": 0.002} for _ in items]
    results[-1] = {"status": status}
    assert run_gpu_tests.summarise(items, results) == (status == "pass")
    text = capsys.readouterr().out
    assert "| 24 | 16 | k_major/k_major | default | 5 | 0 | 0 | 0 | 0 | 0.2500 | 0.0020 | – | 0.2500 |" in text
    assert f"1 {status}" in text or status == "pass"


def test_says_why_it_skips(tmp_path):
    gpu, reason = run_gpu_tests.environment.find_hopper()
    done = subprocess.run([sys.executable, run_gpu_tests.__file__, tmp_path], capture_output=True, text=True)
    assert done.returncode == run_gpu_tests.SKIPPED
    assert done.stdout.startswith("SKIP: " + ("no " if gpu else reason))


def test_no_item_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "index.json").write_text(json.dumps(INDEX))
    monkeypatch.setattr(run_gpu_tests, "why_not", lambda kernels: None)
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path), "--only", "nothing"])
    assert run_gpu_tests.main() == 1


def test_patterns_of_groups(tmp_path, monkeypatch, capsys):
    """Grouped kernels have items of their own, each of which runs under the watchdog."""
    grouped = dict(entry(24, 16), grouping="row_end", groups=3, align=1)
    assert run_gpu_tests.items_of([grouped], Path("/f"), [1], 1) == []
    (tmp_path / "index.json").write_text(json.dumps([grouped, *INDEX]))
    monkeypatch.setattr(run_gpu_tests, "why_not", lambda kernels: None)
    monkeypatch.setattr(run_gpu_tests.supervise, "supervise", lambda command, items, **limits: (
        [{"status": "pass", "ratio": 0.5, "row": 0.001} for _ in items], "a GPU"))
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path), "--grouped", "20"])
    assert run_gpu_tests.main() == 0
    text = capsys.readouterr().out
    assert "| 24 | 16 | mn_major/k_major 3 x row_end by 1 | default | 20 | 0 | 0 | 0 | 0 | 0.5000 | 0.0010 | – | – |" in text
    assert "20 patterns of groups" in text


def test_worker_of_huge_operands_finds_its_modules(tmp_path):
    """It is started by itself, with no path but its own folder."""
    (tmp_path / "torch.py").write_text("float8_e4m3fn = float8_e5m2 = bfloat16 = float32 = int32 = uint8 = None\n")
    command = ("import runpy, sys; sys.path[:0] = [sys.argv[1], sys.argv[2]]; "
               "runpy.run_path(sys.argv[2] + '/huge_case.py', run_name='imported')")
    done = subprocess.run([sys.executable, "-c", command, str(tmp_path), str(Path(run_gpu_tests.__file__).parent)],
                          capture_output=True, text=True, cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
