#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Sets up the machine, builds everything and runs all tests. The last line is
#   N passed, N failed, N skipped
# and the exit status is 0 only if none failed and each runner ran some.

# shellcheck source=scripts/setup.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"
build_targets

results=$build/test-results
rm -rf "$results"
mkdir -p "$results"

# run NAME COMMAND...: keeps the exit status, so that a runner that dies counts as a failure.
run() {
  local name=$1 status=0
  shift
  "$@" || status=$?
  echo "$status" >"$results/$name.status"
}

cd "$root"
say "Tools (lit)"
run lit /usr/lib/llvm-22/bin/lit -sv --xunit-xml-output="$results/lit.xml" "$build/test"

say "Units (GoogleTest)"
while read -r test; do
  [ -n "$test" ] || continue
  echo "$test"
  run "gtest-$test" "$build/test/Unit/$test" --gtest_brief=1 --gtest_output="xml:$results/gtest-$test.xml"
done <"$build/test/Unit/unit-tests.txt"

say "Python (pytest)"
rm -rf "$build/wheels"
SKBUILD_BUILD_DIR=$build/python "$python" -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps -w "$build/wheels" "$root/python" ||
  die "pip could not build the Python package"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$build"/wheels/fp8gemm-*.whl || die "pip could not install the Python package"
# A file's tests share what they build, so a file is one process's. The package's tests have a process of their own: they
# choose its CUDA driver.
run pytest "$python" -m pytest -q -n "$(nproc)" --dist loadfile -p no:cacheprovider --junitxml="$results/pytest.xml" test benchmark
run pytest-python "$python" -m pytest -q -p no:cacheprovider --junitxml="$results/pytest-python.xml" python

say "Results"
"$python" scripts/sum_tests.py "$results" lit gtest pytest
