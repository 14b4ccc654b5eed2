# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is plotted, of results that look like the benchmark's and the sweep's; and that it is drawn."""

import argparse
import json
import sys
import xml.etree.ElementTree

import bench_report
import plot
import pytest
import races
import shapes


def of_bench(ms=(1, 128, 4096)):
    problems = [shapes.Problem(m, 7168, 2048) for m in ms]
    cases = races.dense(problems)
    items = [races.item_of(races.case_id("s", case), case, [], {"": {"default": "f", "other": "g"}}) for case in cases]
    results = [{"status": "pass", "us": {"default": 10.0 + p.m / 100, "other": 9.0, "cublas-b": 20.0, "read": 5.0}, "notes": {},
                "method": "cupti", "method_note": ""} for p in problems]
    answer = bench_report.report({"s": cases}, items, results, argparse.Namespace(tflops=None, bandwidth=None, rounds=12),
                                 {"gpu": "NVIDIA H200"})
    return json.loads(json.dumps(answer))


def of_sweep():
    def shape(m, k=2048):
        return {"m": m, "n": 7168, "k": k, "peers": {"cublas-b": 30.0}, "candidates": [
            {"config": [1], "us": 20.0, "chosen": True}, {"config": [2], "us": 15.0}, {"config": [3], "us": None}]}
    return {"machine": {"gpu": "NVIDIA H200"}, "rounds": 12, "tflops": 1600.0, "terabytes_per_second": 4.3, "fields": ["x"],
            "shapes": [shape(64), shape(1), shape(1, k=512)]}


def test_series_of_the_benchmark():
    """Other schedules of a sweep by hand, and the read kernel, are no contenders."""
    assert plot.series(of_bench()) == {(7168, 2048): {
        plot.OURS: [(1, 10.01), (128, 11.28), (4096, 50.96)], "cublas-b": [(1, 20.0), (128, 20.0), (4096, 20.0)]}}


def test_series_of_a_sweep():
    lines = plot.series(of_sweep())
    assert lines[7168, 2048] == {plot.OURS: [(1, 20.0), (64, 20.0)], plot.BEST: [(1, 15.0), (64, 15.0)],
                                 "cublas-b": [(1, 30.0), (64, 30.0)]}


def test_rates():
    ms, tflops, gbps = plot.rates([(4096, 100.0)], 7168, 2048)
    assert (ms, round(tflops[0], 1), round(gbps[0], 1)) == ([4096], 1202.6, 820.5)


def test_roofline():
    """Memory for few rows, arithmetic for many."""
    results = {"tflops": 1600.0, "terabytes_per_second": 4.0}
    roof = plot.roofline(7168, 2048, [1, 4096], results)
    assert roof[0][0] == 1 and roof[-1][0] == 4096 and len(roof) > 100
    problems = [shapes.Problem(m, 7168, 2048) for m in (1, 4096)]
    assert roof[0][1] == shapes.bytes_once(problems[0]) / 4e6
    assert roof[-1][1] == shapes.flops(problems[1]) / 1600e6


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["plot.py", *map(str, arguments)])
    return plot.main()


def test_drawn(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="no matplotlib: nothing is drawn")
    for name, results, lines in (("bench", of_bench(), 2), ("sweep", of_sweep(), 3)):
        (tmp_path / "results.json").write_text(json.dumps(results))
        for suffix in ("svg", "png"):
            assert call(monkeypatch, tmp_path / "results.json", "-o", tmp_path / f"{name}.{suffix}") == 0
        svg = (tmp_path / f"{name}.svg").read_text()
        xml.etree.ElementTree.fromstring(svg)
        assert svg.count('id="axes_') == 2 and svg.count("<!-- N = 7168, K = 2048 -->") == 2
        for label in ("roofline", plot.OURS, "cublas-b") + ((plot.BEST,) if lines == 3 else ()):
            assert f"<!-- {label} -->" in svg
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_to_draw(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="no matplotlib: nothing is drawn")
    (tmp_path / "results.json").write_text(json.dumps(of_sweep()))
    with pytest.raises(SystemExit, match="expected an .* with times of several M"):
        call(monkeypatch, tmp_path / "results.json", "-o", tmp_path / "x.svg", "--nk", "7168x512")
    with pytest.raises(SystemExit):
        call(monkeypatch, tmp_path / "results.json", "-o", tmp_path / "x.svg", "--nk", "7168")
