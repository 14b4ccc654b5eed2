# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Descriptions of groups, right and wrong, for kernels of benchmark/kernels.py's set grouped-test: items of gpu_case.py.

A pattern is {"m", or of groups along K all their "columns", "groups": the description for the device (None: none)}. In each
kind of description there are no rows at all, one row, one huge group, rows of no group anywhere, random ones, and
wrong ones.
"""

import random

from random_items import EDGES

# Of the data that a kernel's items take their rows from.
ROWS = 704
STEP, BLOCK = 16, 128
# Of K, of the data of groups along K.
REDUCTION = 1024
PADDINGS = {"a": 8, "b": 8, "sfa": 8, "sfb": 8, "c": 8, "d": 8}


def round_up(value, multiple):
    return -(-value // multiple) * multiple


def rows_of(rng, most=ROWS):
    """M: few rows, rows at the edges of tiles, and any."""
    return min(most, rng.choice([rng.randint(1, 16), rng.choice(EDGES), rng.randint(1, most)]))


def split(rng, total, groups):
    """`total` over so many groups: evenly, skewed as powers of the rank are, or with every second one empty."""
    weights = rng.choice([lambda g: 1, lambda g: 1 / (g + 1)**1.2, lambda g: g % 2, lambda g: rng.random()])
    weights = [weights(g) + 1e-9 for g in range(groups)]
    rng.shuffle(weights)
    sizes = [int(total * weight / sum(weights)) for weight in weights]
    sizes[rng.randrange(groups)] += total - sum(sizes)
    return sizes


#===------------------------------------------------------------------------------------------===#
# Each kind of description: name -> pattern
#===------------------------------------------------------------------------------------------===#


def blocks_of_rows(rng, m, align, used):
    """Rows' groups, block by block: `used(block, rows)` is (group, rows of it), or None."""
    groups = []
    for block in range(-(-m // align)):
        rows = min(align, m - block * align)
        group, count = used(block, rows) or (0, 0)
        groups += [group] * count + [-1] * (rows - count)
    return groups


def row_index(rng, name, count, align):
    m = rows_of(rng)
    blocks = -(-m // align)
    any_group = lambda: rng.randrange(count)
    any_rows = lambda rows: rng.choice([rows, rows, rng.randint(0, rows), min(rows, 1)])
    the_one, third = (rng.randrange(blocks), any_group()), max(1, blocks // 3)
    hole = {"unused at the start": range(third), "unused at the end": range(blocks - third, blocks),
            "unused in the middle": range(blocks // 2, blocks // 2 + third)}.get(name, ())
    ways = {"all empty": lambda block, rows: None,
            "one row": lambda block, rows: (the_one[1], 1) if block == the_one[0] else None,
            "one huge": lambda block, rows: (the_one[1], rows)}
    usual = lambda block, rows: None if block in hole else (any_group(), any_rows(rows))
    return {"m": m, "groups": blocks_of_rows(rng, m, align, ways.get(name, usual))}


def wrong_row_index(rng, name, count, align):
    pattern = row_index(rng, "random", count, align)
    groups = pattern["groups"]
    row = rng.randrange(len(groups))
    groups[row] = {"index too large": rng.choice([count, count + 1, 2**31 - 1]),
                   "index too small": rng.choice([-2, -2**31])}[name]
    return pattern


def row_end(rng, name, count, align):
    m = rows_of(rng)
    sizes = split(rng, m, count)
    if name == "all empty":
        sizes = [0] * count
    if name in ("one row", "one huge"):
        sizes = [0] * count
        sizes[rng.randrange(count)] = 1 if name == "one row" else m
    if name == "ends at multiples":
        sizes = [round_up(size, rng.choice([8, 64, 128])) for size in sizes]
    ends, end = [], 0
    for size in sizes:
        start = round_up(end, align)
        # An empty group may end where the one before it does, or where it starts.
        end = start + size if size else rng.choice([end, start])
        ends.append(end)
    behind = rng.choice([0, 1, rng.randint(1, 200)]) if name != "unused at the end" else rng.randint(130, 300)
    return {"m": max(1, end + behind), "groups": ends}


def wrong_row_end(rng, name, count, align):
    pattern = row_end(rng, "random", count, align)
    ends, group = pattern["groups"], rng.randrange(count)
    if name == "descending":
        ends[:] = sorted(ends, reverse=True)
        ends[-1] = min(ends[-1], ends[0] - 1)
    else:
        ends[group] = {"end too large": rng.choice([pattern["m"] + 1, pattern["m"] + 4096, 2**31 - 1]),
                       "end negative": rng.choice([-1, -2**31])}[name]
    return pattern


def row_count(rng, name, count, align):
    m = rows_of(rng, 300)
    counts = [rng.choice([0, 1, m, rng.randint(0, m), rng.randint(0, m)]) for _ in range(count)]
    if name in ("all empty", "one row", "one huge"):
        counts = [0] * count
        counts[rng.randrange(count)] = {"all empty": 0, "one row": 1, "one huge": m}[name]
    if name == "all full":
        counts = [m] * count
    return {"m": m, "groups": counts}


def wrong_row_count(rng, name, count, align):
    pattern = row_count(rng, "random", count, align)
    m = pattern["m"]
    pattern["groups"][rng.randrange(count)] = {"count too large": rng.choice([m + 1, m + 1000, 2**31 - 1]),
                                               "count negative": rng.choice([-1, -2**31])}[name]
    return pattern


def batched(rng, name, count, align):
    return {"m": rows_of(rng, 300), "groups": None}


def k_count(rng, name, count, align):
    total = rng.randint(1, REDUCTION // STEP)
    if name == "all empty":
        lengths = [0] * count
    elif name in ("one step", "one huge"):
        lengths = [0] * count
        lengths[rng.randrange(count)] = STEP if name == "one step" else total * STEP
    elif name == "whole blocks":
        lengths = [BLOCK * blocks for blocks in split(rng, REDUCTION // BLOCK, count)]
    else:
        lengths = [STEP * steps for steps in split(rng, total, count)]
    return {"groups": lengths, "columns": sum(lengths) + rng.choice([0, 0, STEP, 10 * STEP])}


def wrong_k_count(rng, name, count, align):
    pattern = k_count(rng, "random", count, align)
    pattern["columns"] = max(STEP, pattern["columns"])
    pattern["groups"][rng.randrange(count)] = {"sum too large": pattern["columns"] + STEP * rng.choice([1, 100]),
                                               "length negative": rng.choice([-STEP, -2**31])}[name]
    return pattern


USUAL = ["random", "random", "all empty", "one row", "one huge"]
# Grouping: (maker, names, maker of wrong ones, their names).
KINDS = {
    "row_index": (row_index, USUAL + ["unused at the start", "unused in the middle", "unused at the end"],
                  wrong_row_index, ["index too large", "index too small"]),
    "row_end": (row_end, USUAL + ["unused at the end", "ends at multiples"],
                wrong_row_end, ["descending", "end too large", "end negative"]),
    "row_count": (row_count, USUAL + ["all full"], wrong_row_count, ["count too large", "count negative"]),
    "batched": (batched, ["random"], None, []),
    "k_count": (k_count, ["random", "random", "all empty", "one step", "one huge", "whole blocks"],
                wrong_k_count, ["sum too large", "length negative"]),
}


def pattern_of(rng, grouping, name, count, align):
    """A pattern by its name; whether the runtime's check would refuse it is in "wrong"."""
    make, _, make_wrong, wrong = KINDS[grouping]
    is_wrong = name in wrong
    return dict((make_wrong if is_wrong else make)(rng, name, count, align), wrong=is_wrong)


def grouped_items(index, folder, count, seed):
    """`count` patterns or a few more, evenly over the kernels; every name of a kernel's kind in turn. A kernel's items
    follow each other: they share data.
    """
    entries = sorted((entry for entry in index if "grouping" in entry), key=lambda e: (e["n"], e["k"], e["file"]))
    runs = -(-count // len(entries)) if entries else 0
    items = []
    for number, entry in enumerate(entries):
        rng = random.Random(f"{seed} {entry['file']}")
        _, names, _, wrong = KINDS[entry["grouping"]]
        surrounded = False
        for run in range(runs):
            # Kernels start at other names, so that few runs of many kernels have them all.
            name = (names + wrong)[(run + 3 * number) % len(names + wrong)]
            paddings = {operand: (rng.randrange(most), rng.randrange(most)) for operand, most in PADDINGS.items()
                        if rng.random() < 0.6}
            pattern = pattern_of(rng, entry["grouping"], name, entry["groups"], entry["align"])
            around = name == "random" and not surrounded
            surrounded = surrounded or around
            items.append(dict(pattern, kind="grouped", around=around,
                              kernel=str(folder / entry["file"]), group=entry["file"], n=entry["n"],
                              k=entry["k"], seed=0, pattern=name, first=rng.randrange(ROWS), paddings=paddings,
                              beside=rng.random() < 0.25, label=entry["label"], layouts=layouts_of(entry),
                              id=f"{entry['file']} {name} run={run}"))
    return items


def layouts_of(entry):
    """For the summary: layouts of the scales, and how groups are described."""
    return f"{entry['sfa']}/{entry['sfb']} {entry['groups']} x {entry['grouping']} by {entry['align']}"
