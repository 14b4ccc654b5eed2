# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The worker of run_gpu_tests.py: runs kernels and checks what they wrote (see supervise.py).

An item is {"id", "group", "kernel": path} and has "kind": "empty", "refused", "special",
"adversarial", "model", "steady", "grouped" (see grouped_case.py), or is a random product: "m", "seed", and where not as usual "rows" of the
data, the "first" of the m, "paddings" (a list, as operands.STRIDED), "bits": kernels of the
same name must give a row the same bits.
"""

import ctypes
import itertools
import sys

import torch

import grouped_case
import operands
import runtime_binding
import supervise
import surroundings
from operands import numerics, tensor_core

MAX_M = 4096
# Of each row's norm, on random data.
RANDOM_ERROR = 2.0**-8
# Inputs made to err reach this share of the constant bound, or it is slack.
ADVERSARIAL_SHARE = 1 / 16
MADE_ROWS = 16


class Failure(Exception):
    """What is wrong with a result."""


def described(paddings):
    return "strided" if any(paddings.values()) else "packed"


def describe(bad, got, expected, allowed):
    """Where the wrong elements are, and the first of them."""
    rows, columns = torch.nonzero(bad, as_tuple=True)
    some = [f"[{r},{c}] is {got[r, c]:.9g}, expected {expected[r, c]:.9g} +- {allowed[r, c]:.3g}"
            for r, c in zip(rows[:3].tolist(), columns[:3].tolist())]
    return (f"{len(rows)} of {bad.numel()} elements out of bound, rows {int(rows.min())}..{int(rows.max())}, "
            f"columns {int(columns.min())}..{int(columns.max())}; " + "; ".join(some))


def stream_of_another_context():
    """A stream of a context that is not the current one."""
    driver = ctypes.CDLL("libcuda.so.1")
    context, stream = ctypes.c_void_p(), ctypes.c_void_p()
    for name, *arguments in (("cuCtxCreate_v2", ctypes.byref(context), 0, 0),
                             ("cuStreamCreate", ctypes.byref(stream), 0),
                             ("cuCtxPopCurrent_v2", ctypes.byref(context))):
        status = getattr(driver, name)(*arguments)
        if status:
            raise Failure(f"{name} failed with status {status}: no second context to test with")
    return stream.value


class Case:
    """Runs items on a device; keeps what consecutive items share."""

    def __init__(self, device, open_kernel, synchronize, other_stream=stream_of_another_context, around=None,
                 behind=lambda kernel, everything: ()):
        self.device, self.open_kernel, self.synchronize = device, open_kernel, synchronize
        self.other_stream, self.around, self.behind = other_stream, around, behind
        self.kernel, self.kernel_path = None, None
        self.data, self.data_key = None, None
        self.full, self.full_key = None, None
        self.of_groups = grouped_case.GroupedCase(self, Failure)

    def use_kernel(self, path):
        if path != self.kernel_path:
            if self.kernel:
                self.kernel.close()
            self.kernel, self.kernel_path = self.open_kernel(path), path
        return self.kernel

    def use_data(self, kernel, seed, rows=None):
        """Normal data, its quantisation, C (None where none is added) and their oracle: MAX_M rows or `rows`, of which
        an item takes M."""
        rows = rows or MAX_M
        n, k, adds = kernel.n, kernel.k, kernel.c_use != "none"
        key = (rows, n, k, seed, kernel.a_type, kernel.b_type, kernel.sfb_rows, kernel.d_type, adds,
               getattr(kernel, "bias", None))
        if self.data_key != key:
            self.data = None  # two sets would not be needed at once
            random = torch.Generator(self.device).manual_seed(1000 + seed)
            a = torch.randn(rows, k, generator=random, device=self.device)
            b = torch.randn(n, k, generator=random, device=self.device)
            # Rows of different size, so that a scale taken from another row or block shows.
            a *= torch.exp2(torch.randint(-4, 5, (rows, 1), generator=random, device=self.device))
            quantised = (*operands.quantise(a, 1, operands.BLOCK, operands.TYPES[kernel.a_type]),
                         *operands.quantise(b, kernel.sfb_rows, operands.BLOCK, operands.TYPES[kernel.b_type]))
            c = None
            if adds:
                c = torch.randn(rows, n, generator=random, device=self.device) * a.norm(dim=1, keepdim=True)
                c = c.to(operands.TYPES[kernel.d_type])
            oracle = operands.Oracle(*quantised, c, kernel.d_type, operands.bias_of(kernel, self.device))
            self.data, self.data_key = (quantised, c, oracle), key
        return self.data

    def multiply(self, a, sfa, b, sfb, paddings, c=None):
        """D, from poisoned memory, or added to C; twice, with the same bits; nothing else written."""
        kernel = self.kernel
        everything = operands.Operands(a, sfa, b, sfb, kernel, paddings, c)
        arguments = everything.arguments(kernel)
        results = []
        for _ in range(2):
            everything.prepare()
            kernel.launch(arguments)
            self.synchronize()
            results.append(everything.d.read())
        how = described(paddings)
        damaged = everything.damaged()
        if damaged:
            raise Failure(f"{how}: wrote outside of, or into, {', '.join(damaged)}")
        missing = operands.unwritten(results[0])
        if missing:
            rows, columns = torch.nonzero(operands.bits(results[0]) == -1, as_tuple=True)
            raise Failure(f"{how}: {missing} of {results[0].numel()} elements not written, rows {int(rows.min())}.."
                          f"{int(rows.max())}, columns {int(columns.min())}..{int(columns.max())}")
        different = int((operands.bits(results[0]) != operands.bits(results[1])).sum())
        if different:
            raise Failure(f"{how}: {different} elements differ between two launches")
        return results[0]

    def compare(self, d, oracle, how, rows=slice(None)):
        """Largest errors against those rows of the oracle, as shares of the bounds (constant, stepwise); Failure above 1
        or where not a number.
        """
        got, value = d.to(torch.float64), oracle.value[rows]
        error, shares = (got - value).abs(), []
        for name, allowed in zip(("constant", "stepwise"), oracle.limits(rows)):
            bad = ~(error <= allowed)
            if bad.any():
                raise Failure(f"{how}: by the {name} bound, " + describe(bad, got, value, allowed))
            shares.append(float((error / allowed).max()))
        return shares

    def compare_rows(self, d, oracle, how, rows=slice(None)):
        """Largest relative error of a row; Failure where it is more than rounding explains."""
        value = oracle.value[rows]
        relative = (d.to(torch.float64) - value).norm(dim=1) / value.norm(dim=1).clamp_min(2.0**-134)
        bad = torch.nonzero(~(relative <= RANDOM_ERROR)).flatten()
        if len(bad):
            raise Failure(f"{how}: {len(bad)} of {len(relative)} rows ({int(bad.min())}..{int(bad.max())}) have a relative "
                          f"error above {RANDOM_ERROR}, the largest {float(relative.max()):.3g}")
        return float(relative.max())

    def random(self, item):
        kernel, first = self.use_kernel(item["kernel"]), item.get("first", 0)
        rows = slice(first, first + item["m"])
        (a, sfa, b, sfb), c, oracle = self.use_data(kernel, item["seed"], item.get("rows"))
        key = (item.get("bits", item["kernel"]), item["seed"])
        if self.full_key != key:  # at the first item of this data, and after a restart
            self.full, self.full_key = None, key
            try:
                self.full = self.multiply(a, sfa, b, sfb, operands.PACKED, c)
                self.full_label = item.get("label", "")
            except Failure:
                pass  # the items with the largest M tell
        worst, worst_row = 0.0, 0.0
        for paddings in item.get("paddings", (operands.PACKED, operands.STRIDED)):
            how = described(paddings)
            d = self.multiply(a[rows], sfa[rows], b, sfb, paddings, None if c is None else c[rows])
            worst = max(worst, self.compare(d, oracle, how, rows)[1])
            worst_row = max(worst_row, self.compare_rows(d, oracle, how, rows))
            if self.full is None:
                continue
            changed = int((operands.bits(d) != operands.bits(self.full[rows])).any(1).sum())
            if changed:
                raise Failure(f"{how}: {changed} rows have other bits than with M = {len(self.full)} and schedule "
                              f"'{self.full_label}'")
        return {"ratio": worst, "row": worst_row}

    def steady(self, item):
        """The same bits on another stream, beside another kernel, with fewer multiprocessors, as a dependent."""
        kernel, m = self.use_kernel(item["kernel"]), item["m"]
        (a, sfa, b, sfb), c, _ = self.use_data(kernel, item["seed"], item.get("rows"))
        everything = operands.Operands(a[:m], sfa[:m], b, sfb, kernel, operands.PACKED, None if c is None else c[:m])
        arguments, alone = everything.arguments(kernel), None
        for how, launch in itertools.chain(self.around(kernel, item["kernel"]), self.behind(kernel, everything)):
            everything.prepare()
            self.synchronize()
            launch(arguments)
            d = operands.bits(everything.d.read())
            if alone is None:
                alone = d
            changed = int((d != alone).any(1).sum())
            if changed:
                raise Failure(f"{how}: {changed} of {m} rows have other bits than when run separately")
        if operands.unwritten(alone) or everything.damaged():
            raise Failure("elements not written, or something else written")
        return {}

    def empty(self, item):
        """M = 0 succeeds, writes nothing, and needs no memory."""
        kernel = self.use_kernel(item["kernel"])
        (a, sfa, b, sfb), c, _ = self.use_data(kernel, 0)
        everything = operands.Operands(a[:1], sfa[:1], b, sfb, kernel, operands.PACKED, None if c is None else c[:1])
        everything.d.poison()
        everything.m = 0
        kernel.launch(everything.arguments(kernel))
        self.synchronize()
        if int((everything.d.buffer != operands.FILL).sum()):
            raise Failure("wrote to D")
        return {}

    def refused(self, item):
        """Wrong arguments are answered with a status, and nothing is launched."""
        kernel, m = self.use_kernel(item["kernel"]), 8
        (a, sfa, b, sfb), c, _ = self.use_data(kernel, 0)
        everything = operands.Operands(a[:m], sfa[:m], b, sfb, kernel, operands.PACKED, None if c is None else c[:m])
        everything.d.poison()
        right = {name: getattr(everything, name).operand for name in everything.names}

        def attempt(what, status, stream=0, rows=m, **changed):
            arguments = kernel.arguments(rows, **{**right, **changed})
            try:
                kernel.launch(arguments, stream)
            except runtime_binding.StatusError as error:
                if str(error).startswith(status + ": "):
                    return
                raise Failure(f"{what}: expected {status}, got {error}") from None
            raise Failure(f"{what}: expected {status}, got a launch")

        for name in everything.names:
            address, leading = right[name]
            attempt(f"null '{name}'", "INVALID_ARGUMENT", **{name: (None, leading)})
            attempt(f"'{name}' rows that overlap", "INVALID_ARGUMENT", **{name: (address, 0)})
        for name in {"a", "b", "c", "d"}.intersection(everything.names):
            address, leading = right[name]
            half = 8 // getattr(everything, name).size  # elements in 8 bytes
            attempt(f"misaligned '{name}'", "INVALID_ARGUMENT", **{name: (address + 8, leading)})
            attempt(f"misaligned rows of '{name}'", "INVALID_ARGUMENT", **{name: (address, leading + half)})
        address, leading = right["d"]
        attempt("a 'c' that overlaps 'd', or is not wanted", "INVALID_ARGUMENT", c=(address + 16, leading))
        attempt("a 'd' that overlaps 'a'", "INVALID_ARGUMENT", d=(right["a"][0], leading))
        attempt("negative M", "INVALID_ARGUMENT", rows=-1)
        attempt("a stream of another context", "WRONG_CONTEXT", stream=self.other_stream())
        self.synchronize()
        if int((everything.d.buffer != operands.FILL).sum()):
            raise Failure("a refused call wrote to D")
        return {}

    def on_device(self, problem):
        """A numpy problem as tensors."""
        types = {numerics.E4M3: ("uint8", torch.float8_e4m3fn), numerics.E5M2: ("uint8", torch.float8_e5m2),
                 numerics.BF16: ("int16", torch.bfloat16)}

        def move(array):
            for element, (stored, tensor) in types.items():
                if array.dtype == element:
                    return torch.from_numpy(array.view(stored)).to(self.device).view(tensor)
            return torch.from_numpy(array).to(self.device)
        return tuple(move(array) for array in (problem.a, problem.sfa, problem.b, problem.sfb))

    def inputs_made_to_err(self):
        """Makers of problems whose operands have the kernel's types."""
        mixed = tensor_core.lost_below_subnormal_of_mixed_types

        def mixed_the_other_way(m, n):
            problem = mixed(n, m)
            return numerics.Problem(problem.b, problem.sfb, problem.a, problem.sfa)
        return {("e4m3", "e4m3"): (tensor_core.lost_below_large, tensor_core.lost_below_subnormal,
                                   tensor_core.zero_times_large),
                ("e4m3", "e5m2"): (mixed,), ("e5m2", "e4m3"): (mixed_the_other_way,),
                ("e5m2", "e5m2"): (tensor_core.lost_below_subnormal_e5m2,)}[self.kernel.a_type, self.kernel.b_type]

    def adversarial(self, item):
        """Inputs made to err, in the first K block: within the bounds, and the worst not far below the constant one."""
        kernel = self.use_kernel(item["kernel"])
        shares = {}
        c = None
        if kernel.c_use != "none":
            c = torch.zeros(MADE_ROWS, kernel.n, dtype=operands.TYPES[kernel.d_type], device=self.device)
        for make in self.inputs_made_to_err():
            a, _, b, _ = self.on_device(make(MADE_ROWS, 1))
            types = a.dtype, b.dtype
            a, b = (torch.nn.functional.pad(x.view(torch.uint8), (0, kernel.k - x.shape[1])) for x in (a, b))
            a, b = a.view(types[0]), b.repeat(kernel.n, 1).view(types[1])
            blocks = operands.ceil_div(kernel.k, operands.BLOCK)
            sfa = torch.ones(MADE_ROWS, blocks, device=self.device)
            sfb = torch.ones(operands.ceil_div(kernel.n, kernel.sfb_rows), blocks, device=self.device)
            d = self.multiply(a, sfa, b, sfb, operands.PACKED, c)
            shares[make.__name__] = self.compare(d, operands.Oracle(a, sfa, b, sfb, c, kernel.d_type), make.__name__)[0]
        worst = max(shares.values())
        if worst < ADVERSARIAL_SHARE:
            raise Failure(f"the largest error is {worst:.4f} of the constant bound, expected at least "
                          f"{ADVERSARIAL_SHARE}: the bound is slack, or the kernel sums in another way")
        return {"ratio": worst, "shares": shares}

    def special(self, item):
        """NaN, infinite, zero and negative values, a row each, do what docs/Numerics.md says."""
        kernel = self.use_kernel(item["kernel"])
        (a, sfa, b, sfb), c, _ = self.use_data(kernel, 0)
        element, c = a.dtype, None if c is None else c[:8]
        a, sfa = a[:8].view(torch.uint8).clone(), sfa[:8].clone()
        a[0, 3] = a[5, 3] = 0x7F  # NaN
        a[6] = 0
        if kernel.a_type == "e5m2":
            a[7, 2] = 0x7C  # infinite
        sfa[1, 0] = sfa[6, 0] = float("inf")
        sfa[2, 0] = float("nan")
        sfa[3] = sfa[5] = 0
        sfa[4] *= -1
        d = self.multiply(a.view(element), sfa, b, sfb, operands.PACKED, c).to(torch.float64)
        value = operands.sum_of_blocks(a.view(element), sfa, b, sfb, c)
        finite = value.isfinite()
        same = torch.where(finite, (d - value).abs() <= RANDOM_ERROR * 16 * value.abs().clamp_min(value[4].abs().max()),
                           (d == value) | (d.isnan() & value.isnan()))
        if not bool(same.all()):
            row, column = (int(x[0]) for x in torch.nonzero(~same, as_tuple=True))
            raise Failure(f"D[{row}, {column}]: expected {float(value[row, column])}, got {float(d[row, column])}")
        if bool((d[3] != (0 if c is None else c[3].double())).any()):
            raise Failure("a row of zero scales is not zero, or C")
        return {}

    def model(self, item):
        """Share of the elements that have the very bits of the model of the tensor core. It decides nothing."""
        kernel = self.use_kernel(item["kernel"])
        types = [{"e4m3": numerics.E4M3, "e5m2": numerics.E5M2, "bf16": numerics.BF16, "f32": numerics.F32}[name]
                 for name in (kernel.a_type, kernel.b_type, kernel.d_type)]
        problem = numerics.random_problem(MADE_ROWS, kernel.n, kernel.k, 0, kernel.sfb_rows, *types, kernel.c_use != "none")
        c = None
        if problem.c is not None:
            c = torch.from_numpy(problem.c.astype("float32")).to(self.device).to(operands.TYPES[kernel.d_type])
        d = self.multiply(*self.on_device(problem), operands.PACKED, c)
        stored = "int32" if kernel.d_type == "f32" else "int16"
        expected = torch.from_numpy(tensor_core.gemm(problem).view(stored)).to(self.device)
        return {"ratio": float((operands.bits(d) == expected).to(torch.float64).mean())}

    def grouped(self, item):
        """A product of groups, under a pattern of them."""
        return self.of_groups.run(item)

    def run(self, item):
        try:
            return dict(getattr(self, item.get("kind", "random"))(item), status="pass")
        except (Failure, surroundings.NoSurroundings) as failure:
            return {"status": "fail", "note": str(failure)}
        except runtime_binding.StatusError as error:
            if str(error).startswith("DRIVER_ERROR"):
                raise
            return {"status": "fail", "note": str(error)}


def main():
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.zeros(1, device="cuda")  # makes the primary context current

    def open_kernel(path):
        kernel = runtime_binding.Kernel(path)
        kernel.load()
        return kernel

    surroundings.use_driver()
    around = surroundings.Surroundings(open_kernel)
    case = Case("cuda", open_kernel, torch.cuda.synchronize, around=around.calls,
                behind=around.behind)
    supervise.work(sys.argv[1], torch.cuda.get_device_name(0), case.run)


if __name__ == "__main__":
    main()
