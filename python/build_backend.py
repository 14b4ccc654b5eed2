# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""scikit-build-core, with a source distribution that contains the whole project: scikit-build-core would pack only this folder, without the
runtime and CMake files beside it. In the distribution, pyproject.toml is at the top, with paths from there."""

import os
import shutil
import tempfile
from pathlib import Path

from scikit_build_core.build import *  # noqa: F403: the hooks of PEP 517
from scikit_build_core.build import build_sdist as pack

HERE = Path(__file__).resolve().parent
PARTS = "CMakeLists.txt", "LICENSE", "README.md", "include", "lib", "python", "runtime", "scripts", "tools"
# What pyproject.toml says here, and at the top of the project.
MOVED = {'build-backend = "build_backend"\nbackend-path = ["."]\n': 'build-backend = "scikit_build_core.build"\n',
         'readme = "README.md"': 'readme = "python/README.md"',
         'cmake.source-dir = ".."': 'cmake.source-dir = "."',
         'wheel.packages = ["fp8gemm"]': 'wheel.packages = ["python/fp8gemm"]',
         'input = "../CMakeLists.txt"': 'input = "CMakeLists.txt"'}


def build_sdist(sdist_directory, config_settings=None):
    target, before = os.path.abspath(sdist_directory), os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        for name in PARTS:
            source = HERE.parent / name
            if source.is_dir():
                shutil.copytree(source, Path(folder, name), ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "tests"))
            else:
                shutil.copy(source, folder)
        Path(folder, "python", "pyproject.toml").unlink()
        Path(folder, "pyproject.toml").write_text(moved((HERE / "pyproject.toml").read_text()))
        os.chdir(folder)
        try:
            return pack(target, config_settings)
        finally:
            os.chdir(before)


def moved(text):
    for here, there in MOVED.items():
        if text.count(here) != 1:
            raise ValueError(f"expected one line {here.splitlines()[0]!r} in pyproject.toml, got {text.count(here)}")
        text = text.replace(here, there)
    return text
