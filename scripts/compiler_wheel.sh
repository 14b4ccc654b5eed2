#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Builds the wheel of the compiler, fp8gemm-compiler, in dist/ and checks it: its tags and symbols, and in a new virtual environment that
# `pip install` is enough to compile a kernel (which fetches nvidia-cuda-nvcc). It compiles the whole project with optimisation, in
# build-wheel, and links LLVM and MLIR statically: about half an hour on two cores at first.
#
#   scripts/compiler_wheel.sh [--out=FOLDER] [PYTHON...]
#
# PYTHON...: interpreters to check it with.

set -euo pipefail
root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
python=$root/.venv/bin/python
dist=$root/dist
pythons=()
for argument; do
  case $argument in
    --out=*) dist=${argument#*=} ;;
    -*) printf 'error: expected --out=FOLDER and interpreters, got %s\n' "$argument" >&2; exit 1 ;;
    *) pythons+=("$argument") ;;
  esac
done

mkdir -p "$dist"
rm -f "$dist"/fp8gemm_compiler-*.whl
export FP8GEMM_WHEEL_PLATFORM=manylinux_2_28_x86_64 SKBUILD_BUILD_DIR=$root/build-wheel
export CC=${CC:-clang-22} CXX=${CXX:-clang++-22}
"$python" -m pip wheel --disable-pip-version-check --no-build-isolation --no-deps -w "$dist" "$root/python/compiler"
"$python" "$root/scripts/check_wheel.py" "$dist"/fp8gemm_compiler-*.whl ${pythons[@]+"${pythons[@]}"}
ls -l "$dist"/fp8gemm_compiler-*.whl
