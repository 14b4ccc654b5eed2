# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Comparisons and times, as programs that test DeepGEMM take them from it."""

import functools
import os

import torch

_FLUSHED_BYTES = 256 << 20  # more than any L2 cache


def get_arch_major():
    """The first digit of the current device's compute capability."""
    return torch.cuda.get_device_capability()[0]


def calc_diff(x, y):
    """1 - 2 <x, y> / (<x, x> + <y, y>), in float64: 0 if they are equal."""
    x, y = x.double(), y.double()
    squares = (x * x + y * y).sum()
    return 1 - 2 * (x * y).sum() / squares if squares else 0.0


def count_bytes(*tensors):
    """Of all of them, in tuples and lists, too; None has none."""
    return sum(count_bytes(*t) if isinstance(t, (tuple, list)) else t.numel() * t.element_size() for t in tensors if t is not None)


def assert_bitwise_equal(x, y, label=""):
    """AssertionError, with the first element that differs."""
    where = f" ({label})" if label else ""
    assert (x.shape, x.dtype) == (y.shape, y.dtype), f"expected {x.dtype} {tuple(x.shape)}{where}, got {y.dtype} {tuple(y.shape)}"
    differ = (x.contiguous().view(torch.uint8) != y.contiguous().view(torch.uint8)).flatten().nonzero()
    if len(differ):
        element = differ[0].item() // x.element_size()
        raise AssertionError(f"expected the same bits{where}, got {len(differ)} bytes that differ; first in element {element}: "
                             f"{x.flatten()[element].item()} and {y.flatten()[element].item()}")


def test_filter(condition):
    """A decorator: the function is skipped, visibly, unless condition()."""
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*arguments, **options):
            if condition():
                return function(*arguments, **options)
            print(f"{function.__name__}: skipped by {condition}")
        return wrapper
    return decorate


test_filter.__test__ = False  # of pytest


def ignore_env(name, condition):
    """A decorator: the function runs without that environment variable if condition()."""
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*arguments, **options):
            saved = os.environ.pop(name, None) if condition() else None
            try:
                return function(*arguments, **options)
            finally:
                if saved is not None:
                    os.environ[name] = saved
        return wrapper
    return decorate


def bench(fn, num_warmups=5, num_tests=10, high_precision=False):
    """Seconds of a call by CUDA events, L2 flushed once. high_precision: the queue is kept full by a product before."""
    torch.empty(_FLUSHED_BYTES, dtype=torch.uint8, device="cuda").zero_()
    for _ in range(num_warmups):
        fn()
    if high_precision:
        filler = torch.randn(8192, 8192, device="cuda")
        filler @ filler
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(num_tests):
        fn()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / num_tests / 1e3


def bench_kineto(fn, kernel_names, num_tests=30, suppress_kineto_output=False, trace_path=None, flush_l2=True,
                 with_multiple_kernels=False, barrier=None):
    """Seconds of the kernels whose names have that text in them, by PyTorch's profiler: a tuple for a tuple. At most one
    kernel for a text, unless with_multiple_kernels. suppress_kineto_output has nothing to suppress."""
    names = (kernel_names,) if isinstance(kernel_names, str) else tuple(kernel_names)
    fn()
    torch.cuda.synchronize()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA], acc_events=True) as profiler:
        for _ in range(num_tests):
            if flush_l2:
                torch.empty(_FLUSHED_BYTES, dtype=torch.uint8, device="cuda").zero_()
            if barrier is not None:
                barrier()
            fn()
        torch.cuda.synchronize()
    if trace_path is not None:
        profiler.export_chrome_trace(trace_path)
    kernels = profiler.key_averages()
    times = []
    for name in names:
        found = [kernel for kernel in kernels if name in kernel.key]
        if not found or len(found) > 1 and not with_multiple_kernels:
            raise ValueError(f"expected one kernel with {name!r} in its name, got {[kernel.key for kernel in found or kernels]}")
        times.append(sum(kernel.device_time_total for kernel in found) / sum(kernel.count for kernel in found) / 1e6)
    return times[0] if isinstance(kernel_names, str) else tuple(times)
