# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The driver that tells of fewer multiprocessors, over the unit tests' fake driver."""

import os
import subprocess
import sys

import pytest
import runtime_binding

LIBRARIES = runtime_binding.ROOT / "build" / "lib"
ASK = """
import ctypes, sys
driver, value = ctypes.CDLL(sys.argv[1]), ctypes.c_int()
assert driver.cuDeviceGetAttribute(ctypes.byref(value), 16, 0) == 0  # multiprocessors
print(value.value)
assert driver.cuDeviceGetAttribute(ctypes.byref(value), 75, 0) == 0  # compute capability, major
print(value.value)
grid = (ctypes.c_uint * 16)(4)
assert driver.cuOccupancyMaxActiveClusters(ctypes.byref(value), None, grid) == 0
print(value.value)
"""


def told(tmp_path, **environment):
    library, fake = LIBRARIES / runtime_binding.FEWER_SMS, LIBRARIES / "libRuntimeFakeDriver.so"
    if not library.exists() or not fake.exists():
        pytest.skip(f"no {library.name} or {fake.name} in {LIBRARIES}: build them")
    if not (tmp_path / "libcuda.so.1").exists():
        (tmp_path / "libcuda.so.1").symlink_to(fake)
    done = subprocess.run([sys.executable, "-c", ASK, library], capture_output=True, text=True, check=True,
                          env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path), **environment})
    return [int(line) for line in done.stdout.split()]


def test_fewer_multiprocessors(tmp_path):
    everything = told(tmp_path)
    assert told(tmp_path, FP8GEMM_TEST_SMS="9") == [9, everything[1], 2]
    assert told(tmp_path, FP8GEMM_TEST_SMS="3") == [3, everything[1], 1]
    assert everything[0] > 9 and everything[2] > 2
