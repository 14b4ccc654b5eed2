#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finds the assembler, the disassembler and the Hopper GPU of this machine.

    environment.py ptxas|nvdisasm    print the program's path
    environment.py gpu               print the name of the Hopper GPU

If there is none, the exit status is 1, and the reason is on stderr. Test runners
and set-up scripts both use this program, so they always agree.
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Values of CUdevice_attribute, from cuda.h.
COMPUTE_CAPABILITY_MAJOR = 75
COMPUTE_CAPABILITY_MINOR = 76


# The first CUDA toolkit whose ptxas supports the PTX that the compiler writes (lib/Target/CudaTools.cpp).
OLDEST_PTXAS = (12, 8)


def version_of(program):
    """(13, 0) of a CUDA program that prints ", V13.0.88", or None."""
    try:
        text = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(rb", V(\d+)\.(\d+)", text)
    return match and tuple(map(int, match.groups()))


def find_program(name, with_venv=True):
    """Path of a CUDA program, searched for as the compiler does: $CUDA_PATH/bin, $PATH, .venv, /usr/local/cuda/bin. A ptxas that
    is too old is passed over."""
    places = os.environ.get("PATH", "").split(os.pathsep)
    if os.environ.get("CUDA_PATH"):
        places.insert(0, os.path.join(os.environ["CUDA_PATH"], "bin"))
    venv = ROOT / ".venv" / "bin"
    places += [str(venv), "/usr/local/cuda/bin"]
    for place in places:
        if not place or (not with_venv and Path(place) == venv):
            continue
        found = shutil.which(name, path=place)
        if found and (name != "ptxas" or (version_of(found) or (0, 0)) >= OLDEST_PTXAS):
            return found
    return None


def find_hopper():
    """(name of the first GPU of compute capability 9.0 or None, the reason if there is none)."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None, "no NVIDIA driver (libcuda.so.1)"
    status = cuda.cuInit(0)
    if status:
        return None, f"cuInit failed with status {status}"
    count = ctypes.c_int()
    status = cuda.cuDeviceGetCount(ctypes.byref(count))
    if status:
        return None, f"cuDeviceGetCount failed with status {status}"
    others = []
    for device in range(count.value):
        name = ctypes.create_string_buffer(256)
        cuda.cuDeviceGetName(name, len(name), device)
        major, minor = ctypes.c_int(), ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(major), COMPUTE_CAPABILITY_MAJOR, device)
        cuda.cuDeviceGetAttribute(ctypes.byref(minor), COMPUTE_CAPABILITY_MINOR, device)
        if (major.value, minor.value) == (9, 0):
            return name.value.decode(), ""
        others.append(f"{name.value.decode()} ({major.value}.{minor.value})")
    return None, "no GPU of compute capability 9.0 among: " + (", ".join(others) or "none")


def main():
    what = sys.argv[1] if len(sys.argv) in (2, 3) else ""
    elsewhere = sys.argv[2:] == ["--not-in-venv"]
    if what in ("ptxas", "nvdisasm"):
        oldest = f" of CUDA {'.'.join(map(str, OLDEST_PTXAS))} or later" if what == "ptxas" else ""
        answer = find_program(what, with_venv=not elsewhere)
        reason = f"no {what}{oldest} in $CUDA_PATH/bin, $PATH, {'' if elsewhere else '.venv or '}/usr/local/cuda/bin"
    elif what == "gpu":
        answer, reason = find_hopper()
    else:
        print(__doc__, file=sys.stderr)
        return 2
    print(answer or reason, file=sys.stdout if answer else sys.stderr)
    return 0 if answer else 1


if __name__ == "__main__":
    sys.exit(main())
