# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Grouped products of sanitize_case.py: one right description of groups and one wrong one for each kernel."""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Numerics"))
import grouped_patterns as patterns
import numerics
import numpy as np
import tensor_core

# Larger ones take the sanitizer too long.
LARGEST = 264 * 400
TYPES = {"e4m3": numerics.E4M3, "e5m2": numerics.E5M2, "bf16": numerics.BF16, "f32": numerics.F32}


def rows_of_groups(kernel, m, groups):
    """Of each group the rows of D, all groups' counted in turn, that are computed."""
    if kernel.grouping == "row_index":
        return [[row for row in range(m) if groups[row] == group] for group in range(kernel.groups)]
    if kernel.grouping == "row_end":
        starts = [patterns.round_up(end, kernel.align) for end in [0, *groups[:-1]]]
        return [list(range(start, end)) for start, end in zip(starts, groups)]
    used = groups or [m] * kernel.groups
    return [list(range(group * m, group * m + used[group])) for group in range(kernel.groups)]


def stored_scales(kernel, which, scales):
    """In the kernel's layout; TMA reads rows of a multiple of 4."""
    layout = getattr(kernel, which)
    by_tma = layout == "mn_major" and (which == "sfa" or kernel.sfb_rows == 1)
    return numerics.stored_scales(scales, layout, 4 if by_tma else 1)


class Product:
    """Operands as stored, and of each group the problem that its part of D, `parts`, must solve."""

    def __init__(self, kernel, pattern, usable=True):
        self.types = [TYPES[name] for name in (kernel.a_type, kernel.b_type, kernel.d_type)]
        self.groups, self.problems, self.parts = pattern["groups"], [], []
        (self.along_k if kernel.grouping == "k_count" else self.of_rows)(kernel, pattern, usable)
        if "c" in self.stored and kernel.c_use == "in_place":
            self.stored["d"] = self.stored.pop("c")

    def problem(self, kernel, m, k, seed):
        return numerics.random_problem(m, kernel.n, k, seed, kernel.sfb_rows, *self.types, kernel.c_use != "none")

    def of_rows(self, kernel, pattern, usable):
        self.m, self.k, n = pattern["m"], 0, kernel.n
        each = kernel.grouping in ("row_count", "batched")
        rows = self.m * (kernel.groups if each else 1)
        whole = self.problem(kernel, rows, kernel.k, 0)
        of_b = [self.problem(kernel, 1, kernel.k, 1 + group) for group in range(kernel.weights)]
        shape = (kernel.groups, self.m) if each else (1, self.m)
        scales = [stored_scales(kernel, "sfa", part) for part in whole.sfa.reshape(*shape, -1)]
        self.stored = {"a": whole.a.reshape(*shape, -1), "sfa": np.stack(scales), "b": np.stack([p.b for p in of_b]),
                       "sfb": np.stack([stored_scales(kernel, "sfb", p.sfb) for p in of_b]),
                       "d": poison((*shape, n), self.types[2])}
        for group, computed in enumerate(rows_of_groups(kernel, self.m, self.groups) if usable else []):
            if computed:
                own = of_b[group % kernel.weights]
                self.problems.append(numerics.Problem(whole.a[computed], whole.sfa[computed], own.b, own.sfb, self.types[2]))
                self.parts.append(computed)

    def along_k(self, kernel, pattern, usable):
        self.m, self.k = kernel.m, pattern["columns"]
        lengths = self.groups if usable else [max(0, min(length, self.k)) for length in self.groups]
        problems = [self.problem(kernel, self.m, length or 16, group) for group, length in enumerate(lengths)]
        there = [problem for problem, length in zip(problems, lengths) if length]
        joined = {}
        for name, extent in (("a", self.m), ("b", kernel.n)):
            matrices = [getattr(problem, name) for problem in there]
            whole = np.zeros((1, extent * self.k) if kernel.flat else (extent, max(self.k, 16)), self.types[name == "b"])
            parts = [part.reshape(1, -1) if kernel.flat else part for part in matrices]
            if parts:
                packed = np.concatenate(parts, 1)[:, :whole.shape[1]]
                whole[:, :packed.shape[1]] = packed
            joined[name] = whole[None]
            scales = [getattr(problem, "sf" + name) for problem in there] or [np.ones((extent, 1), np.float32)]
            joined["sf" + name] = stored_scales(kernel, "sf" + name, np.concatenate(scales, 1))[None]
        self.stored = {**joined, "d": poison((kernel.groups, self.m, kernel.n), self.types[2])}
        if kernel.c_use != "none":
            self.stored["c"] = np.stack([problem.c for problem in problems])
        for group, (problem, length) in enumerate(zip(problems, lengths)):
            if usable and length:
                self.problems.append(problem)
                self.parts.append(range(group * self.m, (group + 1) * self.m))


def poison(shape, dtype):
    return np.full((*shape[:-1], shape[-1] * np.dtype(dtype).itemsize), 0xFF, np.uint8).view(dtype)


def bits(array):
    return np.ascontiguousarray(array).view(np.uint32 if array.itemsize == 4 else np.uint16)


def launch(driver, kernel, product):
    """D after the launch, all groups' rows in turn."""
    names = [name for name in ("a", "sfa", "b", "sfb", "c", "d") if name in product.stored]
    addresses = {name: driver.put(product.stored[name]) for name in names}
    tensors = {name: (addresses[name].value, product.stored[name].shape[2], product.stored[name][0].size) for name in names}
    if product.groups is not None:
        addresses["groups"] = driver.put(np.array(product.groups, np.int32))
    if kernel.workspace_bytes:
        addresses["workspace"] = driver.put(np.zeros(kernel.workspace_bytes, np.uint8))
    extra = {name: addresses[name].value for name in ("groups", "workspace") if name in addresses}
    kernel.launch(kernel.grouped_arguments(product.m, k=product.k, **tensors, **extra))
    driver.call("cuCtxSynchronize")
    d = driver.get(addresses["d"], product.stored["d"].shape, product.types[2])
    for address in addresses.values():
        driver.free(address)
    return d.reshape(-1, kernel.n)


def check(kernel, product, d):
    """What is wrong, or None; and the largest error / bound."""
    if not np.isfinite(d[[row for part in product.parts for row in part]].astype(np.float32)).all():
        return "elements of groups that are not finite, or not written", float("nan")
    worst = 0.0
    for problem, part in zip(product.problems, product.parts):
        share, relative = numerics.errors(problem, d[part], tensor_core.stepwise_error)
        worst = max(worst, share)
        if share > 1 or relative > 2.0**-8:
            return f"rows from {part[0]}: relative error {relative:.3g}", share
    others = np.setdiff1d(np.arange(len(d)), [row for part in product.parts for row in part])
    if kernel.grouping != "k_count" and (bits(d[others]) != bits(poison((1, 1), d.dtype))).any():
        return "rows of no group were written", worst
    return None, worst


def run(driver, kernel, entry, seed=0):
    """Of each product (name, what is wrong or None, largest error / bound); a wrong description only has to end."""
    rng = random.Random(f"{seed} {entry['file']}")
    wrong = patterns.KINDS[entry["grouping"]][3][:1]
    for name in ["random", *wrong]:
        product = Product(kernel, patterns.pattern_of(rng, entry["grouping"], name, kernel.groups, kernel.align),
                          usable=name == "random")
        d = launch(driver, kernel, product)
        yield (name, *(check(kernel, product, d) if name == "random" else (None, float("nan"))))
