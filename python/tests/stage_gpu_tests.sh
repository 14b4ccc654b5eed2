#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Collects everything that a GPU machine needs to test the Python package in one folder: no checkout, no compiler.
#   stage_gpu_tests.sh FOLDER         where the compiler is: wheel, packs, tests
#   FOLDER/run.sh LOGS [PYTHON]       on the GPU machine (Python >= 3.11 with PyTorch, pytest and ml_dtypes)
# With $DEEP_GEMM, a checkout of DeepGEMM, its own tests of FP8 on Hopper are staged, too, and run ($STEPS=deep_gemm).

set -euo pipefail
root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
[ $# = 1 ] || { sed -n '4,7s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; }
folder=$1
python=${PYTHON:-python3}
compile() { "$root/build/bin/fp8gemm-compile" --pack="$1" -o "$2" --cache="${FP8GEMM_CACHE:-$root/build/cache}"; }

mkdir -p "$folder/tests"
rm -f "$folder"/*.whl
SKBUILD_BUILD_DIR=$root/build/python "$python" -m pip wheel --quiet --no-deps "$root/python" -w "$folder"
cp "$root"/python/tests/*.py "$root/benchmark/python_launch_cost.py" "$root"/examples/torch_{linear,moe,train}.py "$folder/tests/"
cp "$root/build/bin/launch-cost" "$folder/"
compile "$root/python/tests/gpu_problems.json" "$folder/tests/gpu.fp8pack"
compile "$root/python/tests/gpu_layer_problems.json" "$folder/tests/layers.fp8pack"
for example in linear moe train; do
  "$python" "$root/examples/torch_$example.py" --list >"$folder/$example.json"
  compile "$folder/$example.json" "$folder/$example.fp8pack"
done
cat >"$folder/run.sh" <<'RUN'
#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# run.sh LOGS [PYTHON]: steps that don't depend on each other's success; $STEPS chooses.
set -uo pipefail
here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
logs=$(mkdir -p "$1" && cd "$1" && pwd)
steps=${STEPS:-tests cost example moe train deep_gemm}
# The package in a folder of its own, so that nothing is installed.
rm -rf "$logs/site"
"${2:-python3}" -m zipfile -e "$here"/fp8gemm-*.whl "$logs/site" || exit 1
export PYTHONPATH=$logs/site${PYTHONPATH:+:$PYTHONPATH}
status=0
step() {
  local name=$1 seconds=$2
  shift 2
  case " $steps " in *" $name "*) ;; *) return 0 ;; esac
  echo "== $name"
  timeout "$seconds" "$@" >"$logs/$name.log" 2>&1 || { echo "failed: status $?"; status=1; }
  tail -n "${LINES_SHOWN:-30}" "$logs/$name.log"
}
cd "$here/tests" || exit 1
step tests "${TESTS_SECONDS:-300}" "${2:-python3}" -m pytest -v -p no:cacheprovider test_gpu.py test_gpu_row_scale.py test_gpu_activation.py test_gpu_quantised.py test_gpu_layers.py test_torch.py test_deep_gemm.py
step cost 120 "${2:-python3}" python_launch_cost.py --pack=gpu.fp8pack --launch-cost="$here/launch-cost" --json="$logs/cost.json"
step example 180 "${2:-python3}" torch_linear.py --pack="$here/linear.fp8pack"
step moe 180 "${2:-python3}" torch_moe.py --pack="$here/moe.fp8pack"
step train 180 "${2:-python3}" torch_train.py --pack="$here/train.fp8pack" --out="$logs/train"
[ ! -d "$here/DeepGEMM" ] || step deep_gemm "${DEEP_GEMM_SECONDS:-400}" "${2:-python3}" run_deep_gemm_tests.py "$here/DeepGEMM" --pack="$here/deep-gemm.fp8pack"
exit $status
RUN
chmod +x "$folder/run.sh"
if [ -n "${DEEP_GEMM:-}" ]; then
  mkdir -p "$folder/DeepGEMM/deep_gemm"
  cp -r "$DEEP_GEMM/tests" "$folder/DeepGEMM/"
  cp -r "$DEEP_GEMM/deep_gemm/testing" "$DEEP_GEMM/deep_gemm/utils" "$folder/DeepGEMM/deep_gemm/"
  "$python" "$root/python/tests/run_deep_gemm_tests.py" --list >"$folder/deep-gemm.json"
  compile "$folder/deep-gemm.json" "$folder/deep-gemm.fp8pack"
fi
du -sh "$folder"
