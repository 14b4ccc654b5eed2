#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Tests the Debian packages of scripts/package.sh.
#
#   scripts/test_package.sh [dist]          unpacks them into an empty folder, and runs the tools from there with the
#                                           libraries of this machine: needs neither root nor a network
#   scripts/test_package.sh --bare [dist]   installs them by apt into a bare Debian 12 (debootstrap; needs root and a
#                                           network), with their dependencies, and runs the tools in it
#
# ptxas is in no package: the tools use this machine's through CUDA_PATH, or a copy.

set -euo pipefail
root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
bare=false
if [ "${1:-}" = --bare ]; then
  bare=true
  shift
fi
dist=$(CDPATH='' cd -- "${1:-$root/dist}" && pwd)
packages=(libfp8gemm-runtime0 libfp8gemm-runtime-dev libfp8gemm0 libfp8gemm-dev fp8gemm-tools)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

debs=()
for package in "${packages[@]}"; do
  found=("$dist/${package}"_*.deb)
  [ -f "${found[0]}" ] || die "expected $package in $dist, got none: run scripts/package.sh"
  debs+=("${found[0]}")
done
ptxas=$(CUDA_PATH=${CUDA_PATH:-} "$root/.venv/bin/python" -c "
import sys; sys.path.insert(0, '$root/scripts'); import environment; print(environment.find_program('ptxas') or '')")
[ -n "$ptxas" ] || die "expected ptxas in \$CUDA_PATH/bin, \$PATH or .venv, got none"

# use RUN...: the tools, wherever they are, by the command RUN.
use() {
  "$@" fp8gemm-compile --op=gemm --m=any --n=256 --k=512 -o /tmp/fp8gemm-package.cubin
  "$@" fp8gemm-inspect /tmp/fp8gemm-package.cubin | grep -q '^ *0 .*tile_m = '
  "$@" fp8gemm-run /tmp/fp8gemm-package.cubin --m=4 --device=cpu --check | grep 'held: 4 of 4 rows'
  "$@" fp8gemm-opt --version | grep -q LLVM
  "$@" fp8gemm-lsp-server --help >/dev/null
}

if ! $bare; then
  say "Unpacking ${packages[*]}"
  for deb in "${debs[@]}"; do
    dpkg-deb -x "$deb" "$work"
    dpkg-deb -f "$deb" Package Version Depends
  done
  libraries=$(dirname "$(find "$work/usr/lib" -name libfp8gemm_runtime.so.0)")
  mkdir -p "$work/cuda/bin"
  ln -s "$ptxas" "$work/cuda/bin/ptxas"
  use env PATH="$work/usr/bin:$PATH" LD_LIBRARY_PATH="$libraries" CUDA_PATH="$work/cuda"
  # Each library that a tool needs is in its own package or in a dependency.
  for file in "$work"/usr/bin/* "$libraries"/*.so.0; do
    missing=$(LD_LIBRARY_PATH=$libraries ldd "$file" | grep 'not found' || true)
    [ -z "$missing" ] || die "$file: $missing"
  done
  rm -f /tmp/fp8gemm-package.cubin
  say "The tools run, unpacked"
  exit
fi

[ "$(id -u)" = 0 ] || die "expected root for --bare"
command -v debootstrap >/dev/null || die "expected debootstrap in PATH, got none: apt-get install debootstrap"
say "A bare Debian 12"
debootstrap --variant=minbase bookworm "$work/debian" http://deb.debian.org/debian >"$work/debootstrap.log" || die "debootstrap: $(tail -3 "$work/debootstrap.log")"
# LLVM 22 is in bookworm-security.
cat >"$work/debian/etc/apt/sources.list" <<END
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian-security bookworm-security main
END
cp /etc/resolv.conf /etc/hosts "$work/debian/etc/"
mkdir "$work/debian/packages"
cp "${debs[0]}" "${debs[2]}" "${debs[4]}" "$work/debian/packages" # no -dev: a bare machine
# The compiler passes files to ptxas in /proc/self/fd.
mount -t proc proc "$work/debian/proc"
trap 'umount "$work/debian/proc" && rm -rf "$work"' EXIT
inside() { chroot "$work/debian" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
inside apt-get update -q
say "Installing the tools"
inside sh -c 'apt-get install -q -y --no-install-recommends /packages/*.deb'
inside sh -c 'dpkg -l | grep fp8gemm; command -v g++ cmake ptxas || echo "no compiler, no CMake, no ptxas here"'
install -D "$ptxas" "$work/debian/opt/cuda/bin/ptxas"
use inside CUDA_PATH=/opt/cuda
say "The tools run on a bare machine"
inside apt-get purge -q -y fp8gemm-tools libfp8gemm0 libfp8gemm-runtime0 >/dev/null
[ -z "$(find "$work/debian/usr" -name '*fp8gemm*')" ] || die "files are left after purge: $(find "$work/debian/usr" -name '*fp8gemm*')"
say "And nothing is left when they are removed"
