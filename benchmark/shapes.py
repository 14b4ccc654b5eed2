# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Problems D[M,N] = C + A[M,K] * B[N,K]^T: the named sets, and the work each asks for. Of groups: grouped_shapes.py."""

from collections import namedtuple

# Properties of a product other than its sizes, named like fp8gemm-compile's options.
Kind = namedtuple("Kind", "recipe a b d c", defaults=("1d2d", "e4m3", "e4m3", "bf16", "none"))
WEIGHT_GRADIENT_KIND = Kind("1d1d", d="f32", c="in_place")
# Groupings, named likewise; `k_count` groups K, and "flat" then is --flattened; weights: matrices of B that groups share, or 0.
Groups = namedtuple("Groups", "grouping count align flat weights", defaults=("none", 1, 1, False, 0))
# What groups hold where they are timed, which the kernel learns on the device: rows of each (along K, elements), and
# the rows allocated for each where it has a matrix of its own.
Load = namedtuple("Load", "sizes allocated", defaults=((), 0))


class Problem(namedtuple("Problem", "m n k")):
    """Sizes, and a kind, groups and their load that tell problems of the same sizes apart. Of groups, m is the rows
    expected of one, and k all of K where that is what is grouped.
    """

    kind = Kind()
    groups = Groups()
    load = Load()

    def __new__(cls, m, n, k, kind=Kind(), groups=Groups(), load=Load()):
        problem = super().__new__(cls, m, n, k)
        problem.kind, problem.groups, problem.load = kind, groups, load
        return problem

    def __eq__(self, other):
        return (tuple(self) == tuple(other) and self.kind == getattr(other, "kind", Kind())
                and self.groups == getattr(other, "groups", Groups()) and self.load == getattr(other, "load", Load()))

    def __ne__(self, other):
        return not self == other

    __hash__ = tuple.__hash__


def fields(p):
    """A problem in JSON."""
    grouped = {} if p.groups == Groups() else {"groups": list(p.groups), "load": [list(p.load.sizes), p.load.allocated]}
    return {**p._asdict(), "kind": list(p.kind), **grouped}


def problem_of(fields):
    """The problem that fields() wrote, whatever else is beside it."""
    sizes, allocated = fields.get("load", ((), 0))
    return Problem(fields["m"], fields["n"], fields["k"], Kind(*fields.get("kind", ())),
                   Groups(*fields.get("groups", ())), Load(tuple(sizes), allocated))


def told_by(p):
    """The form of the description of groups for the device."""
    return f"{p.groups.grouping}{p.groups.align if p.groups.align > 1 else ''}"


def name_of(p):
    """MxNxK, for groups with their number and the form of their description."""
    sizes = "x".join(map(str, p))
    return sizes if p.groups == Groups() else f"{p.groups.count} x {sizes} {told_by(p)}"


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
    # M and N are those of the weights, K counts tokens.
    "weight-gradient": [Problem(n, k, 4096, WEIGHT_GRADIENT_KIND) for n, k in FORWARD],
}

# Between the tiles of one wave and many: where schedules differ most.
MIDDLE_M = [200, 256, 512, 777, 1000]
SETS["forward-middle"] = [Problem(m, n, k) for m in MIDDLE_M for n, k in FORWARD]
# The shapes of a plot against M.
SETS["rows"] = [Problem(2**i, n, k) for n, k in [(2112, 7168), (4096, 7168), (7168, 2048)] for i in range(14)]
# More rows may not cost less time: every M, and those next to a multiple of 8, where the number of tiles changes.
NO_CLIFF_NK = [(7168, 2048), (2112, 7168), (4096, 4096)]
SETS["no-cliff"] = [Problem(m, n, k) for n, k in NO_CLIFF_NK for m in range(1, 513)]
SETS["no-cliff-edges"] = [p for p in SETS["no-cliff"] if p.m % 8 < 2]

# The products of run_gpu_tests.py; one kernel for every M.
TEST_NK = [(576, 7168), (2112, 7168), (7168, 576), (7168, 2112), (4096, 4096), (24, 16), (136, 144)]
TEST_M = [1, 7, 33, 64, 127, 128, 129, 777, 4095, 4096]
# Every recipe, type of D and use of C, beside which the layouts of the scales and the mixes of A's and B's types take
# turns: (kind, (sfa, sfb)). Small products with tails, and one of many K blocks and tiles.
TEST_KINDS = []
for _i, (_recipe, _d, _c) in enumerate((r, d, c) for r in ("1d2d", "1d1d") for d in ("bf16", "f32")
                                       for c in ("none", "apart", "in_place")):
    _a, _b = [("e4m3", "e4m3"), ("e4m3", "e5m2"), ("e5m2", "e4m3"), ("e5m2", "e5m2")][(_i + _i // 6) % 4]
    _sfa, _sfb = [("mn_major", "k_major"), ("k_major", "mn_major"), ("mn_major", "mn_major"), ("k_major", "k_major")][_i % 4]
    TEST_KINDS.append((Kind(_recipe, _a, _b, _d, _c), (_sfa, _sfb)))
TEST_KIND_NK, TEST_KIND_M = [(24, 16), (264, 400)], 4096
TEST_LARGE_KINDS = [(Problem(4096, 2112, 4096, WEIGHT_GRADIENT_KIND), ("mn_major", "mn_major")),
                    (Problem(4096, 2112, 4096, Kind("1d1d", d="bf16", c="apart")), ("k_major", "k_major"))]
# Of them, what the sanitizer has time for: C from elsewhere in each type and recipe, in f32 in place.
SANITIZE_KINDS = [TEST_KINDS[i] for i in (1, 4, 7, 11)] + [(WEIGHT_GRADIENT_KIND, ("mn_major", "mn_major"))]
# The products of sanitize.sh: small, each with tails.
SANITIZE = [Problem(7, 24, 16), Problem(129, 136, 144), Problem(200, 264, 400)]
SANITIZE_M = 128  # that their schedules are chosen for, which tells their kernels apart

# Grouped products that are tested, and the schedules of each: (problem, (sfa, sfb), schedules). Every way of grouping, few
# groups and many, with tails, beside which recipes, types and layouts take turns.
GROUPED_SCHEDULES = ["", "tile_m = 64, tile_n = 128", "tile_m = 128, tile_n = 96", "tile_m = 16, tile_n = 128, swap_ab = 1",
                     "tile_m = 64, tile_n = 64, swap_ab = 1", "tile_m = 64, tile_n = 64, cluster_n = 2",
                     "tile_m = 64, tile_n = 128, cluster_m = 2"]
NARROW_SCHEDULES = ["", "tile_m = 64, tile_n = 16", "tile_m = 8, tile_n = 64, swap_ab = 1"]
GROUPED_TEST = [
    (Problem(64, 264, 400, groups=Groups("row_end", 8)), ("mn_major", "k_major"), GROUPED_SCHEDULES),
    (Problem(8, 24, 16, Kind("1d1d", b="e5m2", d="f32"), Groups("row_end", 64)), ("k_major", "k_major"), NARROW_SCHEDULES[:2]),
    (Problem(200, 1040, 1152, Kind(d="f32"), Groups("row_end", 3)), ("mn_major", "mn_major"), GROUPED_SCHEDULES[:3]),
    (Problem(512, 264, 400, groups=Groups("row_end", 8)), ("mn_major", "k_major"), ["tile_m = 256, tile_n = 64"]),
    (Problem(64, 264, 400, Kind(a="e5m2"), Groups("row_end", 8, 128)), ("mn_major", "k_major"), GROUPED_SCHEDULES),
    (Problem(64, 264, 400, groups=Groups("row_index", 8, 128)), ("mn_major", "k_major"), GROUPED_SCHEDULES),
    (Problem(64, 136, 144, Kind("1d1d"), Groups("row_index", 3, 64)), ("mn_major", "mn_major"), GROUPED_SCHEDULES[:2]),
    (Problem(8, 136, 144, groups=Groups("row_index", 40, 8)), ("k_major", "k_major"), NARROW_SCHEDULES[2:]),
    (Problem(64, 264, 400, groups=Groups("row_count", 8)), ("mn_major", "k_major"), GROUPED_SCHEDULES),
    (Problem(200, 1040, 1152, Kind("1d1d"), Groups("row_count", 3)), ("mn_major", "mn_major"), GROUPED_SCHEDULES),
    (Problem(4, 136, 144, Kind(b="e5m2"), Groups("row_count", 40)), ("k_major", "mn_major"), NARROW_SCHEDULES),
    (Problem(64, 264, 400, groups=Groups("batched", 8)), ("mn_major", "k_major"), GROUPED_SCHEDULES),
    (Problem(64, 264, 400, groups=Groups("row_end", 8, weights=4)), ("mn_major", "k_major"), GROUPED_SCHEDULES[:2]),
    (Problem(16, 264, 400, groups=Groups("row_count", 40, weights=8)), ("k_major", "k_major"), NARROW_SCHEDULES),
    (Problem(64, 136, 144, Kind("1d1d"), Groups("row_count", 8, weights=2)), ("mn_major", "mn_major"), GROUPED_SCHEDULES[3:]),
    (Problem(64, 264, 400, Kind(c="apart"), Groups("row_end", 8)), ("mn_major", "k_major"), GROUPED_SCHEDULES[:3]),
    (Problem(64, 264, 400, Kind(c="in_place"), Groups("row_index", 8, 128)), ("mn_major", "k_major"), GROUPED_SCHEDULES[:3]),
    (Problem(64, 264, 400, Kind(d="f32", c="in_place"), Groups("row_count", 8)), ("mn_major", "k_major"), GROUPED_SCHEDULES[:3]),
    (Problem(64, 264, 400, Kind(d="f32", c="in_place"), Groups("batched", 8)), ("mn_major", "k_major"), GROUPED_SCHEDULES[:3]),
    (Problem(64, 264, 400, groups=Groups("batched", 9, weights=3)), ("mn_major", "k_major"), GROUPED_SCHEDULES[:4]),
]
# The same of groups along K.
K_GROUPED_SCHEDULES = ["", "tile_m = 64, tile_n = 128, cluster_n = 1", "tile_m = 128, tile_n = 128, cluster_n = 1",
                       "tile_m = 64, tile_n = 64, cluster_n = 2"]
K_GROUPED_TEST = [
    (Problem(200, 264, 1024, WEIGHT_GRADIENT_KIND, Groups("k_count", 4)), ("mn_major", "mn_major"), K_GROUPED_SCHEDULES),
    (Problem(136, 136, 1024, Kind("1d1d", d="f32"), Groups("k_count", 8)), ("mn_major", "mn_major"), K_GROUPED_SCHEDULES),
    (Problem(72, 24, 1024, Kind("1d1d", c="apart"), Groups("k_count", 40)), ("k_major", "k_major"), K_GROUPED_SCHEDULES[:2]),
    (Problem(200, 264, 1024, WEIGHT_GRADIENT_KIND, Groups("k_count", 4, flat=True)), ("mn_major", "mn_major"),
     K_GROUPED_SCHEDULES),
]


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


def used(p):
    """(rows, columns) that are multiplied: of groups, those that they hold."""
    if p.groups.grouping == "none":
        return p.m, p.k
    total = sum(p.load.sizes)
    return (p.m, total) if p.groups.grouping == "k_count" else (total, p.k)


def flops(p):
    rows, columns = used(p)
    return 2 * rows * p.n * columns


def bytes_once(p):
    """Every operand moved once: A, B, C and D, and both scales in f32; of groups, what those that aren't empty need."""
    rows, columns = used(p)
    held = [size for size in p.load.sizes if size] or [0]
    along_k = p.groups.grouping == "k_count"
    copies_of_b, copies_of_d = (1, len(held)) if along_k else (len(held), 1)
    blocks = sum(ceil_div(size, BLOCK) for size in held) if along_k else ceil_div(p.k, BLOCK)
    scales_of_b = copies_of_b * (p.n if p.kind.recipe == "1d1d" else ceil_div(p.n, BLOCK))
    results = (4 if p.kind.d == "f32" else 2) * (1 if p.kind.c == "none" else 2)
    return (rows * columns + copies_of_b * p.n * columns + results * copies_of_d * rows * p.n
            + 4 * blocks * (rows + scales_of_b))


def floor_us(p, tflops, terabytes_per_second):
    """The least time: arithmetic at `tflops` or memory at `terabytes_per_second`, in microseconds."""
    return max(flops(p) / (tflops * 1e6), bytes_once(p) / (terabytes_per_second * 1e6))
