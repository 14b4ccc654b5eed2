# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Who takes part in grouped products: as contenders.py, on data whose rows lie where grouped_shapes.py says."""

import functools

import torch
import torch.nn.functional as F

import contenders
import grouped_shapes
import operands
import runtime_binding
from operands import BLOCK

SAMPLED_ROWS = 64
QUANTISED_ROWS = 8192  # at once; a multiple of BLOCK


def normal(rows, columns, scaled_rows, random):
    """Normal data as codes and scales."""
    codes = torch.empty(rows, columns, dtype=torch.float8_e4m3fn, device=random.device)
    scales = torch.empty(operands.ceil_div(rows, scaled_rows), operands.ceil_div(columns, BLOCK), device=random.device)
    for first in range(0, rows, QUANTISED_ROWS):
        x = torch.randn(min(QUANTISED_ROWS, rows - first), columns, generator=random, device=random.device)
        part, part_scales = operands.quantise(x, scaled_rows, BLOCK)
        codes[first:first + len(part)] = part
        scales[first // scaled_rows:first // scaled_rows + len(part_scales)] = part_scales
    return codes, scales


@functools.lru_cache(maxsize=1)  # the variants of a case share them
def tokens(rows, k, seed, device):
    return normal(rows, k, 1, torch.Generator(device).manual_seed(seed))


@functools.lru_cache(maxsize=1)
def weights(count, n, k, rows, seed, device):
    """Each group's B and its scales, one for `rows` rows."""
    random = torch.Generator(device).manual_seed(seed)
    b = torch.empty(count, n, k, dtype=torch.float8_e4m3fn, device=device)
    scales = torch.empty(count, operands.ceil_div(n, rows), operands.ceil_div(k, BLOCK), device=device)
    for group in range(count):
        b[group], scales[group] = normal(n, k, rows, random)
    return b, scales


def take(matrix, rows):
    """Rows of a matrix of any type."""
    return matrix.view(torch.uint8)[rows].view(matrix.dtype) if matrix.element_size() == 1 else matrix[rows]


def worst_error(pairs):
    """The largest |got - wanted| / |wanted| of some matrices; NaN never passes a comparison."""
    errors = [float((got.to(torch.float64) - wanted).norm() / wanted.norm()) for got, wanted in pairs]
    return next((error for error in errors if error != error), max(errors))


class RowData:
    """Groups of rows. Rows of no group hold what other rows do: tiles that are partly used read and multiply them."""

    def __init__(self, problem, seed=0):
        self.problem, self.device = problem, contenders.DEVICE
        count, sizes, allocated = problem.groups.count, problem.load.sizes, problem.load.allocated
        self.sfb_rows = 1 if problem.kind.recipe == "1d1d" else BLOCK
        self.d_type = operands.TYPES[problem.kind.d]
        self.m, self.k = allocated or grouped_shapes.rows_of(problem), 0
        codes, scales = tokens(sum(sizes), problem.k, seed, self.device)
        self.b, self.sfb = weights(count, problem.n, problem.k, self.sfb_rows, seed + 1, self.device)
        starts = grouped_shapes.starts(problem)
        places = [torch.arange(start, start + size) for start, size in zip(starts, sizes)]
        self.place = torch.cat(places).to(self.device)
        source = torch.arange(grouped_shapes.rows_of(problem), device=self.device) % sum(sizes)
        source[self.place] = torch.arange(sum(sizes), device=self.device)
        shape = (count, allocated, -1) if allocated else (len(source), -1)
        self.a, self.sfa = take(codes, source).view(shape), scales[source].view(shape)
        self.shape_of_d = (*self.a.shape[:-1], problem.n)
        self.told = torch.tensor(grouped_shapes.description(problem), dtype=torch.int32, device=self.device)
        held = [group for group, size in enumerate(sizes) if size]
        self.touched = self.b if len(held) == count else take(self.b, torch.tensor(held, device=self.device))
        self.sample(codes, scales, starts, held, seed)

    def sample(self, codes, scales, starts, held, seed):
        """Of each group the first row, the last and some others, and their products in float64."""
        random = torch.Generator().manual_seed(seed)
        sizes, each = self.problem.load.sizes, operands.ceil_div(SAMPLED_ROWS, len(held))
        self.rows, self.expected = [], []
        for group in held:
            chosen = torch.randint(sizes[group], (each,), generator=random)
            rows = torch.unique(torch.cat([chosen, torch.tensor([0, sizes[group] - 1])])).to(self.device)
            self.rows.append(rows + starts[group])
            rows = rows + sum(sizes[:group])
            b = operands.dequantise(self.b[group], self.sfb[group], self.sfb_rows, BLOCK)
            self.expected.append(operands.dequantise(take(codes, rows), scales[rows], 1, BLOCK) @ b.T)

    def error(self, output, expected):
        """The worst of all groups, over the sampled rows."""
        d = output.view(-1, self.problem.n)
        return worst_error((d[rows], wanted) for rows, wanted in zip(self.rows, expected))

    def finite(self, output):
        """Whether all rows of groups are."""
        return bool(torch.isfinite(output.view(-1, self.problem.n)[self.place]).all())


class ReductionData:
    """Groups along K: A and B of each, side by side or each packed; scales of each start anew."""

    ROWS_OF_GROUP = 8

    def __init__(self, problem, seed=0):
        self.problem, self.device = problem, contenders.DEVICE
        random = torch.Generator(self.device).manual_seed(seed)
        self.m, self.k = problem.m, sum(problem.load.sizes)
        self.d_type = operands.TYPES[problem.kind.d]
        self.shape_of_d = (problem.groups.count, problem.m, problem.n)
        self.told = torch.tensor(grouped_shapes.description(problem), dtype=torch.int32, device=self.device)
        chosen = torch.randperm(problem.m, generator=torch.Generator().manual_seed(seed))[:self.ROWS_OF_GROUP]
        self.rows = torch.unique(torch.cat([chosen, torch.tensor([0, problem.m - 1])])).to(self.device)
        parts, self.expected = [], []
        for length in problem.load.sizes:
            a, sfa = normal(problem.m, length, 1, random)
            b, sfb = normal(problem.n, length, 1, random)
            parts.append((a, sfa, b, sfb))
            some = operands.dequantise(take(a, self.rows), sfa[self.rows], 1, BLOCK)
            self.expected.append(some @ operands.dequantise(b, sfb, 1, BLOCK).T)
        a, sfa, b, sfb = zip(*parts)
        self.a, self.b = self.joined(a), self.joined(b)
        self.sfa, self.sfb = torch.cat(sfa, 1), torch.cat(sfb, 1)
        self.touched = self.b

    def joined(self, matrices):
        codes = [matrix.view(torch.uint8) for matrix in matrices]
        packed = self.problem.groups.flat
        whole = torch.cat([x.reshape(-1) for x in codes]) if packed else torch.cat(codes, 1)
        return whole.view(matrices[0].dtype)

    def error(self, output, expected):
        return worst_error((output[group, self.rows], wanted) for group, wanted in enumerate(expected) if wanted.any())

    def finite(self, output):
        return all(bool(torch.isfinite(group).all()) for group in output)


def Data(problem):
    return (ReductionData if problem.groups.grouping == "k_count" else RowData)(problem)


def stored(scales, layout):
    """Scales [.., rows, blocks] as a kernel reads them; of mn_major, lines of 16 bytes."""
    if layout == "k_major":
        return scales.contiguous()
    rows = scales.shape[-2]
    return F.pad(scales.transpose(-1, -2), (0, operands.round_up(rows, 4) - rows)).contiguous()


def empty(data, adds):
    """D before the first product."""
    return torch.full(data.shape_of_d, 0.0 if adds else float("nan"), dtype=data.d_type, device=data.device)


def operand(tensor):
    """(address, leading dimension, group stride)."""
    return tensor.data_ptr(), tensor.stride(-2) if tensor.dim() > 1 else 0, tensor.stride(0) if tensor.dim() > 2 else 0


class Ours(contenders.Contender):
    """A kernel file through the runtime's C API."""

    def __init__(self, data, path):
        self.kernel = runtime_binding.Kernel(path)
        self.kernel.load()
        self.adds, self.expected = self.kernel.c_use == "in_place", data.expected
        self.output = empty(data, self.adds)
        sfa, sfb = stored(data.sfa, self.kernel.sfa), stored(data.sfb, self.kernel.sfb)
        workspace = torch.empty(self.kernel.workspace_bytes, dtype=torch.uint8, device=data.device)
        self.keep = (data.a, sfa, data.b, sfb, data.told, workspace)
        self.arguments = self.kernel.grouped_arguments(
            data.m, *map(operand, (data.a, sfa, data.b, sfb, self.output)), groups=data.told.data_ptr(), k=data.k,
            workspace=workspace.data_ptr() if self.kernel.workspace_bytes else None)
        self.stream = torch.cuda.current_stream().cuda_stream if data.device == "cuda" else 0

    def __call__(self):
        self.kernel.launch(self.arguments, self.stream)


class DeepGemm(contenders.Contender):
    """DeepGEMM, its scales already in its layout. Along K it adds to f32, and also needs the lengths on the host."""

    def __init__(self, data):
        grouping, _, align, flat, _ = data.problem.groups
        if (grouping, align) not in (("row_index", 128), ("row_count", 1)) and not flat:
            raise NotImplementedError("only row_index of aligned groups, row_count and flat k_count are raced")
        import deep_gemm
        aligned = deep_gemm.get_mn_major_tma_aligned_tensor
        self.adds, self.expected = flat, data.expected
        self.output = empty(data, flat)
        if flat:
            a, b = ((codes, scales.T.contiguous().T) for codes, scales in ((data.a, data.sfa), (data.b, data.sfb)))
            lengths = list(data.problem.load.sizes)
            self.call = lambda: deep_gemm.k_grouped_fp8_gemm_nt_contiguous(a, b, self.output, lengths, data.told,
                                                                           c=self.output)
        else:
            a, b = (data.a, aligned(data.sfa)), (data.b, data.sfb)
            if grouping == "row_index":
                self.call = lambda: deep_gemm.m_grouped_fp8_gemm_nt_contiguous(a, b, self.output, data.told)
            else:
                self.call = lambda: deep_gemm.m_grouped_fp8_gemm_nt_masked(a, b, self.output, data.told, data.problem.m)
        self()

    def __call__(self):
        self.call()


PEERS = {"deepgemm": DeepGemm}
