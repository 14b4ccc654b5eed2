# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The worker of huge_items.py: makes operands on the device, launches, and looks at D (see supervise.py).

Operands are random bytes and scales: rows that are taken from another place show. Works on any torch device, for the tests.
"""

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmark"))
import operands
import runtime_binding
import shapes
import supervise
import torch
from operands import BLOCK, FILL, TYPES, ceil_div, round_up

# So much at once where all of an operand is touched.
CHUNK = 1 << 28
# Of a byte of e4m3: magnitudes below 2, and no NaN. Of four of them, as int32.
FINITE = -0x40404041
SEED, SAMPLES = 1, 12
WORKSPACE_ALIGNMENT = 128


class Failure(Exception):
    """What is wrong with a result."""


def chosen(count, rng, marks=()):
    """Some of [0, count): both ends, what is beside the marks, and others."""
    wanted = {0, 1, count - 2, count - 1, *(mark + i for mark in marks for i in (-1, 0, 1)),
              *(rng.randrange(count) for _ in range(SAMPLES))} if count else set()
    return sorted(i for i in wanted if 0 <= i < count)


class Strided:
    """Device memory of a matrix, or of one of each group: a view of shape [rows, columns] or [groups, rows, columns], whose
    rows are `leading` elements apart and whose groups follow each other."""

    def __init__(self, dtype, device, rows, columns, groups=None, leading=None):
        self.leading = leading or columns
        self.stride = rows * self.leading if groups else 0
        length = max(1, (groups or 1) * self.stride if groups else (rows - 1) * self.leading + columns)
        self.buffer = torch.empty(length, dtype=dtype, device=device)
        shape, strides = ((groups, rows, columns), (self.stride, self.leading, 1))
        self.view = self.buffer.as_strided(shape, strides) if groups else self.buffer.as_strided(shape[1:], strides[1:])

    @property
    def bytes(self):
        return self.buffer.numel() * self.buffer.element_size()

    def marks(self, group=0, first_row=0):
        """Rows with element or byte 2^31 or 2^32, counted from a row of a group."""
        size, base = self.buffer.element_size(), first_row + (group * self.stride // self.leading)
        return [bound // step - base for bound in (1 << 31, 1 << 32) for step in (self.leading, self.leading * size)]

    def tensor(self):
        return self.buffer.data_ptr(), self.leading, self.stride

    def take(self, group, row_numbers):
        """Copies of some rows."""
        matrix = self.view if self.view.dim() == 2 else self.view[group]
        return torch.stack([matrix[row] for row in row_numbers])


def randomise(matrix, generator):
    """FP8 as bytes; where rows are far apart only their elements."""
    if matrix.leading > matrix.view.shape[-1] and matrix.bytes > CHUNK:
        for row in matrix.view:
            row.copy_(torch.randint(0, 64, row.shape, generator=generator, device=row.device, dtype=torch.uint8))
        return
    whole = matrix.buffer[:matrix.buffer.numel() // 4 * 4].view(torch.int32)
    matrix.buffer[whole.numel() * 4:] = 0x38  # 1
    for part in whole.split(CHUNK):
        part.random_(generator=generator)
        part.bitwise_and_(FINITE)


class Operands:
    """Those of an item, for a kernel with the fields of runtime_binding.Kernel."""

    def __init__(self, kernel, item, device, generator):
        problem = shapes.problem_of(item["problem"])
        self.kernel, self.item, self.problem, self.device = kernel, item, problem, device
        self.by, self.sizes = kernel.grouping, item.get("sizes")
        n, along_k, each = problem.n, self.by == "k_count", self.by in ("row_count", "batched")
        self.k = sum(self.sizes) if along_k else problem.k
        self.m = item["m"]
        self.groups = None
        if self.by in ("row_index", "row_end"):
            self.place_rows(item.get("behind", 0))
        elif self.by in ("row_count", "k_count"):
            self.groups = torch.tensor(self.sizes, dtype=torch.int32, device=device)
        blocks = sum(ceil_div(size, BLOCK) for size in self.sizes) if along_k else ceil_div(self.k, BLOCK)
        count = len(self.sizes) if self.sizes else None
        of_a, of_b, of_d = count if each else None, None if along_k else count, count if each or along_k else None
        leading = item.get("leading", {})

        def matrix(name, dtype, groups, rows, columns):
            return Strided(dtype, device, rows, columns, groups, leading.get(name))

        def fp8(name, groups, rows):
            made = matrix(name, torch.uint8, groups, 1, rows * self.k) if kernel.flat else \
                matrix(name, torch.uint8, groups, rows, self.k)
            randomise(made, generator)
            return made

        def scales(name, layout, groups, rows):
            made = matrix(name, torch.float32, groups, rows, blocks) if layout == "k_major" else \
                matrix(name, torch.float32, groups, blocks, round_up(rows, 4))
            together = 1 if made.leading > made.view.shape[-1] else 1 << 20
            for part in made.view if groups else [made.view]:
                for some in part.split(together):
                    some.uniform_(0.5, 2, generator=generator)
            return made

        self.a, self.b = fp8("a", of_a, self.m), fp8("b", of_b, n)
        self.sfa = scales("sfa", kernel.sfa, of_a, self.m)
        self.sfb = scales("sfb", kernel.sfb, of_b, ceil_div(n, kernel.sfb_rows))
        element = TYPES[kernel.d_type]
        self.d = matrix("d", element, of_d, self.m, n)
        for part in self.d.buffer.view(torch.uint8).split(4 * CHUNK):
            part.fill_(FILL)
        self.c = None
        if kernel.c_use != "none":
            self.c = matrix("d", element, of_d, self.m, n)
            for part in self.c.buffer.split(CHUNK):
                part.uniform_(-64, 64, generator=generator)
            if kernel.c_use == "in_place":
                for to, part in zip(self.d.buffer.split(CHUNK), self.c.buffer.split(CHUNK)):
                    to.copy_(part)
        room = kernel.workspace_bytes + WORKSPACE_ALIGNMENT
        self.workspace = torch.empty(room, dtype=torch.uint8, device=device) if kernel.workspace_bytes else None

    def place_rows(self, behind):
        """The places of each group's rows, and their description for the device."""
        self.starts, end, align = [], 0, self.problem.groups.align
        for size in self.sizes:
            self.starts.append(round_up(end, align))
            end = self.starts[-1] + size
        self.m = round_up(end, align) + behind
        if self.by == "row_end":
            told = torch.tensor([start + size for start, size in zip(self.starts, self.sizes)], dtype=torch.int32)
        else:
            told = torch.full((self.m,), -1, dtype=torch.int32)
            for group, (start, size) in enumerate(zip(self.starts, self.sizes)):
                told[start:start + size] = group
        self.groups = told.to(self.device)

    def bytes(self):
        return sum(x.bytes for x in (self.a, self.sfa, self.b, self.sfb, self.d, self.c) if x)

    def parts(self):
        """(group, first row, rows, first of K, K, first block of scales) of each product."""
        if self.by == "no_groups":
            return [(0, 0, self.m, 0, self.k, 0)]
        if self.by == "k_count":
            found, begin, block = [], 0, 0
            for group, size in enumerate(self.sizes):
                found.append((group, 0, self.m, begin, size, block))
                begin, block = begin + size, block + ceil_div(size, BLOCK)
            return found
        starts = self.starts if self.by in ("row_index", "row_end") else [0] * len(self.sizes)
        return [(group, start, size, 0, self.k, 0) for group, (start, size) in enumerate(zip(starts, self.sizes))]

    def launch(self):
        kernel, tensors = self.kernel, {name: getattr(self, name).tensor() for name in ("a", "sfa", "b", "sfb", "d")}
        if kernel.c_use == "apart":
            tensors["c"] = self.c.tensor()
        if self.by == "no_groups":
            return kernel.launch(kernel.arguments(self.m, **{name: tensor[:2] for name, tensor in tensors.items()}))
        workspace = None
        if self.workspace is not None:
            workspace = round_up(self.workspace.data_ptr(), WORKSPACE_ALIGNMENT)
        groups = None if self.groups is None else self.groups.data_ptr()
        return kernel.launch(kernel.grouped_arguments(self.m, groups=groups, workspace=workspace,
                                                      k=self.k if self.by == "k_count" else 0, **tensors))

    # What the product is, of some rows and columns of one group

    def fp8_rows(self, matrix, element, group, numbers, extent, first_k, k):
        if self.kernel.flat:
            begin = first_k * extent
            own = matrix.buffer[begin:begin + extent * k].view(extent, k)
            return torch.stack([own[row] for row in numbers]).view(TYPES[element])
        return matrix.take(group, numbers)[:, first_k:first_k + k].contiguous().view(TYPES[element])

    def scales_of(self, matrix, layout, group, numbers, first_block, blocks):
        stored = matrix.view if matrix.view.dim() == 2 else matrix.view[group]
        if layout == "k_major":
            return torch.stack([stored[row, first_block:first_block + blocks] for row in numbers])
        return torch.stack([stored[first_block + i][numbers] for i in range(blocks)], dim=1)

    def check(self, part, row_numbers, columns):
        """The largest error as a share of the bounds; Failure where it is beyond one."""
        group, first_row, _, first_k, k, block = part
        kernel, blocks = self.kernel, ceil_div(k, BLOCK)
        numbers = [first_row + row for row in row_numbers]
        got = self.d.take(group, numbers)[:, columns]
        c = self.c.take(group, numbers)[:, columns] if self.c else None
        if k == 0:
            expected = c if c is not None else torch.zeros_like(got)
            if not bool((operands.bits(got) == operands.bits(expected)).all()):
                raise Failure(f"group {group}: without K, expected C, or zeros")
            return 0.0
        a = self.fp8_rows(self.a, kernel.a_type, group, numbers, self.m, first_k, k)
        b = self.fp8_rows(self.b, kernel.b_type, group, columns, self.problem.n, first_k, k)
        sfa = self.scales_of(self.sfa, kernel.sfa, group, numbers, block, blocks)
        sfb = self.scales_of(self.sfb, kernel.sfb, group, [column // kernel.sfb_rows for column in columns], block, blocks)
        oracle = operands.Oracle(a, sfa, b, sfb, c, kernel.d_type)  # a scale for each of these rows of B
        error, worst = (got.double() - oracle.value).abs(), 0.0
        for allowed in oracle.limits(slice(None)):
            bad = torch.nonzero(~(error <= allowed))
            if len(bad):
                i, j = bad[0].tolist()
                raise Failure(f"{len(bad)} of {error.numel()} elements that were looked at are wrong; first: group {group}, "
                              f"D[{numbers[i]}, {columns[j]}] is {float(got[i, j]):.9g}, expected "
                              f"{float(oracle.value[i, j]):.9g} +- {float(allowed[i, j]):.3g}")
            worst = max(worst, float((error / allowed).max()))
        return worst

    def check_writes(self):
        """As many elements of D's memory as are somebody's are written, those at the ends of rows and groups among them."""
        written = sum(int((operands.bits(part) != -1).sum()) for part in self.d.buffer.split(CHUNK))
        expected = sum(count for _, _, count, _, _, _ in self.parts()) * self.problem.n
        if written != expected:
            raise Failure(f"expected {expected} elements of D's memory to be written, got {written}")


class Case:
    def __init__(self, device, open_kernel, synchronize, free=lambda: None):
        self.device, self.open_kernel, self.synchronize, self.free = device, open_kernel, synchronize, free

    def compute(self, item):
        kernel = self.open_kernel(item["kernel"])
        made = Operands(kernel, item, self.device, torch.Generator(self.device).manual_seed(SEED))
        supervise.say(doing="launch")
        made.launch()
        self.synchronize()
        if kernel.c_use != "in_place":
            made.check_writes()
        rng, worst = random.Random(item["id"]), 0.0
        parts = [part for part in made.parts() if part[2]]
        for part in parts if len(parts) <= 8 else parts[:2] + parts[len(parts) // 2:][:2] + parts[-4:]:
            marks = [mark for matrix in (made.a, made.d, made.sfa) for mark in matrix.marks(part[0], part[1])]
            columns = chosen(made.problem.n, rng, made.b.marks(part[0]))
            worst = max(worst, made.check(part, chosen(part[2], rng, marks), columns))
        kernel.close()
        return {"ratio": worst, "gigabytes": made.bytes() / 1e9}

    def run(self, item):
        started = time.monotonic()
        try:
            result = dict(self.compute(item), status="pass")
        except Failure as failure:
            result = {"status": "fail", "note": str(failure)}
        except runtime_binding.StatusError as error:
            if str(error).startswith("DRIVER_ERROR"):
                raise
            result = {"status": "fail", "note": str(error)}
        except torch.cuda.OutOfMemoryError as error:
            result = {"status": "fail", "note": str(error).splitlines()[0]}
        self.free()
        return dict(result, seconds=time.monotonic() - started)


def main():
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.zeros(1, device="cuda")  # makes the primary context current

    def open_kernel(path):
        kernel = runtime_binding.Kernel(path)
        kernel.load()
        return kernel

    case = Case("cuda", open_kernel, torch.cuda.synchronize, torch.cuda.empty_cache)
    supervise.work(sys.argv[1], torch.cuda.get_device_name(0), case.run)


if __name__ == "__main__":
    main()
