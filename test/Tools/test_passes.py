# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every pass of ours does something, or says why not, where it is named beside a file: nothing is skipped in silence.

Which passes there are the .td files say, so a new one is tried by itself. Each is run on modules of every level, with
faults for those that only check. One that leaves all of them as they are, and says nothing, is nested nowhere.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build" / "bin"
PASSES = sorted(name for td in ROOT.glob("include/fp8gemm/**/Passes.td")
                for name in re.findall(r'^def \w+ : Pass<"([\w-]+)"', td.read_text(), re.M))
PROBLEM = ["--op=gemm", "--n=128", "--k=1024", "--config=tile_m = 64, tile_n = 64, stages = 3, consumers = 1"]
HOST = """
func.func @host(%x: f8E4M3FN) -> f32 {
  %y = arith.extf %x : f8E4M3FN to f32
  return %y : f32
}
"""


def run(*command, text=None):
    return subprocess.run(list(map(str, command)), input=text, text=True, capture_output=True)


def without(text, pattern):
    """The text without the first line that matches, which there must be."""
    lines = text.splitlines(keepends=True)
    found = next(i for i, line in enumerate(lines) if re.search(pattern, line))
    return "".join(lines[:found] + lines[found + 1:])


@pytest.fixture(scope="module")
def modules():
    """{level: MLIR}, of each level once; sound where passes rewrite it, with faults where they check it."""
    emitted = {}
    for level in ("mlir", "config", "hopper", "nvvm", "llvm"):
        result = run(TOOLS / "fp8gemm-compile", *PROBLEM, f"--emit={level}")
        assert result.returncode == 0, result.stderr
        emitted[level] = result.stdout
    hopper, nvvm = emitted["hopper"], emitted["nvvm"]
    raised = ROOT / "test/Conversion/LinalgToFP8Gemm/raise.mlir"
    unchosen = re.sub(r" \{config = [^}]*\}", "", emitted["mlir"])
    # The smallest first: a pass is tried until it does something.
    return {"host": HOST, "unchosen": unchosen, "linalg": raised.read_text(), **emitted,
            "no release": without(hopper, "hopper.ring.release"),
            "threads": hopper.replace("threads = 256", "threads = 128"),
            "no fence": without(nvvm, r"fence.*proxy")}


def opt(text, *options):
    result = run(TOOLS / "fp8gemm-opt", "-", "--split-input-file", *options, text=text)
    return result.returncode, result.stdout, result.stderr


@pytest.fixture(scope="module")
def untouched(modules):
    return {level: opt(text) for level, text in modules.items()}


def test_there_are_passes():
    assert {"hopper-check-rings", "hopper-simulate", "nvvm-check-kernel", "expand-f8"} <= set(PASSES)


@pytest.mark.parametrize("name", PASSES)
def test_pass_named_at_module_level_is_not_silent(name, modules, untouched):
    silent = lambda level: opt(modules[level], f"--{name}") == untouched[level]
    assert not all(silent(level) for level in modules), "leaves every module as it is, and says nothing"


FAULTS = [("hopper-check-rings", "no release", "breaks R"), ("hopper-check-resources", "threads", "256 threads"),
          ("nvvm-check-kernel", "no fence", "breaks L")]


@pytest.mark.parametrize("name, level, message", FAULTS)
def test_check_named_at_any_level_finds_the_fault(name, level, message, modules):
    pipelines = [f"builtin.module({name})", f"builtin.module(gpu.module({name}))", f"builtin.module(any({name}))"]
    for options in ([f"--{name}"], *([f"--pass-pipeline={pipeline}"] for pipeline in pipelines)):
        code, _, errors = opt(modules[level], *options)
        assert code == 1 and message in errors, (options, errors)


def test_simulation_named_at_module_level_finds_the_fault(modules):
    code, _, errors = opt(modules["no release"], "--hopper-complete-schedule", "--hopper-simulate=m=64")
    assert code == 1 and "waits for ever" in errors


@pytest.mark.parametrize("name, level", [("hopper-assign-stages", "llvm"), ("hopper-check-rings", "mlir"),
                                         ("hopper-check-resources", "nvvm"), ("hopper-simulate", "llvm"),
                                         ("nvvm-check-kernel", "llvm"), ("nvvm-check-kernel", "hopper"),
                                         ("convert-hopper-to-nvvm", "nvvm"),
                                         ("fp8gemm-convert-kernels-to-llvm", "mlir")])
def test_pass_with_nothing_to_do_says_so(name, level, modules):
    code, _, errors = opt(modules[level], f"--{name}")
    assert code == 0 and re.search(rf"warning: expected .* for {name}, got none: the pass did nothing", errors), errors


@pytest.mark.parametrize("level", ["mlir", "hopper", "nvvm", "llvm"])
def test_pipelines_go_on_from_any_level_without_a_word(level, modules):
    code, _, errors = opt(modules[level], "--pass-pipeline=builtin.module(fp8gemm-to-llvm)")
    assert (code, errors) == (0, "")


def test_diagnostics_print_one_operation(modules):
    """Not the whole kernel, where the fault is one of the kernel or of its roles."""
    whole = len(modules["hopper"].splitlines())
    for name, level in [("hopper-check-resources", "threads"), ("hopper-simulate=m=64", "no release"),
                        ("hopper-simulate=m=64 report=1", "hopper")]:
        _, _, errors = opt(modules[level], "--hopper-complete-schedule", f"--{name}", "-o", "/dev/null")
        assert "see current operation" in errors
        assert len(errors.splitlines()) < whole / 4, errors
