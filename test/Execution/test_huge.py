# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The GPU tests of huge operands, on the CPU with small ones: what is run, and that every fault is seen."""

import json
import os
import sys

import huge_items
import pytest
import shapes
from shapes import Groups, Kind

torch = pytest.importorskip("torch", reason="no PyTorch: the checks of the GPU tests are not tested")
import huge_case
import operands


class FakeKernel:
    """What a kernel of an item's problem would compute, in float64; `fault` spoils it."""

    def __init__(self, item, fault=None):
        problem, (self.sfa, self.sfb) = shapes.problem_of(item["problem"]), item["layouts"]
        recipe, self.a_type, self.b_type, self.d_type, self.c_use = problem.kind
        self.sfb_rows = 1 if recipe == "1d1d" else 128
        self.grouping = "no_groups" if problem.groups.grouping == "none" else problem.groups.grouping
        self.flat, self.workspace_bytes, self.fault = problem.groups.flat, 256 * (problem.groups.grouping == "k_count"), fault

    def close(self):
        pass

    def compute(self, made):
        n = made.problem.n
        for group, first, rows, first_k, k, block in made.parts():
            d = made.d.view if made.d.view.dim() == 2 else made.d.view[group]
            if rows == 0 or (k == 0 and self.c_use == "in_place"):
                continue
            value = torch.zeros(rows, n, dtype=torch.float64)
            if k:
                numbers, blocks = range(first, first + rows), operands.ceil_div(k, 128)
                a = made.fp8_rows(made.a, "e4m3", group, numbers, made.m, first_k, k)
                b = made.fp8_rows(made.b, "e4m3", group, range(n), n, first_k, k)
                sfa = made.scales_of(made.sfa, self.sfa, group, list(numbers), block, blocks)
                sfb = made.scales_of(made.sfb, self.sfb, group, [j // self.sfb_rows for j in range(n)], block, blocks)
                value = operands.sum_of_blocks(a, sfa, b, sfb)
            if made.c:
                c = made.c.view if made.c.view.dim() == 2 else made.c.view[group]
                value += c[first:first + rows].double()
            d[first:first + rows] = value.to(d.dtype)
        all_rows = made.d.view.flatten(0, -2)
        if self.fault == "row at another place":
            group, first, rows, *_ = [part for part in made.parts() if part[2]][-1]
            all_rows[0] = all_rows[(group * made.m if made.d.view.dim() == 3 else 0) + first + rows - 1]
        elif self.fault == "row not written":
            all_rows[0].view(torch.uint8).fill_(0xFF)
        elif self.fault == "writes between rows":
            made.d.buffer[n] = 1


def small(name, m=24, n=136, k=256, kind=Kind(), groups=Groups(), layouts=huge_items.BY_TMA, **more):
    return dict(huge_items.item(name, shapes.Problem(m, n, k, kind, groups), layouts, **more), kernel=name)


SMALL = [
    small("dense"),
    small("f32, in place", kind=huge_items.IN_PLACE, layouts=huge_items.ALL_MN),
    small("with C", kind=huge_items.PLUS_C),
    small("strided", layouts=huge_items.SFA_BY_POINTER, leading={"a": 304, "d": 160, "sfa": 7, "sfb": 9, "b": 272}),
    small("row_index", groups=Groups("row_index", 3, 8), sizes=[1, 0, 21], behind=10),
    small("row_end", groups=Groups("row_end", 3), sizes=[1, 0, 21], behind=2),
    small("row_end, aligned", groups=Groups("row_end", 3, 8), sizes=[1, 9, 8]),
    small("row_count", groups=Groups("row_count", 3), sizes=[24, 0, 7]),
    small("batched", groups=Groups("batched", 3), sizes=[24, 24, 24]),
    small("flat", kind=huge_items.IN_PLACE, groups=Groups("k_count", 3, flat=True), layouts=huge_items.ALL_MN, sizes=[16, 0, 160]),
    small("beside", kind=Kind("1d1d", d="f32"), groups=Groups("k_count", 3), layouts=huge_items.ALL_MN, sizes=[16, 0, 160]),
]


def run(item, monkeypatch, fault=None):
    monkeypatch.setattr(huge_case.Operands, "launch", lambda made: made.kernel.compute(made))
    return huge_case.Case("cpu", lambda _: FakeKernel(item, fault), lambda: None).run(item)


@pytest.mark.parametrize("item", SMALL, ids=lambda item: item["id"])
def test_passes(item, monkeypatch):
    result = run(item, monkeypatch)
    assert result["status"] == "pass", result
    assert 0 < result["ratio"] <= 1 and result["gigabytes"] > 0


@pytest.mark.parametrize("item", [item for item in SMALL if item["id"] != "strided"], ids=lambda item: item["id"])
def test_sees_rows_of_another_place(item, monkeypatch):
    result = run(item, monkeypatch, "row at another place")
    assert result["status"] == "fail" and "D[0, " in result["note"], result


@pytest.mark.parametrize("item", [item for item in SMALL if "place" not in item["id"] and item["id"] != "flat"],
                         ids=lambda item: item["id"])
def test_counts_what_is_written(item, monkeypatch):
    result = run(item, monkeypatch, "row not written")
    assert result["status"] == "fail" and "elements of D's memory to be written" in result["note"], result


def test_sees_writes_between_rows(monkeypatch):
    result = run(next(item for item in SMALL if item["id"] == "strided"), monkeypatch, "writes between rows")
    assert result["status"] == "fail" and "elements of D's memory" in result["note"]


def test_items_are_huge_and_fit():
    """Each item has an operand of 2^31 elements; all fit a GPU of 80 GB with room for what checks need."""
    items = huge_items.all_items()
    assert len({item["id"] for item in items}) == len(items)
    sizes = []
    for item in items:
        kernel = FakeKernel(item)
        made = huge_case.Operands(kernel, item, "meta", None)
        elements = [x.buffer.numel() for x in (made.a, made.sfa, made.b, made.sfb, made.d)]
        assert max(elements) > 1 << 31, item["id"]
        sizes.append(made.bytes())
    assert max(sizes) < 60e9
    by = {shapes.problem_of(item["problem"]).groups.grouping for item in items}
    assert by == {"none", "row_index", "row_end", "row_count", "batched", "k_count"}
    assert all(entry["config"] == "" for entry in map(huge_items.entry_of, items))


def test_goes_on_after_failures(tmp_path, monkeypatch, capsys):
    """A line and a row of the table for each item, whatever becomes of it."""
    import environment
    monkeypatch.setattr(environment, "find_hopper", lambda: ("a GPU", None))
    worker = tmp_path / "worker.py"
    worker.write_text(f"import sys\nsys.path.insert(0, {os.path.dirname(huge_items.__file__)!r})\n"
                      "import supervise\n"
                      "def run(item):\n"
                      "    if item['id'] == 'A':\n        raise RuntimeError('illegal address')\n"
                      "    return {'status': 'fail' if item['id'] == 'B' else 'pass', 'ratio': 0.5}\n"
                      "supervise.work(sys.argv[1], 'a GPU', run)\n")
    assert huge_items.run(tmp_path, tmp_path / "out.json", 20, 60, [sys.executable, str(worker)]) == 1
    count = len(huge_items.all_items())
    out = capsys.readouterr().out
    assert "CRASH: A " in out and "FAIL: B " in out and f"{count - 2} of {count} items passed" in out
    assert len(json.loads((tmp_path / "out.json").read_text())["results"]) == count
