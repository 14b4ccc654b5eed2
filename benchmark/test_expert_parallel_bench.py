# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""expert_parallel.py without GPUs: workers that die or hang cost one configuration, and the table says so."""

import json
import sys
import time
from types import SimpleNamespace

import expert_parallel as bench
import pytest

WORKER = '''
import json, sys, time
_, results, plan = sys.argv[-3:]
for item in json.load(open(plan))["items"]:
    def write(item=item, **more):
        print(json.dumps({**item, **more}), file=open(results, "a"), flush=True)
    write(state="started")
    if (item["way"], item["tokens"]) == ("gather", 8):
        sys.exit(3)
    if (item["way"], item["tokens"]) == ("slots", 8) and %r:
        time.sleep(600)
    if item["kind"] == "time":
        write(state="done", ranks=[{"us": 100.0 + rank, "error": 0.01} for rank in range(2)])
    else:
        write(state="done", ranks=[{"a = b": True}, {"a = b": True}])
'''


@pytest.fixture
def staged(tmp_path, monkeypatch):
    """Options, and torchrun replaced by one process of a worker."""
    start = bench.started
    monkeypatch.setattr(bench, "started", lambda command, *others: start([sys.executable, tmp_path / "worker.py", *command[-3:]], *others))
    monkeypatch.setattr(bench, "TOKENS", (128, 8))
    return SimpleNamespace(folder=tmp_path, logs=tmp_path, iterations=10)


def run(staged, hangs, seconds):
    (staged.folder / "worker.py").write_text(WORKER % hangs)
    return bench.run_model("qwen3-235b", 2, time.time() + seconds, False, staged, {}, staged.folder)


def test_worker_that_dies_costs_one_configuration(staged, capsys):
    lines, wanted = run(staged, False, 500)
    failed = [key for key, line in lines.items() if line["state"] != "done"]
    assert failed == [("time", "gather", 8)] and len(lines) == len(wanted)
    assert "ended by it: 3" in lines[failed[0]]["fault"]
    assert bench.print_tables({"qwen3-235b": (lines, wanted)}, 2) == 1
    printed = capsys.readouterr().out
    assert "     128      101.0" in printed and "     8     failed" in printed and printed.endswith("1 wrong, 0 not run\n")


def test_worker_that_hangs_is_ended(staged, monkeypatch, capsys):
    results, over = staged.logs / "qwen3-235b.jsonl", []

    def now():
        """Real time, until the worker hangs: then it is over."""
        if results.exists() and '"slots", "tokens": 8, "state": "started"' in results.read_text():
            over.append(True)
        return time.time() + 1000 * bool(over)

    monkeypatch.setattr(bench, "time", SimpleNamespace(time=now, sleep=time.sleep))
    lines, wanted = run(staged, True, 500)
    assert lines[("time", "slots", 8)]["fault"].startswith("ended by it: out of time")
    monkeypatch.undo()
    monkeypatch.setattr(bench, "TOKENS", (128, 8))
    assert bench.print_tables({"qwen3-235b": (lines, wanted)}, 2) == 1
    assert "2 wrong, 2 not run" in capsys.readouterr().out


def test_workers_that_do_not_start(staged, capsys):
    (staged.folder / "worker.py").write_text("raise SystemExit('no GPU')")
    outcome = bench.run_model("qwen3-235b", 2, time.time() + 500, False, staged, {}, staged.folder)
    assert bench.print_tables({"qwen3-235b": outcome}, 2) == 1
    printed = capsys.readouterr().out
    assert "no GPU" in printed and "its workers did not start" in printed


def test_results_that_are_wrong_show(staged, capsys):
    item = dict(kind="time", way="gather", tokens=8)
    lines = {bench.key(item): {**item, "state": "done", "ranks": [{"us": 1, "error": float("nan")}, {"us": 1, "error": 0.01}]}}
    assert bench.print_tables({"qwen3-235b": (lines, [item])}, 2) == 1
    assert "rank 0: wrong" in capsys.readouterr().out


def test_problems_are_those_of_the_layer():
    pytest.importorskip("torch")
    ep = pytest.importorskip("fp8gemm.expert_parallel")
    for model in bench.MODELS.values():
        listed = bench.problems(model, 2)
        assert all(json.dumps(problem) for problem in listed)
        for problem in ep.problems(model["experts"] // 2, model["hidden"], model["width"]):
            assert any({"sfa": "mn_major", **problem} == {"sfa": "mn_major", **given} for given in listed), problem
