# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The benchmark without a GPU: which kernels it builds and picks, what it makes of timelines and results."""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import bench
import kernels
import pytest
import shapes

HERE = Path(__file__).resolve().parent


def test_floor_is_that_of_the_tables():
    assert shapes.floor_us(shapes.Problem(1, 2112, 7168), 1600, 3.0) == pytest.approx(5.1, abs=0.05)
    assert shapes.floor_us(shapes.Problem(4096, 32768, 512), 1600, 3.0) == pytest.approx(95.8, abs=0.8)
    assert shapes.floor_us(shapes.Problem(4096, 7168, 2048), 1600, 3.0) == pytest.approx(75.2, abs=0.1)


def test_mlir_has_the_storage_that_it_names():
    text = kernels.mlir(576, 7168, "mn_major", "k_major")
    assert "memref<56x?xf32" in text and "memref<5x56xf32" in text
    text = kernels.mlir(576, 7168, "k_major", "mn_major")
    assert "memref<?x56xf32" in text and "memref<56x5xf32" in text


def entry(**fields):
    return {"n": 8, "k": 16, "expected_m": 4096, "sfa": "mn_major", "sfb": "k_major", "label": "default", "file": "f",
            **fields}


def test_kernel_of_the_nearest_m():
    index = [entry(expected_m=1, file="one"), entry(expected_m=4096, file="many"), entry(n=24, file="other")]
    assert bench.choose_kernels(index, shapes.Problem(4, 8, 16), "default") == {"default": "one"}
    assert bench.choose_kernels(index, shapes.Problem(1024, 8, 16), "default") == {"default": "many"}
    assert bench.choose_kernels(index, shapes.Problem(4, 32, 16), "default") == {}


def test_labels():
    index = [entry(), entry(label="tile_m256", file="g"), entry(label="tile_m256", sfa="k_major", file="h")]
    assert bench.choose_kernels(index, shapes.Problem(4, 8, 16), "all") == {"default": "f", "tile_m256": "g"}
    assert bench.choose_kernels(index, shapes.Problem(4, 8, 16), "tile.*") == {"tile_m256": "g"}


def result(status="pass", **us):
    return {"status": status, "us": us, "notes": {}, "method": "cupti", "method_note": ""}


def test_report(capsys):
    problems = [shapes.Problem(4096, 7168, 2048), shapes.Problem(4096, 4096, 7168)]
    items = [{"id": bench.item_id("s", p), "kernels": {"default": "f"}} for p in problems]
    results = [result(default=100.0, **{"cublas-b": 121.0, "read": 10.0}), result(default=100.0, **{"cublas-b": 100.0})]
    results[1]["notes"]["cublas-t"] = "RuntimeError: no such thing"
    options = argparse.Namespace(tflops=None, bandwidth=None, rounds=12)
    answer = bench.report({"s": problems}, items, results, options, {"gpu": "NVIDIA H200", "torch": "2", "cuda": "13"})
    text = capsys.readouterr().out
    assert "floor at 1600 TFLOPS and 4.3 TB/s" in text
    assert re.search(r"\| 4096 \| 7168 \| 2048 \| 100\.0 \| 1203 \| \d+ \| 121\.0 \| 1\.21 \| 10\.0 \| 0\.10 \|", text)
    assert "- 4096x4096x7168: cublas-t: RuntimeError: no such thing" in text
    assert answer["sets"]["s"]["geometric_means"]["x cublas-b"] == pytest.approx(1.1)
    json.dumps(answer)


def test_report_without_any_result(capsys):
    problem = shapes.Problem(1, 8, 16)
    items = [{"id": bench.item_id("s", problem), "kernels": {}}]
    options = argparse.Namespace(tflops=None, bandwidth=None, rounds=12)
    bench.report({"s": [problem]}, items, [{"status": "hang", "note": "no result in 60 s"}], options, None)
    text = capsys.readouterr().out
    assert "1x8x16: hang: no result in 60 s" in text and "| 1 | 8 | 16 | – |" in text


def test_failed_compile_is_reported_and_left_out(tmp_path):
    for tool in ("fp8gemm-opt", "fp8gemm-compile"):
        (tmp_path / tool).write_text(
            "#!/bin/sh\ncase \"$*\" in *'tile_m = 7'*) echo 'expected a legal tile' >&2; exit 1;; esac\n" +
            ("cat\n" if tool.endswith("opt") else "for last; do :; done; echo kernel >\"$last\"\n"))
        (tmp_path / tool).chmod(0o755)
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, HERE / "kernels.py", out, "--shapes", "1x8x16", "--tools", tmp_path,
                           "--config", "", "--config", "tile_m = 7", "-j", "2"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "FAILED" in done.stderr and "expected a legal tile" in done.stderr
    assert [e["label"] for e in json.loads((out / "index.json").read_text())] == ["default"]
    assert len(list(out.glob("*.cubin"))) == 1


def test_wrong_arguments():
    done = subprocess.run([sys.executable, HERE / "bench.py", "--set", "forward-1", "--peers", "x"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "expected --peers of" in done.stderr
