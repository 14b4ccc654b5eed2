#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Collects everything that a GPU machine needs to run whole programs in one folder: no checkout, no compiler, no MLIR.
#   stage_gpu.sh FOLDER     where the compiler is: the programs, and the results of the CPU
#   FOLDER/run.sh           on the GPU machine; exit status 0 if all held

set -euo pipefail
here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
[ $# = 1 ] || { sed -n '4,6s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; }
export BUILD=${BUILD:-$here/../../build}
llvm=${LLVM_BIN:-/usr/lib/llvm-22/bin}
folder=$1
work=$folder/work
mkdir -p "$work"

"$here/../../examples/program/build.sh" "$work"
cp "$work/layer" "$folder/"
"${CC:-cc}" -std=c11 -O2 -Wall -Wextra -c "$here/Inputs/groups.c" -o "$work/main.o"
for device in host cpu; do
  "$BUILD/bin/fp8gemm-opt" "--fp8gemm-to-llvm-$device" "$here/groups.mlir" | "$llvm/mlir-translate" --mlir-to-llvmir |
    "$llvm/llc" -O2 -relocation-model=pic -filetype=obj -o "$work/groups-$device.o"
  "${CXX:-c++}" -static-libstdc++ -static-libgcc -o "$folder/groups-$device" "$work/main.o" "$work/groups-$device.o" \
    "$BUILD"/lib/libfp8gemm_{program_static,runtime_static,driver}.a -ldl -lpthread
done
mv "$folder/groups-host" "$folder/groups-gpu"
"$folder/groups-cpu" >"$folder/groups.expected"
rm -r "$work"
cat >"$folder/run.sh" <<'RUN'
#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -uo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")" || exit 1
status=0
for m in 1 64 300 4096; do
  timeout 60 ./layer --device=both "--m=$m" || { echo "failed: layer --m=$m"; status=1; }
done
got=$(mktemp)
if timeout 60 ./groups-gpu >"$got" && cmp "$got" groups.expected; then
  echo "groups  $(wc -l <"$got") elements of 5 grouped products: equal to the CPU's"
else
  echo "failed: groups-gpu"
  status=1
fi
rm "$got"
exit $status
RUN
chmod +x "$folder/run.sh"
du -sh "$folder"
