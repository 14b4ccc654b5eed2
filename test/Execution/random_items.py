# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random products for the kernels of benchmark/varied_kernels.py: items of gpu_case.py."""

import random

# Of the data that kernels of one product share, each item taking some of them.
ROWS = 704
SEEDS = 2
# Rows that fill a tile, or all but one, or one more.
EDGES = [multiple + more for multiple in (8, 64, 128, 256, 384, 512) for more in (-1, 0, 1)]
PADDINGS = {"a": 8, "b": 8, "sfa": 8, "sfb": 8, "c": 8, "d": 8}


def rows_of(rng):
    """M: few rows, rows at the edges of tiles, and any."""
    return rng.choice([rng.randint(1, 16), rng.choice(EDGES), rng.randint(1, ROWS)])


def items_of(index, folder, count, seed):
    """`count` random products or a few more, evenly over the kernels, and what may disturb each kernel. Items that share
    data follow each other, and of those the ones whose bits are compared.
    """
    rng = random.Random(seed)
    products = {}
    for entry in sorted((entry for entry in index if "bits" in entry), key=lambda e: (e["bits"], e["file"])):
        products.setdefault((entry["n"], entry["k"], tuple(entry["kind"])), []).append(entry)
    kernels = sum(map(len, products.values()))
    runs = -(-count // (kernels * SEEDS)) if kernels else 0
    items = []
    for (n, k, kind), entries in sorted(products.items()):
        for data in range(SEEDS):
            for entry in entries:
                common = {"kernel": str(folder / entry["file"]), "group": entry["file"], "n": n, "k": k, "seed": data,
                          "layouts": f"{entry['sfa']}/{entry['sfb']} {' '.join(kind)}", "label": entry["label"],
                          "rows": ROWS}
                if data == 0:
                    items.append(dict(common, kind="steady", m=rng.randint(1, ROWS), id=f"{entry['file']} steady"))
                for run in range(runs):
                    m = rows_of(rng)
                    first = rng.randint(0, ROWS - m)
                    paddings = {name: rng.randrange(most) for name, most in PADDINGS.items() if rng.random() < 0.7}
                    items.append(dict(common, m=m, first=first, paddings=[paddings], bits=entry["bits"],
                                      id=f"{entry['file']} m={m} first={first} seed={data} run={run}"))
    return items
