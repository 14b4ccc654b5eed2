#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks a wheel against its tags: what its libraries need of glibc and libstdc++, and that it is imported by a Python in a virtual
environment of its own that has nothing else.

    check_wheel.py WHEEL [PYTHON...]     # the interpreters; that which runs this, if none is given. Needs objdump.

A wheel for linux_x86_64 is checked as one for manylinux_2_28 is: they differ in their names.
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# PEP 600's manylinux_2_28: the newest version of symbols, and the libraries of every distribution.
NEWEST = {"GLIBC": (2, 28), "GLIBCXX": (3, 4, 24), "CXXABI": (1, 3, 11), "GCC": (7, 0, 0)}
SYSTEM = {"libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libstdc++.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"}
TAG = re.compile(r"cp310-abi3-(manylinux_2_28|linux)_x86_64$")


def needed(text):
    """(libraries, versions of symbols) that `objdump -p` says a library needs."""
    libraries = set(re.findall(r"^\s*NEEDED\s+(\S+)", text, re.M))
    references = text.partition("Version References:")[2]
    return libraries, set(re.findall(r"\b([A-Z]+)_([0-9.]+)$", references, re.M))


def complaints_of(name, text, own):
    libraries, versions = needed(text)
    for library in sorted(libraries - SYSTEM - own):
        yield f"{name}: expected libraries of manylinux_2_28 or of the wheel, got {library}"
    for kind, version in sorted(versions):
        if tuple(map(int, version.split("."))) > NEWEST.get(kind, ()):
            yield f"{name}: expected symbols of at most {kind} {'.'.join(map(str, NEWEST.get(kind, ('none',))))}, got {kind}_{version}"


def check_files(folder):
    libraries = [path for path in folder.rglob("*") if re.search(r"\.so(\.\d+)*$", path.name)]
    own = {path.name for path in libraries}
    if not libraries:
        return ["expected libraries in the wheel, got none"]
    return [complaint for path in libraries for complaint in complaints_of(
        path.name, subprocess.run(["objdump", "-p", path], capture_output=True, text=True, check=True).stdout, own)]


def check_tags(folder):
    tags = re.findall(r"^Tag: (.*)$", next(folder.glob("*.dist-info/WHEEL")).read_text(), re.M)
    return [f"expected a tag of cp310-abi3 for x86-64 Linux, got {tag}" for tag in tags or ["none"] if not TAG.match(tag)]


def check_import(wheel, python, folder):
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    text = "import fp8gemm; print(fp8gemm.__version__, fp8gemm.__file__)"
    done = subprocess.run([folder / "bin" / "python", "-I", "-c", text], capture_output=True, text=True)
    if done.returncode == 0 and str(site) in done.stdout:
        return []
    return [f"{python}: expected to import fp8gemm from {site}, got {(done.stderr or done.stdout).strip().splitlines()[-1:]}"]


def check(wheel, pythons):
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        zipfile.ZipFile(wheel).extractall(folder / "wheel")
        found = check_tags(folder / "wheel") + check_files(folder / "wheel")
        for i, python in enumerate(pythons):
            found += check_import(wheel, python, folder / f"python{i}")
    return found


def main(wheel, *pythons):
    found = check(wheel, pythons or [sys.executable])
    print(*found, sep="\n") if found else print(f"{Path(wheel).name}: holds")
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
