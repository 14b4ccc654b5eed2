# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Functions of MLIR, compiled for this CPU and called on numpy arrays."""

import ctypes
import re
import subprocess
from pathlib import Path

import numpy as np

BIN = Path(__file__).resolve().parents[2] / "build" / "bin"
LLVM = Path("/usr/lib/llvm-22/bin")


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, **options).stdout


def compile_function(text, folder, *passes):
    """The last function of the module `text`, after `passes` and fp8gemm-to-llvm-cpu, as a function of arrays."""
    name = re.findall(r"func\.func @(\w+)", text)[-1]
    text = re.sub(rf"(func\.func @{name}\(.*)\{{\n", r"\1 attributes {llvm.emit_c_interface} {\n", text)
    lowered = run(BIN / "fp8gemm-opt", *passes, "--fp8gemm-to-llvm-cpu", "-", input=text.encode())
    llvm = run(LLVM / "mlir-translate", "--mlir-to-llvmir", "-", input=lowered)
    objects, library = Path(folder, name + ".o"), Path(folder, name + ".so")
    run(LLVM / "llc", "-O1", "-relocation-model=pic", "-filetype=obj", "-o", objects, "-", input=llvm)
    run("cc", "-shared", "-o", library, objects, "-lm")
    function = getattr(ctypes.CDLL(str(library)), "_mlir_ciface_" + name)

    def call(*arrays, returns=None):
        """`returns`: shape and element type of the result."""
        result = memref(np.empty(returns[0], returns[1])) if returns else None
        operands = [memref(array) for array in arrays]
        function(*[ctypes.byref(operand) for operand in ([result] if returns else []) + operands])
        if returns:
            return read(result, *returns)

    return call


def memref(array):
    """MLIR's descriptor: {allocated, aligned, offset, sizes, strides}."""
    strides = [stride // array.itemsize for stride in array.strides]
    words = [array.ctypes.data, array.ctypes.data, 0, *array.shape, *strides]
    return (ctypes.c_int64 * len(words))(*words)


def read(result, shape, element):
    """A copy of what the descriptor of a result points to, which is freed."""
    allocated, aligned, offset = result[:3]
    assert list(result[3:3 + len(shape)]) == list(shape)
    count = int(np.prod(shape))
    size = np.dtype(element).itemsize
    contents = ctypes.string_at(aligned + offset * size, count * size)
    ctypes.CDLL(None).free(ctypes.c_void_p(allocated))
    return np.frombuffer(contents, element).reshape(shape).copy()
