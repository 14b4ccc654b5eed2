#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The compiler under clang's sanitizers (docs/Fuzzing.md). The arguments are FrontDoorFuzz's, or after `readers`
# libFuzzer's:
#   scripts/fuzz.sh --cases=20000 --seed=1
#   scripts/fuzz.sh readers -max_total_time=600

set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[ -f build-sanitize/build.ninja ] || cmake --preset sanitize
export CCACHE_SLOPPINESS=pch_defines,time_macros # keeps what uses a precompiled header
if [ "${1-}" = readers ]; then
  shift
  ninja -C build-sanitize ReadersFuzz
  seeds=build-sanitize/readers-seeds found=build-sanitize/readers-found
  mkdir -p "$seeds" "$found"
  for list in examples/*.json; do # byte 0: a list of problems
    { printf '\0' && cat "$list"; } >"$seeds/$(basename "$list")"
  done
  printf '\2tile_m = 64, tile_n = 128, stages = 4, consumers = 1, split_k = 2, swap_ab = 0' >"$seeds/schedule"
  exec build-sanitize/bin/ReadersFuzz "$found" "$seeds" -timeout=10 -artifact_prefix="$found-failing-" "$@"
fi
ninja -C build-sanitize FrontDoorFuzz
exec build-sanitize/bin/FrontDoorFuzz "$@"
