# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The Debian packages and the wheel: what they hold and need, and that the tools run from them. (Installed into a bare
Debian they are tried by scripts/test_package.sh --bare, which needs root and a network.)"""

import shutil
import subprocess
import zipfile

import pytest
from conftest import BUILD, ROOT

PACKAGES = {"libfp8gemm-runtime0": set(),
            "libfp8gemm-runtime-dev": {"libfp8gemm-runtime0 (= 0.1.0-1)"},
            "libfp8gemm0": {"libmlir-22"},  # which needs libllvm22
            "libfp8gemm-dev": {"libfp8gemm0 (= 0.1.0-1)", "libfp8gemm-runtime-dev (= 0.1.0-1)", "libmlir-22-dev"},
            "fp8gemm-tools": {"libfp8gemm0 (= 0.1.0-1)", "libfp8gemm-runtime0 (= 0.1.0-1)", "libmlir-22"}}


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    if not shutil.which("dpkg-shlibdeps"):
        pytest.skip("no dpkg-shlibdeps in $PATH")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([ROOT / "scripts" / "package.sh", f"--build={BUILD}", f"--out={folder}"], check=True)
    return folder


def ask(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def depends(dist, package):
    field = ask("dpkg-deb", "-f", next(dist.glob(f"{package}_*.deb")), "Depends")
    return {need.strip() for need in field.split(",") if need.strip()}


@pytest.mark.parametrize("package, needs", PACKAGES.items())
def test_needs(dist, package, needs):
    got = depends(dist, package)
    names = {need.split(" (")[0] for need in got}
    assert all(need in got or need in names for need in needs), got
    if package.startswith("libfp8gemm-runtime"):
        assert not any("llvm" in need or "mlir" in need for need in got), got


def test_each_file_has_one_package(dist):
    owner = {}
    for package in PACKAGES:
        listing = ask("dpkg-deb", "-c", next(dist.glob(f"{package}_*.deb")))
        for line in listing.splitlines():
            path = line.split()[5]
            assert path.startswith("./usr/") or path in ("./",), path
            if not path.endswith("/"):
                assert path not in owner, f"{path} is in {owner[path]}, too"
                owner[path] = package
    assert owner["./usr/bin/fp8gemm-compile"] == "fp8gemm-tools"
    assert {path.rsplit("/", 1)[1] for path, package in owner.items() if package == "libfp8gemm-runtime0"} == {
        "libfp8gemm_runtime.so.0", "libfp8gemm_runtime.so.0.1.0", "libfp8gemm_program.so.0", "libfp8gemm_program.so.0.1.0",
        "copyright"}
    assert any(path.endswith("FP8GemmOps.h.inc") for path in owner)


def test_tools_run(dist):
    done = subprocess.run([ROOT / "scripts" / "test_package.sh", dist], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "held: 4 of 4 rows" in done.stdout and "The tools run, unpacked" in done.stdout


def test_wheel(dist):
    wheel = next(dist.glob("fp8gemm-*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    assert {"fp8gemm/__init__.py", "fp8gemm/_native.abi3.so", "fp8gemm/libfp8gemm_runtime.so.0"} <= set(names)
    assert not [name for name in names if not name.startswith(("fp8gemm/", "fp8gemm-"))]
