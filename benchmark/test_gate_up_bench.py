# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""gate_up.py without a GPU: its tables, and the problems of its items."""

import json
import re
import time
from pathlib import Path

import gate_up

HERE = Path(__file__).parent


def measured(item, error=0.03):
    return {**item, "us": {"fused": 10.0, "product": 10.2, "compiled": 14.0, "triton": 13.0}, "errors": {"fused": error, "triton": 0.03}}


def test_tables(capsys):
    assert gate_up.print_tables([measured(item) for item in gate_up.items()]) == 0
    printed = capsys.readouterr().out
    assert "       dense       1    16   4096  7168    10.00    10.20     14.00    13.00            1.30           0.98     3.00\n" in printed
    assert "masked: separate / fused 1.300 (1.30 to 1.30), fused / product 0.980 (0.98 to 0.98)\n" in printed
    assert printed.endswith("31 measured, 0 not, 0 wrong\n")


def test_wrong_and_unmeasured(capsys):
    item = gate_up.items()[0]
    late, fails = (gate_up.one(lambda **_: 1 / 0, item, time.monotonic() + seconds) for seconds in (0, 100))
    assert gate_up.print_tables([late]) == 0 and gate_up.print_tables([late, fails]) == 1 and gate_up.print_tables([measured(item, 0.2)]) == 1
    printed = capsys.readouterr().out
    assert "dense 1 16 4096 7168: out of time\n" in printed and "dense 1 16 4096 7168: wrong: " in printed
    assert "dense 1 16 4096 7168: ZeroDivisionError: division by zero\n" in printed


def test_the_readme_has_what_was_measured(capsys):
    """The means of the measurement that is kept, in the table."""
    assert gate_up.print_tables(json.loads((HERE / "measurements" / "gate-up" / "h200.json").read_text())) == 0
    printed, readme = capsys.readouterr().out, (HERE / "README.md").read_text()
    lines = re.findall(r"separate / fused ([\d.]+) (\(.+?\)), fused / product ([\d.]+) (\(.+?\))", printed)
    assert len(lines) == 4
    for gain, gains, cost, costs in lines:
        assert f"| {gain} {gains} | {cost} {costs} |" in readme


def test_problems():
    listed = gate_up.problems()
    assert len(listed) == 2 * (len(gate_up.DENSE) + 2 * 2 * len(gate_up.MODELS))
    assert sum("sfd" in problem for problem in listed) == len(listed) / 2
