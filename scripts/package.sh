#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Builds the release files in dist/: the Debian packages (scripts/cmake/FP8GemmPackages.cmake lists them), and the
# Python wheel. scripts/test_package.sh tests them.
#
#   scripts/package.sh [--build=FOLDER] [--out=FOLDER]
#
# --out: instead of dist/.
# --build: a finished build to take the Debian packages from, for a quick look. Its tools refer to this checkout's virtual
# environment; release packages come from a separate build, build-package.

set -euo pipefail
root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
python=$root/.venv/bin/python
build=
dist=$root/dist
for argument; do
  case $argument in
    --build=*) build=$(CDPATH='' cd -- "${argument#*=}" && pwd) ;;
    --out=*) dist=${argument#*=} ;;
    *) printf 'error: expected --build=FOLDER or --out=FOLDER, got %s\n' "$argument" >&2; exit 1 ;;
  esac
done

for tool in dpkg-deb dpkg-shlibdeps; do
  command -v "$tool" >/dev/null || { echo "error: expected $tool in PATH, got none: apt-get install dpkg-dev" >&2; exit 1; }
done

if [ -z "$build" ]; then
  build=$root/build-package
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DFP8GEMM_VENV= \
    -DFP8GEMM_BUILD_TESTS=OFF
  cmake --build "$build"
fi

mkdir -p "$dist"
rm -f "$dist"/*fp8gemm*.deb "$dist"/fp8gemm-*.whl
(cd "$build" && cpack -G DEB -B "$build/package" >"$build/package/cpack.log" 2>&1) || { cat "$build/package/cpack.log" >&2; exit 1; }
mv "$build"/package/*.deb "$dist"
SKBUILD_BUILD_DIR=$root/build/python "$python" -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps -w "$dist" "$root/python"
ls -l "$dist"
