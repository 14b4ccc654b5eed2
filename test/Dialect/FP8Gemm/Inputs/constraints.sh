#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# constraints.sh LETTER OPS.td OP INVALID.mlir...: each constraint (LETTERn) listed in OPS.td has
# a case @OP_LETTERn_... in INVALID.mlir, and each such case has a constraint.
set -eu
letter=$1 ops=$2 op=$3
shift 3
lower=$(echo "$letter" | tr '[:upper:]' '[:lower:]')
listed=$(sed -n "s/^ *- ($letter\([0-9]*\)).*/\1/p" "$ops" | sort -n)
tried=$(sed -n "s/^func.func @${op}_$lower\([0-9]*\)\(_.*\)\{0,1\}(.*/\1/p" "$@" | sort -nu)
[ -n "$listed" ] || { echo "no constraint found in $ops"; exit 1; }
if [ "$listed" != "$tried" ]; then
  echo "constraints listed:" $listed
  echo "constraints with a case:" $tried
  exit 1
fi
echo "all" $(echo "$listed" | wc -l) "constraints ($letter) have a case"
