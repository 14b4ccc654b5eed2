# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What others get of a build: `cmake --install` into an empty folder, once for all tests here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"


class Tree:
    """An installed tree, and an environment in which nothing of the build is found."""

    def __init__(self, prefix):
        self.prefix = prefix
        library = prefix / "lib"
        self.environment = {key: value for key, value in os.environ.items()
                            if key not in ("LD_LIBRARY_PATH", "CMAKE_PREFIX_PATH", "FP8GEMM_LIBRARY")}
        self.environment["PKG_CONFIG_PATH"] = str(library / "pkgconfig")
        self.libraries = library

    def run(self, *command, status=0, **options):
        """What a command prints; it must end with `status`, or one of them."""
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              env=self.environment | options.pop("env", {}), **options)
        accepted = status if isinstance(status, tuple) else (status,)
        assert done.returncode in accepted, f"{command}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def cmake(self, source, build, *options, target=None, configure_status=0):
        """Configures and builds a project that is not part of this one."""
        output = self.run("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
                          *options, status=configure_status)
        if configure_status == 0:
            output += self.run("cmake", "--build", build, *(["--target", target] if target else []))
        return output


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True)
    return Tree(prefix)


@pytest.fixture(scope="session")
def runtime_tree(tmp_path_factory):
    """The two components of those who only launch kernels."""
    prefix = tmp_path_factory.mktemp("runtime")
    for component in ("runtime", "runtime-dev"):
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix, "--component", component], check=True,
                       capture_output=True)
    return Tree(prefix)


@pytest.fixture
def clean_example(tmp_path):
    """Copies an example to a folder where nothing else is."""
    def copy(name):
        shutil.copytree(ROOT / "examples" / name, tmp_path / name)
        return tmp_path / name
    return copy
