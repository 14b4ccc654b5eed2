#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Stands in for a ptxas that doesn't like its input.
case $1 in
--version) echo "Cuda compilation tools, release 13.0, V13.0.88" ;;
*)
  echo "ptxas input.ptx, line 7; error : Unknown symbol 'x'" >&2
  exit 255
  ;;
esac
