# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs kernels without roles (docs/Design.md, "Kinds of kernels") on numpy: all threads of all CTAs at once.

It reads hopper IR in its generic form. A value is an array with an element, or a vector, for each thread; a condition makes a mask
of those that go on. Functions of math are numpy's. An access outside of a matrix or before the wait for the previous kernel, an
element that is stored twice and a shuffle that not all threads of a warp reach are errors.
"""

import math
import re
from dataclasses import dataclass, field

import numpy as np
from compiled import BIN, run
from quantization import BF16, E4M3, E5M2, F16, F32

WARP = 32
TYPES = {"bf16": BF16, "f16": F16, "f32": F32, "f8E4M3FN": E4M3, "f8E5M2": E5M2, "i32": np.dtype(np.uint32), "i1": np.dtype(bool),
         "index": np.dtype(np.int64)}
HEAD = re.compile(r'\s*(?:(%\w+)(?::(\d+))? = )?"([\w.]+)"\(([^)]*)\)(?: <\{(.*)\}>)?( \(\{)?(?: : (.*))?$')
BLOCK = re.compile(r"\s*\^bb\d+\(.*\):$")
ARGUMENT = re.compile(r"(%\w+): (.*?)(?=, %|\):$)")


@dataclass
class Operation:
    name: str
    operands: list
    results: list
    attributes: str
    types: str  # of results
    regions: list = field(default_factory=list)  # (names and types of arguments, operations)

    def attribute(self, name):
        return re.search(rf"\b{name} = (.*?)(?:, \w+ = |$)", self.attributes)[1]


class Matrix:
    """Elements at row * strides[0] + column * strides[1] of `data`, of a [rows, columns]."""

    def __init__(self, data, shape, strides):
        self.data, self.shape, self.strides, self.stores = data, shape, strides, np.zeros(data.size, np.int64)

    def places(self, row, column, count, mask):
        row, column = np.broadcast_to(row, mask.shape), np.broadcast_to(column, mask.shape)
        inside = (row >= 0) & (row < self.shape[0]) & (column >= 0) & (column + count <= self.shape[1])
        assert inside[mask].all(), f"an access outside of {self.shape}: row {row[mask & ~inside][0]}, column {column[mask & ~inside][0]}"
        first = np.where(mask, row * self.strides[0] + column * self.strides[1], 0)
        return first[:, None] + np.arange(count) * self.strides[1]

    def load(self, row, column, count, mask):
        return self.data[self.places(row, column, count, mask)]

    def store(self, values, row, column, mask):
        places = self.places(row, column, values.shape[1], mask)[mask]
        np.add.at(self.stores, places, 1)
        assert self.stores[places].max(initial=0) <= 1, "an element is stored twice"
        self.data[places] = values[mask]


class Shared:
    """A vector of each CTA. Two threads access an element with a barrier between them, unless both read."""

    def __init__(self, grid, count):
        self.grid, self.data = grid, np.zeros((grid.ctas, count), np.float32)
        self.written, self.read = np.full(self.data.shape, -1), np.full(self.data.shape, -1)  # after which barrier

    def places(self, at, mask):
        return np.repeat(np.arange(self.grid.ctas), self.grid.threads)[mask], np.broadcast_to(at, mask.shape)[mask]

    def load(self, at, mask):
        places = self.places(at, mask)
        assert ((0 <= self.written[places]) & (self.written[places] < self.grid.barriers)).all(), "no barrier after a store"
        self.read[places] = self.grid.barriers
        result = np.zeros(mask.shape, np.float32)
        result[mask] = self.data[places]
        return result

    def store(self, value, at, mask):
        places = self.places(at, mask)
        assert (np.maximum(self.read, self.written)[places] < self.grid.barriers).all(), "no barrier before a store"
        self.data[places], self.written[places] = np.broadcast_to(value, mask.shape)[mask], self.grid.barriers


def parse(lines):
    """The operations from the first line on, up to the end of their region, which is taken, too."""
    operations = []
    while lines and not lines[0].lstrip().startswith("}"):
        results, count, name, operands, attributes, has_regions, types = HEAD.match(lines.pop(0)).groups()
        names = [] if results is None else [results] if count is None else [f"{results}#{i}" for i in range(int(count))]
        operation = Operation(name, [value for value in operands.split(", ") if value], names, attributes or "", types or "")
        while has_regions:
            arguments = ARGUMENT.findall(lines.pop(0)) if BLOCK.match(lines[0]) else []
            operation.regions.append((arguments, parse(lines)))
            end = lines.pop(0).strip()
            if end != "}, {":
                has_regions, operation.types = False, end.removeprefix("})").removeprefix(" <{").removeprefix(" : ")
        operation.types = operation.types.rpartition(" -> ")[2]
        operations.append(operation)
    return operations


def kernel_of(text):
    """The kernel that convert-fp8gemm-to-hopper builds for the one operation of a module, which is bytes."""
    printed = run(BIN / "fp8gemm-opt", "--convert-fp8gemm-to-hopper", "--mlir-print-op-generic", "--mlir-print-local-scope", "-",
                  input=text).decode()
    def find(operations):
        for operation in operations:
            yield from [operation] if operation.name == "hopper.kernel" else (k for _, inner in operation.regions for k in find(inner))
    kernel, = find(parse([line for line in printed.splitlines() if line.strip()]))
    return kernel


def element_of(kind):
    """Of a scalar or a vector."""
    return TYPES[re.search(r"(\w+)>?$", kind)[1].rpartition("x")[2]]


def constant(text):
    value, _, kind = text.rpartition(" : ")
    if not value:
        return np.bool_(text == "true")
    if value.startswith("0x"):
        return np.uint32(int(value, 16)).view(np.float32)
    return TYPES[kind].type(float(value) if kind[0] == "f" else int(value))


PREDICATES = [np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal] + [np.less, np.less_equal, np.greater, np.greater_equal]
ORDERED = {1: np.equal, 2: np.greater, 3: np.greater_equal, 4: np.less, 5: np.less_equal}
def maximum(left, right):
    """Of zeros of both signs the positive one, unlike numpy's."""
    return np.where((left == 0) & (right == 0), left + right, np.maximum(left, right))


FUNCTIONS = {
    "arith.addi": np.add, "arith.subi": np.subtract, "arith.muli": np.multiply, "arith.divui": np.floor_divide, "arith.remui": np.remainder,
    "arith.minui": np.minimum, "arith.maxui": np.maximum, "arith.andi": np.bitwise_and, "arith.ori": np.bitwise_or, "arith.select": np.where,
    "arith.maximumf": maximum, "arith.addf": np.add, "arith.subf": np.subtract, "arith.mulf": np.multiply, "arith.divf": np.divide,
    "arith.negf": np.negative, "math.absf": np.abs, "math.exp": np.exp, "math.tanh": np.tanh,
    "math.erf": np.vectorize(math.erf, otypes=[np.float32]),
}


class Grid:
    def __init__(self, ctas, threads):
        self.ctas, self.threads, self.lanes = ctas, threads, ctas * threads
        self.values, self.has_waited, self.barriers = {}, False, 0

    def run(self, operations, mask):
        for operation in operations:
            handler = getattr(self, operation.name.replace(".", "_"), None)
            values = [self.values[name] for name in operation.operands]
            if handler:
                result = handler(operation, mask, *values)
            else:
                result = FUNCTIONS[operation.name](*values)
            if operation.types == "index":
                assert (np.broadcast_to((0 <= result) & (result < 2**31), mask.shape)[mask]).all(), "an index that does not fit 31 bits"
            self.values.update(zip(operation.results, result if operation.name == "gpu.shuffle" else [result]))

    def arith_constant(self, op, mask):
        return constant(op.attribute("value"))

    def arith_cmpi(self, op, mask, left, right):
        return PREDICATES[int(op.attribute("predicate").split()[0])](left, right)

    def arith_cmpf(self, op, mask, left, right):
        return ORDERED[int(op.attribute("predicate").split()[0])](left, right)

    def arith_extf(self, op, mask, value):
        return value.astype(element_of(op.types))

    def arith_truncf(self, op, mask, value):
        """As PTX converts: NaN is 0x7f, whatever its sign is."""
        narrow = value.astype(element_of(op.types))
        return np.where(np.isnan(value), np.uint8(0x7F), narrow.view(np.uint8)).view(narrow.dtype) if narrow.itemsize == 1 else narrow

    def arith_bitcast(self, op, mask, value):
        return value.view(TYPES[op.types])

    def gpu_thread_id(self, op, mask):
        return np.tile(np.arange(self.threads), self.ctas)

    def gpu_block_id(self, op, mask):
        return np.repeat(np.arange(self.ctas), self.threads)

    def gpu_grid_dim(self, op, mask):
        return np.int64(self.ctas)

    def gpu_shuffle(self, op, mask, value, offset, width):
        warps = mask.reshape(-1, WARP)
        assert (warps.all(1) | ~warps.any(1)).all() and width == WARP and "xor" in op.attributes
        return value.reshape(-1, WARP)[:, np.arange(WARP) ^ int(offset)].reshape(-1), np.ones(self.lanes, bool)

    def vector_broadcast(self, op, mask, value):
        return np.repeat(np.broadcast_to(value, mask.shape)[:, None], int(re.search(r"<(\d+)x", op.types)[1]), axis=1)

    def vector_reduction(self, op, mask, value):
        assert "maximumf" in op.attributes
        return np.maximum.reduce(value, axis=1)

    def vector_load(self, op, mask, matrix, row, column):
        assert self.has_waited, "a load before the wait for the previous kernel"
        return matrix.load(row, column, int(re.search(r"<(\d+)x", op.types)[1]), mask)

    def vector_store(self, op, mask, values, matrix, row, column):
        assert self.has_waited, "a store before the wait for the previous kernel"
        matrix.store(values, row, column, mask)

    def memref_store(self, op, mask, value, memory, *at):
        if isinstance(memory, Shared):
            memory.store(value, *at, mask)
        else:
            self.vector_store(op, mask, np.broadcast_to(value, mask.shape)[:, None], memory, *at)

    def memref_load(self, op, mask, shared, at):
        return shared.load(at, mask)

    def gpu_barrier(self, op, mask):
        of_ctas = mask.reshape(self.ctas, -1)
        assert (of_ctas.all(1) | ~of_ctas.any(1)).all(), "a barrier that not all threads of a CTA reach"
        self.barriers += 1

    def hopper_griddepcontrol(self, op, mask):
        self.has_waited |= op.attribute("kind").startswith("0")

    def hopper_map(self, op, mask, *inputs):
        (arguments, body), = op.regions
        self.values.update(zip((name for name, _ in arguments), inputs))
        self.run(body[:-1], mask)
        return self.values[body[-1].operands[0]]

    def scf_if(self, op, mask, condition):
        for (_, body), taken in zip(op.regions, (mask & condition, mask & ~np.asarray(condition, bool))):
            if taken.any():
                self.run(body, taken)

    def scf_for(self, op, mask, first, end, step):
        (((induction, _),), body), = op.regions
        at = np.broadcast_to(first, mask.shape).copy()
        while (active := mask & (at < end)).any():
            self.values[induction] = at.copy()
            self.run(body, active)
            at += step

    def nothing(self, op, mask, *values):
        return None

    scf_yield = hopper_yield = nothing


def launch(kernel, arguments, ctas):
    """Runs the kernel with that many CTAs. Arguments are matrices, and numbers."""
    (parameters, body), = kernel.regions
    grid = Grid(ctas, int(re.search(r"threads = (\d+)", kernel.attributes)[1]))
    vectors = [Shared(grid, int(re.match(r"memref<(\d+)xf32, 3>", kind)[1])) for _, kind in parameters[len(arguments):]]
    grid.values.update(zip((name for name, _ in parameters), [*arguments, *vectors], strict=True))
    with np.errstate(all="ignore"):
        grid.run(body, np.ones(grid.lanes, bool))
