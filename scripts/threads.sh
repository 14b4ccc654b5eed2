#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# libfp8gemm and the runtime under clang's ThreadSanitizer: threads that call its C functions at once. First a race that
# must be reported. The arguments are CompilerThreads': scripts/threads.sh --seconds=600 --threads=8

set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
program=build/test/Unit/CompilerThreads
[ -f build/build.ninja ] || cmake --preset release
ninja -C build compiler-threads
# libMLIR and libLLVM are Debian's, which the sanitizer cannot see into: reports about them would be guesses.
export TSAN_OPTIONS="ignore_noninstrumented_modules=1 exitcode=66 ${TSAN_OPTIONS-}"
if "$program" --seconds=1 --race >"$program-race.log" 2>&1 ||
  ! grep -q 'WARNING: ThreadSanitizer: data race' "$program-race.log"; then
  echo "expected a race to be reported, got $program-race.log" >&2
  exit 1
fi
exec "$program" "$@"
