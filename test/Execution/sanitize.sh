#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs small products under compute-sanitizer: memcheck, then racecheck, or $SANITIZE_TOOLS.
#   sanitize.sh KERNELS     folder that benchmark/kernels.py filled with --set sanitize or
#                           --set grouped-test, and benchmark/varied_kernels.py sanitize with
#                           other schedules
# Each tool gets SANITIZE_SECONDS (default 120). Exit status 0: both clean; 77: no GPU to
# run on. The sanitizer cannot see everything that TMA does: run_gpu_tests.py checks guards.

set -uo pipefail
here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
kernels=${1:-$here/../../build/test-kernels}
python=${PYTHON:-python3}
seconds=${SANITIZE_SECONDS:-120}
PATH=$PATH:${CUDA_PATH:-/usr/local/cuda}/bin

if ! gpu=$("$python" "$here/../../scripts/environment.py" gpu 2>&1); then
  echo "SKIP: $gpu"
  exit 77
fi
if ! command -v compute-sanitizer >/dev/null; then
  echo "SKIP: no compute-sanitizer in PATH"
  exit 77
fi

failed=0
for tool in ${SANITIZE_TOOLS:-memcheck racecheck}; do
  log=$(mktemp)
  timeout --kill-after=5 "$seconds" compute-sanitizer --tool "$tool" --error-exitcode 9 --print-limit 20 \
    --target-processes all "$python" "$here/sanitize_case.py" "$kernels" >"$log" 2>&1
  status=$?
  cat "$log"
  case $status in
    0) echo "$tool: clean" ;;
    9) echo "$tool: FOUND ERRORS" ;;
    124 | 137) echo "$tool: HANG or slow, killed after $seconds s; last: $(tail -n 1 "$log")" ;;
    *) echo "$tool: failed with exit status $status" ;;
  esac
  [ "$status" = 0 ] || failed=1
  rm -f "$log"
done
exit "$failed"
