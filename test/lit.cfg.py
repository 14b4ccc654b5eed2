# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The tests that drive the tools: `ninja check-lit`, or
#   /usr/lib/llvm-22/bin/lit build/test [--filter NAME] [-v]
#
# Tools are found by name: build/bin, then LLVM's. Beside lit's own %s, %S and %t
# there are %source (the checkout), %tools (build/bin), %python (with numpy) and
# %ptxas and %cc; none of them needs quotes. Tests that need more than the build say
# `// REQUIRES: ptxas`, `cc`, `nvdisasm` or `gpu`.

import os
import shutil
import sys

sys.path[:0] = [os.path.join(config.fp8gemm_source_root, directory) for directory in ("test", "scripts")]
import environment
import tooltest

venv_python = os.path.join(config.fp8gemm_source_root, ".venv", "bin", "python")
paths = {
    "%source": config.fp8gemm_source_root,
    "%tools": config.fp8gemm_tools,
    "%python": venv_python if os.path.exists(venv_python) else sys.executable,
}

ptxas = environment.find_program("ptxas")
if ptxas:
    config.available_features.add("ptxas")
    paths["%ptxas"] = ptxas
else:
    lit_config.note("no ptxas in $CUDA_PATH/bin, $PATH, .venv or /usr/local/cuda/bin: tests that assemble are skipped")
if os.path.exists("/usr/local/cuda/bin/ptxas"):
    config.available_features.add("usr-local-cuda")
compiler = shutil.which("cc")
if compiler:
    config.available_features.add("cc")
    paths["%cc"] = compiler
else:
    lit_config.note("no cc in $PATH: tests that build C programs are skipped")
if environment.find_program("nvdisasm"):
    config.available_features.add("nvdisasm")
else:
    lit_config.note("no nvdisasm in $CUDA_PATH/bin, $PATH or .venv: tests that disassemble are skipped")
gpu, reason = environment.find_hopper()
if gpu:
    config.available_features.add("gpu")
else:
    lit_config.note(reason + ": tests that run kernels are skipped")

config.name = "fp8gemm"
config.test_format = tooltest.ToolTest(paths)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "Unit"]
config.test_source_root = os.path.join(config.fp8gemm_source_root, "test")
config.test_exec_root = os.path.join(config.fp8gemm_build_root, "test")

config.environment["PATH"] = os.pathsep.join(
    [config.fp8gemm_tools, config.llvm_tools, os.environ.get("PATH", "/usr/bin:/bin")])
# A name captured in one function must not satisfy a check in another.
config.environment["FILECHECK_OPTS"] = "-enable-var-scope"
for variable in ("CUDA_PATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "ASAN_OPTIONS", "TSAN_OPTIONS",
                 "UBSAN_OPTIONS"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]
