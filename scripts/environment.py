#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What this machine has: an assembler, a disassembler, a Hopper GPU.

    environment.py ptxas|nvdisasm    print the program's path
    environment.py gpu               print the name of the Hopper GPU

The exit status is 1, and the reason is on stderr, where there is none. The test
runners and the set-up scripts ask here, so that they never disagree.
"""

import ctypes
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Values of CUdevice_attribute, from cuda.h.
COMPUTE_CAPABILITY_MAJOR = 75
COMPUTE_CAPABILITY_MINOR = 76


def find_program(name):
    """Path of a CUDA program, looked for as the compiler does: $CUDA_PATH/bin, $PATH, .venv."""
    places = [os.environ.get("PATH", ""), str(ROOT / ".venv" / "bin")]
    if os.environ.get("CUDA_PATH"):
        places.insert(0, os.path.join(os.environ["CUDA_PATH"], "bin"))
    for place in places:
        found = shutil.which(name, path=place)
        if found:
            return found
    return None


def find_hopper():
    """(name of the first GPU of compute capability 9.0 or None, why there is none)."""
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
    what = sys.argv[1] if len(sys.argv) == 2 else ""
    if what in ("ptxas", "nvdisasm"):
        answer, reason = find_program(what), f"no {what} in $CUDA_PATH/bin, $PATH or .venv"
    elif what == "gpu":
        answer, reason = find_hopper()
    else:
        print(__doc__, file=sys.stderr)
        return 2
    print(answer or reason, file=sys.stdout if answer else sys.stderr)
    return 0 if answer else 1


if __name__ == "__main__":
    sys.exit(main())
