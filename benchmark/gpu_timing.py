# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernel time of a call with cold caches.

Before each timed call 512 MB are written and another 512 MB read: L2 then holds neither
operands nor dirty lines, whose eviction the call would pay for. The time is the sum of
every kernel, memset and copy that the call ran, as CUPTI reports them (torch.profiler).
A call's activities are those on the GPU's timeline between the end of its own flush and
the start of the next one: the flush kernels' names delimit them.
"""

import torch
import triton
import triton.language as tl
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

FLUSH_BYTES = 512 << 20
FLUSH_BLOCK = 4096
# Entries of a GPU timeline that are not work.
WAITS = {"Context Sync", "Stream Sync", "Event Sync", "Stream Wait Event"}
WRITER, READER = "bench_flush_write", "bench_flush_read"


@triton.jit(do_not_specialize=["value"])
def bench_flush_write(pointer, value, BLOCK: tl.constexpr):
    offsets = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    tl.store(pointer + offsets, offsets.to(tl.int32) + value)


@triton.jit
def bench_flush_read(pointer, sink, BLOCK: tl.constexpr):
    offsets = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    # The sum is never that value, but the compiler can't know: the loads stay.
    total = tl.sum(tl.load(pointer + offsets), 0)
    tl.store(sink, total, mask=total == 0x7A3C91D5)


@triton.jit
def bench_read_once(pointer, sink, words, BLOCK: tl.constexpr):
    """Reads `words` 32-bit words once, 16 bytes a thread and load."""
    sums = tl.zeros([BLOCK], tl.int32)
    for start in range(tl.program_id(0) * BLOCK, words, tl.num_programs(0) * BLOCK):
        offsets = start + tl.arange(0, BLOCK)
        sums += tl.load(pointer + offsets, mask=offsets < words, other=0)
    total = tl.sum(sums, 0)
    tl.store(sink, total, mask=total == 0x7A3C91D5)


class ReadOnce:
    """The floor of small M: a plain kernel that only reads `tensor`, 8 CTAs of 256 threads a multiprocessor."""

    CTAS_PER_SM, THREADS, WORDS_PER_LOAD = 8, 256, 4

    def __init__(self, tensor):
        self.words = tensor.view(torch.uint8).reshape(-1).view(torch.int32)
        self.sink = torch.zeros(1, dtype=torch.int32, device=tensor.device)
        sms = torch.cuda.get_device_properties(tensor.device).multi_processor_count
        self.grid = (sms * self.CTAS_PER_SM,)
        # As many loads in flight as the tensor has for each thread, at most 4.
        share = self.words.numel() / self.grid[0]
        self.block = self.THREADS * self.WORDS_PER_LOAD
        while self.block < share and self.block < 4 * self.THREADS * self.WORDS_PER_LOAD:
            self.block *= 2

    def __call__(self):
        bench_read_once[self.grid](self.words, self.sink, self.words.numel(), BLOCK=self.block, num_warps=8)


class Flush:
    """Evicts every operand and every dirty line from L2."""

    def __init__(self):
        words = FLUSH_BYTES // 4
        self.written = torch.zeros(words, dtype=torch.int32, device="cuda")
        self.read = torch.zeros(words, dtype=torch.int32, device="cuda")
        self.sink = torch.zeros(1, dtype=torch.int32, device="cuda")
        self.grid, self.count = (words // FLUSH_BLOCK,), 0

    def __call__(self):
        self.count += 1
        bench_flush_write[self.grid](self.written, self.count, BLOCK=FLUSH_BLOCK, num_warps=8)
        bench_flush_read[self.grid](self.read, self.sink, BLOCK=FLUSH_BLOCK, num_warps=8)


def split_timeline(events, calls):
    """[(name, start_ns, duration_ns)] of one GPU timeline -> [(microseconds, [names])] of each call.

    ValueError where the timeline does not show `calls` flushes with an activity after each.
    """
    found, open_call = [], False
    for name, _, duration in sorted(events, key=lambda event: event[1]):
        if name.startswith(WRITER):
            found.append((0.0, []))
            open_call = False
        elif name.startswith(READER):
            open_call = True
        elif open_call:
            found[-1] = (found[-1][0] + duration / 1e3, found[-1][1] + [name])
    empty = sum(1 for _, names in found if not names)
    if len(found) != calls or empty:
        raise ValueError(f"expected {calls} timed calls on the GPU's timeline, got {len(found)}, {empty} of them empty")
    return found


def gpu_events(profiler):
    """(name, start, duration) of what ran on the GPU."""
    return [(e.name(), e.start_ns(), e.duration_ns()) for e in profiler.profiler.kineto_results.events()
            if e.device_type() == DeviceType.CUDA and not e.is_user_annotation() and e.name() not in WAITS]


def by_cupti(calls, flush):
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
        for call in calls:
            flush()
            call()
        torch.cuda.synchronize()
    return split_timeline(gpu_events(profiler), len(calls))


def by_events(calls, flush):
    """CUDA events around each call; a little longer than the kernels themselves."""
    pairs = []
    for call in calls:
        start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        flush()
        start.record()
        call()
        stop.record()
        pairs.append((start, stop))
    torch.cuda.synchronize()
    return [(start.elapsed_time(stop) * 1e3, []) for start, stop in pairs]


class Clock:
    """Times contenders interleaved; falls back to CUDA events, and says so in `method`."""

    METHODS = {"cupti": by_cupti, "events": by_events}

    def __init__(self, method="cupti"):
        self.method, self.flush, self.why = method, Flush(), ""

    def time(self, contenders, rounds):
        """{name: callable} -> {name: [microseconds of each round]}, {name: what one call ran on the GPU}."""
        names = list(contenders)
        # Each round starts with another contender: none always follows the same one.
        order = [names[(i + r) % len(names)] for r in range(rounds) for i in range(len(names))]
        calls = [contenders[name] for name in order]
        try:
            times = self.METHODS[self.method](calls, self.flush)
        except (ValueError, AttributeError) as error:
            if self.method == "events":
                raise
            self.method, self.why = "events", str(error)
            times = by_events(calls, self.flush)
        samples, ran = {name: [] for name in names}, {}
        for name, (microseconds, activities) in zip(order, times):
            samples[name].append(round(microseconds, 3))
            ran[name] = activities
        return samples, ran
