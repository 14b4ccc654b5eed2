#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Everything that needs a GPU, in one session of at most about nine minutes:
#   gpu_session.sh stage FOLDER     where the compiler is: fills FOLDER with the kernels and the runtime
#                                   that the GPU machine needs besides this checkout
#   gpu_session.sh run FOLDER LOGS  on the GPU machine: tests, benchmark, sanitizer
# Steps have time limits and are independent. $STEPS selects them (default: "smoke bench tests sanitize"); others are
# "random" ($RANDOM_PRODUCTS random products, 600), "grouped" ($GROUPED_PATTERNS patterns of groups, 600),
# "fuzzed" ($FUZZED_CASES cases that agreed in the simulator, 2600), "huge" (operands of more than 2^31 elements),
# "sanitize-grouped", "hung" (debug builds of kernels that work and that hang) and "stress" ($LAUNCHES launches on four
# streams of the kernels staged for "bench", 100000). $SETS and $PEERS are the sets and peers of the benchmark,
# $BENCH_SECONDS its time limit, $SHAPE_SECONDS that of a shape, $SEED the random seed. When staging, $STEPS selects
# the steps to compile for (default: all), $SCHEDULES is a file of schedules to time beside the compiler's own choice
# (such as benchmark/schedules.txt), and $COMPILE_OPTION is passed to fp8gemm-compile.

set -uo pipefail
root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
sets=${SETS:-forward-4096 data-gradient forward-128 forward-1}

# staged_for STEP...: whether one of these is to be run; all are if $STEPS is not set.
staged_for() {
  local name
  for name; do
    case " ${STEPS:-$name} " in *" $name "*) return 0 ;; esac
  done
  return 1
}

stage() {
  local folder=$1 flags=() common=(--gpu "${GPU:-h200-sxm}") schedules=() set status=0
  [ -z "${COMPILE_OPTION:-}" ] || common+=("--compile-option=$COMPILE_OPTION")
  [ -z "${SCHEDULES:-}" ] || schedules=(--config '' --configs "$SCHEDULES")
  for set in $sets; do flags+=(--set "$set"); done
  mkdir -p "$folder"
  cp -L "$root/build/lib/libfp8gemm_runtime.so" "$root/build/lib/libfp8gemm_fewer_sms.so" "$folder/" || return 1
  if staged_for smoke tests sanitize; then
    "$python" "$root/benchmark/kernels.py" "$folder/test" "${common[@]}" --set sanitize --set test || status=1
    # Few stages, used again within a tile, and two consumers.
    "$python" "$root/benchmark/kernels.py" "$folder/test" "${common[@]}" --set sanitize \
      --config 'tile_m = 128, tile_n = 48, stages = 2, consumers = 2' || status=1
    # A few schedules of every kind for the sanitizer.
    "$python" "$root/benchmark/varied_kernels.py" sanitize "$folder/test" "${common[@]}" || status=1
    # Every recipe with two blocks of rows per consumer, and with two consumers of wide tiles.
    "$python" "$root/benchmark/kernels.py" "$folder/test" "${common[@]}" --set kinds \
      --config 'tile_m = 128, tile_n = 96, consumers = 1' --config 'tile_m = 128, tile_n = 128, consumers = 2' \
      || status=1
  fi
  if staged_for random; then
    "$python" "$root/benchmark/varied_kernels.py" random "$folder/random" "${common[@]}" --seed "${SEED:-1}" || status=1
  fi
  if staged_for grouped sanitize-grouped; then
    "$python" "$root/benchmark/kernels.py" "$folder/grouped" "${common[@]}" --set grouped-test --set k-grouped-test \
      || status=1
  fi
  if staged_for fuzzed; then
    "$python" "$root/test/Execution/fuzzed_items.py" "$folder/fuzzed" --cases "${FUZZED_CASES:-2600}" \
      --seed "${SEED:-1}" || status=1
  fi
  if staged_for huge; then
    "$python" "$root/test/Execution/huge_items.py" stage "$folder/huge" --gpu "${GPU:-h200-sxm}" || status=1
  fi
  if staged_for hung; then
    "$python" "$root/test/Execution/hung_kernels.py" stage "$folder/hung" || status=1
  fi
  if staged_for bench; then
    "$python" "$root/benchmark/kernels.py" "$folder/timed" "${common[@]}" "${schedules[@]}" "${flags[@]}" || status=1
  fi
  du -sh "$folder"
  return $status
}

# step NAME SECONDS COMMAND...: a failure is recorded and the next step runs.
step() {
  local name=$1 seconds=$2 status=0 started=$SECONDS
  shift 2
  case " ${STEPS:-smoke bench tests sanitize} " in *" $name "*) ;; *) return ;; esac
  printf '\n== %s\n' "$name"
  timeout --kill-after=5 "$seconds" "$@" 2>&1 | tee "$logs/$name.log" || status=${PIPESTATUS[0]}
  summary+=("$name: exit status $status after $((SECONDS - started)) s")
}

run() {
  local folder flags=() set
  folder=$(realpath "$1")
  mkdir -p "$2"
  logs=$(realpath "$2")
  summary=()
  export FP8GEMM_RUNTIME=$folder/libfp8gemm_runtime.so PYTHONUNBUFFERED=1 SANITIZE_SECONDS=${SANITIZE_SECONDS:-45}
  for set in $sets; do flags+=(--set "$set"); done
  # Small products first: if they hang, the rest is of little use.
  step smoke 60 "$python" "$root/test/Execution/run_gpu_tests.py" "$folder/test" --m 1 129 4096 --seeds 1 \
    --only k_major --item-seconds 15 --seconds 50 --json "$logs/smoke.json"
  step bench $((${BENCH_SECONDS:-210} + 20)) "$python" "$root/benchmark/bench.py" --kernels "$folder/timed" "${flags[@]}" \
    --labels all --peers "${PEERS:-cublas-b,cublas-t}" --shape-seconds "${SHAPE_SECONDS:-25}" \
    --seconds "${BENCH_SECONDS:-210}" --json "$logs/bench.json"
  step tests 180 "$python" "$root/test/Execution/run_gpu_tests.py" "$folder/test" --item-seconds 15 \
    --seconds 165 --json "$logs/tests.json"
  step random 150 "$python" "$root/test/Execution/run_gpu_tests.py" "$folder/random" --random \
    "${RANDOM_PRODUCTS:-600}" --seed "${SEED:-1}" --item-seconds 15 --seconds 140 --json "$logs/random.json"
  step grouped 150 "$python" "$root/test/Execution/run_gpu_tests.py" "$folder/grouped" --grouped \
    "${GROUPED_PATTERNS:-600}" --seed "${SEED:-1}" --item-seconds 15 --seconds 140 --json "$logs/grouped.json"
  step fuzzed 400 "$python" "$root/test/Execution/run_gpu_tests.py" "$folder/fuzzed" --items --item-seconds 15 \
    --seconds 385 --json "$logs/fuzzed.json"
  step huge 150 "$python" "$root/test/Execution/huge_items.py" run "$folder/huge" --json "$logs/huge.json"
  step stress 150 "$python" "$root/test/Execution/stress.py" "$folder/timed" --launches "${LAUNCHES:-100000}" \
    --seed "${SEED:-1}"
  step hung 150 "$python" "$folder/hung/hung_kernels.py" run
  step sanitize 100 "$root/test/Execution/sanitize.sh" "$folder/test"
  step sanitize-grouped 100 "$root/test/Execution/sanitize.sh" "$folder/grouped"
  printf '\n'
  printf '%s\n' "${summary[@]}"
}

case ${1:-} in
  stage) stage "${2:?expected a folder}" ;;
  run) run "${2:?expected the staged folder}" "${3:?expected a folder for logs}" ;;
  *) sed -n '4,16s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
