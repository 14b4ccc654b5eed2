#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# constraints.sh LETTER OPS.td OP INVALID.mlir: each constraint (LETTERn) listed in OPS.td has
# a case @OP_LETTERn_... in INVALID.mlir, and each such case has a constraint.
set -eu
lower=$(echo "$1" | tr '[:upper:]' '[:lower:]')
listed=$(sed -n "s/^ *- ($1\([0-9]*\)).*/\1/p" "$2" | sort -n)
tried=$(sed -n "s/^func.func @$3_$lower\([0-9]*\)\(_.*\)\{0,1\}(.*/\1/p" "$4" | sort -nu)
[ -n "$listed" ] || { echo "no constraint found in $2"; exit 1; }
if [ "$listed" != "$tried" ]; then
  echo "constraints listed:" $listed
  echo "constraints with a case:" $tried
  exit 1
fi
echo "all" $(echo "$listed" | wc -l) "constraints ($1) have a case"
