# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""arith.truncf and arith.extf of FP8 on the CPU (expand-f8), against ml_dtypes."""

import numpy as np
import pytest
from compiled import compile_function
from numerics import E4M3, E5M2

CONVERT = """
#id = affine_map<(i) -> (i)>
func.func @convert(%x: memref<?x{source}>, %y: memref<?x{target}>) {{
  linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel"]}} ins(%x : memref<?x{source}>) outs(%y : memref<?x{target}>) {{
    ^bb0(%in: {source}, %out: {target}):
      %0 = arith.{op} %in : {source} to {target}
      linalg.yield %0 : {target}
  }}
  return
}}
"""
NAMES = {E4M3: "f8E4M3FN", E5M2: "f8E5M2"}


def values():
    """Each f32 with 16 leading bits, and its neighbours: all ties, all exponents, infinities, NaN."""
    bits = np.arange(2**16, dtype=np.uint32) << 16
    bits = np.concatenate([bits, bits + 1, bits - 1, bits + 0x8000])
    return bits.view(np.float32)


@pytest.mark.parametrize("element", [E4M3, E5M2])
def test_narrow(tmp_path, element):
    x = values()
    y = np.zeros(len(x), element)
    compile_function(CONVERT.format(source="f32", target=NAMES[element], op="truncf"), tmp_path)(x, y)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = x.astype(element)
    nan = np.isnan(expected.astype(np.float32))
    assert (np.isnan(y.astype(np.float32)) == nan).all()
    assert (y.view(np.uint8)[~nan] == expected.view(np.uint8)[~nan]).all()


@pytest.mark.parametrize("element", [E4M3, E5M2])
def test_widen(tmp_path, element):
    x = np.arange(256, dtype=np.uint8).view(element)
    y = np.zeros(256, np.float32)
    compile_function(CONVERT.format(source=NAMES[element], target="f32", op="extf"), tmp_path)(x, y)
    np.testing.assert_array_equal(y, x.astype(np.float32))
