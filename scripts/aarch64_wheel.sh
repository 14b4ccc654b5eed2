#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Builds the wheel of the runtime package for aarch64 (Grace Hopper) on an x86-64 Debian 12, in dist/, checks it, and runs its tests and the
# runtime's in a Debian for aarch64, whose programs QEMU emulates. There is no GPU in it: launches go to the fake driver of test/Unit.
# Needs root, a network, a finished build (scripts/setup.sh; the tests compile packs) and the packages named below.
#
#   scripts/aarch64_wheel.sh [--out=FOLDER] [--sysroot=FOLDER] [--torch] [-- PYTEST-ARGUMENTS...]
#
# --sysroot: where the Debian for aarch64 is made, or is from an earlier run; build-aarch64/debian if omitted.
# --torch: with PyTorch in it, so that the tests of fp8gemm.torch and fp8gemm.deep_gemm run too.

set -euo pipefail
root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
python=$root/.venv/bin/python
build=$root/build-aarch64
dist=$root/dist
sysroot=$build/debian
packages=(pytest pluggy iniconfig packaging pygments numpy ml_dtypes)
arguments=(python)
while [ $# -gt 0 ]; do
  case $1 in
    --out=*) dist=$(realpath -m -- "${1#*=}") ;;
    --sysroot=*) sysroot=$(realpath -m -- "${1#*=}") ;;
    --torch) packages+=('torch==2.10.0' typing-extensions sympy 'mpmath<1.4' networkx jinja2 markupsafe filelock fsspec) ;; # the last without CUDA
    --) shift; arguments=("$@"); break ;;
    *) printf 'error: expected --out=FOLDER, --sysroot=FOLDER, --torch or -- and arguments of pytest, got %s\n' "$1" >&2; exit 1 ;;
  esac
  shift
done

say() { printf '\n== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "expected root, for debootstrap and chroot, got user $(id -un)"
[ "$(uname -m)" = x86_64 ] || die "expected a machine of x86_64, got $(uname -m): pip install ./python"
for tool in aarch64-linux-gnu-g++ debootstrap qemu-aarch64-static; do
  command -v "$tool" >/dev/null || die "expected $tool in PATH, got none: apt-get install g++-aarch64-linux-gnu debootstrap qemu-user-static"
done
[ -x "$root/build/bin/fp8gemm-compile" ] || die "expected $root/build/bin/fp8gemm-compile, got none: run scripts/setup.sh"
ptxas=$(realpath "$("$python" "$root/scripts/environment.py" ptxas)")

if [ ! -e "$sysroot/complete" ]; then
  say "A Debian 12 for aarch64 in $sysroot"
  rm -rf "$sysroot"
  mkdir -p "$sysroot"
  # Only unpacked: nothing in it is configured by a program for aarch64.
  debootstrap --foreign --arch=arm64 --variant=minbase --include=binutils,libgtest-dev,libpython3-dev,python3 \
    bookworm "$sysroot" >"$build.log" || die "debootstrap: $(tail -3 "$build.log")"
  for deb in "$sysroot"/var/cache/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$sysroot"
  done
  rm -rf "$sysroot"/var/cache/apt/archives/*.deb "$build.log"
  [ ! -L "$sysroot/proc" ] || rm "$sysroot/proc" # as debootstrap leaves it in a container
  mkdir -p "$sysroot/proc"
  echo 'root:x:0:0:root:/root:/bin/sh' >"$sysroot/etc/passwd"
  touch "$sysroot/complete"
fi
site=$sysroot/usr/local/lib/python3.11/dist-packages

say "The wheel"
toolchain=(-DCMAKE_TOOLCHAIN_FILE="$root/scripts/cmake/Aarch64.cmake" -DFP8GEMM_SYSROOT="$sysroot")
mkdir -p "$dist" "$build/wheels"
rm -f "$dist"/fp8gemm-*aarch64.whl "$build"/wheels/*
FP8GEMM_WHEEL_PLATFORM=manylinux_2_28_aarch64 SKBUILD_CMAKE_ARGS=$(IFS=';'; echo "${toolchain[*]}") \
  "$python" -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps -w "$build/wheels" "$root/python"
cp "$build"/wheels/fp8gemm-*.whl "$dist"
"$root/scripts/check_wheel.py" "$dist"/fp8gemm-*aarch64.whl

say "The fake driver, and the runtime's tests"
cmake -S "$root" -B "$build" -G Ninja "${toolchain[@]}" -DCMAKE_BUILD_TYPE=Release -DFP8GEMM_BUILD_COMPILER=OFF >/dev/null
# Not those of threads and of fuzzing, since QEMU runs no sanitizer, nor of the launch's cost, whose filter of system calls is for x86-64.
tests=(RuntimeKernelFileTest RuntimeGemmTest RuntimeRunTest RuntimeProgramTest)
ninja -C "$build" "${tests[@]}" RuntimeFakeGpu
ln -sfn "$root"/build/bin/fp8gemm-compile "$build/bin/fp8gemm-compile"

say "Packages into it: ${packages[*]}, and the wheel"
# pip does not replace what is there.
rm -rf "$site"
"$python" -m pip install --quiet --disable-pip-version-check --target="$site" --platform=manylinux_2_28_aarch64 --python-version=3.11 \
  --only-binary=:all: --no-deps "${packages[@]}"
"$python" -m zipfile -e "$dist"/fp8gemm-*aarch64.whl "$site"

# Where the kernel does not yet start programs for aarch64 by QEMU, which is to be found from within the chroot (flag F).
formats=/proc/sys/fs/binfmt_misc
[ -e $formats/register ] || mount -t binfmt_misc binfmt_misc $formats
if ! grep -qs '^flags:.*F' $formats/*aarch64*; then
  printf '%s' ':fp8gemm-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:'"$(command -v qemu-aarch64-static)"':F' >$formats/register
fi

# In a mount namespace of its own: the checkout at its place, and what the compiler, a program for this machine, needs of it.
inside() {
  # shellcheck disable=SC2016 # expanded by that bash
  unshare --mount bash -euo pipefail -c '
    sysroot=$1; shift
    mount -t proc proc "$sysroot/proc"
    while [ "$1" != -- ]; do
      mkdir -p "$sysroot$1"
      mount --rbind "$1" "$sysroot$1"
      shift
    done
    shift
    exec chroot "$sysroot" env -i -C "$PWD" "$@"
  ' inside "$sysroot" /dev /lib/x86_64-linux-gnu /usr/lib/llvm-22 /lib64 "${ptxas%/bin/ptxas}" "$(realpath "$root/.venv")" "$root" "$build" "$dist" -- \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 FP8GEMM_BUILD="$build" CUDA_PATH="${ptxas%/bin/ptxas}" "$@"
}
cd "$root"
say "The wheel, in it"
inside python3 scripts/check_wheel.py "$dist"/fp8gemm-*aarch64.whl
say "The runtime's tests, in it"
for test in "${tests[@]}"; do
  inside "$build/test/Unit/$test" --gtest_brief=1
done
say "The package's tests, in it"
inside python3 -m pytest -q -p no:cacheprovider -rs "${arguments[@]}"
