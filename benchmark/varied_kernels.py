#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile kernels whose schedules vary as much as the compiler allows, for the GPU tests.

    varied_kernels.py random OUT --seed 1      products drawn at random, several schedules of each
    varied_kernels.py sanitize OUT             small products: each field of a schedule once not as usual

Which schedules there are the compiler says (--explain): a new field is taken up by itself. What it
does not enumerate (clusters) is forced here, where it is legal. OUT is what kernels.py makes.
"""

import argparse
import concurrent.futures
import random
import sys
from pathlib import Path

import kernels
import shapes

# Products of each recipe, type of D and use of C, and again of those that most schedules are for (types are
# drawn); so many schedules of each.
KINDS = [kind for kind, _ in shapes.TEST_KINDS] + [shapes.Kind(), shapes.Kind("1d1d")]
SCHEDULES = 6
# Which every run has, in this order, beside those that are drawn.
FORCED = [{"cluster_m": (2, 4)}, {"cluster_n": (2, 4)}, {"stages": (2, 3), "raster_group": (1, 2, 3, 5)}]
# Sizes, not ways: any value of them may go with any of the others.
SIZES = ("tile_m", "tile_n", "stages", "producer_registers", "consumer_registers", "raster_group")
LARGEST_M = 700
# N, K: products of a few tiles and K blocks, and of many. Each ends in tails more often than not.
RANGES = [((8, 600), (16, 1200)), ((600, 2200), (1200, 4200))]
TYPES = ("e4m3", "e5m2")
LAYOUTS = ("k_major", "mn_major")


class Compiler:
    """Asks for schedules."""

    def __init__(self, path, gpu):
        self.path, self.gpu = path, gpu

    def schedules(self, problem, layouts, *options):
        """Configs, the chosen one first; none where `options` force an illegal one."""
        try:
            answer = kernels.ask(self.path, "explain", problem, self.gpu,
                                 [f"--sfa={layouts[0]}", f"--sfb={layouts[1]}", *options])
        except RuntimeError as error:
            if "--config" in str(error) and "expected" in str(error):
                return []
            raise
        return [candidate["config"] for candidate in answer[0]["candidates"]]

    def is_legal(self, problem, layouts, config, *options):
        return bool(self.schedules(problem, layouts, f"--config={kernels.text_of(config)}", "--candidates=1", *options))


def ways(config):
    """In which fields, beside sizes, it is not as most are: schedules of the same ways differ in sizes only."""
    return tuple(min(value, 2) for name, value in config.items() if name not in SIZES)


def drawn(candidates, rng):
    """Configs in a random order in which the first have ways as different as can be."""
    groups = {}
    for config in candidates:
        groups.setdefault(ways(config), []).append(config)
    for group in groups.values():
        rng.shuffle(group)
    order = list(groups.values())
    rng.shuffle(order)
    return [group[i] for i in range(max(map(len, order))) for group in order if i < len(group)]


def forced(compiler, problem, layouts, candidates, changes, rng):
    """One of the configs, in the order given, with these changes; None if each is illegal."""
    values = {name: rng.choice(choices) for name, choices in changes.items()}
    for config in candidates:
        changed = {**config, **values}
        if changed != config and compiler.is_legal(problem, layouts, changed):
            return changed
    return None


def usual_of(configs):
    """Of each field the least value: one CTA, one partial result, nothing swapped."""
    return {name: min(config[name] for config in configs) for name in configs[0]}


def unusual_fields(config, usual):
    return [name for name, value in config.items() if name not in SIZES and value != usual[name]]


def short_label(config, usual):
    """Sizes of the tile, and what is not usual."""
    shown = {name: value for name, value in config.items()
             if name in SIZES[:3] or name in unusual_fields(config, usual)}
    return kernels.label_of(kernels.text_of(shown))


def entry_of(compiler, problem, layouts, config, label, name):
    """The index entry. Kernels of one product whose `bits` are the same name give a row the same bits."""
    keeps_order = compiler.is_legal(problem, layouts, config, "--batch-invariant")
    product = f"{problem.n}x{problem.k}{kernels.kind_suffix(problem.kind)}"
    return {"file": name + ".cubin", "n": problem.n, "k": problem.k, "expected_m": problem.m, "sfa": layouts[0],
            "sfb": layouts[1], "kind": list(problem.kind), "label": label,
            "config": kernels.text_of(config), "bits": product if keeps_order else name}


def random_product(compiler, index, seed):
    """Entries of the product with that number."""
    rng = random.Random(f"{seed} {index}")
    kind = KINDS[index % len(KINDS)]._replace(a=rng.choice(TYPES), b=rng.choice(TYPES))
    # Neighbours take turns, and one more after each recipe: no kind has always the small ones.
    (least_n, most_n), (least_k, most_k) = RANGES[(index + index // 6) % len(RANGES)]
    n, k = rng.randrange(least_n, most_n, 8), rng.randrange(least_k, most_k, 16)
    entries = []
    for number in range(SCHEDULES):
        problem = shapes.Problem(rng.randint(1, LARGEST_M), n, k, kind)
        layouts = rng.choice(LAYOUTS), rng.choice(LAYOUTS)
        configs = drawn(compiler.schedules(problem, layouts), rng)
        # Those drawn without a force each have other ways.
        config = configs[(number - len(FORCED)) % len(configs)]
        if number < len(FORCED):
            config = forced(compiler, problem, layouts, configs, FORCED[number], rng) or config
        entries.append(entry_of(compiler, problem, layouts, config, short_label(config, usual_of(configs)),
                                f"random{seed}-{index:02}-{number}"))
    return entries


def random_entries(compiler, seed, products, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        found = pool.map(lambda index: random_product(compiler, index, seed), range(products))
        return [entry for entries in found for entry in entries]


def sanitize_entries(compiler):
    """Of a small product with tails in two kinds: each field once not as usual, and as many at once as there are."""
    entries = []
    last = shapes.SANITIZE[-1]
    for kind, layouts in ((shapes.Kind(), kernels.LAYOUTS[0]), (shapes.WEIGHT_GRADIENT_KIND, ("mn_major", "mn_major"))):
        problem = shapes.Problem(shapes.SANITIZE_M, last.n, last.k, kind)
        configs = sorted(compiler.schedules(problem, layouts), key=lambda c: kernels.text_of(c))
        usual = usual_of(configs)
        by_count = sorted(configs, key=lambda c: len(unusual_fields(c, usual)))
        chosen = [by_count[-1]]
        for name in usual:
            if name not in SIZES:
                chosen += [c for c in by_count if c[name] != usual[name]][:1]
        for changes in FORCED[:2]:
            chosen.append(forced(compiler, problem, layouts, by_count, changes, random.Random(0)))
        for config in chosen:
            label = short_label(config, usual)
            entries.append(entry_of(compiler, problem, layouts, config, label,
                                    f"sanitize{kernels.kind_suffix(kind)}-{label}"))
    return list({entry["file"]: entry for entry in entries}.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=["random", "sanitize"])
    parser.add_argument("out", type=Path, help="folder for the kernel files and their index; it is added to")
    parser.add_argument("--seed", type=int, default=1, help="of the random products")
    parser.add_argument("--products", type=int, default=len(KINDS), help="random products")
    parser.add_argument("--list", action="store_true", help="print the schedules and compile none")
    kernels.add_compile_options(parser)
    arguments = parser.parse_args()
    if kernels.configs_of(arguments):
        raise SystemExit("expected no --config: the schedules are drawn")
    compiler = Compiler(arguments.compiler, arguments.gpu)
    if arguments.set == "random":
        entries = random_entries(compiler, arguments.seed, arguments.products, arguments.j)
    else:
        entries = sanitize_entries(compiler)
    if arguments.list:
        for entry in entries:
            print("{file}: {n}x{k} {kind} sfa {sfa} sfb {sfb}: {config}; bits of {bits}".format(**entry))
        return 0
    return 1 if kernels.build_all(entries, arguments.out, arguments.compiler, arguments.gpu, arguments.compile_option,
                                  arguments.j) else 0


if __name__ == "__main__":
    sys.exit(main())
