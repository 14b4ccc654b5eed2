# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is plotted, of results that look like the benchmark's and the sweep's; that it is drawn; what wrong files get."""

import argparse
import io
import json
import statistics
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import bench_report
import plot
import pytest
import races
import result_files
import shapes

HERE = Path(__file__).resolve().parent
KEPT = HERE / "measurements" / "races" / "h200-sxm.json"
PICTURE = HERE.parent / "docs" / "speed.svg"


def of_bench(ms=(1, 128, 4096)):
    problems = [shapes.Problem(m, 7168, 2048) for m in ms]
    cases = races.dense(problems)
    items = [races.item_of(races.case_id("s", case), case, [], {"": {"default": "f", "other": "g"}}) for case in cases]
    timed = [{"status": "pass", "us": {"default": 10.0 + p.m / 100, "other": 9.0, "cublas-b": 20.0, "read": 5.0}, "notes": {},
              "method": "cupti", "method_note": ""} for p in problems]
    answer = bench_report.report({"s": cases}, items, timed, argparse.Namespace(tflops=None, bandwidth=None, rounds=12),
                                 {"gpu": "NVIDIA H200"})
    return json.loads(json.dumps(answer))


def of_sweep():
    def shape(m, k=2048):
        return {"m": m, "n": 7168, "k": k, "peers": {"cublas-b": 30.0}, "candidates": [
            {"config": [1], "us": 20.0, "chosen": True}, {"config": [2], "us": 15.0}, {"config": [3], "us": None}]}
    return {"machine": {"gpu": "NVIDIA H200"}, "rounds": 12, "tflops": 1600.0, "terabytes_per_second": 4.3, "fields": ["x"],
            "shapes": [shape(64), shape(1), shape(1, k=512)]}


@pytest.fixture
def written(tmp_path):
    def write(answer):
        path = tmp_path / "results.json"
        path.write_text(json.dumps(answer))
        return path
    return write


def test_times_of_the_benchmark(written):
    """Other schedules of a sweep by hand, and the read kernel, are not contenders."""
    points, rates, _ = result_files.times(written(of_bench()))
    assert points == {(7168, 2048): {result_files.OURS: {1: 10.01, 128: 11.28, 4096: 50.96},
                                     "cublas-b": {1: 20.0, 128: 20.0, 4096: 20.0}}}
    assert rates == (1600.0, 4.3)


def test_times_of_a_sweep(written):
    points, _, _ = result_files.times(written(of_sweep()))
    assert points[7168, 2048] == {result_files.OURS: {1: 20.0, 64: 20.0}, result_files.BEST: {1: 15.0, 64: 15.0},
                                  "cublas-b": {1: 30.0, 64: 30.0}}


def test_rates():
    ms, tflops, gbps = plot.rates_of({4096: 100.0}, 7168, 2048)
    assert (ms, round(tflops[0], 1), round(gbps[0], 1)) == ([4096], 1202.6, 820.5)


def test_ratios():
    """Of the M that both have."""
    contenders = {result_files.OURS: {1: 10.0, 64: 20.0}, result_files.BEST: {1: 9.0}, "deepgemm": {1: 15.0, 7: 1.0}, "cublas-b": {7: 1.0}}
    assert plot.ratios_of(contenders) == {"deepgemm": {1: 1.5}}


def test_roofline():
    """Memory for few rows, arithmetic for many."""
    roof = plot.roofline(7168, 2048, [1, 4096], (1600.0, 4.0))
    assert min(roof) == 1 and max(roof) == 4096 and len(roof) > 100
    assert roof[1] == shapes.bytes_once(shapes.Problem(1, 7168, 2048)) / 4e6
    assert roof[4096] == shapes.flops(shapes.Problem(4096, 7168, 2048)) / 1600e6


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["plot.py", *map(str, arguments)])
    return plot.main()


def test_drawn(tmp_path, monkeypatch, written):
    pytest.importorskip("matplotlib", reason="no matplotlib: nothing is drawn")
    best = plot.NAMES[result_files.BEST]
    for name, answer, lines in (("bench", of_bench(), ()), ("sweep", of_sweep(), (best,))):
        for suffix in ("svg", "png"):
            assert call(monkeypatch, written(answer), "-o", tmp_path / f"{name}.{suffix}") == 0
        svg = (tmp_path / f"{name}.svg").read_text()
        xml.etree.ElementTree.fromstring(svg)
        assert svg.count('id="axes_') == 2 and svg.count("<!-- N = 7168, K = 2048 -->") == 2
        for label in ("roofline", "fp8gemm", "cuBLASLt block-scaled", *lines):
            assert f"<!-- {label} -->" in svg
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("ratios, plots", [("shape", ["M = 1", "M = 128", "M = 4096"]),
                                           ("m", ["N = 7168, K = 2048; above 1.0 fp8gemm is faster"])])
def test_ratios_are_drawn(tmp_path, monkeypatch, written, ratios, plots):
    pytest.importorskip("matplotlib", reason="no matplotlib: nothing is drawn")
    call(monkeypatch, written(of_bench()), "-o", tmp_path / "x.svg", "--ratios", ratios)
    svg = (tmp_path / "x.svg").read_text()
    assert svg.count('id="axes_') == len(plots) and all(f"<!-- {title} -->" in svg for title in plots)
    assert "128 x 7168 x 2048: cuBLASLt block-scaled 1.77" in svg


@pytest.mark.parametrize("path", [KEPT, *sorted((HERE / "measurements").glob("*.json"))], ids=lambda path: path.name)
def test_kept_measurements_are_drawn(tmp_path, monkeypatch, path):
    pytest.importorskip("matplotlib", reason="no matplotlib: nothing is drawn")
    assert call(monkeypatch, path, "-o", tmp_path / "x.svg", "--nk", "7168x2048") == 0
    assert "<!-- N = 7168, K = 2048 -->" in (tmp_path / "x.svg").read_text()


def test_picture_shows_the_kept_measurements():
    """docs/speed.svg was drawn of what is kept; its description says all its points."""
    tree = xml.etree.ElementTree.parse(PICTURE)
    said = next(tree.iter("{http://purl.org/dc/elements/1.1/}description")).text
    assert said == plot.description(result_files.times(KEPT)[0])


def test_tables_are_of_the_kept_times():
    kept = {(row["m"], row["n"], row["k"]): row for part in json.loads(KEPT.read_text())["sets"].values() for row in part["rows"]}
    text = (HERE / "README.md").read_text()
    lines = [line.strip("| \n").split(" | ") for line in text.splitlines() if line.startswith(("| 1 x", "| 128 x", "| 4096 x"))]
    shown = {tuple(map(int, line[0].split(" x "))): [None if cell == "–" else float(cell) for cell in line[1:]] for line in lines}
    assert len(lines) == len(kept) == 21
    for problem, row in kept.items():
        ours, _, _, deepgemm, _, block_scaled, _, per_tensor, _ = shown[problem]
        assert [ours, deepgemm, block_scaled, per_tensor] == [row[name] for name in ("ours", "deepgemm", "cublas-b", "cublas-t")]
    means = [line.strip("| \n").split(" | ") for line in (HERE.parent / "README.md").read_text().splitlines() if line.startswith("| M = ")]
    assert [line[0] for line in means] == ["M = 1", "M = 128", "M = 4096"]
    for name, *cells in means:
        for peer, cell in zip(("deepgemm", "cublas-b", "cublas-t"), cells, strict=True):
            ratios = [row[peer] / row["ours"] for (m, _, _), row in kept.items() if name == f"M = {m}" and row[peer]]
            assert cell == "–" if not ratios else abs(float(cell.strip("*")) - statistics.geometric_mean(ratios)) < 0.01


BAD = [("no.json", None, "cannot read 'no.json': No such file or directory"),
       ("folder.json", (), "cannot read 'folder.json': Is a directory"),
       ("x.json", "", "expected JSON in 'x.json', got an empty file"),
       ("x.json", "\n", "expected JSON in 'x.json', got an empty file"),
       ("x.json", "M,N\n1,2", "expected JSON in 'x.json', got something else: "),
       ("x.json", b"\xff\xfe\x00", "expected JSON in 'x.json', got bytes that are no UTF-8"),
       ("x.json", "[" * 100000, "expected JSON in 'x.json', got something else: "),
       ("x.json", "[1]", "expected a JSON object in 'x.json', got list"),
       ("x.json", "{}", "in 'x.json', got an object with nothing in it"),
       ("x.json", '{"a": 1}', "in 'x.json', got an object with 'a'"),
       ("x.json", '{"sets": []}', "expected results of bench.py or sweep.py in 'x.json', got others: "),
       ("x.json", '{"sets": {"s": {}}}', "got some without 'rows'"),
       ("x.json", '{"sets": {"s": {"rows": [{"m": 1, "n": 8}]}}}', "got some without 'k'"),
       ("x.json", '{"shapes": [{"m": 1, "n": 8, "k": "a", "candidates": []}]}', "got others: sizes 1 x 8 x a"),
       ("x.json", '{"shapes": [{"m": 0, "n": 8, "k": 16, "candidates": []}]}', "got others: sizes 0 x 8 x 16"),
       ("x.json", '{"sets": {"s": {"rows": [{"m": 1, "n": 8, "k": 16, "ours": -1}]}}}', "got others: a time of -1 us"),
       ("x.json", '{"sets": {"s": {"rows": [{"m": 1, "n": 8, "k": 16, "ours": NaN}]}}}', "got others: a time of nan us"),
       ("x.json", '{"sets": {"s": {"rows": [{"m": 1, "n": 8, "k": 16, "ours": "1"}]}}}', "got others: "),
       ("x.json", '{"sets": {}, "tflops": [1]}', "got others: ")]


def place(folder, name, content):
    if content == ():
        (folder / name).mkdir()
    elif content is not None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("name, content, message", BAD)
def test_wrong_files_get_a_line(tmp_path, monkeypatch, name, content, message):
    place(tmp_path, name, content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        call(monkeypatch, name, "-o", "x.svg")
    assert str(ended.value).startswith("plot.py: error: ") and message in str(ended.value) and "\n" not in str(ended.value)


def test_line_on_stderr(tmp_path):
    for script in (["plot.py", "no.json", "-o", "x.svg"], ["sweep.py", "report", "no.json"]):
        done = subprocess.run([sys.executable, HERE / script[0], *script[1:]], cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (1, f"{script[0]}: error: cannot read 'no.json': No such file or directory\n")


def test_standard_input(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("[]"))
    with pytest.raises(SystemExit, match="expected a JSON object in '-', got list"):
        call(monkeypatch, "-", "-o", tmp_path / "x.svg")


def test_wrong_outputs_get_a_line(tmp_path, monkeypatch, written):
    for output, message in (("x.bmp", r"expected --output to end in \.svg, \.png, \.pdf, got 'x\.bmp'"),
                            ("no/x.svg", "cannot write 'no/x.svg': expected a folder 'no', got none")):
        with pytest.raises(SystemExit, match=message):
            call(monkeypatch, written(of_bench()), "-o", output)


def test_missing_matplotlib_gets_a_line(tmp_path, monkeypatch, written):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit, match=r"expected matplotlib, got none: pip install -r benchmark/requirements.txt"):
        call(monkeypatch, written(of_bench()), "-o", tmp_path / "x.svg")


def test_nothing_to_draw(tmp_path, monkeypatch, written):
    pytest.importorskip("matplotlib", reason="no matplotlib: nothing is drawn")
    path, output = written(of_sweep()), tmp_path / "x.svg"
    with pytest.raises(SystemExit, match="expected an .* with times of several M, got none"):
        call(monkeypatch, path, "-o", output, "--nk", "7168x512")
    with pytest.raises(SystemExit):
        call(monkeypatch, path, "-o", output, "--nk", "7168")
    for ratios in ("shape", "m"):
        with pytest.raises(SystemExit, match="times of (ours and )?a peer"):
            call(monkeypatch, HERE / "measurements" / "h200-sxm.json", "-o", output, "--ratios", ratios)
