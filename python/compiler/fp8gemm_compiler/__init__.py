# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where fp8gemm's compiler is installed: its programs, its library, and the ptxas that came with it."""

import os
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
LIBRARY = _HERE / "lib" / "libfp8gemm.so.0"


def cuda_tools() -> Path | None:
    """The folder with bin/ptxas of the package nvidia-cuda-nvcc, of the newest release if there are several; None: not installed."""
    found = {ptxas.parents[1] for folder in sys.path if folder for ptxas in Path(folder).glob("nvidia/cu[0-9]*/bin/ptxas")}
    return max(found, key=lambda folder: int(folder.name[2:]) if folder.name[2:].isdigit() else 0, default=None)


def environment() -> dict[str, str]:
    """What the compiler needs to find that ptxas, if the environment says nothing of it: CUDA_PATH and PATH come first."""
    tools = cuda_tools()
    return {"FP8GEMM_VENV": str(tools)} if tools and not os.environ.get("FP8GEMM_VENV") else {}


def _run(name):
    program = _HERE / "bin" / name
    os.execve(program, [str(program), *sys.argv[1:]], os.environ | environment())


def fp8gemm_compile():
    _run("fp8gemm-compile")


def fp8gemm_inspect():
    _run("fp8gemm-inspect")


def fp8gemm_opt():
    _run("fp8gemm-opt")
