# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Results in files: those of bench.py --json and sweep.py run --json, and the measurements that the repository keeps."""

import json
import math
import sys
from pathlib import Path

import bench_report
import races
import shapes

OURS, BEST = "fp8gemm", "fastest schedule"


class BadResults(SystemExit):
    """Ends a script with status 1 and this line on stderr."""

    def __init__(self, message):
        super().__init__(f"{Path(sys.argv[0]).name}: error: {message}")


def read(path):
    """The object in a JSON file; `-` is standard input."""
    try:
        text = sys.stdin.read() if str(path) == "-" else Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadResults(f"cannot read '{path}': {error.strerror}")
    except UnicodeDecodeError:
        raise BadResults(f"expected JSON in '{path}', got bytes that are no UTF-8")
    if not text.strip():
        raise BadResults(f"expected JSON in '{path}', got an empty file")
    try:
        results = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadResults(f"expected JSON in '{path}', got something else: {error}")
    if not isinstance(results, dict):
        raise BadResults(f"expected a JSON object in '{path}', got {type(results).__name__}")
    return results


def of_bench(results):
    """(problem, {contender: microseconds}) of bench.py's sets, except for groups."""
    for part in results["sets"].values():
        for row in part["rows"]:
            if "groups" not in row:
                yield problem_of(row), {OURS: row["ours"], **{peer: row.get(peer) for peer in races.PEERS}}


def of_sweep(results):
    """The same of sweep.py's shapes: ours is the model's choice, beside it the fastest schedule."""
    for shape in results["shapes"]:
        if "groups" in shape:
            continue
        timed = [c for c in shape["candidates"] if c.get("us")]
        us = {peer: shape.get("peers", {}).get(peer) for peer in races.PEERS}
        us[OURS] = next((c["us"] for c in timed if c.get("chosen")), None)
        if len(timed) > 1:
            us[BEST] = min(c["us"] for c in timed)
        yield problem_of(shape), us


def problem_of(fields):
    m, n, k = (fields[key] for key in "mnk")
    if any(type(size) is not int or size < 1 for size in (m, n, k)):
        raise ValueError(f"sizes {m} x {n} x {k}")
    return shapes.Problem(m, n, k)


def times(path):
    """{(n, k): {contender: {m: microseconds}}} of a file, and (TFLOPS, TB/s) that its GPU attains, and the file's object."""
    results = read(path)
    if "sets" not in results and "shapes" not in results:
        raise BadResults(f"expected results of bench.py --json ('sets') or sweep.py run --json ('shapes') in '{path}', "
                         f"got an object with {', '.join(map(repr, list(results)[:5])) or 'nothing in it'}")
    points = {}
    try:
        for problem, us in of_bench(results) if "sets" in results else of_sweep(results):
            for name, time in us.items():
                if time is None:
                    continue
                if isinstance(time, bool) or not math.isfinite(time) or time <= 0:
                    raise ValueError(f"a time of {time} us")
                points.setdefault((problem.n, problem.k), {}).setdefault(name, {})[problem.m] = time
        known = bench_report.roof_of(results.get("machine"))
        rates = float(results.get("tflops", known[0])), float(results.get("terabytes_per_second", known[1]))
    except KeyError as error:
        raise BadResults(f"expected results of bench.py or sweep.py in '{path}', got some without {error}")
    except (AttributeError, TypeError, ValueError) as error:
        raise BadResults(f"expected results of bench.py or sweep.py in '{path}', got others: {error}")
    return points, rates, results
