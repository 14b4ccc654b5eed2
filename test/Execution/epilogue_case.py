# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One product with an epilogue on the GPU: launched by the driver, as its hopper.entry says, and compared by intervals."""

import ctypes
import json
import random

import operands as shared
import torch
from epilogue_items import FUNCTION, LAUNCHES, TINY, UNIT

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16, "e4m3": torch.float8_e4m3fn, "i32": torch.int32}
# CUtensorMapDataType, CUtensorMapSwizzle
MAP_TYPES, SWIZZLES = {"f8E4M3FN": 0, "f32": 7, "bf16": 9}, {0: 0, 32: 1, 64: 2, 128: 3}
POISON = 0xA5
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
KERNEL_ERROR = 2.0**-13 * 348  # c of docs/Numerics.md


# ----------------------------------------------------------------------------------
# The driver
# ----------------------------------------------------------------------------------


class Driver:
    """Kernels in cubins, launched with parameters by value."""

    def __init__(self):
        self.cuda = ctypes.CDLL("libcuda.so.1")
        torch.zeros(1, device=DEVICE)  # a context
        self.sms = torch.cuda.get_device_properties(0).multi_processor_count

    def check(self, status, what):
        if status:
            raise RuntimeError(f"{what}: CUDA error {status}")

    def load(self, path, entry):
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        image = ctypes.create_string_buffer(path.read_bytes())
        self.check(self.cuda.cuModuleLoadData(ctypes.byref(module), image), "cuModuleLoadData")
        self.check(self.cuda.cuModuleGetFunction(ctypes.byref(function), module, entry["name"].encode()), "cuModuleGetFunction")
        self.check(self.cuda.cuFuncSetAttribute(function, 8, entry["smem"]), "cuFuncSetAttribute")
        return module, function

    def unload(self, module):
        self.cuda.cuModuleUnload(module)

    def map(self, param, view):
        """A CUtensorMap over a tensor [..., rows, columns], with the box of a parameter."""
        sizes, strides = list(view.shape)[::-1], list(view.stride())[::-1]
        box = param["box"][::-1]
        box += [1] * (len(sizes) - len(box))
        box, sizes = box[:len(sizes)], sizes
        memory = torch.empty(192, dtype=torch.uint8).numpy()
        start = -memory.ctypes.data % 64
        rank = len(sizes)
        array = lambda kind, values: (kind * len(values))(*values)
        status = self.cuda.cuTensorMapEncodeTiled(
            ctypes.c_void_p(memory.ctypes.data + start), MAP_TYPES[param["element"]], rank, ctypes.c_void_p(view.data_ptr()),
            array(ctypes.c_uint64, sizes), array(ctypes.c_uint64, [stride * view.element_size() for stride in strides[1:]]),
            array(ctypes.c_uint32, box), array(ctypes.c_uint32, [1] * rank), 0, SWIZZLES[param["swizzle"]], 0, 0)
        self.check(status, f"cuTensorMapEncodeTiled of {param['operand']}: {sizes} {strides} {box}")
        return memory, start

    def launch(self, function, entry, views, m, clusters):
        """`views` are tensors by operand; rows of a matrix are apart by its stride."""
        keep, values = [], []
        for param in entry["params"]:
            view = views.get(param["operand"])
            if param["kind"] == "tensor_map":
                memory, start = self.map(param, view)
                keep.append(memory)
                values.append(ctypes.c_void_p(memory.ctypes.data + start))
                continue
            number = {"matrix": lambda: view.data_ptr(), "leading_dimension": lambda: view.stride(-2),
                      "group_stride": lambda: view.stride(0), "extent": lambda: m}[param["kind"]]()
            kind = ctypes.c_int32 if param["kind"] == "extent" else ctypes.c_int64
            keep.append(kind(number))
            values.append(ctypes.cast(ctypes.byref(keep[-1]), ctypes.c_void_p))
        pointers = (ctypes.c_void_p * len(values))(*values)
        attribute = (ctypes.c_uint8 * 72)()  # CUlaunchAttribute: id, padding, value
        ctypes.c_int32.from_buffer(attribute).value = 4  # CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION
        for i, size in enumerate((entry["cluster"], 1, 1)):
            ctypes.c_uint32.from_buffer(attribute, 8 + 4 * i).value = size
        config = (ctypes.c_uint8 * 56)()  # CUlaunchConfig: grid, block, shared memory, stream, attributes
        for i, size in enumerate((clusters * entry["cluster"], 1, 1, entry["threads"], 1, 1, entry["smem"])):
            ctypes.c_uint32.from_buffer(config, 4 * i).value = size
        ctypes.c_uint64.from_buffer(config, 32).value = torch.cuda.current_stream().cuda_stream
        ctypes.c_uint64.from_buffer(config, 40).value = ctypes.addressof(attribute)
        ctypes.c_uint32.from_buffer(config, 48).value = int(entry["cluster"] > 1)
        self.check(self.cuda.cuLaunchKernelEx(config, function, pointers, None), "cuLaunchKernelEx")
        torch.cuda.synchronize()


# ----------------------------------------------------------------------------------
# Intervals
# ----------------------------------------------------------------------------------


def widened(x, relative, absolute=TINY):
    return x[0] - relative * x[0].abs() - absolute, x[1] + relative * x[1].abs() + absolute


def corners(x, y, function):
    values = torch.stack([function(a, b) for a in x for b in y])
    return values.amin(0), values.amax(0)


def evaluate(steps, values):
    """The interval of the last step, of intervals by name; NaN where nothing is known."""
    ascending = lambda x, function, error: widened((function(x[0]), function(x[1])), error)
    for name, op, refs in steps:
        x = [] if op == "constant" else [values[ref] for ref in refs]
        if op == "constant":
            number = torch.tensor(refs[0], dtype=torch.float32).double().to(DEVICE)
            result = (number, number)
        elif op == "addf":
            result = widened((x[0][0] + x[1][0], x[0][1] + x[1][1]), UNIT)
        elif op == "subf":
            result = widened((x[0][0] - x[1][1], x[0][1] - x[1][0]), UNIT)
        elif op == "mulf":
            result = widened(corners(*(torch.broadcast_tensors(*a) for a in [(x[0][0] + 0 * x[1][0], x[0][1] + 0 * x[1][0]), (x[1][0] + 0 * x[0][0], x[1][1] + 0 * x[0][0])]), torch.mul), UNIT)
        elif op.startswith("divf"):
            least = 2.0**-126 if op.endswith("afn") else 0  # x * rcp.approx.ftz(y) is infinite of denormal divisors (PTX ISA)
            crosses = (x[1][0] <= least) & (x[1][1] >= -least)
            low, high = corners((x[0][0] + 0 * x[1][0], x[0][1] + 0 * x[1][0]), (x[1][0] + 0 * x[0][0], x[1][1] + 0 * x[0][0]), torch.div)
            if op.endswith("afn"):  # and 0 of those beyond 2^126
                large = torch.maximum(x[1][0].abs(), x[1][1].abs()) > 2.0**126
                low, high = torch.where(large, low.clamp(max=0), low), torch.where(large, high.clamp(min=0), high)
            nan = torch.full_like(low, float("nan"))
            result = widened((torch.where(crosses, nan, low), torch.where(crosses, nan, high)), 2.0**-21 if op.endswith("afn") else UNIT)
        elif op == "fma":
            product = corners((x[0][0] + 0 * x[1][0], x[0][1] + 0 * x[1][0]), (x[1][0] + 0 * x[0][0], x[1][1] + 0 * x[0][0]), torch.mul)
            result = widened((product[0] + x[2][0], product[1] + x[2][1]), UNIT)
        elif op == "negf":
            result = (-x[0][1], -x[0][0])
        elif op == "absf":
            crosses = (x[0][0] <= 0) & (x[0][1] >= 0)
            low, high = torch.minimum(x[0][0].abs(), x[0][1].abs()), torch.maximum(x[0][0].abs(), x[0][1].abs())
            result = (torch.where(crosses, torch.zeros_like(low), low), high)
        elif op in ("maximumf", "minimumf"):
            function = torch.maximum if op == "maximumf" else torch.minimum
            result = (function(x[0][0], x[1][0]), function(x[0][1], x[1][1]))
        elif op == "cmpf ogt":  # 0, 1, or both
            result = ((x[0][0] > x[1][1]).double(), (x[0][1] >= x[1][0]).double())
        elif op == "select":
            low, high = torch.minimum(x[1][0], x[2][0]), torch.maximum(x[1][1], x[2][1])
            for is_it, branch in ((x[0][0] == 1, x[1]), (x[0][1] == 0, x[2])):
                low, high = torch.where(is_it, branch[0], low), torch.where(is_it, branch[1], high)
            result = (low, high)
        elif op == "exp":
            most = torch.maximum(x[0][0].abs(), x[0][1].abs())
            low, high = torch.exp(x[0][0]), torch.exp(x[0][1])
            error = 2.0**-21 + 2.0**-23 * most
            result = (low - error * low - TINY, high + error * high + TINY)
        else:
            result = ascending(x[0], {"tanh": torch.tanh, "erf": torch.erf}[op], FUNCTION)
        values[name] = result
    return values[steps[-1][0]]


# ----------------------------------------------------------------------------------
# A case
# ----------------------------------------------------------------------------------


def guarded(shape, element, extra, pad_rows=0):
    """Poisoned memory with a matrix in it whose rows are `extra` elements longer, and the matrix."""
    groups, rows, columns = ([1] + list(shape))[-3:]
    leading = columns + extra
    leading += -leading % (16 // TYPES[element].itemsize)
    memory = torch.full(((groups * rows + 2) * leading * TYPES[element].itemsize,), POISON, dtype=torch.uint8, device=DEVICE)
    view = memory.view(TYPES[element])[leading:-leading].view(groups, rows, leading)[:, :, :columns]
    return memory, view if len(shape) == 3 else view[0]


def stored(x, layout, extra):
    """Scales [..., rows, blocks] as they are stored."""
    x = x if layout == "k_major" else x.transpose(-1, -2)
    _, view = guarded(x.shape, "f32", extra)
    view.copy_(x)
    return view


class Case:
    def __init__(self, item, m, seed):
        self.item, self.m = item, m
        rng = random.Random(seed)
        torch.manual_seed(seed)
        n, k, groups, grouping = item["n"], item["k"], item["groups"], item["grouping"]
        own = grouping in ("row_count", "batched")
        rows_of_b, blocks = n * (2 if item["gated"] else 1), -(-k // 128)
        self.views = {}
        lead = [groups] if own else []
        self.a = (torch.randn(*lead, m, k, device=DEVICE) * 8).to(TYPES["e4m3"])
        self.b = (torch.randn(*([groups] if grouping != "none" else []), rows_of_b, k, device=DEVICE) * 8).to(TYPES["e4m3"])
        size = lambda *shape: torch.exp2(torch.randint(-2, 3, shape, device=DEVICE).float()) * (1 + torch.rand(*shape, device=DEVICE))
        unit = 1 / (64 * k**0.5)
        self.sfa, self.sfb = size(*lead, m, blocks) * unit, size(*self.b.shape[:-2], -(-rows_of_b // 128), blocks)
        for name, matrix in (("a", self.a), ("b", self.b)):
            _, view = guarded(matrix.shape, "e4m3", rng.choice([0, 16, 48]))
            view.view(torch.uint8).copy_(matrix.view(torch.uint8))
            self.views[name] = view
        self.views["sfa"] = stored(self.sfa, item["sfa"], rng.choice([0, 4, 8]))
        self.views["sfb"] = stored(self.sfb, "k_major", rng.choice([0, 4]))
        sizes = [rng.randint(0, m) for _ in range(groups)]
        ends = sorted(rng.randint(0, m) for _ in range(groups))
        self.rows = [(0, 0, m)] if grouping == "none" else [(g, 0, m if grouping == "batched" else sizes[g]) for g in range(groups)]
        if grouping == "row_end":
            self.rows = [(g, ends[g - 1] if g else 0, ends[g]) for g in range(groups)]
        described = {"row_end": ends, "row_count": sizes}.get(grouping)
        if described:
            self.views["groups"] = torch.tensor(described, dtype=torch.int32, device=DEVICE)
        self.operands = []
        for i, (kind, element) in enumerate(item["operands"]):
            shape = {"scalar": (1, 1), "row": (1, n), "column": (*lead, m, 1), "matrix": (*lead, m, n), "row_of_group": (groups, 1, n)}[kind]
            _, view = guarded(shape, element, 0 if kind in ("scalar", "row") else rng.choice([0, 8]))
            view.copy_(torch.randn(*shape, device=DEVICE))
            self.operands.append(view)
            self.views[f"epilogue_{i}"] = view
        if len(item["operands"]) == 1 and item["operands"][0][0] == "row":
            self.views["bias"] = self.operands[0]  # where the epilogue happens to be a sum
        self.lead = lead

    def output(self, element, extra=16):
        return guarded((*self.lead, self.m, self.item["n"]), element, extra)

    def group(self, x, g):
        return x[g] if x.dim() == 3 and x.shape[0] > 1 or x.dim() == 3 and self.item["groups"] == 1 else x

    def interval(self, g, first, end):
        """What D's rows may be before they are rounded, and whether that is known."""
        item = self.item
        a = self.group(self.a, g)[first:end]
        sfa = self.group(self.sfa, g)[first:end]
        b, sfb = self.group(self.b, g), self.group(self.sfb, g)
        sums = []
        for half in range(2 if item["gated"] else 1):
            rows = slice(half * item["n"], (half + 1) * item["n"])
            columns = sfb.double().repeat_interleave(128, 0)[rows]
            exact, magnitude = 0, 0
            for block in range(sfb.shape[1]):
                part = slice(block * 128, (block + 1) * 128)
                scale = sfa[:, block, None].double() * columns[:, block]
                x, y = shared.exact(a[:, part]), shared.exact(b[rows, part])
                exact, magnitude = exact + scale * (x @ y.T), magnitude + scale.abs() * (x.abs() @ y.abs().T)
            error = torch.minimum(KERNEL_ERROR * magnitude, shared.stepwise_error(a, sfa, b[rows], sfb[self.scale_rows(half)]))
            error = error + (sfb.shape[1] + 3) * 2.0**-24 * magnitude
            sums.append((exact - error, exact + error))
        values = dict(zip(("sum", "up"), sums))
        for i, (view, (kind, _)) in enumerate(zip(self.operands, item["operands"])):
            x = self.group(view, g) if kind != "scalar" else view
            x = x[first:end] if kind in ("column", "matrix") else x
            x = x.double() + torch.zeros_like(sums[0][0])
            values[f"x{i}"] = (x, x)
        return evaluate(item["function"], values)

    def scale_rows(self, half):
        return slice(half * self.item["n"] // 128, -(-(half + 1) * self.item["n"] // 128))


def clusters_of(driver, entry, case):
    rows, columns = -(-case.m // (entry["tile_m"] * entry["cluster_m"])), -(-case.item["n"] // (entry["tile_n"] * entry["cluster_n"]))
    work = rows * columns * (case.item["groups"] if case.lead else 1) + (case.item["groups"] if case.item["grouping"] == "row_end" else 0)
    return max(1, work if entry["split_k"] > 1 else min(work, driver.sms // entry["cluster"]))


def check(driver, item, functions, m, seed):
    """Elements that were compared, and what is wrong, if anything."""
    case = Case(item, m, seed)
    element = item["d"]
    memory, d = case.output(element)
    case.views["d"] = d
    if element == "e4m3":
        shape = (*case.lead, m, item["n"] // 128) if item["sfd"] == "k_major" else (*case.lead, item["n"] // 128, m)
        _, case.views["sfd"] = guarded(shape, "f32", 4)
    before = memory.clone()
    driver.launch(functions[0], item["entry"], case.views, m, clusters_of(driver, item["entry"], case))
    owned = torch.zeros_like(d, dtype=torch.uint8)
    compared = 0
    if element == "e4m3":
        _, wide = case.output("f32", 4)
        driver.launch(functions[1], item["entry_f32"], dict(case.views, d=wide), m, clusters_of(driver, item["entry_f32"], case))
    for g, first, end in case.rows:
        if first >= end:
            continue
        low, high = case.interval(g, first, end)
        got = case.group(d, g)[first:end]
        case.group(owned, g)[first:end] = 1
        if element == "e4m3":
            scales = case.views["sfd"] if item["sfd"] == "k_major" else case.views["sfd"].transpose(-1, -2)
            scales = case.group(scales, g)[first:end]
            blocks = case.group(wide, g)[first:end].reshape(end - first, -1, 128)
            amax = blocks.abs().amax(2)
            # On the device: by a number of the host PyTorch multiplies by its reciprocal.
            least, largest = torch.tensor(1e-4, device=DEVICE), torch.tensor(448.0, device=DEVICE)
            expected = torch.maximum(amax, least) / largest
            if item["power_of_two"]:
                bits = (expected.view(torch.int32) + 0x7FFFFF) & 0x7F800000
                expected = bits.view(torch.float32)
            if not torch.equal(scales.contiguous().view(torch.int32), expected.contiguous().view(torch.int32)):
                return compared, f"scales are not those of fp8gemm.quantize: {int((scales != expected).sum())} of {scales.numel()}"
            elements = (blocks * (1 / expected)[:, :, None]).view(end - first, -1).clamp(-448, 448).to(TYPES["e4m3"])
            if not torch.equal(got.contiguous().view(torch.uint8), elements.view(torch.uint8)):
                return compared, "elements are not those of fp8gemm.quantize"
            got = case.group(wide, g)[first:end]
        else:
            low, high = (low - 2.0**-8 * low.abs() - 2.0**-133, high + 2.0**-8 * high.abs() + 2.0**-133) if element == "bf16" else (low, high)
        known = torch.isfinite(low) & torch.isfinite(high)
        wrong = known & ~((got.double() >= low) & (got.double() <= high))
        compared += int(known.sum())
        if int(known.sum()) * 2 < known.numel():
            return compared, f"only {int(known.sum())} of {known.numel()} elements have a bound"
        if wrong.any():
            row, column = (int(x) for x in wrong.nonzero()[0])
            return compared, (f"D[{g}, {first + row}, {column}] = {float(got[row, column])}, expected {float(low[row, column])} to "
                              f"{float(high[row, column])}; {int(wrong.sum())} such elements")
    after, changed = memory.clone(), d.clone()
    d.view(torch.uint8).copy_(torch.full_like(d.view(torch.uint8), POISON))
    if not torch.equal(memory, before):
        return compared, "bytes between and after the rows of D changed"
    rest = (changed.view(torch.uint8).view(*owned.shape, -1) != POISON).any(-1) & (owned == 0)
    return compared, "rows of no group changed" if rest.any() else ""


def run(folder):
    driver = Driver()
    items = json.loads((folder / "items.json").read_text())
    problems = failed = compared = 0
    for item in items:
        names = [f"item{item['number']}"] + [f"item{item['number']}-f32"] * ("entry_f32" in item)
        loaded = [driver.load(folder / f"{name}.cubin", item[key]) for name, key in zip(names, ("entry", "entry_f32"))]
        rng = random.Random(item["number"])
        for launch in range(LAUNCHES):
            m = rng.choice([1, 7, 16, 63, 64, 65, 128, 200, 255, rng.randint(1, 700)])
            problems += 1
            count, wrong = check(driver, item, [function for _, function in loaded], m, 1000 * item["number"] + launch)
            compared += count
            if wrong:
                failed += 1
                print(f"FAIL item {item['number']} m = {m} {item['grouping']} n = {item['n']} k = {item['k']} d = {item['d']} "
                      f"'{item['config']}': {wrong}", flush=True)
        for module, _ in loaded:
            driver.unload(module)
    print(f"{problems - failed} of {problems} problems passed, {compared} elements compared")
    return failed or problems < 1
