# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""libfp8gemm in many processes that share one cache: some killed, entries damaged, always the same bytes."""

import ctypes
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import environment

LIBRARY = ROOT / "build" / "lib" / "libfp8gemm.so"
COMPILER = ROOT / "build" / "bin" / "fp8gemm-compile"
PROBLEMS = {"gpu": "h200-sxm", "problems": [{"op": "gemm", "n": n, "k": 256, "max_m": 16} for n in (64, 264, 520, 776)]}
AT_ONCE = 6

pytestmark = [
    pytest.mark.skipif(not LIBRARY.exists(), reason=f"{LIBRARY} is not built"),
    pytest.mark.skipif(not environment.find_program("ptxas"), reason="no ptxas"),
]


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("gpu", ctypes.c_char_p), ("cache", ctypes.c_char_p),
                ("ptxas", ctypes.c_char_p), ("jobs", ctypes.c_uint), ("allow_spills", ctypes.c_bool)]


def compile_pack(problems, cache):
    """The bytes that libfp8gemm makes in this process."""
    library = ctypes.CDLL(str(LIBRARY))
    library.fp8gemmCompile.restype = ctypes.c_void_p
    library.fp8gemmResultGetData.restype = ctypes.c_void_p
    library.fp8gemmResultGetSize.restype = ctypes.c_size_t
    library.fp8gemmResultGetMessage.restype = ctypes.c_char_p
    text = json.dumps(problems).encode()
    options = Options(size=ctypes.sizeof(Options), cache=str(cache).encode(), jobs=1)
    result = ctypes.c_void_p(library.fp8gemmCompile(text, ctypes.c_size_t(len(text)), ctypes.byref(options)))
    data = library.fp8gemmResultGetData(result)
    assert data, library.fp8gemmResultGetMessage(result)
    pack = ctypes.string_at(data, library.fp8gemmResultGetSize(result))
    library.fp8gemmResultDestroy(result)
    return pack


def start(cache):
    """This file as a program that prints the hash of what it compiled."""
    return subprocess.Popen([sys.executable, __file__, str(cache)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def hash_of(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0 and err == b"", err
    return out.decode().strip()


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The hash of the pack that the command line makes, without a cache."""
    folder = tmp_path_factory.mktemp("expected")
    (folder / "list.json").write_text(json.dumps(PROBLEMS))
    subprocess.run([COMPILER, f"--pack={folder / 'list.json'}", "-o", folder / "pack"], check=True, capture_output=True)
    return hashlib.sha256((folder / "pack").read_bytes()).hexdigest()


def test_processes_share_a_cache(tmp_path, expected):
    processes = [start(tmp_path) for _ in range(AT_ONCE)]
    assert [hash_of(process) for process in processes] == [expected] * AT_ONCE
    assert not list(tmp_path.glob("*.tmp"))


def test_killed_and_damaged(tmp_path, expected):
    seed = random.Random(7)
    for _ in range(4):
        processes = [start(tmp_path) for _ in range(3)]
        time.sleep(seed.uniform(0.1, 0.8))
        processes[0].send_signal(signal.SIGKILL)
        entries = sorted(tmp_path.glob("*.cubin"))
        for entry in seed.sample(entries, min(2, len(entries))):
            # Another file in its place, as a disk that fails would leave it: cut off, or with a bit turned.
            bytes_ = bytearray(entry.read_bytes())
            if seed.random() < 0.5:
                del bytes_[len(bytes_) // 2:]
            else:
                bytes_[seed.randrange(len(bytes_))] ^= 1
            damaged = tmp_path / "damaged"
            damaged.write_bytes(bytes_)
            os.replace(damaged, entry)
        assert [hash_of(process) for process in processes[1:]] == [expected] * 2
        processes[0].communicate()
    # What is left is good, or mended.
    assert hash_of(start(tmp_path)) == expected


def test_one_ptxas_version_call(tmp_path):
    """`ptxas --version` once a process, ptxas once a kernel."""
    log = tmp_path / "calls"
    wrapper = tmp_path / "ptxas"
    wrapper.write_text(f"#!/bin/sh\necho \"$1\" >>'{log}'\nexec '{environment.find_program('ptxas')}' \"$@\"\n")
    wrapper.chmod(0o755)
    (tmp_path / "list.json").write_text(json.dumps(PROBLEMS))
    subprocess.run([COMPILER, f"--pack={tmp_path / 'list.json'}", "-o", tmp_path / "pack", f"--ptxas={wrapper}"],
                   check=True, capture_output=True)
    calls = log.read_text().split()
    assert calls.count("--version") == 1
    assert calls.count("-v") == len(calls) - 1 >= len(PROBLEMS["problems"])


if __name__ == "__main__":
    print(hashlib.sha256(compile_pack(PROBLEMS, sys.argv[1])).hexdigest())
