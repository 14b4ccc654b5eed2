# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The wheel of the compiler without building it (scripts/compiler_wheel.sh does, and compiles a kernel in a new environment): what its
metadata says, and how its programs find their files and ptxas."""

import importlib
import os
import platform
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

SOURCE = ROOT / "python" / "compiler"
if not SOURCE.exists():
    pytest.skip("no checkout", allow_module_level=True)
tomllib = pytest.importorskip("tomllib")
sys.path.append(str(ROOT / "scripts"))
check_wheel = pytest.importorskip("check_wheel")
PROJECT = tomllib.loads((SOURCE / "pyproject.toml").read_text())
COMPILER = check_wheel.KINDS["fp8gemm_compiler"]


@pytest.fixture
def package(tmp_path):
    """The package with programs that print their arguments and environment."""
    (tmp_path / "fp8gemm_compiler" / "bin").mkdir(parents=True)
    text = (SOURCE / "fp8gemm_compiler" / "__init__.py").read_text()
    (tmp_path / "fp8gemm_compiler" / "__init__.py").write_text(text)
    for name in PROJECT["project"]["scripts"]:
        program = tmp_path / "fp8gemm_compiler" / "bin" / name
        program.write_text('#!/bin/sh\necho "${0##*/} $* [$FP8GEMM_VENV]"\nexit 3\n')
        program.chmod(0o755)
    return tmp_path


def run(package, name, *arguments, **environment):
    module, function = PROJECT["project"]["scripts"][name].split(":")
    text = f"import sys, {module}; sys.argv = ['x', *sys.argv[1:]]; {module}.{function}()"
    return subprocess.run([sys.executable, "-c", text, *arguments], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "PYTHONPATH": str(package), **environment})


def add_ptxas(package, release):
    folder = package / "nvidia" / release / "bin"
    folder.mkdir(parents=True)
    (folder / "ptxas").write_text("")
    return folder.parent


@pytest.mark.parametrize("name", PROJECT["project"]["scripts"])
def test_programs_are_replaced_by_those_of_the_wheel(package, name):
    done = run(package, name, "--n=8", "a b")
    assert (done.returncode, done.stdout) == (3, f"{name} --n=8 a b []\n"), done.stderr


def test_ptxas_of_the_newest_package_is_offered(package):
    add_ptxas(package, "cu12")
    newest = add_ptxas(package, "cu13")
    assert run(package, "fp8gemm-compile").stdout == f"fp8gemm-compile  [{newest}]\n"
    assert run(package, "fp8gemm-compile", FP8GEMM_VENV="/mine").stdout == "fp8gemm-compile  [/mine]\n"


def test_python_finds_the_library_and_its_ptxas(package, monkeypatch):
    from fp8gemm import _compiler

    tools = add_ptxas(package, "cu13")
    monkeypatch.syspath_prepend(str(package))
    monkeypatch.setenv("FP8GEMM_VENV", "")
    importlib.invalidate_caches()
    known = sys.modules.pop("fp8gemm_compiler", None)
    try:
        assert _compiler._packaged() == package / "fp8gemm_compiler" / "lib" / "libfp8gemm.so.0"
        assert os.environ["FP8GEMM_VENV"] == str(tools)
    finally:
        sys.modules.pop("fp8gemm_compiler", None)
        if known:
            sys.modules["fp8gemm_compiler"] = known


def test_targets_programs_and_installed_files_are_the_same():
    programs = sorted(PROJECT["project"]["scripts"])
    assert sorted({*programs, "fp8gemm"}) == sorted(PROJECT["tool"]["scikit-build"]["build"]["targets"])
    installed = (ROOT / "scripts" / "cmake" / "FP8GemmInstall.cmake").read_text()
    assert f"foreach(tool {' '.join(programs)})" in installed
    assert PROJECT["tool"]["scikit-build"]["install"]["components"] == ["wheel"] and "COMPONENT wheel" in installed
    version = PROJECT["tool"]["scikit-build"]["metadata"]["version"]
    assert re.search(version["regex"], (SOURCE / version["input"]).read_text())
    for name in PROJECT["tool"]["scikit-build"]["cmake"]["define"]:
        assert name.startswith("CMAKE_") or any(name in path.read_text() for path in (ROOT / "CMakeLists.txt", ROOT / "lib/Target/CMakeLists.txt")), name


def test_tag_is_that_of_the_check():
    override, = PROJECT["tool"]["scikit-build"]["overrides"]
    tag, = override["wheel"]["tags"]
    assert COMPILER.tag.match(tag) and tag.endswith(re.sub(r"[\^$]", "", override["if"]["env"]["FP8GEMM_WHEEL_PLATFORM"]))
    assert re.sub(r"[\^$]", "", override["if"]["env"]["FP8GEMM_WHEEL_PLATFORM"]) in (ROOT / "scripts" / "compiler_wheel.sh").read_text()


def test_symbols_of_cxx_are_refused():
    text = "Version References:\n  required from libstdc++.so.6:\n    0x0 0x00 05 {0}\n"
    complaints = lambda symbol: list(check_wheel.complaints_of("x", text.format(symbol), set(), COMPILER))
    assert complaints("GLIBC_2.28") == complaints("GCC_3.4") == []
    assert complaints("GLIBC_2.29") == ["x: expected symbols of at most GLIBC 2.28, got GLIBC_2.29"]
    assert complaints("GLIBCXX_3.4") == ["x: expected symbols of at most GLIBCXX none, got GLIBCXX_3.4"]


PROGRAM = """
#include <cmath>
#include <cstdio>
#include <random>
#include <sys/stat.h>
#include <thread>
struct Early { double value; Early() : value(std::exp(0.0)) {} } early;
int main(int count, char **arguments) {
  double power = 0;
  std::thread([&] { power = std::pow(early.value + 1, count); }).join();
  struct stat status;
  std::random_device random;
  std::printf("%g %d %d\\n", power, stat(arguments[0], &status), random() != random() || random() != random());
}
"""


@pytest.mark.skipif(not shutil.which("g++") or platform.machine() != "x86_64", reason="needs g++ for x86-64")
def test_programs_load_with_old_glibc(tmp_path):
    """A program linked as those of the wheel are, with libstdc++ in itself, asks for no newer symbols, and still starts."""
    (tmp_path / "program.cpp").write_text(PROGRAM)

    def complaints(name, *more):
        subprocess.run(["g++", "-std=c++17", "-static-libstdc++", "program.cpp", *map(str, more), "-o", name], cwd=tmp_path, check=True)
        shown = subprocess.run(["objdump", "-p", name], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        return list(check_wheel.complaints_of(name, shown, set(), COMPILER))

    linked = re.search(r'set\(old_libraries "(.*)"\)', (ROOT / "scripts" / "cmake" / "FP8GemmInstall.cmake").read_text())[1]
    assert any("GLIBC 2.28" in complaint for complaint in complaints("new"))
    assert complaints("old", SOURCE / "OldGlibc.cpp", SOURCE / "OldGlibcStart.cpp", linked) == []
    assert subprocess.run([tmp_path / "old", "a", "b"], capture_output=True, text=True).stdout == "8 0 1\n"
