#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Sets up a Debian 12 machine: packages by apt (only those that are missing), a
# virtual environment in .venv, and a configured build folder. Run it, or source it
# for $root, $build, $python and build_targets. A second run takes seconds.

set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
python=$root/.venv/bin/python

# Required for ccache to keep files that use a precompiled header.
export CCACHE_SLOPPINESS=pch_defines,time_macros

# The assembler with which the kernels are tuned, for machines without a CUDA toolkit.
ptxas_package='nvidia-cuda-nvcc>=13.0,<13.1'
nvdisasm_package='nvidia-cuda-nvdisasm>=13.2,<13.3'

packages=(
  g++ cmake ninja-build ccache python3 python3-venv python3-dev ca-certificates
  llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools   # bookworm-security
  zlib1g-dev libzstd-dev                                   # what LLVM's CMake files ask for
  libflatbuffers-dev flatbuffers-compiler libxxhash-dev    # the kernel file
  libgtest-dev
  dpkg-dev pkg-config                                      # the Debian packages, and who builds without CMake
  clang-22 libclang-rt-22-dev                              # compiles MLIR's headers once for all files; libFuzzer
)

# Bold on a terminal, unless NO_COLOR is set (https://no-color.org).
bold() {
  if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then printf '\033[1m%s\033[0m\n' "$*"; else printf '%s\n' "$*"; fi
}
say() { printf '\n'; bold "== $*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

install_packages() {
  command -v dpkg-query >/dev/null || die "expected a Debian 12 machine; elsewhere install: ${packages[*]}"
  local missing=() package
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Installing ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "expected root or sudo, to run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -q
  for package in "${missing[@]}"; do
    apt-cache show "$package" >/dev/null 2>&1 ||
      die "apt has no package '$package'; LLVM 22 is in Debian 12's bookworm-security: see /etc/apt/sources.list"
  done
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# The packages of .venv: the CUDA tools only if they are not installed otherwise, and new enough.
python_packages() {
  grep -v '^#' "$root/scripts/requirements.txt"
  cuda_tool_installed ptxas || echo "$ptxas_package"
  cuda_tool_installed nvdisasm || echo "$nvdisasm_package"
}

cuda_tool_installed() {
  /usr/bin/python3 "$root/scripts/environment.py" "$1" --not-in-venv >/dev/null 2>&1
}

make_virtual_environment() {
  local wanted stamp=$root/.venv/fp8gemm-packages.txt
  wanted=$(python_packages)
  [ -x "$python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
  say "Python packages into .venv: ${wanted//$'\n'/, }"
  # Debian's own Python, whatever comes first in PATH.
  [ -x "$python" ] || /usr/bin/python3 -m venv --clear "$root/.venv"
  local list
  mapfile -t list <<<"$wanted"
  "$python" -m pip install --quiet --disable-pip-version-check "${list[@]}" ||
    die "pip could not install: ${list[*]}"
  # The wheels put programs deep into site-packages; the compiler searches .venv/bin.
  local tool path
  for tool in ptxas nvdisasm; do
    path=$(find "$root/.venv/lib" -path "*/nvidia/*/bin/$tool" -print -quit)
    [ -z "$path" ] || ln -sf "../${path#"$root/.venv/"}" "$root/.venv/bin/$tool"
  done
  printf '%s\n' "$wanted" >"$stamp"
}

configure() {
  # A moved checkout leaves a cache that CMake refuses.
  if [ -f "$build/CMakeCache.txt" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$build/CMakeCache.txt"; then
    rm -rf "$build/CMakeCache.txt" "$build/CMakeFiles"
  fi
  [ -f "$build/build.ninja" ] && [ -f "$build/CMakeCache.txt" ] && return 0 # ninja runs CMake when it must
  say "Configuring $build"
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DFP8GEMM_PRECOMPILED_HEADERS=ON \
    -DCMAKE_C_COMPILER=clang-22 -DCMAKE_CXX_COMPILER=clang++-22
}

# A file that includes much of MLIR takes 2 GB to compile: fewer jobs than cores where memory is short.
build_targets() {
  local jobs memory
  jobs=$(nproc)
  memory=$(awk '/^MemAvailable/ { print int($2 / 2097152) }' /proc/meminfo 2>/dev/null || echo "$jobs")
  [ "${memory:-0}" -ge "$jobs" ] || jobs=$((memory > 1 ? memory : 1))
  say "Building ${*:-everything} with $jobs jobs"
  NINJA_STATUS='[%f/%t %es] ' ninja -C "$build" -j "$jobs" "$@"
}

install_packages
make_virtual_environment
configure
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  build_targets
fi
