#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# constraints.sh OPS.td INVALID.mlir: each constraint (Cn) listed in OPS.td has a
# case @..._cn_... in INVALID.mlir, and each case has a constraint.
set -eu
listed=$(sed -n 's/^ *- (C\([0-9]*\)).*/\1/p' "$1" | sort -n)
tried=$(sed -n 's/^func.func @[a-z]*_c\([0-9]*\)_.*/\1/p' "$2" | sort -nu)
[ -n "$listed" ] || { echo "no constraint found in $1"; exit 1; }
if [ "$listed" != "$tried" ]; then
  echo "constraints listed:" $listed
  echo "constraints with a case:" $tried
  exit 1
fi
echo "all" $(echo "$listed" | wc -l) "constraints have a case"
