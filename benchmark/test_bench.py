# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The benchmark without a GPU: which kernels it builds and picks, what it makes of timelines and results."""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import bench
import bench_report
import gpu_energy
import kernels
import pytest
import races
import shapes

HERE = Path(__file__).resolve().parent


def test_floor_is_that_of_the_tables():
    assert shapes.floor_us(shapes.Problem(1, 2112, 7168), 1600, 3.0) == pytest.approx(5.1, abs=0.05)
    assert shapes.floor_us(shapes.Problem(4096, 32768, 512), 1600, 3.0) == pytest.approx(95.8, abs=0.8)
    assert shapes.floor_us(shapes.Problem(4096, 7168, 2048), 1600, 3.0) == pytest.approx(75.2, abs=0.1)


def test_what_is_built():
    timed = kernels.wanted([(shapes.Problem(1, 576, 7168), kernels.LAYOUTS[0])], ["", "tile_m = 128, tile_n = 160"])
    assert [e["label"] for e in timed] == ["default", "tile_m128-tile_n160"]
    assert {(e["n"], e["k"], e["expected_m"], e["sfa"], e["sfb"]) for e in timed} == {(576, 7168, 1, "mn_major", "k_major")}
    assert len({e["file"] for e in timed}) == 2


def entry(**fields):
    return {"n": 8, "k": 16, "expected_m": 4096, "sfa": "mn_major", "sfb": "k_major", "label": "default", "file": "f",
            **fields}


def test_kernel_of_the_nearest_m():
    index = [entry(expected_m=1, file="one"), entry(expected_m=4096, file="many"), entry(n=24, file="other")]
    assert races.choose_kernels(index, shapes.Problem(4, 8, 16), "default") == {"default": "one"}
    assert races.choose_kernels(index, shapes.Problem(1024, 8, 16), "default") == {"default": "many"}
    assert races.choose_kernels(index, shapes.Problem(4, 32, 16), "default") == {}


def test_kernel_of_the_kind():
    kind = shapes.WEIGHT_GRADIENT_KIND
    gradient = shapes.Problem(4, 8, 16, kind)
    index = [entry(file="forward"), entry(kind=list(kind), file="k", sfb="k_major"),
             entry(kind=list(kind), file="mn", sfb="mn_major")]
    assert races.choose_kernels(index, gradient, "default") == {"default": "mn"}  # what TMA can load
    assert races.choose_kernels(index, shapes.Problem(4, 8, 16), "default") == {"default": "forward"}
    assert gradient != shapes.Problem(4, 8, 16) and shapes.problem_of(shapes.fields(gradient)) == gradient


def test_weight_gradients():
    built = kernels.wanted([(p, kernels.timed_layouts(p)) for p in shapes.SETS["weight-gradient"]], [""])
    assert {(e["k"], e["sfa"], e["sfb"]) for e in built} == {(4096, "mn_major", "mn_major")}
    assert kernels.kind_options(shapes.Kind(*built[0]["kind"])) == [
        "--recipe=1d1d", "--a-type=e4m3", "--b-type=e4m3", "--d-type=f32", "--c=in_place"]
    # A D that is added to is read and written.
    assert shapes.bytes_once(shapes.Problem(128, 256, 128, shapes.WEIGHT_GRADIENT_KIND)) == (
        128 * 128 + 256 * 128 + 2 * 4 * 128 * 256 + 4 * (128 + 256))
    assert shapes.floor_us(shapes.SETS["weight-gradient"][0], 1600, 3.0) == pytest.approx(77.5, abs=0.1)


def test_kinds_that_are_tested():
    """Each recipe with each type of D and use of C; with each recipe each layout and each mix of types."""
    kinds = {kind for kind, _ in shapes.TEST_KINDS}
    assert len({(k.recipe, k.d, k.c) for k in kinds}) == len(shapes.TEST_KINDS) == 12
    for recipe in ("1d2d", "1d1d"):
        assert len({layouts for k, layouts in shapes.TEST_KINDS if k.recipe == recipe}) == 4
        assert len({(k.a, k.b) for k in kinds if k.recipe == recipe}) == 4


def test_labels():
    index = [entry(), entry(label="tile_m256", file="g"), entry(label="tile_m256", sfa="k_major", file="h")]
    assert races.choose_kernels(index, shapes.Problem(4, 8, 16), "all") == {"default": "f", "tile_m256": "g"}
    assert races.choose_kernels(index, shapes.Problem(4, 8, 16), "tile.*") == {"tile_m256": "g"}


def result(status="pass", **us):
    return {"status": status, "us": us, "notes": {}, "method": "cupti", "method_note": ""}


def raced(name, case, files):
    return races.item_of(races.case_id(name, case), case, [], {variant: files for variant in case})


def test_report(capsys):
    problems = [shapes.Problem(4096, 7168, 2048), shapes.Problem(4096, 4096, 7168)]
    cases = races.dense(problems)
    items = [raced("s", case, {"default": "f"}) for case in cases]
    results = [result(default=100.0, **{"cublas-b": 121.0, "read": 10.0}), result(default=100.0, **{"cublas-b": 100.0})]
    results[1]["notes"]["cublas-t"] = "RuntimeError: no such thing"
    options = argparse.Namespace(tflops=None, bandwidth=None, rounds=12)
    answer = bench_report.report({"s": cases}, items, results, options, {"gpu": "NVIDIA H200", "torch": "2", "cuda": "13"})
    text = capsys.readouterr().out
    assert "floor at 1600 TFLOPS and 4.3 TB/s" in text
    assert re.search(r"\| 4096 \| 7168 \| 2048 \| 100\.0 \| 1203 \| \d+ \| 121\.0 \| 1\.21 \| 10\.0 \| 0\.10 \|", text)
    assert "- 4096x4096x7168: cublas-t: RuntimeError: no such thing" in text
    assert answer["sets"]["s"]["geometric_means"]["x cublas-b"] == pytest.approx(1.1)
    json.dumps(answer)


def test_energy_of_a_call():
    """3 mJ a call; a millisecond of the clock each, which the calls before the counter is read do not count in."""
    now = {"s": 0.0, "mj": 1000}

    def call():
        now["s"] += 1e-3
        now["mj"] += 3

    waits = []
    meter = gpu_energy.Meter(0.5, lambda: now["mj"], lambda: waits.append(now["s"]), clock=lambda: now["s"])
    assert meter.millijoules(call, us=1000) == 3
    assert now["s"] == pytest.approx(gpu_energy.WARM_UP_SECONDS + 0.5, abs=2 * gpu_energy.BATCH_SECONDS)
    assert waits[1] - waits[0] == pytest.approx(gpu_energy.BATCH_SECONDS)
    before = now["s"]
    meter.settle(call, us=1000)
    assert now["s"] - before == pytest.approx(gpu_energy.SETTLE_SECONDS, abs=2 * gpu_energy.BATCH_SECONDS)


def test_report_of_energy(capsys):
    """Ours in mJ, and a peer's over ours: columns that only a run with --energy has."""
    case = {"": shapes.Problem(4096, 7168, 2048)}
    items = [raced("s", case, {"default": "f"})]
    measured = {**result(default=100.0, deepgemm=110.0, read=10.0), "mj": {"default": 50.0, "deepgemm": 55.0}}
    options = argparse.Namespace(tflops=None, bandwidth=None, rounds=12)
    answer = bench_report.report({"s": [case]}, items, [measured], options, {"gpu": "NVIDIA H200"})
    text = capsys.readouterr().out
    assert "| GB/s | mJ | deepgemm | x | x mJ | read | x | floor |" in text
    assert re.search(r"\| 100\.0 \| 1203 \| \d+ \| 50\.00 \| 110\.0 \| 1\.10 \| 1\.10 \| 10\.0 \| 0\.10 \|", text)
    assert re.search(r"geometric mean \|(  \|)+ 1\.100 \| 1\.100 \|", text)
    assert answer["sets"]["s"]["geometric_means"]["mj deepgemm"] == pytest.approx(1.1)


def test_report_without_any_result(capsys):
    case = {"": shapes.Problem(1, 8, 16)}
    items = [raced("s", case, {})]
    options = argparse.Namespace(tflops=None, bandwidth=None, rounds=12)
    bench_report.report({"s": [case]}, items, [{"status": "hang", "note": "no result in 60 s"}], options, None)
    text = capsys.readouterr().out
    assert "- all: hang: no result in 60 s" in text and "| 1 | 8 | 16 | – |" in text


HANGING = """
import sys, time
sys.path.insert(0, sys.argv[1])
import supervise
def run(item):
    for name in item["kernels"]:
        supervise.say(doing=name)
        if name == "bad":
            time.sleep(60)
    return {"status": "pass", "us": {name: 1.0 for name in item["kernels"]}, "notes": {}}
supervise.work(sys.argv[2], {"gpu": "here"}, run)
"""


def test_contender_that_hangs_costs_only_itself(tmp_path, capsys):
    script = tmp_path / "worker.py"
    script.write_text(HANGING)
    items = [{"id": name, "group": name, "variants": {"": {}}, "peers": [], "kernels": {"default": "f", label: "g"}}
             for name, label in (("x", "bad"), ("y", "good"))]
    options = argparse.Namespace(seconds=None, shape_seconds=1)
    command = [sys.executable, str(script), str(Path(bench.supervise.__file__).parent)]
    results, machine = bench.race(command, items, options, lambda result: None)
    assert [r["status"] for r in results] == ["fail", "pass"] and machine == {"gpu": "here"}
    assert results[0]["us"] == {"default": 1.0} and results[0]["notes"]["bad"].startswith("hang: no result in 1")
    bench_report.print_sweep(items, results)
    text = capsys.readouterr().out
    assert "- y: 1.0 default, 1.0 good" in text and "  - bad: hang: no result in 1" in text


def test_failed_compile_is_reported_and_left_out(tmp_path):
    compiler = tmp_path / "compiler"
    compiler.write_text("#!/bin/sh\ncase \"$*\" in *'tile_m = 7'*) echo 'expected a legal tile' >&2; exit 1;; esac\n"
                        "for last; do :; done; echo kernel >\"$last\"; echo '  schedule    tile_m = 64; x' >&2\n")
    compiler.chmod(0o755)
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, HERE / "kernels.py", out, "--shapes", "1x8x16", "--compiler", compiler,
                           "--config", "", "--config", "tile_m = 7", "-j", "2"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "FAILED" in done.stderr and "expected a legal tile" in done.stderr
    assert [(e["label"], e["schedule"]) for e in json.loads((out / "index.json").read_text())] == [("default", "tile_m = 64")]
    assert len(list(out.glob("*.cubin"))) == 1


def test_wrong_arguments():
    done = subprocess.run([sys.executable, HERE / "bench.py", "--set", "forward-1", "--peers", "x"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "expected --peers of" in done.stderr
