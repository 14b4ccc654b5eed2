#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Builds the release files in dist/: the Debian packages (scripts/cmake/FP8GemmPackages.cmake lists them), and the
# source distribution and the wheel for Python (manylinux_2_28). scripts/test_package.sh and scripts/check_wheel.py test them.
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
rm -f "$dist"/*fp8gemm*.deb "$dist"/fp8gemm-*.whl "$dist"/fp8gemm-*.tar.gz
(cd "$build" && cpack -G DEB -B "$build/package" >"$build/package/cpack.log" 2>&1) || { cat "$build/package/cpack.log" >&2; exit 1; }
mv "$build"/package/*.deb "$dist"
(cd "$root/python" && "$python" -c 'import sys, build_backend; build_backend.build_sdist(sys.argv[1])' "$dist")
# From the source distribution, so that it has all that is needed.
FP8GEMM_WHEEL_PLATFORM=manylinux_2_28_x86_64 "$python" -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps -w "$dist" "$dist"/fp8gemm-*.tar.gz
"$root/scripts/check_wheel.py" "$dist"/fp8gemm-*.whl
ls -l "$dist"
