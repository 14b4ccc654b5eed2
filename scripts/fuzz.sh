#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs the compiler, built with clang's sanitizers, on modified MLIR (docs/Fuzzing.md). Arguments go to FrontDoorFuzz:
# scripts/fuzz.sh --cases=20000 --seed=1

set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[ -f build-sanitize/build.ninja ] || cmake --preset sanitize
export CCACHE_SLOPPINESS=pch_defines,time_macros # keeps what uses a precompiled header
ninja -C build-sanitize FrontDoorFuzz
exec build-sanitize/bin/FrontDoorFuzz "$@"
