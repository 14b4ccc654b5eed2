#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Sets up the machine, builds the tools and everything else that `cmake --install build` copies, compiles examples/gemm.mlir to
# a kernel file and runs it: on a Hopper GPU if there is one, otherwise the same operation on the CPU.

# shellcheck source=scripts/setup.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"
build_targets fp8gemm-installed

# Prints a command as it is typed in the checkout, and runs it there.
show() {
  bold "$ $*"
  "$@"
}

cd "$root"
say "Compiling examples/gemm.mlir"
show build/bin/fp8gemm-compile examples/gemm.mlir -o build/gemm.cubin --report --time

if gpu=$("$python" scripts/environment.py gpu 2>"$build/no-gpu.txt"); then
  say "Running on $gpu: 4096 rows, checked against the CPU on a sample, then timed"
  show build/bin/fp8gemm-run build/gemm.cubin --m=4096 --device=gpu --check --bench
else
  # A CPU takes seconds where a GPU takes microseconds: use few rows.
  say "Running on the CPU, 4 rows only: $(cat "$build/no-gpu.txt")"
  show build/bin/fp8gemm-run build/gemm.cubin --m=4 --device=cpu --check
fi
