# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The wheel that scripts/test.sh installed: its tags, what it needs of the system, and that a Python with nothing else imports it. The source
distribution: that a build can start from it."""

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BUILD, ROOT

sys.path.append(str(ROOT / "scripts"))
check_wheel = pytest.importorskip("check_wheel")

OBJDUMP = """
Dynamic Section:
  NEEDED               libdl.so.2
  NEEDED               {library}
  SONAME               libx.so.0

Version References:
  required from libc.so.6:
    0x09691a75 0x00 05 GLIBC_2.2.5
    0x0963cf85 0x00 04 {symbol}
"""


def complaints(library="libc.so.6", symbol="GLIBC_2.28"):
    return list(check_wheel.complaints_of("x", OBJDUMP.format(library=library, symbol=symbol), {"liby.so.0"}))


def test_wheel():
    wheels = sorted((BUILD / "wheels").glob("fp8gemm-*.whl"))
    if not wheels:
        pytest.skip(f"no wheel in {BUILD / 'wheels'}: scripts/test.sh makes it")
    pythons = [sys.executable, *(str(path) for path in map(Path, ["/usr/bin/python3.10", "/usr/bin/python3.14"]) if path.exists())]
    assert check_wheel.check(wheels[-1], pythons) == []


def test_newer_symbols_and_other_libraries_are_refused():
    assert complaints() == [] and complaints(library="liby.so.0") == []
    assert complaints(symbol="GLIBC_2.34") == ["x: expected symbols of at most GLIBC 2.28, got GLIBC_2.34"]
    assert complaints(symbol="GLIBCXX_3.4.30") == ["x: expected symbols of at most GLIBCXX 3.4.24, got GLIBCXX_3.4.30"]
    assert complaints(symbol="LIBY_1") == ["x: expected symbols of at most LIBY none, got LIBY_1"]
    assert complaints(library="ld-linux-aarch64.so.1") == []
    assert complaints(library="libcuda.so.1") == ["x: expected libraries of manylinux_2_28 or of the wheel, got libcuda.so.1"]


def test_tags_are_of_what_is_built():
    """Each name that FP8GEMM_WHEEL_PLATFORM may have gives a tag that is checked, and only wheels of this processor are imported."""
    tomllib = pytest.importorskip("tomllib")
    overrides = tomllib.loads((ROOT / "python" / "pyproject.toml").read_text())["tool"]["scikit-build"]["overrides"]
    tags = {re.sub(r"[\^$]", "", override["if"]["env"]["FP8GEMM_WHEEL_PLATFORM"]): override["wheel"]["tags"] for override in overrides}
    assert tags == {f"manylinux_2_28_{machine}": [f"cp310-abi3-manylinux_2_28_{machine}"] for machine in ("x86_64", "aarch64")}
    kind = check_wheel.KINDS["fp8gemm"]
    assert all(kind.tag.match(tag) for [tag] in tags.values()) and not kind.tag.match("cp310-abi3-manylinux_2_28_riscv64")
    here = [machine for machine in ("x86_64", "aarch64") if check_wheel.is_for_this_machine(f"fp8gemm-0.1.0-cp310-abi3-manylinux_2_28_{machine}.whl")]
    assert here == [platform.machine()]


@pytest.fixture
def backend(monkeypatch):
    if not (ROOT / "python" / "build_backend.py").exists():
        pytest.skip("no checkout")
    pytest.importorskip("scikit_build_core")
    monkeypatch.syspath_prepend(str(ROOT / "python"))
    import build_backend
    return build_backend


def test_build_starts_from_the_source_distribution(backend, tmp_path):
    name = backend.build_sdist(str(tmp_path))
    shutil.unpack_archive(tmp_path / name, tmp_path)
    folder = tmp_path / name.removesuffix(".tar.gz")
    top = (folder / "pyproject.toml").read_text()
    assert 'cmake.source-dir = "."' in top and 'wheel.packages = ["python/fp8gemm"]' in top and "../" not in top
    assert (folder / "PKG-INFO").read_text().count("Requires-Python: >=3.10") == 1
    for part in ("python/fp8gemm/layers/_linear.py", "python/fp8gemm/_stand_in/deep_gemm/__init__.py", "python/fp8gemm/py.typed"):
        assert (folder / part).exists(), part
    if not shutil.which("cmake") or not shutil.which("ninja"):
        pytest.skip("no cmake and ninja")
    for command in (["cmake", "-G", "Ninja", "-S", folder, "-B", tmp_path / "build", f"-DPython_EXECUTABLE={sys.executable}",
                     "-DFP8GEMM_BUILD_COMPILER=OFF", "-DFP8GEMM_BUILD_TESTS=OFF", "-DFP8GEMM_BUILD_PYTHON=ON"],
                    ["ninja", "-n", "-C", tmp_path / "build", "fp8gemm_native"]):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr or done.stdout


def test_pyproject_that_moved_lines_are_not_in(backend):
    with pytest.raises(ValueError, match="expected one line 'readme = "):
        backend.moved((ROOT / "python" / "pyproject.toml").read_text().replace("readme", "Readme"))
