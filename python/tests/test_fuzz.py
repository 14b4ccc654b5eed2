# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random wrong arguments: each call is refused with an error that names an argument, or is right. Nothing else is launched, and
nothing ends the process."""

import random
import re

import ml_dtypes
import numpy as np
import pytest
from arrays import CODES, CapsuleArray, ExchangeArray, aligned, columns, rows

import fp8gemm

E4M3, BF16, F32, I32 = ml_dtypes.float8_e4m3fn, ml_dtypes.bfloat16, np.float32, np.int32
M, N, K, G = 16, 256, 256, 3

# (function, how it is called right); one argument of it is replaced.
CALLS = {
    "gemm": dict(a=(rows, (M, K), E4M3), sfa=(columns, (M, 2), F32), b=(rows, (N, K), E4M3), sfb=(rows, (2, 2), F32),
                 d=(rows, (M, N), BF16)),
    "grouped_gemm_contiguous": dict(a=(rows, (384, K), E4M3), sfa=(columns, (384, 2), F32), b=(rows, (G, N, K), E4M3),
                                    sfb=(rows, (G, 2, 2), F32), groups=(rows, (384,), I32), d=(rows, (384, N), BF16)),
    "grouped_gemm_masked": dict(a=(rows, (G, M, K), E4M3), sfa=(columns, (G, M, 2), F32), b=(rows, (G, N, K), E4M3),
                                sfb=(rows, (G, 2, 2), F32), counts=(rows, (G,), I32), d=(rows, (G, M, N), BF16)),
    "grouped_gemm_k": dict(a=(rows, (128 * 512,), E4M3), sfa=(columns, (128, 4), F32), b=(rows, (256 * 512,), E4M3),
                           sfb=(columns, (256, 4), F32), lengths=(rows, (G,), I32), d=(rows, (G, 128, 256), F32)),
}
OPTIONS = ("num_sms", "dependent", "batch_invariant", "stream", "d_type", "by", "align", "expected_m", "check_groups", "workspace", "c",
           "anything")
NO_ARRAYS = (None, 5, -1, 2**70, 1.5, float("nan"), "", "bf16", "\udcff", b"x", True, [], {}, object(), np.zeros((16, 256)), ..., type)


def changed(draw, kind, shape, dtype):
    """An array that differs in one thing."""
    shape, changes = list(shape), draw.randrange(6)
    if changes == 0:
        dtype = draw.choice(list(CODES))
    elif changes == 1:
        shape[draw.randrange(len(shape))] = draw.choice((0, 1, 2, 3, 16, 17, 128, 255, 257))
    elif changes == 2:
        shape = draw.choice((shape[1:], [1, *shape], [*shape, 1], [], [2] * 5))
    elif changes == 3:
        kind = columns if len(shape) > 1 and kind is rows else rows
    if not shape or min(shape) == 0 or kind is columns and len(shape) < 2:
        return aligned(np.zeros(shape, dtype)) if shape else np.zeros((), dtype)
    values = kind(tuple(shape), dtype)
    if changes == 4:  # begins elsewhere
        space = aligned(np.zeros(values.nbytes + 64, np.uint8))
        begin = draw.choice((1, 2, 4, 8)) * values.itemsize
        values = np.ndarray(values.shape, values.dtype, space, begin, values.strides)
    elif changes == 5:  # other strides
        values = np.lib.stride_tricks.as_strided(values, strides=[step * draw.choice((0, 1, 1, 1, -1)) for step in values.strides])
    return values


@pytest.mark.parametrize("name", CALLS)
def test_random_wrong_arguments(pack, driver, name):
    draw, accepted, function = random.Random(name), 0, getattr(pack, name)
    right = CALLS[name]
    for _ in range(400):
        library = draw.choice((ExchangeArray, CapsuleArray))
        arguments = {argument: library(kind(shape, dtype)) for argument, (kind, shape, dtype) in right.items()}
        options = {} if name != "grouped_gemm_k" else {"c": arguments["d"]}
        options |= dict(stream=0) if name == "gemm" or library is CapsuleArray else {}
        if "k" in name[-1] and library is CapsuleArray:
            options["workspace"] = CapsuleArray(rows((1 << 20,), np.uint8))
        changes = draw.randrange(4)
        if changes == 0:
            arguments[draw.choice(list(right))] = draw.choice(NO_ARRAYS)
        elif changes == 1:
            option = draw.choice(OPTIONS)
            options[option] = draw.choice(NO_ARRAYS)
        else:
            argument = draw.choice(list(right))
            arguments[argument] = draw.choice((library, ExchangeArray, CapsuleArray))(changed(draw, *right[argument]))
        try:
            function(**arguments, **options)
            accepted += 1
        except (TypeError, ValueError, fp8gemm.Error) as error:
            named = re.search(r"'(\w+)'|\"\w+\":|num_sms|groups\[", str(error))
            assert named or "argument" in str(error), f"{error!r} names no argument"
    assert 0 < accepted < 300 and len(driver.launches) <= accepted
