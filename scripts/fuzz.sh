#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The compiler under clang's sanitizers (docs/Fuzzing.md). The arguments are FrontDoorFuzz's, or after `readers`
# libFuzzer's:
#   scripts/fuzz.sh --cases=20000 --seed=1
#   JOBS=16 scripts/fuzz.sh --cases=1250        the same number of cases by 16 processes, with the seeds 1 to 16
#   scripts/fuzz.sh readers -max_total_time=600
# $FUZZER is a FrontDoorFuzz that has been built already, on another machine perhaps.

set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export CCACHE_SLOPPINESS=pch_defines,time_macros # keeps what uses a precompiled header

# build TARGET: in build-sanitize.
build() {
  [ -f build-sanitize/build.ninja ] || cmake --preset sanitize
  ninja -C build-sanitize "$1"
}

if [ "${1-}" = readers ]; then
  shift
  build ReadersFuzz
  seeds=build-sanitize/readers-seeds found=build-sanitize/readers-found
  mkdir -p "$seeds" "$found"
  for list in examples/*.json; do # byte 0: a list of problems
    { printf '\0' && cat "$list"; } >"$seeds/$(basename "$list")"
  done
  printf '\2tile_m = 64, tile_n = 128, stages = 4, consumers = 1, split_k = 2, swap_ab = 0' >"$seeds/schedule"
  exec build-sanitize/bin/ReadersFuzz "$found" "$seeds" -timeout=10 -artifact_prefix="$found-failing-" "$@"
fi

[ -n "${FUZZER-}" ] || build FrontDoorFuzz
fuzzer=${FUZZER:-build-sanitize/bin/FrontDoorFuzz}
[ "${JOBS:-1}" -gt 1 ] || exec "$fuzzer" "$@"

running=() status=0
mkdir -p fuzz-found
for seed in $(seq "$JOBS"); do
  "$fuzzer" "$@" --seed="$seed" --output="fuzz-found/seed-$seed" >"fuzz-found/seed-$seed.log" 2>&1 &
  running+=($!)
done
for job in "${running[@]}"; do
  wait "$job" || status=1
done
tail -n 12 fuzz-found/seed-*.log
exit $status
