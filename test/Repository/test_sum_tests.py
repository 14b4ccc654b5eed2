# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""scripts/sum_tests.py counts what the runners report, and what they fail to report."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "sum_tests.py"
MIXED = """<testsuites><testsuite>
  <testcase classname="A" name="passes"/>
  <testcase classname="A" name="fails"><failure message="x"/></testcase>
  <testcase classname="A" name="skips"><skipped message="File.cpp:3&#10;no GPU"/></testcase>
  <testcase classname="" name="file"><skipped message="collection skipped">('x.py', 7, 'Skipped: no torch')</skipped></testcase>
  <testcase classname="A" name="DISABLED_x" status="notrun"/>
</testsuite></testsuites>"""
PASSING = '<testsuite><testcase classname="B" name="passes"/></testsuite>'


def run(folder, files, *runners):
    for name, text in files.items():
        (folder / name).write_text(text)
    done = subprocess.run([sys.executable, SCRIPT, folder, *runners], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


def test_sums_runners(tmp_path):
    status, lines = run(tmp_path, {"lit.xml": MIXED, "lit.status": "1", "gtest-B.xml": PASSING, "gtest-B.status": "0"},
                        "lit", "gtest")
    assert (status, lines[-1]) == (1, "2 passed, 1 failed, 3 skipped")
    assert {"skipped 1: no GPU", "skipped 1: no torch", "skipped 1: disabled"} <= set(lines)
    assert "FAILED lit: A.fails" in lines


def test_all_passed(tmp_path):
    status, lines = run(tmp_path, {"lit.xml": PASSING, "lit.status": "0"}, "lit")
    assert (status, lines[-1]) == (0, "1 passed, 0 failed, 0 skipped")


def test_crash_without_results_fails(tmp_path):
    status, lines = run(tmp_path, {"gtest-A.status": "139", "gtest-B.xml": PASSING, "gtest-B.status": "0"}, "gtest")
    assert (status, lines[-1]) == (1, "1 passed, 1 failed, 0 skipped")


def test_bad_status_with_passing_results_fails(tmp_path):
    status, lines = run(tmp_path, {"gtest-A.status": "1", "gtest-A.xml": PASSING}, "gtest")
    assert (status, lines[-1]) == (1, "1 passed, 1 failed, 0 skipped")


def test_runner_without_tests_fails(tmp_path):
    status, lines = run(tmp_path, {"lit.xml": PASSING, "lit.status": "0"}, "lit", "pytest")
    assert (status, lines[-1]) == (1, "1 passed, 1 failed, 0 skipped")
