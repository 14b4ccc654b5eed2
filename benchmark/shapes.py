# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Problems D[M,N] = A[M,K] * B[N,K]^T: the named sets, and the work each asks for."""

from collections import namedtuple

Problem = namedtuple("Problem", "m n k")

BLOCK = 128

# (N, K) of the layers of a large mixture-of-experts transformer.
FORWARD = [(2112, 7168), (576, 7168), (24576, 1536), (32768, 512), (7168, 16384), (4096, 7168), (7168, 2048)]
# Their data gradients: N and K swapped, so K = 2112 and 576 end in a partial block.
DATA_GRADIENT = [(k, n) for n, k in FORWARD]

SETS = {
    "forward-1": [Problem(1, n, k) for n, k in FORWARD],
    "forward-128": [Problem(128, n, k) for n, k in FORWARD],
    "forward-4096": [Problem(4096, n, k) for n, k in FORWARD],
    "data-gradient": [Problem(4096, n, k) for n, k in DATA_GRADIENT],
}

# Between the tiles of one wave and many: where schedules differ most.
MIDDLE_M = [200, 256, 512, 777, 1000]
SETS["forward-middle"] = [Problem(m, n, k) for m in MIDDLE_M for n, k in FORWARD]
# What a plot against M shows.
SETS["rows"] = [Problem(2**i, n, k) for n, k in [(2112, 7168), (4096, 7168), (7168, 2048)] for i in range(14)]
# More rows may not cost less time: every M, and those next to a multiple of 8, where the number of tiles changes.
NO_CLIFF_NK = [(7168, 2048), (2112, 7168), (4096, 4096)]
SETS["no-cliff"] = [Problem(m, n, k) for n, k in NO_CLIFF_NK for m in range(1, 513)]
SETS["no-cliff-edges"] = [p for p in SETS["no-cliff"] if p.m % 8 < 2]

# What run_gpu_tests.py multiplies; every M by one kernel.
TEST_NK = [(576, 7168), (2112, 7168), (7168, 576), (7168, 2112), (4096, 4096), (24, 16), (136, 144)]
TEST_M = [1, 7, 33, 64, 127, 128, 129, 777, 4095, 4096]
# What sanitize.sh multiplies: small, each with tails.
SANITIZE = [Problem(7, 24, 16), Problem(129, 136, 144), Problem(200, 264, 400)]


def ceil_div(a, b):
    return -(-a // b)


def parse(text):
    """"MxNxK,..." -> problems."""
    problems = []
    for item in text.split(","):
        try:
            m, n, k = (int(x) for x in item.lower().split("x"))
        except ValueError:
            raise ValueError(f"expected MxNxK, got '{item}'") from None
        problems.append(Problem(m, n, k))
    return problems


def flops(p):
    return 2 * p.m * p.n * p.k


def bytes_once(p):
    """Every operand moved once: A, B, D in bf16 and both scales in f32."""
    blocks = ceil_div(p.k, BLOCK)
    return p.m * p.k + p.n * p.k + 2 * p.m * p.n + 4 * blocks * (p.m + ceil_div(p.n, BLOCK))


def floor_us(p, tflops, terabytes_per_second):
    """The least time: arithmetic at `tflops` or memory at `terabytes_per_second`, in microseconds."""
    return max(flops(p) / (tflops * 1e6), bytes_once(p) / (terabytes_per_second * 1e6))
