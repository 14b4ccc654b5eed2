# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A worker that hangs, crashes or never starts costs only what it was at."""

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import supervise

HERE = Path(supervise.__file__).parent
WORKER = textwrap.dedent(f"""
    import json, os, sys, time
    sys.path.insert(0, {str(HERE)!r})
    from supervise import say
    say(ready="here")
    for item in json.load(open(sys.argv[1])):
        say(begin=item["id"])
        if item.get("do") == "hang":
            time.sleep(60)
        if item.get("do") == "crash":
            print("something went wrong", flush=True)
            os._exit(3)
        say(end=item["id"], status="pass")
        if item.get("do") == "end":
            os._exit(4)
""")


def run(tmp_path, items, worker=WORKER, **options):
    script = tmp_path / "worker.py"
    script.write_text(worker)
    items = [{"id": str(i), "group": group, "do": do} for i, (group, do) in enumerate(items)]
    options = {"item_seconds": 1, "start_seconds": 20, "echo": lambda line: None, **options}
    results, ready = supervise.supervise([sys.executable, str(script)], items, **options)
    assert [r["end"] for r in results] == [i["id"] for i in items]
    return [r["status"] for r in results], results, ready


def test_all_pass(tmp_path):
    statuses, _, ready = run(tmp_path, [("a", ""), ("b", "")])
    assert statuses == ["pass", "pass"] and ready == "here"


def test_hang_skips_its_group(tmp_path):
    started = time.monotonic()
    statuses, results, _ = run(tmp_path, [("a", ""), ("b", "hang"), ("b", ""), ("c", "")])
    assert statuses == ["pass", "hang", "not run", "pass"]
    assert "'1' ended in a hang" in results[2]["note"]
    assert time.monotonic() - started < 20


def test_crash_is_reported_with_its_words(tmp_path):
    statuses, results, _ = run(tmp_path, [("a", "crash"), ("a", "")])
    assert statuses == ["crash", "pass"]
    assert "exit status 3: something went wrong" in results[0]["note"]


def test_exception_is_reported_with_its_first_line(tmp_path):
    worker = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import supervise
def run(item):
    if item["do"] == "raise":
        raise RuntimeError("CUDA error: an illegal memory access\\nFor debugging consider ...")
    return {{"status": "pass"}}
supervise.work(sys.argv[1], "here", run)
"""
    statuses, results, _ = run(tmp_path, [("a", "raise"), ("b", "")], worker)
    assert statuses == ["crash", "pass"]
    assert results[0]["note"].endswith("RuntimeError: CUDA error: an illegal memory access")


def test_crashes_of_a_group_end_it(tmp_path):
    statuses, _, _ = run(tmp_path, [("a", "crash"), ("a", "crash"), ("a", ""), ("b", "")])
    assert statuses == ["crash", "crash", "not run", "pass"]


@pytest.mark.parametrize("worker", ["raise SystemExit(5)", "import time; time.sleep(60)"])
def test_worker_that_never_starts(tmp_path, worker):
    statuses, _, ready = run(tmp_path, [("a", ""), ("b", "")], worker, start_seconds=1)
    assert statuses == ["not run", "not run"] and ready is None


def test_end_between_items(tmp_path):
    statuses, _, _ = run(tmp_path, [("a", "end"), ("b", "")])
    assert statuses == ["pass", "not run"]


def test_worker_dies_with_its_supervisor(tmp_path):
    pid = tmp_path / "pid"
    worker = tmp_path / "worker.py"
    worker.write_text(f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    supervisor = subprocess.Popen([sys.executable, "-c", f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import supervise
supervise.supervise([sys.executable, {str(worker)!r}], [{{"id": "0", "group": "a"}}], item_seconds=60, start_seconds=60)
"""])
    wait_until(lambda: pid.exists() and pid.read_text())
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: not alive(int(pid.read_text())))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=20):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "expected it within the time"
        time.sleep(0.05)


def test_deadline(tmp_path):
    statuses, _, _ = run(tmp_path, [("a", ""), ("b", "hang"), ("c", "")], item_seconds=60, deadline=time.monotonic() + 3)
    assert statuses == ["pass", "not run", "not run"]
