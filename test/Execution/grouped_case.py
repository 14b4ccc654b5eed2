# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Grouped products of gpu_case.py: operands in the storage that a kernel asks for, and what it must and must not write.

An item is a pattern of grouped_patterns.py with "kernel", "seed", "first" (row of the data that the product's first row
is), "paddings" (name: steps that rows and groups are longer by), "beside" (groups lie beside each other in each row) and
"around" (the bits must be the same whatever goes on around the launch).
"""

import operands
import runtime_binding
import torch
from grouped_patterns import REDUCTION, ROWS, round_up
from operands import BLOCK, FILL, TYPES, Guarded, ceil_div

# Around a description of groups: a kernel that reads beyond it sees rows of a group, not padding rows.
GROUPS_FILL = 0
WORKSPACE_ALIGNMENT = 128


class GroupedOperands:
    """Guarded operands of a grouped product; those of each group have rank 3. `a` and `b` of a flat kernel are rows of all
    elements.
    """

    def __init__(self, a, sfa, b, sfb, kernel, item, shape_of_d, c=None):
        storage, element = operands.Storage(kernel), TYPES[kernel.d_type]
        self.m, self.k = item["m"], item.get("columns", 0)
        (stored_sfa, sfa_columns), (stored_sfb, sfb_columns) = storage.scales(sfa, sfb)

        def guarded(name, source, columns):
            step = storage.steps[name]
            more_rows, more_group = (steps * step for steps in item.get("paddings", {}).get(name, (0, 0)))
            past = storage.past.get(name, 16)
            if source.dim() == 2:
                return Guarded(source, columns + more_rows, past)
            if item.get("beside"):
                stride = round_up(columns, step) + more_group
                return Guarded(source, len(source) * stride + more_rows, past, stride)
            leading = round_up(columns, step) + more_rows
            return Guarded(source, leading, past, source.shape[1] * leading + more_group)

        self.a = Guarded(a) if kernel.flat else guarded("a", a, a.shape[-1])
        self.b = Guarded(b) if kernel.flat else guarded("b", b, b.shape[-1])
        self.sfa = guarded("sfa", stored_sfa, sfa_columns)
        self.sfb = guarded("sfb", stored_sfb, sfb_columns)
        self.d = guarded("d", torch.empty(shape_of_d, dtype=element, device=a.device), shape_of_d[-1])
        self.names = ["a", "sfa", "b", "sfb", "d"]
        self.before = c if kernel.c_use == "in_place" else None
        if kernel.c_use == "apart":
            self.c = guarded("c", c, c.shape[-1])
            self.names.append("c")
        self.bias = operands.guarded_bias(kernel, a.device)
        if self.bias is not None:
            self.names.append("bias")
        self.groups = self.workspace = None
        if item["groups"] is not None:
            told = torch.tensor([item["groups"]], dtype=torch.int32, device=a.device)
            self.groups = Guarded(told, past=4, fill=GROUPS_FILL)
            self.names.append("groups")
        if kernel.workspace_bytes:
            room = torch.full((1, kernel.workspace_bytes), FILL, dtype=torch.uint8, device=a.device)
            self.workspace = Guarded(room, past=WORKSPACE_ALIGNMENT)
            self.names.append("workspace")

    def prepare(self):
        """D as it is before a launch: poisoned, or in place what is added to."""
        self.d.poison()
        if self.before is not None:
            self.d.write(self.before)

    def arguments(self, kernel, flags=0):
        c = {"c": self.c.tensor} if "c" in self.names else {}
        return kernel.grouped_arguments(self.m, self.a.tensor, self.sfa.tensor, self.b.tensor, self.sfb.tensor,
                                        self.d.tensor, self.groups and self.groups.address, k=self.k,
                                        workspace=self.workspace and self.workspace.address, flags=flags, **c,
                                        **({"bias": self.bias.address} if self.bias else {}))

    def damaged(self):
        """Names of the operands whose surroundings were written."""
        return [name for name in self.names if not getattr(self, name).intact_outside()]


def random_rows(generator, device, *shape):
    """Normal data whose rows have different sizes, so that a scale taken from another row or block shows."""
    x = torch.randn(*shape, generator=generator, device=device)
    return x * torch.exp2(torch.randint(-4, 5, (*shape[:-1], 1), generator=generator, device=device))


class RowData:
    """What products of groups of rows take their rows from: rows of A, each matrix of B, and each row's product with each of them."""

    def __init__(self, kernel, seed, device):
        generator = torch.Generator(device).manual_seed(2000 + seed)
        a = random_rows(generator, device, ROWS, kernel.k)
        self.a, self.sfa = operands.quantise(a, 1, BLOCK, TYPES[kernel.a_type])
        b = [torch.randn(kernel.n, kernel.k, generator=generator, device=device) * 2.0**(group % 5 - 2)
             for group in range(kernel.weights)]
        quantised = [operands.quantise(x, kernel.sfb_rows, BLOCK, TYPES[kernel.b_type]) for x in b]
        self.b, self.sfb = (torch.stack(parts) for parts in zip(*quantised))
        self.c = None
        if kernel.c_use != "none":
            self.c = random_rows(generator, device, ROWS, kernel.n).to(TYPES[kernel.d_type])
        self.oracles = [operands.Oracle(self.a, self.sfa, *pair, self.c, kernel.d_type, operands.bias_of(kernel, device))
                        for pair in quantised]
        # The bits that each row had with each matrix, whatever was beside it; those of the poison: not seen yet.
        seen = torch.empty(kernel.weights, ROWS, kernel.n, dtype=TYPES[kernel.d_type], device=device)
        seen.view(torch.uint8).fill_(FILL)
        self.seen = operands.bits(seen)


class ReductionData:
    """What products of groups along K take their columns from, and C."""

    def __init__(self, kernel, seed, device):
        generator = torch.Generator(device).manual_seed(3000 + seed)
        self.a, self.sfa = operands.quantise(random_rows(generator, device, kernel.m, REDUCTION), 1, BLOCK,
                                             TYPES[kernel.a_type])
        self.b, self.sfb = operands.quantise(random_rows(generator, device, kernel.n, REDUCTION), 1, BLOCK,
                                             TYPES[kernel.b_type])
        self.c = None
        if kernel.c_use != "none":
            c = random_rows(generator, device, kernel.groups, kernel.m, kernel.n)
            self.c = c.to(TYPES[kernel.d_type])


def groups_of_rows(kernel, item):
    """Of each row of D (all groups' in turn): its group, or -1, and the row of the data that it is."""
    m, count, groups = item["m"], kernel.groups, item["groups"]
    group_of = torch.full((m,), -1)
    if kernel.grouping == "row_index":
        group_of = torch.tensor(groups)
    elif kernel.grouping == "row_end":
        start = 0
        for group, end in enumerate(groups):
            group_of[start:end] = group
            start = round_up(end, kernel.align)
    else:
        used = groups or [m] * count
        group_of = torch.cat([torch.where(torch.arange(m) < used[group], group, -1) for group in range(count)])
    return group_of, (torch.arange(len(group_of)) + item["first"]) % ROWS


class GroupedCase:
    """Runs items; keeps the data that consecutive items share."""

    def __init__(self, case, failure):
        self.case, self.failure = case, failure
        self.data, self.data_key = None, None

    def use_data(self, kernel, item):
        key = (item["kernel"], item["seed"])
        if self.data_key != key:
            self.data = None  # two sets would not be needed at once
            kind = ReductionData if kernel.grouping == "k_count" else RowData
            self.data, self.data_key = kind(kernel, item["seed"], self.case.device), key
        return self.data

    def run(self, item):
        kernel = self.case.use_kernel(item["kernel"])
        item = dict(item, m=item["m"] if "m" in item else kernel.m)
        along_k = kernel.grouping == "k_count"
        everything = (self.reduction_operands if along_k else self.row_operands)(kernel, item)
        if item["wrong"]:
            return self.survive(kernel, everything)
        d = self.multiply(kernel, everything)
        if item.get("around"):
            self.check_around(kernel, item, everything, d)
        return (self.check_reductions if along_k else self.check_rows)(kernel, item, d)

    def row_operands(self, kernel, item):
        data, m = self.use_data(kernel, item), item["m"]
        each = kernel.grouping in ("row_count", "batched")
        shape = (kernel.groups, m) if each else (m,)
        rows = (torch.arange(kernel.groups * m if each else m) + item["first"]) % ROWS
        a, sfa = (x.view(torch.uint8)[rows].view(x.dtype).view(*shape, -1) if x.element_size() == 1 else
                  x[rows].view(*shape, -1) for x in (data.a, data.sfa))
        c = None if data.c is None else data.c[rows].contiguous()
        if c is not None and not item["wrong"]:  # rows of no group: C is not read, and in place D keeps its poison
            unused = groups_of_rows(kernel, item)[0] < 0
            c.view(torch.uint8)[unused.to(c.device)] = FILL
        return GroupedOperands(a, sfa, data.b, data.sfb, kernel, item, (*shape, kernel.n),
                               None if c is None else c.view(*shape, kernel.n))

    def parts(self, kernel, item):
        """Of each group along K its operands, with its own first block of the data."""
        data, blocks = self.use_data(kernel, item), REDUCTION // BLOCK
        for group, length in enumerate(item["groups"]):
            length = max(0, min(length, REDUCTION))
            first = (item["first"] + group) % (blocks - ceil_div(length, BLOCK) + 1)
            columns = slice(first * BLOCK, first * BLOCK + length)
            scales = slice(first, first + ceil_div(length, BLOCK))
            yield data.a[:, columns], data.sfa[:, scales], data.b[:, columns], data.sfb[:, scales]

    def reduction_operands(self, kernel, item):
        data, parts = self.use_data(kernel, item), list(self.parts(kernel, item))

        def joined(index, multiple):
            """Groups side by side, with NaN after the last one; or packed."""
            matrices = [part[index] for part in parts]
            if kernel.flat and multiple > 1:
                matrices = [x.reshape(1, -1) for x in matrices]
                columns = (kernel.m if index == 0 else kernel.n) * item["columns"]
            else:
                scales = max(ceil_div(item["columns"], BLOCK), sum(x.shape[1] for x in matrices))
                columns = item["columns"] if multiple > 1 else scales
            whole = torch.empty(len(matrices[0]), columns, dtype=matrices[0].dtype, device=self.case.device)
            whole.view(torch.uint8).fill_(FILL)
            side_by_side = torch.cat([x.view(torch.uint8) for x in matrices], 1)[:, :whole.view(torch.uint8).shape[1]]
            whole.view(torch.uint8)[:, :side_by_side.shape[1]] = side_by_side
            return whole

        a, sfa, b, sfb = joined(0, BLOCK), joined(1, 1), joined(2, BLOCK), joined(3, 1)
        return GroupedOperands(a, sfa, b, sfb, kernel, item, (kernel.groups, kernel.m, kernel.n), data.c)

    def multiply(self, kernel, everything):
        """D; twice, with the same bits, the second time with the runtime's check of the groups; nothing else written."""
        results = []
        for flags in (0, runtime_binding.CHECK_GROUPS):
            everything.prepare()
            kernel.launch(everything.arguments(kernel, flags))
            self.case.synchronize()
            results.append(everything.d.read())
        self.check_surroundings(everything)
        different = int((operands.bits(results[0]) != operands.bits(results[1])).sum())
        if different:
            raise self.failure(f"{different} elements differ between two launches")
        return results[0]

    def check_around(self, kernel, item, everything, d):
        """The same bits on another stream, beside another kernel, with fewer multiprocessors."""
        for how, launch in self.case.around(kernel, item["kernel"]):
            everything.prepare()
            self.case.synchronize()
            launch(everything.arguments(kernel))
            changed = int((operands.bits(everything.d.read()) != operands.bits(d)).sum())
            if changed:
                raise self.failure(f"{how}: {changed} elements have other bits than when run separately")
        self.check_surroundings(everything)

    def check_surroundings(self, everything):
        damaged = everything.damaged()
        if damaged:
            raise self.failure(f"wrote outside of, or into, {', '.join(damaged)}")

    def survive(self, kernel, everything):
        """A wrong description: the runtime's check refuses it; the kernel ends, and writes nothing outside of D."""
        everything.prepare()
        before = operands.bits(everything.d.read())
        try:
            kernel.launch(everything.arguments(kernel, runtime_binding.CHECK_GROUPS))
        except runtime_binding.StatusError as error:
            if not str(error).startswith("INVALID_ARGUMENT: "):
                raise
        else:
            raise self.failure("a wrong description of groups: expected INVALID_ARGUMENT, got a launch")
        self.case.synchronize()
        if int((operands.bits(everything.d.read()) != before).sum()):
            raise self.failure("a refused call wrote to D")
        kernel.launch(everything.arguments(kernel))
        self.case.synchronize()
        self.check_surroundings(everything)
        return {}

    def check_rows(self, kernel, item, d):
        """Rows of groups are right, and have the bits that they always have; the others are untouched."""
        data, d = self.data, d.view(-1, kernel.n)
        bits = operands.bits(d)
        group_of, source = (x.to(d.device) for x in groups_of_rows(kernel, item))
        written = (bits != -1).any(1)
        touched = torch.nonzero(written & (group_of < 0)).flatten()
        if len(touched):
            raise self.failure(f"{len(touched)} rows of no group were written, the first is {int(touched[0])}")
        missing = torch.nonzero((bits == -1).any(1) & (group_of >= 0)).flatten()
        if len(missing):
            raise self.failure(f"{len(missing)} rows of groups were not written, or not wholly; the first is "
                               f"{int(missing[0])} of group {int(group_of[missing[0]])}")
        worst, worst_row = 0.0, 0.0
        for group in range(kernel.groups):
            rows = torch.nonzero(group_of == group).flatten()
            if not len(rows):
                continue
            how, matrix = f"group {group}, rows from {int(rows[0])}", group % kernel.weights
            worst = max(worst, self.case.compare(d[rows], data.oracles[matrix], how, source[rows])[1])
            worst_row = max(worst_row, self.case.compare_rows(d[rows], data.oracles[matrix], how, source[rows]))
            known = data.seen[matrix, source[rows]]
            changed = int(((known != bits[rows]) & (known != -1)).any(1).sum())
            if changed:
                raise self.failure(f"{how}: {changed} rows have other bits than among other groups")
            data.seen[matrix, source[rows]] = bits[rows]
        return {"ratio": worst, "row": worst_row}

    def check_reductions(self, kernel, item, d):
        """Each group's product is right; where there is nothing to add, C or 0 to the bit."""
        data, worst, worst_row = self.data, 0.0, 0.0
        if operands.unwritten(d):
            raise self.failure(f"{operands.unwritten(d)} of {d.numel()} elements not written")
        for group, part in enumerate(self.parts(kernel, item)):
            c = None if data.c is None else data.c[group]
            if item["groups"][group] == 0:
                same = d[group] == 0 if c is None else operands.bits(d[group]) == operands.bits(c)
                if not bool(same.all()):
                    raise self.failure(f"group {group} of length 0: {int((~same).sum())} elements are not "
                                       f"{'0' if c is None else 'C'}")
                continue
            oracle = operands.Oracle(*part, c, kernel.d_type)
            worst = max(worst, self.case.compare(d[group], oracle, f"group {group}")[1])
            worst_row = max(worst_row, self.case.compare_rows(d[group], oracle, f"group {group}"))
        return {"ratio": worst, "row": worst_row}
