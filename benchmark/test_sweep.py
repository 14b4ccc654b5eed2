# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sweeps without a GPU: what is staged, what results say of the model, and the measurements kept against its choices."""

import copy
import functools
import json
import os
import re
import sys
from pathlib import Path

import bench
import kernels
import pytest
import races
import shapes
import sweep
import sweep_report

HERE = Path(__file__).resolve().parent
COMPILER = HERE.parent / "build" / "bin" / "fp8gemm-compile"
FIELDS = ["tile_m", "tile_n"]


def candidate(config, modelled_us, us=None, chosen=False, **more):
    return {"config": config, "modelled_us": modelled_us, "us": us, "chosen": chosen, **more}


def shape(m, *candidates, n=8, k=16):
    return {"m": m, "n": n, "k": k, "candidates": list(candidates)}


def results(*listed):
    return {"fields": FIELDS, "modelled_on": "h200-sxm", "machine": None, "shapes": list(listed)}


RIGHT = shape(1, candidate([64, 16], 5.0, 5.1, chosen=True), candidate([64, 32], 6.0, 5.0))
WRONG = shape(2, candidate([64, 16], 5.0, 5.2, chosen=True), candidate([64, 32], 6.0, 5.0))
UNTIMED = shape(3, candidate([64, 16], 5.0, chosen=True, note="hang: no result"), candidate([64, 32], 6.0, 5.0))


def test_best_and_some_of_the_others():
    assert sweep.take(list("abcdefghij"), 2, 3) == ["a", "b", "d", "g", "j"]
    assert sweep.take(list("abc"), 2, 5) == ["a", "b", "c"]
    assert sweep.take(list("abc"), 5, 5) == ["a", "b", "c"]
    assert sweep.take(list("abc"), 1, 0) == ["a"]


def test_choice_within_three_percent():
    judged = sweep_report.judge_all(results(RIGHT, WRONG))
    assert [round(j.ratio, 3) for j in judged.judgements] == [1.02, 1.04]
    assert (judged.within, judged.share) == (1, 0.5)


def test_choice_without_a_time_is_not_close():
    judged = sweep_report.judge_all(results(RIGHT, UNTIMED, shape(4, candidate([64, 16], 5.0, 5.0))))
    assert judged.share == pytest.approx(1 / 3)
    assert [j.why for j in judged.judgements] == ["", "the choice has no time: hang: no result", "nothing is chosen"]


def test_no_results_are_not_close():
    assert sweep_report.judge_all(results()).share == 0


def test_report(capsys):
    sweep_report.print_report(results(RIGHT, WRONG, UNTIMED))
    text = capsys.readouterr().out
    assert "| 1 | 8 | 16 | tile_n=16 | 5.0 | 5.1 | tile_n=32 | 5.0 | 1.020 |" in text
    assert "within 3 % of the fastest on 1 of 3 shapes (33 %)" in text
    assert "- no time: 3x8x16: tile_n=16: hang: no result" in text


def test_cliffs():
    def timed(m, us, n=8):
        return shape(m, candidate([64, 16], us, us, chosen=True), n=n)
    found = sweep_report.cliffs(results(timed(1, 10.0), timed(2, 10.8), timed(3, 12.0), timed(4, 10.0), timed(1, 99.0, n=16)))
    assert found == [(8, 16, 3, 12.0, 4, 10.0)]  # 1.05 * 10.0 + 0.3 allows 10.8


def test_the_model_of_today():
    """Times and choices are replaced; a choice that was not measured does not count as close."""
    old = results(copy.deepcopy(RIGHT), copy.deepcopy(WRONG))
    today = [{"config": dict(zip(FIELDS, config)), "modelled_us": us, "chosen": not us}
             for config, us in (([64, 32], 0.0), ([64, 16], 1.0))]
    sweep_report.remodel(old, lambda problem, gpu: today)
    assert sweep_report.judge_all(old).share == 1
    today[0]["config"]["tile_n"] = 48
    sweep_report.remodel(old, lambda problem, gpu: today)
    judged = sweep_report.judge_all(old)
    assert judged.share == 0 and judged.judgements[0].why == "the choice has no time: not measured"
    with pytest.raises(ValueError, match="expected the fields tile_m, tile_n, split_k in the results, got tile_m, tile_n"):
        sweep_report.remodel(old, lambda problem, gpu: [{"config": {"tile_m": 1, "tile_n": 1, "split_k": 1}}])


def test_measurements_are_kept(tmp_path):
    path = tmp_path / "folder" / "kept.json"
    sweep_report.keep(results(RIGHT, WRONG), path)
    sweep_report.keep(results(shape(2, candidate([64, 16], 5.0, 4.0)), UNTIMED, shape(9, candidate([64, 16], 5.0))), path)
    kept = sweep_report.load(path)
    assert [(s["m"], len(s["candidates"]), s["candidates"][0]["us"]) for s in kept["shapes"]] == [(1, 2, 5.0), (2, 2, 4.0), (3, 1, 5.0)]
    with pytest.raises(SystemExit, match="expected fields of"):
        sweep_report.keep(dict(results(RIGHT), fields=["tile_m"]), path)


COMPILER_STAND_IN = r"""#!/usr/bin/env python3
import json, re, sys
given = dict(re.findall(r"--([\w-]+)=(.*)", "\n".join(sys.argv)))
if "explain" in given:
    listed = [{"config": {"tile_m": 64, "tile_n": n}, "modelled_us": n * 1.0, "chosen": n == 16} for n in (16, 32, 48, 64)]
    if "tile_n = 7" in given.get("config", ""):
        sys.exit("expected a legal tile")
    if "tile_n = 80" in given.get("config", ""):
        listed.insert(0, {"config": {"tile_m": 64, "tile_n": 80}, "modelled_us": 80.0, "chosen": True})
    if "tile_n = 48" in given.get("config", ""):
        listed = [dict(listed[2], chosen=True)] + listed[:2] + listed[3:]
    print(json.dumps([{"candidates": listed}]))
elif "plan" in given:
    print(json.dumps({"intervals": [{"last": 2, "config": {"tile_m": 64, "tile_n": 16}},
                                    {"last": None, "config": {"tile_m": 64, "tile_n": 48}}]}))
elif "tile_n = 32" in given["config"]:
    sys.exit("ptxas does not like it")
else:
    open(sys.argv[-1], "w").write("kernel")
"""

WORKER_STAND_IN = """
import sys
sys.path.insert(0, sys.argv[1])
import supervise
def run(item):
    us = {label: float(1 + len(label) % 2 + place) for place, label in enumerate(item["kernels"])}
    return {"status": "pass", "us": {**us, "read": 1.0, **{p: 2.0 for p in item["peers"]}}, "notes": {}, "method": "cupti",
            "error": {label: 1e-3 for label in us}}
supervise.work(sys.argv[2], {"gpu": "NVIDIA H200"}, run)
"""


@pytest.fixture(autouse=True)
def runtime(tmp_path, monkeypatch):
    """A file in the place of the runtime's library, and no trace of it in the environment afterwards."""
    (tmp_path / "runtime.so").write_text("runtime")
    monkeypatch.setenv("FP8GEMM_RUNTIME", str(tmp_path / "runtime.so"))


def test_stage_then_run(tmp_path, monkeypatch, capsys):
    compiler, worker, folder = tmp_path / "compiler", tmp_path / "worker.py", tmp_path / "staged"
    compiler.write_text(COMPILER_STAND_IN)
    compiler.chmod(0o755)
    worker.write_text(WORKER_STAND_IN)
    monkeypatch.setattr(bench, "worker_command", lambda arguments: [sys.executable, str(worker), str(Path(bench.supervise.__file__).parent)])

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["sweep.py", *map(str, arguments)])
        return sweep.main()

    assert call("stage", folder, "--shapes", "1x8x16,4x8x16", "--best", 2, "--spread", 1, "--compiler", compiler,
                "--config", "tile_n = 80", "--config", "tile_n = 7", "-j", 2) == 1
    assert "1x8x16: left out 'tile_n = 7'" in capsys.readouterr().err
    # A kernel serves every M: two shapes share theirs.
    assert sorted(path.name for path in folder.glob("*.cubin")) == [
        f"gemm_n8_k16_tile_m64-tile_n{n}.cubin" for n in (16, 64, 80)]
    assert call("run", folder, "--json", tmp_path / "results.json", "--peers", "cublas-b") == 0
    out = sweep_report.load(tmp_path / "results.json")
    assert [(c["config"][1], c["us"], c["chosen"], c["note"]) for c in out["shapes"][0]["candidates"]] == [
        (16, 2.0, True, ""), (32, None, False, "did not compile"), (64, 3.0, False, ""), (80, 4.0, False, "")]
    assert out["shapes"][0]["peers"] == {"cublas-b": 2.0} and out["tflops"] == 1600
    assert call("report", tmp_path / "results.json") == 0


def test_sweep_of_groups(tmp_path, monkeypatch, capsys):
    """Each way of telling groups has its kernels; results are kept with the groups."""
    compiler, worker, folder = tmp_path / "compiler", tmp_path / "worker.py", tmp_path / "staged"
    compiler.write_text(COMPILER_STAND_IN)
    compiler.chmod(0o755)
    worker.write_text(WORKER_STAND_IN)
    monkeypatch.setattr(bench, "worker_command", lambda arguments: [sys.executable, str(worker), str(Path(bench.supervise.__file__).parent)])

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["sweep.py", *map(str, arguments)])
        return sweep.main()

    assert call("stage", folder, "--set", "tiny", "--best", 1, "--spread", 0, "--compiler", compiler) == 0
    assert sorted(path.name for path in folder.glob("*.cubin")) == [
        f"gemm_256{told}_n{n}_k{k}_tile_m64-tile_n16.cubin" for told in ("row_count", "row_end") for n, k in ((4096, 7168), (7168, 2048))]
    assert call("run", folder, "--json", tmp_path / "results.json", "--peers", "cublas-b,deepgemm") == 0
    out = sweep_report.load(tmp_path / "results.json")
    tiny = {problem for case in races.CASES["tiny"] for problem in case.values()}
    assert {shapes.problem_of(shape) for shape in out["shapes"]} == tiny and len(out["shapes"]) == 4
    assert all(shape["peers"] == {"deepgemm": 2.0} and shape["candidates"][0]["us"] == 2.0 for shape in out["shapes"])
    assert "| 256 x 4 row_end | 7168 | 2048 |" in capsys.readouterr().out
    assert call("keep", tmp_path / "results.json", "--into", tmp_path / "kept.json") == 0
    assert {shapes.problem_of(shape) for shape in sweep_report.load(tmp_path / "kept.json")["shapes"]} == tiny


@pytest.mark.parametrize("best", [0, 3])
def test_choice_of_a_plan(tmp_path, monkeypatch, best):
    compiler = tmp_path / "compiler"
    compiler.write_text(COMPILER_STAND_IN)
    compiler.chmod(0o755)
    monkeypatch.setattr(sys, "argv", ["sweep.py", "stage", str(tmp_path / "out"), "--shapes", "2x8x16,3x8x16", "--plan", "--best",
                                      str(best), "--spread", "0", "--compiler", str(compiler)])
    sweep.main()
    staged = json.loads((tmp_path / "out" / "sweep.json").read_text())
    assert [[c["config"][1] for c in s["candidates"] if c["chosen"]] for s in staged["shapes"]] == [[16], [48]]
    assert [len(s["candidates"]) for s in staged["shapes"]] == [max(best, 1)] * 2


def built():
    if not COMPILER.exists():
        pytest.skip(f"{COMPILER} is not built")
    return COMPILER


def test_explanation_of_the_compiler():
    candidates = sweep.candidates_of(built(), shapes.Problem(777, 2112, 7168), "h200-sxm")
    times = [c["modelled_us"] for c in candidates]
    assert len(times) > 10 and times == sorted(times) and [c["chosen"] for c in candidates] == [True] + [False] * (len(times) - 1)
    given = sweep.candidates_of(COMPILER, shapes.Problem(777, 2112, 7168), "h200-sxm", [f"--config={kernels.text_of(candidates[3]['config'])}"])
    assert given[0] == dict(candidates[3], chosen=True)


def test_plan_of_the_compiler():
    plan = kernels.ask(built(), "plan", shapes.Problem(1, 2112, 7168), "h200-sxm")
    assert [i["first"] for i in plan["intervals"]] == [1] + [i["last"] + 1 for i in plan["intervals"][:-1]]
    for m in (1, plan["intervals"][0]["last"] + 1, 10**6):
        candidate = sweep.candidates_of(COMPILER, shapes.Problem(m, 2112, 7168), "h200-sxm",
                                        [f"--config={kernels.text_of(sweep.planned(plan, m))}"])[0]
        assert candidate["config"] == sweep.planned(plan, m) and candidate["chosen"]


@functools.lru_cache(maxsize=1)
def judged_today(path):
    """The model of today, on what a file says was measured."""
    kept = sweep_report.load(path)
    sweep_report.remodel(kept, lambda p, gpu: sweep.candidates_of(built(), p, gpu), os.cpu_count())
    return sweep_report.print_report(kept)


@pytest.mark.parametrize("order, share", [(1, 1.0), (-1, 0.0)], ids=["as modelled", "the other way round"])
def test_kept_measurements_judge_the_compiler(tmp_path, order, share):
    problems = [shapes.Problem(1, 2112, 7168), shapes.Problem(4096, 7168, 2048)]
    listed = []
    for problem in problems:
        candidates = sweep.candidates_of(built(), problem, "h200-sxm")
        times = [c["modelled_us"] for c in candidates][::order]
        listed.append({**problem._asdict(), "candidates": [{"config": list(c["config"].values()), "us": us}
                                                           for c, us in zip(candidates, times)]})
    made = dict(results(*listed), fields=list(candidates[0]["config"]))
    sweep_report.keep(made, tmp_path / "kept.json")
    assert judged_today(tmp_path / "kept.json").share == share


MEASUREMENTS = sorted((HERE / "measurements").glob("*.json"))


@pytest.mark.parametrize("path", MEASUREMENTS or [pytest.param(None, marks=pytest.mark.skip("no measurements are kept yet"))],
                         ids=lambda path: path and path.stem)
def test_choice_is_close_to_the_fastest_measured(path, capsys):
    judged = judged_today(path)
    assert judged.share >= sweep_report.WANTED_SHARE, capsys.readouterr().out


def test_document_says_how_good_the_choice_is():
    """docs/Config.md: the tables of "How good it is"."""
    judged = judged_today(HERE / "measurements" / "h200-sxm.json")
    text = (HERE.parent / "docs" / "Config.md").read_text()
    assert f"on {judged.within} of them ({100 * judged.share:.0f} %)." in text
    rows = re.findall(r"^\| (\d+) to (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    for first, last, *said in rows:
        inside = [j for j in judged.judgements if int(first) <= j.shape["m"] <= int(last)]
        assert said == [str(len(inside)), str(sum(j.ratio is not None and j.ratio <= sweep_report.CLOSE for j in inside))], (first, last)
    assert sum(int(row[2]) for row in rows) == len(judged.judgements)
    of_shape = {(j.shape["m"], j.shape["n"], j.shape["k"]): f"{j.chosen['modelled_us']:.1f} / {j.best['us']:.1f}"
                for j in judged.judgements if "kind" not in j.shape}
    times = re.findall(r"^\| (\d+) \| (\d+) \| ([\d.]+ / .*) \|$", text, re.MULTILINE)
    assert len(times) == 7
    for n, k, said in times:
        assert said.split(" | ") == [of_shape[m, int(n), int(k)] for m in (1, 128, 512, 4096)], (n, k)
