# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is raced: cases, {variant: problem}, whose contenders are timed in turns, and the worker's items of them.

A contender's name is that of a peer or a kernel's label, preceded by the variant if a case has several.
"""

import math
import re

import grouped_shapes
import kernels
import shapes

PEERS = ("cublas-b", "cublas-t", "deepgemm")
GROUPED_PEERS = ("deepgemm",)


def dense(problems):
    return [{"": problem} for problem in problems]


CASES = {**{name: dense(problems) for name, problems in shapes.SETS.items()}, **grouped_shapes.SETS}


def contender(variant, who):
    return f"{variant}: {who}" if variant else who


def split(name):
    """(variant, who) of a contender's name."""
    variant, _, who = name.rpartition(": ")
    return variant, who


def of_variant(result, variant):
    """A result with only the contenders of one variant, by their names without the variant."""
    named = ("us", "samples", "ran", "mj", "error", "notes", "host_us")
    chosen = {field: {split(name)[1]: value for name, value in result[field].items() if split(name)[0] == variant}
              for field in named if field in result}
    return {**result, **chosen}


def choose_kernels(index, problem, labels):
    """{label: file} of the kernels for a problem: those built for the nearest M; along K, for the same M."""
    along_k = problem.groups.grouping == "k_count"

    def fits(entry):
        built = kernels.problem_of(entry)
        same = (built.m, built.n) == (problem.m, problem.n) if along_k else (built.n, built.k) == (problem.n, problem.k)
        return same and (built.kind, built.groups) == (problem.kind, problem.groups)

    fitting = [e for e in index if fits(e) and (labels == "all" or re.fullmatch(labels, e["label"]))]
    if not fitting:
        return {}
    preferred = [e for e in fitting if (e["sfa"], e["sfb"]) == kernels.timed_layouts(problem)] or fitting
    nearest = min((abs(math.log(e["expected_m"] / problem.m)) for e in preferred))
    return {e["label"]: e["file"] for e in preferred
            if abs(math.log(e["expected_m"] / problem.m)) <= nearest + 1e-9}


def case_id(name, case):
    """Of a case of the set `name`."""
    return f"{name} {shapes.name_of(next(iter(case.values())))}"


def item_of(name, case, peers, files):
    """The worker's item; `files` are {variant: {label: path}}."""
    def takes_part(peer, problem):
        return problem.groups == shapes.Groups() or peer in GROUPED_PEERS

    return {"id": name, "group": name,
            "variants": {variant: shapes.fields(problem) for variant, problem in case.items()},
            "peers": [contender(variant, peer) for variant, problem in case.items() for peer in peers
                      if takes_part(peer, problem)],
            "kernels": {contender(variant, label): str(path) for variant, chosen in files.items()
                        for label, path in chosen.items()}}


def labels_of(item, variant):
    """Labels of an item's kernels of a variant."""
    return [who for of, who in map(split, item["kernels"]) if of == variant]
