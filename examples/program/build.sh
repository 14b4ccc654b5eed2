#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# build.sh FOLDER: compiles layer.mlir and layer.c to the program FOLDER/layer, which contains its kernel and needs
# only glibc and, for --device=gpu, the CUDA driver. Run it anywhere:
#   FOLDER/layer --device=both

set -euo pipefail
here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
build=${BUILD:-$here/../../build}
llvm=${LLVM_BIN:-/usr/lib/llvm-22/bin}
[ $# = 1 ] || { sed -n '4,6s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; }
folder=$1
mkdir -p "$folder"

# object NAME PIPELINE: the module of stdin as NAME.o, which exports only its C interface
object() {
  "$build/bin/fp8gemm-opt" "--$2" - | "$llvm/mlir-translate" --mlir-to-llvmir |
    "$llvm/opt" -O2 | "$llvm/llc" -O2 -relocation-model=pic -filetype=obj -o "$folder/$1.o"
  "$llvm/llvm-objcopy" --keep-global-symbol="_mlir_ciface_$1" "$folder/$1.o"
}
object layer fp8gemm-to-llvm-host <"$here/layer.mlir"
# The same for the CPU, under another name.
sed 's/@layer(/@layer_cpu(/' "$here/layer.mlir" | object layer_cpu fp8gemm-to-llvm-cpu
"${CC:-cc}" -std=c11 -D_DEFAULT_SOURCE -O2 -Wall -Wextra -c "$here/layer.c" -o "$folder/main.o"
"${CXX:-c++}" -static-libstdc++ -static-libgcc -o "$folder/layer" "$folder"/{main,layer,layer_cpu}.o \
  "$build/lib/libfp8gemm_program_static.a" "$build/lib/libfp8gemm_runtime_static.a" "$build/lib/libfp8gemm_driver.a" \
  -ldl -lm -lpthread
