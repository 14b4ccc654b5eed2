# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Grouped items of the GPU tests, on the CPU: patterns are what they say, and every fault is seen."""

import random
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="no PyTorch: the checks of the GPU tests are not tested")
import gpu_case
import grouped_case
import grouped_patterns as patterns
import operands
import runtime_binding

N, K, M, COUNT = 24, 144, 40, 3
ROWS = 150


class FakeKernel:
    """Computes in float64 what a kernel would, also where the groups are wrong; `fault` spoils it."""

    def __init__(self, grouping, fault=None, align=8, sfa="mn_major", sfb="k_major", sfb_rows=128, d_type="bf16",
                 c_use="none", flat=False, workspace_bytes=0):
        self.grouping, self.fault, self.align, self.sfa, self.sfb = grouping, fault, align, sfa, sfb
        self.n, self.k, self.m, self.groups = N, K, M if grouping == "k_count" else -1, COUNT
        self.a_type, self.b_type, self.d_type, self.sfb_rows = "e4m3", "e5m2", d_type, sfb_rows
        self.c_use, self.flat, self.workspace_bytes, self.calls = c_use, flat, workspace_bytes, 0
        self.weights = COUNT
        self.operands = None

    def grouped_arguments(self, m, a, sfa, b, sfb, d, groups, k, workspace, flags, c=None):
        assert (groups is None) == (self.grouping == "batched") and (workspace is None) == (not self.workspace_bytes)
        return m, k, flags

    def launch_elsewhere(self, arguments):
        self.launch(arguments)
        if self.fault == "depends on its surroundings":
            bits = operands.bits(self.operands.d.read())
            bits[..., 0] ^= 1
            self.operands.d.write(bits.view(operands.TYPES[self.d_type]))

    def is_wrong(self, groups, m, k):
        if self.grouping == "row_index":
            return any(not -1 <= group < COUNT for group in groups)
        if self.grouping == "row_end":
            return any(not low <= end <= m for low, end in zip([0, *groups], groups))
        if self.grouping == "row_count":
            return any(not 0 <= count <= m for count in groups)
        return self.grouping == "k_count" and (any(x < 0 or x % 16 for x in groups) or sum(groups) > k)

    def close(self):
        pass

    def rows_of(self, groups, m):
        """(group, row of A and D) that are computed."""
        if self.grouping == "row_index":
            return [(group, (row,)) for row, group in enumerate(groups) if 0 <= group < COUNT]
        if self.grouping == "row_end":
            found, start = [], 0
            for group, end in enumerate(groups):
                end = max(0, min(end, m))
                found += [(group, (row,)) for row in range(start, end)]
                start = patterns.round_up(end, self.align)
            return found
        used = groups or [m] * COUNT
        return [(group, (group, row)) for group in range(COUNT) for row in range(max(0, min(used[group], m)))]

    def launch(self, arguments):
        m, k, flags = arguments
        o, self.calls = self.operands, self.calls + 1
        groups = o.groups.read().flatten().tolist() if o.groups else None
        if flags and self.is_wrong(groups, m, k) and self.fault != "takes wrong groups":
            raise runtime_binding.StatusError("INVALID_ARGUMENT: x")
        d = o.d.read()
        sfa = o.sfa.read().transpose(-1, -2) if self.sfa == "mn_major" else o.sfa.read()
        sfb = o.sfb.read().transpose(-1, -2) if self.sfb == "mn_major" else o.sfb.read()
        if self.grouping == "k_count":
            self.reduce(o, sfa, sfb, groups, k, d)
        else:
            self.multiply(o, sfa, sfb, groups, m, d)
        self.spoil(o, d, groups, m)
        o.d.write(d)

    def multiply(self, o, sfa, sfb, groups, m, d):
        a, b = o.a.read(), o.b.read()
        rows = self.rows_of(groups, m)
        c = {"none": lambda: None, "apart": lambda: o.c.read(), "in_place": lambda: d.clone()}[self.c_use]()
        for group in range(COUNT):
            mine = [row for other, row in rows if other == group]
            if not mine:
                continue
            index = tuple(torch.tensor(x) for x in zip(*mine))
            of_b = 0 if self.fault == "the first group's B" else group
            part = a.view(torch.uint8)[index].view(a.dtype)
            d[index] = operands.sum_of_blocks(part, sfa[index], b[of_b], sfb[of_b],
                                               None if c is None else c[index]).to(d.dtype)
            if self.fault == "bits depend on the others" and len(rows) > 50:
                operands.bits(d)[mine[0]][0] ^= 1
            if self.fault == "stops a row early":
                operands.bits(d)[mine[-1]] = -1

    def reduce(self, o, sfa, sfb, groups, k, d):
        a, b = o.a.read(), o.b.read()
        c = {"none": lambda: None, "apart": lambda: o.c.read(), "in_place": lambda: o.d.read()}[self.c_use]()
        start, block = 0, 0
        for group, length in enumerate(groups):
            length = max(0, min(length, k - start))
            here = None if c is None else c[group]
            if length == 0:
                if self.c_use != "in_place" or self.fault == "0 for no length":
                    d[group] = 0 if here is None or self.fault == "0 for no length" else here
                continue
            more = 16 if self.fault == "reads the next group's columns" else 0
            columns = slice(start, start + length + more)
            left, right = ((x[:, extent * start:extent * (start + length)].reshape(extent, length) if self.flat else
                            x[:, columns]) for x, extent in ((a, M), (b, N)))
            blocks = slice(block, block + operands.ceil_div(length, 128))
            d[group] = operands.sum_of_blocks(left, sfa[:, blocks], right, sfb[:, blocks], here).to(d.dtype)
            start, block = start + length, blocks.stop

    def spoil(self, o, d, groups, m):
        bits = operands.bits(d).view(-1, N)
        if self.fault == "writes a row of no group":
            computed = {row[-1] + (m * row[0] if len(row) > 1 else 0) for _, row in self.rows_of(groups, m)}
            for row in set(range(len(bits))) - computed:
                bits[row, 3] = 0
        if self.fault == "unstable" and self.calls % 2:
            bits[bits != -1] ^= 1
        if self.fault == "writes beyond D for wrong groups" and self.is_wrong(groups, m, 10**9):
            o.d.buffer[-1] = 0
        if self.fault == "writes between groups":
            o.d.buffer[o.d.offset + o.d.size * N] = 0
        if self.fault == "writes beyond its workspace":
            o.workspace.buffer[-1] = 0


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(grouped_case, "ROWS", ROWS)
    monkeypatch.setattr(patterns, "ROWS", ROWS)
    made = {}

    def run(item, fault=None, **kernel):
        fake = FakeKernel(item["grouping"], fault, **kernel)

        class Watched(grouped_case.GroupedOperands):
            def __init__(self, *arguments):
                super().__init__(*arguments)
                fake.operands = self

        monkeypatch.setattr(grouped_case, "GroupedOperands", Watched)
        # Data is kept from a case to the next of the same fixture, as from an item to the next.
        case = made.setdefault(str(sorted(kernel.items())) + item["grouping"],
                               gpu_case.Case("cpu", None, lambda: None))
        case.use_kernel = lambda path: fake
        case.around = lambda kernel, path: [("alone", kernel.launch), ("on another stream", fake.launch_elsewhere)]
        return case.run({"id": "x", "group": "x", "kernel": "x", "kind": "grouped", "seed": 1, "first": 5,
                         "wrong": False, **item})

    return run


def draw(grouping, name, seed=0, align=8):
    pattern = patterns.pattern_of(random.Random(seed), grouping, name, COUNT, align if grouping.startswith("row_") else 1)
    return dict(pattern, grouping=grouping)


ALL = [(grouping, name) for grouping, (_, names, _, wrong) in patterns.KINDS.items() for name in dict.fromkeys(names + wrong)]


@pytest.mark.parametrize("grouping, name", ALL)
def test_right_results_pass(run, grouping, name):
    along_k = grouping == "k_count"
    for seed in range(3):
        item = draw(grouping, name, seed)
        extra = dict(c_use=("none", "apart", "in_place")[seed], **(dict(sfb_rows=1, d_type="f32") if along_k else {}))
        result = run(dict(item, paddings={"a": (2, 1), "sfa": (1, 3), "d": (1, 5), "b": (0, 2)}, beside=seed == 1), **extra)
        assert result["status"] == "pass", (item, result)
        assert result.get("ratio", 0) < (0.7 if extra["c_use"] == "none" or along_k else 0.95)  # a rounding of C + sum to bf16


@pytest.mark.parametrize("sfa", ["k_major", "mn_major"])
@pytest.mark.parametrize("sfb, sfb_rows", [("mn_major", 128), ("k_major", 1), ("mn_major", 1)])
def test_layouts(run, sfa, sfb, sfb_rows):
    for grouping in ("row_end", "row_count"):
        assert run(draw(grouping, "random"), sfa=sfa, sfb=sfb, sfb_rows=sfb_rows)["status"] == "pass"
    result = run(draw("k_count", "random"), sfa=sfa, sfb=sfb, sfb_rows=1, flat=True, workspace_bytes=256)
    assert result["status"] == "pass", result


@pytest.mark.parametrize("fault, grouping, name, said", [
    ("the first group's B", "row_end", "random", "group 1, rows from "),
    ("the first group's B", "batched", "random", "out of bound"),
    ("stops a row early", "row_index", "random", " rows of groups were not written, or not wholly; the first is "),
    ("writes a row of no group", "row_index", "unused in the middle", " rows of no group were written, the first is "),
    ("writes a row of no group", "row_end", "unused at the end", " rows of no group were written, the first is "),
    ("writes a row of no group", "row_count", "one row", " rows of no group were written, the first is "),
    ("unstable", "row_count", "all full", " elements differ between two launches"),
    ("unstable", "k_count", "random", " elements differ between two launches"),
    ("takes wrong groups", "row_index", "index too large", "expected INVALID_ARGUMENT, got a launch"),
    ("takes wrong groups", "k_count", "sum too large", "expected INVALID_ARGUMENT, got a launch"),
    ("writes beyond D for wrong groups", "row_count", "count too large", "wrote outside of, or into, d"),
    ("writes beyond D for wrong groups", "row_end", "descending", "wrote outside of, or into, d"),
    ("writes beyond D for wrong groups", "k_count", "length negative", "wrote outside of, or into, d"),
    ("writes between groups", "batched", "random", "wrote outside of, or into, d"),
])
def test_fault_is_seen(run, fault, grouping, name, said):
    extra = dict(sfb_rows=1, d_type="f32", c_use="in_place") if grouping == "k_count" else {}
    item = dict(draw(grouping, name, 2), paddings={"d": (1, 1)})
    assert run(item, **extra)["status"] == "pass"
    result = run(item, fault, **extra)
    assert result["status"] == "fail" and said in result["note"], result


def test_faults_along_k(run):
    extra = dict(sfb_rows=1, d_type="f32")
    item = dict(draw("k_count", "one huge"), groups=[144, 0, 16], columns=160)
    for c_use, what in (("in_place", "C"), ("apart", "C")):
        result = run(item, "0 for no length", c_use=c_use, **extra)
        assert f"group 1 of length 0: 960 elements are not {what}" in result["note"], result
    assert "out of bound" in run(item, "reads the next group's columns", **extra)["note"]
    result = run(item, "writes beyond its workspace", workspace_bytes=128, **extra)
    assert result["note"] == "wrote outside of, or into, workspace"


@pytest.mark.parametrize("grouping", ["row_end", "k_count"])
def test_surroundings(run, grouping):
    extra = dict(sfb_rows=1, d_type="f32") if grouping == "k_count" else {}
    item = dict(draw(grouping, "random", 2), around=True)
    assert run(item, **extra)["status"] == "pass"
    note = run(item, "depends on its surroundings", **extra)["note"]
    assert note.startswith("on another stream: ") and note.endswith(" elements have other bits than when run separately")


def test_rows_have_the_same_bits_in_every_pattern(run):
    few = dict(draw("row_count", "one huge"), m=8, groups=[8, 0, 0])
    many = dict(draw("row_count", "all full"), m=40, groups=[40] * 3)
    assert run(few, "bits depend on the others")["status"] == "pass"
    said = run(many, "bits depend on the others")["note"]
    assert said == "group 0, rows from 0: 1 rows have other bits than among other groups"


#===------------------------------------------------------------------------------------------===#
# Patterns
#===------------------------------------------------------------------------------------------===#


@pytest.mark.parametrize("grouping, name", ALL)
@pytest.mark.parametrize("align", [8, 128])
def test_patterns_are_right_or_wrong_as_they_say(grouping, name, align):
    kernel = FakeKernel(grouping, align=align)
    for seed in range(50):
        item = draw(grouping, name, seed, align)
        groups, m, k = item["groups"], item.get("m"), item.get("columns")
        assert kernel.is_wrong(groups, m, k) == item["wrong"], item
        if grouping == "row_index":
            assert len(groups) == m
            for start in range(0, m, align if not item["wrong"] else m):
                used = [group for group in groups[start:start + align] if group != -1]
                assert item["wrong"] or (len(set(used)) <= 1 and groups[start:start + len(used)] == used)


def entry(grouping, number=0):
    return {"file": f"{grouping}-{number}", "grouping": grouping, "groups": COUNT, "align": 128, "n": N, "k": K,
            "sfa": "mn_major", "sfb": "k_major", "label": "x"}


INDEX = [entry(grouping, number) for grouping in patterns.KINDS for number in range(2)] + [{"file": "gemm", "n": 8, "k": 16}]


def test_as_many_items_as_asked_for_of_every_kernel_and_pattern():
    items = patterns.grouped_items(INDEX, Path("/f"), 500, 1)
    assert 500 <= len(items) < 510 and len({item["id"] for item in items}) == len(items)
    assert {(item["group"].split("-")[0], item["pattern"]) for item in items} == set(ALL)
    assert len({item["group"] for item in items}) == 10
    around = [item["group"] for item in items if item["around"]]
    assert len(around) == len(set(around)) == 10 and not any(item["wrong"] for item in items if item["around"])
    runs = [item["group"] for item in items]
    assert runs == sorted(runs, key=runs.index), "expected a kernel's items to follow each other"
    assert items == patterns.grouped_items(INDEX, Path("/f"), 500, 1)
    assert items != patterns.grouped_items(INDEX, Path("/f"), 500, 2)
    assert patterns.grouped_items(INDEX[-1:], Path("/f"), 500, 1) == []


def test_splits_add_up():
    rng = random.Random(3)
    for _ in range(100):
        total, groups = rng.randint(0, 700), rng.randint(1, 20)
        assert sum(patterns.split(rng, total, groups)) == total
