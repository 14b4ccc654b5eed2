#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks a wheel against its tags: what its programs and libraries need of glibc and libstdc++, and that it works in a virtual environment
of its own that has nothing else: fp8gemm is imported; fp8gemm-compiler, which pip installs with its ptxas, compiles a kernel.

    check_wheel.py WHEEL [PYTHON...]     # the interpreters; that which runs this, if none is given. Needs objdump.

A wheel for linux_x86_64 is checked as one of manylinux is: they differ in their names. One for another processor is not imported.
"""

import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

# The libraries of every distribution.
SYSTEM = {"libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libstdc++.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2",
          "ld-linux-aarch64.so.1"}


class Kind(NamedTuple):
    tag: re.Pattern
    newest: dict  # versions of symbols


# By PEP 600. The compiler has libstdc++ in itself.
KINDS = {"fp8gemm": Kind(re.compile(r"cp310-abi3-(manylinux_2_28|linux)_(x86_64|aarch64)$"),
                         {"GLIBC": (2, 28), "GLIBCXX": (3, 4, 24), "CXXABI": (1, 3, 11), "GCC": (7, 0, 0)}),
         "fp8gemm_compiler": Kind(re.compile(r"py3-none-(manylinux_2_28|linux)_x86_64$"), {"GLIBC": (2, 28), "GCC": (7, 0, 0)})}


def needed(text):
    """(libraries, versions of symbols) that `objdump -p` says a file needs."""
    libraries = set(re.findall(r"^\s*NEEDED\s+(\S+)", text, re.M))
    references = text.partition("Version References:")[2]
    return libraries, set(re.findall(r"\b([A-Z]+)_([0-9.]+)$", references, re.M))


def complaints_of(name, text, own, kind=KINDS["fp8gemm"]):
    libraries, versions = needed(text)
    for library in sorted(libraries - SYSTEM - own):
        yield f"{name}: expected libraries of manylinux_2_28 or of the wheel, got {library}"
    for symbol, version in sorted(versions):
        newest = kind.newest.get(symbol, ())
        if tuple(map(int, version.split("."))) > newest:
            yield f"{name}: expected symbols of at most {symbol} {'.'.join(map(str, newest or ('none',)))}, got {symbol}_{version}"


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def check_files(folder, kind):
    files = [path for path in folder.rglob("*") if path.is_file() and is_elf(path)]
    own = {path.name for path in files}
    if not files:
        return ["expected programs or libraries in the wheel, got none"]
    return [complaint for path in files for complaint in complaints_of(
        path.name, subprocess.run(["objdump", "-p", path], capture_output=True, text=True, check=True).stdout, own, kind)]


def check_tags(folder, kind):
    tags = re.findall(r"^Tag: (.*)$", next(folder.glob("*.dist-info/WHEEL")).read_text(), re.M)
    return [f"expected a tag like {kind.tag.pattern.rstrip('$')}, got {tag}" for tag in tags or ["none"] if not kind.tag.match(tag)]


def check_import(wheel, python, folder):
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    text = "import fp8gemm; print(fp8gemm.__version__, fp8gemm.__file__)"
    done = subprocess.run([folder / "bin" / "python", "-I", "-c", text], capture_output=True, text=True)
    if done.returncode == 0 and str(site) in done.stdout:
        return []
    return [f"{python}: expected to import fp8gemm from {site}, got {(done.stderr or done.stdout).strip().splitlines()[-1:]}"]


def check_compilation(wheel, python, folder):
    """With nothing in PATH but the environment's programs, and no CUDA toolkit."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel], check=True)
    environment = {"PATH": str(folder / "bin")}
    kernel = folder / "kernel.cubin"
    for command, made in ((["fp8gemm-compile", "--op=gemm", "--n=256", "--k=256", "-o", kernel], kernel),
                          (["fp8gemm-inspect", kernel], None), (["fp8gemm-opt", "--version"], None),
                          (["python", "-I", "-c", "import ctypes, fp8gemm_compiler; ctypes.CDLL(str(fp8gemm_compiler.LIBRARY)).fp8gemmCompile"], None)):
        done = subprocess.run([folder / "bin" / command[0], *command[1:]], capture_output=True, text=True, env=environment)
        if done.returncode or (made and not made.stat().st_size):
            return [f"{python}: {command[0]}: expected exit status 0, got {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}"]
    return []


def is_for_this_machine(wheel):
    return Path(wheel).name.endswith(f"_{platform.machine()}.whl")


def check(wheel, pythons):
    name = Path(wheel).name.split("-")[0]
    if name not in KINDS:
        return [f"expected a wheel of {' or '.join(KINDS)}, got {name}"]
    kind, check_use = KINDS[name], check_import if name == "fp8gemm" else check_compilation
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        zipfile.ZipFile(wheel).extractall(folder / "wheel")
        found = check_tags(folder / "wheel", kind) + check_files(folder / "wheel", kind)
        for i, python in enumerate(pythons):
            found += check_use(wheel, python, folder / f"python{i}")
    return found


def main(wheel, *pythons):
    imported = is_for_this_machine(wheel)
    found = check(wheel, pythons or [sys.executable] if imported else [])
    print(*found or [f"{Path(wheel).name}: holds" + ("" if imported else f"; not imported on {platform.machine()}")], sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
